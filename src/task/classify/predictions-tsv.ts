/**
 * @file A table of predictions: `id`, `predicted`, its `probability`, `label` where it is known, and a column of
 * probabilities for each class, `p_<class>`.
 *
 * Probabilities are written with as many digits as a float32 needs to read back to the same bits.
 */

import { cell } from "../../sequence/matrix-tsv.ts";
import { float32Text } from "../../sequence/number-text.ts";
import { answers } from "./predictions.ts";

/** Predicted classes of sequences that need not be labelled. */
export interface PredictionRows {
  ids: readonly string[];
  /** [n, classes] */
  probabilities: Float32Array;
  /** [n] Number of the true class. */
  labels?: ArrayLike<number>;
}

/** The line of names; `labelled` where rows have labels. */
export function formatPredictionsHeader(
  classes: readonly string[],
  { labelled = false }: { labelled?: boolean } = {},
): string {
  const label = labelled ? ["label"] : [];
  return `${["id", "predicted", "probability", ...label, ...classes.map((name) => `p_${name}`)].map(cell).join("\t")}\n`;
}

/** The rows of some sequences, so that long tables can be written batch by batch. */
export function* formatPredictions(
  { ids, probabilities, labels }: PredictionRows,
  classes: readonly string[],
): Generator<string> {
  for (const [i, answer] of answers({ classes: classes.length, probabilities }).entries()) {
    const row = Array.from(probabilities.subarray(i * classes.length, (i + 1) * classes.length), float32Text);
    const label = labels ? [cell(classes[labels[i]])] : [];
    yield `${[cell(ids[i]), cell(classes[answer]), row[answer], ...label, ...row].join("\t")}\n`;
  }
}
