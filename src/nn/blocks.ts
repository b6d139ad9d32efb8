/**
 * @file The layers as blocks: dense, convolution, normalisation, dropout, pooling.
 */

import { nn, numpy as np } from "@jax-js/jax";
import { fixed, learned, type Block } from "./block.ts";
import {
  batchNorm,
  batchNormParameters,
  batchNormStatistics,
  conv,
  convParameters,
  layerNorm,
  linear,
  linearParameters,
  oneHot,
  pool,
  relu,
  type BatchNormArrays,
  type ConvArrays,
  type LinearArrays,
  type Moments,
  type Pooling,
} from "./layers.ts";
import { constant, type ParameterTree } from "./parameter.ts";

/** x·W + b over the last axis; other parameters than PyTorch's defaults can be given. */
export function dense(inputs: number, outputs: number, parameters?: ParameterTree): Block {
  return learned<LinearArrays>(parameters ?? linearParameters(inputs, outputs), linear);
}

/** Tokens [batch, n] to one-hot [batch, n, letters]. */
export function letters(size: number): Block {
  return fixed((tokens) => oneHot(tokens, size));
}

export interface ConvolutionOptions {
  /** Default true; none before batch normalisation. */
  bias?: boolean;
}

/** [batch, inputs, n] → [batch, outputs, n]. */
export function convolution(
  inputs: number,
  outputs: number,
  kernel: number,
  options: ConvolutionOptions = {},
): Block {
  return learned<ConvArrays>(convParameters(inputs, outputs, kernel, options), (arrays, x, { formulation }) =>
    conv(arrays, x, { formulation }),
  );
}

/** Batch normalisation of axis 1; `gain` is what its gain starts with. */
export function batchNormalization(
  channels: number,
  { gain = 1, epsilon }: { gain?: number; epsilon?: number } = {},
): Block {
  return {
    parameters: { ...(batchNormParameters(channels) as object), gain: constant([channels], gain) },
    statistics: batchNormStatistics(channels),
    noise: 0,
    apply: (parameters, statistics, x, { training }) =>
      batchNorm(parameters as BatchNormArrays, statistics as Moments, x, { training, epsilon }),
  };
}

/** Normalisation of the last axis, with gain and bias. */
export function layerNormalization(size: number, epsilon = 1e-5): Block {
  return learned<BatchNormArrays>(batchNormParameters(size), (arrays, x) => layerNorm(arrays, x, epsilon));
}

/** Sets a share of the values to 0 and scales the others up, while training; `shape` is that of one sequence. */
export function dropout(rate: number, shape: readonly number[]): Block | undefined {
  if (rate === 0) return undefined;
  return {
    parameters: {},
    statistics: {},
    noise: shape.reduce((size, length) => size * length, 1),
    apply: (_, statistics, x, { noise }) => {
      if (noise === undefined) return { output: x, statistics };
      const kept = np.where(noise.less(rate), 0, 1 / (1 - rate)).reshape([-1, ...shape]);
      return { output: x.mul(kept), statistics };
    },
  };
}

export const rectifier = (): Block => fixed(relu);

export const pooling = (kind: Pooling): Block | undefined =>
  kind === "none" ? undefined : fixed((x) => pool(x, kind));

/** [batch, …] → [batch, size]. */
export const flatten = (size: number): Block => fixed((x) => x.reshape([-1, size]));

/** Swaps positions and channels. */
export const swapped = (): Block => fixed((x) => x.transpose([0, 2, 1]));

export const softmax = (x: np.Array): np.Array => nn.softmax(x, -1);
