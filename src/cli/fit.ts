/** @file `embranch fit`: trains a model and writes it with a report. */

import { stat, rm } from "node:fs/promises";
import { Command, Option } from "commander";
import { PAPER_CNN } from "../engine/recipe.ts";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import type { TrainProgress } from "../engine/trainer.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { GEOMETRY_NAMES, type GeometryName } from "../geometry/index.ts";
import { ENCODER_NAMES, type EncoderName, type EncoderOptions } from "../nn/encoder.ts";
import { LOSS_NAMES, type LossName } from "../nn/losses.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { embeddedDistances } from "../task/distance.ts";
import { measure, type Evaluation } from "../task/evaluate.ts";
import { fit, type FitPlan, type FitResult } from "../task/fit.ts";
import { fitReport } from "../task/fit-report.ts";
import { evaluationTable } from "./evaluate.ts";
import { loadCosts, loadDistances, loadSequences } from "./load.ts";
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
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, formatDuration, Progress } from "./progress.ts";

interface FitCliOptions extends CommonOptions {
  output: string;
  val?: string;
  report: string | boolean;
  encoder?: EncoderName;
  channels?: number;
  layers?: number;
  kernel?: number;
  geometry: GeometryName;
  dim: number;
  length?: number;
  recipe: "default" | "paper";
  loss?: LossName;
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
  gap: number;
  distances?: string;
  resume?: boolean;
}

export function fitCommand(): Command {
  const command = new Command("fit")
    .summary("train a model on sequences")
    .description(
      "Trains a model that maps sequences to points whose distances approximate edit distances, and writes it with a report of its held-out error. Ctrl-C saves a checkpoint; --resume goes on from it.",
    )
    .argument(
      "<seqs>",
      "training sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)",
    )
    .option("-o, --output <file>", "model file", "model.onnx")
    .option("--val <file>", "held-out sequences (default: a tenth of the training file, 1,000 at most)")
    .option("--minutes <t>", "train for this long", positiveNumber)
    .option("--steps <n>", "train for exactly this many steps, reproducibly", positiveInteger)
    .addOption(
      new Option("--encoder <name>", "network (default: residual; cnn with --recipe paper)").choices(
        ENCODER_NAMES,
      ),
    )
    .addOption(
      new Option("--geometry <name>", "space to embed in").choices(GEOMETRY_NAMES).default("hyperbolic"),
    )
    .option("--dim <m>", "dimension of the embedding", positiveInteger, 128)
    .option(
      "--length <n>",
      "greatest length of a sequence (default: that of the longest one given)",
      positiveInteger,
    )
    .addOption(
      new Option("--recipe <name>", "how to train; `paper` is NeuroSEED's procedure")
        .choices(["default", "paper"])
        .default("default"),
    )
    .addOption(new Option("--loss <name>", "error of a distance").choices([...LOSS_NAMES]))
    .option("--channels <n>", "channels of a convolutional encoder, or width of an mlp", positiveInteger)
    .option("--layers <n>", "layers of a cnn or mlp, stages of a residual encoder", positiveInteger)
    .option("--kernel <k>", "width of the convolutions, odd", positiveInteger)
    .option("--batch <n>", "sequences in a batch", positiveInteger)
    .option("--augmented <n>", "of these, how many are made up and labelled exactly", wholeNumber)
    .option("--learning-rate <x>", "peak learning rate", positiveNumber)
    .option("--weight-decay <x>", "strength of weight decay", notNegative)
    .option("--patience <n>", "validations without improvement after which training ends", positiveInteger)
    .option("--costs <file>", "table of substitution costs instead of unit costs (proteins)")
    .option("--gap <n>", "cost of an insertion or deletion, with --costs", positiveInteger, 1)
    .option("--distances <file>", "learn these distances (.npy, .phy, .tsv) instead of edit distances")
    .option("--report <file>", "HTML report (default: beside the model)")
    .option("--no-report", "write no report")
    .option("--resume", "go on from the checkpoint of an interrupted run");
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    ["embranch fit reads.fasta.gz --minutes 2 -o model.onnx", "a usable model of 16S reads in two minutes"],
    ["embranch fit train.fasta --val val.fasta --steps 5000 --seed 7 -o m.onnx", "bit-reproducible"],
    ["embranch fit train.fasta --recipe paper --encoder cnn -o cnn.onnx", "as the NeuroSEED paper trains"],
  ]);
  return command.action(run);
}

function encoderOptions({
  encoder,
  recipe,
  channels,
  layers,
  kernel,
}: FitCliOptions): EncoderOptions | undefined {
  const name = encoder ?? (recipe === "paper" ? "cnn" : "residual");
  const given = Object.fromEntries(
    Object.entries({ channels, layers, kernel }).filter(([, value]) => value !== undefined),
  );
  const allowed: Record<EncoderName, Record<string, string>> = {
    linear: {},
    mlp: { channels: "hidden", layers: "layers" },
    cnn: { channels: "channels", layers: "layers", kernel: "kernel" },
    residual: { channels: "channels", layers: "stages", kernel: "kernel" },
  };
  const options: Record<string, number> = {};
  for (const [option, value] of Object.entries(given)) {
    const field = allowed[name][option];
    if (field === undefined) throw new UsageError(`--${option}: the ${name} encoder has none`);
    options[field] = value as number;
  }
  return { ...(name === "cnn" ? PAPER_CNN : {}), name, ...options } as EncoderOptions;
}

