/**
 * @file Several runs in one number: means, their spread, and how sure a difference of pairs is.
 *
 * Runs that share seed, data and order of batches are compared in pairs. The mean of n differences has the interval of
 * Student's t with n − 1 degrees of freedom, which takes the differences for draws of a normal distribution: with few
 * seeds it is wide, as it must be. Of a bootstrap, whose values are many, the middle is the interval.
 *
 * Source: Student, "The probable error of a mean", Biometrika 1908; for whole degrees of freedom the distribution is a
 * finite sum (Abramowitz and Stegun, "Handbook of mathematical functions", 26.7.3 and 26.7.4). Efron and Tibshirani, "An
 * introduction to the bootstrap", 1993 (percentile intervals).
 */

/** Mean and spread of some numbers. */
export interface Summary {
  mean: number;
  /** Standard deviation of the sample; absent for a single number. */
  deviation?: number;
  count: number;
}

/** Mean and standard deviation (n − 1); of no numbers there are none. */
export function summarize(values: readonly number[]): Summary | undefined {
  const count = values.length;
  if (count === 0) return undefined;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}

/** Lower and upper end of the interval of a mean by Student's t; none of a single number. */
export function meanInterval(
  { mean, deviation, count }: Summary,
  level = 0.95,
): [low: number, high: number] | undefined {
  if (deviation === undefined) return undefined;
  const half = (studentQuantile(level, count - 1) * deviation) / Math.sqrt(count);
  return [mean - half, mean + half];
}

/** The middle `level` of some values, which are sorted in place; linear between neighbours. */
export function percentileInterval(values: Float64Array, level = 0.95): [low: number, high: number] {
  values.sort();
  const quantile = (share: number): number => {
    const place = share * (values.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, values.length - 1);
    return values[below] + (place - below) * (values[above] - values[below]);
  };
  return [quantile((1 - level) / 2), quantile((1 + level) / 2)];
}

/** The t that |T| does not exceed with probability `level` in (0, 1), for `degrees` of freedom, a whole number from 1. */
export function studentQuantile(level: number, degrees: number): number {
  // The probability grows with the angle θ = arctan(t/√degrees).
  let [below, above] = [0, Math.PI / 2];
  for (let i = 0; i < 100; i++) {
    const middle = (below + above) / 2;
    if (studentProbability(middle, degrees) < level) below = middle;
    else above = middle;
  }
  return Math.sqrt(degrees) * Math.tan(below);
}

/** P(|T| ≤ √degrees · tan θ). */
function studentProbability(angle: number, degrees: number): number {
  const [sine, cosine] = [Math.sin(angle), Math.cos(angle)];
  const odd = degrees % 2 === 1;
  let term = odd ? cosine : 1;
  let sum = 0;
  for (let k = odd ? 1 : 0; k < degrees - 1; k += 2) {
    sum += term;
    term *= (cosine * cosine * (k + 1)) / (k + 2);
  }
  return odd ? (2 / Math.PI) * (angle + sine * sum) : sine * sum;
}

/** `1.13 ± 0.02`, or the mean alone. */
export function meanText({ mean, deviation }: Pick<Summary, "mean" | "deviation">, digits: number): string {
  return `${fixedText(mean, digits)}${deviation === undefined ? "" : ` ± ${deviation.toFixed(digits)}`}`;
}

/** A number with as many decimals, and no −0.000. */
export function fixedText(value: number, digits: number): string {
  return value.toFixed(digits).replace(/^-(0\.?0*)$/, "$1");
}

/** A table in Markdown, numbers to the right of the first column. */
export function markdownTable([header, ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}
