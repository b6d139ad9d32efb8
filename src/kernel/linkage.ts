/**
 * @file Agglomerative clustering of a condensed distance matrix: single, complete, average, weighted and Ward's
 * linkage, as SciPy and fastcluster have them, in O(n²) time (assembly/linkage.ts).
 *
 * Distances are held as 32-bit floats in a square matrix, 4n² bytes: 400 MB for 10,000 things. Heights are right to
 * about six digits; whole distances up to 2²⁴ are exact under single and complete linkage. A thread of its own does
 * the work, so that the caller stays responsive.
 *
 * Ties: of equally near clusters the chain prefers the one it came from, then the one that stands first. Another
 * program may break ties otherwise and find another, equally good tree; with single linkage the heights are the same
 * whatever is done.
 */
import { EmbranchError } from "../error.ts";
import { condensedIndex, condensedSide, type NumberArray } from "../sequence/condensed.ts";
import { rootOf, singletons } from "./disjoint-sets.ts";
import { refusedDistance } from "./distance-check.ts";
import type { Kernel } from "./instance.ts";
import type { LinkageJob } from "./job.ts";
import { inSharedMemory } from "./packed.ts";
import type { RequestOptions } from "./pool.ts";
import { runInOrder } from "./threads.ts";

/** How the distance between two clusters follows from those of their members. */
export const LINKAGE_METHODS = ["single", "complete", "average", "weighted", "ward"] as const;

/** A method of linkage. */
export type LinkageMethod = (typeof LINKAGE_METHODS)[number];

/**
 * The n − 1 merges of n things into one, as SciPy has them: by ascending height, merge k joins the clusters
 * left[k] < right[k] into cluster n + k; clusters 0 … n − 1 are the things themselves.
 */
export interface Linkage {
  left: Uint32Array;
  right: Uint32Array;
  heights: Float64Array;
  /** Things in the new cluster. */
  sizes: Uint32Array;
}

/** Merges in any order, each of two things of the clusters that it joins. */
export interface Merges {
  left: ArrayLike<number>;
  right: ArrayLike<number>;
  heights: ArrayLike<number>;
}

export interface LinkageOptions extends RequestOptions {
  /** Default average linkage (UPGMA). */
  method?: LinkageMethod;
  /** How many each thing stands for; default 1. Single, complete and weighted linkage do not ask. */
  weights?: ArrayLike<number>;
}

/** Most things whose matrix fits into the 4 GiB of a 32-bit memory. */
export const MOST_LINKED = 32_000;
/** Merges between two looks at the clock. */
const TILE = 128;

/**
 * Links n things by their condensed distances [n(n−1)/2], in SciPy's order.
 *
 * @throws EmbranchError for a distance that is negative or not finite, and for more than 32,000 things
 */
export async function linkage(
  distances: NumberArray,
  { method = "average", weights, ...request }: LinkageOptions = {},
): Promise<Linkage> {
  const n = condensedSide(distances.length);
  if (n > MOST_LINKED) {
    throw new EmbranchError(
      `linkage: takes at most ${MOST_LINKED} things, whose matrix fills 4 GiB, got ${n}`,
    );
  }
  const merges = n - 1;
  const room = () => new Uint32Array(new SharedArrayBuffer(4 * merges));
  const job: LinkageJob = {
    kind: "linkage",
    method,
    count: n,
    distances: inSharedMemory(distances),
    weights: weights && Float32Array.from(weights),
    tiles: Math.ceil(merges / TILE),
    left: room(),
    right: room(),
    heights: new Float32Array(new SharedArrayBuffer(4 * merges)),
  };
  if (merges > 0) await runInOrder(job, merges, request);
  const heights = Float64Array.from(job.heights, method === "ward" ? Math.sqrt : undefined);
  return orderedMerges(n, { ...job, heights });
}

/**
 * Merges of n things as a linkage: by ascending height, those of one height in the order given, and named by the
 * clusters they join.
 */
