/**
 * @file `evaluate`: how far embedded distances are from exact ones (SPEC A7, B7).
 */

import type { Model } from "../engine/model-file.ts";
import type { ProgramOptions } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { EditDistances, packCodes, type Costs, type Progress } from "../kernel/index.ts";
import { Random, type SequenceSet } from "../sequence/index.ts";
import { condensedLength, condensedPair } from "../sequence/condensed.ts";
import { pearson, ranks } from "./correlation.ts";
import { embeddedDistances, embeddedPairs } from "./distance.ts";

export interface EvaluateOptions extends ProgramOptions {
  /** Pairs to sample; by default all are measured. */
  pairs?: number;
  /** Pairs at most this many edits apart count as homologous (default 40, as the papers). */
  homologous?: number;
  /** Seed of the sample (default 1). */
  seed?: number;
  costs?: Costs;
  progress?: Progress;
  signal?: AbortSignal;
}

/** Errors, in percent of the model's length n but for `mapePercent`, and correlations. */
export interface Evaluation {
  /** Unordered pairs measured. */
  pairs: number;
  /** 100·√(mean of (d̂ − D)²), D = edits/n. */
  rmsePercent: number;
  /** 100·mean |d̂ − D| */
  maePercent: number;
  /** 100·mean |d̂ − D|/D of the pairs that differ, in percent of their distance; null where there are none. */
  mapePercent: number | null;
  pearson: number;
  spearman: number;
  /** Of pairs at most `k` edits apart; `rmsePercent` is null where there are none. */
  homologous: { k: number; pairs: number; rmsePercent: number | null };
}

/** True and predicted distances in edits, pair by pair. */
export interface DistancePairs {
  truth: ArrayLike<number>;
  predicted: Float32Array;
}

/** Measures a model on all pairs of a data set, or on a sample of them. */
export async function evaluate(
  model: Model,
  set: SequenceSet,
  options: EvaluateOptions = {},
): Promise<{ evaluation: Evaluation; distances: DistancePairs }> {
  const distances = await distancePairs(model, set, options);
  return { evaluation: measure(distances, model.manifest.length, options.homologous), distances };
}

async function distancePairs(
  model: Model,
  set: SequenceSet,
  { pairs, seed = 1, costs, progress, signal, threads, device }: EvaluateOptions,
): Promise<DistancePairs> {
  const count = set.ids.length;
  const packed = packCodes(set.codes);
  const kernel = await EditDistances.create({ threads });
  try {
    if (pairs === undefined || pairs >= condensedLength(count)) {
      const predicted = await embeddedDistances(model, set, undefined, { threads, device, signal });
      return { truth: await kernel.allPairs(packed, { costs, progress, signal }), predicted };
    }
    const sample = samplePairs(count, pairs, new Random(seed).fork("evaluate"));
    const truth = await kernel.pairs(packed, sample.left, sample.right, { costs, progress, signal });
    return { truth, predicted: await embeddedPairs(model, set, sample, { signal }) };
  } finally {
    await kernel.close();
  }
}

/** Different unordered pairs (left[i] < right[i]) of `count` things, drawn without replacement, in order. */
export function samplePairs(
  count: number,
  pairs: number,
  random: Random,
): { left: Uint32Array; right: Uint32Array } {
  const total = condensedLength(count);
  if (pairs > total) throw new UsageError(`pairs: must be at most the ${total} of ${count}, got ${pairs}`);
  // Drawing different ones is cheap while fewer than half are wanted; beyond, it is the others that are drawn.
  const indices =
    pairs <= total / 2
      ? differentIntegers(total, pairs, random)
      : complement(total, differentIntegers(total, total - pairs, random));
  const left = new Uint32Array(pairs);
  const right = new Uint32Array(pairs);
  indices.forEach((index, i) => {
    [left[i], right[i]] = condensedPair(index, count);
  });
  return { left, right };
}

/** `count` different integers below `limit`, ascending; memory is theirs alone, so there may be many. */
function differentIntegers(limit: number, count: number, random: Random): Float64Array {
  const out = new Float64Array(count);
  for (let found = 0; found < count;) {
    for (let i = found; i < count; i++) out[i] = Math.floor(random.uniform53() * limit);
    out.sort();
    found = 0;
    for (let i = 0; i < count; i++) if (i === 0 || out[i] !== out[i - 1]) out[found++] = out[i];
  }
  return out;
}

/** The integers below `limit` that are not among `excluded`, which ascend. */
function complement(limit: number, excluded: Float64Array): Float64Array {
  const out = new Float64Array(limit - excluded.length);
  let at = 0;
  for (let index = 0; index < limit; index++) {
    if (excluded[index - at] !== index) out[at++] = index;
  }
  return out;
}

/** What predicting their mean for all distances errs, root mean square, in percent of `length`. */
export function constantError(truth: ArrayLike<number>, length: number): number {
  let [sum, squares] = [0, 0];
  for (let i = 0; i < truth.length; i++) {
    sum += truth[i];
    squares += truth[i] ** 2;
  }
  const mean = sum / truth.length;
  return (100 / length) * Math.sqrt(Math.max(0, squares / truth.length - mean ** 2));
}

/**
 * Errors of predicted distances; `length` is the model's n. Whoever measures many predictions of one truth can
 * rank it once, and pass the ranks.
 */
export function measure(
  { truth, predicted }: DistancePairs,
  length: number,
  k = 40,
  truthRanks = ranks(truth),
): Evaluation {
  const pairs = predicted.length;
  let squares = 0;
  let absolute = 0;
  let relative = 0;
  let different = 0;
  let nearSquares = 0;
  let near = 0;
  for (let i = 0; i < pairs; i++) {
    const error = predicted[i] - truth[i];
    squares += error * error;
    absolute += Math.abs(error);
    if (truth[i] > 0) {
      relative += Math.abs(error) / truth[i];
      different++;
    }
    if (truth[i] > k) continue;
    near++;
    nearSquares += error * error;
  }
  const percent = (sum: number, count: number) => (100 / length) * Math.sqrt(sum / count);
  return {
    pairs,
    rmsePercent: percent(squares, pairs),
    maePercent: ((100 / length) * absolute) / pairs,
    mapePercent: different === 0 ? null : (100 * relative) / different,
    pearson: pearson(truth, predicted),
    spearman: pearson(truthRanks, ranks(predicted)),
    homologous: { k, pairs: near, rmsePercent: near === 0 ? null : percent(nearSquares, near) },
  };
}
