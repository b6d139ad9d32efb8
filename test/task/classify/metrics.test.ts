/** @file Scores of classifiers against values by hand, identities, and counting pair by pair. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { calibrationError, calibrationGaps, reliability } from "../../../src/task/classify/calibration.ts";
import {
  classificationScores,
  confusionMatrix,
  mcc,
  type Predictions,
} from "../../../src/task/classify/metrics.ts";
import { answers } from "../../../src/task/classify/predictions.ts";
import { areaUnderCurve, ranking } from "../../../src/task/classify/roc.ts";
import { formatPredictions, formatPredictionsHeader } from "../../../src/task/classify/predictions-tsv.ts";
import { pearson } from "../../../src/task/correlation.ts";

/** Predictions of true classes and rows of probabilities. */
const predictionsOf = (labels: number[], rows: number[][]): Predictions => ({
  classes: rows[0].length,
  labels,
  probabilities: Float32Array.from(rows.flat()),
});

/** Predictions that are sure of their answers. */
const sure = (labels: readonly number[], answered: readonly number[], classes: number): Predictions =>
  predictionsOf(
    [...labels],
    answered.map((answer) => Array.from({ length: classes }, (_, k) => Number(k === answer))),
  );

const namesOf = (classes: number) => Array.from({ length: classes }, (_, k) => `c${k}`);

/** Any predictions; probabilities in eighths, so that there are ties. */
const anyPredictions = (classes: number, least = 1) =>
  fc
    .array(fc.tuple(fc.nat(classes - 1), fc.array(fc.nat(8), { minLength: classes, maxLength: classes })), {
      minLength: least,
      maxLength: 60,
    })
    .map((rows) =>
      predictionsOf(
        rows.map(([label]) => label),
        rows.map(([, row]) => row.map((eighths) => eighths / 8)),
      ),
    );

describe("three classes by hand", () => {
  // Rows are the true classes: 2 1 0, 0 2 1, 1 0 3.
  const scores = classificationScores(
    sure([0, 0, 0, 1, 1, 1, 2, 2, 2, 2], [0, 0, 1, 1, 1, 2, 0, 2, 2, 2], 3),
    namesOf(3),
  );

  test("confusion and counts", () => {
    expect(scores.n).toBe(10);
    expect(scores.confusion).toEqual([
      [2, 1, 0],
      [0, 2, 1],
      [1, 0, 3],
    ]);
    // (7·10 − (3·3 + 3·3 + 4·4)) / (10² − 34)
    expect(scores.mcc).toBeCloseTo(36 / 66, 12);
    expect(scores.accuracy).toBeCloseTo(0.7, 12);
    expect(scores.balancedAccuracy).toBeCloseTo((2 / 3 + 2 / 3 + 3 / 4) / 3, 12);
    expect(scores.macroF1).toBeCloseTo((2 / 3 + 2 / 3 + 3 / 4) / 3, 12);
    // Sure answers: area (1 + 3/4 − 1/6) / 2.
    expect(scores.perClass[2]).toEqual({
      name: "c2",
      support: 4,
      precision: 0.75,
      recall: 0.75,
      f1: 0.75,
      auc: 19 / 24,
    });
  });

  test("what sure answers cost", () => {
    expect(scores.ece).toBeCloseTo(0.3, 12);
    expect(scores.brier).toBeCloseTo(0.6, 12);
    expect(scores.logLoss).toBeCloseTo(0.3 * 23 * Math.LN2, 12);
  });
});

describe("Matthews' correlation", () => {
  test("is Pearson's for two classes", () => {
    fc.assert(
      fc.property(anyPredictions(2), (predictions) => {
        const expected = pearson(predictions.labels, answers(predictions));
        expect(mcc(confusionMatrix(predictions), 2)).toBeCloseTo(Number.isNaN(expected) ? 0 : expected, 10);
      }),
    );
  });

  test("is the correlation of the indicator vectors for several (Gorodkin 2004)", () => {
    fc.assert(
      fc.property(anyPredictions(4), (predictions) => {
        const { labels } = predictions;
        const answered = answers(predictions);
        const covariance = (x: ArrayLike<number>, y: ArrayLike<number>): number => {
          let sum = 0;
          for (let k = 0; k < 4; k++) {
            const share = (of: ArrayLike<number>) =>
              Array.from(of).filter((each) => each === k).length / of.length;
            for (let i = 0; i < x.length; i++) {
              sum += (Number(x[i] === k) - share(x)) * (Number(y[i] === k) - share(y));
            }
          }
          return sum;
        };
        const spread = covariance(labels, labels) * covariance(answered, answered);
        const expected = spread > 1e-9 ? covariance(labels, answered) / Math.sqrt(spread) : 0;
        expect(mcc(confusionMatrix(predictions), 4)).toBeCloseTo(expected, 9);
      }),
    );
  });

  test("by hand, at its ends, and where it is undefined", () => {
    // (TP·TN − FP·FN) / √(…) = (90·80 − 20·10) / √(110·100·100·90)
    expect(mcc([80, 20, 10, 90], 2)).toBeCloseTo(7000 / Math.sqrt(110 * 100 * 100 * 90), 12);
    expect(mcc([3, 0, 0, 5], 2)).toBe(1);
    expect(mcc([0, 3, 5, 0], 2)).toBe(-1);
    expect(mcc([3, 0, 5, 0], 2)).toBe(0);
    expect(mcc([3, 2, 0, 0], 2)).toBe(0);
    expect(mcc([0, 0, 0, 0], 2)).toBe(0);
  });
});

