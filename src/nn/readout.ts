/**
 * @file The readout: dense layers from an encoder's features to its embedding (SPEC A4.0).
 */

import { z } from "zod";
import { chain, type Block } from "./block.ts";
import { batchNormalization, dense, dropout, rectifier } from "./blocks.ts";
import { constant, normal, xavier, type ParameterTree } from "./parameter.ts";

/** Settings of the readout, of every encoder that ends in one. */
export const readoutSettings = {
  dropout: z.number().min(0).lt(1).default(0).describe("share of values dropped while training"),
  readout: z.int().positive().default(1).describe("dense layers that end the network"),
  weights: z
    .enum(["fan-in", "papers", "xavier"])
    .default("fan-in")
    .describe(
      "what the readout starts from: PyTorch's rule, NeuroSEED's far smaller numbers, or Xavier's rule",
    ),
};

export interface ReadoutOptions {
  /** Dense layers (default 1). */
  layers?: number;
  /** Width of the hidden ones (default: that of the output). */
  hidden?: number;
  /** Batch normalisation after each hidden layer (default false). */
  batchNorm?: boolean;
  dropout?: number;
  /**
   * `papers` starts from Xavier's rule with gain 1/inputs (SPEC A4.0): so near 0 that in a space where size
   * matters a learned scale has to make up for it, and a step of Adam moves points by many times their size.
   * `fan-in` (default) is PyTorch's rule, `xavier` Xavier's with gain 1.
   */
  weights?: "fan-in" | "papers" | "xavier";
  /**
   * `linear` ends in a dense layer. `reference`, with which the numbers of the Needleman-Wunsch Attention paper
   * were produced (SPEC B3), follows every layer by ReLU, dropout and batch normalisation, and starts from N(0, 1)
   * unless `weights` is `xavier`.
   */
  output?: "linear" | "reference";
}

/** What a dense layer of it starts from; nothing for the rule that dense layers have anyway. */
function starting(
  inputs: number,
  outputs: number,
  { weights, output }: ReadoutOptions,
): ParameterTree | undefined {
  const bias = constant([outputs], 0);
  if (weights === "xavier") return { weight: xavier([inputs, outputs], inputs, outputs, 1), bias };
  if (output === "reference") return { weight: normal([inputs, outputs]), bias };
  if (weights === "papers") return { weight: xavier([inputs, outputs], inputs, outputs, 1 / inputs), bias };
  return undefined;
}

/** [batch, inputs] → [batch, dim]: each hidden layer is dense, ReLU, dropout, batch normalisation, in that order. */
export function readout(
  inputs: number,
  dim: number,
  {
    layers = 1,
    hidden = dim,
    batchNorm = false,
    dropout: rate = 0,
    weights = "fan-in",
    output = "linear",
  }: ReadoutOptions = {},
): Block {
  const widths = [inputs, ...Array.from({ length: layers - 1 }, () => hidden), dim];
  const blocks = widths.slice(1).map((outputs, i) => {
    const last = i === layers - 1;
    const reference = output === "reference";
    return chain({
      dense: dense(widths[i], outputs, starting(widths[i], outputs, { weights, output })),
      relu: !last || reference ? rectifier() : undefined,
      dropout: dropout(rate, [outputs]),
      norm: reference || (!last && batchNorm) ? batchNormalization(outputs) : undefined,
    });
  });
  return chain(Object.fromEntries(blocks.map((block, i) => [`layer${i + 1}`, block])));
}
