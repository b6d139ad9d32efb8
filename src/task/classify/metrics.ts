/**
 * @file How good the probabilities of a classifier are.
 *
 * All scores that count right and wrong answers come from the margins of the confusion matrix. The correlation of
 * Matthews is Gorodkin's R_K, which for two classes is Pearson's correlation of the labels with the answers. Classes
 * that neither occur nor are answered count in no mean. The area under the ROC curve (roc.ts) is the mean over classes,
 * one against the rest. Calibration compares the probability of the answer with how often it is right, in bins of equal
 * width (calibration.ts).
 *
 * Float64 sums; O(n · classes), rankings by radix sort.
 *
 * Sources: Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", Computational
 * Biology and Chemistry 2004; Brier, "Verification of forecasts expressed in terms of probability", Monthly Weather
 * Review 1950.
 */

import { calibrationError, calibrationGaps } from "./calibration.ts";
import { answers, checkPredictions, type Predictions } from "./predictions.ts";
import { areaUnderCurve, ranking } from "./roc.ts";

export type { Predictions } from "./predictions.ts";

/** The scores of one class, against the rest. */
export interface ClassScores {
  name: string;
  /** Sequences of the class. */
  support: number;
  /** Right answers of this class, of its answers; 0 where there is none. */
  precision: number;
  /** Right answers of this class, of its sequences; 0 where there is none. */
  recall: number;
  f1: number;
  /** Null where all sequences are of the class, or none is. */
  auc: number | null;
}

export interface ClassificationScores {
  n: number;
  /** Matthews' correlation coefficient, from −1 to 1; 0 where all are of one class or all answers are. */
  mcc: number;
  accuracy: number;
  /** Mean recall of the classes that occur. */
  balancedAccuracy: number;
  /** Mean F1 of the classes that occur or are answered. */
  macroF1: number;
  /** Mean over the classes, one against the rest; null where a class is missing. */
  auc: number | null;
  /** Expected calibration error in 15 bins of equal width. */
  ece: number;
  /** Mean −ln of the probability of the true class, which counts as 1.2e-7 at least. */
  logLoss: number;
  /** Mean sum over the classes of the squared error of the probabilities, from 0 to 2. */
  brier: number;
  perClass: ClassScores[];
  /** [true class][answer] */
  confusion: number[][];
}

/** Resolution of a float32 near 1: what a probability of 0 counts as in the logarithm. */
const LEAST_PROBABILITY = 2 ** -23;

/** Counts of sequences by class and answer [classes, classes], rows the true classes. */
export function confusionMatrix(predictions: Predictions): Float64Array {
  const { classes, labels } = predictions;
  const confusion = new Float64Array(classes * classes);
  answers(predictions).forEach((answer, i) => confusion[labels[i] * classes + answer]++);
  return confusion;
}

/** Margins of a confusion matrix. */
interface Margins {
  /** [classes] Sequences of each class. */
  actual: Float64Array;
  /** [classes] Answers of each class. */
  answered: Float64Array;
  /** [classes] Right answers of each class. */
  right: Float64Array;
}

/** The margins of `confusion` [classes, classes]. */
export function margins(confusion: ArrayLike<number>, classes: number): Margins {
  const counts = {
    actual: new Float64Array(classes),
    answered: new Float64Array(classes),
    right: new Float64Array(classes),
  };
  for (let actual = 0; actual < classes; actual++) {
    counts.right[actual] = confusion[actual * classes + actual];
    for (let answer = 0; answer < classes; answer++) {
      const count = confusion[actual * classes + answer];
      counts.actual[actual] += count;
      counts.answered[answer] += count;
    }
  }
  return counts;
}

/** Matthews' correlation coefficient of a confusion matrix [classes, classes]; 0 where it is undefined. */
export function mcc(confusion: ArrayLike<number>, classes: number): number {
  return scoresOfMargins(margins(confusion, classes)).mcc;
}

/** The scores that the margins alone decide. */
export type CountScores = Pick<ClassificationScores, "mcc" | "accuracy" | "balancedAccuracy" | "macroF1">;

/** Scores of margins; 0 where they are undefined. */
export function scoresOfMargins({ actual, answered, right }: Margins): CountScores {
  let total = 0;
  let correct = 0;
  let [together, actualSquares, answeredSquares] = [0, 0, 0];
  let [recalls, occurring, f1s, counted] = [0, 0, 0, 0];
  for (let k = 0; k < actual.length; k++) {
    total += actual[k];
    correct += right[k];
    together += actual[k] * answered[k];
    actualSquares += actual[k] * actual[k];
    answeredSquares += answered[k] * answered[k];
    if (actual[k] > 0) {
      occurring++;
      recalls += right[k] / actual[k];
    }
    if (actual[k] + answered[k] > 0) {
      counted++;
      f1s += f1Of(right[k], actual[k], answered[k]);
    }
  }
  const spread = (total * total - actualSquares) * (total * total - answeredSquares);
  return {
    mcc: spread > 0 ? (correct * total - together) / Math.sqrt(spread) : 0,
    accuracy: ratio(correct, total),
    balancedAccuracy: ratio(recalls, occurring),
    macroF1: ratio(f1s, counted),
  };
}

const ratio = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);
const f1Of = (right: number, actual: number, answered: number): number => ratio(2 * right, actual + answered);

/**
 * All scores of a classifier's predictions; `names` are those of the classes.
 *
 * @throws EmbranchError when there are no sequences, or a probability is none
 */
export function classificationScores(
  predictions: Predictions,
  names: readonly string[],
): ClassificationScores {
  checkPredictions(predictions);
  const { classes, labels, probabilities } = predictions;
  if (names.length !== classes) {
    throw new RangeError(`names: must be of ${classes} classes, got ${names.length}`);
  }
  const n = labels.length;
  const confusion = confusionMatrix(predictions);
  const counts = margins(confusion, classes);
  const perClass = names.map((name, k): ClassScores => {
    const [actual, answered, right] = [counts.actual[k], counts.answered[k], counts.right[k]];
    return {
      name,
      support: actual,
      precision: ratio(right, answered),
      recall: ratio(right, actual),
      f1: f1Of(right, actual, answered),
      auc: areaUnderCurve(ranking(predictions, k)),
    };
  });
  let logs = 0;
  let squares = 0;
  for (let i = 0, at = 0; i < n; i++) {
    logs -= Math.log(Math.max(probabilities[i * classes + labels[i]], LEAST_PROBABILITY));
    for (let k = 0; k < classes; k++) squares += (probabilities[at++] - Number(k === labels[i])) ** 2;
  }
  return {
    n,
    ...scoresOfMargins(counts),
    auc: macroAuc(perClass),
    ece: calibrationError(calibrationGaps(predictions)),
    logLoss: logs / n,
    brier: squares / n,
    perClass,
    confusion: names.map((_, k) => Array.from(confusion.subarray(k * classes, (k + 1) * classes))),
  };
}

function macroAuc(perClass: readonly ClassScores[]): number | null {
  let sum = 0;
  for (const { auc } of perClass) {
    if (auc === null) return null;
    sum += auc;
  }
  return sum / perClass.length;
}
