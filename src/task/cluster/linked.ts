/**
 * @file Groups of sequences that links lead to: single linkage cut at a limit.
 *
 * Two sequences are linked when they are within the limit, and a group is all that links lead to. Only groups are
 * kept, never distances: pairs go into a union–find structure as they are found.
 */

import { rootOf, singletons } from "../../kernel/disjoint-sets.ts";
import { lengthOf, type Comparison, type Neighbours } from "./neighbours.ts";

/** Sets of numbers that are joined two by two; the least number of a set stands for it. */
export class DisjointSets {
  readonly #parent: Uint32Array;

  constructor(length: number) {
    this.#parent = singletons(length);
  }

  find(i: number): number {
    return rootOf(this.#parent, i);
  }

  join(a: number, b: number): void {
    const first = this.find(a);
    const second = this.find(b);
    this.#parent[Math.max(first, second)] = Math.min(first, second);
  }
}

export interface LinkOptions {
  /** Called with the sequences linked so far, and all. */
  progress?: (done: number, total: number) => void;
}

/** Sequences handled together. */
const BLOCK = 1024;

/** The groups of all sequences of the set. */
export async function linkedSets(
  { set, signal }: Pick<Comparison, "set" | "signal">,
  neighbours: Neighbours,
  { progress }: LinkOptions = {},
): Promise<DisjointSets> {
  const sets = new DisjointSets(set.length);
  // Of one block all have about one length, so that whole blocks of other lengths are left out.
  const order = Array.from({ length: set.length }, (_, i) => i);
  order.sort((a, b) => lengthOf(set, a) - lengthOf(set, b) || a - b);
  const rank = new Uint32Array(set.length);
  order.forEach((index, i) => (rank[index] = i));
  const join = (probe: number, member: number) => sets.join(probe, member);
  // What is in one group already need not be compared.
  const earlier = (probe: number, member: number) => rank[member] < rank[probe];
  const apart = (probe: number, member: number) =>
    earlier(probe, member) && sets.find(probe) !== sets.find(member);
  for (let start = 0; start < order.length; start += BLOCK) {
    signal?.throwIfAborted();
    const block = order.slice(start, start + BLOCK);
    neighbours.add(block);
    await neighbours.near(block, join, apart);
    progress?.(Math.min(order.length, start + BLOCK), order.length);
  }
  return sets;
}
