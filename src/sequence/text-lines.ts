/**
 * @file The lines of a text file, plain or gzip.
 */

import type { Location } from "../error.ts";
import { unpack } from "./gzip.ts";
import { lineBatches, type ByteSource } from "./text.ts";

/** Yields the lines of `source`, without line ends. */
export async function* textLines(source: ByteSource, location: Location = {}): AsyncGenerator<string> {
  for await (const lines of lineBatches(unpack(source, location), location)) yield* lines;
}
