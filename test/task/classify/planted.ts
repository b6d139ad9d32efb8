/** @file Sequences of two classes that a small network can learn: random letters, and the same with a motif in them. */

import { DNA, encode, Random, type SequenceSet } from "../../../src/sequence/index.ts";
import type { LabelledSet } from "../../../src/task/classify/dataset.ts";

/** What marks the second class. */
export const MOTIF = "TATAAA";

export interface PlantedOptions {
  length?: number;
  seed?: number;
  /** One sequence of so many is of the second class (default 2). */
  every?: number;
  /** Whether the second class has the motif (default true). */
  motif?: boolean;
}

/** `count` sequences of the classes "plain" and "tata". */
export function planted(
  count: number,
  { length = 24, seed = 1, every = 2, motif = true }: PlantedOptions = {},
): LabelledSet {
  const random = new Random(seed);
  const labels = Uint16Array.from({ length: count }, (_, i) => Number(i % every === every - 1));
  const codes = Array.from(labels, (label) => {
    const letters = Uint8Array.from({ length }, () => random.integer(4));
    if (label === 1 && motif)
      letters.set(encode(MOTIF, DNA).codes, random.integer(length - MOTIF.length + 1));
    return letters;
  });
  const set: SequenceSet = {
    ids: codes.map((_, i) => `s${i}`),
    codes,
    alphabet: DNA,
    ambiguous: { records: 0, letters: 0 },
    maxLength: length,
  };
  return { name: "planted", classes: ["plain", "tata"], set, labels, replaced: { records: 0, letters: 0 } };
}
