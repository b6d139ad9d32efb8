/**
 * @file Layers whose inputs and outputs are points of a hyperboloid of radius² k (SPEC C2).
 *
 * A point (x₀, xₛ) is held by its space coordinates xₛ alone: feature maps [batch, channels, length] and vectors
 * [batch, channels]. Its time coordinate √(‖xₛ‖² + k) is computed where it is read, so that no layer can leave the
 * manifold, and nothing is copied to put it in front. What the published layers do then becomes small:
 *
 * - Concatenating n points (a convolution's window, or all positions) makes the point whose space coordinates are
 *   all of theirs; its time is √(Σ t_j² − (n − 1)k) = √(Σ ‖x_j‖² + k), whatever n is.
 * - A dense layer multiplies time and space by a matrix and gives the result as space coordinates. The row of the
 *   matrix that the published code computes for the time, and throws away, is not there.
 * - Batch normalisation moves along geodesics. Logarithm, transports and exponential together are
 *   a·x + b·μ + c·β, with three numbers for each point (x), and one vector each for the mean (μ) and the learned
 *   centre (β): the only work on whole feature maps is two products with [2, channels] matrices, a scaling, and a sum
 *   of squared differences from the mean, which keeps the digits of short distances.
 *
 * The functions of lengths in between are analytic in the squared length (`asinhc`, `sinhc`), so that no root
 * is taken near 0.
 *
 * Sources: Khan et al., "Hyperbolic genome embeddings", ICLR 2025; Bdeir et al., "Fully hyperbolic convolutional neural
 * networks for computer vision", ICLR 2024. `k` and `to`, arrays of shape [],
 * are borrowed everywhere; all other arrays are consumed.
 */

import { lax, numpy as np } from "@jax-js/jax";
import { asinhc, asinhcValue, safeSqrt, sinhc, sinhcValue } from "../geometry/elementary.ts";
import { conv, type ConvFormulation } from "./layers.ts";
import { constant, uniform, type ParameterTree } from "./parameter.ts";

/** Bound of the uniform initial weights of dense layers and convolutions. */
const WEIGHT_BOUND = 0.02;
/** Share of a batch in the running statistics. */
const MOMENTUM = 0.1;
/** Keeps normalisation finite where all points are one. */
const EPSILON = 1e-5;
/** Greatest squared length, in units of k, that the exponential map is exact for: it grows linearly from 10 on. */
const LONGEST = 100;

/** ‖xₛ‖² + k over axis 1, which stays: squared time coordinates. Consumes x. */
function squaredTime(x: np.Array, k: np.Array): np.Array {
  return np.square(x).sum(1, { keepdims: true }).add(k.ref);
}

export interface LorentzLinearArrays {
  [name: string]: np.Array;
  /** [inputs, outputs], of space coordinates; of a convolution [outputs, inputs, kernel]. */
  weight: np.Array;
  /** [outputs], of the time coordinate. */
  time: np.Array;
  /** [outputs] */
  bias: np.Array;
}

function rest(outputs: number): Record<"time" | "bias", ParameterTree> {
  return { time: uniform([outputs], WEIGHT_BOUND), bias: constant([outputs], 0) };
}

/** Parameters of a dense layer, of space coordinates. */
export function lorentzLinearParameters(inputs: number, outputs: number): ParameterTree {
  return { weight: uniform([inputs, outputs], WEIGHT_BOUND), ...rest(outputs) };
}

/** Parameters of a convolution, of space coordinates. */
export function lorentzConvParameters(inputs: number, outputs: number, kernel: number): ParameterTree {
  return { weight: uniform([outputs, inputs, kernel], WEIGHT_BOUND), ...rest(outputs) };
}

/** Dense layer, [batch, inputs] → [batch, outputs]. */
export function lorentzLinear(
  { weight, time, bias }: LorentzLinearArrays,
  x: np.Array,
  k: np.Array,
): np.Array {
  const ahead = np.sqrt(squaredTime(x.ref, k));
  return np.matmul(x, weight).add(ahead.mul(time)).add(bias);
}

/**
 * Convolution of stride 1, [batch, inputs, length] → [batch, outputs, length]: a dense layer of each window of `kernel`
 * points, with origins beyond the ends.
 */
export function lorentzConv(
  { weight, time, bias }: LorentzLinearArrays,
  x: np.Array,
  k: np.Array,
  { formulation }: { formulation?: ConvFormulation } = {},
): np.Array {
  const [outputs, , kernel] = weight.shape;
  const squares = np.square(x.ref).sum(1, { keepdims: true });
  const windows = conv({ weight: np.ones([1, 1, kernel]) }, squares, { formulation });
  const ahead = np.sqrt(windows.add(k.ref));
  // For the bias: ones that follow the batch's size, which is open in a model file.
  const ones = lax.stopGradient(ahead.ref).mul(0).add(1);
  const factors = np.concatenate([ahead, ones], 1);
  const columns = np.stack([time, bias], 1).reshape([outputs, 2, 1]);
  return conv({ weight }, x, { formulation }).add(conv({ weight: columns }, factors, { formulation }));
}

