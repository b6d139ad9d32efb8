/** @file `embranch fit`: trains a model and writes it with a report. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { constants } from "node:os";
import { Command, Option } from "commander";
import { attentionPath, Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { Interrupted, type TrainProgress } from "../engine/trainer.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { GEOMETRY_NAMES, type GeometryName } from "../geometry/index.ts";
import { ENCODERS, type EncoderOptions } from "../nn/encoder.ts";
import { LOSSES, type LossOptions } from "../nn/losses.ts";
import { REGULARIZERS, type RegularizerOptions } from "../nn/regularizer.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { embeddedDistances } from "../task/distance.ts";
import { measure, type Evaluation } from "../task/evaluate.ts";
import { fit, type FitOptions, type FitPlan, type FitResult } from "../task/fit.ts";
import { listPresets, presetOptions } from "../task/presets.ts";
import { parseSplit, type Splitting } from "../task/split.ts";
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
import { listKinds, namedOptions } from "./named.ts";
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, formatDuration, Progress } from "./progress.ts";

interface FitCliOptions extends CommonOptions {
  output: string;
  val?: string;
  split?: Splitting;
  report: string | boolean;
  encoder?: EncoderOptions;
  preset?: string;
  geometry?: GeometryName;
  exponent: boolean;
  dim?: number;
  length?: number;
  recipe: "default" | "paper";
  loss?: LossOptions;
  regularizer?: RegularizerOptions;
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
  checkpoint?: string;
  checkpointSeconds: number;
  resume?: boolean;
}

/** Training was stopped by a signal, and can go on. */
class Stopped extends EmbranchError {
  override readonly exitCode: number;

  /** `command` is the line that goes on. */
  constructor(signal: NodeJS.Signals, step: number, command: string) {
    super(`stopped at step ${step}, all of it saved; go on with: ${command}`);
    this.exitCode = 128 + constants.signals[signal];
  }
}

/** `words` is the command line as it was given, for the report and for going on. */
export function fitCommand(words: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("fit")
    .summary("train a model on sequences")
    .description(
      "Trains a model that maps sequences to points whose distances approximate edit distances, and writes it with a report of its held-out error, in percent of the model's length. Ctrl-C saves a checkpoint, and --resume goes on from it; a second Ctrl-C ends at once.",
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
      "a paper's network, loss and optimiser as it tuned them, listed below; other options go before it",
    )
    .addOption(
      new Option("--geometry <name>", "space to embed in (default: hyperbolic)").choices(GEOMETRY_NAMES),
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
    .option("--batch <n>", "sequences in a batch", positiveInteger)
    .option(
      "--augmented <n>",
      "of these, how many are made up and labelled exactly (default: a share of the batch)",
      wholeNumber,
    )
    .option("--learning-rate <x>", "peak learning rate", positiveNumber)
    .option(
      "--rate <path=x>",
      "learn the parameters under this path at x times the rate, 0 freezes them (repeatable)",
      rates,
    )
    .option("--weight-decay <x>", "strength of weight decay", notNegative)
    .option(
      "--patience <n>",
      "without --minutes and --steps: validations without improvement after which training ends",
      positiveInteger,
    )
    .option("--costs <file>", "table of substitution costs instead of unit costs (proteins)")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger)
    .option("--distances <file>", "learn these distances (.npy, .phy, .tsv) instead of edit distances")
    .option("--report <file>", "HTML report (default: beside the model)")
    .option("--no-report", "write no report")
    .option("--checkpoint <file>", "where the state of the run is kept (default: beside the model)")
    .option("--checkpoint-seconds <t>", "seconds between checkpoints", notNegative, 20)
    .option("--resume", "go on from the checkpoint of an interrupted run");
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  command.addHelpText(
    "after",
    `\nEncoders:\n${listKinds(ENCODERS)}\n\nPresets:\n${listPresets()}\n\nLosses:\n${listKinds(LOSSES)}\n\nRegularizers:\n${listKinds(REGULARIZERS)}`,
  );
  withExamples(command, [
    ["embranch fit reads.fasta.gz --minutes 2 -o model.onnx", "a usable model of 16S reads in two minutes"],
    ["embranch fit train.fasta --val val.fasta --steps 5000 --seed 7 -o m.onnx", "bit-reproducible"],
    ["embranch fit train.fasta --recipe paper -o cnn.onnx", "as the NeuroSEED paper trains its CNN"],
    [
      "embranch fit reads.fasta --preset neuroseed-gru --geometry euclidean",
      "a network as the paper tuned it",
    ],
    ["embranch fit reads.fasta --encoder gru:hidden=64 --loss mae", "another network, another loss"],
  ]);
  return command.action((path: string, options: FitCliOptions) => run(path, options, commandLine(words)));
}

