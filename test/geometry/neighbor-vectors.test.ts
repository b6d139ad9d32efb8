import { describe, expect, test } from "vitest";
import { createSpace } from "../../src/geometry/index.ts";
import type { GeometryName, IndexVectors, SpaceOptions } from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";
import { ballPoints, hyperboloidPoints, normals, withNorm } from "./points.ts";

const K = 0.5;
const DIMS = 5;

const cases: {
  name: GeometryName;
  options?: SpaceOptions;
  draw: (random: Random, n: number) => number[][];
}[] = [
  { name: "square", draw: (random, n) => normals(random, n, DIMS) },
  { name: "euclidean", draw: (random, n) => normals(random, n, DIMS) },
  { name: "cosine", draw: (random, n) => normals(random, n, DIMS) },
  {
    name: "hyperbolic",
    options: { initial: { radius: 0.7 } },
    draw: (random, n) => normals(random, n, DIMS).map((v) => withNorm(v, 0.7)),
  },
  { name: "poincare", draw: (random, n) => ballPoints(random, n, DIMS, 5) },
  {
    name: "lorentz",
    options: { initial: { radiusSquared: K } },
    draw: (random, n) => hyperboloidPoints(random, n, DIMS - 1, 5, K),
  },
];

function row({ vectors, dims }: IndexVectors, i: number): Float32Array {
  return vectors.subarray(i * dims, (i + 1) * dims);
}

function compare(metric: string | null, a: Float32Array, b: Float32Array): number {
  const dot = a.reduce((sum, value, i) => sum + value * b[i], 0);
  if (metric === "cos")
    return 1 - dot / Math.sqrt(a.reduce((s, v) => s + v * v, 0) * b.reduce((s, v) => s + v * v, 0));
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0);
}

describe.each(cases)("$name", ({ name, options, draw }) => {
  const space = createSpace(name, options);
  const values = space.initialParameters();

  test("nearest under the index's metric is nearest in the space", () => {
    const random = new Random(9);
    const items = Float32Array.from(draw(random, 60).flat());
    const queries = Float32Array.from(draw(random, 8).flat());
    const item = space.indexVectors(items, DIMS, values);
    const query = space.queryVectors(queries, DIMS, values);
    expect(query.dims).toBe(item.dims);
    expect(item.vectors.length).toBe(60 * item.dims);
    for (let q = 0; q < 8; q++) {
      const exact = Array.from({ length: 60 }, (_, i) =>
        space.exactDistance(
          queries.subarray(q * DIMS, (q + 1) * DIMS),
          items.subarray(i * DIMS, (i + 1) * DIMS),
          values,
        ),
      );
      const indexed = exact.map((_, i) => compare(space.indexMetric, row(query, q), row(item, i)));
      const order = (by: number[]): number[] => by.map((_, i) => i).sort((a, b) => by[a] - by[b]);
      expect(order(indexed).slice(0, 10)).toEqual(order(exact).slice(0, 10));
    }
  });
});

test("the augmented vectors have one length, so that L2 is the inner product", () => {
  const space = createSpace("lorentz", { initial: { radiusSquared: K } });
  const points = Float32Array.from(hyperboloidPoints(new Random(2), 20, 3, 6, K).flat());
  const item = space.indexVectors(points, 4, space.initialParameters());
  const norms = Array.from({ length: 20 }, (_, i) => Math.hypot(...row(item, i)));
  expect(Math.max(...norms) / Math.min(...norms)).toBeLessThan(1 + 1e-6);
});

test("points too far out are refused, with the point and its radius", () => {
  const lorentz = createSpace("lorentz", { initial: { radiusSquared: 1 } });
  const points = Float32Array.of(1, 0, 0, Math.cosh(9), Math.sinh(9), 0);
  expect(() => lorentz.indexVectors(points, 3, lorentz.initialParameters())).toThrow(
    "points: must be within 8 of the origin to be indexed, got 9.00 for point 2",
  );
  expect(() => createSpace("poincare").queryVectors(Float32Array.of(0, 1), 2, {})).toThrow(
    /must be within 8/,
  );
});

test("Manhattan has no index", () => {
  const space = createSpace("manhattan");
  expect(space.indexMetric).toBeNull();
  expect(() => space.indexVectors(new Float32Array(2), 2, {})).toThrow(/has no index/);
});
