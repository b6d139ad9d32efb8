/** @file Strands, and noisy reads of them. */

import type { Random } from "../../../src/sequence/index.ts";

export interface Noise {
  substitution?: number;
  insertion?: number;
  deletion?: number;
  letters?: number;
}

/** A strand of random letters. */
export function strandOf(length: number, random: Random, letters = 4): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(letters));
}

/** What a channel makes of a strand. */
export function readOf(
  strand: Uint8Array,
  random: Random,
  { substitution = 0.02, insertion = 0.02, deletion = 0.02, letters = 4 }: Noise = {},
): Uint8Array {
  const read: number[] = [];
  for (const letter of strand) {
    const fate = random.uniform();
    if (fate < substitution) read.push((letter + 1 + random.integer(letters - 1)) % letters);
    else if (fate >= substitution + deletion) read.push(letter);
    while (random.uniform() < insertion) read.push(random.integer(letters));
  }
  return Uint8Array.from(read);
}
