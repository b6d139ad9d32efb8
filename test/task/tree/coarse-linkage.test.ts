/** @file Linkage by a graph of neighbours: exact where the graph is complete, near it where it is not. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/error.ts";
import { createSpace, type GeometryName } from "../../../src/geometry/index.ts";
import { linkage, type Linkage } from "../../../src/kernel/linkage.ts";
import { Random } from "../../../src/sequence/random.ts";
import { coarseLinkage } from "../../../src/task/tree/coarse-linkage.ts";

type PointModel = Parameters<typeof coarseLinkage>[0];

const DIM = 6;
/** Edits that a distance of 1 stands for. */
const LENGTH = 100;

/** A space without a network before it. */
function spaceModel(name: GeometryName): PointModel {
  const space = createSpace(name, name === "hyperbolic" ? { initial: { radius: 0.8 } } : {});
  const manifest = { dim: DIM, length: LENGTH, space: { parameters: space.initialParameters() } };
  return { space, manifest } as unknown as PointModel;
}

/** Points about some centres, on the sphere of radius 0.8 for a hyperbolic space. */
function drawn(count: number, seed: number, centres = 8): Float32Array {
  const random = new Random(seed);
  const middle = Float64Array.from({ length: centres * DIM }, () => random.normal());
  const points = new Float32Array(count * DIM);
  for (let i = 0; i < count; i++) {
    const point = Array.from(
      { length: DIM },
      (_, j) => middle[(i % centres) * DIM + j] + 0.3 * random.normal(),
    );
    const norm = Math.hypot(...point) / 0.8;
    point.forEach((x, j) => (points[i * DIM + j] = x / norm));
  }
  return points;
}

/** Linkage of all distances. */
async function exactLinkage(model: PointModel, points: Float32Array, method: "average" | "single") {
  const count = points.length / DIM;
  const row = (i: number) => points.subarray(i * DIM, (i + 1) * DIM);
  const distances: number[] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      distances.push(LENGTH * model.space.exactDistance(row(i), row(j), model.manifest.space.parameters));
    }
  }
  return await linkage(Float32Array.from(distances), { method });
}

function expectAlike(found: Linkage, expected: Linkage, tolerance = 1e-4): void {
  expect([...found.sizes].slice(-1)).toEqual([...expected.sizes].slice(-1));
  found.heights.forEach((height, k) =>
    expect(Math.abs(height - expected.heights[k])).toBeLessThan(tolerance * Math.max(1, expected.heights[k])),
  );
}

const COUNT = 150;

describe.each(["square", "cosine"] as const)("in %s space with a complete graph", (name) => {
  const model = spaceModel(name);
  const points = drawn(COUNT, 1);

  // There the distance is linear in the mean square, so that nothing is approximate.
  test.each([1, 40, 150])("average linkage from %i clusters on is exact", async (clusters) => {
    const found = await coarseLinkage(model, points, COUNT, { clusters, neighbors: COUNT - 1 });
    expectAlike(found, await exactLinkage(model, points, "average"));
  });
});

describe.each(["euclidean", "hyperbolic", "cosine", "square"] as const)("in %s space", (name) => {
  const model = spaceModel(name);
  const points = drawn(COUNT, 2);

  test("single linkage of a complete graph is exact", async () => {
    const found = await coarseLinkage(model, points, COUNT, {
      method: "single",
      clusters: 1,
      neighbors: COUNT - 1,
    });
    expectAlike(found, await exactLinkage(model, points, "single"));
  });

  test("average linkage of a few neighbours is near to exact", async () => {
    const found = await coarseLinkage(model, points, COUNT, { clusters: 30, neighbors: 10 });
    const expected = await exactLinkage(model, points, "average");
    // Where distances are far from linear in their squares, those of mean squares are some percent longer.
    expectAlike(found, expected, name === "cosine" || name === "square" ? 0.02 : 0.1);
    expect(await coarseLinkage(model, points, COUNT, { clusters: 30, neighbors: 10 })).toEqual(found);
  });
});

test("what the graph leaves apart comes together all the same", async () => {
  const model = spaceModel("euclidean");
  // Two neighbours each: eight clouds far from each other make a graph of many components.
  const points = drawn(400, 3, 40);
  for (const method of ["average", "single"] as const) {
    const { sizes, heights } = await coarseLinkage(model, points, 400, { method, clusters: 5, neighbors: 2 });
    expect(sizes.at(-1)).toBe(400);
    expect(heights.every((height, k) => k === 0 || height >= heights[k - 1])).toBe(true);
  }
});

test("identical points come together at height 0", async () => {
  const points = new Float32Array(40 * DIM).fill(0.3);
  const { heights, sizes } = await coarseLinkage(spaceModel("cosine"), points, 40, { clusters: 3 });
  expect(Math.max(...heights)).toBeLessThan(1e-4);
  expect(sizes.at(-1)).toBe(40);
});

test.each([1, 2, 3])("%i points", async (count) => {
  const { sizes } = await coarseLinkage(spaceModel("square"), drawn(count, 4), count, { clusters: 1 });
  expect(sizes.length).toBe(count - 1);
});

test.each(["manhattan", "lorentz", "poincare"] as const)("%s space is refused", async (name) => {
  const found = coarseLinkage(spaceModel(name), drawn(5, 5), 5);
  await expect(found).rejects.toThrow(UsageError);
  await expect(found).rejects.toThrow(new RegExp(`got a model in ${name} space`));
});

test("a signal stops it, progress ends with the last merge", async () => {
  const model = spaceModel("square");
  const seen: number[] = [];
  await coarseLinkage(model, drawn(50, 6), 50, { clusters: 5, progress: (d, t) => seen.push(d, t) });
  expect(seen.slice(-2)).toEqual([49, 49]);
  const reason = new Error("enough");
  const stopped = coarseLinkage(model, drawn(5000, 7), 5000, {
    clusters: 5,
    neighbors: 3,
    signal: AbortSignal.abort(reason),
  });
  await expect(stopped).rejects.toBe(reason);
});
