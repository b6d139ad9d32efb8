/**
 * @file The published operations on the hyperboloid (SPEC 0.5, C2) in double precision, as loops over plain numbers.
 *
 * Points carry their time coordinate, at index 0, and everything is done the way it is published: a window's points
 * are concatenated, a dense layer computes the time that it throws away, normalisation goes through logarithm,
 * parallel transport and exponential. Only the clamps are left out: where a length is 0 its limit is taken.
 */

/** Time first. */
export type Point = readonly number[];

/** A batch of feature maps: [batch][position]. */
export type Maps = readonly (readonly Point[])[];

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
const dot = (u: Point, v: Point): number => sum(u.map((value, i) => value * v[i]));
const scaled = (u: Point, factor: number): number[] => u.map((value) => value * factor);
const plus = (u: Point, v: Point): number[] => u.map((value, i) => value + v[i]);
const mean = (values: readonly number[]): number => sum(values) / values.length;

/** ⟨u, v⟩_L. */
export function inner([u0, ...u]: Point, [v0, ...v]: Point): number {
  return dot(u, v) - u0 * v0;
}

/** The point with these space coordinates. */
export function pointOf(space: Point, k: number): number[] {
  return [Math.sqrt(dot(space, space) + k), ...space];
}

export function origin(channels: number, k: number): number[] {
  return pointOf(new Array<number>(channels).fill(0), k);
}

export function distance(x: Point, y: Point, k: number): number {
  return Math.sqrt(k) * Math.acosh(Math.max(1, -inner(x, y) / k));
}

/** ‖u‖_L of a tangent vector. */
export function length(u: Point): number {
  return Math.sqrt(Math.max(0, inner(u, u)));
}

export function exp(x: Point, u: Point, k: number): number[] {
  const unit = Math.sqrt(k);
  const size = length(u);
  if (size === 0) return [...x];
  return plus(scaled(x, Math.cosh(size / unit)), scaled(u, (unit * Math.sinh(size / unit)) / size));
}

export function log(x: Point, y: Point, k: number): number[] {
  const across = plus(y, scaled(x, inner(x, y) / k));
  const size = length(across);
  return scaled(across, size === 0 ? 1 : distance(x, y, k) / size);
}

/** How a tangent vector v at x is carried to y. */
export type Transport = (x: Point, y: Point, v: Point, k: number) => number[];

/** v − ⟨log_x y, v⟩_L/d²·(log_x y + log_y x). */
export const transportByLog: Transport = (x, y, v, k) => {
  const along = log(x, y, k);
  const square = distance(x, y, k) ** 2;
  if (square === 0) return [...v];
  return plus(v, scaled(plus(along, log(y, x, k)), -inner(along, v) / square));
};

/** v + ⟨y, v⟩_L/(k − ⟨x, y⟩_L)·(x + y). */
export const transportClosed: Transport = (x, y, v, k) =>
  plus(v, scaled(plus(x, y), inner(y, v) / (k - inner(x, y))));

/** √k·μ/‖μ‖_L, μ the weighted mean. */
export function centroid(
  points: readonly Point[],
  k: number,
  weights: readonly number[] = points.map(() => 1 / points.length),
): number[] {
  const mu = points.map((point, i) => scaled(point, weights[i])).reduce(plus);
  return scaled(mu, Math.sqrt(k / -inner(mu, mu)));
}

/** A matrix [1 + outputs][1 + inputs] and a bias [1 + outputs], of all coordinates. */
export interface Dense {
  matrix: readonly Point[];
  bias: Point;
}

/** The dense layer: W·x + b, its time replaced. */
export function dense({ matrix, bias }: Dense, x: Point, k: number): number[] {
  const [, ...space] = plus(
    matrix.map((row) => dot(row, x)),
    bias,
  );
  return pointOf(space, k);
}

/** Points as one: the time √(Σ t² − (n − 1)·`perPoint`), and the space coordinates, channel by channel. */
export function concatenated(points: readonly Point[], k: number, perPoint = k): number[] {
  const time = Math.sqrt(sum(points.map(([time]) => time ** 2)) - (points.length - 1) * perPoint);
  const channels = points[0].slice(1).map((_, c) => points.map((point) => point[1 + c]));
  return [time, ...channels.flat()];
}