export function orderedMerges(n: number, { left, right, heights }: Merges): Linkage {
  const merges = n - 1;
  const order = Uint32Array.from({ length: merges }, (_, k) => k);
  order.sort((a, b) => heights[a] - heights[b] || a - b);
  const parent = singletons(n + merges);
  const out: Linkage = {
    left: new Uint32Array(merges),
    right: new Uint32Array(merges),
    heights: new Float64Array(merges),
    sizes: new Uint32Array(merges),
  };
  const sizeOf = (cluster: number) => (cluster < n ? 1 : out.sizes[cluster - n]);
  order.forEach((merge, k) => {
    const a = rootOf(parent, left[merge]);
    const b = rootOf(parent, right[merge]);
    out.left[k] = Math.min(a, b);
    out.right[k] = Math.max(a, b);
    out.heights[k] = heights[merge];
    out.sizes[k] = sizeOf(a) + sizeOf(b);
    parent[a] = parent[b] = n + k;
  });
  return out;
}

/** Bytes of a vector's worth of places that rows are padded to. */
const ROW_BYTES = 128;
const RULES = { complete: 0, average: 1, weighted: 2, ward: 3 };

const fitsFloat32 = (distance: number): boolean => distance >= 0 && Math.fround(distance) < Infinity;

/** Runs the tiles, in their order, of a linkage on one thread's kernel. */
export class LinkageRunner {
  private readonly kernel: Kernel;
  private readonly job: LinkageJob;
  private readonly out: number;
  private done = 0;

  constructor(kernel: Kernel, job: LinkageJob) {
    this.kernel = kernel;
    this.job = job;
    const { count, method } = job;
    kernel.rewind();
    const stride = ROW_BYTES * Math.ceil((4 * count) / ROW_BYTES);
    const [penalties, sizes, members, heights, chain, living] = Array.from({ length: 6 }, () =>
      kernel.allocate(stride),
    );
    this.out = kernel.allocate(12 * TILE);
    const matrix = kernel.allocate(stride * count);
    this.place(matrix, stride);
    if (method === "single") {
      kernel.exports.beginSpanning(matrix, stride, count, penalties, heights, members);
      return;
    }
    const weights = new Float32Array(kernel.bytes.buffer, sizes, stride / 4).fill(0).fill(1, 0, count);
    if (job.weights) weights.set(job.weights);
    kernel.exports.beginChain(
      matrix,
      stride,
      count,
      RULES[method],
      penalties,
      sizes,
      members,
      heights,
      chain,
      living,
    );
  }

  /** Makes the next merges; returns their number. */
  run(): number {
    const { kernel, job, out, done } = this;
    const count = Math.min(TILE, job.count - 1 - done);
    const step = job.method === "single" ? kernel.exports.spanningEdges : kernel.exports.chainMerges;
    step(count, out, out + 4 * TILE, out + 8 * TILE);
    const { buffer } = kernel.bytes;
    job.left.set(new Uint32Array(buffer, out, count), done);
    job.right.set(new Uint32Array(buffer, out + 4 * TILE, count), done);
    job.heights.set(new Float32Array(buffer, out + 8 * TILE, count), done);
    this.done += count;
    return count;
  }

  /** Writes the square matrix. */
  private place(matrix: number, stride: number): void {
    const { kernel, job } = this;
    const { count, distances, method } = job;
    for (let i = 0; i < count; i++) {
      const length = count - 1 - i;
      const row = matrix + i * stride;
      const first = row + 4 * (i + 1);
      const from = condensedIndex(i, i + 1, count);
      const values = new Float32Array(kernel.bytes.buffer, first, length);
      values.set(distances.subarray(from, from + length));
      if (!kernel.exports.areDistances(first, length))
        throw refusedDistance("linkage", distances, fitsFloat32)!;
      if (method === "ward") kernel.exports.squareAll(first, length);
      kernel.bytes.fill(0, row + 4 * count, row + stride);
    }
    kernel.exports.mirror(matrix, stride, 0, count);
  }
}
