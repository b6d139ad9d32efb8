/**
 * @file Adam, AdamW and Rectified Adam on one vector, with clipping and an average of the weights (SPEC 0.3).
 *
 * Everything that changes from step to step but is not an array (learning rate, bias corrections, decay of
 * the average) comes in one small vector, so that the compiled step never changes.
 *
 * Sources: Kingma and Ba, "Adam", ICLR 2015; Loshchilov and Hutter, "Decoupled weight decay regularization",
 * ICLR 2019; Liu et al., "On the variance of the adaptive learning rate and beyond", ICLR 2020.
 */

import { numpy as np } from "@jax-js/jax";

/** Settings of the optimiser. */
export interface AdamOptions {
  /** Decay of the gradient's mean and of its square (default 0.9, 0.999). */
  betas?: readonly [number, number];
  /** Added to the root of the second moment (default 1e-8). */
  epsilon?: number;
  /** Strength of weight decay (default 0). */
  weightDecay?: number;
  /**
   * `decoupled` (default) is AdamW; `coupled` adds λθ to the gradient, as torch's Adam does. What decays, and how much,
   * is the mask's to say.
   */
  decay?: "decoupled" | "coupled";
  /** Largest norm of the gradient; longer ones are scaled down (default: no limit). */
  clip?: number;
  /** Keep an exponential average of the parameters (default); otherwise it is the parameters. */
  average?: boolean;
  /** Rectified Adam: no adaptive rate until its variance is known, and a damped one from then on. */
  rectified?: boolean;
}

/** Vectors [size] that a step reads and replaces. */
export interface AdamState {
  [name: string]: np.Array;
  parameters: np.Array;
  /** Running mean of the gradient. */
  mean: np.Array;
  /** Running mean of its square. */
  square: np.Array;
  /** Exponential average of the parameters. */
  average: np.Array;
}

/** Vectors [size] that tell parameters apart. */
export interface ParameterGroups {
  /** Multiples of the weight decay. */
  decayMask: np.Array;
  /** Multiples of the learning rate; without them all learn at the same. */
  multiples?: np.Array;
}

/** Names of the numbers in the vector that `hyperparameters` makes. */
export const HYPERPARAMETERS = 5;

/** Below this many effective samples the variance of an adaptive rate is without bound (Liu et al.). */
const FEWEST_SAMPLES = 5;

/** Rectified Adam's factor of step `step`; 0 where the rate must not adapt yet. */
export function rectification(step: number, beta: number): number {
  const most = 2 / (1 - beta) - 1;
  const samples = most - (2 * step * beta ** step) / (1 - beta ** step);
  if (samples <= FEWEST_SAMPLES) return 0;
  return Math.sqrt(((samples - 4) * (samples - 2) * most) / ((most - 4) * (most - 2) * samples));
}

/** The numbers of step `step` (from 1) that `adam` reads, as a vector. */
export function hyperparameters(
  step: number,
  learningRate: number,
  { betas = [0.9, 0.999], rectified = false }: AdamOptions,
  averageDecay: number,
): Float32Array {
  const factor = rectified ? rectification(step, betas[1]) : 1;
  const adaptive = factor > 0;
  return Float32Array.of(
    ((adaptive ? factor : 1) * learningRate) / (1 - betas[0] ** step),
    1 / (1 - betas[1] ** step),
    learningRate,
    adaptive ? 1 : 0,
    averageDecay,
  );
}

/** The gradient, scaled down where its norm is above `clip`. Borrows the norm. */
export function clipped(gradient: np.Array, norm: np.Array, clip?: number): np.Array {
  if (clip === undefined) return gradient;
  return gradient.mul(np.minimum(np.reciprocal(norm.ref.add(1e-12)).mul(clip), 1));
}

/** What a step takes away: the mean over the root of the second moment, without their biases, times the rate. */
export function adaptiveChange(
  mean: np.Array,
  square: np.Array,
  numbers: np.Array,
  { epsilon = 1e-8, rectified = false }: AdamOptions,
): np.Array {
  const [rate, correction, learningRate, adaptive, averageDecay] = np.split(numbers, HYPERPARAMETERS);
  learningRate.dispose();
  averageDecay.dispose();
  if (!rectified) {
    adaptive.dispose();
    // √(c·v) + ε = √c·(√v + ε/√c): what multiplies numbers instead of vectors costs nothing.
    const scale = np.reciprocal(np.sqrt(correction));
    return mean.mul(rate.mul(scale.ref)).div(np.sqrt(square).add(scale.mul(epsilon)));
  }
  const root = np.sqrt(square.mul(correction)).add(epsilon);
  return mean.mul(rate).div(np.where(adaptive.greater(0), root, 1));
}

/**
 * One step: new state, and the gradient's norm before clipping.
 *
 * `numbers` comes from `hyperparameters`. Consumes all.
 */
export function adam(
  { parameters, mean, square, average }: AdamState,
  gradient: np.Array,
  numbers: np.Array,
  { decayMask, multiples }: ParameterGroups,
  options: AdamOptions,
): { state: AdamState; norm: np.Array } {
  const { betas = [0.9, 0.999], epsilon, weightDecay = 0, decay = "decoupled", clip, rectified } = options;
  const norm = np.sqrt(np.square(gradient.ref).sum());
  let g = clipped(gradient, norm, clip);
  const pull = weightDecay > 0 ? parameters.ref.mul(decayMask.ref.mul(weightDecay)) : undefined;
  decayMask.dispose();
  if (pull !== undefined && decay === "coupled") g = g.add(pull);
  const newMean = mean.mul(betas[0]).add(g.ref.mul(1 - betas[0]));
  const newSquare = square.mul(betas[1]).add(np.square(g).mul(1 - betas[1]));
  let change = adaptiveChange(newMean.ref, newSquare.ref, numbers.ref, { epsilon, rectified });
  if (pull !== undefined && decay === "decoupled") {
    change = change.add(pull.mul(numbers.ref.slice([2, 3])));
  }
  if (multiples !== undefined) change = change.mul(multiples);
  const updated = parameters.sub(change);
  const state = { parameters: updated, mean: newMean, square: newSquare };
  if (options.average === false) {
    average.dispose();
    numbers.dispose();
    return { state: { ...state, average: updated.ref }, norm };
  }
  const averageDecay = numbers.slice([HYPERPARAMETERS - 1, HYPERPARAMETERS]);
  const newAverage = average.mul(averageDecay.ref).add(updated.ref.mul(averageDecay.mul(-1).add(1)));
  return { state: { ...state, average: newAverage }, norm };
}
