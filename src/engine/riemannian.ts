/**
 * @file Riemannian Adam, for parameters whose rows are points of the Poincaré ball or of the hyperboloid (SPEC 0.3).
 *
 * The gradient is made Riemannian, its mean travels with the point by parallel transport, the second moment is one
 * number a row (its mean squared length, stored as often as the row is long, so that it fits the flat vector), and
 * a step goes along the exponential map. Every tensor counts the steps as plain Adam does, and all others take
 * plain Adam's. Clipping is by the norm of the whole vector of partial derivatives, before they are made Riemannian.
 *
 * Subtracting a multiple of a point leaves the manifold, so weight decay is always coupled here: the gradient
 * of λ‖x‖²/2, which pulls towards the origin. The average of a point's path moves along the geodesic to each new
 * point by the share that plain averages move along the line: the weighted Fréchet mean of the two.
 *
 * Rounding errors of float32 grow with the square of cosh ρ at distance ρ from the origin. Points of the ball are
 * kept at norms up to 1 − 4·10⁻³, that is ρ ≤ 6.2, those of the hyperboloid at ρ ≤ 7: ten steps of length 0.1 straight
 * towards the origin end 0.01 from where they should at ρ = 7, 7·10⁻⁴ at 6 and 2·10⁻⁴ at 5. The time coordinates of
 * points and of the mean are computed from the others.
 *
 * Source: Bécigneul and Ganea, "Riemannian adaptive optimization methods", ICLR 2019.
 */

import { numpy as np } from "@jax-js/jax";
import { ballExp, ballLog, ballProject, ballTransport, conformalFactor } from "../geometry/ball-maps.ts";
import {
  hyperboloidExp,
  hyperboloidLog,
  hyperboloidPoint,
  hyperboloidTransport,
  tangentNorm,
  tangentProject,
} from "../geometry/hyperboloid-maps.ts";
import { spaceCoordinates } from "../geometry/lorentz.ts";
import { limitNorm, rowDot, squaredNorm } from "../geometry/vector.ts";
import type { ManifoldName } from "../nn/parameter.ts";
import type { LayoutEntry } from "./layout.ts";
import {
  adam,
  adaptiveChange,
  clipped,
  HYPERPARAMETERS,
  type AdamOptions,
  type AdamState,
  type ParameterGroups,
} from "./optimizer.ts";

/** What a step needs to know of a manifold, for points `x`, `y` and tangent vectors `u`, rows [R, m]. */
interface Manifold {
  /** The Riemannian gradient at x from partial derivatives `g`. */
  gradient(x: np.Array, g: np.Array): np.Array;
  /** Squared length of u at x, [R, 1]. */
  squaredLength(x: np.Array, u: np.Array): np.Array;
  /** The point reached from x along u. */
  exp(x: np.Array, u: np.Array): np.Array;
  log(x: np.Array, y: np.Array): np.Array;
  /** u carried along the geodesic from x to y. */
  transport(x: np.Array, y: np.Array, u: np.Array): np.Array;
}

/** Greatest norm of a point of the ball. */
const BALL_LIMIT = 1 - 4e-3;
/** Greatest norm of a point's space coordinates on the hyperboloid: sinh 7. */
const SPACE_LIMIT = Math.sinh(7);

const MANIFOLDS: Record<ManifoldName, Manifold> = {
  ball: {
    gradient: (x, g) => g.div(np.square(conformalFactor(x))),
    squaredLength: (x, u) => squaredNorm(u).mul(np.square(conformalFactor(x))),
    exp: (x, u) => ballProject(ballExp(x, u), BALL_LIMIT),
    log: ballLog,
    transport: ballTransport,
  },
  hyperboloid: {
    gradient(x, g) {
      const [time, space] = np.split(g, [1], -1);
      return tangentProject(x, np.concatenate([time.neg(), space], -1), 1);
    },
    squaredLength: (x, u) => np.square(tangentNorm(x, u, 1)),
    exp: (x, u) => hyperboloidPoint(limitNorm(spaceCoordinates(hyperboloidExp(x, u, 1)), SPACE_LIMIT), 1),
    log: (x, y) => hyperboloidLog(x, y, 1),
    transport: (x, y, u) => timeProject(y.ref, hyperboloidTransport(x, y, u, 1)),
  },
};

/** u made tangent at x by its time coordinate, ⟨xₛ, uₛ⟩/x₀; it keeps digits that `tangentProject` loses far out. */
function timeProject(x: np.Array, u: np.Array): np.Array {
  const [x0, xs] = np.split(x, [1], -1);
  const us = spaceCoordinates(u);
  return np.concatenate([rowDot(xs, us.ref, true).div(x0), us], -1);
}

