import { beforeAll, expect, test } from "vitest";
import {
  createSpace,
  exactLorentzDistance,
  lorentzDistance,
  lorentzDistances,
} from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import { matrix, normals, onHyperboloid, read, useReferenceBackend, withNorm } from "./points.ts";

beforeAll(useReferenceBackend);

const round = (point: readonly number[]): number[] => point.map(Math.fround);

/** Directions, and others at an angle of about `angle` from them. */
function directions(random: Random, count: number, angle: number): [number[][], number[][]] {
  const first = normals(random, count, 4).map((v) => withNorm(v, 1));
  const second = first.map((v) => {
    const nudge = normals(random, 1, 4, angle)[0];
    return withNorm(
      v.map((value, i) => value + nudge[i]),
      1,
    );
  });
  return [first, second];
}

test.each([1, 1e-1, 1e-2, 1e-3, 1e-5])(
  "lorentz: 1e-5 relative error at radius 8 in float32, %d rad apart, where arcosh loses all",
  (angle) => {
    const [u, v] = directions(new Random(1), 40, angle);
    const place = (direction: number[]): number[] =>
      round(onHyperboloid(withNorm(direction, Math.sinh(8)), 1));
    const [x, y] = [u.map(place), v.map(place)];
    const exact = x.map((row, i) => exactLorentzDistance(row, y[i], 1));
    expect(lorentzDistance(matrix(x), matrix(y), 1)).toBeAllclose(exact, { rtol: 1e-5, atol: 0 });

    const naive = x.map((row, i) => {
      const inner = row.reduce((sum, value, j) => Math.fround(sum + (j ? value : -value) * y[i][j]), 0);
      return Math.acosh(Math.max(1, -inner));
    });
    const worst = Math.max(...naive.map((d, i) => Math.abs(d / exact[i] - 1)));
    if (angle <= 1e-3) expect(worst).toBeGreaterThan(0.1);
  },
);

test("lorentz: at different radii, from the origin to radius 8", () => {
  const random = new Random(2);
  const [u, v] = directions(random, 60, 0.3);
  const place = (direction: number[]): number[] =>
    round(onHyperboloid(withNorm(direction, Math.sinh(8 * random.uniform() ** 3)), 1));
  const [x, y] = [u.map(place), v.map(place)];
  expect(lorentzDistance(matrix(x), matrix(y), 1)).toBeAllclose(
    x.map((row, i) => exactLorentzDistance(row, y[i], 1)),
    { rtol: 1e-5, atol: 0 },
  );
});

test("lorentz: well separated pairs at radius 8 keep 1e-4 in the matrix form", () => {
  const x = normals(new Random(3), 12, 8).map((v) => round(onHyperboloid(withNorm(v, Math.sinh(8)), 1)));
  const exact = x.flatMap((row) => x.map((other) => exactLorentzDistance(row, other, 1)));
  const all = read(lorentzDistances(matrix(x), matrix(x), 1));
  const apart = exact.map((d, i) => [d, all[i]]).filter(([d]) => d > 1);
  expect(apart.length).toBe(12 * 11);
  expect(apart.map(([, d]) => d)).toBeAllclose(
    apart.map(([d]) => d),
    { rtol: 1e-4 },
  );
});

test.each([
  [0.9, 2e-6],
  [0.99, 1e-5],
  [0.999, 5e-5],
])("poincare: at norm %d the relative error is at most %d, near and far", (norm, rtol) => {
  const space = createSpace("poincare");
  for (const angle of [1, 1e-2, 1e-4]) {
    const [u, v] = directions(new Random(4), 40, angle);
    const place = (direction: number[]): number[] => round(withNorm(direction, norm));
    const [x, y] = [u.map(place), v.map(place)];
    const exact = x.map((row, i) => space.exactDistance(row, y[i], {}));
    expect(space.distance(matrix(x), matrix(y), {})).toBeAllclose(exact, { rtol, atol: 0 });
  }
});
