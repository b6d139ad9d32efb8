/**
 * @file Condensed distance matrices: the distances of all unordered pairs of n things, once each.
 *
 * The order is SciPy's (`scipy.spatial.distance.squareform`): rows of the strict upper triangle one after
 * another, (0,1) (0,2) … (0,n−1) (1,2) … (n−2,n−1), so that the distance of i < j stands at
 * n·i − i(i+1)/2 + (j − i − 1). It halves the memory of a square matrix, and the square is made from it in
 * blocks of rows (`squareBlocks`) whenever a file format asks for one: a second copy never exists.
 *
 * Indices are plain numbers, exact up to 2⁵³, so n may exceed 65,536 although n² then exceeds 32 bits.
 */
import { EmbranchError } from "../error.ts";

/** The typed arrays that matrices and embeddings are held in. */
export type NumberArray = Uint8Array | Uint16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** The distances among `ids.length` = n things: `values` [n(n−1)/2] in SciPy's order. */
export interface DistanceMatrix<Values extends NumberArray = NumberArray> {
  ids: string[];
  values: Values;
}

/** The distances from each of `rows` to each of `columns`: `values` [rows, columns], row-major. */
export interface CrossMatrix<Values extends NumberArray = NumberArray> {
  rows: string[];
  columns: string[];
  values: Values;
}

/** Number of unordered pairs of n things. */
export function condensedLength(n: number): number {
  return (n * (n - 1)) / 2;
}

/** Position of the pair {i, j}, i ≠ j, among the condensed distances of n things. */
export function condensedIndex(i: number, j: number, n: number): number {
  return i < j ? n * i - (i * (i + 1)) / 2 + (j - i - 1) : n * j - (j * (j + 1)) / 2 + (i - j - 1);
}

/** The pair [i, j], i < j, that stands at `index` among the condensed distances of n things. */
export function condensedPair(index: number, n: number): [i: number, j: number] {
  const b = 2 * n - 1;
  let i = Math.floor((b - Math.sqrt(b * b - 8 * index)) / 2);
  // The square root is rounded: step to the row that really holds the index.
  while (i > 0 && condensedIndex(i, i + 1, n) > index) i--;
  while (i < n - 2 && condensedIndex(i + 1, i + 2, n) <= index) i++;
  return [i, i + 1 + (index - condensedIndex(i, i + 1, n))];
}

/**
 * The n whose n(n−1)/2 pairs make up `length`; a length of 0 is read as one thing.
 * @throws {EmbranchError} when no such n exists.
 */
export function condensedSide(length: number): number {
  const n = Math.round((1 + Math.sqrt(1 + 8 * length)) / 2);
  if (condensedLength(n) !== length) {
    throw new EmbranchError(`condensed matrix: the length must be n(n-1)/2 for a whole n, got ${length}`);
  }
  return n;
}

/** Pairs of things by their positions: (left[i], right[i]). */
export interface PairList {
  left: Uint32Array;
  right: Uint32Array;
}

/** The pairs (left[i] < right[i]) of n things that stand in one run of `size` things, of which the last may be shorter. */
export function pairsWithin(n: number, size: number): PairList {
  const left: number[] = [];
  const right: number[] = [];
  for (let i = 0; i < n; i++) {
    const end = Math.min(n, size * (Math.floor(i / size) + 1));
    for (let j = i + 1; j < end; j++) {
      left.push(i);
      right.push(j);
    }
  }
  return { left: Uint32Array.from(left), right: Uint32Array.from(right) };
}

/** An array of the same type as `like`, zero-filled. */
export function arrayLike<Values extends NumberArray>(like: Values, length: number): Values {
  return new (like.constructor as new (length: number) => Values)(length);
}

/**
 * The condensed distances among those of `count` things that stand at `chosen`, in that order, written to `out`
 * [chosen(chosen − 1)/2], which is given back.
 */
export function condensedSubset<Values extends NumberArray>(
  values: ArrayLike<number>,
  count: number,
  chosen: ArrayLike<number>,
  out: Values,
): Values {
  for (let i = 0, at = 0; i < chosen.length; i++) {
    for (let j = i + 1; j < chosen.length; j++)
      out[at++] = values[condensedIndex(chosen[i], chosen[j], count)];
  }
  return out;
}

