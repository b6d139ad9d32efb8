/**
 * @file A guide tree as other aligners take it: rooted, two branches at every node, in their formats.
 *
 * Clustal Omega and ClustalW read Newick, MAFFT a list of joins (what its `newick2mafft.rb` makes of Newick): a line a
 * join, the least number of a sequence in either group, counted from 1 in the order of the input, the lesser first,
 * and the two branch lengths. Lengths are shares of differing letters there: ClustalW puts off sequences whose branches
 * are long, and both ClustalW and MAFFT derive the weights of sequences from them.
 */

import { formatNewick } from "../../sequence/newick.ts";
import { treeNodes, type CompactTree } from "../tree/compact-tree.ts";

/**
 * The same tree with two branches at every node, rooted where it is: where more meet, as at the root of neighbour
 * joining, the shortest are joined first, by branches of length 0.
 */
export function binaryTree({ leaves, parent, length }: CompactTree): CompactTree {
  const nodes = 2 * leaves - 1;
  const children = Array.from(parent, (): number[] => []);
  parent.forEach((up, node) => {
    if (up >= 0) children[up].push(node);
  });
  const tree: CompactTree = {
    leaves,
    parent: new Int32Array(nodes).fill(-1),
    length: new Float64Array(nodes),
  };
  /** Of every node that is done, its number in the new tree. */
  const renumbered = Int32Array.from(parent, (_, node) => node);
  let next = leaves;
  for (let node = leaves; node < parent.length; node++) {
    const [first, ...others] = children[node].sort((a, b) => length[a] - length[b] || a - b);
    let [left, above] = [renumbered[first], length[first]];
    for (const other of others) {
      const right = renumbered[other];
      tree.parent[left] = tree.parent[right] = next;
      tree.length[left] = above;
      tree.length[right] = length[other];
      [left, above] = [next++, 0];
    }
    renumbered[node] = left;
  }
  return tree;
}

/** Paths longer than this are no shares of letters, but edits. */
const LONGEST_SHARE = 2;

/**
 * The tree with lengths from 0, in differing letters of all: where a path from the root is longer than 2 they are
 * taken for edits, and divided by `letters`, the mean length of the sequences.
 */
export function inShares(tree: CompactTree, letters: number): CompactTree {
  const length = tree.length.map((each) => Math.max(0, each));
  const depth = new Float64Array(length.length);
  let longest = 0;
  for (let node = length.length - 2; node >= 0; node--) {
    depth[node] = depth[tree.parent[node]] + length[node];
    longest = Math.max(longest, depth[node]);
  }
  const scale = longest > LONGEST_SHARE && letters > 0 ? 1 / letters : 1;
  return { ...tree, length: length.map((each) => each * scale) };
}

/** A tree, made one of two branches at every node, in Newick. */
export function newickGuide(tree: CompactTree, names: readonly string[]): string {
  return `${formatNewick(treeNodes(binaryTree(tree), names))}\n`;
}

/** The joins of a tree as MAFFT's `--treein` reads them; none for one sequence. */
export function mafftGuide(tree: CompactTree): string {
  const { parent, length } = binaryTree(tree);
  /** The least sequence below each node. */
  const least = Int32Array.from(parent, (_, node) => node);
  /** The child of each node that came first. */
  const waiting = new Int32Array(parent.length).fill(-1);
  const lines: string[] = [];
  for (let node = 0; node < parent.length - 1; node++) {
    const up = parent[node];
    const other = waiting[up];
    if (other < 0) {
      waiting[up] = node;
      continue;
    }
    const pair = least[node] < least[other] ? [node, other] : [other, node];
    least[up] = least[pair[0]];
    const numbers = pair.map((each) => String(least[each] + 1).padStart(5));
    const lengths = pair.map((each) => length[each].toFixed(5).padStart(10));
    lines.push(`${[...numbers, ...lengths].join(" ")}\n`);
  }
  return lines.join("");
}
