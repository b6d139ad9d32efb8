/**
 * @file The encoder of CNN-ED (Dai et al., "Convolutional embedding for edit distance", SIGIR 2020; SPEC B9).
 *
 * Each letter's indicator along the sequence is a signal of one channel, and all letters go through the same
 * convolutions (width 3, no bias), each followed by average pooling of two positions as long as four are left. Theory
 * says that such pooling alone nearly preserves edit distances.
 */

import { z } from "zod";
import { chain, fixed } from "./block.ts";
import { convolution, flatten, letters as oneHotLetters, pooling, rectifier } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { readout, readoutSettings } from "./readout.ts";

export const cnnEdOptions = z.strictObject({
  layers: z.int().positive().default(8).describe("convolutions"),
  channels: z.int().positive().default(8).describe("channels"),
  activation: z.boolean().default(false).describe("ReLU in each layer"),
  ...readoutSettings,
});

const KERNEL = 3;
/** Positions below which they are not halved any more. */
const FEWEST_POSITIONS = 4;

/** CNN-ED's encoder. */
export const cnnEdEncoder: EncoderFactory<typeof cnnEdOptions> = (options, { length, letters, dim }) => {
  const { layers, channels } = options;
  let positions = length;
  const stack = Array.from({ length: layers }, (_, i) => {
    const halved = Math.floor(positions / 2) >= FEWEST_POSITIONS;
    if (halved) positions = Math.floor(positions / 2);
    return chain({
      conv: convolution(i === 0 ? 1 : channels, channels, KERNEL, { bias: false }),
      relu: options.activation ? rectifier() : undefined,
      pool: halved ? pooling("avg") : undefined,
    });
  });
  const features = letters * channels * positions;
  return chain({
    letters: oneHotLetters(letters),
    signals: fixed((x) => x.transpose([0, 2, 1]).reshape([-1, 1, length])),
    ...Object.fromEntries(stack.map((layer, i) => [`layer${i + 1}`, layer])),
    flatten: flatten(features),
    readout: readout(features, dim, {
      layers: options.readout,
      weights: options.weights,
      dropout: options.dropout,
    }),
  });
};
