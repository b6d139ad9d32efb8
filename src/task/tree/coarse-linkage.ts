/**
 * @file Linkage of more points than a distance matrix holds: a graph of neighbours first, an exact linkage of what is
 * left.
 *
 * Average linkage: the nearest neighbours of every point make a graph (HNSW). Its nearest two clusters are joined,
 * again and again, until few enough are left; their matrix is then linked exactly, each weighing as much as it holds.
 * The distance between two clusters needs none of their pairs: the mean squared distance of all pairs of two sets is
 * q + q′ − 2⟨c, c′⟩, with c the mean of a set's vectors and q the mean of their squared norms. Adding to c the
 * coordinates (√(q − ‖c‖²), 0) on one side and (0, √(q′ − ‖c′‖²)) on the other makes it the squared distance of two
 * vectors, of which the space takes its own distance: so in flat spaces, and on the spheres of the cosine and hyperbolic
 * ones, where distance grows with the chord. What is approximate: the distance of the mean square stands for the mean distance, and a pair of clusters
 * that no neighbours connect is not joined before the matrix is.
 *
 * Single linkage: a least spanning tree of the graph of neighbours (Kruskal), and where that leaves components, a
 * linkage of those by their mean distances. Exact where every edge of the true tree leads to one of the nearest
 * neighbours of one of its ends.
 *
 * O(N log N) time for the graph, O(C²) for the C clusters of the matrix.
 *
 * Sources: Dhulipala et al., "Hierarchical agglomerative graph clustering in nearly-linear time", ICML 2021; Sumengen
 * et al., "Scaling hierarchical agglomerative clustering to billion-sized datasets", 2021.
 */

import { DistanceBlocks } from "../../engine/distance-blocks.ts";
import type { Model } from "../../engine/model-file.ts";
import { UsageError } from "../../error.ts";
import { rootOf, singletons } from "../../kernel/disjoint-sets.ts";
import { linkage, orderedMerges, type Linkage } from "../../kernel/linkage.ts";
import type { Progress } from "../../kernel/index.ts";
import { condensedIndex, condensedLength } from "../../sequence/condensed.ts";
import { graphDefaults, NearestGraph } from "../search/nearest-graph.ts";
import { PairHeap } from "./pair-heap.ts";

export interface CoarseLinkageOptions {
  method?: "average" | "single";
  /** Clusters that are left to an exact linkage (default 10,000). */
  clusters?: number;
  /** Nearest neighbours of a point in the graph (default 6). */
  neighbors?: number;
  threads?: number;
  /** Told of the merges so far, and of all. */
  progress?: Progress;
  signal?: AbortSignal;
}

/** What the space and its learned scalars are. */
type PointModel = Pick<Model, "space" | "manifest">;

/** Points searched for in the graph at a time. */
const BLOCK = 4096;
/** Merges between two looks at the signal. */
const BREATH = 4096;

/**
 * Links points [count, dim] of a model's space; heights are in edits.
 *
 * @throws UsageError where the space has no ordinary vectors (Manhattan, free hyperbolic points)
 */
export async function coarseLinkage(
  model: PointModel,
  points: Float32Array,
  count: number,
  options: CoarseLinkageOptions = {},
): Promise<Linkage> {
  const { method = "average", clusters: most = 10_000, progress, signal } = options;
  requireVectors(model, "coarse linkage needs");
  const clusters = new Clusters(model, points, count);
  const left: number[] = [];
  const right: number[] = [];
  const heights: number[] = [];
  let steps = 0;
  /** Joins the clusters of two points; returns the one that is left. */
  const merge = async (a: number, b: number, height: number) => {
    left.push(a);
    right.push(b);
    heights.push(height);
    clusters.join(a, b, height);
    if (++steps % BREATH > 0) return;
    progress?.(steps, count - 1);
    await new Promise(setImmediate);
    signal?.throwIfAborted();
  };
  // What a graph leaves apart is joined by a graph of the clusters.
  while (clusters.size > Math.max(most, 1)) {
    const before = clusters.size;
    if (method === "single") await joinNearest(clusters, options, merge);
    else await joinOnAverage(clusters, options, most, merge);
    if (clusters.size === before) break;
  }
  const rest = clusters.representatives();
  if (rest.length > 1) {
    const distances = await clusters.distances(rest, options);
    const weights = Float32Array.from(rest, (i) => clusters.sizes[i]);
    const top = await linkage(distances, { method, weights, signal });
    // Points of the clusters that each merge joins; no merge lies below what it joins.
    const members = [...rest];
    for (let k = 0; k < top.left.length; k++) {
      const [a, b] = [members[top.left[k]], members[top.right[k]]];
      const height = Math.max(top.heights[k], clusters.heightOf(a), clusters.heightOf(b));
      members.push(a);
      await merge(a, b, height);
    }
  }
  progress?.(count - 1, count - 1);
  return orderedMerges(count, { left, right, heights });
}

