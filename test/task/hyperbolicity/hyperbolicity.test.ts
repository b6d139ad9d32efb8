/** @file Samples beside references: the nearest is what the things are, and intervals are where they should be. */

import { describe, expect, test } from "vitest";
import { hyperbolicityText } from "../../../src/cli/hyperbolicity-report.ts";
import { UsageError } from "../../../src/error.ts";
import { Random } from "../../../src/sequence/random.ts";
import { simulate } from "../../../src/sequence/simulate.ts";
import type { Points } from "../../../src/task/points.ts";
import { drawReference, REFERENCES } from "../../../src/task/hyperbolicity/bank.ts";
import { compareWith, cumulative, estimate, wasserstein } from "../../../src/task/hyperbolicity/compare.ts";
import {
  curvedCoordinates,
  curvedDistances,
  curvedPoints,
} from "../../../src/task/hyperbolicity/constant-curvature.ts";
import { hyperbolicityFigure } from "../../../src/task/hyperbolicity/figure.ts";
import { gromov } from "../../../src/task/hyperbolicity/gromov.ts";
import { hyperbolicity, type Hyperbolicity } from "../../../src/task/hyperbolicity/hyperbolicity.ts";
import { matrixMetric, sequenceMetric } from "../../../src/task/hyperbolicity/metric.ts";
import { spaceMetric } from "../../../src/task/hyperbolicity/point-metric.ts";
import { randomTreeDistances } from "../../../src/task/hyperbolicity/tree-metric.ts";
import "../../support/allclose.ts";

/** References that are quick to draw. */
const FEW = REFERENCES.filter((reference) => reference.kind === "tree" || reference.dim === 2);
const nearest = (found: Hyperbolicity) => found.references[0].reference.name;

describe("finds", () => {
  test("points of a hyperbolic plane among the references", async () => {
    const points = curvedPoints({ curvature: -1, dim: 2, count: 400, random: new Random(8) });
    const found = await hyperbolicity(matrixMetric(curvedDistances(points)), {
      size: 40,
      samples: 20,
      references: FEW,
    });
    expect(nearest(found)).toBe("hyperbolic, K = −1, d = 2");
    expect(found.references[0].nearest).toBeGreaterThan(0.5);
    const { relative, size, samples } = found;
    expect({ size, samples: samples.length }).toEqual({ size: 40, samples: 20 });
    expect(relative.low!).toBeLessThan(relative.mean);
    expect(relative.high!).toBeGreaterThan(relative.mean);
    // The reference is of other points of the same plane.
    expect(Math.abs(found.references[0].relative.mean - relative.mean)).toBeLessThan(3 * relative.sd!);
    expect(found.histogram.reduce((sum, share) => sum + share, 0)).toBeAllclose(1);
    expect(found.references.reduce((sum, { nearest }) => sum + nearest!, 0)).toBeAllclose(1);
  });

  test("a tree, and that it is at distance 0 of random trees", async () => {
    const found = await hyperbolicity(matrixMetric(randomTreeDistances(60, new Random(2))), {
      size: 20,
      samples: 5,
      references: FEW,
    });
    expect(found.relative).toMatchObject({ mean: 0, low: 0, high: 0 });
    expect(found.references[0]).toMatchObject({ distance: 0, nearest: 1, reference: { kind: "tree" } });
  });
});

test("is the same with the same seed, and another with another", async () => {
  const metric = matrixMetric(
    curvedDistances(curvedPoints({ curvature: 0, dim: 3, count: 80, random: new Random(1) })),
  );
  const run = (seed: number, threads: number) =>
    hyperbolicity(metric, { size: 12, samples: 8, seed, threads, references: [] });
  expect(await run(7, 1)).toEqual(await run(7, 2));
  expect((await run(7, 1)).samples).not.toEqual((await run(8, 1)).samples);
});

