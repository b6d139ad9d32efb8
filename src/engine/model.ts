/**
 * @file A distance model: an encoder and a space, with all that is learned in two vectors.
 *
 * Pure functions only; training (train-step.ts) and inference (model-file.ts) both build on them.
 */

import type { numpy as np } from "@jax-js/jax";
import { createSpace, type GeometryName, type Space, type SpaceOptions } from "../geometry/index.ts";
import {
  createEncoder,
  type ApplyOptions,
  type Encoder,
  type EncoderOptions,
  type EncoderShape,
} from "../nn/encoder.ts";
import { constant, type ArrayTree } from "../nn/parameter.ts";
import type { Random } from "../sequence/random.ts";
import { Layout } from "./layout.ts";

/** Everything that fixes a model but its trained values. */
export interface ModelConfig {
  encoder: EncoderOptions;
  shape: EncoderShape;
  geometry: GeometryName;
  space?: SpaceOptions;
}

type SpaceArrays = Record<string, np.Array>;

export class DistanceModel {
  readonly config: ModelConfig;
  readonly encoder: Encoder;
  readonly space: Space;
  /** Encoder and space parameters, under `encoder` and `space`. */
  readonly parameters: Layout;
  /** The encoder's running statistics. */
  readonly statistics: Layout;

  constructor(config: ModelConfig) {
    this.config = config;
    this.encoder = createEncoder(config.encoder, config.shape);
    this.space = createSpace(config.geometry, config.space);
    const scalars = Object.entries(this.space.initialParameters());
    this.parameters = new Layout({
      encoder: this.encoder.parameters,
      space: Object.fromEntries(scalars.map(([name, value]) => [name, constant([], value)])),
    });
    this.statistics = new Layout(this.encoder.statistics);
  }

  /** Initial values of both vectors. */
  initialize(random: Random): { parameters: Float32Array; statistics: Float32Array } {
    return {
      parameters: this.parameters.initialize(random.fork("parameters")),
      statistics: this.statistics.initialize(random.fork("statistics")),
    };
  }

  /** Tokens [batch, n] to points of the space [batch, m], inside a traced function. */
  embed(
    parameters: np.Array,
    statistics: np.Array,
    tokens: np.Array,
    options: ApplyOptions,
  ): { points: np.Array; statistics: np.Array; space: SpaceArrays } {
    const { encoder, space } = this.parameters.unpack(parameters) as unknown as {
      encoder: ArrayTree;
      space: SpaceArrays;
    };
    const result = this.encoder.apply(encoder, this.statistics.unpack(statistics), tokens, options);
    return {
      points: this.space.project(result.embedding, space),
      statistics: this.statistics.pack(result.statistics),
      space,
    };
  }

  /** Tokens [batch, n] to points [batch, m] by the running statistics, inside a traced function. */
  infer(parameters: np.Array, statistics: np.Array, tokens: np.Array): np.Array {
    const encoded = this.embed(parameters, statistics, tokens, { training: false });
    encoded.statistics.dispose();
    return encoded.points;
  }

  /** Raw values of the space's learned scalars in a parameter vector. */
  spaceParameters(parameters: Float32Array): Record<string, number> {
    const names = Object.keys(this.space.initialParameters());
    return Object.fromEntries(
      names.map((name) => [name, this.parameters.view(parameters, `space.${name}`)[0]]),
    );
  }
}
