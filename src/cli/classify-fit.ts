/** @file `embranch classify fit`: trains a classifier and writes it with a report. */

import type { Command } from "commander";
import { ClassifierFile } from "../engine/classifier-file.ts";
import { removeCheckpoint } from "../engine/checkpoint.ts";
import type { TrainProgress } from "../engine/training.ts";
import { classifyFit, type ClassifyFitResult, type ClassifyPlan } from "../task/classify/fit.ts";
import type { LabelledSet } from "../task/classify/dataset.ts";
import { judge, type Judgement } from "../task/classify/evaluate.ts";
import { copiesOfTraining } from "../task/classify/splits.ts";
import { loadLabelled } from "./classify-data.ts";
import {
  checkClassifyFit,
  classifyFitOptions,
  classifySettings,
  type ClassifyFitCliOptions,
} from "./classify-fit-options.ts";
import { scoresText } from "./classify-scores.ts";
import { commandLine } from "./command-line.ts";
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";
import { boundText, replacedCheckpoint, runFiles, stoppedRun, writeModel } from "./training-run.ts";

/** `words` is the command line as it was given, for the report and for going on. */
export function classifyFitCommand(words: readonly string[] = process.argv.slice(2)): Command {
  return classifyFitOptions().action((path: string, options: ClassifyFitCliOptions) =>
    run(path, options, commandLine(words)),
  );
}

/**
 * Sequences of a part that stand in train too, letter by letter as far as the network sees them, and how many of them
 * have another class there.
 */
interface Copies {
  sequences: number;
  contradicting: number;
}

