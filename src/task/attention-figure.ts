/**
 * @file The figure of Needleman-Wunsch attention: what a model's attention to one pair is, beside the softmax of
 * the pair's alignment matrix, which it was to become (Lee and No 2024).
 *
 * All cells of one shade make one path, neighbours in a row one stretch of it: tens of kilobytes where a
 * rectangle for every cell takes megabytes, and unlike an image it is sharp in print and follows the page's
 * colours. Cells are a whole number of pixels wide; where there are more of them than pixels, a pixel shows the
 * greatest of its cells, so that the path of the alignment never breaks.
 */
import * as Plot from "@observablehq/plot";
import { UsageError } from "../error.ts";
import { BLUE, draw, INK, MUTED } from "./draw.ts";

/** The two maps of one pair, shares from 0 to 1. */
export interface AttentionMaps {
  /** [n + 1, n + 1] Learned attention P: rows the positions of the target, from 0, columns those of the source. */
  attention: Float32Array;
  /** [n + 1, n + 1] What it was to become: the softmax Q of the alignment matrix. */
  alignment: Float32Array;
  /** Letters of the sequence along the columns, at most n. */
  source: string;
  /** Letters of the sequence along the rows, at most n. */
  target: string;
}

/** Options of {@link attentionFigure}. */
export interface AttentionFigureOptions {
  /** First and last position to show, on both axes; default all. */
  zoom?: { from: number; to: number };
  title?: string;
  /** Set below the maps, in lines as wide as they are (default: what P and Q are). */
  caption?: string;
}

/** The part of the maps that is shown: positions from `from` on of both sequences. */
interface Window {
  from: number;
  rows: number;
  columns: number;
}

type AxisOptions = Plot.AxisXOptions & Plot.AxisYOptions;

/** Pixels that a map is wide and high at most. */
const MAP = 460;
/** Pixels that a cell is wide and high at most. */
const LARGEST = 40;
/** Pixels of a cell from which a letter fits beside it. */
const LETTER = 9;
/** Pixels between letters and the numbers of the first and the last of them. */
const NUMBER = 24;
/** Shades told apart. */
const SHADES = 64;
const NARROWEST = 480;
const HEADER = 60;
const LEGEND = 154;
const GAP = 20;
const PAD = 16;
const MARGIN = { marginLeft: 62, marginRight: 16, marginTop: 26, marginBottom: 52 };
/** Size of the caption in pixels: its lines, and the mean width of a character, on the safe side. */
const LINE = 17;
const CHARACTER = 7;

const EXPLANATION =
  "P: how each position of the target shares out its attention over those of the source. " +
  "Q: what training pulls P towards, the softmax of each row of the pair's Needleman-Wunsch matrix. " +
  "Position 0 stands before the first letter.";

/** Draws both maps of a pair side by side, with the letters along the axes where they fit, as SVG text. */
export function attentionFigure(
  maps: AttentionMaps,
  { zoom, title = "Needleman-Wunsch attention", caption = EXPLANATION }: AttentionFigureOptions = {},
): string {
  const { attention, alignment, source, target } = maps;
  const side = Math.max(source.length, target.length) + 1;
  for (const [name, { length }] of Object.entries({ attention, alignment })) {
    if (length < side ** 2 || !Number.isInteger(Math.sqrt(length))) {
      throw new UsageError(`${name}: must be a square of at least ${side ** 2} cells, got ${length}`);
    }
  }
  const window = windowOf(maps, zoom);
  const left = heatMap("learned attention P", attention, maps, window);
  const right = heatMap("alignment target Q", alignment, maps, window);
  const width = Math.max(NARROWEST, left.width + GAP + right.width);
  const lines = Math.ceil((caption.length * CHARACTER) / width);
  const frame = draw({
    width: width + 2 * PAD,
    height: HEADER + left.height + LINE * lines + 2 * PAD,
    ...{ marginLeft: PAD, marginRight: PAD, marginTop: PAD, marginBottom: PAD },
    axis: null,
    standalone: true,
    description: "Learned attention and alignment target of one pair, side by side.",
    marks: [
      Plot.text([title], { frameAnchor: "top-left", dx: 3, dy: 4, fontSize: 15, fontWeight: 600, fill: INK }),
      Plot.text([caption], {
        frameAnchor: "top-left",
        dx: 3,
        dy: HEADER + left.height + LINE / 2,
        lineWidth: width / 14,
        lineHeight: LINE / 12,
        fill: MUTED,
      }),
    ],
  });
  const parts = [
    place(left.svg, PAD, PAD + HEADER),
    place(right.svg, PAD + left.width + GAP, PAD + HEADER),
    place(legend(), PAD + width - LEGEND, PAD),
  ];
  return frame.replace(/<\/svg>$/, `${parts.join("")}</svg>`);
}

function windowOf(
  { source, target }: AttentionMaps,
  { from, to }: { from: number; to: number } = { from: 0, to: Math.max(source.length, target.length) },
): Window {
  const last = Math.min(source.length, target.length);
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || from > Math.min(last, to)) {
    throw new UsageError(`zoom: must begin at 0 to ${last} and end after it, got ${from} to ${to}`);
  }
  return {
    from,
    rows: Math.min(to, target.length) - from + 1,
    columns: Math.min(to, source.length) - from + 1,
  };
}

