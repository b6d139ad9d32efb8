/** @file What the tests of the readers share: bytes, chunks and real files. */

import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readSequences, type ReadSequencesOptions } from "../../src/sequence/read.ts";
import type { SequenceRecord } from "../../src/sequence/record.ts";

const DATA = process.env.EMBRANCH_DATA ?? fileURLToPath(new URL("../../../shared/data", import.meta.url));

/** Whether the real data is on this machine. */
export const hasData = existsSync(join(DATA, "16s-v4"));

export const dataPath = (name: string): string => join(DATA, name);

export const dataFile = (name: string): AsyncIterable<Uint8Array> =>
  createReadStream(dataPath(name)) as AsyncIterable<Uint8Array>;

/** `bytes` in chunks of `size`. */
export function* chunked(bytes: Uint8Array, size = bytes.length || 1): Generator<Uint8Array> {
  for (let i = 0; i < bytes.length; i += size) yield bytes.subarray(i, i + size);
}

export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);

/** All records of a text or of bytes. */
export async function readAll(
  content: string | Uint8Array,
  options: ReadSequencesOptions & { chunk?: number } = {},
): Promise<SequenceRecord[]> {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  const records: SequenceRecord[] = [];
  for await (const record of readSequences(chunked(bytes, options.chunk), options)) records.push(record);
  return records;
}
