/**
 * @file Steiner strings: the string in the middle of many, by way of the point in the middle (SPEC A14).
 *
 * The string with the least sum of edit distances to a group's is hard to find among strings. In the space the same
 * question is a geometric median, which takes time linear in their number, and a decoder reads the answer. Nothing is
 * aligned, and nothing compared: it takes one pass of the encoder, a few dozen sums over the points, and one
 * pass of the decoder. What is read is a few letters off, since the decoder has seen few points that are in the middle of
 * others; local-median.ts mends that. Corso, Ying, Pándy, Veličković, Leskovec and Liò, "Neural distance embeddings for
 * biological sequences", NeurIPS 2021.
 */

import type { DecoderModel } from "../../engine/decoder-model.ts";
import { EmbranchError } from "../../error.ts";
import { geometricMedian, meanDistance } from "../../geometry/index.ts";
import { embedCodes } from "../embed.ts";

export interface SteinerOptions {
  signal?: AbortSignal;
  /** Told after each block of groups. */
  progress?: (done: number, total: number) => void;
}

/** The middle of a group. */
export interface SteinerString {
  /** Codes; empty for an empty group. */
  codes: Uint8Array;
  /** Mean distance to the group's sequences that the space expects, in edits; 0 for an empty group. */
  expectedError: number;
}

/** Sequences that are embedded together, at least, where there are as many. */
const TOGETHER = 1024;

/**
 * A Steiner string of each group, with the error that the space expects of it.
 *
 * @throws EmbranchError for a sequence longer than the model
 */
export async function steinerConsensus(
  model: DecoderModel,
  groups: readonly (readonly Uint8Array[])[],
  { signal, progress }: SteinerOptions = {},
): Promise<SteinerString[]> {
  const { manifest } = model.encoder;
  const results: SteinerString[] = [];
  for (let start = 0; start < groups.length;) {
    let [end, count] = [start, 0];
    while (end < groups.length && count < TOGETHER) count += groups[end++].length;
    const block = groups.slice(start, end);
    const sequences = block.flat();
    const longest = sequences.reduce((most, { length }) => Math.max(most, length), 0);
    if (longest > manifest.length) {
      throw new EmbranchError(
        `sequence: must have at most the model's ${manifest.length} letters, got ${longest}; fit a model with --length ${longest}`,
      );
    }
    const points = await embedCodes(model.encoder, sequences, { signal });
    results.push(...(await middles(model, block, points)));
    start = end;
    progress?.(end, groups.length);
  }
  return results;
}

/** The middles of groups whose points [sequences, dim] stand one after the other. */
async function middles(
  model: DecoderModel,
  groups: readonly (readonly Uint8Array[])[],
  points: Float32Array,
): Promise<SteinerString[]> {
  const { dim, length, space } = model.encoder.manifest;
  const { parameters } = space;
  const geometry = model.encoder.space;
  const filled = groups.filter((group) => group.length > 0);
  const medians = new Float32Array(filled.length * dim);
  const expected = new Float64Array(filled.length);
  let at = 0;
  filled.forEach((group, i) => {
    const own = points.subarray(at * dim, (at + group.length) * dim);
    at += group.length;
    const median = geometricMedian(own, dim, geometry, parameters);
    medians.set(median, i * dim);
    expected[i] = length * meanDistance(median, own, geometry, parameters);
  });
  const strings = await model.decode(medians);
  let next = 0;
  return groups.map((group) => {
    if (group.length === 0) return { codes: new Uint8Array(0), expectedError: 0 };
    const i = next++;
    return { codes: strings[i], expectedError: expected[i] };
  });
}

/** A Steiner string of each group, in codes; see `steinerConsensus`. */
export async function steinerStrings(
  model: DecoderModel,
  groups: readonly (readonly Uint8Array[])[],
  options: SteinerOptions = {},
): Promise<Uint8Array[]> {
  return (await steinerConsensus(model, groups, options)).map(({ codes }) => codes);
}
