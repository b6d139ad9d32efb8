/**
 * @file A space to embed in: where an encoder's output lies, and how far two points are apart.
 *
 * A `Space` is a geometry, optionally times a learned scale, behind one small interface. It holds no state:
 * the learned scalars are passed in. Arrays that are points are consumed, as jax-js does with any argument;
 * parameters are borrowed.
 */

import { numpy as np } from "@jax-js/jax";
import { UsageError } from "../error.ts";
import * as geometries from "./geometries.ts";
import type { Cancellation, Geometry, InitialValues } from "./geometries.ts";
import type { IndexMetric, IndexVectors } from "./neighbor-vectors.ts";
import { bounded, boundedValue, EXPONENT, POSITIVE } from "./parameters.ts";
import type { Parameters, ParameterValues } from "./parameters.ts";

/** Names of the spaces. */
export const GEOMETRY_NAMES = [
  "square",
  "euclidean",
  "manhattan",
  "cosine",
  "poincare",
  "hyperbolic",
  "lorentz",
] as const;

/** `square` | `euclidean` | `manhattan` | `cosine` | `poincare` | `hyperbolic` | `lorentz`. */
export type GeometryName = (typeof GEOMETRY_NAMES)[number];

/** How a space is set up; all of it is fixed before training. */
export interface SpaceOptions {
  /**
   * The papers' wrapper for a flat space: points on a sphere of learned radius, distances times a learned
   * scale. Default false; `hyperbolic` is this wrapper in the Poincaré ball, and the free `poincare` and
   * `lorentz` have none.
   */
  scaling?: boolean;
  /** Multiply distances by a learned positive number; default true with `scaling` and in `hyperbolic`. */
  scale?: boolean;
  /**
   * Raise distances to a learned power γ (0.25 … 4) before the scale; default false. A prediction is then
   * α·dᵞ: the same ranking, and one number more to follow how edit distances saturate.
   */
  exponent?: boolean;
  /** Values of the learned scalars before training. */
  initial?: InitialValues;
}

/** A space to embed in. */
export interface Space {
  readonly name: GeometryName;
  /** The options as they are in force. */
  readonly options: Required<SpaceOptions>;
  /** Raw values of the learned scalars before training. */
  initialParameters(): ParameterValues;
  /**
   * The numbers behind raw parameters, for people and manifests: `radius`, `scale`, `radiusSquared` (k) and
   * `curvature` (K = −1/k), as far as the space has them.
   */
  constants(p: ParameterValues): ParameterValues;
  /** Encoder output [B, m] to points [B, m]. */
  project(z: np.Array, p: Parameters): np.Array;
  /** Predicted distances of pairs, [B, m] × [B, m] → [B]; the gradient is finite where points coincide. */
  distance(x: np.Array, y: np.Array, p: Parameters): np.Array;
  /** Predicted distances of all pairs, [B, m] × [C, m] → [B, C], by one matrix product where possible. */
  distances(x: np.Array, y: np.Array, p: Parameters): np.Array;
  /** Predicted distance of two points in float64. */
  exactDistance(x: ArrayLike<number>, y: ArrayLike<number>, p: ParameterValues): number;
  /** Points [B, m] as vectors of a flat space [B, k]: tangent vectors at the origin where the space is curved. */
  coordinates(z: np.Array, p: Parameters): np.Array;
  /** Numbers k that points of m coordinates have there. */
  coordinateCount(dim: number): number;
  /** Points [B, m] moved by vectors [B, k] of that flat space, carried to them from the origin. */
  disturb(z: np.Array, u: np.Array, p: Parameters): np.Array;
  /** Where `distances` loses digits, in predicted distance; absent where it loses none. */
  readonly cancellation?: Cancellation;
  /** What a nearest-neighbour index over `indexVectors` compares by; null where no index fits. */
  readonly indexMetric: IndexMetric;
  /** Whether all items of an index must be given to `indexVectors` at once. */
  readonly indexesTogether: boolean;
  /**
   * Points [N, dims] to vectors whose nearest neighbours under `indexMetric` are the nearest in the space.
   *
   * @throws EmbranchError when a hyperbolic point is further than 8 from the origin.
   */
  indexVectors(points: Float32Array, dims: number, p: ParameterValues): IndexVectors;
  /** Points [N, dims] to vectors to search such an index with. */
  queryVectors(points: Float32Array, dims: number, p: ParameterValues): IndexVectors;
}

/** Below this a distance counts as this long in a power, so that its logarithm is finite. */
const SHORTEST = 1e-6;

/**
 * Raises a geometry's distances to a learned power.
 *
 * Ranking is unchanged; with an exponent above 1 the triangle inequality no longer holds.
 */
