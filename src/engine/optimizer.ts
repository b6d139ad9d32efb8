/**
 * @file Adam and AdamW on one vector, with clipping and an average of the weights (SPEC 0.3).
 *
 * Everything that changes from step to step but is not an array (learning rate, bias corrections, decay of
 * the average) comes in one small vector, so that the compiled step never changes.
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
  /** `decoupled` is AdamW; `coupled` adds λθ to the gradient, as torch's Adam does (default `decoupled`). */
  decay?: "decoupled" | "coupled";
  /** Largest norm of the gradient; longer ones are scaled down (default: no limit). */
  clip?: number;
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

/** Names of the numbers in the vector that `hyperparameters` makes. */
export const HYPERPARAMETERS = 4;

/** The numbers of step `step` (from 1) that `adam` reads, as a vector. */
export function hyperparameters(
  step: number,
  learningRate: number,
  { betas = [0.9, 0.999] }: AdamOptions,
  averageDecay: number,
): Float32Array {
  return Float32Array.of(
    learningRate / (1 - betas[0] ** step),
    1 / (1 - betas[1] ** step),
    learningRate,
    averageDecay,
  );
}

/**
 * One step: new state, and the gradient's norm before clipping.
 *
 * `numbers` comes from `hyperparameters`; `decayMask` [size] says where weight decay applies. Consumes all.
 */
export function adam(
  { parameters, mean, square, average }: AdamState,
  gradient: np.Array,
  numbers: np.Array,
  decayMask: np.Array,
  { betas = [0.9, 0.999], epsilon = 1e-8, weightDecay = 0, decay = "decoupled", clip }: AdamOptions,
): { state: AdamState; norm: np.Array } {
  const [rate, correction, learningRate, averageDecay] = np.split(numbers, HYPERPARAMETERS);
  const norm = np.sqrt(np.square(gradient.ref).sum());
  let g = gradient;
  if (clip !== undefined) g = g.mul(np.minimum(np.reciprocal(norm.ref.add(1e-12)).mul(clip), 1));
  if (weightDecay > 0 && decay === "coupled") g = g.add(parameters.ref.mul(decayMask.ref).mul(weightDecay));
  const newMean = mean.mul(betas[0]).add(g.ref.mul(1 - betas[0]));
  const newSquare = square.mul(betas[1]).add(np.square(g).mul(1 - betas[1]));
  const direction = newMean.ref.mul(rate).div(np.sqrt(newSquare.ref.mul(correction)).add(epsilon));
  let updated = parameters.ref.sub(direction);
  if (weightDecay > 0 && decay === "decoupled") {
    updated = updated.sub(parameters.mul(decayMask).mul(learningRate.mul(weightDecay)));
  } else {
    parameters.dispose();
    decayMask.dispose();
    learningRate.dispose();
  }
  const newAverage = average.mul(averageDecay.ref).add(updated.ref.mul(averageDecay.mul(-1).add(1)));
  return { state: { parameters: updated, mean: newMean, square: newSquare, average: newAverage }, norm };
}
