/**
 * @file Distance on the hyperboloid (Lorentz model).
 *
 * A point is x = (x₀, xₛ) with ⟨x, x⟩_L = −x₀² + ‖xₛ‖² = −k and x₀ > 0. `radiusSquared` is that k > 0; the
 * sectional curvature is K = −1/k.
 *
 * √k·arcosh(−⟨x, y⟩_L/k) subtracts numbers of size e^(2ρ) and is off by 250 % in float32 at ρ = 8. The
 * distance d of two points at ρ₁, ρ₂ from the origin with chord c between their directions is, in polar form,
 *
 *   sinh²(d/2) = sinh²((ρ₁ − ρ₂)/2) + sinh ρ₁ · sinh ρ₂ · c²/4.
 *
 * With S = sinh ρ = ‖xₛ‖/√k and C = cosh ρ = √(1 + S²) the first term is (S₁ − S₂)²/(2(1 + C₁C₂ + S₁S₂)): no
 * transcendental function, and nothing that cancels. The time coordinate is implied by the space
 * coordinates; it is stored, and not read.
 */

import { numpy as np } from "@jax-js/jax";
import { borrow } from "./elementary.ts";
import type { Scalar } from "./elementary.ts";
import { arcLength } from "./poincare.ts";
import { direction, exactSquaredChord, norm, polarPair, squaredDistances } from "./vector.ts";

/** The space coordinates of ambient rows, [..., 1 + n] → [..., n]. */
export function spaceCoordinates(x: np.Array): np.Array {
  const [time, space] = np.split(x, [1], -1);
  time.dispose();
  return space;
}

/** √k as something that may be consumed. */
export function root(radiusSquared: Scalar): Scalar {
  return typeof radiusSquared === "number" ? Math.sqrt(radiusSquared) : np.sqrt(borrow(radiusSquared));
}

/** sinh²(d/2√k) from S₁, S₂, S₁ − S₂ and the squared chord, all of broadcastable shapes. */
function halfSinhSquared(s1: np.Array, s2: np.Array, difference: np.Array, squaredChord: np.Array): np.Array {
  const c1 = np.sqrt(np.square(s1.ref).add(1));
  const c2 = np.sqrt(np.square(s2.ref).add(1));
  const product = s1.mul(s2);
  const radial = np.square(difference).div(c1.mul(c2).add(product.ref).add(1).mul(2));
  return radial.add(product.mul(squaredChord).mul(0.25));
}

/** sinh²(d/2√k) of rows at geodesic distance d, [B, 1 + n] × [B, 1 + n] → [B]. */
export function separation(x: np.Array, y: np.Array, radiusSquared: Scalar): np.Array {
  const unit = root(radiusSquared);
  const { normX, normY, difference, squaredChord } = polarPair(
    spaceCoordinates(x).div(borrow(unit)),
    spaceCoordinates(y).div(unit),
  );
  return halfSinhSquared(normX, normY, difference, squaredChord);
}

/** Geodesic distance of rows, [B, 1 + n] × [B, 1 + n] → [B]. */
export function lorentzDistance(x: np.Array, y: np.Array, radiusSquared: Scalar): np.Array {
  return arcLength(separation(x, y, radiusSquared)).mul(root(radiusSquared));
}

/** Geodesic distance of all pairs of rows, [B, 1 + n] × [C, 1 + n] → [B, C]. */
export function lorentzDistances(x: np.Array, y: np.Array, radiusSquared: Scalar): np.Array {
  x = spaceCoordinates(x);
  y = spaceCoordinates(y);
  const s1 = norm(x.ref).div(root(radiusSquared));
  const s2 = np.transpose(norm(y.ref).div(root(radiusSquared)));
  const squaredChords = squaredDistances(direction(x), direction(y));
  const differences = s1.ref.sub(s2.ref);
  return arcLength(halfSinhSquared(s1, s2, differences, squaredChords)).mul(root(radiusSquared));
}

/** S = sinh ρ = ‖xₛ‖/√k of one ambient point, in float64. */
export function exactSinhRadius(x: ArrayLike<number>, radiusSquared: number): number {
  let sum = 0;
  for (let i = 1; i < x.length; i++) sum += x[i] * x[i];
  return Math.sqrt(sum / radiusSquared);
}

/** Geodesic distance in float64. */
export function exactLorentzDistance(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  radiusSquared: number,
): number {
  const s1 = exactSinhRadius(x, radiusSquared);
  const s2 = exactSinhRadius(y, radiusSquared);
  const product = s1 * s2;
  const radial = (s1 - s2) ** 2 / (2 * (1 + Math.sqrt((1 + s1 * s1) * (1 + s2 * s2)) + product));
  const squaredChord = exactSquaredChord(Array.prototype.slice.call(x, 1), Array.prototype.slice.call(y, 1));
  return 2 * Math.sqrt(radiusSquared) * Math.asinh(Math.sqrt(radial + (product * squaredChord) / 4));
}