/** A dense layer of each window of `kernel` points, with origins beyond the ends. */
export function convolution(layer: Dense, maps: Maps, kernel: number, k: number): Maps {
  return maps.map((points) =>
    points.map((point, at) => {
      const places = Array.from({ length: kernel }, (_, tap) => at + tap - Math.floor(kernel / 2));
      const window = places.map((place) => points[place] ?? origin(point.length - 1, k));
      return dense(layer, concatenated(window, k), k);
    }),
  );
}

export interface Normalisation {
  /** Where the mean goes: a point of the hyperboloid of radius² k. */
  beta: Point;
  gain: number;
}

/** Running statistics: the tangent vector [channels] at the origin of the mean, and the mean length. */
export interface Running {
  mean: Point;
  distance: number;
}

/** Log at the mean, to the origin, to the learned mean length; to β, exp at β. */
function normalisedBy(
  maps: Maps,
  mu: Point,
  size: (tangents: readonly Point[]) => number,
  { beta, gain }: Normalisation,
  k: number,
  transport: Transport,
): { output: Maps; distance: number } {
  const zero = origin(mu.length - 1, k);
  const tangents = maps.map((points) => points.map((x) => transport(mu, zero, log(mu, x, k), k)));
  const distance = size(tangents.flat());
  const output = tangents.map((row) =>
    row.map((u) => exp(beta, transport(zero, beta, scaled(u, gain / (distance + 1e-5)), k), k)),
  );
  return { output, distance };
}

/** Batch normalisation of a batch by its own statistics, and what becomes of the running ones. */
export function batchNormTrained(
  maps: Maps,
  { mean: tangent, distance: length }: Running,
  parameters: Normalisation,
  k: number,
  { momentum = 0.1, transport = transportByLog }: { momentum?: number; transport?: Transport } = {},
): { output: Maps; statistics: Running } {
  const mu = centroid(
    maps.map((points) => centroid(points, k)),
    k,
  );
  const norms = (tangents: readonly Point[]) =>
    mean(tangents.map(([, ...space]) => Math.sqrt(dot(space, space))));
  const { output, distance } = normalisedBy(maps, mu, norms, parameters, k, transport);
  const zero = origin(tangent.length, k);
  const blended = centroid([exp(zero, [0, ...tangent], k), mu], k, [1 - momentum, momentum]);
  const statistics = {
    mean: log(zero, blended, k).slice(1),
    distance: (1 - momentum) * length + momentum * distance,
  };
  return { output, statistics };
}

/** Batch normalisation by running statistics. */
export function batchNormEvaluated(
  maps: Maps,
  { mean: tangent, distance }: Running,
  parameters: Normalisation,
  k: number,
  transport: Transport = transportByLog,
): Maps {
  const mu = exp(origin(tangent.length, k), [0, ...tangent], k);
  return normalisedBy(maps, mu, () => distance, parameters, k, transport).output;
}

/** exp₀ on the hyperboloid `to` of log₀ on the hyperboloid `k`. */
export function curvatureChanged(x: Point, k: number, to: number): number[] {
  const channels = x.length - 1;
  return exp(origin(channels, to), log(origin(channels, k), x, k), to);
}

/** Logit of one class: √k·β·sign(α)·|asinh(α/(√k·β))|, β = √(−w_t² + ‖w_s‖²). */
export function logit([time, ...space]: Point, normal: Point, offset: number, k: number): number {
  const unit = Math.sqrt(k);
  const wTime = Math.sinh(offset / unit) * Math.sqrt(dot(normal, normal));
  const wSpace = scaled(normal, Math.cosh(offset / unit));
  const beta = Math.sqrt(dot(wSpace, wSpace) - wTime ** 2);
  const alpha = dot(wSpace, space) - wTime * time;
  return unit * beta * Math.sign(alpha) * Math.abs(Math.asinh(alpha / (unit * beta)));
}
