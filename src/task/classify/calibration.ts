/**
 * @file Calibration: whether answers given with a probability of p are right in a share p of the cases.
 *
 * Answers are sorted by their probability into bins of equal width, ((b − 1)/B, b/B]. The expected calibration error is
 * the mean, over sequences, of the difference between the mean probability of a bin and the share of right answers in
 * it. It is biased upwards where bins hold few sequences.
 *
 * Source: Guo, Pleiss, Sun and Weinberger, "On calibration of modern neural networks", ICML 2017.
 */

import { answers, type Predictions } from "./predictions.ts";

/** Answers with probabilities above `from`, up to `to`. */
export interface ReliabilityBin {
  from: number;
  to: number;
  count: number;
  /** Mean probability of the answers; NaN where there is none. */
  confidence: number;
  /** Share of the answers that is right; NaN where there is none. */
  accuracy: number;
}

/** Bins of the calibration error. */
export const CALIBRATION_BINS = 15;

/** Number of the bin of a probability. */
export function calibrationBin(probability: number, bins = CALIBRATION_BINS): number {
  return Math.min(bins - 1, Math.max(0, Math.ceil(probability * bins) - 1));
}

/** The bins of a reliability diagram, from probability 0 to 1. */
export function reliability(predictions: Predictions, bins = CALIBRATION_BINS): ReliabilityBin[] {
  const { classes, labels, probabilities } = predictions;
  const sums = Array.from({ length: bins }, () => ({ count: 0, confidence: 0, right: 0 }));
  answers(predictions).forEach((answer, i) => {
    const confidence = probabilities[i * classes + answer];
    const bin = sums[calibrationBin(confidence, bins)];
    bin.count++;
    bin.confidence += confidence;
    if (answer === labels[i]) bin.right++;
  });
  return sums.map(({ count, confidence, right }, b) => ({
    from: b / bins,
    to: (b + 1) / bins,
    count,
    confidence: confidence / count,
    accuracy: right / count,
  }));
}

/** The expected calibration error of the bins. */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  let gaps = 0;
  let total = 0;
  for (const { count, confidence, accuracy } of bins) {
    total += count;
    if (count > 0) gaps += count * Math.abs(accuracy - confidence);
  }
  return gaps / total;
}
