/** @file `embranch bench papers`: the papers' tables, made with our code, beside their numbers. */

import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { CONDITION_GRIDS, type ConditionGrid } from "../bench/hge-conditions.ts";
import { paperData, syntheticData, type PaperData } from "../bench/paper-data.ts";
import {
  chooseCells,
  DIMENSION_ENCODERS,
  PAPER_TABLES,
  paperTable,
  type DimensionEncoder,
  type PaperTableName,
  type PaperTableOptions,
} from "../bench/paper-tables.ts";
import { papersJson, papersMarkdown, papersReport } from "../bench/papers-report.ts";
import { runPapers, type Budget, type CellResult } from "../bench/papers.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { REGULARIZERS, type RegularizerOptions } from "../nn/regularizer.ts";
import { ResultFolder } from "../result-folder.ts";
import { explain } from "../system-error.ts";
import { TUNED_SETS, type TunedSet } from "../task/presets.ts";
import { loadSequences } from "./load.ts";
import {
  positiveInteger,
  positiveIntegers,
  positiveNumber,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { commandLine } from "./command-line.ts";
import { interruption } from "./signals.ts";
import { namedOptions } from "./named.ts";
import { openOutput, writeChunks } from "./output.ts";
import { Progress } from "./progress.ts";

interface PapersCliOptions extends CommonOptions {
  table: PaperTableName | typeof CONDITIONS;
  grid: ConditionGrid;
  output: string;
  budget?: Budget;
  seeds: number[];
  only?: string[];
  data?: string;
  train?: string;
  val?: string;
  test?: string;
  as: TunedSet;
  dim: number;
  encoder: DimensionEncoder;
  share: number;
  length: number;
  recipe: "default" | "paper";
  exponent: boolean;
  lambdas: number[];
  regularizer?: RegularizerOptions;
  device: Device;
}

/** Of a table of errors of distances. */
type ErrorTableOptions = PapersCliOptions & { table: PaperTableName };

/** The table of simulated classes, which is no table of errors. */
const CONDITIONS = "hge-conditions";

/** Minutes of training: of a model of distances, and of a classifier of simulated sequences. */
const MINUTES = 10;
const CONDITION_MINUTES = 0.4;

/** What baselines take, about, and a model whose budget is in steps. */
const BASELINES_SECONDS = 10;
const MODEL_SECONDS = 60;

/** Parses `10` (minutes) or `2000steps`. */
function budget(text: string): Budget {
  const steps = /^(\d+)steps?$/.exec(text)?.[1];
  if (steps !== undefined && Number(steps) > 0) return { steps: Number(steps) };
  const minutes = Number(text);
  if (text.trim() !== "" && minutes > 0 && minutes < Infinity) return { minutes };
  throw new InvalidArgumentError("It must be minutes, such as 10, or steps, such as 2000steps.");
}

/** Parses `1e-6,3e-7`. */
function numbers(text: string): number[] {
  return [...new Set(text.split(",").map((each) => positiveNumber(each)))];
}

const words = (text: string): string[] => text.split(",").filter((word) => word !== "");

/** `line` is the command line as it was given, for the report. */
export function papersCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("papers")
    .summary("the papers' tables, ours beside the published numbers")
    .description(
      "Trains and measures the models of a table of the papers one after another, and writes the table with the published numbers beside ours. Each result is appended to <folder>/<table>.jsonl at once: the same command goes on where it was stopped, and several at a time share the work of one folder. With the default budget the largest table takes a day; --only, --seeds and --budget make it less. The table hge-conditions is of classifiers, on simulated sequences: with the default budget and grid it takes 45 minutes.",
    )
    .addOption(
      new Option("--table <name>", "which table")
        .choices([...PAPER_TABLES, CONDITIONS])
        .makeOptionMandatory(),
    )
    .requiredOption("-o, --output <folder>", "folder for the results and the table")
    .addOption(
      new Option(
        "--budget <time>",
        `training of each model: minutes, or a number of steps such as 2000steps (default: ${MINUTES}; ${CONDITION_MINUTES} with --table ${CONDITIONS})`,
      ).argParser(budget),
    )
    .addOption(
      new Option("--seeds <list>", "seeds of the models")
        .argParser(positiveIntegers)
        .default([1, 2, 3], "1,2,3"),
    )
    .option("--only <words>", "rows, kinds of rows and columns to make, such as cnn,k-mers,hyperbolic", words)
    .option("--data <folder>", "folder with a training, a validation and a test file, by their names")
    .option("--train <file>", "training sequences")
    .option("--val <file>", "validation sequences (default: a tenth of the training sequences)")
    .option("--test <file>", "test sequences")
    .addOption(
      new Option("--as <set>", "data set of the papers whose tuning and numbers to take")
        .choices(TUNED_SETS)
        .default("qiita"),
    )
    .option("--dim <m>", "dimension of the models, but for --table dimension", positiveInteger, 128)
    .addOption(
      new Option("--encoder <name>", "with --table dimension: the encoder")
        .choices(DIMENSION_ENCODERS)
        .default("global-transformer"),
    )
    .option(
      "--share <x>",
      "with --table synthetic: share of NeuroSEED's 70,000 sequences",
      positiveNumber,
      0.02,
    )
    .option("--length <n>", "with --table synthetic: letters of a sequence", positiveInteger, 1024)
    .addOption(
      new Option(
        "--grid <name>",
        `with --table ${CONDITIONS}: what is varied, the task and the divergence or all else too`,
      )
        .choices(CONDITION_GRIDS)
        .default("reduced"),
    )
    .addOption(
      new Option("--recipe <name>", "how to train; `paper` is the papers' procedure")
        .choices(["default", "paper"])
        .default("default"),
    )
    .option(
      "--no-exponent",
      "predict by the space's distances as they are, as the papers, not by a learned power",
    )
    .option(
      "--lambdas <list>",
      "with --table nwa: weights of the regulariser besides the paper's",
      numbers,
      [],
    )
    .option(
      "--regularizer <nwa:option=value,…>",
      "with --table nwa: options of the regulariser besides its weight, such as nwa:pairs=16",
      namedOptions("regularizer", REGULARIZERS),
    );
  withCommonOptions(withDevice(command));
  withExamples(command, [
    [
      "embranch bench papers --table neuroseed-rmse --data 16s-v4 --budget 10 -o results",
      "NeuroSEED's table of errors on files named …train…, …val… and …test…",
    ],
    [
      "embranch bench papers --table synthetic --only k-mers,cnn --budget 500steps -o results",
      "a part of a table, in steps, and so reproducibly",
    ],
    [
      "embranch bench papers --table hge-conditions --only inter-tree,intra-tree -o results",
      "classifiers of sequences simulated on trees, in some 25 minutes",
    ],
  ]);
  // Options that `bench` has too are read by it.
  return command.action(async () => {
    const { table, ...options } = command.optsWithGlobals<PapersCliOptions>();
    const text = commandLine(line);
    if (table !== CONDITIONS) return run({ ...options, table }, text);
    const { budget = { minutes: CONDITION_MINUTES } } = options;
    const { benchConditions } = await import("./bench-conditions.ts");
    return benchConditions({ ...options, budget }, text);
  });
}

