/**
 * @file Exact distances for the pairs that the matrix form cannot resolve.
 *
 * ‖x − y‖² = ‖x‖² + ‖y‖² − 2⟨x, y⟩ leaves an absolute error of about 10⁻⁷ of the squares, so a pair with
 * relative squared distance 10⁻⁴ is good to 10⁻³ and an identical pair comes out as anything up to 3·10⁻⁴ of
 * the norm. Near pairs are the ones that clustering and nearest neighbours turn on, and they are few:
 * recomputing them in float64 costs O(m) each (SPEC H).
 */

import { UsageError } from "../error.ts";
import type { ParameterValues } from "./parameters.ts";
import type { Space } from "./space.ts";

/** Relative squared distance below which a pair is recomputed. */
export const CLOSE = 1e-4;

/** Row `i` of a row-major matrix. */
function row(points: Float32Array, dims: number, i: number): Float32Array {
  return points.subarray(i * dims, (i + 1) * dims);
}

/** Number of rows of `dims` columns in `points`. */
function rowCount(points: Float32Array, dims: number, name: string): number {
  const count = points.length / dims;
  if (!Number.isInteger(count)) {
    throw new UsageError(`${name}: length must be a multiple of ${dims} dimensions, got ${points.length}`);
  }
  return count;
}

/** `cancellation.size` of every row, and the greatest. */
function sizes(
  points: Float32Array,
  dims: number,
  count: number,
  size: (x: Float32Array) => number,
): { each: Float64Array; greatest: number } {
  const each = new Float64Array(count);
  let greatest = 0;
  for (let i = 0; i < count; i++) {
    each[i] = size(row(points, dims, i));
    greatest = Math.max(greatest, each[i]);
  }
  return { each, greatest };
}

/**
 * Recomputes near pairs of a distance matrix in place, and returns how many there were.
 *
 * @param distances - [B, C] row-major, from `space.distances`.
 * @param x - points [B, dims].
 * @param y - points [C, dims]; may be `x`.
 * @param parameters - raw values of the learned scalars.
 * @throws UsageError when the sizes do not fit.
 */
export function refineClose(
  distances: Float32Array,
  x: Float32Array,
  y: Float32Array,
  dims: number,
  space: Space,
  parameters: ParameterValues,
): number {
  const rows = rowCount(x, dims, "x");
  const columns = rowCount(y, dims, "y");
  if (distances.length !== rows * columns) {
    throw new UsageError(`distances: must hold ${rows} × ${columns} numbers, got ${distances.length}`);
  }
  const { cancellation } = space;
  if (cancellation === undefined) return 0;
  const size = (point: Float32Array): number => cancellation.size(point, parameters);
  const sizeX = sizes(x, dims, rows, size);
  const sizeY = sizes(y, dims, columns, size);
  let refined = 0;
  for (let i = 0; i < rows; i++) {
    const ceiling = cancellation.limit(sizeX.each[i], sizeY.greatest, CLOSE, parameters);
    for (let j = 0; j < columns; j++) {
      const at = i * columns + j;
      if (distances[at] >= ceiling) continue;
      if (distances[at] >= cancellation.limit(sizeX.each[i], sizeY.each[j], CLOSE, parameters)) continue;
      distances[at] = space.exactDistance(row(x, dims, i), row(y, dims, j), parameters);
      refined++;
    }
  }
  return refined;
}
