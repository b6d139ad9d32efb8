/**
 * @file Multiple alignments: for every letter of every sequence, the column it stands in.
 *
 * Rows of letters and gaps are how alignments are written; this is what they say. Letters are not copied, so that a
 * row is written with those of the input, whatever their case, and two alignments of the same sequences are compared
 * column by column without looking at letters.
 */

import { FormatError } from "../error.ts";

/** An alignment of n sequences. */
export interface Alignment {
  /** Number of columns. */
  width: number;
  /** [n][letters of sequence i] The column of each letter, ascending. */
  columns: Uint32Array[];
}

/** Marks a letter's absence where nothing else is asked for. */
export const GAP = "-";

/** Whether a character stands for no letter in an aligned row: "-", and "." as Stockholm and A2M write it. */
export function isGap(character: string): boolean {
  return character === "-" || character === ".";
}

/** The row of a sequence: its letters in their columns, and gaps. */
export function alignedRow(letters: string, columns: Uint32Array, width: number, gap = GAP): string {
  const row: string[] = [];
  let next = 0;
  for (let from = 0; from < columns.length;) {
    let to = from + 1;
    while (to < columns.length && columns[to] === columns[to - 1] + 1) to++;
    row.push(gap.repeat(columns[from] - next), letters.slice(from, to));
    next = columns[to - 1] + 1;
    from = to;
  }
  row.push(gap.repeat(width - next));
  return row.join("");
}

/**
 * The alignment that rows of letters and gaps show, and the letters without the gaps.
 *
 * @throws FormatError for rows of different lengths
 */
export function alignmentOfRows(rows: readonly string[]): { alignment: Alignment; letters: string[] } {
  const width = rows.length === 0 ? 0 : rows[0].length;
  const letters: string[] = [];
  const columns = rows.map((row, i) => {
    if (row.length !== width) {
      throw new FormatError(
        `alignment: rows must be equally long, got ${width} columns in row 1 and ${row.length} in row ${i + 1}`,
      );
    }
    const places = new Uint32Array(width);
    let count = 0;
    for (let column = 0; column < width; column++) if (!isGap(row[column])) places[count++] = column;
    letters.push(row.replace(/[-.]/g, ""));
    return places.slice(0, count);
  });
  return { alignment: { width, columns }, letters };
}
