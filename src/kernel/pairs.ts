/**
 * @file A stretch of a list of pairs: what a thread does for a tile of such a job.
 *
 * Up to 128 pairs go through the bit-sliced kernel together, each with a pattern (the longer sequence) and a
 * text of its own. Fewer than {@link WORTH_SLICING} are faster one at a time.
 */
import type { Kernel } from "./instance.ts";
import { CODES } from "./packed.ts";
import { SLICED_LANES, type PairsJob } from "./job.ts";
import { Placement } from "./placement.ts";
import { placeCosts } from "./sweep.ts";

/** Lanes from which one bit-sliced pass is faster than as many single pairs. */
export const WORTH_SLICING = 20;

/** Runs the tiles of one list of pairs on one thread's kernel. */
export class PairRunner {
  private readonly kernel: Kernel;
  private readonly job: PairsJob;
  private readonly left: Placement;
  private readonly right: Placement;
  private readonly costs: number;
  private readonly base: number;

  constructor(kernel: Kernel, job: PairsJob) {
    this.kernel = kernel;
    this.job = job;
    kernel.rewind();
    kernel.exports.resetGuess();
    this.left = new Placement(kernel, job.left);
    this.right = job.right === job.left ? this.left : new Placement(kernel, job.right);
    this.costs = job.costs ? placeCosts(kernel, job.costs) : 0;
    this.base = kernel.mark;
  }

  /** Computes tile `index` and writes its distances to the result; returns the number of pairs. */
  run(index: number): number {
    const { job } = this;
    const from = job.tiles[2 * index];
    const to = job.tiles[2 * index + 1];
    for (let at = from; at < to; at += job.together) this.together(at, Math.min(to, at + job.together));
    return to - from;
  }

  private together(from: number, to: number): void {
    const { job, kernel } = this;
    kernel.rewind(this.base);
    const patterns = kernel.allocate(8 * SLICED_LANES);
    const texts = kernel.allocate(8 * SLICED_LANES);
    const targets: number[] = [];
    const apart = job.threshold / (job.costs?.gap ?? 1);
    for (let at = from; at < to; at++) {
      const pair = job.order[at];
      const i = job.leftIndex[pair];
      const j = job.rightIndex[pair];
      const shift = this.left.lengthOf(i) - this.right.lengthOf(j);
      if (Math.abs(shift) > apart) {
        job.result[pair] = job.threshold + 1;
        continue;
      }
      const lane = 8 * targets.length;
      this.left.enter(i, shift >= 0 ? patterns + lane : texts + lane);
      this.right.enter(j, shift >= 0 ? texts + lane : patterns + lane);
      targets.push(pair);
    }
    if (targets.length === 0) return;
    if (job.costs) this.weighted(patterns, texts, targets, job.costs.gap);
    else if (targets.length < WORTH_SLICING) this.single(patterns, texts, targets);
    else this.sliced(patterns, texts, targets);
  }

  private weighted(patterns: number, texts: number, targets: number[], gap: number): void {
    const { kernel, job } = this;
    const { words } = kernel;
    for (let lane = 0; lane < targets.length; lane++) {
      const [pattern, m] = words.subarray((patterns >> 2) + 2 * lane);
      const [text, n] = words.subarray((texts >> 2) + 2 * lane);
      const mark = kernel.mark;
      const column = kernel.allocate(4 * m);
      const d = kernel.exports.weighPair(pattern, m, text, n, this.costs, gap, column);
      kernel.rewind(mark);
      job.result[targets[lane]] = Math.min(d, job.threshold + 1);
    }
  }

  private single(patterns: number, texts: number, targets: number[]): void {
    const { kernel, job } = this;
    for (let lane = 0; lane < targets.length; lane++) {
      const p = (patterns >> 2) + 2 * lane;
      const t = (texts >> 2) + 2 * lane;
      // The shorter sequence makes the shorter columns.
      const d = onePair(
        kernel,
        kernel.words[t],
        kernel.words[t + 1],
        kernel.words[p],
        kernel.words[p + 1],
        job.threshold,
      );
      job.result[targets[lane]] = Math.min(d, job.threshold + 1);
    }
  }

  private sliced(patterns: number, texts: number, targets: number[]): void {
    const { kernel, job } = this;
    const count = targets.length;
    const lengths = kernel.allocate(4 * SLICED_LANES);
    const widths = kernel.allocate(4 * SLICED_LANES);
    const ends = kernel.allocate(48 * SLICED_LANES);
    const planes = kernel.allocate(16 * 32);
    let rows = 0;
    let low = Infinity;
    let high = -Infinity;
    let endCount = 0;
    const live = new Uint8Array(16).fill(255);
    for (let lane = 0; lane < count; lane++) {
      const m = kernel.words[(patterns >> 2) + 2 * lane + 1];
      const n = kernel.words[(texts >> 2) + 2 * lane + 1];
      kernel.words[(lengths >> 2) + lane] = m;
      kernel.words[(widths >> 2) + lane] = n;
      rows = Math.max(rows, m);
      low = Math.min(low, m - n);
      high = Math.max(high, m - n);
      let end = ends + 48 * (endCount - 1);
      if (endCount === 0 || kernel.words[end >> 2] !== n) {
        end = ends + 48 * endCount++;
        kernel.words[end >> 2] = n;
        kernel.bytes.fill(0, end + 16, end + 32);
        kernel.bytes.set(live, end + 32);
      }
      kernel.bytes[end + 16 + (lane >> 3)] |= 1 << (lane & 7);
      live[lane >> 3] &= ~(1 << (lane & 7));
    }
    const columns = kernel.words[(ends >> 2) + 12 * (endCount - 1)];
    rows = Math.ceil(rows / 4) * 4;
    const v = kernel.allocate(32 * rows);
    const alive = kernel.allocate(16 * rows);
    const out = kernel.allocate(4 * SLICED_LANES);
    const mark = kernel.mark;
    let bits = 2;
    let pattern = 0;
    let text = 0;
    for (;;) {
      kernel.rewind(mark);
      pattern = kernel.allocate(16 * bits * rows);
      text = kernel.allocate(16 * bits * columns);
      const seen =
        kernel.exports.sliceCodes(patterns, count, rows, bits, pattern, alive) |
        kernel.exports.sliceCodes(texts, count, columns, bits, text, 0);
      const needed = 32 - Math.clz32(seen);
      if (needed <= bits) break;
      bits = needed;
    }
    kernel.exports.lanes(
      pattern,
      alive,
      rows,
      text,
      bits,
      ends,
      endCount,
      count,
      lengths,
      widths,
      low,
      high,
      job.threshold,
      v,
      planes,
      out,
    );
    for (let lane = 0; lane < count; lane++) {
      job.result[targets[lane]] = Math.min(kernel.words[(out >> 2) + lane], job.threshold + 1);
    }
  }
}

/** Distance of one pair by Myers' algorithm; above `cap`, some number above it. */
export function onePair(
  kernel: Kernel,
  pattern: number,
  m: number,
  text: number,
  n: number,
  cap: number,
): number {
  const mark = kernel.mark;
  const blocks = Math.ceil(m / 64);
  const table = kernel.allocate(8 * CODES * blocks);
  const state = kernel.allocate(16 * blocks);
  const d = kernel.exports.myers(pattern, m, text, n, CODES, table, state, cap);
  kernel.rewind(mark);
  return d;
}
