/**
 * @file The training report: one HTML file that tells how good a model is and what to do with it.
 *
 * It holds everything it needs (style and figures inline, no scripts, no network), follows the reader's light or
 * dark setting, and prints. It is a pure function of its input, so that the same run gives the same bytes.
 */
import {
  distanceHistogram,
  errorByDistance,
  FEWEST_PAIRS,
  lossCurve,
  shade,
  trueVersusPredicted,
  validationCurve,
  type DistancePairs,
  type TrainingPoint,
} from "./figures.ts";
import { REPORT_STYLE } from "./report-style.ts";

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

/** A command to go on with, and what it is for. */
export interface NextStep {
  command: string;
  purpose: string;
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
  const validated = history.some(({ validation }) => validation !== undefined);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escape(title)}: training report</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kicker">Embranch training report</p>
<h1>${escape(title)}</h1>
<pre class="command"><code>${escape(command)}</code></pre>
</header>
${heldOut === undefined ? "" : summary(heldOut)}
${notes.map((note) => `<p class="note">${escape(note)}</p>`).join("\n")}
<section aria-labelledby="training">
<h2 id="training">Training</h2>
<div class="pair">
${figure(lossCurve(history), "Loss", "The mean of neighbouring steps, within the range they span. It should fall and level off; if it is still falling at the end, train longer.")}
${
  validated
    ? figure(
        validationCurve(history),
        "Error on held-out pairs",
        "Root mean square error in percent of the model's length. If it rises while the loss falls, the model is learning its training sequences by heart: give it more of them.",
      )
    : ""
}
</div>
</section>
${heldOut === undefined ? "" : accuracy(heldOut)}
<section aria-labelledby="model">
<h2 id="model">Model</h2>
<dl class="manifest">
${Object.entries(manifest)
  .map(([name, value]) => `<div><dt>${escape(name)}</dt><dd>${escape(formatValue(value))}</dd></div>`)
  .join("\n")}
</dl>
</section>
<section aria-labelledby="next">
<h2 id="next">What to do next</h2>
${next
  .map(
    (step) => `<div class="step"><p>${escape(step.purpose)}</p>
<pre class="command"><code>${escape(step.command)}</code></pre></div>`,
  )
  .join("\n")}
</section>
</main>
</body>
</html>
`;
}

/** The headline number with its meaning in one sentence, and the others beside it. */
function summary(heldOut: HeldOut): string {
  const { truth, rmsePercent, maePercent, pearson, spearman, length } = heldOut;
  const edits = ((rmsePercent * length) / 100).toFixed(1);
  const numbers: [string, string][] = [
    ["mean absolute error", `${maePercent.toFixed(2)} %`],
    ["Pearson correlation", pearson.toFixed(4)],
    ["Spearman correlation", spearman.toFixed(4)],
    ["held-out pairs", formatValue(truth.length)],
  ];
  return `<section class="summary" aria-label="Accuracy in numbers">
<div class="headline">
<p class="figure-of-merit">${rmsePercent.toFixed(2)}<span> %RMSE</span></p>
<p>On pairs of ${escape(heldOut.of)}, which training never saw, the predicted distance is off by ${edits} edits (root mean square), ${rmsePercent.toFixed(2)} % of the model’s length of ${formatValue(length)} letters.</p>
</div>
<dl class="numbers">
${numbers.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join("\n")}
</dl>
</section>`;
}

function accuracy(heldOut: HeldOut): string {
  const density = trueVersusPredicted(heldOut);
  const stops = [0, 0.25, 0.5, 0.75, 1]
    .map((share) => shade(density.mostPairs ** share, density.mostPairs).toFixed(2))
    .map((opacity) => `<i style="opacity:${opacity}"></i>`)
    .join("");
  const ramp = `<span class="ramp" aria-hidden="true">1 ${stops} ${formatValue(density.mostPairs)} pairs</span>`;
  return `<section aria-labelledby="accuracy">
<h2 id="accuracy">Accuracy on held-out pairs</h2>
<div class="pair">
${figure(density.svg, "Predicted against true distance", `Every pair falls into a cell; the stronger its colour the more it holds, on a logarithmic scale. On the dashed line the prediction is exact. ${ramp}`)}
<div>
${figure(errorByDistance(heldOut), "Error by distance", `<b class="key vermilion">●</b> root mean square error, <b class="key blue">○</b> bias (mean of predicted − true) of the pairs at each true distance; distances of fewer than ${FEWEST_PAIRS} pairs are left out.`)}
${figure(distanceHistogram(heldOut.truth), "True distances", "How many pairs the errors above rest on.")}
</div>
</div>
</section>`;
}

function figure(svg: string, title: string, caption: string): string {
  return `<figure>
<h3>${title}</h3>
${svg}
<figcaption>${caption}</figcaption>
</figure>`;
}

/** Numbers with thousands separated and at most six significant digits; text as it is. */
function formatValue(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return String(Number(value.toPrecision(6)));
}

function escape(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}
