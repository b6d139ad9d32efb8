/**
 * @file Needleman-Wunsch matrices of a list of pairs (match +1, mismatch −1, gap −1), and the softmax of their
 * rows, which is what the attention of Lee and No (2024) learns to predict.
 *
 * They are computed where they are needed and not kept: the matrices of 350 reads' pairs would take gigabytes.
 * A tile is a pair; a thread needs room for a few rows beside the result. Scores of a row differ by integers,
 * so that their exponentials come from a table; shares below e⁻⁸⁰ are given as 0, which spares the consumer
 * subnormal numbers.
 */
import { EmbranchError, UsageError } from "../error.ts";
import type { Kernel } from "./instance.ts";
import type { AlignmentCells, AlignmentJob } from "./job.ts";
import { checkPairs, inSharedMemory, toShared, type PackedCodes } from "./packed.ts";
import type { RequestOptions } from "./pool.ts";

/** Options of a request for alignment matrices. */
export interface AlignmentOptions<Cells extends AlignmentCells> extends RequestOptions {
  /** Length n of the model, 0…10,000: matrices are n + 1 cells wide and high, and no sequence may be longer. */
  length: number;
  /**
   * An earlier result of as many cells, to be overwritten and given back: fresh memory takes as long as the
   * matrices do, and shared memory is slow to be collected. Not one of an aborted request, whose threads may
   * still be at their last matrices. Default new memory.
   */
  into?: Cells;
}

/** Three times this and a vector's worth fits into the kernel's 16-bit cells. */
const LONGEST = 10_000;
/** From this difference to a row's best score on, the softmax gives nothing. */
const VANISHING = 81;
/** Bytes of rows that go to the result together. */
const BLOCK = 256 * 1024;
/** What vectors may overwrite beyond a block. */
const SLACK = 128;

interface CellType<Cells> {
  new (buffer: SharedArrayBuffer): Cells;
  readonly BYTES_PER_ELEMENT: number;
}

/** Checks a request and makes its job, with room for the result in shared memory. */
export function alignmentJob<Cells extends AlignmentCells>(
  type: CellType<Cells>,
  set: PackedCodes,
  sources: Uint32Array,
  targets: Uint32Array,
  { length, into }: AlignmentOptions<Cells>,
): AlignmentJob & { result: Cells } {
  if (!Number.isInteger(length) || length < 0 || length > LONGEST) {
    throw new UsageError(`length: must be an integer from 0 to ${LONGEST}, got ${length}`);
  }
  checkPairs(set, set, sources, targets);
  for (const side of [sources, targets]) {
    for (const i of side) {
      const letters = set.offsets[i + 1] - set.offsets[i];
      if (letters > length)
        throw new UsageError(`sequence ${i}: must have at most ${length} letters, got ${letters}`);
    }
  }
  const cells = sources.length * (length + 1) ** 2;
  if (into && !(into.length === cells && into.buffer instanceof SharedArrayBuffer)) {
    throw new UsageError(`into: must be ${cells} cells in shared memory, got ${into.length}`);
  }
  return {
    kind: "alignment",
    set: toShared(set),
    sources: inSharedMemory(sources),
    targets: inSharedMemory(targets),
    length,
    result: into ?? allocate(type, cells),
  };
}

function allocate<Cells>(type: CellType<Cells>, cells: number): Cells {
  const bytes = cells * type.BYTES_PER_ELEMENT;
  try {
    return new type(new SharedArrayBuffer(bytes));
  } catch (cause) {
    throw new EmbranchError(`alignment: ${cells} cells do not fit into memory, ${bytes} bytes`, { cause });
  }
}

/** Runs the tiles, pair by pair, of one request for alignment matrices on one thread's kernel. */
export class AlignmentRunner {
  private readonly kernel: Kernel;
  private readonly job: AlignmentJob;
  /** Address of their table; 0 where scores are asked for. */
  private readonly exponentials: number;
  private readonly base: number;

  constructor(kernel: Kernel, job: AlignmentJob) {
    this.kernel = kernel;
    this.job = job;
    kernel.rewind();
    this.exponentials = job.result instanceof Float32Array ? placeExponentials(kernel) : 0;
    this.base = kernel.mark;
  }

  /** Writes the matrix of pair `index` to the result; returns 1, the number of pairs. */
  run(index: number): number {
    const { kernel, job } = this;
    const side = job.length + 1;
    const stride = side * job.result.BYTES_PER_ELEMENT;
    const matrix = job.result.byteOffset + index * side * stride;
    kernel.rewind(this.base);
    const [source, n] = this.place(job.sources[index]);
    const [target, m] = this.place(job.targets[index]);
    const lanes = 8 * Math.ceil(n / 8);
    const row = kernel.allocate(2 * lanes);
    const ramp = kernel.allocate(2 * lanes);
    const block = Math.max(1, Math.min(m + 1, Math.floor(BLOCK / stride)));
    const room = kernel.allocate(stride * block + SLACK);
    kernel.bytes.fill(0, row, row + 2 * lanes);
    const columns = new Int16Array(kernel.bytes.buffer, ramp, lanes).fill(0x7fff);
    for (let j = 1; j <= n; j++) columns[j - 1] = j;
    const result = new Uint8Array(job.result.buffer, matrix, side * stride);
    for (let from = 0; from <= m; from += block) {
      const to = Math.min(m + 1, from + block);
      // Copies into shared memory go by words only where both ends stand alike in theirs.
      const out = room + ((matrix + from * stride) % 8);
      kernel.exports.alignRows(
        source,
        n,
        target,
        from,
        to,
        row,
        ramp,
        this.exponentials,
        VANISHING,
        out,
        stride,
      );
      result.set(kernel.bytes.subarray(out, out + stride * (to - from)), from * stride);
    }
    result.fill(0, (m + 1) * stride);
    return 1;
  }

  /** Copies sequence `i` into the kernel's memory, with room for a vector beyond; the set may be far larger. */
  private place(i: number): [address: number, length: number] {
    const { kernel, job } = this;
    const codes = job.set.codes.subarray(job.set.offsets[i], job.set.offsets[i + 1]);
    const address = kernel.allocate(codes.length + 16);
    kernel.bytes.set(codes, address);
    return [address, codes.length];
  }
}

/** Copies exp(−d) for every difference d to a row's best score into the kernel's memory; returns its address. */
function placeExponentials(kernel: Kernel): number {
  const table = new Float32Array(VANISHING + 1);
  for (let d = 0; d < VANISHING; d++) table[d] = Math.exp(-d);
  const address = kernel.allocate(table.byteLength);
  kernel.bytes.set(new Uint8Array(table.buffer), address);
  return address;
}
