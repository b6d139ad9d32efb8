/**
 * @file Encoders: sequences of tokens in, vectors out.
 *
 * An encoder is plain data beside one pure function: a tree of parameter specs, a tree of running statistics
 * and `apply`. Nothing in it mixes sequences except batch normalisation while training, so that one trace
 * serves every batch size.
 */

import type { numpy as np } from "@jax-js/jax";
import { UsageError } from "../error.ts";
import { cnnEncoder, type CnnOptions } from "./cnn.ts";
import type { ConvFormulation } from "./layers.ts";
import { mlpEncoder, type MlpOptions } from "./mlp.ts";
import type { ArrayTree, ParameterTree } from "./parameter.ts";
import { residualEncoder, type ResidualOptions } from "./residual.ts";

/** What every encoder is built for. */
export interface EncoderShape {
  /** Length n that sequences are padded to. */
  length: number;
  /** Letters in the alphabet; the token `letters` stands for padding and ambiguity. */
  letters: number;
  /** Dimension m of the embedding. */
  dim: number;
}

export interface ApplyOptions {
  training: boolean;
  formulation?: ConvFormulation;
}

export interface Encoder {
  readonly parameters: ParameterTree;
  /** Running statistics of batch normalisation; `{}` where there are none. */
  readonly statistics: ParameterTree;
  /**
   * Encodes tokens [batch, n] int32 as [batch, m]; with `training`, by the batch's own statistics, which are
   * then folded into the running ones. Consumes its arguments.
   */
  apply(
    parameters: ArrayTree,
    statistics: ArrayTree,
    tokens: np.Array,
    options: ApplyOptions,
  ): { embedding: np.Array; statistics: ArrayTree };
}

export type EncoderOptions =
  | { name: "linear" }
  | ({ name: "mlp" } & MlpOptions)
  | ({ name: "cnn" } & CnnOptions)
  | ({ name: "residual" } & ResidualOptions);

/** Names of the encoders. */
export const ENCODER_NAMES = ["linear", "mlp", "cnn", "residual"] as const;

export type EncoderName = (typeof ENCODER_NAMES)[number];

/** An encoder by name. Throws a `UsageError` on options that make no network. */
export function createEncoder(options: EncoderOptions, shape: EncoderShape): Encoder {
  switch (options.name) {
    case "linear":
      return mlpEncoder({ layers: 1 }, shape);
    case "mlp":
      return mlpEncoder(options, shape);
    case "cnn":
      return cnnEncoder(options, shape);
    case "residual":
      return residualEncoder(options, shape);
    default:
      throw new UsageError(
        `encoder: must be one of ${ENCODER_NAMES.join(", ")}, got ${(options as { name: string }).name}`,
      );
  }
}
