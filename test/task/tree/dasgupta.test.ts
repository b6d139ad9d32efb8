/** @file Dasgupta's cost, against its definition. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { condensedLength, type NumberArray } from "../../../src/sequence/condensed.ts";
import { parseNewick } from "../../../src/sequence/newick.ts";
import { Random } from "../../../src/sequence/random.ts";
import { compactTree, type CompactTree } from "../../../src/task/tree/compact-tree.ts";
import { dasguptaCost } from "../../../src/task/tree/dasgupta.ts";
import { ancestor, caterpillar, drawnTree, leavesBelow, manyTrees, pairs } from "./drawn-trees.ts";

function byDefinition(tree: CompactTree, distances: NumberArray, length: number): number {
  return pairs(tree.leaves)
    .map(([i, j], at) => (1 - distances[at] / length) * leavesBelow(tree, ancestor(tree, i, j)).length)
    .reduce((sum, each) => sum + each, 0);
}

const tree = (newick: string) => compactTree(parseNewick(newick), ["a", "b", "c", "d"]);

describe("of similarities of 1", () => {
  const alike = new Uint16Array(6);

  test.each(["((a,b),(c,d));", "(((a,b),c),d);", "(c,(a,(b,d)));"])("is 20 for %s", (newick) => {
    expect(dasguptaCost(tree(newick), alike, 7)).toBe(20);
  });

  test("is 24 for a star of four leaves: every pair has them all below it", () => {
    expect(dasguptaCost(tree("(a,b,c,d);"), alike, 7)).toBe(24);
  });

  test("is (N³ − N)/3 for any binary tree", () => {
    for (const leaves of [2, 3, 10, 57]) {
      const cost = dasguptaCost(drawnTree(leaves, new Random(1)), new Uint8Array(condensedLength(leaves)), 1);
      expect(cost).toBe((leaves ** 3 - leaves) / 3);
    }
  });
});

test("weighs each pair by its own similarity", () => {
  // Pairs ab ac ad bc bd cd; below their ancestors are 2 3 4 3 4 4 leaves.
  const distances = Uint16Array.of(1, 2, 3, 4, 5, 10);
  const cost = 0.9 * 2 + 0.8 * 3 + 0.7 * 4 + 0.6 * 3 + 0.5 * 4 + 0 * 4;
  expect(dasguptaCost(tree("(((a,b),c),d);"), distances, 10)).toBeCloseTo(cost, 12);
});

test.each([
  ["whole edits", (random: Random) => Uint16Array.from({ length: 300 }, () => random.integer(90))],
  ["fractions", (random: Random) => Float32Array.from({ length: 300 }, () => 90 * random.uniform())],
])("is its definition for trees of all shapes: %s", (_, draw) => {
  const distances = draw(new Random(8));
  for (const each of manyTrees(25, 2)) {
    expect(dasguptaCost(each, distances, 90)).toBeCloseTo(byDefinition(each, distances, 90), 8);
  }
});

test("is its definition for trees of all sizes", () => {
  const sizes = fc.record({ leaves: fc.integer({ min: 1, max: 12 }), join: fc.integer({ min: 2, max: 5 }) });
  fc.assert(
    fc.property(sizes, fc.nat(), ({ leaves, join }, seed) => {
      const random = new Random(seed);
      const drawn = drawnTree(leaves, random, join);
      const distances = Uint8Array.from({ length: condensedLength(leaves) }, () => random.integer(31));
      expect(dasguptaCost(drawn, distances, 30)).toBeCloseTo(byDefinition(drawn, distances, 30), 9);
    }),
    { numRuns: 60, seed: 1 },
  );
});

test("does not care for the order of children or the numbers of inner nodes", () => {
  const distances = Uint16Array.of(1, 2, 3, 4, 5, 10);
  const cost = dasguptaCost(tree("(((a,b),c),d);"), distances, 10);
  expect(dasguptaCost(tree("(d,(c,(b,a)));"), distances, 10)).toBe(cost);
});

test("a tree of one leaf, which has no pair, costs nothing", () => {
  expect(dasguptaCost(drawnTree(1, new Random(1)), new Uint16Array(0), 5)).toBe(0);
});

test("a caterpillar of 2,000 leaves with known sizes", () => {
  const leaves = 2000;
  const far = new Uint16Array(condensedLength(leaves)).fill(3);
  expect(dasguptaCost(caterpillar(leaves), far, 12)).toBe((0.75 * (leaves ** 3 - leaves)) / 3);
});

test("distances of other sequences and lengths that are none are refused", () => {
  const four = tree("((a,b),(c,d));");
  expect(() => dasguptaCost(four, new Uint16Array(5), 7)).toThrow(
    "distances: must be those of the 6 pairs of 4 leaves, got 5",
  );
  expect(() => dasguptaCost(four, new Uint16Array(6), 0)).toThrow("length: must be positive, got 0");
  expect(() => dasguptaCost(four, new Uint16Array(6), NaN)).toThrow("length: must be positive, got NaN");
});
