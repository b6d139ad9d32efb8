/**
 * @file Layers: a description of parameters, and a pure function of parameters and input.
 *
 * Feature maps are channels-first, [batch, channels, length]; vectors are [batch, features]. As everywhere
 * with jax-js, a function consumes the arrays passed to it, its parameters included.
 */

import { lax, nn, numpy as np } from "@jax-js/jax";
import { constant, fanIn, type ParameterTree } from "./parameter.ts";

/** A dense layer's parameters. */
export function linearParameters(inputs: number, outputs: number): ParameterTree {
  return {
    weight: fanIn([inputs, outputs], inputs),
    bias: fanIn([outputs], inputs, { decay: false }),
  };
}

export interface LinearArrays {
  [name: string]: np.Array;
  weight: np.Array;
  bias: np.Array;
}

/** x·W + b: [batch, inputs] → [batch, outputs]. */
export function linear({ weight, bias }: LinearArrays, x: np.Array): np.Array {
  return np.matmul(x, weight).add(bias);
}

/**
 * A convolution's parameters, weight [outputs, inputs, kernel].
 *
 * Without `bias` before batch normalisation, which takes the mean away: a bias there changes nothing, and a
 * gradient that is nothing but rounding would only make it wander.
 */
export function convParameters(
  inputs: number,
  outputs: number,
  kernel: number,
  { bias = true }: { bias?: boolean } = {},
): ParameterTree {
  const weight = fanIn([outputs, inputs, kernel], inputs * kernel);
  return bias ? { weight, bias: fanIn([outputs], inputs * kernel, { decay: false }) } : { weight };
}

export interface ConvArrays {
  [name: string]: np.Array | undefined;
  weight: np.Array;
  bias?: np.Array;
}

/**
 * How a convolution is expressed: `primitive` where the executor has a fast one (ONNX Runtime), `unfold`
 * (shifted copies and one matrix product) where it has not (jax-js itself, in a browser).
 */
export type ConvFormulation = "primitive" | "unfold";

export interface ConvOptions {
  stride?: number;
  formulation?: ConvFormulation;
}

/** 1-D convolution, zero padding ⌊k/2⌋: [batch, inputs, length] → [batch, outputs, ⌊(length−1)/stride⌋+1]. */
export function conv(
  { weight, bias }: ConvArrays,
  x: np.Array,
  { stride = 1, formulation = "primitive" }: ConvOptions = {},
): np.Array {
  const [outputs, inputs, kernel] = weight.shape;
  const half = Math.floor(kernel / 2);
  const shifted = (y: np.Array) => (bias === undefined ? y : y.add(bias.reshape([1, outputs, 1])));
  if (formulation === "primitive") {
    return shifted(lax.convGeneralDilated(x, weight, [stride], [[half, half]]));
  }
  if (stride !== 1) throw new Error(`conv: unfold supports stride 1 only, got ${stride}`);
  const [batch, , length] = x.shape;
  const padded = np.pad(x, [
    [0, 0],
    [0, 0],
    [half, half],
  ]);
  const taps = Array.from({ length: kernel }, (_, tap) => padded.ref.slice([], [], [tap, tap + length]));
  padded.dispose();
  const unfolded = np.stack(taps, 1).reshape([batch, kernel * inputs, length]);
  // With its batch axis, since jax-js puts the axes of a bare matrix first.
  const matrix = weight.transpose([0, 2, 1]).reshape([1, outputs, kernel * inputs]);
  return shifted(np.matmul(matrix, unfolded));
}

/** Batch normalisation's trained parameters. */
export function batchNormParameters(channels: number): ParameterTree {
  return { gain: constant([channels], 1), bias: constant([channels], 0) };
}

/** Batch normalisation's running statistics. */
export function batchNormStatistics(channels: number): ParameterTree {
  return { mean: constant([channels], 0), variance: constant([channels], 1) };
}

const EPSILON = 1e-5;
const MOMENTUM = 0.1;

export interface BatchNormArrays {
  [name: string]: np.Array;
  gain: np.Array;
  bias: np.Array;
}

export interface Moments {
  [name: string]: np.Array;
  mean: np.Array;
  variance: np.Array;
}

