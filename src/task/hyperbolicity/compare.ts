/**
 * @file How alike two collections of samples are in their δ, and how sure that is.
 *
 * A sample is the distribution of all its values 2δ_p(x, y)/diameter, counted in thousandths; a collection is the mean
 * of its samples' distributions. Two collections are as far apart as Wasserstein's first distance says, the area
 * between the two cumulative distributions, in the unit of the values. The bootstrap draws as many samples of each
 * collection as there are, with replacement, a thousand times, and asks each time which reference is nearest.
 *
 * Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993 (percentile intervals).
 */

import type { Random } from "../../sequence/random.ts";

/** Cumulative shares [1001] of values counted in thousandths. */
export function cumulative(counts: ArrayLike<number>): Float64Array {
  const out = new Float64Array(counts.length);
  let sum = 0;
  for (let k = 0; k < out.length; k++) out[k] = sum += counts[k];
  return sum > 0 ? out.map((value) => value / sum) : out.fill(1);
}

/** The mean of cumulative distributions, each as often as `times` says (default once). */
export function meanDistribution(samples: readonly Float64Array[], times?: ArrayLike<number>): Float64Array {
  const out = new Float64Array(samples[0].length);
  let total = 0;
  samples.forEach((sample, s) => {
    const weight = times?.[s] ?? 1;
    if (weight === 0) return;
    total += weight;
    for (let k = 0; k < out.length; k++) out[k] += weight * sample[k];
  });
  for (let k = 0; k < out.length; k++) out[k] /= total;
  return out;
}

/** Wasserstein's first distance of two cumulative distributions over 0 … 1. */
export function wasserstein(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length - 1; k++) sum += Math.abs(a[k] - b[k]);
  return sum / (a.length - 1);
}

/** How often each of `count` things is drawn in `count` draws with replacement. */
export function redraw(count: number, random: Random): Uint32Array {
  const times = new Uint32Array(count);
  for (let k = 0; k < count; k++) times[random.integer(count)]++;
  return times;
}

/** An average over samples with its 95 % interval; no interval of a single sample. */
export interface Estimate {
  mean: number;
  low: number | null;
  high: number | null;
  /** Standard deviation of the samples; null of a single one. */
  sd: number | null;
}

/** Times that samples are drawn anew. */
const RESAMPLES = 1000;

/** The mean of some numbers with a percentile interval of the bootstrap. */
export function estimate(values: readonly number[], random: Random): Estimate {
  const n = values.length;
  const mean = values.reduce((a, b) => a + b, 0) / n;
  if (n < 2) return { mean, low: null, high: null, sd: null };
  const sd = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1));
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += values[random.integer(n)];
    return sum / n;
  });
  return { mean, ...interval(means), sd };
}

/** The 2.5th and the 97.5th percentile. */
function interval(values: Float64Array): { low: number; high: number } {
  const sorted = values.toSorted();
  const at = (share: number) => sorted[Math.round(share * (sorted.length - 1))];
  return { low: at(0.025), high: at(0.975) };
}

/** How far a collection is from a reference. */
export interface Likeness {
  /** Wasserstein's distance to the reference. */
  distance: number;
  /** Its 95 % interval. */
  low: number;
  high: number;
  /** Share of the resamplings in which no other reference was nearer. */
  nearest: number;
}

/** The distances of samples to each reference, in the references' order; all samples are cumulative distributions. */
export function compareWith(
  samples: readonly Float64Array[],
  references: readonly (readonly Float64Array[])[],
  random: Random,
): Likeness[] {
  const whole = meanDistribution(samples);
  const drawn = references.map(() => new Float64Array(RESAMPLES));
  const wins = references.map(() => 0);
  for (let round = 0; round < RESAMPLES; round++) {
    const own = meanDistribution(samples, redraw(samples.length, random));
    let nearest = 0;
    references.forEach((reference, r) => {
      drawn[r][round] = wasserstein(own, meanDistribution(reference, redraw(reference.length, random)));
      if (drawn[r][round] < drawn[nearest][round]) nearest = r;
    });
    wins[nearest]++;
  }
  return references.map((reference, r) => ({
    distance: wasserstein(whole, meanDistribution(reference)),
    ...interval(drawn[r]),
    nearest: wins[r] / RESAMPLES,
  }));
}
