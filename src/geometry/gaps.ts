/**
 * @file Distances as functions of gaps, which weighted centres make least: what medians are made of (median.ts).
 *
 * - flat space: the squared distance; its centre is the weighted mean.
 * - a sphere: the squared chord between directions; the mean, brought to the sphere by its norm.
 * - the hyperboloid, which the Poincaré ball is lifted to: sinh²(d/2) = ⟨x − y, x − y⟩/4; the mean, brought to the
 *   hyperboloid by its Lorentz norm.
 * - the taxicab space: the distance itself; the weighted median of each coordinate. On a sphere in it the median is
 *   brought there by its norm, which makes nothing least, but is a direction to look in.
 */

import type { ParameterValues } from "./parameters.ts";
import type { Space } from "./space.ts";

/** What a space's medians are made of. */
export interface Surface {
  /** The points in the coordinates that gaps are taken in. */
  readonly rows: readonly Float64Array[];
  readonly gap: (x: Float64Array, y: Float64Array) => number;
  /** The distance as a function of the gap, up to a factor, and its derivative. */
  readonly cost: (gap: number) => number;
  readonly slope: (gap: number) => number;
  /** The weighted mean of the rows, anywhere. */
  readonly mean: (weights: Float64Array) => Float64Array;
  /** Brings what a mean has left on the way back to the surface; nothing where it has no direction. */
  readonly settle: (x: Float64Array) => Float64Array | undefined;
  /** A point as the space has it. */
  readonly point: (x: Float64Array) => Float64Array;
}

/** What a space's medians are made of. */
export function surfaceOf(space: Space, parameters: ParameterValues, points: Float64Array[]): Surface {
  const { radius = 1, radiusSquared = 1, exponent = 1 } = space.constants(parameters);
  switch (space.name) {
    case "square":
      return { ...(space.options.scaling ? sphere(points, radius) : flat(points)), ...power(exponent) };
    case "euclidean":
      return { ...(space.options.scaling ? sphere(points, radius) : flat(points)), ...power(exponent / 2) };
    case "cosine":
      return { ...sphere(points, 1), ...power(exponent) };
    case "manhattan":
      return { ...taxicab(points, space.options.scaling ? radius : undefined), ...power(exponent) };
    case "hyperbolic":
      return { ...sphere(points, radius), ...hyperbolicArc(exponent, (radius / (1 - radius * radius)) ** 2) };
    case "poincare":
      return { ...hyperboloid(points.map(liftBall)), ...hyperbolicArc(exponent, 1), point: toBallPoint };
    case "lorentz": {
      const unit = Math.sqrt(radiusSquared);
      return {
        ...hyperboloid(points.map((x) => withTime(x.subarray(1).map((value) => value / unit)))),
        ...hyperbolicArc(exponent, 1),
        point: (x) => x.map((value) => value * unit),
      };
    }
  }
}

type Gaps = Omit<Surface, "cost" | "slope">;
type Cost = Pick<Surface, "cost" | "slope">;

/** F(q) = qᵖ. */
function power(p: number): Cost {
  if (p === 1) return { cost: (gap) => gap, slope: () => 1 };
  if (p === 0.5) return { cost: Math.sqrt, slope: (gap) => 0.5 / Math.sqrt(gap) };
  return { cost: (gap) => gap ** p, slope: (gap) => p * gap ** (p - 1) };
}

/** F(q) = asinh(√(κq))^γ. */
function hyperbolicArc(exponent: number, factor: number): Cost {
  const arc = (gap: number) => Math.asinh(Math.sqrt(factor * gap));
  return {
    cost: (gap) => (exponent === 1 ? arc(gap) : arc(gap) ** exponent),
    slope: (gap) => {
      const q = factor * gap;
      const slope = factor / (2 * Math.sqrt(q * (1 + q)));
      return exponent === 1 ? slope : exponent * arc(gap) ** (exponent - 1) * slope;
    },
  };
}

function squaredGap(x: Float64Array, y: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < x.length; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
  return sum;
}

