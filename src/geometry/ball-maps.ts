/**
 * @file Möbius operations, exponential and logarithmic map, and parallel transport in the Poincaré ball.
 *
 * Formulas of SPEC 0.4, after Ungar's gyrovector spaces and Ganea, Bécigneul and Hofmann, "Hyperbolic neural
 * networks", NeurIPS 2018. `x`, `y` are points, `u`, `v` tangent vectors, `0` marks the origin; all act on
 * rows [..., m]. A constant factor on the metric changes neither geodesics nor transport, so these maps take
 * no curvature: with K = −1/k only lengths change, by √k.
 */

import { numpy as np } from "@jax-js/jax";
import { artanh, borrow, tanh } from "./elementary.ts";
import type { Scalar } from "./elementary.ts";
import { MAXIMUM_NORM } from "./poincare.ts";
import { direction, limitNorm, norm, rowDot, squaredNorm } from "./vector.ts";

const TINY = 1e-15;

/** The nearest point with ‖x‖ ≤ `limit`. */
export function ballProject(x: np.Array, limit = MAXIMUM_NORM): np.Array {
  return limitNorm(x, limit);
}

/** λₓ = 2/(1 − ‖x‖²), [..., m] → [..., 1]: the ratio of hyperbolic to Euclidean length at x. */
export function conformalFactor(x: np.Array): np.Array {
  return np.reciprocal(np.maximum(squaredNorm(x).neg().add(1), TINY)).mul(2);
}

/** Möbius addition x ⊕ y. */
export function mobiusAdd(x: np.Array, y: np.Array): np.Array {
  const twice = rowDot(x.ref, y.ref, true).mul(2).add(1);
  const xx = squaredNorm(x.ref);
  const yy = squaredNorm(y.ref);
  const denominator = np.maximum(twice.ref.add(xx.ref.mul(yy.ref)), TINY);
  return x
    .mul(twice.add(yy))
    .add(y.mul(xx.neg().add(1)))
    .div(denominator);
}

/** Möbius scalar multiplication t ⊗ x = tanh(t·artanh‖x‖)·x/‖x‖, t ≥ 0. */
export function mobiusScale(t: Scalar, x: np.Array): np.Array {
  const length = tanh(artanh(norm(x.ref)).mul(borrow(t)));
  return direction(x).mul(length);
}

/** Gyration gyr[x, y]v: the rotation by which ⊕ fails to associate. */
export function gyration(x: np.Array, y: np.Array, v: np.Array): np.Array {
  const xx = squaredNorm(x.ref);
  const yy = squaredNorm(y.ref);
  const xy = rowDot(x.ref, y.ref, true);
  const xv = rowDot(x.ref, v.ref, true);
  const yv = rowDot(y.ref, v.ref, true);
  const denominator = np.maximum(xy.ref.mul(2).add(xx.ref.mul(yy.ref)).add(1), TINY);
  const a = yv.ref.sub(xv.ref.mul(yy)).add(xy.mul(yv.ref).mul(2));
  const b = yv.mul(xx).add(xv).neg();
  return v.add(x.mul(a).add(y.mul(b)).div(denominator).mul(2));
}

/** expₓ(u): the point reached from x along u, at distance λₓ‖u‖. */
export function ballExp(x: np.Array, u: np.Array): np.Array {
  const length = tanh(norm(u.ref).mul(conformalFactor(x.ref)).mul(0.5));
  return mobiusAdd(x, direction(u).mul(length));
}

/** logₓ(y): the tangent vector at x that `ballExp` takes to y. */
export function ballLog(x: np.Array, y: np.Array): np.Array {
  const step = mobiusAdd(x.ref.neg(), y);
  const length = artanh(norm(step.ref)).mul(2).div(conformalFactor(x));
  return direction(step).mul(length);
}

/** exp₀(u) = tanh‖u‖·u/‖u‖. */
export function ballExp0(u: np.Array): np.Array {
  const length = tanh(norm(u.ref));
  return direction(u).mul(length);
}

/** log₀(x) = artanh‖x‖·x/‖x‖. */
export function ballLog0(x: np.Array): np.Array {
  const length = artanh(norm(x.ref));
  return direction(x).mul(length);
}

/** Parallel transport of u along the geodesic from x to y: gyr[y, −x]u·λₓ/λ_y. */
export function ballTransport(x: np.Array, y: np.Array, u: np.Array): np.Array {
  const ratio = conformalFactor(x.ref).div(conformalFactor(y.ref));
  return gyration(y, x.neg(), u).mul(ratio);
}
