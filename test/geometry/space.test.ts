import { defaultDevice, grad, init, jit } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";
import { createSpace } from "../../src/geometry/index.ts";
import type {
  GeometryName,
  Parameters,
  ParameterValues,
  Space,
  SpaceOptions,
} from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import { forSeeds, matrix, normals, read, refs, rows, scalars, useReferenceBackend } from "./points.ts";

beforeAll(useReferenceBackend);

interface Case {
  label: string;
  name: GeometryName;
  options: SpaceOptions;
  metric: boolean;
}

const one = (name: GeometryName, metric: boolean, options: SpaceOptions = {}): Case => ({
  label: `${name} ${JSON.stringify(options)}`,
  name,
  options,
  metric,
});

const cases: Case[] = [
  one("square", false),
  one("square", false, { scaling: true, initial: { radius: 3, scale: 0.7 } }),
  one("euclidean", true),
  one("euclidean", true, { scaling: true, initial: { radius: 3, scale: 0.7 } }),
  one("manhattan", true),
  one("manhattan", true, { scaling: true, initial: { radius: 3, scale: 0.7 } }),
  one("cosine", false),
  one("cosine", false, { scaling: true, initial: { scale: 0.7 } }),
  one("poincare", true),
  one("poincare", true, { scale: true, initial: { scale: 2.5 } }),
  one("hyperbolic", true),
  one("hyperbolic", true, { initial: { radius: 0.7, scale: 0.4 } }),
  one("hyperbolic", true, { initial: { radius: 0.99, scale: 0.4 } }),
  one("hyperbolic", false, { exponent: true, initial: { radius: 0.4, scale: 0.3, exponent: 1.7 } }),
  one("euclidean", false, { exponent: true, scale: true, initial: { scale: 0.3, exponent: 1.7 } }),
  one("lorentz", true),
  one("lorentz", true, { initial: { radius: 6, radiusSquared: 1 } }),
  one("lorentz", true, { scale: true, initial: { radius: 0.3, radiusSquared: 1.7, scale: 0.4 } }),
];

const DIMS = 4;

/** A space's functions as single kernels, which consume their parameters: eager calls are slow. */
type Compiled = ReturnType<typeof compile>;

function compile(space: Space) {
  const predict = (x: np.Array, y: np.Array, p: Parameters): np.Array =>
    space.distance(space.project(x, p), space.project(y, p), p).sum();
  const predictAll = (x: np.Array, y: np.Array, p: Parameters): np.Array =>
    space.distances(space.project(x, p), space.project(y, p), p).sum();
  return {
    project: jit((z: np.Array, p: Parameters) => space.project(z, p)),
    distance: jit((x: np.Array, y: np.Array, p: Parameters) => space.distance(x, y, p)),
    distances: jit((x: np.Array, y: np.Array, p: Parameters) => space.distances(x, y, p)),
    gradient: jit(grad(predict, { argnums: [0, 1, 2] })),
    gradientAll: jit(grad(predictAll, { argnums: [0, 1, 2] })),
  };
}

/** Encoder outputs; in the ball for `poincare`, anywhere else. */
function encoded(random: Random, count: number): number[][] {
  return normals(random, count, DIMS, 0.3);
}

/** Points of the space that encoder outputs are projected to. */
function pointsOf(compiled: Compiled, p: Parameters, random: Random, count: number): number[][] {
  return rows(compiled.project(matrix(encoded(random, count)), refs(p)));
}

function exactPairs(space: Space, x: number[][], y: number[][], p: ParameterValues): number[] {
  return x.map((row, i) => space.exactDistance(row, y[i], p));
}

