/** @file How classifiers are trained, on the command line: options of the recipe, and what they come to. */

import { Option, type Command } from "commander";
import { CLASSIFIER_RECIPE, type ClassifierRecipe } from "../engine/classifier-trainer.ts";
import { UsageError } from "../error.ts";
import type { ClassifyFitOptions } from "../task/classify/fit.ts";
import { notNegative, positiveInteger, positiveNumber, share, wholeNumber } from "./options.ts";

export interface ClassifierRecipeOptions {
  recipe: "default" | "paper";
  batch?: number;
  learningRate?: number;
  curvatureRate?: number;
  weightDecay?: number;
  reverseComplement?: number;
  shift?: number;
  mutation?: number;
  labelSmoothing?: number;
  classWeights?: ClassifierRecipe["classWeights"];
}

/** Adds the options of the recipe. */
export function withClassifierRecipe(command: Command): Command {
  const { batch, learningRate, labelSmoothing, curvatureRate, optimizer } = CLASSIFIER_RECIPE;
  return command
    .addOption(
      new Option("--recipe <name>", "how to train; `paper` is that of Hyperbolic Genome Embeddings")
        .choices(["default", "paper"])
        .default("default"),
    )
    .option("--batch <n>", `sequences in a batch (default: ${batch})`, positiveInteger)
    .option(
      "--learning-rate <x>",
      `peak learning rate (default: ${learningRate}; 1e-5 with --recipe paper)`,
      positiveNumber,
    )
    .option(
      "--curvature-rate <x>",
      `multiple of it for curvatures; 0 keeps them at -1 (default: ${curvatureRate}; 10 with --recipe paper)`,
      notNegative,
    )
    .option("--weight-decay <x>", `strength of weight decay (default: ${optimizer.weightDecay})`, notNegative)
    .option(
      "--reverse-complement <x>",
      "chance that a sequence is seen as its reverse complement (default: 0)",
      share,
    )
    .option(
      "--shift <n>",
      "letters at most that a sequence is moved by while training (default: 0)",
      wholeNumber,
    )
    .option("--mutation <x>", "chance that a letter is seen as another letter (default: 0)", share)
    .option(
      "--label-smoothing <x>",
      `share of the labels that is spread over all classes (default: ${labelSmoothing}; 0 with --recipe paper)`,
      share,
    )
    .addOption(
      new Option(
        "--class-weights <how>",
        "what sequences count: all the same, or less the larger their class (default: equal)",
      ).choices(["equal", "balanced"]),
    );
}

/** What is set beside the recipe; nothing where nothing is. Throws a `UsageError` on what cannot be. */
export function classifierSettings(options: ClassifierRecipeOptions): ClassifyFitOptions["settings"] {
  const { batch, learningRate, weightDecay, reverseComplement, shift, mutation } = options;
  const { curvatureRate, labelSmoothing, classWeights } = options;
  if (labelSmoothing === 1) throw new UsageError("--label-smoothing: must be below 1, got 1");
  const settings = Object.entries({
    batch,
    learningRate,
    curvatureRate,
    reverseComplement,
    shift,
    mutation,
    labelSmoothing,
    classWeights,
    optimizer: weightDecay === undefined ? undefined : { weightDecay },
  }).filter(([, value]) => value !== undefined);
  return settings.length === 0 ? undefined : Object.fromEntries(settings);
}
