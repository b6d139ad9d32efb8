/**
 * @file What a training step is fed: the batches that a recipe asks for, noise, and the state as tensors.
 */

import { lossKind, neighboursOf } from "../nn/losses.ts";
import type { Random } from "../sequence/index.ts";
import { alignedBatches, allPairsBatches, sampledPairBatches, type BatchSource } from "./batches.ts";
import type { DistanceModel } from "./model.ts";
import { optimizerOf, type Recipe } from "./recipe.ts";
import type { Spec } from "./lower.ts";
import { Tensor } from "./run.ts";
import { STATE_NAMES, type TrainState } from "./descent-step.ts";
import { alignedPairs, latentSize, type TrainStepOptions } from "./train-step.ts";
import type { TrainOptions } from "./trainer.ts";
import { nearestNeighbours, tripleBatches } from "./triples.ts";

/** The step that a recipe asks for. */
export function stepOptionsOf(recipe: Recipe): TrainStepOptions {
  const { loss, pairs, batch, rates, decays } = recipe;
  const ofTriples = lossKind(loss.name).of === "triples";
  return {
    loss,
    pairs: ofTriples ? "triples" : pairs === "all" ? "all" : "halves",
    batch,
    optimizer: optimizerOf(recipe),
    rates,
    decays,
  };
}

/** The batches of a run, with targets for the model's regulariser if it has one. */
export async function batchSource(
  options: TrainOptions,
  model: DistanceModel,
  random: Random,
): Promise<BatchSource> {
  const source = await labelledBatches(options, random);
  if (model.regularizer === undefined) return source;
  const pairs = alignedPairs(model, options.recipe.batch);
  return alignedBatches(source, options.align!, { length: model.config.shape.length, pairs });
}

async function labelledBatches(options: TrainOptions, random: Random): Promise<BatchSource> {
  const { recipe, sequences, alphabet, oracle, model } = options;
  const batches = {
    sequences,
    alphabet,
    length: model.shape.length,
    oracle,
    random: random.fork("batches"),
    batch: recipe.batch,
    family: options.family,
  };
  if (lossKind(recipe.loss.name).of === "triples") {
    const wanted = neighboursOf(recipe.loss);
    if (wanted === undefined) return tripleBatches(batches);
    const width = Math.min(wanted, sequences.length - 1);
    return tripleBatches({ ...batches, neighbours: await nearestNeighbours(batches, width) });
  }
  return recipe.pairs === "all"
    ? allPairsBatches({ ...batches, augmented: recipe.augmented })
    : sampledPairBatches(batches);
}

/** The numbers that a step's dropout draws from, `amount` for each sequence; a function of the seed and the step. */
export function noiseOf(
  step: number,
  amount: number,
  batch: number,
  random: Random,
): Float32Array | undefined {
  if (amount === 0) return undefined;
  const draw = random.fork("noise", step);
  return Float32Array.from({ length: batch * amount }, () => draw.uniform());
}

/** The numbers that move a step's points before they are decoded; a function of the seed and the step. */
export function latentNoiseOf(
  step: number,
  model: DistanceModel,
  batch: number,
  random: Random,
): Float32Array | undefined {
  const size = latentSize(model);
  if (size === 0) return undefined;
  const draw = random.fork("latent noise", step);
  return Float32Array.from({ length: batch * size }, () => draw.normal());
}

/** A step's inputs by the names of its graph; `batch` has what `specs` names. */
export function stepFeeds(
  vectors: TrainState<Float32Array>,
  specs: Record<string, Spec>,
  batch: object,
): Record<string, Tensor> {
  const feeds = Object.entries(specs).map(([name, { type, shape }]): [string, Tensor] => [
    `batch.${name}`,
    new Tensor(type, (batch as Record<string, Float32Array>)[name], shape),
  ]);
  const state = STATE_NAMES.map((name): [string, Tensor] => [
    `state.${name}`,
    new Tensor("float32", vectors[name], [vectors[name].length]),
  ]);
  return Object.fromEntries([...feeds, ...state]);
}
