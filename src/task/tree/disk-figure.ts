/**
 * @file The picture of a clustering of rank 2: its tree in the Poincaré disk.
 *
 * Leaves stand in the directions that were learned, at one norm, every inner node at the lowest common ancestor of
 * its children, from the leaves up, and every branch is a geodesic: an arc of a circle that meets the unit circle at
 * right angles (SPEC A12). Branches are one path a colour, drawn from each leaf up to the first node that has been reached before, so
 * that a tree of 10,000 leaves is some hundreds of kilobytes. Colours tell groups apart, and so do the names that
 * stand at the rim, those of the leaves where there are few and else those of the groups; names that would overlap
 * are moved apart as little as possible.
 */

import { UsageError } from "../../error.ts";
import { geodesicArc, lcaPoint } from "../../geometry/lca.ts";
import { BLUE, INK, MUTED, PAPER, VERMILION } from "../draw.ts";
import type { CompactTree } from "./compact-tree.ts";
import { escapeMarkup } from "../markup.ts";
import { at, RADIUS, type Point } from "./disk-pixels.ts";
import { CHARACTER, drawnLabel, labelMargin, rimLabels, shortened } from "./rim-labels.ts";

/** Options of {@link diskFigure}. */
export interface DiskFigureOptions {
  /** [N] Names of the leaves; at most 60 are written, more are shown on hovering. */
  names?: readonly string[];
  /** [N] What each leaf belongs to; the seven largest groups have colours. */
  groups?: readonly string[];
  /** Default: how many leaves there are. */
  title?: string;
  /**
   * Norm at which leaves are drawn. The order in which ancestors follow each other depends on angles alone, so that any
   * norm shows the tree (default: the leaves' own, but at least 0.97, since little ones leave most of the disk empty).
   */
  norm?: number;
}

/** Least norm at which leaves are drawn unless one is asked for. */
const LEAST_NORM = 0.97;
const HEADER = 44;
const FOOTER = 52;
/** Leaves up to which each is an element with its name. */
const MOST_ELEMENTS = 2000;

/** Okabe and Ito's hues, told apart by every common form of colour blindness, the house's two first. */
const COLOURS = [BLUE, VERMILION, "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8a6d00"];

/**
 * Draws a tree whose leaves are points of the disk, as SVG text.
 *
 * @param points [N, 2] leaves, of norm below 1
 * @throws UsageError unless there are as many points, names and groups as leaves
 */
export function diskFigure(
  tree: CompactTree,
  points: ArrayLike<number>,
  {
    names,
    groups,
    title = `${count(tree.leaves, "leaf", "leaves")} in the Poincaré disk`,
    norm,
  }: DiskFigureOptions = {},
): string {
  const { leaves } = tree;
  if (points.length !== 2 * leaves) {
    throw new UsageError(`points: must be ${2 * leaves} coordinates of rank 2, got ${points.length}`);
  }
  for (const [option, list] of Object.entries({ names, groups })) {
    if (list !== undefined && list.length !== leaves) {
      throw new UsageError(`${option}: must be ${leaves}, one a leaf, got ${list.length}`);
    }
  }
  const own = longestNorm(points);
  if (!(own < 1)) throw new UsageError(`points: must have norms below 1, got ${own}`);
  const drawn = norm ?? Math.max(own, LEAST_NORM);
  if (!(drawn > 0 && drawn < 1)) throw new UsageError(`norm: must be above 0 and below 1, got ${drawn}`);
  const factor = own > 0 ? drawn / own : 1;
  const places = nodePlaces(
    tree,
    Float64Array.from(points, (value) => value * factor),
  );
  const colours = groupColours(groups);
  const labels = rimLabels(places, { names, groups, coloured: [...colours.keys()] });
  const margin = labelMargin(labels);
  const width = Math.round(2 * (RADIUS + margin));
  const legend = legendRows(groups, colours, width - 32);
  const height = Math.round(HEADER + width + legend.height + FOOTER);
  const description =
    `Hierarchical clustering of ${count(leaves, "sequence", "sequences")} as a tree in the Poincaré disk: ` +
    "leaves near the rim, the root nearest to the centre, branches along geodesics" +
    (groups === undefined ? "." : `, coloured by ${count(new Set(groups).size, "group", "groups")}.`);
  const text = (x: number, y: number, size: number, fill: string, words: string, more = "") =>
    `<text x="${x}" y="${y}" font-size="${size}" fill="${fill}"${more}>${escapeMarkup(words)}</text>`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" width="${width}" height="${height}" ` +
      `viewBox="0 0 ${width} ${height}" font-family="system-ui, sans-serif">`,
    `<title>${escapeMarkup(title)}</title><desc>${escapeMarkup(description)}</desc>`,
    `<rect width="${width}" height="${height}" fill="${PAPER}"/>`,
    text(16, 28, 15, INK, title, ' font-weight="600"'),
    `<g transform="translate(${width / 2},${HEADER + width / 2})">`,
    `<circle r="${RADIUS}" fill="none" stroke="${MUTED}" stroke-opacity="0.5"/>`,
    branches(tree, places, groups, colours),
    dots(places, { names, groups, leaves }, colours),
    root(tree, places),
    labels
      .map((label) => drawnLabel(label, groups === undefined ? INK : (colours.get(label.group) ?? MUTED)))
      .join(""),
    "</g>",
    `<g transform="translate(16,${HEADER + width})">${legend.svg}</g>`,
    text(
      16,
      height - 32,
      12,
      MUTED,
      "Branches: geodesics. Inner nodes: lowest common ancestors. Ring: the root.",
    ),
    text(
      16,
      height - 14,
      12,
      MUTED,
      `Leaves drawn at norm ${drawn.toFixed(2)}, learned at ${own.toFixed(2)}.`,
    ),
    "</svg>\n",
  ].join("\n");
}

