/** @file δ follows Gromov's definition, value by value, whatever the numbers and however they are shared out. */

import { describe, expect, test } from "vitest";
import { EmbranchError, UsageError } from "../../src/error.ts";
import { GROMOV_BINS, gromovDeltas } from "../../src/kernel/gromov.ts";
import { condensedIndex, condensedLength, type NumberArray } from "../../src/sequence/condensed.ts";
import { Random } from "../../src/sequence/random.ts";

/** All 2δ_p(x, y) of pairs of others, by the definition. */
function naive(distances: NumberArray, n: number, p: number): number[] {
  const d = (x: number, y: number) =>
    x === y ? 0 : distances[condensedIndex(Math.min(x, y), Math.max(x, y), n)];
  const product = Array.from({ length: n }, (_, x) =>
    Float64Array.from({ length: n }, (_, y) => d(p, x) + d(p, y) - d(x, y)),
  );
  const found: number[] = [];
  for (let x = 0; x < n; x++) {
    for (let y = x + 1; y < n; y++) {
      if (x === p || y === p) continue;
      let most = -Infinity;
      for (let z = 0; z < n; z++) most = Math.max(most, Math.min(product[x][z], product[z][y]));
      found.push(most - product[x][y]);
    }
  }
  return found;
}

/** δ by the four-point condition: half of what the greatest of three sums of opposite sides is above the second. */
function fourPoint(distances: NumberArray, n: number): number {
  const d = (x: number, y: number) => distances[condensedIndex(x, y, n)];
  let most = 0;
  for (let a = 0; a < n; a++)
    for (let b = a + 1; b < n; b++)
      for (let c = b + 1; c < n; c++)
        for (let e = c + 1; e < n; e++) {
          const sums = [d(a, b) + d(c, e), d(a, c) + d(b, e), d(a, e) + d(b, c)].sort((x, y) => y - x);
          most = Math.max(most, (sums[0] - sums[1]) / 2);
        }
  return most;
}

/** A metric of whole numbers: distances of which the greatest is at most twice the least. */
const wholeMetric = (n: number, random: Random) =>
  Uint16Array.from({ length: condensedLength(n) }, () => 20 + random.integer(21));
const realMetric = (n: number, random: Random) =>
  Float32Array.from({ length: condensedLength(n) }, () => 1 + random.uniform());

const SIZES = [1, 2, 3, 4, 7, 8, 9, 16, 17, 33];

describe.each([
  ["whole", wholeMetric, 0],
  ["real", realMetric, 1e-6],
] as const)("of %s numbers", (_name, draw, tolerance) => {
  test("is the definition's, from every base point, with its mean and its histogram", async () => {
    for (const n of SIZES) {
      const matrices = [1, 2, 3].map((seed) => draw(n, new Random(seed).fork("gromov", n)));
      const found = await gromovDeltas(matrices, { threads: 2 });
      matrices.forEach((distances, m) => {
        const { deltas, mean, counts, diameter, violation } = found[m];
        expect(diameter).toBe(Math.max(0, ...distances));
        expect(violation).toBe(0);
        const all: number[] = [];
        for (let p = 0; p < n; p++) {
          const values = naive(distances, n, p);
          expect(Math.abs(deltas[p] - Math.max(0, ...values) / 2)).toBeLessThanOrEqual(tolerance);
          all.push(...values);
        }
        const expected = all.reduce((a, b) => a + b, 0) / Math.max(1, all.length) / 2;
        expect(Math.abs(mean - expected)).toBeLessThanOrEqual(Math.max(1e-12, tolerance));
        expect(counts.reduce((a, b) => a + b, 0)).toBe(all.length);
        // The middle of a bin is within half a thousandth of its values.
        const middle = counts.reduce((sum, count, k) => sum + count * k, 0) / Math.max(1, all.length);
        expect(Math.abs((middle / 1000) * diameter - 2 * expected)).toBeLessThanOrEqual(diameter / 1900);
        if (tolerance > 0) return;
        const bins = new Float64Array(GROMOV_BINS);
        for (const value of all) bins[Math.floor(Math.fround(value * Math.fround(1000 / diameter)) + 0.5)]++;
        expect(counts).toEqual(bins);
      });
    }
  });

  test("is that of the four-point condition", async () => {
    for (const n of [4, 6, 11, 20]) {
      const distances = draw(n, new Random(n));
      const [{ deltas }] = await gromovDeltas([distances], { threads: 1 });
      expect(Math.abs(Math.max(...deltas) - fourPoint(distances, n))).toBeLessThanOrEqual(tolerance);
    }
  });

  test("is the same by one thread and by several, of one matrix and among others", async () => {
    const matrices = Array.from({ length: 5 }, (_, seed) => draw(61, new Random(seed)));
    const together = await gromovDeltas(matrices, { threads: 3 });
    for (const [m, matrix] of matrices.entries()) {
      const [alone] = await gromovDeltas([matrix], { threads: 1 });
      expect(together[m]).toEqual(alone);
    }
  });

  test("from one base point is at least half of that from all", async () => {
    const matrices = Array.from({ length: 20 }, (_, seed) => draw(14, new Random(seed).fork("bound")));
    for (const { deltas } of await gromovDeltas(matrices, { threads: 1 })) {
      const delta = Math.max(...deltas);
      for (const one of deltas) expect(2 * one).toBeGreaterThanOrEqual(delta - tolerance);
    }
  });

  test("looks from the base points that are asked for", async () => {
    const distances = draw(40, new Random(1));
    const [all] = await gromovDeltas([distances]);
    const [some] = await gromovDeltas([distances], { bases: [39, 0, 17] });
    expect([...some.deltas]).toEqual([39, 0, 17].map((base) => all.deltas[base]));
    const values = [39, 0, 17].flatMap((base) => naive(distances, 40, base));
    expect(some.mean).toBeCloseTo(values.reduce((a, b) => a + b, 0) / values.length / 2, 5);
  });
});

