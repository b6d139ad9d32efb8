/**
 * @file Cosine distance, 1 − cos θ.
 *
 * Computed as ½‖x̂ − ŷ‖², which is the same number without the cancellation of 1 − ⟨x̂, ŷ⟩ for small angles.
 * A zero vector has no direction; it is at ½ from every other point and at 0 from itself.
 */

import type { numpy as np } from "@jax-js/jax";
import { direction, exactSquaredChord, polarPair, squaredDistances } from "./vector.ts";

/** 1 − cos θ of rows, [B, m] × [B, m] → [B]. */
export function cosineDistance(x: np.Array, y: np.Array): np.Array {
  const { normX, normY, difference, squaredChord } = polarPair(x, y);
  for (const unused of [normX, normY, difference]) unused.dispose();
  return squaredChord.mul(0.5);
}

/** 1 − cos θ of all pairs, [B, m] × [C, m] → [B, C]. */
export function cosineDistances(x: np.Array, y: np.Array): np.Array {
  return squaredDistances(direction(x), direction(y)).mul(0.5);
}

/** 1 − cos θ in float64. */
export function exactCosineDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  return exactSquaredChord(x, y) / 2;
}
