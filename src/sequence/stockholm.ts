/**
 * @file Stockholm 1.0, the format of Pfam, Rfam and HMMER.
 *
 * Grammar: `# STOCKHOLM 1.0`, then lines of a name, blanks and letters, and `//` at the end. Rows may go on in further
 * blocks, parted by blank lines. Marks begin with `#=`: of the file (GF), of columns (GC), of sequences (GS), of
 * letters (GR). Of these `#=GS name DE text` is the description of a sequence, all others are passed over, as are
 * comments (`#`). Refused: a missing `//`, a sign of a truncated file, a second alignment after it, a name twice in
 * a block, lines of more words, rows of different lengths.
 *
 * Written: one line a row, blanks in names as underscores, descriptions as `#=GS … DE`.
 *
 * Source: "Stockholm format", in Eddy, HMMER User's Guide; Sonnhammer et al., "Pfam", Nucleic Acids Research 1998.
 */

import { EmbranchError, FormatError, type Location } from "../error.ts";
import { alignRows, BlockRows, writtenRows, type AlignedSequences } from "./aligned-rows.ts";
import { relaxedNames } from "./relaxed-names.ts";

/** Whether a first line is that of a Stockholm file. */
export function isStockholmHeader(line: string): boolean {
  return /^#\s*STOCKHOLM\s+1\.\d/i.test(line);
}

/** Reads the lines of a Stockholm file. */
export function readStockholm(lines: readonly string[], { file }: Location = {}): AlignedSequences {
  const rows = new BlockRows();
  const descriptions = new Map<string, string>();
  let begun = false;
  let ended = false;
  lines.forEach((raw, index) => {
    const line = index + 1;
    const text = raw.trim();
    if (text === "") {
      rows.endBlock();
      return;
    }
    if (ended) {
      throw new FormatError('Stockholm: must end with "//" after one alignment, got more: split the file', {
        file,
        line,
      });
    }
    if (!begun) {
      begun = true;
      if (isStockholmHeader(text)) return;
      throw new FormatError('Stockholm: must begin with "# STOCKHOLM 1.0"', { file, line });
    }
    if (text === "//") {
      ended = true;
      return;
    }
    if (text.startsWith("#")) {
      const mark = /^#=GS\s+(\S+)\s+DE\s+(.*)$/.exec(text);
      if (mark === null) return;
      const [, id, description] = mark;
      const before = descriptions.get(id);
      descriptions.set(id, before === undefined ? description : `${before} ${description}`);
      return;
    }
    const [id, letters, ...more] = text.split(/\s+/);
    if (letters === undefined || more.length > 0) {
      const words = letters === undefined ? 1 : 2 + more.length;
      throw new FormatError(
        `line: must hold a name and letters, got ${words} ${words === 1 ? "word" : "words"}`,
        { file, line },
      );
    }
    rows.add(id, letters, { file, line });
  });
  if (begun && !ended) {
    throw new FormatError('Stockholm: must end with "//", got the end of the file: it is cut short', {
      file,
      line: lines.length,
    });
  }
  const described = rows.rows().map((row) => ({ ...row, description: descriptions.get(row.id) }));
  return alignRows(described, { file });
}

/** The names that a Stockholm file has for `ids`; throws EmbranchError for those that it cannot hold. */
export function stockholmNames(ids: readonly string[]): string[] {
  const names = relaxedNames(ids, "stockholm", "rename one");
  const odd = names.findIndex((name) => name.startsWith("#") || name === "//");
  if (odd < 0) return names;
  throw new EmbranchError(`stockholm: a name must not begin with "#" nor be "//", got "${ids[odd]}"`);
}

/** The alignment as text, row by row. */
export function* formatStockholm(aligned: AlignedSequences): Generator<string, void, undefined> {
  const { descriptions } = aligned;
  const names = stockholmNames(aligned.ids);
  const margin = names.reduce((longest, name) => Math.max(longest, name.length + 1), 0);
  yield "# STOCKHOLM 1.0\n";
  if (descriptions !== undefined) {
    for (const [i, name] of names.entries()) {
      const text = descriptions[i].trim().replace(/\s+/g, " ");
      if (text !== "") yield `#=GS ${name.padEnd(margin)}DE ${text}\n`;
    }
  }
  yield "\n";
  let i = 0;
  for (const row of writtenRows(aligned)) yield `${names[i++].padEnd(margin)}${row}\n`;
  yield "//\n";
}
