/**
 * @file What every sequence file comes down to: a record with a name and letters.
 *
 * Formats differ in how they write a record, not in what it is. A format is a small state machine that takes
 * lines and gives records (`RecordParser`); reading bytes, unpacking and splitting into lines happen once, in
 * read.ts, and are the same for all.
 */

import { FormatError, type Location } from "../error.ts";

/** One sequence of a file. */
export interface SequenceRecord {
  /** First word of the header. */
  id: string;
  /** The rest of the header; empty where the format has none. */
  description: string;
  /** Letters as they stand in the file, without white space; `encode` checks them. */
  sequence: string;
  /** Phred qualities as FASTQ writes them, one character a letter. */
  quality?: string;
  /** The other columns of a table, by name. */
  fields?: Record<string, string>;
  /** Line on which the record begins, from 1. */
  line?: number;
}

/** Turns the lines of one file into records. */
export interface RecordParser {
  /** Takes one line, without its line end, and its number from 1; appends completed records to `out`. */
  line(text: string, number: number, out: SequenceRecord[]): void;
  /** Tells that the file has ended; appends the last record to `out`. */
  end(out: SequenceRecord[]): void;
}

/** The longest text JavaScript engines agree to hold in one string. */
export const MAX_RECORD_LENGTH = 2 ** 29 - 24;

const CONTROL = /[\x00-\x08\x0e-\x1f\x7f]/;

/** Whether a line holds control characters, as no text file does. */
export function looksBinary(line: string): boolean {
  return CONTROL.test(line);
}

/**
 * Splits a header into its first word and the rest.
 *
 * @throws FormatError when there is no word or the header is not text.
 */
export function parseHeader(header: string, location: Location): { id: string; description: string } {
  const text = header.trim();
  if (text === "") {
    throw new FormatError(
      "header: must name the record, got an empty header: give each record a name",
      location,
    );
  }
  if (looksBinary(text)) {
    throw new FormatError(
      "header: must be text, got control characters: the file looks damaged or binary",
      location,
    );
  }
  const end = text.search(/\s/);
  if (end < 0) return { id: text, description: "" };
  return { id: text.slice(0, end), description: text.slice(end).trimStart() };
}

/** Throws unless a header written from this record would read back as the same id and description. */
export function checkHeader({ id, description }: SequenceRecord): void {
  if (id === "" || /\s/.test(id)) {
    throw new FormatError(`id: must be one word, got ${JSON.stringify(id)}`);
  }
  if (/[\r\n]/.test(description)) {
    throw new FormatError("description: must be one line, got a line break", { record: id });
  }
}

/** The header that `parseHeader` splits: id, a blank, description. */
export function formatHeader(record: SequenceRecord): string {
  checkHeader(record);
  return record.description === "" ? record.id : `${record.id} ${record.description}`;
}
