/**
 * @file Losses: what training makes small, on distances as shares of the length n.
 *
 * Most compare a predicted distance with its label, pair by pair. Two compare the three distances among an
 * anchor, a nearer and a farther sequence: `triplet` asks only for their order, `cnn-ed` for order and size.
 */

import { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { safeSqrt } from "../geometry/elementary.ts";

/** What a loss is given; arrays are consumed. */
export interface LossInput {
  /** Predicted distances, and their labels, of one shape; [3, triples] for losses of triples. */
  predicted: np.Array;
  truth: np.Array;
  /** Weights of the labels, of their shape or one that broadcasts; sum 1. */
  weights: np.Array;
  /** Length n, that distances are shares of. */
  length: number;
  /** Weights of rank and fit, [2], for losses in stages. */
  stage?: np.Array;
}

interface LossKind<Options extends z.ZodObject> {
  summary: string;
  options: Options;
  /** Whether it takes pairs or triples (anchor–nearer, anchor–farther, nearer–farther). */
  of: "pairs" | "triples";
  /** Learns the order of distances but not their size. */
  orderOnly?: boolean;
  /** How many nearest others triples are drawn from; without it, from all. */
  neighbours?: (options: z.output<Options>) => number;
  /** Weights of rank and fit when a share `done` of the run is behind. */
  stage?: (done: number) => [number, number];
  value: (input: LossInput, options: z.output<Options>) => np.Array;
}

function kind<Options extends z.ZodObject>(settings: LossKind<Options>): LossKind<Options> {
  return settings;
}

const none = z.strictObject({});

/** Added to a predicted number of edits before its logarithm is taken. */
const TINY = 1e-7;
/** χ² densities with fewer degrees of freedom have a pole at 0, and gradients without bound (SPEC B5). */
const FEWEST_DEGREES = 2;

/** ln Γ(z) for z ≥ 1: Stirling's series, six steps up the recurrence where its error is below 1e-9. */
export function logGamma(z: np.Array): np.Array {
  const steps = 6;
  let product = z.ref;
  for (let i = 1; i < steps; i++) product = product.mul(z.ref.add(i));
  const large = z.add(steps);
  const inverse = np.reciprocal(large.ref);
  const series = inverse.ref.mul(1 / 12).sub(inverse.ref.mul(np.square(inverse)).mul(1 / 360));
  const stirling = large.ref
    .sub(0.5)
    .mul(np.log(large.ref))
    .sub(large)
    .add(0.5 * Math.log(2 * Math.PI));
  return stirling.add(series).sub(np.log(product));
}

/** A loss of each pair on its own. */
function pairwise(
  summary: string,
  each: (predicted: np.Array, truth: np.Array, length: number) => np.Array,
): LossKind<typeof none> {
  return kind({
    summary,
    options: none,
    of: "pairs",
    value: ({ predicted, truth, weights, length }) => each(predicted, truth, length).mul(weights).sum(),
  });
}

/** CNN-ED's weights of rank and fit over fifths of the run (SPEC B9). */
const CNN_ED_STAGES: readonly [number, number][] = [
  [0, 10],
  [10, 10],
  [10, 1],
  [5, 0.1],
  [1, 0.01],
];

/** The losses there are. */
export const LOSSES = {
  mse: pairwise("mean squared error (the papers')", (p, y) => np.square(p.sub(y))),
  mae: pairwise("mean absolute error", (p, y) => np.abs(p.sub(y))),
  // Below one edit a relative error means nothing: equal pairs would outweigh all others a millionfold.
  mape: pairwise("mean absolute error relative to the distance", (p, y, length) =>
    np.abs(p.sub(y.ref)).div(np.maximum(y, 1 / length)),
  ),
  chi2: pairwise("−log₂ of the χ² density of the predicted edits (DSEE)", (p, y, length) => {
    const x = np.maximum(p.mul(length), 0);
    const half = np.maximum(y.mul(length), FEWEST_DEGREES).mul(0.5);
    const bits = 1 / Math.LN2;
    return half.ref
      .add(logGamma(half.ref).mul(bits))
      .sub(half.sub(1).mul(np.log(x.ref.add(TINY)).mul(bits)))
      .add(x.mul(0.5 * bits));
  }),
  poisson: pairwise("negative log-likelihood of a Poisson number of edits", (p, y, length) => {
    const x = np.maximum(p.mul(length), 0);
    return x.ref.sub(y.mul(length).mul(np.log(x.add(TINY))));
  }),
  triplet: kind({
    summary: "margin between a nearer and a farther sequence",
    options: z.strictObject({
      margin: z.number().positive().default(0.05).describe("how much farther the farther one should be"),
    }),
    of: "triples",
    orderOnly: true,
    value: ({ predicted, truth, weights }, { margin }) => {
      truth.dispose();
      weights.dispose();
      const [nearer, farther, between] = np.split(predicted, 3, 0);
      between.dispose();
      return np.maximum(nearer.sub(farther).add(margin), 0).mean();
    },
  }),
  "cnn-ed": kind({
    summary: "order and size of distances among near neighbours, in stages",
    options: z.strictObject({
      neighbours: z.int().positive().default(200).describe("nearest others that triples are drawn from"),
    }),
    neighbours: ({ neighbours }) => neighbours,
    of: "triples",
    stage: (done) => CNN_ED_STAGES[Math.min(4, Math.floor(5 * done))],
    value: ({ predicted, truth, weights, stage }) => {
      weights.dispose();
      const [nearer, farther] = np.split(predicted.ref.sub(truth.ref), 3, 0);
      const rank = np.maximum(nearer.sub(farther), 0);
      const fit = np.square(predicted.sub(truth)).sum(0, { keepdims: true });
      const [rankWeight, fitWeight] = np.split(stage!, 2);
      return rank.mul(rankWeight).add(safeSqrt(fit).mul(fitWeight)).mean();
    },
  }),
};

export type LossName = keyof typeof LOSSES;

/** Names of the losses. */
export const LOSS_NAMES = Object.keys(LOSSES) as LossName[];

/** A loss by name, with options that differ from the defaults. */
export type LossOptions =
  | { name: Exclude<LossName, "triplet" | "cnn-ed"> }
  | { name: "triplet"; margin?: number }
  | { name: "cnn-ed"; neighbours?: number };

/** What a loss is, beside its value. */
export function lossKind(name: LossName): LossKind<z.ZodObject> {
  return LOSSES[name];
}

/** How many nearest others a loss wants its triples of, if so. */
export function neighboursOf({ name, ...options }: LossOptions): number | undefined {
  const { options: schema, neighbours } = lossKind(name);
  return neighbours?.(schema.parse(options));
}

/** The loss, a scalar, inside a traced function. Consumes its input. */
export function lossValue({ name, ...options }: LossOptions, input: LossInput): np.Array {
  const { options: schema, value } = lossKind(name);
  return value(input, schema.parse(options));
}
