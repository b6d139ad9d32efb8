/**
 * @file The first layer of a convolutional encoder: letters to channels, convolution, normalisation, ReLU, pooling.
 */

import { type Block, chain } from "./block.ts";
import { batchNormalization, convolution, dense, letters, pooling, rectifier, swapped } from "./blocks.ts";
import { hasWindowTable, tokenLayer, type TokenLayerArrays } from "./token-window.ts";
import type { ArrayTree } from "./parameter.ts";
import type { Moments, Pooling } from "./layers.ts";

export interface LayerOptions {
  kernel: number;
  pooling: Pooling;
  /** Batch normalisation after the convolution. */
  batchNorm: boolean;
  /** ReLU after that. */
  activation: boolean;
}

/** Convolution, normalisation, ReLU, pooling: [batch, inputs, n] → [batch, outputs, n or ⌊n/2⌋]. */
export function convolutionLayer(inputs: number, outputs: number, options: LayerOptions): Block {
  return chain({
    conv: convolution(inputs, outputs, options.kernel, { bias: !options.batchNorm }),
    norm: options.batchNorm ? batchNormalization(outputs) : undefined,
    relu: options.activation ? rectifier() : undefined,
    pool: pooling(options.pooling),
  });
}

/** Tokens [batch, n] to [batch, channels, n or ⌊n/2⌋], through a window table where one pays (token-window.ts). */
export function firstLayer(size: number, channels: number, options: LayerOptions): Block {
  const plain = chain({
    letters: letters(size),
    letter: dense(size, channels),
    swap: swapped(),
    layer: convolutionLayer(channels, channels, options),
  });
  if (!hasWindowTable(size, options.kernel, options.pooling)) return plain;
  return {
    ...plain,
    apply: (parameters, statistics, tokens, { training }) => {
      const { letter, layer } = parameters as { letter: ArrayTree; layer: object };
      const arrays = { letter, ...layer } as TokenLayerArrays;
      const { layer: running } = statistics as { layer: { norm?: ArrayTree } };
      const step = tokenLayer(arrays, running.norm as Moments | undefined, tokens, {
        letters: size,
        pooling: options.pooling,
        activation: options.activation,
        training,
      });
      return { output: step.output, statistics: withNorm(statistics, step.statistics) };
    },
  };
}

/** The statistics of the first layer with new moments in place of the old. */
function withNorm(statistics: ArrayTree, norm: Moments | undefined): ArrayTree {
  if (norm === undefined) return statistics;
  const tree = statistics as Record<string, ArrayTree>;
  return { ...tree, layer: { ...(tree.layer as Record<string, ArrayTree>), norm } };
}
