/**
 * @file The training report of a model of distances: how good it is, and what to do with it.
 */
import {
  distanceHistogram,
  errorByDistance,
  FEWEST_PAIRS,
  shade,
  trueVersusPredicted,
  type DistancePairs,
} from "./figures.ts";
import {
  figure,
  formatValue,
  modelSection,
  nextSection,
  notesText,
  pair,
  renderPage,
  section,
  summarySection,
  trainingSection,
  type NextStep,
} from "./report-page.ts";
import { PERCENT_RMSE, type TrainingPoint } from "./training-curves.ts";

/** How far predictions are from the truth on held-out pairs, as `evaluate` reports it. */
export interface HeldOut extends DistancePairs {
  /** What was held out, such as `866 sequences of study550_val.fasta`. */
  of: string;
  /** The model's length n, of which errors are percents. */
  length: number;
  rmsePercent: number;
  maePercent: number;
  pearson: number;
  spearman: number;
}

export interface TrainingReport {
  /** Headline, such as the name of the model. */
  title: string;
  /** The command line that made the model. */
  command: string;
  /** What there is to know of the model and its training, in the order in which it is shown. */
  manifest: Record<string, string | number>;
  history: readonly TrainingPoint[];
  /** Absent when nothing was held out. */
  heldOut?: HeldOut;
  /** Anything the reader should know, such as sequences that were left out. */
  notes?: readonly string[];
  next: readonly NextStep[];
}

/** Renders the report as a complete HTML document. */
export function renderReport(report: TrainingReport): string {
  const { title, command, manifest, history, heldOut, notes = [], next } = report;
  return renderPage({
    kind: "training report",
    title,
    command,
    sections: [
      heldOut === undefined ? "" : summary(heldOut),
      notesText(notes),
      trainingSection(history, {
        measure: PERCENT_RMSE,
        title: "Error on held-out pairs",
        caption:
          "Root mean square error in percent of the model's length. If it rises while the loss falls, the model is learning its training sequences by heart: give it more of them.",
      }),
      heldOut === undefined ? "" : accuracy(heldOut),
      modelSection(manifest),
      nextSection(next),
    ],
  });
}

function summary({ of, truth, rmsePercent, maePercent, pearson, spearman, length }: HeldOut): string {
  const edits = ((rmsePercent * length) / 100).toFixed(1);
  return summarySection({
    value: rmsePercent.toFixed(2),
    unit: "%RMSE",
    meaning: `On pairs of ${of}, which training never saw, the predicted distance is off by ${edits} edits (root mean square), ${rmsePercent.toFixed(2)} % of the model’s length of ${formatValue(length)} letters.`,
    numbers: [
      ["mean absolute error", `${maePercent.toFixed(2)} %`],
      ["Pearson correlation", pearson.toFixed(4)],
      ["Spearman correlation", spearman.toFixed(4)],
      ["held-out pairs", formatValue(truth.length)],
    ],
  });
}

function accuracy(heldOut: HeldOut): string {
  const density = trueVersusPredicted(heldOut);
  const stops = [0, 0.25, 0.5, 0.75, 1]
    .map((share) => shade(density.mostPairs ** share, density.mostPairs).toFixed(2))
    .map((opacity) => `<i style="opacity:${opacity}"></i>`)
    .join("");
  const ramp = `<span class="ramp" aria-hidden="true">1 ${stops} ${formatValue(density.mostPairs)} pairs</span>`;
  return section(
    "accuracy",
    "Accuracy on held-out pairs",
    pair(
      figure(
        density.svg,
        "Predicted against true distance",
        `Every pair falls into a cell; the stronger its colour the more it holds, on a logarithmic scale. On the dashed line the prediction is exact. ${ramp}`,
      ),
      `<div>
${figure(errorByDistance(heldOut), "Error by distance", `<b class="key vermilion">●</b> root mean square error, <b class="key blue">○</b> bias (mean of predicted − true) of the pairs at each true distance; distances of fewer than ${FEWEST_PAIRS} pairs are left out.`)}
${figure(distanceHistogram(heldOut.truth), "True distances", "How many pairs the errors above rest on.")}
</div>`,
    ),
  );
}
