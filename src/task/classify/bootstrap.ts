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
 * Two classifiers of the same sequences are compared in pairs: most of what a draw does to one it does to the other.
 *
 * Source: Efron and Tibshirani, "An introduction to the bootstrap", 1993.
 */

import { UsageError } from "../../error.ts";
import { Random } from "../../sequence/index.ts";
import { CALIBRATION_BINS, calibrationBin } from "./calibration.ts";
import { scoresOfMargins, type CountScores, type Margins } from "./metrics.ts";
import { answers, checkPredictions, type Predictions } from "./predictions.ts";
import { resampleCounts } from "./resample.ts";

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
    mcc: interval(counted.mcc, level),
    accuracy: interval(counted.accuracy, level),
    balancedAccuracy: interval(counted.balancedAccuracy, level),
    macroF1: interval(counted.macroF1, level),
    auc: ranked.auc && interval(ranked.auc, level),
    ece: interval(ranked.ece, level),
  };
}

/** Matthews' correlation of one classifier less that of another, with an interval. */
export interface Difference {
  difference: number;
  low: number;
  high: number;
}

/**
 * How much better `a` is than `b` on the same sequences.
 *
 * @throws RangeError when the sequences or classes are not the same
 */
export function pairedDifference(a: Predictions, b: Predictions, options: BootstrapOptions = {}): Difference {
  checkPredictions(a);
  checkPredictions(b);
  const { classes, labels } = a;
  if (classes !== b.classes || labels.length !== b.labels.length) {
    throw new RangeError("predictions: those compared must be of the same sequences and classes");
  }
  for (let i = 0; i < labels.length; i++) {
    if (labels[i] !== b.labels[i]) {
      throw new RangeError(`predictions: those compared must be of the same classes, got others at ${i}`);
    }
  }
  const { resamples, level, seed } = checked(options);
  const cells = countCells(classes, labels, answers(a), answers(b));
  const random = new Random(seed).fork("bootstrap", "paired");
  const sides = [cells.first, cells.second];
  const difference = (counts: ArrayLike<number>): number => {
    const [left, right] = sides.map((answer) => scoresOfMargins(cellMargins(cells, answer, counts)).mcc);
    return left - right;
  };
  const counts = new Float64Array(cells.counts.length);
  const values = Float64Array.from({ length: resamples }, () => {
    resampleCounts(random, cells.counts, counts);
    return difference(counts);
  });
  const [low, high] = interval(values, level);
  return { difference: difference(cells.counts), low, high };
}

function checked({ resamples = 1000, level = 0.95, seed = 1 }: BootstrapOptions): Required<BootstrapOptions> {
  if (!(Number.isInteger(resamples) && resamples >= 1)) {
    throw new UsageError(`resamples: must be a whole number from 1, got ${resamples}`);
  }
  if (!(level > 0 && level < 1)) throw new UsageError(`level: must be above 0 and below 1, got ${level}`);
  return { resamples, level, seed };
}

/** The middle `level` of the values, which are sorted in place; linear between neighbours. */
function interval(values: Float64Array, level: number): Interval {
  values.sort();
  const quantile = (share: number): number => {
    const place = share * (values.length - 1);
    const below = Math.floor(place);
    const above = Math.min(below + 1, values.length - 1);
    return values[below] + (place - below) * (values[above] - values[below]);
  };
  return [quantile((1 - level) / 2), quantile((1 + level) / 2)];
}

/** Sequences by class and the answers of two classifiers; cells that hold none are left out. */
interface Cells {
  classes: number;
  /** [cells] */
  actual: Uint16Array;
  first: Uint16Array;
  second: Uint16Array;
  counts: Float64Array;
}

function countCells(
  classes: number,
  labels: ArrayLike<number>,
  first: Uint16Array,
  second: Uint16Array,
): Cells {
  const cells = new Map<number, number>();
  for (let i = 0; i < labels.length; i++) {
    const cell = (labels[i] * classes + first[i]) * classes + second[i];
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  }
  const keys = [...cells.keys()].sort((a, b) => a - b);
  return {
    classes,
    actual: Uint16Array.from(keys, (key) => Math.floor(key / (classes * classes))),
    first: Uint16Array.from(keys, (key) => Math.floor(key / classes) % classes),
    second: Uint16Array.from(keys, (key) => key % classes),
    counts: Float64Array.from(keys, (key) => cells.get(key) ?? 0),
  };
}

function cellMargins({ classes, actual }: Cells, answer: Uint16Array, counts: ArrayLike<number>): Margins {
  const sums = {
    actual: new Float64Array(classes),
    answered: new Float64Array(classes),
    right: new Float64Array(classes),
  };
  for (let cell = 0; cell < actual.length; cell++) {
    sums.actual[actual[cell]] += counts[cell];
    sums.answered[answer[cell]] += counts[cell];
    if (actual[cell] === answer[cell]) sums.right[actual[cell]] += counts[cell];
  }
  return sums;
}

