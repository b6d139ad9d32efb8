/** @file Trees as arrays: from Newick and linkages, and back. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linkage } from "../../../src/kernel/linkage.ts";
import { condensedIndex } from "../../../src/sequence/condensed.ts";
import { formatNewick, leafNames, parseNewick, type TreeNode } from "../../../src/sequence/newick.ts";
import {
  compactTree,
  linkageTree,
  treeNodes,
  type CompactTree,
} from "../../../src/task/tree/compact-tree.ts";

/** Sum of the branches between two leaves. */
function pathLength({ parent, length }: CompactTree, a: number, b: number): number {
  const above = new Map<number, number>();
  for (let node = a, sum = 0; node >= 0; sum += length[node], node = parent[node]) above.set(node, sum);
  let sum = 0;
  for (let node = b; ; sum += length[node], node = parent[node]) {
    const other = above.get(node);
    if (other !== undefined) return sum + other;
  }
}

function expectOrdered({ leaves, parent }: CompactTree): void {
  const children = new Map<number, number>();
  parent.forEach((up, i) => {
    if (i === parent.length - 1) expect(up).toBe(-1);
    else expect(up).toBeGreaterThan(Math.max(i, leaves - 1));
    children.set(up, (children.get(up) ?? 0) + 1);
  });
  for (let i = leaves; i < parent.length; i++) expect(children.get(i)).toBeGreaterThan(1);
}

/** Trees of any shape, their leaves named a, b, … from left to right. */
const shapes = fc.letrec<{ tree: TreeNode }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    fc
      .record({ length: fc.integer({ min: 1, max: 100 }) })
      .map(({ length }) => ({ name: "", length, children: [] })),
    fc
      .record({
        length: fc.integer({ min: 1, max: 100 }),
        children: fc.array(tie("tree"), { minLength: 2, maxLength: 4 }),
      })
      .map(({ length, children }) => ({ name: "", length, children })),
  ),
})).tree;

function named(shape: TreeNode): { tree: TreeNode; names: string[] } {
  const names: string[] = [];
  const copy = ({ length, children }: TreeNode, root = false): TreeNode => {
    const name = children.length > 0 ? "" : `leaf ${names.length}`;
    if (name !== "") names.push(name);
    return { name, ...(!root && { length }), children: children.map((child) => copy(child)) };
  };
  return { tree: copy(shape, true), names };
}

describe("compactTree", () => {
  test("keeps every tree, whatever the order of the names", () => {
    fc.assert(
      fc.property(shapes, fc.boolean(), (shape, backwards) => {
        const { tree, names } = named(shape);
        const order = backwards ? names.toReversed() : names;
        const compact = compactTree(tree, order);
        expectOrdered(compact);
        const again = treeNodes(compact, order);
        expect(leafNames(again).toSorted()).toEqual(names.toSorted());
        const second = compactTree(parseNewick(formatNewick(again)), order);
        expectOrdered(second);
        expect(second.parent.length).toBe(compact.parent.length);
        for (let i = 0; i < names.length; i++) {
          for (let j = 0; j < i; j++) expect(pathLength(second, i, j)).toBe(pathLength(compact, i, j));
        }
      }),
    );
  });

  test("drops inner nodes with one child, and adds their branches up", () => {
    const compact = compactTree(parseNewick("(((a:1):2,(b:3)):4);"), ["a", "b"]);
    expect(compact).toEqual({
      leaves: 2,
      parent: Int32Array.of(2, 2, -1),
      length: Float64Array.of(3, 3, 0),
    });
  });

  test("is one leaf for a tree of one", () => {
    const compact = compactTree(parseNewick("((a));"), ["a"]);
    expect(compact).toEqual({ leaves: 1, parent: Int32Array.of(-1), length: Float64Array.of(0) });
    expect(treeNodes(compact, ["a"])).toEqual({ name: "a", children: [] });
  });

  test("takes a caterpillar of 100,000 leaves", () => {
    const count = 100_000;
    const names = Array.from({ length: count }, (_, i) => `${i}`);
    const text = `${"(".repeat(count - 1)}0${names
      .slice(1)
      .map((name) => `,${name})`)
      .join("")};`;
    const compact = compactTree(parseNewick(text), names);
    expectOrdered(compact);
    expect(formatNewick(treeNodes(compact, names)).length).toBeGreaterThan(text.length);
  });

  test.each([
    ["(a,b,x);", 'has a leaf that is no sequence, "x"'],
    ["(a,b);", 'got none named "c"'],
    ["(a,b,(c,a));", 'got "a" twice'],
  ])("refuses %s as a tree of a, b and c", (text, message) => {
    expect(() => compactTree(parseNewick(text), ["a", "b", "c"])).toThrow(message);
  });

  test("refuses names that come twice", () => {
    expect(() => compactTree(parseNewick("(a,b);"), ["a", "a"])).toThrow(/names of their own/);
  });
});

describe("linkageTree", () => {
  test("is ultrametric: paths are as long as the heights of the merges", async () => {
    const distances = Float32Array.of(4, 9, 3, 7, 12, 8, 2, 11, 5, 10, 6, 13, 1, 14, 15);
    const merges = await linkage(distances, { method: "complete" });
    const tree = linkageTree(merges);
    expectOrdered(tree);
    const members = Array.from({ length: 6 }, (_, i) => [i]);
    for (let k = 0; k < 5; k++) {
      const [a, b] = [members[merges.left[k]], members[merges.right[k]]];
      for (const i of a) {
        for (const j of b) expect(pathLength(tree, i, j)).toBeCloseTo(merges.heights[k], 5);
      }
      members.push([...a, ...b]);
      expect(merges.heights[k]).toBe(
        Math.max(...a.flatMap((i) => b.map((j) => distances[condensedIndex(i, j, 6)]))),
      );
    }
  });

  test("of one thing is a leaf", async () => {
    expect(linkageTree(await linkage(new Float32Array(0)))).toEqual({
      leaves: 1,
      parent: Int32Array.of(-1),
      length: Float64Array.of(0),
    });
  });
});
