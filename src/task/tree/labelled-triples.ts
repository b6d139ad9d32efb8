/**
 * @file Triples of sequences with the similarities of their pairs, and Dasgupta's cost estimated from them.
 *
 * Dasgupta's cost Σ_{i<j} s_ij·|leaves below lca(i, j)| counts for every pair its own two leaves and every third one
 * that joins later than the pair does, so that it is 2·Σ s_ij plus, for every triple, the similarities of its three
 * pairs but for the pair that comes together first (Wang and Wang, "An improved cost function for hierarchical
 * cluster trees", 2018). Means over random triples estimate both sums without bias, from a number of
 * labels that does not depend on N².
 */

import { UsageError } from "../../error.ts";
import type { DistanceOracle } from "../../engine/labels.ts";
import type { Random } from "../../sequence/random.ts";
import { condensedIndex, condensedLength, condensedPair } from "../../sequence/condensed.ts";
import type { CompactTree } from "./compact-tree.ts";

/** Most things whose pairs a generator of 32 bits can number. */
const MOST_THINGS = 92_682;
/** Triples that fit in memory with their labels. */
const MOST_TRIPLES = 2 ** 25;

/** Number of triples of n things. */
export function tripleCount(n: number): number {
  return (n * (n - 1) * (n - 2)) / 6;
}

/** All triples of n things, [3·count], one after the other. */
function allTriples(n: number): Uint32Array {
  const out = new Uint32Array(3 * tripleCount(n));
  let at = 0;
  for (let i = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++) {
      for (let k = j + 1; k < n; k++) {
        out[at++] = i;
        out[at++] = j;
        out[at++] = k;
      }
    }
  }
  return out;
}

/**
 * Triples of n ≥ 3 things, [3·count], one after the other: pairs drawn without replacement, as often as there are
 * pairs (then anew), each with a third thing at random that is neither (SPEC A12); or all there are.
 *
 * @throws UsageError on a number that is not positive or too many for the memory
 */
export function drawTriples(n: number, count: number | "all", random: Random): Uint32Array {
  const wanted = count === "all" ? tripleCount(n) : count;
  if (!Number.isInteger(wanted) || wanted < 1 || wanted > MOST_TRIPLES) {
    throw new UsageError(`triples: must be 1 to ${MOST_TRIPLES}, got ${wanted}`);
  }
  if (n > MOST_THINGS) throw new UsageError(`sequences: must be at most ${MOST_THINGS}, got ${n}`);
  if (count === "all") return allTriples(n);
  const pairs = condensedLength(n);
  const out = new Uint32Array(3 * wanted);
  for (let drawn = 0; drawn < wanted;) {
    const take = Math.min(pairs, wanted - drawn);
    for (const pair of random.sample(pairs, take)) {
      const [i, j] = condensedPair(pair, n);
      // Uniform over the n − 2 others: numbers from i and from j on move up by one.
      let third = random.integer(n - 2);
      if (third >= i) third++;
      if (third >= j) third++;
      out.set([i, j, third], 3 * drawn++);
    }
  }
  return out;
}

/** Distances of the triples' pairs, each asked for once. */
export interface TripleDistances {
  /** [3·count] Distances of the first and second member, the first and third, the second and third. */
  distances: Float32Array;
  /** Different pairs: how many distances were computed. */
  pairs: number;
}

/** Labels triples of n things. */
export async function labelTriples(
  triples: Uint32Array,
  n: number,
  oracle: DistanceOracle,
): Promise<TripleDistances> {
  const keys = new Float64Array(triples.length);
  for (let at = 0; at < triples.length; at += 3) {
    const [a, b, c] = triples.subarray(at, at + 3);
    keys[at] = condensedIndex(a, b, n);
    keys[at + 1] = condensedIndex(a, c, n);
    keys[at + 2] = condensedIndex(b, c, n);
  }
  const sorted = keys.slice().sort();
  let pairs = 0;
  for (let at = 0; at < sorted.length; at++) {
    if (at === 0 || sorted[at] !== sorted[at - 1]) sorted[pairs++] = sorted[at];
  }
  const unique = sorted.subarray(0, pairs);
  const left = new Uint32Array(pairs);
  const right = new Uint32Array(pairs);
  unique.forEach((key, at) => ([left[at], right[at]] = condensedPair(key, n)));
  const labels = await oracle.pairs(left, right);
  return { distances: Float32Array.from(keys, (key) => labels[position(unique, key)]), pairs };
}

/** Position of a value in ascending ones that hold it. */
function position(values: Float64Array, value: number): number {
  let [low, high] = [0, values.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (values[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Number of the lowest common ancestor: every parent has a greater number than its children. */
function ancestor(parent: Int32Array, i: number, j: number): number {
  while (i !== j) {
    if (i < j) i = parent[i];
    else j = parent[j];
  }
  return i;
}

/**
 * Dasgupta's cost of a tree, estimated without bias from random triples and the similarities of their pairs;
 * exact if the triples are all there are.
 */
export function sampledDasguptaCost(
  { leaves, parent }: CompactTree,
  triples: Uint32Array,
  similarities: Float32Array,
): number {
  let [pairSum, tripleSum] = [0, 0];
  for (let at = 0; at < triples.length; at += 3) {
    const [a, b, c] = triples.subarray(at, at + 3);
    const total = similarities[at] + similarities[at + 1] + similarities[at + 2];
    const [ab, ac, bc] = [ancestor(parent, a, b), ancestor(parent, a, c), ancestor(parent, b, c)];
    // In a tree with nodes of many children all three pairs may come together at once: none of them is spared.
    const first = Math.min(ab, ac, bc);
    const spared = ab === ac && ac === bc ? 0 : similarities[at + (ab === first ? 0 : ac === first ? 1 : 2)];
    pairSum += total;
    tripleSum += total - spared;
  }
  const count = triples.length / 3;
  return (2 * condensedLength(leaves) * pairSum) / (3 * count) + (tripleCount(leaves) * tripleSum) / count;
}
