/**
 * @file How much an embedding misses: some sequences, compared exactly with all that they might have been put to.
 */

import { recallOf, type RecallEstimate } from "../search/recall.ts";
import type { Assignment } from "./greedy.ts";
import type { DisjointSets } from "./linked.ts";
import { ExactNeighbours, lengthOf, type Comparison } from "./neighbours.ts";

export interface MissOptions {
  /** Places of the sequences to check; for none there is no estimate. */
  sample: ArrayLike<number>;
  /** Distance in the set from a sequence to its reverse complement. */
  reverse?: number;
}

/** The share of sequences that no earlier centroid would have suited better than where they are. */
export async function checkCentroids(
  comparison: Comparison,
  { centroid, edits }: Assignment,
  { sample, reverse }: MissOptions,
): Promise<RecallEstimate | undefined> {
  if (sample.length === 0) return undefined;
  const { set, limit } = comparison;
  const neighbours = new ExactNeighbours(comparison);
  neighbours.add(Array.from(centroid.keys()).filter((index) => centroid[index] === index));
  const shareOf = (index: number, member: number, distance: number) =>
    limit.distance(distance, Math.max(lengthOf(set, index), lengthOf(set, member)));
  const plus = (probe: number) => (reverse !== undefined && probe >= reverse ? probe - reverse : probe);
  const missed = new Set<number>();
  await neighbours.near(
    Array.from(sample).flatMap((index) => (reverse === undefined ? [index] : [index, index + reverse])),
    (probe, member, distance) => {
      const index = plus(probe);
      const own = centroid[index];
      if (own === index || shareOf(index, member, distance) < shareOf(index, own, edits[index])) {
        missed.add(index);
      }
    },
    (probe, member) => member < plus(probe),
  );
  return recallOf(sample.length - missed.size, sample.length);
}

/** The share of sequences that are in one group with all that is within the limit of them. */
export async function checkGroups(
  comparison: Comparison,
  groups: DisjointSets,
  { sample }: MissOptions,
): Promise<RecallEstimate | undefined> {
  if (sample.length === 0) return undefined;
  const neighbours = new ExactNeighbours(comparison);
  neighbours.add(Array.from({ length: comparison.set.length }, (_, i) => i));
  const missed = new Set<number>();
  await neighbours.near(
    Array.from(sample),
    (probe) => missed.add(probe),
    (probe, member) => groups.find(probe) !== groups.find(member),
  );
  return recallOf(sample.length - missed.size, sample.length);
}
