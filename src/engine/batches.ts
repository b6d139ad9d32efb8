/**
 * @file Batches: which sequences a step sees, and their labels.
 *
 * A batch is a pure function of the seed and the step's number, so that a resumed run sees what an unbroken
 * one would have seen. Labels are computed by worker threads; a batch can be asked for while the one before
 * it trains.
 */

import type { Alphabet } from "../sequence/index.ts";
import { tokenBatch } from "../sequence/index.ts";
import type { Random } from "../sequence/random.ts";
import { relative } from "./augment.ts";
import type { DistanceOracle } from "./labels.ts";
import { multiplicity } from "./recipe.ts";

/** What a step is fed. */
export interface Batch {
  /** [batch, n] */
  tokens: Int32Array;
  /** Distances as shares of n; [batch, batch], [batch/2] for sampled pairs, [3, batch/3] for triples. */
  labels: Float32Array;
  /** What the tokens are of. */
  members: readonly Uint8Array[];
}

/** A batch for a regulariser that aligns the first sequences of its two halves. */
export interface AlignedBatch extends Batch {
  /** Letters of the sources, then of the targets, [2·pairs]. */
  lengths: Float32Array;
  /** Needleman-Wunsch targets [pairs, n + 1, n + 1] (SPEC B2). */
  targets: Float32Array;
}

/** Needleman-Wunsch targets of the first half of the sequences, as sources, and the second, as targets. */
export type Align = (members: readonly Uint8Array[], length: number) => Promise<Float32Array>;

/** Batches with the targets of the alignments of `pairs` pairs. */
export function alignedBatches(
  source: BatchSource,
  align: Align,
  { length, pairs }: { length: number; pairs: number },
): (step: number) => Promise<AlignedBatch> {
  return async (step) => {
    const batch = await source(step);
    const half = batch.members.length / 2;
    const members = [0, half].flatMap((start) => batch.members.slice(start, start + pairs));
    const lengths = Float32Array.from(members, (codes) => codes.length);
    return { ...batch, lengths, targets: await align(members, length) };
  };
}

/** Makes the batch of a step (from 1). */
export type BatchSource = (step: number) => Promise<Batch>;

export interface BatchOptions {
  sequences: readonly Uint8Array[];
  alphabet: Alphabet;
  /** Model length n. */
  length: number;
  oracle: DistanceOracle;
  random: Random;
  /** Sequences in a batch. */
  batch: number;
  /** Sequences of a family, where pairs are of one family: they come one family after the other. */
  family?: number;
}

/** Indices of the sequences in the `step`-th slice of an endless sequence of shuffled epochs. */
export function epochSlice(count: number, size: number, step: number, random: Random): Uint32Array {
  const out = new Uint32Array(size);
  const start = (step - 1) * size;
  let filled = 0;
  while (filled < size) {
    const epoch = Math.floor((start + filled) / count);
    const offset = (start + filled) % count;
    const take = Math.min(size - filled, count - offset);
    out.set(shuffled(count, epoch, random).subarray(offset, offset + take), filled);
    filled += take;
  }
  return out;
}

const shuffles = new WeakMap<Random, { epoch: number; order: Uint32Array }>();

/** The order of an epoch, kept until the next one is asked for. */
function shuffled(count: number, epoch: number, random: Random): Uint32Array {
  const known = shuffles.get(random);
  if (known?.epoch === epoch) return known.order;
  const order = random.fork("epoch", epoch).shuffle(Uint32Array.from({ length: count }, (_, i) => i));
  shuffles.set(random, { epoch, order });
  return order;
}

/** Tokens [count, n] of sequences. */
export function toTokens(sequences: readonly Uint8Array[], { alphabet, length }: BatchOptions): Int32Array {
  return Int32Array.from(tokenBatch(sequences, alphabet, length));
}

/**
 * The default recipe: all pairs of a batch, `augmented` of its sequences made up.
 *
 * With B = 256 a batch of 256 encodings carries 32,640 labels instead of 128. Where there are families, a batch is of
 * one of them.
 */
export function allPairsBatches(options: BatchOptions & { augmented: number }): BatchSource {
  const { sequences, alphabet, length, oracle, random, batch } = options;
  const { family = sequences.length } = options;
  const families = Math.ceil(sequences.length / family);
  const augmented = oracle.labelsNewSequences ? options.augmented : 0;
  const order = random.fork("order");
  return async (step) => {
    const [which, turn] = families === 1 ? [0, step] : [epochSlice(families, 1, step, order)[0], 1];
    const start = which * family;
    const parents = families === 1 ? sequences : sequences.slice(start, start + family);
    const real = Math.min(batch - augmented, parents.length);
    const among = families === 1 ? order : random.fork("family", step);
    const indices = epochSlice(parents.length, real, turn, among).map((i) => start + i);
    const members = Array.from(indices, (i) => sequences[i]);
    const draw = random.fork("relatives", step);
    const fresh = Array.from({ length: batch - real }, () =>
      relative(parents, draw, { letters: alphabet.size, length }),
    );
    const distances = await oracle.among(indices, fresh);
    const labels = new Float32Array(batch * batch);
    let at = 0;
    for (let i = 0; i < batch; i++) {
      for (let j = i + 1; j < batch; j++) {
        const label = distances[at++] / length;
        labels[i * batch + j] = label;
        labels[j * batch + i] = label;
      }
    }
    members.push(...fresh);
    return { tokens: toTokens(members, options), labels, members };
  };
}

/**
 * The papers' recipe: sampled pairs (SPEC A7). Each of the N sequences comes first in several pairs of an epoch: item
 * i of an epoch of 10·N has sequence ⌊i/10⌋ first (⌊i⌋ of N, where there are families) and a
 * uniform second one of the same family at a distance above 0; items come in random order.
 */
export function sampledPairBatches(options: BatchOptions): BatchSource {
  const { sequences, length, oracle, random, batch } = options;
  const half = batch / 2;
  const count = sequences.length;
  const { family = count } = options;
  const times = multiplicity(options.family);
  const partner = (i: number, draw: Random) => {
    const start = i - (i % family);
    return start + draw.integer(Math.min(family, count - start));
  };
  const order = random.fork("order");
  return async (step) => {
    const items = epochSlice(times * count, half, step, order);
    const left = items.map((item) => Math.floor(item / times));
    const draw = random.fork("partners", step);
    const right = left.map((i) => partner(i, draw));
    let distances = await oracle.pairs(left, right);
    // Resample partners at distance 0; identical sequences throughout would never end, hence the bound.
    for (let tries = 0; tries < 100; tries++) {
      const zero = [...right.keys()].filter((i) => distances[i] === 0);
      if (zero.length === 0) break;
      for (const i of zero) right[i] = partner(left[i], draw);
      distances = await oracle.pairs(left, right);
    }
    const members = [...left, ...right].map((i) => sequences[i]);
    const labels = Float32Array.from(distances, (d) => d / length);
    return { tokens: toTokens(members, options), labels, members };
  };
}