/** Throws a `UsageError` where the space has no ordinary vectors; `needing` says what needs them. */
export function requireVectors({ space }: Pick<PointModel, "space">, needing: string): void {
  if (space.indexMetric !== null && !space.indexesTogether) return;
  throw new UsageError(
    `tree: ${needing} a space of ordinary vectors (hyperbolic, cosine, euclidean, square), got a model in ${space.name} space`,
  );
}

type Merge = (a: number, b: number, height: number) => Promise<void>;

/** Joins the nearest two clusters of the graph of neighbours until `most` are left, or no edge is. */
async function joinOnAverage(
  clusters: Clusters,
  options: CoarseLinkageOptions,
  most: number,
  merge: Merge,
): Promise<void> {
  const links = new Map<number, Map<number, number>>(clusters.representatives().map((i) => [i, new Map()]));
  const heap = new PairHeap();
  const link = (a: number, b: number, distance: number) => {
    links.get(a)!.set(b, distance);
    links.get(b)!.set(a, distance);
    heap.push(distance, a, b);
  };
  for (const [a, b] of clusters.neighborPairs(options)) {
    if (!links.get(a)!.has(b)) link(a, b, clusters.distance(a, b));
  }
  while (clusters.size > most) {
    const nearest = heap.pop();
    if (nearest === undefined) return;
    const { distance, left: a, right: b } = nearest;
    // A pair that is no more, or whose distance has changed since.
    if (links.get(a)?.get(b) !== distance) continue;
    await merge(a, b, Math.max(distance, clusters.heightOf(a), clusters.heightOf(b)));
    const kept = clusters.find(a);
    const lost = kept === a ? b : a;
    const others = links.get(kept)!;
    for (const other of links.get(lost)!.keys()) {
      links.get(other)!.delete(lost);
      if (other !== kept) others.set(other, 0);
    }
    links.delete(lost);
    others.delete(lost);
    for (const other of others.keys()) link(kept, other, clusters.distance(kept, other));
  }
}

/** Joins clusters along the edges of the graph of neighbours, the shortest first. */
async function joinNearest(clusters: Clusters, options: CoarseLinkageOptions, merge: Merge): Promise<void> {
  const pairs = [...clusters.neighborPairs(options)];
  const lengths = Float64Array.from(pairs, ([a, b]) => clusters.distance(a, b));
  const order = Uint32Array.from(pairs, (_, i) => i).sort((i, j) => lengths[i] - lengths[j] || i - j);
  for (const i of order) {
    const [a, b] = pairs[i].map((point) => clusters.find(point));
    if (a !== b) await merge(a, b, Math.max(lengths[i], clusters.heightOf(a), clusters.heightOf(b)));
  }
}

/** Clusters of points, each known by one of its points, with the mean of their vectors. */
class Clusters {
  readonly #model: PointModel;
  readonly #parent: Uint32Array;
  /** Two coordinates more than the vectors: √(q − ‖c‖²) and 0. */
  readonly #means: Float32Array;
  readonly #squares: Float64Array;
  readonly #heights: Float64Array;
  readonly #width: number;
  readonly #other: Float32Array;
  readonly sizes: Uint32Array;
  size: number;

  constructor(model: PointModel, points: Float32Array, count: number) {
    const { space, manifest } = model;
    const { dim } = manifest;
    // Points of a sphere are compared by their chord; only the cosine's need not be on one.
    const vectors =
      space.name === "cosine" ? space.indexVectors(points, dim, manifest.space.parameters).vectors : points;
    this.#model = model;
    this.#width = dim + 2;
    this.#means = new Float32Array(count * this.#width);
    this.#squares = new Float64Array(count);
    this.#heights = new Float64Array(count);
    this.#other = new Float32Array(this.#width);
    this.#parent = singletons(count);
    this.sizes = new Uint32Array(count).fill(1);
    this.size = count;
    for (let i = 0; i < count; i++) {
      const vector = vectors.subarray(i * dim, (i + 1) * dim);
      this.#means.set(vector, i * this.#width);
      this.#squares[i] = squaredNorm(vector);
    }
  }

