/**
 * @file What every alignment file comes down to: named rows of letters and gaps, equally long.
 *
 * Formats differ in how they cut rows into lines; what a row may hold, and that all are equally long and have names of
 * their own, is checked here for all of them. Formats in blocks, each a piece of every
 * row, collect their rows here. Letters stay as they stand, in their case: `encode` knows the alphabet.
 */

import { FormatError, type Location } from "../error.ts";
import { alignedRow, alignmentOfRows, type Alignment } from "./alignment.ts";

/** Sequences of a file that stand aligned. */
export interface AlignedSequences {
  /** Names, all different. */
  ids: string[];
  /** What the file says of each sequence besides its name; absent where it says nothing of any. */
  descriptions?: string[];
  /** Letters of each sequence without gaps, as they stand in the file. */
  letters: string[];
  alignment: Alignment;
}

/** A row as a reader finds it. */
export interface NamedRow {
  id: string;
  description?: string;
  /** Letters, `-` and `.`. */
  row: string;
  /** Line on which it begins, from 1. */
  line?: number;
}

/** A character that is neither a letter, the stop of proteins, nor a gap. */
const NO_LETTER = /[^A-Za-z*.-]/u;

/**
 * The alignment that the rows of a file show.
 *
 * @throws FormatError for no rows, rows of different lengths, names that come twice, characters that are no letters
 */
export function alignRows(rows: readonly NamedRow[], { file }: Location = {}): AlignedSequences {
  if (rows.length === 0) {
    throw new FormatError("alignment: must hold at least one sequence, got none: the file is empty", {
      file,
    });
  }
  const lines = new Map<string, number | undefined>();
  const width = rows[0].row.length;
  for (const { id, row, line } of rows) {
    const location = { file, line, record: id };
    if (lines.has(id)) {
      throw new FormatError("id: must be unique, got it twice: rename one of them", location);
    }
    lines.set(id, line);
    const odd = NO_LETTER.exec(row);
    if (odd !== null) {
      throw new FormatError(
        `row: must consist of letters and the gaps "-" and ".", got ${JSON.stringify(odd[0])} in column ${odd.index + 1}`,
        location,
      );
    }
    if (row.length !== width) {
      throw new FormatError(
        `row: must have ${width} columns like the first, got ${row.length}: the sequences are not aligned, or the file is cut short`,
        location,
      );
    }
  }
  const described = rows.some(({ description }) => description !== undefined && description !== "");
  return {
    ids: rows.map(({ id }) => id),
    ...(described && { descriptions: rows.map(({ description }) => description ?? "") }),
    ...alignmentOfRows(rows.map(({ row }) => row)),
  };
}

/** Collects rows that go on from block to block. */
export class BlockRows {
  readonly #rows = new Map<string, { line?: number; pieces: string[] }>();
  readonly #block = new Set<string>();

  /** Adds letters to the row `id`; throws FormatError where the block has some of it already. */
  add(id: string, letters: string, { file, line }: Location): void {
    if (this.#block.has(id)) {
      throw new FormatError("id: must be unique in a block, got it twice: rename one of them", {
        file,
        line,
        record: id,
      });
    }
    this.#block.add(id);
    const row = this.#rows.get(id);
    if (row === undefined) this.#rows.set(id, { line, pieces: [letters] });
    else row.pieces.push(letters);
  }

  /** What follows is of another block. */
  endBlock(): void {
    this.#block.clear();
  }

  /** The rows, in the order in which they began. */
  rows(): NamedRow[] {
    return Array.from(this.#rows, ([id, { line, pieces }]) => ({ id, line, row: pieces.join("") }));
  }
}

/** The rows that `alignRows` reads, one by one. */
export function* writtenRows({ letters, alignment }: AlignedSequences): Generator<string, void, undefined> {
  const { width, columns } = alignment;
  for (let i = 0; i < letters.length; i++) yield alignedRow(letters[i], columns[i], width);
}
