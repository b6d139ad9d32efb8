import { jit } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";
import {
  ballExp,
  ballExp0,
  ballLog,
  ballLog0,
  ballProject,
  ballTransport,
  conformalFactor,
  exactLorentzDistance,
  exactPoincareDistance,
  fromBall,
  gyration,
  hyperboloidCentroid,
  hyperboloidExp,
  hyperboloidExp0,
  hyperboloidLog,
  hyperboloidLog0,
  hyperboloidPoint,
  hyperboloidProject,
  hyperboloidTransport,
  lorentzInner,
  mobiusAdd,
  mobiusScale,
  tangentNorm,
  tangentProject,
  toBall,
} from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import type { Precision } from "./points.ts";
import {
  ballPoints,
  forSeeds,
  hyperboloidPoints,
  matrix,
  normals,
  onHyperboloid,
  read,
  rows,
  useReferenceBackend,
} from "./points.ts";

beforeAll(useReferenceBackend);

/** A manifold's maps under one set of names, and how to draw from it. */
interface Manifold {
  label: string;
  points: (random: Random, count: number) => number[][];
  /** Tangent vectors at `x`. */
  tangents: (random: Random, x: number[][]) => number[][];
  exp: (x: np.Array, u: np.Array) => np.Array;
  log: (x: np.Array, y: np.Array) => np.Array;
  transport: (x: np.Array, y: np.Array, u: np.Array) => np.Array;
  inner: (x: number[], u: number[], v: number[]) => number;
  distance: (x: number[], y: number[]) => number;
}

const dot = (u: readonly number[], v: readonly number[]): number =>
  u.reduce((sum, value, i) => sum + value * v[i], 0);
const minkowski = (u: readonly number[], v: readonly number[]): number => dot(u, v) - 2 * u[0] * v[0];

const ball: Manifold = {
  label: "ball",
  points: (random, count) => ballPoints(random, count, 3, 4),
  tangents: (random, x) => x.map((row) => normals(random, 1, 3, (1 - dot(row, row)) / 2)[0]),
  exp: jit(ballExp),
  log: jit(ballLog),
  transport: jit(ballTransport),
  inner: (x, u, v) => dot(u, v) * (2 / (1 - dot(x, x))) ** 2,
  distance: exactPoincareDistance,
};

/** k in the precision of `x`: a number would be rounded to float32 when it is traced. */
const like = (x: np.Array, k: number): np.Array => matrix([[k]], x.dtype as Precision).reshape([]);

/** Compiled once for all curvatures. */
const onHyperboloids = {
  exp: jit(hyperboloidExp),
  log: jit(hyperboloidLog),
  transport: jit(hyperboloidTransport),
};

const hyperboloid = (k: number): Manifold => ({
  label: `hyperboloid k=${k}`,
  points: (random, count) => hyperboloidPoints(random, count, 3, 3, k),
  tangents: (random, x) =>
    x.map((row) => {
      const u = normals(random, 1, 4, Math.sqrt(k) / (row[0] / Math.sqrt(k)))[0];
      const along = minkowski(row, u) / k;
      return u.map((value, i) => value + row[i] * along);
    }),
  exp: (x, u) => onHyperboloids.exp(x, u, like(x, k)),
  log: (x, y) => onHyperboloids.log(x, y, like(x, k)),
  transport: (x, y, u) => onHyperboloids.transport(x, y, u, like(x, k)),
  inner: (_x, u, v) => minkowski(u, v),
  distance: (x, y) => exactLorentzDistance(x, y, k),
});

const CURVATURES = [0.1, 1, 1.7, 10];
const manifolds = [ball, ...CURVATURES.map(hyperboloid)];
const tolerances: Record<Precision, number> = { float64: 1e-8, float32: 1e-3 };
const COUNT = 8;

