/**
 * @file Splitting labelled sequences that come without a split, or without a dev part.
 *
 * A split is stratified: every class gives each held-out part its share, rounded so that the parts have the sizes that
 * were asked for (largest remainders). Copies of one sequence stay together, with the class that most of them have,
 * so that no test sequence has been trained on letter by letter; and every class keeps at least one sequence for
 * training, so that the smallest classes may have none elsewhere. Copies are what is equal as far as a model sees it.
 * Parts are filled in an order drawn by seed; groups of copies that are too large for the room left go where that comes
 * nearer to the share.
 *
 * Sets with a split of their own may have copies on both sides (GUE's promoters do): `copiesOfTraining` finds them.
 */

import { EmbranchError, UsageError } from "../../error.ts";
import { findUniques, Random } from "../../sequence/index.ts";
import type { LabelledSet, SplitName } from "./dataset.ts";
import { ofSplit } from "./dataset.ts";

/** What makes copies of sequences. */
interface SeenOptions {
  /** Letters that a model sees of a sequence (default all): those that are equal so far are copies. */
  length?: number;
}

/** Share of the sequences that a part is given unless another is asked for. */
export const HELD_OUT_SHARE = 0.1;

/** There are too few sequences to give each part some. */
export class TooFewSequences extends EmbranchError {
  override name = "TooFewSequences";
}

export interface DevSplitOptions extends SeenOptions {
  /** Share of the training sequences, in (0, 1); default 0.1. */
  share?: number;
  /** Seed of the draw (default 1). */
  seed?: number;
}

export interface RandomSplitOptions extends SeenOptions {
  /** Share of all sequences for dev, from 0 (default 0.1). */
  dev?: number;
  /** Share of all sequences for test, from 0 (default 0.1). */
  test?: number;
  /** Seed of the draw (default 1). */
  seed?: number;
}

/**
 * The set with a dev part drawn out of train (all sequences, where there is no split); one that has a dev part is
 * given back as it is.
 *
 * @throws EmbranchError when there is nothing to train on
 * @throws TooFewSequences when there is not enough to draw from
 */
export function devSplit(
  labelled: LabelledSet,
  { share = HELD_OUT_SHARE, seed = 1, length }: DevSplitOptions = {},
): LabelledSet {
  const { splits } = labelled;
  if (splits?.includes("dev")) return labelled;
  const training = splits ? ofSplit(labelled, "train") : Uint32Array.from(labelled.labels.keys());
  return drawn(labelled, training, { dev: share }, { seed, length });
}

/**
 * The set with all its sequences split at random into train, dev and test; a split that it has is not looked at.
 *
 * @throws TooFewSequences when there are not enough
 */
export function randomSplit(
  labelled: LabelledSet,
  { dev = HELD_OUT_SHARE, test = HELD_OUT_SHARE, seed = 1, length }: RandomSplitOptions = {},
): LabelledSet {
  const all = Uint32Array.from(labelled.labels.keys());
  return drawn({ ...labelled, splits: undefined }, all, { dev, test }, { seed, length });
}

/** Copies of training sequences in another part. */
export interface Copies {
  /** Indices of the sequences that stand in train letter by letter, ascending. */
  indices: Uint32Array;
  /** How many of them have, in train, another class only. */
  contradicting: number;
}

/** Finds the sequences of `split` that stand in train too; O(total length). */
export function copiesOfTraining(
  labelled: LabelledSet,
  split: Exclude<SplitName, "train">,
  { length }: SeenOptions = {},
): Copies {
  const { set, labels } = labelled;
  const training = ofSplit(labelled, "train");
  const tested = ofSplit(labelled, split);
  const { group } = findUniques([...training, ...tested].map((i) => set.codes[i].subarray(0, length)));
  /** Classes in training of each different sequence. */
  const classes = new Map<number, Set<number>>();
  training.forEach((i, place) => {
    const known = classes.get(group[place]);
    if (known) known.add(labels[i]);
    else classes.set(group[place], new Set([labels[i]]));
  });
  const known = tested.map((_, place) => group[training.length + place]);
  const isCopy = (_: number, place: number) => classes.has(known[place]);
  const contradicts = (i: number, place: number) => classes.get(known[place])?.has(labels[i]) === false;
  return { indices: tested.filter(isCopy), contradicting: tested.filter(contradicts).length };
}

type Held = Exclude<SplitName, "train">;

