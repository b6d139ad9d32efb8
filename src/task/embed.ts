/**
 * @file `embed`: sequences to points, in blocks, so that memory does not grow with the file.
 */

import { FormatError } from "../error.ts";
import type { Model } from "../engine/model-file.ts";
import { encode, type SequenceRecord, type SequenceSet } from "../sequence/index.ts";

/** Some embedded sequences, in the order of the input. */
export interface EmbeddedBlock {
  ids: string[];
  /** [ids.length, dim] */
  data: Float32Array;
}

export interface EmbedOptions {
  /** Sequences a block (default 512). */
  blockSize?: number;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/**
 * Embeds a stream of records.
 *
 * @throws FormatError for letters outside the model's alphabet and sequences longer than the model
 */
export async function* embedRecords(
  model: Model,
  records: AsyncIterable<SequenceRecord> | Iterable<SequenceRecord>,
  { blockSize = 512, file, signal }: EmbedOptions = {},
): AsyncGenerator<EmbeddedBlock, void, undefined> {
  let ids: string[] = [];
  let codes: Uint8Array[] = [];
  for await (const { id, sequence, line } of records) {
    signal?.throwIfAborted();
    checkLength(sequence.length, model, { file, line, record: id });
    ids.push(id);
    codes.push(encode(sequence, model.alphabet, { file, line, record: id }).codes);
    if (ids.length < blockSize) continue;
    yield { ids, data: await model.embed(codes) };
    ids = [];
    codes = [];
  }
  if (ids.length > 0) yield { ids, data: await model.embed(codes) };
}

function checkLength(
  length: number,
  { manifest }: Model,
  where: { file?: string; line?: number; record?: string },
) {
  if (length <= manifest.length) return;
  throw new FormatError(
    `sequence: must have at most the model's ${manifest.length} letters, got ${length}; trim it, or fit a model with --length ${length}`,
    where,
  );
}

/** Points [count, dim] of a data set in memory. */
export async function embed(
  model: Model,
  { ids, codes }: SequenceSet,
  { blockSize = 512, file, signal }: EmbedOptions = {},
): Promise<Float32Array> {
  const { dim } = model.manifest;
  const out = new Float32Array(ids.length * dim);
  for (let start = 0; start < ids.length; start += blockSize) {
    signal?.throwIfAborted();
    const block = codes.slice(start, start + blockSize);
    block.forEach((sequence, i) => checkLength(sequence.length, model, { file, record: ids[start + i] }));
    out.set(await model.embed(block), start * dim);
  }
  return out;
}
