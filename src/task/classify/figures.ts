/**
 * @file The figures of classification, as SVG text: confusion matrix and reliability diagram (draw.ts).
 *
 * A cell of the confusion matrix is the stronger the greater its share of the class, and holds its count where there is
 * room for it. The reliability diagram shows the bins of the calibration error (calibration.ts), each with the interval
 * of Wilson: bins of few answers are off the diagonal by chance.
 *
 * Source: Wilson, "Probable inference, the law of succession, and statistical inference", Journal of the American
 * Statistical Association 1927.
 */

import * as Plot from "@observablehq/plot";
import { BLUE, draw, INK, LEFT, PAPER, WIDTH } from "../draw.ts";
import type { ValidationMeasure } from "../training-curves.ts";
import { wilson } from "../wilson.ts";
import type { ReliabilityBin } from "./calibration.ts";

/** What classifiers are judged by while they are trained. */
export const DEV_MCC: ValidationMeasure = {
  name: "Matthews' correlation on dev",
  label: "MCC on dev",
  text: (value, digits) => `MCC ${value.toFixed(digits)}`,
  greatest: true,
  scale: "linear",
};

/** Classes beyond which cells would be too small to see. */
export const MOST_DRAWN = 40;
/** Classes beyond which cells have no room for their counts. */
const MOST_COUNTED = 10;
/** Letters of a class's name that are shown. */
const NAME_LETTERS = 18;
/** Pixels of a letter of a tick, about. */
const LETTER = 6.6;
/** Pixels of a cell's height. */
const TALLEST = 84;
const FLATTEST = 11;
/** Opacity from which a cell is dark enough for text in the colour of the paper. */
const DARK = 0.7;

interface ConfusionCell {
  actual: number;
  answer: number;
  count: number;
  /** Share of the class. */
  share: number;
}

/** Sequences by class (rows) and answer (columns); `confusion` [classes][classes]. */
export function confusionFigure(confusion: readonly (readonly number[])[], names: readonly string[]): string {
  const classes = names.length;
  const cells = confusion.flatMap((row, actual): ConfusionCell[] => {
    const support = row.reduce((sum, count) => sum + count, 0);
    return row.map((count, answer) => ({
      actual,
      answer,
      count,
      share: support === 0 ? 0 : count / support,
    }));
  });
  const total = cells.reduce((sum, { count }) => sum + count, 0);
  const right = confusion.reduce((sum, row, k) => sum + row[k], 0);
  const shown = names.map((name) =>
    name.length > NAME_LETTERS ? `${name.slice(0, NAME_LETTERS - 1)}…` : name,
  );
  const longest = shown.reduce((most, { length }) => Math.max(most, length), 1) * LETTER;
  const marginLeft = Math.max(LEFT, Math.ceil(longest) + 16);
  const room = (WIDTH - marginLeft - 16) / classes;
  const turned = longest > room - 4;
  const marginBottom = turned ? Math.ceil(longest) + 34 : 38;
  const cell = Math.min(TALLEST, Math.max(FLATTEST, room));
  const counted = classes <= MOST_COUNTED;
  const axis = { domain: [...names.keys()], padding: 0, tickFormat: (k: number) => shown[k] };
  return draw({
    height: 26 + classes * cell + marginBottom,
    marginLeft,
    marginBottom,
    description: `Confusion matrix of ${classes} classes; ${percent(right / total)} of the answers are right.`,
    x: { ...axis, type: "band", label: "answer", labelAnchor: "center", tickRotate: turned ? -90 : 0, tickSize: 0, labelOffset: marginBottom - 4 }, // prettier-ignore
    y: { ...axis, type: "band", label: "class", labelArrow: "none", tickSize: 0 },
    opacity: { type: "identity" },
    marks: [
      Plot.cell(cells, {
        x: "answer",
        y: "actual",
        fill: BLUE,
        fillOpacity: ({ share }: ConfusionCell) => opacity(share),
        inset: classes > MOST_COUNTED ? 0.5 : 1.5,
        title: ({ actual, answer, count, share }: ConfusionCell) =>
          `${names[actual]} answered as ${names[answer]}: ${count.toLocaleString("en-US")} (${percent(share)})`,
      }),
      ...[true, false].map((dark) =>
        Plot.text(counted ? cells.filter(({ share }) => opacity(share) > DARK === dark) : [], {
          x: "answer",
          y: "actual",
          text: ({ count, share }: ConfusionCell) =>
            room < 64 ? count.toLocaleString("en-US") : `${count.toLocaleString("en-US")}\n${percent(share)}`,
          fill: dark ? PAPER : INK,
          pointerEvents: "none",
        }),
      ),
    ],
  });
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Opacity of a cell, so that one answer of a thousand can still be seen. */
function opacity(share: number): number {
  return share === 0 ? 0.04 : 0.1 + 0.9 * share;
}

/** Largest radius of a bin's dot, in pixels. */
const LARGEST = 8;
const SMALLEST = 3;

/** How often answers of each probability are right; `classes` sets where probabilities can begin. */
export function reliabilityFigure(bins: readonly ReliabilityBin[], classes: number): string {
  const filled = bins.filter(({ count }) => count > 0);
  const most = filled.reduce((greatest, { count }) => Math.max(greatest, count), 1);
  const start = classes === 2 ? 0.5 : 0;
  const title = ({ from, to, count, confidence, accuracy }: ReliabilityBin) =>
    `probability ${from.toFixed(2)} to ${to.toFixed(2)}: ${count.toLocaleString("en-US")} answers, ` +
    `mean ${percent(confidence)}, right ${percent(accuracy)}`;
  const total = filled.reduce((sum, { count }) => sum + count, 0);
  return draw({
    height: 340,
    description: `Share of right answers by their probability, of ${total.toLocaleString("en-US")} answers.`,
    x: { label: "probability of the answer", domain: [start, 1], labelAnchor: "center" },
    y: { label: "share that is right", domain: [0, 1], grid: true },
    r: { type: "identity" },
    marks: [
      Plot.line([[start, start], [1, 1]], { stroke: INK, strokeDasharray: "5 4" }), // prettier-ignore
      Plot.ruleX(filled, {
        x: "confidence",
        y1: ({ accuracy, count }: ReliabilityBin) => wilson(accuracy, count)[0],
        y2: ({ accuracy, count }: ReliabilityBin) => wilson(accuracy, count)[1],
        stroke: BLUE,
        strokeWidth: 1.5,
        strokeOpacity: 0.6,
      }),
      Plot.dot(filled, {
        x: "confidence",
        y: "accuracy",
        r: ({ count }: ReliabilityBin) => Math.max(SMALLEST, LARGEST * Math.sqrt(count / most)),
        fill: BLUE,
        title,
      }),
    ],
  });
}
