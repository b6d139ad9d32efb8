/**
 * @file The best global alignments of a list of pairs, with affine gaps, on all threads.
 *
 * A pair is aligned as two profiles of one sequence (profile-alignment.ts): exactly, in O(m n) time and half a byte a
 * cell, 450 MB for two sequences of 30,000 letters. A tile is a pair.
 */
import type { Kernel } from "./instance.ts";
import type { PairAlignmentJob } from "./job.ts";
import { checkPairs, packCodes, type PackedCodes } from "./packed.ts";
import type { RequestOptions } from "./pool.ts";
import { letterScores, ProfileAligner, type ProfilePath } from "./profile-alignment.ts";
import { sequenceProfile, type Profile } from "./profile.ts";
import { checkScoring, type Scoring } from "./scoring.ts";
import { SharedHeap } from "./shared-heap.ts";
import { kernelPool } from "./threads.ts";

export interface PairAlignmentOptions extends RequestOptions {
  threads?: number;
}

/**
 * Aligns sequence left[k] of `a` with sequence right[k] of `b`, for every k.
 *
 * @throws UsageError for pairs of sequences that are not there; EmbranchError for two whose product of lengths is
 *   beyond 8e9
 */
export async function pairAlignments(
  a: readonly Uint8Array[],
  b: readonly Uint8Array[],
  left: Uint32Array,
  right: Uint32Array,
  scoring: Scoring,
  { threads, ...request }: PairAlignmentOptions = {},
): Promise<ProfilePath[]> {
  checkScoring(scoring);
  const letters = letterScores(usedCodes([...a, ...b]), scoring);
  const number = (sequences: readonly Uint8Array[]): PackedCodes =>
    packCodes(sequences.map((sequence) => sequence.map((code) => letters.letterOf[code])));
  const numbered = number(a);
  const job: PairAlignmentJob = {
    kind: "pair-alignment",
    a: numbered,
    b: a === b ? numbered : number(b),
    left,
    right,
    letters,
    scoring,
    heap: new SharedHeap().state,
    paths: new Int32Array(new SharedArrayBuffer(8 * left.length)),
    scores: new Float32Array(new SharedArrayBuffer(4 * left.length)),
  };
  checkPairs(job.a, job.b, left, right);
  if (left.length === 0) return [];
  const pool = kernelPool(threads);
  try {
    await pool.run(job, left.length, left.length, request);
  } finally {
    await pool.close();
  }
  const heap = new SharedHeap(job.heap);
  return Array.from(job.scores, (score, k) => ({
    score,
    path: heap.bytes(job.paths[2 * k], job.paths[2 * k + 1]),
  }));
}

/** The codes that occur. */
export function usedCodes(sequences: readonly Uint8Array[]): Set<number> {
  const used = new Uint8Array(256);
  for (const sequence of sequences) for (const code of sequence) used[code] = 1;
  return new Set([...used.keys()].filter((code) => used[code] === 1));
}

/** Runs the tiles of one request for alignments of pairs on one thread's kernel. */
export class PairAlignmentRunner {
  readonly #job: PairAlignmentJob;
  readonly #heap: SharedHeap;
  readonly #aligner: ProfileAligner;

  constructor(kernel: Kernel, job: PairAlignmentJob) {
    this.#job = job;
    this.#heap = new SharedHeap(job.heap);
    kernel.rewind();
    this.#aligner = new ProfileAligner(kernel, job.letters, job.scoring);
  }

  /** Aligns pair `k`; returns 1, the number of pairs. */
  run(k: number): number {
    const { a, b, left, right, paths, scores } = this.#job;
    const { score, path } = this.#aligner.align(this.#profile(a, left[k]), this.#profile(b, right[k]));
    scores[k] = score;
    paths[2 * k] = this.#heap.put(path);
    paths[2 * k + 1] = path.length;
    return 1;
  }

  #profile({ codes, offsets }: PackedCodes, i: number): Profile {
    return sequenceProfile(codes.subarray(offsets[i], offsets[i + 1]), this.#job.letters.count, 1);
  }
}
