/**
 * @file References in segments: the store behind an index folder, and behind references read on the spot.
 *
 * A key is the row counted through all segments. Candidates come from each segment's graph, or from comparing with
 * every point (a scan) where the space has no index or none is wanted. Deleted rows stay in their graphs; they are
 * searched past, by asking for more until enough living ones are there.
 */

import { DistanceBlocks } from "../../engine/distance-blocks.ts";
import type { Model } from "../../engine/model-file.ts";
import type { Candidates, ReferenceBlock, References } from "./references.ts";
import { codesOf, type Segment } from "./segment.ts";
import { Nearest } from "./nearest.ts";

/** Rows of a block of references or points. */
const BLOCK = 8192;

export interface SegmentsOptions {
  /** Compare with every point, even where there is a graph. */
  scan?: boolean;
  threads?: number;
}

/** The space that points are compared in: that of the model. */
type PointModel = Pick<Model, "space" | "manifest">;

/** Searches segments. */
export class SegmentedReferences implements References {
  readonly size: number;
  readonly method: string;
  readonly #segments: readonly Segment[];
  /** Key of each segment's first row. */
  readonly #starts: number[];
  readonly #model: PointModel | undefined;
  readonly #options: SegmentsOptions;
  #blocks?: DistanceBlocks;

  /** Without a model they can only be searched exactly. */
  constructor(segments: readonly Segment[], model?: PointModel, options: SegmentsOptions = {}) {
    this.#segments = segments;
    this.#model = model;
    this.#options = options;
    this.#starts = [0];
    for (const { names } of segments) this.#starts.push(this.#starts.at(-1)! + names.length);
    this.size = segments.reduce((sum, { names, deleted }) => sum + names.length - deleted.size, 0);
    const graphs = segments.filter((segment) => this.#graphOf(segment) !== undefined).length;
    this.method =
      graphs > 0
        ? "graph of neighbours"
        : model?.space.indexMetric === null
          ? `scan of all points: ${model.space.name} distance has no index`
          : "scan of all points";
  }

  #graphOf({ graph }: Segment) {
    return this.#options.scan ? undefined : graph;
  }

  async nearest(points: Float32Array, count: number, k: number): Promise<Candidates> {
    const keys: number[][] = Array.from({ length: count }, () => []);
    for (const [s, segment] of this.#segments.entries()) {
      const rows =
        this.#graphOf(segment) === undefined
          ? await this.#scan(segment, points, count, k)
          : this.#search(segment, points, count, k);
      rows.forEach((found, query) => {
        for (const row of found) keys[query].push(this.#starts[s] + row);
      });
    }
    return { keys };
  }

  #search(segment: Segment, points: Float32Array, count: number, k: number): number[][] {
    const { space, manifest } = this.#model!;
    const { vectors } = space.queryVectors(points, manifest.dim, manifest.space.parameters);
    const graph = segment.graph!;
    const wanted = Math.min(k, graph.size - segment.deleted.size);
    for (let ask = k; ; ask *= 2) {
      const found = graph
        .search(vectors, count, ask)
        .map((rows) =>
          (segment.deleted.size === 0 ? rows : rows.filter((row) => !segment.deleted.has(row))).slice(0, k),
        );
      if (ask >= graph.size || found.every((rows) => rows.length >= wanted)) return found;
    }
  }

  async #scan(segment: Segment, points: Float32Array, count: number, k: number): Promise<number[][]> {
    const { space, manifest } = this.#model!;
    const { dim } = manifest;
    this.#blocks ??= await DistanceBlocks.create(space, dim, { threads: this.#options.threads });
    this.#blocks.parameters = manifest.space.parameters;
    const nearest = Array.from({ length: count }, () => new Nearest(k));
    const queries = { data: points, count, dims: dim };
    for (let start = 0; start < segment.names.length; start += BLOCK) {
      const end = Math.min(start + BLOCK, segment.names.length);
      const items = { data: segment.points.read(start, end), count: end - start, dims: dim };
      for await (const { row, column, rows, columns, values } of this.#blocks.blocks(queries, items)) {
        for (let i = 0; i < rows; i++) {
          const best = nearest[row + i];
          for (let j = 0; j < columns; j++) {
            const distance = values[i * columns + j];
            if (distance >= best.worst) continue;
            const found = start + column + j;
            if (!segment.deleted.has(found)) best.add(found, distance);
          }
        }
      }
    }
    return nearest.map((best) => best.keys());
  }

  fetch(keys: readonly number[]): Promise<ReferenceBlock> {
    const places = keys.map((key) => this.#placeOf(key));
    return Promise.resolve({
      keys: [...keys],
      ids: places.map(({ segment, row }) => segment.names.at(row)),
      codes: places.map(({ segment, row }) => codesOf(segment, row)),
    });
  }

  points(keys: readonly number[]): Promise<Float32Array> {
    const { dim } = this.#model!.manifest;
    const points = new Float32Array(keys.length * dim);
    keys.forEach((key, i) => {
      const { segment, row } = this.#placeOf(key);
      points.set(segment.points.read(row, row + 1), i * dim);
    });
    return Promise.resolve(points);
  }

  #placeOf(key: number): { segment: Segment; row: number } {
    let s = 0;
    while (key >= this.#starts[s + 1]) s++;
    return { segment: this.#segments[s], row: key - this.#starts[s] };
  }

  *ids(): Generator<string> {
    for (const { names, deleted } of this.#segments) {
      for (let row = 0; row < names.length; row++) if (!deleted.has(row)) yield names.at(row);
    }
  }

  // The interface is asynchronous for stores that are elsewhere.

  async *blocks(): AsyncGenerator<ReferenceBlock> {
    for (const [s, segment] of this.#segments.entries()) {
      for (let start = 0; start < segment.names.length; start += BLOCK) {
        const block: ReferenceBlock = { keys: [], ids: [], codes: [] };
        const end = Math.min(start + BLOCK, segment.names.length);
        for (let row = start; row < end; row++) {
          if (segment.deleted.has(row)) continue;
          block.keys.push(this.#starts[s] + row);
          block.ids.push(segment.names.at(row));
          block.codes.push(codesOf(segment, row));
        }
        yield block;
      }
    }
  }

  async close(): Promise<void> {
    await this.#blocks?.close();
    for (const { points } of this.#segments) await points.close();
  }
}