async function run(options: ErrorTableOptions, line: string): Promise<void> {
  const { output, seeds, budget = { minutes: MINUTES }, recipe, exponent } = options;
  const { quiet, threads, device, json } = options;
  const data = await loadData(options);
  const { as: set, dim, encoder, lambdas } = options;
  const nwa = nwaOptions(options.regularizer);
  const table = paperTable(options.table, { set, dim, encoder, lambdas, nwa });
  const cells = chooseCells(table, options.only);
  const settings = { data, budget, recipe, ...(!exponent && { exponent }) };
  const folder = await ResultFolder.open<CellResult>(output, table.name);
  // In the order in which they are made. The first baseline to be made measures all.
  const modelSeconds = "minutes" in budget ? 60 * budget.minutes : MODEL_SECONDS;
  const first = cells.findIndex(({ subject }) => subject.kind !== "model");
  const costs = cells.flatMap(({ subject }, i) =>
    subject.kind === "model" ? seeds.map(() => modelSeconds) : [i === first ? BASELINES_SECONDS : 0],
  );
  const works = costs.length;
  const before = costs.map((_, i) => sum(costs.slice(0, i)));
  const models = seeds.length * cells.filter(({ subject }) => subject.kind === "model").length;

  const interrupt = interruption();
  const progress = new Progress(table.name, { total: works, unit: "cells", quiet });
  if (models > 0 && "minutes" in budget) {
    const time = hoursText(models * budget.minutes);
    progress.note(`${models} models of ${hoursText(budget.minutes)} each, ${time} in all`);
  }
  let result: Awaited<ReturnType<typeof runPapers>>;
  try {
    result = await runPapers(folder, table, cells, seeds, settings, {
      threads,
      device,
      signal: interrupt.signal,
      onProgress: (done, share, message) =>
        progress.update(done, { message, fraction: (before[done] + share * costs[done]) / sum(costs) }),
      onResult: (made) => progress.note(resultText(made)),
    });
  } finally {
    progress.stop();
    interrupt.release();
  }

  const report = papersReport(table, (await folder.read()).values(), { settings, command: line });
  const markdown = papersMarkdown(report);
  const place = (ending: string) => join(output, `${table.name}.${ending}`);
  await writeChunks(place("md"), [markdown]);
  await writeChunks(place("json"), [papersJson(report)]);
  if (table.name === "dimension") {
    // Drawing figures takes long to load, and is for the end.
    const { dimensionFigure } = await import("../bench/dimension-figure.ts");
    await writeChunks(place("svg"), [dimensionFigure(report)]);
  }
  if (result.stopped) {
    throw interrupt.stopped(
      `stopped after ${result.made} cells, which are in ${output}; the same command goes on`,
    );
  }
  if (result.busy > 0) {
    progress.note(
      `${result.busy} of the ${works} cells are being made by other processes; the last to end writes them too`,
    );
  }
  const out = await openOutput(undefined);
  if (json) await out.write(papersJson(report));
  else if (!quiet) await out.write(`${markdown}\ntable   ${place("md")}\n`);
}

