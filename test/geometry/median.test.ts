/** @file Geometric medians: no other point has a smaller sum of distances, in any space. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import {
  createSpace,
  geometricMedian,
  meanDistance,
  type GeometryName,
  type SpaceOptions,
} from "../../src/geometry/index.ts";
import type { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import { ballPoints, forSeeds, hyperboloidPoints, normals, withNorm } from "./points.ts";

interface Case {
  label: string;
  name: GeometryName;
  options: SpaceOptions;
}

const one = (name: GeometryName, options: SpaceOptions = {}): Case => ({
  label: `${name} ${JSON.stringify(options)}`,
  name,
  options,
});

const power = (exponent: number): SpaceOptions => ({ exponent: true, scale: true, initial: { exponent } });

const CASES: Case[] = [
  one("square"),
  one("euclidean"),
  one("manhattan"),
  one("cosine"),
  one("poincare"),
  one("lorentz", { initial: { radiusSquared: 1.7 } }),
  one("hyperbolic", { initial: { radius: 0.6 } }),
  one("euclidean", { scaling: true, initial: { radius: 3 } }),
  one("square", { scaling: true, initial: { radius: 0.4 } }),
  one("manhattan", { scaling: true }),
  ...(["euclidean", "hyperbolic", "lorentz", "manhattan"] as const).flatMap((name) => [
    one(name, power(1.6)),
    one(name, power(2.7)),
  ]),
  one("square", power(1.5)),
  one("cosine", power(0.6)),
];

/** Points of the space; directions are within a right angle of each other, where medians on a sphere are unique. */
function draw({ name }: Case, space: ReturnType<typeof setUp>, random: Random, count: number, dims: number) {
  if (name === "poincare") return ballPoints(random, count, dims, 3);
  if (name === "lorentz") return hyperboloidPoints(random, count, dims - 1, 3, space.radiusSquared);
  const rows = normals(random, count, dims, 0.4).map(([first, ...rest]) => [first + 1, ...rest]);
  return space.radius === undefined ? rows : rows.map((row) => withNorm(row, space.radius!));
}

function setUp({ name, options }: Case) {
  const space = createSpace(name, options);
  const parameters = space.initialParameters();
  const { radius, radiusSquared = 1 } = space.constants(parameters);
  const onSphere = space.options.scaling && name !== "cosine";
  const flatten = (points: readonly number[][]) => Float64Array.from(points.flat());
  return {
    radius: onSphere ? radius : undefined,
    radiusSquared,
    median: (points: readonly number[][]) =>
      geometricMedian(flatten(points), points[0].length, space, parameters),
    error: (x: ArrayLike<number>, points: readonly number[][]) =>
      meanDistance(x, flatten(points), space, parameters),
    distance: (x: ArrayLike<number>, y: ArrayLike<number>) => space.exactDistance(x, y, parameters),
  };
}

describe.each(CASES)("$label", (each) => {
  const space = setUp(each);
  const { median, error, distance } = space;

  test("the median of one point, or of identical ones, is that point", () => {
    forSeeds((random) => {
      const [x] = draw(each, space, random, 1, 4);
      expect(distance(median([x]), x)).toBeLessThan(1e-6);
      expect(distance(median([x, x, x]), x)).toBeLessThan(1e-6);
    });
  });

  test("no point, and no point near by, is better", () => {
    forSeeds((random) => {
      const points = draw(each, space, random, 9, 3);
      const middle = median(points);
      const least = error(middle, points);
      for (const point of points) expect(least).toBeLessThanOrEqual(error(point, points) * (1 + 1e-9));
      // Towards each of the points, and towards the others drawn.
      for (const target of [...points, ...draw(each, space, random, 40, 3)]) {
        for (const share of [0.3, 0.05, 0.005]) {
          const moved = onSurface(each, space, between(middle, target, share));
          // The taxicab sphere has no exact centres.
          if (each.name === "manhattan" && each.options.scaling) continue;
          expect(error(moved, points)).toBeGreaterThanOrEqual(least * (1 - 1e-7));
        }
      }
    }, 6);
  });

  test("it does not depend on the points' order, and counts copies", () => {
    forSeeds((random) => {
      const points = draw(each, space, random, 7, 3);
      const reversed = median(points.toReversed());
      expect(error(reversed, points)).toBeAllclose(error(median(points), points), { rtol: 1e-6 });
      const [first] = points;
      const copies = [...points, ...Array.from({ length: 8 }, () => first)];
      // More than half of the points are one: where distances bend downwards at 0, nothing pulls it away.
      if (bends(each)) expect(distance(median(copies), first)).toBeLessThan(1e-5);
    });
  });
});

