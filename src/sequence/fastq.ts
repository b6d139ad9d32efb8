/**
 * @file FASTQ: `@id description`, sequence, `+`, one quality character a letter.
 *
 * Read: the usual four lines, and the older form where sequence and quality wrap over several lines; there the
 * quality ends when it is as long as the sequence, since `@` and `+` are qualities too. A sequence on one line
 * must have its quality on one line, which names the very read whose lengths differ. Refused: lengths that
 * differ, a `+` line that names another read, an end inside a record, a record without a sequence, quality
 * characters outside `!` … `~`.
 *
 * Source: Cock, Fields, Goto, Heuer and Rice, "The Sanger FASTQ file format for sequences with quality scores,
 * and the Solexa/Illumina FASTQ variants", Nucleic Acids Research 2010.
 */

import { FormatError, type Location } from "../error.ts";
import { formatHeader, parseHeader, type RecordParser, type SequenceRecord } from "./record.ts";

const HEADER = 0x40; // "@"
const SEPARATOR = 0x2b; // "+"
const NOT_QUALITY = /[^!-~]/;

/** A parser of FASTQ; `location.file` names the file in errors. */
export function fastqParser(location: Location = {}): RecordParser {
  const { file } = location;
  let expect: "header" | "sequence" | "quality" = "header";
  let id = "";
  let description = "";
  let start = 0;
  let sequence = "";
  let sequenceLines = 0;
  let quality = "";

  const fail = (message: string, line: number): FormatError =>
    new FormatError(message, { file, line, record: id });

  const header = (text: string, number: number): void => {
    if (text.trim() === "") return;
    if (text.charCodeAt(0) !== HEADER) {
      throw new FormatError(
        `FASTQ: each record must begin with "@" and a name, got ${JSON.stringify(text.slice(0, 20))}`,
        { file, line: number },
      );
    }
    ({ id, description } = parseHeader(text.slice(1), { file, line: number }));
    start = number;
    sequence = "";
    sequenceLines = 0;
    quality = "";
    expect = "sequence";
  };

  const separator = (text: string, number: number): void => {
    if (sequence === "") throw fail("record: must have a sequence, got none: remove the record", start);
    const repeated = text.slice(1).trim();
    if (repeated !== "" && repeated.split(/\s/, 1)[0] !== id) {
      throw fail(`"+" line: must be empty or repeat the name of the read, got "${repeated}"`, number);
    }
    expect = "quality";
  };

  return {
    line(text, number, out) {
      switch (expect) {
        case "header":
          header(text, number);
          break;
        case "sequence":
          if (text.charCodeAt(0) === SEPARATOR) {
            separator(text, number);
          } else {
            const letters = text.trim();
            if (letters === "") break;
            sequence += letters;
            sequenceLines++;
          }
          break;
        case "quality": {
          if (text === "" && quality === "" && sequenceLines > 1) break;
          if (NOT_QUALITY.test(text)) {
            throw fail("quality: must consist of the characters ! to ~, got another character", number);
          }
          quality += text;
          if (quality.length > sequence.length || (sequenceLines === 1 && quality.length < sequence.length)) {
            throw fail(
              `quality: must have as many characters as the sequence, ${sequence.length}, got ${quality.length}: repair or remove the read`,
              number,
            );
          }
          if (quality.length === sequence.length) {
            out.push({ id, description, sequence, quality, line: start });
            expect = "header";
          }
          break;
        }
      }
    },
    end() {
      if (expect !== "header") {
        throw fail(
          "record: must be complete, got the end of the file inside it: the file looks truncated; copy or download it again",
          start,
        );
      }
    },
  };
}

/** One record as four lines of FASTQ; throws `FormatError` when it has no quality of the right length. */
export function formatFastq(record: SequenceRecord): string {
  const { id, sequence, quality } = record;
  if (quality?.length !== sequence.length || NOT_QUALITY.test(quality)) {
    throw new FormatError(
      `quality: must have one character from ! to ~ for each of the ${sequence.length} letters, got ${quality?.length ?? "none"}`,
      { record: id },
    );
  }
  return `@${formatHeader(record)}\n${sequence}\n+\n${quality}\n`;
}
