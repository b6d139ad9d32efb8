/**
 * @file Batches of triples, for losses that compare the distances from an anchor to two others.
 */

import { condensedIndex } from "../sequence/condensed.ts";
import { epochSlice, toTokens, type BatchOptions, type BatchSource } from "./batches.ts";

/** Others that a triple may be made of: all sequences, or each one's near ones in rows of equal length. */
export interface TripleOptions extends BatchOptions {
  neighbours?: Uint32Array;
}

/** Draws before two others that are equally far are taken as they are. */
const MOST_DRAWS = 100;

/**
 * Triples of an anchor, a nearer and a farther sequence (SPEC A10, B9): others are drawn at random, from among
 * the anchor's neighbours where these are given, again where one equals the anchor or both are equally far.
 * A batch holds all anchors, then all nearer, then all farther ones.
 */
export function tripleBatches({ neighbours, ...options }: TripleOptions): BatchSource {
  const { sequences, length, oracle, random, batch } = options;
  const count = sequences.length;
  const triples = batch / 3;
  const width = neighbours === undefined ? count : neighbours.length / count;
  const order = random.fork("order");
  return async (step) => {
    const anchors = epochSlice(count, triples, step, order);
    const draw = random.fork("others", step);
    const other = (anchor: number) =>
      neighbours === undefined ? draw.integer(count) : neighbours[anchor * width + draw.integer(width)];
    const [first, second] = [anchors.map(other), anchors.map(other)];
    let near = await oracle.pairs(anchors, first);
    let far = await oracle.pairs(anchors, second);
    for (let draws = 0; draws < MOST_DRAWS; draws++) {
      const poor = [...anchors.keys()].filter((i) => near[i] === 0 || far[i] === 0 || near[i] === far[i]);
      if (poor.length === 0) break;
      for (const i of poor) [first[i], second[i]] = [other(anchors[i]), other(anchors[i])];
      [near, far] = [await oracle.pairs(anchors, first), await oracle.pairs(anchors, second)];
    }
    const labels = new Float32Array(batch);
    for (let i = 0; i < triples; i++) {
      if (near[i] > far[i]) [first[i], second[i]] = [second[i], first[i]];
      labels[i] = Math.min(near[i], far[i]) / length;
      labels[triples + i] = Math.max(near[i], far[i]) / length;
    }
    const between = await oracle.pairs(first, second);
    labels.set(
      Float32Array.from(between, (d) => d / length),
      2 * triples,
    );
    const members = [...anchors, ...first, ...second].map((i) => sequences[i]);
    return { tokens: toTokens(members, options), labels, members };
  };
}

/** Positions of the `count` smallest values, the smallest first, and of equal ones the first first. */
function smallest(values: Float64Array, count: number): Uint32Array {
  const largest = values.toSorted()[count - 1];
  const candidates: number[] = [];
  for (let i = 0; i < values.length; i++) if (values[i] <= largest) candidates.push(i);
  return Uint32Array.from(candidates)
    .sort((a, b) => values[a] - values[b] || a - b)
    .subarray(0, count);
}

/** Sequences among which neighbours are looked for at a time: half a million pairs a thousand of them. */
const NEIGHBOUR_BLOCK = 8192;

/**
 * The `width` nearest others of each sequence, in rows; those of a large set are looked for within random
 * blocks of it.
 */
export async function nearestNeighbours(
  { sequences, oracle, random }: BatchOptions,
  width: number,
): Promise<Uint32Array> {
  const count = sequences.length;
  const shuffledOrder = random.fork("neighbours").shuffle(Uint32Array.from({ length: count }, (_, i) => i));
  const blocks = Math.ceil(count / NEIGHBOUR_BLOCK);
  const out = new Uint32Array(count * width);
  for (let b = 0; b < blocks; b++) {
    const members = shuffledOrder.subarray(
      Math.floor((b * count) / blocks),
      Math.floor(((b + 1) * count) / blocks),
    );
    const size = members.length;
    const distances = await oracle.among(members, []);
    for (let i = 0; i < size; i++) {
      const row = Float64Array.from({ length: size }, (_, j) =>
        i === j ? Infinity : distances[condensedIndex(i, j, size)],
      );
      const nearest = smallest(row, Math.min(width, size - 1));
      for (let k = 0; k < width; k++) out[members[i] * width + k] = members[nearest[k % nearest.length]];
    }
  }
  return out;
}
