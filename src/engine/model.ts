/**
 * @file A distance model: an encoder and a space, with all that is learned in two vectors.
 *
 * Pure functions only; training (train-step.ts) and inference (model-file.ts) both build on them.
 */

import { numpy as np } from "@jax-js/jax";
import { createSpace, type GeometryName, type Space, type SpaceOptions } from "../geometry/index.ts";
import type { Block, Context } from "../nn/block.ts";
import { createDecoder, spread, type DecoderOptions } from "../nn/decoder.ts";
import { createEncoder, type EncoderOptions, type EncoderShape } from "../nn/encoder.ts";
import { createRegularizer, type RegularizerOptions } from "../nn/regularizer.ts";
import type { AttentionInput, NwaRegularizer } from "../nn/nwa.ts";
import { constant, type ArrayTree } from "../nn/parameter.ts";
import type { Random } from "../sequence/random.ts";
import { Layout } from "./layout.ts";

/** Everything that fixes a model but its trained values. */
export interface ModelConfig {
  encoder: EncoderOptions;
  shape: EncoderShape;
  geometry: GeometryName;
  space?: SpaceOptions;
  /** What shapes training but is no part of the encoder. */
  regularizer?: RegularizerOptions;
  /** What reads points as sequences again, and how it is trained. */
  decoder?: DecoderConfig;
}

/** A decoder and its part in training. */
export interface DecoderConfig {
  network: DecoderOptions;
  /** Weight α of the reconstruction's cross-entropy; the loss of distances has 1 − α. */
  weight: number;
  /**
   * Deviation σ of the normal noise that moves points before they are decoded, in every coordinate, as a multiple of
   * how far the points of a batch spread in one.
   */
  noise: number;
}

type SpaceArrays = Record<string, np.Array>;

/** The parameter vector, unpacked. */
interface Trained {
  encoder: ArrayTree;
  space: SpaceArrays;
  regularizer?: ArrayTree;
  decoder?: ArrayTree;
}

/** Points, and what else came of embedding them. */
export interface Embedded {
  /** [batch, m] */
  points: np.Array;
  statistics: Record<string, ArrayTree>;
  /** Learned scalars of the space. */
  space: SpaceArrays;
  regularizer?: ArrayTree;
  decoder?: ArrayTree;
}

export class DistanceModel {
  readonly config: ModelConfig;
  readonly encoder: Block;
  readonly space: Space;
  readonly regularizer?: NwaRegularizer;
  readonly decoder?: Block;
  /** Parameters, under `encoder`, `space`, `regularizer` and `decoder`. */
  readonly parameters: Layout;
  /** Running statistics, under `encoder`, `regularizer` and `decoder`. */
  readonly statistics: Layout;

  constructor(config: ModelConfig) {
    this.config = config;
    this.encoder = createEncoder(config.encoder, config.shape);
    this.space = createSpace(config.geometry, config.space);
    this.regularizer = config.regularizer && createRegularizer(config.regularizer, config.shape);
    const { shape, decoder } = config;
    this.decoder =
      decoder &&
      createDecoder(decoder.network, { ...shape, coordinates: this.space.coordinateCount(shape.dim) });
    const scalars = Object.entries(this.space.initialParameters());
    this.parameters = new Layout({
      encoder: this.encoder.parameters,
      space: Object.fromEntries(scalars.map(([name, value]) => [name, constant([], value)])),
      ...(this.regularizer && { regularizer: this.regularizer.parameters }),
      ...(this.decoder && { decoder: this.decoder.parameters }),
    });
    this.statistics = new Layout({
      encoder: this.encoder.statistics,
      ...(this.regularizer && { regularizer: this.regularizer.statistics }),
      ...(this.decoder && { decoder: this.decoder.statistics }),
    });
  }

  /** Initial values of both vectors. */
  initialize(random: Random): { parameters: Float32Array; statistics: Float32Array } {
    return {
      parameters: this.parameters.initialize(random.fork("parameters")),
      statistics: this.statistics.initialize(random.fork("statistics")),
    };
  }

  /** Tokens [batch, n] to points of the space [batch, m], inside a traced function. */
  embed(parameters: np.Array, statistics: np.Array, tokens: np.Array, context: Context): Embedded {
    const trained = this.parameters.unpack(parameters) as unknown as Trained;
    const running = this.statistics.unpack(statistics) as Record<string, ArrayTree>;
    const result = this.encoder.apply(trained.encoder, running.encoder, tokens, context);
    return {
      points: this.space.project(result.output, trained.space),
      statistics: { ...running, encoder: result.statistics },
      space: trained.space,
      regularizer: trained.regularizer,
      decoder: trained.decoder,
    };
  }

  /** Tokens [batch, n] to points [batch, m] by the running statistics, inside a traced function. */
  infer(parameters: np.Array, statistics: np.Array, tokens: np.Array): np.Array {
    const encoded = this.embed(parameters, statistics, tokens, { training: false });
    this.statistics.pack(encoded.statistics).dispose();
    return encoded.points;
  }

  /** Attention maps of sequences and others by the running statistics, inside a traced function. */
  attention(
    parameters: np.Array,
    statistics: np.Array,
    { source, target, sourceLengths, targetLengths }: AttentionInput,
  ): np.Array {
    const context = { training: false };
    const tokens = np.concatenate([source, target], 0);
    const encoded = this.embed(parameters, statistics, tokens, context);
    const [from, to] = np.split(encoded.points, 2, 0);
    const input = { source: from, target: to, sourceLengths, targetLengths };
    const { regularizer } = encoded.statistics;
    return this.regularizer!.map(encoded.regularizer!, regularizer, input, context).map;
  }

  /**
   * Scores [batch, n, letters + 1] of a batch's sequences by its points, inside a traced function. `latent` are
   * standard normal numbers [batch, coordinates] that move the points; without them they are read where they are.
   * Borrows what was embedded, and puts the decoder's new statistics there.
   */
  reconstruct(encoded: Embedded, latent: np.Array | undefined, context: Context): np.Array {
    const { points, space, statistics } = encoded;
    let coordinates = this.space.coordinates(points.ref, space);
    if (latent !== undefined) {
      const noise = latent.mul(spread(coordinates).mul(this.config.decoder!.noise));
      coordinates = this.space.coordinates(this.space.disturb(points.ref, noise, space), space);
    }
    const result = this.decoder!.apply(encoded.decoder!, statistics.decoder, coordinates, context);
    statistics.decoder = result.statistics;
    return result.output;
  }

  /** Raw values of the space's learned scalars in a parameter vector. */
  spaceParameters(parameters: Float32Array): Record<string, number> {
    const names = Object.keys(this.space.initialParameters());
    return Object.fromEntries(
      names.map((name) => [name, this.parameters.view(parameters, `space.${name}`)[0]]),
    );
  }
}
