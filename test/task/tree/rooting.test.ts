import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { condensedIndex, condensedLength } from "../../../src/sequence/condensed.ts";
import { Random } from "../../../src/sequence/random.ts";
import type { CompactTree } from "../../../src/task/tree/compact-tree.ts";
import { midpointRoot } from "../../../src/task/tree/rooting.ts";
import "../../support/allclose.ts";

/** Path lengths between all leaves, condensed, and from every leaf to the root. */
function paths({ leaves, parent, length }: CompactTree): { between: Float64Array; root: Float64Array } {
  const between = new Float64Array(condensedLength(leaves));
  const reached = Array.from(parent, (_, i): [number, number][] => (i < leaves ? [[i, 0]] : []));
  for (let i = 0; i < parent.length - 1; i++) {
    const moved = reached[i].map(([leaf, d]): [number, number] => [leaf, d + length[i]]);
    for (const [a, x] of moved)
      for (const [b, y] of reached[parent[i]]) between[condensedIndex(a, b, leaves)] = x + y;
    reached[parent[i]].push(...moved);
  }
  const root = new Float64Array(leaves);
  for (const [leaf, d] of reached[parent.length - 1]) root[leaf] = d;
  return { between, root };
}

/** The rules of a CompactTree, and no inner node with fewer than two children. */
function expectSound({ leaves, parent, length }: CompactTree): void {
  const root = parent.length - 1;
  expect(length.length).toBe(parent.length);
  expect([parent[root], length[root]]).toEqual([-1, 0]);
  const children = new Int32Array(parent.length);
  for (let i = 0; i < root; i++) {
    expect(parent[i]).toBeGreaterThan(Math.max(i, leaves - 1));
    children[parent[i]]++;
  }
  for (let i = leaves; i <= root; i++) expect(children[i]).toBeGreaterThan(1);
}

/** A tree of random shape: groups of two or more of the nodes without a parent are joined until one is left. */
function randomTree(leaves: number, seed: number, lengthOf: (random: Random) => number): CompactTree {
  const random = new Random(seed);
  const parent: number[] = new Array<number>(leaves).fill(-1);
  const open = parent.map((_, i) => i);
  while (open.length > 1) {
    const size = Math.min(open.length, 2 + (random.integer(4) === 0 ? random.integer(3) : 0));
    const group = random.shuffle(open).splice(0, size);
    for (const child of group) parent[child] = parent.length;
    open.push(parent.length);
    parent.push(-1);
  }
  const length = Float64Array.from(parent, (up) => (up < 0 ? 0 : lengthOf(random)));
  return { leaves, parent: Int32Array.from(parent), length };
}

const LENGTHS: Record<string, (random: Random) => number> = {
  "any lengths": (random) => random.uniform(),
  "whole lengths": (random) => random.integer(4),
  "very different lengths": (random) => random.exponential() ** 6,
};

describe.each(Object.keys(LENGTHS))("a tree of %s", (name) => {
  const trees = fc
    .tuple(fc.integer({ min: 2, max: 40 }), fc.nat(1e6))
    .map(([leaves, seed]) => randomTree(leaves, seed, LENGTHS[name]));

  test("keeps the paths between its leaves, and gets its root half-way along the longest", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const rooted = midpointRoot(tree);
        expectSound(rooted);
        const before = paths(tree);
        const after = paths(rooted);
        const longest = before.between.reduce((a, b) => Math.max(a, b), 0);
        const tolerance = { rtol: 1e-12, atol: 1e-11 * longest };
        expect(after.between).toBeAllclose(before.between, tolerance);
        expect(rooted.length.every((length) => length >= 0)).toBe(true);
        if (longest === 0) return;
        const far = [...after.root].sort((a, b) => b - a);
        expect(far.slice(0, 2)).toBeAllclose([longest / 2, longest / 2], tolerance);
      }),
    );
  });

  test("stays as it is when it is rooted again", () => {
    fc.assert(
      fc.property(trees, (tree) => {
        const rooted = midpointRoot(tree);
        expect(midpointRoot(rooted)).toBe(rooted);
      }),
    );
  });
});

