/**
 * @file References on their way into an index: their ids checked, and placed in the space.
 */

import type { Model } from "../../engine/model-file.ts";
import { FormatError } from "../../error.ts";
import type { SequenceRecord } from "../../sequence/index.ts";
import { embedRecords, type EmbeddedBlock } from "../embed.ts";

export interface PlaceOptions {
  /** Ids that are in the index already; new ones are added. */
  taken?: Set<string>;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/**
 * Embeds references, block by block.
 *
 * @throws FormatError on ids that come twice or do not fit on a line, letters outside the model's alphabet, sequences
 *   longer than the model, and where there are none
 */
export async function* placeRecords(
  model: Model,
  records: AsyncIterable<SequenceRecord>,
  { taken = new Set(), file, signal }: PlaceOptions = {},
): AsyncGenerator<EmbeddedBlock, void, undefined> {
  let count = 0;
  async function* checked(): AsyncGenerator<SequenceRecord> {
    for await (const record of records) {
      const { id, line } = record;
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
      count++;
      yield record;
    }
  }
  yield* embedRecords(model, checked(), { file, signal });
  if (count === 0) throw new FormatError("file: must hold at least 1 sequence, got 0", { file });
}
