/**
 * @file One training step as one pure function: forward, loss, backward, optimiser and running statistics.
 *
 * Traced once and lowered to a single graph, so that nothing but tensors crosses between JavaScript and the
 * executor while training.
 */

import { numpy as np, valueAndGrad } from "@jax-js/jax";
import { distanceLoss, type LossName } from "../nn/losses.ts";
import type { ConvFormulation } from "../nn/layers.ts";
import { adam, HYPERPARAMETERS, type AdamOptions } from "./optimizer.ts";
import type { DistanceModel } from "./model.ts";
import type { SpecTree } from "./lower.ts";

/** Which pairs of a batch carry labels: all of them, or the first half against the second. */
export type PairScheme = "all" | "halves";

export interface TrainStepOptions {
  loss: LossName;
  pairs: PairScheme;
  /** Sequences in a batch. */
  batch: number;
  optimizer: AdamOptions;
  formulation?: ConvFormulation;
}

/** Everything a step reads and replaces. */
export interface TrainState<T> {
  [name: string]: T;
  parameters: T;
  mean: T;
  square: T;
  average: T;
  statistics: T;
  /** Exponential average of the statistics, to go with the averaged parameters. */
  averageStatistics: T;
}

/** Names of the state's vectors, in the order that a step takes and returns them. */
export const STATE_NAMES = [
  "parameters",
  "mean",
  "square",
  "average",
  "statistics",
  "averageStatistics",
] as const;

/** Shape of a batch's labels. */
export function labelShape({ pairs, batch }: TrainStepOptions): number[] {
  return pairs === "all" ? [batch, batch] : [batch / 2];
}

/** Weights of the labels: equal, 0 on the diagonal, sum 1. */
export function labelWeights({ pairs, batch }: TrainStepOptions): np.Array {
  if (pairs === "halves") return np.full([batch / 2], 2 / batch);
  const weight = 1 / (batch * (batch - 1));
  return np.eye(batch).mul(-weight).add(weight);
}

/** Predicted distances of a batch's labelled pairs, inside a traced function. Consumes the points. */
export function predictedDistances(
  { space }: DistanceModel,
  encoded: { points: np.Array; space: Record<string, np.Array> },
  { pairs }: TrainStepOptions,
): np.Array {
  if (pairs === "all") return space.distances(encoded.points.ref, encoded.points, encoded.space);
  const [left, right] = np.split(encoded.points, 2, 0);
  return space.distance(left, right, encoded.space);
}

/** The step and the shapes of its arguments, ready for `lower`. */
export function trainStep(model: DistanceModel, options: TrainStepOptions) {
  const { batch, loss, optimizer, formulation } = options;
  const decayMask = model.parameters.decayMask();

  const objective = (parameters: np.Array, statistics: np.Array, tokens: np.Array, labels: np.Array) => {
    const encoded = model.embed(parameters, statistics, tokens, { training: true, formulation });
    const predicted = predictedDistances(model, encoded, options);
    return [distanceLoss(loss, predicted, labels, labelWeights(options)), encoded.statistics] as [
      np.Array,
      np.Array,
    ];
  };

  const step = (state: TrainState<np.Array>, tokens: np.Array, labels: np.Array, numbers: np.Array) => {
    const { parameters, mean, square, average, statistics, averageStatistics } = state;
    const [[value, newStatistics], gradient] = valueAndGrad(objective, { hasAux: true })(
      parameters.ref,
      statistics,
      tokens,
      labels,
    );
    const averageDecay = numbers.ref.slice([HYPERPARAMETERS - 1, HYPERPARAMETERS]);
    const { state: updated, norm } = adam(
      { parameters, mean, square, average },
      gradient,
      numbers,
      np.array(decayMask),
      optimizer,
    );
    const blended = averageStatistics
      .mul(averageDecay.ref)
      .add(newStatistics.ref.mul(averageDecay.mul(-1).add(1)));
    return [
      value,
      norm,
      updated.parameters,
      updated.mean,
      updated.square,
      updated.average,
      newStatistics,
      blended,
    ];
  };

  const vector = (size: number): SpecTree => ({ shape: [size], type: "float32" });
  const [p, s] = [model.parameters.size, model.statistics.size];
  const args: Record<string, SpecTree> = {
    state: {
      parameters: vector(p),
      mean: vector(p),
      square: vector(p),
      average: vector(p),
      statistics: vector(s),
      averageStatistics: vector(s),
    },
    tokens: { shape: [batch, model.config.shape.length], type: "int32" },
    labels: { shape: labelShape(options), type: "float32" },
    numbers: vector(HYPERPARAMETERS),
  };
  return { step, args };
}
