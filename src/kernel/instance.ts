/**
 * @file One instance of the WebAssembly kernel and its memory.
 *
 * The assembly allocates nothing: the host hands out addresses from a stack that is rewound between pieces of
 * work, and grows the memory when the stack does. Every thread has its own instance; sequences come in from,
 * and distances go out to, memory that the threads share.
 */
import { readFileSync } from "node:fs";
import { EmbranchError } from "../error.ts";

/** The functions of assembly/index.ts; numbers are addresses or counts as documented there. */
interface KernelExports {
  memory: WebAssembly.Memory;
  greatestCode(codes: number, count: number): number;
  slicePatterns(
    entries: number,
    lanes: number,
    rows: number,
    used: number,
    table: number,
    alive: number,
  ): void;
  sliceCodes(
    entries: number,
    lanes: number,
    rows: number,
    bits: number,
    planes: number,
    alive: number,
  ): number;
  resetGuess(): void;
  sweep(
    table: number,
    alive: number,
    rows: number,
    lanes: number,
    lengths: number,
    shortest: number,
    longest: number,
    texts: number,
    count: number,
    cap: number,
    v: number,
    planes: number,
    out: number,
  ): void;
  lanes(
    pattern: number,
    alive: number,
    rows: number,
    text: number,
    bits: number,
    ends: number,
    endCount: number,
    count: number,
    lengths: number,
    widths: number,
    low: number,
    high: number,
    cap: number,
    v: number,
    planes: number,
    out: number,
  ): void;
  myers(
    pattern: number,
    m: number,
    text: number,
    n: number,
    codes: number,
    table: number,
    state: number,
    cap: number,
  ): number;
  profile16: Profile;
  profile32: Profile;
  weigh16: Weigh;
  weigh32: Weigh;
  alignRows(
    source: number,
    n: number,
    target: number,
    from: number,
    to: number,
    row: number,
    ramp: number,
    table: number,
    last: number,
    out: number,
    stride: number,
  ): void;
  equalBytes(a: number, b: number, size: number): number;
  scorePlanes(letters: number, stride: number, counts: number, scores: number, planes: number): void;
  alignProfiles(
    m: number,
    n: number,
    size: number,
    offsets: number,
    entries: number,
    costs: number,
    leave: number,
    enter: number,
    endLeave: number,
    endEnter: number,
    share: number,
    scores: number,
    row: number,
    gaps: number,
    bits: number,
    ends: number,
  ): number;
  areDistances(at: number, count: number): number;
  squareAll(at: number, count: number): void;
  mirror(at: number, rowBytes: number, from: number, to: number): void;
  beginChain(
    at: number,
    rowBytes: number,
    count: number,
    method: number,
    penalties: number,
    sizes: number,
    members: number,
    heights: number,
    chain: number,
    living: number,
  ): void;
  chainMerges: Merge;
  beginSpanning(
    at: number,
    rowBytes: number,
    count: number,
    penalties: number,
    reach: number,
    origin: number,
  ): void;
  spanningEdges: Merge;
  beginJoining(condensed: number, copy: number, count: number, room: number): number;
  joinPairs(count: number, children: number, lengths: number): void;
  gromov16: Gromov;
  gromov32: Gromov;
  weighPair(
    pattern: number,
    m: number,
    text: number,
    n: number,
    costs: number,
    gap: number,
    column: number,
  ): number;
}

type Merge = (count: number, left: number, right: number, heights: number) => void;

type Gromov = (
  distances: number,
  stride: number,
  count: number,
  base: number,
  products: number,
  panel: number,
  excesses: number,
  scale: number,
  bins: number,
  counts: number,
  totals: number,
) => void;

type Profile = (
  entries: number,
  lanes: number,
  rows: number,
  codes: number,
  costs: number,
  table: number,
) => void;

type Weigh = (
  table: number,
  rows: number,
  lanes: number,
  patterns: number,
  texts: number,
  count: number,
  gap: number,
  column: number,
  out: number,
) => void;

const PAGE = 65536;
const LIMIT = 65536 * PAGE;

/** Reads and compiles the kernel; throws EmbranchError where it has not been built. */
export function compileKernel(): WebAssembly.Module {
  const url = new URL("../../dist/kernel/kernel.wasm", import.meta.url);
  let bytes;
  try {
    bytes = readFileSync(url);
  } catch (cause) {
    throw new EmbranchError("kernel: must be built, run `npm run build`", { cause });
  }
  return new WebAssembly.Module(bytes);
}

/** An instance of the kernel with a stack of addresses in its memory. */
export class Kernel {
  readonly exports: KernelExports;
  /** Views of the memory; replaced when it grows. */
  bytes: Uint8Array;
  words: Int32Array;
  private readonly base: number;
  private top: number;

  constructor(module: WebAssembly.Module) {
    this.exports = new WebAssembly.Instance(module).exports as unknown as KernelExports;
    // Below the first page stand the assembly's own constants.
    this.base = this.exports.memory.buffer.byteLength;
    this.top = this.base;
    this.bytes = new Uint8Array(this.exports.memory.buffer);
    this.words = new Int32Array(this.exports.memory.buffer);
  }

  /** A mark to which {@link rewind} returns. */
  get mark(): number {
    return this.top;
  }

  /** Frees everything allocated since `mark`; everything, without one. */
  rewind(mark: number = this.base): void {
    this.top = mark;
  }

  /** Address of `size` bytes, aligned to 16; throws EmbranchError beyond the 4 GiB of a 32-bit memory. */
  allocate(size: number): number {
    const address = this.top;
    const top = address + Math.ceil(size / 16) * 16;
    if (top > LIMIT) throw new EmbranchError(`kernel: needs at most 4 GiB a thread, got ${top} bytes`);
    const missing = top - this.bytes.byteLength;
    if (missing > 0) {
      const pages = Math.max(Math.ceil(missing / PAGE), Math.min(64, (LIMIT - this.bytes.byteLength) / PAGE));
      try {
        this.exports.memory.grow(pages);
      } catch (cause) {
        throw new EmbranchError(`kernel: not enough memory for ${top} bytes a thread`, { cause });
      }
      this.bytes = new Uint8Array(this.exports.memory.buffer);
      this.words = new Int32Array(this.exports.memory.buffer);
    }
    this.top = top;
    return address;
  }
}