describe("the area under the curve", () => {
  test.each([
    ["counts pairs", () => 1],
    ["counts pairs by weights", (i: number) => (i * 7) % 4],
  ])("%s", (_, weightOf) => {
    fc.assert(
      fc.property(anyPredictions(3), fc.nat(2), (predictions, k) => {
        const { labels, probabilities } = predictions;
        const weights = Array.from(labels, (_, i) => weightOf(i));
        let wins = 0;
        let pairs = 0;
        for (let i = 0; i < labels.length; i++) {
          for (let j = 0; j < labels.length; j++) {
            if (labels[i] !== k || labels[j] === k) continue;
            pairs += weights[i] * weights[j];
            const gap = probabilities[i * 3 + k] - probabilities[j * 3 + k];
            wins += weights[i] * weights[j] * (gap > 0 ? 1 : gap === 0 ? 0.5 : 0);
          }
        }
        const area = areaUnderCurve(ranking(predictions, k), weights);
        if (pairs === 0) expect(area).toBeNull();
        else expect(area).toBeCloseTo(wins / pairs, 10);
      }),
    );
  });

  test("by hand, and null where a class is missing", () => {
    // Four pairs: .8 beats .1 and .4, .35 beats .1 alone.
    const rows = [0.1, 0.4, 0.35, 0.8].map((p) => [1 - p, p]);
    const scores = classificationScores(predictionsOf([0, 0, 1, 1], rows), ["no", "yes"]);
    expect(scores.auc).toBeCloseTo(0.75, 12);
    const missing = classificationScores(predictionsOf([0, 0, 0, 0], rows), ["no", "yes"]);
    expect(missing.auc).toBeNull();
    expect(missing.perClass.map(({ auc }) => auc)).toEqual([null, null]);
  });
});

describe("classes that are missing", () => {
  test("count in no mean unless they are answered", () => {
    const absent = classificationScores(sure([0, 0, 1, 1], [0, 0, 1, 0], 3), namesOf(3));
    expect(absent.balancedAccuracy).toBeCloseTo(0.75, 12);
    expect(absent.macroF1).toBeCloseTo((0.8 + 2 / 3) / 2, 12);
    const answered = classificationScores(sure([0, 0, 1, 1], [0, 0, 1, 2], 3), namesOf(3));
    expect(answered.balancedAccuracy).toBeCloseTo(0.75, 12);
    expect(answered.macroF1).toBeCloseTo((1 + 2 / 3 + 0) / 3, 12);
    expect(answered.perClass[2]).toMatchObject({ support: 0, precision: 0, recall: 0, f1: 0 });
  });
});

