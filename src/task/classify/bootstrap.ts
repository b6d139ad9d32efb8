/**
 * @file How far the scores of a classifier may be off for want of test sequences: bootstrap intervals.
 *
 * The test sequences are drawn again with replacement, many times, and the interval of a score holds the middle of its
 * values (percentile intervals). Draws are not stratified: another test set would have other shares of the classes too.
 * A class that a draw misses counts in no mean of that draw.
 *
 * Scores of right and wrong answers are drawn by the counts of the confusion matrix (resample.ts), which is the same
 * and costs the cells alone. Ranks and probabilities need the sequences: the area under the curve is one pass over each
 * class's ranking, in which a sequence weighs as often as it was drawn, and the calibration error another over bins.
 * For large sets these two are drawn fewer times, 200 at least: O(resamples · n · classes), about a second at most.
 *
 * Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
 */

import { UsageError } from "../../error.ts";
import { Random } from "../../sequence/index.ts";
import { percentileInterval } from "../summary.ts";
import { calibrationError, calibrationGaps } from "./calibration.ts";
import { confusionMatrix, margins, scoresOfMargins, type CountScores } from "./metrics.ts";
import { checkPredictions, type Predictions } from "./predictions.ts";
import { resampleCounts } from "./resample.ts";
import { areaUnderCurve, ranking, type Ranking } from "./roc.ts";

export interface BootstrapOptions {
  /** Times that the sequences are drawn (default 1,000). */
  resamples?: number;
  /** Share of the values inside an interval (default 0.95). */
  level?: number;
  /** Seed of the draws (default 1). */
  seed?: number;
}

/** Lower and upper end. */
export type Interval = [low: number, high: number];

export interface Intervals extends Record<keyof CountScores | "ece", Interval> {
  /** Null where a class is missing, as its score is. */
  auc: Interval | null;
}

/** Percentile intervals of the scores of `classificationScores`. */
export function bootstrapIntervals(predictions: Predictions, options: BootstrapOptions = {}): Intervals {
  checkPredictions(predictions);
  const { resamples, level, seed } = checked(options);
  const random = new Random(seed).fork("bootstrap");
  const counted = resampledCounts(predictions, resamples, random.fork("answers"));
  const ranked = resampledRanks(predictions, resamples, random.fork("sequences"));
  return {
    mcc: percentileInterval(counted.mcc, level),
    accuracy: percentileInterval(counted.accuracy, level),
    balancedAccuracy: percentileInterval(counted.balancedAccuracy, level),
    macroF1: percentileInterval(counted.macroF1, level),
    auc: ranked.auc && percentileInterval(ranked.auc, level),
    ece: percentileInterval(ranked.ece, level),
  };
}

function checked({ resamples = 1000, level = 0.95, seed = 1 }: BootstrapOptions): Required<BootstrapOptions> {
  if (!(Number.isInteger(resamples) && resamples >= 1)) {
    throw new UsageError(`resamples: must be a whole number from 1, got ${resamples}`);
  }
  if (!(level > 0 && level < 1)) throw new UsageError(`level: must be above 0 and below 1, got ${level}`);
  return { resamples, level, seed };
}

/** [resamples] Values of the scores that the confusion matrix decides. */
function resampledCounts(
  predictions: Predictions,
  resamples: number,
  random: Random,
): Record<keyof CountScores, Float64Array> {
  const confusion = confusionMatrix(predictions);
  const drawn = new Float64Array(confusion.length);
  const values = {
    mcc: new Float64Array(resamples),
    accuracy: new Float64Array(resamples),
    balancedAccuracy: new Float64Array(resamples),
    macroF1: new Float64Array(resamples),
  };
  for (let r = 0; r < resamples; r++) {
    resampleCounts(random, confusion, drawn);
    const scores = scoresOfMargins(margins(drawn, predictions.classes));
    values.mcc[r] = scores.mcc;
    values.accuracy[r] = scores.accuracy;
    values.balancedAccuracy[r] = scores.balancedAccuracy;
    values.macroF1[r] = scores.macroF1;
  }
  return values;
}

/** Steps of about a second of work, of which drawing a sequence takes `DRAW`. */
const WORK = 1.5e8;
const DRAW = 8;
const LEAST_RESAMPLES = 200;

/** How often the sequences themselves are drawn, for the area under the curve and the calibration error. */
export function rankResamples({ classes, labels }: Predictions, resamples: number): number {
  const affordable = Math.floor(WORK / (labels.length * (classes + DRAW)));
  return Math.min(resamples, Math.max(LEAST_RESAMPLES, affordable));
}

/** [resamples or fewer] Values of the scores that need the sequences. */
function resampledRanks(
  predictions: Predictions,
  resamples: number,
  random: Random,
): { auc: Float64Array | null; ece: Float64Array } {
  const n = predictions.labels.length;
  const times = rankResamples(predictions, resamples);
  const rankings = classRankings(predictions);
  const gaps = calibrationGaps(predictions);
  const auc = rankings && new Float64Array(times);
  const ece = new Float64Array(times);
  const weights = new Uint32Array(n);
  for (let t = 0; t < times; t++) {
    weights.fill(0);
    for (let i = 0; i < n; i++) weights[random.integer(n)]++;
    ece[t] = calibrationError(gaps, weights);
    if (!auc || !rankings) continue;
    let sum = 0;
    let counted = 0;
    for (const each of rankings) {
      const area = areaUnderCurve(each, weights);
      if (area === null) continue;
      sum += area;
      counted++;
    }
    // With one class drawn there is nothing to rank, and no more than chance.
    auc[t] = counted > 0 ? sum / counted : 0.5;
  }
  return { auc, ece };
}

/** A ranking for each class; null where a class is missing. */
function classRankings(predictions: Predictions): Ranking[] | null {
  const rankings = Array.from({ length: predictions.classes }, (_, k) => ranking(predictions, k));
  return rankings.every(({ member }) => member.includes(1)) ? rankings : null;
}
