/** @file Bootstrap intervals: the draws behind them, and intervals from drawing sequence by sequence. */

import { describe, expect, test } from "vitest";
import { Random } from "../../../src/sequence/index.ts";
import { bootstrapIntervals, rankResamples } from "../../../src/task/classify/bootstrap.ts";
import { classificationScores, type Predictions } from "../../../src/task/classify/metrics.ts";
import { binomial, resampleCounts } from "../../../src/task/classify/resample.ts";

/** Predictions that know their classes as well as `skill` says. */
function predictionsOf(n: number, classes: number, { skill = 1 } = {}): Predictions {
  const random = new Random(1);
  const other = random.fork("noise");
  const labels = Uint16Array.from({ length: n }, () => random.integer(classes));
  const probabilities = new Float32Array(n * classes);
  labels.forEach((label, i) => {
    const row = probabilities.subarray(i * classes, (i + 1) * classes);
    for (let k = 0; k < classes; k++) row[k] = Math.exp((k === label ? skill : 0) + other.normal());
    const sum = row.reduce((a, b) => a + b);
    for (let k = 0; k < classes; k++) row[k] /= sum;
  });
  return { classes, labels, probabilities };
}

/** Predictions of the sequences `drawn`. */
function chosen({ classes, labels, probabilities }: Predictions, drawn: Uint32Array): Predictions {
  const copies = new Float32Array(drawn.length * classes);
  for (let i = 0; i < drawn.length; i++) {
    copies.set(probabilities.subarray(drawn[i] * classes, (drawn[i] + 1) * classes), i * classes);
  }
  return { classes, labels: Array.from(drawn, (i) => labels[i]), probabilities: copies };
}

/** Middle 95 % of values. */
function middle(values: number[]): [number, number] {
  const sorted = values.toSorted((a, b) => a - b);
  return [0.025, 0.975].map((share) => sorted[Math.round(share * (sorted.length - 1))]) as [number, number];
}

describe("binomial draws", () => {
  /** Pearson's statistic of draws against the exact probabilities, and its degrees of freedom. */
  function misfit(n: number, p: number, draws: number): { statistic: number; freedom: number } {
    const random = new Random(7).fork(n);
    const seen = new Float64Array(n + 1);
    for (let i = 0; i < draws; i++) seen[binomial(random, n, p)]++;
    let logProbability = n * Math.log1p(-p);
    let [statistic, freedom, expected, got] = [0, -1, 0, 0];
    for (let k = 0; k <= n; k++) {
      expected += draws * Math.exp(logProbability);
      got += seen[k];
      // Outcomes are pooled until ten are expected; the last pool takes the rest.
      if (expected >= 10) {
        statistic += (got - expected) ** 2 / expected;
        freedom++;
        expected = 0;
        got = 0;
      }
      logProbability += Math.log(((n - k) / (k + 1)) * (p / (1 - p)));
    }
    return { statistic, freedom };
  }

  test.each([
    [1, 0.3],
    [20, 0.02],
    [20, 0.5],
    [50, 0.9],
    [100, 0.11],
    [1000, 0.3],
    [5000, 0.004],
    [200, 0.95],
    [40, 0.5],
  ])("of %i trials at %f follow their distribution", (n, p) => {
    const { statistic, freedom } = misfit(n, p, 20_000);
    // Wilson and Hilferty: four standard deviations.
    const bound = freedom * (1 - 2 / (9 * freedom) + 4 * Math.sqrt(2 / (9 * freedom))) ** 3;
    expect(statistic).toBeLessThan(bound);
  });

  test("at their ends", () => {
    const random = new Random(1);
    expect([binomial(random, 0, 0.5), binomial(random, 9, 0), binomial(random, 9, 1)]).toEqual([0, 0, 9]);
    const large = Array.from({ length: 200 }, () => binomial(random, 1e9, 0.25));
    expect(large.reduce((a, b) => a + b) / 200 / 2.5e8).toBeCloseTo(1, 4);
    expect(large.every(Number.isInteger)).toBe(true);
  });

  test("of cells keep the total, and empty cells empty", () => {
    const random = new Random(2);
    const cells = [0, 5, 0, 1000, 3, 0];
    const out = new Float64Array(6);
    let third = 0;
    for (let i = 0; i < 1000; i++) {
      resampleCounts(random, cells, out);
      expect(out.reduce((a, b) => a + b)).toBe(1008);
      expect([out[0], out[2], out[5]]).toEqual([0, 0, 0]);
      third += out[4];
    }
    expect(third / 1000).toBeCloseTo(3, 0);
  });
});

