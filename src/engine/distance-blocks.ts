/**
 * @file Distances between embedded points, in blocks on the executor.
 *
 * The differentiable all-pairs form of a space is traced once for a block of fixed size and run over a matrix
 * of any size; near-identical pairs, where the matrix form loses digits, are then recomputed exactly.
 */

import { init } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { refineClose, type Space } from "../geometry/index.ts";
import { condensedIndex, condensedLength } from "../sequence/condensed.ts";
import { lower } from "./lower.ts";
import { Program, Tensor, type ProgramOptions } from "./run.ts";

/** Points [count, dims], row-major. */
export interface Points {
  data: Float32Array;
  count: number;
  dims: number;
}

const ROWS = 128;
const COLUMNS = 1024;

/** A block of a distance matrix: rows `row` …, columns `column` …, values row-major [rows, columns]. */
export interface DistanceBlock {
  row: number;
  column: number;
  rows: number;
  columns: number;
  values: Float32Array;
}

export interface BlockOptions {
  /** Rows done so far, and all. */
  progress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

/** Computes distance matrices of a trained space. */
export class DistanceBlocks {
  readonly #program: Program;
  readonly #space: Space;
  readonly #dims: number;
  /** Raw values of the space's learned scalars. */
  parameters: Record<string, number>;

  private constructor(program: Program, space: Space, dims: number) {
    this.#program = program;
    this.#space = space;
    this.#dims = dims;
    this.parameters = space.initialParameters();
  }

  /** `dims`: of the points. Set `parameters` before use where the space has learned scalars. */
  static async create(space: Space, dims: number, options: ProgramOptions = {}): Promise<DistanceBlocks> {
    await init("wasm");
    const scalars = Object.fromEntries(
      Object.keys(space.initialParameters()).map((name) => [name, { shape: [], type: "float32" as const }]),
    );
    const block = (x: np.Array, y: np.Array, p: Record<string, np.Array>) => space.distances(x, y, p);
    const { bytes } = lower(block, {
      x: { shape: [ROWS, dims], type: "float32" },
      y: { shape: [COLUMNS, dims], type: "float32" },
      p: scalars,
    });
    return new DistanceBlocks(await Program.create(bytes, options), space, dims);
  }

  /**
   * Blocks of the distances from `x` to `y`, row of blocks by row of blocks.
   *
   * `upper` leaves out blocks wholly below the diagonal, where `x` and `y` are the same points.
   */
  async *blocks(x: Points, y: Points, { upper = false } = {}): AsyncGenerator<DistanceBlock> {
    const scalars = Object.fromEntries(
      Object.entries(this.parameters).map(([name, value]) => [
        `p.${name}`,
        new Tensor("float32", Float32Array.of(value), []),
      ]),
    );
    for (let row = 0; row < x.count; row += ROWS) {
      const rows = Math.min(ROWS, x.count - row);
      const left = this.#slice(x, row, rows, ROWS);
      for (let column = 0; column < y.count; column += COLUMNS) {
        const columns = Math.min(COLUMNS, y.count - column);
        if (upper && column + columns <= row + 1) continue;
        const right = this.#slice(y, column, columns, COLUMNS);
        const result = await this.#program.run({
          ...scalars,
          x: new Tensor("float32", left, [ROWS, this.#dims]),
          y: new Tensor("float32", right, [COLUMNS, this.#dims]),
        });
        const full = result.output.data as Float32Array;
        const values =
          columns === COLUMNS ? full.subarray(0, rows * columns) : new Float32Array(rows * columns);
        for (let i = 0; columns !== COLUMNS && i < rows; i++) {
          values.set(full.subarray(i * COLUMNS, i * COLUMNS + columns), i * columns);
        }
        refineClose(
          values,
          left.subarray(0, rows * this.#dims),
          right.subarray(0, columns * this.#dims),
          this.#dims,
          this.#space,
          this.parameters,
        );
        yield { row, column, rows, columns, values };
      }
    }
  }

  /** Distances of all unordered pairs, condensed. */
  async condensed(x: Points, { progress, signal }: BlockOptions = {}): Promise<Float32Array> {
    const n = x.count;
    const out = new Float32Array(condensedLength(n));
    for await (const { row, column, rows, columns, values } of this.blocks(x, x, { upper: true })) {
      signal?.throwIfAborted();
      for (let i = 0; i < rows; i++) {
        const first = Math.max(0, row + i + 1 - column);
        if (first >= columns) continue;
        const start = condensedIndex(row + i, column + first, n);
        out.set(values.subarray(i * columns + first, (i + 1) * columns), start);
      }
      if (column + columns === n) progress?.(row + rows, n);
    }
    return out;
  }

  /** Distances from all of `x` to all of `y`, row-major. */
  async cross(x: Points, y: Points, { progress, signal }: BlockOptions = {}): Promise<Float32Array> {
    const out = new Float32Array(x.count * y.count);
    for await (const { row, column, rows, columns, values } of this.blocks(x, y)) {
      signal?.throwIfAborted();
      for (let i = 0; i < rows; i++) {
        out.set(values.subarray(i * columns, (i + 1) * columns), (row + i) * y.count + column);
      }
      if (column + columns === y.count) progress?.(row + rows, x.count);
    }
    return out;
  }

  #slice({ data }: Points, start: number, count: number, padded: number): Float32Array {
    const view = data.subarray(start * this.#dims, (start + count) * this.#dims);
    if (count === padded) return view;
    const block = new Float32Array(padded * this.#dims);
    block.set(view);
    // Repeating a real point keeps every distance finite, whatever the space.
    for (let i = count; i < padded; i++) block.set(view.subarray(0, this.#dims), i * this.#dims);
    return block;
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}
