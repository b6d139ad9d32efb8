/**
 * @file The figures of distances, predicted and true, as SVG text.
 *
 * Every figure is a pure function of its numbers (draw.ts), and no meaning hangs on colour alone.
 *
 * A million pairs are binned in one pass before anything is drawn; figures hold bins, never pairs. Marks carry
 * their numbers as `<title>`, shown on hovering.
 */
import * as Plot from "@observablehq/plot";
import { BLUE, draw, formatInteger, INK, LEFT, MUTED, PAPER, TOP, VERMILION, WIDTH } from "./draw.ts";

/** True and predicted distances of pairs that training never saw, in edits. */
export interface DistancePairs {
  truth: ArrayLike<number>;
  predicted: ArrayLike<number>;
}

/** Pixels that a title takes. */
const TITLE = 24;

/** The heat map of predicted against true distances, log-scaled, with the line of no error. */
export function trueVersusPredicted(pairs: DistancePairs): { svg: string; mostPairs: number } {
  const { cells, most, end } = binPairs(pairs);
  const side = WIDTH - 52 - 16;
  const svg = draw({
    height: side + 26 + 38,
    description:
      `Predicted against true distance of ${formatInteger(pairs.truth.length)} held-out pairs; ` +
      "the closer to the diagonal, the better.",
    x: { label: "true distance, edits", domain: [0, end], nice: false },
    y: { label: "predicted distance, edits", domain: [0, end], nice: false },
    opacity: { type: "identity" },
    marks: [
      Plot.gridX({ strokeOpacity: 0.08 }),
      Plot.gridY({ strokeOpacity: 0.08 }),
      Plot.rect(cells, {
        x1: "x1",
        x2: "x2",
        y1: "y1",
        y2: "y2",
        inset: 0,
        fill: BLUE,
        fillOpacity: (cell: Cell) => shade(cell.count, most),
        shapeRendering: "crispEdges",
      }),
      Plot.line([[0, 0], [end, end]], { stroke: INK, strokeWidth: 1, strokeDasharray: "5 4" }), // prettier-ignore
    ],
  });
  return { svg, mostPairs: most };
}

/** Opacity of a cell, 0.1 for a single pair to 1 for the fullest cell, logarithmic in between. */
export function shade(count: number, most: number): number {
  return most <= 1 ? 1 : 0.1 + 0.9 * (Math.log(count) / Math.log(most));
}

/** Ranges of fewer pairs say more about chance than about the model. */
export const FEWEST_PAIRS = 20;

/** Mean error (bias) and root mean square error of each range of true distances that holds enough pairs. */
export function errorByDistance(pairs: DistancePairs): string {
  const { bins: all, domain, whole } = binErrors(pairs);
  const title = (bin: ErrorBin): string => errorTitle(bin, whole);
  const bins = all.filter(({ count }) => count >= FEWEST_PAIRS);
  return draw({
    height: 240,
    description: "Bias and root mean square error of predictions, by true distance.",
    x: { label: "true distance, edits", domain, nice: false },
    y: { label: "error, edits", grid: true, nice: true, ticks: 5 },
    marks: [
      Plot.ruleY([0], { stroke: INK, strokeOpacity: 0.6 }),
      Plot.lineY(bins, { x: "center", y: "bias", stroke: BLUE, strokeWidth: 1.5, strokeDasharray: "4 3" }),
      Plot.dot(bins, {
        x: "center",
        y: "bias",
        stroke: BLUE,
        fill: PAPER,
        r: 2.5,
        title,
      }),
      Plot.lineY(bins, { x: "center", y: "rmse", stroke: VERMILION, strokeWidth: 1.5 }),
      Plot.dot(bins, { x: "center", y: "rmse", fill: VERMILION, r: 2.5, title }),
    ],
  });
}

export interface HistogramOptions {
  /** What the distances are of, such as `pairs of reads.fasta`. */
  of?: string;
  /** What kind of distance it is, for the axis. */
  kind?: string;
  /** Whether there is no page around the figure: it then has a title, and a font of its own (default false). */
  standalone?: boolean;
}

