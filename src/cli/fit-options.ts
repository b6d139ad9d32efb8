/** @file The options of `embranch fit`, and what they come to. */

import { Command, Option } from "commander";
import { DEFAULT_RECIPE, paperRecipe } from "../engine/recipe.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { GEOMETRY_NAMES, type GeometryName } from "../geometry/index.ts";
import { editDistance } from "../kernel/index.ts";
import { DECODERS, type DecoderOptions } from "../nn/decoder.ts";
import { ENCODERS, type EncoderOptions } from "../nn/encoder.ts";
import { LOSSES, type LossOptions } from "../nn/losses.ts";
import { REGULARIZERS, type RegularizerOptions } from "../nn/regularizer.ts";
import type { AlphabetName } from "../sequence/index.ts";
import type { FitOptions } from "../task/fit.ts";
import { listPresets, PRESET_NAMES, presetOptions } from "../task/presets.ts";
import { parseSplit, type Splitting } from "../task/split.ts";
import { listKinds, namedOptions } from "./named.ts";
import {
  notNegative,
  positiveInteger,
  positiveNumber,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { formatCount } from "./progress.ts";
import { boundRules, withTrainingRun, type TrainingRunOptions } from "./training-run.ts";

export interface FitCliOptions extends CommonOptions, TrainingRunOptions {
  val?: string;
  split?: Splitting;
  encoder?: EncoderOptions;
  preset?: string;
  geometry?: GeometryName;
  exponent: boolean;
  dim?: number;
  length?: number;
  recipe: "default" | "paper";
  loss?: LossOptions;
  regularizer?: RegularizerOptions;
  decoder?: DecoderOptions;
  reconstructionWeight?: number;
  latentNoise?: number;
  rate?: Record<string, number>;
  minutes?: number;
  steps?: number;
  batch?: number;
  augmented?: number;
  learningRate?: number;
  weightDecay?: number;
  patience?: number;
  seed: number;
  device: Device;
  alphabet?: AlphabetName;
  costs?: string;
  gap?: number;
  distances?: string;
}

/** What the geometries are, for help. */
const GEOMETRIES: Record<GeometryName, string> = {
  hyperbolic: "points on a sphere of learned radius inside the Poincaré ball; their angle alone counts",
  poincare: "free points of the Poincaré ball, of any radius",
  lorentz: "free points of the hyperboloid, with a learned curvature",
  euclidean: "Euclidean distance",
  square: "squared Euclidean distance",
  manhattan: "sum of the differences of the coordinates",
  cosine: "1 - cosine of the angle",
};

/** Codes of the letters of a word, as the kernel takes them: 0 to 31. */
function codesOf(word: string): Uint8Array {
  return Uint8Array.from(word, (letter) => letter.charCodeAt(0) % 32);
}

/** Checks the name of a preset. */
function presetName(text: string): string {
  if (PRESET_NAMES.includes(text)) return text;
  const distance = (name: string) => editDistance(codesOf(text), codesOf(name));
  const nearest = PRESET_NAMES.reduce((a, b) => (distance(b) < distance(a) ? b : a));
  throw new UsageError(
    `--preset: must be one of those that fit --help lists, the nearest is ${nearest}, got "${text}"`,
  );
}

/** The command, without what it does. */
export function fitOptions(): Command {
  const { maximumSteps, validateEvery, patience, batch, learningRate, optimizer } = DEFAULT_RECIPE;
  const paper = paperRecipe(1);
  const geometries = Object.entries(GEOMETRIES).map(([name, what]) => `  ${name.padEnd(12)} ${what}`);
  const command = new Command("fit")
    .summary("train a model on sequences")
    .description(
      `Trains a model that maps sequences to points whose distances approximate edit distances, and writes it with a report of its held-out error, in percent of the model's length. Without --minutes and --steps, training ends when ${patience} validations, one every ${validateEvery} steps, have brought no improvement, and after ${formatCount(maximumSteps)} steps at most. Ctrl-C saves a checkpoint, and --resume goes on from it; a second Ctrl-C ends at once.`,
    )
    .argument(
      "<seqs>",
      "training sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)",
    )
    .option("-o, --output <file>", "model file", "model.onnx")
    .option("--val <file>", "held-out sequences (default: a tenth of the training file, 1,000 at most)")
    .option(
      "--split <how>",
      "without --val, how they are chosen: random, order or cluster:<identity>, which keeps relatives together (default: random)",
      parseSplit,
    )
    .option("--minutes <t>", "train for this many minutes by the clock", positiveNumber)
    .option("--steps <n>", "train for exactly this many steps (batches), reproducibly", positiveInteger)
    .option(
      "--encoder <name[:option=value,…]>",
      "network and its options, listed below (default: residual; cnn with --recipe paper)",
      namedOptions("encoder", ENCODERS),
    )
    .option(
      "--preset <name>",
      "a paper's network, loss and optimiser, listed below; other options override it, and --recipe paper adds its sampled pairs and leaves out the learned exponent",
      presetName,
    )
    .addOption(
      new Option("--geometry <name>", "space to embed in, described below (default: hyperbolic)").choices(
        GEOMETRY_NAMES,
      ),
    )
    .option("--dim <m>", "dimension of the embedding (default: 128)", positiveInteger)
    .option(
      "--no-exponent",
      "predict by the space's distances as they are, as the papers, not by a learned power",
    )
    .option(
      "--length <n>",
      "greatest length of a sequence, in letters (default: that of the longest one given)",
      positiveInteger,
    )
    .addOption(
      new Option("--recipe <name>", "how to train; `paper` is NeuroSEED's procedure")
        .choices(["default", "paper"])
        .default("default"),
    )
    .option(
      "--loss <name[:option=value,…]>",
      "what training makes small, listed below (default: mse)",
      namedOptions("loss", LOSSES),
    )
    .option(
      "--regularizer <name[:option=value,…]>",
      "what is added to the loss, listed below (default: nothing)",
      namedOptions("regularizer", REGULARIZERS),
    )
    .option(
      "--decoder <name[:option=value,…]>",
      "train what reads points as sequences again, for consensus, listed below (default: none)",
      namedOptions("decoder", DECODERS),
    )
    .option(
      "--reconstruction-weight <x>",
      "with --decoder: weight of its loss, below 1; that of distances has the rest (default: 0.01)",
      positiveNumber,
    )
    .option(
      "--latent-noise <x>",
      "with --decoder: noise that points are decoded with while training, as a multiple of their spread (default: 0.3)",
      notNegative,
    )
    .option(
      "--batch <n>",
      `sequences in a batch (default: ${batch}; ${paper.batch} with --recipe paper, 384 with a loss of triples)`,
      positiveInteger,
    )
    .option(
      "--augmented <n>",
      "of these, how many are made up and labelled exactly (default: a quarter of the batch; none with --recipe paper, --distances or a loss of triples)",
      wholeNumber,
    )
    .option("--learning-rate <x>", `peak learning rate (default: ${learningRate})`, positiveNumber)
    .option(
      "--rate <path=x>",
      "learn the parameters under this path at x times the rate, 0 freezes them (repeatable)",
      rates,
    )
    .option(
      "--weight-decay <x>",
      `strength of weight decay (default: ${optimizer.weightDecay}; 0 with --recipe paper)`,
      notNegative,
    )
    .option(
      "--patience <n>",
      `without --minutes and --steps: validations without improvement after which training ends (default: ${patience}; ${paper.patience}, one an epoch, with --recipe paper)`,
      positiveInteger,
    )
    .option("--costs <file>", "table of substitution costs instead of unit costs (proteins)")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger)
    .option("--distances <file>", "learn these distances (.npy, .phy, .tsv) instead of edit distances");
  withCommonOptions(withDevice(withAlphabet(withSeed(withTrainingRun(command)))));
  command.addHelpText(
    "after",
    `\nEncoders:\n${listKinds(ENCODERS)}\n\nGeometries:\n${geometries.join("\n")}\n\nPresets:\n${listPresets()}\n\nLosses:\n${listKinds(LOSSES)}\n\nRegularizers:\n${listKinds(REGULARIZERS)}\n\nDecoders:\n${listKinds(DECODERS)}`,
  );
  withExamples(command, [
    ["embranch fit reads.fasta.gz --minutes 2 -o model.onnx", "a usable model of 16S reads in two minutes"],
    ["embranch fit train.fasta --val val.fasta --steps 5000 --seed 7 -o m.onnx", "bit-reproducible"],
    ["embranch fit train.fasta --recipe paper -o cnn.onnx", "as the NeuroSEED paper trains its CNN"],
    [
      "embranch fit reads.fasta --preset neuroseed-cnn --geometry euclidean --minutes 5",
      "a paper's network, loss and optimiser",
    ],
    ["embranch fit reads.fasta --encoder gru:hidden=64 --loss mae", "another network, another loss"],
  ]);
  return command;
}

