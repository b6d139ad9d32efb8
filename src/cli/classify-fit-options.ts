/** @file The options of `embranch classify fit`, and what they come to. */

import { Command } from "commander";
import { CLASSIFIER_RECIPE } from "../engine/classifier-trainer.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { CLASSIFIERS, type ClassifierOptions } from "../nn/classifier.ts";
import type { AlphabetName } from "../sequence/index.ts";
import type { ClassifyFitOptions } from "../task/classify/fit.ts";
import { withNetworks } from "./classifier-help.ts";
import {
  classifierSettings,
  withClassifierRecipe,
  type ClassifierRecipeOptions,
} from "./classifier-recipe.ts";
import { LABELLED_DATA, withColumns, type ColumnOptions } from "./classify-data.ts";
import { namedOptions } from "./named.ts";
import {
  positiveInteger,
  positiveNumber,
  share,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { formatCount } from "./progress.ts";
import { boundRules, withTrainingRun, type TrainingRunOptions } from "./training-run.ts";

export interface ClassifyFitCliOptions
  extends CommonOptions, ColumnOptions, ClassifierRecipeOptions, TrainingRunOptions {
  model?: ClassifierOptions;
  minutes?: number;
  steps?: number;
  length?: number;
  devShare?: number;
  patience?: number;
  seed: number;
  device: Device;
  alphabet?: AlphabetName;
}

/** The command, without what it does. */
export function classifyFitOptions(): Command {
  const { maximumSteps, validateEvery, patience } = CLASSIFIER_RECIPE;
  const command = new Command("fit")
    .summary("train a classifier on labelled sequences")
    .description(
      `Trains a network that tells the classes of sequences and writes it with a report. It learns from train, and of the states it goes through the one with the greatest Matthews correlation (MCC) on dev is kept; test is not looked at. Where there is no dev part, some of train is drawn for it, copies together. Without --minutes and --steps, training ends when ${patience} validations, one every ${validateEvery} steps, have brought no improvement, and after ${formatCount(maximumSteps)} steps at most. Ctrl-C saves a checkpoint, and --resume goes on from it; a second Ctrl-C ends at once.`,
    )
    .argument("<data>", LABELLED_DATA)
    .option("-o, --output <file>", "model file", "model.onnx")
    .option(
      "--model <name[:option=value,…]>",
      "network and its options, listed below (default: hcnn)",
      namedOptions("model", CLASSIFIERS),
    )
    .option("--minutes <t>", "train for this many minutes by the clock", positiveNumber)
    .option("--steps <n>", "train for exactly this many steps (batches), reproducibly", positiveInteger)
    .option(
      "--length <n>",
      "letters of a sequence that are seen (default: those of the longest training sequence, 1,000 at most)",
      positiveInteger,
    )
    .option(
      "--dev-share <x>",
      "where there is no dev part: share of train drawn for it (default: 0.1)",
      share,
    );
  withClassifierRecipe(withColumns(command)).option(
    "--patience <n>",
    `without --minutes and --steps: validations without improvement after which training ends (default: ${patience}; 100, one an epoch, with --recipe paper)`,
    positiveInteger,
  );
  withCommonOptions(withDevice(withAlphabet(withSeed(withTrainingRun(command)))));
  return withExamples(withNetworks(command), [
    [
      "embranch classify fit promoters.csv --minutes 5 -o promoters.onnx",
      "with the split that the table has",
    ],
    [
      "embranch classify fit sites.csv --model cnn:dropout=0.3 --steps 2000 --seed 7 -o sites.onnx",
      "the network in Euclidean space, bit-reproducible",
    ],
    [
      "embranch classify fit families/ --reverse-complement 0.5 --class-weights balanced -o families.onnx",
      "a folder with a FASTA file for each class, of either strand and of unequal sizes",
    ],
  ]);
}

/** Throws on options that do not go together, before anything is read. */
export function checkClassifyFit({
  output,
  minutes,
  steps,
  patience,
  devShare,
}: ClassifyFitCliOptions): void {
  const rules: [boolean, string][] = [
    ...boundRules({ minutes, steps, patience }),
    [devShare === 0 || devShare === 1, `--dev-share must be above 0 and below 1, got ${devShare}`],
    [output === "-", "--output must be a file, got standard output"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`classify fit: ${rule}`);
}

/** What is trained and how. */
export function classifySettings(options: ClassifyFitCliOptions): ClassifyFitOptions {
  const { model, recipe, patience, length, devShare, minutes, steps, seed, threads, device } = options;
  const { checkpointSeconds, resume } = options;
  return {
    network: model,
    recipe,
    settings: { ...classifierSettings(options), ...(patience !== undefined && { patience }) },
    length,
    devShare,
    minutes,
    steps,
    seed,
    threads,
    device,
    checkpointSeconds,
    resume,
  };
}