/** How many pairs there are of each distance in edits, the median marked. */
export function distanceHistogram(
  distances: ArrayLike<number>,
  { of = "held-out pairs", kind = "true distance", standalone = false }: HistogramOptions = {},
): string {
  const { bins, whole, domain } = binDistances(distances);
  const shift = barShift(whole);
  const median = medianDistance(distances);
  const middle = distances.length === 0 ? [] : [median];
  const right = median > (domain[0] + domain[1]) / 2;
  const subject = `${kind} of ${formatInteger(distances.length)} ${of}`;
  const header = standalone ? TITLE : 0;
  return draw({
    height: 200 + header,
    marginTop: TOP + header,
    standalone,
    description:
      `Histogram of the ${subject}` +
      (distances.length === 0 ? "." : `; the median is ${shortNumber(median)} edits.`),
    x: { label: `${kind}, edits`, labelAnchor: "center", labelArrow: "none", domain, nice: false },
    // An axis would write its label at the very top, where a title stands.
    y: { label: null, grid: true, nice: true, ticks: 4, tickFormat: shortCount },
    marks: [
      Plot.rectY(bins, {
        x1: ({ from }: DistanceBin) => from - shift,
        x2: ({ to }: DistanceBin) => to - shift,
        y: "count",
        fill: MUTED,
        fillOpacity: 0.6,
        inset: 0.5,
        title: (bin: DistanceBin) => `${rangeText(bin, whole)}: ${formatInteger(bin.count)} pairs`,
      }),
      Plot.ruleY([0], { stroke: INK, strokeOpacity: 0.6 }),
      Plot.ruleX(middle, { stroke: INK, strokeDasharray: "5 4" }),
      Plot.text(middle, {
        x: (value: number) => value,
        frameAnchor: "top",
        text: (value: number) => `median ${shortNumber(value)}`,
        dx: right ? -5 : 5,
        dy: -14,
        textAnchor: right ? "end" : "start",
        fontWeight: 600,
        fill: INK,
      }),
      Plot.text(["↑ pairs"], { frameAnchor: "top-left", dx: 3 - LEFT, dy: 3 - TOP }),
      Plot.text(standalone ? [subject[0].toUpperCase() + subject.slice(1)] : [], {
        frameAnchor: "top-left",
        dx: 3 - LEFT,
        dy: 4 - TOP - header,
        fontWeight: 600,
        fill: INK,
      }),
    ],
  });
}

/**
 * The (lower) median of distances; NaN where there are none. Only those of its bin are sorted, so that a hundred
 * million take no second copy.
 */
export function medianDistance(distances: ArrayLike<number>): number {
  let rank = Math.ceil(distances.length / 2) - 1;
  for (const { from, to, count } of binDistances(distances).bins) {
    if (rank >= count) {
      rank -= count;
      continue;
    }
    const near = new Float64Array(count);
    for (let k = 0, at = 0; k < distances.length; k++) {
      if (distances[k] >= from && distances[k] < to) near[at++] = distances[k];
    }
    return near.sort()[rank];
  }
  return NaN;
}

/** Pairs whose true and predicted distances lie within one small square. */
interface Cell {
  x1: number;
  x2: number;
  y1: number;
  y2: number;
  count: number;
}

const CELLS = 120;

/** Counts pairs in at most 120 × 120 cells of whole edits; predictions outside the axes count at their edge. */
function binPairs(pairs: DistancePairs): { cells: Cell[]; most: number; end: number } {
  const { truth, predicted } = pairs;
  const width = Math.max(1, Math.ceil((greatestDistance(truth) + 1) / CELLS));
  const side = Math.ceil((greatestDistance(truth) + 1) / width);
  const counts = new Uint32Array(side * side);
  for (let k = 0; k < truth.length; k++) {
    const column = Math.floor(truth[k] / width);
    const row = Math.min(side - 1, Math.max(0, Math.floor(predicted[k] / width)));
    counts[row * side + column]++;
  }
  const cells: Cell[] = [];
  let most = 0;
  counts.forEach((count, at) => {
    if (count === 0) return;
    most = Math.max(most, count);
    const x1 = (at % side) * width;
    const y1 = Math.floor(at / side) * width;
    cells.push({ x1, x2: x1 + width, y1, y2: y1 + width, count });
  });
  return { cells, most, end: side * width };
}

