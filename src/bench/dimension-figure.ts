/**
 * @file The figure of the dimension table: error against dimension, a line for each geometry.
 *
 * Hues are Okabe and Ito's, which common forms of colour blindness tell apart; every line is named at its end, so
 * that no meaning hangs on colour alone. Bars are a standard deviation up and down; hollow dots are published.
 */

import * as Plot from "@observablehq/plot";
import { draw, INK } from "../task/draw.ts";
import { labelGap, pushedApart } from "./line-labels.ts";
import type { CellSummary, PapersReport } from "./papers-report.ts";

const HUES: Record<string, string> = {
  hyperbolic: "var(--figure-blue, #0072b2)",
  euclidean: "var(--figure-vermilion, #d55e00)",
  manhattan: "var(--figure-green, #009e73)",
  cosine: "var(--figure-purple, #cc79a7)",
  square: "var(--figure-orange, #e69f00)",
};

const HEIGHT = 320;

interface Point {
  geometry: string;
  dimension: number;
  error: number;
  low: number;
  high: number;
}

/** Error against dimension, as SVG text. */
export function dimensionFigure({ table, cells }: PapersReport): string {
  const points = cells.flatMap((cell) => pointOf(cell, cell.rmse));
  // Without a bar.
  const published = cells.flatMap((cell) => pointOf(cell, cell.published && { mean: cell.published.mean }));
  const last = [...new Set(points.map(({ geometry }) => geometry))].map((geometry) =>
    points.findLast((point) => point.geometry === geometry)!,
  );
  const range = Math.max(...[...points, ...published].map(({ high }) => high));
  const labels = pushedApart(last, "error", labelGap(range, HEIGHT));
  const hue = ({ geometry }: Point) => HUES[geometry];
  const dimensions = [...new Set(points.map(({ dimension }) => dimension))];
  return draw({
    height: HEIGHT,
    standalone: true,
    marginRight: 84,
    description: `${table.title}, a line for each geometry; hollow dots are published.`,
    x: { type: "log", base: 2, label: "dimension", ticks: dimensions, tickFormat: String },
    y: { label: "test %RMSE", grid: true, nice: true, zero: true },
    marks: [
      Plot.lineY(points, { x: "dimension", y: "error", z: "geometry", stroke: hue, strokeWidth: 1.5 }),
      Plot.ruleX(points, { x: "dimension", y1: "low", y2: "high", stroke: hue }),
      Plot.dot(points, { x: "dimension", y: "error", fill: hue, r: 3, title }),
      Plot.dot(published, { x: "dimension", y: "error", stroke: hue, r: 3.5, title }),
      Plot.text(labels, {
        x: "dimension",
        y: "error",
        text: "geometry",
        dx: 8,
        textAnchor: "start",
        fill: INK,
      }),
    ],
  });
}

function pointOf(
  { row, column }: CellSummary,
  error: { mean: number; deviation?: number } | undefined,
): Point[] {
  if (error === undefined) return [];
  const { mean, deviation = 0 } = error;
  const [geometry, dimension] = [row, Number(column)];
  return [{ geometry, dimension, error: mean, low: mean - deviation, high: mean + deviation }];
}

function title({ geometry, dimension, error }: Point): string {
  return `${geometry}, ${dimension} dimensions: ${error.toFixed(2)} %RMSE`;
}
