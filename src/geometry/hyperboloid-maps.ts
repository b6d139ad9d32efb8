/**
 * @file Exponential and logarithmic map, parallel transport and centroid on the hyperboloid, and the way to
 * the Poincaré ball and back.
 *
 * SPEC 0.5, in forms that keep their digits in float32. Rows [..., 1 + n] are ambient, time first; `x`, `y`
 * are points, `u`, `v` tangent vectors, `0` marks the origin (√k, 0, …), where tangent vectors are given by
 * their space coordinates [..., n]. `radiusSquared` is k, K = −1/k.
 *
 * With q = sinh²(d/2√k), which `separation` computes without cancellation, −⟨x, y⟩_L/k is 1 + 2q; so
 * log_x(y) = (y − x − 2q·x)·δ/sinh δ with δ = d/√k, and transport needs no division by d².
 */

import { numpy as np } from "@jax-js/jax";
import { asinh, borrow, safeSqrt, sinh } from "./elementary.ts";
import type { Scalar } from "./elementary.ts";
import { root, separation, spaceCoordinates } from "./lorentz.ts";
import { arcLength } from "./poincare.ts";
import { direction, norm, rowDot, squaredNorm } from "./vector.ts";

/** Length of a step, in units of √k, beyond which `hyperboloidExp` stops: cosh 10 is 11,013. */
const MAXIMUM_STEP = 10;

/** ⟨u, v⟩_L = −u₀v₀ + Σ uᵢvᵢ of rows, [..., 1 + n] × [..., 1 + n] → [..., 1]. */
export function lorentzInner(u: np.Array, v: np.Array): np.Array {
  const [u0, us] = np.split(u, [1], -1);
  const [v0, vs] = np.split(v, [1], -1);
  return rowDot(us, vs, true).sub(u0.mul(v0));
}

/** The point of the hyperboloid with space coordinates `space`, [..., n] → [..., 1 + n]. */
export function hyperboloidPoint(space: np.Array, radiusSquared: Scalar): np.Array {
  const time = np.sqrt(squaredNorm(space.ref).add(borrow(radiusSquared)));
  return np.concatenate([time, space], -1);
}

/** x moved onto the hyperboloid along the time axis. */
export function hyperboloidProject(x: np.Array, radiusSquared: Scalar): np.Array {
  return hyperboloidPoint(spaceCoordinates(x), radiusSquared);
}

/** The part of an ambient vector that is tangent at x: u + ⟨x, u⟩_L x/k. */
export function tangentProject(x: np.Array, u: np.Array, radiusSquared: Scalar): np.Array {
  const inner = lorentzInner(x.ref, u.ref).div(borrow(radiusSquared));
  return u.add(x.mul(inner));
}

/**
 * ‖u‖_L of tangent vectors at x, [..., 1]: split into the part across the radius, which keeps its length, and
 * the part along it, which shrinks by cosh ρ; the plain Lorentz square cancels.
 */
export function tangentNorm(x: np.Array, u: np.Array, radiusSquared: Scalar): np.Array {
  const xs = spaceCoordinates(x);
  const us = spaceCoordinates(u);
  const coshSquared = squaredNorm(xs.ref).div(borrow(radiusSquared)).add(1);
  const outward = direction(xs);
  const along = rowDot(us.ref, outward.ref, true);
  const across = us.sub(outward.mul(along.ref));
  return safeSqrt(squaredNorm(across).add(np.square(along).div(coshSquared)));
}

/** `numerator`/`denominator`, 1 where both vanish. */
function ratio(numerator: np.Array, denominator: np.Array): np.Array {
  const positive = denominator.ref.greater(0);
  return np.where(positive.ref, numerator.div(np.where(positive, denominator, 1)), 1);
}

/** exp_x(u): the point reached from x along u, at distance ‖u‖_L, at most 10√k. */
export function hyperboloidExp(x: np.Array, u: np.Array, radiusSquared: Scalar): np.Array {
  const length = tangentNorm(x.ref, u.ref, radiusSquared).div(root(radiusSquared));
  const step = np.minimum(length.ref, MAXIMUM_STEP);
  const s = sinh(step);
  const c = np.sqrt(np.square(s.ref).add(1));
  return hyperboloidProject(x.mul(c).add(u.mul(ratio(s, length))), radiusSquared);
}

/** log_x(y): the tangent vector at x that `hyperboloidExp` takes to y. */
export function hyperboloidLog(x: np.Array, y: np.Array, radiusSquared: Scalar): np.Array {
  const q = np.expandDims(separation(x.ref, y.ref, radiusSquared), -1);
  const sinhDistance = safeSqrt(q.ref.mul(q.ref.add(1))).mul(2);
  const factor = ratio(arcLength(q.ref), sinhDistance);
  return y
    .sub(x.ref)
    .sub(x.mul(q.mul(2)))
    .mul(factor);
}

/** exp₀(u), [..., n] → [..., 1 + n]. */
export function hyperboloidExp0(u: np.Array, radiusSquared: Scalar): np.Array {
  const length = sinh(norm(u.ref).div(root(radiusSquared))).mul(root(radiusSquared));
  return hyperboloidPoint(direction(u).mul(length), radiusSquared);
}

/** log₀(x), [..., 1 + n] → [..., n]. */
export function hyperboloidLog0(x: np.Array, radiusSquared: Scalar): np.Array {
  const space = spaceCoordinates(x);
  const length = asinh(norm(space.ref).div(root(radiusSquared))).mul(root(radiusSquared));
  return direction(space).mul(length);
}

/** Parallel transport of u along the geodesic from x to y: u + ⟨y, u⟩_L/(k − ⟨x, y⟩_L)·(x + y). */
export function hyperboloidTransport(x: np.Array, y: np.Array, u: np.Array, radiusSquared: Scalar): np.Array {
  const q = np.expandDims(separation(x.ref, y.ref, radiusSquared), -1);
  const denominator = q.add(1).mul(2).mul(borrow(radiusSquared));
  const factor = lorentzInner(y.ref, u.ref).div(denominator);
  return u.add(x.add(y).mul(factor));
}

/** Lorentz centroid of points [N, 1 + n] with weights [N, 1] (default equal) → [1 + n]. */
export function hyperboloidCentroid(
  x: np.Array,
  radiusSquared: Scalar,
  { weights }: { weights?: np.Array } = {},
): np.Array {
  const sum = (weights === undefined ? x : x.mul(weights)).sum(0);
  const square = np.maximum(lorentzInner(sum.ref, sum.ref).neg(), 1e-8);
  return hyperboloidProject(sum.div(np.sqrt(square)).mul(root(radiusSquared)), radiusSquared);
}

/** The point of the Poincaré ball that is the same point: xₛ/(x₀ + √k), [..., 1 + n] → [..., n]. */
export function toBall(x: np.Array, radiusSquared: Scalar): np.Array {
  const [time, space] = np.split(x, [1], -1);
  return space.div(time.add(root(radiusSquared)));
}

/** The point of the hyperboloid that is the same point: √k(1 + ‖x‖², 2x)/(1 − ‖x‖²), [..., n] → [..., 1 + n]. */
export function fromBall(x: np.Array, radiusSquared: Scalar): np.Array {
  const square = squaredNorm(x.ref);
  const factor = np.reciprocal(square.ref.neg().add(1)).mul(root(radiusSquared));
  return np.concatenate([square.add(1), x.mul(2)], -1).mul(factor);
}
