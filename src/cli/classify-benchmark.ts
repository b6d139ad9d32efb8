/** @file `embranch classify benchmark`: classifiers compared on many data sets. */

import { Command, Option } from "commander";
import type { Device } from "../engine/run.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { CLASSIFIERS, type ClassifierOptions } from "../nn/classifier.ts";
import { alphabetNamed, type AlphabetName } from "../sequence/index.ts";
import {
  modelLabel,
  type BenchmarkBudget,
  type BenchmarkSet,
  type BenchmarkSettings,
} from "../task/classify/benchmark.ts";
import { benchmarkFile, benchmarkPaths, type SkippedSet } from "../task/classify/benchmark-files.ts";
import { benchmarkRun } from "./benchmark-run.ts";
import { withNetworks } from "./classifier-help.ts";
import {
  classifierSettings,
  withClassifierRecipe,
  type ClassifierRecipeOptions,
} from "./classifier-recipe.ts";
import { withColumns, type ColumnOptions } from "./classify-data.ts";
import { commandLine } from "./command-line.ts";
import { namedOptions } from "./named.ts";
import {
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { Progress } from "./progress.ts";

interface BenchmarkCliOptions extends CommonOptions, ColumnOptions, ClassifierRecipeOptions {
  output: string;
  models?: ClassifierOptions[];
  seeds: number[];
  minutes?: number;
  steps?: number;
  epochs?: number;
  length?: number;
  splitSeed: number;
  alphabet?: AlphabetName;
  device: Device;
}

/** Minutes that a model is trained for where nothing is said. */
const MINUTES = 10;

const model = namedOptions<ClassifierOptions>("models", CLASSIFIERS);

/** Parses `cnn,hcnn:channels=16,dropout=0.2`, and adds to what was given before. */
function models(text: string, before: ClassifierOptions[] = []): ClassifierOptions[] {
  const found: string[] = [];
  for (const word of text.split(",")) {
    // An option of the model before, where there is one.
    if (word.includes("=") && !word.includes(":") && found.length > 0) found.push(`${found.pop()},${word}`);
    else found.push(word);
  }
  return [...before, ...found.map(model)];
}

/** `words` is the command line as it was given, for the report. */
export function classifyBenchmarkCommand(words: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("benchmark")
    .summary("compare classifiers on many data sets")
    .description(
      "Trains every model on every data set with every seed, all with the same split, batches and budget, chooses its state by dev and measures it on test. Each result is appended to <folder>/benchmark.jsonl at once: the same command goes on with the runs that have none, of which one that was stopped is begun anew, and several at a time share the work of one folder. At the end a table is written to summary.md and summary.json: correlations, differences by pairs of one seed, and sets won.",
    )
    .argument("<data...>", "data sets, as `classify fit` takes them, and folders of such")
    .requiredOption("-o, --output <folder>", "folder for the results and the table")
    .option(
      "--models <name[:option=value,…],…>",
      "networks and their options, listed below (repeatable; default: all)",
      models,
    )
    .addOption(
      new Option("--seeds <list>", "seeds of the runs")
        .argParser(positiveIntegers)
        .default([1, 2, 3], "1,2,3"),
    )
    .option(
      "--minutes <t>",
      `train each model for this many minutes (default: ${MINUTES}, without --steps and --epochs)`,
      positiveNumber,
    )
    .option("--steps <n>", "train for this many steps (batches), reproducibly", positiveInteger)
    .option("--epochs <n>", "train for this many passes over the training sequences", positiveInteger)
    .option(
      "--length <n>",
      "letters that are seen of a sequence (default: those of the longest, 1,000 at most)",
      positiveInteger,
    )
    .option("--split-seed <n>", "seed of the splits of sets that have none", wholeNumber, 1);
  withCommonOptions(withDevice(withAlphabet(withColumns(withClassifierRecipe(command)))));
  withExamples(withNetworks(command), [
    ["embranch classify benchmark gue -o results --minutes 10", "three networks on all sets of a folder"],
    [
      "embranch classify benchmark mouse_2.csv tf_0.csv -o results --models cnn,hcnn:dropout=0.2 --steps 2000 --seeds 1,2,3,4,5",
      "two networks on two sets, five pairs each",
    ],
  ]);
  return command.action((paths: string[], options: BenchmarkCliOptions) =>
    run(paths, options, commandLine(words)),
  );
}

async function run(paths: readonly string[], options: BenchmarkCliOptions, line: string): Promise<void> {
  const { seeds, quiet } = options;
  const settings = settingsOf(options);
  const chosen = options.models ?? (["cnn", "hcnn", "hcnn-multi"] as const).map((name) => ({ name }));
  const models = [...new Map(chosen.map((each) => [modelLabel(each), each])).values()];
  const { sets, skipped } = await loadSets(paths, options);
  if (sets.length === 0) {
    const what = skipped.map(({ name, reason }) => `"${name}" ${reason}`).join(", ");
    throw new EmbranchError(`benchmark: some data set must have train and test, got none: ${what}`);
  }
  const title = "Classifiers compared";
  await benchmarkRun(
    { sets, models, seeds, settings },
    { ...options, title, label: "benchmark", quiet, results: "benchmark", table: "summary", skipped, line },
  );
}

/** Reads all sets once. */
async function loadSets(
  paths: readonly string[],
  { sequenceColumn, labelColumn, splitColumn, alphabet, splitSeed, length, quiet }: BenchmarkCliOptions,
): Promise<{ sets: BenchmarkSet[]; skipped: SkippedSet[] }> {
  const reading = {
    sequence: sequenceColumn,
    label: labelColumn,
    split: splitColumn,
    alphabet: alphabet && alphabetNamed(alphabet),
    splitSeed,
    length,
  };
  const found = await benchmarkPaths(paths, reading);
  const progress = new Progress("reading", { total: found.length, unit: "data sets", quiet });
  const sets: BenchmarkSet[] = [];
  const skipped: SkippedSet[] = [];
  try {
    for (const [at, each] of found.entries()) {
      progress.update(at, { message: each.name });
      const set = await benchmarkFile(each, reading);
      if ("reason" in set) {
        skipped.push(set);
        progress.note(`${set.name}: ${set.reason}, and is left out`);
      } else {
        sets.push(set);
      }
    }
  } finally {
    progress.stop();
  }
  return { sets, skipped };
}

function settingsOf(options: BenchmarkCliOptions): BenchmarkSettings {
  const { minutes, steps, epochs, recipe, length } = options;
  const budgets = Object.entries({ minutes, steps, epochs }).filter(([, value]) => value !== undefined);
  if (budgets.length > 1) {
    const got = budgets.map(([name]) => `--${name}`).join(" and ");
    throw new UsageError(`classify benchmark: ${got} cannot be combined; choose one`);
  }
  const settings = classifierSettings(options);
  const budget = (
    budgets.length === 0 ? { minutes: MINUTES } : Object.fromEntries(budgets)
  ) as BenchmarkBudget;
  return {
    budget,
    recipe,
    ...(settings !== undefined && { settings }),
    ...(length !== undefined && { length }),
  };
}
