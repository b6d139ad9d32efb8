/**
 * @file Dasgupta's cost of a hierarchical clustering.
 *
 * C(T) = Σ_{i<j} s_ij · |leaves below lca(i, j)| with the similarity s_ij = 1 − d_ij/n: two similar sequences that
 * come together high up in the tree cost as much as there are leaves below that place. Each pair counts once; the
 * code of the papers counts both orders of it and reports twice this number.
 *
 * Σ |lca| needs no pairs, so what is left is Σ d_ij · |lca|: one pass over the condensed distances, row by row, with
 * the sizes of a row's LCAs from `leaf-order.ts`. O(N²) time and O(N) memory, for trees of any shape, polytomies
 * too. Distances in whole edits make both sums whole numbers, exact in double precision below 2⁵³ (N = 10⁴
 * sequences of 1,500 letters: 10¹⁵).
 *
 * Source: Dasgupta, "A cost function for similarity-based hierarchical clustering", STOC 2016.
 */

import { condensedLength, type NumberArray } from "../../sequence/condensed.ts";
import type { CompactTree } from "./compact-tree.ts";
import { ancestorValues, leafOrder } from "./leaf-order.ts";

/**
 * Dasgupta's cost of a tree.
 *
 * @param distances condensed, in SciPy's order, numbered as the tree's leaves
 * @param length the distance at which the similarity is 0: in edits, the length n of the longest sequence
 * @throws RangeError where the number of distances is not that of the leaves' pairs, or `length` is not positive
 */
export function dasguptaCost(tree: CompactTree, distances: NumberArray, length: number): number {
  const { leaves } = tree;
  if (distances.length !== condensedLength(leaves)) {
    throw new RangeError(
      `distances: must be those of the ${condensedLength(leaves)} pairs of ${leaves} leaves, got ${distances.length}`,
    );
  }
  if (!(length > 0 && length < Infinity)) throw new RangeError(`length: must be positive, got ${length}`);
  const order = leafOrder(tree);
  const sizes = Float64Array.from(order.counts);
  const sizeAt = new Float64Array(leaves);
  let weighted = 0;
  for (let i = 0, at = 0; i < leaves - 1; i++) {
    ancestorValues(order, i, sizes, sizeAt);
    weighted += rowSum(distances, at, sizeAt, order.first, i + 1, leaves);
    at += leaves - 1 - i;
  }
  return ancestorSizes(tree, order.counts) - weighted / length;
}

/** Σ distances[at …] · sizeAt[place of j] over the leaves j from `from` to before `end`. */
function rowSum(
  distances: NumberArray,
  at: number,
  sizeAt: Float64Array,
  place: Int32Array,
  from: number,
  end: number,
): number {
  let sum = 0;
  for (let j = from; j < end; j++) sum += distances[at++] * sizeAt[place[j]];
  return sum;
}

/** Σ |leaves below lca(i, j)| over all pairs, by the node in which they come together. */
function ancestorSizes({ leaves, parent }: CompactTree, counts: Int32Array): number {
  // Twice the pairs that come together in a node: the squares of its leaves less those of its children's.
  const pairs = Float64Array.from(counts, (count) => count * count);
  for (let i = 0; i < parent.length - 1; i++) pairs[parent[i]] -= counts[i] * counts[i];
  let sum = 0;
  for (let i = leaves; i < parent.length; i++) sum += pairs[i] * counts[i];
  return sum / 2;
}
