/**
 * @file Distances between k-mer count vectors (SPEC A9).
 *
 * Of vectors x and y of counts, only x·y and Σ min(xᵢ, yᵢ) depend on both; every distance follows from these two,
 * the norms and the totals, so that all five cost one pass. The sums are of integers, and exact.
 *
 * The hyperbolic one is the formula of distance in the Poincaré ball, 2·asinh √(‖x − y‖²/((1 − ‖x‖²)(1 − ‖y‖²))),
 * which asks for points inside the ball, where counts are not. NeuroSEED takes it of the counts all the same, and
 * for norms above 1 rightly: the inversion x ↦ x/‖x‖² takes the outside of the ball to the inside and leaves the
 * fraction what it is, so that this is the distance of the inverted points. What is left are the norms 0 and 1 of
 * sequences with no k-mer or one, for which the inverted point is at infinity or on the boundary: ‖x‖² − 1, at
 * least 1 for all other sequences, is taken as 1 for them too.
 */

import { forEachPair, pairCount, type KmerProfiles, type PairOptions } from "./profile.ts";

/** Names of the distances, as those of the spaces that they resemble. */
export const KMER_DISTANCES = ["cosine", "euclidean", "square", "manhattan", "hyperbolic"] as const;
export type KmerDistance = (typeof KMER_DISTANCES)[number];

/** What two count vectors have to do with each other. */
interface Overlap {
  /** x·y */
  dot: number;
  /** Σ min(xᵢ, yᵢ) */
  common: number;
  /** ‖x‖² and ‖y‖². */
  xx: number;
  yy: number;
  /** Σ xᵢ and Σ yᵢ. */
  x: number;
  y: number;
}

const square = ({ dot, xx, yy }: Overlap): number => xx + yy - 2 * dot;

const FORMULAS: Record<KmerDistance, (overlap: Overlap) => number> = {
  // A vector of nothing has no direction: it is at a right angle to all others, and equal to itself.
  cosine: ({ dot, xx, yy }) =>
    xx === 0 || yy === 0 ? Number(xx !== yy) : Math.max(0, 1 - dot / Math.sqrt(xx * yy)),
  square,
  euclidean: (overlap) => Math.sqrt(square(overlap)),
  manhattan: ({ common, x, y }) => x + y - 2 * common,
  hyperbolic: (overlap) => {
    const { xx, yy } = overlap;
    return 2 * Math.asinh(Math.sqrt(square(overlap) / (Math.max(1, xx - 1) * Math.max(1, yy - 1))));
  },
};

/** Distances between k-mer count vectors, [pairs] for each of `distances`, in the order of these. */
export function kmerDistances(
  profiles: KmerProfiles,
  distances: readonly KmerDistance[],
  options: PairOptions = {},
): Float32Array[] {
  const { offsets, columns, counts, totals } = profiles;
  const formulas = distances.map((name) => FORMULAS[name]);
  const results = distances.map(() => new Float32Array(pairCount(profiles, options)));
  const squares = totals.map((_, i) =>
    counts.subarray(offsets[i], offsets[i + 1]).reduce((sum, count) => sum + count * count, 0),
  );
  const overlap: Overlap = { dot: 0, common: 0, xx: 0, yy: 0, x: 0, y: 0 };
  forEachPair(profiles, options, (at, i, j, row) => {
    let dot = 0;
    let common = 0;
    for (let e = offsets[j]; e < offsets[j + 1]; e++) {
      const a = row[columns[e]];
      const b = counts[e];
      dot += a * b;
      common += a < b ? a : b;
    }
    overlap.dot = dot;
    overlap.common = common;
    overlap.xx = squares[i];
    overlap.yy = squares[j];
    overlap.x = totals[i];
    overlap.y = totals[j];
    for (let d = 0; d < formulas.length; d++) results[d][at] = formulas[d](overlap);
  });
  return results;
}
