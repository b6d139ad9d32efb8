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

import { z } from "zod";
import { UsageError } from "../error.ts";
import { chain, residual, sum } from "./block.ts";
import {
  batchNormalization,
  convolution,
  dense,
  dropout,
  flatten,
  letters as oneHotLetters,
  rectifier,
} from "./blocks.ts";
import { oddKernel } from "./cnn.ts";
import type { EncoderFactory } from "./encoder.ts";
import { convolutionLayer, firstLayer } from "./first-layer.ts";
import { readoutSettings } from "./readout.ts";

export const residualOptions = z.strictObject({
  channels: z.int().positive().default(32).describe("channels of the first layer"),
  width: z.int().positive().default(32).describe("channels of the other layers"),
  kernel: oddKernel,
  blocks: z.int().nonnegative().default(1).describe("residual blocks of two convolutions"),
  skip: z.boolean().default(true).describe("add a linear map of the letters to the output"),
  dropout: readoutSettings.dropout,
});

/** Width of the first layer: what a window table holds. */
const FIRST_KERNEL = 3;
/** Positions that are left after halving, at most. */
const POSITIONS = 48;
/** Gain that a block's last normalisation starts with. */
const LAST_GAIN = 0.3;

/** A residual convolutional encoder. */
export const residualEncoder: EncoderFactory<typeof residualOptions> = (
  { channels, width, kernel, blocks, skip, dropout: rate },
  { length, letters, dim },
) => {
  if (length < 2) throw new UsageError(`length: must be at least 2 for this encoder, got ${length}`);
  const layer = { pooling: "avg", batchNorm: true, activation: true } as const;
  const halving = [];
  let positions = Math.floor(length / 2);
  let features = channels;
  while (positions > POSITIONS) {
    halving.push(convolutionLayer(features, width, { ...layer, kernel }));
    features = width;
    positions = Math.floor(positions / 2);
  }
  const block = () =>
    chain({
      sum: residual(
        chain({
          inner: convolutionLayer(features, features, { ...layer, kernel, pooling: "none" }),
          conv: convolution(features, features, kernel, { bias: false }),
          norm: batchNormalization(features, { gain: LAST_GAIN }),
        }),
      ),
      relu: rectifier(),
    });
  const convolutions = chain({
    first: firstLayer(letters, channels, { ...layer, kernel: FIRST_KERNEL }),
    ...Object.fromEntries(halving.map((each, i) => [`halving${i + 1}`, each])),
    ...Object.fromEntries(Array.from({ length: blocks }, (_, i) => [`block${i + 1}`, block()])),
    flatten: flatten(features * positions),
    dropout: dropout(rate, [features * positions]),
    readout: dense(features * positions, dim),
  });
  if (!skip) return convolutions;
  return sum({
    convolutions,
    linear: chain({
      letters: oneHotLetters(letters),
      flatten: flatten(length * letters),
      dense: dense(length * letters, dim),
    }),
  });
};