  /** The point that stands for the cluster of a point. */
  find(point: number): number {
    return rootOf(this.#parent, point);
  }

  heightOf(point: number): number {
    return this.#heights[this.find(point)];
  }

  representatives(): number[] {
    const found: number[] = [];
    for (let i = 0; i < this.#parent.length; i++) if (this.#parent[i] === i) found.push(i);
    return found;
  }

  join(first: number, second: number, height: number): void {
    const [a, b] = [this.find(first), this.find(second)];
    const [kept, lost] = this.sizes[a] >= this.sizes[b] ? [a, b] : [b, a];
    const total = this.sizes[a] + this.sizes[b];
    const share = this.sizes[lost] / total;
    const width = this.#width;
    const [into, from] = [kept * width, lost * width];
    const means = this.#means;
    for (let j = 0; j < width - 2; j++) means[into + j] += share * (means[from + j] - means[into + j]);
    this.#squares[kept] += share * (this.#squares[lost] - this.#squares[kept]);
    const norm = squaredNorm(means.subarray(into, into + width - 2));
    means[into + width - 2] = Math.sqrt(Math.max(0, this.#squares[kept] - norm));
    this.sizes[kept] = total;
    this.#heights[kept] = height;
    this.#parent[lost] = kept;
    this.size--;
  }

  /** Distance of the clusters of two points that stand for them, in edits. */
  distance(a: number, b: number): number {
    const { space, manifest } = this.#model;
    const { length } = manifest;
    this.#turn(b, this.#other);
    return length * space.exactDistance(this.#mean(a), this.#other, manifest.space.parameters);
  }

  /** Distances of all pairs of some clusters, condensed, in edits. */
  async distances(
    clusters: readonly number[],
    { threads, signal }: CoarseLinkageOptions,
  ): Promise<Float32Array> {
    const { space, manifest } = this.#model;
    const width = this.#width;
    const count = clusters.length;
    const rows = new Float32Array(count * width);
    const columns = new Float32Array(count * width);
    clusters.forEach((cluster, i) => {
      rows.set(this.#mean(cluster), i * width);
      this.#turn(cluster, columns.subarray(i * width, (i + 1) * width));
    });
    const out = new Float32Array(new SharedArrayBuffer(4 * condensedLength(count)));
    const blocks = await DistanceBlocks.create(space, width, { threads });
    blocks.parameters = manifest.space.parameters;
    try {
      const x = { data: rows, count, dims: width };
      const y = { data: columns, count, dims: width };
      for await (const block of blocks.blocks(x, y, { upper: true })) {
        signal?.throwIfAborted();
        for (let i = 0; i < block.rows; i++) {
          const row = block.row + i;
          const first = Math.max(block.column, row + 1);
          const end = block.column + block.columns;
          const start = condensedIndex(row, first, count) - first;
          const from = i * block.columns - block.column;
          for (let j = first; j < end; j++) out[start + j] = manifest.length * block.values[from + j];
        }
      }
    } finally {
      await blocks.close();
    }
    return out;
  }

  /** Pairs of clusters of which one is among the nearest of the other. */
  *neighborPairs({ neighbors = 6 }: CoarseLinkageOptions): Generator<[number, number], void, undefined> {
    const { space, manifest } = this.#model;
    const clusters = this.representatives();
    const { dim } = manifest;
    const vectors = new Float32Array(clusters.length * dim);
    clusters.forEach((cluster, i) => vectors.set(this.#mean(cluster).subarray(0, dim), i * dim));
    const metric = space.indexMetric!;
    const graph = NearestGraph.create(metric, dim, graphDefaults(metric), {
      // Threads that add at the same time make another graph at every run.
      threads: 1,
      searchExpansion: 2 * neighbors,
    });
    graph.add(0, vectors, clusters.length);
    for (let start = 0; start < clusters.length; start += BLOCK) {
      const end = Math.min(start + BLOCK, clusters.length);
      const found = graph.search(vectors.subarray(start * dim, end * dim), end - start, neighbors + 1);
      for (let i = start; i < end; i++) {
        for (const j of found[i - start]) if (j !== i) yield [clusters[i], clusters[j]];
      }
    }
  }

  #mean(cluster: number): Float32Array {
    return this.#means.subarray(cluster * this.#width, (cluster + 1) * this.#width);
  }

  /** The mean of a cluster with its spread in the last coordinate instead of the one before. */
  #turn(cluster: number, out: Float32Array): void {
    const width = this.#width;
    out.set(this.#mean(cluster));
    out[width - 1] = out[width - 2];
    out[width - 2] = 0;
  }
}

function squaredNorm(vector: Float32Array): number {
  let sum = 0;
  for (const x of vector) sum += x * x;
  return sum;
}
