/** @file Distances between k-mer counts, against whole vectors and numbers worked out by hand. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KMER_DISTANCES, kmerDistances, type KmerDistance } from "../../src/baseline/kmer.ts";
import { countKmers } from "../../src/baseline/profile.ts";
import { exactPoincareDistance } from "../../src/geometry/poincare.ts";
import { DNA, type Alphabet } from "../../src/sequence/index.ts";
import { cases, codesOf, naiveVectors, pairsOf } from "./naive.ts";

/** Distances of all pairs by name. */
function distances(texts: readonly string[], k: number, alphabet: Alphabet = DNA) {
  const profiles = countKmers(codesOf(texts, alphabet), { k, alphabet });
  const found = kmerDistances(profiles, KMER_DISTANCES);
  return Object.fromEntries(KMER_DISTANCES.map((name, i) => [name, [...found[i]]])) as Record<
    KmerDistance,
    number[]
  >;
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
const dot = (x: readonly number[], y: readonly number[]) => sum(x.map((value, i) => value * y[i]));

/** Sums over whole vectors, as they are defined. */
const ORACLES: Record<KmerDistance, (x: number[], y: number[]) => number> = {
  cosine: (x, y) => {
    const norms = Math.sqrt(dot(x, x)) * Math.sqrt(dot(y, y));
    return norms > 0 ? 1 - dot(x, y) / norms : Number(dot(x, x) !== dot(y, y));
  },
  square: (x, y) => sum(x.map((value, i) => (value - y[i]) ** 2)),
  euclidean: (x, y) => Math.hypot(...x.map((value, i) => value - y[i])),
  manhattan: (x, y) => sum(x.map((value, i) => Math.abs(value - y[i]))),
  hyperbolic: (x, y) => {
    const factor = (v: number[]) => Math.max(1, dot(v, v) - 1);
    return Math.acosh(1 + (2 * ORACLES.square(x, y)) / (factor(x) * factor(y)));
  },
};

test("by hand: AAC and ACG hold the 2-mers AA, AC and AC, CG", () => {
  const found = distances(["AAC", "ACG"], 2);
  expect(found.cosine[0]).toBeCloseTo(1 / 2, 6);
  expect(found.square).toEqual([2]);
  expect(found.euclidean[0]).toBeCloseTo(Math.SQRT2, 6);
  expect(found.manhattan).toEqual([2]);
  // Both squared norms are 2: arcosh(1 + 2·2/((2 − 1)(2 − 1))).
  expect(found.hyperbolic[0]).toBeCloseTo(Math.acosh(5), 6);
});

test("every distance is that of the whole vectors", () => {
  fc.assert(
    fc.property(cases, ({ sequences, k, alphabet }) => {
      const found = distances(sequences, k, alphabet);
      pairsOf(sequences).forEach(([a, b], at) => {
        const [x, y] = naiveVectors(a, b, k, alphabet);
        for (const name of KMER_DISTANCES) expect(found[name][at]).toBeCloseTo(ORACLES[name](x, y), 4);
      });
    }),
  );
});

test("the hyperbolic one is the distance of the inverted points in the Poincaré ball", () => {
  const [a, b] = ["ACGTTGCAACGTA", "ACGATGCAAGTTA"];
  const inverted = naiveVectors(a, b, 3).map((x) => x.map((value) => value / dot(x, x)));
  expect(distances([a, b], 3).hyperbolic[0]).toBeCloseTo(exactPoincareDistance(inverted[0], inverted[1]), 6);
});

describe("sequences at their limits", () => {
  test("equal ones are exactly 0 apart, and so are those with the same k-mers", () => {
    const texts = ["ACGTACCA", "ACGTACCA", "ACNGTACCA", "ACNGTACCA"];
    for (const values of Object.values(distances(texts, 3))) {
      expect(values[0]).toBe(0);
      expect(values[5]).toBe(0);
    }
    // AC, CA, AA in another order.
    for (const values of Object.values(distances(["ACAA", "AACA"], 2))) expect(values).toEqual([0]);
  });

  test("without k-mers they are equal to each other, and finitely far from all others", () => {
    const found = distances(["AC", "", "ACG", "ACGT"], 3);
    for (const values of Object.values(found)) {
      expect(values[0]).toBe(0);
      expect(values.every((value) => Number.isFinite(value))).toBe(true);
      expect(values[2]).toBeGreaterThan(0);
    }
    expect(found.cosine[1]).toBe(1);
    expect(found.manhattan.slice(1, 3)).toEqual([1, 2]);
  });
});

test("of a list of pairs they are those among all", () => {
  const texts = ["ACGTACGGA", "TTGACCA", "ACGTTTGGA", "CAGTACGGA"];
  const profiles = countKmers(codesOf(texts), { k: 2, alphabet: DNA });
  const [all] = kmerDistances(profiles, ["euclidean"]);
  const pairs = { left: Uint32Array.of(2, 0, 1), right: Uint32Array.of(3, 2, 0) };
  const [cosine, euclidean] = kmerDistances(profiles, ["cosine", "euclidean"], { pairs });
  expect([...euclidean]).toEqual([all[5], all[1], all[0]]);
  expect(cosine).toHaveLength(3);
});
