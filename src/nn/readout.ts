/**
 * @file The readout: dense layers from an encoder's features to its embedding (SPEC A4.0).
 */

import { z } from "zod";
import { chain, type Block } from "./block.ts";
import { batchNormalization, dense, dropout, rectifier } from "./blocks.ts";
import { constant, normal, xavier, type ParameterTree } from "./parameter.ts";

/** Settings of the readout that every encoder takes. */
export const readoutSettings = {
  dropout: z.number().min(0).lt(1).default(0).describe("share of values dropped while training"),
  readout: z.int().positive().default(1).describe("dense layers that end the network"),
  weights: z
    .enum(["fan-in", "papers"])
    .default("fan-in")
    .describe("what the readout starts from: PyTorch's rule, or NeuroSEED's far smaller numbers"),
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
   * `fan-in` (default) is PyTorch's rule.
   */
  weights?: "fan-in" | "papers";
  /**
   * `linear` ends in a dense layer; `reference` in dense layer, ReLU, dropout and batch normalisation, drawn
   * from N(0, 1), with which the numbers of the Needleman-Wunsch Attention paper were produced (SPEC B3).
   */
  output?: "linear" | "reference";
}

/** Dense layer as NeuroSEED starts it: Xavier-uniform with gain 1/inputs, bias 0. */
function paperParameters(inputs: number, outputs: number): ParameterTree {
  return { weight: xavier([inputs, outputs], inputs, outputs, 1 / inputs), bias: constant([outputs], 0) };
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
    const reference = last && output === "reference";
    const active = !last || reference;
    const parameters = reference
      ? { weight: normal([widths[i], outputs]), bias: constant([outputs], 0) }
      : weights === "papers"
        ? paperParameters(widths[i], outputs)
        : undefined;
    return chain({
      dense: dense(widths[i], outputs, parameters),
      relu: active ? rectifier() : undefined,
      dropout: dropout(rate, [outputs]),
      norm: reference || (!last && batchNorm) ? batchNormalization(outputs) : undefined,
    });
  });
  return chain(Object.fromEntries(blocks.map((block, i) => [`layer${i + 1}`, block])));
}