/** The greatest norm of points of the plane; NaN where a coordinate is. */
function longestNorm(points: ArrayLike<number>): number {
  let longest = 0;
  for (let at = 0; at < points.length; at += 2)
    longest = Math.max(longest, Math.hypot(points[at], points[at + 1]));
  return longest;
}

/** Places of all nodes: leaves at their points, inner nodes at the ancestor of their children. */
function nodePlaces({ leaves, parent }: CompactTree, points: ArrayLike<number>): Point[] {
  const places = new Array<Point | undefined>(parent.length);
  for (let i = 0; i < parent.length; i++) {
    if (i < leaves) places[i] = [points[2 * i], points[2 * i + 1]];
    const up = parent[i];
    if (up < 0) continue;
    const before = places[up];
    const here = places[i]!;
    if (before === undefined) places[up] = here;
    else {
      const [x, y] = lcaPoint(before, here);
      places[up] = [x, y];
    }
  }
  return places as Point[];
}

/** The geodesic from `from`, where the pen is, to `to`, as path data. */
function geodesic(from: Point, to: Point): string {
  const arc = geodesicArc(from, to);
  if (arc === undefined) return `L${at(to)}`;
  const { centre, radius } = arc;
  const turn = (from[0] - centre[0]) * (to[1] - centre[1]) - (from[1] - centre[1]) * (to[0] - centre[0]);
  const size = (RADIUS * radius)
    .toPrecision(4)
    .replace(/\.?0+$/, (zeros) => (zeros.startsWith(".") ? "" : zeros));
  return `A${size},${size} 0 0 ${turn > 0 ? 0 : 1} ${at(to)}`;
}

/** All branches, one path a colour; a branch has a group's where all leaves below it are of that group. */
function branches(
  { leaves, parent }: CompactTree,
  places: readonly Point[],
  groups: readonly string[] | undefined,
  colours: ReadonlyMap<string, string>,
): string {
  const below = new Array<string | undefined>(parent.length);
  const mixed = new Uint8Array(parent.length);
  for (let i = 0; i < parent.length; i++) {
    if (i < leaves) below[i] = groups?.[i];
    const up = parent[i];
    if (up < 0) continue;
    if (mixed[i] === 1 || (below[up] !== undefined && below[up] !== below[i])) mixed[up] = 1;
    below[up] = below[i];
  }
  const colourOf = (node: number) =>
    mixed[node] === 1 || below[node] === undefined ? MUTED : (colours.get(below[node]) ?? MUTED);
  const paths = new Map<string, string[]>();
  const reached = new Uint8Array(parent.length);
  for (let leaf = 0; leaf < leaves; leaf++) {
    let pen: string | undefined;
    for (let node = leaf; parent[node] >= 0; node = parent[node]) {
      const up = parent[node];
      const [from, to] = [places[node], places[up]];
      const colour = colourOf(node);
      if (at(from) !== at(to)) {
        const path = paths.get(colour) ?? [];
        paths.set(colour, path);
        if (pen !== colour) path.push(`M${at(from)}`);
        path.push(geodesic(from, to));
        pen = colour;
      }
      if (reached[up] === 1) break;
      reached[up] = 1;
    }
  }
  const width = leaves > 2000 ? 0.5 : leaves > 200 ? 0.8 : 1.2;
  return [...paths]
    .map(
      ([colour, path]) =>
        `<path d="${path.join("")}" fill="none" stroke="${colour}" stroke-width="${width}"/>`,
    )
    .join("");
}

