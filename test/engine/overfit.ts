/** @file A small model with a decoder that has learned a few sequences by heart. */

import { writeFileSync } from "node:fs";
import { decoderPath } from "../../src/engine/decoder-model.ts";
import { KernelOracle } from "../../src/engine/labels.ts";
import { DistanceModel, type ModelConfig } from "../../src/engine/model.ts";
import { encodeDecoder, encodeModel, type Manifest } from "../../src/engine/model-file.ts";
import { DEFAULT_RECIPE } from "../../src/engine/recipe.ts";
import { train, type TrainOptions } from "../../src/engine/trainer.ts";
import type { TrainResult } from "../../src/engine/training.ts";
import type { GeometryName } from "../../src/geometry/index.ts";
import { EditDistances, packCodes } from "../../src/kernel/index.ts";
import { DNA, Random } from "../../src/sequence/index.ts";

/** Greatest length of the sequences. */
export const LENGTH = 12;

/** Sixteen sequences of 8 to 12 letters, and one of none. */
export function sequences(): Uint8Array[] {
  const random = new Random(3);
  const some = Array.from({ length: 16 }, (_, i) =>
    Uint8Array.from({ length: LENGTH - (i % 5) }, () => random.integer(4)),
  );
  return [...some, new Uint8Array(0)];
}

/** A model of them. */
export function configOf(geometry: GeometryName): ModelConfig {
  return {
    encoder: { name: "linear" },
    shape: { length: LENGTH, letters: 4, dim: 16 },
    geometry,
    space: { scale: true },
    decoder: { network: { name: "mlp", layers: 2, hidden: 64 }, weight: 0.1, noise: 0.05 },
  };
}

/** Trains on all of them. */
export async function trainBy(
  config: ModelConfig,
  more: Partial<TrainOptions> & { steps: number },
): Promise<TrainResult> {
  const codes = sequences();
  const kernel = await EditDistances.create({ threads: 1 });
  try {
    return await train({
      model: config,
      recipe: { ...DEFAULT_RECIPE, batch: 16, augmented: 0, averageDecay: 0.9, learningRate: 0.02 },
      sequences: codes,
      alphabet: DNA,
      oracle: new KernelOracle(kernel, codes),
      validation: { sequences: codes, distances: await kernel.allPairs(packCodes(codes)) },
      seed: 1,
      digest: "data",
      threads: 1,
      ...more,
    });
  } finally {
    await kernel.close();
  }
}

/** Writes the files of a model; the decoder's only where it has one. */
export async function writeModel(path: string, config: ModelConfig, values: TrainResult): Promise<void> {
  const model = new DistanceModel(config);
  const parameters = model.spaceParameters(values.parameters);
  const manifest: Manifest = {
    version: 1,
    embranch: "0.0.0",
    alphabet: "dna",
    letters: "ACGT",
    length: LENGTH,
    dim: config.shape.dim,
    encoder: { ...config.encoder },
    ...(config.decoder && { decoder: { ...config.decoder.network } }),
    geometry: config.geometry,
    space: { options: { ...model.space.options }, parameters, constants: model.space.constants(parameters) },
    training: { sequences: 17, digest: "data", seed: 1, recipe: "default", loss: "mse", steps: values.steps },
    validation: { sequences: 17, pairs: 136, percentRmse: values.validation },
  };
  writeFileSync(path, await encodeModel(config, values, manifest));
  if (config.decoder === undefined) return;
  writeFileSync(decoderPath(path), await encodeDecoder(config, values, manifest));
}
