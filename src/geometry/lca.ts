/**
 * @file Lowest common ancestors in the Poincaré ball: what two leaves have in common is how deep the geodesic
 * between them dips towards the origin, which is the root.
 *
 * The point of the geodesic nearest to the origin stands for the ancestor (Chami, Gu, Chatziafratis and Ré, "From
 * trees to continuous embeddings and back: hyperbolic hierarchical clustering", NeurIPS 2020). They construct it by
 * circle inversions; it has a closed form (SPEC A12). The geodesic through a and b is the circle orthogonal to the
 * unit sphere whose centre c solves ⟨c, a⟩ = (1 + ‖a‖²)/2 and ⟨c, b⟩ = (1 + ‖b‖²)/2, and the ancestor lies towards c
 * at distance artanh(1/‖c‖) from the origin. With w = p·b − q·a, where p and q are those two numbers,
 *
 *   c = (⟨b, w⟩·a − ⟨a, w⟩·b)/‖a ∧ b‖²   and   1/‖c‖ = ‖a ∧ b‖/‖w‖,
 *
 * and w is computed from b − a, so that nothing cancels where a and b are near.
 *
 * For leaves at one norm ρ and angle θ it becomes artanh(2ρ·cos(θ/2)/(1 + ρ²)). Training takes it as
 * ½·log1p(4ρC/((1 − ρ)² + 2ρS²/(1 + C))) with C = cos θ/2 = ‖u + v‖/2 and S = sin θ/2 = ‖u − v‖/2 of the directions
 * u and v: every term is positive and is made of what is small, so float32 keeps its digits both for leaves that are
 * neighbours (depth 2·artanh ρ) and for opposite ones (depth 0, where the gradient is finite as well).
 */

import { numpy as np } from "@jax-js/jax";
import { borrow, safeSqrt, type Scalar } from "./elementary.ts";
import { exactDot, squaredDistance } from "./vector.ts";

/**
 * Depth of the lowest common ancestors of leaves in the directions `u` and `v` (unit rows [B, m]) at norm `radius`,
 * [B]: the distance from the origin to the geodesic between them.
 */
export function lcaDepth(u: np.Array, v: np.Array, radius: Scalar): np.Array {
  const cosine = safeSqrt(np.square(u.ref.add(v.ref)).sum(-1)).mul(0.5);
  const squaredSine = squaredDistance(u, v).mul(0.25);
  const asArray = (scalar: np.Array | number) => (typeof scalar === "number" ? np.array(scalar) : scalar);
  const gap = asArray(borrow(radius)).neg().add(1);
  const twice = asArray(borrow(radius)).mul(2);
  const below = squaredSine.div(cosine.ref.add(1)).mul(twice.ref).add(np.square(gap));
  return np.log1p(cosine.mul(twice.mul(2)).div(below)).mul(0.5);
}

/** Depth of the lowest common ancestor of two leaves at norm `radius`, by the squared chord ‖u − v‖² of their directions, in float64. */
export function exactLcaDepth(squaredChord: number, radius: number): number {
  const squaredSine = Math.min(1, squaredChord / 4);
  const cosine = Math.sqrt(1 - squaredSine);
  const below = (1 - radius) ** 2 + (2 * radius * squaredSine) / (1 + cosine);
  return Math.log1p((4 * radius * cosine) / below) / 2;
}

/** Distance of a point of the ball from the origin, in float64. */
export function depthOf(x: ArrayLike<number>): number {
  return 2 * Math.atanh(Math.sqrt(exactDot(x, x)));
}

/** The circle of a geodesic: 1/‖c‖, and c as a positive multiple of alpha·a + beta·b. */
interface Circle {
  inverse: number;
  alpha: number;
  beta: number;
}

/** The circle through two points; nothing where the geodesic is a diameter, or the points are one. */
function circle(a: ArrayLike<number>, b: ArrayLike<number>): Circle | undefined {
  const p = (1 + exactDot(a, a)) / 2;
  const step = Float64Array.from(a, (value, i) => b[i] - value);
  const total = Float64Array.from(a, (value, i) => b[i] + value);
  const difference = exactDot(step, total) / 2;
  const w = step.map((value, i) => p * value - difference * a[i]);
  let area = 0;
  // By `hypot`: the squares of what is next to nothing are nothing.
  for (let i = 0; i < a.length; i++) {
    for (let j = i + 1; j < a.length; j++) area = Math.hypot(area, a[i] * step[j] - a[j] * step[i]);
  }
  const length = Math.hypot(...w);
  if (area === 0 || length === 0) return undefined;
  return { inverse: area / length, alpha: exactDot(b, w), beta: -exactDot(a, w) };
}

/** The point in direction alpha·a + beta·b on the circle, nearest to the origin. */
function nearest(a: ArrayLike<number>, b: ArrayLike<number>, { inverse, alpha, beta }: Circle): Float64Array {
  const towards = Float64Array.from(a, (value, i) => alpha * value + beta * b[i]);
  const norm = inverse / (1 + Math.sqrt(1 - Math.min(1, inverse) ** 2));
  const factor = norm / Math.hypot(...towards);
  return towards.map((value) => value * factor);
}

/**
 * The point nearest to the origin on the geodesic line through two points of the ball, in float64: the hyperbolic
 * LCA of SPEC A12. Two equal points are their own.
 */
export function geodesicFoot(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const through = circle(a, b);
  if (through !== undefined) return nearest(a, b, through);
  const same = Array.from(a).every((value, i) => value === b[i]);
  return same ? Float64Array.from(a) : new Float64Array(a.length);
}

/**
 * The point nearest to the origin on the geodesic segment between two points of the ball, in float64.
 *
 * For points at one norm that is `geodesicFoot`. Where one lies between the other and the origin it is that one,
 * and not the origin, as the line's would be: a cluster's ancestor is as deep as its shallowest member allows.
 */
export function lcaPoint(a: ArrayLike<number>, b: ArrayLike<number>): Float64Array {
  const through = circle(a, b);
  if (through !== undefined && through.alpha > 0 && through.beta > 0) return nearest(a, b, through);
  if (through === undefined && exactDot(a, b) < 0) return new Float64Array(a.length);
  return Float64Array.from(exactDot(a, a) <= exactDot(b, b) ? a : b);
}

/** A geodesic of the disk as a circle of the plane. */
export interface Arc {
  centre: [number, number];
  radius: number;
}

/** The circle that the geodesic between two points of the disk is an arc of; nothing where it is straight. */
export function geodesicArc(a: ArrayLike<number>, b: ArrayLike<number>): Arc | undefined {
  const through = circle(a, b);
  // From here on the arc departs from its chord by less than any picture shows.
  if (through === undefined || through.inverse < 1e-4) return undefined;
  const { inverse, alpha, beta } = through;
  const [x, y] = [0, 1].map((i) => alpha * a[i] + beta * b[i]);
  const factor = 1 / (inverse * Math.hypot(x, y));
  return { centre: [x * factor, y * factor], radius: Math.sqrt(Math.max(0, inverse ** -2 - 1)) };
}
