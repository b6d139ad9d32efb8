/**
 * @file Multiple alignment along a guide tree.
 *
 * The tree says in which order sequences are joined (Feng and Doolittle 1987), most alike first; a join aligns two
 * profiles with affine gaps (kernel/profile-alignment.ts), sequences weighted by the tree. What the tree costs is what
 * makes the alignment of many sequences slow; here it comes from embedded distances, from exact edit distances, which
 * are fast as well, or from a file.
 */

import type { Model } from "../../engine/model-file.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import { UsageError } from "../../error.ts";
import { progressiveAlignment, type Joins } from "../../kernel/progressive.ts";
import { refineAlignment } from "../../kernel/refinement.ts";
import type { Scoring } from "../../kernel/scoring.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import type { SequenceSet } from "../../sequence/index.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import type { TreeStage } from "../tree/tree.ts";
import { guideTree, treeOfAlignment, type GuideOptions } from "./guide-tree.ts";
import { treeJoins, treeWeights } from "./joins.ts";
import { createScoring } from "./scoring.ts";

/** What a multiple alignment is at. */
export type AlignStage = TreeStage | "aligning" | "refining";

export interface AlignOptions extends ProgramOptions, Pick<GuideOptions, "method"> {
  /** The guide tree is made of this model's distances; without a model, of exact edit distances. */
  model?: Model;
  /** The guide tree, in place of one that is made. */
  tree?: CompactTree;
  /** Default {@link createScoring}. */
  scoring?: Scoring;
  /**
   * How often the alignment is made, at least 1 (default): from the second time on along a tree of the distances that
   * the last one shows, which is better than one of estimates. Not where the tree is given.
   */
  retree?: number;
  /** Rounds of refinement (default 0): in each, every group of the tree is taken out and aligned anew with the rest. */
  refine?: number;
  progress?: (stage: AlignStage, done: number, total: number) => void;
  signal?: AbortSignal;
}

/** An alignment, and the tree that it was made along. */
export interface GuidedAlignment {
  alignment: Alignment;
  tree: CompactTree;
}

/**
 * Aligns all sequences of a set.
 *
 * @throws UsageError for a tree that is given and to be made anew
 */
export async function alignSequences(
  set: SequenceSet,
  { model, scoring = createScoring(set.alphabet), retree = 1, refine = 0, ...options }: AlignOptions = {},
): Promise<GuidedAlignment> {
  const { threads, signal, progress } = options;
  if (retree > 1 && options.tree !== undefined) {
    throw new UsageError("retree: a tree that is given is not made anew; leave one of the two out");
  }
  const request = (stage: AlignStage) => ({
    signal,
    progress: progress && ((done: number, total: number) => progress(stage, done, total)),
  });
  const along = async (tree: CompactTree): Promise<GuidedAlignment & Guide> => {
    const guide = { joins: treeJoins(tree), weights: treeWeights(tree) };
    const alignment = await progressiveAlignment(set.codes, guide.joins, guide.weights, scoring, {
      threads,
      ...request("aligning"),
    });
    return { alignment, tree, ...guide };
  };
  let made = await along(options.tree ?? (await guideTree(set, model, options)));
  for (let pass = 1; pass < retree && set.ids.length > 2; pass++) {
    made = await along(await treeOfAlignment(set, made.alignment, options));
  }
  const { tree, joins, weights } = made;
  if (refine === 0) return { alignment: made.alignment, tree };
  const refining = { rounds: refine, ...request("refining") };
  return {
    alignment: await refineAlignment(set.codes, made.alignment, joins, weights, scoring, refining),
    tree,
  };
}

/** What an aligner follows of a tree. */
interface Guide {
  joins: Joins;
  weights: Float32Array;
}