function raised(geometry: Geometry): Geometry {
  const { cancellation } = geometry;
  const exponentOf = (p: ParameterValues): number => boundedValue(p.exponent, EXPONENT);
  // d·d^(γ−1): 0 where the points coincide, with a finite gradient there.
  const power = (d: np.Array, p: Parameters): np.Array =>
    np.exp(np.log(np.maximum(d.ref, SHORTEST)).mul(bounded(p.exponent, EXPONENT).sub(1))).mul(d);
  return {
    ...geometry,
    distance: (x, y, p) => power(geometry.distance(x, y, p), p),
    distances: (x, y, p) => power(geometry.distances(x, y, p), p),
    exactDistance: (x, y, p) => geometry.exactDistance(x, y, p) ** exponentOf(p),
    initialParameters: (initial) => ({
      ...geometry.initialParameters(initial),
      exponent: initial.exponent ?? 1,
    }),
    constants: (p) => ({ ...geometry.constants(p), exponent: exponentOf(p) }),
    cancellation: cancellation && {
      size: cancellation.size,
      limit: (a, b, tolerance, p) => cancellation.limit(a, b, tolerance, p) ** exponentOf(p),
    },
  };
}

/** Multiplies a geometry's distances by a learned scale. */
function scaled(geometry: Geometry): Geometry {
  const { cancellation } = geometry;
  const scaleOf = (p: ParameterValues): number => boundedValue(p.scale, POSITIVE);
  return {
    ...geometry,
    distance: (x, y, p) => geometry.distance(x, y, p).mul(bounded(p.scale, POSITIVE)),
    distances: (x, y, p) => geometry.distances(x, y, p).mul(bounded(p.scale, POSITIVE)),
    exactDistance: (x, y, p) => geometry.exactDistance(x, y, p) * scaleOf(p),
    initialParameters: (initial) => ({
      ...geometry.initialParameters(initial),
      scale: initial.scale ?? 1,
    }),
    constants: (p) => ({ ...geometry.constants(p), scale: scaleOf(p) }),
    cancellation: cancellation && {
      size: cancellation.size,
      limit: (a, b, tolerance, p) => cancellation.limit(a, b, tolerance, p) * scaleOf(p),
    },
  };
}

/** Whether `name` is the name of a space. */
export function isGeometryName(name: string): name is GeometryName {
  return (GEOMETRY_NAMES as readonly string[]).includes(name);
}

/**
 * A space by name.
 *
 * @throws UsageError on an unknown name, on `scaling` where it has no meaning, and on initial values outside
 * their range.
 */
export function createSpace(name: GeometryName, options: SpaceOptions = {}): Space {
  if (!isGeometryName(name)) {
    throw new UsageError(`geometry: must be one of ${GEOMETRY_NAMES.join(", ")}, got ${String(name)}`);
  }
  const { scaling = name === "hyperbolic", scale = scaling, exponent = false, initial = {} } = options;
  checkInitial(name, initial);
  if (name === "hyperbolic" && !scaling) {
    throw new UsageError("scaling: hyperbolic is the scaled space, got false; use poincare for free points");
  }
  if (scaling && (name === "poincare" || name === "lorentz")) {
    throw new UsageError(`scaling: ${name} has free points, got true; use hyperbolic for points on a sphere`);
  }
  let geometry: Geometry = geometries[name];
  if (scaling && name !== "hyperbolic" && name !== "cosine") geometry = geometries.onSphere(geometry);
  if (exponent) geometry = raised(geometry);
  if (scale) geometry = scaled(geometry);
  const { project, distance, distances, exactDistance, constants, cancellation, indexing } = geometry;
  const { coordinates, coordinateCount, disturb } = geometry;
  const radiusSquared = (p: ParameterValues): number => constants(p).radiusSquared ?? 1;
  return {
    name,
    options: { scaling, scale, exponent, initial },
    initialParameters: () => geometry.initialParameters(initial),
    constants,
    project,
    distance,
    distances,
    exactDistance,
    coordinates,
    coordinateCount,
    disturb,
    cancellation,
    indexMetric: indexing.metric,
    indexesTogether: indexing.together,
    indexVectors: (points, dims, p) => indexing.items(points, dims, radiusSquared(p)),
    queryVectors: (points, dims, p) => indexing.queries(points, dims, radiusSquared(p)),
  };
}

function checkInitial(name: GeometryName, initial: InitialValues): void {
  const limit =
    name === "lorentz" ? geometries.MAXIMUM_RADIUS : name === "hyperbolic" ? 1 : Number.POSITIVE_INFINITY;
  for (const [key, value] of Object.entries(initial) as [keyof InitialValues, number][]) {
    const below = key === "radius" ? limit : Number.POSITIVE_INFINITY;
    if (!(value > 0 && value < below)) {
      throw new UsageError(`initial ${key}: must be above 0 and below ${below}, got ${value}`);
    }
  }
}
