/** @file Strings in the middle of a group, held against the true median string of small groups. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  consensusError,
  greedyMedian,
  meanPairDistance,
  medoid,
  quickMedian,
} from "../../src/baseline/median-string.ts";
import { oracle, sequence } from "../kernel/oracle.ts";

const codes = (text: string) => Uint8Array.from(text, (letter) => "ACGTRYSWKMBDHVN".indexOf(letter));
const sumTo = (group: readonly Uint8Array[], string: Uint8Array) =>
  group.reduce((sum, each) => sum + oracle(each, string), 0);

/** The least sum of distances that any string of `symbols` codes has. */
function leastSum(group: readonly Uint8Array[], symbols: number): number {
  const longest = Math.max(...group.map(({ length }) => length));
  let strings = [new Uint8Array(0)];
  let least = Infinity;
  for (let length = 0; length <= longest; length++) {
    for (const string of strings) least = Math.min(least, sumTo(group, string));
    strings = strings.flatMap((string) =>
      Array.from({ length: symbols }, (_, s) => Uint8Array.of(...string, s)),
    );
  }
  return least;
}

const tiny = fc.array(sequence(2, 5), { minLength: 1, maxLength: 4 });
const small = fc.array(sequence(4, 12), { minLength: 1, maxLength: 6 });

describe("the medoid", () => {
  test("is the member with the least sum of distances, the first of several", () => {
    fc.assert(
      fc.property(small, (group) => {
        const sums = group.map((member) => sumTo(group, member));
        expect(medoid(group)).toBe(sums.indexOf(Math.min(...sums)));
      }),
    );
  });

  test("is within 2 − 2/K of the median string", () => {
    fc.assert(
      fc.property(tiny, (group) => {
        const bound = (2 - 2 / group.length) * leastSum(group, 2);
        expect(sumTo(group, group[medoid(group)])).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 50 },
    );
  });
});

test("the mean of all pairs counts distances of 0 to oneself, and is never below the medoid's error", () => {
  fc.assert(
    fc.property(small, (group) => {
      const mean = group.reduce((sum, member) => sum + sumTo(group, member), 0) / group.length ** 2;
      expect(meanPairDistance(group)).toBeCloseTo(mean, 10);
      expect(consensusError(group, group[medoid(group)])).toBeLessThanOrEqual(mean + 1e-9);
    }),
  );
  expect(meanPairDistance([codes("ACGT"), codes("ACGA")])).toBe(0.5);
});

describe.each([
  ["greedy-1", greedyMedian],
  ["greedy-2", quickMedian],
])("%s", (_, median) => {
  test("of copies of one string is that string", () => {
    fc.assert(
      fc.property(sequence(4, 40), fc.integer({ min: 1, max: 5 }), (string, count) => {
        expect(median(new Array<Uint8Array>(count).fill(string))).toEqual(string);
      }),
    );
  });

  test("takes no letter that no member has, and no sum below the least", () => {
    fc.assert(
      fc.property(tiny, (group) => {
        const string = median(group);
        const letters = new Set(group.flatMap((member) => [...member]));
        expect([...string].every((letter) => letters.has(letter))).toBe(true);
        expect(sumTo(group, string)).toBeGreaterThanOrEqual(leastSum(group, 2));
      }),
      { numRuns: 50 },
    );
  });

  test("of empty strings is empty, and of no group an error", () => {
    expect(median([codes(""), codes("")])).toEqual(codes(""));
    expect(() => median([])).toThrow(/group: must hold at least one sequence/);
  });

  test("takes letters that stand for several for letters of their own", () => {
    expect(median([codes("ANGT"), codes("ANGT"), codes("ANGT")])).toEqual(codes("ANGT"));
  });
});

test("greedy-1 outvotes single errors, and stops where letters cost more than they bring", () => {
  expect(greedyMedian(["ACGTACGT", "ACGTCCGT", "ACGACGT", "ACGTACGGT"].map(codes))).toEqual(
    codes("ACGTACGT"),
  );
  expect(greedyMedian(["A", "", ""].map(codes))).toEqual(codes(""));
});

test("greedy-2 has the mean length, and the letter that covers most of each place", () => {
  // The third place is covered by half of C, by A, and by G and half of C: of letters as good, the first is taken.
  expect(quickMedian(["AC", "AAAC", "AGGGCC"].map(codes))).toEqual(codes("AAAC"));
  fc.assert(
    fc.property(small, (group) => {
      const mean = group.reduce((sum, { length }) => sum + length, 0) / group.length;
      expect(quickMedian(group)).toHaveLength(Math.round(mean));
    }),
  );
});
