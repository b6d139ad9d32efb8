/**
 * @file What is searched: references with points, wherever they are kept.
 *
 * Every kind of store names a reference by a key, a whole number of its own. `nearest` is the one thing that may
 * be approximate; all else is exact.
 */

/** The nearest references of some points, as far as the store found them. */
export interface Candidates {
  /** Keys, query by query, in lists of one or more parts of the store, each nearest first. */
  keys: number[][];
}

/** Some references. */
export interface ReferenceBlock {
  keys: number[];
  ids: string[];
  codes: Uint8Array[];
}

/** A store of references. */
export interface References {
  /** How many there are. */
  readonly size: number;
  /** How `nearest` finds them, for people. */
  readonly method: string;
  /** At least the `k` references (all, where there are fewer) whose points [count, dims] are nearest. */
  nearest(points: Float32Array, count: number, k: number): Promise<Candidates>;
  /** The references with these keys, in this order. */
  fetch(keys: readonly number[]): Promise<ReferenceBlock>;
  /** Their points [keys.length, dims]. */
  points(keys: readonly number[]): Promise<Float32Array>;
  /** Their ids, of those kept in memory. */
  ids?(): Iterable<string>;
  /** All references, block by block. */
  blocks(): AsyncIterable<ReferenceBlock>;
  close(): Promise<void>;
}
