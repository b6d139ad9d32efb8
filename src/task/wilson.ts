/** @file The interval of a share. */

/** Two-sided 95 % of a normal distribution. */
const Z = 1.959964;

/**
 * The 95 % interval of a share that was found in `count` draws.
 *
 * Source: Wilson, "Probable inference", Journal of the American Statistical Association 1927.
 */
export function wilson(share: number, count: number): [low: number, high: number] {
  const width = (Z * Z) / count;
  const centre = (share + width / 2) / (1 + width);
  const half = (Z / (1 + width)) * Math.sqrt((share * (1 - share)) / count + width / (4 * count));
  return [Math.max(0, centre - half), Math.min(1, centre + half)];
}
