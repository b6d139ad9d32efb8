/** @file K-mers as a textbook counts them: strings in a map, and whole vectors. */

import fc from "fast-check";
import { DNA, encode, PROTEIN, type Alphabet } from "../../src/sequence/index.ts";

export const codesOf = (texts: readonly string[], alphabet: Alphabet = DNA): Uint8Array[] =>
  texts.map((text) => encode(text, alphabet).codes);

/** How often each k-mer of plain letters occurs in `text`. */
export function naiveCounts(text: string, k: number, { letters }: Alphabet = DNA): Map<string, number> {
  const counts = new Map<string, number>();
  for (let start = 0; start + k <= text.length; start++) {
    const kmer = text.slice(start, start + k);
    if ([...kmer].every((letter) => letters.includes(letter))) counts.set(kmer, (counts.get(kmer) ?? 0) + 1);
  }
  return counts;
}

/** Counts of two texts over all k-mers that either holds, in one order. */
export function naiveVectors(a: string, b: string, k: number, alphabet?: Alphabet): [number[], number[]] {
  const [x, y] = [naiveCounts(a, k, alphabet), naiveCounts(b, k, alphabet)];
  const kmers = [...new Set([...x.keys(), ...y.keys()])];
  return [kmers.map((kmer) => x.get(kmer) ?? 0), kmers.map((kmer) => y.get(kmer) ?? 0)];
}

/** All unordered pairs of some things, in condensed order. */
export const pairsOf = <T>(things: readonly T[]): [T, T][] =>
  things.flatMap((a, i) => things.slice(i + 1).map((b): [T, T] => [a, b]));

const texts = (letters: string, weights: readonly number[]) =>
  fc
    .array(
      fc
        .array(fc.oneof(...[...letters].map((c, i) => ({ arbitrary: fc.constant(c), weight: weights[i] }))), {
          maxLength: 30,
        })
        .map((parts) => parts.join("")),
      { minLength: 2, maxLength: 8 },
    )
    .map((list) => [...list, list[0]]);

/** Sequences, some with ambiguity letters, some short or empty, two of them equal; and a k. */
export const cases = fc.oneof(
  fc.record({
    alphabet: fc.constant(DNA),
    k: fc.integer({ min: 1, max: 5 }),
    sequences: texts("ACGTN", [8, 4, 4, 2, 1]),
  }),
  fc.record({
    alphabet: fc.constant(PROTEIN),
    k: fc.integer({ min: 1, max: 3 }),
    sequences: texts("AYLX", [5, 3, 3, 1]),
  }),
);
