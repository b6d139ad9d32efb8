/**
 * @file The linear and multi-layer encoders of NeuroSEED (SPEC A4).
 *
 * Flattened one-hot letters [batch, n·a], then dense layers, each followed by ReLU and batch normalisation in
 * that order, but the last. With one layer it is the linear encoder.
 */

import type { Encoder, EncoderShape } from "./encoder.ts";
import {
  batchNorm,
  batchNormParameters,
  batchNormStatistics,
  linear,
  oneHot,
  relu,
  type BatchNormArrays,
  type LinearArrays,
  type Moments,
} from "./layers.ts";
import { constant, xavier, type ParameterTree } from "./parameter.ts";

export interface MlpOptions {
  /** Dense layers, the last included (default 2). */
  layers?: number;
  /** Width of the hidden layers (default 128). */
  hidden?: number;
  /** Batch normalisation after each hidden layer (default true). */
  batchNorm?: boolean;
}

/** Dense layer as the papers start it: Xavier-uniform with gain 1/inputs, bias 0 (SPEC A4.0). */
export function readoutParameters(inputs: number, outputs: number): ParameterTree {
  return { weight: xavier([inputs, outputs], inputs, outputs, 1 / inputs), bias: constant([outputs], 0) };
}

interface MlpArrays {
  dense: LinearArrays[];
  norm: BatchNormArrays[];
}

/** A linear or multi-layer encoder. */
export function mlpEncoder(
  { layers = 2, hidden = 128, batchNorm: normalise = true }: MlpOptions,
  { length, letters, dim }: EncoderShape,
): Encoder {
  const widths = [length * letters, ...Array.from({ length: layers - 1 }, () => hidden), dim];
  const normalised = normalise ? widths.slice(1, -1) : [];
  return {
    parameters: {
      dense: widths.slice(1).map((outputs, i) => readoutParameters(widths[i], outputs)),
      norm: normalised.map(batchNormParameters),
    },
    statistics: { norm: normalised.map(batchNormStatistics) },
    apply: (parameters, statistics, tokens, { training }) => {
      const { dense, norm } = parameters as unknown as MlpArrays;
      const running = (statistics as unknown as { norm: Moments[] }).norm;
      let x = oneHot(tokens, letters).reshape([tokens.shape[0], length * letters]);
      const updated = dense.map((layer, i) => {
        x = linear(layer, x);
        if (i === dense.length - 1) return undefined;
        x = relu(x);
        if (!normalise) return undefined;
        const step = batchNorm(norm[i], running[i], x, { training });
        x = step.output;
        return step.statistics;
      });
      const kept = updated.filter((moments) => moments !== undefined);
      return { embedding: x, statistics: { norm: kept } };
    },
  };
}
