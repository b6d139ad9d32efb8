/**
 * @file The convolutional encoder of NeuroSEED (SPEC A4).
 *
 * Pointwise linear (letters → channels), then layers of convolution, batch normalisation, ReLU and pooling
 * by 2, then flatten and one dense layer. The first layer goes through a window table where one pays
 * (token-window.ts).
 */

import { numpy as np } from "@jax-js/jax";
import { UsageError } from "../error.ts";
import type { Encoder, EncoderShape } from "./encoder.ts";
import {
  batchNorm,
  batchNormParameters,
  batchNormStatistics,
  conv,
  convParameters,
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
import { readoutParameters } from "./mlp.ts";
import { hasWindowTable, tokenLayer } from "./token-window.ts";

export interface CnnOptions {
  /** Convolutions (default 4). */
  layers?: number;
  /** Channels (default 32). */
  channels?: number;
  /** Width of the convolutions, odd (default 3). */
  kernel?: number;
  /** How each layer halves the length (default `avg`). */
  pooling?: Pooling;
  /** Batch normalisation after each convolution (default true). */
  batchNorm?: boolean;
  /** ReLU in each layer (default true). */
  activation?: boolean;
}

interface CnnArrays {
  letter: LinearArrays;
  layers: { conv: ConvArrays; norm?: BatchNormArrays }[];
  readout: LinearArrays;
}

/** A convolutional encoder. */
export function cnnEncoder(
  {
    layers = 4,
    channels = 32,
    kernel = 3,
    pooling = "avg",
    batchNorm: normalise = true,
    activation = true,
  }: CnnOptions,
  { length, letters, dim }: EncoderShape,
): Encoder {
  if (kernel % 2 === 0) throw new UsageError(`kernel: must be odd, got ${kernel}`);
  const shortened = pooling === "none" ? length : Math.floor(length / 2 ** layers);
  if (shortened < 1) {
    throw new UsageError(
      `layers: must leave at least one position of ${length} after pooling, got ${layers}`,
    );
  }
  const tabulated = hasWindowTable(letters, kernel, pooling);
  const each = Array.from({ length: layers }, (_, i) => i);
  return {
    parameters: {
      letter: linearParameters(letters, channels),
      layers: each.map(() => ({
        conv: convParameters(channels, channels, kernel, { bias: !normalise }),
        ...(normalise ? { norm: batchNormParameters(channels) } : {}),
      })),
      readout: readoutParameters(channels * shortened, dim),
    },
    statistics: normalise ? each.map(() => batchNormStatistics(channels)) : [],
    apply: (parameters, statistics, tokens, { training, formulation }) => {
      const { letter, layers: stack, readout } = parameters as unknown as CnnArrays;
      const running = statistics as unknown as Moments[];
      const [batch] = tokens.shape;
      const updated: Moments[] = [];
      let x: np.Array;
      let rest = stack;
      if (tabulated) {
        const options = { letters, pooling, activation, training };
        const first = tokenLayer({ letter, ...stack[0] }, running[0], tokens, options);
        x = first.output;
        if (first.statistics !== undefined) updated.push(first.statistics);
        rest = stack.slice(1);
      } else {
        x = np.matmul(oneHot(tokens, letters), letter.weight).add(letter.bias).transpose([0, 2, 1]);
      }
      for (const { conv: weights, norm } of rest) {
        x = conv(weights, x, { formulation });
        if (norm !== undefined) {
          const step = batchNorm(norm, running[updated.length], x, { training });
          x = step.output;
          updated.push(step.statistics);
        }
        if (activation) x = relu(x);
        x = pool(x, pooling);
      }
      const embedding = linear(readout, x.reshape([batch, channels * shortened]));
      return { embedding, statistics: updated };
    },
  };
}
