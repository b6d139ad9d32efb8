/**
 * @file One training step of a classifier: cross-entropy, as one pure function (train-step.ts has that of distances).
 */

import { nn, type numpy as np } from "@jax-js/jax";
import type { ConvFormulation } from "../nn/layers.ts";
import type { ClassifierModel } from "./classifier-model.ts";
import { descentStep, type DescentOptions } from "./descent-step.ts";
import type { Spec } from "./lower.ts";
import { HYPERPARAMETERS } from "./optimizer.ts";

export interface ClassifierStepOptions extends DescentOptions {
  /** Sequences in a batch. */
  batch: number;
  /** Share of the probability that is spread over all classes. */
  labelSmoothing: number;
  formulation?: ConvFormulation;
}

/** What a step is fed beside its state, traced. */
interface Fed {
  tokens: np.Array;
  /** [batch] Numbers of the classes. */
  labels: np.Array;
  /** [batch] Weights of the sequences, of sum 1. */
  weights: np.Array;
  noise?: np.Array;
}

/** The shapes of what a step is fed beside its state, by name. */
function classifierSpecs(
  { config, network }: ClassifierModel,
  { batch }: Pick<ClassifierStepOptions, "batch">,
): Record<string, Spec> {
  return {
    tokens: { shape: [batch, config.shape.length], type: "int32" },
    labels: { shape: [batch], type: "int32" },
    weights: { shape: [batch], type: "float32" },
    ...(network.noise > 0 ? { noise: { shape: [batch, network.noise], type: "float32" } } : {}),
    numbers: { shape: [HYPERPARAMETERS], type: "float32" },
  };
}

/** Σ weights · cross-entropy of logits [batch, classes], with smoothed labels. */
function weightedCrossEntropy(
  logits: np.Array,
  { labels, weights }: Pick<Fed, "labels" | "weights">,
  smoothing: number,
): np.Array {
  const classes = logits.shape[1];
  const targets = nn
    .oneHot(labels, classes)
    .mul(1 - smoothing)
    .add(smoothing / classes);
  return nn.logSoftmax(logits, -1).mul(targets).sum(-1).mul(weights).sum().neg();
}

/** The step and the shapes of its arguments, ready for `lower`; it returns loss, gradient norm and the new state. */
export function classifierStep(model: ClassifierModel, options: ClassifierStepOptions) {
  const { labelSmoothing, formulation } = options;
  const objective = (
    parameters: np.Array,
    statistics: np.Array,
    { tokens, noise, ...labelled }: Fed,
  ): [np.Array, np.Array] => {
    const context = { training: true, formulation, noise };
    const { logits, features, statistics: updated } = model.classify(parameters, statistics, tokens, context);
    features.dispose();
    return [weightedCrossEntropy(logits, labelled, labelSmoothing), model.statistics.pack(updated)];
  };

  return descentStep(model, classifierSpecs(model, options), options, objective);
}
