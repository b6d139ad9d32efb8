/**
 * @file Gromov's δ of distance matrices: how far each is from the distances along a tree (assembly/gromov.ts).
 *
 * With the Gromov product (x|y)_p = ½(D_px + D_py − D_xy), a metric is that of a tree exactly when
 * δ_p(x, y) = max_z min((x|z)_p, (z|y)_p) − (x|y)_p is 0 everywhere; δ is its maximum over all p, x, y. For one p the
 * maximum δ_p takes O(n³) and tells δ within a factor of two, δ_p ≤ δ ≤ 2δ_p (Fournier, Ismail and Vigneron 2015); all
 * n base points take O(n⁴), and also give the distribution of the values: only δ_p, sums and a histogram are kept of
 * the n(n−1)(n−2)/2, of p and pairs of others.
 *
 * Whole distances up to 10,922 are computed with exactly, as 16-bit integers; others as 32-bit floats, whose rounding
 * makes δ wrong by some 10⁻⁷ of the greatest distance. A tile is a run of base points of one matrix.
 */
import { UsageError } from "../error.ts";
import { condensedIndex, condensedLength, condensedSide, type NumberArray } from "../sequence/condensed.ts";
import { refusedDistance } from "./distance-check.ts";
import type { Kernel } from "./instance.ts";
import type { GromovJob } from "./job.ts";
import { runJob, type JobOptions } from "./threads.ts";

/** What is known of one matrix. */
export interface GromovDeltas {
  /** n */
  count: number;
  /** The greatest distance. */
  diameter: number;
  /** The base points that were looked from. */
  bases: Uint32Array;
  /** [bases] The greatest δ_p(x, y) from each. */
  deltas: Float64Array;
  /** Mean of δ_p(x, y) over the base points and the pairs of others; 0 where there are none. */
  mean: number;
  /** [1001] How many of these 2δ_p(x, y) are k thousandths of the diameter, rounded; the last bin takes those above. */
  counts: Float64Array;
  /** By how much the triangle inequality is broken at most at these base points: 0 for a metric. */
  violation: number;
}

export interface GromovOptions extends JobOptions {
  /** Base points to look from (default all). */
  bases?: ArrayLike<number>;
}

/** Bins of a histogram: thousandths of the diameter, from 0 to 1. */
export const GROMOV_BINS = 1001;
/** Distances up to which three times as much is a 16-bit integer. */
const GREATEST_WHOLE = 10_922;
/** Steps of the product in a tile: some 20 ms. */
const TILE_STEPS = 4e8;
/** Numbers that a base point has: greatest, sum, and the least product. */
const TOTALS = 3;

/**
 * δ of condensed matrices [n(n−1)/2], all of one size. Distances that break the triangle inequality have a δ too, which
 * says little; `violation` tells.
 *
 * @throws EmbranchError for a distance that is negative or not finite
 * @throws UsageError for matrices of different sizes, and for base points that are not among 0 … n − 1
 */
export async function gromovDeltas(
  matrices: readonly NumberArray[],
  { bases, ...options }: GromovOptions = {},
): Promise<GromovDeltas[]> {
  if (matrices.length === 0) return [];
  const pairs = matrices[0].length;
  const count = condensedSide(pairs);
  const other = matrices.find(({ length }) => length !== pairs);
  if (other) throw new UsageError(`gromov: matrices must have ${pairs} distances each, got ${other.length}`);
  const chosen = Uint32Array.from(bases ?? { length: count }, (base, i) => (bases ? base : i));
  const outside = Array.from(bases ?? []).find((base) => !(base >= 0 && base < count && base % 1 === 0));
  if (outside !== undefined) {
    throw new UsageError(`gromov: base points must be whole numbers below ${count}, got ${outside}`);
  }
  const job = gromovJob(matrices, count, chosen);
  if (chosen.length > 0) await runJob(job, matrices.length * chosen.length, options);
  return matrices.map((_, m) => summary(job, m));
}

function gromovJob(matrices: readonly NumberArray[], count: number, bases: Uint32Array): GromovJob {
  const pairs = matrices[0].length;
  let whole = true;
  const diameters = matrices.map((matrix) => {
    let greatest = 0;
    for (const distance of matrix) {
      if (!fits(distance)) throw refusedDistance("gromov", matrix, fits)!;
      if (distance > greatest) greatest = distance;
      if (whole && distance % 1 !== 0) whole = false;
    }
    whole &&= greatest <= GREATEST_WHOLE;
    return greatest;
  });
  const size = matrices.length * pairs;
  const distances = whole
    ? new Uint16Array(new SharedArrayBuffer(2 * size))
    : new Float32Array(new SharedArrayBuffer(4 * size));
  matrices.forEach((matrix, m) => distances.set(matrix, m * pairs));
  const most = Math.max(1, Math.floor(TILE_STEPS / Math.max(1, count) ** 3));
  return {
    kind: "gromov",
    count,
    distances,
    diameters: Float64Array.from(diameters),
    bases,
    basesPerTile: most,
    tiles: matrices.length * Math.ceil(bases.length / most),
    totals: new Float64Array(new SharedArrayBuffer(8 * TOTALS * bases.length * matrices.length)),
    counts: new BigInt64Array(new SharedArrayBuffer(8 * GROMOV_BINS * matrices.length)),
  };
}

