/**
 * @file Where a learned scale starts: predictions as long as the labels, on average, from the first step.
 */

import type { numpy as np } from "@jax-js/jax";
import type { Batch } from "./batches.ts";
import { lower } from "./lower.ts";
import type { DistanceModel } from "./model.ts";
import { Program, Tensor, type ProgramOptions } from "./run.ts";
import { labelWeights, predictedDistances, type TrainStepOptions } from "./train-step.ts";

/**
 * Sets the space's learned scale so that predictions start out as long, on average, as the labels.
 *
 * The scale would get there by itself, but slowly, and meanwhile the encoder learns to make up for it.
 */
export async function calibrateScale(
  model: DistanceModel,
  { parameters, statistics }: { parameters: Float32Array; statistics: Float32Array },
  { tokens, labels }: Batch,
  stepOptions: TrainStepOptions,
  options: ProgramOptions,
): Promise<void> {
  if (!("scale" in model.space.initialParameters())) return;
  const { batch } = stepOptions;
  const mean = (p: np.Array, s: np.Array, t: np.Array) => {
    const encoded = model.embed(p, s, t, { training: true });
    model.statistics.pack(encoded.statistics).dispose();
    return predictedDistances(model, encoded, stepOptions).mul(labelWeights(stepOptions)).sum();
  };
  const { bytes } = lower(mean, {
    parameters: { shape: [parameters.length], type: "float32" },
    statistics: { shape: [statistics.length], type: "float32" },
    tokens: { shape: [batch, model.config.shape.length], type: "int32" },
  });
  const program = await Program.create(bytes, options);
  const { output } = await program.run({
    parameters: new Tensor("float32", parameters, [parameters.length]),
    statistics: new Tensor("float32", statistics, [statistics.length]),
    tokens: new Tensor("int32", tokens, [batch, model.config.shape.length]),
  });
  await program.close();
  const pairs = stepOptions.pairs === "all" ? batch * (batch - 1) : labels.length;
  const truth = labels.reduce((sum, label) => sum + label, 0) / pairs;
  const predicted = (output.data as Float32Array)[0];
  if (truth > 0 && predicted > 0) model.parameters.view(parameters, "space.scale")[0] *= truth / predicted;
}
