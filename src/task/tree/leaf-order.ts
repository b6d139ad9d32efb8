/**
 * @file The leaves of a tree numbered by a walk in depth, and lowest common ancestors by that.
 *
 * In the order of such a walk the leaves below any node are a run of neighbours, and the lowest common ancestor
 * (LCA) of the leaves at places p < q is the highest of the LCAs of neighbours between them. Parents have greater
 * numbers than children, so the highest is the one of the greatest number: the LCAs of one leaf and all others are
 * two running maxima. With links from each neighbours' LCA to the next higher one on either side, they are written run by
 * run; O(n) time, and memory is passed through in a row, in a caterpillar as in a balanced tree.
 */

import type { CompactTree } from "./compact-tree.ts";

/** The order in which a walk in depth meets the leaves of a tree of n leaves. */
export interface LeafOrder {
  /** [nodes] How many leaves are below each node; a leaf has 1. */
  counts: Int32Array;
  /** [nodes] Place of the first leaf below each node; of a leaf its own place, 0 … n − 1. */
  first: Int32Array;
  /** [n] The leaf at each place. */
  leafAt: Int32Array;
  /** [n − 1] LCA of the leaves at places p and p + 1. */
  between: Int32Array;
  /** [n − 1] The nearest p before each that has a higher LCA, or −1. */
  higherBefore: Int32Array;
  /** [n − 1] The nearest p after each that has a higher LCA, or n − 1. */
  higherAfter: Int32Array;
}

/** Numbers the leaves of a tree; children come in the order of their numbers, from the greatest down. */
export function leafOrder({ leaves, parent }: CompactTree): LeafOrder {
  const nodes = parent.length;
  const counts = new Int32Array(nodes).fill(1, 0, leaves);
  for (let i = 0; i < nodes - 1; i++) counts[parent[i]] += counts[i];
  const first = new Int32Array(nodes);
  const leafAt = new Int32Array(leaves);
  const between = new Int32Array(Math.max(0, leaves - 1));
  /** Where the next child of each node begins. */
  const next = new Int32Array(nodes);
  for (let i = nodes - 1; i >= 0; i--) {
    const up = parent[i];
    if (up >= 0) {
      first[i] = next[up];
      next[up] += counts[i];
      if (first[i] > first[up]) between[first[i] - 1] = up;
    }
    next[i] = first[i];
    if (i < leaves) leafAt[first[i]] = i;
  }
  const higherBefore = new Int32Array(between.length);
  const higherAfter = new Int32Array(between.length);
  for (let p = 0; p < between.length; p++) {
    let before = p - 1;
    while (before >= 0 && between[before] <= between[p]) before = higherBefore[before];
    higherBefore[p] = before;
  }
  for (let p = between.length - 1; p >= 0; p--) {
    let after = p + 1;
    while (after < between.length && between[after] <= between[p]) after = higherAfter[after];
    higherAfter[p] = after;
  }
  return { counts, first, leafAt, between, higherBefore, higherAfter };
}

/**
 * For one leaf and the leaf at every place, what `values` [nodes] says of their LCA, into `out` [n]; at the leaf's
 * own place what it says of the leaf.
 */
export function ancestorValues(
  { first, between, higherBefore, higherAfter }: LeafOrder,
  leaf: number,
  values: Float64Array,
  out: Float64Array,
): void {
  const place = first[leaf];
  out[place] = values[leaf];
  for (let p = place; p < between.length;) {
    const end = higherAfter[p];
    const value = values[between[p]];
    for (; p < end; p++) out[p + 1] = value;
  }
  for (let p = place - 1; p >= 0;) {
    const end = higherBefore[p];
    const value = values[between[p]];
    for (; p > end; p--) out[p] = value;
  }
}
