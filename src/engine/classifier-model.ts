/**
 * @file A classifier with all that is learned in two vectors: pure functions, for training and for the model file.
 */

import type { numpy as np } from "@jax-js/jax";
import { nn } from "@jax-js/jax";
import type { Context } from "../nn/block.ts";
import {
  createClassifier,
  type Classified,
  type Classifier,
  type ClassifierOptions,
  type ClassifierShape,
} from "../nn/classifier.ts";
import { radiusSquaredOf } from "../nn/hcnn.ts";
import type { ArrayTree } from "../nn/parameter.ts";
import { tokenBatch, type Alphabet } from "../sequence/index.ts";
import type { Random } from "../sequence/random.ts";
import { Layout } from "./layout.ts";
import type { Values } from "./training.ts";

/** Everything that fixes a classifier but its trained values. */
export interface ClassifierConfig {
  network: ClassifierOptions;
  shape: ClassifierShape;
}

export class ClassifierModel {
  readonly config: ClassifierConfig;
  readonly network: Classifier;
  readonly parameters: Layout;
  readonly statistics: Layout;

  /** Throws a `UsageError` on options that make no network. */
  constructor(config: ClassifierConfig) {
    this.config = config;
    this.network = createClassifier(config.network, config.shape);
    this.parameters = new Layout(this.network.parameters);
    this.statistics = new Layout(this.network.statistics);
  }

  /** Initial values of both vectors. */
  initialize(random: Random): Values {
    return {
      parameters: this.parameters.initialize(random.fork("parameters")),
      statistics: this.statistics.initialize(random.fork("statistics")),
    };
  }

  /** Tokens [batch, n] to features, logits and new statistics, inside a traced function. Consumes the arrays. */
  classify(parameters: np.Array, statistics: np.Array, tokens: np.Array, context: Context): Classified {
    const running: ArrayTree = this.statistics.unpack(statistics);
    return this.network.apply(this.parameters.unpack(parameters), running, tokens, context);
  }

  /** Probabilities [batch, classes] and features [batch, width] by the running statistics, inside a traced function. */
  infer(parameters: np.Array, statistics: np.Array, tokens: np.Array): [np.Array, np.Array] {
    const result = this.classify(parameters, statistics, tokens, { training: false });
    this.statistics.pack(result.statistics).dispose();
    return [nn.softmax(result.logits, -1), result.features];
  }

  /** Radius² of the hyperboloid that features are points of; nothing where they are plain vectors. */
  radiusSquared(parameters: Float32Array): number | undefined {
    const { curvature } = this.network;
    return curvature === undefined
      ? undefined
      : radiusSquaredOf(this.parameters.view(parameters, curvature)[0]);
  }
}

/** How far the points among trained parameters are off their hyperboloid: the greatest |⟨x, x⟩_L + 1|, in float64. */
export function offManifold({ entries }: Layout, parameters: Float32Array): number {
  let greatest = 0;
  for (const { spec, offset, size } of entries) {
    if (spec.manifold !== "hyperboloid") continue;
    const width = spec.shape[spec.shape.length - 1];
    for (let row = offset; row < offset + size; row += width) {
      const [time, ...space] = parameters.subarray(row, row + width);
      const inner = space.reduce((sum, value) => sum + value * value, -time * time);
      greatest = Math.max(greatest, Math.abs(inner + 1));
    }
  }
  return greatest;
}

/**
 * What a classifier sees of sequences of codes, [count, length]: `min(code, size)`, and `size + 1` beyond the end.
 * Longer sequences are cut.
 */
export function classifierTokens(
  sequences: readonly Uint8Array[],
  alphabet: Alphabet,
  length: number,
): Int32Array {
  const seen = sequences.map((codes) => codes.subarray(0, length));
  return Int32Array.from(tokenBatch(seen, alphabet, length, alphabet.size + 1));
}
