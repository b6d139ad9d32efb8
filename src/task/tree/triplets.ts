/**
 * @file The triplet distance of two rooted trees: the share of triples of leaves that they resolve differently.
 *
 * Of three leaves a binary tree puts two together first (ij|k), and a polytomy may leave them unresolved. Two trees
 * agree on a triple where both put the same two together or both leave it unresolved. Unlike Robinson and Foulds'
 * distance, which one leaf far from its place may bring to its greatest value, this one counts how much is wrong.
 *
 * Exact, O(n²) time and O(n) memory. The pair (i, j) with lowest common ancestors u in one tree and v in the other is
 * together before k in both where k is below neither: n − |u| − |v| + |u ∩ v| leaves. With the numbers of leaves in
 * |u ∩ v| for one u and all v, found by adding up the second tree, the pairs with ancestors u and v follow, and so
 * does the number of triples resolved alike: a sum over u and v. What both leave unresolved has its leaves in three
 * children of u and of v: three elements of a table of children by children with no row and no column in common. Call
 * two elements adjacent where they have one in common; of N elements with e adjacent pairs, p pairs of such pairs
 * that meet in an element and t triangles, C(N, 3) − e(N − 2) + p − t triples have no adjacent pair. Counts stay
 * below n³, exact in double precision for n ≤ 2·10⁵.
 *
 * Beyond that, or where O(n²) is too long, random triples estimate it: with the leaves in the order of a walk in
 * depth, i < j < k, the tree puts i and j together first where lca(i, j) is below lca(j, k), and both are the maximum
 * of a range, O(1) by a table of n log n entries.
 *
 * Sources: Critchlow, Pearl and Qian, "The triples distance for rooted bifurcating phylogenetic trees", Systematic
 * Biology 1996; Bansal, Dong and Fernández-Baca, "Comparing and aggregating partially resolved trees", Theoretical
 * Computer Science 2011, for an O(n²) algorithm for polytomies; Wilson 1927 for the interval.
 */

import { UsageError } from "../../error.ts";
import { Random } from "../../sequence/random.ts";
import { wilson } from "../wilson.ts";
import type { CompactTree } from "./compact-tree.ts";
import { leafOrder } from "./leaf-order.ts";

/** A triplet distance. */
export interface TripletComparison {
  /** Share of triples of leaves that the trees resolve differently; 0 where there are no three leaves. */
  tripletDistance: number;
  /** 95 % interval of the share, where triples were sampled. */
  tripletInterval: [low: number, high: number] | null;
  /** How many triples were drawn; null where all were compared. */
  triplesSampled: number | null;
}

export interface TripletOptions {
  /** Trees of up to this many leaves are compared by all triples, larger ones by a sample (default 10,000). */
  exactUpTo?: number;
  /** Triples in a sample, drawn with replacement (default 1,000,000). */
  samples?: number;
  /** Seed of the sample (default 1). */
  seed?: number;
}

/** The triplet distance of two rooted trees over the same leaves. */
export function compareTriplets(
  reference: CompactTree,
  other: CompactTree,
  { exactUpTo = 10_000, samples = 1_000_000, seed = 1 }: TripletOptions = {},
): TripletComparison {
  const { leaves } = reference;
  if (leaves <= exactUpTo || leaves < 3) {
    const share = leaves < 3 ? 0 : tripletsApart(reference, other) / triples(leaves);
    return { tripletDistance: share, tripletInterval: null, triplesSampled: null };
  }
  if (!(Number.isSafeInteger(samples) && samples > 0)) {
    throw new UsageError(`samples: must be a positive integer, got ${samples}`);
  }
  const random = new Random(seed).fork("triples");
  const share = sampledApart(reference, other, samples, random) / samples;
  return { tripletDistance: share, tripletInterval: wilson(share, samples), triplesSampled: samples };
}

/** Number of triples of n things, n from 0. */
const triples = (n: number): number => (n * (n - 1) * (n - 2)) / 6;

/** Number of triples that two trees resolve differently, or that one of them alone resolves. */
function tripletsApart(a: CompactTree, b: CompactTree): number {
  const { leaves } = a;
  const { first, counts, leafAt } = leafOrder(a);
  const leavesBelow = (node: number) => leafAt.subarray(first[node], first[node] + counts[node]);
  const childrenInA = childLists(a);
  const sizes = leafOrder(b).counts;
  const polytomies = childLists(b).filter((children) => children.length > 2);
  /** [nodes of b] How many leaves each shares with node u of a, and with one child of u. */
  const shared = new Int32Array(b.parent.length);
  const part = new Int32Array(b.parent.length);
  /** [nodes of b] Twice the pairs of leaves with lowest common ancestors u in a and v in b. */
  const pairs = new Float64Array(b.parent.length);
  let alike = 0;
  for (let u = leaves; u < a.parent.length; u++) {
    const children = childrenInA[u];
    const unresolved = children.length > 2 && polytomies.length > 0;
    countShared(b, leavesBelow(u), shared);
    pairs.fill(0);
    addPairs(b, shared, 1, pairs);
    if (unresolved) alike += triplesApart(polytomies, b.parent, shared);
    for (const child of children) {
      if (child < leaves && !unresolved) continue;
      countShared(b, leavesBelow(child), part);
      addPairs(b, part, -1, pairs);
      if (unresolved) alike -= triplesTouching(polytomies, b.parent, shared, part);
    }
    const outside = leaves - counts[u];
    for (let v = leaves; v < b.parent.length; v++) {
      if (pairs[v] > 0) alike += (pairs[v] / 2) * (outside - sizes[v] + shared[v]);
    }
  }
  return triples(leaves) - alike;
}

