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
import { progressiveAlignment } from "../../kernel/progressive.ts";
import { refineAlignment } from "../../kernel/refinement.ts";
import type { Scoring } from "../../kernel/scoring.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import type { SequenceSet } from "../../sequence/index.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import type { TreeStage } from "../tree/tree.ts";
import { guideTree, type GuideOptions } from "./guide-tree.ts";
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

/** Aligns all sequences of a set. */
export async function alignSequences(
  set: SequenceSet,
  { model, scoring = createScoring(set.alphabet), refine = 0, ...options }: AlignOptions = {},
): Promise<GuidedAlignment> {
  const { threads, signal, progress } = options;
  const tree = options.tree ?? (await guideTree(set, model, options));
  const [joins, weights] = [treeJoins(tree), treeWeights(tree)];
  const request = (stage: AlignStage) => ({
    signal,
    progress: progress && ((done: number, total: number) => progress(stage, done, total)),
  });
  let alignment = await progressiveAlignment(set.codes, joins, weights, scoring, {
    threads,
    ...request("aligning"),
  });
  if (refine > 0) {
    alignment = await refineAlignment(set.codes, alignment, joins, weights, scoring, {
      rounds: refine,
      ...request("refining"),
    });
  }
  return { alignment, tree };
}
