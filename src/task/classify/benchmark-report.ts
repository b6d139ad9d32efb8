/**
 * @file What a benchmark found: means, differences, sets won.
 *
 * A set is won by the model whose mean correlation over the seeds is higher, as the hyperbolic genome embeddings count
 * (SPEC C7); runs are compared in pairs of one seed, so that only seeds that both models have count. A run that diverged
 * has no correlation, and would raise the mean of its model by being left out: a set on which a model diverged is none
 * that it won, and counts among the sets. The interval of a difference is Student's over the seeds (summary.ts): it speaks of other seeds on the same test sequences, and those
 * of the runs, by bootstrap, of other test sequences. The best of several models is chosen by the test itself, so that
 * its wins are counted apart.
 */

import { meanInterval, summarize, type Summary } from "../summary.ts";
import type { Interval } from "./bootstrap.ts";
import type { BenchmarkResult, SetFacts } from "./benchmark.ts";
import type { SkippedSet } from "./benchmark-files.ts";
import { publishedMcc, type PublishedMcc } from "./published.ts";

/** A model on a set. */
export interface ModelScores {
  model: string;
  /** Over the seeds that did not diverge; absent where all did. */
  mcc?: Summary;
  accuracy?: Summary;
  macroF1?: Summary;
  diverged: number;
  /** Means over the seeds. */
  steps?: number;
  seconds?: number;
  parameters: number;
  runs: { seed: number; mcc: number; interval: Interval | null; dev: number; curvature?: number }[];
}

/** A model less the one that all are compared with. */
export interface Contrast {
  model: string;
  /** Whether the mean is higher than that of the reference, if it has any, and no run of the model diverged. */
  won: boolean;
  /** Correlation less that of the reference, by pairs of one seed; absent where no seed has both. */
  difference?: Summary;
  /** 95 % interval by Student's t; none of a single pair. */
  interval?: Interval;
}

export interface SetReport {
  set: string;
  facts: SetFacts;
  /** δ_rel over the data of the seeds, where it was measured. */
  relativeDelta?: Summary;
  models: ModelScores[];
  contrasts: Contrast[];
  published?: PublishedMcc;
}

/** Sets on which something is so. */
export interface Share {
  won: number;
  sets: number;
}

/** A model over all sets. */
export interface Overall {
  model: string;
  /** Sets that it won. */
  wins: Share;
  /** Sets on which it diverged with some seed. */
  diverged: number;
  /** Mean over the sets of the differences. */
  difference?: Summary;
  interval?: Interval;
}

export interface BenchmarkReport {
  /** The model that the others are compared with. */
  reference: string;
  models: string[];
  sets: SetReport[];
  overall: Overall[];
  /** Wins of whichever hyperbolic model is better on a set, where there are several. */
  anyHyperbolic?: Share;
  /** Sets on which a model's mean is above the published number and no run diverged, of those that have one. */
  above: { model: string; dnabert2: Share; dnabert2Further: Share; others: Share }[];
  /** Runs that were asked for and have no result. */
  missing: number;
  skipped: readonly SkippedSet[];
}

export interface BenchmarkReportOptions {
  /** Sets and models in the order of the table; others that have results follow. */
  sets?: readonly string[];
  models?: readonly string[];
  missing?: number;
  skipped?: readonly SkippedSet[];
}

/** Gathers all results of a folder. */
export function benchmarkReport(
  results: readonly BenchmarkResult[],
  { sets = [], models: asked = [], missing = 0, skipped = [] }: BenchmarkReportOptions = {},
): BenchmarkReport {
  const inOrder = (first: readonly string[], pick: (result: BenchmarkResult) => string) => {
    const present = new Set(results.map(pick));
    return [...new Set([...first, ...present])].filter((name) => present.has(name));
  };
  const models = inOrder(asked, ({ model }) => model);
  const networkOf = (model: string) => results.find((result) => result.model === model)?.network.name;
  const reference = models.find((model) => networkOf(model) === "cnn") ?? models[0] ?? "";
  const reports = inOrder(sets, ({ set }) => set).map((set) =>
    setReport(
      results.filter((result) => result.set === set),
      models,
      reference,
    ),
  );
  const hyperbolic = models.filter((model) => networkOf(model) !== "cnn" && model !== reference);
  return {
    reference,
    models,
    sets: reports,
    overall: models.filter((model) => model !== reference).flatMap((model) => overall(model, reports)),
    anyHyperbolic: hyperbolic.length < 2 ? undefined : winsOfAny(hyperbolic, reports),
    above: models.flatMap((model) => abovePublished(model, reports)),
    missing,
    skipped,
  };
}

