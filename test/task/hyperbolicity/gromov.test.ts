/** @file δ_rel of what is known: trees, circles, planes, spheres (SPEC G 11). */

import { describe, expect, test } from "vitest";
import { condensedIndex, condensedLength } from "../../../src/sequence/condensed.ts";
import { leafNames } from "../../../src/sequence/newick.ts";
import { Random } from "../../../src/sequence/random.ts";
import { simulate } from "../../../src/sequence/simulate.ts";
import { curvedDistances, curvedPoints } from "../../../src/task/hyperbolicity/constant-curvature.ts";
import { gromov, quantilesOf } from "../../../src/task/hyperbolicity/gromov.ts";
import { PathMetric, randomTreeDistances } from "../../../src/task/hyperbolicity/tree-metric.ts";
import { compactTree } from "../../../src/task/tree/compact-tree.ts";

/** Points of a space, rounded to whole thousandths: what the 16-bit kernel is fast at. */
const drawn = (curvature: number, dim: number, count: number, seed: number) =>
  Uint16Array.from(
    curvedDistances(curvedPoints({ curvature, dim, count, random: new Random(seed) })),
    (distance) => Math.round(1000 * distance),
  );

describe("oracles", () => {
  test("a cycle of four: δ = 1, diameter 2, δ_rel = 1", async () => {
    const found = await gromov(Uint8Array.of(1, 2, 1, 1, 2, 1));
    expect(found).toMatchObject({
      count: 4,
      diameter: 2,
      delta: { lower: 1, upper: 1 },
      relative: { lower: 1, upper: 1 },
      perBase: { bases: 4, least: 1, mean: 1, greatest: 1 },
      violation: 0,
    });
  });

  test("random trees have none", async () => {
    for (const n of [4, 5, 100]) {
      const found = await gromov(randomTreeDistances(n, new Random(n)));
      expect({ delta: found.delta.upper, mean: found.mean }).toEqual({ delta: 0, mean: 0 });
      expect(found.quantiles.map(({ value }) => value)).toEqual([0, 0, 0, 0]);
    }
  });

  test("nor have paths through a tree with branch lengths, but for rounding", async () => {
    const root = simulate({ leaves: 60, seed: 4 }).tree();
    const names = leafNames(root);
    const paths = new PathMetric(compactTree(root, names)).distances(names.map((_, i) => i));
    const { relative, violation } = await gromov(paths);
    expect(relative.upper).toBeLessThan(1e-6);
    expect(violation).toBe(0);
  });

  test("300 normal points of the plane: 0.51 ± 0.03", async () => {
    const found = await Promise.all([1, 2, 3].map((seed) => gromov(drawn(0, 2, 300, seed))));
    const mean = found.reduce((sum, { relative }) => sum + relative.upper, 0) / found.length;
    expect(Math.abs(mean - 0.51)).toBeLessThan(0.03);
  });

  test.each([1, 2])("400 points of the sphere of curvature %i: 0.99 ± 0.01", async (curvature) => {
    const { relative } = await gromov(drawn(curvature, 2, 400, 1));
    expect(Math.abs(relative.upper - 0.99)).toBeLessThan(0.01);
  });

  test("more curvature is more like a tree", async () => {
    const found = await Promise.all([0, -1, -4].map((curvature) => gromov(drawn(curvature, 2, 100, 1))));
    const [flat, one, four] = found.map(({ relative }) => relative.upper);
    expect(flat).toBeGreaterThan(1.5 * one);
    expect(one).toBeGreaterThan(1.5 * four);
  });
});

describe("laws", () => {
  const n = 40;
  const distances = drawn(-1, 3, n, 9);

  test("the order of things does not matter", async () => {
    const order = new Random(3).shuffle(Uint32Array.from({ length: n }, (_, i) => i));
    const moved = new Uint16Array(condensedLength(n));
    for (let i = 0; i < n; i++) {
      for (let j = i + 1; j < n; j++) {
        const [a, b] = [Math.min(order[i], order[j]), Math.max(order[i], order[j])];
        moved[condensedIndex(i, j, n)] = distances[condensedIndex(a, b, n)];
      }
    }
    expect(await gromov(moved)).toEqual(await gromov(distances));
  });

  test("nor does the unit of the distances, for what is relative", async () => {
    const [a, b] = await Promise.all([gromov(distances), gromov(distances.map((distance) => 2 * distance))]);
    expect(b.delta.upper).toBe(2 * a.delta.upper);
    expect([b.relative, b.mean, b.quantiles]).toEqual([a.relative, a.mean, a.quantiles]);
  });

  test("a copy of a thing changes nothing", async () => {
    const with_ = new Uint16Array(condensedLength(n + 1));
    for (let i = 0; i <= n; i++) {
      for (let j = i + 1; j <= n; j++) {
        const [a, b] = [i % n, j % n].sort((x, y) => x - y);
        with_[condensedIndex(i, j, n + 1)] = a === b ? 0 : distances[condensedIndex(a, b, n)];
      }
    }
    expect((await gromov(with_)).delta).toEqual((await gromov(distances)).delta);
  });

  test("bounds from some base points hold δ, and more of them hold it closer", async () => {
    const { delta } = await gromov(distances);
    let width = Infinity;
    for (const bases of [1, 5, 20, 40]) {
      const some = await gromov(distances, { bases, seed: 2, triangle: true });
      expect(some.perBase.bases).toBe(bases);
      expect(some.delta.lower).toBeLessThanOrEqual(delta.upper);
      expect(some.delta.upper).toBeGreaterThanOrEqual(delta.upper);
      expect(some.delta.upper).toBeLessThanOrEqual(2 * some.delta.lower);
      expect(some.delta.upper - some.delta.lower).toBeLessThanOrEqual(width);
      width = some.delta.upper - some.delta.lower;
    }
    expect(width).toBe(0);
  });

  test("bounds hold where the triangle inequality does not, and δ may be more than half of the diameter", async () => {
    const random = new Random(4);
    const wild = Float64Array.from({ length: condensedLength(n) }, () => random.uniform53() ** 6);
    const { delta, relative, violation } = await gromov(wild);
    expect(relative.upper).toBeGreaterThan(1);
    expect(violation).toBeGreaterThan(0.5);
    for (const bases of [1, 5, 20]) {
      const some = await gromov(wild, { bases, seed: 2 });
      expect(some.delta.lower).toBeLessThanOrEqual(delta.upper);
      expect(some.delta.upper).toBeGreaterThanOrEqual(delta.upper);
    }
  });
});

test("quantiles are the least values that so many do not exceed", () => {
  const counts = new Float64Array(1001);
  counts[0] = 50;
  counts[100] = 40;
  counts[1000] = 10;
  expect(quantilesOf(counts).map(({ value }) => value)).toEqual([0, 0.1, 1, 1]);
});

describe("refuses", () => {
  test.each([
    ["three things", Uint8Array.of(1, 2, 1), "hyperbolicity: needs at least 4 different things, got 3"],
    ["things that all coincide", new Uint8Array(10), /some distance must be above 0, got 0 for all pairs/],
    [
      "NaN",
      Float64Array.of(1, 1, NaN, 1, 1, 1),
      /a distance must be a finite number from 0, got NaN for 0 and 3/,
    ],
    ["a negative distance", Float64Array.of(1, -1, 1, 1, 1, 1), /got -1 for 0 and 2/],
  ])("%s", async (_name, distances, message) => {
    await expect(gromov(distances)).rejects.toThrow(message);
  });
});