/** Whether a point holds a majority of copies: distances grow no slower near 0 than farther away. */
function bends({ name, options }: Case): boolean {
  const { exponent = 1 } = options.initial ?? {};
  if (options.scaling && name === "manhattan") return false;
  return exponent <= 1 && (name === "euclidean" || name === "manhattan" || name === "hyperbolic" || name === "poincare" || name === "lorentz"); // prettier-ignore
}

function between(x: ArrayLike<number>, y: readonly number[], share: number): number[] {
  return Array.from(x, (value, i) => value + share * (y[i] - value));
}

/** A vector as the nearest point of the space by its direction. */
function onSurface({ name }: Case, { radius, radiusSquared }: ReturnType<typeof setUp>, x: number[]) {
  if (name === "lorentz") {
    const [, ...rest] = x;
    return [Math.sqrt(radiusSquared + rest.reduce((sum, value) => sum + value * value, 0)), ...rest];
  }
  return radius === undefined ? x : withNorm(x, radius);
}

describe("against answers that are known", () => {
  const flat = (name: GeometryName) => setUp(one(name));

  test("square: the mean; cosine: the direction of the sum of directions", () => {
    forSeeds((random) => {
      const points = normals(random, 12, 5).map(([first, ...rest]) => [first + 2, ...rest]);
      const mean = points[0].map((_, j) => points.reduce((sum, row) => sum + row[j], 0) / 12);
      expect(flat("square").median(points)).toBeAllclose(mean, { rtol: 1e-9 });
      const directions = points.map((row) => withNorm(row, 1));
      const sum = points[0].map((_, j) => directions.reduce((total, row) => total + row[j], 0));
      expect(flat("cosine").median(points)).toBeAllclose(withNorm(sum, 1), { rtol: 1e-9 });
    });
  });

  test("manhattan: the median of each coordinate", () => {
    const points = [[0, 5], [1, 9], [7, 2]]; // prettier-ignore
    expect([...flat("manhattan").median(points)]).toEqual([1, 5]);
    expect([...flat("manhattan").median([...points, [3, 3]])]).toEqual([2, 4]);
  });

  test("euclidean: the point of Fermat and Torricelli, and the wide corner of a flat triangle", () => {
    const height = Math.sqrt(3) / 2;
    expect(flat("euclidean").median([[0, 0], [1, 0], [0.5, height]])).toBeAllclose([0.5, height / 3], { atol: 1e-6 }); // prettier-ignore
    // Above 120° the corner is the median: the iteration must stop there, not beside it.
    expect([...flat("euclidean").median([[0, 0], [-1, 0.1], [1, 0.1]])]).toEqual([0, 0]); // prettier-ignore
  });

  test("euclidean: a start that is one of the points, but not the median, is left (Vardi and Zhang)", () => {
    // The centroid is the point at the origin.
    const points = [[0, 0], [4, 0], [-1, 1.5], [-1, -1.5], [-2, 0]]; // prettier-ignore
    const { median, error } = flat("euclidean");
    const middle = median(points);
    expect(error(middle, points)).toBeLessThan(error([0, 0], points) - 1e-3);
    let least = Infinity;
    for (let x = -1.5; x <= 0.5; x += 0.005) least = Math.min(least, error([x, 0], points));
    expect(error(middle, points)).toBeLessThanOrEqual(least + 1e-9);
  });

  test("on a line: the middle point, or anything between the two middle ones", () => {
    const line = (at: number) => [1 + at, 2 + 2 * at];
    const { median, error } = flat("euclidean");
    expect(median([-3, -2, 0.5, 4, 40].map(line))).toBeAllclose(line(0.5), { atol: 1e-6 });
    const two = [0, 1].map(line);
    expect(error(median(two), two)).toBeAllclose(Math.sqrt(5) / 2, { rtol: 1e-9 });
  });

  test.each(["poincare", "lorentz"] as const)("%s, two points: the distance between them, halved", (name) => {
    const { median, error, distance } = flat(name);
    const [x, y] = name === "poincare" ? [[0.5, 0.2], [-0.3, 0.6]] : hyperbola(); // prettier-ignore
    expect(error(median([x, y]), [x, y])).toBeAllclose(distance(x, y) / 2, { rtol: 1e-9 });
  });

  test("poincare and lorentz agree where they are the same space", () => {
    forSeeds((random) => {
      const ball = ballPoints(random, 11, 3, 4);
      const lifted = ball.map((x) => {
        const square = x.reduce((sum, value) => sum + value * value, 0);
        return [(1 + square) / (1 - square), ...x.map((value) => (2 * value) / (1 - square))];
      });
      const { median } = setUp(one("lorentz", { initial: { radiusSquared: 1 } }));
      const [time, ...space] = median(lifted);
      const expected = space.map((value) => value / (1 + time));
      expect(flat("poincare").median(ball)).toBeAllclose(expected, { rtol: 1e-4, atol: 1e-6 });
    });
  });

  test("brute force on a grid in the plane, in the ball, and on a circle", () => {
    forSeeds((random) => {
      const plane = normals(random, 6, 2);
      const ball = ballPoints(random, 6, 2, 2.5);
      const grid = (points: number[][], span: number, { error, median }: ReturnType<typeof setUp>) => {
        let least = Infinity;
        for (let x = -span; x <= span; x += span / 50) {
          for (let y = -span; y <= span; y += span / 50) {
            if (span > 1 || x * x + y * y < 0.98) least = Math.min(least, error([x, y], points));
          }
        }
        const found = error(median(points), points);
        expect(found).toBeLessThanOrEqual(least + 1e-9);
        expect(found).toBeGreaterThan(least - 0.05);
      };
      grid(plane, 2.5, flat("euclidean"));
      grid(ball, 1, flat("poincare"));
      const circle = setUp(one("hyperbolic", { initial: { radius: 0.5 } }));
      const around = plane.map((x) => withNorm(x, 0.5));
      let least = Infinity;
      for (let turn = 0; turn < 2 * Math.PI; turn += 1e-3) {
        least = Math.min(least, circle.error([0.5 * Math.cos(turn), 0.5 * Math.sin(turn)], around));
      }
      expect(circle.error(circle.median(around), around)).toBeLessThanOrEqual(least + 1e-6);
    }, 3);
  });
});

