/**
 * @file Neighbour joining: an unrooted tree with branch lengths from the distances of n taxa (Saitou and Nei 1987).
 *
 * A matrix that a tree's path lengths make up gives back that tree; any other gives one whose path lengths come near
 * it, without the assumption of a clock that average linkage makes. BIONJ (Gascuel 1997) joins likewise, but weighs
 * the two that it joins so that the new distances have the least variance, which makes its trees a little better where
 * sequences evolved fast, for twice the time and memory.
 *
 * Exact in 64-bit floats: at every join the best of all pairs, found through bounds instead of a full search
 * (assembly/joining.ts), in O(n²) time on the distances of sequences and O(n³) at worst; a condensed matrix in the
 * kernel, 4n² bytes: 100 MB for 5,000 taxa. A thread of its own does the work.
 *
 * Ties: among equally good pairs the search takes the first that it meets. One matrix always gives one tree; with the
 * taxa in another order, ties may be broken otherwise. Of the last four clusters, joining two is always as good as
 * joining the other two; that is one tree, but BIONJ's branch lengths depend on which it is.
 */
import { EmbranchError } from "../error.ts";
import { condensedLength, condensedSide, type NumberArray } from "../sequence/condensed.ts";
import { refusedDistance } from "./distance-check.ts";
import type { Kernel } from "./instance.ts";
import type { JoiningJob } from "./job.ts";
import { inSharedMemory } from "./packed.ts";
import type { RequestOptions } from "./pool.ts";
import { runInOrder } from "./threads.ts";

/** Saitou and Nei's joining, or Gascuel's. */
export const JOINING_VARIANTS = ["nj", "bionj"] as const;

export type JoiningVariant = (typeof JOINING_VARIANTS)[number];

export interface NeighborJoiningOptions extends RequestOptions {
  /** Default `nj`. */
  variant?: JoiningVariant;
  /**
   * What becomes of negative branch lengths, which distances that are not a tree's may give: `zero` (default) puts 0
   * in their place and takes the difference off the adjacent branch, so that the path between the two that were joined
   * stays as long as it was (Kuhner and Felsenstein 1994), unless it is negative itself; at the last join, of three,
   * each of the other two branches gives a third, which disturbs the three paths least. `keep` keeps them. The
   * topology is the same.
   */
  negative?: "zero" | "keep";
}

/**
 * An unrooted tree over n ≥ 3 leaves, held as a rooted one: leaves are nodes 0 … n − 1, the n − 3 joins follow in
 * their order, and the root, last, is the join of the last three. Two leaves hang on a root, one is the root.
 */
export interface JoinedTree {
  /** n */
  leaves: number;
  /** [nodes] Number of the node above, greater than the node's own; −1 for the root. */
  parent: Int32Array;
  /** [nodes] Length of the branch above; 0 for the root. */
  length: Float64Array;
}

/** Most taxa whose distances, and variances, fit into the 4 GiB of a 32-bit memory. */
export const MOST_JOINED: Record<JoiningVariant, number> = { nj: 32_700, bionj: 23_100 };
/** Joins between two looks at the clock. */
const TILE = 64;

/**
 * Joins n taxa by their condensed distances [n(n−1)/2], in SciPy's order.
 *
 * @throws EmbranchError for a distance that is negative or not finite, and for more than 32,700 taxa (BIONJ: 23,100)
 */
export async function neighborJoining(
  distances: NumberArray,
  { variant = "nj", negative = "zero", ...request }: NeighborJoiningOptions = {},
): Promise<JoinedTree> {
  const n = condensedSide(distances.length);
  const most = MOST_JOINED[variant];
  if (n > most) {
    const kept = variant === "nj" ? "distances fill" : "distances and variances fill";
    throw new EmbranchError(`neighbour joining: takes at most ${most} taxa, whose ${kept} 4 GiB, got ${n}`);
  }
  request.signal?.throwIfAborted();
  if (n < 4) {
    checkDistances(distances);
    return fewTaxa(distances, n, negative);
  }
  const joins = n - 3;
  const job: JoiningJob = {
    kind: "joining",
    variant,
    count: n,
    distances: inSharedMemory(distances),
    tiles: Math.ceil(joins / TILE),
    children: new Uint32Array(new SharedArrayBuffer(4 * (2 * joins + 3))),
    lengths: new Float64Array(new SharedArrayBuffer(8 * (2 * joins + 3))),
  };
  await runInOrder(job, joins, request);
  return joinedTree(job, negative);
}

