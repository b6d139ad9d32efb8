/**
 * @file Distance matrices as tab-separated text, the form that spreadsheets, R and pandas read.
 *
 * Grammar: a header row of a corner cell (ours is empty) and the column ids, then one row per row id: the id and
 * one number per column. Square matrices carry the same ids on both sides; cross matrices (queries against
 * references) carry two sets. Cells are separated by single tabs, so ids may hold spaces but no tab and no line
 * break. Rejected on reading: rows of another length, cells that are no decimal number, ids twice on one side, and
 * a first row of numbers alone: the values of a table without ids, as NumPy's savetxt writes it.
 *
 * Writing streams in blocks of rows; reading keeps one row of text and the values (float32).
 */
import { EmbranchError, FormatError, type Location } from "../error.ts";
import {
  condense,
  condensedLength,
  findAsymmetry,
  squareBlocks,
  type CrossMatrix,
  type DistanceMatrix,
  type NumberArray,
} from "./condensed.ts";
import { parseDecimal, textOf } from "./number-text.ts";
import { encodeText } from "./text-chunks.ts";
import { lineBatches, type ByteSource } from "./text.ts";

/** Writes the square matrix of condensed distances, as chunks of UTF-8. */
export function encodeMatrixTsv({ ids, values }: DistanceMatrix): Generator<Uint8Array> {
  if (values.length !== condensedLength(ids.length)) {
    throw new RangeError(
      `tsv: ${ids.length} ids have ${condensedLength(ids.length)} distances, got ${values.length}`,
    );
  }
  return encodeText(tsvRows(ids, ids, textOf(values), squareBlocks(values)));
}

/** Writes a matrix of rows × columns, as chunks of UTF-8. */
export function encodeCrossTsv({ rows, columns, values }: CrossMatrix): Generator<Uint8Array> {
  if (values.length !== rows.length * columns.length) {
    throw new RangeError(
      `tsv: ${rows.length} x ${columns.length} ids do not have ${values.length} distances`,
    );
  }
  return encodeText(tsvRows(rows, columns, textOf(values), [{ values }]));
}

function* tsvRows(
  rows: readonly string[],
  columns: readonly string[],
  text: (value: number) => string,
  blocks: Iterable<{ values: NumberArray }>,
): Generator<string> {
  yield `\t${columns.map(cell).join("\t")}\n`;
  let row = 0;
  for (const { values } of blocks) {
    for (let at = 0; at < values.length; at += columns.length) {
      yield `${cell(rows[row++])}\t${Array.from(values.subarray(at, at + columns.length), text).join("\t")}\n`;
    }
  }
}

/** An id as a cell; tabs and line breaks would break the table. */
export function cell(id: string): string {
  if (/[\t\r\n]/.test(id)) {
    throw new EmbranchError(
      `tsv: an id must not hold a tab or a line break, got ${JSON.stringify(id)}; rename it`,
    );
  }
  return id;
}

/**
 * Reads a matrix of rows × columns.
 * @param file name used in messages.
 * @throws {FormatError} with the line, and the row's id where it is known.
 */
export async function readCrossTsv(source: ByteSource, file?: string): Promise<CrossMatrix<Float32Array>> {
  let table: CrossTable | undefined;
  let line = 0;
  for await (const lines of lineBatches(source, { file })) {
    for (const text of lines) {
      line++;
      if (table === undefined) table = new CrossTable(text, { file, line });
      else if (text.trim() !== "") table.add(text, { file, line });
    }
  }
  if (table === undefined) throw new FormatError("distance table: must not be empty", { file });
  const { rows, columns, values } = table;
  if (rows.length === 0)
    throw new FormatError("distance table: must have rows below the ids", { file, line: 1 });
  return { rows, columns, values: values.subarray(0, rows.length * columns.length) };
}

/** A table being read: begins with the header row and takes the others in order. */
class CrossTable implements CrossMatrix<Float32Array> {
  readonly columns: string[];
  readonly rows: string[] = [];
  /** With room for more rows. */
  values: Float32Array;
  readonly #seen = new Set<string>();

  constructor(header: string, location: Location) {
    this.columns = header.split("\t").slice(1);
    const width = this.columns.length;
    if (width === 0) {
      throw new FormatError("distance table: the first line must be tab-separated ids, got no tab", location);
    }
    // Ids may be numbers; the corner is then empty, or a word.
    if (header.split("\t").every((each) => !Number.isNaN(parseDecimal(each)))) {
      throw new FormatError(
        "distance table: must have a header row of ids, after an empty cell, and a first column of ids, got numbers alone; add the ids",
        location,
      );
    }
    const twice = firstTwice(this.columns);
    if (twice !== undefined) {
      throw new FormatError("distance table: column ids must differ", { ...location, record: twice });
    }
    this.values = new Float32Array(width * width); // most tables are square
  }

  add(text: string, location: Location): void {
    const width = this.columns.length;
    const [id, ...cells] = text.split("\t");
    const where = { ...location, record: id };
    if (cells.length !== width) {
      throw new FormatError(`distance table: a row must have ${width} distances, got ${cells.length}`, where);
    }
    if (this.#seen.has(id)) throw new FormatError("distance table: row ids must differ", where);
    this.#seen.add(id);
    const start = this.rows.length * width;
    this.rows.push(id);
    if (start + width > this.values.length) {
      const grown = new Float32Array(2 * (start + width));
      grown.set(this.values);
      this.values = grown;
    }
    for (let j = 0; j < width; j++) {
      const value = Math.fround(parseDecimal(cells[j].trim()));
      if (!Number.isFinite(value)) {
        throw new FormatError(`distance to "${this.columns[j]}": must be a number, got "${cells[j]}"`, where);
      }
      this.values[start + j] = value;
    }
  }
}

/**
 * Reads a square distance matrix.
 * @throws {FormatError} as `readCrossTsv`, and when ids differ between rows and columns or the values are no
 * distances.
 */
export async function readMatrixTsv(
  source: ByteSource,
  file?: string,
): Promise<DistanceMatrix<Float32Array>> {
  const { rows, columns, values } = await readCrossTsv(source, file);
  const n = rows.length;
  if (n !== columns.length) {
    throw new FormatError(`distance table: must be square, got ${n} rows of ${columns.length} distances`, {
      file,
    });
  }
  const other = rows.findIndex((id, i) => id !== columns[i]);
  if (other >= 0) {
    throw new FormatError(
      `distance table: rows must be in the order of the columns, got row ${other + 1} where the columns have "${columns[other]}"`,
      { file, record: rows[other] },
    );
  }
  const broken = findAsymmetry(values, n);
  if (broken !== undefined) {
    throw new FormatError(`distance to "${columns[broken.column]}": ${broken.rule}, got ${broken.got}`, {
      file,
      record: rows[broken.row],
    });
  }
  return { ids: rows, values: condense(values, n) };
}

/** The first id that stands twice in a list. */
function firstTwice(ids: readonly string[]): string | undefined {
  const seen = new Set<string>();
  return ids.find((id) => seen.size === seen.add(id).size);
}
