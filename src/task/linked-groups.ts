/**
 * @file Groups of similar sequences: single linkage cut at an identity.
 *
 * Two sequences are linked when 1 − d/max(length) ≥ identity, d their exact edit distance, and a group is all that
 * links lead to. Sequences of different groups are therefore never within the identity of each other, which is
 * what an honest split needs. Distances are global: a read cut short is as far from the whole one as what was cut.
 *
 * Only groups are kept, never distances: pairs run through the kernel in blocks (length-blocks.ts), with the
 * greatest distance that links as its threshold, and go into a union–find structure (Tarjan 1975). Time is O(N²)
 * with a small constant: 50,000 reads of 100 to 152 letters at 0.97 take some ten seconds on two cores, and 0.6 GB.
 */

import { UsageError } from "../error.ts";
import { EditDistances, type Distances, type RequestOptions } from "../kernel/index.ts";
import { findUniques } from "../sequence/index.ts";
import { condensedLength } from "../sequence/condensed.ts";
import { fewestEdits, lengthBlocks, type LengthBlock } from "./length-blocks.ts";

export interface LinkedGroupsOptions extends RequestOptions {
  threads?: number;
}

/** Keeps (1 − 0.9) · 10 from being 0.9999999999999998. */
const ROUNDING = 1e-9;

/** The greatest edit distance at which two sequences, the longer of `length` letters, have the identity. */
export function mostEdits(identity: number, length: number): number {
  return Math.floor((1 - identity) * length + ROUNDING);
}

/**
 * For every sequence the number of its group; groups are numbered from 0 in the order of their first sequences.
 *
 * @throws UsageError when `identity` is not above 0 and at most 1
 */
export async function linkedGroups(
  sequences: readonly Uint8Array[],
  identity: number,
  { threads, progress, signal }: LinkedGroupsOptions = {},
): Promise<Uint32Array> {
  if (!(identity > 0 && identity <= 1)) {
    throw new UsageError(`identity: must be above 0 and at most 1, got ${identity}`);
  }
  const { representatives, group: copies } = findUniques(sequences);
  // At an identity of 1 copies alone are linked.
  if (identity === 1) return copies;
  const blocks = lengthBlocks(sequences, representatives);
  const total = condensedLength(representatives.length);
  const sets = new DisjointSets(sequences.length);
  const kernel = await EditDistances.create({ threads });
  try {
    let done = 0;
    const options = { signal, progress: (part: number) => progress?.(done + part, total) };
    for (const [j, columns] of blocks.entries()) {
      const threshold = mostEdits(identity, columns.longest);
      const limits = Uint32Array.from(columns.indices, (i) => mostEdits(identity, sequences[i].length));
      for (const rows of blocks.slice(0, j)) {
        if (fewestEdits(rows, columns) <= threshold) {
          const distances = await kernel.cross(rows.packed, columns.packed, { ...options, threshold });
          linkRows(sets, rows, columns, { distances, limits, first: () => 0 });
        }
        done += rows.packed.length * columns.packed.length;
        progress?.(done, total);
      }
      const distances = await kernel.allPairs(columns.packed, { ...options, threshold });
      linkRows(sets, columns, columns, { distances, limits, first: (row) => row + 1 });
      done += distances.length;
      progress?.(done, total);
    }
  } finally {
    await kernel.close();
  }
  return sets.numbered(copies.map((unique) => representatives[unique]));
}

/** The distances of a block, row by row, each row from its column `first(row)` on. */
interface BlockDistances {
  distances: Distances;
  /** [columns] The greatest distance that links a column to a row, which is no longer than it. */
  limits: Uint32Array;
  first: (row: number) => number;
}

function linkRows(
  sets: DisjointSets,
  rows: LengthBlock,
  columns: LengthBlock,
  { distances, limits, first }: BlockDistances,
): void {
  for (let row = 0, at = 0; row < rows.indices.length; row++) {
    for (let column = first(row); column < columns.indices.length; column++, at++) {
      if (distances[at] <= limits[column]) sets.join(rows.indices[row], columns.indices[column]);
    }
  }
}

/** Sets of numbers that are joined two by two; the least number of a set stands for it. */
class DisjointSets {
  readonly #parent: Uint32Array;

  constructor(length: number) {
    this.#parent = Uint32Array.from({ length }, (_, i) => i);
  }

  #find(i: number): number {
    const parent = this.#parent;
    while (parent[i] !== i) i = parent[i] = parent[parent[i]];
    return i;
  }

  join(a: number, b: number): void {
    const first = this.#find(a);
    const second = this.#find(b);
    this.#parent[Math.max(first, second)] = Math.min(first, second);
  }

  /** The sets of `members`, numbered from 0 as they first appear. */
  numbered(members: Uint32Array): Uint32Array {
    const numbers = new Map<number, number>();
    return members.map((member) => {
      const set = this.#find(member);
      const number = numbers.get(set) ?? numbers.size;
      numbers.set(set, number);
      return number;
    });
  }
}
