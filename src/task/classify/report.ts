/** @file The reports of classification: how a classifier was trained, and how good it is. */

import type { ClassifierManifest } from "../../engine/classifier-file.ts";
import type { TrainResult } from "../../engine/training.ts";
import {
  figure,
  modelSection,
  nextSection,
  notesText,
  pair,
  renderPage,
  section,
  summarySection,
  trainingSection,
  type NextStep,
} from "../report-page.ts";
import { escapeMarkup } from "../markup.ts";
import type { Interval } from "./bootstrap.ts";
import { reliability } from "./calibration.ts";
import type { Judgement } from "./evaluate.ts";
import { confusionFigure, DEV_MCC, MOST_DRAWN, reliabilityFigure } from "./figures.ts";
import type { ClassScores } from "./metrics.ts";

export interface ClassifyReport {
  /** Headline, such as the name of the model's file. */
  title: string;
  /** The command line. */
  command: string;
  /** What the classifier was judged by, such as `of dev, by which it was chosen`. */
  of: string;
  manifest: ClassifierManifest;
  judgement: Judgement;
  /** Where it has just been trained: how that went. */
  training?: TrainResult;
  /** Anything the reader should know. */
  notes?: readonly string[];
  next?: readonly NextStep[];
}

/** The HTML report of a classifier. */
export function classifyReport({
  title,
  command,
  of,
  manifest,
  judgement,
  training,
  notes = [],
  next = [],
}: ClassifyReport): string {
  return renderPage({
    kind: training === undefined ? "classification report" : "training report",
    title,
    command,
    sections: [
      summary(judgement, of),
      notesText(notes),
      training === undefined
        ? ""
        : trainingSection(training.history, {
            measure: DEV_MCC,
            title: "Matthews’ correlation on dev",
            caption:
              "The state with the greatest value is kept. If it falls while the loss falls, the model is learning its training sequences by heart: use a smaller network or dropout, or give it more of them.",
          }),
      answersSection(judgement),
      classesSection(judgement.scores.perClass),
      modelSection({ ...described(manifest), ...(training && trained(training)) }),
      next.length === 0 ? "" : nextSection(next),
    ],
  });
}

const percent = (share: number): string => (100 * share).toFixed(1);

function summary({ scores, intervals }: Judgement, of: string): string {
  const within = ([low, high]: Interval) => `${low.toFixed(2)} to ${high.toFixed(2)}`;
  const share = (name: string, value: number, interval?: Interval): [string, string] => [
    interval === undefined ? name : `${name}, ${percent(interval[0])} to ${percent(interval[1])}`,
    `${percent(value)} %`,
  ];
  const likely = intervals === null ? "" : ` (95 % interval ${within(intervals.mcc)})`;
  return summarySection({
    value: scores.mcc.toFixed(3),
    unit: "MCC",
    meaning: `Matthews’ correlation of answers and classes${likely}, on ${scores.n.toLocaleString("en-US")} sequences ${of}. 1 is perfect, 0 is chance.`,
    numbers: [
      share("accuracy", scores.accuracy, intervals?.accuracy),
      share("macro F1", scores.macroF1, intervals?.macroF1),
      ...(scores.auc === null ? [] : [share("area under ROC", scores.auc, intervals?.auc ?? undefined)]),
      share("calibration error", scores.ece, intervals?.ece),
    ],
  });
}

function answersSection({ scores, predictions }: Judgement): string {
  const names = scores.perClass.map(({ name }) => name);
  const confusion =
    names.length > MOST_DRAWN
      ? ""
      : figure(
          confusionFigure(scores.confusion, names),
          "Confusion matrix",
          "Rows are the classes, columns the answers; the stronger a cell the greater its share of the class.",
        );
  const reliable = figure(
    reliabilityFigure(reliability(predictions), names.length),
    "Calibration",
    "On the dashed line a probability means what it says; below it the model is too sure of itself. A dot is the greater the more answers it stands for, its bar the 95 % interval.",
  );
  return section("answers", "Answers", pair(confusion, reliable));
}

function classesSection(classes: readonly ClassScores[]): string {
  const rows = classes.map(({ name, support, precision, recall, f1, auc }) => {
    const values = [precision, recall, f1, auc].map((value) => (value === null ? "–" : value.toFixed(3)));
    const cells = [support.toLocaleString("en-US"), ...values].map((text) => `<td>${text}</td>`).join("");
    return `<tr><th scope="row">${escapeMarkup(name)}</th>${cells}</tr>`;
  });
  const header = ["class", "sequences", "precision", "recall", "F1", "area under ROC"];
  return section(
    "classes",
    "Classes",
    `<table class="scores">
<thead><tr>${header.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>
${rows.join("\n")}
</tbody>
</table>`,
  );
}

function described(manifest: ClassifierManifest): Record<string, string | number> {
  const { name, ...options } = manifest.network;
  const settings = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  const { radiusSquared, classes, training, validation } = manifest;
  return {
    network: [name, ...settings].join(", "),
    ...(radiusSquared !== undefined && {
      "radius² k": radiusSquared,
      "curvature −1/k": -1 / radiusSquared,
    }),
    classes: classes.length,
    alphabet: manifest.alphabet,
    "length n": manifest.length,
    "training sequences": training.sequences,
    "dev sequences": validation.sequences,
    "MCC on dev": validation.mcc,
    "data digest": training.digest.slice(0, 16),
    recipe: training.recipe.name,
    seed: training.seed,
    steps: training.steps,
    "embranch version": manifest.embranch,
  };
}

function trained({ seconds, bestStep }: TrainResult): Record<string, string | number> {
  return { seconds: Math.round(seconds), "kept step": bestStep };
}
