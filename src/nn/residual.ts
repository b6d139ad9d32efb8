/**
 * @file Our own convolutional encoder: residual convolutions over a tabulated first layer.
 *
 * The first layer is the CNN's (a window table, token-window.ts), which brings the sequence to half its
 * length for next to nothing. Each stage after it adds `blocks` residual convolutions,
 * x ← x + ReLU(norm(conv(x))), and halves the length; flatten and one dense layer end it. Position matters
 * (reads start at a primer), so there is no global pooling. The skip keeps the average of the input, which is
 * most of what an edit distance depends on, in reach of the readout.
 */

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
  type LinearArrays,
  type Moments,
} from "./layers.ts";
import { numpy as np } from "@jax-js/jax";
import type { ArrayTree } from "./parameter.ts";
import { hasWindowTable, tokenLayer } from "./token-window.ts";

export interface ResidualOptions {
  /** Channels (default 48). */
  channels?: number;
  /** Width of the residual convolutions, odd (default 5). */
  kernel?: number;
  /** Residual convolutions a stage (default 1). */
  blocks?: number;
  /** Stages after the first layer, each halving the length (default 3). */
  stages?: number;
}

interface ResidualArrays {
  letter: LinearArrays;
  first: { conv: LinearArrays; norm: BatchNormArrays };
  stages: { conv: LinearArrays; norm: BatchNormArrays }[][];
  readout: LinearArrays;
}

/** Width of the first layer: what a window table holds. */
const FIRST_KERNEL = 3;

/** A residual convolutional encoder. */
export function residualEncoder(
  { channels = 48, kernel = 5, blocks = 1, stages = 3 }: ResidualOptions,
  { length, letters, dim }: EncoderShape,
): Encoder {
  if (kernel % 2 === 0) throw new UsageError(`kernel: must be odd, got ${kernel}`);
  const shortened = Math.floor(length / 2 ** (stages + 1));
  if (shortened < 1) {
    throw new UsageError(
      `stages: must leave at least one position of ${length} after pooling, got ${stages}`,
    );
  }
  const tabulated = hasWindowTable(letters, FIRST_KERNEL, "avg");
  const block = () => ({
    conv: convParameters(channels, channels, kernel),
    norm: batchNormParameters(channels),
  });
  const count = stages * blocks;
  return {
    parameters: {
      letter: linearParameters(letters, channels),
      first: { conv: convParameters(channels, channels, FIRST_KERNEL), norm: batchNormParameters(channels) },
      stages: Array.from({ length: stages }, () => Array.from({ length: blocks }, block)),
      readout: linearParameters(channels * shortened, dim),
    },
    statistics: Array.from({ length: count + 1 }, () => batchNormStatistics(channels)),
    apply: (parameters, statistics, tokens, { training, formulation }) => {
      const { letter, first, stages: stack, readout } = parameters as unknown as ResidualArrays;
      const running = statistics as unknown as Moments[];
      const [batch] = tokens.shape;
      const updated: Moments[] = [];
      const normalised = (norm: BatchNormArrays, x: np.Array): np.Array => {
        const step = batchNorm(norm, running[updated.length], x, { training });
        updated.push(step.statistics);
        return relu(step.output);
      };
      let x: np.Array;
      if (tabulated) {
        const options = { letters, pooling: "avg", activation: true, training } as const;
        const step = tokenLayer({ letter, ...first }, running[0], tokens, options);
        x = step.output;
        updated.push(step.statistics!);
      } else {
        const vectors = np.matmul(oneHot(tokens, letters), letter.weight).add(letter.bias);
        x = pool(
          normalised(first.norm, conv(first.conv, vectors.transpose([0, 2, 1]), { formulation })),
          "avg",
        );
      }
      for (const stage of stack) {
        for (const { conv: weights, norm } of stage) {
          x = x.ref.add(normalised(norm, conv(weights, x, { formulation })));
        }
        x = pool(x, "avg");
      }
      const embedding = linear(readout, x.reshape([batch, channels * shortened]));
      return { embedding, statistics: updated as unknown as ArrayTree };
    },
  };
}