/** Children of every node. */
function childLists({ parent }: CompactTree): number[][] {
  const children = Array.from(parent, (): number[] => []);
  for (let i = 0; i < parent.length - 1; i++) children[parent[i]].push(i);
  return children;
}

/** How many of `some` leaves are below each node, into `out` [nodes]. */
function countShared({ parent }: CompactTree, some: Int32Array, out: Int32Array): void {
  out.fill(0);
  for (const leaf of some) out[leaf] = 1;
  for (let i = 0; i < parent.length - 1; i++) out[parent[i]] += out[i];
}

/**
 * Adds to `pairs` [nodes], for each inner node, `sign` times twice the number of pairs that come together there, of
 * the leaves that `counts` are of.
 */
function addPairs({ parent }: CompactTree, counts: Int32Array, sign: 1 | -1, pairs: Float64Array): void {
  for (let i = 0; i < parent.length; i++) {
    const count = counts[i];
    if (count === 0) continue;
    const squares = sign * count * count;
    pairs[i] += squares;
    if (i < parent.length - 1) pairs[parent[i]] -= squares;
  }
}

/** Triples of the leaves below u that are in no one child of v, for every polytomy v: C(N, 3) less the columns' share of t. */
function triplesApart(polytomies: readonly number[][], parent: Int32Array, shared: Int32Array): number {
  let sum = 0;
  for (const children of polytomies) {
    sum += triples(shared[parent[children[0]]]);
    for (const child of children) sum -= triples(shared[child]);
  }
  return sum;
}

/** What one child of u adds to e(N − 2) − p and the rest of t, for every polytomy v. */
function triplesTouching(
  polytomies: readonly number[][],
  parent: Int32Array,
  shared: Int32Array,
  part: Int32Array,
): number {
  let sum = 0;
  for (const children of polytomies) {
    const v = parent[children[0]];
    if (part[v] === 0) continue;
    sum += triples(part[v]);
    for (const child of children) {
      const cell = part[child];
      if (cell === 0) continue;
      const adjacent = part[v] + shared[child] - cell - 1;
      sum += ((cell * adjacent) / 2) * (shared[v] - 2 - (adjacent - 1)) - triples(cell);
    }
  }
  return sum;
}

/** How many of `samples` random triples two trees resolve differently. */
function sampledApart(a: CompactTree, b: CompactTree, samples: number, random: Random): number {
  const { leaves } = a;
  const resolvers = [a, b].map((tree) => tripletResolver(tree));
  let apart = 0;
  for (let drawn = 0; drawn < samples; drawn++) {
    const i = random.integer(leaves);
    let j = random.integer(leaves - 1);
    if (j >= i) j++;
    let k = random.integer(leaves - 2);
    if (k >= Math.min(i, j)) k++;
    if (k >= Math.max(i, j)) k++;
    if (resolvers[0](i, j, k) !== resolvers[1](i, j, k)) apart++;
  }
  return apart;
}

/** A function of three leaves: the one that joins the other two last, or −1 where the tree does not resolve them. */
function tripletResolver(tree: CompactTree): (i: number, j: number, k: number) => number {
  const { first, leafAt, between } = leafOrder(tree);
  const ancestor = rangeMaximum(between);
  return (i, j, k) => {
    const low = Math.min(first[i], first[j], first[k]);
    const high = Math.max(first[i], first[j], first[k]);
    const middle = first[i] + first[j] + first[k] - low - high;
    // Both are above the middle leaf, so the one of the greater number is above the other.
    const left = ancestor(low, middle);
    const right = ancestor(middle, high);
    if (left === right) return -1;
    return leafAt[left < right ? high : low];
  };
}

/** The maximum of `values` from one place to before another, O(1) by the maxima of runs of 1, 2, 4, … values. */
function rangeMaximum(values: Int32Array): (from: number, end: number) => number {
  const levels = [values];
  for (let half = 1; 2 * half <= values.length; half *= 2) {
    const below = levels[levels.length - 1];
    levels.push(
      Int32Array.from({ length: values.length - 2 * half + 1 }, (_, p) =>
        Math.max(below[p], below[p + half]),
      ),
    );
  }
  return (from, end) => {
    const level = 31 - Math.clz32(end - from);
    return Math.max(levels[level][from], levels[level][end - (1 << level)]);
  };
}
