/**
 * @file `split`: training, validation and test parts that share no copies, and if wanted no relatives.
 *
 * A model that is tested on near-copies of what it was trained on looks better than it is. Three ways to split:
 *
 * - `random`: at random; relatives end on both sides.
 * - `order`: as the file goes, the first sequences for training.
 * - `cluster:<identity>`: whole groups of single linkage (linked-groups.ts) go to one part, so that no sequence
 *   of a part is within the identity of any of another part.
 *
 * In all three the unit that is moved is a group, with copies of one sequence the smallest. The parts held out are
 * filled in an order drawn by seed, each group going where it still fits, so that large groups end in training
 * unless a part has room for them; then the smallest group left over is added where that comes nearer to the share.
 * With a few single sequences about, the shares are met exactly.
 */

import { EmbranchError, UsageError } from "../error.ts";
import { findUniques, Random, subset, type SequenceSet } from "../sequence/index.ts";
import { linkedGroups, type LinkedGroupsOptions } from "./linked-groups.ts";

/** How a data set is split. */
export type Splitting = { by: "random" | "order" } | { by: "cluster"; identity: number };

/** What the sequences of a part are for. */
export type PartName = "training" | "validation" | "test";

export interface SplitOptions extends LinkedGroupsOptions {
  /** Share of the sequences for validation, from 0 (default 0.07). */
  validation?: number;
  /** Share of the sequences for testing, from 0 (default 0.15). */
  test?: number;
  /** Seed of what is drawn at random (default 1). */
  seed?: number;
}

/** Indices of the sequences of each part, ascending, and the groups that were kept together. */
export interface SplitParts extends Record<PartName, Uint32Array> {
  groups: { count: number; /** Sequences of the largest one. */ largest: number };
}

/**
 * Reads `random`, `order` or `cluster:<identity>`.
 * @throws UsageError on anything else
 */
export function parseSplit(text: string): Splitting {
  if (text === "random" || text === "order") return { by: text };
  const value = /^cluster:(.+)$/.exec(text)?.[1].trim();
  if (value === undefined) {
    throw new UsageError(`split: must be random, order or cluster:<identity>, got ${text}`);
  }
  const identity = Number(value);
  if (value === "" || !(identity > 0 && identity <= 1)) {
    throw new UsageError(
      `split: the identity must be above 0 and at most 1, as in cluster:0.97, got ${value}`,
    );
  }
  return { by: "cluster", identity };
}

/** The text that `parseSplit` reads. */
export function formatSplit(splitting: Splitting): string {
  return splitting.by === "cluster" ? `cluster:${splitting.identity}` : splitting.by;
}

/**
 * Splits a data set into training, validation and test parts.
 *
 * @throws UsageError when shares are negative or leave nothing for training, or the identity is out of range
 * @throws EmbranchError when there are too few sequences, or groups are too large to fill a part at least by half
 */
export async function splitSequences(
  { codes }: Pick<SequenceSet, "codes">,
  splitting: Splitting,
  { validation = 0.07, test = 0.15, seed = 1, ...options }: SplitOptions = {},
): Promise<SplitParts> {
  if (!(validation >= 0 && test >= 0 && validation + test < 1)) {
    throw new UsageError(
      `split: the shares of validation and test must be from 0 and together below 1, got ${validation} and ${test}`,
    );
  }
  const targets = partTargets(codes.length, { validation, test });
  const groups =
    splitting.by === "cluster"
      ? await linkedGroups(codes, splitting.identity, options)
      : findUniques(codes).group;
  const sizes = groupSizes(groups);
  const partOf =
    splitting.by === "order"
      ? inOrder(sizes, targets)
      : atRandom(sizes, targets, new Random(seed).fork("split"));
  const chosen = (name: PartName) =>
    Uint32Array.from(codes.keys()).filter((i) => PARTS[partOf[groups[i]]] === name);
  const parts: SplitParts = {
    training: chosen("training"),
    validation: chosen("validation"),
    test: chosen("test"),
    groups: { count: sizes.length, largest: sizes.reduce((a, b) => Math.max(a, b), 0) },
  };
  checkFilled(parts, targets, splitting);
  return parts;
}

export interface DivideOptions extends LinkedGroupsOptions {
  /** Share of the different sequences that is held out, in (0, 1); default 0.1. */
  validation?: number;
  seed?: number;
}

