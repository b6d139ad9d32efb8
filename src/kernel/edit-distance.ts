/**
 * @file Exact edit distances: all pairs of a set, one set against another, a list of pairs, or one pair.
 *
 * With unit costs two kernels share the work. Where at least a few dozen pairs can go together they are
 * bit-sliced, 128 pairs to a vector (assembly/sliced.ts); single pairs run Myers' algorithm
 * (assembly/myers.ts). Both compute only a diagonal band, which widens until the result is certain. With costs
 * of their own, pairs run one to a vector lane (assembly/weighted.ts). All are exact.
 *
 * Sets go to the pool's threads in shared memory, and distances come back in it. The same threads compute
 * alignment matrices (alignment.ts).
 */
import { EmbranchError, UsageError } from "../error.ts";
import { alignmentJob, type AlignmentOptions } from "./alignment.ts";
import { checkCosts } from "./costs.ts";
import { compileKernel, Kernel } from "./instance.ts";
import {
  SLICED_LANES,
  tileCount,
  UNLIMITED,
  type AlignmentCells,
  type AlignmentJob,
  type Costs,
  type Distances,
  type KernelJob,
} from "./job.ts";
import {
  checkPairs,
  countingSort,
  inSharedMemory,
  longestLength,
  orderByLength,
  toShared,
  type PackedCodes,
} from "./packed.ts";
import { onePair } from "./pairs.ts";
import { checkCodes } from "./placement.ts";
import { chooseMethod, meanLength, pairTiles, sweepTiles, type Method } from "./plan.ts";
import type { RequestOptions, WorkerPool } from "./pool.ts";
import { placeCosts } from "./sweep.ts";
import { kernelPool } from "./threads.ts";

/** Options of a request for distances. */
export interface EditDistanceOptions extends RequestOptions {
  /** Distances above this non-negative integer are reported as one more, and cost less time; default none. */
  threshold?: number;
  /** What edits cost; default 1 each. */
  costs?: Costs;
}

/** Exact edit distances on a pool of worker threads. */
export class EditDistances {
  private readonly pool: WorkerPool<KernelJob>;

  private constructor(pool: WorkerPool<KernelJob>) {
    this.pool = pool;
  }

  /** Starts a pool of `threads` threads, by default as many as the machine runs at once. */
  static async create({ threads }: { threads?: number } = {}): Promise<EditDistances> {
    return new EditDistances(kernelPool(threads));
  }

  /**
   * Distances of all pairs of a set: [N(N−1)/2] condensed, SciPy's order; 32 bits each where a distance may
   * exceed 65,535.
   */
  async allPairs(set: PackedCodes, options: EditDistanceOptions = {}): Promise<Distances> {
    const n = set.length;
    const total = (n * (n - 1)) / 2;
    const { threshold, weightedLanes } = limits(set, set, options);
    const result = allocate(total, set, set, options);
    if (total === 0) return result;
    const cells = meanLength(set) ** 2;
    const groups = Math.ceil(n / SLICED_LANES);
    const passes = n * groups - (SLICED_LANES * groups * (groups - 1)) / 2;
    const method = options.costs ? "sweep" : chooseMethod(total, passes, cells, this.pool.size);
    if (method !== "sweep") {
      const left = new Uint32Array(new SharedArrayBuffer(4 * total));
      const right = new Uint32Array(new SharedArrayBuffer(4 * total));
      for (let i = 0, at = 0; i < n; i++) {
        left.fill(i, at, at + n - 1 - i);
        for (let j = i + 1; j < n; j++) right[at++] = j;
      }
      await this.list(set, set, { left, right, result, method }, options);
      return result;
    }
    const shared = toShared(set);
    const order = orderByLength(shared);
    const lanes = options.costs ? weightedLanes : SLICED_LANES;
    const job: KernelJob = {
      kind: "sweep",
      patterns: shared,
      texts: shared,
      patternOrder: order,
      textOrder: order,
      layout: "condensed",
      tiles: sweepTiles(n, n, cells, this.pool.size, { lanes, triangular: true }),
      threshold,
      weightedLanes,
      result,
      costs: sharedCosts(options.costs),
    };
    await this.pool.run(job, tileCount(job), total, options);
    return result;
  }

