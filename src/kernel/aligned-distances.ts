/**
 * @file Distances of all pairs of an alignment's sequences: letters of the longer that do not stand beside their equal.
 *
 * What the two rows show is one alignment of the pair, and this is at least its edit distance, and not far above it
 * where the alignment is good. A tree of these distances is better than the one that the alignment was made along, if
 * that was of estimates; MAFFT makes its guide trees twice for the same reason (Katoh and others 2002). O(n² · columns),
 * sixteen columns to an instruction; a tile is a row.
 */
import { condensedIndex, condensedLength } from "../sequence/condensed.ts";
import type { Alignment } from "../sequence/alignment.ts";
import type { Kernel } from "./instance.ts";
import type { AlignedDistancesJob } from "./job.ts";
import { runJob, type JobOptions } from "./threads.ts";

/** Stands for a gap in the first row of a pair, and in the second: no letter, and not each other. */
const GAPS = [255, 254];

/** [n(n−1)/2] Distances in SciPy's order, of sequences of codes. */
export async function alignedDistances(
  sequences: readonly Uint8Array[],
  { width, columns }: Alignment,
  options: JobOptions = {},
): Promise<Float32Array> {
  const n = sequences.length;
  const pairs = condensedLength(n);
  const stride = (width + 15) & ~15;
  const job: AlignedDistancesJob = {
    kind: "aligned-distances",
    count: n,
    stride,
    rows: new Uint8Array(new SharedArrayBuffer(n * stride)),
    lengths: Uint32Array.from(sequences, ({ length }) => length),
    result: new Float32Array(new SharedArrayBuffer(4 * pairs)),
  };
  job.rows.fill(GAPS[0]);
  sequences.forEach((sequence, i) => {
    for (let k = 0; k < sequence.length; k++) job.rows[i * stride + columns[i][k]] = sequence[k];
  });
  if (pairs > 0) await runJob(job, pairs, options);
  return job.result;
}

/** Runs the tiles of one request for the distances of an alignment on one thread's kernel. */
export class AlignedDistancesRunner {
  readonly #kernel: Kernel;
  readonly #job: AlignedDistancesJob;
  readonly #row: number;
  readonly #others: number;

  constructor(kernel: Kernel, job: AlignedDistancesJob) {
    this.#kernel = kernel;
    this.#job = job;
    kernel.rewind();
    this.#row = kernel.allocate(job.stride);
    this.#others = kernel.allocate(job.rows.length);
    kernel.bytes.set(job.rows, this.#others);
  }

  /** Distances of sequence `i` to those after it; returns how many. */
  run(i: number): number {
    const { count, stride, rows, lengths, result } = this.#job;
    const { exports, bytes } = this.#kernel;
    const [gap, other] = GAPS;
    const own = rows.slice(i * stride, (i + 1) * stride).map((code) => (code === gap ? other : code));
    bytes.set(own, this.#row);
    for (let j = i + 1, at = condensedIndex(i, i + 1, count); j < count; j++, at++) {
      const equal = exports.equalBytes(this.#row, this.#others + j * stride, stride);
      result[at] = Math.max(lengths[i], lengths[j]) - equal;
    }
    return count - 1 - i;
  }
}
