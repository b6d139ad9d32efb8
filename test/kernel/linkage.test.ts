/** @file Linkage follows the definition of agglomerative clustering, step by step, and agrees with SciPy. */

import { describe, expect, test } from "vitest";
import { EmbranchError } from "../../src/error.ts";
import { linkage, LINKAGE_METHODS, type Linkage, type LinkageMethod } from "../../src/kernel/linkage.ts";
import { condensedIndex, condensedLength } from "../../src/sequence/condensed.ts";
import { Random } from "../../src/sequence/random.ts";

/** Distance of a third cluster to the union of two, by the formula of Lance and Williams. */
function updated(method: LinkageMethod, [m, n, s]: number[], [a, b, d]: number[]): number {
  switch (method) {
    case "single":
      return Math.min(a, b);
    case "complete":
      return Math.max(a, b);
    case "average":
      return (m * a + n * b) / (m + n);
    case "weighted":
      return (a + b) / 2;
    case "ward":
      return Math.sqrt(((m + s) * a * a + (n + s) * b * b - s * d * d) / (m + n + s));
  }
}

/** Walks through the merges: each must join two clusters that are the nearest of all, at their distance. */
function expectAgglomerative(n: number, distances: ArrayLike<number>, method: LinkageMethod, found: Linkage) {
  const between = new Map<string, number>();
  const key = (a: number, b: number) => `${Math.min(a, b)} ${Math.max(a, b)}`;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) between.set(key(i, j), distances[condensedIndex(i, j, n)]);
  }
  const sizes = new Map(Array.from({ length: n }, (_, i) => [i, 1]));
  for (let k = 0; k < n - 1; k++) {
    const { left, right, heights } = found;
    const [a, b] = [left[k], right[k]];
    expect(a).toBeLessThan(b);
    const least = Math.min(...between.values());
    const d = between.get(key(a, b))!;
    const close = 1e-5 * Math.max(1, least);
    expect(Math.abs(d - least)).toBeLessThanOrEqual(close);
    expect(Math.abs(heights[k] - d)).toBeLessThanOrEqual(close);
    if (k > 0) expect(heights[k]).toBeGreaterThanOrEqual(heights[k - 1]);
    between.delete(key(a, b));
    const [m, s] = [sizes.get(a)!, sizes.get(b)!];
    sizes.delete(a);
    sizes.delete(b);
    for (const [other, size] of sizes) {
      const [x, y] = [between.get(key(a, other))!, between.get(key(b, other))!];
      between.delete(key(a, other));
      between.delete(key(b, other));
      between.set(key(n + k, other), updated(method, [m, s, size], [x, y, d]));
    }
    sizes.set(n + k, m + s);
    expect(found.sizes[k]).toBe(m + s);
  }
}

describe.each(LINKAGE_METHODS)("%s linkage", (method) => {
  test.each([2, 3, 4, 7, 30, 90])("joins the nearest clusters of %i things at each step", async (n) => {
    const random = new Random(n);
    const distances = Float32Array.from({ length: condensedLength(n) }, () => 1 + random.uniform());
    expectAgglomerative(n, distances, method, await linkage(distances, { method }));
  });

  test("does so where most distances are equal", async () => {
    const random = new Random(5);
    const distances = Uint16Array.from({ length: condensedLength(70) }, () => random.integer(4));
    const found = await linkage(distances, { method });
    expectAgglomerative(70, distances, method, found);
    expect(await linkage(distances, { method })).toEqual(found);
  });

  test("joins identical things at height 0, in order", async () => {
    const found = await linkage(new Uint16Array(condensedLength(5)), { method });
    expect([...found.heights]).toEqual([0, 0, 0, 0]);
    expect(found.sizes.at(-1)).toBe(5);
  });

  test("packs its matrix again and again without losing a cluster", async () => {
    const n = 700;
    const random = new Random(9);
    const points = Float64Array.from({ length: n }, () => random.uniform());
    const distances = new Float64Array(condensedLength(n));
    for (let i = 0, at = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) distances[at++] = Math.abs(points[i] - points[j]);
    }
    const { heights, left, right, sizes } = await linkage(distances, { method });
    expect(new Set([...left, ...right]).size).toBe(2 * n - 2);
    expect(sizes.at(-1)).toBe(n);
    expect(heights.every((height, k) => height > 0 && (k === 0 || height >= heights[k - 1]))).toBe(true);
    if (method !== "single") return;
    const gaps = points.toSorted().map((x, i, sorted) => (i === 0 ? 0 : x - sorted[i - 1]));
    const expected = gaps.subarray(1).toSorted();
    expect(heights.every((height, k) => Math.abs(height - expected[k]) < 1e-6)).toBe(true);
  });
});

