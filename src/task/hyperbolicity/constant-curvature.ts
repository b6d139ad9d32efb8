/**
 * @file Points drawn in a space of constant curvature: hyperbolic for K < 0, flat for K = 0, a sphere for K > 0.
 *
 * A wrapped normal distribution at the origin: v is normal in the tangent space there, its coordinates of standard
 * deviation `spread`, and the point is exp₀(v). Points are held in polar form, direction v/‖v‖ and distance ‖v‖ from
 * the origin, in which one formula gives the distance d of two points in all three spaces, with r = √|K|·‖v‖ and the
 * chord c between the directions:
 *
 *   s(√|K|·d/2)² = s((r₁ − r₂)/2)² + s(r₁)·s(r₂)·c²/4,  s = sinh, identity, sin,
 *
 * without cancellation, and without overflow up to r = 350. On the sphere points further than π/√K go round it.
 *
 * A ratio of distances does not change when all of them are multiplied, so that what δ_rel sees is K·spread²: curvature
 * −4 with spread 1 looks as −1 with spread 2.
 *
 * Source: Nagano, Yamaguchi, Fujita and Koyama, "A wrapped normal distribution on hyperbolic space for gradient-based
 * learning", ICML 2019.
 */

import { UsageError } from "../../error.ts";
import { condensedLength } from "../../sequence/condensed.ts";
import type { Random } from "../../sequence/random.ts";

export interface CurvedOptions {
  /** Sectional curvature K. */
  curvature: number;
  /** Dimension d of the space; at least 1. */
  dim: number;
  /** How many points. */
  count: number;
  /** Standard deviation of a coordinate of the tangent space, in the unit of the distances (default 1). */
  spread?: number;
  random: Random;
}

/** Points of a space of constant curvature, in polar form. */
export interface CurvedPoints {
  curvature: number;
  dim: number;
  /** [count] Distances from the origin; on a sphere the way that was gone, which may be more than half around it. */
  radii: Float64Array;
  /** [count, dim] Unit vectors. */
  directions: Float64Array;
}

/** Draws points; throws UsageError for options outside their domain. */
export function curvedPoints({ curvature, dim, count, spread = 1, random }: CurvedOptions): CurvedPoints {
  if (!Number.isFinite(curvature)) {
    throw new UsageError(`curvature: must be a finite number, got ${curvature}`);
  }
  for (const [name, value] of Object.entries({ dim, count })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new UsageError(`${name}: must be an integer from 1, got ${value}`);
    }
  }
  if (!(spread > 0 && spread < Infinity)) throw new UsageError(`spread: must be above 0, got ${spread}`);
  const directions = new Float64Array(count * dim);
  const radii = Float64Array.from({ length: count }, (_, i) => {
    const own = directions.subarray(i * dim, (i + 1) * dim);
    let square = 0;
    for (let k = 0; k < dim; k++) {
      own[k] = random.normal();
      square += own[k] ** 2;
    }
    const length = Math.sqrt(square);
    for (let k = 0; k < dim; k++) own[k] /= length;
    return spread * length;
  });
  return { curvature, dim, radii, directions };
}

/** [count(count−1)/2] Geodesic distances of all pairs, in SciPy's order. */
export function curvedDistances({ curvature, dim, radii, directions }: CurvedPoints): Float64Array {
  const unit = curvature === 0 ? 1 : Math.sqrt(Math.abs(curvature));
  const [s, inverse] =
    curvature < 0
      ? [Math.sinh, Math.asinh]
      : curvature > 0
        ? [Math.sin, (x: number) => Math.asin(Math.min(1, x))]
        : [(x: number) => x, (x: number) => x];
  const angles = radii.map((radius) => unit * radius);
  const sines = angles.map(s);
  const n = radii.length;
  const out = new Float64Array(condensedLength(n));
  for (let i = 0, at = 0; i < n; i++) {
    for (let j = i + 1; j < n; j++, at++) {
      let chord = 0;
      for (let k = 0, a = i * dim, b = j * dim; k < dim; k++)
        chord += (directions[a + k] - directions[b + k]) ** 2;
      const square = s((angles[i] - angles[j]) / 2) ** 2 + (sines[i] * sines[j] * chord) / 4;
      out[at] = (2 / unit) * inverse(Math.sqrt(Math.max(0, square)));
    }
  }
  return out;
}

/**
 * The points in coordinates: [count, dim] where the space is flat, else [count, dim + 1] with the axis of the origin
 * first, on the hyperboloid −x₀² + ‖x‖² = 1/K or the sphere x₀² + ‖x‖² = 1/K.
 */
export function curvedCoordinates({ curvature, dim, radii, directions }: CurvedPoints): Float64Array {
  if (curvature === 0) return directions.map((value, at) => value * radii[Math.floor(at / dim)]);
  const unit = Math.sqrt(Math.abs(curvature));
  const [c, s] = curvature < 0 ? [Math.cosh, Math.sinh] : [Math.cos, Math.sin];
  const out = new Float64Array(radii.length * (dim + 1));
  radii.forEach((radius, i) => {
    out[i * (dim + 1)] = c(unit * radius) / unit;
    const length = s(unit * radius) / unit;
    for (let k = 0; k < dim; k++) out[i * (dim + 1) + 1 + k] = length * directions[i * dim + k];
  });
  return out;
}
