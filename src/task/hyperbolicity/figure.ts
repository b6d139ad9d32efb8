/**
 * @file The figure of hyperbolicity: δ_rel of the samples among that of curved spaces, and all values it is made of.
 *
 * Above, the references by dimension, a line for each curvature; where the line of the samples crosses that of a space
 * the two are alike in δ_rel. Below, how often each value 2δ_p(x, y)/diameter comes, of which δ_rel is the greatest.
 */

import * as Plot from "@observablehq/plot";
import { UsageError } from "../../error.ts";
import { BLUE, draw, INK, LEFT, MUTED, PAPER, TOP, VERMILION } from "../draw.ts";
import { CURVATURES, DIMENSIONS } from "./bank.ts";
import type { Hyperbolicity, ReferenceDelta, SampledDelta } from "./hyperbolicity.ts";

export interface HyperbolicityFigureOptions {
  /** What was measured (default: nothing is said). */
  of?: string;
}

const WIDTH = 560;
const UPPER = 340;
const LOWER = 240;
const HEADER = 30;
/** Pixels left of the lines, for their names. */
const NAMES = 118;
/** Pixels right of the frame, for the name of the samples. */
const RIGHT = 84;
/** Around names that lines may cross. */
const HALO = { stroke: PAPER, strokeWidth: 4 };
/** Height of a name, in δ_rel. */
const LABEL = 0.05;
/** Width of a bar of the histogram, in thousandths. */
const BAR = 20;

/** A reference in a space. */
interface Place {
  curvature: number;
  dim: string;
  relative: number;
}

/** Draws both panels as SVG text; throws UsageError without references. */
export function hyperbolicityFigure(found: Hyperbolicity, { of }: HyperbolicityFigureOptions = {}): string {
  const { references } = found;
  if (references.length === 0) throw new UsageError("figure: needs the references, got none");
  const { mean, low, high } = found.relative;
  const interval = low === null || high === null ? "" : ` (${two(low)} to ${two(high)})`;
  const size = `${found.samples.length} ${found.samples.length === 1 ? "sample" : "samples"} of ${found.size}`;
  const title = `δ_rel of ${of === undefined ? size : `${of}, ${size}`}`;
  const frame = draw({
    width: WIDTH,
    height: HEADER + UPPER + LOWER,
    axis: null,
    standalone: true,
    description:
      `${title}: ${two(mean)}${interval}; nearest reference: ${references[0].reference.name}. ` +
      "Above, δ_rel of spaces of constant curvature by dimension; below, the distribution of all values.",
    marks: [
      Plot.text([title], {
        frameAnchor: "top-left",
        dx: 8 - LEFT,
        dy: 8 - TOP,
        fontSize: 14,
        fontWeight: 600,
        fill: INK,
      }),
    ],
  });
  const panels = [among(found, references), values(found, references[0])];
  const placed = panels.map((svg, i) => svg.replace(/^<svg/, `<svg x="0" y="${HEADER + i * UPPER}"`));
  return frame.replace(/<\/svg>$/, `${placed.join("")}</svg>`);
}

const two = (value: number): string => value.toFixed(value < 0.1 ? 3 : 2);

const minus = (value: number): string => (value < 0 ? `−${-value}` : `${value}`);

const colourOf = ({ curvature }: { curvature: number }): string =>
  curvature < 0 ? BLUE : curvature > 0 ? VERMILION : INK;

const dimOf = ({ reference }: ReferenceDelta): number => (reference.kind === "space" ? reference.dim : 0);

/** δ_rel of the samples among that of the references. */
function among({ relative }: Hyperbolicity, references: readonly ReferenceDelta[]): string {
  const inOrder = references.toSorted((a, b) => dimOf(a) - dimOf(b));
  const places = inOrder.flatMap(({ reference, relative }): Place[] =>
    reference.kind === "space"
      ? [{ curvature: reference.curvature, dim: `${reference.dim}`, relative: relative.mean }]
      : [],
  );
  const first = `${DIMENSIONS[0]}`;
  const names = labelled(places.filter(({ dim }) => dim === first));
  const band = relative.low === null ? [] : [relative];
  return draw({
    width: WIDTH,
    height: UPPER,
    marginRight: RIGHT,
    insetLeft: NAMES,
    marginTop: TOP + 14,
    standalone: true,
    description: "δ_rel by dimension, a line for each curvature.",
    x: {
      type: "point",
      domain: DIMENSIONS.map(String),
      label: "dimension of the space",
      labelAnchor: "center",
      labelArrow: "none",
      padding: 0.25,
    },
    y: {
      domain: [0, Math.max(1, 1.05 * (relative.high ?? relative.mean))],
      label: null,
      ticks: 5,
      grid: true,
    },
    marks: [
      Plot.text(["↑ δ_rel = 2δ / diameter"], { frameAnchor: "top-left", dx: 3 - LEFT, dy: -22 }),
      Plot.rectY(band, { y1: "low", y2: "high", fill: INK, fillOpacity: 0.15 }),
      Plot.ruleY([relative.mean], { stroke: INK, strokeWidth: 2, strokeDasharray: "6 4" }),
      Plot.text([relative.mean], {
        y: (value: number) => value,
        frameAnchor: "right",
        text: (value: number) => `these: ${two(value)}`,
        textAnchor: "start",
        dx: 6,
        fontWeight: 600,
        fill: INK,
      }),
      Plot.line(places, {
        x: "dim",
        y: "relative",
        z: "curvature",
        stroke: colourOf,
        strokeWidth: 1.5,
      }),
      Plot.dot(places, {
        x: "dim",
        y: "relative",
        fill: colourOf,
        r: 3,
        title: ({ curvature, dim, relative }: Place) =>
          `K = ${minus(curvature)}, d = ${dim}: ${two(relative)}`,
      }),
      Plot.text(names, {
        x: () => first,
        y: "place",
        text: "name",
        fill: colourOf,
        textAnchor: "end",
        dx: -12,
        ...HALO,
      }),
    ],
  });
}

