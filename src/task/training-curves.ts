/**
 * @file The curves of a training run, as SVG text: its loss, and what the model is judged by.
 *
 * Runs have tens of thousands of steps: neighbouring ones are joined, and drawn as their mean within their range.
 */

import * as Plot from "@observablehq/plot";
import { BLUE, draw, formatInteger, INK, PAPER, VERMILION } from "./draw.ts";

/** Where training stood after one step. */
export interface TrainingPoint {
  step: number;
  /** Wall-clock seconds since training began. */
  seconds: number;
  loss: number;
  learningRate: number;
  /** What the model is judged by, on the steps where it was measured. */
  validation?: number;
}

/** What models are judged by while they are trained. */
export interface ValidationMeasure {
  /** What it is called. */
  name: string;
  /** What it is measured in, for the axis. */
  label: string;
  /** A value in words. */
  text: (value: number, digits: number) => string;
  /** Whether the greatest value is the best, and not the least. */
  greatest: boolean;
  scale: "log" | "linear";
}

/** The error of predicted distances. */
export const PERCENT_RMSE: ValidationMeasure = {
  name: "Validation error",
  label: "validation %RMSE",
  text: (value, digits) => `${value.toFixed(digits)} %RMSE`,
  greatest: false,
  scale: "log",
};

/** Training loss over steps, on a logarithmic scale: the mean of neighbouring steps within their range. */
export function lossCurve(history: readonly TrainingPoint[]): string {
  const bins = binSteps(history.filter(({ loss }) => drawable(loss)));
  return draw({
    height: 260,
    description: `Training loss over ${formatInteger(history.at(-1)?.step ?? 0)} steps, on a logarithmic scale.`,
    x: { label: "step", domain: [0, Math.max(1, history.at(-1)?.step ?? 0)], nice: false },
    y: { ...logScale(bins.flatMap(({ low, high }) => [low, high])), label: "training loss" },
    marks: [
      Plot.areaY(bins, { x: "step", y1: "low", y2: "high", fill: BLUE, fillOpacity: 0.18 }),
      Plot.lineY(bins, { x: "step", y: "mean", stroke: BLUE, strokeWidth: 1.5 }),
    ],
  });
}

/** Validation over steps, the best one marked. */
export function validationCurve(
  history: readonly TrainingPoint[],
  { name, label, text, greatest, scale }: ValidationMeasure = PERCENT_RMSE,
): string {
  const isDrawn = ({ validation }: TrainingPoint) =>
    scale === "log" ? drawable(validation) : Number.isFinite(validation);
  const points = history.filter((point): point is Required<TrainingPoint> => isDrawn(point));
  const isBetter = (a: number, b: number) => (greatest ? a > b : a < b);
  const best = points.reduce<Required<TrainingPoint> | undefined>(
    (a, b) => (a === undefined || isBetter(b.validation, a.validation) ? b : a),
    undefined,
  );
  const last = history.at(-1)?.step ?? 0;
  const values = points.map(({ validation }) => validation);
  const title = ({ step, seconds, validation }: Required<TrainingPoint>) =>
    `step ${formatInteger(step)}, ${Math.round(seconds)} s: ${text(validation, 3)}`;
  return draw({
    height: 260,
    description: best
      ? `${name} over steps; the best is ${text(best.validation, 2)} at step ${formatInteger(best.step)}.`
      : `${name} was not measured.`,
    x: { label: "step", domain: [0, Math.max(1, last)], nice: false },
    y: { ...(scale === "log" ? logScale(values) : linearScale(values)), label },
    marks: [
      Plot.lineY(points, { x: "step", y: "validation", stroke: VERMILION, strokeWidth: 1.5 }),
      points.length <= 60
        ? Plot.dot(points, { x: "step", y: "validation", fill: VERMILION, r: 2, title })
        : null,
      Plot.dot(best ? [best] : [], { x: "step", y: "validation", stroke: INK, r: 5, title }),
      Plot.text(best ? [best] : [], {
        x: "step",
        y: "validation",
        text: (point: Required<TrainingPoint>) => `best ${point.validation.toFixed(2)}`,
        // On the side where the curve is not.
        dy: greatest ? 26 : -26,
        stroke: PAPER,
        strokeWidth: 3,
        textAnchor: best && best.step > 0.85 * last ? "end" : "middle",
        fontWeight: 600,
        fill: INK,
      }),
    ],
  });
}

/** A linear axis over `values`, widened where they are one. */
function linearScale(values: readonly number[]): Plot.ScaleOptions {
  const one = new Set(values).size === 1;
  return { domain: one ? [values[0] - 0.05, values[0] + 0.05] : undefined, grid: true, nice: true, ticks: 5 };
}

/** A logarithmic axis over `values` with lines at 1, 2 and 5 times powers of ten, fewer where they would crowd. */
function logScale(values: readonly number[]): Plot.ScaleOptions {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), 0);
  const decades = Math.log10(high / low);
  const steps = decades > 3.5 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.log10(high); power++) {
    // Read from text: 2 * 10 ** -3 is not 0.002.
    for (const step of steps) ticks.push(Number(`${step}e${power}`));
  }
  const shown = ticks.filter((tick) => tick >= low * 0.9 && tick <= high * 1.1);
  return {
    type: "log",
    domain: values.length > 0 ? [Math.min(low * 0.9, ...shown), Math.max(high, ...shown)] : undefined,
    grid: true,
    // One value may be far from round ones.
    ticks: shown.length > 0 ? shown : [Number(high.toPrecision(2))],
    tickFormat: (tick: number) => String(tick),
  };
}

interface StepBin {
  step: number;
  mean: number;
  low: number;
  high: number;
}

/** Whether a logarithmic axis has a place for the value. */
function drawable(value: number | undefined): boolean {
  return value !== undefined && value > 0 && value < Infinity;
}

/** Joins neighbouring steps until at most `most` are left; the mean is geometric, as the scale is. */
function binSteps(history: readonly TrainingPoint[], most = 240): StepBin[] {
  const size = Math.max(1, Math.ceil(history.length / most));
  const bins = [];
  for (let start = 0; start < history.length; start += size) {
    const points = history.slice(start, start + size);
    const losses = points.map(({ loss }) => loss);
    bins.push({
      step: points.reduce((sum, { step }) => sum + step, 0) / points.length,
      mean: Math.exp(losses.reduce((sum, loss) => sum + Math.log(loss), 0) / losses.length),
      low: Math.min(...losses),
      high: Math.max(...losses),
    });
  }
  return bins;
}