function hyperbola(): number[][] {
  const k = setUp(one("lorentz")).radiusSquared;
  return [[0.4, 0.1], [-0.2, 0.3]].map(([x, y]) => [Math.sqrt(k + x * x + y * y), x, y]); // prettier-ignore
}

test("moves with the points: rotated, shifted and stretched", () => {
  forSeeds((random) => {
    const points = normals(random, 8, 2);
    const turned = points.map(([x, y]) => [5 + 3 * (0.6 * x - 0.8 * y), -2 + 3 * (0.8 * x + 0.6 * y)]);
    const { median } = setUp(one("euclidean"));
    const [x, y] = median(points);
    const expected = [5 + 3 * (0.6 * x - 0.8 * y), -2 + 3 * (0.8 * x + 0.6 * y)];
    expect(median(turned)).toBeAllclose(expected, { rtol: 1e-5, atol: 1e-5 });
  });
});

test("is on the sphere that the points of a scaled space are on", () => {
  const space = setUp(one("hyperbolic", { initial: { radius: 0.7 } }));
  forSeeds((random) => {
    const points = normals(random, 20, 16).map((x) => withNorm(x, 0.7));
    expect(Math.hypot(...space.median(points))).toBeAllclose(0.7, { rtol: 1e-9 });
  });
  // Opposite points have no mean direction; one of them is as good as any.
  expect(Math.hypot(...space.median([[0.7, 0], [-0.7, 0]]))).toBeAllclose(0.7, { rtol: 1e-9 }); // prettier-ignore
});

test("takes time linear in the number of points", () => {
  forSeeds((random) => {
    const { median } = setUp(one("euclidean"));
    const points = normals(random, 3000, 32);
    const started = performance.now();
    median(points);
    // 3,000² distances alone would take seconds.
    expect(performance.now() - started).toBeLessThan(2000);
  }, 1);
});

test.each([
  [[1, 2, 3], 2],
  [[], 2],
])("refuses %j as rows of %i", (numbers, dims) => {
  const space = createSpace("euclidean");
  expect(() => geometricMedian(Float64Array.from(numbers), dims, space, {})).toThrow(UsageError);
});