/** One map with its axes. */
function heatMap(
  title: string,
  map: Float32Array,
  { source, target }: AttentionMaps,
  { from, rows, columns }: Window,
): { svg: string; width: number; height: number } {
  const side = Math.sqrt(map.length);
  const most = Math.max(rows, columns);
  const block = Math.ceil(most / MAP);
  const size = Math.min(LARGEST, Math.max(1, Math.floor(MAP / most)));
  const [wide, high] = [Math.ceil(columns / block), Math.ceil(rows / block)];
  const cells = new Float32Array(wide * high);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) {
      const at = wide * Math.floor(i / block) + Math.floor(j / block);
      cells[at] = Math.max(cells[at], map[side * (from + i) + from + j]);
    }
  }
  const width = MARGIN.marginLeft + size * wide + MARGIN.marginRight;
  const height = MARGIN.marginTop + size * high + MARGIN.marginBottom;
  const axis = (name: string, letters: string, count: number): AxisOptions => {
    const label: AxisOptions = {
      labelAnchor: "center",
      label: `positions ${from} to ${from + count - 1} of the ${name}`,
    };
    if (size < LETTER) return label;
    const ticks = Array.from({ length: count }, (_, k) => from + k);
    const tickFormat = (k: number) => letters[k - 1] ?? "";
    return { ...label, ticks, tickFormat, tickSize: 0, fontSize: Math.min(12, size + 1) };
  };
  /** The numbers of the first and the last position, outside the letters. */
  const ends = (count: number): AxisOptions => ({
    ticks: size < LETTER ? [] : [...new Set([from, from + count - 1])],
    tickFormat: String,
    tickSize: 0,
    tickPadding: NUMBER,
    label: null,
  });
  const svg = draw({
    width,
    height,
    ...MARGIN,
    description: `Heat map of ${title}, rows the positions of the target, columns those of the source.`,
    x: { domain: [from - 0.5, from + wide * block - 0.5] },
    y: { domain: [from + high * block - 0.5, from - 0.5] },
    marks: [
      shaded(cells, wide, [size, size]),
      Plot.frame({ stroke: MUTED, strokeOpacity: 0.5 }),
      Plot.axisX(axis("source", source, columns)),
      Plot.axisX(ends(columns)),
      Plot.axisY(axis("target", target, rows)),
      Plot.axisY(ends(rows)),
      Plot.text([title], { frameAnchor: "top-left", dy: -20, fontWeight: 600, fill: INK }),
    ],
  });
  return { svg, width, height };
}

/** The scale of shades. */
function legend(): string {
  const shades = Float32Array.from({ length: SHADES + 1 }, (_, k) => k / SHADES);
  return draw({
    width: LEGEND,
    height: 52,
    marginLeft: 8,
    marginRight: LEGEND - 8 - 2 * shades.length,
    marginTop: 4,
    marginBottom: 36,
    description: "Shades stand for shares of a row, from 0 to 1.",
    x: { domain: [0, 1] },
    marks: [
      shaded(shades, shades.length, [2, 12]),
      Plot.frame({ stroke: MUTED, strokeOpacity: 0.5 }),
      Plot.axisX({
        ticks: [0, 0.5, 1],
        tickFormat: String,
        label: "share of the row",
        labelAnchor: "center",
        labelArrow: "none",
      }),
    ],
  });
}

/** Mark of the cells of a map, `wide` to a row, each of `size` (width, height) in pixels, one path a shade. */
function shaded(cells: Float32Array, wide: number, [width, height]: [number, number]): Plot.RenderFunction {
  const paths = new Array<string>(SHADES + 1).fill("");
  const shade = (at: number): number => Math.round(SHADES * Math.min(1, cells[at]));
  for (let start = 0, end = 0; start < cells.length; start = end) {
    const rowEnd = start - (start % wide) + wide;
    do end++;
    while (end < rowEnd && shade(end) === shade(start));
    paths[shade(start)] += `M${start % wide},${Math.floor(start / wide)}h${end - start}v1h${start - end}z`;
  }
  return (_index, _scales, _values, { marginLeft, marginTop }, { document }) => {
    const element = (name: string): SVGElement =>
      document.createElementNS("http://www.w3.org/2000/svg", name);
    const group = element("g");
    group.setAttribute("transform", `translate(${marginLeft},${marginTop}) scale(${width},${height})`);
    group.setAttribute("fill", BLUE);
    group.setAttribute("shape-rendering", "crispEdges");
    for (let k = 1; k <= SHADES; k++) {
      if (paths[k] === "") continue;
      const path = element("path");
      path.setAttribute("fill-opacity", (k / SHADES).toFixed(2));
      path.setAttribute("d", paths[k]);
      group.append(path);
    }
    return group;
  };
}

/** A figure within a figure; the style sheet that every plot carries would undo its height. */
function place(svg: string, x: number, y: number): string {
  return svg.replace(/<style>.*?<\/style>/s, "").replace("<svg", `<svg x="${x}" y="${y}"`);
}
