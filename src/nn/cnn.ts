/**
 * @file The convolutional encoder of NeuroSEED (SPEC A4).
 *
 * Pointwise linear (letters → channels), then layers of convolution, batch normalisation, ReLU and pooling
 * by 2, then flatten and the readout. The first layer goes through a window table where one pays
 * (token-window.ts).
 */

import { z } from "zod";
import { UsageError } from "../error.ts";
import { chain, type Block } from "./block.ts";
import { flatten } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { convolutionLayer, firstLayer } from "./first-layer.ts";
import { readout, readoutSettings } from "./readout.ts";

export const oddKernel = z
  .int()
  .positive()
  .refine((width) => width % 2 === 1, { error: ({ input }) => `must be odd, got ${String(input)}` })
  .default(3)
  .describe("width of the convolutions, odd");

export const cnnOptions = z.strictObject({
  layers: z.int().positive().default(4).describe("convolutions"),
  channels: z.int().positive().default(32).describe("channels"),
  kernel: oddKernel,
  pooling: z.enum(["avg", "max", "none"]).default("avg").describe("how each layer halves the length"),
  batchNorm: z.boolean().default(true).describe("batch normalisation after each convolution"),
  activation: z.boolean().default(true).describe("ReLU in each layer"),
  ...readoutSettings,
  output: z.enum(["linear", "reference"]).default("linear").describe("how the readout ends (SPEC B3)"),
});

/** A convolutional encoder. */
export const cnnEncoder: EncoderFactory<typeof cnnOptions> = (options, { length, letters, dim }) => {
  const { layers, channels, pooling } = options;
  const positions = pooling === "none" ? length : Math.floor(length / 2 ** layers);
  if (positions < 1) {
    throw new UsageError(
      `layers: must leave at least one position of ${length} after pooling, got ${layers}`,
    );
  }
  const others = Array.from({ length: layers - 1 }, (_, i): [string, Block] => [
    `layer${i + 2}`,
    convolutionLayer(channels, channels, options),
  ]);
  return chain({
    first: firstLayer(letters, channels, options),
    ...Object.fromEntries(others),
    flatten: flatten(channels * positions),
    readout: readout(channels * positions, dim, {
      layers: options.readout,
      weights: options.weights,
      dropout: options.dropout,
      output: options.output,
    }),
  });
};
