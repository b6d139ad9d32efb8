/**
 * @file The training loop: a learner in, its best values out, resumable at every step.
 *
 * What is learned is the learner's (trainer.ts for distances, classifier-trainer.ts for classes): its step is compiled
 * once, and its next batch is made while the current one runs. The run is bounded by a clock, by steps, or by early
 * stopping. What is kept is the validated state that did best, of averaged weights where the recipe averages.
 */

import { EmbranchError } from "../error.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint.ts";
import { Diverged, stepResult } from "./diverged.ts";
import { stepFeeds } from "./feeds.ts";
import type { Layout } from "./layout.ts";
import { lower, type Spec, type SpecTree } from "./lower.ts";
import { hyperparameters } from "./optimizer.ts";
import type { TrainingRecipe } from "./recipe.ts";
import { Program, type ProgramOptions } from "./run.ts";
import { scheduleFactor } from "./schedule.ts";
import { initialState, type TrainState } from "./descent-step.ts";

/** Trained values: parameters and running statistics. */
export interface Values {
  parameters: Float32Array;
  statistics: Float32Array;
}

/** What is trained, on what, and what it is judged by. */
export interface Learner {
  /** Everything that fixes the model but its values: a resumed run must have the same. */
  config: object;
  parameters: Layout;
  statistics: Layout;
  /** The step, the shapes of its arguments, and among them of what it is fed beside its state. */
  step: Parameters<typeof lower>[0];
  args: Record<string, SpecTree>;
  specs: Record<string, Spec>;
  /** Values to start from. */
  initialize: () => Values | Promise<Values>;
  /** What step `step` (from 1) is fed; asked for while the one before it runs. */
  batch: (step: number) => Promise<object>;
  /** What a step is fed that depends on the share of the schedule that is done. */
  scheduled?: (done: number) => object;
  /** What values are judged by; it may return others in their place. */
  validate: (values: Values) => Promise<{ validation: number; values: Values }>;
  /** Whether the first of two validations is the better one. */
  isBetter: (candidate: number, best: number) => boolean;
}

/** One line of a training history. */
export interface HistoryEntry {
  step: number;
  /** Seconds of training so far. */
  seconds: number;
  /** Mean training loss since the entry before. */
  loss: number;
  learningRate: number;
  /** What it is judged by, where it was measured. */
  validation?: number;
}

/** What bounds a run, and where it is kept. */
export interface RunOptions extends ProgramOptions {
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
  /** Last and best validation, as far as there are any. */
  validation?: number;
  best?: number;
}

/** What training returns: the kept values and how they came about. */
export interface TrainResult extends Values {
  /** Validation of the kept values. */
  validation: number;
  /** The step they are from. */
  bestStep: number;
  steps: number;
  seconds: number;
  history: HistoryEntry[];
}

/** What tells a run from others. */
interface Identity {
  seed: number;
  digest: string;
  model: object;
  recipe: TrainingRecipe;
}