describe.each(cases)("$label", ({ name, options, metric }) => {
  const space = createSpace(name, options);
  const values = space.initialParameters();
  const compiled = compile(space);

  test("distance in float32 is the float64 distance", () => {
    const p = scalars(values);
    forSeeds((random) => {
      const x = pointsOf(compiled, p, random, 20);
      const y = pointsOf(compiled, p, random, 20);
      const exact = exactPairs(space, x, y, values);
      expect(compiled.distance(matrix(x), matrix(y), refs(p))).toBeAllclose(exact, { rtol: 1e-5 });
    });
  });

  test("is symmetric, and 0 between equal points", () => {
    const p = scalars(values);
    forSeeds((random) => {
      const x = pointsOf(compiled, p, random, 8);
      const y = pointsOf(compiled, p, random, 8);
      const there = compiled.distance(matrix(x), matrix(y), refs(p));
      const back = compiled.distance(matrix(y), matrix(x), refs(p));
      expect(there).toBeAllclose(back, { rtol: 1e-6 });
      expect(compiled.distance(matrix(x), matrix(x), refs(p))).toBeAllclose(new Float32Array(8), { atol: 0 });
      expect(exactPairs(space, x, x, values)).toEqual(Array(8).fill(0));
      expect(exactPairs(space, x, y, values).every((d) => d > 0)).toBe(true);
    });
  });

  test.runIf(metric)("keeps the triangle inequality", () => {
    const p = scalars(values);
    forSeeds((random) => {
      const [x, y, z] = pointsOf(compiled, p, random, 3);
      const through = space.exactDistance(x, y, values) + space.exactDistance(y, z, values);
      expect(space.exactDistance(x, z, values)).toBeLessThanOrEqual(through * (1 + 1e-12));
    });
  });

  test.runIf(name !== "manhattan")("does not change under rotation", () => {
    const p = scalars(values);
    const [c, s] = [Math.cos(0.8), Math.sin(0.8)];
    // The hyperboloid's first coordinate is time, and stays.
    const rotate = (point: number[]): number[] => {
      const [a, b] = point.slice(-2);
      return [...point.slice(0, -2), c * a - s * b, s * a + c * b];
    };
    forSeeds((random) => {
      const [x, y] = pointsOf(compiled, p, random, 2);
      const d = space.exactDistance(x, y, values);
      expect(space.exactDistance(rotate(x), rotate(y), values)).toBeAllclose(d, { rtol: 1e-10 });
    });
  });

  test.runIf(space.options.scaling && name !== "cosine")("scaling forgets the length of the output", () => {
    const p = scalars(values);
    const z = encoded(new Random(1), 2);
    const longer = z.map((row) => row.map((value) => value * 7));
    const points = compiled.project(matrix(longer), refs(p));
    expect(points).toBeAllclose(compiled.project(matrix(z), refs(p)), { rtol: 1e-5 });
  });

  test("all pairs at once are the pairs one by one", () => {
    const p = scalars(values);
    forSeeds((random) => {
      const x = pointsOf(compiled, p, random, 3);
      const y = pointsOf(compiled, p, random, 4);
      const all = compiled.distances(matrix(x), matrix(y), refs(p));
      expect(all.shape).toEqual([3, 4]);
      const exact = x.flatMap((row) => y.map((other) => space.exactDistance(row, other, values)));
      expect(all).toBeAllclose(exact, { rtol: 1e-4, atol: 1e-6 });
    });
  });

  test("gradients are those of finite differences in float64", () => {
    const random = new Random(7);
    const x = encoded(random, 3);
    const y = encoded(random, 3);
    const [dx, dy, dp] = compiled.gradient(matrix(x), matrix(y), scalars(values));

    const step = 1e-5;
    const project = (z: number[][], values: ParameterValues): number[][] =>
      rows(compiled.project(matrix(z, "float64"), scalars(values, "float64")));
    /** Slopes of the distance between `projected[i]` and row i of `z`, for each coordinate of `z`. */
    const slopes = (z: number[][], projected: number[][]): number[] => {
      const shifted = (by: number): number[][] =>
        z.flatMap((row) => row.map((_, j) => row.map((value, i) => (i === j ? value + by : value))));
      const moved = project([...shifted(step), ...shifted(-step)], values);
      const count = z.length * DIMS;
      return Array.from({ length: count }, (_, i) => {
        const other = projected[Math.floor(i / DIMS)];
        const up = space.exactDistance(moved[i], other, values);
        return (up - space.exactDistance(moved[count + i], other, values)) / (2 * step);
      });
    };
    const total = (values: ParameterValues): number => {
      const distances = exactPairs(space, project(x, values), project(y, values), values);
      return distances.reduce((sum, d) => sum + d, 0);
    };
    const tolerance = { rtol: 1e-3, atol: 1e-4 * total(values) };
    expect(dx).toBeAllclose(slopes(x, project(y, values)), tolerance);
    expect(dy).toBeAllclose(slopes(y, project(x, values)), tolerance);
    for (const [name, value] of Object.entries(values)) {
      const difference =
        total({ ...values, [name]: value + step }) - total({ ...values, [name]: value - step });
      expect(dp[name], name).toBeAllclose(difference / (2 * step), tolerance);
    }
  });

  test("gradients are finite where points coincide, and for a zero vector", () => {
    const zero = Array<number>(DIMS).fill(0);
    const left = matrix([[0.1, 0.2, 0.3, 0.1], zero, zero]);
    const right = matrix([[0.1, 0.2, 0.3, 0.1], zero, [0.3, -0.1, 0.2, 0.1]]);
    for (const gradient of [compiled.gradient, compiled.gradientAll]) {
      const [dx, dy, dp] = gradient(left.ref, right.ref, scalars(values));
      for (const slopes of [dx, dy, ...Object.values(dp)]) {
        expect(read(slopes).every(Number.isFinite)).toBe(true);
      }
    }
  });

  test("borrows its parameters", () => {
    const p = scalars(values);
    const z = matrix([[0.1, 0.2, 0.3, 0.1]]);
    space.distance(space.project(z.ref, p), space.project(z, p), p).dispose();
    for (const scalar of Object.values(p)) expect(scalar.refCount).toBe(1);
  });
});

