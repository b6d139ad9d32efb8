/** @file `embranch classify evaluate`: how good a classifier is on labelled sequences. */

import { Command, Option } from "commander";
import { ClassifierFile } from "../engine/classifier-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { rankResamples } from "../task/classify/bootstrap.ts";
import type { LabelledSet } from "../task/classify/dataset.ts";
import {
  evaluateClassifier,
  type ClassifierEvaluation,
  type EvaluatedPart,
} from "../task/classify/evaluate.ts";
import { formatPredictions, formatPredictionsHeader } from "../task/classify/predictions-tsv.ts";
import { LABELLED_DATA, loadLabelled, withColumns, type ColumnOptions } from "./classify-data.ts";
import { copiesNote, learnedNote, scoresText } from "./classify-scores.ts";
import { commandLine } from "./command-line.ts";
import {
  wholeNumber,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

interface EvaluateCliOptions extends CommonOptions, ColumnOptions {
  model: string;
  split?: EvaluatedPart;
  predictions?: string;
  report?: string;
  bootstrap: number;
  seed: number;
  device: Device;
}

/** `words` is the command line as it was given, for the report. */
export function classifyEvaluateCommand(words: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("evaluate")
    .summary("measure a classifier on labelled sequences")
    .description(
      "Measures how good a classifier is on labelled sequences: Matthews correlation, accuracy, F1, area under the ROC curve and calibration, with 95 % bootstrap intervals, and the confusion matrix. Sequences of the part that stand letter by letter among the training sequences of the same data are counted, and it says where these are, or may be, the sequences that the model learned from.",
    )
    .argument("<data>", LABELLED_DATA)
    .requiredOption("-m, --model <file>", "model file of `embranch classify fit`")
    .addOption(
      new Option(
        "--split <part>",
        "the part of the data to measure on (default: test where there is one, else all)",
      ).choices(["train", "dev", "test", "all"]),
    )
    .option(
      "--predictions <file>",
      "table of id, predicted class, its probability, label and all probabilities (TSV)",
    )
    .option("--report <file>", "report with figures, HTML")
    .option("--bootstrap <n>", "resamples of the intervals, 0 for none", wholeNumber, 1000);
  withCommonOptions(withDevice(withSeed(withColumns(command))));
  withExamples(command, [
    ["embranch classify evaluate promoters.csv -m promoters.onnx", "on the test part"],
    ["embranch classify evaluate promoters.csv --split dev -m promoters.onnx --json", "on dev, as JSON"],
    [
      "embranch classify evaluate gue/mouse_2 -m m.onnx --report mouse.html --predictions mouse.tsv",
      "a folder with test.csv; figures, and every answer",
    ],
  ]);
  return command.action((path: string, options: EvaluateCliOptions) =>
    run(path, options, commandLine(words)),
  );
}

async function run(path: string, options: EvaluateCliOptions, line: string): Promise<void> {
  const { threads, device, quiet, json, seed, bootstrap, split, predictions, report } = options;
  if (predictions === "-" || report === "-") {
    throw new UsageError("classify evaluate: --predictions and --report must be files, got standard output");
  }
  const model = await ClassifierFile.load(options.model, { threads, device });
  const progress = new Progress("classifying", { unit: "sequences", quiet });
  const stop = interruption();
  try {
    const { manifest, alphabet } = model;
    await writeOutputs(async (open) => {
      const table = predictions === undefined ? undefined : await open(predictions);
      const page = report === undefined ? undefined : await open(report);
      const out = await open(undefined);
      const { classes } = manifest;
      const labelled = await loadLabelled(path, { ...options, alphabet, classes });
      const evaluation = await evaluateClassifier(model, labelled, {
        part: split,
        resamples: bootstrap,
        seed,
        signal: stop.signal,
        progress: (done, total) => progress.update(done, { fraction: done / total }),
      });
      progress.stop();
      const { scores, part, ids } = evaluation;
      const notes = notesOf(evaluation, labelled, manifest.length);
      for (const note of notes) progress.note(note);
      if (table !== undefined) {
        const { labels, probabilities } = evaluation.predictions;
        await table.write(formatPredictionsHeader(classes, { labelled: true }));
        for (const row of formatPredictions({ ids, probabilities, labels }, classes)) await table.write(row);
      }
      if (page !== undefined) {
        // Drawing figures takes long to load, and is for the end.
        const { classifyReport } = await import("../task/classify/report.ts");
        const of = part === "all" ? `of ${labelled.name}` : `of the ${part} part of ${labelled.name}`;
        await page.write(
          classifyReport({ title: options.model, command: line, of, manifest, judgement: evaluation, notes }),
        );
      }
      if (json) {
        await out.write(`${JSON.stringify(summary(path, options, evaluation))}\n`);
        return;
      }
      const of = part === "all" ? `${labelled.name}, all of it` : `${labelled.name}, ${part}`;
      await out.write(`${of}: ${formatCount(scores.n)} sequences\n\n${scoresText(evaluation)}\n`);
    });
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("classify evaluate: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
    await model.close();
  }
}

function notesOf(
  { cut, copies, part, learned }: ClassifierEvaluation,
  { splits }: LabelledSet,
  length: number,
): string[] {
  const notes = [
    learnedNote(learned, part, splits !== undefined),
    cut === 0
      ? undefined
      : `${formatCount(cut)} sequences are longer than the model's ${length} letters; the rest of them was not seen`,
    copiesNote(part, copies),
  ];
  return notes.filter((note) => note !== undefined);
}

function summary(
  data: string,
  { model, predictions, report, seed, bootstrap }: EvaluateCliOptions,
  evaluation: ClassifierEvaluation,
): object {
  const { scores, intervals, part, learned, copies, cut } = evaluation;
  return {
    data,
    model,
    split: part,
    learned,
    ...scores,
    intervals,
    copies,
    cut,
    resamples: bootstrap,
    // Of the intervals of `auc` and `ece`.
    rankResamples: rankResamples(evaluation.predictions, bootstrap),
    seed,
    predictions,
    report,
  };
}
