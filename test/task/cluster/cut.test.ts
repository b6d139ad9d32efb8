/** @file Dendrograms cut at a height. */

import { expect, test } from "vitest";
import { cutLinkage } from "../../../src/task/cluster/cut.ts";

// ((3, 1) 1, (0, (2, 4) 2) 3) 5
const tree = {
  left: Uint32Array.of(1, 2, 0, 5),
  right: Uint32Array.of(3, 4, 6, 7),
  heights: Float64Array.of(1, 2, 3, 5),
  sizes: Uint32Array.of(2, 2, 3, 5),
};

test.each([
  [0.5, [0, 1, 2, 3, 4]],
  [1, [0, 1, 2, 1, 3]],
  [2.5, [0, 1, 2, 1, 2]],
  [3, [0, 1, 0, 1, 0]],
  [5, [0, 0, 0, 0, 0]],
])("at a height of %d", (height, clusters) => {
  expect([...cutLinkage(tree, height)]).toEqual(clusters);
});

test("one thing is one cluster", () => {
  const none = new Uint32Array(0);
  expect([...cutLinkage({ left: none, right: none, heights: new Float64Array(0), sizes: none }, 1)]).toEqual([
    0,
  ]);
});
