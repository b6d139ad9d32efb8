/**
 * @file Two trees of the same sequences, compared by what they share and, with distances, by what they are worth.
 *
 * No one number tells how near two trees are. Robinson and Foulds' distance counts branches and is strict; triplets
 * tell how much of the order is right; the cophenetic correlation is about lengths of paths; Dasgupta's cost asks
 * which tree joins similar sequences low, as the papers compare trees of learned distances with average linkage of
 * exact ones (SPEC A11). Each has its file, with its definition and source.
 */

import type { Progress } from "../../kernel/index.ts";
import type { NumberArray } from "../../sequence/condensed.ts";
import type { CompactTree } from "./compact-tree.ts";
import { copheneticCorrelations, hasNoLengths, type CopheneticCorrelations } from "./cophenetic.ts";
import { dasguptaCost } from "./dasgupta.ts";
import { compareSplits, type SplitComparison } from "./splits.ts";
import { compareTriplets, type TripletComparison, type TripletOptions } from "./triplets.ts";

export interface CompareOptions extends TripletOptions {
  /** Compare clades, where Robinson–Foulds' distance and the branch score else forget the roots (default: false). */
  rooted?: boolean;
  /** Distances of all pairs of leaves, condensed. */
  distances?: NumberArray;
  /** Distance at which two sequences have similarity 0, the length n of the longest; with `distances`, for Dasgupta's cost. */
  length?: number;
  /** Leaves whose paths are compared, and all. */
  progress?: Progress;
}

/** How two trees compare. */
export interface TreeComparison
  extends Omit<SplitComparison, "branchScore">, TripletComparison, CopheneticCorrelations {
  leaves: number;
  /** Whether clades were compared, not splits. */
  rooted: boolean;
  /** Euclidean distance of the branches' lengths; null where one of the trees has none. */
  branchScore: number | null;
  /** Dasgupta's cost of each tree, pairs counted once; null without distances and length. */
  dasguptaReference: number | null;
  dasguptaOther: number | null;
  /** By how many percent the second tree costs more than the first. */
  dasguptaIncreasePercent: number | null;
  /** Trees that have no branch length, whose paths are counted in branches. */
  withoutLengths: ("reference" | "other")[];
}

/**
 * Compares two trees over the same leaves.
 *
 * @throws RangeError where the trees have different numbers of leaves, or as `dasguptaCost`
 */
export function compareTrees(
  reference: CompactTree,
  other: CompactTree,
  { rooted = false, distances, length, progress, ...triplets }: CompareOptions = {},
): TreeComparison {
  const { leaves } = reference;
  if (other.leaves !== leaves) {
    throw new RangeError(`trees: must have the same leaves, got ${leaves} and ${other.leaves}`);
  }
  const withoutLengths: TreeComparison["withoutLengths"] = [];
  if (leaves > 1 && hasNoLengths(reference)) withoutLengths.push("reference");
  if (leaves > 1 && hasNoLengths(other)) withoutLengths.push("other");
  const { branchScore, ...splits } = compareSplits(reference, other, { rooted, seed: triplets.seed });
  const cost = (tree: CompactTree) =>
    distances === undefined || length === undefined ? null : dasguptaCost(tree, distances, length);
  const [dasguptaReference, dasguptaOther] = [cost(reference), cost(other)];
  return {
    leaves,
    rooted,
    ...splits,
    branchScore: withoutLengths.length > 0 ? null : branchScore,
    ...compareTriplets(reference, other, triplets),
    ...copheneticCorrelations(reference, other, { distances, progress }),
    dasguptaReference,
    dasguptaOther,
    dasguptaIncreasePercent:
      dasguptaReference && dasguptaOther !== null
        ? (100 * (dasguptaOther - dasguptaReference)) / dasguptaReference
        : null,
    withoutLengths,
  };
}
