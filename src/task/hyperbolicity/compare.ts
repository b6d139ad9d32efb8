/**
 * @file How alike two collections of samples are in their δ, and how sure that is.
 *
 * A sample is the distribution of all its values 2δ_p(x, y)/diameter, counted in thousandths; a collection is the mean
 * of its samples' distributions. Two collections are as far apart as Wasserstein's first distance says, the area
 * between the two cumulative distributions, in the unit of the values. The bootstrap draws as many samples of each
 * collection as there are, with replacement, a thousand times, and asks each time which reference is nearest. Of a
 * single sample no other can be drawn, so that it has neither. Distances of collections drawn anew are greater than those
 * of the collections themselves, since draws differ where the samples may not: their intervals lie too high, the more so
 * the nearer two collections are.
 */

import type { Random } from "../../sequence/random.ts";
import { percentileInterval, summarize } from "../summary.ts";

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
  const { mean = NaN, deviation: sd } = summarize(values) ?? {};
  if (sd === undefined) return { mean, low: null, high: null, sd: null };
  const means = Float64Array.from({ length: RESAMPLES }, () => {
    let sum = 0;
    for (let k = 0; k < n; k++) sum += values[random.integer(n)];
    return sum / n;
  });
  const [low, high] = percentileInterval(means);
  return { mean, low, high, sd };
}

/** How far a collection is from a reference. */
export interface Likeness {
  /** Wasserstein's distance to the reference. */
  distance: number;
  /** Its 95 % interval; none of a single sample. */
  low: number | null;
  high: number | null;
  /** Share of the resamplings in which no other reference was nearer; null of a single sample. */
  nearest: number | null;
}

/** The distances of samples to each reference, in the references' order; all samples are cumulative distributions. */
export function compareWith(
  samples: readonly Float64Array[],
  references: readonly (readonly Float64Array[])[],
  random: Random,
): Likeness[] {
  const whole = meanDistribution(samples);
  const distances = references.map((reference) => wasserstein(whole, meanDistribution(reference)));
  if (samples.length < 2) {
    return distances.map((distance) => ({ distance, low: null, high: null, nearest: null }));
  }
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
  return distances.map((distance, r) => {
    const [low, high] = percentileInterval(drawn[r]);
    return { distance, low, high, nearest: wins[r] / RESAMPLES };
  });
}
