/**
 * @file PHYLIP distance matrices, square and lower-triangular.
 *
 * Grammar: the number n on the first line, then n rows: a name and its distances, separated by blanks. Square
 * rows hold n distances; the i-th lower-triangular row, counted from 0, holds i. A row may go on over further
 * lines that start with a blank. Names are *relaxed*: any length, ended by the distances and not by column 10,
 * so that a name with spaces is read as what stands before the last n (or i) numbers of its row.
 *
 * Nearly every other reader ends a name at the first blank, so we write blanks in names as underscores, and
 * refuse when two names become one by that. Rejected on reading: a missing count, a wrong number of rows or
 * distances, text that is no number, duplicate names, negative distances, a diagonal that is not zero, and a
 * square matrix that is not symmetric.
 *
 * Both directions stream: reading keeps the condensed matrix (float32) and one row, writing one block of rows.
 * Reference: Felsenstein, PHYLIP 3.6 documentation, "Distance matrix programs".
 */
import { FormatError, type Location } from "../error.ts";
import {
  brokenDiagonal,
  brokenDistance,
  brokenMirror,
  condensedIndex,
  condensedLength,
  squareBlocks,
  type DistanceMatrix,
} from "./condensed.ts";
import { parseDecimal, textOf } from "./number-text.ts";
import { relaxedNames } from "./relaxed-names.ts";
import { encodeText } from "./text-chunks.ts";
import { lineBatches, type ByteSource } from "./text.ts";

export interface PhylipOptions {
  /** `square` (default) or the strict lower triangle, half the size. */
  layout?: "square" | "lower";
}

/**
 * Writes a distance matrix, as chunks of UTF-8.
 * @throws {EmbranchError} on an empty name, and on two names that differ in blanks only.
 */
export function encodePhylip(matrix: DistanceMatrix, options: PhylipOptions = {}): Generator<Uint8Array> {
  return encodeText(phylipRows(matrix, options));
}

function* phylipRows(
  { ids, values }: DistanceMatrix,
  { layout = "square" }: PhylipOptions,
): Generator<string> {
  const n = ids.length;
  if (values.length !== condensedLength(n)) {
    throw new RangeError(`phylip: ${n} ids have ${condensedLength(n)} distances, got ${values.length}`);
  }
  const names = relaxedNames(ids, "phylip", "rename one or write .tsv");
  const text = textOf(values);
  yield `${n}\n`;
  if (layout === "lower") {
    for (let i = 0; i < n; i++) {
      const row = [names[i]];
      for (let j = 0; j < i; j++) row.push(text(values[condensedIndex(j, i, n)]));
      yield `${row.join(" ")}\n`;
    }
    return;
  }
  for (const { start, rows, values: block } of squareBlocks(values)) {
    for (let row = 0; row < rows; row++) {
      yield `${names[start + row]} ${Array.from(block.subarray(row * n, (row + 1) * n), text).join(" ")}\n`;
    }
  }
}

/** A row under way: its text, continued lines joined, and where it began. */
interface Row {
  text: string;
  line: number;
}

/**
 * Reads a square or lower-triangular matrix, told apart by its first row.
 * @param file name used in messages.
 * @throws {FormatError} with the line on anything outside the grammar.
 */
export async function readPhylip(source: ByteSource, file?: string): Promise<DistanceMatrix<Float32Array>> {
  let matrix: PhylipMatrix | undefined;
  let row: Row | undefined;
  let line = 0;
  for await (const lines of lineBatches(source, { file })) {
    for (const text of lines) {
      line++;
      if (text.trim() === "") continue;
      if (matrix === undefined) {
        matrix = new PhylipMatrix(parseCount(text, { file, line }), { file, line });
      } else if (row !== undefined && /^\s/.test(text)) {
        row.text += text;
      } else {
        if (row !== undefined) matrix.add(row);
        row = { text, line };
      }
    }
  }
  if (matrix === undefined) throw new FormatError("PHYLIP matrix: must not be empty", { file });
  if (row !== undefined) matrix.add(row);
  return matrix.finish(line);
}

function parseCount(text: string, location: Location): number {
  if (/^\s*\d+\s*$/.test(text) && Number(text) > 0) return Number(text);
  throw new FormatError(
    `PHYLIP matrix: the first line must be the number of sequences, got "${text.trim().slice(0, 40)}"`,
    location,
  );
}

/** A matrix being read: takes whole rows in order. */
class PhylipMatrix {
  readonly #n: number;
  readonly #file: string | undefined;
  readonly #ids: string[] = [];
  readonly #seen = new Set<string>();
  readonly #values: Float32Array;
  #square = false;

  constructor(n: number, location: Location) {
    this.#n = n;
    this.#file = location.file;
    try {
      this.#values = new Float32Array(condensedLength(n));
    } catch (cause) {
      const gigabytes = (condensedLength(n) * 4) / 1e9;
      throw new FormatError(
        `PHYLIP matrix: ${n} sequences take ${gigabytes.toPrecision(3)} GB of memory, which is not to be had here`,
        location,
        { cause },
      );
    }
  }

  add({ text, line }: Row): void {
    const n = this.#n;
    const i = this.#ids.length;
    const where: Location = { file: this.#file, line };
    if (i === n)
      throw new FormatError(`PHYLIP matrix: must have ${n} rows, as its first line says, got more`, where);
    const words = text.trim().split(/\s+/);
    if (i === 0) this.#square = words.length > n && words.slice(-n).every(isDecimal);
    const count = this.#square ? n : i;
    const surplus = words.length - count;
    // Words before the distances are a name with spaces, unless they look like distances too many.
    if (surplus < 1 || (surplus > 1 && isDecimal(words[1]) && (i === 0 || isDecimal(words[surplus - 1])))) {
      const rule =
        i === 0 ? `${n} distances (square) or none (lower triangle)` : `a name and ${count} distances`;
      throw new FormatError(
        `PHYLIP matrix: row ${i + 1} must have ${rule}, got ${words.length - 1} ${words.length === 2 ? "word" : "words"} after the name`,
        where,
      );
    }
    const id = surplus === 1 ? words[0] : nameBefore(text, count);
    where.record = id;
    if (this.#seen.has(id))
      throw new FormatError("PHYLIP matrix: names must differ, got this one twice", where);
    this.#seen.add(id);
    this.#ids.push(id);
    for (let j = 0; j < count; j++) {
      const value = Math.fround(parseDecimal(words[surplus + j]));
      const at = condensedIndex(i, j, n);
      let rule = brokenDistance(value);
      if (j === i) rule ??= brokenDiagonal(value);
      else if (this.#square && j < i) rule ??= brokenMirror(value, this.#values[at]);
      else this.#values[at] = value;
      if (rule !== undefined) {
        throw new FormatError(`distance ${j + 1}: ${rule}, got ${words[surplus + j]}`, where);
      }
    }
  }

  finish(line: number): DistanceMatrix<Float32Array> {
    if (this.#ids.length !== this.#n) {
      throw new FormatError(
        `PHYLIP matrix: must have ${this.#n} rows, as its first line says, got ${this.#ids.length}`,
        { file: this.#file, line },
      );
    }
    return { ids: this.#ids, values: this.#values };
  }
}

function isDecimal(text: string): boolean {
  return !Number.isNaN(parseDecimal(text));
}

/** What stands before the last `count` words of a row. */
function nameBefore(text: string, count: number): string {
  let end = text.trimEnd().length;
  for (let word = 0; word < count; word++) {
    while (/\S/.test(text[end - 1])) end--;
    while (/\s/.test(text[end - 1])) end--;
  }
  return text.slice(0, end).trim();
}
