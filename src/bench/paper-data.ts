/**
 * @file Data for the papers' tables: sequences to train on, to validate on and to test on, and which pairs of them
 * errors are measured on.
 *
 * NeuroSEED's synthetic set is made of families of 50 random sequences, and distances count within a family only
 * (SPEC A3, A7): across families all are equally unrelated.
 */

import { ffpDistances } from "../baseline/ffp.ts";
import { kmerDistances, type KmerDistance } from "../baseline/kmer.ts";
import { countKmers } from "../baseline/profile.ts";
import { fitScale } from "../baseline/scale.ts";
import type { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { EditDistances, packCodes, type Progress } from "../kernel/index.ts";
import { pairsWithin, type PairList } from "../sequence/condensed.ts";
import { DNA, Random, syntheticBatch, type SequenceSet } from "../sequence/index.ts";
import { baseline, type BaselineResult } from "../task/baseline.ts";
import { embeddedPairs } from "../task/distance.ts";
import { evaluate, measure, type Evaluation } from "../task/evaluate.ts";
import { digestOf } from "../task/fit.ts";

/** What a table is made with. */
export interface PaperData {
  /** Where it is from, for people. */
  source: string;
  train: SequenceSet;
  /** Default: some of the training sequences, as `fit` chooses them. */
  validation?: SequenceSet;
  test: SequenceSet;
  /** Length n that errors are percent of: that of the longest sequence. */
  length: number;
  /** Sequences of a family, where distances count within families only; files hold one family after the other. */
  family?: number;
  /** SHA-256 of the sequences. */
  digest: string;
}

/** How errors are measured. */
export interface MeasureOptions {
  threads?: number;
  device?: Device;
  signal?: AbortSignal;
  /** Work done so far, and all. */
  progress?: Progress;
}

/** Data from sets that are there. */
export function paperData(
  source: string,
  { train, validation, test }: { train: SequenceSet; validation?: SequenceSet; test: SequenceSet },
): PaperData {
  const sets = validation === undefined ? [train, test] : [train, validation, test];
  return {
    source,
    train,
    validation,
    test,
    length: Math.max(...sets.map(({ maxLength }) => maxLength)),
    digest: digestOf(sets),
  };
}

export interface SyntheticDataOptions {
  /** Share of NeuroSEED's 1,400, 200 and 400 families (default 0.02). */
  share?: number;
  /** Letters a sequence (default 1,024). */
  length?: number;
  /** Sequences a family (default 50). */
  family?: number;
  /** Default 1. */
  seed?: number;
}

/** Families of NeuroSEED's synthetic data set. */
const FAMILIES = { train: 1400, validation: 200, test: 400 };

/**
 * NeuroSEED's synthetic data set, or a share of it; each family grows from a random sequence of its own, and a child
 * differs from its parent by about 8 % of the length, whatever that is.
 */
export function syntheticData({
  share = 0.02,
  length = 1024,
  family = 50,
  seed = 1,
}: SyntheticDataOptions = {}): PaperData {
  const random = new Random(seed);
  const make = (name: keyof typeof FAMILIES): SequenceSet => {
    const families = Math.max(1, Math.round(share * FAMILIES[name]));
    const codes = Array.from({ length: families }, (_, i) =>
      syntheticBatch({ length, size: family, random: random.fork(name, i) }),
    ).flat();
    return {
      ids: codes.map((_, i) => `${name}${i + 1}`),
      codes,
      alphabet: DNA,
      ambiguous: { records: 0, letters: 0 },
      maxLength: length,
    };
  };
  const sets = { train: make("train"), validation: make("validation"), test: make("test") };
  return {
    ...paperData(`random families of ${family}, ${share} of as many as NeuroSEED made`, sets),
    family,
  };
}

/** Errors of a model on the test sequences. */
export async function measureModel(
  { test, family }: PaperData,
  model: Model,
  options: MeasureOptions = {},
): Promise<Evaluation> {
  if (family === undefined) return (await evaluate(model, test, options)).evaluation;
  const { pairs, truth } = await familyPairs(test, family, options);
  const predicted = await embeddedPairs(model, test, pairs, options);
  return measure({ truth, predicted }, model.manifest.length);
}

export interface BaselineChoice {
  kmer: readonly number[];
  distances: readonly KmerDistance[];
  ffp: readonly number[];
}

/** Errors of k-mer and FFP distances on the test sequences, each times the factor that fits the training ones. */
export async function measureBaselines(
  { train, test, length, family }: PaperData,
  choice: BaselineChoice,
  options: MeasureOptions = {},
): Promise<BaselineResult[]> {
  const { kmer, distances, ffp } = choice;
  if (family === undefined) {
    const report = await baseline(train, test, { ...choice, ...options });
    return report.results.map((result) => ({
      ...result,
      evaluation: inPercentOf(length, report.length, result.evaluation),
    }));
  }
  const known = await familyPairs(train, family, options);
  const asked = await familyPairs(test, family, options);
  const compare = (set: SequenceSet, k: number, pairs: PairList, isFfp: boolean) => {
    const profiles = countKmers(set.codes, { k, alphabet: set.alphabet });
    return isFfp ? [ffpDistances(profiles, { pairs })] : kmerDistances(profiles, distances, { pairs });
  };
  const results: BaselineResult[] = [];
  for (const [k, method] of [
    ...kmer.map((k) => [k, "k-mer"] as const),
    ...ffp.map((k) => [k, "FFP"] as const),
  ]) {
    options.signal?.throwIfAborted();
    const fitted = compare(train, k, known.pairs, method === "FFP");
    compare(test, k, asked.pairs, method === "FFP").forEach((predicted, i) => {
      const scale = fitScale(known.truth, fitted[i]);
      for (let at = 0; at < predicted.length; at++) predicted[at] *= scale;
      results.push({
        method,
        k,
        distance: method === "FFP" ? "jensen-shannon" : distances[i],
        scale,
        evaluation: measure({ truth: asked.truth, predicted }, length),
      });
    });
  }
  return results;
}

/** The same errors in percent of another length. */
function inPercentOf(length: number, before: number, evaluation: Evaluation): Evaluation {
  const factor = before / length;
  const { rmsePercent, maePercent, homologous } = evaluation;
  const near = homologous.rmsePercent;
  return {
    ...evaluation,
    rmsePercent: factor * rmsePercent,
    maePercent: factor * maePercent,
    homologous: { ...homologous, rmsePercent: near === null ? null : factor * near },
  };
}

/** The pairs within families, and their edit distances. */
async function familyPairs(
  { codes }: SequenceSet,
  family: number,
  { threads, signal }: MeasureOptions,
): Promise<{ pairs: PairList; truth: ArrayLike<number> }> {
  const pairs = pairsWithin(codes.length, family);
  const kernel = await EditDistances.create({ threads });
  try {
    return { pairs, truth: await kernel.pairs(packCodes(codes), pairs.left, pairs.right, { signal }) };
  } finally {
    await kernel.close();
  }
}
