/**
 * @file Members near some probes by the embedding: the nearest points, of which those within the limit are kept.
 *
 * The points of members are in a graph of neighbours (search/nearest-graph.ts). What is near but not among the nearest
 * points is lost; every pair that is found is within the limit, by exact edit distance. One thread builds the graph, so
 * that it is the same every time.
 */

import type { Model } from "../../engine/model-file.ts";
import { UsageError } from "../../error.ts";
import { graphDefaults, NearestGraph } from "../search/nearest-graph.ts";
import { PairCheck, type Accept, type Comparison, type Neighbours, type Visit } from "./neighbours.ts";

export interface EmbeddedNeighboursOptions {
  /** Nearest points of a probe that are compared (default 32). */
  candidates?: number;
}

/** Looks for members among the nearest points. */
export class EmbeddedNeighbours implements Neighbours {
  readonly #comparison: Comparison;
  readonly #graph: NearestGraph;
  readonly #items: Float32Array;
  readonly #queries: Float32Array;
  readonly #dims: number;
  readonly #candidates: number;
  /** The members, in the order of the graph's rows. */
  readonly #members: number[] = [];

  /** `points` [set, dim]: those of all sequences of the set. */
  constructor(
    comparison: Comparison,
    { space, manifest }: Pick<Model, "space" | "manifest">,
    points: Float32Array,
    { candidates = 32 }: EmbeddedNeighboursOptions = {},
  ) {
    const metric = space.indexMetric;
    if (metric === null) {
      throw new UsageError(
        `cluster: a graph of neighbours takes models of other spaces than ${space.name}; leave the model out`,
      );
    }
    const { parameters } = manifest.space;
    const { vectors, dims } = space.indexVectors(points, manifest.dim, parameters);
    this.#comparison = comparison;
    this.#items = vectors;
    this.#queries = space.queryVectors(points, manifest.dim, parameters).vectors;
    this.#dims = dims;
    this.#candidates = candidates;
    this.#graph = NearestGraph.create(metric, dims, graphDefaults(metric), { threads: 1 });
  }

  #rows(vectors: Float32Array, indices: readonly number[]): Float32Array {
    const rows = new Float32Array(indices.length * this.#dims);
    indices.forEach((index, i) => {
      rows.set(vectors.subarray(index * this.#dims, (index + 1) * this.#dims), i * this.#dims);
    });
    return rows;
  }

  add(members: readonly number[]): void {
    if (members.length === 0) return;
    this.#graph.add(this.#members.length, this.#rows(this.#items, members), members.length);
    for (const member of members) this.#members.push(member);
  }

  async near(probes: readonly number[], visit: Visit, accept: Accept = () => true): Promise<void> {
    const check = new PairCheck(this.#comparison, visit);
    const found = this.#graph.search(this.#rows(this.#queries, probes), probes.length, this.#candidates);
    found.forEach((rows, i) => {
      for (const row of rows) {
        const member = this.#members[row];
        if (accept(probes[i], member)) check.add(probes[i], member);
      }
    });
    await check.run();
  }
}
