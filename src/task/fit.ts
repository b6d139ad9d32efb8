/**
 * @file `fit`: sequences in, a model of their edit distances out.
 */

import { createHash } from "node:crypto";
import { EmbranchError, UsageError } from "../error.ts";
import { Layout } from "../engine/layout.ts";
import { DistanceModel, type DecoderConfig, type ModelConfig } from "../engine/model.ts";
import { encodeAttention, encodeDecoder, encodeModel, type Manifest } from "../engine/model-file.ts";
import { kernelAligner, KernelOracle, MatrixOracle } from "../engine/labels.ts";
import type { Recipe } from "../engine/recipe.ts";
import { train } from "../engine/trainer.ts";
import type { TrainProgress, TrainResult } from "../engine/training.ts";
import type { Device } from "../engine/run.ts";
import type { GeometryName, SpaceOptions } from "../geometry/index.ts";
import { EditDistances, packCodes, type Costs } from "../kernel/index.ts";
import { completeDecoder, type DecoderOptions } from "../nn/decoder.ts";
import { completeOptions, startedAsPapers, type EncoderOptions } from "../nn/encoder.ts";
import type { ParameterTree } from "../nn/parameter.ts";
import type { RegularizerOptions } from "../nn/regularizer.ts";
import { findUniques, Random, subset, type SequenceSet } from "../sequence/index.ts";
import { condensedLength, condensedSubset, pairsWithin, type PairList } from "../sequence/condensed.ts";
import { VERSION } from "../version.ts";
import { recipeOf, spaceOf } from "./fit-recipe.ts";
import { divideBy, type SplitParts, type Splitting } from "./split.ts";

export interface FitOptions {
  /** Held-out sequences; by default a tenth of the different ones, 1,000 at most. */
  validation?: SequenceSet;
  /** How these are chosen (default at random); `cluster` keeps relatives together. */
  split?: Splitting;
  /** Default `residual`; `cnn` with `recipe: "paper"`. */
  encoder?: EncoderOptions;
  /** Default `hyperbolic`. */
  geometry?: GeometryName;
  /**
   * Sequences of a family, where distances count within families only: both sets come one family after the other,
   * and a batch of all pairs is of one family.
   */
  family?: number;
  /** Learn a power of the distance (default true, but for `recipe: "paper"`). */
  exponent?: boolean;
  /** Settings of the space; by default what suits the recipe. */
  space?: SpaceOptions;
  /** What is added to the loss while training (default: nothing). */
  regularizer?: RegularizerOptions;
  /** What is to read points as sequences again, trained along (default: nothing). */
  decoder?: DecoderOptions;
  /** With a decoder: weight of its cross-entropy, 0 to 1; the loss of distances has the rest (default 0.01). */
  reconstructionWeight?: number;
  /**
   * With a decoder: how far points are moved at random before they are decoded, in each coordinate, as a multiple of
   * how far they spread in one (default 0.3).
   */
  latentNoise?: number;
  /** Dimension m of the embedding (default 128). */
  dim?: number;
  /** Greatest length n of a sequence; by default that of the longest one given. */
  length?: number;
  /** `default`, or the papers' procedure; fields of it can be set one by one. */
  recipe?: "default" | "paper";
  settings?: Partial<Omit<Recipe, "name">>;
  /** Wall-clock bound on training. */
  minutes?: number;
  /** Exact number of training steps. */
  steps?: number;
  /** Seed of everything random (default 1). */
  seed?: number;
  threads?: number;
  device?: Device;
  /** Costs of edits; by default each costs 1. */
  costs?: Costs;
  /**
   * Distances of all pairs of `sequences`, condensed, instead of edit distances. Held-out sequences then come
   * from among them, and no sequences are made up.
   */
  distances?: ArrayLike<number>;
  /** File that checkpoints are kept in; it stays when training is done. */
  checkpoint?: string;
  /** Seconds between checkpoints (default 20). */
  checkpointSeconds?: number;
  /** Go on from the checkpoint. */
  resume?: boolean;
  /** Aborting it saves a checkpoint and ends the run with `Interrupted`. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
  /** Told once, before training: what will be trained on what, and for how long. */
  onStart?: (plan: FitPlan) => void;
}

/** What is about to be trained. */
export interface FitPlan {
  training: number;
  validation: number;
  length: number;
  dim: number;
  geometry: GeometryName;
  /** Of the encoder and the space. */
  parameters: number;
  /** Further ones of the regulariser, which only training needs. */
  regularizerParameters?: number;
  /** Further ones of the decoder. */
  decoderParameters?: number;
  /** Of sequences that were kept together where some of those given were held out. */
  groups?: SplitParts["groups"];
  recipe: Recipe;
}

export interface FitResult {
  /** The model file's bytes. */
  model: Uint8Array;
  /** Of a model with attention maps: the bytes of the file that draws them. */
  attention?: Uint8Array;
  /** Of a model with a decoder: the bytes of the file that reads its points. */
  decoder?: Uint8Array;
  manifest: Manifest;
  training: TrainResult;
  /** The held-out sequences that the model was chosen by, and the exact distances of all pairs, condensed, or of `pairs`. */
  validation: { set: SequenceSet; distances: ArrayLike<number>; pairs?: PairList };
}

