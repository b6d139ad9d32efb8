/**
 * @file Reads and writes a file of aligned sequences, whatever its format.
 *
 * The format of a file that is read is recognised from its first line that is not blank: `>` FASTA, `# STOCKHOLM`
 * Stockholm, two numbers PHYLIP, `CLUSTAL` (or another program's `multiple sequence alignment`) Clustal. That of one
 * to be written follows from the ending of its name. The whole file is held in memory, as the alignment is.
 */

import { FormatError } from "../error.ts";
import { alignRows, writtenRows, type AlignedSequences } from "./aligned-rows.ts";
import { alphabetNamed, encode, guessAlphabet, type Alphabet, type AlphabetName } from "./alphabet.ts";
import { clustalNames, formatClustal, isClustalHeader, readClustal } from "./clustal.ts";
import { fastaParser, formatFasta } from "./fasta.ts";
import { unpack } from "./gzip.ts";
import {
  formatPhylipAlignment,
  isPhylipHeader,
  phylipNames,
  readPhylipAlignment,
} from "./phylip-alignment.ts";
import { looksBinary, type SequenceRecord } from "./record.ts";
import { relaxedNames } from "./relaxed-names.ts";
import { formatStockholm, isStockholmHeader, readStockholm, stockholmNames } from "./stockholm.ts";
import { lineBatches, type ByteSource } from "./text.ts";

export type { AlignedSequences } from "./aligned-rows.ts";

/** Formats of aligned sequences. */
export const ALIGNMENT_FORMATS = ["fasta", "clustal", "stockholm", "phylip"] as const;

export type AlignmentFormat = (typeof ALIGNMENT_FORMATS)[number];

/** What a format does. */
interface FormatOfAlignments {
  /** Endings of its files. */
  endings: RegExp;
  /** Whether a file that begins with this line is in it. */
  begins: (line: string) => boolean;
  read: (lines: readonly string[], location: { file?: string }) => AlignedSequences;
  /** The names that ids get in it; throws EmbranchError where two become one. */
  names: (ids: readonly string[]) => string[];
  write: (aligned: AlignedSequences, alphabet?: Alphabet) => Generator<string, void, undefined>;
}

const fastaNames = (ids: readonly string[]): string[] => relaxedNames(ids, "fasta", "rename one");

const FORMATS: Record<AlignmentFormat, FormatOfAlignments> = {
  fasta: {
    endings: /\.(fa|fasta|fna|faa|afa)$/i,
    begins: (line) => /^[>;]/.test(line),
    read: readAlignedFasta,
    names: fastaNames,
    write: formatAlignedFasta,
  },
  clustal: {
    endings: /\.(aln|clustal|clw)$/i,
    begins: isClustalHeader,
    read: readClustal,
    names: clustalNames,
    write: (aligned, alphabet) => formatClustal(aligned, { alphabet }),
  },
  stockholm: {
    endings: /\.(sto|stk|stockholm)$/i,
    begins: isStockholmHeader,
    read: readStockholm,
    names: stockholmNames,
    write: formatStockholm,
  },
  phylip: {
    endings: /\.(phy|phylip)$/i,
    begins: isPhylipHeader,
    read: readPhylipAlignment,
    names: phylipNames,
    write: formatPhylipAlignment,
  },
};

/** The format that the ending of a file's name tells; undefined where it tells none. */
export function alignmentFormatOf(path: string): AlignmentFormat | undefined {
  return ALIGNMENT_FORMATS.find((format) => FORMATS[format].endings.test(path));
}

export interface ReadAlignmentOptions {
  /** Name of the file, for errors. */
  file?: string;
  /** The format; by default it is recognised. */
  format?: AlignmentFormat;
}

/**
 * Reads a file of aligned sequences, plain or gzip.
 *
 * @throws FormatError for what is in none of the formats, rows of different lengths and names that come twice
 */
export async function readAlignment(
  source: ByteSource,
  { file, format }: ReadAlignmentOptions = {},
): Promise<AlignedSequences> {
  const lines: string[] = [];
  for await (const batch of lineBatches(unpack(source, { file }), { file })) {
    for (const line of batch) lines.push(line);
  }
  return FORMATS[format ?? recognise(lines, file)].read(lines, { file });
}

function recognise(lines: readonly string[], file?: string): AlignmentFormat {
  const at = lines.findIndex((line) => line.trim() !== "");
  if (at < 0) {
    throw new FormatError("alignment: must hold at least one sequence, got none: the file is empty", {
      file,
    });
  }
  const format = ALIGNMENT_FORMATS.find((name) => FORMATS[name].begins(lines[at]));
  if (format !== undefined) return format;
  const start = lines[at].slice(0, 30);
  const got = looksBinary(start) ? "binary data" : JSON.stringify(start);
  throw new FormatError(`alignment: not FASTA, Clustal, Stockholm or PHYLIP, got ${got}`, {
    file,
    line: at + 1,
  });
}

function readAlignedFasta(lines: readonly string[], location: { file?: string }): AlignedSequences {
  const records: SequenceRecord[] = [];
  const parser = fastaParser(location);
  lines.forEach((line, index) => parser.line(line, index + 1, records));
  parser.end(records);
  const rows = records.map(({ id, description, sequence, line }) => ({
    id,
    description,
    row: sequence,
    line,
  }));
  return alignRows(rows, location);
}

function* formatAlignedFasta(aligned: AlignedSequences): Generator<string, void, undefined> {
  const names = fastaNames(aligned.ids);
  let i = 0;
  for (const sequence of writtenRows(aligned)) {
    yield formatFasta({ id: names[i], description: aligned.descriptions?.[i] ?? "", sequence });
    i++;
  }
}

/**
 * The letters of an alignment as codes, of the alphabet of this name or, without one, of that which is guessed.
 *
 * @throws FormatError for a letter outside the alphabet
 */
export function encodeAligned(
  { ids, letters }: AlignedSequences,
  { alphabet: name, file }: { alphabet?: AlphabetName; file?: string } = {},
): { alphabet: Alphabet; codes: Uint8Array[] } {
  const alphabet = name === undefined ? guessAlphabet(letters) : alphabetNamed(name);
  const codes = letters.map((each, i) => encode(each, alphabet, { file, record: ids[i] }).codes);
  return { alphabet, codes };
}

/** Throws EmbranchError where the format cannot tell `ids` apart, or hold one of them. */
export function checkAlignmentNames(ids: readonly string[], format: AlignmentFormat): void {
  FORMATS[format].names(ids);
}

export interface FormatAlignmentOptions {
  /** Default FASTA. */
  format?: AlignmentFormat;
  /** The alphabet, by which Clustal marks conservation; guessed by default. */
  alphabet?: Alphabet;
}

/**
 * The alignment as text, piece by piece; blanks in ids become underscores.
 *
 * @throws EmbranchError for ids that the format cannot tell apart, and for an alignment without columns
 */
export function formatAlignment(
  aligned: AlignedSequences,
  { format = "fasta", alphabet }: FormatAlignmentOptions = {},
): Generator<string, void, undefined> {
  checkAlignmentNames(aligned.ids, format);
  if (aligned.alignment.width === 0) {
    throw new FormatError("alignment: must have at least one column to be written, got none");
  }
  return FORMATS[format].write(aligned, alphabet);
}
