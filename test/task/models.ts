/** @file Models for tests of what is done with them: random weights, no training. */

import { DistanceModel, type ModelConfig } from "../../src/engine/model.ts";
import { encodeModel, Model, type Manifest } from "../../src/engine/model-file.ts";
import type { GeometryName } from "../../src/geometry/index.ts";
import { alphabetNamed, collect, Random, simulate, type SimulateOptions } from "../../src/sequence/index.ts";

export interface UntrainedOptions {
  length: number;
  dim?: number;
  geometry?: GeometryName;
  alphabet?: "dna" | "protein";
  seed?: number;
}

/** Simulated sequences as a data set. */
export const readsOf = (options: SimulateOptions) =>
  collect(simulate(options).records(), { alphabet: options.alphabet });

/** The file of a model that was never trained. */
export async function untrainedFile({
  length,
  dim = 6,
  geometry = "hyperbolic",
  alphabet = "dna",
  seed = 1,
}: UntrainedOptions): Promise<{ bytes: Uint8Array; manifest: Manifest }> {
  const { size, letters } = alphabetNamed(alphabet);
  const config: ModelConfig = {
    encoder: { name: "linear" },
    shape: { length, letters: size, dim },
    geometry,
  };
  const model = new DistanceModel(config);
  const values = model.initialize(new Random(seed));
  const parameters = model.spaceParameters(values.parameters);
  const manifest: Manifest = {
    version: 1,
    embranch: "0.0.0",
    alphabet,
    letters: letters.slice(0, size),
    length,
    dim,
    encoder: { name: "linear" },
    geometry,
    space: { options: { ...model.space.options }, parameters, constants: model.space.constants(parameters) },
    training: { sequences: 0, digest: "", seed, recipe: "none", loss: "mse", steps: 0 },
    validation: { sequences: 0, pairs: 0, percentRmse: 0 },
  };
  return { bytes: await encodeModel(config, values, manifest), manifest };
}

/** A model that was never trained. */
export async function untrainedModel(options: UntrainedOptions): Promise<Model> {
  const { bytes } = await untrainedFile(options);
  return Model.decode(bytes, "untrained.onnx", { threads: 1 });
}
