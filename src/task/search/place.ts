/**
 * @file Reference records to references with points, block by block.
 */

import type { Model } from "../../engine/model-file.ts";
import { FormatError } from "../../error.ts";
import { encode, type SequenceRecord } from "../../sequence/index.ts";
import { checkLength, checkLetters } from "../embed.ts";

/** References with their points. */
export interface PlacedBlock {
  ids: string[];
  codes: Uint8Array[];
  /** [ids.length, dim] */
  points: Float32Array;
}

export interface PlaceOptions {
  /** Ids that are in the index already; new ones are added. */
  taken?: Set<string>;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/** Sequences embedded at once. */
const BLOCK = 512;

/**
 * Embeds references.
 *
 * @throws FormatError on ids that come twice, letters outside the model's alphabet, sequences longer than the model,
 *   and where there are none
 */
export async function* placeRecords(
  model: Model,
  records: AsyncIterable<SequenceRecord>,
  { taken = new Set(), file, signal }: PlaceOptions = {},
): AsyncGenerator<PlacedBlock, void, undefined> {
  let ids: string[] = [];
  let codes: Uint8Array[] = [];
  let first = true;
  const finished = async (): Promise<PlacedBlock> => {
    if (first) checkLetters(model, codes, { file });
    first = false;
    const block = { ids, codes, points: await model.embed(codes) };
    ids = [];
    codes = [];
    return block;
  };
  for await (const { id, sequence, line } of records) {
    signal?.throwIfAborted();
    const where = { file, line, record: id };
    if (/[\t\r\n]/.test(id)) {
      throw new FormatError("id: must be of one line, without tabs, to stand in a table; rename it", where);
    }
    if (taken.has(id)) {
      throw new FormatError(
        "id: must be unique in the index, got it a second time; rename or remove one",
        where,
      );
    }
    taken.add(id);
    checkLength(model, sequence.length, where);
    ids.push(id);
    codes.push(encode(sequence, model.alphabet, where).codes);
    if (ids.length === BLOCK) yield await finished();
  }
  if (ids.length > 0) yield await finished();
  if (first) throw new FormatError("file: must hold at least 1 sequence, got 0", { file });
}
