/**
 * @file What δ_rel is to be compared with: random trees, and points of spaces of constant curvature (SPEC C5).
 *
 * δ_rel depends on the number of points, for it is a maximum, and on the dimension, for distances of many dimensions
 * are all nearly equal, which a star has as well. A bank of references is therefore drawn anew for the size of the
 * samples that it is compared with; with a seed it is the same every time.
 */

import { condensedLength } from "../../sequence/condensed.ts";
import type { Random } from "../../sequence/random.ts";
import { curvedDistances, curvedPoints } from "./constant-curvature.ts";
import { randomTreeDistances } from "./tree-metric.ts";

/** Something of known geometry. */
export type Reference =
  { kind: "tree"; name: string } | { kind: "space"; name: string; curvature: number; dim: number };

/** Curvatures of the bank, for coordinates of standard deviation 1. */
export const CURVATURES: readonly number[] = [-4, -3, -2, -1, 0, 1, 2, 3];
/** Dimensions of the bank. */
export const DIMENSIONS: readonly number[] = [2, 5, 10, 50, 527];

/** The references: random trees, then all curvatures in all dimensions. */
export const REFERENCES: readonly Reference[] = [
  { kind: "tree", name: "random tree" },
  ...CURVATURES.flatMap((curvature) =>
    DIMENSIONS.map((dim): Reference => ({ kind: "space", name: spaceName(curvature, dim), curvature, dim })),
  ),
];

function spaceName(curvature: number, dim: number): string {
  if (curvature === 0) return dim === 2 ? "plane" : `flat space, d = ${dim}`;
  if (curvature > 0) return `sphere, K = ${curvature}, d = ${dim}`;
  return `hyperbolic, K = −${-curvature}, d = ${dim}`;
}

/** Steps that the greatest distance is divided into. */
const STEPS = 10_000;

/**
 * Distances of `count` things of a reference, condensed. Those of a space are rounded to ten-thousandths of the
 * greatest: far below what differs from draw to draw, and whole numbers take half the time.
 */
export function drawReference(reference: Reference, count: number, random: Random): Uint16Array {
  if (reference.kind === "tree") return randomTreeDistances(count, random);
  const { curvature, dim } = reference;
  const distances = curvedDistances(curvedPoints({ curvature, dim, count, random }));
  const greatest = distances.reduce((a, b) => Math.max(a, b), 0);
  const out = new Uint16Array(condensedLength(count));
  for (let k = 0; k < out.length; k++) out[k] = Math.round((STEPS * distances[k]) / greatest);
  return out;
}