test("a sample of all things is one, without an interval", async () => {
  const points = curvedPoints({ curvature: 0, dim: 2, count: 9, random: new Random(1) });
  const found = await hyperbolicity(matrixMetric(curvedDistances(points)), { references: [] });
  expect(found).toMatchObject({ count: 9, size: 9, relative: { low: null, high: null, sd: null } });
  expect(found.samples).toHaveLength(1);
  expect(found.references).toEqual([]);
});

test("sequences: copies count once, and the control has their lengths and letters", async () => {
  const codes = [...simulate({ leaves: 30, length: 60, height: 0.2, seed: 3 }).leaves()].map(
    ({ codes }) => codes,
  );
  const metric = await sequenceMetric({ codes: [...codes, ...codes] }, { threads: 1 });
  try {
    expect(metric.count).toBeLessThanOrEqual(30);
    const progress: number[] = [];
    const found = await hyperbolicity(metric, {
      size: 10,
      samples: 4,
      references: FEW.slice(0, 2),
      progress: (_stage, done, total) => progress.push(done / total),
    });
    expect(found.control!.relative.mean).toBeLessThan(found.relative.mean);
    expect(found.control!.distance).toBeGreaterThan(0);
    expect(progress.at(-1)).toBe(1);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
  } finally {
    await metric.close();
  }
});

describe("points", () => {
  const drawnPoints = (curvature: number): { points: Points; distances: Float64Array } => {
    const drawn = curvedPoints({ curvature, dim: 3, count: 9, random: new Random(4) });
    const data = Float32Array.from(curvedCoordinates(drawn));
    const ids = Array.from({ length: 9 }, (_, i) => `p${i}`);
    return { points: { ids, dims: data.length / 9, data }, distances: curvedDistances(drawn) };
  };
  const all = Uint32Array.from({ length: 9 }, (_, i) => i);

  test.each([
    ["euclidean", 0],
    ["lorentz", -1],
    ["lorentz", -0.3],
    ["lorentz", -7],
  ] as const)("of %s, curvature %d, are as far apart as they are", async (space, curvature) => {
    const { points, distances } = drawnPoints(curvature);
    expect(await spaceMetric(points, space).distances(all)).toBeAllclose(distances, { rtol: 1e-4 });
  });

  test("of the ball are as far apart as those of the hyperboloid", async () => {
    const { points, distances } = drawnPoints(-1);
    const data = Float32Array.from({ length: 27 }, (_, at) => {
      const [i, k] = [Math.floor(at / 3), at % 3];
      return points.data[4 * i + 1 + k] / (1 + points.data[4 * i]);
    });
    for (const space of ["poincare", "hyperbolic"] as const) {
      const metric = spaceMetric({ ids: points.ids, dims: 3, data }, space);
      expect(await metric.distances(all)).toBeAllclose(distances, { rtol: 1e-4 });
    }
  });

  test("off their space are refused by name", () => {
    const { points } = drawnPoints(-1);
    points.data[4 * 5] *= 1.1;
    expect(() => spaceMetric(points, "lorentz")).toThrow(/must lie on one hyperboloid.* for "p5"/);
    expect(() =>
      spaceMetric({ ids: ["a", "b"], dims: 2, data: Float32Array.of(0, 0, 0.6, 0.8) }, "poincare"),
    ).toThrow(/norms below 1 in the Poincaré ball, got 1\.00000 for "b"/);
  });
});

