/**
 * @file One group of patterns against a run of texts: what a thread does for a tile of a sweep.
 *
 * Tiles of one group follow each other, so the group's slices are kept until a tile of another group comes.
 */
import type { Kernel } from "./instance.ts";
import { CODES } from "./packed.ts";
import { condensedIndex } from "../sequence/condensed.ts";
import { SLICED_LANES, type Costs, type SweepJob } from "./job.ts";
import { Placement } from "./placement.ts";

/** Runs the tiles of one sweep on one thread's kernel. */
export class Sweeper {
  private readonly kernel: Kernel;
  private readonly job: SweepJob;
  private readonly patterns: Placement;
  private readonly texts: Placement;
  private readonly lanes: number;
  private readonly costs: number;
  private readonly base: number;
  private group = -1;
  private count = 0;
  private rows = 0;
  private shortest = 0;
  private longest = 0;
  private entries = 0;
  private lengths = 0;
  private table = 0;
  private alive = 0;
  private column = 0;
  private planes = 0;
  private afterGroup = 0;

  constructor(kernel: Kernel, job: SweepJob) {
    this.kernel = kernel;
    this.job = job;
    kernel.rewind();
    kernel.exports.resetGuess();
    this.patterns = new Placement(kernel, job.patterns);
    this.texts = job.texts === job.patterns ? this.patterns : new Placement(kernel, job.texts);
    this.lanes = job.costs ? job.weightedLanes : SLICED_LANES;
    this.costs = job.costs ? placeCosts(kernel, job.costs) : 0;
    this.base = kernel.mark;
  }

  /** Computes tile `index` and writes its distances to the result; returns the number of pairs. */
  run(index: number): number {
    const { kernel, job, lanes } = this;
    const [from, to, textFrom, textTo] = job.tiles.subarray(4 * index, 4 * index + 4);
    const texts = textTo - textFrom;
    if (this.group === from) kernel.rewind(this.afterGroup);
    const entries =
      this.group === from ? this.enterTexts(textFrom, texts) : this.startGroup(from, to, textFrom, texts);
    const out = kernel.allocate(4 * lanes * texts);
    if (job.costs) {
      const weigh = lanes === 8 ? kernel.exports.weigh16 : kernel.exports.weigh32;
      weigh(this.table, this.rows, this.count, this.entries, entries, texts, job.costs.gap, this.column, out);
      return this.scatter(out, this.count, from, textFrom, texts);
    }
    kernel.exports.sweep(
      this.table,
      this.alive,
      this.rows,
      this.count,
      this.lengths,
      this.shortest,
      this.longest,
      entries,
      texts,
      job.threshold,
      this.column,
      this.planes,
      out,
    );
    return this.scatter(out, SLICED_LANES, from, textFrom, texts);
  }

  private enterTexts(textFrom: number, texts: number): number {
    const entries = this.kernel.allocate(8 * texts);
    for (let t = 0; t < texts; t++) this.texts.enter(this.job.textOrder[textFrom + t], entries + 8 * t);
    return entries;
  }

  /** Slices the patterns at positions `from`…`to`−1 of the order; returns the entries of the tile's texts. */
  private startGroup(from: number, to: number, textFrom: number, texts: number): number {
    const { kernel, job } = this;
    const order = job.patternOrder;
    kernel.rewind(this.base);
    const count = to - from;
    this.count = count;
    this.group = from;
    this.shortest = Infinity;
    this.longest = 0;
    for (let at = from; at < to; at++) {
      const length = this.patterns.lengthOf(order[at]);
      this.shortest = Math.min(this.shortest, length);
      this.longest = Math.max(this.longest, length);
    }
    this.rows = Math.ceil(this.longest / 4) * 4;
    this.entries = kernel.allocate(8 * count);
    for (let l = 0; l < count; l++) this.patterns.enter(order[from + l], this.entries + 8 * l);
    this.lengths = kernel.allocate(4 * SLICED_LANES);
    for (let l = 0; l < SLICED_LANES; l++) {
      kernel.words[(this.lengths >> 2) + l] = this.patterns.lengthOf(order[Math.min(from + l, to - 1)]);
    }
    this.planes = kernel.allocate(16 * 32);
    this.column = kernel.allocate(32 * this.rows);
    this.alive = kernel.allocate(16 * this.rows);
    const codes = Math.max(this.patterns.codes, this.texts.codes);
    this.table = kernel.allocate(16 * codes * this.rows);
    if (job.costs) {
      const profile = this.lanes === 8 ? kernel.exports.profile16 : kernel.exports.profile32;
      profile(this.entries, count, this.rows, codes, this.costs, this.table);
    } else {
      kernel.exports.slicePatterns(this.entries, count, this.rows, codes, this.table, this.alive);
    }
    this.afterGroup = kernel.mark;
    return this.enterTexts(textFrom, texts);
  }

  /** Copies [texts][stride] distances to their places, a pattern at a time so that writes run along rows. */
  private scatter(out: number, stride: number, from: number, textFrom: number, texts: number): number {
    const { job, count, kernel } = this;
    const { result, threshold, patternOrder, textOrder, layout } = job;
    const words = kernel.words;
    const size = job.patterns.length;
    const width = job.texts.length;
    let pairs = 0;
    for (let l = 0; l < count; l++) {
      const p = patternOrder[from + l];
      const first = layout === "condensed" ? Math.max(0, from + l + 1 - textFrom) : 0;
      for (let t = first; t < texts; t++) {
        const d = Math.min(words[(out >> 2) + t * stride + l], threshold + 1);
        const q = textOrder[textFrom + t];
        if (layout === "rows") result[p * width + q] = d;
        else if (layout === "columns") result[q * size + p] = d;
        else result[condensedIndex(p, q, size)] = d;
      }
      pairs += Math.max(0, texts - first);
    }
    return pairs;
  }
}

/** Copies a substitution matrix into the kernel's memory; returns its address. */
export function placeCosts(kernel: Kernel, { substitution }: Costs): number {
  const address = kernel.allocate(CODES * CODES);
  kernel.bytes.set(substitution, address);
  return address;
}