describe.each(manifolds)("$label", (manifold) => {
  describe.each(["float64", "float32"] as const)("%s", (precision) => {
    const close = { rtol: tolerances[precision], atol: tolerances[precision] };
    const array = (values: number[][]): np.Array => matrix(values, precision);
    const { inner } = manifold;

    test("exp undoes log, and log undoes exp", () => {
      forSeeds((random) => {
        const x = manifold.points(random, COUNT);
        const y = manifold.points(random, COUNT);
        expect(manifold.exp(array(x), manifold.log(array(x), array(y)))).toBeAllclose(y.flat(), close);
        const u = manifold.tangents(random, x);
        expect(manifold.log(array(x), manifold.exp(array(x), array(u)))).toBeAllclose(u.flat(), close);
      });
    });

    test("log is as long as the distance", () => {
      forSeeds((random) => {
        const x = manifold.points(random, COUNT);
        const y = manifold.points(random, COUNT);
        const lengths = rows(manifold.log(array(x), array(y))).map((u, i) => Math.sqrt(inner(x[i], u, u)));
        expect(lengths).toBeAllclose(
          x.map((row, i) => manifold.distance(row, y[i])),
          { ...close, rtol: 5 * close.rtol },
        );
      });
    });

    test("transport keeps inner products, is undone by the way back, and takes log to minus log", () => {
      forSeeds((random) => {
        const x = manifold.points(random, COUNT);
        const y = manifold.points(random, COUNT);
        const u = manifold.tangents(random, x);
        const v = manifold.tangents(random, x);
        const movedU = rows(manifold.transport(array(x), array(y), array(u)));
        const movedV = rows(manifold.transport(array(x), array(y), array(v)));
        expect(movedU.map((row, i) => inner(y[i], row, movedV[i]))).toBeAllclose(
          u.map((row, i) => inner(x[i], row, v[i])),
          { rtol: 10 * close.rtol, atol: 10 * close.rtol * inner(x[0], u[0], u[0]) },
        );
        const back = manifold.transport(array(y), array(x), array(movedU));
        expect(back).toBeAllclose(u.flat(), { rtol: close.rtol, atol: 5 * close.atol });
        const ahead = manifold.transport(array(x), array(y), manifold.log(array(x), array(y)));
        const behind = manifold.log(array(y), array(x)).neg();
        expect(ahead).toBeAllclose(behind, { rtol: close.rtol, atol: 5 * close.atol });
      });
    });

    test("a zero step stays, and the way to itself is zero", () => {
      const x = manifold.points(new Random(3), COUNT);
      const zero = x.map((row) => row.map(() => 0));
      expect(manifold.exp(array(x), array(zero))).toBeAllclose(x.flat(), close);
      expect(manifold.log(array(x), array(x))).toBeAllclose(zero.flat(), { atol: 1e-12 });
      const u = manifold.tangents(new Random(4), x);
      expect(manifold.transport(array(x), array(x), array(u))).toBeAllclose(u.flat(), close);
    });
  });
});

describe("Möbius operations", () => {
  const draw = (seed: number): number[][] => ballPoints(new Random(seed), COUNT, 3, 4);
  const close = { rtol: 1e-9, atol: 1e-12 };
  const [x, y, z] = [draw(1), draw(2), draw(3)];
  const add = (x: number[][], y: number[][]): number[][] =>
    rows(mobiusAdd(matrix(x, "float64"), matrix(y, "float64")));
  const minus = (x: number[][]): number[][] => x.map((row) => row.map((value) => -value));

  test("the origin is neutral, −x is inverse, and cancels on the left", () => {
    const zero = x.map((row) => row.map(() => 0));
    expect(add(x, zero).flat()).toBeAllclose(x.flat(), close);
    expect(add(minus(x), x).flat()).toBeAllclose(zero.flat(), close);
    expect(add(minus(x), add(x, y)).flat()).toBeAllclose(y.flat(), close);
  });

  test("adding on the left keeps distances", () => {
    const before = x.map((row, i) => exactPoincareDistance(row, y[i]));
    const [left, right] = [add(z, x), add(z, y)];
    expect(left.map((row, i) => exactPoincareDistance(row, right[i]))).toBeAllclose(before, close);
  });

  test("gyration is a rotation, and repairs associativity", () => {
    const turned = rows(gyration(matrix(x, "float64"), matrix(y, "float64"), matrix(z, "float64")));
    expect(turned.map((row) => dot(row, row))).toBeAllclose(
      z.map((row) => dot(row, row)),
      close,
    );
    expect(add(x, add(y, z)).flat()).toBeAllclose(add(add(x, y), turned).flat(), close);
  });

  test("scalar multiplication repeats addition, and scales the distance from the origin", () => {
    expect(mobiusScale(3, matrix(x, "float64"))).toBeAllclose(add(x, add(x, x)).flat(), close);
  });

  test("maps at the origin are the maps at x = 0; the conformal factor there is 2", () => {
    const zero = x.map((row) => row.map(() => 0));
    const u = normals(new Random(5), COUNT, 3);
    const general = ballExp(matrix(zero, "float64"), matrix(u, "float64"));
    expect(ballExp0(matrix(u, "float64"))).toBeAllclose(general, close);
    expect(ballLog0(ballExp0(matrix(u, "float64")))).toBeAllclose(u.flat(), close);
    expect(conformalFactor(matrix(zero))).toBeAllclose(Array<number>(COUNT).fill(2));
  });

  test("projection shortens what lies outside, and only that", () => {
    expect(
      ballProject(
        matrix([
          [0, 4],
          [0.1, 0.2],
        ]),
        0.9,
      ),
    ).toBeAllclose([0, 0.9, 0.1, 0.2]);
  });
});

