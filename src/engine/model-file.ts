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
import type { AttentionInput } from "../nn/nwa.ts";
import { Layout } from "./layout.ts";
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
  /** What the decoder is, where there is one. */
  decoder: z.looseObject({ name: z.string() }).optional(),
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
    regularizer: z.string().optional(),
    steps: z.int().nonnegative(),
  }),
  validation: z.object({ sequences: z.int(), pairs: z.int(), percentRmse: z.number() }),
});

/** What a model file says of itself. */
export type Manifest = z.infer<typeof manifestSchema>;

export const METADATA_KEY = "embranch";
/** Primes that may stand for the batch while tracing; one is used that divides none of the model's sizes. */
const OPEN_BATCHES = [8191, 8179, 8171, 8167];

/** A prime that divides none of the sizes. */
export function openBatch(sizes: readonly number[]): number {
  return OPEN_BATCHES.find((prime) => sizes.every((size) => size % prime !== 0))!;
}

/** Values that are part of the file. */
export function frozen(data: Float32Array) {
  return { shape: [data.length], type: "float32" as const, data };
}

/** The bytes of a model file with trained values. */
export async function encodeModel(
  config: ModelConfig,
  values: { parameters: Float32Array; statistics: Float32Array },
  manifest: Manifest,
): Promise<Uint8Array> {
  await init("wasm");
  // Vectors begin with what inference needs; the parts of a regulariser and a decoder come last.
  const model = new DistanceModel({ ...config, regularizer: undefined, decoder: undefined });
  const batch = openBatch([config.shape.length, model.parameters.size, model.statistics.size]);
  const embed = (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
    model.infer(parameters, statistics, tokens);
  const { bytes } = lower(
    embed,
    {
      parameters: frozen(values.parameters.subarray(0, model.parameters.size)),
      statistics: frozen(values.statistics.subarray(0, model.statistics.size)),
      tokens: { shape: [batch, config.shape.length], type: "int32" },
    },
    { batch, outputs: ["embedding"], metadata: { [METADATA_KEY]: JSON.stringify(manifest) } },
  );
  return bytes;
}

/**
 * The bytes of an attention file: `source` and `target` int32 [1, n] and their lengths float32 [1] in, the map
 * `attention` float32 [1, n + 1, n + 1] out, rows of the target, columns of the source (SPEC B4).
 */
export async function encodeAttention(
  config: ModelConfig,
  values: { parameters: Float32Array; statistics: Float32Array },
  manifest: Manifest,
): Promise<Uint8Array> {
  await init("wasm");
  const model = new DistanceModel({ ...config, decoder: undefined });
  const tokens = { shape: [1, config.shape.length], type: "int32" as const };
  const length = { shape: [1], type: "float32" as const };
  const { bytes } = lower(
    (parameters: np.Array, statistics: np.Array, pair: AttentionInput) =>
      model.attention(parameters, statistics, pair),
    {
      parameters: frozen(values.parameters.subarray(0, model.parameters.size)),
      statistics: frozen(values.statistics.subarray(0, model.statistics.size)),
      pair: { source: tokens, target: tokens, sourceLengths: length, targetLengths: length },
    },
    { outputs: ["attention"], metadata: { [METADATA_KEY]: JSON.stringify(manifest) } },
  );
  return bytes;
}

/**
 * The bytes of a decoder file: points float32 [batch, m] in, `scores` float32 [batch, n, letters + 1] out, the last
 * class that of padding and ambiguity (SPEC A14).
 */
export async function encodeDecoder(
  config: ModelConfig,
  values: { parameters: Float32Array; statistics: Float32Array },
  manifest: Manifest,
): Promise<Uint8Array> {
  await init("wasm");
  const model = new DistanceModel(config);
  const { shape } = config;
  const decoder = model.decoder!;
  const layouts = { parameters: new Layout(decoder.parameters), statistics: new Layout(decoder.statistics) };
  const own = (which: "parameters" | "statistics") => {
    const first = model[which].entries.find(({ path }) => path.startsWith("decoder."));
    return frozen(values[which].slice(first?.offset, first && first.offset + layouts[which].size));
  };
  const scalars = Object.entries(model.spaceParameters(values.parameters));
  const batch = openBatch([shape.length, shape.dim, layouts.parameters.size, layouts.statistics.size]);
  const decode = (
    parameters: np.Array,
    statistics: np.Array,
    space: Record<string, np.Array>,
    points: np.Array,
  ) => {
    const coordinates = model.space.coordinates(points, space);
    const trained = layouts.parameters.unpack(parameters);
    const running = layouts.statistics.unpack(statistics);
    return decoder.apply(trained, running, coordinates, { training: false }).output;
  };
  const { bytes } = lower(
    decode,
    {
      parameters: own("parameters"),
      statistics: own("statistics"),
      space: Object.fromEntries(
        scalars.map(([name, value]) => [name, { ...frozen(Float32Array.of(value)), shape: [] }]),
      ),
      points: { shape: [batch, shape.dim], type: "float32" },
    },
    { batch, outputs: ["scores"], metadata: { [METADATA_KEY]: JSON.stringify(manifest) } },
  );
  return bytes;
}

/** The manifest of a model file's bytes. Throws an `EmbranchError` that says what the file is instead. */
export function readManifest(bytes: Uint8Array, file: string): Manifest {
  return parseManifest(bytes, { file, schema: manifestSchema, maker: "embranch fit" });
}

/**
 * The manifest in an ONNX file that the verb `maker` makes.
 *
 * @throws EmbranchError that says what the file is instead
 */
export function parseManifest<T>(
  bytes: Uint8Array,
  { file, schema, maker }: { file: string; schema: z.ZodType<T>; maker: string },
): T {
  let text: string | undefined;
  try {
    const model = fromBinary(ModelProtoSchema, bytes);
    text = model.metadataProps.find(({ key }) => key === METADATA_KEY)?.value;
    if (model.graph === undefined) throw new Error("no graph");
  } catch (cause) {
    throw new EmbranchError(`${file}: must be a model of \`${maker}\`, got a damaged or foreign file`, {
      cause,
    });
  }
  if (text === undefined) {
    throw new EmbranchError(
      `${file}: must be a model of \`${maker}\`, got an ONNX file without its manifest`,
    );
  }
  const manifest = parseJson(text);
  const madeBy = isClassifier(manifest) ? "embranch classify fit" : "embranch fit";
  if (madeBy !== maker) {
    throw new EmbranchError(`${file}: must be a model of \`${maker}\`, got one of \`${madeBy}\``);
  }
  const parsed = schema.safeParse(manifest);
  if (!parsed.success) {
    const [{ path, message }] = parsed.error.issues;
    throw new EmbranchError(
      `${file}: manifest must be of a version this program knows, got ${path.join(".") || "something else"}: ${message}`,
    );
  }
  return parsed.data;
}

/** Whether a manifest is that of a classifier, which alone has classes. */
function isClassifier(manifest: unknown): boolean {
  return typeof manifest === "object" && manifest !== null && "classes" in manifest;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A file of ours, compiled. */
export interface LoadedProgram {
  manifest: Manifest;
  program: Program;
}

export async function loadProgram(path: string, options: ProgramOptions): Promise<LoadedProgram> {
  return decodeProgram(await readModelFile(path), path, options);
}

/** The bytes of a file. Throws an `EmbranchError` where it cannot be read. */
export async function readModelFile(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (error) {
    throw explain(error, path, "read");
  }
}

async function decodeProgram(
  bytes: Uint8Array,
  file: string,
  options: ProgramOptions,
): Promise<LoadedProgram> {
  const manifest = readManifest(bytes, file);
  return { manifest, program: await compile(bytes, { ...options, file, maker: "embranch fit" }) };
}

/** Compiles a file of ours. Throws an `EmbranchError` where it is damaged. */
export async function compile(
  bytes: Uint8Array,
  { file, maker, ...options }: ProgramOptions & { file: string; maker: string },
): Promise<Program> {
  try {
    return await Program.create(bytes, options);
  } catch (cause) {
    if (cause instanceof EmbranchError) throw cause;
    throw new EmbranchError(`${file}: is damaged; make it again with \`${maker}\``, { cause });
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
    const { manifest, program } = await loadProgram(path, options);
    return new Model(manifest, program);
  }

  /** A model from the bytes of its file; `file` names it in errors. */
  static async decode(bytes: Uint8Array, file: string, options: ProgramOptions = {}): Promise<Model> {
    const { manifest, program } = await decodeProgram(bytes, file, options);
    return new Model(manifest, program);
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

/** The file beside a model's that draws its attention maps. */
export function attentionPath(model: string): string {
  return `${model.replace(/\.onnx$/i, "")}.attention.onnx`;
}

/** Draws the attention maps of a model trained with them. */
export class AttentionModel {
  readonly manifest: Manifest;
  readonly alphabet: Alphabet;
  readonly #program: Program;

  private constructor(manifest: Manifest, program: Program) {
    this.manifest = manifest;
    this.alphabet = alphabetNamed(manifest.alphabet);
    this.#program = program;
  }

  /** Loads an attention file. Throws an `EmbranchError` where it is none, or is damaged. */
  static async load(path: string, options: ProgramOptions = {}): Promise<AttentionModel> {
    const { manifest, program } = await loadProgram(path, options);
    return new AttentionModel(manifest, program);
  }

  /** The map [n + 1, n + 1] of two sequences of codes: rows are positions of the target, columns of the source. */
  async map(source: Uint8Array, target: Uint8Array): Promise<Float32Array> {
    const { length } = this.manifest;
    const tokens = (codes: Uint8Array) =>
      new Tensor("int32", Int32Array.from(tokenBatch([codes], this.alphabet, length)), [1, length]);
    const letters = (codes: Uint8Array) => new Tensor("float32", Float32Array.of(codes.length), [1]);
    const { attention } = await this.#program.run({
      "pair.source": tokens(source),
      "pair.target": tokens(target),
      "pair.sourceLengths": letters(source),
      "pair.targetLengths": letters(target),
    });
    return attention.data as Float32Array;
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}