/** Pairs whose distance is at least `from` and less than `to`. */
interface DistanceBin {
  from: number;
  to: number;
  count: number;
}

/** Bins that hold something, and the axis that they are drawn on. */
interface Binned<Bin> {
  bins: Bin[];
  domain: [number, number];
  /** Whether all distances are whole numbers. */
  whole: boolean;
}

/** Counts distances in at most 60 ranges of 1, 2, 5, 10, … edits, and leaves out empty ones. */
function binDistances(distances: ArrayLike<number>): Binned<DistanceBin> {
  const { width, length, ...axis } = distanceRanges(distances);
  const counts = new Float64Array(length);
  for (let k = 0; k < distances.length; k++) counts[Math.floor(distances[k] / width)]++;
  const bins = Array.from(counts, (count, i) => ({ from: i * width, to: (i + 1) * width, count }));
  return { bins: bins.filter(({ count }) => count > 0), ...axis };
}

/** How far left of its range a bar begins: one of whole distances has these in its middle. */
function barShift(whole: boolean): number {
  return whole ? 0.5 : 0;
}

/** A bin of true distances, and the errors of its pairs. */
interface ErrorBin extends DistanceBin {
  center: number;
  bias: number;
  rmse: number;
}

/** Bins true distances as `binDistances` does. */
function binErrors({ truth, predicted }: DistancePairs): Binned<ErrorBin> {
  const { width, length, ...axis } = distanceRanges(truth);
  const bins = Array.from({ length }, (_, i) => ({ count: 0, sum: 0, squares: 0, from: i * width }));
  for (let k = 0; k < truth.length; k++) {
    const bin = bins[Math.floor(truth[k] / width)];
    const error = predicted[k] - truth[k];
    bin.count++;
    bin.sum += error;
    bin.squares += error * error;
  }
  const errors = bins.map(({ count, sum, squares, from }) => ({
    from,
    to: from + width,
    center: from + width / 2 - barShift(axis.whole),
    count,
    bias: sum / count,
    rmse: Math.sqrt(squares / count),
  }));
  return { bins: errors.filter(({ count }) => count > 0), ...axis };
}

/** How distances are divided, and the axis for them. */
interface DistanceRanges extends Omit<Binned<never>, "bins"> {
  /** Edits of a range. */
  width: number;
  /** Number of ranges. */
  length: number;
}

/** Ranges of one width from 0 that hold all distances, 60 at most. */
function distanceRanges(distances: ArrayLike<number>): DistanceRanges {
  const beyond = greatestDistance(distances) + 1;
  const width = niceWidth(beyond / 60);
  const length = Math.ceil(beyond / width);
  const whole = allWhole(distances);
  const shift = barShift(whole);
  return { width, length, whole, domain: [-shift, length * width - shift] };
}

function allWhole(distances: ArrayLike<number>): boolean {
  for (let k = 0; k < distances.length; k++) if (!Number.isInteger(distances[k])) return false;
  return true;
}

/** The smallest of 1, 2, 5, 10, 20, … that is not less than `width`. */
function niceWidth(width: number): number {
  const power = 10 ** Math.max(0, Math.floor(Math.log10(width)));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= width) ?? 10 * power;
}

/** The largest distance, at least 1. */
function greatestDistance(distances: ArrayLike<number>): number {
  let greatest = 1;
  for (let k = 0; k < distances.length; k++) if (distances[k] > greatest) greatest = distances[k];
  return greatest;
}

/** The distances of a range in words. */
function rangeText({ from, to }: DistanceBin, whole: boolean): string {
  if (!whole) return `${from} to below ${to} edits`;
  return to - from === 1 ? `${from} edits` : `${from} to ${to - 1} edits`;
}

function errorTitle(bin: ErrorBin, whole: boolean): string {
  const { count, bias, rmse } = bin;
  const sign = bias < 0 ? "−" : "+";
  return `${rangeText(bin, whole)}: ${formatInteger(count)} pairs, bias ${sign}${Math.abs(bias).toFixed(2)}, RMSE ${rmse.toFixed(2)}`;
}

/** A number with one decimal where it has any. */
function shortNumber(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** A count of an axis: `0`, `500`, `20k`, `1.5M`. */
function shortCount(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : `${value}`;
}
