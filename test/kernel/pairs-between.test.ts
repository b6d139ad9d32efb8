/** @file Distances of pairs whose halves come from two sets. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import { EditDistances, editDistance, packCodes } from "../../src/kernel/index.ts";
import { oracle, sequence } from "./oracle.ts";

let distances: EditDistances;
beforeAll(async () => {
  distances = await EditDistances.create({ threads: 2 });
});
afterAll(async () => {
  await distances.close();
});

const sets = (longest: number, most: number) => {
  const set = fc.array(sequence(4, longest), { minLength: 1, maxLength: most });
  return fc.tuple(set, set, fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 300 }));
};

describe("pairs between two sets", () => {
  test("equal the oracle, in the order given, repeated ones too", async () => {
    await fc.assert(
      fc.asyncProperty(sets(70, 12), async ([a, b, drawn]) => {
        const left = Uint32Array.from(drawn, ([i]) => i % a.length);
        const right = Uint32Array.from(drawn, ([, j]) => j % b.length);
        const found = await distances.pairsBetween(packCodes(a), packCodes(b), left, right);
        expect([...found]).toEqual(Array.from(left, (i, p) => oracle(a[i], b[right[p]])));
      }),
      { numRuns: 60 },
    );
  });

  test("above a threshold are one more than it", async () => {
    await fc.assert(
      fc.asyncProperty(sets(70, 12), fc.nat(60), async ([a, b, drawn], threshold) => {
        const left = Uint32Array.from(drawn, ([i]) => i % a.length);
        const right = Uint32Array.from(drawn, ([, j]) => j % b.length);
        const found = await distances.pairsBetween(packCodes(a), packCodes(b), left, right, { threshold });
        const all = Array.from(left, (i, p) => Math.min(oracle(a[i], b[right[p]]), threshold + 1));
        expect([...found]).toEqual(all);
      }),
      { numRuns: 60 },
    );
  });

  test("of one set with itself are those of `pairs`", async () => {
    const set = packCodes(fc.sample(sequence(4, 90), { numRuns: 40, seed: 5 }));
    const left = Uint32Array.from({ length: 700 }, (_, p) => (p * 7) % 40);
    const right = Uint32Array.from({ length: 700 }, (_, p) => (p * 11) % 40);
    const found = await distances.pairsBetween(set, set, left, right);
    expect([...found]).toEqual([...(await distances.pairs(set, left, right))]);
  });

  test("with costs equal one pair at a time", async () => {
    const costs = {
      substitution: Uint8Array.from({ length: 1024 }, (_, i) => (i >> 5 === (i & 31) ? 0 : 3)),
      gap: 2,
    };
    const [a, b] = [1, 2].map((seed) => fc.sample(sequence(4, 50), { numRuns: 9, seed }));
    const left = Uint32Array.from({ length: 81 }, (_, p) => p % 9);
    const right = Uint32Array.from({ length: 81 }, (_, p) => Math.floor(p / 9));
    const found = await distances.pairsBetween(packCodes(a), packCodes(b), left, right, { costs });
    expect([...found]).toEqual(Array.from(left, (i, p) => editDistance(a[i], b[right[p]], { costs })));
  });

  test("none at all take no sequences", async () => {
    const none = packCodes([]);
    const some = packCodes([Uint8Array.of(1, 2)]);
    for (const [a, b] of [[none, none], [none, some], [some, none]]) {
      expect(await distances.pairsBetween(a, b, new Uint32Array(), new Uint32Array())).toHaveLength(0);
    } // prettier-ignore
  });

  test("indices are checked against their own set", async () => {
    const a = packCodes([Uint8Array.of(1), Uint8Array.of(2), Uint8Array.of(3)]);
    const b = packCodes([Uint8Array.of(1)]);
    const pair = (i: number, j: number) => distances.pairsBetween(a, b, Uint32Array.of(i), Uint32Array.of(j));
    expect([...(await pair(2, 0))]).toEqual([1]);
    await expect(pair(3, 0)).rejects.toThrow("pairs: indices must be below 3, got 3");
    await expect(pair(0, 1)).rejects.toThrow("pairs: indices must be below 1, got 1");
    const uneven = distances.pairsBetween(a, b, Uint32Array.of(0, 1), Uint32Array.of(0));
    await expect(uneven).rejects.toThrow(UsageError);
  });

  test("very unequal lengths need 32 bits", async () => {
    const a = packCodes([new Uint8Array(70_000)]);
    const b = packCodes([Uint8Array.of(0), Uint8Array.of(1)]);
    const found = await distances.pairsBetween(a, b, Uint32Array.of(0, 0), Uint32Array.of(0, 1));
    expect([...found]).toEqual([69_999, 70_000]);
  });
});
