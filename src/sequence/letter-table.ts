/**
 * @file Symmetric tables of numbers for pairs of letters, laid out as NCBI's scoring matrices are.
 *
 * Lines that begin with `#` are comments, the first other line holds the column letters, and every further line a row
 * letter and one number for each column. Letters may be in lower case. Refused: letters that come twice, rows that
 * no column has and columns that no row has, numbers too many or too few, a number that differs from its mirror image.
 */

import { FormatError } from "../error.ts";
import { parseDecimal } from "./number-text.ts";

/** A table of k letters. */
export interface LetterTable {
  /** Upper-case letters, in the order of the columns. */
  letters: string[];
  /** [k × k] Numbers, symmetric. */
  values: Float64Array;
  /** [k] Line of each letter's row, from 1. */
  lines: number[];
}

export interface ParseLetterTableOptions {
  /** File name for error messages. */
  file?: string;
  /** Whether a number may stand in the table; default any. */
  accept?: (value: number) => boolean;
  /** What the numbers are, for error messages: `must be a cost, an integer from 0 to 255`. */
  rule?: string;
}

/** Reads a table; throws FormatError with the line at fault. */
export function parseLetterTable(
  text: string,
  { file, accept = () => true, rule = "must be a number" }: ParseLetterTableOptions = {},
): LetterTable {
  let letters: string[] | undefined;
  const rows = new Map<string, { line: number; numbers: number[] }>();
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const fields = content.trim().split(/\s+/);
    if (fields[0] === "" || fields[0].startsWith("#")) continue;
    if (letters === undefined) {
      letters = fields.map((letter) => letter.toUpperCase());
      const odd = letters.find((letter, i) => letter.length !== 1 || letters?.indexOf(letter) !== i);
      if (odd !== undefined)
        throw new FormatError(`header: must name each letter once, got ${odd}`, { file, line });
      continue;
    }
    const row = fields[0].toUpperCase();
    if (!letters.includes(row))
      throw new FormatError(`row: must be a letter of the header, got ${row}`, { file, line });
    if (rows.has(row)) throw new FormatError(`row: must not come twice, got ${row}`, { file, line });
    if (fields.length - 1 !== letters.length) {
      throw new FormatError(`row ${row}: must hold ${letters.length} numbers, got ${fields.length - 1}`, {
        file,
        line,
      });
    }
    const numbers = fields.slice(1).map(parseDecimal);
    const odd = numbers.findIndex((number) => Number.isNaN(number) || !accept(number));
    if (odd >= 0) {
      const where = `row ${row}, column ${letters[odd]}`;
      throw new FormatError(`${where}: ${rule}, got ${fields[odd + 1]}`, { file, line });
    }
    rows.set(row, { line, numbers });
  }
  if (letters === undefined)
    throw new FormatError("substitution matrix: must have a header of letters, got an empty file", { file });
  return symmetric(letters, rows, file);
}

function symmetric(
  letters: string[],
  rows: Map<string, { line: number; numbers: number[] }>,
  file?: string,
): LetterTable {
  const ordered = letters.map((letter) => {
    const row = rows.get(letter);
    if (row !== undefined) return row;
    throw new FormatError(`substitution matrix: must have a row for every column, got none for ${letter}`, {
      file,
    });
  });
  const size = letters.length;
  const values = new Float64Array(size * size);
  for (const [i, { line, numbers }] of ordered.entries()) {
    for (const [j, number] of numbers.entries()) {
      const back = ordered[j].numbers[i];
      if (back !== number) {
        const rule = `row ${letters[i]}, column ${letters[j]}: must equal its mirror image ${back}`;
        throw new FormatError(`${rule}, got ${number}`, { file, line });
      }
      values[size * i + j] = number;
    }
  }
  return { letters, values, lines: ordered.map(({ line }) => line) };
}