describe.each(CURVATURES)("hyperboloid, k = %d", (k) => {
  const x = hyperboloidPoints(new Random(1), COUNT, 3, 3, k);
  const y = hyperboloidPoints(new Random(2), COUNT, 3, 3, k);
  const array = (values: number[][]): np.Array => matrix(values, "float64");
  const close = { rtol: 1e-9, atol: 1e-12 };

  test("the ball and the hyperboloid are the same space, times √k", () => {
    const [p, q] = [rows(toBall(array(x), k)), rows(toBall(array(y), k))];
    expect(p.map((row, i) => Math.sqrt(k) * exactPoincareDistance(row, q[i]))).toBeAllclose(
      x.map((row, i) => exactLorentzDistance(row, y[i], k)),
      close,
    );
    expect(fromBall(array(p), k)).toBeAllclose(x.flat(), close);
  });

  test("the distance is √k·arcosh(−⟨x, y⟩_L/k)", () => {
    expect(x.map((row, i) => exactLorentzDistance(row, y[i], k))).toBeAllclose(
      x.map((row, i) => Math.sqrt(k) * Math.acosh(-minkowski(row, y[i]) / k)),
      close,
    );
  });

  test("a boost keeps distances", () => {
    const [c, s] = [Math.cosh(0.8), Math.sinh(0.8)];
    const boost = ([t, a, ...rest]: number[]): number[] => [c * t + s * a, s * t + c * a, ...rest];
    expect(x.map((row, i) => exactLorentzDistance(boost(row), boost(y[i]), k))).toBeAllclose(
      x.map((row, i) => exactLorentzDistance(row, y[i], k)),
      close,
    );
  });

  test("transport in closed form is the one through logarithms (SPEC G5)", () => {
    const u = hyperboloid(k).tangents(new Random(3), x);
    const logXY = rows(hyperboloidLog(array(x), array(y), k));
    const logYX = rows(hyperboloidLog(array(y), array(x), k));
    const through = u.map((row, i) => {
      const factor = minkowski(logXY[i], row) / exactLorentzDistance(x[i], y[i], k) ** 2;
      return row.map((value, j) => value - factor * (logXY[i][j] + logYX[i][j]));
    });
    const moved = rows(hyperboloidTransport(array(x), array(y), array(u), k));
    expect(moved.flat()).toBeAllclose(through.flat(), close);
    expect(moved.map((row) => minkowski(row, row))).toBeAllclose(
      u.map((row) => minkowski(row, row)),
      { rtol: 1e-8 },
    );
  });

  test("maps at the origin are the maps at o = (√k, 0, …)", () => {
    const u = normals(new Random(4), COUNT, 3, Math.sqrt(k));
    const origin = u.map(() => [Math.sqrt(k), 0, 0, 0]);
    const general = hyperboloidExp(array(origin), array(u.map((row) => [0, ...row])), k);
    expect(hyperboloidExp0(array(u), k)).toBeAllclose(general, close);
    expect(hyperboloidLog0(hyperboloidExp0(array(u), k), k)).toBeAllclose(u.flat(), close);
  });

  test("projections land on the hyperboloid and on its tangent space", () => {
    const off = x.map(([time, ...space]) => [time + 0.3, ...space]);
    expect(hyperboloidProject(array(off), k)).toBeAllclose(x.flat(), close);
    expect(hyperboloidPoint(array(x.map((row) => row.slice(1))), k)).toBeAllclose(x.flat(), close);
    const u = rows(tangentProject(array(x), array(normals(new Random(5), COUNT, 4)), k));
    expect(u.map((row, i) => minkowski(x[i], row) / k)).toBeAllclose(Array<number>(COUNT).fill(0), {
      atol: 1e-10,
    });
    const squares = u.map((row) => minkowski(row, row));
    expect(lorentzInner(array(u), array(u))).toBeAllclose(squares, { rtol: 1e-8 });
    expect(read(tangentNorm(array(x), array(u), k)).map((value) => value ** 2)).toBeAllclose(squares, {
      rtol: 1e-8,
    });
  });

  test("the centroid of a point and its mirror image lies half-way; weights pull it", () => {
    const pair = [onHyperboloid([2, 1, 0], k), onHyperboloid([-2, 1, 0], k)];
    const centre = read(hyperboloidCentroid(array(pair), k));
    expect(minkowski(centre, centre)).toBeCloseTo(-k, 8);
    expect(centre[1]).toBeCloseTo(0, 10);
    const half = exactLorentzDistance(pair[0], pair[1], k) / 2;
    expect(exactLorentzDistance(pair[0], centre, k)).toBeCloseTo(half, 8);
    const pulled = read(hyperboloidCentroid(array(pair), k, { weights: array([[1], [0]]) }));
    expect(pulled).toBeAllclose(pair[0], close);
  });
});