test("whole distances too great for 16 bits are right as floats", async () => {
  for (const scale of [270, 300, 5000]) {
    const distances = Uint32Array.from(wholeMetric(12, new Random(3)), (distance) => scale * distance);
    const [{ deltas }] = await gromovDeltas([distances]);
    expect(Math.max(...deltas)).toBe(fourPoint(distances, 12));
  }
});

test("shares out the base points of a large matrix", async () => {
  const n = 300;
  const distances = wholeMetric(n, new Random(8));
  const [{ deltas, counts }] = await gromovDeltas([distances], { threads: 2 });
  expect(counts.reduce((a, b) => a + b, 0)).toBe((n * (n - 1) * (n - 2)) / 2);
  expect(2 * deltas[113]).toBe(naive(distances, n, 113).reduce((a, b) => Math.max(a, b)));
});

test("tells by how much the triangle inequality is broken", async () => {
  // 0 and 1 are 5 apart, and 1 from 2 each: 3 too many.
  const [{ violation }] = await gromovDeltas([Float64Array.of(5, 1, 1)]);
  expect(violation).toBe(3);
});

test("equal things have none", async () => {
  const [{ deltas, mean, diameter }] = await gromovDeltas([new Float32Array(condensedLength(6))]);
  expect({ delta: Math.max(...deltas), mean, diameter }).toEqual({ delta: 0, mean: 0, diameter: 0 });
});

describe("refuses", () => {
  test.each([NaN, -1, Infinity, 1e39])("a distance of %d", async (wrong) => {
    const distances = new Float64Array(condensedLength(5)).fill(1);
    distances[condensedIndex(1, 3, 5)] = wrong;
    await expect(gromovDeltas([distances])).rejects.toThrow(
      new EmbranchError(`gromov: a distance must be a finite number from 0, got ${wrong} for 1 and 3`),
    );
  });

  test("matrices of two sizes", async () => {
    await expect(gromovDeltas([new Uint8Array(6), new Uint8Array(10)])).rejects.toThrow(
      new UsageError("gromov: matrices must have 6 distances each, got 10"),
    );
  });

  test.each([4, -1, 0.5])("base point %d of four", async (base) => {
    await expect(gromovDeltas([new Uint8Array(6)], { bases: [base] })).rejects.toThrow(
      /base points must be whole numbers below 4/,
    );
  });
});

test("stops when it is told to", async () => {
  const stop = new AbortController();
  const distances = wholeMetric(900, new Random(2));
  const running = gromovDeltas([distances], { signal: stop.signal, threads: 1 });
  setTimeout(() => stop.abort(new Error("enough")), 150);
  await expect(running).rejects.toThrow("enough");
});
