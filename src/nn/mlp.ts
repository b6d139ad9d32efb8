/**
 * @file The linear and multi-layer encoders of NeuroSEED (SPEC A4): dense layers over flattened one-hot letters.
 */

import { z } from "zod";
import { chain } from "./block.ts";
import { flatten, letters as oneHotLetters } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { readout, readoutSettings } from "./readout.ts";

const { dropout, weights } = readoutSettings;

export const linearOptions = z.strictObject({ dropout, weights });

export const mlpOptions = z.strictObject({
  layers: z.int().positive().default(2).describe("dense layers, the last included"),
  hidden: z.int().positive().default(128).describe("width of the hidden layers"),
  batchNorm: z.boolean().default(true).describe("batch normalisation after each hidden layer"),
  dropout,
  weights,
});

/** A multi-layer encoder. */
export const mlpEncoder: EncoderFactory<typeof mlpOptions> = (options, { length, letters, dim }) =>
  chain({
    letters: oneHotLetters(letters),
    flatten: flatten(length * letters),
    readout: readout(length * letters, dim, options),
  });

/** A linear encoder. */
export const linearEncoder: EncoderFactory<typeof linearOptions> = (options, shape) =>
  mlpEncoder(mlpOptions.parse({ layers: 1, ...options }), shape);