/** Rows `start` … `start + rows − 1` of a square matrix: `values` [rows, n]. */
export interface RowBlock<Values extends NumberArray = NumberArray> {
  start: number;
  rows: number;
  values: Values;
}

export interface SquareBlocksOptions {
  /** Aim for blocks of this many bytes; default 1 MiB. */
  blockBytes?: number;
}

/**
 * The square, symmetric, zero-diagonal matrix of a condensed one, in blocks of rows; each block is a fresh
 * array. Below the diagonal, a block walks the condensed rows in the outer loop, so that it reads runs of
 * neighbouring values and not one value per cache line.
 */
export function* squareBlocks<Values extends NumberArray>(
  condensed: Values,
  { blockBytes = 1 << 20 }: SquareBlocksOptions = {},
): Generator<RowBlock<Values>> {
  const n = condensedSide(condensed.length);
  const height = Math.max(1, Math.floor(blockBytes / (n * condensed.BYTES_PER_ELEMENT)));
  for (let start = 0; start < n; start += height) {
    const rows = Math.min(height, n - start);
    const values = arrayLike(condensed, rows * n);
    for (let j = 0; j < start + rows; j++) {
      const first = Math.max(start, j + 1);
      const base = condensedIndex(j, first, n) - first;
      for (let i = first; i < start + rows; i++) values[(i - start) * n + j] = condensed[base + i];
    }
    for (let row = 0; row < rows; row++) {
      const i = start + row;
      const from = condensedIndex(i, i + 1, n);
      values.set(condensed.subarray(from, from + n - i - 1), row * n + i + 1);
    }
    yield { start, rows, values };
  }
}

/** The strict upper triangle of a square matrix [n, n]; symmetry is not looked at. */
export function condense<Values extends NumberArray>(square: Values, n: number): Values {
  if (square.length !== n * n) {
    throw new EmbranchError(`square matrix: must hold ${n} x ${n} = ${n * n} values, got ${square.length}`);
  }
  const condensed = arrayLike(square, condensedLength(n));
  for (let i = 0, at = 0; i < n; i++) {
    condensed.set(square.subarray(i * n + i + 1, (i + 1) * n), at);
    at += n - i - 1;
  }
  return condensed;
}

/** Where and how a square matrix breaks a rule of distances. */
export interface Asymmetry {
  row: number;
  column: number;
  rule: string;
  got: string;
}

/** Relative difference up to which two numbers are taken as one, rounded to text at different places. */
const TOLERANCE = 1e-5;

/**
 * The first place where a square matrix [n, n] breaks a rule of distances: finite, not negative, zero on the
 * diagonal, equal to its mirror image within 1e-5 (relative).
 */
export function findAsymmetry(square: NumberArray, n: number): Asymmetry | undefined {
  for (let row = 0; row < n; row++) {
    for (let column = 0; column <= row; column++) {
      const value = square[row * n + column];
      const mirror = square[column * n + row];
      const rule =
        brokenDistance(value) ?? (row === column ? brokenDiagonal(value) : brokenMirror(value, mirror));
      if (rule !== undefined) return { row, column, rule, got: `${value}` };
    }
  }
  return undefined;
}

/** The rule that a distance breaks by itself. */
export function brokenDistance(value: number): string | undefined {
  return value >= 0 && value < Infinity
    ? undefined
    : "a distance must be a finite number that is not negative";
}

/** The rule that a value on the diagonal breaks. */
export function brokenDiagonal(value: number): string | undefined {
  return value === 0 ? undefined : "the distance of a sequence to itself must be 0";
}

/** The rule that two values across the diagonal break. */
export function brokenMirror(value: number, mirror: number): string | undefined {
  return Math.abs(value - mirror) <= TOLERANCE * Math.max(value, mirror)
    ? undefined
    : `a distance matrix must be symmetric (${mirror} stands across the diagonal)`;
}