describe("intervals", () => {
  test.each([
    [2, 1.5],
    [4, 2],
  ])("of %i classes are those of drawing sequence by sequence", (classes, skill) => {
    const predictions = predictionsOf(150, classes, { skill });
    const names = Array.from({ length: classes }, (_, k) => `${k}`);
    const random = new Random(99);
    const draws = Array.from({ length: 1000 }, () =>
      classificationScores(
        chosen(
          predictions,
          Uint32Array.from({ length: 150 }, () => random.integer(150)),
        ),
        names,
      ),
    );
    const intervals = bootstrapIntervals(predictions, { resamples: 4000 });
    for (const score of ["mcc", "accuracy", "balancedAccuracy", "macroF1", "auc", "ece"] as const) {
      const [low, high] = middle(draws.map((scores) => scores[score] ?? NaN));
      const [gotLow, gotHigh] = intervals[score] ?? [NaN, NaN];
      expect(Math.abs(gotLow - low), `${score} low`).toBeLessThan(0.15 * (high - low));
      expect(Math.abs(gotHigh - high), `${score} high`).toBeLessThan(0.15 * (high - low));
    }
  });

  test("of accuracy have the width of a binomial's", () => {
    const predictions = predictionsOf(500, 2, { skill: 1.5 });
    const { accuracy } = classificationScores(predictions, ["a", "b"]);
    const [low, high] = bootstrapIntervals(predictions, { resamples: 3000 }).accuracy;
    const half = 1.96 * Math.sqrt((accuracy * (1 - accuracy)) / 500);
    expect(Math.abs((accuracy - low) / half - 1)).toBeLessThan(0.1);
    expect(Math.abs((high - accuracy) / half - 1)).toBeLessThan(0.1);
  });

  test("hold the score, follow the seed and widen with the level", () => {
    const predictions = predictionsOf(300, 3, { skill: 1 });
    const scores = classificationScores(predictions, ["a", "b", "c"]);
    const intervals = bootstrapIntervals(predictions, { resamples: 500, seed: 5 });
    for (const score of ["mcc", "accuracy", "balancedAccuracy", "macroF1", "auc"] as const) {
      const [low, high] = intervals[score] ?? [NaN, NaN];
      expect(low).toBeLessThan(scores[score] ?? NaN);
      expect(high).toBeGreaterThan(scores[score] ?? NaN);
    }
    expect(bootstrapIntervals(predictions, { resamples: 500, seed: 5 })).toEqual(intervals);
    expect(bootstrapIntervals(predictions, { resamples: 500, seed: 6 })).not.toEqual(intervals);
    const [low, high] = bootstrapIntervals(predictions, { resamples: 500, seed: 5, level: 0.5 }).mcc;
    expect(low).toBeGreaterThan(intervals.mcc[0]);
    expect(high).toBeLessThan(intervals.mcc[1]);
  });

  test("where a class is missing, rare, or alone", () => {
    const missing: Predictions = {
      classes: 3,
      labels: [0, 1],
      probabilities: Float32Array.of(1, 0, 0, 0, 1, 0),
    };
    expect(bootstrapIntervals(missing, { resamples: 50 }).auc).toBeNull();
    const rare = predictionsOf(40, 2, { skill: 3 });
    rare.labels = Uint16Array.from({ length: 40 }, (_, i) => Number(i === 0));
    const intervals = bootstrapIntervals(rare, { resamples: 300 });
    for (const interval of Object.values(intervals))
      for (const end of interval ?? []) expect(end).not.toBeNaN();
    const alone = bootstrapIntervals(
      { classes: 2, labels: [0, 1], probabilities: Float32Array.of(1, 0, 0, 1) },
      { resamples: 100 },
    );
    expect(alone.accuracy).toEqual([1, 1]);
  });

  test("of large sets take fewer resamples where the sequences are needed, 200 at least", () => {
    const times = (n: number) => rankResamples({ classes: 2, labels: { length: n }, probabilities: new Float32Array(0) }, 1000); // prettier-ignore
    expect([100, 10_000, 30_000, 1e6].map(times)).toEqual([1000, 1000, 500, 200]);
    expect(rankResamples(predictionsOf(10, 2), 50)).toBe(50);
  });

  test.each([
    [{ resamples: 0 }, /resamples: must be a whole number from 1, got 0/],
    [{ level: 1 }, /level: must be above 0 and below 1, got 1/],
  ])("refuse %o", (options, message) => {
    expect(() => bootstrapIntervals(predictionsOf(10, 2), options)).toThrow(message);
  });
});
