/**
 * @file What the threads are told of a request for consensus strings, and one group's share of it.
 */

import { consensusError, greedyMedian, medoid, quickMedian } from "../../baseline/median-string.ts";
import type { PackedCodes } from "../../kernel/index.ts";
import { likeliestStrand } from "./likeliest-strand.ts";
import { refinedMedian } from "./local-median.ts";

/** Methods that need no model. */
export const STRING_METHODS = ["majority", "centre", "greedy-1", "greedy-2"] as const;
export type StringMethod = (typeof STRING_METHODS)[number];

export interface StringOptions {
  /** None where strings are given. */
  method?: StringMethod;
  /** Go on to a string that no single edit brings nearer to the group. */
  refine?: boolean;
  /** Size of the alphabet. */
  letters: number;
  /** Letters of every strand, where that is known; for `majority` alone. */
  length?: number;
}

/** One request; everything long is in shared memory, and a tile is a group. */
export interface ConsensusJob extends StringOptions {
  /** The sequences of all groups, one group after the other. */
  sequences: PackedCodes;
  /** [groups + 1] First sequence of each group, and the end of the last. */
  starts: Uint32Array;
  /** A string for each group that is there already. */
  given?: PackedCodes;
  /** Room for the strings, and where each begins: [groups + 1]. */
  strings: Uint8Array;
  places: Uint32Array;
  /** [groups] Letters of each string. */
  lengths: Uint32Array;
  /** [groups] Mean edit distance of the members to it. */
  errors: Float64Array;
}

/** The string of one group. */
export function stringOf(
  group: readonly Uint8Array[],
  { method, refine = false, letters, length }: StringOptions,
  given?: Uint8Array,
): Uint8Array {
  const string = given ?? byMethod(group, method ?? "majority", { letters, length });
  return refine ? refinedMedian(group, string) : string;
}

function byMethod(
  group: readonly Uint8Array[],
  method: StringMethod,
  options: Pick<StringOptions, "letters" | "length">,
): Uint8Array {
  switch (method) {
    case "majority":
      return likeliestStrand(group, options);
    case "centre":
      return group[medoid(group)];
    case "greedy-1":
      return greedyMedian(group);
    case "greedy-2":
      return quickMedian(group);
  }
}

/** Letters that a group's string may come to. */
export function mostLetters(
  group: readonly Uint8Array[],
  { length = 0 }: StringOptions,
  given?: Uint8Array,
): number {
  return group.reduce((most, each) => Math.max(most, 2 * each.length), Math.max(length, given?.length ?? 0));
}

/** Computes the string of group `tile`. */
export function runTile(job: ConsensusJob, tile: number): void {
  const { sequences, starts, given, strings, places, lengths, errors } = job;
  const group: Uint8Array[] = [];
  for (let i = starts[tile]; i < starts[tile + 1]; i++) {
    group.push(sequences.codes.subarray(sequences.offsets[i], sequences.offsets[i + 1]));
  }
  const string = stringOf(group, job, given?.codes.subarray(given.offsets[tile], given.offsets[tile + 1]));
  strings.set(string, places[tile]);
  lengths[tile] = string.length;
  errors[tile] = consensusError(group, string);
}
