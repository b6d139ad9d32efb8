import { grad, init, numpy as np } from "@jax-js/jax";
import * as fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  depthOf,
  exactLcaDepth,
  geodesicArc,
  geodesicFoot,
  lcaDepth,
  lcaPoint,
} from "../../src/geometry/lca.ts";
import { exactPoincareDistance } from "../../src/geometry/index.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

type Point = [number, number];

const at = (norm: number, angle: number): Point => [norm * Math.cos(angle), norm * Math.sin(angle)];

/** The image of x under inversion in the circle of centre c and squared radius `square`. */
function inverted([x, y]: Point, [cx, cy]: Point, square: number): Point {
  const [dx, dy] = [x - cx, y - cy];
  const factor = square / (dx * dx + dy * dy);
  return [cx + factor * dx, cy + factor * dy];
}

/** The construction of SPEC A12, by inversions and a reflection. */
function constructedLca(a: Point, b: Point): Point {
  const square = a[0] ** 2 + a[1] ** 2;
  const centre: Point = [a[0] / square, a[1] / square];
  const power = 1 / square - 1;
  const [px, py] = inverted(b, centre, power);
  const along = (2 * (a[0] * px + a[1] * py)) / (px * px + py * py);
  const reflected: Point = [along * px - a[0], along * py - a[1]];
  const back = inverted(reflected, centre, power);
  const half = 1 + Math.sqrt(1 - back[0] ** 2 - back[1] ** 2);
  return [back[0] / half, back[1] / half];
}

const norms = fc.double({ min: 0.05, max: 0.95, noNaN: true });
const angles = fc.double({ min: 0, max: 2 * Math.PI, noNaN: true });
/** An angle between two points that is neither 0 nor π. */
const apart = fc.double({ min: 0.05, max: 3.09, noNaN: true });

/** `lcaDepth` of one pair in the plane, at float32. */
function depth(u: Point, v: Point, radius: number): number {
  return (lcaDepth(np.array([u]), np.array([v]), radius).dataSync() as Float32Array)[0];
}

/** Its gradient with respect to u. */
function slope(u: Point, v: Point, radius: number): number[] {
  const value = (x: np.Array) => lcaDepth(x, np.array([v]), radius).sum();
  return Array.from(grad(value)(np.array([u])).dataSync() as Float32Array);
}

describe("the foot of the origin on a geodesic", () => {
  test("is what the inversions construct, to 1e-12", () => {
    fc.assert(
      fc.property(norms, norms, angles, apart, (r, s, angle, theta) => {
        const [a, b] = [at(r, angle), at(s, angle + theta)];
        const foot = geodesicFoot(a, b);
        expect(foot).toBeAllclose(constructedLca(a, b), { rtol: 0, atol: 1e-12 });
        expect(Math.tanh(depthOf(foot))).toBeAllclose(inverseCentre(a, b), { rtol: 1e-12, atol: 1e-14 });
      }),
    );
  });

  test("lies on the geodesic, at right angles to its radius", () => {
    const [a, b] = [
      [0.5, 0.1, -0.3],
      [-0.2, 0.6, 0.4],
    ];
    const foot = geodesicFoot(a, b);
    const split = exactPoincareDistance(a, foot) + exactPoincareDistance(foot, b);
    expect(split).toBeCloseTo(exactPoincareDistance(a, b), 12);
    const reached = depthOf(foot);
    for (const t of [-1e-3, 1e-3]) {
      const near = foot.map((value, i) => value + t * (b[i] - a[i]) - t * t);
      expect(exactPoincareDistance(a, near) + exactPoincareDistance(near, b)).toBeGreaterThan(split);
    }
    expect(reached).toBeLessThan(depthOf(a));
    expect(reached).toBeLessThan(depthOf(b));
  });

  test("at one norm is artanh(2ρ·cos(θ/2)/(1 + ρ²)) away", () => {
    fc.assert(
      fc.property(norms, angles, apart, (r, angle, theta) => {
        const expected = Math.atanh((2 * r * Math.cos(theta / 2)) / (1 + r * r));
        expect(depthOf(geodesicFoot(at(r, angle), at(r, angle + theta)))).toBeAllclose(expected, {
          rtol: 1e-12,
        });
        expect(exactLcaDepth((2 * Math.sin(theta / 2)) ** 2, r)).toBeAllclose(expected, { rtol: 1e-12 });
      }),
    );
  });

  test("is the origin between opposite points, and the point itself of one", () => {
    expect(geodesicFoot([0.6, 0], [-0.3, 0])).toBeAllclose([0, 0]);
    expect(geodesicFoot([0.6, 0.2], [0.6, 0.2])).toBeAllclose([0.6, 0.2]);
    expect(exactLcaDepth(4, 0.7)).toBe(0);
    expect(exactLcaDepth(0, 0.7)).toBeCloseTo(2 * Math.atanh(0.7), 14);
  });
});

