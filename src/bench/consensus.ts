/**
 * @file Consensus strings beside each other: how often the strand behind reads is found, how near the string is to its
 * group, how long it takes.
 *
 * Two questions:
 *
 * - reads of known strands, so many drawn from each cluster: how many strands come out without an error, and how many
 *   edits off the others are;
 * - sequences that are related, as NeuroSEED's groups of 30 of 16S rRNA are: the consensus error, the mean edit distance
 *   of the members to the string. A group here is a sequence drawn at random and those nearest to it, or all drawn at
 *   random.
 *
 * The error of `random` is what a member drawn at random is expected to have, its distance to itself of 0 included, as in
 * the paper. Times are of one thread, in this process.
 */

import { consensusError, meanPairDistance } from "../baseline/median-string.ts";
import type { DecoderModel } from "../engine/decoder-model.ts";
import { editDistance, EditDistances, packCodes } from "../kernel/index.ts";
import { Random, type SequenceSet } from "../sequence/index.ts";
import { drawMembers, withLeastMembers, type Groups } from "../task/consensus/groups.ts";
import { STRING_METHODS, stringOf, type StringMethod } from "../task/consensus/job.ts";
import { steinerStrings } from "../task/consensus/steiner.ts";
import { clock } from "./timing.ts";

export interface ConsensusBenchOptions {
  /** Methods that need no model (default all); `random` and, with a model, `steiner` always take part. */
  methods?: readonly StringMethod[];
  /** For Steiner strings. */
  model?: DecoderModel;
  /** Letters of the strands: majority takes part a second time, and is told. */
  length?: number;
  seed?: number;
  progress?: (message: string) => void;
}

/** What was measured of a method on groups of one size. */
export interface ConsensusResult {
  method: string;
  /** Sequences of a group. */
  size: number;
  groups: number;
  /** Share of the strands that came out without an error, and mean edits from the strand; where that is known. */
  exact?: number;
  distance?: number;
  /** Mean edit distance of the members to the string. */
  error: number;
  /** Milliseconds a group; absent for `random`. */
  milliseconds?: number;
}

/** Draws `sizes` reads of each group that has as many, `draws` times, and compares the strings with the strands. */
export async function benchReads(
  groups: Groups,
  strands: ReadonlyMap<string, Uint8Array>,
  {
    sizes = [5, 10, 20],
    draws = 1,
    seed = 1,
    ...options
  }: ConsensusBenchOptions & { sizes?: readonly number[]; draws?: number } = {},
): Promise<ConsensusResult[]> {
  const random = new Random(seed).fork("bench consensus");
  const results: ConsensusResult[] = [];
  for (const size of sizes) {
    const members: Uint8Array[][] = [];
    const known: Uint8Array[] = [];
    for (let draw = 0; draw < draws; draw++) {
      const drawn = drawMembers(withLeastMembers(groups, size), size, (name, count) =>
        random.fork(name, size, draw).sample(count, size),
      );
      drawn.names.forEach((name, i) => {
        const strand = strands.get(name);
        if (strand === undefined) return;
        members.push(drawn.members[i]);
        known.push(strand);
      });
    }
    if (members.length === 0) continue;
    results.push(
      ...(await compare(members, { ...options, size, letters: groups.alphabet.size, strands: known })),
    );
  }
  return results;
}

/** Draws groups of related sequences, and compares the strings by their consensus errors. */
export async function benchGroups(
  set: SequenceSet,
  {
    count = 100,
    size = 30,
    draw = "near",
    seed = 1,
    threads,
    ...options
  }: ConsensusBenchOptions & {
    count?: number;
    size?: number;
    /** A sequence and those nearest to it, or any. */
    draw?: "near" | "any";
    threads?: number;
  } = {},
): Promise<ConsensusResult[]> {
  const random = new Random(seed).fork("bench consensus", "groups");
  const n = set.codes.length;
  options.progress?.("drawing groups");
  const groups =
    draw === "near"
      ? await nearestGroups(set, random.sample(n, Math.min(n, count)), { size, threads })
      : Array.from({ length: count }, (_, g) =>
          Array.from(random.fork(g).sample(n, size), (i) => set.codes[i]),
        );
  return compare(groups, { ...options, size, letters: set.alphabet.size });
}

