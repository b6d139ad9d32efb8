/**
 * @file Midpoint rooting (Farris 1972): the root goes half-way along the longest path between two leaves.
 *
 * Neighbour joining leaves open where the root is. If all lineages evolved at about one rate, the two leaves that are
 * farthest apart are as far from the root, and it is half-way between them. O(n) time, three loops, no recursion.
 *
 * Source: Farris, "Estimating phylogenetic trees from distance matrices", The American Naturalist 1972.
 */

import type { CompactTree } from "./compact-tree.ts";

/** Share of the longest path within which a node is taken for its middle. */
const TOLERANCE = 1e-12;

/** A point of a tree: on the branch above `node`, `height` up from it. */
interface Place {
  node: number;
  height: number;
}

/**
 * The same unrooted tree, rooted at the midpoint of its longest path between two leaves. Where the midpoint is a node,
 * this becomes the root; an old root that is left with one child is dropped, its branches added. The tree itself is
 * given back where it is rooted there already, and where no path is longer than 0.
 *
 * Between equally long paths, the one under the node with the lowest number is taken; all have one midpoint unless
 * branches are negative.
 */
export function midpointRoot(tree: CompactTree): CompactTree {
  const place = midpoint(tree);
  return place === undefined ? tree : rootAt(tree, place);
}

/** The middle of the longest path; none where it has no length. */
function midpoint({ leaves, parent, length }: CompactTree): Place | undefined {
  const nodes = parent.length;
  // The deepest leaf under every node, among the children seen so far.
  const depth = new Float64Array(nodes).fill(-Infinity);
  const leaf = new Int32Array(nodes);
  let longest = 0;
  let end = -1;
  for (let i = 0; i < leaves; i++) {
    depth[i] = 0;
    leaf[i] = i;
  }
  for (let i = 0; i < nodes - 1; i++) {
    const up = parent[i];
    const here = depth[i] + length[i];
    if (depth[up] + here > longest) {
      longest = depth[up] + here;
      // Seen from the farther of its ends, the middle is below the node where the path turns.
      end = here > depth[up] ? leaf[i] : leaf[up];
    }
    if (here > depth[up]) {
      depth[up] = here;
      leaf[up] = leaf[i];
    }
  }
  if (end < 0) return undefined;
  const slack = TOLERANCE * longest;
  let node = end;
  let height = longest / 2;
  while (length[node] < height - slack) {
    height -= length[node];
    node = parent[node];
  }
  if (length[node] > height + slack) return { node, height };
  // Nodes without a distance between them are one place: the highest stands for all.
  while (parent[node] < nodes - 1 && length[parent[node]] <= slack) node = parent[node];
  return { node, height: length[node] };
}

/** The same unrooted tree with its root at another place. */
function rootAt(tree: CompactTree, { node, height }: Place): CompactTree {
  const { leaves, parent, length } = tree;
  const nodes = parent.length;
  const oldRoot = nodes - 1;
  // The nodes above the place, whose branches turn round.
  const turned: number[] = [];
  for (let at = parent[node]; at >= 0; at = parent[at]) turned.push(at);
  const atNode = height === length[node];
  if (atNode && turned.length === 1) return tree;

  const newRoot = atNode ? turned[0] : nodes;
  const up = new Int32Array(nodes + 1);
  const above = new Float64Array(nodes + 1);
  up.set(parent);
  above.set(length);
  for (let k = 1; k < turned.length; k++) {
    up[turned[k]] = turned[k - 1];
    above[turned[k]] = length[turned[k - 1]];
  }
  if (!atNode) {
    up[turned[0]] = up[node] = newRoot;
    above[turned[0]] = length[node] - height;
    above[node] = height;
  }
  up[newRoot] = -1;
  above[newRoot] = 0;

  const left: number[] = [];
  for (let i = 0; i < oldRoot; i++) if (up[i] === oldRoot) left.push(i);
  if (left.length === 1) {
    up[left[0]] = up[oldRoot];
    above[left[0]] += above[oldRoot];
    turned.pop();
  }

  // Nodes whose branches point as before keep their order; the turned ones follow, from the old root on.
  const isTurned = new Uint8Array(nodes);
  for (let at = parent[node]; at >= 0; at = parent[at]) isTurned[at] = 1;
  const order: number[] = [];
  for (let i = 0; i < nodes; i++) if (!isTurned[i]) order.push(i);
  for (const at of turned.reverse()) order.push(at);
  if (!atNode) order.push(newRoot);
  const number = new Int32Array(nodes + 1);
  order.forEach((old, i) => {
    number[old] = i;
  });
  return {
    leaves,
    parent: Int32Array.from(order, (old) => (up[old] < 0 ? -1 : number[up[old]])),
    length: Float64Array.from(order, (old) => above[old]),
  };
}
