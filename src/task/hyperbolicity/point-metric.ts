/**
 * @file Points as things with distances: those of the space that they are points of.
 *
 * The geodesic distance is taken, without a learned scale, which δ_rel does not see, and without a learned power. What
 * a space needs to know is read off the points: nothing but of the hyperboloid, whose k = −1/K is x₀² − ‖x‖².
 */

import { EmbranchError } from "../../error.ts";
import { condensedLength } from "../../sequence/condensed.ts";
import {
  exactCosineDistance,
  exactEuclideanDistance,
  exactLorentzDistance,
  exactManhattanDistance,
  exactPoincareDistance,
  type GeometryName,
} from "../../geometry/index.ts";
import type { Points } from "../points.ts";
import type { Metric } from "./metric.ts";

/** Points by the distance of any two of them, and whether the triangle inequality is known to hold for it. */
export function pointMetric(
  { dims, data }: Pick<Points, "dims" | "data">,
  distance: (x: ArrayLike<number>, y: ArrayLike<number>) => number,
  { triangle }: Pick<Metric, "triangle"> = {},
): Metric {
  return {
    triangle,
    count: data.length / dims,
    distances: (indices) => {
      const points = Array.from(indices, (i) => Float64Array.from(data.subarray(i * dims, (i + 1) * dims)));
      const out = new Float64Array(condensedLength(points.length));
      for (let i = 0, at = 0; i < points.length; i++) {
        for (let j = i + 1; j < points.length; j++) out[at++] = distance(points[i], points[j]);
      }
      return out;
    },
  };
}

/**
 * Points by the distance of their space. `cosine` and `square` are no metrics.
 *
 * @throws EmbranchError for points that are not in the space, with the id of one
 */
export function spaceMetric(points: Points, space: GeometryName): Metric {
  switch (space) {
    case "euclidean":
      return pointMetric(points, exactEuclideanDistance, { triangle: true });
    case "square":
      return pointMetric(points, (x, y) => exactEuclideanDistance(x, y) ** 2);
    case "manhattan":
      return pointMetric(points, exactManhattanDistance, { triangle: true });
    case "cosine":
      return pointMetric(points, exactCosineDistance);
    case "poincare":
    case "hyperbolic":
      checkBall(points);
      return pointMetric(points, exactPoincareDistance, { triangle: true });
    case "lorentz": {
      const radiusSquared = hyperboloidOf(points);
      return pointMetric(points, (x, y) => exactLorentzDistance(x, y, radiusSquared), { triangle: true });
    }
  }
}

/** Share of k, and of the square of the time coordinate, by which points may be off one hyperboloid. */
const OFF_HYPERBOLOID = 1e-3;
const ROUNDING = 1e-5;

/**
 * The k of the hyperboloid −x₀² + ‖x‖² = −k that points of single precision lie on, by the one nearest to the origin,
 * whose digits tell it best.
 *
 * @throws EmbranchError where they are not on one, with the id of a point that is not
 */
function hyperboloidOf({ ids, dims, data }: Points): number {
  const levels = ids.map((_, i) => {
    let square = data[i * dims] ** 2;
    for (let k = 1; k < dims; k++) square -= data[i * dims + k] ** 2;
    return square;
  });
  const times = ids.map((_, i) => data[i * dims]);
  const nearest = times.reduce((best, time, i) => (time < times[best] ? i : best), 0);
  const k = levels[nearest];
  const off = levels.findIndex(
    (level, i) =>
      !(k > 0 && times[i] > 0) || Math.abs(level - k) > OFF_HYPERBOLOID * k + ROUNDING * times[i] ** 2,
  );
  if (off < 0) return k;
  throw new EmbranchError(
    `points: must lie on one hyperboloid, x₀ first, x₀² − ‖x‖² = k > 0 for all, got ${levels[off].toPrecision(6)} for "${ids[off]}" (${k.toPrecision(6)} for "${ids[nearest]}")`,
  );
}

/** Throws an EmbranchError, with the id of the point, unless all points are within the unit ball. */
function checkBall({ ids, dims, data }: Points): void {
  ids.forEach((id, i) => {
    const norm = Math.hypot(...data.subarray(i * dims, (i + 1) * dims));
    if (!(norm < 1)) {
      throw new EmbranchError(
        `points: must have norms below 1 in the Poincaré ball, got ${norm.toPrecision(6)} for "${id}"`,
      );
    }
  });
}
