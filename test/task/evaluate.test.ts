/** @file The measures of `evaluate`, against numbers worked out by hand, and the pairs it samples. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { editDistance } from "../../src/kernel/index.ts";
import { Random, type SequenceSet } from "../../src/sequence/index.ts";
import type { Model } from "../../src/engine/model-file.ts";
import { pearson, ranks } from "../../src/task/correlation.ts";
import { constantError, evaluate, measure, samplePairs } from "../../src/task/evaluate.ts";
import { readsOf, untrainedModel } from "./models.ts";

describe("measure", () => {
  const truth = [0, 10, 20, 50];
  const predicted = Float32Array.of(1, 8, 20, 55);
  const result = measure({ truth, predicted }, 200, 40);

  test("errors are in percent of the length", () => {
    // Errors 1, −2, 0 and 5 edits; the first three are of homologous pairs.
    expect(result.pairs).toBe(4);
    expect(result.rmsePercent).toBeCloseTo(0.5 * Math.sqrt(30 / 4), 12);
    expect(result.maePercent).toBeCloseTo(0.5 * 2, 12);
    // Of the distance itself, without the equal pair: 2/10, 0/20 and 5/50.
    expect(result.mapePercent).toBeCloseTo(10, 12);
    expect(measure({ truth: [0, 0], predicted: Float32Array.of(0, 1) }, 100).mapePercent).toBeNull();
    expect(result.homologous).toEqual({ k: 40, pairs: 3, rmsePercent: 0.5 * Math.sqrt(5 / 3) });
  });

  test("of one distance for all pairs is their standard deviation", () => {
    // The mean is 20; deviations −20, −10, 0 and 30.
    expect(constantError(truth, 200)).toBeCloseTo(0.5 * Math.sqrt(1400 / 4), 12);
    expect(constantError([3, 3], 10)).toBe(0);
  });

  test("correlations", () => {
    // Deviations −20 −10 0 30 from 20, and −20 −13 −1 34 from 21.
    expect(result.pearson).toBeCloseTo(1550 / Math.sqrt(1400 * 1726), 12);
    expect(result.spearman).toBeCloseTo(1, 12);
  });

  test("a pair exactly k edits apart is homologous; without any there is no error of them", () => {
    expect(measure({ truth, predicted }, 200, 20).homologous.pairs).toBe(3);
    expect(measure({ truth, predicted }, 200, 19).homologous.pairs).toBe(2);
    const far = measure({ truth: [50, 60], predicted: Float32Array.of(50, 61) }, 100);
    expect(far.homologous).toEqual({ k: 40, pairs: 0, rmsePercent: null });
  });

  test("perfect predictions have no error", () => {
    const perfect = measure({ truth, predicted: Float32Array.from(truth) }, 100);
    expect(perfect).toMatchObject({ rmsePercent: 0, maePercent: 0, pearson: 1, spearman: 1 });
  });
});

describe("ranks and correlations", () => {
  test("ties share the mean of their ranks", () => {
    expect([...ranks([5, 1, 5, 2])]).toEqual([3.5, 1, 3.5, 2]);
    expect([...ranks([7, 7, 7])]).toEqual([2, 2, 2]);
    // Ranks 1 2.5 2.5 4 and 1 3 2 4: covariance 4.5, variances 4.5 and 5.
    const { spearman } = measure({ truth: [1, 2, 2, 3], predicted: Float32Array.of(1, 3, 2, 4) }, 10);
    expect(spearman).toBeCloseTo(4.5 / Math.sqrt(4.5 * 5), 12);
  });

  test("ranks depend on the order alone, and sum to n(n + 1)/2", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -9, max: 9 }), { minLength: 1, maxLength: 30 }), (values) => {
        const found = ranks(values);
        expect(ranks(values.map((value) => value ** 3 + 5))).toEqual(found);
        expect(found.reduce((sum, rank) => sum + rank, 0)).toBe((values.length * (values.length + 1)) / 2);
      }),
    );
  });

  test("ranks are those that counting smaller and equal values gives", () => {
    const one = fc.oneof(
      fc.constantFrom(0, -0, Infinity, -Infinity, 5e-324, -5e-324, 2 ** 31, 2 ** 53),
      fc.integer({ min: -3, max: 3 }),
      fc.double({ noNaN: true }),
      fc.float({ noNaN: true }),
    );
    const any = fc.array(one, { maxLength: 40 });
    const typed = fc.oneof(
      any,
      any.map((values) => Float32Array.from(values)),
      any.map((values) => Uint16Array.from(values)),
      any.map((values) => Uint32Array.from(values)),
    );
    fc.assert(
      fc.property(typed, (values) => {
        const all = Array.from(values);
        const below = (value: number) => all.filter((other) => other < value).length;
        const equal = (value: number) => all.filter((other) => other === value).length;
        expect([...ranks(values)]).toEqual(all.map((value) => below(value) + (equal(value) + 1) / 2));
      }),
    );
  });

  test("ranks known beforehand give the same measures", () => {
    const pairs = { truth: Uint16Array.of(3, 1, 4, 1), predicted: Float32Array.of(2, 2, 5, 0.5) };
    expect(measure(pairs, 10, 40, ranks(pairs.truth))).toEqual(measure(pairs, 10));
  });

  test("a constant correlates with nothing", () => {
    expect(pearson([1, 2, 3], [4, 4, 4])).toBeNaN();
    expect(pearson([1, 2, 3], [-2, -4, -6])).toBeCloseTo(-1, 12);
  });
});

describe("sampled pairs", () => {
  test("are different, unordered, and as many as asked for", () => {
    const counts = fc
      .integer({ min: 2, max: 40 })
      .chain((count) => fc.tuple(fc.constant(count), fc.integer({ min: 0, max: (count * (count - 1)) / 2 })));
    fc.assert(
      fc.property(counts, fc.nat(), ([count, pairs], seed) => {
        const { left, right } = samplePairs(count, pairs, new Random(seed));
        const found = Array.from(left, (i, at) => `${i} ${right[at]}`);
        expect(new Set(found).size).toBe(pairs);
        expect(found).toHaveLength(pairs);
        expect(left.every((i, at) => i < right[at] && right[at] < count)).toBe(true);
      }),
    );
  });

  test.each([20, 70])("each pair is as likely as any other, %i of 91", (pairs) => {
    const seen = new Float64Array(14 * 14);
    const runs = 2000;
    for (let seed = 0; seed < runs; seed++) {
      const { left, right } = samplePairs(14, pairs, new Random(seed));
      left.forEach((i, at) => seen[i * 14 + right[at]]++);
    }
    const share = pairs / 91;
    const deviations = [...seen].filter((count) => count > 0).map((count) => (count - runs * share) ** 2);
    expect(deviations).toHaveLength(91);
    // Pearson's statistic has mean 91 − 1, up to the factor of drawing without replacement, and deviation √182.
    const statistic = deviations.reduce((sum, value) => sum + value, 0) / (runs * share * (1 - share));
    expect(Math.abs(statistic - 91)).toBeLessThan(60);
  });

  test("more than there are is refused", () => {
    expect(() => samplePairs(4, 7, new Random(1))).toThrow(/pairs: must be at most the 6 of 4, got 7/);
  });
});

describe("a model's evaluation", () => {
  let model: Model;
  let reads: SequenceSet;
  beforeAll(async () => {
    reads = await readsOf({ leaves: 20, length: 25 });
    model = await untrainedModel({ length: 40 });
  });
  afterAll(() => model.close());

  test("is over all pairs, in their condensed order", async () => {
    const { evaluation, distances } = await evaluate(model, reads, { threads: 1 });
    const exact = reads.codes.flatMap((x, i) => reads.codes.slice(i + 1).map((y) => editDistance(x, y)));
    expect([...(distances.truth as Uint16Array)]).toEqual(exact);
    expect(evaluation).toEqual(measure(distances, 40));
    // Asking for as many pairs as there are, or more, is asking for all.
    const all = await evaluate(model, reads, { threads: 1, pairs: 1000 });
    expect(all.evaluation).toEqual(evaluation);
  });

  test("of a sample agrees with the same pairs of all", async () => {
    const { distances } = await evaluate(model, reads, { threads: 1 });
    const { distances: sample } = await evaluate(model, reads, { threads: 1, pairs: 189 });
    // All but one of the 190: one gap in the list of all.
    let at = 0;
    for (let i = 0; i < 189; i++) {
      if (
        sample.truth[i] !== distances.truth[at] ||
        Math.abs(sample.predicted[i] - distances.predicted[at]) > 1e-3
      )
        at++;
      expect(sample.truth[i]).toBe(distances.truth[at]);
      expect(sample.predicted[i]).toBeCloseTo(distances.predicted[at], 3);
      at++;
    }
  });

  test("refuses sequences longer than the model", async () => {
    const long = await readsOf({ leaves: 3, length: 80 });
    await expect(evaluate(model, long, { threads: 1 })).rejects.toThrow(
      /record "leaf1": sequence: must have at most the model's 40 letters, got \d+; trim it, or fit a model with --length/,
    );
  });
});
