/**
 * @file Reads a file of sequences, whatever its format.
 *
 * bytes → gzip, if packed → lines → records. The format is recognised from the first line that is not blank:
 * `>` FASTA, `@` FASTQ, a header with a known column CSV (or TSV), letters one sequence per line. Memory does
 * not grow with the file, only with its longest record; a record's text keeps a piece of the file (256 kB) in
 * memory for as long as the record itself is kept.
 */

import { FormatError } from "../error.ts";
import { csvParser, isTableHeader, type ChooseColumns } from "./csv.ts";
import { fastaParser } from "./fasta.ts";
import { fastqParser } from "./fastq.ts";
import { unpack } from "./gzip.ts";
import { isSequenceLine, linesParser } from "./lines.ts";
import { looksBinary, type RecordParser, type SequenceRecord } from "./record.ts";
import { lineBatches, type ByteSource } from "./text.ts";

export type SequenceFormat = "fasta" | "fastq" | "csv" | "lines";

const PARSERS: Record<SequenceFormat, (location: { file?: string }) => RecordParser> = {
  fasta: fastaParser,
  fastq: fastqParser,
  csv: csvParser,
  lines: linesParser,
};

/** How much of a first line is looked at to recognise the format. */
const GLANCE = 1 << 16;

/** Recognises the format of a file from its first line that is not blank. */
function recognise(firstLine: string, line: number, file?: string): SequenceFormat {
  const text = firstLine.slice(0, GLANCE).trim();
  if (text.startsWith(">") || text.startsWith(";")) return "fasta";
  if (text.startsWith("@")) return "fastq";
  if (isTableHeader(text)) return "csv";
  if (isSequenceLine(text)) return "lines";
  const got = looksBinary(text) ? "binary data" : JSON.stringify(text.slice(0, 30));
  throw new FormatError(`file: not FASTA, FASTQ, CSV or one sequence per line, got ${got}`, { file, line });
}

export interface ReadSequencesOptions {
  /** Name of the file, for errors. */
  file?: string;
  /** The format; by default it is recognised. */
  format?: SequenceFormat;
  /** Chooses the columns of a table, where `format` is "csv"; by default those of known names. */
  columns?: ChooseColumns;
}

/**
 * Yields the records of a file one by one, in order.
 *
 * `source` gives the bytes, plain or gzip: a Node file stream, a browser's `ReadableStream`, an array of
 * chunks. Stopping early closes it.
 *
 * @throws FormatError for anything that is not a well-formed file with at least one record.
 */
export async function* readSequences(
  source: ByteSource,
  { file, format, columns }: ReadSequencesOptions = {},
): AsyncGenerator<SequenceRecord, void, undefined> {
  let parser = format === "csv" ? csvParser({ file }, columns) : format && PARSERS[format]({ file });
  let number = 0;
  let found = false;
  for await (const lines of lineBatches(unpack(source, { file }), { file })) {
    const records: SequenceRecord[] = [];
    for (const line of lines) {
      number++;
      if (!parser) {
        if (line.trim() === "") continue;
        parser = PARSERS[recognise(line, number, file)]({ file });
      }
      parser.line(line, number, records);
    }
    for (const record of records) {
      found = true;
      yield record;
    }
  }
  const last: SequenceRecord[] = [];
  parser?.end(last);
  for (const record of last) {
    found = true;
    yield record;
  }
  if (!found) throw new FormatError("file: must hold at least one sequence, got none: it is empty", { file });
}