/** The set with the sequences `from` in train, or in the parts that `shares` asks for. */
function drawn(
  labelled: LabelledSet,
  from: Uint32Array,
  shares: Partial<Record<Held, number>>,
  { seed, length }: { seed: number; length?: number },
): LabelledSet {
  const held = Object.entries(shares).filter(([, share]) => share !== 0) as [Held, number][];
  for (const [name, share] of held) {
    if (!(share > 0 && share < 1)) {
      throw new UsageError(`split: the share of ${name} must be above 0 and below 1, got ${share}`);
    }
  }
  if (held.reduce((sum, [, share]) => sum + share, 0) >= 1) {
    throw new UsageError("split: the shares of dev and test must leave something for train");
  }
  const { name: of, set, labels, splits: given } = labelled;
  if (from.length === 0) throw new EmbranchError(`${of}: must have sequences for training, got none`);
  const splits = given ? [...given] : Array.from(labels, (): SplitName | undefined => undefined);
  for (const i of from) splits[i] = "train";

  const random = new Random(seed).fork("split");
  const seen = Array.from(from, (i) => set.codes[i].subarray(0, length));
  const strata = groupsByClass(from, seen, labels).map((groups) => random.shuffle(groups));
  const kept = keptGroups(strata, labels);
  const sizes = strata.map((groups) => groups.reduce((sum, group) => sum + group.length, 0));
  const rooms = held.map(([, share]) => classTargets(sizes, share, random));
  strata.forEach((groups, k) => {
    const room = rooms.map((targets) => targets[k]);
    const open = groups.filter((group) => !kept.has(group));
    fill(open, room, (group, part) => {
      for (const i of group) splits[i] = held[part][0];
    });
  });
  for (const [name, share] of held) {
    if (splits.includes(name)) continue;
    throw new TooFewSequences(
      `${of}: must have enough sequences for ${name}, got none for a share of ${share} of ${from.length}: ` +
        "add sequences or ask for a greater share",
    );
  }
  return { ...labelled, splits };
}

/** Copies of one sequence together, [groups][indices], for each class that most of the copies have. */
function groupsByClass(
  from: Uint32Array,
  codes: readonly Uint8Array[],
  labels: Uint16Array,
): Uint32Array[][] {
  const { group, counts } = findUniques(codes);
  const groups = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(counts.length);
  from.forEach((i, place) => {
    const g = group[place];
    groups[g][filled[g]++] = i;
  });
  const strata = new Map<number, Uint32Array[]>();
  for (const members of groups) {
    const label = mostFrequent(members, labels);
    const stratum = strata.get(label);
    if (stratum) stratum.push(members);
    else strata.set(label, [members]);
  }
  return [...strata.entries()].sort(([a], [b]) => a - b).map(([, stratum]) => stratum);
}

/** Groups that stay in train so that every class has a sequence there: the last of each class, and what else it takes. */
function keptGroups(strata: readonly Uint32Array[][], labels: Uint16Array): Set<Uint32Array> {
  const kept = new Set(strata.map((groups) => groups.at(-1)!));
  const there = new Set([...kept].flatMap((group) => Array.from(group, (i) => labels[i])));
  // A class may stand in groups alone that other classes have more of.
  for (const group of strata.flat()) {
    if (group.every((i) => there.has(labels[i]))) continue;
    kept.add(group);
    for (const i of group) there.add(labels[i]);
  }
  return kept;
}

/** The class that most of `members` have, the first of equally frequent ones. */
function mostFrequent(members: Uint32Array, labels: Uint16Array): number {
  const counts = new Map<number, number>();
  for (const i of members) counts.set(labels[i], (counts.get(labels[i]) ?? 0) + 1);
  let best = labels[members[0]];
  for (const [label, count] of counts) if (count > (counts.get(best) ?? 0)) best = label;
  return best;
}

/** How many sequences of each class a part takes: `share` of all, at least one, by largest remainders. */
function classTargets(sizes: readonly number[], share: number, random: Random): Uint32Array {
  const total = sizes.reduce((sum, size) => sum + size, 0);
  const targets = Uint32Array.from(sizes, (size) => Math.floor(size * share));
  let missing = Math.max(1, Math.round(total * share)) - targets.reduce((sum, target) => sum + target, 0);
  const remainder = (k: number) => sizes[k] * share - targets[k];
  // Equal remainders are common among small classes: none of them is always first.
  const order = random.shuffle([...sizes.keys()]).sort((a, b) => remainder(b) - remainder(a));
  for (const k of order) if (missing-- > 0) targets[k]++;
  return targets;
}

/** Gives groups to parts with room for them, in order. */
function fill(
  groups: readonly Uint32Array[],
  room: number[],
  give: (group: Uint32Array, part: number) => void,
): void {
  let open = groups;
  for (const slack of [1, 2]) {
    open = open.filter((group) => {
      // The part that lacks most takes the group.
      const part = room.reduce((best, space, each) => (space > room[best] ? each : best), 0);
      const nearer = slack === 1 ? group.length <= room[part] : group.length < slack * room[part];
      if (!nearer) return true;
      room[part] -= group.length;
      give(group, part);
      return false;
    });
  }
}