describe("probabilities", () => {
  const predictions = predictionsOf(
    [0, 1, 1],
    [
      [0.9, 0.1],
      [0.9, 0.1],
      [0.375, 0.625],
    ],
  );

  test("calibration by hand", () => {
    const bins = reliability(predictions);
    expect(bins).toHaveLength(15);
    expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(3);
    expect(bins[13]).toMatchObject({ from: 13 / 15, to: 14 / 15, count: 2, accuracy: 0.5 });
    expect(bins[13].confidence).toBeCloseTo(0.9, 6);
    expect(bins[0].confidence).toBeNaN();
    const gaps = calibrationGaps(predictions);
    expect(calibrationError(gaps)).toBeCloseTo((2 * 0.4 + 0.375) / 3, 6);
    expect(calibrationError(gaps, [0, 1, 2])).toBeCloseTo((0.9 + 2 * 0.375) / 3, 6);
    expect(calibrationError(calibrationGaps(predictions, 1))).toBeCloseTo(Math.abs(2 - 2.425) / 3, 6);
  });

  test("edges belong to the lower bin, 0 and 1 to the first and last", () => {
    const counts = reliability(
      predictionsOf(
        [0, 0, 0],
        [
          [0.5, 0],
          [1, 0],
          [0, 0],
        ],
      ),
      2,
    ).map(({ count }) => count);
    expect(counts).toEqual([2, 1]);
  });

  test("log loss and Brier score by hand", () => {
    const { logLoss, brier } = classificationScores(predictions, ["a", "b"]);
    expect(logLoss).toBeCloseTo(-(Math.log(0.9) + Math.log(0.1) + Math.log(0.625)) / 3, 6);
    expect(brier).toBeCloseTo((2 * 0.01 + 2 * 0.81 + 2 * 0.375 ** 2) / 3, 6);
  });

  test("of perfect and of no knowledge", () => {
    const perfect = classificationScores(sure([0, 1, 2], [0, 1, 2], 3), namesOf(3));
    expect(perfect).toMatchObject({ mcc: 1, accuracy: 1, macroF1: 1, auc: 1, ece: 0, logLoss: 0, brier: 0 });
    const none = classificationScores(
      predictionsOf(
        [0, 1],
        [
          [0.5, 0.5],
          [0.5, 0.5],
        ],
      ),
      namesOf(2),
    );
    expect(none).toMatchObject({ mcc: 0, accuracy: 0.5, auc: 0.5, ece: 0, brier: 0.5 });
    expect(none.logLoss).toBeCloseTo(Math.LN2, 12);
  });
});

test("renaming the classes changes no score", () => {
  fc.assert(
    fc.property(anyPredictions(3), (predictions) => {
      // A tie would go to another class.
      fc.pre(
        answers(predictions).every((answer, i) => {
          const row = predictions.probabilities.subarray(3 * i, 3 * i + 3);
          return row.filter((value) => value === row[answer]).length === 1;
        }),
      );
      const turned: Predictions = {
        classes: 3,
        labels: Array.from(predictions.labels, (label) => (label + 1) % 3),
        probabilities: predictions.probabilities.map((_, at, all) => all[at - (at % 3) + ((at + 2) % 3)]),
      };
      const [a, b] = [predictions, turned].map((each) => classificationScores(each, namesOf(3)));
      for (const score of [
        "mcc",
        "accuracy",
        "balancedAccuracy",
        "macroF1",
        "ece",
        "logLoss",
        "brier",
      ] as const) {
        expect(a[score]).toBeCloseTo(b[score], 9);
      }
      expect(a.auc ?? -1).toBeCloseTo(b.auc ?? -1, 9);
    }),
  );
});

test.each([
  ["nothing", { classes: 2, labels: [], probabilities: new Float32Array(0) }, /at least one sequence/],
  [
    "NaN",
    { classes: 2, labels: [0], probabilities: Float32Array.of(0.5, NaN) },
    /from 0 to 1, got NaN for class 1 of sequence 0/,
  ],
  ["beyond 1", { classes: 2, labels: [0], probabilities: Float32Array.of(0.5, 1.5) }, /got 1.5/],
  [
    "another size",
    { classes: 2, labels: [0], probabilities: Float32Array.of(0.5) },
    /must be 1 × 2 = 2, got 1/,
  ],
  [
    "another class",
    { classes: 2, labels: [2], probabilities: Float32Array.of(0, 1) },
    /label: must be below 2, got 2/,
  ],
  ["one class", { classes: 1, labels: [0], probabilities: Float32Array.of(1) }, /at least two/],
])("%s is refused", (_, predictions, message) => {
  expect(() => classificationScores(predictions, ["a", "b"])).toThrow(message);
});

test("a table of predictions", () => {
  const classes = ["ID", "SINE2/tRNA"];
  const probabilities = Float32Array.of(0.25, 0.75, 0.9, 0.1, 1, 0);
  const rows = { ids: ["x", "y", "z"], probabilities };
  expect([formatPredictionsHeader(classes), ...formatPredictions(rows, classes)].join("")).toBe(
    "id\tpredicted\tprobability\tp_ID\tp_SINE2/tRNA\nx\tSINE2/tRNA\t0.75\t0.25\t0.75\ny\tID\t0.9\t0.9\t0.1\nz\tID\t1\t1\t0\n",
  );
  const labelled = [
    formatPredictionsHeader(classes, { labelled: true }),
    ...formatPredictions({ ...rows, labels: [1, 1, 0] }, classes),
  ];
  expect(labelled.join("").split("\n")[2]).toBe("y\tID\t0.9\tSINE2/tRNA\t0.9\t0.1");
});
