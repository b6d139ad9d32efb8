/**
 * @file Tables of sequences: comma- or tab-separated text with a header.
 *
 * The header must name a column of sequences (`sequence`, `seq`, `read`, …); a column of names (`id`, `name`,
 * …) is optional, without it records are called by their row number from 1. All other columns are kept, as
 * text, in `fields`: labels, splits and groups are theirs. Quoting follows RFC 4180 (a field in double quotes
 * may hold the separator, line breaks and doubled quotes). Refused: rows whose number of fields differs from
 * the header's, quotes that never end, empty sequences and names. Readers of other tables choose the columns
 * themselves (`ChooseColumns`).
 *
 * Source: Shafranovich, "Common format and MIME type for CSV files", RFC 4180, 2005.
 */

import { FormatError, type Location } from "../error.ts";
import { looksBinary, type RecordParser, type SequenceRecord } from "./record.ts";

/** Names of the sequence column, best first; case does not matter. */
export const SEQUENCE_COLUMNS = ["sequence", "seq", "read", "reads", "ref", "reference", "strand"] as const;
/** Names of the name column, best first; case does not matter. */
export const ID_COLUMNS = ["id", "name", "seqid", "seq_id", "sequence_id", "read_id", "accession"] as const;

/** Place of the first of `wanted`, in lower case, that `columns` holds in any case; −1 when it holds none. */
export function findColumn(columns: readonly string[], wanted: readonly string[]): number {
  const lower = columns.map((column) => column.trim().toLowerCase());
  for (const name of wanted) {
    const index = lower.indexOf(name);
    if (index >= 0) return index;
  }
  return -1;
}

/** Whether a first line is a header with a sequence column. */
export function isTableHeader(line: string): boolean {
  return findColumn(splitRow(line, separatorOf(line)) ?? [], SEQUENCE_COLUMNS) >= 0;
}

/** Places of the columns that make a record. */
export interface RecordColumns {
  sequence: number;
  /** −1 where records are called by their row number. */
  id: number;
}

/** Chooses among the columns of a header; `location` is that of the header. */
export type ChooseColumns = (columns: readonly string[], location: Location) => RecordColumns;

/** Columns of known names. */
const knownColumns: ChooseColumns = (columns, location) => {
  const sequence = findColumn(columns, SEQUENCE_COLUMNS);
  if (sequence < 0) {
    throw new FormatError(
      `CSV header: must name a column "sequence", "seq" or "read", got ${columns.join(", ").slice(0, 80)}`,
      location,
    );
  }
  return { sequence, id: findColumn(columns, ID_COLUMNS) };
};

const separatorOf = (header: string): "," | "\t" => (header.includes("\t") ? "\t" : ",");

/** Fields of a complete row, or undefined when a quoted field is still open at its end. */
function splitRow(row: string, separator: string): string[] | undefined {
  if (!row.includes('"')) return row.split(separator);
  const fields: string[] = [];
  let position = 0;
  for (;;) {
    let field: string;
    let next: number;
    if (row[position] === '"') {
      let close = position;
      do {
        close = row.indexOf('"', close + 1);
        if (close < 0) return undefined;
      } while (row[close + 1] === '"' && ++close);
      field = row.slice(position + 1, close).replaceAll('""', '"');
      next = row.indexOf(separator, close + 1);
      field += row.slice(close + 1, next < 0 ? undefined : next);
    } else {
      next = row.indexOf(separator, position);
      field = row.slice(position, next < 0 ? undefined : next);
    }
    fields.push(field);
    if (next < 0) return fields;
    position = next + separator.length;
  }
}

/** A parser of CSV and TSV; `location.file` names the file in errors. */
export function csvParser(location: Location = {}, choose: ChooseColumns = knownColumns): RecordParser {
  const { file } = location;
  let columns: string[] | undefined;
  let separator = ",";
  let sequenceColumn = -1;
  let idColumn = -1;
  let rows = 0;
  let open: { text: string[]; line: number; quotes: number } | undefined;

  const readHeader = (fields: string[], line: number): void => {
    columns = fields.map((field) => field.trim());
    ({ sequence: sequenceColumn, id: idColumn } = choose(columns, { file, line }));
    if (new Set(columns).size < columns.length) {
      throw new FormatError(`CSV header: must not repeat a column, got ${columns.join(", ").slice(0, 80)}`, {
        file,
        line,
      });
    }
  };

  const readRow = (row: string[], line: number, out: SequenceRecord[]): void => {
    if (columns === undefined) {
      readHeader(row, line);
      return;
    }
    rows++;
    if (row.length !== columns.length) {
      throw new FormatError(`row: must have ${columns.length} fields like the header, got ${row.length}`, {
        file,
        line,
      });
    }
    const id = idColumn < 0 ? String(rows) : row[idColumn].trim();
    const sequence = row[sequenceColumn].trim();
    if (id === "") {
      throw new FormatError(`${columns[idColumn]}: must not be empty: give each row a name`, { file, line });
    }
    if (sequence === "") {
      throw new FormatError("row: must have a sequence, got an empty field: remove the row", {
        file,
        line,
        record: id,
      });
    }
    const fields: Record<string, string> = {};
    columns.forEach((column, i) => {
      if (i !== sequenceColumn && i !== idColumn) fields[column] = row[i];
    });
    out.push({ id, description: "", sequence, fields, line });
  };

  return {
    line(text, number, out) {
      if (open === undefined) {
        if (text.trim() === "") return;
        if (columns === undefined) {
          if (looksBinary(text)) {
            throw new FormatError("CSV header: must be text, got control characters", { file, line: number });
          }
          separator = separatorOf(text);
        }
        const fields = splitRow(text, separator);
        if (fields) readRow(fields, number, out);
        else open = { text: [text], line: number, quotes: countQuotes(text) };
        return;
      }
      open.text.push(text);
      open.quotes += countQuotes(text);
      // A row cannot be complete while its number of quotes is odd; this keeps long fields linear.
      if (open.quotes % 2 === 1) return;
      const fields = splitRow(open.text.join("\n"), separator);
      if (!fields) return;
      const { line } = open;
      open = undefined;
      readRow(fields, line, out);
    },
    end() {
      if (open) {
        throw new FormatError("row: a quoted field must end, got the end of the file: close the quote", {
          file,
          line: open.line,
        });
      }
    },
  };
}

function countQuotes(text: string): number {
  let count = 0;
  for (let i = text.indexOf('"'); i >= 0; i = text.indexOf('"', i + 1)) count++;
  return count;
}

function quote(field: string): string {
  return /[",\r\n\t]|^\s|\s$/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;
}

/** The header line of a CSV file with an id, a sequence and the given other columns. */
export function formatCsvHeader(columns: readonly string[] = []): string {
  return ["id", "sequence", ...columns].map(quote).join(",") + "\n";
}

/** One row of a CSV file; `columns` as given to `formatCsvHeader`, missing fields stay empty. */
export function formatCsvRow(record: SequenceRecord, columns: readonly string[] = []): string {
  const { id, sequence, fields } = record;
  return [id, sequence, ...columns.map((column) => fields?.[column] ?? "")].map(quote).join(",") + "\n";
}
