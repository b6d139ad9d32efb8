/**
 * @file Made-up sequences for training: relatives of real ones, labelled exactly like them.
 *
 * Labels are what training lacks: seven thousand reads hold only so many near pairs. Exact distances are
 * cheap, so part of each batch is replaced by copies that evolution might have made: with substitutions and
 * indels, recombined with another read at a common position, or cut short as quality trimming does.
 */

import type { Random } from "../sequence/random.ts";
import { mutate } from "../sequence/mutate.ts";

export interface AugmentOptions {
  /** Letters of the alphabet. */
  letters: number;
  /** Greatest length. */
  length: number;
}

/** Mean number of edits of a mutated copy, as a share of its length. */
const MEAN_EDITS = 0.08;
/** Chance that a made-up sequence takes its tail from another one. */
const RECOMBINED = 0.5;
/** Chance that it is cut short, to no less than this share of its length. */
const TRUNCATED = 0.2;
const SHORTEST = 0.65;

/** A made-up relative of sequences drawn from `parents`. */
export function relative(
  parents: readonly Uint8Array[],
  random: Random,
  { letters, length }: AugmentOptions,
): Uint8Array {
  let codes = parents[random.integer(parents.length)];
  const recombined = random.uniform() < RECOMBINED;
  if (recombined) {
    const other = parents[random.integer(parents.length)];
    const cut = random.integer(Math.max(1, Math.min(codes.length, other.length)));
    const joined = new Uint8Array(other.length);
    joined.set(codes.subarray(0, cut));
    joined.set(other.subarray(cut), cut);
    codes = joined;
  }
  // A recombined copy is new as it is; half of them are left so.
  if (!recombined || random.uniform() < 0.5) {
    const edits = Math.min(codes.length, Math.round(random.exponential(1 / (MEAN_EDITS * codes.length))) + 1);
    codes = mutate(codes, edits, random, letters);
  }
  if (random.uniform() < TRUNCATED) {
    const shortest = Math.ceil(SHORTEST * codes.length);
    codes = codes.subarray(0, shortest + random.integer(codes.length - shortest + 1));
  }
  return codes.subarray(0, length);
}