/**
 * One step of `adam`, but along the manifolds for the entries of the layout that have one.
 *
 * Returns the new state, and the gradient's norm before clipping. Consumes all arrays.
 */
export function riemannianAdam(
  state: AdamState,
  gradient: np.Array,
  numbers: np.Array,
  groups: ParameterGroups,
  options: AdamOptions,
  entries: readonly LayoutEntry[],
): { state: AdamState; norm: np.Array } {
  const curved = entries.filter(({ spec }) => spec.manifold !== undefined);
  if (curved.length === 0) return adam(state, gradient, numbers, groups, options);
  const { parameters, mean, square, average } = state;
  const { decayMask, multiples } = groups;
  const { state: flat, norm } = adam(
    { parameters: parameters.ref, mean: mean.ref, square: square.ref, average: average.ref },
    gradient.ref,
    numbers.ref,
    { decayMask: decayMask.ref, multiples: multiples?.ref },
    options,
  );
  const g = clipped(gradient, norm, options.clip);
  const along = curved.map((entry) => {
    const rows = (vector: np.Array) => rowsOf(vector, entry);
    const points = {
      parameters: rows(parameters),
      mean: rows(mean),
      square: rows(square),
      average: rows(average),
    };
    const own = { decayMask: rows(decayMask), multiples: multiples && rows(multiples) };
    return step(points, rows(g), numbers.ref, own, options, entry);
  });
  for (const vector of [parameters, mean, square, average, g, numbers, decayMask, multiples])
    vector?.dispose();
  const replaced = (name: keyof AdamState) =>
    replaceSlices(
      flat[name],
      curved.map(({ offset, size }, i) => ({ offset, size, values: along[i][name] })),
    );
  return {
    state: {
      parameters: replaced("parameters"),
      mean: replaced("mean"),
      square: replaced("square"),
      average: replaced("average"),
    },
    norm,
  };
}

/** The step of one parameter; its state, gradient and multiples are rows [R, m]. */
function step(
  { parameters: x, mean, square, average }: AdamState,
  gradient: np.Array,
  numbers: np.Array,
  { decayMask, multiples }: ParameterGroups,
  { betas = [0.9, 0.999], epsilon, weightDecay = 0, rectified, average: averages = true }: AdamOptions,
  { spec }: LayoutEntry,
): AdamState {
  const manifold = MANIFOLDS[spec.manifold!];
  if (weightDecay > 0) gradient = gradient.add(x.ref.mul(decayMask.ref).mul(weightDecay));
  decayMask.dispose();
  const u = manifold.gradient(x.ref, gradient);
  const newMean = mean.mul(betas[0]).add(u.ref.mul(1 - betas[0]));
  const squaredLength = manifold.squaredLength(x.ref, u);
  const newSquare = square.mul(betas[1]).add(squaredLength.mul(1 - betas[1]));
  let change = adaptiveChange(newMean.ref, newSquare.ref, numbers.ref, { epsilon, rectified });
  if (multiples !== undefined) change = change.mul(multiples);
  const updated = manifold.exp(x.ref, change.neg());
  const along = () => {
    const share = numbers.ref
      .slice([HYPERPARAMETERS - 1, HYPERPARAMETERS])
      .neg()
      .add(1);
    return manifold.exp(average.ref, manifold.log(average.ref, updated.ref).mul(share));
  };
  const newAverage = averages ? along() : updated.ref;
  average.dispose();
  numbers.dispose();
  return {
    parameters: updated.ref,
    mean: manifold.transport(x, updated, newMean),
    square: newSquare,
    average: newAverage,
  };
}

/** The values of one parameter in a borrowed vector, as rows [R, m]. */
function rowsOf(vector: np.Array, { spec: { shape }, offset, size }: LayoutEntry): np.Array {
  return vector.ref.slice([offset, offset + size]).reshape([-1, shape[shape.length - 1]]);
}

/** The vector with other values in some slices, which ascend. */
function replaceSlices(
  vector: np.Array,
  slices: { offset: number; size: number; values: np.Array }[],
): np.Array {
  const parts: np.Array[] = [];
  let end = 0;
  for (const { offset, size, values } of slices) {
    if (offset > end) parts.push(vector.ref.slice([end, offset]));
    parts.push(values.reshape([size]));
    end = offset + size;
  }
  if (end < vector.size) parts.push(vector.ref.slice([end, vector.size]));
  vector.dispose();
  return np.concatenate(parts);
}
