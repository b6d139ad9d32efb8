/**
 * @file Our own convolutional encoder: halve to a few dozen positions, refine them, read them all out.
 *
 * The first layer is the CNN's (a window table, token-window.ts), which halves the length for next to nothing;
 * convolutions with pooling follow until at most 48 positions are left. There, where convolutions are cheap,
 * residual blocks x ← ReLU(x + norm(conv(ReLU(norm(conv(x)))))) refine the features without shortening them
 * further. The readout sees every position: reads start at a primer, so where a letter stands matters, and
 * the papers' further pooling blurs just that.
 *
 * A block's last gain starts at a fraction of 1, so that blocks begin near the identity (Goyal et al.,
 * "Accurate, large minibatch SGD", 2017).
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
} from "./layers.ts";
import { constant, type ParameterTree } from "./parameter.ts";
import { hasWindowTable, tokenLayer } from "./token-window.ts";

export interface ResidualOptions {
  /** Channels of the first layer (default 32). */
  channels?: number;
  /** Channels of the other layers (default 32). */
  width?: number;
  /** Width of the convolutions after the first, odd (default 3). */
  kernel?: number;
  /** Residual blocks of two convolutions each (default 1). */
  blocks?: number;
}

interface Layer {
  conv: ConvArrays;
  norm: BatchNormArrays;
}

interface ResidualArrays {
  letter: LinearArrays;
  first: Layer;
  halving: Layer[];
  blocks: { inner: Layer; outer: Layer }[];
  readout: LinearArrays;
}

/** Width of the first layer: what a window table holds. */
const FIRST_KERNEL = 3;
/** Positions that are left after halving, at most. */
const POSITIONS = 48;
/** Gain that a block's last normalisation starts with. */
const LAST_GAIN = 0.3;

/** A residual convolutional encoder. */
export function residualEncoder(
  { channels = 32, width = 32, kernel = 3, blocks = 1 }: ResidualOptions,
  { length, letters, dim }: EncoderShape,
): Encoder {
  if (kernel % 2 === 0) throw new UsageError(`kernel: must be odd, got ${kernel}`);
  if (length < 2) throw new UsageError(`length: must be at least 2 for this encoder, got ${length}`);
  let positions = Math.floor(length / 2);
  const inputs = [];
  while (positions > POSITIONS) {
    inputs.push(inputs.length === 0 ? channels : width);
    positions = Math.floor(positions / 2);
  }
  const features = inputs.length === 0 ? channels : width;
  const tabulated = hasWindowTable(letters, FIRST_KERNEL, "avg");
  const layer = (from: number, to: number, taps: number): ParameterTree => ({
    conv: convParameters(from, to, taps, { bias: false }),
    norm: batchNormParameters(to),
  });
  const last = { gain: constant([features], LAST_GAIN), bias: constant([features], 0) };
  const block = () => ({
    inner: layer(features, features, kernel),
    outer: { conv: convParameters(features, features, kernel, { bias: false }), norm: last },
  });
  return {
    parameters: {
      letter: linearParameters(letters, channels),
      first: layer(channels, channels, FIRST_KERNEL),
      halving: inputs.map((from) => layer(from, width, kernel)),
      blocks: Array.from({ length: blocks }, block),
      readout: linearParameters(features * positions, dim),
    },
    statistics: [
      channels,
      ...inputs.map(() => width),
      ...Array.from({ length: 2 * blocks }, () => features),
    ].map(batchNormStatistics),
    apply: (parameters, statistics, tokens, { training, formulation }) => {
      const { letter, first, halving, blocks: stack, readout } = parameters as unknown as ResidualArrays;
      const running = statistics as unknown as Moments[];
      const [batch] = tokens.shape;
      const updated: Moments[] = [];
      const convolved = ({ conv: weights, norm }: Layer, x: np.Array): np.Array => {
        const y = conv(weights, x, { formulation });
        const step = batchNorm(norm, running[updated.length], y, { training });
        updated.push(step.statistics);
        return step.output;
      };
      let x: np.Array;
      if (tabulated) {
        const options = { letters, pooling: "avg", activation: true, training } as const;
        const step = tokenLayer({ letter, ...first }, running[0], tokens, options);
        x = step.output;
        updated.push(step.statistics!);
      } else {
        const vectors = np.matmul(oneHot(tokens, letters), letter.weight).add(letter.bias);
        x = pool(relu(convolved(first, vectors.transpose([0, 2, 1]))), "avg");
      }
      for (const weights of halving) x = pool(relu(convolved(weights, x)), "avg");
      for (const { inner, outer } of stack) {
        x = relu(x.ref.add(convolved(outer, relu(convolved(inner, x)))));
      }
      const embedding = linear(readout, x.reshape([batch, features * positions]));
      return { embedding, statistics: updated };
    },
  };
}