/** The trees of one, two and three taxa. */
function fewTaxa(distances: NumberArray, n: number, negative: "zero" | "keep"): JoinedTree {
  if (n === 1) return { leaves: 1, parent: Int32Array.of(-1), length: new Float64Array(1) };
  if (n === 2) {
    const half = distances[0] / 2;
    return { leaves: 2, parent: Int32Array.of(2, 2, -1), length: Float64Array.of(half, half, 0) };
  }
  const lengths = lastLengths(distances);
  return joinedTree({ count: 3, children: Uint32Array.of(0, 1, 2), lengths }, negative);
}

/** Branch lengths of the star of three nodes with distances (0,1), (0,2), (1,2). */
function lastLengths([d01, d02, d12]: ArrayLike<number> & Iterable<number>): Float64Array {
  return Float64Array.of((d01 + d02 - d12) / 2, (d01 + d12 - d02) / 2, (d02 + d12 - d01) / 2);
}

/** The tree of joins: two children each, the last three. */
function joinedTree(
  { count, children, lengths }: Pick<JoiningJob, "count" | "children" | "lengths">,
  negative: "zero" | "keep",
): JoinedTree {
  const root = 2 * count - 3;
  const lastJoin = root - 3;
  if (negative === "zero") {
    for (let k = 0; k < lastJoin; k += 2) withoutNegative(lengths.subarray(k, k + 2));
    withoutNegative(lengths.subarray(lastJoin));
  }
  const parent = new Int32Array(root + 1).fill(-1);
  const length = new Float64Array(root + 1);
  children.forEach((child, k) => {
    parent[child] = k < lastJoin ? count + (k >> 1) : root;
    length[child] = lengths[k];
  });
  return { leaves: count, parent, length };
}

/** Puts 0 in place of negative lengths of two or three branches that meet, and takes the difference off the others. */
function withoutNegative(lengths: Float64Array): void {
  const deficit = lengths.reduce((sum, length) => sum + Math.min(0, length), 0);
  if (deficit === 0) return;
  const share = lengths.length === 2 ? deficit : deficit / 3;
  lengths.forEach((length, i) => {
    lengths[i] = length < 0 ? 0 : Math.max(0, length + share);
  });
}

/** Throws EmbranchError for the first distance that is none. */
function checkDistances(distances: NumberArray): void {
  const refused = refusedDistance("neighbour joining", distances, (value) => value >= 0 && value < Infinity);
  if (refused !== undefined) throw refused;
}

/** Bytes of the kernel's room for each taxon. */
const ROOM = 44;

/** Runs the tiles, in their order, of a neighbour joining on one thread's kernel. */
export class JoiningRunner {
  private readonly kernel: Kernel;
  private readonly job: JoiningJob;
  private readonly distances: number;
  private readonly children: number;
  private readonly lengths: number;
  private readonly nodes: number;
  private done = 0;

  constructor(kernel: Kernel, job: JoiningJob) {
    this.kernel = kernel;
    this.job = job;
    const { count, variant, distances } = job;
    kernel.rewind();
    this.children = kernel.allocate(8 * TILE);
    this.lengths = kernel.allocate(16 * TILE);
    const room = kernel.allocate(ROOM * count);
    this.nodes = room + (ROOM - 4) * count;
    this.distances = this.place(distances);
    const variances = variant === "bionj" ? this.place(distances) : 0;
    if (kernel.exports.beginJoining(this.distances, variances, count, room)) return;
    checkDistances(distances);
    throw new EmbranchError("neighbour joining: distances must have a finite sum, got one beyond 1.8e308");
  }

  /** Makes the next joins, and at last the root; returns the number of joins. */
  run(): number {
    const { kernel, job, done, nodes } = this;
    const joins = Math.min(TILE, job.count - 3 - done);
    kernel.exports.joinPairs(joins, this.children, this.lengths);
    const { buffer } = kernel.bytes;
    job.children.set(new Uint32Array(buffer, this.children, 2 * joins), 2 * done);
    job.lengths.set(new Float64Array(buffer, this.lengths, 2 * joins), 2 * done);
    this.done += joins;
    if (this.done === job.count - 3) {
      // The last three places, and the last three distances.
      job.children.set(new Uint32Array(buffer, nodes, job.count).subarray(-3), 2 * this.done);
      const all = new Float64Array(buffer, this.distances, condensedLength(job.count));
      job.lengths.set(lastLengths(all.subarray(-3)), 2 * this.done);
    }
    return joins;
  }

  /** Copies the distances into the kernel's memory. */
  private place(distances: NumberArray): number {
    const address = this.kernel.allocate(8 * distances.length);
    new Float64Array(this.kernel.bytes.buffer, address, distances.length).set(distances);
    return address;
  }
}
