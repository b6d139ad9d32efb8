/**
 * @file A graph of neighbours (HNSW) over the vectors of a space, by usearch.
 *
 * Malkov and Yashunin, "Efficient and robust approximate nearest neighbor search using hierarchical navigable
 * small world graphs", IEEE TPAMI 2020. usearch was chosen because its index is one file that is mapped into
 * memory, not read, and its binaries come with the package. Its ES module looks for them in the wrong folder (2.25
 * and 2.26), so it is loaded as CommonJS, and on first use: whoever searches without a graph needs no binary.
 */

import { createRequire } from "node:module";
import type * as Usearch from "usearch";
import { EmbranchError, UsageError } from "../../error.ts";
import type { IndexMetric } from "../../geometry/index.ts";

/** What a graph is built with. */
export interface GraphOptions {
  /** Neighbours of a node (M). */
  connectivity: number;
  /** Candidates looked at while a node is added (efConstruction). */
  expansion: number;
  /** Numbers of a vector in the file: 32, 16 or 8 bits. */
  precision: "f32" | "f16" | "i8";
}

/** Directions bear 16 bits a number; vectors of great length, as those of free hyperbolic points, do not. */
export function graphDefaults(metric: Exclude<IndexMetric, null>): GraphOptions {
  return { connectivity: 16, expansion: 48, precision: metric === "cos" ? "f16" : "f32" };
}

/** Candidates looked at while searching (ef), unless more are asked for. */
const SEARCH_EXPANSION = 128;

let loaded: typeof Usearch | undefined;

function usearch(): typeof Usearch {
  try {
    return (loaded ??= createRequire(import.meta.url)("usearch") as typeof Usearch);
  } catch (cause) {
    throw new EmbranchError(
      `index: usearch has no binary for this machine (${process.platform} ${process.arch}); search without a graph (--scan)`,
      { cause },
    );
  }
}

/** A graph of vectors [rows, dims], its rows numbered from 0. */
export class NearestGraph {
  readonly #index: Usearch.Index;
  readonly #threads: number;

  private constructor(index: Usearch.Index, threads: number) {
    this.#index = index;
    this.#threads = threads;
  }

  /** An empty graph; `threads` 0 takes all cores. */
  static create(
    metric: Exclude<IndexMetric, null>,
    dims: number,
    { connectivity, expansion, precision }: GraphOptions,
    { threads = 0, searchExpansion = SEARCH_EXPANSION }: { threads?: number; searchExpansion?: number } = {},
  ): NearestGraph {
    if (precision === "i8" && metric === "l2") {
      // usearch scales such vectors to length 1.
      throw new UsageError("precision: i8 is for directions, got points of any length; use f32 or f16");
    }
    const { Index, MetricKind } = usearch();
    const index = new Index({
      dimensions: dims,
      metric: metric === "cos" ? MetricKind.Cos : MetricKind.L2sq,
      quantization: precision as Usearch.ScalarKind,
      connectivity,
      expansion_add: expansion,
      expansion_search: searchExpansion,
      multi: false,
    });
    return new NearestGraph(index, threads);
  }

  /** Adds vectors [count, dims] as the rows from `start` on. */
  add(start: number, vectors: Float32Array, count: number): void {
    const keys = BigUint64Array.from({ length: count }, (_, i) => BigInt(start + i));
    this.#index.add(keys, vectors, this.#threads);
  }

  /** Rows of the `k` vectors nearest to each of some queries [count, dims]. */
  search(queries: Float32Array, count: number, k: number): number[][] {
    const width = Math.min(k, this.size);
    if (width === 0 || count === 0) return Array.from({ length: count }, () => []);
    const found = this.#index.search(queries as unknown as Float32Array[], width, this.#threads);
    // usearch answers one query in another form than several.
    if (!("counts" in found)) return [Array.from((found as Usearch.Matches).keys, Number)];
    return Array.from({ length: count }, (_, i) => {
      const start = i * width;
      return Array.from(found.keys.subarray(start, start + Number(found.counts[i])), Number);
    });
  }

  get size(): number {
    return this.#index.size();
  }

  save(path: string): void {
    this.#index.save(path);
  }

  /** Maps a saved graph into memory. */
  view(path: string): void {
    this.#index.view(path);
  }
}