const fits = (distance: number): boolean => distance >= 0 && Math.fround(distance) < Infinity;

function summary({ count, bases, diameters, totals, counts }: GromovJob, m: number): GromovDeltas {
  const own = totals.subarray(TOTALS * bases.length * m, TOTALS * bases.length * (m + 1));
  // The kernel's numbers are twice those of the definition.
  const deltas = Float64Array.from(bases, (_, b) => own[TOTALS * b] / 2);
  let sum = 0;
  let least = 0;
  for (let b = 0; b < bases.length; b++) {
    sum += own[TOTALS * b + 1];
    least = Math.min(least, own[TOTALS * b + 2]);
  }
  const values = bases.length * condensedLength(count - 1);
  return {
    count,
    diameter: diameters[m],
    bases,
    deltas,
    mean: values > 0 ? sum / 2 / values : 0,
    counts: Float64Array.from(counts.subarray(GROMOV_BINS * m, GROMOV_BINS * (m + 1)), Number),
    // A number that is 0 but for rounding is 0.
    violation: -least > 1e-6 * diameters[m] ? -least : 0,
  };
}

/** Bytes that rows are padded to. */
const ROW_BYTES = 32;

/** Runs the tiles of one request for δ on one thread's kernel. */
export class GromovRunner {
  readonly #kernel: Kernel;
  readonly #job: GromovJob;
  readonly #stride: number;
  readonly #places: Record<"square" | "products" | "panel" | "excesses" | "counts" | "totals", number>;
  /** The matrix that stands in the kernel's memory. */
  #placed = -1;

  constructor(kernel: Kernel, job: GromovJob) {
    this.#kernel = kernel;
    this.#job = job;
    const { count, distances } = job;
    kernel.rewind();
    this.#stride = ROW_BYTES * Math.ceil((count * distances.BYTES_PER_ELEMENT) / ROW_BYTES);
    const size = this.#stride * 4 * Math.ceil(count / 4);
    this.#places = {
      square: kernel.allocate(size),
      products: kernel.allocate(size),
      panel: kernel.allocate(ROW_BYTES * count),
      excesses: kernel.allocate(size),
      counts: kernel.allocate(4 * GROMOV_BINS),
      totals: kernel.allocate(8 * TOTALS),
    };
    kernel.bytes.fill(0, this.#places.square, this.#places.square + size);
  }

  /** Looks from the base points of a tile; returns how many they are. */
  run(tile: number): number {
    const { count, distances, diameters, bases, basesPerTile, tiles, totals, counts } = this.#job;
    const { bytes, exports } = this.#kernel;
    const places = this.#places;
    const tilesEach = tiles / diameters.length;
    const matrix = Math.floor(tile / tilesEach);
    if (matrix !== this.#placed) this.#place(matrix);
    const from = (tile % tilesEach) * basesPerTile;
    const to = Math.min(from + basesPerTile, bases.length);
    const kernelOf = distances instanceof Uint16Array ? exports.gromov16 : exports.gromov32;
    const scale = diameters[matrix] > 0 ? (GROMOV_BINS - 1) / diameters[matrix] : 0;
    const binned = new Uint32Array(bytes.buffer, places.counts, GROMOV_BINS).fill(0);
    const found = new Float64Array(bytes.buffer, places.totals, TOTALS);
    for (let b = from; b < to; b++) {
      kernelOf(
        places.square,
        this.#stride,
        count,
        bases[b],
        places.products,
        places.panel,
        places.excesses,
        scale,
        GROMOV_BINS,
        places.counts,
        places.totals,
      );
      totals.set(found, TOTALS * (matrix * bases.length + b));
    }
    binned.forEach((added, bin) => {
      if (added > 0) Atomics.add(counts, GROMOV_BINS * matrix + bin, BigInt(added));
    });
    return to - from;
  }

  /** Writes a square matrix, zeros in its padding. */
  #place(matrix: number): void {
    const { count, distances } = this.#job;
    const { buffer } = this.#kernel.bytes;
    const width = this.#stride / distances.BYTES_PER_ELEMENT;
    const square =
      distances instanceof Uint16Array
        ? new Uint16Array(buffer, this.#places.square, width * count)
        : new Float32Array(buffer, this.#places.square, width * count);
    const start = matrix * condensedLength(count);
    for (let i = 0; i < count - 1; i++) {
      const first = start + condensedIndex(i, i + 1, count);
      square.set(distances.subarray(first, first + count - 1 - i), width * i + i + 1);
    }
    for (let i = 1; i < count; i++) {
      for (let j = 0; j < i; j++) square[width * i + j] = square[width * j + i];
    }
    this.#placed = matrix;
  }
}