/** Names of the lines beside their first places, kept apart; spheres, which are alike there, have one. */
function labelled(starts: readonly Place[]): { name: string; curvature: number; place: number }[] {
  const of = (curvature: number) => starts.find((start) => start.curvature === curvature)?.relative ?? 0;
  const spheres = CURVATURES.filter((curvature) => curvature > 0);
  const groups = [
    ...CURVATURES.filter((curvature) => curvature <= 0).map((curvature) => ({
      name: curvature === 0 ? "flat, K = 0" : `K = ${minus(curvature)}`,
      curvature,
      place: of(curvature),
    })),
    {
      name: `spheres, K = ${spheres.join(", ")}`.replace(/, (\d)$/, ", $1"),
      curvature: 1,
      place: spheres.reduce((sum, curvature) => sum + of(curvature), 0) / spheres.length,
    },
  ].sort((a, b) => a.place - b.place);
  let last = -Infinity;
  for (const group of groups) group.place = last = Math.max(group.place, last + LABEL);
  return groups;
}

/** A bar of the histogram. */
interface Bar {
  from: number;
  to: number;
  share: number;
}

/** How often each value comes. */
function values(found: Hyperbolicity, nearest: ReferenceDelta): string {
  const own = bars(found);
  const others = [
    { name: `nearest reference: ${nearest.reference.name}`, bars: bars(nearest), dash: "none", colour: BLUE },
    ...(found.control === undefined
      ? []
      : [{ name: "letters shuffled", bars: bars(found.control), dash: "3 3", colour: VERMILION }]),
  ];
  const last = [own, ...others.map(({ bars }) => bars)].reduce(
    (most, all) => Math.max(most, all.findLast(({ share }) => share > 0)?.to ?? 0),
    0.1,
  );
  const shown = (all: readonly Bar[]) => all.filter(({ from }) => from < last);
  return draw({
    width: WIDTH,
    height: LOWER,
    marginTop: TOP + 14,
    standalone: true,
    description: "Distribution of all values 2δ_p(x, y)/diameter.",
    x: {
      domain: [0, last],
      nice: false,
      label: "2δ_p(x, y) / diameter, of all base points p and pairs x, y",
      labelAnchor: "center",
      labelArrow: "none",
    },
    y: { label: null, grid: true, ticks: 4, tickFormat: "%" },
    marks: [
      Plot.text(["↑ share of the values (bars: these)"], { frameAnchor: "top-left", dx: 3 - LEFT, dy: -22 }),
      Plot.rectY(shown(own), {
        x1: "from",
        x2: "to",
        y: "share",
        fill: MUTED,
        fillOpacity: 0.5,
        inset: 0.5,
        title: ({ from, to, share }: Bar) =>
          `${from.toFixed(2)} to ${to.toFixed(2)}: ${(100 * share).toFixed(1)} %`,
      }),
      ...others.flatMap(({ name, bars, dash, colour }, i) => [
        Plot.line(
          shown(bars).flatMap(({ from, to, share }) => [
            [from, share],
            [to, share],
          ]),
          { stroke: colour, strokeWidth: 1.5, strokeDasharray: dash },
        ),
        Plot.text([`${dash === "none" ? "—" : "- -"} ${name}`], {
          frameAnchor: "top-right",
          dy: 6 + 16 * i,
          dx: -4,
          fill: colour,
        }),
      ]),
      Plot.ruleY([0], { stroke: INK, strokeOpacity: 0.6 }),
    ],
  });
}

function bars({ histogram }: Pick<SampledDelta, "histogram">): Bar[] {
  return Array.from({ length: Math.ceil((histogram.length - 1) / BAR) }, (_, b) => {
    const from = b * BAR;
    // The last thousandth is the end of the last bar.
    const to = from + BAR >= histogram.length - 1 ? histogram.length : from + BAR;
    const share = histogram.slice(from, to).reduce((sum, value) => sum + value, 0);
    return { from: from / 1000, to: Math.min(1, (from + BAR) / 1000), share };
  });
}