async function run(path: string, options: FitCliOptions): Promise<void> {
  const { output, quiet, minutes, steps, threads, device, seed } = options;
  if (minutes !== undefined && steps !== undefined) {
    throw new UsageError("fit: --minutes and --steps cannot be combined");
  }
  const checkpoint = `${output}.checkpoint`;
  // A place that cannot be written is better found before training than after it.
  await (await openOutput(output)).discard();
  if (options.resume && (await stat(checkpoint).catch(() => undefined)) === undefined) {
    throw new EmbranchError(`resume: there is no checkpoint "${checkpoint}"; start without --resume`);
  }
  const sequences = await loadSequences(path, { alphabet: options.alphabet, minimum: 4, quiet });
  const validation =
    options.val === undefined
      ? undefined
      : await loadSequences(options.val, { alphabet: sequences.alphabet, minimum: 3, quiet });
  const { length, dim, geometry, recipe, gap } = options;
  const costs =
    options.costs === undefined ? undefined : await loadCosts(options.costs, sequences.alphabet, gap);
  const distances =
    options.distances === undefined ? undefined : await loadDistances(options.distances, sequences);

  const interrupt = new AbortController();
  const onSignal = () => interrupt.abort();
  process.once("SIGINT", onSignal);
  process.once("SIGTERM", onSignal);
  const progress = new Progress("training", { unit: "steps", quiet, total: steps });
  let result: FitResult;
  try {
    result = await fit(sequences, {
      validation,
      encoder: encoderOptions(options),
      geometry,
      dim,
      length,
      recipe,
      settings: settings(options),
      minutes,
      steps,
      seed,
      threads,
      device,
      costs,
      distances,
      checkpoint,
      resume: options.resume,
      signal: interrupt.signal,
      onStart: (plan) => progress.note(announcement(plan, options)),
      onProgress: (update) =>
        progress.update(update.step, { message: message(update), fraction: update.done }),
    });
  } catch (error) {
    progress.stop();
    throw error;
  } finally {
    process.off("SIGINT", onSignal);
    process.off("SIGTERM", onSignal);
  }
  if (result.training.interrupted) {
    progress.stop();
    const again = `${commandLine().replace(" --resume", "")} --resume`;
    process.stderr.write(`embranch: stopped at step ${result.training.steps}; go on with\n  ${again}\n`);
    process.exitCode = INTERRUPTED;
    return;
  }
  progress.finish(`validation error ${result.training.validation.toFixed(3)} %`);
  await writeChunks(output, [result.model]);
  await rm(checkpoint, { force: true });

  const model = await Model.decode(result.model, output, { threads, device });
  const predicted = await embeddedDistances(model, result.validation.set, undefined, { threads, device });
  await model.close();
  const heldOut = { truth: result.validation.distances, predicted };
  const evaluation = measure(heldOut, result.manifest.length);
  const report = reportPath(options);
  if (report !== undefined) {
    await writeChunks(report, [fitReport(result, { heldOut, evaluation, output, command: commandLine() })]);
  }
  await summarise(result, evaluation, options, report);
}

/** The command line as it was given. */
function commandLine(): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return ["embranch", ...process.argv.slice(2).map(quoted)].join(" ");
}

/** Exit code of a process that Ctrl-C stopped. */
const INTERRUPTED = 130;

function settings({ batch, augmented, learningRate, weightDecay, loss, patience }: FitCliOptions) {
  const given = { batch, augmented, learningRate, loss, patience };
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    ...(weightDecay === undefined ? {} : { optimizer: { weightDecay, clip: 1 } }),
  };
}

function announcement(
  { training, validation, length, parameters, recipe }: FitPlan,
  options: FitCliOptions,
): string {
  const { minutes, steps, geometry, dim, output } = options;
  const bound =
    minutes !== undefined
      ? `for ${formatDuration(60 * minutes)}`
      : steps !== undefined
        ? `for ${formatCount(steps)} steps`
        : `until ${recipe.patience} validations bring no improvement, ${formatCount(recipe.maximumSteps)} steps at most`;
  return (
    `fitting ${formatCount(training)} sequences of up to ${length} letters to ${dim} ${geometry} dimensions ` +
    `(${formatCount(parameters)} parameters), ${formatCount(validation)} held out, ${bound}; model: ${output}`
  );
}

function message({ loss, validation, best }: TrainProgress): string {
  const error = validation === undefined ? "" : `, validation ${validation.toFixed(3)} %`;
  return `loss ${(1e4 * loss).toFixed(3)}e-4${error}${best === undefined || best === validation ? "" : ` (best ${best.toFixed(3)} %)`}`;
}

function reportPath({ report, output }: FitCliOptions): string | undefined {
  if (report === false) return undefined;
  return typeof report === "string" ? report : `${output.replace(/\.onnx$/i, "")}.html`;
}

async function summarise(
  { training, validation, manifest }: FitResult,
  evaluation: Evaluation,
  options: FitCliOptions,
  report: string | undefined,
): Promise<void> {
  const { output, json } = options;
  const out = await openOutput(undefined);
  if (json) {
    const summary = {
      model: output,
      report,
      steps: training.steps,
      seconds: training.seconds,
      seed: options.seed,
      encoder: manifest.encoder,
      geometry: manifest.geometry,
      dim: manifest.dim,
      length: manifest.length,
      constants: manifest.space.constants,
      validation: { sequences: validation.set.ids.length, ...evaluation },
    };
    await out.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  if (options.quiet) return;
  await out.write(
    `${evaluationTable(evaluation)}\n\nmodel   ${output}\n${report === undefined ? "" : `report  ${report}\n`}` +
      `next    embranch embed ${options.val ?? "reads.fasta"} -m ${output} -o points.parquet\n`,
  );
}
