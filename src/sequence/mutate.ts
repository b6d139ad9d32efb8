/**
 * @file Random edits at constant length, and batches of related random sequences.
 *
 * The generator behind NeuroSEED's synthetic data set (SPEC A3): a batch grows from one random sequence, each
 * new member being a mutated copy of a member drawn at random, so that the edit distances within a batch cover
 * the whole range from near-copies to unrelated.
 *
 * Source: Corso, Ying, Pándy, Veličković, Leskovec and Liò, "Neural distance embeddings for biological
 * sequences", NeurIPS 2021 (supplement).
 */

import type { Random } from "./random.ts";

/**
 * A copy of `codes` with about `changes` random edits and the same length.
 *
 * A fair coin chooses between a substitution by a uniform letter (which may be the old one; one change) and a
 * deletion followed by an insertion elsewhere (two changes); the last pair may exceed `changes` by one.
 * `letters` is the alphabet's size.
 */
export function mutate(codes: Uint8Array, changes: number, random: Random, letters = 4): Uint8Array {
  const copy = codes.slice();
  const { length } = copy;
  if (length === 0) return copy;
  let left = changes;
  while (left > 0) {
    if (random.uint32() & 1) {
      copy[random.integer(length)] = random.integer(letters);
      left -= 1;
    } else {
      const removed = random.integer(length);
      const inserted = random.integer(length);
      // Deleting and inserting moves only the letters in between by one place.
      if (inserted > removed) copy.copyWithin(removed, removed + 1, inserted + 1);
      else copy.copyWithin(inserted + 1, inserted, removed);
      copy[inserted] = random.integer(letters);
      left -= 2;
    }
  }
  return copy;
}

export interface SyntheticBatchOptions {
  /** Letters a sequence. */
  length?: number;
  /** Sequences a batch. */
  size?: number;
  /** `length` times the parameter of the geometric number of changes; despite its name not a maximum. */
  maxChanges?: number;
  /** Size of the alphabet. */
  letters?: number;
  random: Random;
}

/** Number of changes between parent and child: 1 + Geometric(maxChanges / length), 79.8 on average by default. */
export function drawChanges(length: number, maxChanges: number, random: Random): number {
  return 1 + random.geometric(maxChanges / length);
}

/** A batch of related random sequences, as codes. */
export function syntheticBatch({
  length = 1024,
  size = 50,
  maxChanges = 13,
  letters = 4,
  random,
}: SyntheticBatchOptions): Uint8Array[] {
  const batch: Uint8Array[] = [Uint8Array.from({ length }, () => random.integer(letters))];
  while (batch.length < size) {
    const parent = batch[random.integer(batch.length)];
    batch.push(mutate(parent, drawChanges(length, maxChanges, random), random, letters));
  }
  return batch.slice(0, size);
}
