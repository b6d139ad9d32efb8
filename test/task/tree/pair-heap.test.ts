/** @file Pairs come out of their queue by distance, then by number. */

import fc from "fast-check";
import { expect, test } from "vitest";
import { PairHeap, type PairDistance } from "../../../src/task/tree/pair-heap.ts";

test("comes out sorted, whatever goes in between", () => {
  const pair = fc.record({ distance: fc.integer({ min: 0, max: 9 }), left: fc.nat(9), right: fc.nat(9) });
  fc.assert(
    fc.property(fc.array(fc.option(pair), { maxLength: 3000, size: "max" }), (steps) => {
      const heap = new PairHeap();
      const held: PairDistance[] = [];
      const order = (a: PairDistance, b: PairDistance) =>
        a.distance - b.distance || a.left - b.left || a.right - b.right;
      for (const step of steps) {
        if (step === null) expect(heap.pop()).toEqual(held.sort(order).shift());
        else {
          heap.push(step.distance, step.left, step.right);
          held.push(step);
        }
        expect(heap.size).toBe(held.length);
      }
      held.sort(order);
      expect(Array.from({ length: held.length }, () => heap.pop())).toEqual(held);
      expect(heap.pop()).toBeUndefined();
    }),
    { numRuns: 30 },
  );
});
