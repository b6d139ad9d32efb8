/** @file K-mer counts: against strings in a map, and what must not count. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { countKmers, forEachPair, type KmerProfiles } from "../../src/baseline/profile.ts";
import { decode, DNA, PROTEIN, type Alphabet } from "../../src/sequence/index.ts";
import { cases, codesOf, naiveCounts, pairsOf } from "./naive.ts";

/** The letters of a column's k-mer. */
function letters(kmer: number, k: number, alphabet: Alphabet): string {
  const codes = new Uint8Array(k);
  for (let i = k - 1; i >= 0; i--) {
    codes[i] = kmer % alphabet.size;
    kmer = Math.floor(kmer / alphabet.size);
  }
  return decode(codes, alphabet);
}

/** Counts of each sequence by the k-mer's letters. */
function named({ k, length, offsets, columns, counts, kmers }: KmerProfiles, alphabet: Alphabet) {
  return Array.from({ length }, (_, i) => {
    const entries = Array.from(columns.subarray(offsets[i], offsets[i + 1]), (column, e) => {
      return [letters(kmers[column], k, alphabet), counts[offsets[i] + e]] as const;
    });
    expect(new Set(entries.map(([kmer]) => kmer)).size).toBe(entries.length);
    return new Map(entries);
  });
}

const counted = (texts: string[], k: number, alphabet = DNA) =>
  named(countKmers(codesOf(texts, alphabet), { k, alphabet }), alphabet);

describe("k-mers of a sequence", () => {
  test("are its windows of k letters", () => {
    expect(counted(["ACACG"], 2)).toEqual([
      new Map([
        ["AC", 2],
        ["CA", 1],
        ["CG", 1],
      ]),
    ]);
  });

  test("do not reach over its end, into padding or the next sequence", () => {
    const [first, second, third, last] = counted(["AC", "", "ACGT", "TTT"], 3);
    expect([...first, ...second]).toEqual([]);
    expect([...third.keys()]).toEqual(["ACG", "CGT"]);
    expect([...last]).toEqual([["TTT", 1]]);
  });

  test("hold no ambiguity letter", () => {
    expect([...counted(["ACNGTARNT"], 2)[0]]).toEqual([
      ["AC", 1],
      ["GT", 1],
      ["TA", 1],
    ]);
  });

  test("are counted right at the greatest k, of which there are 2^52 for DNA", () => {
    const text = "TTTTTTTTTTTTTTTTTTTTTTTTTTTA";
    const protein = "YYYYYYYYYYYYY";
    expect(counted([text], 26)).toEqual([naiveCounts(text, 26)]);
    expect(counted([protein], 12, PROTEIN)).toEqual([new Map([["Y".repeat(12), 2]])]);
  });

  test("are those of the textbook", () => {
    fc.assert(
      fc.property(cases, ({ sequences, k, alphabet }) => {
        const profiles = countKmers(codesOf(sequences, alphabet), { k, alphabet });
        const expected = sequences.map((text) => naiveCounts(text, k, alphabet));
        expect(named(profiles, alphabet)).toEqual(expected);
        const totals = expected.map((counts) => [...counts.values()].reduce((sum, count) => sum + count, 0));
        expect([...profiles.totals]).toEqual(totals);
      }),
    );
  });

  test.each([
    [0, DNA, "k: must be an integer from 1 to 26 for dna, got 0"],
    [2.5, DNA, "k: must be an integer from 1 to 26 for dna, got 2.5"],
    [27, DNA, "k: must be an integer from 1 to 26 for dna, got 27"],
    [13, PROTEIN, "k: must be an integer from 1 to 12 for protein, got 13"],
  ])("k = %d is refused where they cannot be numbered", (k, alphabet, message) => {
    expect(() => countKmers([], { k, alphabet })).toThrow(message);
  });
});

describe("pairs", () => {
  const profiles = countKmers(codesOf(["ACGT", "AAAA", "ACGA", "CG"]), { k: 2, alphabet: DNA });

  /** What `forEachPair` visits, each with how many k-mers its row holds. */
  const visited = (options: Parameters<typeof forEachPair>[1]) => {
    const found: number[][] = [];
    forEachPair(profiles, options, (at, i, j, row) => {
      found.push([at, i, j, row.reduce((sum, count) => sum + count, 0)]);
    });
    return found;
  };

  test("are all of them in condensed order, each with the counts of its left sequence only", () => {
    const expected = pairsOf([0, 1, 2, 3]).map(([i, j], at) => [at, i, j, 3]);
    expect(visited({})).toEqual(expected);
  });

  test("or those of a list, in its order", () => {
    const pairs = { left: Uint32Array.of(3, 3, 0), right: Uint32Array.of(1, 3, 2) };
    expect(visited({ pairs })).toEqual([
      [0, 3, 1, 1],
      [1, 3, 3, 1],
      [2, 0, 2, 3],
    ]);
  });

  test("are reported to the last", () => {
    const told: [number, number][] = [];
    visited({ progress: (...numbers) => told.push(numbers) });
    expect(told).toEqual([[6, 6]]);
  });
});
