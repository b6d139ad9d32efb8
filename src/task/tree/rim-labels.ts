/**
 * @file Names around the Poincaré disk: those of the leaves where they are few, else those of groups of leaves.
 */

import { MUTED } from "../draw.ts";
import { escapeMarkup } from "../markup.ts";
import { at, RADIUS, type Point } from "./disk-pixels.ts";

/** Where names begin, in radii. */
const NAMES_AT = 1.15;
/** Leaves up to which their names are written. */
const MOST_NAMES = 60;
/** Characters of a name that is written; longer ones are cut. */
const LONGEST = 22;
const FONT = 11;
/** Mean width of a character in pixels, on the safe side. */
export const CHARACTER = 7;

/** What can be named. */
export interface RimNames {
  /** [N] */
  names?: readonly string[];
  /** [N] */
  groups?: readonly string[];
  /** The groups to name where there are too many leaves. */
  coloured: readonly string[];
}

/** A name, cut where it is too long. */
export const shortened = (name: string) => (name.length <= LONGEST ? name : `${name.slice(0, LONGEST - 1)}…`);

/** Pixels that the longest label takes outside the unit circle. */
export function labelMargin(labels: readonly RimLabel[]): number {
  if (labels.length === 0) return 16;
  return (NAMES_AT - 1) * RADIUS + 8 + Math.max(...labels.map(({ name }) => name.length)) * CHARACTER;
}

/** A name at the rim: where it points to, and the angle at which it stands. */
export interface RimLabel {
  name: string;
  group: string;
  place: Point;
  angle: number;
}

/** The direction of the place that is nearest to all: the mean of a group in two parts may point at neither. */
function middle(places: readonly Point[]): number {
  const angles = places.map(([x, y]) => Math.atan2(y, x));
  const apart = (a: number, b: number) => Math.PI - Math.abs(Math.PI - Math.abs(a - b));
  const sums = angles.map((angle) => angles.reduce((sum, other) => sum + apart(angle, other), 0));
  return angles[sums.indexOf(Math.min(...sums))];
}

/** Names of the leaves where they are few, else of the coloured groups, in the middle of each; moved apart. */
export function rimLabels(places: readonly Point[], { names, groups, coloured }: RimNames): RimLabel[] {
  const labels: RimLabel[] = [];
  if (names !== undefined && names.length <= MOST_NAMES) {
    names.forEach((name, i) => {
      const place = places[i];
      labels.push({
        name: shortened(name),
        group: groups?.[i] ?? "",
        place,
        angle: Math.atan2(place[1], place[0]),
      });
    });
  } else if (groups !== undefined) {
    for (const group of coloured) {
      const angle = middle(places.filter((_, i) => groups[i] === group));
      labels.push({ name: shortened(group), group, place: [Math.cos(angle), Math.sin(angle)], angle });
    }
  }
  return spread(labels, (FONT + 2) / (NAMES_AT * RADIUS));
}

/**
 * Labels at least `gap` apart on the circle, with the least sum of squared moves: isotonic regression (pool adjacent
 * violators) of the angles from the widest free arc on, less what the labels before take up.
 */
function spread(labels: readonly RimLabel[], gap: number): RimLabel[] {
  const sorted = labels.toSorted((a, b) => a.angle - b.angle);
  const size = sorted.length;
  const free = sorted.map(
    ({ angle }, i) => (sorted[(i + 1) % size].angle - angle + 2 * Math.PI) % (2 * Math.PI),
  );
  const start = free.indexOf(Math.max(...free)) + 1;
  const turned = Array.from({ length: size }, (_, i) => sorted[(start + i) % size]);
  const first = turned[0]?.angle ?? 0;
  const pools: { sum: number; count: number }[] = [];
  turned.forEach(({ angle }, i) => {
    let pool = { sum: ((angle - first + 2 * Math.PI) % (2 * Math.PI)) - i * gap, count: 1 };
    for (
      let last = pools.at(-1);
      last && last.sum / last.count > pool.sum / pool.count;
      last = pools.at(-1)
    ) {
      pools.pop();
      pool = { sum: pool.sum + last.sum, count: pool.count + last.count };
    }
    pools.push(pool);
  });
  const offsets = pools.flatMap(({ sum, count }) => new Array<number>(count).fill(sum / count));
  return turned.map((label, i) => ({ ...label, angle: first + offsets[i] + i * gap }));
}

/** A name along its radius, readable from below, and a line from its leaf to it. */
export function drawnLabel({ name, place, angle }: RimLabel, colour: string): string {
  const polar = (radius: number): Point => [radius * Math.cos(angle), radius * Math.sin(angle)];
  const flipped = Math.cos(angle) < 0;
  const degrees = Math.round((-1800 * angle) / Math.PI) / 10 + (flipped ? 180 : 0);
  const anchor = flipped ? ' text-anchor="end"' : "";
  const line = `<path d="M${at(place)}L${at(polar(NAMES_AT - 0.05))}L${at(polar(NAMES_AT - 0.015))}" fill="none" stroke="${MUTED}" stroke-opacity="0.4" stroke-width="0.6"/>`;
  return (
    `${line}<text transform="translate(${at(polar(NAMES_AT))}) rotate(${degrees})" dy="0.35em" ` +
    `font-size="${FONT}" fill="${colour}"${anchor}>${escapeMarkup(name)}</text>`
  );
}
