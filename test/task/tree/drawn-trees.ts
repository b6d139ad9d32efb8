/** @file Random trees, and what is true of trees by definition and at length. */

import { birthDeathTree } from "../../../src/sequence/birth-death.ts";
import { Random } from "../../../src/sequence/random.ts";
import type { CompactTree } from "../../../src/task/tree/compact-tree.ts";

/** A random tree, its leaves in random order; `join` 2 makes binary trees, more makes polytomies of up to so many. */
export function drawnTree(leaves: number, random: Random, join = 2): CompactTree {
  const parent: number[] = new Array<number>(leaves).fill(-1);
  const live = random.shuffle(Array.from({ length: leaves }, (_, i) => i));
  while (live.length > 1) {
    const node = parent.push(-1) - 1;
    const count = Math.min(live.length, 2 + random.integer(join - 1));
    for (let k = 0; k < count; k++) parent[live.splice(random.integer(live.length), 1)[0]] = node;
    live.push(node);
  }
  const length = Float64Array.from(parent, (up) => (up < 0 ? 0 : random.exponential()));
  return { leaves, parent: Int32Array.from(parent), length };
}

/** A birth–death tree; all its leaves are as far from the root. */
export function bornTree(leaves: number, random: Random): CompactTree {
  const { left, right, depth, root } = birthDeathTree({ leaves, death: 0.5, random });
  // Nodes by ascending depth below the present: children come before their parents.
  const order = Array.from(depth.keys()).sort((a, b) => depth[a] - depth[b]);
  const number = new Map(order.map((node, i) => [node, leaves + i]));
  const parent = new Int32Array(leaves + order.length).fill(-1);
  const length = new Float64Array(leaves + order.length);
  for (const node of order) {
    for (const child of [left[node], right[node]]) {
      const at = child < 0 ? ~child : number.get(child)!;
      parent[at] = number.get(node)!;
      length[at] = depth[node] - (child < 0 ? 0 : depth[child]);
    }
  }
  if (root >= 0 && number.get(root) !== parent.length - 1) throw new Error("the root must be last");
  return { leaves, parent, length };
}

/** ((((0,1),2),3), …), every branch of length 1. */
export function caterpillar(leaves: number): CompactTree {
  const parent = new Int32Array(2 * leaves - 1).fill(-1);
  for (let k = 1; k < leaves; k++) {
    parent[k] = leaves + k - 1;
    parent[k === 1 ? 0 : leaves + k - 2] = leaves + k - 1;
  }
  return { leaves, parent, length: new Float64Array(2 * leaves - 1).fill(1, 0, 2 * leaves - 2) };
}

/** Nodes from a leaf to the root, both included. */
export function upwards({ parent }: CompactTree, leaf: number): number[] {
  const path = [];
  for (let node = leaf; node >= 0; node = parent[node]) path.push(node);
  return path;
}

/** Lowest common ancestor. */
export function ancestor(tree: CompactTree, ...some: number[]): number {
  const [path, ...others] = some.map((leaf) => upwards(tree, leaf));
  return path.find((node) => others.every((other) => other.includes(node)))!;
}

/** Leaves below a node, ascending. */
export function leavesBelow(tree: CompactTree, node: number): number[] {
  return Array.from({ length: tree.leaves }, (_, i) => i).filter((i) => upwards(tree, i).includes(node));
}

/** All pairs i < j. */
export function pairs(n: number): [number, number][] {
  return Array.from({ length: n }, (_, i) => i).flatMap((i) =>
    Array.from({ length: n - i - 1 }, (_, k): [number, number] => [i, i + 1 + k]),
  );
}

/** Length of the path between two leaves. */
export function pathLength(tree: CompactTree, i: number, j: number): number {
  const top = ancestor(tree, i, j);
  return [i, j]
    .flatMap((leaf) => upwards(tree, leaf))
    .filter((node) => node < top)
    .reduce((sum, node) => sum + tree.length[node], 0);
}

/** Splits of a tree (clades where rooted) as sorted lists of leaves, with the lengths of their branches. */
export function splits(tree: CompactTree, rooted: boolean): Map<string, number> {
  const found = new Map<string, number>();
  for (let node = 0; node < tree.parent.length - 1; node++) {
    let side = leavesBelow(tree, node);
    if (!rooted && side.includes(0)) {
      side = Array.from({ length: tree.leaves }, (_, i) => i).filter((i) => !side.includes(i));
    }
    found.set(side.join(), (found.get(side.join()) ?? 0) + tree.length[node]);
  }
  return found;
}

/** The leaf of three that joins last, or −1. */
export function outsider(tree: CompactTree, [i, j, k]: readonly number[]): number {
  const [ij, ik, jk] = [ancestor(tree, i, j), ancestor(tree, i, k), ancestor(tree, j, k)];
  if (ij < ik) return k;
  if (ik < ij) return j;
  return jk < ij ? i : -1;
}

/** Trees of the same leaves, of which no one is like another: binary, born, polytomous, a caterpillar, a star. */
export function manyTrees(leaves: number, seed: number): CompactTree[] {
  const random = new Random(seed);
  return [
    drawnTree(leaves, random),
    drawnTree(leaves, random, 3),
    drawnTree(leaves, random, 6),
    drawnTree(leaves, random, leaves),
    bornTree(leaves, random),
    caterpillar(leaves),
    star(leaves),
  ];
}

/** All leaves below the root. */
export function star(leaves: number): CompactTree {
  const parent = new Int32Array(leaves + 1).fill(leaves);
  parent[leaves] = -1;
  return { leaves, parent, length: new Float64Array(leaves + 1).fill(1, 0, leaves) };
}
