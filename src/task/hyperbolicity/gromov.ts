/**
 * @file δ of one matrix, as people read it: relative to the diameter, with its distribution.
 *
 * δ_rel = 2δ/diameter is 0 for the distances along a tree and at most 1 (SPEC C5).
 */

import { EmbranchError } from "../../error.ts";
import { gromovDeltas, type GromovDeltas } from "../../kernel/index.ts";
import type { RequestOptions } from "../../kernel/index.ts";
import { condensedSide, type NumberArray } from "../../sequence/condensed.ts";
import { Random } from "../../sequence/random.ts";
import type { Metric } from "./metric.ts";

/** A share of values, and the value that so many do not exceed. */
export interface Quantile {
  share: number;
  value: number;
}

/** Shares that quantiles are given for. */
export const SHARES = [0.5, 0.9, 0.99, 0.999] as const;

/** What δ of a matrix is. */
export interface Gromov {
  /** Things. */
  count: number;
  /** The greatest distance. */
  diameter: number;
  /** δ, or bounds of it where not all base points were looked from; in the unit of the distances. */
  delta: { lower: number; upper: number };
  /** 2δ/diameter, or its bounds. */
  relative: { lower: number; upper: number };
  /** Mean of 2δ_p(x, y)/diameter over the base points p and all pairs of others. */
  mean: number;
  /** Quantiles of these values, to a thousandth. */
  quantiles: Quantile[];
  /** [1001] How many of these values are k thousandths. */
  histogram: number[];
  /** How the base points' own greatest values δ_p spread, in the unit of the distances. */
  perBase: { bases: number; least: number; mean: number; greatest: number };
  /** By how much the triangle inequality is broken at most, in shares of the diameter; 0 for a metric. */
  violation: number;
}

export interface GromovSummaryOptions extends RequestOptions, Pick<Metric, "triangle"> {
  /** How many base points to look from, drawn at random (default all, which gives δ itself). */
  bases?: number;
  /** Seed of the draw (default 1). */
  seed?: number;
  threads?: number;
}

/**
 * δ of condensed distances: exactly from all base points in O(n⁴), or within a factor of two from some, O(n³) each.
 *
 * @throws EmbranchError for fewer than four things, distances that are no distances, and distances that are all 0
 */
export async function gromov(
  distances: NumberArray,
  { bases, seed = 1, triangle = false, ...options }: GromovSummaryOptions = {},
): Promise<Gromov> {
  const count = condensedSide(distances.length);
  checkCount(count);
  const chosen =
    bases === undefined || bases >= count
      ? undefined
      : new Random(seed).fork("base points").sample(count, bases);
  const [found] = await gromovDeltas([distances], { ...options, bases: chosen });
  if (found.diameter === 0) throw allEqual();
  const { diameter, deltas, mean, counts, violation } = found;
  const greatest = deltas.reduce((a, b) => Math.max(a, b), 0);
  const least = deltas.reduce((a, b) => Math.min(a, b), Infinity);
  const most = Math.min(2 * least, triangle ? diameter / 2 : Infinity);
  const upper = chosen === undefined ? greatest : Math.max(greatest, most);
  return {
    count,
    diameter,
    delta: { lower: greatest, upper },
    relative: { lower: (2 * greatest) / diameter, upper: (2 * upper) / diameter },
    mean: (2 * mean) / diameter,
    quantiles: quantilesOf(counts),
    histogram: Array.from(counts),
    perBase: {
      bases: deltas.length,
      least,
      mean: deltas.reduce((a, b) => a + b, 0) / deltas.length,
      greatest,
    },
    violation: violation / diameter,
  };
}

/** Throws an EmbranchError for fewer things than the four-point condition speaks of. */
export function checkCount(count: number, what = "things"): void {
  if (count >= 4) return;
  throw new EmbranchError(`hyperbolicity: needs at least 4 different ${what}, got ${count}`);
}

/** The error for things that cannot be told apart. */
export function allEqual(): EmbranchError {
  return new EmbranchError(
    "hyperbolicity: some distance must be above 0, got 0 for all pairs; δ is relative to the greatest",
  );
}

/** Quantiles of values counted in thousandths. */
export function quantilesOf(counts: ArrayLike<number>): Quantile[] {
  let total = 0;
  for (let k = 0; k < counts.length; k++) total += counts[k];
  return SHARES.map((share) => {
    let below = 0;
    let k = 0;
    while (k < counts.length - 1 && (below += counts[k]) < share * total) k++;
    return { share, value: k / (counts.length - 1) };
  });
}

/** δ_rel of one matrix; 0 for things that all coincide, which are a tree of one node. */
export function relativeDelta({ deltas, diameter }: GromovDeltas): number {
  return diameter > 0 ? (2 * deltas.reduce((a, b) => Math.max(a, b), 0)) / diameter : 0;
}
