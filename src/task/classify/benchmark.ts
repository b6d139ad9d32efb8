/**
 * @file Classifiers compared on many data sets: every model with every seed on every set, with the same budget.
 *
 * Runs are paired: with a seed, all models see the same split, the same batches in the same order, and the same
 * augmentation. A run learns from train, is chosen by dev, and is measured on test. Its result is a line of the folder
 * as soon as it is there, so that a benchmark goes on where it was stopped, and several processes can share it
 * (result-folder.ts). A folder is of one budget and recipe and of data that do not change: others are refused, since
 * their results would not be comparable. A model that diverges is a result too.
 *
 * Sets come from files (benchmark-files.ts) or are simulated; with the latter the data may differ from seed to seed.
 */

import { createHash } from "node:crypto";
import { ClassifierFile } from "../../engine/classifier-file.ts";
import {
  CLASSIFIER_RECIPE,
  classifierRecipe,
  type ClassifierRecipe,
} from "../../engine/classifier-trainer.ts";
import { Diverged } from "../../engine/diverged.ts";
import type { Device } from "../../engine/run.ts";
import { EmbranchError } from "../../error.ts";
import { thisMachine, type Machine } from "../../machine.ts";
import { CLASSIFIERS, completeClassifier, type ClassifierOptions } from "../../nn/classifier.ts";
import { fillFolder, type Filling, type Keyed, type ResultFolder } from "../../result-folder.ts";
import type { Intervals } from "./bootstrap.ts";
import { ofSplit, type LabelledSet } from "./dataset.ts";
import { evaluateClassifier } from "./evaluate.ts";
import { classifyFit, type ClassifyFitOptions } from "./fit.ts";
import type { ClassificationScores } from "./metrics.ts";

/** How long each model is trained. */
export type BenchmarkBudget = { minutes: number } | { steps: number } | { epochs: number };

/** What all runs of a folder have in common. */
export interface BenchmarkSettings {
  budget: BenchmarkBudget;
  recipe: "default" | "paper";
  /** What is set beside the recipe. */
  settings?: ClassifyFitOptions["settings"];
  /** Length that sequences are padded to, or cut (default: as `classify fit`). */
  length?: number;
}

/** What is known of a set. */
export interface SetFacts {
  /** Sequences of the parts. */
  training: number;
  dev: number;
  test: number;
  classes: number;
  /** Letters of the longest sequence. */
  longest: number;
  /** What was drawn at random, since the data have no such split. */
  drawn: "nothing" | "dev" | "all";
  /** Test sequences that stand in train letter by letter, and those of them that have another class there. */
  copies: number;
  contradicting: number;
  /** δ_rel of the edit distances of a sample, where it was measured. */
  relativeDelta?: number;
}

/** A set as a run needs it: with a split of all three parts. */
export interface BenchmarkData {
  labelled: LabelledSet;
  facts: SetFacts;
}

/** A set to be run. */
export interface BenchmarkSet {
  name: string;
  /** Training sequences and letters of the longest one, about: what a run takes. */
  training: number;
  longest: number;
  /** Identifies the data that a seed has. */
  data: (seed: number) => string;
  load: (seed: number) => Promise<BenchmarkData>;
}

/** What is to be run. */
export interface BenchmarkPlan {
  sets: readonly BenchmarkSet[];
  models: readonly ClassifierOptions[];
  seeds: readonly number[];
  settings: BenchmarkSettings;
}

/** A line of the results. */
export interface BenchmarkResult extends Keyed {
  set: string;
  /** The model in a word, with the options that are not the defaults: `hcnn:dropout=0.2`. */
  model: string;
  /** The same with all options. */
  network: ReturnType<typeof completeClassifier>;
  seed: number;
  settings: BenchmarkSettings;
  /** The recipe that they come to. */
  recipe: ClassifierRecipe;
  /** Identifies the data. */
  data: string;
  facts: SetFacts;
  /** Correlation on dev of the state that was kept. */
  dev?: number;
  /** Scores on test with their bootstrap intervals; absent where training diverged. */
  test?: ClassificationScores & {
    intervals: Intervals | null;
    /** Correlation on the test sequences that do not stand in train; null where none is left. */
    mccWithoutCopies: number | null;
  };
  /** Why there are none. */
  diverged?: string;
  parameters: number;
  steps?: number;
  /** The step of the state that was kept. */
  bestStep?: number;
  /** Seconds of training. */
  seconds?: number;
  /** How far trained points are off their hyperboloids, in shares of k. */
  offManifold?: number;
  /** Curvature K = −1/k of the hyperboloid that the classes are told on. */
  curvature?: number;
  machine: Machine;
  /** When it was done, ISO 8601. */
  finished: string;
}

