/**
 * @file The geometries, each as one plain object: where points lie, how far they are apart, what is learned.
 *
 * - square, euclidean, manhattan, cosine: the encoder's output is the point. With `scaling` the papers'
 *   wrapper is around it: the point is r·e/‖e‖ with a learned radius r (SPEC A5). Cosine does not see r.
 * - hyperbolic: the same wrapper in the Poincaré ball; the papers' "hyperbolic with scaling".
 * - poincare: the encoder's output is a point of the ball, shortened to norm 1 − 10⁻³ where it is outside.
 * - lorentz: free points of the hyperboloid in polar form. The direction is that of the encoder's last m − 1
 *   coordinates, the distance from the origin is √k·R·σ(b + e₀) with a learned b, R the radius that norm
 *   1 − 10⁻³ has in the ball. Whatever the size of an untrained encoder's outputs, its points so start on one
 *   sphere, 2·√k from the origin, where the space is curved and, with k = 0.15², distances are of the order of
 *   normalised edit distances; from there they are free to leave the sphere, and stay within R. k is the unit
 *   of distance: it learns the scale and the curvature K = −1/k at once.
 *
 * Distances here are without the learned scale, which `createSpace` adds to any of them.
 */

import { numpy as np } from "@jax-js/jax";
import { ballExp, ballLog0, ballProject, conformalFactor } from "./ball-maps.ts";
import { cosineDistance, cosineDistances, exactCosineDistance } from "./cosine.ts";
import { sinh } from "./elementary.ts";
import { euclideanDistance, euclideanDistances, exactEuclideanDistance } from "./euclidean.ts";
import {
  hyperboloidExp,
  hyperboloidLog0,
  hyperboloidPoint,
  hyperboloidTransport,
} from "./hyperboloid-maps.ts";
import { exactLorentzDistance, exactSinhRadius, lorentzDistance, lorentzDistances, root } from "./lorentz.ts";
import { exactManhattanDistance, manhattanDistance, manhattanDistances } from "./manhattan.ts";
import {
  angularIndexing,
  ballIndexing,
  flatIndexing,
  hyperboloidIndexing,
  noIndexing,
} from "./neighbor-vectors.ts";
import type { Indexing } from "./neighbor-vectors.ts";
import { bounded, boundedValue, POSITIVE, squashed, squashedValue, unsquash } from "./parameters.ts";
import type { Bounds, Parameters, ParameterValues } from "./parameters.ts";
import {
  exactPoincareDistance,
  exactSphereDistance,
  MAXIMUM_NORM,
  poincareDistance,
  poincareDistances,
  sphereDistance,
  sphereDistances,
} from "./poincare.ts";
import {
  direction,
  exactDot,
  exactSquaredDistance,
  limitNorm,
  squaredDistance,
  squaredDistances,
} from "./vector.ts";

/** Where points lie, how far they are apart, and what is learned; distances are without the learned scale. */
export interface Geometry {
  /** Encoder output [B, m] to points [B, m]. */
  readonly project: (z: np.Array, p: Parameters) => np.Array;
  /** [B, m] × [B, m] → [B]. */
  readonly distance: (x: np.Array, y: np.Array, p: Parameters) => np.Array;
  /** [B, m] × [C, m] → [B, C]. */
  readonly distances: (x: np.Array, y: np.Array, p: Parameters) => np.Array;
  /** Distance of two points in float64. */
  readonly exactDistance: (x: ArrayLike<number>, y: ArrayLike<number>, p: ParameterValues) => number;
  /** Raw values of the learned scalars before training, given the values wanted for them. */
  readonly initialParameters: (initial: InitialValues) => ParameterValues;
  /** Learned scalars as the formulas use them, and the sectional curvature where the space is curved. */
  readonly constants: (p: ParameterValues) => ParameterValues;
  /** Points [B, m] as vectors of a flat space [B, k]: tangent vectors at the origin where the space is curved. */
  readonly coordinates: (z: np.Array, p: Parameters) => np.Array;
  /** Numbers k that points of m coordinates have there. */
  readonly coordinateCount: (dim: number) => number;
  /**
   * Points [B, m] moved by vectors [B, k] of that flat space, carried to them from the origin: of normal vectors the
   * result is a wrapped normal distribution (Nagano, Yamaguchi, Fujita and Koyama, "A wrapped normal distribution on
   * hyperbolic space", ICML 2019).
   */
  readonly disturb: (z: np.Array, u: np.Array, p: Parameters) => np.Array;
  /** Where the matrix form of `distances` loses digits; absent where it loses none. */
  readonly cancellation?: Cancellation;
  /** Vectors for a nearest-neighbour index. */
  readonly indexing: Indexing;
}

