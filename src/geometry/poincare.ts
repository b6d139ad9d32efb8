/**
 * @file Distance in the Poincaré ball, of free points and of points on one sphere.
 *
 * The ball is ‖x‖ < 1 with sectional curvature −1. With q = ‖x − y‖²/((1 − ‖x‖²)(1 − ‖y‖²)) the textbook
 * arcosh(1 + 2q) equals 2·asinh √q (half-angle), which does not cancel for near points.
 *
 * On the sphere of radius r about the origin this becomes 2·asinh(2r·sin(θ/2)/(1 − r²)), θ the angle between
 * the two points (SPEC A5): it depends on the angle alone, ranks like the cosine, and is bounded by
 * 4·artanh r. This is what the papers call "hyperbolic with scaling".
 *
 * A space of another curvature K = −1/k is the same ball with distances multiplied by √k; here that factor
 * is the scale learned by the `Space` object.
 *
 * Near the boundary, 1 − ‖x‖² of a float32 point carries an error of 6·10⁻⁸/(1 − ‖x‖²); points are
 * kept within ‖x‖ ≤ 1 − 10⁻³, that is within 7.6 of the origin.
 */

import { numpy as np } from "@jax-js/jax";
import { asinh, borrow, safeSqrt } from "./elementary.ts";
import type { Scalar } from "./elementary.ts";
import { exactDot, exactSquaredDistance, squaredDistance, squaredDistances, squaredNorm } from "./vector.ts";

/** Greatest norm of a point that is trained or stored. */
export const MAXIMUM_NORM = 1 - 1e-3;

/** 1 − ‖x‖² of rows, [..., m] → [..., 1]. */
function conformal(x: np.Array): np.Array {
  return np.maximum(squaredNorm(x).neg().add(1), 1e-9);
}

/** 2·asinh √q. */
export function arcLength(q: np.Array): np.Array {
  return asinh(safeSqrt(q)).mul(2);
}

/** Distance of rows in the ball, [B, m] × [B, m] → [B]. */
export function poincareDistance(x: np.Array, y: np.Array): np.Array {
  const factors = conformal(x.ref).mul(conformal(y.ref)).reshape(x.shape.slice(0, -1));
  return arcLength(squaredDistance(x, y).div(factors));
}

/** Distance of all pairs in the ball, [B, m] × [C, m] → [B, C]. */
export function poincareDistances(x: np.Array, y: np.Array): np.Array {
  const factors = conformal(x.ref).mul(np.transpose(conformal(y.ref)));
  return arcLength(squaredDistances(x, y).div(factors));
}

/** Distance in the ball in float64. */
export function exactPoincareDistance(x: ArrayLike<number>, y: ArrayLike<number>): number {
  const factors = Math.max(1 - exactDot(x, x), 1e-9) * Math.max(1 - exactDot(y, y), 1e-9);
  return 2 * Math.asinh(Math.sqrt(exactSquaredDistance(x, y) / factors));
}

/** 1/(1 − r²)², where r is a borrowed scalar. */
function sphereFactor(radius: Scalar): Scalar {
  if (typeof radius === "number") return 1 / (1 - radius * radius) ** 2;
  return np.reciprocal(np.square(np.square(borrow(radius)).neg().add(1)));
}

/** Distance in the ball of rows that all have norm `radius`, [B, m] × [B, m] → [B]. */
export function sphereDistance(x: np.Array, y: np.Array, radius: Scalar): np.Array {
  return arcLength(squaredDistance(x, y).mul(sphereFactor(radius)));
}

/** Distance in the ball of all pairs of rows that all have norm `radius`, [B, m] × [C, m] → [B, C]. */
export function sphereDistances(x: np.Array, y: np.Array, radius: Scalar): np.Array {
  return arcLength(squaredDistances(x, y).mul(sphereFactor(radius)));
}

/** Distance in the ball of two points of norm `radius`, in float64. */
export function exactSphereDistance(x: ArrayLike<number>, y: ArrayLike<number>, radius: number): number {
  return 2 * Math.asinh(Math.sqrt(exactSquaredDistance(x, y)) / (1 - radius * radius));
}
