/**
 * @file Average and complete linkage, cut at a limit, without the distances of all pairs.
 *
 * Sequences of different groups of single linkage are further apart than the limit, all of them, and so is their mean.
 * Neither method, then, ever merges across groups below the limit: cut there, the dendrogram of all sequences is that
 * of each group by itself, exactly, and only distances within groups are computed.
 *
 * A linkage has a thread started for it, so that small groups are linked together, farther from each other than any
 * limit. Of equally near clusters either may be merged first, so that other clusters can be as right as these.
 */

import { EmbranchError } from "../../error.ts";
import { packCodes } from "../../kernel/index.ts";
import { linkage } from "../../kernel/linkage.ts";
import { condensedIndex, condensedLength } from "../../sequence/condensed.ts";
import { cutLinkage } from "./cut.ts";
import type { DisjointSets } from "./linked.ts";
import { codesOf, lengthOf, type Comparison } from "./neighbours.ts";

/** Most sequences of one group: their distances take 2.8 GB while they are linked. */
export const MOST_IN_GROUP = 20_000;
/** Sequences of small groups that are linked together. */
const TOGETHER = 1024;
/** Heights are right to about six digits; one that is the limit's must not be taken for a greater one. */
const ROUNDING = 1 + 1e-6;

export interface DendrogramOptions {
  method: "average" | "complete";
  /** How many reads each sequence of the set stands for. */
  sizes: ArrayLike<number>;
  /** Called with the sequences settled so far, and all. */
  progress?: (done: number, total: number) => void;
}

/**
 * The groups, cut to the clusters of average (UPGMA, of reads) or complete linkage.
 *
 * @returns for every sequence of the set, the first one of its cluster
 * @throws EmbranchError for a group of more than 20,000
 */
export async function cutGroups(
  comparison: Comparison,
  groups: DisjointSets,
  { method, sizes, progress }: DendrogramOptions,
): Promise<Uint32Array> {
  const { set, limit, signal } = comparison;
  const members = new Map<number, number[]>();
  for (let i = 0; i < set.length; i++) {
    const first = groups.find(i);
    const list = members.get(first);
    if (list === undefined) members.set(first, [i]);
    else list.push(i);
  }
  const out = Uint32Array.from({ length: set.length }, (_, i) => i);
  let done = 0;
  for (const batch of batchesOf(members.values())) {
    signal?.throwIfAborted();
    const all = batch.flat();
    if (all.length > MOST_IN_GROUP) {
      throw new EmbranchError(
        `cluster: ${method} linkage takes at most ${MOST_IN_GROUP} different sequences that links connect, got ${all.length}; narrow the limit, or use --method greedy`,
      );
    }
    const distances = await groupDistances(comparison, batch, method);
    const weights = all.map((index) => sizes[index]);
    const merges = await linkage(distances, { method, weights, signal });
    const firsts = new Map<number, number>();
    cutLinkage(merges, limit.height * ROUNDING).forEach((cluster, place) => {
      const first = firsts.get(cluster) ?? all[place];
      firsts.set(cluster, first);
      out[all[place]] = first;
    });
    done += all.length;
    progress?.(done, set.length);
  }
  return out;
}

/** Groups of more than one, small ones together. */
function* batchesOf(groups: Iterable<number[]>): Generator<number[][]> {
  let batch: number[][] = [];
  let size = 0;
  for (const group of groups) {
    if (group.length === 1) continue;
    if (size > 0 && size + group.length > TOGETHER) {
      yield batch;
      batch = [];
      size = 0;
    }
    batch.push(group);
    size += group.length;
  }
  if (size > 0) yield batch;
}

/** The distances of all pairs of some groups' sequences, condensed; of different groups, farther than any limit. */
async function groupDistances(
  { kernel, set, limit, signal }: Comparison,
  groups: readonly number[][],
  method: DendrogramOptions["method"],
): Promise<Float32Array> {
  const lengths = groups.flat().map((index) => lengthOf(set, index));
  const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
  const distances = new Float32Array(new SharedArrayBuffer(4 * condensedLength(lengths.length)));
  if (groups.length > 1) distances.fill(2 * (longest + 1));
  // Complete linkage asks no more of a distance above the limit than that it is.
  const threshold = method === "complete" ? limit.most(longest) : undefined;
  let start = 0;
  for (const group of groups) {
    const packed = packCodes(group.map((index) => codesOf(set, index)));
    const edits = await kernel.allPairs(packed, { threshold, signal });
    const end = start + group.length;
    for (let i = start, at = 0; i < end - 1; i++) {
      let to = condensedIndex(i, i + 1, lengths.length);
      for (let j = i + 1; j < end; j++, at++, to++) {
        distances[to] = limit.distance(edits[at], Math.max(lengths[i], lengths[j]));
      }
    }
    start = end;
  }
  return distances;
}
