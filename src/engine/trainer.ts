/**
 * @file The trainer: batches in, a trained model out, resumable at every step.
 *
 * The step is compiled once (train-step.ts); labels of the next batch are computed in worker threads while
 * the current one runs. The run is bounded by a clock, by steps, or by early stopping. What is kept is the
 * validated state with the lowest error, of averaged weights where the recipe averages.
 */

import { init } from "@jax-js/jax";
import { EmbranchError } from "../error.ts";
import { Random, type Alphabet } from "../sequence/index.ts";
import { lossKind } from "../nn/losses.ts";
import type { Align, BatchSource } from "./batches.ts";
import { calibrateScale } from "./calibrate.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { Diverged, stepResult } from "./diverged.ts";
import { batchSource, latentNoiseOf, noiseOf, stepFeeds, stepOptionsOf } from "./feeds.ts";
import type { DistanceOracle } from "./labels.ts";
import { lower } from "./lower.ts";
import { DistanceModel, type ModelConfig } from "./model.ts";
import { hyperparameters } from "./optimizer.ts";
import type { Recipe } from "./recipe.ts";
import { Program, type ProgramOptions } from "./run.ts";
import { scheduleFactor } from "./schedule.ts";
import { batchSpecs, initialState, trainStep, type TrainState } from "./train-step.ts";
import { Validator, type ValidationSet } from "./validator.ts";

/** One line of a training history. */
export interface HistoryEntry {
  step: number;
  /** Seconds of training so far. */
  seconds: number;
  /** Mean training loss since the entry before, on distances as shares of n. */
  loss: number;
  learningRate: number;
  /** Validation %RMSE, where it was measured. */
  validation?: number;
}

export interface TrainOptions extends ProgramOptions {
  model: ModelConfig;
  recipe: Recipe;
  sequences: readonly Uint8Array[];
  alphabet: Alphabet;
  oracle: DistanceOracle;
  /** Where a regulariser's targets come from; needed with one. */
  align?: Align;
  validation: ValidationSet;
  /** Sequences of a family, where only pairs of one family are trained on. */
  family?: number;
  seed: number;
  /** Wall-clock bound; the schedule follows the clock. */
  minutes?: number;
  /** Exact number of steps; makes the run reproducible bit for bit. */
  steps?: number;
  /** Where checkpoints are kept; none are written without it. The last one stays when the run is done. */
  checkpoint?: string;
  /** Seconds between checkpoints (default 20). */
  checkpointSeconds?: number;
  /** Go on from the checkpoint. */
  resume?: boolean;
  /** Identifies the data and its labels; a checkpoint of others is refused. */
  digest: string;
  /** Aborting it saves a checkpoint and ends the run with `Interrupted`. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
}

/** The run was stopped by its signal; what it had learned is in the checkpoint, if it keeps one. */
export class Interrupted extends EmbranchError {
  override name = "Interrupted";
  /** What a process that Ctrl-C stopped exits with. */
  override readonly exitCode = 130;
  readonly step: number;

