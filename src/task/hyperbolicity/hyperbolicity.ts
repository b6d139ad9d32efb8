/**
 * @file How tree-like things are: δ_rel of random samples of them, beside that of trees and curved spaces.
 *
 * δ takes O(n⁴), and δ_rel depends on n, so that it is measured on samples of one size, drawn without
 * replacement, and compared with references of the same size (bank.ts, compare.ts). Intervals are of the draw of
 * samples from the things that are there; they say nothing about things that are not, and samples that are a large
 * part of all things overlap.
 */

import { EmbranchError, UsageError } from "../../error.ts";
import { gromovDeltas, type GromovDeltas } from "../../kernel/index.ts";
import type { NumberArray } from "../../sequence/condensed.ts";
import { Random } from "../../sequence/random.ts";
import { drawReference, REFERENCES, type Reference } from "./bank.ts";
import {
  compareWith,
  cumulative,
  estimate,
  meanDistribution,
  wasserstein,
  type Estimate,
  type Likeness,
} from "./compare.ts";
import { allEqual, checkCount, quantilesOf, relativeDelta, type Quantile } from "./gromov.ts";
import type { Metric } from "./metric.ts";

/** δ of one sample. */
export interface SampleDelta {
  /** The greatest distance. */
  diameter: number;
  /** δ, in the unit of the distances. */
  delta: number;
  /** δ_rel = 2δ/diameter. */
  relative: number;
  /** Mean of all 2δ_p(x, y)/diameter. */
  mean: number;
}

/** Samples of one kind. */
export interface SampledDelta {
  /** δ_rel over the samples. */
  relative: Estimate;
  /** Mean of all 2δ_p(x, y)/diameter of a sample, over the samples. */
  mean: Estimate;
  /** [1001] Share of these values, of all samples, that are k thousandths. */
  histogram: number[];
}

/** A reference beside the data: the distance is of the distributions of all 2δ_p(x, y)/diameter. */
export interface ReferenceDelta extends SampledDelta, Likeness {
  reference: Reference;
}

/** What was found. */
export interface Hyperbolicity extends SampledDelta {
  /** Things, and how many of them a sample has. */
  count: number;
  size: number;
  samples: SampleDelta[];
  /** Quantiles of all 2δ_p(x, y)/diameter of all samples, to a thousandth. */
  quantiles: Quantile[];
  /** By how much the triangle inequality is broken at most, in shares of the diameter; 0 for a metric. */
  violation: number;
  /** The same things without any relation, where that can be drawn, and Wasserstein's distance to it. */
  control?: SampledDelta & { distance: number };
  /** The references, nearest first. */
  references: ReferenceDelta[];
}