/** One run to be made. */
interface Run extends Keyed {
  set: BenchmarkSet;
  network: ClassifierOptions;
  seed: number;
}

export interface BenchmarkOptions {
  threads?: number;
  device?: Device;
  signal?: AbortSignal;
  /** Told of each run's progress: its number, the share of it that is done, and what it is. */
  onProgress?: (run: number, share: number, label: string) => void;
  onResult?: (result: BenchmarkResult) => void;
}

/** A model in a word: its name, and the options that are not the defaults. */
export function modelLabel(network: ClassifierOptions): string {
  const { name, ...options } = completeClassifier(network);
  const defaults = CLASSIFIERS[name].options.parse({}) as Record<string, unknown>;
  const changed = Object.entries(options).filter(([key, value]) => value !== defaults[key]);
  return changed.length === 0 ? name : `${name}:${changed.map((each) => each.join("=")).join(",")}`;
}

/** A run in words. */
export function runLabel({ set, model, seed }: Pick<BenchmarkResult, "set" | "model" | "seed">): string {
  return `${set} ${model} seed ${seed}`;
}

/** How much work each run is beside the others, in the order in which they are made. */
export function runCosts({ sets, models, seeds, settings }: BenchmarkPlan): number[] {
  return sets.flatMap((set) =>
    seeds.flatMap(() =>
      models.map(({ name }) => {
        if ("minutes" in settings.budget) return 1;
        const length = Math.min(set.longest, settings.length ?? Infinity);
        return stepsOf(settings, set.training)! * length * (name === "cnn" ? 1 : HYPERBOLIC_COST);
      }),
    ),
  );
}

/** Time of a step of a hyperbolic network over that of the other, about. */
const HYPERBOLIC_COST = 2;

/**
 * Makes the runs that have no result yet: set by set, seed by seed, model by model, so that pairs are complete early.
 *
 * @throws EmbranchError where the folder has results of other settings or data
 */
export async function runBenchmark(
  folder: ResultFolder<BenchmarkResult>,
  plan: BenchmarkPlan,
  { onProgress, onResult, ...options }: BenchmarkOptions = {},
): Promise<Filling> {
  checkFolder(folder.file, (await folder.read()).values(), plan);
  const runs = runsOf(plan);
  const labels = runs.map(({ set, network, seed }) =>
    runLabel({ set: set.name, model: modelLabel(network), seed }),
  );
  /** The data of the run before, which are mostly those of the next. */
  let last: (BenchmarkData & { data: string }) | undefined;
  const loaded = async ({ set, seed }: Run) => {
    const data = set.data(seed);
    if (last?.data !== data) {
      last = undefined;
      last = { data, ...(await set.load(seed)) };
    }
    return last;
  };
  return fillFolder(
    folder,
    runs,
    async (run, at) => {
      const { labelled, facts, data } = await loaded(run);
      const { key, set, network, seed } = run;
      const onShare = (share: number) => onProgress?.(at, share, labels[at]);
      return {
        key,
        set: set.name,
        model: modelLabel(network),
        network: completeClassifier(network),
        seed,
        settings: plan.settings,
        recipe: wholeRecipe(plan.settings),
        data,
        facts,
        ...(await outcomeOf(labelled, run, plan.settings, { ...options, onShare })),
        machine: thisMachine(),
        finished: new Date().toISOString(),
      };
    },
    { signal: options.signal, onWork: (at) => onProgress?.(at, 0, labels[at]), onResult },
  );
}

/** Runs of the plan that have no result. */
export function missingRuns(results: ReadonlyMap<string, unknown>, plan: BenchmarkPlan): number {
  return runsOf(plan).filter(({ key }) => !results.has(key)).length;
}

/** The recipe that settings come to, apart from what follows from a set's size. */
function wholeRecipe({ recipe, settings }: BenchmarkSettings): ClassifierRecipe {
  return classifierRecipe({ recipe, settings, sequences: 1, hyperbolic: true });
}

