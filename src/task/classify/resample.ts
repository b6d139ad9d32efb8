/**
 * @file Drawing with replacement, by counts.
 *
 * Scores of a confusion matrix need not know which sequences were drawn, only how many of each cell. These counts are
 * multinomial, and a multinomial is a chain of binomials, each of what the cells before have left: the cost is that of
 * the cells, not of the sequences. Binomials are exact: by inversion where few are expected, else by transformed
 * rejection.
 *
 * Source: Hörmann, "The generation of binomial random variates", Journal of Statistical Computation and Simulation
 * 1993 (algorithm BTRS).
 */

import type { Random } from "../../sequence/index.ts";

/** Where inversion, whose cost grows with the mean, gives way to rejection, which needs a mean of 10 at least. */
const REJECTION_FROM = 10;

/** How many of `n` trials succeed, each with probability `p`. */
export function binomial(random: Random, n: number, p: number): number {
  if (n === 0 || p <= 0) return 0;
  if (p >= 1) return n;
  if (p > 0.5) return n - binomial(random, n, 1 - p);
  return n * p < REJECTION_FROM ? byInversion(random, n, p) : byRejection(random, n, p);
}

function byInversion(random: Random, n: number, p: number): number {
  const odds = p / (1 - p);
  for (;;) {
    let probability = Math.exp(n * Math.log1p(-p));
    let left = random.uniform53();
    for (let successes = 0; successes <= n; successes++) {
      if (left < probability) return successes;
      left -= probability;
      probability *= (odds * (n - successes)) / (successes + 1);
    }
    // Rounding has left a sliver beyond the last: draw again.
  }
}

function byRejection(random: Random, n: number, p: number): number {
  const odds = p / (1 - p);
  const deviation = Math.sqrt(n * p * (1 - p));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * p;
  const center = n * p + 0.5;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const surelyBelow = 0.92 - 4.2 / b;
  const mode = Math.floor((n + 1) * p);
  for (;;) {
    const u = random.uniform53() - 0.5;
    const v = random.uniform53();
    const edge = 0.5 - Math.abs(u);
    const k = Math.floor(((2 * a) / edge + b) * u + center);
    if (k < 0 || k > n) continue;
    if (edge >= 0.07 && v <= surelyBelow) return k;
    // ln of the probability of k over that of the mode.
    const likelihood =
      (k - mode) * Math.log(odds) +
      logFactorial(mode) +
      logFactorial(n - mode) -
      logFactorial(k) -
      logFactorial(n - k);
    if (Math.log((v * alpha) / (a / (edge * edge) + b)) <= likelihood) return k;
  }
}

/** ln 0! … ln 15!, for which Stirling's series is too coarse. */
const SMALL = Float64Array.from({ length: 16 }, (_, k) => {
  let sum = 0;
  for (let factor = 2; factor <= k; factor++) sum += Math.log(factor);
  return sum;
});

/** ln k!, by Stirling's series. */
function logFactorial(k: number): number {
  if (k < SMALL.length) return SMALL[k];
  const square = k * k;
  const series = (1 / 12 - (1 / 360 - 1 / (1260 * square)) / square) / k;
  return (k + 0.5) * Math.log(k) - k + 0.5 * Math.log(2 * Math.PI) + series;
}

/** Counts of cells when all that they hold is drawn again with replacement, written to `out` [cells]. */
export function resampleCounts(random: Random, cells: ArrayLike<number>, out: Float64Array): void {
  let inside = 0;
  for (let cell = 0; cell < cells.length; cell++) inside += cells[cell];
  let left = inside;
  for (let cell = 0; cell < cells.length; cell++) {
    const drawn = binomial(random, left, cells[cell] / inside);
    out[cell] = drawn;
    left -= drawn;
    inside -= cells[cell];
  }
}
