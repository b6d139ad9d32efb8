/**
 * @file PHYLIP alignments, as programs that infer trees read them (RAxML, IQ-TREE, PhyML).
 *
 * Grammar: the number of sequences n and of columns w, then the rows. Names are *relaxed*: any length, ended by the
 * first blank and not by column 10. Letters may be parted by blanks. *Sequential* rows follow each other, each on as
 * many lines as its w columns take; *interleaved* files have a block with a line of every row, names in the first
 * block only, and then further blocks. Nothing in a file says which of the two it is: it is taken for interleaved
 * where blank lines part it into blocks of n lines, else for the one in which the numbers come out right, sequential
 * first. Refused: numbers that do not come out right in either, names that come twice.
 *
 * Written: sequential, a row a line, blanks in names as underscores.
 *
 * Source: Felsenstein, PHYLIP 3.6 documentation, "Molecular sequence programs"; Stamatakis, the RAxML manual.
 */

import { FormatError, type Location } from "../error.ts";
import { alignRows, writtenRows, type AlignedSequences, type NamedRow } from "./aligned-rows.ts";
import { relaxedNames } from "./relaxed-names.ts";

const HEADER = /^\s*(\d+)\s+(\d+)\s*$/;

/** Whether a first line is that of a PHYLIP alignment. */
export function isPhylipHeader(line: string): boolean {
  return HEADER.test(line);
}

/** A line that is not blank. */
interface Line {
  text: string;
  number: number;
  /** How many blank lines came before it. */
  block: number;
}

/** Reads the lines of a PHYLIP alignment, sequential or interleaved. */
export function readPhylipAlignment(lines: readonly string[], { file }: Location = {}): AlignedSequences {
  const content: Line[] = [];
  let block = 0;
  lines.forEach((text, index) => {
    if (text.trim() === "") block++;
    else content.push({ text: text.trim(), number: index + 1, block });
  });
  const [first, ...body] = content;
  const header = first === undefined ? null : HEADER.exec(first.text);
  if (header === null) {
    throw new FormatError("PHYLIP alignment: must begin with the numbers of sequences and of columns", {
      file,
      line: first?.number ?? 1,
    });
  }
  const [count, width] = [Number(header[1]), Number(header[2])];
  const layouts = inBlocks(body, count) ? [interleaved, sequential] : [sequential, interleaved];
  const readings = layouts.map((layout) => layout(body, count, width));
  const rows = readings.find((reading) => Array.isArray(reading));
  if (rows !== undefined) return alignRows(rows, { file });
  // Neither comes out right: the one that was tried first is the one to tell of.
  const [{ rule, line, record }] = readings as Misfit[];
  throw new FormatError(`PHYLIP alignment: ${rule}`, { file, line: line ?? first.number, record });
}

/** Why the lines of a file are not in a layout. */
interface Misfit {
  rule: string;
  line?: number;
  record?: string;
}

/** Whether blank lines part the body into blocks of `count` lines, two of them at least. */
function inBlocks(body: readonly Line[], count: number): boolean {
  if (body.length <= count || body.length % count !== 0) return false;
  return body.every((line, i) => i === 0 || (line.block !== body[i - 1].block) === (i % count === 0));
}

const withoutBlanks = (text: string): string => text.replace(/\s+/g, "");

/** The name that a line begins with, and the letters after it. */
function nameAndLetters({ text }: Line): { id: string; letters: string } {
  const end = text.search(/\s/);
  if (end < 0) return { id: text, letters: "" };
  return { id: text.slice(0, end), letters: withoutBlanks(text.slice(end)) };
}

function sequential(body: readonly Line[], count: number, width: number): NamedRow[] | Misfit {
  const rows: NamedRow[] = [];
  let at = 0;
  while (rows.length < count) {
    if (at >= body.length) {
      return { rule: `must have ${count} rows, as its first line says, got ${rows.length}` };
    }
    const { number } = body[at];
    const { id, letters } = nameAndLetters(body[at++]);
    const pieces = [letters];
    let length = letters.length;
    while (length < width && at < body.length) {
      const piece = withoutBlanks(body[at++].text);
      pieces.push(piece);
      length += piece.length;
    }
    if (length !== width) return misfitRow(id, number, length, width);
    rows.push({ id, line: number, row: pieces.join("") });
  }
  if (at < body.length) {
    return { rule: `must have ${count} rows, as its first line says, got more`, line: body[at].number };
  }
  return rows;
}

function interleaved(body: readonly Line[], count: number, width: number): NamedRow[] | Misfit {
  if (count === 0 || body.length === 0 || body.length % count !== 0) {
    return { rule: `must have ${count} rows a block, got ${body.length} lines in all` };
  }
  const rows: NamedRow[] = [];
  for (let i = 0; i < count; i++) {
    const { id, letters } = nameAndLetters(body[i]);
    const pieces = [letters];
    for (let at = i + count; at < body.length; at += count) pieces.push(withoutBlanks(body[at].text));
    const row = pieces.join("");
    if (row.length !== width) return misfitRow(id, body[i].number, row.length, width);
    rows.push({ id, line: body[i].number, row });
  }
  return rows;
}

function misfitRow(record: string, line: number, length: number, width: number): Misfit {
  return {
    rule: `a row must have ${width} columns, as the first line says, got ${length}`,
    line,
    record,
  };
}

/** The names that a PHYLIP file has for `ids`; throws EmbranchError where it cannot tell them apart. */
export function phylipNames(ids: readonly string[]): string[] {
  return relaxedNames(ids, "phylip", "rename one");
}

/** The alignment as text, row by row. */
export function* formatPhylipAlignment(aligned: AlignedSequences): Generator<string, void, undefined> {
  const names = phylipNames(aligned.ids);
  const margin = names.reduce((longest, name) => Math.max(longest, name.length + 1), 0);
  yield `${names.length} ${aligned.alignment.width}\n`;
  let i = 0;
  for (const row of writtenRows(aligned)) yield `${names[i++].padEnd(margin)}${row}\n`;
}