/** What `--regularizer` says besides the name. */
function nwaOptions(regularizer: RegularizerOptions | undefined): PaperTableOptions["nwa"] {
  if (regularizer === undefined) return undefined;
  if (regularizer.name === "nwa" && regularizer.lambda === undefined) return regularizer;
  throw new UsageError("--regularizer: must be nwa without a weight; give weights by --lambdas");
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** `90 minutes`, or `25 hours`. */
function hoursText(minutes: number): string {
  const [value, unit] = minutes < 120 ? [minutes, "minutes"] : [minutes / 60, "hours"];
  return `${Number(value.toPrecision(2))} ${value === 1 ? unit.slice(0, -1) : unit}`;
}

function resultText({ row, column, seed, evaluation, diverged }: CellResult): string {
  const which = `${row} ${column}${seed === undefined ? "" : ` seed ${seed}`}`;
  return `${which}: ${evaluation === undefined ? diverged : `${evaluation.rmsePercent.toFixed(3)} %RMSE`}`;
}

async function loadData(options: ErrorTableOptions): Promise<PaperData> {
  const { table, share, length, quiet } = options;
  if (table === "synthetic") return syntheticData({ share, length });
  const { train, val, test } = await filesOf(options);
  const trained = await loadSequences(train, { minimum: 4, quiet });
  const load = (path: string) => loadSequences(path, { alphabet: trained.alphabet, minimum: 3, quiet });
  return paperData([train, val, test].filter(Boolean).join(", "), {
    train: trained,
    validation: val === undefined ? undefined : await load(val),
    test: await load(test),
  });
}

async function filesOf({ table, data, train, val, test }: ErrorTableOptions) {
  if (data === undefined) {
    if (train !== undefined && test !== undefined) return { train, val, test };
    throw new UsageError(`bench papers: --table ${table} needs --data, or --train and --test`);
  }
  if (train !== undefined || val !== undefined || test !== undefined) {
    throw new UsageError("bench papers: --data and --train, --val, --test cannot be combined; choose one");
  }
  let names: string[];
  try {
    names = await readdir(data);
  } catch (error) {
    throw explain(error, data, "read");
  }
  const file = (part: string): string | undefined => {
    const found = names.filter((name) => new RegExp(`(^|[^a-z])${part}([^a-z]|$)`, "i").test(name));
    if (found.length <= 1) return found[0] && join(data, found[0]);
    throw new UsageError(
      `--data: must hold one ${part} file, got ${found.sort().join(", ")}; use --train, --val and --test`,
    );
  };
  const [trainFile, testFile] = [file("train"), file("test")];
  if (trainFile === undefined || testFile === undefined) {
    const missing = trainFile === undefined ? "train" : "test";
    throw new UsageError(`--data: must hold a file with "${missing}" in its name, got none in ${data}`);
  }
  return { train: trainFile, val: file("val"), test: testFile };
}
