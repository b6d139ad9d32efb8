/**
 * @file Training steps of a classifier on made-up sequences, as the paper takes them (SPEC C3), for benchmarks.
 *
 * The recipe is the paper's but for the rate, which is one for all.
 */

import { init } from "@jax-js/jax";
import { ClassifierModel } from "../engine/classifier-model.ts";
import { classifierStep } from "../engine/classifier-step.ts";
import { classifierRecipe, type ClassifierRecipe } from "../engine/classifier-trainer.ts";
import { stepResult } from "../engine/diverged.ts";
import { stepFeeds } from "../engine/feeds.ts";
import { lower, type Spec } from "../engine/lower.ts";
import { hyperparameters } from "../engine/optimizer.ts";
import { Program } from "../engine/run.ts";
import { initialState, type TrainState } from "../engine/descent-step.ts";
import type { ClassifierName } from "../nn/classifier.ts";
import { Random } from "../sequence/index.ts";

const LETTERS = 4;
const CLASSES = 2;
const RATE = 1e-4;

export interface ClassifierStepsOptions {
  network: ClassifierName;
  /** Letters of a sequence. */
  length: number;
  /** Sequences in a batch. */
  batch: number;
  threads?: number;
}

/** What steps took and found. */
export interface StepsTaken {
  /** Seconds of each. */
  seconds: number[];
  /** The loss before each. */
  losses: number[];
}

/** A network that takes steps, all of them of one batch. */
export class ClassifierSteps {
  readonly model: ClassifierModel;
  /** What is trained, and its moments. */
  state: TrainState<Float32Array>;
  /** [batch, length] */
  readonly tokens: Int32Array;
  /** [batch] */
  readonly labels: Int32Array;
  readonly #program: Program;
  readonly #outputs: readonly string[];
  readonly #specs: Record<string, Spec>;
  readonly #recipe: ClassifierRecipe;
  #step = 0;

  private constructor(
    model: ClassifierModel,
    {
      program,
      outputs,
      specs,
      recipe,
    }: {
      program: Program;
      outputs: readonly string[];
      specs: Record<string, Spec>;
      recipe: ClassifierRecipe;
    },
  ) {
    const random = new Random(1);
    const [batch, length] = specs.tokens.shape;
    const { parameters, statistics } = model.initialize(random);
    this.model = model;
    this.state = initialState(parameters, statistics);
    this.tokens = Int32Array.from({ length: batch * length }, () => random.integer(LETTERS));
    this.labels = Int32Array.from({ length: batch }, () => random.integer(CLASSES));
    this.#program = program;
    this.#outputs = outputs;
    this.#specs = specs;
    this.#recipe = recipe;
  }

  static async create({ network, length, batch, threads }: ClassifierStepsOptions): Promise<ClassifierSteps> {
    await init("wasm");
    const model = new ClassifierModel({
      network: { name: network },
      shape: { length, letters: LETTERS, classes: CLASSES },
    });
    const recipe = classifierRecipe({
      recipe: "paper",
      settings: { learningRate: RATE },
      sequences: batch,
      hyperbolic: model.network.curvature !== undefined,
    });
    const { optimizer, decays, labelSmoothing } = recipe;
    const options = { batch, optimizer, decays, labelSmoothing };
    const { step, args, specs } = classifierStep(model, options);
    const { bytes, outputs } = lower(step, args);
    const program = await Program.create(bytes, { threads });
    return new ClassifierSteps(model, { program, outputs, specs, recipe });
  }

  /** Numbers that are learned, curvatures not counted. */
  get learned(): number {
    return this.model.parameters.entries
      .filter(({ path }) => !path.startsWith("curvature"))
      .reduce((total, { size }) => total + size, 0);
  }

  /** Takes steps. Throws `Diverged` where numbers run away. */
  async run(steps: number): Promise<StepsTaken> {
    const { length: batch } = this.labels;
    const { learningRate, optimizer } = this.#recipe;
    const weights = new Float32Array(batch).fill(1 / batch);
    const fed = { tokens: this.tokens, labels: this.labels, weights };
    const taken: StepsTaken = { seconds: [], losses: [] };
    for (let i = 0; i < steps; i++) {
      const start = performance.now();
      const numbers = hyperparameters(++this.#step, learningRate, optimizer, 0);
      const results = await this.#program.run(stepFeeds(this.state, this.#specs, { ...fed, numbers }));
      const returned = this.#outputs.map((name) => results[name].data as Float32Array);
      const { loss, vectors } = stepResult(returned, this.model, { vectors: this.state, step: this.#step });
      this.state = vectors;
      taken.seconds.push((performance.now() - start) / 1000);
      taken.losses.push(loss);
    }
    return taken;
  }

  async close(): Promise<void> {
    await this.#program.close();
  }
}
