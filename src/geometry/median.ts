/**
 * @file The geometric median of points: the point with the least sum of distances to them.
 *
 * Every distance here is an increasing function F of a gap q that is linear in one of its points, or quadratic: the
 * squared chord in flat space and on a sphere, sinh²(d/2) = (−⟨x, y⟩ − 1)/2 on the hyperboloid. Where F is concave,
 * F(q) ≤ F(q₀) + F′(q₀)(q − q₀), so the weighted centre with weights F′(q₀) (the weighted mean, brought back to the
 * sphere or the hyperboloid by its norm, which is exact) never has a larger sum than the point the weights were taken
 * at. In flat space this is the algorithm of Weiszfeld ("Sur le point pour lequel la somme des distances de n points
 * donnés est minimum", 1937); on curved ones it needs neither exponential maps nor a step size. In the taxicab space
 * the gap is the distance itself and its centre the median of each coordinate. Distances that a learned power makes
 * convex in the gap take part of the step only, found by halving.
 *
 * A point that is met is left out of the weights, which are infinite there. What remains is the direction of steepest
 * descent, and no part of it leads down exactly when the point is a median itself (Vardi and Zhang, "The multivariate
 * L1-median and associated data depth", PNAS 2000). A median that is one of the points is approached slowly; so the
 * nearest points are tried now and then.
 *
 * - square: the mean; cosine: the direction of the sum of directions; both closed, unless a power is learned.
 * - `hyperbolic` and flat spaces with scaling: the median is on the sphere that all points are on, since what reads it
 *   (a decoder) has seen no others.
 *
 * Time O(N·m) a round, some dozens of rounds (O(N log N·m) at the beginning in the taxicab space); float64.
 */

import { UsageError } from "../error.ts";
import { surfaceOf, type Surface } from "./gaps.ts";
import type { ParameterValues } from "./parameters.ts";
import type { Space } from "./space.ts";

export interface MedianOptions {
  /** Rounds at most; default 200. */
  rounds?: number;
  /** Relative decrease of the sum below which it ends; default 1e-12. */
  tolerance?: number;
}

/** Points nearest to a median that are tried in its place. */
const TRIED = 16;
/** Rounds after which they are. */
const TRY_EVERY = 10;
/** Halvings of a step. */
const HALVINGS = 30;
/** Relative decrease of a sum that is not rounding. */
const NOTICEABLE = 1e-14;

/**
 * The geometric median of points of a space, in the coordinates of its points.
 *
 * @param points - [count, dims] row-major.
 * @param parameters - raw values of the space's learned scalars.
 * @throws UsageError when the points are no whole number of rows, or there are none.
 */
export function geometricMedian(
  points: Float32Array | Float64Array,
  dims: number,
  space: Space,
  parameters: ParameterValues,
  { rounds = 200, tolerance = 1e-12 }: MedianOptions = {},
): Float64Array {
  const count = points.length / dims;
  if (!Number.isInteger(count) || count === 0) {
    throw new UsageError(
      `points: must be rows of ${dims} numbers, at least one, got ${points.length} numbers`,
    );
  }
  const rows = Array.from({ length: count }, (_, i) =>
    Float64Array.from(points.subarray(i * dims, (i + 1) * dims)),
  );
  const surface = surfaceOf(space, parameters, rows);
  return surface.point(descend(surface, rounds, tolerance));
}

/** The mean predicted distance of a point from points [count, dims]. */
export function meanDistance(
  point: ArrayLike<number>,
  points: Float32Array | Float64Array,
  space: Space,
  parameters: ParameterValues,
): number {
  const dims = point.length;
  let sum = 0;
  for (let at = 0; at < points.length; at += dims) {
    sum += space.exactDistance(point, points.subarray(at, at + dims), parameters);
  }
  return sum / (points.length / dims);
}

/** The sum of distances from a point to all rows. */
function total({ rows, gap, cost }: Surface, x: Float64Array): number {
  let sum = 0;
  for (const row of rows) sum += cost(gap(x, row));
  return sum;
}

interface Place {
  x: Float64Array;
  sum: number;
}

/** The lowest place on the way from the mean downwards. */
function descend(surface: Surface, rounds: number, tolerance: number): Float64Array {
  const { rows } = surface;
  const at = (x: Float64Array): Place => ({ x, sum: total(surface, x) });
  let best = at(surface.settle(surface.mean(new Float64Array(rows.length).fill(1))) ?? rows[0]);
  for (let round = 1; round <= rounds; round++) {
    const next = lower(surface, best);
    const stuck = next === undefined || best.sum - next.sum <= tolerance * best.sum;
    if (next !== undefined) best = next;
    if (!stuck && round % TRY_EVERY !== 0) continue;
    const near = nearest(surface, best.x).map((i) => at(rows[i]));
    const nearer = near.reduce((a, b) => (b.sum < a.sum ? b : a));
    const jumps = best.sum - nearer.sum > NOTICEABLE * best.sum;
    if (jumps) best = { ...nearer, x: nearer.x.slice() };
    else if (stuck) break;
  }
  return best.x;
}

/** A lower place on the way to the weighted centre; nothing where there is none. */
function lower(surface: Surface, { x, sum }: Place): Place | undefined {
  const { rows, gap, slope } = surface;
  const weights = Float64Array.from(rows, (row) => slope(gap(x, row)));
  let met = 0;
  for (let i = 0; i < weights.length; i++) {
    if (Number.isFinite(weights[i])) continue;
    weights[i] = 0;
    met++;
  }
  if (met === rows.length) return undefined;
  const centre = surface.settle(surface.mean(weights));
  if (centre === undefined) return undefined;
  for (let halving = 0, share = 1; halving < HALVINGS; halving++, share /= 2) {
    const part = share === 1 ? centre : surface.settle(between(x, centre, share));
    if (part === undefined) continue;
    const lowered = total(surface, part);
    if (sum - lowered > NOTICEABLE * sum) return { x: part, sum: lowered };
  }
  return undefined;
}

function between(x: Float64Array, y: Float64Array, share: number): Float64Array {
  return x.map((value, i) => value + share * (y[i] - value));
}

/** Which rows are nearest to a point. */
function nearest({ rows, gap }: Surface, x: Float64Array): number[] {
  const gaps = Float64Array.from(rows, (row) => gap(x, row));
  const found: number[] = [];
  for (let i = 0; i < gaps.length; i++) {
    if (found.length === TRIED && gaps[i] >= gaps[found[TRIED - 1]]) continue;
    let place = Math.min(found.length, TRIED - 1);
    while (place > 0 && gaps[found[place - 1]] > gaps[i]) {
      found[place] = found[place - 1];
      place--;
    }
    found[place] = i;
  }
  return found;
}