  /** Distances of every sequence of `a` to every one of `b`: [|a| × |b|] row-major. */
  async cross(a: PackedCodes, b: PackedCodes, options: EditDistanceOptions = {}): Promise<Distances> {
    const total = a.length * b.length;
    const { threshold, weightedLanes } = limits(a, b, options);
    const result = allocate(total, a, b, options);
    if (total === 0) return result;
    const cells = meanLength(a) * meanLength(b);
    const lanes = options.costs ? weightedLanes : SLICED_LANES;
    const passes = (patterns: number, texts: number): number => Math.ceil(patterns / lanes) * texts;
    // Whichever side fills the vectors better lends the patterns.
    const rows = passes(a.length, b.length) <= passes(b.length, a.length);
    const fewest = Math.min(passes(a.length, b.length), passes(b.length, a.length));
    const method = options.costs ? "sweep" : chooseMethod(total, fewest, cells, this.pool.size);
    if (method !== "sweep") {
      const left = new Uint32Array(new SharedArrayBuffer(4 * total));
      const right = new Uint32Array(new SharedArrayBuffer(4 * total));
      for (let i = 0, at = 0; i < a.length; i++) {
        left.fill(i, at, at + b.length);
        for (let j = 0; j < b.length; j++) right[at++] = j;
      }
      await this.list(a, b, { left, right, result, method }, options);
      return result;
    }
    const first = toShared(a);
    const second = a === b ? first : toShared(b);
    const [patterns, texts] = rows ? [first, second] : [second, first];
    const job: KernelJob = {
      kind: "sweep",
      patterns,
      texts,
      patternOrder: orderByLength(patterns),
      textOrder: orderByLength(texts),
      layout: rows ? "rows" : "columns",
      tiles: sweepTiles(patterns.length, texts.length, cells, this.pool.size, { lanes, triangular: false }),
      threshold,
      weightedLanes,
      result,
      costs: sharedCosts(options.costs),
    };
    await this.pool.run(job, tileCount(job), total, options);
    return result;
  }

  /** Distances of the pairs (left[p], right[p]) of a set's sequences: [pairs], in the order given. */
  async pairs(
    set: PackedCodes,
    left: Uint32Array,
    right: Uint32Array,
    options: EditDistanceOptions = {},
  ): Promise<Distances> {
    return this.pairsBetween(set, set, left, right, options);
  }

  /** Distances of the pairs (a's left[p], b's right[p]): [pairs], in the order given. */
  async pairsBetween(
    a: PackedCodes,
    b: PackedCodes,
    left: Uint32Array,
    right: Uint32Array,
    options: EditDistanceOptions = {},
  ): Promise<Distances> {
    checkPairs(a, b, left, right);
    const result = allocate(left.length, a, b, options);
    if (left.length === 0) return result;
    const method = chooseMethod(left.length, 0, meanLength(a) * meanLength(b), this.pool.size);
    await this.list(
      a,
      b,
      { left: inSharedMemory(left), right: inSharedMemory(right), result, method },
      options,
    );
    return result;
  }

  /** Distances of one sequence to every one of a set: [N]. */
  async oneToMany(one: Uint8Array, many: PackedCodes, options: EditDistanceOptions = {}): Promise<Distances> {
    const codes = inSharedMemory(one);
    return this.cross({ codes, offsets: Uint32Array.of(0, one.length), length: 1 }, many, options);
  }

  /**
   * The softmax over the source of the Needleman-Wunsch matrices of the pairs (source left[p], target right[p]):
   * [pairs, n + 1, n + 1] in shared memory, rows the target's prefixes and columns the source's, zeros beyond
   * the two sequences. Throws UsageError for sequences longer than n.
   */
  async alignmentTargets(
    set: PackedCodes,
    left: Uint32Array,
    right: Uint32Array,
    options: AlignmentOptions<Float32Array>,
  ): Promise<Float32Array> {
    return this.align(alignmentJob(Float32Array, set, left, right, options), options);
  }

  /** The Needleman-Wunsch matrices themselves (match +1, mismatch −1, gap −1), laid out as their softmax is. */
  async alignmentScores(
    set: PackedCodes,
    left: Uint32Array,
    right: Uint32Array,
    options: AlignmentOptions<Int16Array>,
  ): Promise<Int16Array> {
    return this.align(alignmentJob(Int16Array, set, left, right, options), options);
  }

  /** Stops the threads; requests still running are rejected. */
  async close(): Promise<void> {
    await this.pool.close();
  }

  private async align<Cells extends AlignmentCells>(
    job: AlignmentJob & { result: Cells },
    options: RequestOptions,
  ): Promise<Cells> {
    const tiles = tileCount(job);
    if (tiles > 0) await this.pool.run(job, tiles, tiles, options);
    return job.result;
  }

  private async list(
    a: PackedCodes,
    b: PackedCodes,
    {
      left,
      right,
      result,
      method,
    }: { left: Uint32Array; right: Uint32Array; result: Distances; method: Method },
    options: EditDistanceOptions,
  ): Promise<void> {
    const together = method === "single" ? 1 : SLICED_LANES;
    const cells = meanLength(a) * meanLength(b);
    const first = toShared(a);
    const job: KernelJob = {
      kind: "pairs",
      left: first,
      right: a === b ? first : toShared(b),
      leftIndex: left,
      rightIndex: right,
      order: orderPairs(a, b, left, right),
      together,
      tiles: pairTiles(left.length, cells, this.pool.size, { method, together }),
      result,
      costs: sharedCosts(options.costs),
      ...limits(a, b, options),
    };
    await this.pool.run(job, tileCount(job), left.length, options);
  }
}

