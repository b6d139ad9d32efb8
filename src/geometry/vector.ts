/**
 * @file Rows of vectors: norms, directions, squared distances of pairs and of all pairs.
 *
 * All pairs go through one matrix product, ‖x − y‖² = ‖x‖² + ‖y‖² − 2⟨x, y⟩. That difference cancels when
 * two points are close compared with their distance from the origin, so the mean of `x` is moved to the
 * origin first (untrained encoders map everything into one small cloud far from it). What is left of the
 * problem is repaired where exact values matter, by `refineClose`.
 */

import { lax, numpy as np } from "@jax-js/jax";
import { safeSqrt } from "./elementary.ts";

/** Inner products of rows, [..., m] × [..., m] → [...]. */
export function rowDot(x: np.Array, y: np.Array, keepdims = false): np.Array {
  return x.mul(y).sum(-1, { keepdims });
}

/** Squared norms of rows, [..., m] → [..., 1]. */
export function squaredNorm(x: np.Array): np.Array {
  return rowDot(x.ref, x, true);
}

/** Norms of rows, [..., m] → [..., 1], with gradient 0 at the zero vector. */
export function norm(x: np.Array): np.Array {
  return safeSqrt(squaredNorm(x));
}

/** Rows divided by their norms; the zero vector stays zero. */
export function direction(x: np.Array): np.Array {
  const square = squaredNorm(x.ref);
  return x.div(np.sqrt(np.where(square.ref.greater(0), square, 1)));
}

/** Rows shortened to at most `limit`; shorter ones are left alone. */
export function limitNorm(x: np.Array, limit: number): np.Array {
  const length = norm(x.ref);
  const outside = length.ref.greater(limit);
  return x.mul(np.where(outside.ref, np.reciprocal(np.where(outside, length, 1)).mul(limit), 1));
}

/** ‖x − y‖² of rows, [B, m] × [B, m] → [B]. */
export function squaredDistance(x: np.Array, y: np.Array): np.Array {
  return np.square(x.sub(y)).sum(-1);
}

/** Two rows of vectors in polar form, each [B]. */
export interface PolarPair {
  /** ‖x‖. */
  normX: np.Array;
  /** ‖y‖. */
  normY: np.Array;
  /** ‖x‖ − ‖y‖. */
  difference: np.Array;
  /** ‖x/‖x‖ − y/‖y‖‖². */
  squaredChord: np.Array;
}

/**
 * Norms, their difference and the chord between directions, [B, m] × [B, m]. Everything small is computed from
 * x − y, which is exact for near points, and not from rounded norms and directions:
 * ‖x‖ − ‖y‖ = ⟨x − y, x + y⟩/(‖x‖ + ‖y‖), and x̂ − ŷ = (2(x − y) − (x̂ + ŷ)(‖x‖ − ‖y‖))/(‖x‖ + ‖y‖).
 */
export function polarPair(x: np.Array, y: np.Array): PolarPair {
  const shape = x.shape.slice(0, -1);
  const normX = norm(x.ref);
  const normY = norm(y.ref);
  const total = np.maximum(normX.ref.add(normY.ref), 1e-30);
  const apart = x.ref.sub(y.ref);
  const difference = rowDot(apart.ref, x.ref.add(y.ref), true).div(total.ref);
  const along = direction(x).add(direction(y)).mul(difference.ref);
  const squaredChord = np.square(apart.mul(2).sub(along).div(total)).sum(-1);
  return {
    normX: normX.reshape(shape),
    normY: normY.reshape(shape),
    difference: difference.reshape(shape),
    squaredChord,
  };
}

/** ‖x − y‖² of all pairs of rows, [B, m] × [C, m] → [B, C], never negative. */
export function squaredDistances(x: np.Array, y: np.Array): np.Array {
  const centre = lax.stopGradient(np.mean(x.ref, 0, { keepdims: true }));
  x = x.sub(centre.ref);
  y = y.sub(centre);
  const squares = squaredNorm(x.ref).add(np.transpose(squaredNorm(y.ref)));
  return np.maximum(squares.sub(np.matmul(x, np.transpose(y)).mul(2)), 0);
}

/** ⟨x, y⟩ in float64. */
export function exactDot(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += x[i] * y[i];
  return sum;
}

/** ‖x − y‖² in float64. */
export function exactSquaredDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) ** 2;
  return sum;
}

/** ‖x/‖x‖ − y/‖y‖‖² in float64: the squared chord between two directions; zero vectors stay zero. */
export function exactSquaredChord(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const a = 1 / (Math.sqrt(exactDot(x, x)) || 1);
  const b = 1 / (Math.sqrt(exactDot(y, y)) || 1);
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] * a - y[i] * b) ** 2;
  return sum;
}
