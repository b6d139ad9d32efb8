/**
 * @file The best global alignments of a list of pairs, with affine gaps, on all threads.
 *
 * A pair is aligned as two profiles of one sequence (profile-alignment.ts): exactly, in O(m n) time and half a byte a
 * cell, 450 MB for two sequences of 30,000 letters. A tile is a pair.
 */
import type { Kernel } from "./instance.ts";
import type { PairAlignmentJob } from "./job.ts";
import { letterScores, packLetters, usedCodes } from "./letters.ts";
import { checkPairs, type PackedCodes } from "./packed.ts";
import { ProfileAligner, type ProfilePath } from "./profile-alignment.ts";
import { sequenceProfile, type Profile } from "./profile.ts";
import { checkScoring, type Scoring } from "./scoring.ts";
import { SharedHeap } from "./shared-heap.ts";
import { runJob, type JobOptions } from "./threads.ts";

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
  options: JobOptions = {},
): Promise<ProfilePath[]> {
  checkScoring(scoring);
  const letters = letterScores(usedCodes([...a, ...b]), scoring);
  const packed = packLetters(a, letters);
  const job: PairAlignmentJob = {
    kind: "pair-alignment",
    a: packed,
    b: a === b ? packed : packLetters(b, letters),
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
  await runJob(job, left.length, options);
  const heap = new SharedHeap(job.heap);
  return Array.from(job.scores, (score, k) => ({
    score,
    path: heap.bytes(job.paths[2 * k], job.paths[2 * k + 1]),
  }));
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