/** [resamples] Values of the scores that the confusion matrix decides. */
function resampledCounts(
  predictions: Predictions,
  resamples: number,
  random: Random,
): Record<keyof CountScores, Float64Array> {
  const { classes, labels } = predictions;
  const answer = answers(predictions);
  const cells = countCells(classes, labels, answer, answer);
  const drawn = new Float64Array(cells.counts.length);
  const values = {
    mcc: new Float64Array(resamples),
    accuracy: new Float64Array(resamples),
    balancedAccuracy: new Float64Array(resamples),
    macroF1: new Float64Array(resamples),
  };
  for (let r = 0; r < resamples; r++) {
    resampleCounts(random, cells.counts, drawn);
    const scores = scoresOfMargins(cellMargins(cells, cells.first, drawn));
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

/** [resamples or fewer] Values of the scores that need the sequences. */
function resampledRanks(
  predictions: Predictions,
  resamples: number,
  random: Random,
): { auc: Float64Array | null; ece: Float64Array } {
  const { classes, labels } = predictions;
  const n = labels.length;
  const affordable = Math.floor(WORK / (n * (classes + DRAW)));
  const times = Math.min(resamples, Math.max(LEAST_RESAMPLES, affordable));
  const rankings = classRankings(predictions);
  const gaps = calibrationGaps(predictions);
  const auc = rankings && new Float64Array(times);
  const ece = new Float64Array(times);
  const weights = new Uint32Array(n);
  for (let t = 0; t < times; t++) {
    weights.fill(0);
    for (let i = 0; i < n; i++) weights[random.integer(n)]++;
    ece[t] = weightedGap(gaps, weights);
    if (!auc || !rankings) continue;
    let sum = 0;
    let counted = 0;
    for (const ranking of rankings) {
      const area = weightedAuc(ranking, weights);
      if (Number.isNaN(area)) continue;
      sum += area;
      counted++;
    }
    // With one class drawn there is nothing to rank, and no more than chance.
    auc[t] = counted > 0 ? sum / counted : 0.5;
  }
  return { auc, ece };
}

/** The sequences in ascending order of their probability for a class. */
interface Ranking {
  /** [n] */
  order: Uint32Array;
  /** [n] 1 where the sequence is of the class, in that order. */
  member: Uint8Array;
  /** [n] 1 where the next sequence has another probability. */
  last: Uint8Array;
}

/** A ranking for each class; null where a class is missing. */
function classRankings({ classes, labels, probabilities }: Predictions): Ranking[] | null {
  const n = labels.length;
  const support = new Float64Array(classes);
  for (let i = 0; i < n; i++) support[labels[i]]++;
  if (support.some((count) => count === 0)) return null;
  return Array.from({ length: classes }, (_, k) => {
    const scores = Float32Array.from({ length: n }, (_, i) => probabilities[i * classes + k]);
    const order = Uint32Array.from({ length: n }, (_, i) => i).sort((a, b) => scores[a] - scores[b]);
    return {
      order,
      member: Uint8Array.from(order, (i) => Number(labels[i] === k)),
      last: Uint8Array.from(order, (i, at) => Number(at === n - 1 || scores[order[at + 1]] !== scores[i])),
    };
  });
}

/** The area under the curve when sequences count `weights` times; NaN where all or none are of the class. */
function weightedAuc({ order, member, last }: Ranking, weights: Uint32Array): number {
  let area = 0;
  /** Weights in all and of equal probabilities: members, and others. */
  let [members, others, tiedMembers, tiedOthers] = [0, 0, 0, 0];
  for (let at = 0; at < order.length; at++) {
    const weight = weights[order[at]];
    const ofClass = weight * member[at];
    tiedMembers += ofClass;
    tiedOthers += weight - ofClass;
    if (last[at] === 0) continue;
    area += tiedMembers * (others + tiedOthers / 2);
    members += tiedMembers;
    others += tiedOthers;
    tiedMembers = 0;
    tiedOthers = 0;
  }
  return area / (members * others);
}

/** The bin of each answer, and its probability less 1 where it is right. */
interface Gaps {
  bin: Uint8Array;
  gap: Float64Array;
}

function calibrationGaps(predictions: Predictions): Gaps {
  const { classes, labels, probabilities } = predictions;
  const answer = answers(predictions);
  const confidence = Float64Array.from(answer, (k, i) => probabilities[i * classes + k]);
  return {
    bin: Uint8Array.from(confidence, (probability) => calibrationBin(probability)),
    gap: confidence.map((probability, i) => probability - Number(answer[i] === labels[i])),
  };
}

/** The calibration error when sequences count `weights` times. */
function weightedGap({ bin, gap }: Gaps, weights: Uint32Array): number {
  const sums = new Float64Array(CALIBRATION_BINS);
  for (let i = 0; i < bin.length; i++) sums[bin[i]] += weights[i] * gap[i];
  return sums.reduce((total, sum) => total + Math.abs(sum), 0) / bin.length;
}
