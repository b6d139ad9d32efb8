/** @file Labelled sequences on the command line: which columns they are in, and reading them. */

import type { Command } from "commander";
import { alphabetNamed, type Alphabet, type AlphabetName } from "../sequence/index.ts";
import { readLabelled, type LabelledSet } from "../task/classify/dataset.ts";
import { openInput } from "./input.ts";
import { formatCount, Progress } from "./progress.ts";

/** What labelled data may be, for help. */
export const LABELLED_DATA =
  "labelled sequences: a table (CSV or TSV, plain or gzip; - is standard input) with columns sequence, label and perhaps split, a folder with train.csv, dev.csv and test.csv, or one with a folder or FASTA file for each class";

export interface ColumnOptions {
  sequenceColumn?: string;
  labelColumn?: string;
  splitColumn?: string;
}

/** Adds the options that name columns. */
export function withColumns(command: Command): Command {
  return command
    .option("--sequence-column <name>", "of a table: the column of sequences (default: recognised)")
    .option("--label-column <name>", "the column of labels (default: recognised)")
    .option("--split-column <name>", "the column that says train, dev or test (default: recognised)");
}

export interface LoadLabelledOptions extends ColumnOptions {
  alphabet?: AlphabetName | Alphabet;
  /** The classes that a model knows; by default those that occur. */
  classes?: readonly string[];
  quiet?: boolean;
}

/** Reads labelled sequences and says what was odd about them. */
export async function loadLabelled(
  path: string,
  { sequenceColumn, labelColumn, splitColumn, alphabet, classes, quiet }: LoadLabelledOptions = {},
): Promise<LabelledSet> {
  const progress = new Progress(`reading ${path === "-" ? "stdin" : path}`, { unit: "sequences", quiet });
  try {
    const labelled = await readLabelled(path, {
      sequence: sequenceColumn,
      label: labelColumn,
      split: splitColumn,
      alphabet: typeof alphabet === "string" ? alphabetNamed(alphabet) : alphabet,
      classes,
      open: bytesOf,
      progress: (count) => progress.update(count),
    });
    progress.stop();
    for (const note of oddities(labelled)) progress.note(`${labelled.name}: ${note}`);
    return labelled;
  } finally {
    progress.stop();
  }
}

async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const input = await openInput(path);
  try {
    yield* input.bytes;
  } finally {
    await input.close();
  }
}

function* oddities({ set, replaced, splits }: LabelledSet): Generator<string> {
  const count = set.ids.length;
  if (replaced.letters > 0) yield replacedNote(replaced, set.alphabet.name);
  const { records, letters } = set.ambiguous;
  if (records > 0) {
    yield `${formatCount(records)} of ${formatCount(count)} sequences hold letters that are read as unknown (${formatCount(letters)} in all)`;
  }
  const unused = splits?.filter((split) => split === undefined).length ?? 0;
  if (unused > 0)
    yield `${formatCount(unused)} of ${formatCount(count)} sequences are of no part of the split, and left out`;
}

/** What is said of letters that are none of the alphabet. */
export function replacedNote({ records, letters }: LabelledSet["replaced"], alphabet: AlphabetName): string {
  const kind = alphabet === "dna" ? "DNA" : "proteins";
  return `${formatCount(letters)} letters that are none of ${kind}, in ${formatCount(records)} sequences, are read as unknown`;
}
