/**
 * @file What a classifier says about sequences whose classes are known, and the answers in it.
 */

import { EmbranchError } from "../../error.ts";

/** What a classifier says about sequences of known classes. */
export interface Predictions {
  /** How many classes there are. */
  classes: number;
  /** [n] Number of the true class. */
  labels: ArrayLike<number>;
  /** [n, classes] */
  probabilities: Float32Array;
}

/** The most probable class of each sequence, the first of equally probable ones [n]. */
export function answers({
  classes,
  probabilities,
}: Pick<Predictions, "classes" | "probabilities">): Uint16Array {
  return Uint16Array.from({ length: probabilities.length / classes }, (_, i) => {
    const start = i * classes;
    let best = start;
    for (let at = start + 1; at < start + classes; at++) {
      if (probabilities[at] > probabilities[best]) best = at;
    }
    return best - start;
  });
}

/** How far above 1 rounding may take a probability. */
const ROUNDING = 1e-3;

/**
 * Throws unless labels are classes and probabilities are probabilities.
 *
 * @throws RangeError when sizes do not fit, EmbranchError for values that a model should not give
 */
export function checkPredictions({ classes, labels, probabilities }: Predictions): void {
  const n = labels.length;
  if (!(Number.isInteger(classes) && classes >= 2)) {
    throw new RangeError(`classes: must be at least two, got ${classes}`);
  }
  if (probabilities.length !== n * classes) {
    throw new RangeError(
      `probabilities: must be ${n} × ${classes} = ${n * classes}, got ${probabilities.length}`,
    );
  }
  if (n === 0) throw new EmbranchError("predictions: must be of at least one sequence, got none");
  for (let i = 0; i < n; i++) {
    if (!(labels[i] < classes)) throw new RangeError(`label: must be below ${classes}, got ${labels[i]}`);
  }
  const wrong = probabilities.findIndex((value) => !(value >= 0 && value <= 1 + ROUNDING));
  if (wrong < 0) return;
  throw new EmbranchError(
    `predictions: probabilities must be from 0 to 1, got ${probabilities[wrong]} ` +
      `for class ${wrong % classes} of sequence ${Math.floor(wrong / classes)}`,
  );
}