interface LeafNames {
  names?: readonly string[];
  groups?: readonly string[];
  leaves: number;
}

/** The leaves as dots: elements with their names, or one path a colour where there are many. */
function dots(
  places: readonly Point[],
  { names, groups, leaves }: LeafNames,
  colours: ReadonlyMap<string, string>,
): string {
  const colourOf = (i: number) => (groups === undefined ? INK : (colours.get(groups[i]) ?? MUTED));
  if (leaves <= MOST_ELEMENTS) {
    const size = leaves > 200 ? 2 : 3;
    return Array.from({ length: leaves }, (_, i) => {
      const hover = [names?.[i], groups?.[i]].filter((word) => word !== undefined).join(", ");
      const [x, y] = at(places[i]).split(",");
      const open = `<circle cx="${x}" cy="${y}" r="${size}" fill="${colourOf(i)}"`;
      return hover === "" ? `${open}/>` : `${open}><title>${escapeMarkup(hover)}</title></circle>`;
    }).join("");
  }
  const paths = new Map<string, Set<string>>();
  for (let i = 0; i < leaves; i++) {
    const colour = colourOf(i);
    const path = paths.get(colour) ?? new Set();
    paths.set(colour, path.add(`M${at(places[i])}h0`));
  }
  return [...paths]
    .map(
      ([colour, path]) =>
        `<path d="${[...path].join("")}" stroke="${colour}" stroke-width="2.4" stroke-linecap="round"/>`,
    )
    .join("");
}

/** A ring around the root. */
function root({ parent }: CompactTree, places: readonly Point[]): string {
  const [x, y] = at(places[parent.length - 1]).split(",");
  return `<circle cx="${x}" cy="${y}" r="4.5" fill="${PAPER}" stroke="${INK}" stroke-width="1.5"/>`;
}

/** The groups with the most leaves, those that have colours, in order of size and then of name. */
function largestGroups(groups: readonly string[]): string[] {
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes]
    .sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .slice(0, COLOURS.length)
    .map(([group]) => group);
}

function groupColours(groups: readonly string[] | undefined): Map<string, string> {
  return new Map(largestGroups(groups ?? []).map((group, i) => [group, COLOURS[i]]));
}

/** Which colour is which group, in rows of at most `width` pixels. */
function legendRows(
  groups: readonly string[] | undefined,
  colours: ReadonlyMap<string, string>,
  width: number,
): { svg: string; height: number } {
  if (groups === undefined) return { svg: "", height: 0 };
  const others = new Set(groups).size - colours.size;
  const entries = [...colours].map(([group, colour]) => ({ group: shortened(group), colour }));
  if (others > 0) entries.push({ group: `${count(others, "other group", "other groups")}`, colour: MUTED });
  let [x, row] = [0, 0];
  const svg = entries.map(({ group, colour }) => {
    const taken = 30 + group.length * CHARACTER;
    if (x > 0 && x + taken > width) [x, row] = [0, row + 1];
    const entry = `<circle cx="${x + 5}" cy="${20 * row + 10}" r="4" fill="${colour}"/><text x="${x + 14}" y="${20 * row + 14}" font-size="12" fill="${INK}">${escapeMarkup(group)}</text>`;
    x = Math.round(x + taken);
    return entry;
  });
  return { svg: svg.join(""), height: 20 * (row + 1) + 4 };
}

function count(n: number, one: string, many: string): string {
  return `${n.toLocaleString("en-US")} ${n === 1 ? one : many}`;
}
