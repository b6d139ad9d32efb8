/**
 * @file The layers on the hyperboloid beside the published operations that they stand for: what they are compared on.
 */

import { numpy as np } from "@jax-js/jax";
import { hyperboloidPoint } from "../../src/geometry/hyperboloid-maps.ts";
import type { ConvFormulation } from "../../src/nn/layers.ts";
import {
  changeCurvature,
  lorentzClassifier,
  lorentzConv,
  lorentzFlatten,
  lorentzLinear,
  lorentzNorm,
  type LorentzMoments,
} from "../../src/nn/lorentz-layers.ts";
import { floats, type Input } from "../engine/both.ts";
import * as plain from "./lorentz-plain.ts";

export const BATCH = 2;
export const CHANNELS = 3;
export const LENGTH = 5;
export const OUTPUTS = 2;
export const RADII = [0.3, 1, 1.7, 5];

export type Values = readonly number[];

export const rowsOf = (values: Values, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
export const transposed = (rows: readonly Values[]): number[][] =>
  rows[0].map((_, i) => rows.map((row) => row[i]));

/** Space coordinates [batch, channels, length] as points. */
export const mapsOf = (values: Values, k: number): plain.Maps =>
  rowsOf(values, CHANNELS * LENGTH).map((map) =>
    transposed(rowsOf(map, LENGTH)).map((space) => plain.pointOf(space, k)),
  );

/** The space coordinates [channels] of each point of [batch, channels, length]. */
export const pointsOf = (values: Values, channels: number): number[][] =>
  rowsOf(values, channels * LENGTH).flatMap((map) => transposed(rowsOf(map, LENGTH)));

/** Points as space coordinates [batch, channels, length]. */
export const spaceOf = (maps: plain.Maps): number[] =>
  maps.flatMap((points) => transposed(points.map((point) => point.slice(1))).flat());

/** Rows of the published matrix: one for the time, which nobody reads, then [time, ...space] of each output. */
const denseOf = (rows: readonly Values[], time: Values, bias: Values): plain.Dense => ({
  matrix: [rows[0].concat(7).map(Math.sin), ...rows.map((row, i) => [time[i], ...row])],
  bias: [3, ...bias],
});

/** A layer and the published operations that it stands for; both take the inputs in the same order, x first, k last. */
export interface Case {
  name: string;
  /** The space coordinates of each point that the output holds. */
  spaces: (output: Values) => number[][];
  /** Inputs but k. */
  inputs: Input[];
  layer: (formulation: ConvFormulation, ...arrays: np.Array[]) => np.Array;
  published: (k: number, ...values: Values[]) => number[];
}

export const maps = (): Input => floats([BATCH, CHANNELS, LENGTH], 1);
const vectors = (): Input => floats([BATCH, CHANNELS], 2);

const RUNNING = [floats([CHANNELS], 7), floats([], 8, 0.5, 1.5)];
const centreAndGain = (): Input[] => [floats([CHANNELS], 5, -1, 1), floats([], 6, 0.5, 1.5)];

/** The learned centre is a point: its space coordinates are varied, and its time with them. */
export const norm = (
  training: boolean,
  formulation: ConvFormulation,
  momentum: number | undefined,
  ...[x, space, gain, mean, distance, k]: np.Array[]
): { output: np.Array; statistics: LorentzMoments } => {
  const centre = hyperboloidPoint(space, 1);
  return lorentzNorm({ centre, gain }, { mean, distance }, x, k, { training, momentum, formulation });
};
export const normalisation = (k: number, centre: Values, [gain]: Values): plain.Normalisation => ({
  beta: plain.pointOf(
    centre.map((value) => value * Math.sqrt(k)),
    k,
  ),
  gain,
});

export const CASES: Case[] = [
  {
    name: "dense layer",
    spaces: (output) => rowsOf(output, OUTPUTS),
    inputs: [vectors(), floats([CHANNELS, OUTPUTS], 3), floats([OUTPUTS], 4), floats([OUTPUTS], 5)],
    layer: (_, x, weight, time, bias, k) => lorentzLinear({ weight, time, bias }, x, k),
    published: (k, x, weight, time, bias) => {
      const layer = denseOf(transposed(rowsOf(weight, OUTPUTS)), time, bias);
      const outputs = rowsOf(x, CHANNELS).map((row) => plain.dense(layer, plain.pointOf(row, k), k));
      return outputs.flatMap(([, ...space]) => space);
    },
  },
  ...[1, 3, 9].map((kernel): Case => ({
    name: `convolution of width ${kernel}`,
    spaces: (output) => pointsOf(output, OUTPUTS),
    inputs: [maps(), floats([OUTPUTS, CHANNELS, kernel], 3), floats([OUTPUTS], 4), floats([OUTPUTS], 5)],
    layer: (formulation, x, weight, time, bias, k) =>
      lorentzConv({ weight, time, bias }, x, k, { formulation }),
    published: (k, x, weight, time, bias) => {
      const layer = denseOf(rowsOf(weight, CHANNELS * kernel), time, bias);
      return spaceOf(plain.convolution(layer, mapsOf(x, k), kernel, k));
    },
  })),
  {
    name: "batch normalisation in training",
    spaces: (output) => pointsOf(output, CHANNELS),
    inputs: [maps(), ...centreAndGain()],
    layer: (formulation, x, centre, gain, k) => {
      const running = [np.zeros([CHANNELS]), np.array(1)];
      const { output, statistics } = norm(true, formulation, undefined, x, centre, gain, ...running, k);
      Object.values(statistics).forEach((array) => array.dispose());
      return output;
    },
    published: (k, x, centre, gain) => {
      const running = { mean: new Array<number>(CHANNELS).fill(0), distance: 1 };
      const { output } = plain.batchNormTrained(mapsOf(x, k), running, normalisation(k, centre, gain), k);
      return spaceOf(output);
    },
  },
  {
    name: "batch normalisation in evaluation",
    spaces: (output) => pointsOf(output, CHANNELS),
    inputs: [maps(), ...centreAndGain(), ...RUNNING],
    layer: (formulation, ...arrays) => {
      const { output, statistics } = norm(false, formulation, undefined, ...arrays);
      Object.values(statistics).forEach((array) => array.dispose());
      return output;
    },
    published: (k, x, centre, gain, mean, [distance]) =>
      spaceOf(plain.batchNormEvaluated(mapsOf(x, k), { mean, distance }, normalisation(k, centre, gain), k)),
  },
  {
    name: "change of curvature",
    spaces: (output) => pointsOf(output, CHANNELS),
    inputs: [maps(), { ...floats([], 3), data: Float32Array.of(0.8) }],
    layer: (_, x, to, k) => {
      const output = changeCurvature(x, k, to);
      to.dispose();
      return output;
    },
    published: (k, x, [to]) =>
      spaceOf(mapsOf(x, k).map((points) => points.map((point) => plain.curvatureChanged(point, k, to)))),
  },
  {
    name: "flattening and a dense layer",
    spaces: (output) => rowsOf(output, OUTPUTS),
    inputs: [maps(), floats([CHANNELS * LENGTH, OUTPUTS], 3), floats([OUTPUTS], 4), floats([OUTPUTS], 5)],
    layer: (_, x, weight, time, bias, k) => lorentzLinear({ weight, time, bias }, lorentzFlatten(x), k),
    published: (k, x, weight, time, bias) => {
      const layer = denseOf(transposed(rowsOf(weight, OUTPUTS)), time, bias);
      const outputs = mapsOf(x, k).map((points) => plain.dense(layer, plain.concatenated(points, k), k));
      return outputs.flatMap(([, ...space]) => space);
    },
  },
  {
    name: "classifier",
    spaces: () => [],
    inputs: [vectors(), floats([CHANNELS, OUTPUTS], 3), floats([OUTPUTS], 4)],
    layer: (_, x, normal, offset, k) => lorentzClassifier({ normal, offset }, x, k),
    published: (k, x, normal, offset) =>
      rowsOf(x, CHANNELS).flatMap((row) =>
        transposed(rowsOf(normal, OUTPUTS)).map((z, c) =>
          plain.logit(plain.pointOf(row, k), z, offset[c], k),
        ),
      ),
  },
];

export const vectorOf = (values: Values): Input => ({
  shape: [values.length],
  type: "float32",
  data: Float32Array.from(values),
});
export const scalar = (value: number): Input => ({
  shape: [],
  type: "float32",
  data: Float32Array.of(value),
});
export const numbers = ({ data }: Input): number[] => Array.from(data);
export const values = (x: np.Array): number[] => Array.from(x.dataSync() as Float32Array);
export const largest = (numbers: Values): number => Math.max(...numbers.map(Math.abs));
