/**
 * @file One sequence per line: the plain text files of the NeuroSEED data sets.
 *
 * There are no names, so records are called `seq1`, `seq2`, … in order; blank lines do not count. A line that
 * is not all letters (or gap characters, which `encode` reports) is refused.
 */

import { FormatError, type Location } from "../error.ts";
import type { RecordParser, SequenceRecord } from "./record.ts";

const LETTERS = /^[A-Za-z*.-]+$/;

/** Whether a line can be one sequence. */
export function isSequenceLine(line: string): boolean {
  return LETTERS.test(line);
}

/** A parser of one sequence per line; `location.file` names the file in errors. */
export function linesParser(location: Location = {}): RecordParser {
  let count = 0;
  return {
    line(text, number, out) {
      const sequence = text.trim();
      if (sequence === "") return;
      count++;
      if (!isSequenceLine(sequence)) {
        throw new FormatError(
          `line: must be one sequence, letters only, got ${JSON.stringify(sequence.slice(0, 20))}`,
          { ...location, line: number },
        );
      }
      out.push({ id: `seq${count}`, description: "", sequence, line: number });
    },
    end() {
      // Every line was a whole record.
    },
  };
}

/** The sequence and a line end; the id is lost, as the format has no place for it. */
export function formatLine(record: SequenceRecord): string {
  if (!isSequenceLine(record.sequence)) {
    throw new FormatError("sequence: must be letters on one line", { record: record.id });
  }
  return `${record.sequence}\n`;
}