/** Throws on options that do not go together, before anything is read. */
function checkOptions({
  output,
  minutes,
  steps,
  patience,
  val,
  split,
  distances,
  costs,
  gap,
}: FitCliOptions): void {
  const rules: [boolean, string][] = [
    [minutes !== undefined && steps !== undefined, "--minutes and --steps cannot be combined; choose one"],
    [
      patience !== undefined && (minutes ?? steps) !== undefined,
      "--patience is for runs without --minutes and --steps; leave it out",
    ],
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
    [output === "-", "--output must be a file, got standard output"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`fit: ${rule}`);
}

async function run(path: string, options: FitCliOptions, line: string): Promise<void> {
  checkOptions(options);
  const { output, quiet, minutes, steps, threads, device, seed, length } = options;
  const { checkpoint = `${output}.checkpoint`, checkpointSeconds } = options;
  const report = reportPath(options);
  // A place that cannot be written is better found before training than after it.
  for (const place of [output, report]) {
    if (place !== undefined) await (await openOutput(place)).discard();
  }
  if (options.resume && !existsSync(checkpoint)) {
    throw new EmbranchError(`${checkpoint}: there is no such checkpoint to resume; start without --resume`);
  }
  const limits = { maxLength: length, quiet };
  const sequences = await loadSequences(path, { ...limits, alphabet: options.alphabet, minimum: 4 });
  const validation =
    options.val === undefined
      ? undefined
      : await loadSequences(options.val, { ...limits, alphabet: sequences.alphabet, minimum: 3 });
  const { dim, geometry, recipe } = options;
  const preset = options.preset === undefined ? undefined : presetOptions(options.preset, geometry);
  const costs =
    options.costs === undefined ? undefined : await loadCosts(options.costs, sequences.alphabet, options.gap);
  const distances =
    options.distances === undefined ? undefined : await loadDistances(options.distances, sequences);

  const interrupt = new AbortController();
  // Once each: a second Ctrl-C finds no listener and ends the process.
  const onSignal = (signal: NodeJS.Signals) => interrupt.abort(signal);
  for (const signal of SIGNALS) process.once(signal, onSignal);
  const progress = new Progress("training", { unit: "steps", quiet, total: steps });
  let result: FitResult;
  try {
    result = await fit(sequences, {
      validation,
      split: options.split,
      ...preset,
      ...given({ encoder: options.encoder, regularizer: options.regularizer, geometry, dim }),
      exponent: options.exponent,
      length,
      recipe,
      settings: laidOver(preset?.settings, settings(options)),
      minutes,
      steps,
      seed,
      threads,
      device,
      costs,
      distances,
      checkpoint,
      checkpointSeconds,
      resume: options.resume,
      signal: interrupt.signal,
      onStart: (plan) => {
        progress.note(announcement(plan, options));
        if (!options.resume && existsSync(checkpoint)) {
          progress.note(`${checkpoint}: left by an interrupted run (--resume goes on from it), is replaced`);
        }
      },
      onProgress: (update) =>
        progress.update(update.step, { message: message(update), fraction: update.done }),
    });
  } catch (error) {
    progress.stop();
    if (!(error instanceof Interrupted)) throw error;
    const again = options.resume ? line : `${line} --resume`;
    throw new Stopped(interrupt.signal.reason as NodeJS.Signals, error.step, again);
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
  }
  progress.finish(`validation error ${result.training.validation.toFixed(3)} %`);
  await writeModel(output, result.model, checkpoint);
  if (result.attention !== undefined) await writeModel(attentionPath(output), result.attention, checkpoint);
  await rm(checkpoint, { force: true });

  const model = await Model.decode(result.model, output, { threads, device });
  const predicted = await embeddedDistances(model, result.validation.set, undefined, { threads, device });
  await model.close();
  const heldOut = { truth: result.validation.distances, predicted };
  const evaluation = measure(heldOut, result.manifest.length);
  if (report !== undefined) {
    // Drawing figures takes long to load, and is for the end.
    const { fitReport } = await import("../task/fit-report.ts");
    await writeChunks(report, [fitReport(result, { heldOut, evaluation, output, command: line })]);
  }
  await summarise(result, evaluation, options, report);
}

/** Writes the model; where that fails, says that the work is not lost. */
async function writeModel(output: string, model: Uint8Array, checkpoint: string): Promise<void> {
  try {
    await writeChunks(output, [model]);
  } catch (cause) {
    if (!(cause instanceof EmbranchError && existsSync(checkpoint))) throw cause;
    throw new EmbranchError(`${cause.message}; then --resume goes on from ${checkpoint}`, { cause });
  }
}

/** A command line as a shell takes it. */
function commandLine(words: readonly string[]): string {
  const quoted = (word: string) =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
  return ["embranch", ...words.map(quoted)].join(" ");
}

/** What stops a run: Ctrl-C, a job scheduler, a closed terminal. */
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

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

function announcement(
  { training, validation, length, dim, geometry, parameters, recipe }: FitPlan,
  options: FitCliOptions,
): string {
  const { minutes, steps, output } = options;
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
