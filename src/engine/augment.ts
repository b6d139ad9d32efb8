/**
 * @file Made-up sequences for training: relatives of real ones, labelled exactly like them.
 *
 * Labels are what training lacks: a few thousand reads hold only so many kinds of pair. Exact distances are
 * cheap, so part of each batch is made up as evolution and sequencing might have done it: one read's head with
 * another's tail, a few edits, the end cut off as quality trimming does.
 */

import type { Random } from "../sequence/random.ts";

export interface AugmentOptions {
  /** Letters of the alphabet. */
  letters: number;
  /** Greatest length. */
  length: number;
}

/** Chance that a made-up sequence takes its tail from another one. */
const RECOMBINED = 0.5;
/** Chance that it is edited. */
const EDITED = 0.7;
/** Mean number of edits then, and the share of them that insert or delete. */
const MEAN_EDITS = 4;
const INDELS = 0.3;
/** Chance that it is cut short, to no less than this share of the greatest length. */
const TRUNCATED = 0.2;
const SHORTEST = 0.65;

/** A made-up relative of sequences drawn from `parents`. */
export function relative(
  parents: readonly Uint8Array[],
  random: Random,
  { letters, length }: AugmentOptions,
): Uint8Array {
  let codes = Array.from(parents[random.integer(parents.length)]);
  if (random.uniform() < RECOMBINED) {
    const other = parents[random.integer(parents.length)];
    const cut = random.integer(Math.min(codes.length, other.length) + 1);
    codes = [...codes.slice(0, cut), ...other.subarray(cut)];
  }
  if (random.uniform() < EDITED) {
    for (let edits = random.geometric(1 / MEAN_EDITS); edits > 0; edits--) edit(codes, random, letters);
  }
  const shortest = Math.ceil(SHORTEST * length);
  if (random.uniform() < TRUNCATED && codes.length > shortest) {
    codes.length = shortest + random.integer(codes.length - shortest + 1);
  }
  return Uint8Array.from(codes.slice(0, length));
}

/** Replaces, inserts or deletes one letter at random. */
function edit(codes: number[], random: Random, letters: number): void {
  const position = random.integer(Math.max(1, codes.length));
  if (random.uniform() >= INDELS && codes.length > 0) {
    codes[position] = (codes[position] + 1 + random.integer(letters - 1)) % letters;
  } else if (random.uniform() < 0.5) {
    codes.splice(position, 0, random.integer(letters));
  } else {
    codes.splice(position, 1);
  }
}
