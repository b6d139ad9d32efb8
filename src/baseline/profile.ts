/**
 * @file Which k-mers each sequence holds, and how often: what alignment-free distances are made of (SPEC A9).
 *
 * A k-mer counts where all of its k letters are plain ones of the sequence itself. Windows that hold an ambiguity
 * letter are left out, and nothing is ever padded: the reference code convolves its padding as if it were a
 * letter, which gives short sequences k-mers that they do not have.
 *
 * A sequence of L letters has at most L − k + 1 different k-mers, however many (4ᵏ, 20ᵏ) there could be, so counts
 * are kept sparse, in rows one after another, for every k and alphabet alike. Columns are numbered in the order
 * in which their k-mers are first seen; k-mers that are nowhere seen have none.
 *
 * To compare one sequence with many, its counts are laid out over the columns once, and each partner's few
 * k-mers then look theirs up: O(L) a pair, without a search and without a merge.
 */

import { UsageError } from "../error.ts";
import type { Progress } from "../kernel/index.ts";
import type { Alphabet } from "../sequence/index.ts";
import { condensedLength, type PairList } from "../sequence/condensed.ts";

/** K-mer counts of N sequences, sparse. */
export interface KmerProfiles {
  k: number;
  /** The number N of sequences. */
  length: number;
  /** [N + 1] Where each sequence's entries start, and the end of the last. */
  offsets: Uint32Array;
  /** [entries] Columns, all different within a sequence. */
  columns: Uint32Array;
  /** [entries] How often the sequence holds the column's k-mer, from 1. */
  counts: Uint32Array;
  /** [N] How many k-mers each sequence holds, all occurrences counted. */
  totals: Float64Array;
  /** [columns] Each column's k-mer: its codes as the digits of a number, the first the highest. */
  kmers: Float64Array;
}

export interface CountKmersOptions {
  /** Letters of a k-mer. */
  k: number;
  alphabet: Alphabet;
}

/**
 * Counts the k-mers of sequences of codes; O(letters).
 *
 * @throws UsageError unless k is a positive integer and all k-mers can be numbered (k ≤ 26 for DNA, 12 for protein)
 */
export function countKmers(
  sequences: readonly Uint8Array[],
  { k, alphabet: { name, size } }: CountKmersOptions,
): KmerProfiles {
  const greatest = Math.floor((53 * Math.LN2) / Math.log(size));
  if (!Number.isInteger(k) || k < 1 || k > greatest) {
    throw new UsageError(`k: must be an integer from 1 to ${greatest} for ${name}, got ${k}`);
  }
  const leading = size ** (k - 1);
  const most = sequences.reduce((sum, { length }) => sum + Math.max(0, length - k + 1), 0);
  const columns = new Uint32Array(most);
  const counts = new Uint32Array(most);
  const offsets = new Uint32Array(sequences.length + 1);
  const totals = new Float64Array(sequences.length);
  const columnOf = new Map<number, number>();
  /** Of each column the latest entry; those of earlier sequences stand before the present one's first. */
  const latest = new Int32Array(most).fill(-1);
  let end = 0;
  sequences.forEach((sequence, i) => {
    const first = end;
    let kmer = 0;
    let run = 0;
    for (const code of sequence) {
      if (code >= size) {
        run = 0;
        continue;
      }
      kmer = (kmer % leading) * size + code;
      if (++run < k) continue;
      let column = columnOf.get(kmer);
      if (column === undefined) columnOf.set(kmer, (column = columnOf.size));
      if (latest[column] < first) {
        columns[end] = column;
        latest[column] = end++;
      }
      counts[latest[column]]++;
      totals[i]++;
    }
    offsets[i + 1] = end;
  });
  return {
    k,
    length: sequences.length,
    offsets,
    columns: columns.slice(0, end),
    counts: counts.slice(0, end),
    totals,
    kmers: Float64Array.from(columnOf.keys()),
  };
}

export interface PairOptions {
  /** The pairs to compare, best with those of the same left one together; default all unordered pairs in condensed order. */
  pairs?: PairList;
  /** Called now and then with the pairs done so far and their total; the last time with done = total. */
  progress?: Progress;
}

/** Number of pairs that the options stand for. */
export function pairCount({ length }: KmerProfiles, { pairs }: PairOptions): number {
  return pairs?.left.length ?? condensedLength(length);
}

/** Pairs between two calls of a progress callback, at least. */
const PROGRESS_PAIRS = 1 << 16;

/**
 * Calls `compare` for each pair: with the pair's place, its sequences, and the left one's counts laid out over all
 * columns, which belong to the caller until the call returns.
 */
export function forEachPair(
  profiles: KmerProfiles,
  options: PairOptions,
  compare: (at: number, left: number, right: number, row: Uint32Array) => void,
): void {
  const { length, offsets, columns, counts, kmers } = profiles;
  const { pairs, progress } = options;
  const total = pairCount(profiles, options);
  const row = new Uint32Array(kmers.length);
  let told = 0;
  for (let at = 0, i = 0; at < total; i++) {
    if (pairs) i = pairs.left[at];
    for (let e = offsets[i]; e < offsets[i + 1]; e++) row[columns[e]] = counts[e];
    if (pairs) for (; at < total && pairs.left[at] === i; at++) compare(at, i, pairs.right[at], row);
    else for (let j = i + 1; j < length; j++) compare(at++, i, j, row);
    for (let e = offsets[i]; e < offsets[i + 1]; e++) row[columns[e]] = 0;
    if (at - told < PROGRESS_PAIRS) continue;
    told = at;
    progress?.(at, total);
  }
  if (told < total || total === 0) progress?.(total, total);
}