  constructor(step: number, checkpoint: string | undefined) {
    const rescue = checkpoint === undefined ? "" : `; its state is in ${checkpoint}`;
    super(`training: stopped at step ${step}${rescue}`);
    this.step = step;
  }
}

export interface TrainProgress {
  step: number;
  /** Share of the run that is done, as far as it can be known. */
  done: number;
  seconds: number;
  loss: number;
  /** Last and best validation %RMSE, as far as there are any. */
  validation?: number;
  best?: number;
}

/** What training returns: the kept values and how they came about. */
export interface TrainResult {
  parameters: Float32Array;
  statistics: Float32Array;
  /** Validation %RMSE of the kept values. */
  validation: number;
  /** The step they are from. */
  bestStep: number;
  steps: number;
  seconds: number;
  history: HistoryEntry[];
}

/** What a checkpoint remembers beside the vectors. */
interface RunState {
  step: number;
  seconds: number;
  seed: number;
  digest: string;
  model: ModelConfig;
  recipe: Recipe;
  /** The lowest validation so far, once there is one. */
  best?: { validation: number; step: number };
  sinceBest: number;
  /** Share of a timed run that was over, by compiling and labelling, when the first step began. */
  began: number;
  history: HistoryEntry[];
  lossSum: number;
  lossCount: number;
}

/** Share of a timed run between validations. */
const VALIDATE_SHARE = 0.04;
/** A run that has no time left for steps takes one all the same, at the end of its schedule. */
const LATEST_BEGIN = 0.999;
/** Share of a run between points of the training curve. */
const RECORD_SHARE = 0.005;

type Vectors = TrainState<Float32Array>;

/**
 * Trains a model.
 *
 * @throws Interrupted when the signal is aborted
 * @throws EmbranchError on a loss that is no number, on a foreign checkpoint, or where none can be written
 */
export async function train(options: TrainOptions): Promise<TrainResult> {
  const started = performance.now();
  const { recipe, seed, minutes, steps, checkpoint, checkpointSeconds = 20, digest, signal } = options;
  await init("wasm");
  const random = new Random(seed);
  const model = new DistanceModel(options.model);

  const resumed =
    options.resume && checkpoint !== undefined ? await readCheckpoint<RunState>(checkpoint) : undefined;
  if (resumed !== undefined) checkResumable(resumed.data, options);

  const stepOptions = stepOptionsOf(recipe);
  const { step: stepFunction, args } = trainStep(model, stepOptions);
  const specs = batchSpecs(model, stepOptions);
  const { stage, orderOnly = false } = lossKind(recipe.loss.name);
  const lowered = lower(stepFunction, args);
  const program = await Program.create(lowered.bytes, options);
  const validator = await Validator.create(model, options.validation, options.alphabet, options);
  const batchOf = await batchSource(options, model, random);

  const fresh = model.initialize(random);
  if (recipe.calibrate && resumed === undefined) {
    await calibrateScale(model, fresh, await batchOf(1), stepOptions, options);
  }
  let vectors: Vectors =
    (resumed?.vectors as Vectors | undefined) ?? initialState(fresh.parameters, fresh.statistics);
  let kept = {
    parameters: resumed?.vectors.keptParameters ?? fresh.parameters,
    statistics: resumed?.vectors.keptStatistics ?? fresh.statistics,
  };
  const state: RunState = resumed?.data ?? {
    step: 0,
    seconds: 0,
    seed,
    digest,
    model: options.model,
    recipe,
    sinceBest: 0,
    began: 0,
    history: [],
    lossSum: 0,
    lossCount: 0,
  };
  const before = state.seconds;
  const elapsed = () => before + (performance.now() - started) / 1000;
  const limit = steps ?? (minutes === undefined ? recipe.maximumSteps : Infinity);
  const done = () => Math.min(1, minutes === undefined ? state.step / limit : elapsed() / (60 * minutes));

  // The schedule is that of the steps: a warm-up that compiling used up would be none.
  const scheduled = () => (done() - state.began) / (1 - state.began);

  let saved = resumed === undefined ? undefined : checkpoint;
  let lastSave = performance.now();
  const save = async () => {
    if (checkpoint === undefined) return;
    state.seconds = elapsed();
    await writeCheckpoint<RunState>(checkpoint, {
      vectors: { ...vectors, keptParameters: kept.parameters, keptStatistics: kept.statistics },
      data: state,
    });
    saved = checkpoint;
    lastSave = performance.now();
  };

  const record = (learningRate: number, validation?: number) => {
    const loss = state.lossCount === 0 ? (state.history.at(-1)?.loss ?? 0) : state.lossSum / state.lossCount;
    state.history.push({ step: state.step, seconds: elapsed(), loss, learningRate, validation });
    state.lossSum = 0;
    state.lossCount = 0;
  };

  const validate = async (learningRate: number) => {
    const averaged = recipe.averageDecay > 0;
    const values = averaged ? vectors.average : vectors.parameters;
    const candidate = {
      parameters: orderOnly ? values.slice() : values,
      statistics: averaged ? vectors.averageStatistics : vectors.statistics,
    };
    const validation = await validator.percentRmse(candidate.parameters, candidate.statistics, {
      rescale: orderOnly,
    });
    if (!Number.isFinite(validation)) {
      throw new Diverged(`validation error must be finite, got ${validation} at step ${state.step}`, saved);
    }
    record(learningRate, validation);
    state.sinceBest++;
    if (state.best === undefined || validation < state.best.validation) {
      state.best = { validation, step: state.step };
      state.sinceBest = 0;
      kept = candidate;
    }
  };

  // Follows from the history, so that a resumed run draws the same curve as an unbroken one.
  const recorded = () => {
    const { step = 0, seconds = 0 } = state.history.at(-1) ?? {};
    return minutes === undefined ? step / limit : seconds / (60 * minutes);
  };
  let lastValidated = Math.floor(done() / VALIDATE_SHARE);
  try {
    let pending: ReturnType<BatchSource> | undefined;
    // At least one step: compiling alone can use up a short time.
    while (state.step < limit && (state.step === 0 || done() < 1)) {
      if (signal?.aborted) {
        await save();
        await pending?.catch(() => undefined);
        throw new Interrupted(state.step, saved);
      }
      const step = state.step + 1;
      const batch = await (pending ?? batchOf(step));
      pending = step < limit ? batchOf(step + 1) : undefined;
      // A label that fails is met when the batch is awaited; until then the rejection has an owner.
      pending?.catch(() => undefined);
      if (state.step === 0) state.began = Math.min(done(), LATEST_BEGIN);
      const learningRate = recipe.learningRate * scheduleFactor(scheduled(), recipe);
      const averageDecay = Math.min(recipe.averageDecay, step / (step + 10));
      const numbers = hyperparameters(step, learningRate, recipe.optimizer, averageDecay);
      const feeds = stepFeeds(vectors, specs, {
        ...batch,
        numbers,
        noise: noiseOf(step, model, recipe.batch, random),
        latent: latentNoiseOf(step, model, recipe.batch, random),
        stage: stage === undefined ? undefined : Float32Array.from(stage(scheduled())),
      });
      const outputs = await program.run(feeds);
      const returned = lowered.outputs.map((name) => outputs[name].data as Float32Array);
      const { loss, vectors: next } = stepResult(returned, model, { vectors, step, saved });
      vectors = next;
      state.step = step;
      state.lossSum += loss;
      state.lossCount++;

      const share = Math.floor(done() / VALIDATE_SHARE);
      const due = minutes === undefined ? step % recipe.validateEvery === 0 : share > lastValidated;
      if (due) {
        lastValidated = share;
        await validate(learningRate);
      } else if (done() - recorded() >= RECORD_SHARE) {
        record(learningRate);
      }
      options.onProgress?.({
        step,
        done: done(),
        seconds: elapsed(),
        loss,
        validation: state.history.findLast((entry) => entry.validation !== undefined)?.validation,
        best: state.best?.validation,
      });
      if (performance.now() - lastSave >= 1000 * checkpointSeconds) await save();
      if (steps === undefined && minutes === undefined && state.sinceBest >= recipe.patience) break;
    }
    await pending?.catch(() => undefined);
    const { step: lastStep, validation: lastValidation } = state.history.at(-1) ?? {};
    if (lastStep !== state.step || lastValidation === undefined) await validate(0);
    const { validation, step: bestStep } = state.best!;
    return {
      ...kept,
      validation,
      bestStep,
      steps: state.step,
      seconds: elapsed(),
      history: state.history,
    };
  } finally {
    await program.close();
    await validator.close();
  }
}

/**
 * Throws unless the checkpoint is of this very run; the learning rate alone may be another one, so that a run
 * that diverged can be saved.
 */
function checkResumable(saved: RunState, { model, recipe, seed, digest }: TrainOptions): void {
  const fields = (state: Pick<RunState, "model" | "recipe" | "seed" | "digest">) => ({
    "the training data": state.digest,
    seed: state.seed,
    ...state.model,
    ...state.recipe,
    recipe: state.recipe.name,
    name: undefined,
    learningRate: undefined,
  });
  const was = fields(saved) as Record<string, unknown>;
  const is = fields({ model, recipe, seed, digest }) as Record<string, unknown>;
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [before, now] = [JSON.stringify(was[name]), JSON.stringify(is[name])];
    if (before === now) continue;
    const values = name === "the training data" ? "others" : `${now} instead of ${before}`;
    throw new EmbranchError(
      `resume: ${name} must be what the checkpoint was made with, got ${values}; start again without --resume`,
    );
  }
}