/** The merges of SciPy 1.10.1's `linkage` of these distances. */
const DISTANCES = [4, 9, 3, 7, 12, 8, 2, 11, 5, 10, 6, 13, 1, 14, 15];
const SCIPY: Record<LinkageMethod, number[][]> = {
  single: [
    [3, 4, 1, 2],
    [1, 6, 2, 3],
    [0, 7, 3, 4],
    [5, 8, 5, 5],
    [2, 9, 6, 6],
  ],
  complete: [
    [3, 4, 1, 2],
    [0, 1, 4, 2],
    [2, 7, 9, 3],
    [6, 8, 11, 5],
    [5, 9, 15, 6],
  ],
  average: [
    [3, 4, 1, 2],
    [0, 1, 4, 2],
    [6, 7, 5.75, 4],
    [2, 8, 8.25, 5],
    [5, 9, 11.8, 6],
  ],
  weighted: [
    [3, 4, 1, 2],
    [0, 1, 4, 2],
    [6, 7, 5.75, 4],
    [2, 8, 8.25, 5],
    [5, 9, 12.25, 6],
  ],
  ward: [
    [3, 4, 1, 2],
    [0, 1, 4, 2],
    [6, 7, 9.1104335791443, 4],
    [2, 8, 9.612491872558333, 5],
    [5, 9, 14.8638263355481, 6],
  ],
};

test.each(LINKAGE_METHODS)("%s linkage is SciPy's", async (method) => {
  const { left, right, heights, sizes } = await linkage(Float64Array.from(DISTANCES), { method });
  SCIPY[method].forEach(([a, b, height, size], k) => {
    expect([left[k], right[k], sizes[k]]).toEqual([a, b, size]);
    expect(heights[k]).toBeCloseTo(height, 5);
  });
});

test("one thing makes no merge", async () => {
  expect(await linkage(new Float32Array(0))).toEqual({
    left: new Uint32Array(0),
    right: new Uint32Array(0),
    heights: new Float64Array(0),
    sizes: new Uint32Array(0),
  });
});

test("weights stand for repeated things", async () => {
  const random = new Random(3);
  const weights = [3, 1, 2, 1, 4];
  const distinct = Float32Array.from({ length: condensedLength(5) }, () => 1 + random.uniform());
  const copies = weights.flatMap((count, thing) => Array.from({ length: count }, () => thing));
  const repeated: number[] = [];
  copies.forEach((a, i) => {
    for (const b of copies.slice(i + 1)) repeated.push(a === b ? 0 : distinct[condensedIndex(a, b, 5)]);
  });
  const whole = await linkage(Float32Array.from(repeated));
  const short = await linkage(distinct, { weights });
  expect(short.heights.length).toBe(4);
  short.heights.forEach((height, k) => expect(height).toBeCloseTo(whole.heights.slice(-4)[k], 5));
});

test.each([
  [Number.NaN, "NaN"],
  [Infinity, "Infinity"],
  [-0.5, "-0.5"],
])("a distance of %f is refused, by the pair it is of", async (bad, text) => {
  const distances = new Float64Array(condensedLength(20)).fill(1);
  distances[condensedIndex(3, 17, 20)] = bad;
  const failure = linkage(distances, { method: "ward" });
  await expect(failure).rejects.toThrow(EmbranchError);
  await expect(failure).rejects.toThrow(
    `linkage: a distance must be a finite number from 0, got ${text} for 3 and 17`,
  );
});

test("more things than fit into memory are refused", async () => {
  const many = { length: condensedLength(32_001) } as Float32Array;
  await expect(linkage(many)).rejects.toThrow(/at most 32000 things/);
});

test("a signal stops it, and progress ends at the number of merges", async () => {
  const distances = new Float32Array(condensedLength(300)).fill(1);
  const reason = new Error("enough");
  await expect(linkage(distances, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
  const seen: number[] = [];
  await linkage(distances, { progress: (done, total) => seen.push(done, total) });
  expect(seen.slice(-2)).toEqual([299, 299]);
});