/** All positions of each map as one point, [batch, channels, length] → [batch, channels · length]. */
export function lorentzFlatten(x: np.Array): np.Array {
  const [, channels, length] = x.shape;
  return x.reshape([-1, channels * length]);
}

/** Points at the same place of the tangent space at the origin, from radius² `k` to `to`: exp₀(log₀ x) (SPEC C2). */
export function changeCurvature(x: np.Array, k: np.Array, to: np.Array): np.Array {
  const square = np.square(x.ref).sum(1, { keepdims: true }).div(k.ref);
  const shrunk = asinhc(square.ref);
  // (‖log₀ x‖/√to)², of ‖log₀ x‖² = k·y·asinhc²(y).
  const length = square.mul(np.square(shrunk.ref)).mul(k.ref.div(to.ref));
  return x.mul(shrunk.mul(sinhc(np.minimum(length, LONGEST))));
}

/** Running statistics of batch normalisation: log₀ of the mean, and the mean distance from it. */
export function lorentzNormStatistics(channels: number): ParameterTree {
  return { mean: constant([channels], 0), distance: constant([], 1) };
}

export interface LorentzNormArrays {
  [name: string]: np.Array;
  /** [1 + channels] */
  centre: np.Array;
  /** [] */
  gain: np.Array;
}

export interface LorentzMoments {
  [name: string]: np.Array;
  /** [channels] */
  mean: np.Array;
  /** [] */
  distance: np.Array;
}

/** The centroid of points given by the mean of their coordinates, [rows, 1 + channels] → the same. Borrows k. */
function centroid(mean: np.Array, k: np.Array): np.Array {
  const [time, space] = np.split(mean.ref, [1], 1);
  // At least k, but for rounding: the mean of points lies inside the hyperboloid.
  const square = np.square(time).sub(np.square(space).sum(1, { keepdims: true }));
  const length = np.sqrt(np.maximum(square, k.ref.mul(0.5)));
  return mean.div(length).mul(np.sqrt(k.ref));
}

/** The centroid over the positions of each map, and then over the maps, of points and their times → [1 + channels]. */
function batchCentroid(x: np.Array, time: np.Array, k: np.Array): np.Array {
  const means = np.concatenate([time.mean(2), x.mean(2)], 1);
  return centroid(centroid(means, k).mean(0, { keepdims: true }), k).reshape([-1]);
}

/** exp₀ of a tangent vector's space coordinates [channels], with its time → [1 + channels]. */
function pointAt(tangent: np.Array, k: np.Array): np.Array {
  const square = np.minimum(np.square(tangent.ref).sum().div(k.ref), LONGEST);
  const space = tangent.mul(sinhcValue(square));
  square.dispose();
  const time = np.sqrt(np.square(space.ref).sum().add(k.ref));
  return np.concatenate([time.reshape([1]), space]);
}

/** log₀ of a point [1 + channels] → [channels]. */
function tangentOf(point: np.Array, k: np.Array): np.Array {
  const space = point.slice([1]);
  const square = np.square(space.ref).sum().div(k.ref);
  const shrunk = asinhcValue(square);
  square.dispose();
  return space.mul(shrunk);
}

/**
 * Batch normalisation of [batch, channels, length], with the new running statistics: the points' centroid is moved to
 * the learned centre, and their mean distance from it becomes the learned gain (SPEC C2).
 */
