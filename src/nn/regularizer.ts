/**
 * @file Regularisers by name: what is added to the loss of distances while training.
 */

import { z } from "zod";
import { nwaOptions, nwaRegularizer, type NwaOptions, type NwaRegularizer } from "./nwa.ts";

/** The regularisers there are. */
export const REGULARIZERS = {
  none: { summary: "nothing", options: z.strictObject({}) },
  nwa: { summary: "attention maps that resemble Needleman-Wunsch matrices", options: nwaOptions },
};

/** A regulariser by name, with options that differ from the defaults. */
export type RegularizerOptions = { name: "none" } | ({ name: "nwa" } & z.input<typeof nwaOptions>);

/** Options without the name. */
const settings = nwaOptions.strip();

/** The regulariser for embeddings in `dim` coordinates of sequences up to `length` letters, if there is one. */
export function createRegularizer(
  options: RegularizerOptions,
  shape: { length: number; dim: number },
): NwaRegularizer | undefined {
  return options.name === "none" ? undefined : nwaRegularizer(settings.parse(options), shape);
}

/**
 * How it is trained: its weight beside the loss of distances, what it weighs, in how many pairs of a batch, and its
 * learning rate as a multiple of the encoder's.
 */
export function regularizerWeights(
  options: RegularizerOptions,
): Pick<NwaOptions, "lambda" | "divergence" | "pairs" | "rate"> {
  return settings.parse(options);
}