function setReport(
  results: readonly BenchmarkResult[],
  models: readonly string[],
  reference: string,
): SetReport {
  const [{ set, facts }] = results;
  const scores = models.flatMap((model) => {
    const own = results.filter((result) => result.model === model);
    return own.length === 0 ? [] : [scoresOf(model, own)];
  });
  /** Correlations by seed, undefined where the run diverged. */
  const bySeed = (model: string) =>
    new Map(results.filter((result) => result.model === model).map(({ seed, test }) => [seed, test?.mcc]));
  const base = bySeed(reference);
  const contrasts = scores.flatMap(({ model, diverged }): Contrast[] => {
    if (model === reference) return [];
    const pairs = [...bySeed(model)].filter(([seed]) => base.has(seed));
    if (pairs.length === 0) return [];
    const difference = summarize(
      pairs.flatMap(([seed, mcc]) => {
        const other = base.get(seed);
        return mcc === undefined || other === undefined ? [] : [mcc - other];
      }),
    );
    const isAbove = difference === undefined || difference.mean > 0;
    const interval = difference && meanInterval(difference);
    return [{ model, won: diverged === 0 && isAbove, difference, interval }];
  });
  const deltas = new Map(results.map((result) => [result.data, result.facts.relativeDelta]));
  return {
    set,
    facts,
    relativeDelta: summarize([...deltas.values()].filter((delta) => delta !== undefined)),
    models: scores,
    contrasts,
    // Numbers of another split compare with nothing.
    published: facts.drawn === "all" ? undefined : publishedMcc(set),
  };
}

function scoresOf(model: string, results: readonly BenchmarkResult[]): ModelScores {
  const runs = results
    .toSorted((a, b) => a.seed - b.seed)
    .flatMap(({ seed, test, dev = NaN, curvature }) => {
      if (test === undefined) return [];
      return [{ seed, mcc: test.mcc, interval: test.intervals?.mcc ?? null, dev, curvature }];
    });
  const over = (pick: (result: BenchmarkResult) => number | undefined) =>
    summarize(results.map(pick).filter((value) => value !== undefined));
  return {
    model,
    mcc: over(({ test }) => test?.mcc),
    accuracy: over(({ test }) => test?.accuracy),
    macroF1: over(({ test }) => test?.macroF1),
    diverged: results.length - runs.length,
    steps: over(({ steps }) => steps)?.mean,
    seconds: over(({ seconds }) => seconds)?.mean,
    parameters: results[0].parameters,
    runs,
  };
}

function overall(model: string, sets: readonly SetReport[]): Overall[] {
  const own = sets.flatMap(({ contrasts }) => contrasts.filter((each) => each.model === model));
  if (own.length === 0) return [];
  const means = own.map(({ difference }) => difference?.mean).filter((mean) => mean !== undefined);
  const difference = summarize(means);
  const isDiverged = (scores: ModelScores) => scores.model === model && scores.diverged > 0;
  return [
    {
      model,
      wins: shareOf(own.map(({ won }) => won)),
      diverged: sets.filter(({ models }) => models.some(isDiverged)).length,
      difference,
      interval: difference && meanInterval(difference),
    },
  ];
}

const shareOf = (won: readonly boolean[]): Share => ({ won: won.filter(Boolean).length, sets: won.length });

function winsOfAny(models: readonly string[], sets: readonly SetReport[]): Share {
  const wins = sets.flatMap(({ contrasts }) => {
    const own = contrasts.filter(({ model }) => models.includes(model));
    return own.length === 0 ? [] : [own.some(({ won }) => won)];
  });
  return shareOf(wins);
}

function abovePublished(model: string, sets: readonly SetReport[]): BenchmarkReport["above"] {
  const known = sets.flatMap(({ models, published }) => {
    const scores = models.find((each) => each.model === model);
    if (scores === undefined || published === undefined) return [];
    const { mcc, diverged } = scores;
    return [{ ours: mcc === undefined || diverged > 0 ? -Infinity : 100 * mcc.mean, published }];
  });
  if (known.length === 0) return [];
  const above = (name: keyof PublishedMcc) =>
    shareOf(known.map(({ ours, published }) => ours > published[name]));
  return [
    {
      model,
      dnabert2: above("dnabert2"),
      dnabert2Further: above("dnabert2Further"),
      others: above("others"),
    },
  ];
}
