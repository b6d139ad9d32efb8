/**
 * @file A guide tree as an aligner follows it: which two groups are joined in turn, and how much each sequence counts.
 */

import type { Joins } from "../../kernel/progressive.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import { binaryTree } from "./guide-formats.ts";

/** The joins of a rooted tree; where more than two branches meet, the shortest are joined first. */
export function treeJoins(tree: CompactTree): Joins {
  const { leaves, parent } = binaryTree(tree);
  const left = new Uint32Array(leaves - 1);
  const right = left.slice();
  const met = new Uint8Array(leaves - 1);
  parent.forEach((up, node) => {
    if (up < 0) return;
    if (met[up - leaves]++ === 0) left[up - leaves] = node;
    else right[up - leaves] = node;
  });
  return { left, right };
}

/** Least weight of a sequence, of the mean: one that is nearly another still counts. */
const LEAST = 0.001;

/**
 * Weights of the sequences, mean 1: a branch's length is shared out among the leaves below it (Thompson, Higgins and
 * Gibson, "CLUSTAL W", Nucleic Acids Research 1994), so that many near copies of one sequence count little more than it.
 */
export function treeWeights({ leaves, parent, length }: CompactTree): Float32Array {
  const below = new Float64Array(parent.length).fill(1, 0, leaves);
  parent.forEach((up, node) => {
    if (up >= 0) below[up] += below[node];
  });
  const sums = new Float64Array(parent.length);
  for (let node = parent.length - 2; node >= 0; node--) {
    sums[node] = sums[parent[node]] + Math.max(0, length[node]) / below[node];
  }
  const own = sums.subarray(0, leaves);
  const mean = own.reduce((a, b) => a + b, 0) / leaves;
  return Float32Array.from(own, (weight) => (mean > 0 ? Math.max(weight / mean, LEAST) : 1));
}