/** Gain and shift that normalise values with the given moments: normalised = x·gain + shift, [channels]. */
export function normaliser({ gain, bias }: BatchNormArrays, { mean, variance }: Moments, epsilon = EPSILON) {
  const scale = np.reciprocal(np.sqrt(variance.add(epsilon))).mul(gain);
  return { shift: bias.sub(mean.mul(scale.ref)), scale };
}

/** Running statistics after one more batch of `count` values a channel (unbiased variance, as PyTorch). */
export function updatedStatistics(running: Moments, batch: Moments, count: number): Moments {
  const blend = (old: np.Array, now: np.Array, factor: number) =>
    old.mul(1 - MOMENTUM).add(lax.stopGradient(now).mul(MOMENTUM * factor));
  return {
    mean: blend(running.mean, batch.mean, 1),
    variance: blend(running.variance, batch.variance, count / Math.max(1, count - 1)),
  };
}

/** Batch normalisation of [batch, channels] or [batch, channels, length], with the new running statistics. */
export function batchNorm(
  parameters: BatchNormArrays,
  running: Moments,
  x: np.Array,
  { training, epsilon = EPSILON }: { training: boolean; epsilon?: number },
): { output: np.Array; statistics: Moments } {
  const channels = x.shape[1];
  const along = x.ndim === 3 ? [1, channels, 1] : [1, channels];
  const axes = x.ndim === 3 ? [0, 2] : [0];
  if (!training) {
    const moments = { mean: running.mean.ref, variance: running.variance.ref };
    const { scale, shift } = normaliser(parameters, moments, epsilon);
    return { output: x.mul(scale.reshape(along)).add(shift.reshape(along)), statistics: running };
  }
  // The variance is taken around the mean: E[x²] − E[x]² loses every digit where the mean dominates.
  const count = x.size / channels;
  const mean = x.ref.mean(axes, { keepdims: true });
  const centred = x.ref.sub(mean.ref);
  // Its gradient in one pass: the mean need not move, since deviations from it sum to 0, and of the two equal
  // halves of a square's gradient one is taken, twice.
  const deviation = x.sub(lax.stopGradient(mean.ref));
  const half = deviation.ref.mul(lax.stopGradient(deviation)).mean(axes);
  const variance = half.ref.mul(2).sub(lax.stopGradient(half));
  const statistics = updatedStatistics(
    running,
    { mean: mean.reshape([channels]), variance: variance.ref },
    count,
  );
  const scale = np.reciprocal(np.sqrt(variance.add(epsilon))).mul(parameters.gain);
  return { output: centred.mul(scale.reshape(along)).add(parameters.bias.reshape(along)), statistics };
}

/** Normalisation of the last axis, with gain and bias [size]. */
export function layerNorm({ gain, bias }: BatchNormArrays, x: np.Array, epsilon = EPSILON): np.Array {
  const centred = x.ref.sub(x.mean(-1, { keepdims: true }));
  const variance = np.square(centred.ref).mean(-1, { keepdims: true });
  return centred
    .mul(np.reciprocal(np.sqrt(variance.add(epsilon))))
    .mul(gain)
    .add(bias);
}

export function relu(x: np.Array): np.Array {
  return np.maximum(x, 0);
}

/** How a feature map is halved. */
export type Pooling = "avg" | "max" | "none";

/** Runs of `size` positions, without the rest: [batch, channels, length] → [batch, channels, ⌊length/size⌋, size]. */
function windowsOf(x: np.Array, size: number): np.Array {
  const [batch, channels, length] = x.shape;
  const windows = Math.floor(length / size);
  const whole = length === size * windows ? x : x.slice([], [], [0, size * windows]);
  return whole.reshape([batch, channels, windows, size]);
}

/** Halves the length (floor): [batch, channels, length] → [batch, channels, ⌊length/2⌋]. */
export function pool(x: np.Array, pooling: Pooling): np.Array {
  if (pooling === "none") return x;
  const pairs = windowsOf(x, 2);
  return pooling === "avg" ? pairs.mean(-1) : pairs.max(-1);
}

/** Means of `size` positions each, [batch, channels, length] → [batch, channels, ⌊length/size⌋]. */
export function averagePool(x: np.Array, size: number): np.Array {
  return windowsOf(x, size).mean(-1);
}

/** Tokens [batch, length] to one-hot [batch, length, size]; the token `size` (padding, ambiguity) is all zero. */
export function oneHot(tokens: np.Array, size: number): np.Array {
  return nn.oneHot(tokens, size + 1).slice([], [], [0, size]);
}
