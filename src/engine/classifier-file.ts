/**
 * @file A classifier's file: one `.onnx` that any ONNX runtime can run, with a manifest of ours inside.
 *
 * Input `tokens` is int32 [batch, n]: codes of the alphabet's letters, `letters.length` for others, and one more beyond
 * the end of a sequence. Outputs are float32 `probabilities` [batch, classes] and `features` [batch, width]: what the
 * classes are told by, of a hyperbolic network the space coordinates of points of the hyperboloid of radius² k.
 */

import { init } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { alphabetNamed, type Alphabet } from "../sequence/index.ts";
import { ClassifierModel, classifierTokens, type ClassifierConfig } from "./classifier-model.ts";
import { lower } from "./lower.ts";
import { compile, frozen, METADATA_KEY, openBatch, parseManifest, readModelFile } from "./model-file.ts";
import { Tensor, type Program, type ProgramOptions } from "./run.ts";
import type { Values } from "./training.ts";

const MAKER = "embranch classify fit";

const manifestSchema = z.object({
  /** Version of this manifest. */
  version: z.literal(1),
  embranch: z.string(),
  alphabet: z.enum(["dna", "protein"]),
  /** Letters by token. */
  letters: z.string(),
  /** Length n that sequences are padded to, or cut. */
  length: z.int().positive(),
  /** Names of the classes, in the order of the probabilities. */
  classes: z.array(z.string()).min(2),
  network: z.looseObject({ name: z.string() }),
  /** Radius² k of the hyperboloid that features are points of. */
  radiusSquared: z.number().positive().optional(),
  training: z.object({
    sequences: z.int().nonnegative(),
    digest: z.string(),
    seed: z.int(),
    /** How it was trained. */
    recipe: z.looseObject({ name: z.string() }),
    steps: z.int().nonnegative(),
  }),
  /** What it was chosen by. */
  validation: z.object({
    sequences: z.int(),
    mcc: z.number(),
    /** How it was drawn from the training sequences, where it was. */
    drawn: z.object({ share: z.number(), length: z.int().positive() }).optional(),
  }),
});

/** What a classifier's file says of itself. */
export type ClassifierManifest = z.infer<typeof manifestSchema>;

/** The bytes of a classifier's file. */
export async function encodeClassifier(
  config: ClassifierConfig,
  values: Values,
  manifest: ClassifierManifest,
): Promise<Uint8Array> {
  await init("wasm");
  const model = new ClassifierModel(config);
  const { length, classes } = config.shape;
  const batch = openBatch([length, classes, model.parameters.size, model.statistics.size]);
  const infer = (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
    model.infer(parameters, statistics, tokens);
  const { bytes } = lower(
    infer,
    {
      parameters: frozen(values.parameters),
      statistics: frozen(values.statistics),
      tokens: { shape: [batch, length], type: "int32" },
    },
    {
      batch,
      outputs: ["probabilities", "features"],
      metadata: { [METADATA_KEY]: JSON.stringify(manifest) },
    },
  );
  return bytes;
}

/** Sequences classified at a time. */
const BLOCK = 256;

/** Answers about sequences, row by row. */
export interface Classifications {
  /** [count, classes] */
  probabilities: Float32Array;
  /** [count, width] */
  features: Float32Array;
}

/** A trained classifier, ready to use. */
export class ClassifierFile {
  readonly manifest: ClassifierManifest;
  readonly alphabet: Alphabet;
  readonly #program: Program;

  private constructor(manifest: ClassifierManifest, program: Program) {
    this.manifest = manifest;
    this.alphabet = alphabetNamed(manifest.alphabet);
    this.#program = program;
  }

  /** Loads a classifier's file. Throws an `EmbranchError` where it is none, or is damaged. */
  static async load(path: string, options: ProgramOptions = {}): Promise<ClassifierFile> {
    return ClassifierFile.decode(await readModelFile(path), path, options);
  }

  /** A classifier from the bytes of its file; `file` names it in errors. */
  static async decode(
    bytes: Uint8Array,
    file: string,
    options: ProgramOptions = {},
  ): Promise<ClassifierFile> {
    const manifest = parseManifest(bytes, { file, schema: manifestSchema, maker: MAKER });
    return new ClassifierFile(manifest, await compile(bytes, { ...options, file, maker: MAKER }));
  }

  /** Classifies sequences of codes, some at a time; what is beyond the model's length is not seen. */
  async *blocks(sequences: readonly Uint8Array[]): AsyncGenerator<Classifications, void, undefined> {
    const { length } = this.manifest;
    for (let start = 0; start < sequences.length; start += BLOCK) {
      const block = sequences.slice(start, start + BLOCK);
      const tokens = classifierTokens(block, this.alphabet, length);
      const { probabilities, features } = await this.#program.run({
        tokens: new Tensor("int32", tokens, [block.length, length]),
      });
      yield {
        probabilities: probabilities.data as Float32Array,
        features: features.data as Float32Array,
      };
    }
  }

  /** Classifies sequences of codes at once, as `blocks` does. */
  async classify(sequences: readonly Uint8Array[]): Promise<Classifications> {
    const blocks: Classifications[] = [];
    for await (const block of this.blocks(sequences)) blocks.push(block);
    return {
      probabilities: joined(blocks.map(({ probabilities }) => probabilities)),
      features: joined(blocks.map(({ features }) => features)),
    };
  }

  close(): Promise<void> {
    return this.#program.close();
  }
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