/** 1/‖c‖ from the linear system of SPEC A12. */
function inverseCentre(a: Point, b: Point): number {
  const dot = (x: Point, y: Point) => x[0] * y[0] + x[1] * y[1];
  const [p, q] = [(1 + dot(a, a)) / 2, (1 + dot(b, b)) / 2];
  const determinant = dot(a, a) * dot(b, b) - dot(a, b) ** 2;
  const alpha = (p * dot(b, b) - q * dot(a, b)) / determinant;
  const beta = (q * dot(a, a) - p * dot(a, b)) / determinant;
  return 1 / Math.hypot(alpha * a[0] + beta * b[0], alpha * a[1] + beta * b[1]);
}

describe("the ancestor of two points", () => {
  test("is the foot where it lies between them", () => {
    const [a, b] = [at(0.6, 0.2), at(0.7, 1.9)];
    expect(lcaPoint(a, b)).toBeAllclose(geodesicFoot(a, b));
  });

  test("is the shallower one where that lies towards the origin", () => {
    expect(lcaPoint(at(0.9, 0.3), at(0.4, 0.3))).toBeAllclose(at(0.4, 0.3));
    expect(lcaPoint(at(0.4, 0.31), at(0.9, 0.3))).toBeAllclose(at(0.4, 0.31));
    expect(lcaPoint([0, 0], [0.5, 0])).toBeAllclose([0, 0]);
    expect(lcaPoint([-0.1, 0], [0.5, 0])).toBeAllclose([0, 0]);
    // Of which the squares of the differences vanish.
    expect(lcaPoint([0.05, 0], [0.05, 4e-162])).toBeAllclose([0.05, 0]);
    expect(lcaPoint([0.05, 0], [0.05, 4e-310])).toBeAllclose([0.05, 0]);
  });

  test("is never deeper than either", () => {
    fc.assert(
      fc.property(norms, norms, angles, angles, (r, s, angle, other) => {
        const found = depthOf(lcaPoint(at(r, angle), at(s, other)));
        expect(found).toBeLessThanOrEqual(Math.min(depthOf([r]), depthOf([s])) + 1e-9);
      }),
    );
  });
});

describe("the arc of a geodesic", () => {
  test("goes through both points and meets the unit circle at right angles", () => {
    const [a, b] = [at(0.6, 0.2), at(0.9, 1.9)];
    const { centre, radius } = geodesicArc(a, b)!;
    for (const [x, y] of [a, b]) expect(Math.hypot(x - centre[0], y - centre[1])).toBeCloseTo(radius, 12);
    expect(centre[0] ** 2 + centre[1] ** 2).toBeCloseTo(1 + radius ** 2, 12);
  });

  test("is straight along a diameter", () => {
    expect(geodesicArc([0.2, 0.1], [-0.4, -0.2])).toBeUndefined();
  });
});

describe("the differentiable depth", () => {
  test("keeps float32's digits for near and for opposite leaves, out to the rim", () => {
    for (const radius of [0.01, 0.5, 0.999]) {
      for (const theta of [1e-4, 0.01, 1, 3, Math.PI - 1e-3]) {
        const expected = exactLcaDepth((2 * Math.sin(theta / 2)) ** 2, radius);
        expect(depth([1, 0], at(1, theta), radius)).toBeAllclose(expected, { rtol: 3e-6, atol: 2e-7 });
      }
    }
  });

  test("has the gradient of the closed form", () => {
    for (const [theta, radius] of [
      [0.3, 0.2],
      [1.2, 0.9],
      [2.8, 0.999],
    ]) {
      const value = ([x, y]: Point) => {
        const [vx, vy] = at(1, theta);
        const cosine = Math.hypot(x + vx, y + vy) / 2;
        const square = ((x - vx) ** 2 + (y - vy) ** 2) / 4;
        const below = (1 - radius) ** 2 + (2 * radius * square) / (1 + cosine);
        return Math.log1p((4 * radius * cosine) / below) / 2;
      };
      const h = 1e-6;
      const differences = [
        (value([1 + h, 0]) - value([1 - h, 0])) / (2 * h),
        (value([1, h]) - value([1, -h])) / (2 * h),
      ];
      expect(slope([1, 0], at(1, theta), radius)).toBeAllclose(differences, { rtol: 1e-4, atol: 1e-5 });
    }
  });

  test("has finite gradients at equal and at opposite leaves", () => {
    for (const radius of [0.01, 0.999]) {
      expect(slope([1, 0], [1, 0], radius).every(Number.isFinite)).toBe(true);
      expect(slope([1, 0], [-1, 0], radius)).toBeAllclose([0, 0]);
      expect(depth([1, 0], [-1, 0], radius)).toBe(0);
      expect(depth([1, 0], [1, 0], radius)).toBeAllclose(2 * Math.atanh(radius), { rtol: 1e-5 });
    }
  });
});
