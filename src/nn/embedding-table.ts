/**
 * @file A table of free points: one row of coordinates for every sequence, looked up by its number.
 *
 * The rows are points of the Poincaré ball, and are trained along it (engine/riemannian.ts). Where a loss looks at
 * directions alone its gradient is tangent to the sphere through a row, a step leaves along a geodesic and ends
 * farther out, and the metric of the ball makes the same step a smaller angle there: rows that are pulled back and
 * forth come to rest, those that nobody moves stay as mobile as at first.
 */

import { numpy as np } from "@jax-js/jax";
import { learned, type Block } from "./block.ts";
import type { ParameterTree } from "./parameter.ts";

/** Coordinates of a new row are uniform within ± this (SPEC A12). */
const INITIAL_SIZE = 1e-2;

/** Numbers of rows [batch] int32 to points [batch, dim]. */
export function embeddingTable(rows: number, dim: number): Block {
  const parameters: ParameterTree = {
    shape: [rows, dim],
    initialize: (random, size) =>
      Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * INITIAL_SIZE),
    decay: false,
    manifold: "ball",
  };
  return learned<np.Array>(parameters, (table, numbers) => np.take(table, numbers, 0));
}
