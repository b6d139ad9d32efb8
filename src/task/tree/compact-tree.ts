/**
 * @file Rooted trees as arrays, which is what the algorithms on trees work with.
 *
 * Leaves are nodes 0 … n − 1, in the order of the sequences; inner nodes follow, every parent after all of its
 * children and the root last. A walk up is then a loop over ascending numbers and a walk down one over descending
 * numbers, neither recurses, and a caterpillar of 10⁶ leaves is as good as a balanced tree. Nodes may have any
 * number of children.
 */

import { EmbranchError } from "../../error.ts";
import type { Linkage } from "../../kernel/linkage.ts";
import type { TreeNode } from "../../sequence/newick.ts";

/** A rooted tree over n leaves. */
export interface CompactTree {
  /** n; a tree of one leaf is that leaf alone. */
  leaves: number;
  /** [nodes] Number of the node above, greater than the node's own; −1 for the root, which is last. */
  parent: Int32Array;
  /** [nodes] Length of the branch above; 0 where there is none. */
  length: Float64Array;
}

/**
 * The tree of a linkage: a leaf stands at height 0 and a cluster at half its merge's height, so that the path
 * between two leaves is as long as the height at which they come together.
 */
export function linkageTree({ left, right, heights }: Linkage): CompactTree {
  const merges = left.length;
  const leaves = merges + 1;
  const parent = new Int32Array(leaves + merges).fill(-1);
  const length = new Float64Array(leaves + merges);
  const heightOf = (node: number) => (node < leaves ? 0 : heights[node - leaves]);
  for (let k = 0; k < merges; k++) {
    for (const child of [left[k], right[k]]) {
      parent[child] = leaves + k;
      length[child] = Math.max(0, heights[k] - heightOf(child)) / 2;
    }
  }
  return { leaves, parent, length };
}

/** Digits of a branch length in a file: what single precision is good for. */
const DIGITS = 8;

/** The tree as linked nodes, its leaves named, lengths rounded to 8 digits. */
export function treeNodes({ leaves, parent, length }: CompactTree, names: readonly string[]): TreeNode {
  const nodes = Array.from(parent, (up, i): TreeNode => ({
    name: i < leaves ? names[i] : "",
    ...(up >= 0 && { length: Number(length[i].toPrecision(DIGITS)) }),
    children: [],
  }));
  parent.forEach((up, i) => {
    if (up >= 0) nodes[up].children.push(nodes[i]);
  });
  return nodes[nodes.length - 1];
}

/**
 * A tree of linked nodes in arrays, its leaves numbered as in `names`. Inner nodes with one child are dropped,
 * their branch added to the child's; a branch without a length counts as 0.
 *
 * @throws EmbranchError where the leaves are not the names, once each
 */
export function compactTree(root: TreeNode, names: readonly string[]): CompactTree {
  const numbers = new Map(names.map((name, i) => [name, i]));
  if (numbers.size < names.length) throw new EmbranchError("tree: leaves must have names of their own");
  const seen = new Uint8Array(names.length);
  // Inner nodes are met from the root down; numbered backwards, children come before their parents.
  const inner: { parent: number; length: number }[] = [];
  const leafParent = new Int32Array(names.length).fill(-1);
  const leafLength = new Float64Array(names.length);
  const stack: { node: TreeNode; parent: number; length: number }[] = [{ node: root, parent: -1, length: 0 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { parent, length } = top;
    const { node } = top;
    if (node.children.length === 1) {
      const [child] = node.children;
      stack.push({ node: child, parent, length: parent < 0 ? 0 : length + (child.length ?? 0) });
      continue;
    }
    if (node.children.length === 0) {
      const leaf = numbers.get(node.name);
      if (leaf === undefined) throw new EmbranchError(`tree: has a leaf that is no sequence, "${node.name}"`);
      if (seen[leaf]++ > 0)
        throw new EmbranchError(`tree: must have every leaf once, got "${node.name}" twice`);
      leafParent[leaf] = parent;
      leafLength[leaf] = length;
      continue;
    }
    const at = inner.push({ parent, length }) - 1;
    for (let i = node.children.length - 1; i >= 0; i--) {
      const child = node.children[i];
      stack.push({ node: child, parent: at, length: child.length ?? 0 });
    }
  }
  const missing = seen.indexOf(0);
  if (missing >= 0)
    throw new EmbranchError(`tree: must have every sequence as a leaf, got none named "${names[missing]}"`);
  const leaves = names.length;
  const nodes = leaves + inner.length;
  const numberOf = (at: number) => (at < 0 ? -1 : nodes - 1 - at);
  const parent = new Int32Array(nodes);
  const length = new Float64Array(nodes);
  for (let i = 0; i < leaves; i++) {
    parent[i] = numberOf(leafParent[i]);
    length[i] = leafLength[i];
  }
  inner.forEach((node, at) => {
    parent[numberOf(at)] = numberOf(node.parent);
    length[numberOf(at)] = node.length;
  });
  return { leaves, parent, length };
}
