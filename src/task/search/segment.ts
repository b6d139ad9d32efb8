/**
 * @file A segment: references that were placed together, in memory or in files, and never change.
 *
 * Points stay where they are, in memory or in their file; sequences are one byte a letter in memory, and names are
 * cut from one text when they are wanted: a million short references take some 200 MB.
 */

import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import type { NearestGraph } from "./nearest-graph.ts";

/** Names, one a line, of which none is a string before it is asked for. */
export class NameList {
  readonly #text: Uint8Array;
  readonly #starts: Uint32Array;

  constructor(text: Uint8Array) {
    this.#text = text;
    let lines = 0;
    for (let at = text.indexOf(NEWLINE); at >= 0; at = text.indexOf(NEWLINE, at + 1)) lines++;
    this.#starts = new Uint32Array(lines + 1);
    for (let at = 0, line = 1; line <= lines; line++) {
      at = text.indexOf(NEWLINE, at) + 1;
      this.#starts[line] = at;
    }
  }

  static of(names: readonly string[]): NameList {
    return new NameList(Buffer.from(names.map((name) => `${name}\n`).join("")));
  }

  get length(): number {
    return this.#starts.length - 1;
  }

  at(row: number): string {
    return Buffer.from(this.#text.subarray(this.#starts[row], this.#starts[row + 1] - 1)).toString();
  }

  *[Symbol.iterator](): Generator<string> {
    for (let row = 0; row < this.length; row++) yield this.at(row);
  }
}

const NEWLINE = 10;

/** Points [rows, dims] that can be read in any order. */
export interface PointStore {
  /** Rows `start` … `end` − 1. */
  read(start: number, end: number): Float32Array;
  close(): Promise<void>;
}

/** Points in memory. */
export function pointsInMemory(data: Float32Array, dims: number): PointStore {
  return {
    read: (start, end) => data.subarray(start * dims, end * dims),
    close: () => Promise.resolve(),
  };
}

/**
 * Points in a file, float32 from byte `offset` on. Reading waits for the file: a row is a few hundred bytes, mostly in
 * the system's cache, and a promise for each would cost more than the reading.
 */
export function pointsInFile(file: FileHandle, offset: number, dims: number): PointStore {
  return {
    read: (start, end) => {
      const out = new Float32Array((end - start) * dims);
      const bytes = new Uint8Array(out.buffer);
      const from = offset + 4 * dims * start;
      for (let done = 0; done < bytes.length;) {
        const count = readSync(file.fd, bytes, done, bytes.length - done, from + done);
        if (count === 0) throw new RangeError(`points: row ${end - 1} is beyond the end of the file`);
        done += count;
      }
      return out;
    },
    close: () => file.close(),
  };
}

/** References that were placed together. Rows are numbered from 0. */
export interface Segment {
  names: NameList;
  /** All codes, end to end, and where each sequence starts [rows + 1]. */
  codes: Uint8Array;
  offsets: Uint32Array;
  points: PointStore;
  /** Absent where the space has no index, or a scan is wanted. */
  graph?: NearestGraph;
  /** Rows that were deleted. */
  deleted: ReadonlySet<number>;
}

/** The codes of a row. */
export function codesOf({ codes, offsets }: Segment, row: number): Uint8Array {
  return codes.subarray(offsets[row], offsets[row + 1]);
}