/** The region in which `distances` subtracts nearly equal numbers. */
export interface Cancellation {
  /** What `limit` needs to know of a point. */
  readonly size: (x: ArrayLike<number>, p: ParameterValues) => number;
  /**
   * The distance at which the squared chord of two points, relative to the numbers it is a difference of, is
   * `tolerance`; grows with both sizes.
   */
  readonly limit: (sizeX: number, sizeY: number, tolerance: number, p: ParameterValues) => number;
}

/** Values of the learned scalars before training. */
export interface InitialValues {
  /**
   * Radius of the sphere that the points start on: in the Euclidean norm (default 0.01), or for `lorentz` the
   * hyperbolic distance from the origin in units of √k (default 2).
   */
  radius?: number;
  /** Factor from distance in the space to predicted distance; default 1. */
  scale?: number;
  /** Power that distances in the space are raised to; default 1. */
  exponent?: number;
  /** `lorentz`: k, the squared radius of curvature, K = −1/k; default 0.0225. */
  radiusSquared?: number;
}

const BALL: Bounds = { low: 1e-7, high: MAXIMUM_NORM };

/** Greatest distance of a trained point from the origin of the hyperboloid, in units of √k: about 7.6. */
export const MAXIMUM_RADIUS = 2 * Math.atanh(MAXIMUM_NORM);

/** Size of a point in a flat space: its squared norm. */
const squareSize = (x: ArrayLike<number>): number => exactDot(x, x);

const unlearned = { project: (z: np.Array) => z, initialParameters: () => ({}), constants: () => ({}) };

/** Points that are vectors. */
const vectors = {
  coordinates: (z: np.Array) => z,
  coordinateCount: (dim: number) => dim,
  disturb: (z: np.Array, u: np.Array) => z.add(u),
};

/** Points of the Poincaré ball, as tangent vectors at its centre; at z these are λ₀/λ_z = 1 − ‖z‖² as long. */
const ballVectors = {
  ...vectors,
  coordinates: ballLog0,
  disturb: (z: np.Array, u: np.Array) =>
    ballProject(ballExp(z.ref, u.mul(np.reciprocal(conformalFactor(z)).mul(2)))),
};

export const square: Geometry = {
  ...unlearned,
  ...vectors,
  distance: squaredDistance,
  distances: squaredDistances,
  exactDistance: exactSquaredDistance,
  cancellation: { size: squareSize, limit: (a, b, tolerance) => tolerance * (a + b) },
  indexing: flatIndexing,
};

export const euclidean: Geometry = {
  ...unlearned,
  ...vectors,
  distance: euclideanDistance,
  distances: euclideanDistances,
  exactDistance: exactEuclideanDistance,
  cancellation: { size: squareSize, limit: (a, b, tolerance) => Math.sqrt(tolerance * (a + b)) },
  indexing: flatIndexing,
};

export const manhattan: Geometry = {
  ...unlearned,
  ...vectors,
  distance: manhattanDistance,
  distances: manhattanDistances,
  exactDistance: exactManhattanDistance,
  indexing: noIndexing,
};

export const cosine: Geometry = {
  ...unlearned,
  ...vectors,
  coordinates: direction,
  disturb: (z, u) => direction(z).add(u),
  distance: cosineDistance,
  distances: cosineDistances,
  exactDistance: exactCosineDistance,
  cancellation: { size: () => 1, limit: (_a, _b, tolerance) => tolerance },
  indexing: angularIndexing,
};

/** The geometry with its points on a sphere of learned radius about the origin. */
export function onSphere(geometry: Geometry, bounds: Bounds = POSITIVE): Geometry {
  const project = (z: np.Array, p: Parameters) => direction(z).mul(bounded(p.radius, bounds));
  return {
    ...geometry,
    project,
    disturb: (z, u, p) => project(geometry.disturb(z, u, p), p),
    initialParameters: ({ radius = 0.01 }) => ({ radius }),
    constants: (p) => ({ ...geometry.constants(p), radius: boundedValue(p.radius, bounds) }),
  };
}

/** Calls `use` with the radius, which it borrows. */
function withRadius(p: Parameters, use: (radius: np.Array) => np.Array): np.Array {
  const radius = bounded(p.radius, BALL);
  const result = use(radius);
  radius.dispose();
  return result;
}

