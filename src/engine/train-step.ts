/**
 * @file One training step of a model of distances as one pure function (descent-step.ts): forward and loss.
 *
 * Traced once and lowered to a single graph, so that nothing but tensors crosses between JavaScript and the
 * executor while training.
 */

import { numpy as np } from "@jax-js/jax";
import { crossEntropy } from "../nn/decoder.ts";
import { lossKind, lossValue, type LossOptions } from "../nn/losses.ts";
import type { ConvFormulation } from "../nn/layers.ts";
import { mapDivergence } from "../nn/nwa.ts";
import { regularizerWeights } from "../nn/regularizer.ts";
import { descentStep, type DescentOptions } from "./descent-step.ts";
import { HYPERPARAMETERS } from "./optimizer.ts";
import type { DistanceModel, Embedded } from "./model.ts";
import type { Spec } from "./lower.ts";

/**
 * Which distances of a batch carry labels: those of all pairs, of its first half against its second, or those
 * among anchors, nearer and farther sequences, a third of the batch each.
 */
export type PairScheme = "all" | "halves" | "triples";

export interface TrainStepOptions extends DescentOptions {
  loss: LossOptions;
  pairs: PairScheme;
  /** Sequences in a batch. */
  batch: number;
  formulation?: ConvFormulation;
}

/** Shape of a batch's labels. */
export function labelShape({ pairs, batch }: TrainStepOptions): number[] {
  if (pairs === "all") return [batch, batch];
  return pairs === "halves" ? [batch / 2] : [3, batch / 3];
}

/** Weights of the labels: equal, 0 on the diagonal, sum 1. */
export function labelWeights(options: TrainStepOptions): np.Array {
  const { pairs, batch } = options;
  const shape = labelShape(options);
  if (pairs !== "all") return np.full(shape, 1 / shape.reduce((size, length) => size * length, 1));
  const weight = 1 / (batch * (batch - 1));
  return np.eye(batch).mul(-weight).add(weight);
}

/** Predicted distances of a batch's labelled pairs, inside a traced function. Consumes the points. */
export function predictedDistances(
  { space }: DistanceModel,
  encoded: Pick<Embedded, "points" | "space">,
  { pairs }: TrainStepOptions,
): np.Array {
  const { points, space: learned } = encoded;
  if (pairs === "all") return space.distances(points.ref, points, learned);
  if (pairs === "halves") {
    const [left, right] = np.split(points, 2, 0);
    return space.distance(left, right, learned);
  }
  const [anchor, nearer, farther] = np.split(points, 3, 0);
  // One call for the three kinds of pair, since the space's learned scalars are consumed by it.
  const left = np.concatenate([anchor.ref, anchor, nearer.ref], 0);
  const right = np.concatenate([nearer, farther.ref, farther], 0);
  return space.distance(left, right, learned).reshape([3, -1]);
}

/** Pairs that the model's regulariser aligns in a batch: the first of its first half with the first of its second. */
export function alignedPairs({ config }: DistanceModel, batch: number): number {
  const half = batch / 2;
  return Math.min(regularizerWeights(config.regularizer!).pairs ?? half, half);
}

/** Normal numbers that move each sequence's point before it is decoded. */
export function latentSize({ config: { decoder, shape }, space }: DistanceModel): number {
  return decoder !== undefined && decoder.noise > 0 ? space.coordinateCount(shape.dim) : 0;
}

/** What a step is fed beside its state, by name. */
function batchSpecs(model: DistanceModel, options: TrainStepOptions): Record<string, Spec> {
  const { batch, loss } = options;
  const { noise } = model.encoder;
  const positions = model.config.shape.length + 1;
  const aligned = (pairs: number): Record<string, Spec> => ({
    lengths: { shape: [2 * pairs], type: "float32" },
    targets: { shape: [pairs, positions, positions], type: "float32" },
  });
  return {
    tokens: { shape: [batch, model.config.shape.length], type: "int32" },
    labels: { shape: labelShape(options), type: "float32" },
    ...(noise > 0 ? { noise: { shape: [batch, noise], type: "float32" } } : {}),
    ...(lossKind(loss.name).stage === undefined ? {} : { stage: { shape: [2], type: "float32" } }),
    ...(model.regularizer === undefined ? {} : aligned(alignedPairs(model, batch))),
    ...(latentSize(model) > 0 ? { latent: { shape: [batch, latentSize(model)], type: "float32" } } : {}),
    numbers: { shape: [HYPERPARAMETERS], type: "float32" },
  };
}

/** What a step is fed beside its state, traced. */
interface Fed {
  tokens: np.Array;
  labels: np.Array;
  noise?: np.Array;
  stage?: np.Array;
  /** Lengths in letters, and Needleman-Wunsch targets, of the pairs that are aligned. */
  lengths?: np.Array;
  targets?: np.Array;
  latent?: np.Array;
}

/** The step and the shapes of its arguments, ready for `lower`. */
export function trainStep(model: DistanceModel, options: TrainStepOptions) {
  const { loss, optimizer, rates, decays, formulation } = options;
  const { regularizer } = model.config;
  const weights = model.regularizer && regularizerWeights(regularizer!);

  const objective = (parameters: np.Array, statistics: np.Array, fed: Fed): [np.Array, np.Array] => {
    const { tokens, labels, noise, stage, lengths, targets, latent } = fed;
    const context = { training: true, formulation };
    const encoded = model.embed(parameters, statistics, tokens.ref, { ...context, noise });
    const reconstruction =
      model.decoder === undefined
        ? undefined
        : crossEntropy(model.reconstruct(encoded, latent, context), tokens.ref);
    tokens.dispose();
    let penalty: np.Array | undefined;
    if (model.regularizer !== undefined) {
      const pairs = alignedPairs(model, options.batch);
      const first = (points: np.Array) => (pairs < options.batch / 2 ? points.slice([0, pairs]) : points);
      const [source, target] = np.split(encoded.points.ref, 2, 0).map(first);
      const [sourceLengths, targetLengths] = np.split(lengths!, 2, 0);
      const mapped = model.regularizer.map(
        encoded.regularizer!,
        encoded.statistics.regularizer,
        { source, target, sourceLengths, targetLengths },
        context,
      );
      encoded.statistics.regularizer = mapped.statistics;
      penalty = mapDivergence(mapped.map, targets!, weights!.divergence).mul(weights!.lambda);
    }
    const value = lossValue(loss, {
      predicted: predictedDistances(model, encoded, options),
      truth: labels,
      weights: labelWeights(options),
      length: model.config.shape.length,
      stage,
    });
    const share = model.config.decoder?.weight ?? 0;
    const mixed = reconstruction === undefined ? value : value.mul(1 - share).add(reconstruction.mul(share));
    const total = penalty === undefined ? mixed : mixed.add(penalty);
    return [total, model.statistics.pack(encoded.statistics)];
  };

  const groups = { optimizer, rates: { ...(weights && { regularizer: weights.rate }), ...rates }, decays };
  return descentStep(model, batchSpecs(model, options), groups, objective);
}
