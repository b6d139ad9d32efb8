/** @file The closed form of the factor, against the sum of squares that it must make least. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { fitScale } from "../../src/baseline/scale.ts";

test("by hand: y = 2 5, p = 1 2, 12/5", () => {
  expect(fitScale([2, 5], [1, 2])).toBe(12 / 5);
});

test("no other factor has a smaller sum of squares", () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.double({ min: 1e-3, max: 1e3, noNaN: true }));
  fc.assert(
    fc.property(fc.array(pair, { minLength: 1, maxLength: 50 }), (pairs) => {
      const truth = pairs.map(([y]) => y);
      const distances = pairs.map(([, p]) => p);
      const error = (alpha: number) => pairs.reduce((sum, [y, p]) => sum + (alpha * p - y) ** 2, 0);
      // Ternary search: the sum is convex in the factor.
      let [low, high] = [0, 1e6];
      for (let i = 0; i < 200; i++) {
        const [a, b] = [low + (high - low) / 3, high - (high - low) / 3];
        if (error(a) <= error(b)) high = b;
        else low = a;
      }
      expect(error(fitScale(truth, distances))).toBeLessThanOrEqual(error(low) * (1 + 1e-9) + 1e-9);
    }),
  );
});

test("is 0 where all distances are", () => {
  expect(fitScale([3, 4], Float32Array.of(0, 0))).toBe(0);
});
