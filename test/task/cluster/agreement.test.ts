/** @file How clusterings are compared, on cases done by hand. */

import { expect, test } from "vitest";
import { Random } from "../../../src/sequence/index.ts";
import { adjustedRand, majorityAccuracy, recoveredClusters } from "../../../src/task/cluster/agreement.ts";

test("the adjusted Rand index of known cases", () => {
  // Values of scikit-learn's adjusted_rand_score.
  expect(adjustedRand([0, 0, 1, 1], [5, 5, 2, 2])).toBe(1);
  expect(adjustedRand([0, 0, 1, 2], [0, 0, 1, 1])).toBeCloseTo(0.5714285714, 9);
  expect(adjustedRand([0, 0, 1, 1], [0, 1, 0, 1])).toBeCloseTo(-0.5, 9);
  expect(adjustedRand([0, 0, 0, 0], [0, 1, 2, 3])).toBe(0);
  expect(adjustedRand(["a"], ["b"])).toBe(1);
  expect(adjustedRand([], [])).toBe(1);
});

test("it is about 0 for random labels, and the same both ways", () => {
  const random = new Random(4);
  const labels = (count: number) => Array.from({ length: 4000 }, () => random.integer(count));
  const [a, b] = [labels(5), labels(30)];
  expect(Math.abs(adjustedRand(a, b))).toBeLessThan(0.005);
  expect(adjustedRand(a, b)).toBeCloseTo(adjustedRand(b, a), 12);
});

test("accuracy by majority", () => {
  expect(majorityAccuracy(["a", "a", "b", "b"], [0, 0, 0, 1])).toBe(0.75);
  expect(majorityAccuracy(["a", "a", "b", "b"], [0, 1, 2, 3])).toBe(1);
  expect(majorityAccuracy([], [])).toBe(1);
});

test("recovered clusters are found whole enough, and pure", () => {
  const truth = ["a", "a", "a", "b", "b", "c"];
  expect(recoveredClusters(truth, [0, 0, 1, 2, 2, 2], 0.6)).toBeCloseTo(1 / 3, 12);
  expect(recoveredClusters(truth, [0, 0, 1, 2, 2, 3], 0.6)).toBe(1);
  expect(recoveredClusters(truth, [0, 0, 1, 2, 2, 3], 0.7)).toBeCloseTo(2 / 3, 12);
});

test("labels of different things are refused", () => {
  expect(() => adjustedRand([1], [1, 2])).toThrow("labels: must be equally many, got 1 and 2");
});
