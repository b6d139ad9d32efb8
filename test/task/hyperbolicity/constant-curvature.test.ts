/** @file Points of constant curvature lie where they should, as far apart as geometry says, and spread as asked. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/error.ts";
import { condensedIndex } from "../../../src/sequence/condensed.ts";
import { Random } from "../../../src/sequence/random.ts";
import {
  curvedCoordinates,
  curvedDistances,
  curvedPoints,
} from "../../../src/task/hyperbolicity/constant-curvature.ts";
import "../../support/allclose.ts";

const CASES = [-4, -1, -0.25, 0, 0.25, 1, 3].flatMap((curvature) =>
  [1, 2, 7].map((dim): [number, number] => [curvature, dim]),
);

describe.each(CASES)("curvature %d, dimension %i", (curvature, dim) => {
  const count = 12;
  const spread = curvature > 0 ? 0.7 : 1.3;
  const points = curvedPoints({ curvature, dim, count, spread, random: new Random(5).fork(curvature, dim) });
  const coordinates = curvedCoordinates(points);
  const width = curvature === 0 ? dim : dim + 1;
  const row = (i: number) => Array.from(coordinates.subarray(i * width, (i + 1) * width));
  /** Inner product of the ambient space. */
  const inner = (a: number[], b: number[]) =>
    a.reduce((sum, x, k) => sum + (k === 0 && curvature < 0 ? -1 : 1) * x * b[k], 0);

  test("points are in the space", () => {
    if (curvature === 0) return expect(coordinates.every(Number.isFinite)).toBe(true);
    for (let i = 0; i < count; i++)
      expect(inner(row(i), row(i))).toBeAllclose(1 / curvature, { rtol: 1e-10 });
  });

  test("distances are the geodesic ones of the coordinates", () => {
    const distances = curvedDistances(points);
    const unit = Math.sqrt(Math.abs(curvature)) || 1;
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++) {
        const cosine = curvature * inner(row(i), row(j));
        const expected =
          curvature === 0
            ? Math.hypot(...row(i).map((x, k) => x - row(j)[k]))
            : (curvature < 0 ? Math.acosh(cosine) : Math.acos(cosine)) / unit;
        expect(distances[condensedIndex(i, j, count)]).toBeAllclose(expected, { rtol: 1e-6, atol: 1e-6 });
      }
    }
  });

  test("the distance from the origin is that of a normal vector", () => {
    const { radii } = curvedPoints({ curvature, dim, count: 4000, spread, random: new Random(2) });
    const square = radii.reduce((sum, radius) => sum + radius ** 2, 0) / radii.length;
    expect(square / (dim * spread ** 2)).toBeAllclose(1, { rtol: 0.08 });
  });
});

test("δ_rel sees curvature times the square of the spread alone", () => {
  const near = curvedDistances(curvedPoints({ curvature: -4, dim: 3, count: 9, random: new Random(1) }));
  const far = curvedDistances(
    curvedPoints({ curvature: -1, dim: 3, count: 9, spread: 2, random: new Random(1) }),
  );
  expect(far).toBeAllclose(near.map((distance) => 2 * distance));
});

test("distances are finite in many dimensions, far out", () => {
  for (const curvature of [-4, 0, 3]) {
    const distances = curvedDistances(
      curvedPoints({ curvature, dim: 527, count: 6, spread: 5, random: new Random(1) }),
    );
    expect(distances.every((distance) => distance > 0 && distance < 1000)).toBe(true);
  }
});

test.each([
  [{ curvature: NaN }, /curvature: must be a finite number, got NaN/],
  [{ dim: 0 }, /dim: must be an integer from 1, got 0/],
  [{ count: 1.5 }, /count: must be an integer from 1, got 1.5/],
  [{ spread: 0 }, /spread: must be above 0, got 0/],
])("refuses %o", (wrong, message) => {
  const draw = () => curvedPoints({ curvature: -1, dim: 2, count: 3, ...wrong, random: new Random(1) });
  expect(draw).toThrow(UsageError);
  expect(draw).toThrow(message);
});
