/**
 * @file Bytes to lines, in constant memory.
 *
 * A chunk of the file is decoded and split in two native calls, so the cost per line is that of one small
 * string. Lines that span chunks are joined once, when they end, so that a chromosome on one line costs linear
 * time. UTF-8 with or without byte-order mark; `\n` and `\r\n` line ends; the last line needs none.
 */

import { FormatError, type Location } from "../error.ts";
import { MAX_RECORD_LENGTH } from "./record.ts";

/** Bytes of a file, in pieces of any size. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>;

/** How much is decoded at once; larger chunks are cut, so that a whole file given as one chunk streams too. */
const PIECE = 1 << 18;

/** Yields the lines of `source`, without line ends, in batches; joined, the batches are all lines in order. */
export async function* lineBatches(source: ByteSource, location: Location = {}): AsyncGenerator<string[]> {
  const decoder = new TextDecoder();
  let unfinished: string[] = [];
  let unfinishedLength = 0;

  const split = (text: string): string[] => {
    const lines = text.split("\n");
    const rest = lines.pop() ?? "";
    if (lines.length > 0 && unfinished.length > 0) {
      unfinished.push(lines[0]);
      lines[0] = unfinished.join("");
      unfinished = [];
      unfinishedLength = 0;
    }
    if (rest !== "") {
      unfinished.push(rest);
      unfinishedLength += rest.length;
      if (unfinishedLength > MAX_RECORD_LENGTH - PIECE) {
        throw new FormatError(
          `line: must have fewer than ${MAX_RECORD_LENGTH} characters: break long sequences into lines`,
          location,
        );
      }
    }
    return lines;
  };

  for await (const chunk of source) {
    for (let start = 0; start < chunk.length; start += PIECE) {
      const text = decoder.decode(chunk.subarray(start, start + PIECE), { stream: true });
      const lines = split(text);
      if (lines.length > 0) yield withoutCarriageReturns(lines);
    }
  }
  const lines = split(decoder.decode() + "\n");
  if (lines[0] !== "") yield withoutCarriageReturns(lines);
}

function withoutCarriageReturns(lines: string[]): string[] {
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    if (line.charCodeAt(line.length - 1) === 13) lines[i] = line.slice(0, -1);
  }
  return lines;
}