/** Throws on options that do not go together, before anything is read. */
export function checkOptions({
  output,
  minutes,
  steps,
  patience,
  val,
  split,
  distances,
  costs,
  gap,
  reconstructionWeight,
}: FitCliOptions): void {
  const rules: [boolean, string][] = [
    ...boundRules({ minutes, steps, patience }),
    [
      distances !== undefined && costs !== undefined,
      "--distances and --costs cannot be combined; choose one",
    ],
    [
      distances !== undefined && val !== undefined,
      "--distances and --val cannot be combined: held-out sequences come from the matrix; leave --val out",
    ],
    [split !== undefined && val !== undefined, "--split and --val cannot be combined; choose one"],
    [gap !== undefined && costs === undefined, "--gap needs --costs"],
    [
      reconstructionWeight !== undefined && reconstructionWeight >= 1,
      `--reconstruction-weight must be below 1, got ${reconstructionWeight}`,
    ],
    [output === "-", "--output must be a file, got standard output"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`fit: ${rule}`);
}

/** What is trained and how, with explicit options laid over those of a preset. */
export function modelOptions(options: FitCliOptions): FitOptions {
  const { encoder, regularizer, geometry, dim, exponent, recipe, split } = options;
  const { decoder, reconstructionWeight, latentNoise } = options;
  const preset = options.preset === undefined ? undefined : presetOptions(options.preset, geometry);
  return {
    ...preset,
    ...given({ encoder, regularizer, decoder, reconstructionWeight, latentNoise, geometry, dim, split }),
    // The recipe decides, unless there is to be none.
    ...(!exponent && { exponent }),
    recipe,
    settings: laidOver(preset?.settings, settings(options)),
  };
}

/** The options that are given. */
function given<Options extends object>(options: Options): Partial<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Partial<Options>;
}

/** Settings of a preset with others laid over them, those of the optimiser one by one. */
function laidOver(
  base: FitOptions["settings"] = {},
  over: FitOptions["settings"] = {},
): FitOptions["settings"] {
  return { ...base, ...over, optimizer: { ...base.optimizer, ...over.optimizer } };
}

/** Collects `path=multiple` options. */
function rates(text: string, before: Record<string, number> = {}): Record<string, number> {
  const [path, multiple] = text.split("=");
  return { ...before, [path]: notNegative(multiple ?? "") };
}

function settings({ batch, augmented, learningRate, weightDecay, loss, patience, rate }: FitCliOptions) {
  return {
    ...given({ batch, augmented, learningRate, loss, patience, rates: rate }),
    ...(weightDecay === undefined ? {} : { optimizer: { weightDecay } }),
  };
}