function runsOf({ sets, models, seeds, settings }: BenchmarkPlan): Run[] {
  // A program with other defaults makes other results.
  const whole = wholeRecipe(settings);
  return sets.flatMap((set) =>
    seeds.flatMap((seed) =>
      models.map((network) => {
        const id = JSON.stringify([settings, whole, set.data(seed), completeClassifier(network), seed]);
        return { key: createHash("sha256").update(id).digest("hex").slice(0, 16), set, network, seed };
      }),
    ),
  );
}

/** Throws where a result cannot stand beside those of the plan. */
function checkFolder(
  file: string,
  results: Iterable<BenchmarkResult>,
  { sets, settings }: BenchmarkPlan,
): void {
  const byName = new Map(sets.map((set) => [set.name, set]));
  const advice = "use another folder for these results, or the settings of those";
  for (const result of results) {
    for (const field of ["budget", "recipe", "settings", "length"] as const) {
      const [was, is] = [result.settings[field], settings[field]].map((value) => JSON.stringify(value));
      if (was === is) continue;
      throw new EmbranchError(
        `${file}: ${field} must be that of its results, ${was ?? "the default"}, got ${is ?? "the default"}; ${advice}`,
      );
    }
    if (JSON.stringify(result.recipe) !== JSON.stringify(wholeRecipe(settings))) {
      throw new EmbranchError(`${file}: its results are of a program with other defaults; ${advice}`);
    }
    const set = byName.get(result.set);
    if (set === undefined || set.data(result.seed) === result.data) continue;
    throw new EmbranchError(
      `${file}: "${result.set}" must have the sequences, labels and split that its results are of, got others; ${advice}`,
    );
  }
}

/** Steps that a budget is; undefined where the clock decides. */
function stepsOf({ budget, settings }: BenchmarkSettings, training: number): number | undefined {
  if ("steps" in budget) return budget.steps;
  if ("minutes" in budget) return undefined;
  return budget.epochs * Math.ceil(training / (settings?.batch ?? CLASSIFIER_RECIPE.batch));
}

type Outcome = Pick<
  BenchmarkResult,
  "dev" | "test" | "diverged" | "parameters" | "steps" | "bestStep" | "seconds" | "offManifold" | "curvature"
>;

interface OutcomeOptions extends Pick<BenchmarkOptions, "threads" | "device" | "signal"> {
  onShare: (share: number) => void;
}

/** Trains a model and measures it. */
async function outcomeOf(
  labelled: LabelledSet,
  { network, seed }: Run,
  common: BenchmarkSettings,
  { onShare, signal, ...program }: OutcomeOptions,
): Promise<Outcome> {
  const { budget, recipe, settings, length } = common;
  let parameters = 0;
  try {
    const steps = stepsOf(common, ofSplit(labelled, "train").length);
    const { model, manifest, training, offManifold } = await classifyFit(labelled, {
      network,
      recipe,
      settings,
      length,
      ...("minutes" in budget ? budget : { steps }),
      seed,
      signal,
      ...program,
      onStart: (plan) => (parameters = plan.parameters),
      onProgress: ({ done }) => onShare(done),
    });
    const { radiusSquared } = manifest;
    const outcome: Outcome = {
      dev: training.validation,
      parameters,
      steps: training.steps,
      bestStep: training.bestStep,
      seconds: training.seconds,
      ...(radiusSquared !== undefined && {
        offManifold,
        curvature: -1 / radiusSquared,
      }),
    };
    if (![training.parameters, training.statistics].every((values) => values.every(Number.isFinite))) {
      return { ...outcome, diverged: "the trained values are not finite" };
    }
    const classifier = await ClassifierFile.decode(model, "model", program);
    try {
      const { scores, intervals, copies } = await evaluateClassifier(classifier, labelled, {
        part: "test",
        signal,
      });
      return { ...outcome, test: { ...scores, intervals, mccWithoutCopies: copies?.mccWithout ?? null } };
    } finally {
      await classifier.close();
    }
  } catch (error) {
    // Such a model is a result, not a failure of the run.
    if (!(error instanceof Diverged)) throw error;
    return { parameters, diverged: error.message };
  }
}
