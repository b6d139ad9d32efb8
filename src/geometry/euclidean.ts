/**
 * @file Euclidean space, and its squared distance.
 *
 * ‖x − y‖ and ‖x − y‖² (SPEC A6). The square is not a metric (no triangle inequality); it is here because
 * the papers compare with it.
 */

import type { numpy as np } from "@jax-js/jax";
import { safeSqrt } from "./elementary.ts";
import { exactSquaredDistance, squaredDistance, squaredDistances } from "./vector.ts";

/** ‖x − y‖ of rows, [B, m] × [B, m] → [B]. */
export function euclideanDistance(x: np.Array, y: np.Array): np.Array {
  return safeSqrt(squaredDistance(x, y));
}

/** ‖x − y‖ of all pairs, [B, m] × [C, m] → [B, C]. */
export function euclideanDistances(x: np.Array, y: np.Array): np.Array {
  return safeSqrt(squaredDistances(x, y));
}

/** ‖x − y‖ in float64. */
export function exactEuclideanDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return Math.sqrt(exactSquaredDistance(x, y));
}
