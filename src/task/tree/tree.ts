/**
 * @file `tree`: hierarchical clustering and phylogenies of sequences.
 *
 * Distances come from a model's embedding, from exact alignment or from a matrix that somebody made; trees from
 * agglomerative linkage, neighbour joining or the relaxed Dasgupta objective (relaxed.ts), which needs no matrix.
 */

import type { Model } from "../../engine/model-file.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import { UsageError } from "../../error.ts";
import {
  linkage,
  LINKAGE_METHODS,
  MOST_LINKED,
  type Linkage,
  type LinkageMethod,
} from "../../kernel/linkage.ts";
import { MOST_JOINED, neighborJoining } from "../../kernel/neighbor-joining.ts";
import type { NumberArray } from "../../sequence/condensed.ts";
import type { SequenceSet } from "../../sequence/index.ts";
import { embeddedDistances, exactDistances } from "../distance.ts";
import { embed } from "../embed.ts";
import type { CoarseLinkageOptions } from "./coarse-linkage.ts";
import { linkageTree, type CompactTree } from "./compact-tree.ts";
import { midpointRoot } from "./rooting.ts";

/** How a tree is made of distances. */
export const TREE_METHODS = [...LINKAGE_METHODS, "nj", "bionj"] as const;

/** A method that makes a tree of distances. */
export type TreeMethod = (typeof TREE_METHODS)[number];

/** What a long job is at. */
export type TreeStage = "distances" | "embedding" | "joining";

export interface TreeOptions extends ProgramOptions, Pick<CoarseLinkageOptions, "neighbors"> {
  /** Default average linkage (UPGMA). */
  method?: TreeMethod;
  /**
   * Join nearest neighbours in the embedding until so many clusters are left, and link those exactly. Default 10,000
   * for more than 20,000 sequences, else none; of a model's distances, by average and single linkage alone.
   */
  coarsen?: number;
  /** Root the tree of neighbour joining at the middle of its longest path (default false: at the last join). */
  midpoint?: boolean;
  /** Branches below 0, which neighbour joining may give: 0, their length moved to the neighbour, or as they are. */
  negative?: "zero" | "keep";
  progress?: (stage: TreeStage, done: number, total: number) => void;
  signal?: AbortSignal;
}

/** A tree, and what is behind it. */
export interface BuiltTree {
  tree: CompactTree;
  /** Of agglomerative methods. */
  linkage?: Linkage;
  /** Clusters that were left to an exact linkage, where there were more sequences than fit into one. */
  coarse?: number;
}

/** Sequences up to which a linkage by a model is of all distances, whose matrix then fills 1.6 GB. */
export const MOST_EXACT = 20_000;
/** Clusters left to an exact linkage of more. */
const COARSE = 10_000;

/** Whether a method is an agglomerative linkage. */
export function isLinkage(method: TreeMethod): method is LinkageMethod {
  return (LINKAGE_METHODS as readonly string[]).includes(method);
}

/** A tree of condensed distances, in SciPy's order. */
export async function distanceTree(
  distances: NumberArray,
  { method = "average", midpoint = false, negative, progress, signal }: TreeOptions = {},
): Promise<BuiltTree> {
  const request = { signal, progress: progress && ((d: number, t: number) => progress("joining", d, t)) };
  if (isLinkage(method)) {
    const merges = await linkage(distances, { ...request, method });
    return { tree: linkageTree(merges), linkage: merges };
  }
  const joined = await neighborJoining(distances, { ...request, variant: method, negative });
  return { tree: midpoint ? midpointRoot(joined) : joined };
}

/**
 * A tree of sequences, by a model's distances or, without one, by exact edit distances; lengths are in edits.
 *
 * @throws UsageError for more sequences than the method can take
 */
export async function sequenceTree(
  set: SequenceSet,
  model: Model | undefined,
  options: TreeOptions = {},
): Promise<BuiltTree> {
  const { method = "average", neighbors, threads, device, progress, signal } = options;
  const count = set.ids.length;
  const byGraph =
    model !== undefined && (method === "average" || method === "single") ? { model, method } : undefined;
  const coarsen = options.coarsen ?? (byGraph && count > MOST_EXACT ? COARSE : undefined);
  if (coarsen !== undefined && byGraph === undefined) {
    throw new UsageError(`coarsen: is for average and single linkage by a model, got ${method} linkage`);
  }
  const most = coarsen === undefined ? (isLinkage(method) ? MOST_LINKED : MOST_JOINED[method]) : Infinity;
  if (count > most) {
    throw new UsageError(
      `tree: ${method} takes at most ${most} sequences, got ${count}; average and single linkage take more with a model (-m)`,
    );
  }
  if (byGraph && coarsen !== undefined && count > coarsen) {
    const { coarseLinkage, requireVectors } = await import("./coarse-linkage.ts");
    const needing =
      options.coarsen === undefined ? `more than ${MOST_EXACT} sequences need` : "--coarsen needs";
    requireVectors(byGraph.model, needing);
    progress?.("embedding", 0, count);
    const points = await embed(byGraph.model, set, { signal });
    const merges = await coarseLinkage(byGraph.model, points, count, {
      method: byGraph.method,
      clusters: coarsen,
      neighbors,
      threads,
      signal,
      progress: progress && ((done, total) => progress("joining", done, total)),
    });
    return { tree: linkageTree(merges), linkage: merges, coarse: coarsen };
  }
  const request = {
    threads,
    signal,
    progress: progress && ((done: number, total: number) => progress("distances", done, total)),
  };
  const distances =
    model === undefined
      ? await exactDistances(set, undefined, request)
      : await embeddedDistances(model, set, undefined, { ...request, device });
  return await distanceTree(distances, options);
}