test("the hyperbolic distance on a sphere is that of the ball (SPEC G3)", () => {
  const space = createSpace("hyperbolic", { initial: { radius: 0.7 } });
  const x = [0.7, 0];
  const y = [0.7 * Math.cos(1.1), 0.7 * Math.sin(1.1)];
  expect(space.exactDistance(x, y, space.initialParameters())).toBeCloseTo(2.316119716624265, 14);
  expect(createSpace("poincare").exactDistance(x, y, {})).toBeCloseTo(2.316119716624265, 14);
  const p = scalars(space.initialParameters());
  expect(space.distance(matrix([x]), matrix([y]), p)).toBeAllclose([2.316119716624265], { rtol: 5e-7 });
  const sameAngle = space.project(matrix([[3, 0], y]), p);
  expect(sameAngle).toBeAllclose([...x, ...y], { rtol: 1e-6 });
});

test("lorentz starts on one sphere, 2·√k from the origin, and is free to leave it", () => {
  const space = createSpace("lorentz");
  const p = scalars(space.initialParameters());
  const origin = [Math.sqrt(0.0225), 0, 0, 0];
  const fromOrigin = (z: number[]): number => {
    const [x] = rows(space.project(matrix([z]), p));
    return space.exactDistance(origin, x, space.initialParameters());
  };
  expect(fromOrigin([0, 1, 2, 3])).toBeCloseTo(2 * 0.15, 6);
  expect(fromOrigin([0, -9, 2, 0])).toBeCloseTo(2 * 0.15, 6);
  expect(fromOrigin([1, 1, 2, 3])).toBeGreaterThan(2 * 0.15);
  expect(fromOrigin([-1, 1, 2, 3])).toBeLessThan(2 * 0.15);
  // It goes as far as a logit of 2 more takes it, and 2 less.
  const most = 2 * Math.atanh(0.999);
  for (const way of [-1, 1]) {
    const odds = (2 / (most - 2)) * Math.exp(2 * way);
    expect(fromOrigin([way * 1e6, 1, 2, 3])).toBeCloseTo(0.15 * most * (odds / (1 + odds)), 5);
  }
});

test("a free point outside the ball is brought back in", () => {
  const space = createSpace("poincare");
  expect(
    space.project(
      matrix([
        [3, 4],
        [0.3, 0.4],
      ]),
      {},
    ),
  ).toBeAllclose([0.6 * 0.999, 0.8 * 0.999, 0.3, 0.4]);
});

test("constants are the numbers behind the raw parameters", () => {
  expect(createSpace("hyperbolic").constants({ radius: 2, scale: 0.5 })).toEqual({
    curvature: -1,
    radius: 0.999,
    scale: 0.5,
  });
  const lorentz = createSpace("lorentz", { initial: { radius: 3, radiusSquared: 4 } });
  const constants = lorentz.constants(lorentz.initialParameters());
  expect([constants.radius, constants.radiusSquared, constants.curvature]).toBeAllclose([3, 4, -0.25]);
  expect(createSpace("euclidean").constants({})).toEqual({});
});

test("what cannot be meant is refused", () => {
  expect(() => createSpace("spherical" as GeometryName)).toThrow(
    /geometry: must be one of .*, got spherical/,
  );
  expect(() => createSpace("hyperbolic", { scaling: false })).toThrow(/use poincare/);
  expect(() => createSpace("lorentz", { scaling: true })).toThrow(/use hyperbolic/);
  expect(() => createSpace("hyperbolic", { initial: { radius: 1 } })).toThrow(/initial radius: .*got 1$/);
  expect(() => createSpace("lorentz", { initial: { radiusSquared: -1 } })).toThrow(/initial radiusSquared/);
});

test("agrees on the WebAssembly backend", async () => {
  await init("wasm");
  defaultDevice("wasm");
  try {
    const space = createSpace("hyperbolic", { initial: { radius: 0.7 } });
    const p = scalars(space.initialParameters());
    const d = space.distances(matrix([[0.7, 0]]), matrix([[0.7 * Math.cos(1.1), 0.7 * Math.sin(1.1)]]), p);
    // Its logarithm is good to five digits.
    expect(d).toBeAllclose([2.316119716624265], { rtol: 2e-5 });
  } finally {
    defaultDevice("cpu");
  }
});

test("lorentz: no output brings a point to the origin or out of reach, and its gradient does not vanish", () => {
  const space = createSpace("lorentz", { initial: { radius: 2, radiusSquared: 1 } });
  const values = space.initialParameters();
  const compiled = compile(space);
  const near = [0.3, 1, 0, 0];
  for (const shift of [-1e4, -50, 50, 1e4]) {
    const z = [shift, 0, 1, 0];
    const [[time]] = rows(compiled.project(matrix([z]), refs(scalars(values))));
    const radius = Math.acosh(time);
    expect(radius).toBeGreaterThan(0.3);
    expect(radius).toBeLessThan(12);
    const [slopes] = compiled.gradient(matrix([z]), matrix([near]), refs(scalars(values)));
    const [slope] = rows(slopes)[0];
    expect(Math.abs(slope)).toBeGreaterThan(1e-9);
    expect(slope).toBeLessThan(Infinity);
  }
});
