/** @file `embranch fit`: trains a model and writes it with a report. */

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import type { Command } from "commander";
import { DecoderModel, decoderPath } from "../engine/decoder-model.ts";
import { attentionPath, Model } from "../engine/model-file.ts";
import { removeCheckpoint } from "../engine/checkpoint.ts";
import type { TrainProgress } from "../engine/training.ts";
import { embeddedDistances } from "../task/distance.ts";
import { constantError, measure, type Evaluation } from "../task/evaluate.ts";
import { fit, type FitPlan, type FitResult } from "../task/fit.ts";
import { reconstruction, type Reconstruction } from "../task/reconstruct.ts";
import { evaluationTable } from "./evaluate.ts";
import { checkOptions, fitOptions, modelOptions, type FitCliOptions } from "./fit-options.ts";
import { loadCosts, loadDistances, loadSequences } from "./load.ts";
import { commandLine } from "./command-line.ts";
import { interruption } from "./signals.ts";
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { boundText, replacedCheckpoint, runFiles, stoppedRun, writeModel } from "./training-run.ts";

/** `words` is the command line as it was given, for the report and for going on. */
export function fitCommand(words: readonly string[] = process.argv.slice(2)): Command {
  return fitOptions().action((path: string, options: FitCliOptions) =>
    run(path, options, commandLine(words)),
  );
}

async function run(path: string, options: FitCliOptions, line: string): Promise<void> {
  checkOptions(options);
  const { output, quiet, minutes, steps, threads, device, seed, length } = options;
  const { checkpoint, report } = await runFiles(options);
  const limits = { maxLength: length, quiet };
  const sequences = await loadSequences(path, { ...limits, alphabet: options.alphabet, minimum: 4 });
  const validation =
    options.val === undefined
      ? undefined
      : await loadSequences(options.val, { ...limits, alphabet: sequences.alphabet, minimum: 3 });
  const costs =
    options.costs === undefined ? undefined : await loadCosts(options.costs, sequences.alphabet, options.gap);
  const distances =
    options.distances === undefined ? undefined : await loadDistances(options.distances, sequences);

  const interrupt = interruption();
  const progress = new Progress("training", { unit: "steps", quiet, total: steps });
  let result: FitResult;
  try {
    result = await fit(sequences, {
      validation,
      ...modelOptions(options),
      length,
      minutes,
      steps,
      seed,
      threads,
      device,
      costs,
      distances,
      checkpoint,
      checkpointSeconds: options.checkpointSeconds,
      resume: options.resume,
      signal: interrupt.signal,
      onStart: (plan) => {
        progress.note(announcement(plan, options));
        const replaced = replacedCheckpoint(checkpoint, options.resume);
        if (replaced !== undefined) progress.note(replaced);
      },
      onProgress: (update) =>
        progress.update(update.step, { message: message(update), fraction: update.done }),
    });
  } catch (error) {
    progress.stop();
    throw stoppedRun(error, interrupt, { line, resume: options.resume });
  } finally {
    interrupt.release();
  }
  progress.finish(`validation error ${result.training.validation.toFixed(3)} %`);
  await writeModel(output, result.model, checkpoint);
  const companions: [string, Uint8Array | undefined, string][] = [
    [attentionPath(output), result.attention, "drew the maps"],
    [decoderPath(output), result.decoder, "read the points"],
  ];
  for (const [file, bytes, what] of companions) {
    if (bytes !== undefined) await writeModel(file, bytes, checkpoint);
    else if (existsSync(file)) {
      await rm(file);
      progress.note(`${file}: ${what} of the model that was here before, and is removed`);
    }
  }
  await removeCheckpoint(checkpoint);

  const model = await Model.decode(result.model, output, { threads, device });
  const predicted = await embeddedDistances(model, result.validation.set, undefined, { threads, device });
  await model.close();
  const heldOut = { truth: result.validation.distances, predicted };
  const evaluation = measure(heldOut, result.manifest.length);
  const notes = warnings(evaluation, constantError(heldOut.truth, result.manifest.length));
  for (const note of notes) progress.note(note);
  if (report !== undefined) {
    // Drawing figures takes long to load, and is for the end.
    const { fitReport } = await import("../task/fit-report.ts");
    await writeChunks(report, [fitReport(result, { heldOut, evaluation, output, command: line, notes })]);
  }
  const read = result.decoder === undefined ? undefined : await readBack(result, options);
  await summarise(result, { evaluation, reconstruction: read }, options, report);
}

/** What is wrong with a model that can be seen by its error alone. */
function warnings({ rmsePercent }: Evaluation, constant: number): string[] {
  if (rmsePercent < constant) return [];
  return [
    `the model has learned nothing of the held-out sequences: it errs by ${rmsePercent.toFixed(2)} %, and one distance for all pairs by ${constant.toFixed(2)} %; train it longer, on more sequences, or with a lower --learning-rate`,
  ];
}

function announcement(plan: FitPlan, options: FitCliOptions): string {
  const { training, validation, length, dim, geometry, parameters, groups, recipe } = plan;
  const { regularizerParameters, decoderParameters } = plan;
  const { output } = options;
  const bound = boundText(options, recipe);
  const further =
    (decoderParameters === undefined ? "" : ` and ${formatCount(decoderParameters)} of the decoder`) +
    (regularizerParameters === undefined
      ? ""
      : ` and ${formatCount(regularizerParameters)} of the regulariser, for training alone`);
  const kept =
    groups === undefined || options.split?.by !== "cluster"
      ? ""
      : `, split by ${formatCount(groups.count)} clusters, the largest of ${formatCount(groups.largest)}`;
  return (
    `fitting ${formatCount(training)} sequences of up to ${length} letters to ${dim} ${geometry} dimensions ` +
    `(${formatCount(parameters)} parameters${further}), ${formatCount(validation)} held out${kept}, ${bound}; model: ${output}`
  );
}

function message({ loss, validation, best }: TrainProgress): string {
  const error = validation === undefined ? "" : `, validation ${validation.toFixed(3)} %`;
  return `loss ${(1e4 * loss).toFixed(3)}e-4${error}${best === undefined || best === validation ? "" : ` (best ${best.toFixed(3)} %)`}`;
}

/** What the decoder that has been written makes of the held-out sequences. */
async function readBack(
  { validation }: FitResult,
  { output, threads, device }: FitCliOptions,
): Promise<Reconstruction> {
  const model = await DecoderModel.load(output, { threads, device });
  try {
    return await reconstruction(model, validation.set.codes);
  } finally {
    await model.close();
  }
}

async function summarise(
  { training, validation, manifest }: FitResult,
  { evaluation, reconstruction }: { evaluation: Evaluation; reconstruction?: Reconstruction },
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
      ...(reconstruction && { decoder: decoderPath(output), reconstruction }),
    };
    await out.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  if (options.quiet) return;
  const decoder =
    reconstruction === undefined
      ? ""
      : `decoder ${decoderPath(output)} (reads held-out sequences with ${reconstruction.meanEdits.toFixed(2)} edits each)\n`;
  await out.write(
    `${evaluationTable(evaluation)}\n\nmodel   ${output}\n${decoder}${report === undefined ? "" : `report  ${report}\n`}` +
      `next    embranch embed ${options.val ?? "reads.fasta"} -m ${output} -o points.parquet\n`,
  );
}