describe("comparison", () => {
  const spike = (at: number) => {
    const counts = new Float64Array(1001);
    counts[at] = 3;
    return cumulative(counts);
  };

  test("Wasserstein's distance of two spikes is the way between them", () => {
    expect(wasserstein(spike(100), spike(350))).toBeAllclose(0.25);
    expect(wasserstein(spike(0), spike(1000))).toBeAllclose(1);
    expect(wasserstein(spike(7), spike(7))).toBe(0);
  });

  test("the bootstrap knows what it cannot tell apart", () => {
    const own = [spike(100), spike(200)];
    const [low, high, far] = compareWith(own, [[spike(140)], [spike(160)], [spike(900)]], new Random(1));
    expect(low.distance).toBeAllclose(high.distance);
    expect(low.nearest! + high.nearest!).toBe(1);
    expect(Math.min(low.nearest!, high.nearest!)).toBeGreaterThan(0.1);
    expect(far).toMatchObject({ nearest: 0 });
    expect(far.low).toBeAllclose(0.7);
    expect(far.high).toBeAllclose(0.8);
  });

  test("a single sample has distances, and no intervals", () => {
    const [near, far] = compareWith(
      [spike(100)],
      [
        [spike(140), spike(160)],
        [spike(900), spike(800)],
      ],
      new Random(1),
    );
    expect(near).toEqual({ distance: expect.closeTo(0.05) as number, low: null, high: null, nearest: null });
    expect(far.distance).toBeAllclose(0.75);
  });

  test("an interval of the mean covers it as often as it says", () => {
    let covered = 0;
    for (let seed = 0; seed < 100; seed++) {
      const random = new Random(seed);
      const { low, high } = estimate(
        Array.from({ length: 40 }, () => random.normal()),
        random.fork("bootstrap"),
      );
      if (low! <= 0 && high! >= 0) covered++;
    }
    expect(covered).toBeGreaterThan(86);
  });
});

test("every reference can be drawn at the smallest size", () => {
  for (const reference of REFERENCES) {
    const distances = drawReference(reference, 4, new Random(1));
    expect(distances).toHaveLength(6);
    expect(Math.max(...distances)).toBeGreaterThan(0);
  }
});

test("the figure shows the references, the interval and the distribution", async () => {
  const drawn = curvedPoints({ curvature: -1, dim: 2, count: 60, random: new Random(8) });
  const found = await hyperbolicity(matrixMetric(curvedDistances(drawn)), { size: 12, samples: 6 });
  const svg = hyperbolicityFigure(found, { of: "60 points" });
  await expect(svg).toMatchFileSnapshot("figures/hyperbolicity.svg");
  expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  expect(() => hyperbolicityFigure({ ...found, references: [] })).toThrow(UsageError);
});

test("a δ_rel above 1, of what is no metric, is within the figure", async () => {
  const random = new Random(4);
  const wild = Float64Array.from({ length: 190 }, () => random.uniform53() ** 6);
  const found = await hyperbolicity(matrixMetric(wild), { size: 10, samples: 6 });
  expect(found.relative.mean).toBeGreaterThan(1);
  const [, y] = /<text[^>]*transform="translate\([\d.]+,(-?[\d.]+)\)"[^>]*>these: /.exec(
    hyperbolicityFigure(found),
  )!;
  expect(Number(y)).toBeGreaterThan(0);
  const text = hyperbolicityText({ what: "things", distances: "distances as given" }, { ...found, violation: 0 }, await gromov(wild)); // prettier-ignore
  expect(text).toContain("The triangle inequality is broken");
});

test("samples without a distance are not all there is", async () => {
  const far = Uint8Array.from({ length: 4950 }, (_, i) => (i < 99 ? 1 : 0));
  const missed = hyperbolicity(matrixMetric(far), { size: 5, samples: 1, seed: 2, references: [] });
  await expect(missed).rejects.toThrow(
    "got 0 for all pairs of 1 samples of 5 out of 100; take larger samples",
  );
});

test.each([
  [{ size: 3 }, "size: must be an integer from 4, got 3"],
  [{ samples: 0 }, "samples: must be an integer from 1, got 0"],
])("refuses %o", async (options, message) => {
  await expect(hyperbolicity(matrixMetric(new Uint8Array(10).fill(1)), options)).rejects.toThrow(
    new UsageError(message),
  );
});

test("stops when it is told to", async () => {
  const metric = matrixMetric(new Uint8Array(6).fill(1));
  await expect(hyperbolicity(metric, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow(
    "enough",
  );
});
