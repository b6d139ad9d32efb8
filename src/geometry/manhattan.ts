/**
 * @file Manhattan distance, Σ|xᵢ − yᵢ|.
 *
 * It has no Gram form: all pairs are a broadcast of B·C·m numbers, which bounds the batch.
 */

import { numpy as np } from "@jax-js/jax";

/** |x| with derivative 0 at 0. */
function magnitude(x: np.Array): np.Array {
  return np.maximum(x.ref, 0).add(np.maximum(x.neg(), 0));
}

/** Σ|x − y| of rows, [B, m] × [B, m] → [B]. */
export function manhattanDistance(x: np.Array, y: np.Array): np.Array {
  return magnitude(x.sub(y)).sum(-1);
}

/** Σ|x − y| of all pairs, [B, m] × [C, m] → [B, C]. */
export function manhattanDistances(x: np.Array, y: np.Array): np.Array {
  return manhattanDistance(np.expandDims(x, 1), np.expandDims(y, 0));
}

/** Σ|x − y| in float64. */
export function exactManhattanDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += Math.abs(x[i] - y[i]);
  return sum;
}
