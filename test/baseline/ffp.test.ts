/** @file Jensen–Shannon divergences of frequency profiles, against their definition. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { ffpDistances } from "../../src/baseline/ffp.ts";
import { countKmers } from "../../src/baseline/profile.ts";
import { DNA, type Alphabet } from "../../src/sequence/index.ts";
import { cases, codesOf, naiveVectors, pairsOf } from "./naive.ts";

const divergences = (texts: readonly string[], k: number, alphabet: Alphabet = DNA) => [
  ...ffpDistances(countKmers(codesOf(texts, alphabet), { k, alphabet })),
];

/** Entropy of the mean, less the mean of the entropies, in bits. */
function oracle(a: string, b: string, k: number, alphabet: Alphabet): number {
  const [p, q] = naiveVectors(a, b, k, alphabet).map((counts) => {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return { total, frequencies: counts.map((count) => count / total) };
  });
  if (p.total === 0 || q.total === 0) return Number(p.total !== q.total);
  const entropy = (values: readonly number[]) =>
    values.reduce((sum, value) => (value > 0 ? sum - value * Math.log2(value) : sum), 0);
  const mean = p.frequencies.map((value, i) => (value + q.frequencies[i]) / 2);
  return entropy(mean) - (entropy(p.frequencies) + entropy(q.frequencies)) / 2;
}

test("by hand", () => {
  // AA, AC and AC, CG: the mean is ¼ ½ ¼, of entropy 1.5 bits; each profile has 1.
  expect(divergences(["AAC", "ACG"], 2)[0]).toBeCloseTo(0.5, 6);
  // A three times in four and C once, against C alone: entropies of (3/8, 5/8), of (3/4, 1/4), and 0.
  const mean = -(3 / 8) * Math.log2(3 / 8) - (5 / 8) * Math.log2(5 / 8);
  const first = -(3 / 4) * Math.log2(3 / 4) - (1 / 4) * Math.log2(1 / 4);
  expect(divergences(["AACA", "CC"], 1)[0]).toBeCloseTo(mean - first / 2, 6);
});

test("is that of the definition, from 0 to 1", () => {
  fc.assert(
    fc.property(cases, ({ sequences, k, alphabet }) => {
      const found = divergences(sequences, k, alphabet);
      pairsOf(sequences).forEach(([a, b], at) => {
        expect(found[at]).toBeCloseTo(oracle(a, b, k, alphabet), 6);
        expect(found[at]).toBeGreaterThanOrEqual(0);
        expect(found[at]).toBeLessThanOrEqual(1);
      });
    }),
  );
});

test("of equal profiles is 0, of those that share nothing 1", () => {
  expect(divergences(["ACGTACCAGG", "ACGTACCAGG"], 8)[0]).toBeCloseTo(0, 12);
  expect(divergences(["AAAAAAAAAA", "CCCCCCCCCC"], 8)).toEqual([1]);
});

test("sequences without k-mers are equal to each other, and share nothing with others", () => {
  expect(divergences(["ACG", "", "ACGTACGTA"], 8)).toEqual([0, 1, 1]);
});

test("depends on frequencies, not on lengths", () => {
  expect(divergences(["AC".repeat(3) + "A", "AC".repeat(20) + "A"], 2)[0]).toBeCloseTo(0, 12);
});
