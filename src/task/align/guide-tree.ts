/**
 * @file Guide trees: average linkage, or neighbour joining, of the different sequences, copies put together.
 *
 * Which sequences are joined first is all that a guide tree has to say, so that thousands of clusters that are linked
 * exactly, and the neighbours within them, do as well as all distances.
 */

import type { Model } from "../../engine/model-file.ts";
import { alignedDistances } from "../../kernel/aligned-distances.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import { findUniques, subset, type SequenceSet, type Uniques } from "../../sequence/index.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import { distanceTree, sequenceTree, type TreeOptions } from "../tree/tree.ts";

/** Sequences beyond which, by a model, neighbours are joined until so many clusters are left. */
const MANY = 4000;
const CLUSTERS = 2000;

/** How the distances are made a tree. */
export const GUIDE_METHODS = ["average", "nj"] as const;

export type GuideMethod = (typeof GUIDE_METHODS)[number];

export interface GuideOptions extends Pick<TreeOptions, "threads" | "device" | "signal" | "progress"> {
  /** Default average linkage. */
  method?: GuideMethod;
}

/** A tree of all sequences of a set, by a model's distances or, without one, by exact edit distances. */
export async function guideTree(
  set: SequenceSet,
  model: Model | undefined,
  { method = "average", ...options }: GuideOptions,
): Promise<CompactTree> {
  const uniques = findUniques(set.codes);
  const { representatives } = uniques;
  if (representatives.length === 1) return withCopies(ONE_LEAF, uniques);
  const different = representatives.length < set.ids.length ? subset(set, representatives) : set;
  const byNeighbours = model !== undefined && method === "average" && representatives.length > MANY;
  const coarsen = byNeighbours ? CLUSTERS : undefined;
  const { tree } = await sequenceTree(different, model, { ...options, method, coarsen });
  return withCopies(tree, uniques);
}

/** A tree of all sequences by the distances that an alignment of them shows. */
export async function treeOfAlignment(
  { codes }: Pick<SequenceSet, "codes">,
  alignment: Alignment,
  { method = "average", threads, signal, progress }: GuideOptions,
): Promise<CompactTree> {
  const distances = await alignedDistances(codes, alignment, {
    threads,
    signal,
    progress: progress && ((done, total) => progress("distances", done, total)),
  });
  return (await distanceTree(distances, { method, signal, progress })).tree;
}

const ONE_LEAF: CompactTree = { leaves: 1, parent: Int32Array.of(-1), length: new Float64Array(1) };

/** The tree with a leaf for each copy of a sequence, all at one place, where it had one for all of them. */
function withCopies(tree: CompactTree, { representatives, group, counts }: Uniques): CompactTree {
  const leaves = group.length;
  if (representatives.length === leaves) return tree;
  const several = [...counts.keys()].filter((unique) => counts[unique] > 1);
  const inner = leaves + several.length - representatives.length;
  /** Where each node of the tree is now. */
  const places = Int32Array.from(tree.parent, (_, node) => node + inner);
  for (let unique = 0; unique < representatives.length; unique++) places[unique] = representatives[unique];
  several.forEach((unique, k) => (places[unique] = leaves + k));
  const parent = new Int32Array(inner + tree.parent.length).fill(-1);
  const length = new Float64Array(parent.length);
  group.forEach((unique, leaf) => {
    if (counts[unique] > 1) parent[leaf] = places[unique];
  });
  tree.parent.forEach((up, node) => {
    if (up >= 0) parent[places[node]] = places[up];
    length[places[node]] = tree.length[node];
  });
  return { leaves, parent, length };
}