/** Held-out sequences that are validated on at most: half a million pairs say enough. */
const MOST_VALIDATED = 1000;
/** And at least, where there are as many again to train on: two would be one pair. */
const FEWEST_VALIDATED = 3;
/** Share of the sequences that is held out where none are given. */
const HELD_OUT = 0.1;

/** SHA-256 of a data set: names, alphabet and letters. */
export function digestOf(sets: readonly SequenceSet[]): string {
  const hash = createHash("sha256");
  for (const { ids, codes, alphabet } of sets) {
    hash.update(alphabet.name);
    codes.forEach((sequence, i) => {
      hash.update(`\n${ids[i]}\n`);
      hash.update(sequence);
    });
  }
  return hash.digest("hex");
}

/** What a checkpoint must agree with: the data, and where its labels come from. */
function labelDigest(data: string, { costs, distances, family }: FitOptions): string {
  const hash = createHash("sha256").update(data);
  if (costs !== undefined) hash.update(costs.substitution).update(String(costs.gap));
  if (distances !== undefined) hash.update(Float64Array.from(distances));
  if (family !== undefined) hash.update(`families of ${family}`);
  return hash.digest("hex");
}

/** The encoder that is asked for, or else that of the recipe. */
function encoderOf({ encoder, recipe }: FitOptions): EncoderOptions {
  if (recipe !== "paper") return encoder ?? { name: "residual" };
  return startedAsPapers(encoder ?? { name: "cnn" });
}

/** Weight of a reconstruction beside the loss of distances. */
const RECONSTRUCTION_WEIGHT = 0.01;
/** Noise that points are decoded with, as a share of their spread. */
const LATENT_NOISE = 0.3;

/** The decoder that is asked for. */
function decoderOf({ decoder, reconstructionWeight, latentNoise }: FitOptions): DecoderConfig | undefined {
  if (decoder === undefined) {
    if ((reconstructionWeight ?? latentNoise) === undefined) return undefined;
    throw new UsageError("reconstruction weight and latent noise need a decoder; choose one with --decoder");
  }
  const weight = reconstructionWeight ?? RECONSTRUCTION_WEIGHT;
  if (!(weight > 0 && weight < 1)) {
    throw new UsageError(`reconstruction weight: must be above 0 and below 1, got ${weight}`);
  }
  return { network: completeDecoder(decoder), weight, noise: latentNoise ?? LATENT_NOISE };
}

/** What the manifest says of a decoder. */
function manifestOf({ network, weight, noise }: DecoderConfig): Manifest["decoder"] {
  return { ...network, reconstructionWeight: weight, latentNoise: noise };
}

/** What is trained on and what is held out. */
interface Division {
  training: SequenceSet;
  validation: SequenceSet;
  /** Positions of both among the sequences given, where both come from there. */
  indices?: { training: Uint32Array; validation: Uint32Array };
  groups?: SplitParts["groups"];
}

async function divide(
  sequences: SequenceSet,
  { validation: given, family, split = { by: "random" }, seed = 1, threads }: FitOptions,
): Promise<Division> {
  if (given !== undefined) {
    if (given.alphabet !== sequences.alphabet) {
      throw new UsageError(
        `validation: must be ${sequences.alphabet.name} as the training sequences are, got ${given.alphabet.name}`,
      );
    }
    const count = given.ids.length;
    const chosen = () =>
      family === undefined
        ? new Random(seed).fork("held out").sample(count, MOST_VALIDATED).sort()
        : Uint32Array.from(
            { length: Math.max(family, MOST_VALIDATED - (MOST_VALIDATED % family)) },
            (_, i) => i,
          );
    const validation = count <= MOST_VALIDATED ? given : subset(given, chosen());
    return { training: sequences, validation };
  }
  if (family !== undefined) throw new UsageError("family: needs validation sequences, family by family");
  // Copies of one sequence on both sides would flatter the error, so only different ones are split.
  const { representatives } = findUniques(sequences.codes);
  if (representatives.length < 4) {
    throw new EmbranchError(
      `sequences: must be at least 4 different ones to train on some and hold out others, got ${representatives.length}; add more`,
    );
  }
  const count = representatives.length;
  const heldOut = Math.max(
    Math.min(FEWEST_VALIDATED, Math.floor(count / 2)),
    Math.min(HELD_OUT * count, MOST_VALIDATED),
  );
  const { groups, ...indices } = await divideBy(sequences, split, {
    validation: heldOut / count,
    seed,
    threads,
  });
  return {
    training: subset(sequences, indices.training),
    validation: subset(sequences, indices.validation),
    indices,
    groups,
  };
}