export const hyperbolic: Geometry = onSphere(
  {
    ...unlearned,
    ...ballVectors,
    distance: (x, y, p) => withRadius(p, (radius) => sphereDistance(x, y, radius)),
    distances: (x, y, p) => withRadius(p, (radius) => sphereDistances(x, y, radius)),
    exactDistance: (x, y, p) => exactSphereDistance(x, y, boundedValue(p.radius, BALL)),
    constants: () => ({ curvature: -1 }),
    indexing: angularIndexing,
    cancellation: {
      size: (_x, p) => boundedValue(p.radius, BALL) ** 2,
      limit: (a, b, tolerance) => 2 * Math.asinh(Math.sqrt(tolerance * (a + b)) / (1 - a)),
    },
  },
  BALL,
);

export const poincare: Geometry = {
  ...unlearned,
  ...ballVectors,
  project: (z) => limitNorm(z, MAXIMUM_NORM),
  distance: poincareDistance,
  distances: poincareDistances,
  exactDistance: exactPoincareDistance,
  constants: () => ({ curvature: -1 }),
  cancellation: {
    size: squareSize,
    limit: (a, b, tolerance) =>
      2 * Math.asinh(Math.sqrt((tolerance * (a + b)) / Math.max((1 - a) * (1 - b), 1e-18))),
  },
  indexing: ballIndexing,
};

/** Calls `use` with k, which it borrows. */
function withRadiusSquared(p: Parameters, use: (radiusSquared: np.Array) => np.Array): np.Array {
  const radiusSquared = np.exp(p.logRadiusSquared.ref);
  const result = use(radiusSquared);
  radiusSquared.dispose();
  return result;
}

/** Bound of what a point's own coordinate adds to the logit of the radius. */
const RADIUS_SHIFT = 2;

export const lorentz: Geometry = {
  project: (z, p) =>
    withRadiusSquared(p, (radiusSquared) => {
      const [shift, rest] = np.split(z, [1], -1);
      // One step of training can move the first coordinate of all points by more than one: without a bound they would
      // all be at the origin after a few, where no gradient is left.
      const within = shift.ref.div(np.abs(shift.mul(1 / RADIUS_SHIFT)).add(1));
      const s = sinh(squashed(p.radiusLogit, within, MAXIMUM_RADIUS));
      const time = np.sqrt(np.square(s.ref).add(1));
      return np.concatenate([time, direction(rest).mul(s)], -1).mul(root(radiusSquared));
    }),
  coordinates: (z, p) => withRadiusSquared(p, (radiusSquared) => hyperboloidLog0(z, radiusSquared)),
  coordinateCount: (dim) => dim - 1,
  disturb: (z, u, p) =>
    withRadiusSquared(p, (radiusSquared) => {
      const still = u.ref.mul(0);
      const tangent = np.concatenate([still.ref.slice([], [0, 1]), u], -1);
      const origin = hyperboloidPoint(still, radiusSquared);
      const carried = hyperboloidTransport(origin, z.ref, tangent, radiusSquared);
      return hyperboloidExp(z, carried, radiusSquared);
    }),
  distance: (x, y, p) => withRadiusSquared(p, (radiusSquared) => lorentzDistance(x, y, radiusSquared)),
  distances: (x, y, p) => withRadiusSquared(p, (radiusSquared) => lorentzDistances(x, y, radiusSquared)),
  exactDistance: (x, y, p) => exactLorentzDistance(x, y, Math.exp(p.logRadiusSquared)),
  initialParameters: ({ radius = 2, radiusSquared = 0.0225 }) => ({
    radiusLogit: unsquash(radius, MAXIMUM_RADIUS),
    logRadiusSquared: Math.log(radiusSquared),
  }),
  constants: (p) => ({
    radius: squashedValue(p.radiusLogit, MAXIMUM_RADIUS),
    radiusSquared: Math.exp(p.logRadiusSquared),
    curvature: -Math.exp(-p.logRadiusSquared),
  }),
  cancellation: {
    size: (x, p) => exactSinhRadius(x, Math.exp(p.logRadiusSquared)),
    limit: (a, b, tolerance, p) =>
      2 * Math.exp(p.logRadiusSquared / 2) * Math.asinh(Math.sqrt((tolerance * a * b) / 2)),
  },
  indexing: hyperboloidIndexing,
};
