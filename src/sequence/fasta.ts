/**
 * @file FASTA: `>id description`, then the sequence on one or many lines.
 *
 * Read: records with any line length, blank lines, white space inside sequences, and Pearson's `;` comment
 * lines. Refused: anything before the first header, a header without a name, a record without a sequence.
 * Letters are not judged here: aligned FASTA has gaps, and `encode` knows the alphabet.
 *
 * Source: Pearson and Lipman, "Improved tools for biological sequence comparison", PNAS 1988.
 */

import { FormatError, type Location } from "../error.ts";
import {
  formatHeader,
  MAX_RECORD_LENGTH,
  parseHeader,
  type RecordParser,
  type SequenceRecord,
} from "./record.ts";

const HEADER = 0x3e; // ">"
const COMMENT = 0x3b; // ";"

/** A parser of FASTA; `location.file` names the file in errors. */
export function fastaParser(location: Location = {}): RecordParser {
  const { file } = location;
  let id = "";
  let description = "";
  /** Line of the current record's header; 0 before the first. */
  let start = 0;
  let pieces: string[] = [];
  let length = 0;

  const finish = (out: SequenceRecord[]): void => {
    if (start === 0) return;
    if (length === 0) {
      throw new FormatError("record: must have a sequence, got a header alone: remove the record", {
        file,
        line: start,
        record: id,
      });
    }
    const sequence = pieces.length === 1 ? pieces[0] : pieces.join("");
    pieces = [];
    length = 0;
    out.push({ id, description, sequence, line: start });
  };

  return {
    line(text, number, out) {
      const first = text.charCodeAt(0);
      if (first === HEADER) {
        finish(out);
        ({ id, description } = parseHeader(text.slice(1), { file, line: number }));
        start = number;
        return;
      }
      if (first === COMMENT) return;
      const piece = withoutWhiteSpace(text);
      if (piece === "") return;
      if (start === 0) {
        throw new FormatError('FASTA: must begin with a header line, ">" and a name, got letters', {
          file,
          line: number,
        });
      }
      pieces.push(piece);
      length += piece.length;
      if (length > MAX_RECORD_LENGTH) {
        throw new FormatError(`record: must have at most ${MAX_RECORD_LENGTH} letters: split the sequence`, {
          file,
          line: number,
          record: id,
        });
      }
    },
    end: finish,
  };
}

function withoutWhiteSpace(text: string): string {
  return text.includes(" ") || text.includes("\t") || text.includes("\r") ? text.replace(/\s+/g, "") : text;
}

export interface FormatFastaOptions {
  /** Letters a line; by default the whole sequence stands on one line. */
  width?: number;
}

/** One record as FASTA, with its final line end; throws `FormatError` for an id that would not read back. */
export function formatFasta(record: SequenceRecord, { width = Infinity }: FormatFastaOptions = {}): string {
  if (!(width >= 1)) throw new RangeError(`width: must be at least 1, got ${width}`);
  const { sequence } = record;
  if (sequence.length <= width) return `>${formatHeader(record)}\n${sequence}\n`;
  const lines = [`>${formatHeader(record)}`];
  for (let start = 0; start < sequence.length; start += width)
    lines.push(sequence.slice(start, start + width));
  return lines.join("\n") + "\n";
}
