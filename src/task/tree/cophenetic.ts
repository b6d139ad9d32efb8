/**
 * @file Cophenetic correlation: how well the paths through one tree follow those through another, or the distances
 * that it stands for.
 *
 * Pearson's correlation over all pairs of leaves of the lengths of the paths between them. Between a dendrogram and
 * the distances it was made of it is the cophenetic correlation of SciPy and R; the measure serves trees of any kind.
 * A tree without any branch length counts branches.
 *
 * Path lengths are depth_i + depth_j − 2·depth_lca, row by row with the lowest common ancestors of `leaf-order.ts`: O(N²)
 * time, O(N) memory. A tree's mean path is known before, since a branch above k of N leaves is in k(N − k) paths, so
 * that one pass adds up products of differences from the means, without cancellation.
 *
 * Source: Sokal and Rohlf, "The comparison of dendrograms by objective methods", Taxon 1962.
 */

import { condensedLength, type NumberArray } from "../../sequence/condensed.ts";
import type { Progress } from "../../kernel/index.ts";
import type { CompactTree } from "./compact-tree.ts";
import { ancestorValues, leafOrder, type LeafOrder } from "./leaf-order.ts";

/** Correlations of the paths through two trees; null where one side is constant, as that of fewer than three leaves. */
export interface CopheneticCorrelations {
  /** Of the trees with each other. */
  copheneticCorrelation: number | null;
  /** Of the first tree with the distances; null without them. */
  copheneticReference: number | null;
  /** Of the second tree with the distances. */
  copheneticOther: number | null;
}

export interface CopheneticOptions {
  /** Distances of all pairs of leaves, condensed. */
  distances?: NumberArray;
  /** Leaves whose paths are compared, and all. */
  progress?: Progress;
}

/** Whether a tree has no branch length: none was given, or all are 0. */
export function hasNoLengths({ length }: CompactTree): boolean {
  return length.every((each) => each === 0);
}

/** The correlations of two trees over the same leaves with each other, and with distances. */
export function copheneticCorrelations(
  reference: CompactTree,
  other: CompactTree,
  { distances, progress }: CopheneticOptions = {},
): CopheneticCorrelations {
  const { leaves } = reference;
  const paths = [reference, other].map((tree) => new Paths(tree));
  const [a, b] = paths.map(({ row }) => row);
  const d = new Float64Array(leaves);
  const means = [...paths.map(({ mean }) => mean), distances === undefined ? 0 : meanOf(distances)];
  /** Sums of products of differences from the mean. */
  let [aa, bb, dd, ab, ad, bd] = [0, 0, 0, 0, 0, 0];
  for (let i = 0, at = 0; i < leaves - 1; i++) {
    for (const path of paths) path.from(i);
    if (distances !== undefined) {
      for (let j = i + 1; j < leaves; j++) d[j] = distances[at++] - means[2];
      dd += rowProduct(d, d, i + 1);
      ad += rowProduct(a, d, i + 1);
      bd += rowProduct(b, d, i + 1);
    }
    aa += rowProduct(a, a, i + 1);
    bb += rowProduct(b, b, i + 1);
    ab += rowProduct(a, b, i + 1);
    progress?.(i + 1, leaves - 1);
  }
  const count = condensedLength(leaves);
  const correlation = (xy: number, x: number, y: number, xx: number, yy: number): number | null => {
    if (isConstant(xx, means[x], count) || isConstant(yy, means[y], count)) return null;
    return Math.max(-1, Math.min(1, xy / Math.sqrt(xx * yy)));
  };
  return {
    copheneticCorrelation: correlation(ab, 0, 1, aa, bb),
    copheneticReference: correlation(ad, 0, 2, aa, dd),
    copheneticOther: correlation(bd, 1, 2, bb, dd),
  };
}

/** Σ x·y from one place on; sums of rows, added up, lose fewer digits than one sum of all pairs. */
function rowProduct(x: Float64Array, y: Float64Array, from: number): number {
  let sum = 0;
  for (let j = from; j < x.length; j++) sum += x[j] * y[j];
  return sum;
}

/** Whether squared differences from a mean are nothing but rounding. */
function isConstant(squares: number, mean: number, count: number): boolean {
  return squares <= 1e-24 * (squares + count * mean * mean);
}

function meanOf(values: NumberArray): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i];
  return sum / values.length;
}

/** Lengths of the paths between leaves. */
class Paths {
  /** Mean over all pairs. */
  readonly mean: number;
  /** [leaves] What `from` finds, by leaf. */
  readonly row: Float64Array;
  readonly #order: LeafOrder;
  /** [nodes] Distance from the root. */
  readonly #depths: Float64Array;
  /** [leaves] Depths of lowest common ancestors, by place. */
  readonly #shared: Float64Array;

  constructor(tree: CompactTree) {
    const { leaves, parent } = tree;
    const length = hasNoLengths(tree) ? new Float64Array(parent.length).fill(1) : tree.length;
    this.#order = leafOrder(tree);
    this.#depths = new Float64Array(parent.length);
    let sum = 0;
    for (let i = parent.length - 2; i >= 0; i--) {
      this.#depths[i] = this.#depths[parent[i]] + length[i];
      const below = this.#order.counts[i];
      sum += length[i] * below * (leaves - below);
    }
    this.mean = leaves > 1 ? sum / condensedLength(leaves) : 0;
    this.row = new Float64Array(leaves);
    this.#shared = new Float64Array(leaves);
  }

  /** Puts the lengths of the paths from a leaf to all of greater number, less the mean, into `row`. */
  from(leaf: number): void {
    const { row, mean } = this;
    const place = this.#order.first;
    const depths = this.#depths;
    const shared = this.#shared;
    ancestorValues(this.#order, leaf, depths, shared);
    const own = depths[leaf] - mean;
    for (let j = leaf + 1; j < row.length; j++) row[j] = own + depths[j] - 2 * shared[place[j]];
  }
}
