import { init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { logGamma, lossValue, neighboursOf, type LossOptions } from "../../src/nn/losses.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const LENGTH = 100;

/** The loss of these predictions and labels, in edits, equally weighted. */
function loss(
  options: LossOptions,
  predicted: number[][],
  truth: number[][],
  stage?: [number, number],
): number {
  const shares = (rows: number[][]) => np.array(rows).mul(1 / LENGTH);
  const weights = np.full([1, 1], 1 / predicted.flat().length);
  return lossValue(options, {
    predicted: shares(predicted),
    truth: shares(truth),
    weights,
    length: LENGTH,
    stage: stage && np.array(stage),
  }).item();
}

describe("losses of pairs", () => {
  const predicted = [[12, 30, 7, 0]];
  const truth = [[10, 33, 7, 0]];

  it("mse, mae, mape", () => {
    expect(loss({ name: "mse" }, predicted, truth)).toBeCloseTo((4 + 9) / 4 / LENGTH ** 2, 8);
    expect(loss({ name: "mae" }, predicted, truth)).toBeCloseTo((2 + 3) / 4 / LENGTH, 7);
    expect(loss({ name: "mape" }, predicted, truth)).toBeCloseTo((2 / 10 + 3 / 33) / 4, 6);
  });

  it("chi2 is minus the logarithm, to base 2, of the density", () => {
    // −log₂ of the χ² density with 10 degrees of freedom at 12, and with 33 at 30.
    const density = (x: number, y: number, gamma: number) =>
      -Math.log2((x ** (y / 2 - 1) * Math.exp(-x / 2)) / (2 ** (y / 2) * gamma));
    const expected = (density(12, 10, 24) + density(30, 33, 5189998453040.12)) / 2;
    expect(loss({ name: "chi2" }, [[12, 30]], [[10, 33]])).toBeCloseTo(expected, 3);
  });

  it("chi2 and Poisson are finite where a distance or a prediction is 0", () => {
    for (const name of ["chi2", "poisson"] as const) {
      expect(loss({ name }, [[0, 5, 0]], [[0, 0, 5]])).toBeLessThan(100);
    }
  });

  it("Poisson is least where the prediction is the distance", () => {
    const at = (x: number) => loss({ name: "poisson" }, [[x]], [[20]]);
    expect(at(20)).toBeLessThan(Math.min(at(19), at(21)));
  });
});

describe("losses of triples", () => {
  it("triplet is the margin that is missing", () => {
    // Rows: anchor to nearer, anchor to farther, nearer to farther; the second triple has margin enough.
    const predicted = [
      [10, 10],
      [12, 30],
      [1, 1],
    ];
    expect(loss({ name: "triplet", margin: 0.05 }, predicted, predicted)).toBeCloseTo(0.03 / 2, 6);
  });

  it("cnn-ed weighs rank and fit by stage", () => {
    const truth = [[10], [20], [15]];
    const predicted = [[13], [16], [15]];
    const [rank, fit] = [(3 + 4) / LENGTH, Math.hypot(3, 4) / LENGTH];
    expect(loss({ name: "cnn-ed" }, predicted, truth, [5, 0.1])).toBeCloseTo(5 * rank + 0.1 * fit, 6);
    expect(neighboursOf({ name: "cnn-ed" })).toBe(200);
  });
});

it("logGamma is the logarithm of factorials", () => {
  const z = [1, 2, 3, 10, 76, 500];
  const factorial = (n: number): number => (n < 2 ? 0 : Math.log(n) + factorial(n - 1));
  const actual = logGamma(np.array(z)).js() as number[];
  expect(actual).toBeAllclose(
    z.map((each) => factorial(each - 1)),
    { rtol: 1e-5, atol: 3e-5 },
  );
});
