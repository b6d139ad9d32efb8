/**
 * @file Distances along trees, whose δ is 0: of random trees, and of the leaves of a tree that is there.
 */

import { condensedIndex, condensedLength } from "../../sequence/condensed.ts";
import type { Random } from "../../sequence/random.ts";
import { hasNoLengths } from "../tree/cophenetic.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import { ancestorValues, leafOrder } from "../tree/leaf-order.ts";

/**
 * [n(n−1)/2] Branches between the nodes of a tree drawn evenly from all trees with n numbered nodes, by Prüfer's
 * sequence (Prüfer 1918).
 */
export function randomTreeDistances(n: number, random: Random): Uint16Array {
  const sequence = Uint32Array.from({ length: Math.max(0, n - 2) }, () => random.integer(n));
  const degree = new Uint32Array(n).fill(1);
  for (const node of sequence) degree[node]++;
  const neighbours = Array.from({ length: n }, (): number[] => []);
  const join = (a: number, b: number) => {
    neighbours[a].push(b);
    neighbours[b].push(a);
    degree[a]--;
    degree[b]--;
  };
  for (const node of sequence) join(degree.indexOf(1), node);
  const last = degree.indexOf(1);
  if (n > 1) join(last, degree.indexOf(1, last + 1));

  const out = new Uint16Array(condensedLength(n));
  for (let from = 0; from < n; from++) {
    const walk = [{ node: from, above: -1, branches: 0 }];
    for (let step = walk.pop(); step !== undefined; step = walk.pop()) {
      const { node, above, branches } = step;
      if (node > from) out[condensedIndex(from, node, n)] = branches;
      for (const next of neighbours[node]) {
        if (next !== above) walk.push({ node: next, above: node, branches: branches + 1 });
      }
    }
  }
  return out;
}

/** Lengths of the paths between leaves of one tree; branches are counted where the tree has no lengths. */
export class PathMetric {
  readonly #order: ReturnType<typeof leafOrder>;
  /** [nodes] Distance from the root. */
  readonly #depths: Float64Array;
  /** [leaves] Depths of one leaf's lowest common ancestors, by place. */
  readonly #shared: Float64Array;

  constructor(tree: CompactTree) {
    const { leaves, parent } = tree;
    const length = hasNoLengths(tree) ? new Float64Array(parent.length).fill(1) : tree.length;
    this.#order = leafOrder(tree);
    this.#depths = new Float64Array(parent.length);
    for (let i = parent.length - 2; i >= 0; i--) this.#depths[i] = this.#depths[parent[i]] + length[i];
    this.#shared = new Float64Array(leaves);
  }

  /** Distances of all pairs of some leaves, condensed; O(N) for each of them. */
  distances(leaves: ArrayLike<number>): Float64Array {
    const depths = this.#depths;
    const shared = this.#shared;
    const out = new Float64Array(condensedLength(leaves.length));
    for (let i = 0, at = 0; i < leaves.length; i++) {
      ancestorValues(this.#order, leaves[i], depths, shared);
      for (let j = i + 1; j < leaves.length; j++, at++) {
        const place = this.#order.first[leaves[j]];
        // A path is no shorter than nothing, whatever the rounding.
        out[at] = Math.max(0, depths[leaves[i]] + depths[leaves[j]] - 2 * shared[place]);
      }
    }
    return out;
  }
}
