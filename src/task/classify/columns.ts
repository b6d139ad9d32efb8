/**
 * @file Which columns of a table are the sequence, its label and its part of the split.
 *
 * Columns that the user names come first, then those of known names (`sequence`, `label`, `split`, …). A table of two
 * columns needs one such name only, and the published sets whose header says nothing are read by place, sequence
 * then label, as the reference of the hyperbolic genome embeddings reads them (SPEC C1). A column of names (`id`, …) is
 * taken for neither unless the user says so. A file that begins with data is told from that, so that its first sequence
 * is not lost.
 */

import { FormatError, type Location } from "../../error.ts";
import { findColumn, ID_COLUMNS, SEQUENCE_COLUMNS, type RecordColumns } from "../../sequence/csv.ts";

/** What a sequence is for: training, choosing among models, or the final test. */
export type SplitName = "train" | "dev" | "test";

const SPLIT_WORDS: Record<string, SplitName> = {
  train: "train",
  training: "train",
  dev: "dev",
  valid: "dev",
  validation: "dev",
  val: "dev",
  test: "test",
  testing: "test",
};

/** The part of a split that a word, in any case, means. */
export function splitNamed(word: string): SplitName | undefined {
  const key = word.trim().toLowerCase();
  return Object.hasOwn(SPLIT_WORDS, key) ? SPLIT_WORDS[key] : undefined;
}

/** Names of the label column, best first; case does not matter. */
const LABEL_COLUMNS = ["label", "labels", "class", "target"];
/** Names of the split column, best first; case does not matter. */
const SPLIT_COLUMNS = ["split", "partition"];

/** Columns by name, in any case; those that are not given are recognised. */
export interface ColumnNames {
  sequence?: string;
  label?: string;
  split?: string;
}

/** Places of the columns of a labelled table. */
export interface LabelledColumns extends RecordColumns {
  label: number;
  /** −1 where the table has no split. */
  split: number;
  /** Whether the sequence and the label were found by their names. */
  named: boolean;
}

/**
 * Chooses the columns of a labelled table.
 *
 * @throws FormatError when there is no column of sequences or of labels, or not the one that was named
 */
export function labelledColumns(
  columns: readonly string[],
  wanted: ColumnNames,
  location: Location,
): LabelledColumns {
  checkHeader(columns, location);
  const split = namedColumn(columns, wanted.split, "split", location) ?? findColumn(columns, SPLIT_COLUMNS);
  const mine = namedColumn(columns, wanted.label, "label", location);
  /** The column of a known name, if nothing else is in it. */
  const known = (names: readonly string[], ...taken: (number | undefined)[]) => {
    const index = findColumn(columns, names);
    return index === split || taken.includes(index) ? -1 : index;
  };
  let sequence = namedColumn(columns, wanted.sequence, "sequence", location) ?? known(SEQUENCE_COLUMNS, mine);
  let label = mine ?? known(LABEL_COLUMNS, sequence);
  const found = { sequence: sequence >= 0, label: label >= 0 };
  const others = [...columns.keys()].filter((i) => i !== split && i !== sequence && i !== label);
  const id = findColumn(columns, ID_COLUMNS);
  const guessed = (index = -1) => (index === id ? -1 : index);
  if (!found.sequence && !found.label) {
    [sequence, label] = [guessed(others[0]), guessed(others[1])];
  } else if (others.length === 1) {
    if (!found.sequence) sequence = guessed(others[0]);
    if (!found.label) label = guessed(others[0]);
  }
  for (const [what, index] of Object.entries({ sequence, label })) {
    if (index < 0) {
      throw new FormatError(
        `table: must have a column "${what}", or one that you name as the ${what} column; ${listed(columns)}`,
        location,
      );
    }
  }
  if (sequence === label || label === split || sequence === split) {
    throw new FormatError(
      `table: sequence, label and split must be columns of their own; ${listed(columns)}`,
      location,
    );
  }
  const taken = id === sequence || id === label || id === split;
  return { sequence, label, split, id: taken ? -1 : id, named: found.sequence && found.label };
}

function listed(columns: readonly string[]): string {
  const names = columns.map((column) => JSON.stringify(column)).join(", ");
  return `its columns are ${names.length > 200 ? `${names.slice(0, 200)} …` : names}`;
}

/**
 * Place of the column that the user named, exactly or in any case; nothing where none was.
 *
 * @throws FormatError when there is no such column
 */
export function namedColumn(
  columns: readonly string[],
  name: string | undefined,
  what: string,
  location: Location,
): number | undefined {
  if (name === undefined) return undefined;
  const exact = columns.indexOf(name);
  const index = exact >= 0 ? exact : findColumn(columns, [name.trim().toLowerCase()]);
  if (index >= 0) return index;
  throw new FormatError(
    `table: must have the ${what} column ${JSON.stringify(name)}; ${listed(columns)}`,
    location,
  );
}

/** Nucleotides that are hardly the name of a column. */
const NUCLEOTIDES = /^[ACGTUN]{8,}$/i;

function checkHeader(columns: readonly string[], location: Location): void {
  const [first] = columns;
  if (first.startsWith(">") || first.startsWith("@")) {
    throw new FormatError(
      "table: must be CSV or TSV with a column of labels, got FASTA or FASTQ: " +
        "write a table, or a folder with a FASTA file for each class",
      location,
    );
  }
  if (columns.some((column) => NUCLEOTIDES.test(column))) {
    throw new FormatError(
      'table: must begin with a header that names the columns, got a sequence: add a line such as "sequence,label"',
      location,
    );
  }
}
