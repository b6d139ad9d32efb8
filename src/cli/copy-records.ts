/**
 * @file Shares out the records of a file, byte for byte.
 *
 * A record is all lines from its first to the next record's first: header, wrapped letters, qualities, columns
 * that nobody asked for. So whatever a format holds is kept, and no format needs to be known. What stands before
 * the first record, as the header of a table does, goes to every output.
 */

import { EmbranchError } from "../error.ts";
import { gunzip, isGzip, peek } from "../sequence/gzip.ts";
import { openInput } from "./input.ts";
import type { Output } from "./output.ts";

const LINE_END = 0x0a;

/**
 * Writes each record of a file to its output, in the order of the file; gzip is unpacked.
 *
 * `firstLines` are the numbers of the lines that records begin on, from 1, and `places` their outputs.
 *
 * @throws EmbranchError when the file ends before its last record
 */
export async function copyRecords(
  path: string,
  firstLines: readonly number[],
  places: readonly Output[],
): Promise<void> {
  const input = await openInput(path);
  try {
    const { head, bytes } = await peek(input.bytes, 2);
    const plain = isGzip(head) ? gunzip(bytes, { file: input.name }) : bytes;
    let outputs: readonly Output[] = [...new Set(places)];
    let record = 0;
    let line = 1;
    let inside = false;
    for await (const chunk of plain) {
      let written = 0;
      for (let at = 0; at < chunk.length;) {
        if (!inside && line === firstLines[record]) {
          for (const output of outputs) await output.write(chunk.subarray(written, at));
          written = at;
          outputs = [places[record++]];
        }
        const end = chunk.indexOf(LINE_END, at);
        inside = end < 0;
        if (inside) break;
        at = end + 1;
        line++;
      }
      for (const output of outputs) await output.write(chunk.subarray(written));
    }
    if (record < firstLines.length) {
      throw new EmbranchError(`${input.name}: was changed while it was read; run this again`);
    }
  } finally {
    await input.close();
  }
}
