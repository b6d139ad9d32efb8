/**
 * @file `baseline`: how well distances without alignment and without training do (SPEC A9).
 *
 * Each is multiplied by the one factor that fits it to the training sequences' exact distances best, and is then
 * measured on the test sequences as a model is: on the same pairs, and in percent of the same length. Exact
 * distances are computed once for all of them.
 */

import { ffpDistances } from "../baseline/ffp.ts";
import { KMER_DISTANCES, kmerDistances, type KmerDistance } from "../baseline/kmer.ts";
import { countKmers } from "../baseline/profile.ts";
import { fitScale } from "../baseline/scale.ts";
import { UsageError } from "../error.ts";
import { EditDistances, packCodes, type Costs, type Progress } from "../kernel/index.ts";
import { Random, type SequenceSet } from "../sequence/index.ts";
import { condensedLength, type PairList } from "../sequence/condensed.ts";
import { ranks } from "./correlation.ts";
import { measure, samplePairs, type Evaluation } from "./evaluate.ts";

export interface BaselineOptions {
  /** Lengths of k-mers whose counts are compared (default 2 to 6, or none where `ffp` is given). */
  kmer?: readonly number[];
  /** Distances between the counts (default all five). */
  distances?: readonly KmerDistance[];
  /** Lengths of k-mers whose frequencies are compared (default 8 to 10, or none where `kmer` is given). */
  ffp?: readonly number[];
  /** Training pairs, at most, that factors are fitted to (default a million). */
  fitPairs?: number;
  /** Test pairs to sample; by default all are measured. */
  pairs?: number;
  /** Pairs at most this many edits apart count as homologous (default 40, as the papers). */
  homologous?: number;
  /** Seed of both samples (default 1). */
  seed?: number;
  threads?: number;
  costs?: Costs;
  /** Pairs compared so far, exactly or by k-mers, and all. */
  progress?: Progress;
  signal?: AbortSignal;
}

/** One way to compare sequences, and how well it does. */
export interface BaselineResult {
  method: "k-mer" | "FFP";
  k: number;
  distance: KmerDistance | "jensen-shannon";
  /** What its distances are multiplied by to give edits. */
  scale: number;
  evaluation: Evaluation;
}

export interface BaselineReport {
  /** What errors are percent of: the length of the longest sequence of both sets. */
  length: number;
  /** Training pairs that the factors were fitted to. */
  fitPairs: number;
  /** Least error first. */
  results: BaselineResult[];
}

/**
 * Fits k-mer and FFP distances to `train`, and measures them on `test`.
 *
 * @throws UsageError where the alphabets differ, or a set has no pair
 */
export async function baseline(
  train: SequenceSet,
  test: SequenceSet,
  { kmer, distances = KMER_DISTANCES, ffp, fitPairs = 1e6, ...options }: BaselineOptions = {},
): Promise<BaselineReport> {
  const { pairs, homologous, seed = 1, threads, costs, progress, signal } = options;
  if (train.alphabet.name !== test.alphabet.name) {
    throw new UsageError(`test: must be ${train.alphabet.name} as train, got ${test.alphabet.name}`);
  }
  for (const [name, { ids }] of Object.entries({ train, test })) {
    if (ids.length < 2) throw new UsageError(`${name}: must hold at least 2 sequences, got ${ids.length}`);
  }
  const random = new Random(seed);
  const samples = [
    sample(train, fitPairs, random.fork("baseline")),
    sample(test, pairs, random.fork("evaluate")),
  ];
  const methods = [
    ...(kmer ?? (ffp ? [] : [2, 3, 4, 5, 6])).map((k) => ({ method: "k-mer", k }) as const),
    ...(ffp ?? (kmer ? [] : [8, 9, 10])).map((k) => ({ method: "FFP", k }) as const),
  ];
  // Lengths that cannot be are refused before the long work, not after it.
  for (const { k } of methods) countKmers([], { k, alphabet: train.alphabet });

  const total = (1 + methods.length) * (samples[0].count + samples[1].count);
  let begun = 0;
  const next = (count: number): Progress => {
    const before = begun;
    begun += count;
    return (done) => progress?.(before + done, total);
  };

  const truths: ArrayLike<number>[] = [];
  const kernel = await EditDistances.create({ threads });
  try {
    for (const { set, list, count } of samples) {
      const packed = packCodes(set.codes);
      const request = { costs, progress: next(count), signal };
      truths.push(
        list
          ? await kernel.pairs(packed, list.left, list.right, request)
          : await kernel.allPairs(packed, request),
      );
    }
  } finally {
    await kernel.close();
  }

  const length = Math.max(train.maxLength, test.maxLength);
  const truthRanks = ranks(truths[1]);
  const results: BaselineResult[] = [];
  for (const { method, k } of methods) {
    // The work on one k keeps the thread to itself: between two of them is where a signal is heard.
    await new Promise((resolve) => setTimeout(resolve));
    signal?.throwIfAborted();
    const [fitted, measured] = samples.map(({ set, list, count }) => {
      const profiles = countKmers(set.codes, { k, alphabet: set.alphabet });
      const request = { pairs: list, progress: next(count) };
      return method === "FFP"
        ? [ffpDistances(profiles, request)]
        : kmerDistances(profiles, distances, request);
    });
    measured.forEach((predicted, i) => {
      const scale = fitScale(truths[0], fitted[i]);
      for (let at = 0; at < predicted.length; at++) predicted[at] *= scale;
      const distance = method === "FFP" ? "jensen-shannon" : distances[i];
      const evaluation = measure({ truth: truths[1], predicted }, length, homologous, truthRanks);
      results.push({ method, k, distance, scale, evaluation });
    });
  }
  results.sort((a, b) => a.evaluation.rmsePercent - b.evaluation.rmsePercent);
  return { length, fitPairs: samples[0].count, results };
}

/** Pairs of a set that are looked at: `list` is absent where they are all of them. */
interface Sample {
  set: SequenceSet;
  list?: PairList;
  count: number;
}

/** All pairs of a set, or `limit` of them where there are more. */
function sample(set: SequenceSet, limit: number | undefined, random: Random): Sample {
  const all = condensedLength(set.ids.length);
  if (limit === undefined || limit >= all) return { set, count: all };
  return { set, list: samplePairs(set.ids.length, limit, random), count: limit };
}