test("one leaf, and leaves without distances, are given back", () => {
  const leaf = { leaves: 1, parent: Int32Array.of(-1), length: new Float64Array(1) };
  expect(midpointRoot(leaf)).toBe(leaf);
  const flat = { leaves: 3, parent: Int32Array.of(3, 3, 4, 4, -1), length: new Float64Array(5) };
  expect(midpointRoot(flat)).toBe(flat);
});

test("two leaves get half of their path each", () => {
  expect(
    midpointRoot({ leaves: 2, parent: Int32Array.of(2, 2, -1), length: Float64Array.of(1, 4, 0) }),
  ).toEqual({ leaves: 2, parent: Int32Array.of(2, 2, -1), length: Float64Array.of(2.5, 2.5, 0) });
});

test("an unrooted tree gets a root on a branch, and its old root becomes a node of two", () => {
  // (0:1,1:2,(2:3,3:20):4): the longest path, 1 to 3, is 26 long.
  expect(
    midpointRoot({
      leaves: 4,
      parent: Int32Array.of(5, 5, 4, 4, 5, -1),
      length: Float64Array.of(1, 2, 3, 20, 4, 0),
    }),
  ).toEqual({
    leaves: 4,
    // ((2:3,(0:1,1:2):4):7,3:13)
    parent: Int32Array.of(4, 4, 5, 6, 5, 6, -1),
    length: Float64Array.of(1, 2, 3, 13, 4, 7, 0),
  });
});

test("an old root with one child left is dropped", () => {
  // (((0:1,1:1):1,2:6):1,3:1): the longest path, 0 to 2, is 8 long, its middle on the branch to 2.
  expect(
    midpointRoot({
      leaves: 4,
      parent: Int32Array.of(4, 4, 5, 6, 5, 6, -1),
      length: Float64Array.of(1, 1, 6, 1, 1, 1, 0),
    }),
  ).toEqual({
    leaves: 4,
    // (((0:1,1:1):1,3:2):2,2:4)
    parent: Int32Array.of(4, 4, 6, 5, 5, 6, -1),
    length: Float64Array.of(1, 1, 4, 2, 1, 2, 0),
  });
});

test("a node in the middle becomes the root", () => {
  // ((0:2,1:2,2:1):1,3:1): all of 0, 1 and 3 are 2 from the inner node.
  expect(
    midpointRoot({
      leaves: 4,
      parent: Int32Array.of(4, 4, 4, 5, 5, -1),
      length: Float64Array.of(2, 2, 1, 1, 1, 0),
    }),
  ).toEqual({
    leaves: 4,
    parent: Int32Array.of(4, 4, 4, 4, -1),
    length: Float64Array.of(2, 2, 1, 2, 0),
  });
});

test("a clock's tree keeps its root though lengths are rounded", () => {
  // Heights 0.1, 0.3 and 0.6.
  const tree = {
    leaves: 4,
    parent: Int32Array.of(4, 4, 5, 6, 5, 6, -1),
    length: Float64Array.of(0.1, 0.1, 0.3, 0.6, 0.2, 0.3, 0),
  };
  expect(0.1 + 0.2 + 0.3).not.toBe(0.6);
  expect(midpointRoot(tree)).toBe(tree);
});

test("a caterpillar of 200,000 leaves", () => {
  const leaves = 200_000;
  const parent = Int32Array.from({ length: 2 * leaves - 1 }, (_, i) =>
    i < leaves ? leaves + Math.max(0, i - 1) : i < 2 * leaves - 2 ? i + 1 : -1,
  );
  const length = Float64Array.from(parent, (up) => (up < 0 ? 0 : 1));
  const rooted = midpointRoot({ leaves, parent, length });
  // From leaf 0 to the last: leaves − 1 inner branches above the first pair, and a leaf's own at both ends.
  const depth = new Float64Array(rooted.parent.length);
  for (let i = depth.length - 2; i >= 0; i--) depth[i] = depth[rooted.parent[i]] + rooted.length[i];
  expect(depth[0]).toBe(leaves / 2);
  expect(depth[leaves - 1]).toBe(leaves / 2);
});

test("nodes without a distance between them are one place", () => {
  // ((0:3,1:3):0,2:1): the middle is the node of 0 and 1, and the root as well.
  const tree = {
    leaves: 3,
    parent: Int32Array.of(3, 3, 4, 4, -1),
    length: Float64Array.of(3, 3, 1, 0, 0),
  };
  expect(midpointRoot(tree)).toBe(tree);
});
