/**
 * @file In which order sequences are clustered, copies of one being one.
 *
 * Copies are put together first and their sizes added up. VSEARCH leaves that to `--derep_fulllength`, and takes copies
 * that were left for sequences of their own. Ties go by id, as VSEARCH has it, so that the order of the file does not
 * matter, unless it is the order asked for.
 */

import { findUniques } from "../../sequence/index.ts";

/** `size`: the most abundant first; `length`: the longest first; `none`: as they come. */
export const SORTINGS = ["size", "length", "none"] as const;
export type Sorting = (typeof SORTINGS)[number];

/** The different sequences of a set, in order. */
export interface ProcessingOrder {
  /** [uniques] Every copy of each sequence, in order; the first of them stands for all. */
  copies: Uint32Array[];
  /** [uniques] How many reads they stand for together. */
  sizes: Float64Array;
}

/** Puts copies together and the different sequences in order; `sizes`: how many reads each stands for. */
export function processingOrder(
  { ids, codes }: { ids: readonly string[]; codes: readonly Uint8Array[] },
  sizes: ArrayLike<number>,
  sorting: Sorting = "size",
): ProcessingOrder {
  const { group, counts } = findUniques(codes);
  const byId = (a: number, b: number) => (ids[a] < ids[b] ? -1 : ids[a] > ids[b] ? 1 : a - b);
  const records = Uint32Array.from(ids, (_, i) => i);
  // Copies are equally long, so that what sorts them is their size.
  if (sorting !== "none") records.sort((a, b) => sizes[b] - sizes[a] || byId(a, b));
  const copies = Array.from(counts, (count) => new Uint32Array(count));
  const filled = new Uint32Array(counts.length);
  const totals = new Float64Array(counts.length);
  const seen: number[] = [];
  for (const record of records) {
    const unique = group[record];
    if (filled[unique] === 0) seen.push(unique);
    copies[unique][filled[unique]++] = record;
    totals[unique] += sizes[record];
  }
  const lengthOf = (unique: number) => codes[copies[unique][0]].length;
  const bySize = (a: number, b: number) => totals[b] - totals[a] || byId(copies[a][0], copies[b][0]);
  if (sorting === "size") seen.sort(bySize);
  if (sorting === "length") seen.sort((a, b) => lengthOf(b) - lengthOf(a) || bySize(a, b));
  return {
    copies: seen.map((unique) => copies[unique]),
    sizes: Float64Array.from(seen, (unique) => totals[unique]),
  };
}
