/**
 * @file Groups of similar sequences: single linkage cut at an identity.
 *
 * Two sequences are linked when 1 − d/max(length) ≥ identity, d their exact edit distance, and a group is all that
 * links lead to (cluster/linked.ts). Sequences of different groups are therefore never within the identity of each
 * other, which is what an honest split needs. Distances are global: a read cut short is as far from the whole one as
 * what was cut.
 */

import { UsageError } from "../error.ts";
import { EditDistances, packCodes, type RequestOptions } from "../kernel/index.ts";
import { findUniques } from "../sequence/index.ts";
import { condensedLength } from "../sequence/condensed.ts";
import { createLimit } from "./cluster/limit.ts";
import { linkedSets } from "./cluster/linked.ts";
import { ExactNeighbours } from "./cluster/neighbours.ts";

export interface LinkedGroupsOptions extends RequestOptions {
  threads?: number;
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
  const set = packCodes(Array.from(representatives, (i) => sequences[i]));
  const kernel = await EditDistances.create({ threads });
  try {
    const comparison = { kernel, set, limit: createLimit({ identity }), signal };
    const total = condensedLength(set.length);
    const sets = await linkedSets(comparison, new ExactNeighbours(comparison), {
      progress: (done) => progress?.(condensedLength(done), total),
    });
    const numbers = new Map<number, number>();
    return copies.map((unique) => {
      const first = sets.find(unique);
      const number = numbers.get(first) ?? numbers.size;
      numbers.set(first, number);
      return number;
    });
  } finally {
    await kernel.close();
  }
}
