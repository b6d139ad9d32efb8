/** @file What the verbs that train have in common: their bounds, checkpoints, reports, and how they are stopped. */

import { existsSync } from "node:fs";
import type { Command } from "commander";
import { Interrupted } from "../engine/training.ts";
import { EmbranchError } from "../error.ts";
import { notNegative } from "./options.ts";
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, formatDuration } from "./progress.ts";
import type { Interruption } from "./signals.ts";

export interface TrainingRunOptions {
  output: string;
  report: string | boolean;
  checkpoint?: string;
  checkpointSeconds: number;
  resume?: boolean;
}

/** Adds `--report`, `--checkpoint` and `--resume`. */
export function withTrainingRun(command: Command): Command {
  return command
    .option("--report <file>", "HTML report (default: beside the model)")
    .option("--no-report", "write no report")
    .option("--checkpoint <file>", "where the state of the run is kept (default: beside the model)")
    .option("--checkpoint-seconds <t>", "seconds between checkpoints", notNegative, 20)
    .option("--resume", "go on from the checkpoint of an interrupted run");
}

/** The files of a run. */
export interface RunFiles {
  checkpoint: string;
  /** Absent where there is to be none. */
  report?: string;
}

/**
 * The files of a run, which can be written: a place that cannot is better found before training than after it.
 *
 * @throws EmbranchError where one cannot, or there is no checkpoint to resume
 */
export async function runFiles({
  output,
  report,
  checkpoint = `${output}.checkpoint`,
  resume,
}: TrainingRunOptions): Promise<RunFiles> {
  const files: RunFiles = { checkpoint };
  if (report !== false) {
    files.report = typeof report === "string" ? report : `${output.replace(/\.onnx$/i, "")}.html`;
  }
  for (const place of [output, files.report, checkpoint]) {
    if (place !== undefined) await (await openOutput(place)).discard();
  }
  if (resume && !existsSync(checkpoint)) {
    throw new EmbranchError(`${checkpoint}: there is no such checkpoint to resume; start without --resume`);
  }
  return files;
}

/** What is said of a checkpoint that a new run is about to replace, if there is one. */
export function replacedCheckpoint(checkpoint: string, resume: boolean | undefined): string | undefined {
  if (resume || !existsSync(checkpoint)) return undefined;
  return `${checkpoint}: left by an interrupted run (--resume goes on from it), is replaced`;
}

/** Rules that bounds of a run break: whether each is broken, and what it says. */
export function boundRules({
  minutes,
  steps,
  patience,
}: Record<"minutes" | "steps" | "patience", number | undefined>): [boolean, string][] {
  return [
    [minutes !== undefined && steps !== undefined, "--minutes and --steps cannot be combined; choose one"],
    [
      patience !== undefined && (minutes ?? steps) !== undefined,
      "--patience is for runs without --minutes and --steps; leave it out",
    ],
  ];
}

/** What bounds a run, in words. */
export function boundText(
  { minutes, steps }: { minutes?: number; steps?: number },
  { patience, maximumSteps }: { patience: number; maximumSteps: number },
): string {
  if (minutes !== undefined) return `for ${formatDuration(60 * minutes)}`;
  if (steps !== undefined) return `for ${formatCount(steps)} steps`;
  return `until ${patience} validations bring no improvement, ${formatCount(maximumSteps)} steps at most`;
}

/** What a run that was stopped ends with: how to go on with the command `line`. Other errors are given back. */
export function stoppedRun(
  error: unknown,
  interrupt: Interruption,
  { line, resume }: { line: string; resume?: boolean },
): unknown {
  if (!(error instanceof Interrupted)) return error;
  const again = resume ? line : `${line} --resume`;
  return interrupt.stopped(`stopped at step ${error.step}, all of it saved; go on with: ${again}`);
}

/** Writes a model; where that fails, says that the work is not lost. */
export async function writeModel(output: string, model: Uint8Array, checkpoint: string): Promise<void> {
  try {
    await writeChunks(output, [model]);
  } catch (cause) {
    if (!(cause instanceof EmbranchError && existsSync(checkpoint))) throw cause;
    throw new EmbranchError(`${cause.message}; then --resume goes on from ${checkpoint}`, { cause });
  }
}
