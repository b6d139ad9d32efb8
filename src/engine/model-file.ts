/**
 * @file The model file: one `.onnx` that any ONNX runtime can run, with a manifest of ours inside.
 *
 * Input `tokens` is int32 [batch, n] (codes of the alphabet's letters; `letters.length` where there is none),
 * output `embedding` is float32 [batch, m]: points of the space, on which its distance is defined. Batch
 * normalisation uses the running statistics, which runtimes fold into the convolutions. The manifest is JSON
 * under the metadata key `embranch`; it holds nothing of the clock, so that the same run makes the same file.
 */

import { init } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { EmbranchError } from "../error.ts";
import { explain } from "../system-error.ts";
import { createSpace, GEOMETRY_NAMES, type Space } from "../geometry/index.ts";
import { alphabetNamed, tokenBatch, type Alphabet } from "../sequence/index.ts";
import { lower } from "./lower.ts";
import { DistanceModel, type ModelConfig } from "./model.ts";
import { Program, Tensor, type ProgramOptions } from "./run.ts";

const manifestSchema = z.object({
  /** Version of this manifest. */
  version: z.literal(1),
  embranch: z.string(),
  alphabet: z.enum(["dna", "protein"]),
  /** Letters by token. */
  letters: z.string(),
  /** Greatest length n; distances are shares of it. */
  length: z.int().positive(),
  dim: z.int().positive(),
  encoder: z.looseObject({ name: z.string() }),
  geometry: z.enum(GEOMETRY_NAMES),
  space: z.object({
    options: z.looseObject({}),
    /** Raw values of the learned scalars, and what they mean (radius, scale, …). */
    parameters: z.record(z.string(), z.number()),
    constants: z.record(z.string(), z.number()),
  }),
  training: z.object({
    sequences: z.int().nonnegative(),
    digest: z.string(),
    seed: z.int(),
    recipe: z.string(),
    loss: z.string(),
    steps: z.int().nonnegative(),
  }),
  validation: z.object({ sequences: z.int(), pairs: z.int(), percentRmse: z.number() }),
});

/** What a model file says of itself. */
export type Manifest = z.infer<typeof manifestSchema>;

const METADATA_KEY = "embranch";
/** Primes that may stand for the batch while tracing; one is used that divides none of the model's sizes. */
const OPEN_BATCHES = [8191, 8179, 8171, 8167];

/** The bytes of a model file with trained values. */
export async function encodeModel(
  config: ModelConfig,
  values: { parameters: Float32Array; statistics: Float32Array },
  manifest: Manifest,
): Promise<Uint8Array> {
  await init("wasm");
  const model = new DistanceModel(config);
  const sizes = [config.shape.length, values.parameters.length, values.statistics.length];
  const batch = OPEN_BATCHES.find((prime) => sizes.every((size) => size % prime !== 0))!;
  const frozen = (data: Float32Array) => ({ shape: [data.length], type: "float32" as const, data });
  const embed = (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
    model.infer(parameters, statistics, tokens);
  const { bytes } = lower(
    embed,
    {
      parameters: frozen(values.parameters),
      statistics: frozen(values.statistics),
      tokens: { shape: [batch, config.shape.length], type: "int32" },
    },
    { batch, outputs: ["embedding"], metadata: { [METADATA_KEY]: JSON.stringify(manifest) } },
  );
  return bytes;
}

/** The manifest of a model file's bytes. Throws an `EmbranchError` that says what the file is instead. */
export function readManifest(bytes: Uint8Array, file: string): Manifest {
  let text: string | undefined;
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    text = model.metadataProps.find(({ key }) => key === METADATA_KEY)?.value;
    if (model.graph === undefined) throw new Error("no graph");
  } catch (cause) {
    throw new EmbranchError(`${file}: must be a model of \`embranch fit\`, got a damaged or foreign file`, {
      cause,
    });
  }
  if (text === undefined) {
    throw new EmbranchError(
      `${file}: must be a model of \`embranch fit\`, got an ONNX file without its manifest`,
    );
  }
  const parsed = manifestSchema.safeParse(parseJson(text));
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new EmbranchError(
      `${file}: manifest must be of a version this program knows, got ${path.join(".") || "something else"}: ${message}`,
    );
  }
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A trained model, ready to embed. */
export class Model {
  readonly manifest: Manifest;
  readonly alphabet: Alphabet;
  readonly space: Space;
  readonly #program: Program;

  private constructor(manifest: Manifest, program: Program) {
    this.manifest = manifest;
    this.alphabet = alphabetNamed(manifest.alphabet);
    this.space = createSpace(manifest.geometry, manifest.space.options);
    this.#program = program;
  }

  /** Loads a model file. Throws an `EmbranchError` where it is none, or is damaged. */
  static async load(path: string, options: ProgramOptions = {}): Promise<Model> {
    let bytes: Uint8Array;
    try {
      bytes = await readFile(path);
    } catch (error) {
      throw explain(error, path, "read");
    }
    return Model.decode(bytes, path, options);
  }

  /** A model from the bytes of its file; `file` names it in errors. */
  static async decode(bytes: Uint8Array, file: string, options: ProgramOptions = {}): Promise<Model> {
    const manifest = readManifest(bytes, file);
    try {
      return new Model(manifest, await Program.create(bytes, options));
    } catch (cause) {
      if (cause instanceof EmbranchError) throw cause;
      throw new EmbranchError(`${file}: is damaged; make it again with \`embranch fit\``, { cause });
    }
  }

  /** Points [count, dim] of sequences of codes, none longer than the model's length. */
  async embed(sequences: readonly Uint8Array[]): Promise<Float32Array> {
    const { length } = this.manifest;
    const tokens = Int32Array.from(tokenBatch(sequences, this.alphabet, length));
    const outputs = await this.#program.run({
      tokens: new Tensor("int32", tokens, [sequences.length, length]),
    });
    const [embedding] = Object.values(outputs);
    return embedding.data as Float32Array;
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}