/** Splits the different sequences of a set (the first of each, without its copies) in two; ascending indices. */
export async function divideBy(
  set: SequenceSet,
  splitting: Splitting,
  { validation = 0.1, ...options }: DivideOptions = {},
): Promise<Pick<SplitParts, "training" | "validation" | "groups">> {
  const { representatives } = findUniques(set.codes);
  const different = subset(set, representatives);
  const parts = await splitSequences(different, splitting, { ...options, validation, test: 0 });
  return {
    training: parts.training.map((i) => representatives[i]),
    validation: parts.validation.map((i) => representatives[i]),
    groups: parts.groups,
  };
}

/** The parts, in the order of a file; a part is meant by its place here. */
const PARTS = ["training", "validation", "test"] as const satisfies PartName[];

/** Sequences wanted for each part: at least one where a share is asked for; throws where none is left for training. */
function partTargets(total: number, shares: { validation: number; test: number }): number[] {
  const [validation, test] = [shares.validation, shares.test].map((share) =>
    share === 0 ? 0 : Math.max(1, Math.round(share * total)),
  );
  const training = total - validation - test;
  if (training > 0) return [training, validation, test];
  throw new EmbranchError(
    `split: needs more sequences, got ${total}: with ${validation} for validation and ${test} for testing none is left for training; ` +
      "add some, or ask for smaller shares (0: no such part)",
  );
}

function groupSizes(groups: Uint32Array): Uint32Array {
  const sizes = new Uint32Array(groups.reduce((most, group) => Math.max(most, group + 1), 0));
  for (const group of groups) sizes[group]++;
  return sizes;
}

/** The part of every group, the groups coming in the order of the file. */
function inOrder(sizes: Uint32Array, targets: readonly number[]): Uint8Array {
  let before = 0;
  return Uint8Array.from(sizes, (size) => {
    const middle = before + size / 2;
    before += size;
    if (middle <= targets[0]) return 0;
    return middle <= targets[0] + targets[1] ? 1 : 2;
  });
}

/** The part of every group, drawn at random. */
function atRandom(sizes: Uint32Array, [, ...held]: readonly number[], random: Random): Uint8Array {
  const partOf = new Uint8Array(sizes.length);
  const room = [0, ...held];
  const order = random.shuffle(Uint32Array.from(sizes.keys()));
  for (const group of order) {
    const part = [2, 1].find((part) => sizes[group] <= room[part]) ?? 0;
    partOf[group] = part;
    room[part] -= sizes[group];
  }
  for (const part of [2, 1]) {
    const smallest = order
      .filter((group) => partOf[group] === 0)
      .reduce((a, b) => (a < 0 || sizes[b] < sizes[a] ? b : a), -1);
    if (room[part] === 0 || smallest < 0 || sizes[smallest] > 2 * room[part]) continue;
    partOf[smallest] = part;
    room[part] -= sizes[smallest];
  }
  return partOf;
}

/** Throws when a part holds less than half of what it should. */
function checkFilled(parts: SplitParts, targets: readonly number[], splitting: Splitting): void {
  const total = targets.reduce((a, b) => a + b);
  for (const [part, name] of PARTS.entries()) {
    const target = targets[part];
    const got = parts[name].length;
    if (got > 0 && got >= target / 2) continue;
    if (target === 0) continue;
    const { largest } = parts.groups;
    const percent = ((100 * largest) / total).toFixed(1);
    throw new EmbranchError(
      `split: ${name} must hold about ${target} of ${total} sequences, got ${got}: ` +
        `the largest group of ${kinship(splitting)} holds ${largest} (${percent} %) and stays together; ` +
        advice(splitting),
    );
  }
}

function kinship(splitting: Splitting): string {
  return splitting.by === "cluster" && splitting.identity < 1
    ? `sequences linked at an identity of ${splitting.identity}`
    : "copies of one sequence";
}

/** What to do about groups that are too large: half the distance links fewer of them. */
function advice(splitting: Splitting): string {
  if (splitting.by !== "cluster" || splitting.identity === 1)
    return "remove copies, or ask for another share";
  return `try cluster:${Number(((1 + splitting.identity) / 2).toFixed(4))}, or ask for another share`;
}
