/**
 * @file `distance`: matrices of exact or embedded distances.
 */

import type { Model } from "../engine/model-file.ts";
import type { ProgramOptions } from "../engine/run.ts";
import { EditDistances, packCodes, type Costs, type Distances, type Progress } from "../kernel/index.ts";
import { Random, subset, type SequenceSet } from "../sequence/index.ts";
import { condensedLength, type PairList } from "../sequence/condensed.ts";
import { embed } from "./embed.ts";

export interface ExactOptions {
  threads?: number;
  /** Distances above it are reported as one more, and cost less time. */
  threshold?: number;
  costs?: Costs;
  progress?: Progress;
  signal?: AbortSignal;
}

/** Exact edit distances of all pairs, condensed, or of all pairs between two sets, row-major. */
export async function exactDistances(
  a: SequenceSet,
  b?: SequenceSet,
  { threads, ...options }: ExactOptions = {},
): Promise<Distances> {
  const kernel = await EditDistances.create({ threads });
  try {
    const packed = packCodes(a.codes);
    return b === undefined
      ? await kernel.allPairs(packed, options)
      : await kernel.cross(packed, packCodes(b.codes), options);
  } finally {
    await kernel.close();
  }
}

export interface EmbeddedOptions extends ProgramOptions {
  /** Rows done so far, and all. */
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Distances between embedded sequences in edits (n times the space's), condensed, or row-major between two
 * sets.
 */
export async function embeddedDistances(
  model: Model,
  a: SequenceSet,
  b?: SequenceSet,
  { progress, signal, ...options }: EmbeddedOptions = {},
): Promise<Float32Array> {
  const { dim, length, space } = model.manifest;
  const points = async (set: SequenceSet) => ({
    data: await embed(model, set, { signal }),
    count: set.ids.length,
    dims: dim,
  });
  const x = await points(a);
  // The executor takes longer to load than many exact distances to compute.
  const { DistanceBlocks } = await import("../engine/distance-blocks.ts");
  const blocks = await DistanceBlocks.create(model.space, dim, options);
  blocks.parameters = space.parameters;
  try {
    const distances =
      b === undefined
        ? await blocks.condensed(x, { progress, signal })
        : await blocks.cross(x, await points(b), { progress, signal });
    for (let i = 0; i < distances.length; i++) distances[i] *= length;
    return distances;
  } finally {
    await blocks.close();
  }
}

/** Distances of some pairs of embedded sequences, in edits. */
export async function embeddedPairs(
  model: Model,
  set: SequenceSet,
  { left, right }: PairList,
  { signal }: Pick<EmbeddedOptions, "signal"> = {},
): Promise<Float32Array> {
  const { dim, length, space } = model.manifest;
  const points = await embed(model, set, { signal });
  const point = (i: number) => points.subarray(i * dim, (i + 1) * dim);
  return Float32Array.from(
    left,
    (i, at) => length * model.space.exactDistance(point(i), point(right[at]), space.parameters),
  );
}

export interface PairSampleOptions {
  /** Pairs at most (default 20 million: a histogram of more looks the same). */
  pairs?: number;
  /** Seed of the draw (default 1). */
  seed?: number;
}

/**
 * Sequences whose distances stand for those of all: the sets as they are where they make few enough pairs, else as
 * many sequences of each, drawn at random, as make `pairs` pairs.
 */
export function samplePairedSets(
  a: SequenceSet,
  b?: SequenceSet,
  { pairs = 2e7, seed = 1 }: PairSampleOptions = {},
): [a: SequenceSet, b?: SequenceSet] {
  const random = new Random(seed).fork("paired sets");
  const draw = (set: SequenceSet, most: number) => {
    const count = set.ids.length;
    return count <= most ? set : subset(set, random.sample(count, Math.max(1, Math.floor(most))).sort());
  };
  if (b === undefined) {
    return condensedLength(a.ids.length) <= pairs ? [a] : [draw(a, (1 + Math.sqrt(1 + 8 * pairs)) / 2)];
  }
  const share = Math.min(1, Math.sqrt(pairs / (a.ids.length * b.ids.length)));
  const rows = draw(a, share * a.ids.length);
  return [rows, draw(b, pairs / rows.ids.length)];
}