async function run(path: string, options: ClassifyFitCliOptions, line: string): Promise<void> {
  checkClassifyFit(options);
  const { output, quiet } = options;
  const { checkpoint, report } = await runFiles(options);
  const labelled = await loadLabelled(path, options);
  let copies: Record<"dev" | "test", Copies | null> = { dev: null, test: null };

  const interrupt = interruption();
  const progress = new Progress("training", { unit: "steps", quiet, total: options.steps });
  const notes: string[] = [];
  let result: ClassifyFitResult;
  try {
    result = await classifyFit(labelled, {
      ...classifySettings(options),
      checkpoint,
      signal: interrupt.signal,
      onStart: (plan) => {
        const { length } = plan;
        copies = { dev: copiesIn(labelled, "dev", length), test: copiesIn(labelled, "test", length) };
        progress.note(announcement(plan, options));
        notes.push(...notesOf(plan, copies));
        const replaced = replacedCheckpoint(checkpoint, options.resume);
        for (const note of [...notes, ...(replaced === undefined ? [] : [replaced])]) progress.note(note);
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
  progress.finish(`MCC on dev ${result.training.validation.toFixed(4)}`);
  await writeModel(output, result.model, checkpoint);
  await removeCheckpoint(checkpoint);

  const judgement = await judged(result, options);
  const next = nextCommand(path, labelled, output);
  if (report !== undefined) {
    // Drawing figures takes long to load, and is for the end.
    const { classifyReport } = await import("../task/classify/report.ts");
    const page = classifyReport({
      title: output,
      command: line,
      of: "of dev, by which the model was chosen; on others it is likely to be a little lower",
      manifest: result.manifest,
      judgement,
      training: result.training,
      notes,
      next: [
        ...(next.evaluates ? [{ command: next.evaluate, purpose: "measure it on the test part, once" }] : []),
        { command: next.predict, purpose: "tell the classes of other sequences" },
      ],
    });
    await writeChunks(report, [page]);
  }
  await summarise(result, { judgement, copies, labelled, next }, options, report);
}

/** What the model is worth on dev. */
async function judged(
  { model: bytes, validation: { set, labels } }: ClassifyFitResult,
  { output, threads, device, seed }: ClassifyFitCliOptions,
): Promise<Judgement> {
  const model = await ClassifierFile.decode(bytes, output, { threads, device });
  try {
    return await judge(model, set.codes, labels, { seed });
  } finally {
    await model.close();
  }
}

/** Copies in a part of the data's own split; nothing where it has no such part, or no training sequences. */
function copiesIn(labelled: LabelledSet, part: "dev" | "test", length: number): Copies | null {
  if (!labelled.splits?.includes(part) || !labelled.splits.includes("train")) return null;
  const { indices, contradicting } = copiesOfTraining(labelled, part, { length });
  return { sequences: indices.length, contradicting };
}

/** Classes whose sizes are told. */
const MOST_TOLD = 12;

function announcement(plan: ClassifyPlan, options: ClassifyFitCliOptions): string {
  const { training, validation, drawn, length, parameters, network, classes, sizes, recipe } = plan;
  const told = classes.slice(0, MOST_TOLD).map((name, k) => `${name} (${formatCount(sizes[k])})`);
  if (classes.length > told.length) told.push("…");
  const chosen = `${formatCount(validation)} ${drawn ? "drawn from them as dev" : "of dev"}`;
  return (
    `fitting ${network} (${formatCount(parameters)} parameters) to ${formatCount(training)} sequences of up to ${length} letters, ` +
    `${chosen}, ${boundText(options, recipe)}; model: ${options.output}\n` +
    `${formatCount(classes.length)} classes: ${told.join(", ")}`
  );
}

function notesOf({ cut, length }: ClassifyPlan, copies: Record<"dev" | "test", Copies | null>): string[] {
  const notes: string[] = [];
  if (cut > 0) {
    notes.push(
      `${formatCount(cut)} sequences are longer than ${length} letters; the rest of them is not seen (--length sets another length)`,
    );
  }
  for (const [part, found] of Object.entries(copies)) {
    if (found === null || found.sequences === 0) continue;
    const { sequences, contradicting } = found;
    const other = contradicting === 0 ? "" : ` (${formatCount(contradicting)} with another class)`;
    notes.push(`${formatCount(sequences)} sequences of ${part} are copies of training sequences${other}`);
  }
  return notes;
}

function message({ loss, validation, best }: TrainProgress): string {
  const mcc = validation === undefined ? "" : `, MCC on dev ${validation.toFixed(3)}`;
  const other = best === undefined || best === validation ? "" : ` (best ${best.toFixed(3)})`;
  return `loss ${loss.toFixed(4)}${mcc}${other}`;
}

/** Commands to go on with. */
interface Next {
  evaluate: string;
  predict: string;
  /** Whether there is something left to measure it on. */
  evaluates: boolean;
}

function nextCommand(path: string, { splits }: LabelledSet, output: string): Next {
  return {
    evaluate: commandLine(["classify", "evaluate", path, "--split", "test", "-m", output]),
    predict: commandLine(["classify", "predict", "sequences.fasta", "-m", output, "-o", "classes.tsv"]),
    evaluates: path !== "-" && (splits?.includes("test") ?? false),
  };
}

async function summarise(
  { training, manifest, plan }: ClassifyFitResult,
  found: {
    judgement: Judgement;
    copies: Record<"dev" | "test", Copies | null>;
    labelled: LabelledSet;
    next: Next;
  },
  { output, json, quiet, seed }: ClassifyFitCliOptions,
  report: string | undefined,
): Promise<void> {
  const { judgement, copies, labelled, next } = found;
  const out = await openOutput(undefined);
  if (json) {
    const summary = {
      model: output,
      report,
      steps: training.steps,
      bestStep: training.bestStep,
      seconds: training.seconds,
      seed,
      network: manifest.network,
      parameters: plan.parameters,
      radiusSquared: manifest.radiusSquared,
      length: manifest.length,
      alphabet: manifest.alphabet,
      classes: manifest.classes,
      training: { sequences: plan.training, sizes: Array.from(plan.sizes) },
      validation: {
        sequences: plan.validation,
        drawn: plan.drawn,
        ...judgement.scores,
        intervals: judgement.intervals,
      },
      cut: plan.cut,
      replaced: labelled.replaced,
      copies,
    };
    await out.write(`${JSON.stringify(summary)}\n`);
    return;
  }
  if (quiet) return;
  await out.write(
    `on ${formatCount(plan.validation)} sequences of dev, by which the model was chosen:\n\n${scoresText(judgement)}\n\n` +
      `model   ${output}\n${report === undefined ? "" : `report  ${report}\n`}` +
      `next    ${next.evaluates ? next.evaluate : next.predict}\n`,
  );
}