/** What a checkpoint remembers beside the vectors. */
interface RunState extends Identity {
  step: number;
  seconds: number;
  /** The best validation so far, once there is one. */
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
 * Trains what a learner has to learn.
 *
 * @throws Interrupted when the signal is aborted
 * @throws EmbranchError on a loss that is no number, on a foreign checkpoint, or where none can be written
 */
export async function runTraining(
  learner: Learner,
  recipe: TrainingRecipe,
  options: RunOptions,
  started = performance.now(),
): Promise<TrainResult> {
  const { seed, minutes, steps, checkpoint, checkpointSeconds = 20, digest, signal } = options;
  const resumed =
    options.resume && checkpoint !== undefined ? await readCheckpoint<RunState>(checkpoint) : undefined;
  const identity = { digest, seed, model: learner.config, recipe };
  if (resumed !== undefined) checkResumable(resumed.data, identity);
  if (steps !== undefined && resumed !== undefined && resumed.data.step > steps) {
    throw new EmbranchError(
      `resume: steps must be at least the ${resumed.data.step} that are done, got ${steps}; start again without --resume`,
    );
  }

  const fresh = resumed === undefined ? await learner.initialize() : undefined;
  const lowered = lower(learner.step, learner.args);
  const program = await Program.create(lowered.bytes, options);
  let vectors: Vectors =
    fresh === undefined ? (resumed!.vectors as Vectors) : initialState(fresh.parameters, fresh.statistics);
  let kept: Values = fresh ?? {
    parameters: resumed!.vectors.keptParameters,
    statistics: resumed!.vectors.keptStatistics,
  };
  const state: RunState = resumed?.data ?? {
    ...identity,
    step: 0,
    seconds: 0,
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
    const { validation, values } = await learner.validate({
      parameters: averaged ? vectors.average : vectors.parameters,
      statistics: averaged ? vectors.averageStatistics : vectors.statistics,
    });
    if (!Number.isFinite(validation)) {
      throw new Diverged(`validation must be finite, got ${validation} at step ${state.step}`, saved);
    }
    record(learningRate, validation);
    state.sinceBest++;
    if (state.best === undefined || learner.isBetter(validation, state.best.validation)) {
      state.best = { validation, step: state.step };
      state.sinceBest = 0;
      kept = values;
    }
  };

  // Follows from the history, so that a resumed run draws the same curve as an unbroken one.
  const recorded = () => {
    const { step = 0, seconds = 0 } = state.history.at(-1) ?? {};
    return minutes === undefined ? step / limit : seconds / (60 * minutes);
  };
  let lastValidated = Math.floor(done() / VALIDATE_SHARE);
  try {
    let pending: Promise<object> | undefined;
    // At least one step: compiling alone can use up a short time.
    while (state.step < limit && (state.step === 0 || done() < 1)) {
      if (signal?.aborted) {
        await save();
        await pending?.catch(() => undefined);
        throw new Interrupted(state.step, saved);
      }
      const step = state.step + 1;
      const batch = await (pending ?? learner.batch(step));
      pending = step < limit ? learner.batch(step + 1) : undefined;
      // A label that fails is met when the batch is awaited; until then the rejection has an owner.
      pending?.catch(() => undefined);
      if (state.step === 0) state.began = Math.min(done(), LATEST_BEGIN);
      const learningRate = recipe.learningRate * scheduleFactor(scheduled(), recipe);
      const averageDecay = Math.min(recipe.averageDecay, step / (step + 10));
      const numbers = hyperparameters(step, learningRate, recipe.optimizer, averageDecay);
      const late = learner.scheduled?.(scheduled());
      const feeds = stepFeeds(vectors, learner.specs, { ...batch, ...late, numbers });
      const outputs = await program.run(feeds);
      const returned = lowered.outputs.map((name) => outputs[name].data as Float32Array);
      const { loss, vectors: next } = stepResult(returned, learner, { vectors, step, saved });
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
  }
}

/**
 * Throws unless the checkpoint is of this very run; the learning rate alone may be another one, so that a run
 * that diverged can be saved.
 */
function checkResumable(saved: RunState, current: Identity): void {
  const fields = (state: Identity) => ({
    "the training data": state.digest,
    seed: state.seed,
    ...state.model,
    ...state.recipe,
    recipe: state.recipe.name,
    name: undefined,
    learningRate: undefined,
  });
  const was = fields(saved) as Record<string, unknown>;
  const is = fields(current) as Record<string, unknown>;
  for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
    const [before, now] = [JSON.stringify(was[name]), JSON.stringify(is[name])];
    if (before === now) continue;
    const values = name === "the training data" ? "others" : `${now} instead of ${before}`;
    throw new EmbranchError(
      `resume: ${name} must be what the checkpoint was made with, got ${values}; start again without --resume`,
    );
  }
}
