/**
 * @file Calibration: whether answers given with a probability of p are right in a share p of the cases.
 *
 * Answers are sorted by their probability into bins of equal width, ((b − 1)/B, b/B]. The expected calibration error is
 * the mean, over sequences, of the difference between the mean probability of a bin and the share of right answers in
 * it. It is biased upwards where bins hold few sequences. A sequence adds its own gap to the sum of its bin, so that the
 * error of sequences drawn anew is one pass over the gaps.
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
const CALIBRATION_BINS = 15;

/** Number of the bin of a probability. */
function calibrationBin(probability: number, bins = CALIBRATION_BINS): number {
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

/** What each answer adds to the calibration error. */
export interface CalibrationGaps {
  bins: number;
  /** [n] The bin of each answer. */
  bin: Uint16Array;
  /** [n] Its probability, less 1 where it is right. */
  gap: Float64Array;
}

/** The gaps of the answers. */
export function calibrationGaps(predictions: Predictions, bins = CALIBRATION_BINS): CalibrationGaps {
  const { classes, labels, probabilities } = predictions;
  const answer = answers(predictions);
  const confidence = Float64Array.from(answer, (k, i) => probabilities[i * classes + k]);
  return {
    bins,
    bin: Uint16Array.from(confidence, (probability) => calibrationBin(probability, bins)),
    gap: confidence.map((probability, i) => probability - Number(answer[i] === labels[i])),
  };
}

/** The expected calibration error when sequences count `weights` times (default once). */
export function calibrationError({ bins, bin, gap }: CalibrationGaps, weights?: ArrayLike<number>): number {
  const sums = new Float64Array(bins);
  let total = 0;
  for (let i = 0; i < bin.length; i++) {
    const weight = weights === undefined ? 1 : weights[i];
    sums[bin[i]] += weight * gap[i];
    total += weight;
  }
  return sums.reduce((error, sum) => error + Math.abs(sum), 0) / total;
}