/** Each of the sequences `seeds`, and those nearest to it; of several as near, the first. */
async function nearestGroups(
  { codes }: SequenceSet,
  seeds: Uint32Array,
  { size, threads }: { size: number; threads?: number },
): Promise<Uint8Array[][]> {
  const kernel = await EditDistances.create({ threads });
  try {
    const n = codes.length;
    const distances = await kernel.cross(packCodes(Array.from(seeds, (i) => codes[i])), packCodes(codes));
    return Array.from(seeds, (seed, g) => {
      const row = distances.subarray(g * n, (g + 1) * n);
      const others = Array.from(row.keys()).filter((i) => i !== seed);
      others.sort((a, b) => row[a] - row[b] || a - b);
      return [seed, ...others.slice(0, size - 1)].map((i) => codes[i]);
    });
  } finally {
    await kernel.close();
  }
}

interface Comparison extends ConsensusBenchOptions {
  size: number;
  letters: number;
  /** [groups] What is to be found. */
  strands?: readonly Uint8Array[];
}

async function compare(
  groups: readonly Uint8Array[][],
  { size, letters, strands, methods = STRING_METHODS, model, length, progress }: Comparison,
): Promise<ConsensusResult[]> {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const against = (strings: readonly Uint8Array[]) => {
    if (strands === undefined) return {};
    const edits = strings.map((string, i) => editDistance(string, strands[i]));
    return { exact: mean(edits.map((count) => (count === 0 ? 1 : 0))), distance: mean(edits) };
  };
  const common = { size, groups: groups.length };
  const results: ConsensusResult[] = [
    {
      ...common,
      method: "random",
      ...(strands && ofMembers(groups, strands)),
      error: mean(groups.map(meanPairDistance)),
    },
  ];
  const contestants: [string, () => Promise<Uint8Array[]>][] = methods.map((method) => [
    method,
    async () => groups.map((group) => stringOf(group, { method, letters })),
  ]);
  if (length !== undefined) {
    contestants.push([
      `majority, ${length} letters`,
      async () => groups.map((group) => stringOf(group, { method: "majority", letters, length })),
    ]);
  }
  if (strands === undefined) {
    const method = methods.includes("centre") ? "centre" : methods[0];
    contestants.push([
      `${method}, refined`,
      async () => groups.map((group) => stringOf(group, { method, refine: true, letters })),
    ]);
  }
  if (model !== undefined) {
    contestants.push(["steiner, as decoded", () => steinerStrings(model, groups)]);
    contestants.push([
      "steiner",
      async () =>
        (await steinerStrings(model, groups)).map((string, i) =>
          stringOf(groups[i], { refine: true, letters }, string),
        ),
    ]);
  }
  for (const [method, strings] of contestants) {
    progress?.(`${method}, ${groups.length} groups of ${size}`);
    let made: Uint8Array[] = [];
    const seconds = await clock(async () => (made = await strings()));
    results.push({
      ...common,
      method,
      ...against(made),
      error: mean(made.map((string, i) => consensusError(groups[i], string))),
      milliseconds: (1000 * seconds) / groups.length,
    });
  }
  return results;
}

/** What a member drawn at random comes to. */
function ofMembers(
  groups: readonly Uint8Array[][],
  strands: readonly Uint8Array[],
): { exact: number; distance: number } {
  let [exact, distance, count] = [0, 0, 0];
  groups.forEach((group, i) => {
    for (const member of group) {
      const edits = editDistance(member, strands[i]);
      if (edits === 0) exact++;
      distance += edits;
      count++;
    }
  });
  return { exact: exact / count, distance: distance / count };
}
