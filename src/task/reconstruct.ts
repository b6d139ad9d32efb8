/**
 * @file How well a model's decoder reads the points of sequences it has not seen.
 */

import type { DecoderModel } from "../engine/decoder-model.ts";
import { editDistance } from "../kernel/index.ts";
import { embedCodes } from "./embed.ts";

/** Sequences beside what is read of their points. */
export interface Reconstruction {
  /** Mean edit distance between the two. */
  meanEdits: number;
  /** Share of sequences that come back as they were. */
  exact: number;
}

/** Embeds sequences of codes, reads their points, and compares. */
export async function reconstruction(
  model: DecoderModel,
  sequences: readonly Uint8Array[],
): Promise<Reconstruction> {
  const read = await model.decode(await embedCodes(model.encoder, sequences));
  const edits = sequences.map((codes, i) => editDistance(codes, read[i]));
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { meanEdits: mean(edits), exact: mean(edits.map((count) => Number(count === 0))) };
}