/** Σ w x / Σ w. */
function weightedMean(rows: readonly Float64Array[], weights: Float64Array): Float64Array {
  const sum = new Float64Array(rows[0].length);
  let weight = 0;
  rows.forEach((row, i) => {
    const w = weights[i];
    weight += w;
    for (let j = 0; j < sum.length; j++) sum[j] += w * row[j];
  });
  return sum.map((value) => value / weight);
}

function flat(rows: Float64Array[]): Gaps {
  return {
    rows,
    gap: squaredGap,
    mean: (weights) => weightedMean(rows, weights),
    settle: (x) => x,
    point: (x) => x,
  };
}

/** Below this share of the rows' length a mean of theirs has no direction. */
const LEVEL = 1e-12;

/** x/‖x‖, if it has a direction. */
function unit(x: Float64Array): Float64Array | undefined {
  const length = Math.hypot(...x);
  return length > LEVEL ? x.map((value) => value / length) : undefined;
}

/** Points on a sphere, by their directions; a point without one stays where it is. */
function sphere(points: Float64Array[], radius: number): Gaps {
  const rows = points.map((x) => unit(x) ?? x);
  return {
    ...flat(rows),
    settle: unit,
    point: (x) => x.map((value) => value * radius),
  };
}

/** The taxicab space, or a sphere in it. */
function taxicab(rows: Float64Array[], radius?: number): Gaps {
  const columns = Array.from(rows[0], (_, j) => Float64Array.from(rows, (row) => row[j]));
  const orders = columns.map((column) =>
    Uint32Array.from(column, (_, i) => i).sort((a, b) => column[a] - column[b]),
  );
  return {
    rows,
    gap: (x, y) => {
      let sum = 0;
      for (let j = 0; j < x.length; j++) sum += Math.abs(x[j] - y[j]);
      return sum;
    },
    mean: (weights) => Float64Array.from(columns, (column, j) => weightedMedian(column, orders[j], weights)),
    settle: (x) => (radius === undefined ? x : unit(x)?.map((value) => value * radius)),
    point: (x) => x,
  };
}

/** The middle of a column by weight; between the two middle ones where they share it. */
function weightedMedian(column: Float64Array, order: Uint32Array, weights: Float64Array): number {
  const half = weights.reduce((a, b) => a + b) / 2;
  let below = 0;
  for (let at = 0; at < order.length; at++) {
    below += weights[order[at]];
    if (below < half) continue;
    if (below > half) return column[order[at]];
    let next = at + 1;
    while (next < order.length - 1 && weights[order[next]] === 0) next++;
    return next < order.length ? (column[order[at]] + column[order[next]]) / 2 : column[order[at]];
  }
  return column[order[order.length - 1]];
}

/** The point of the unit hyperboloid with the given space coordinates. */
function withTime(space: Float64Array): Float64Array {
  let square = 1;
  for (const value of space) square += value * value;
  return Float64Array.of(Math.sqrt(square), ...space);
}

/** The point of the unit hyperboloid that a point of the ball is. */
function liftBall(x: Float64Array): Float64Array {
  const square = x.reduce((sum, value) => sum + value * value, 0);
  return withTime(x.map((value) => (2 * value) / (1 - square)));
}

function toBallPoint(x: Float64Array): Float64Array {
  return x.subarray(1).map((value) => value / (1 + x[0]));
}

/** The unit hyperboloid, time first; the gap is sinh²(d/2) = ⟨x − y, x − y⟩/4. */
function hyperboloid(rows: Float64Array[]): Gaps {
  return {
    rows,
    gap: (x, y) => {
      let sum = -((x[0] - y[0]) ** 2);
      for (let i = 1; i < x.length; i++) sum += (x[i] - y[i]) * (x[i] - y[i]);
      return Math.max(0, sum / 4);
    },
    mean: (weights) => weightedMean(rows, weights),
    // A mean of points is inside the hyperboloid, so its Lorentz norm is that of a time.
    settle: (x) => {
      const space = x.subarray(1);
      const length = Math.sqrt(x[0] * x[0] - space.reduce((sum, value) => sum + value * value, 0));
      return withTime(space.map((value) => value / length));
    },
    point: (x) => x,
  };
}
