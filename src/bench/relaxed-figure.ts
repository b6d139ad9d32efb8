/**
 * @file The figure of relaxed clustering: cost against triples, a line for each model; hollow dots are published.
 *
 * Hues are Okabe and Ito's, which common forms of colour blindness tell apart; every line is named at its end.
 */

import * as Plot from "@observablehq/plot";
import { draw, INK, MUTED } from "../task/draw.ts";
import { labelGap, pushedApart } from "./line-labels.ts";
import { NEUROSEED_RELAXED } from "./published.ts";
import type { RelaxedBench } from "./relaxed.ts";

const HUES = ["var(--figure-blue, #0072b2)", "var(--figure-vermilion, #d55e00)", "#009e73", "#cc79a7"];

const HEIGHT = 340;

interface Point {
  line: string;
  power: number;
  cost: number;
}

/** Cost above average linkage of exact distances against the number of triples, as SVG text. */
export function relaxedFigure({ sequences, references, results }: RelaxedBench): string {
  const points = results.map(({ model, rank, power, average }): Point => ({
    line: `${model}, rank ${rank}`,
    power,
    cost: average,
  }));
  const lines = [...new Set(points.map(({ line }) => line))];
  const published = lines.flatMap((line) =>
    Object.entries(NEUROSEED_RELAXED[line] ?? {}).map(([power, { mean }]): Point => ({
      line,
      power: Number(power),
      cost: mean,
    })),
  );
  const hue = ({ line }: Point) => HUES[lines.indexOf(line) % HUES.length];
  const costs = [...points, ...published].map(({ cost }) => cost);
  const ends = pushedApart(
    lines.map((line) => points.findLast((point) => point.line === line)!),
    "cost",
    labelGap(Math.max(...costs) - Math.min(...costs), HEIGHT),
  );
  const powers = [...new Set(points.map(({ power }) => power))];
  // Names of the dashed lines stand where there are no dots.
  const [left, right = left] = powers.slice(Math.max(0, Math.ceil(powers.length / 2) - 2));
  const between = (left + right) / 2;
  const exact = Object.entries(references).map(([name, cost]) => ({ name: `${name}, exact`, cost }));
  return draw({
    height: HEIGHT,
    standalone: true,
    marginRight: 150,
    description: `Dasgupta cost of relaxed clusterings of ${sequences} sequences, percent above average linkage of exact distances, against the number of triples; hollow dots are published.`,
    x: {
      label: "triples, as a power of the number N of sequences",
      ticks: powers,
      tickFormat: (power: number) => `N^${power}`,
    },
    y: { label: "Dasgupta cost, % more", grid: true, nice: true },
    marks: [
      Plot.ruleY([0], { stroke: INK }),
      Plot.ruleY(exact, { y: "cost", stroke: MUTED, strokeDasharray: "4 3" }),
      Plot.text(exact, {
        x: between,
        y: "cost",
        text: "name",
        dy: -6,
        fill: MUTED,
      }),
      Plot.lineY(points, { x: "power", y: "cost", z: "line", stroke: hue, strokeWidth: 1.5 }),
      Plot.dot(points, { x: "power", y: "cost", fill: hue, r: 3, title }),
      Plot.dot(published, { x: "power", y: "cost", stroke: hue, r: 3.5, title }),
      Plot.text(ends, { x: "power", y: "cost", text: "line", dx: 8, textAnchor: "start", fill: INK }),
    ],
  });
}

function title({ line, power, cost }: Point): string {
  return `${line}, N^${power} triples: ${cost.toFixed(3)} %`;
}