export interface HyperbolicityOptions {
  /** Things in a sample (default 100; all, where there are fewer). */
  size?: number;
  /** How many samples (default 50; one, where a sample is all there is). */
  samples?: number;
  /** Seed of everything random (default 1). */
  seed?: number;
  /** References to compare with (default all of the bank); none are drawn for an empty list. */
  references?: readonly Reference[];
  threads?: number;
  /** Called with the samples done so far, those of references and of the control included, and their total. */
  progress?: (stage: string, done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Draws of each reference. */
const REFERENCE_SAMPLES = 10;
/** Bytes of matrices that are in memory at once. */
const BATCH_BYTES = 2 ** 26;

/**
 * δ_rel of samples of a metric.
 *
 * @throws EmbranchError for fewer than four things, distances that are no distances, and distances that are all 0
 * @throws UsageError for samples of fewer than four
 */
export async function hyperbolicity(
  metric: Metric,
  {
    size = 100,
    samples = 50,
    seed = 1,
    references = REFERENCES,
    threads,
    progress,
    signal,
  }: HyperbolicityOptions = {},
): Promise<Hyperbolicity> {
  for (const [name, value, least] of [
    ["size", size, 4],
    ["samples", samples, 1],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < least) {
      throw new UsageError(`${name}: must be an integer from ${least}, got ${value}`);
    }
  }
  const { count } = metric;
  checkCount(count);
  const random = new Random(seed);
  const drawn = Math.min(size, count);
  const all = Uint32Array.from({ length: count }, (_, i) => i);
  const indices = Array.from({ length: drawn === count ? 1 : samples }, (_, s) =>
    drawn === count ? all : random.fork("sample", s).sample(count, drawn),
  );
  const controls = references.length > 0 && metric.control !== undefined ? indices.length : 0;
  const total = indices.length + controls + references.length * REFERENCE_SAMPLES;
  let done = 0;
  const measure = async (
    stage: string,
    number: number,
    draw: (s: number) => NumberArray | Promise<NumberArray>,
  ): Promise<GromovDeltas[]> => {
    const found: GromovDeltas[] = [];
    let batch: NumberArray[] = [];
    for (let s = 0; s < number; s++) {
      signal?.throwIfAborted();
      batch.push(await draw(s));
      // Half of a sample is its distances, and half their δ.
      progress?.(stage, done + batch.length / 2, total);
      if (s < number - 1 && (batch.length + 1) * batch[0].byteLength <= BATCH_BYTES) continue;
      const report = (bases: number) => progress?.(stage, done + (batch.length + bases / drawn) / 2, total);
      found.push(...(await gromovDeltas(batch, { threads, signal, progress: report })));
      done += batch.length;
      batch = [];
    }
    return found;
  };

  const own = await measure("samples", indices.length, (s) => metric.distances(indices[s]));
  if (own.every(({ diameter }) => diameter === 0)) {
    if (drawn === count) throw allEqual();
    throw new EmbranchError(
      `hyperbolicity: some distance of a sample must be above 0, got 0 for all pairs of ${samples} samples of ${drawn} out of ${count}; take larger samples`,
    );
  }
  const distributions = distributionsOf(own);
  const summary = sampled(own, random.fork("intervals"));
  const result: Hyperbolicity = {
    count,
    size: drawn,
    samples: own.map((found) => ({
      diameter: found.diameter,
      delta: found.deltas.reduce((a, b) => Math.max(a, b), 0),
      relative: relativeDelta(found),
      mean: relativeMean(found),
    })),
    ...summary,
    quantiles: quantilesOf(summary.histogram),
    references: [],
    violation: Math.max(...own.map(({ violation, diameter }) => (diameter > 0 ? violation / diameter : 0))),
  };
  if (references.length === 0) return result;

  if (controls > 0) {
    const found = await measure("control", controls, (s) =>
      metric.control!(indices[s], random.fork("control", s)),
    );
    result.control = {
      ...sampled(found, random.fork("control intervals")),
      distance: wasserstein(meanDistribution(distributions), meanDistribution(distributionsOf(found))),
    };
  }
  const drawnAll = await measure("references", references.length * REFERENCE_SAMPLES, (s) => {
    const reference = references[Math.floor(s / REFERENCE_SAMPLES)];
    return drawReference(reference, drawn, random.fork("reference", reference.name, s % REFERENCE_SAMPLES));
  });
  const ofEach = references.map((_, r) => drawnAll.slice(r * REFERENCE_SAMPLES, (r + 1) * REFERENCE_SAMPLES));
  const likenesses = compareWith(distributions, ofEach.map(distributionsOf), random.fork("bootstrap"));
  result.references = references
    .map((reference, r) => ({
      reference,
      ...sampled(ofEach[r], random.fork("reference intervals", r)),
      ...likenesses[r],
    }))
    .sort((a, b) => a.distance - b.distance);
  return result;
}

const relativeMean = ({ mean, diameter }: GromovDeltas): number => (diameter > 0 ? (2 * mean) / diameter : 0);

const distributionsOf = (found: readonly GromovDeltas[]): Float64Array[] =>
  found.map(({ counts }) => cumulative(counts));

function sampled(found: readonly GromovDeltas[], random: Random): SampledDelta {
  const pooled = meanDistribution(distributionsOf(found));
  return {
    relative: estimate(found.map(relativeDelta), random.fork("relative")),
    mean: estimate(found.map(relativeMean), random.fork("mean")),
    histogram: Array.from(pooled, (value, k) => value - (k > 0 ? pooled[k - 1] : 0)),
  };
}