/**
 * Edit distance of two sequences of codes (0…31), synchronously on the calling thread; above `threshold`,
 * threshold + 1.
 */
export function editDistance(
  a: Uint8Array,
  b: Uint8Array,
  { threshold = UNLIMITED, costs }: Pick<EditDistanceOptions, "threshold" | "costs"> = {},
): number {
  checkThreshold(threshold);
  if (costs) checkCosts(costs);
  const kernel = callersKernel();
  kernel.rewind();
  const [pattern, text] = a.length <= b.length ? [a, b] : [b, a];
  const m = pattern.length;
  const n = text.length;
  const at = kernel.allocate(m + n);
  kernel.bytes.set(pattern, at);
  kernel.bytes.set(text, at + m);
  checkCodes(kernel, at, m + n);
  const cap = Math.min(threshold, UNLIMITED);
  if (!costs) return Math.min(onePair(kernel, at, m, at + m, n, cap), cap + 1);
  const table = placeCosts(kernel, costs);
  const column = kernel.allocate(4 * m);
  return Math.min(kernel.exports.weighPair(at, m, at + m, n, table, costs.gap, column), cap + 1);
}

let ownKernel: Kernel | undefined;

/** The calling thread's instance, made on first use: compiling takes longer than a thousand distances. */
function callersKernel(): Kernel {
  return (ownKernel ??= new Kernel(compileKernel()));
}

function checkThreshold(threshold: number): void {
  if (!Number.isInteger(threshold) || threshold < 0) {
    throw new UsageError(`threshold: must be a non-negative integer, got ${threshold}`);
  }
}

/** Greatest distance that two sequences of the sets can have. */
function greatest(a: PackedCodes, b: PackedCodes, costs: Costs | undefined): number {
  const m = longestLength(a);
  const n = longestLength(b);
  if (!costs) return Math.max(m, n);
  return Math.max(m, n) * Math.max(costs.gap, ...costs.substitution);
}

/** The threshold, and how many lanes hold a weighted cell with one more edit added to it. */
function limits(
  a: PackedCodes,
  b: PackedCodes,
  { threshold = UNLIMITED, costs }: EditDistanceOptions,
): { threshold: number; weightedLanes: 4 | 8 } {
  checkThreshold(threshold);
  if (costs) checkCosts(costs);
  const top = greatest(a, b, costs);
  if (top >= UNLIMITED) throw new UsageError(`edit distance: must stay below ${UNLIMITED}, may reach ${top}`);
  const cell = top + 4 * (costs ? Math.max(255, costs.gap) : 0);
  return { threshold: Math.min(threshold, UNLIMITED), weightedLanes: cell <= 0xffff ? 8 : 4 };
}

/** Room for `count` distances in shared memory. */
function allocate(
  count: number,
  a: PackedCodes,
  b: PackedCodes,
  { threshold = UNLIMITED, costs }: EditDistanceOptions,
): Distances {
  const wide = Math.min(greatest(a, b, costs), threshold + 1) > 0xffff;
  const bytes = count * (wide ? 4 : 2);
  try {
    const buffer = new SharedArrayBuffer(bytes);
    return wide ? new Uint32Array(buffer) : new Uint16Array(buffer);
  } catch (cause) {
    throw new EmbranchError(`edit distance: ${count} distances do not fit into memory, ${bytes} bytes`, {
      cause,
    });
  }
}

function sharedCosts(costs: Costs | undefined): Costs | undefined {
  return costs && { substitution: inSharedMemory(costs.substitution), gap: costs.gap };
}

/** Positions of a list of pairs by ascending length of the shorter sequence, then of the longer. */
function orderPairs(a: PackedCodes, b: PackedCodes, left: Uint32Array, right: Uint32Array): Uint32Array {
  const count = left.length;
  const shorter = new Uint32Array(count);
  const longer = new Uint32Array(count);
  for (let p = 0; p < count; p++) {
    const m = a.offsets[left[p] + 1] - a.offsets[left[p]];
    const n = b.offsets[right[p] + 1] - b.offsets[right[p]];
    shorter[p] = Math.min(m, n);
    longer[p] = Math.max(m, n);
  }
  const byLonger = new Uint32Array(count);
  countingSort(
    Uint32Array.from({ length: count }, (_, p) => p),
    longer,
    byLonger,
  );
  const order = new Uint32Array(new SharedArrayBuffer(4 * count));
  countingSort(byLonger, shorter, order);
  return order;
}
