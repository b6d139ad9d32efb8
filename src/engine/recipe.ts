/**
 * @file Recipes: how a model is trained, as plain data.
 */

import type { EncoderOptions } from "../nn/encoder.ts";
import type { LossOptions } from "../nn/losses.ts";
import type { AdamOptions } from "./optimizer.ts";
import type { ScheduleOptions } from "./schedule.ts";

/** What every kind of training has. */
export interface TrainingRecipe extends ScheduleOptions {
  name: "default" | "paper";
  /** Sequences in a batch. */
  batch: number;
  optimizer: AdamOptions;
  learningRate: number;
  /** Multiples of the learning rate, by the path that parameters begin with; 0 freezes them. */
  rates?: Readonly<Record<string, number>>;
  /** Multiples of the weight decay, by the path that parameters begin with. */
  decays?: Readonly<Record<string, number>>;
  /** Decay of the exponential average of the weights that is validated and kept; 0 keeps the weights. */
  averageDecay: number;
  /** Steps after which training ends where neither steps nor minutes are given. */
  maximumSteps: number;
  /** Steps between validations where there is no clock. */
  validateEvery: number;
  /** Validations without improvement after which such a run ends. */
  patience: number;
}

/** A recipe's optimiser: without an average where none is kept. */
export function optimizerOf({ optimizer, averageDecay }: TrainingRecipe): AdamOptions {
  return { ...optimizer, average: averageDecay > 0 };
}

/** How a model of distances is trained. */
export interface Recipe extends TrainingRecipe {
  /**
   * `all`: all pairs of a batch carry labels; `sampled`: half a batch against the other half (SPEC A7). Losses
   * of triples take triples whatever it says.
   */
  pairs: "all" | "sampled";
  /** Of these, how many are made up (augment.ts). */
  augmented: number;
  loss: LossOptions;
  /** Start the space's learned scale where predictions are as long as labels on average. */
  calibrate: boolean;
}

/** Many labels a step, made-up relatives, AdamW, a cosine, averaged weights. */
export const DEFAULT_RECIPE: Recipe = {
  name: "default",
  pairs: "all",
  batch: 128,
  augmented: 32,
  loss: { name: "mse" },
  optimizer: { betas: [0.9, 0.95], weightDecay: 0.01, clip: 1 },
  learningRate: 0.01,
  calibrate: true,
  schedule: "cosine",
  warmup: 0.02,
  averageDecay: 0.995,
  maximumSteps: 20_000,
  validateEvery: 500,
  patience: 10,
};

/** Pairs that a sequence comes first in, in an epoch of the papers: ten, or one where they are within families (SPEC A7). */
export function multiplicity(family?: number): number {
  return family === undefined ? 10 : 1;
}

/** NeuroSEED's procedure (SPEC A7): 128 sampled pairs, Adam 0.01, early stopping after 50 epochs. */
export function paperRecipe(sequences: number, family?: number): Recipe {
  const epoch = Math.ceil((multiplicity(family) * sequences) / 128);
  return {
    name: "paper",
    pairs: "sampled",
    batch: 256,
    augmented: 0,
    loss: { name: "mse" },
    optimizer: {},
    learningRate: 0.01,
    calibrate: false,
    schedule: "constant",
    warmup: 0,
    averageDecay: 0,
    maximumSteps: 500 * epoch,
    validateEvery: epoch,
    patience: 50,
  };
}

/** The papers' CNN for 16S V4 reads (SPEC A8, Qiita). */
export const PAPER_CNN: EncoderOptions = { name: "cnn", channels: 32, kernel: 3, layers: 4, pooling: "avg" };
