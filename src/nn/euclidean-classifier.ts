/**
 * @file The convolutional network that hyperbolic ones are compared with (SPEC C2).
 *
 * Blocks of two convolutions, each with batch normalisation, and from the second block on the block's input added
 * before the last ReLU; then a dense layer of all positions, and one of the classes. Convolutions have no bias,
 * since batch normalisation takes it away: 192 parameters fewer than published.
 */

import { chain, fixed, residual, type Block } from "./block.ts";
import {
  batchNormalization,
  convolution,
  dense,
  dropout,
  flatten,
  letters as oneHot,
  rectifier,
  swapped,
} from "./blocks.ts";
import type { Classifier, ClassifierShape, NetworkOptions } from "./classifier.ts";
import { averagePool } from "./layers.ts";
import type { ArrayTree } from "./parameter.ts";

/** The network. */
export function euclideanClassifier(
  { blocks, channels, kernel, hidden, pooling, dropout: rate }: NetworkOptions,
  { length, letters, classes }: ClassifierShape,
): Classifier {
  const positions = Math.floor(length / pooling);
  const block = (i: number): Block => {
    const inner = chain({
      conv1: convolution(i === 0 ? letters + 1 : channels, channels, kernel, { bias: false }),
      norm1: batchNormalization(channels),
      relu: rectifier(),
      conv2: convolution(channels, channels, kernel, { bias: false }),
      norm2: batchNormalization(channels),
    });
    return i === 0 ? inner : residual(inner);
  };
  const stages = Array.from({ length: blocks }, (_, i): [string, Block][] => [
    [`block${i + 1}`, block(i)],
    [`relu${i + 1}`, rectifier()],
  ]);
  const body = chain({
    letters: oneHot(letters + 1),
    swap: swapped(),
    ...Object.fromEntries(stages.flat()),
    pool: pooling === 1 ? undefined : fixed((x) => averagePool(x, pooling)),
    flatten: flatten(channels * positions),
    hidden: dense(channels * positions, hidden),
    relu: rectifier(),
    dropout: dropout(rate, [hidden]),
  });
  const head = dense(hidden, classes);
  return {
    parameters: { body: body.parameters, classes: head.parameters },
    statistics: body.statistics,
    noise: body.noise,
    apply: (parameters, statistics, tokens, context) => {
      const trained = parameters as { body: ArrayTree; classes: ArrayTree };
      const { output: features, statistics: updated } = body.apply(trained.body, statistics, tokens, context);
      const { output: logits } = head.apply(trained.classes, {}, features.ref, context);
      return { features, logits, statistics: updated };
    },
  };
}
