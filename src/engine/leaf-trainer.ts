/**
 * @file Trains the leaves of a relaxed clustering on batches of labelled triples, and tells where they are.
 *
 * The step and the encoder are compiled once each (dasgupta-step.ts); only the sequences of a batch's triples are
 * encoded in a step.
 */

import type { numpy as np } from "@jax-js/jax";
import type { Random } from "../sequence/random.ts";
import {
  dasguptaStep,
  leafDirections,
  leafRadius,
  type DasguptaStepOptions,
  type LeafModel,
} from "./dasgupta-step.ts";
import { stepResult } from "./diverged.ts";
import { stepFeeds } from "./feeds.ts";
import { lower, type LoweredFunction, type Spec } from "./lower.ts";
import { hyperparameters } from "./optimizer.ts";
import { Program, Tensor, type ProgramOptions } from "./run.ts";
import { initialState, type TrainState } from "./descent-step.ts";

/** Things encoded at a time where all of them are. */
const BLOCK = 2048;

/** What the leaves are of: tokens [count, n], or numbers of rows [count]. */
export interface LeafItems {
  data: ArrayLike<number>;
  count: number;
}

/** One batch. */
export interface TripleBatch {
  /** [3·triples] Items: all first members, then all second, then all third ones. */
  members: Uint32Array;
  /** [3, triples] */
  similarities: Float32Array;
  temperature: number;
  learningRate: number;
  /** Decay of the average of the parameters; 0 keeps none. */
  averageDecay: number;
}

/** Where leaves are: unit vectors [count, rank], and their norm. */
export interface LeafPlaces {
  directions: Float32Array;
  radius: number;
}

type Vectors = TrainState<Float32Array>;

export class LeafTrainer {
  readonly #model: LeafModel;
  readonly #items: LeafItems;
  readonly #options: DasguptaStepOptions;
  readonly #lowered: LoweredFunction;
  readonly #step: Program;
  readonly #specs: Record<string, Spec>;
  readonly #places: Program;
  readonly #block: number;
  #vectors: Vectors;
  #steps = 0;

  private constructor(
    model: LeafModel,
    items: LeafItems,
    options: DasguptaStepOptions,
    lowered: LoweredFunction,
    programs: { step: Program; specs: Record<string, Spec>; places: Program; block: number },
    vectors: Vectors,
  ) {
    this.#model = model;
    this.#items = items;
    this.#options = options;
    this.#lowered = lowered;
    this.#step = programs.step;
    this.#specs = programs.specs;
    this.#places = programs.places;
    this.#block = programs.block;
    this.#vectors = vectors;
  }

  /** Compiles the step; parameters start from what `random` draws. Needs jax-js to be initialised. */
  static async create(
    model: LeafModel,
    items: LeafItems,
    options: DasguptaStepOptions & { random: Random },
    programOptions: ProgramOptions = {},
  ): Promise<LeafTrainer> {
    const { step, args, specs } = dasguptaStep(model, options);
    const lowered = lower(step, args);
    const block = Math.min(BLOCK, items.count);
    const places = lower(
      (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
        leafDirections(model, parameters, statistics, tokens),
      {
        parameters: { shape: [model.parameters.size], type: "float32" },
        statistics: { shape: [model.statistics.size], type: "float32" },
        items: { shape: [block, ...options.item], type: "int32" },
      },
    );
    const parameters = model.parameters.initialize(options.random.fork("parameters"));
    const statistics = model.statistics.initialize(options.random.fork("statistics"));
    const vectors = initialState(parameters, statistics);
    const programs = {
      step: await Program.create(lowered.bytes, programOptions),
      specs,
      places: await Program.create(places.bytes, programOptions),
      block,
    };
    return new LeafTrainer(model, items, options, lowered, programs, vectors);
  }

  /**
   * One step; returns the mean relaxed cost of the batch's triples.
   *
   * @throws Diverged on a loss or gradient that is no number
   */
  async step({
    members,
    similarities,
    temperature,
    learningRate,
    averageDecay,
  }: TripleBatch): Promise<number> {
    const step = ++this.#steps;
    const { optimizer } = this.#options;
    const batch = {
      items: this.#gather(members),
      similarities,
      temperature: Float32Array.of(temperature),
      numbers: hyperparameters(step, learningRate, optimizer, Math.min(averageDecay, step / (step + 10))),
    };
    const outputs = await this.#step.run(stepFeeds(this.#vectors, this.#specs, batch));
    const returned = this.#lowered.outputs.map((name) => outputs[name].data as Float32Array);
    const { loss, vectors } = stepResult(returned, this.#model, { vectors: this.#vectors, step });
    this.#vectors = vectors;
    return loss;
  }

  /** Places of all leaves, by the average of the parameters if `averaged`. */
  async places({ averaged }: { averaged: boolean }): Promise<LeafPlaces> {
    const { count } = this.#items;
    const parameters = averaged ? this.#vectors.average : this.#vectors.parameters;
    const statistics = averaged ? this.#vectors.averageStatistics : this.#vectors.statistics;
    const vector = (values: Float32Array) => new Tensor("float32", values, [values.length]);
    let directions = new Float32Array(0);
    for (let start = 0; start < count; start += this.#block) {
      // The last block begins where it ends with the last item.
      const from = Math.min(start, count - this.#block);
      const members = Uint32Array.from({ length: this.#block }, (_, i) => from + i);
      const { output } = await this.#places.run({
        parameters: vector(parameters),
        statistics: vector(statistics),
        items: new Tensor("int32", this.#gather(members), [this.#block, ...this.#options.item]),
      });
      const rank = output.dims[1];
      if (start === 0) directions = new Float32Array(count * rank);
      directions.set(output.data as Float32Array, from * rank);
    }
    return { directions, radius: leafRadius(this.#model, parameters) };
  }

  /** What the block takes for some items. */
  #gather(members: Uint32Array): Int32Array {
    const { data, count } = this.#items;
    const width = data.length / count;
    const out = new Int32Array(members.length * width);
    for (let i = 0, at = 0; i < members.length; i++) {
      for (let k = members[i] * width, end = k + width; k < end; k++) out[at++] = data[k];
    }
    return out;
  }

  async close(): Promise<void> {
    await this.#step.close();
    await this.#places.close();
  }
}