export function lorentzNorm(
  { centre, gain }: LorentzNormArrays,
  running: LorentzMoments,
  x: np.Array,
  k: np.Array,
  {
    training,
    momentum = MOMENTUM,
    formulation,
  }: { training: boolean; momentum?: number; formulation?: ConvFormulation },
): { output: np.Array; statistics: LorentzMoments } {
  const channels = x.shape[1];
  const unit = np.sqrt(k.ref);
  const time = np.sqrt(squaredTime(x.ref, k));
  const mean = training ? batchCentroid(x.ref, time.ref, k) : pointAt(running.mean.ref, k);
  const mu = mean.ref.slice([1]);
  const muTime = mean.ref.slice([0, 1]);
  const beta = centre.ref.slice([1]).mul(unit.ref);
  const betaTime = centre.slice([0, 1]);

  // Inner products of space coordinates with μ and β, [batch, 1, length] each.
  const rows = np.stack([mu.ref, beta.ref], 0).reshape([2, channels, 1]);
  const [alongMu, alongBeta] = np.split(conv({ weight: rows }, x.ref, { formulation }), 2, 1);

  // cosh δ − 1 = ⟨x − μ, x − μ⟩_L/2k for the distance √k·δ (−⟨x, μ⟩_L/k − 1 cancels where points are close).
  const apart = np.square(x.ref.sub(mu.ref.reshape([1, channels, 1]))).sum(1, { keepdims: true });
  const squares = alongMu.sub(np.square(mu.ref).sum()).mul(2).add(apart.ref);
  const later = squares.div(time.ref.add(muTime.ref));
  const above = np.maximum(apart.sub(np.square(later)).div(k.ref.mul(2)), 0);
  const cosh = above.ref.add(1);
  // The logarithm shortens by δ/sinh δ.
  const sinhSquared = above.ref.mul(above.add(2));
  const shortened = asinhc(sinhSquared.ref);
  // (δ)² = sinh²δ·(δ/sinh δ)².
  const distanceSquared = sinhSquared.mul(np.square(shortened.ref));
  const distance = training ? safeSqrt(distanceSquared.ref).mean().mul(unit.ref) : running.distance.ref;

  // Transported to the origin the logarithm is shortened·(x − back·μ).
  const back = cosh.mul(unit.ref).add(time).div(muTime.add(unit.ref));
  const scale = gain.div(distance.ref.add(EPSILON));
  const factor = shortened.mul(scale.ref);

  // And back from it, to β: exp_β of the transported vector u.
  const lengthSquared = np.minimum(distanceSquared.mul(np.square(scale)), LONGEST);
  const grown = sinhc(lengthSquared.ref);
  const coshLength = np.sqrt(lengthSquared.mul(np.square(grown.ref)).add(1));
  const muBeta = np.matmul(mu.ref, beta.ref);
  const uBeta = alongBeta.sub(back.ref.mul(muBeta)).mul(factor.ref);
  const turned = uBeta.div(betaTime.add(1).mul(k.ref));
  const onX = factor.mul(grown.ref);
  const onMu = onX.ref.mul(back).neg();
  const onBeta = coshLength.add(grown.mul(turned));
  const columns = np.stack([mu, beta], 1).reshape([channels, 2, 1]);
  const moved = conv({ weight: columns }, np.concatenate([onMu, onBeta], 1), { formulation });
  const output = x.mul(onX).add(moved);
  unit.dispose();

  if (!training) {
    mean.dispose();
    distance.dispose();
    return { output, statistics: running };
  }
  const radius = lax.stopGradient(k.ref);
  const blended = centroid(
    pointAt(running.mean, radius)
      .mul(1 - momentum)
      .add(lax.stopGradient(mean).mul(momentum))
      .reshape([1, -1]),
    radius,
  );
  const statistics = {
    mean: tangentOf(blended.reshape([-1]), radius),
    distance: running.distance.mul(1 - momentum).add(lax.stopGradient(distance).mul(momentum)),
  };
  radius.dispose();
  return { output, statistics };
}

export interface LorentzClassifierArrays {
  [name: string]: np.Array;
  /** [channels, classes] Normals of the hyperplanes. */
  normal: np.Array;
  /** [classes] How far they are from the origin. */
  offset: np.Array;
}

/** Parameters of a multinomial logistic regression of points with `channels` space coordinates. */
export function lorentzClassifierParameters(channels: number, classes: number): ParameterTree {
  const bound = 1 / Math.sqrt(channels);
  return {
    normal: uniform([channels, classes], bound),
    offset: uniform([classes], bound, { decay: false }),
  };
}

/**
 * Logits [batch, classes] of points [batch, channels]: signed distances from hyperplanes, times the normals' lengths
 * (SPEC C2): √k·‖z‖·asinh(α/(√k·‖z‖)) with α = cosh(a/√k)⟨z, xₛ⟩ − sinh(a/√k)‖z‖x₀.
 */
export function lorentzClassifier(
  { normal, offset }: LorentzClassifierArrays,
  x: np.Array,
  k: np.Array,
): np.Array {
  const time = np.sqrt(squaredTime(x.ref, k));
  const length = np.sqrt(np.square(normal.ref).sum(0).add(1e-12));
  const unit = np.sqrt(k.ref);
  const place = offset.div(unit.ref);
  const sinh = place.ref.mul(sinhc(np.minimum(np.square(place), LONGEST)));
  const cosh = np.sqrt(np.square(sinh.ref).add(1));
  const alpha = np
    .matmul(x, normal)
    .mul(cosh)
    .sub(time.mul(sinh.mul(length.ref)));
  const ratio = alpha.ref.div(length.mul(unit));
  return alpha.mul(asinhc(np.square(ratio)));
}
