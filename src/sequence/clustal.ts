/**
 * @file Clustal: the alignment as people read it, in blocks of 60 columns with a line of conservation below.
 *
 * Grammar: a first line that begins with `CLUSTAL`, or says `multiple sequence alignment` as those of MUSCLE, Kalign
 * and ProbCons do; then blocks, parted by blank lines. A line of a block is a name, blanks, letters, and perhaps the
 * number of letters so far. A line that begins with a blank holds the marks of conservation, and is passed over. Every
 * block names the sequences again. Refused: a name twice in a block, lines of more words, rows of different lengths
 * (what a file that was cut short shows).
 *
 * Written: whole names, blanks in them as underscores, and the marks of ClustalW: `*` under columns of one letter
 * and, for proteins, `:` and `.` under columns whose letters are all of one of its strong or weak groups.
 *
 * Source: Thompson, Higgins and Gibson, "CLUSTAL W", Nucleic Acids Research 1994; the groups are those of its manual.
 */

import { FormatError, type Location } from "../error.ts";
import { alignRows, BlockRows, type AlignedSequences } from "./aligned-rows.ts";
import type { Alignment } from "./alignment.ts";
import { guessAlphabet, PROTEIN, type Alphabet } from "./alphabet.ts";
import { relaxedNames } from "./relaxed-names.ts";

const COLUMNS = 60;
/** Where rows begin at least, as ClustalW has it. */
const MARGIN = 16;

/** Whether a first line is that of a Clustal file. */
export function isClustalHeader(line: string): boolean {
  return /^CLUSTAL/i.test(line) || /^\S.*multiple sequence alignment/i.test(line);
}

/** Reads the lines of a Clustal file. */
export function readClustal(lines: readonly string[], { file }: Location = {}): AlignedSequences {
  const rows = new BlockRows();
  let begun = false;
  lines.forEach((text, index) => {
    const line = index + 1;
    if (text.trim() === "" || /^\s/.test(text)) {
      rows.endBlock();
      if (/[^\s*:.]/.test(text)) {
        throw new FormatError(
          "line: must begin with a name, or hold marks of conservation (* : .) alone, got other letters after blanks",
          { file, line },
        );
      }
      return;
    }
    if (!begun) {
      begun = true;
      if (isClustalHeader(text)) return;
      throw new FormatError('Clustal: must begin with a line that begins with "CLUSTAL"', { file, line });
    }
    const [id, letters, count, ...more] = text.trimEnd().split(/\s+/);
    if (letters === undefined || more.length > 0 || (count !== undefined && !/^\d+$/.test(count))) {
      const words = letters === undefined ? 1 : 2 + Number(count !== undefined) + more.length;
      throw new FormatError(
        `line: must hold a name, letters and perhaps their number, got ${words} ${words === 1 ? "word" : "words"}`,
        { file, line },
      );
    }
    rows.add(id, letters, { file, line });
  });
  return alignRows(rows.rows(), { file });
}

export interface FormatClustalOptions {
  /** The alphabet, which decides on the marks of conservation; guessed by default. */
  alphabet?: Alphabet;
}

/** The names that a Clustal file has for `ids`; throws EmbranchError where it cannot tell them apart. */
export function clustalNames(ids: readonly string[]): string[] {
  return relaxedNames(ids, "clustal", "rename one");
}

/** The alignment as text, block by block. */
export function* formatClustal(
  { ids, letters, alignment }: AlignedSequences,
  { alphabet = guessAlphabet(letters) }: FormatClustalOptions = {},
): Generator<string, void, undefined> {
  const names = clustalNames(ids);
  const margin = names.reduce((longest, name) => Math.max(longest, name.length + 1), MARGIN);
  const marks = conservation(letters, alignment, alphabet);
  /** Letters of each sequence that are written. */
  const written = new Uint32Array(names.length);
  yield "CLUSTAL multiple sequence alignment\n";
  for (let from = 0; from < alignment.width; from += COLUMNS) {
    const to = Math.min(from + COLUMNS, alignment.width);
    yield "\n\n";
    for (const [i, name] of names.entries()) {
      const columns = alignment.columns[i];
      let piece = "";
      for (let column = from; column < to; column++) {
        piece += columns[written[i]] === column ? letters[i][written[i]++] : "-";
      }
      yield `${name.padEnd(margin)}${piece}\n`;
    }
    yield `${" ".repeat(margin)}${marks.slice(from, to)}\n`;
  }
}

const STRONG = "STA NEQK NHQK NDEQ QHRK MILV MILF HY FYW".split(" ").map(lettersMask);
const WEAK = "CSA ATV SAG STNK STPA SGND SNDEQK NDEQHK NEQHRK FVLIM HFY".split(" ").map(lettersMask);

/** Letters A to Z as bits 0 to 25, whatever their case; anything else as bit 26. */
function letterBit(character: number): number {
  const place = (character | 0x20) - 0x61;
  return 1 << (place >= 0 && place < 26 ? place : 26);
}

function lettersMask(letters: string): number {
  let mask = 0;
  for (let i = 0; i < letters.length; i++) mask |= letterBit(letters.charCodeAt(i));
  return mask;
}

/** One mark a column; a column with a gap has a blank. */
function conservation(letters: readonly string[], { width, columns }: Alignment, alphabet: Alphabet): string {
  const masks = new Uint32Array(width);
  const counts = new Uint32Array(width);
  columns.forEach((places, i) => {
    for (let k = 0; k < places.length; k++) {
      masks[places[k]] |= letterBit(letters[i].charCodeAt(k));
      counts[places[k]]++;
    }
  });
  const protein = alphabet === PROTEIN;
  const marks: string[] = [];
  for (let column = 0; column < width; column++) {
    const mask = masks[column];
    const within = (group: number) => (mask & ~group) === 0;
    if (counts[column] < columns.length) marks.push(" ");
    else if ((mask & (mask - 1)) === 0) marks.push("*");
    else if (protein && STRONG.some(within)) marks.push(":");
    else if (protein && WEAK.some(within)) marks.push(".");
    else marks.push(" ");
  }
  return marks.join("");
}
