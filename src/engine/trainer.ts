/**
 * @file Trains a model of distances: labelled batches in, the values with the lowest %RMSE out (training.ts).
 *
 * Labels of the next batch are computed in worker threads while the current one runs.
 */

import { init } from "@jax-js/jax";
import { Random, type Alphabet } from "../sequence/index.ts";
import { lossKind } from "../nn/losses.ts";
import type { Align } from "./batches.ts";
import { calibrateScale } from "./calibrate.ts";
import { batchSource, latentNoiseOf, noiseOf, stepOptionsOf } from "./feeds.ts";
import type { DistanceOracle } from "./labels.ts";
import { DistanceModel, type ModelConfig } from "./model.ts";
import type { Recipe } from "./recipe.ts";
import { trainStep } from "./train-step.ts";
import { runTraining, type RunOptions, type TrainResult } from "./training.ts";
import { Validator, type ValidationSet } from "./validator.ts";

/** What distances are learned from, and how. */
export interface TrainOptions extends RunOptions {
  model: ModelConfig;
  recipe: Recipe;
  sequences: readonly Uint8Array[];
  alphabet: Alphabet;
  oracle: DistanceOracle;
  /** Where a regulariser's targets come from; needed with one. */
  align?: Align;
  validation: ValidationSet;
  /** Sequences of a family, where only pairs of one family are trained on. */
  family?: number;
}

/**
 * Trains a model of distances; its validation is the %RMSE of the validation pairs.
 *
 * @throws Interrupted when the signal is aborted
 * @throws EmbranchError on a loss that is no number, on a foreign checkpoint, or where none can be written
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const started = performance.now();
  const { recipe } = options;
  await init("wasm");
  const random = new Random(options.seed);
  const model = new DistanceModel(options.model);
  const stepOptions = stepOptionsOf(recipe);
  const { stage, orderOnly = false } = lossKind(recipe.loss.name);
  const validator = await Validator.create(model, options.validation, options.alphabet, options);
  try {
    const batchOf = await batchSource(options, model, random);
    return await runTraining(
      {
        config: options.model,
        parameters: model.parameters,
        statistics: model.statistics,
        ...trainStep(model, stepOptions),
        initialize: async () => {
          const fresh = model.initialize(random);
          if (recipe.calibrate) await calibrateScale(model, fresh, await batchOf(1), stepOptions, options);
          return fresh;
        },
        batch: async (step) => ({
          ...(await batchOf(step)),
          noise: noiseOf(step, model.encoder.noise, recipe.batch, random),
          latent: latentNoiseOf(step, model, recipe.batch, random),
        }),
        scheduled: stage && ((done) => ({ stage: Float32Array.from(stage(done)) })),
        validate: async ({ parameters, statistics }) => {
          const values = { parameters: orderOnly ? parameters.slice() : parameters, statistics };
          const validation = await validator.percentRmse(values.parameters, statistics, {
            rescale: orderOnly,
          });
          return { validation, values };
        },
        isBetter: (candidate, best) => candidate < best,
      },
      recipe,
      options,
      started,
    );
  } finally {
    await validator.close();
  }
}