/** Distances of the pairs, or of all. */
function heldOutDistances(
  kernel: EditDistances,
  sequences: readonly Uint8Array[],
  pairs: PairList | undefined,
  costs: Costs | undefined,
): Promise<ArrayLike<number>> {
  const packed = packCodes(sequences);
  if (pairs === undefined) return kernel.allPairs(packed, { costs });
  return kernel.pairs(packed, pairs.left, pairs.right, { costs });
}

/**
 * Trains an encoder so that distances between embedded sequences approximate their edit distances.
 *
 * The run is bounded by `minutes`, by `steps`, or by early stopping on the held-out sequences. With `steps` it
 * is a pure function of the data, the seed and the number of threads.
 *
 * @throws UsageError on options that contradict each other or the data
 * @throws Interrupted when the signal is aborted
 * @throws EmbranchError on fewer than four different sequences, when training fails, or a checkpoint is of another run
 */
export async function fit(sequences: SequenceSet, options: FitOptions = {}): Promise<FitResult> {
  const { seed = 1, geometry = "hyperbolic", dim = 128, minutes, steps, threads, costs } = options;
  const { training, validation, indices, groups } = await divide(sequences, options);
  if (options.distances !== undefined && indices === undefined) {
    throw new UsageError(
      "distances: cannot be combined with a validation file; held-out sequences come from the matrix",
    );
  }
  const longest = Math.max(training.maxLength, validation.maxLength);
  const { length = longest } = options;
  if (length < longest) {
    throw new UsageError(`length: must be at least ${longest}, the longest sequence, got ${length}`);
  }

  const recipe = recipeOf(options, training.ids.length);
  const config: ModelConfig = {
    encoder: completeOptions(encoderOf(options)),
    shape: { length, letters: sequences.alphabet.size, dim },
    geometry,
    space: spaceOf(geometry, options, recipe),
    regularizer: options.regularizer,
    decoder: decoderOf(options),
  };
  const model = new DistanceModel(config);
  const sizeOf = (part: { parameters: ParameterTree } | undefined) =>
    part === undefined ? undefined : new Layout(part.parameters).size;
  const [regularizerParameters, decoderParameters] = [sizeOf(model.regularizer), sizeOf(model.decoder)];
  options.onStart?.({
    training: training.ids.length,
    validation: validation.ids.length,
    length,
    dim,
    geometry,
    parameters: model.parameters.size - (regularizerParameters ?? 0) - (decoderParameters ?? 0),
    regularizerParameters,
    decoderParameters,
    groups,
    recipe,
  });

  const digest = digestOf([training, validation]);
  const kernel = await EditDistances.create({ threads });
  try {
    const given = options.distances;
    const among = (all: ArrayLike<number>, chosen: Uint32Array) =>
      condensedSubset(all, sequences.ids.length, chosen, new Float32Array(condensedLength(chosen.length)));
    const oracle =
      given === undefined
        ? new KernelOracle(kernel, training.codes, { costs })
        : new MatrixOracle(among(given, indices!.training), training.ids.length);
    const { family } = options;
    const pairs = family === undefined ? undefined : pairsWithin(validation.ids.length, family);
    const distances =
      given === undefined
        ? await heldOutDistances(kernel, validation.codes, pairs, costs)
        : among(given, indices!.validation);
    const result = await train({
      model: config,
      recipe,
      sequences: training.codes,
      alphabet: sequences.alphabet,
      oracle,
      align: kernelAligner(kernel),
      validation: { sequences: validation.codes, distances, pairs },
      family,
      seed,
      minutes,
      steps,
      threads,
      device: options.device,
      checkpoint: options.checkpoint,
      checkpointSeconds: options.checkpointSeconds,
      resume: options.resume,
      digest: labelDigest(digest, options),
      signal: options.signal,
      onProgress: options.onProgress,
    });
    const parameters = model.spaceParameters(result.parameters);
    const manifest: Manifest = {
      version: 1,
      embranch: VERSION,
      alphabet: sequences.alphabet.name,
      letters: sequences.alphabet.letters.slice(0, sequences.alphabet.size),
      length,
      dim,
      encoder: { ...config.encoder },
      ...(config.decoder && { decoder: manifestOf(config.decoder) }),
      geometry,
      space: {
        options: { ...model.space.options },
        parameters,
        constants: model.space.constants(parameters),
      },
      training: {
        sequences: training.ids.length,
        digest,
        seed,
        recipe: recipe.name,
        loss: recipe.loss.name,
        ...(model.regularizer && { regularizer: config.regularizer!.name }),
        steps: result.steps,
      },
      validation: {
        sequences: validation.ids.length,
        pairs: distances.length,
        percentRmse: result.validation,
      },
    };
    return {
      model: await encodeModel(config, result, manifest),
      attention:
        model.regularizer === undefined ? undefined : await encodeAttention(config, result, manifest),
      decoder: model.decoder === undefined ? undefined : await encodeDecoder(config, result, manifest),
      manifest,
      training: result,
      validation: { set: validation, distances, pairs },
    };
  } finally {
    await kernel.close();
  }
}
