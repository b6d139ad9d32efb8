/**
 * @file Validation while training: %RMSE on labelled sequences that are not trained on.
 *
 * Parameters are inputs of the compiled encoder, so that nothing is compiled twice in a run.
 */

import type { numpy as np } from "@jax-js/jax";
import { tokenBatch, type Alphabet } from "../sequence/index.ts";
import { condensedIndex, type PairList } from "../sequence/condensed.ts";
import { DistanceBlocks } from "./distance-blocks.ts";
import { lower } from "./lower.ts";
import type { DistanceModel } from "./model.ts";
import { Program, Tensor, type ProgramOptions } from "./run.ts";

/** Labelled sequences that are not trained on. */
export interface ValidationSet {
  sequences: readonly Uint8Array[];
  /** Distances of all pairs, condensed, or of `pairs`. */
  distances: ArrayLike<number>;
  pairs?: PairList;
}

/** Measures %RMSE on labelled sequences, with parameters as inputs so that nothing is compiled twice. */
export class Validator {
  readonly #program: Program;
  readonly #model: DistanceModel;
  readonly #tokens: Tensor;
  readonly #set: ValidationSet;
  readonly #blocks: DistanceBlocks;
  readonly #length: number;

  private constructor(
    program: Program,
    blocks: DistanceBlocks,
    model: DistanceModel,
    tokens: Tensor,
    set: ValidationSet,
  ) {
    this.#program = program;
    this.#blocks = blocks;
    this.#model = model;
    this.#tokens = tokens;
    this.#set = set;
    this.#length = model.config.shape.length;
  }

  static async create(
    model: DistanceModel,
    set: ValidationSet,
    alphabet: Alphabet,
    options: ProgramOptions = {},
  ): Promise<Validator> {
    const { length, dim } = model.config.shape;
    const shape = [set.sequences.length, length];
    const embed = (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
      model.infer(parameters, statistics, tokens);
    const { bytes } = lower(embed, {
      parameters: { shape: [model.parameters.size], type: "float32" },
      statistics: { shape: [model.statistics.size], type: "float32" },
      tokens: { shape, type: "int32" },
    });
    const tokens = Int32Array.from(tokenBatch(set.sequences, alphabet, length));
    return new Validator(
      await Program.create(bytes, options),
      await DistanceBlocks.create(model.space, dim, options),
      model,
      new Tensor("int32", tokens, shape),
      set,
    );
  }

  /**
   * 100·√(mean over the pairs of (d̂ − D)²) with these values of the model. With `rescale`, predictions are first
   * multiplied by the factor that makes it least, Σ d̂·D / Σ d̂², which the space's learned scale takes on.
   */
  async percentRmse(
    parameters: Float32Array,
    statistics: Float32Array,
    { rescale = false }: { rescale?: boolean } = {},
  ): Promise<number> {
    const { output } = await this.#program.run({
      parameters: new Tensor("float32", parameters, [parameters.length]),
      statistics: new Tensor("float32", statistics, [statistics.length]),
      tokens: this.#tokens,
    });
    const [count, dims] = output.dims;
    this.#blocks.parameters = this.#model.spaceParameters(parameters);
    const all = await this.#blocks.condensed({ data: output.data as Float32Array, count, dims });
    const { pairs } = this.#set;
    const predicted =
      pairs === undefined
        ? all
        : Float32Array.from(pairs.left, (i, at) => all[condensedIndex(i, pairs.right[at], count)]);
    const truth = (i: number) => this.#set.distances[i] / this.#length;
    let factor = 1;
    if (rescale) {
      let [product, square] = [0, 0];
      for (let i = 0; i < predicted.length; i++) {
        product += predicted[i] * truth(i);
        square += predicted[i] ** 2;
      }
      factor = square > 0 ? product / square : 1;
      this.#model.parameters.view(parameters, "space.scale")[0] *= factor;
    }
    let sum = 0;
    for (let i = 0; i < predicted.length; i++) sum += (factor * predicted[i] - truth(i)) ** 2;
    return 100 * Math.sqrt(sum / predicted.length);
  }

  async close(): Promise<void> {
    await this.#program.close();
    await this.#blocks.close();
  }
}
