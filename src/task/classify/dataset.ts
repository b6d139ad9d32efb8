/**
 * @file Labelled sequences: what a classifier learns from and is tested on.
 *
 * All layouts (layouts.ts) come down to parts that are streamed one after another: records are cleaned, encoded and
 * numbered by class. Letters are judged less strictly than elsewhere, because published sets hold odd ones and one of
 * them must not cost a training run: U reads as T, lower case as upper case, ambiguity letters keep their codes, and
 * letters that mean nothing in DNA become N and are counted in `replaced`. What is no letter is an error, as is an
 * empty sequence.
 *
 * Ids that occur again are renamed `id_2`; those of sets of several files begin with the file's part, `train/17`.
 * Classes are in ascending order, as numbers where all of them are whole numbers.
 */

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { FormatError, type Location } from "../../error.ts";
import {
  collect,
  guessAlphabet,
  readSequences,
  type Alphabet,
  type SequenceRecord,
  type SequenceSet,
} from "../../sequence/index.ts";
import type { ChooseColumns } from "../../sequence/csv.ts";
import { explain } from "../../system-error.ts";
import { labelledColumns, splitNamed, type ColumnNames, type SplitName } from "./columns.ts";
import { LabelCollector } from "./labels.ts";
import { layoutOf, openFile, setName, type OpenFile, type Part } from "./layouts.ts";

export { findLabelled, type FoundSet } from "./layouts.ts";
export type { SplitName } from "./columns.ts";

/** Sequences with their classes. */
export interface LabelledSet {
  /** Name of the file or folder. */
  name: string;
  /** Names of the classes, ascending; numerically where all are whole numbers. */
  classes: readonly string[];
  set: SequenceSet;
  /** [sequences] Number of the class of each. */
  labels: Uint16Array;
  /** [sequences] The part each belongs to, undefined where its row names none; absent where there is no split. */
  splits?: readonly (SplitName | undefined)[];
  /** Letters that are none of the alphabet and were read as unknown: sequences that hold them, and letters. */
  replaced: { records: number; letters: number };
}

export interface ReadLabelledOptions extends ColumnNames {
  /** The alphabet; by default it is guessed. */
  alphabet?: Alphabet;
  /** The classes there may be, in their order, as a model knows them; by default those that occur. */
  classes?: readonly string[];
  /** Gives the bytes of a table or FASTA file; by default from the file system. */
  open?: OpenFile;
  /** Told now and then how many sequences have been read. */
  progress?: (sequences: number) => void;
}

/** Records from which the alphabet is guessed. */
const GUESS_FROM = 1000;

/**
 * Reads labelled sequences: a table, or a folder of one of the layouts of layouts.ts.
 *
 * The names of columns apply to tables; FASTA and text files have their labels from the folders.
 *
 * @throws FormatError for tables without the columns, unknown words for a split, empty labels and sequences, fewer
 *   than two classes, and classes that occur in test or dev but not in train
 */
export async function readLabelled(path: string, options: ReadLabelledOptions = {}): Promise<LabelledSet> {
  const { classes, progress } = options;
  const parts = await layoutOf(path);
  const labels = new LabelCollector({ file: path === "-" ? "stdin" : path, classes, progress });
  const replaced = { records: 0, letters: 0 };
  const sets: SequenceSet[] = [];
  let { alphabet } = options;
  for (const part of parts) {
    const guessed = await guessing(labelledRecords(part, labels, options), alphabet);
    alphabet ??= guessed.alphabet;
    const known = knownLetters(guessed.records, alphabet, replaced);
    const set = await collect(known, { alphabet, onDuplicate: "rename", file: part.file });
    if (part.prefix !== "") set.ids = set.ids.map((id) => part.prefix + id);
    sets.push(set);
  }
  const { numbers, names, splits } = labels.finish();
  const labelled: LabelledSet = {
    name: setName(path),
    classes: names,
    set: joined(sets),
    labels: numbers,
    replaced,
  };
  if (splits) labelled.splits = splits;
  return labelled;
}

/** Indices of the sequences of a part of the split, ascending; none where the set has no split. */
export function ofSplit({ splits = [] }: Pick<LabelledSet, "splits">, split: SplitName): Uint32Array {
  return Uint32Array.from(splits.keys()).filter((i) => splits[i] === split);
}

/** The records of a part, their labels given to `labels`. */
function labelledRecords(
  part: Part,
  labels: LabelCollector,
  options: ReadLabelledOptions,
): AsyncGenerator<SequenceRecord> {
  switch (part.kind) {
    case "table":
      return tableRecords(part, labels, options);
    case "fasta":
      return fastaRecords(part, labels, options);
    case "texts":
      return textRecords(part, labels);
  }
}

async function* tableRecords(
  { file, paths: [path], split }: Part,
  labels: LabelCollector,
  { open = openFile, ...wanted }: ReadLabelledOptions,
): AsyncGenerator<SequenceRecord> {
  let label = "";
  let splitColumn: string | undefined;
  const columns: ChooseColumns = (header, location) => {
    const found = labelledColumns(header, wanted, location);
    label = header[found.label];
    if (found.split >= 0) splitColumn = header[found.split];
    return found;
  };
  for await (const record of readSequences(open(path), { file, format: "csv", columns })) {
    const { id, sequence, line, fields = {} } = record;
    const location = { file, line, record: id };
    const part = splitColumn === undefined ? undefined : splitIn(splitColumn, fields[splitColumn], location);
    labels.add(fields[label], split ?? part, location);
    yield { id, description: "", sequence, line };
  }
}

/** The part that the field of a row names; undefined where it is empty. */
function splitIn(column: string, field: string, location: Location): SplitName | undefined {
  const split = splitNamed(field);
  if (split || field.trim() === "") return split;
  throw new FormatError(
    `${column}: must be train, dev (or valid, validation, val) or test, got ${JSON.stringify(field.slice(0, 40))}`,
    location,
  );
}

async function* fastaRecords(
  { file, paths: [path], label = "", split }: Part,
  labels: LabelCollector,
  { open = openFile }: ReadLabelledOptions,
): AsyncGenerator<SequenceRecord> {
  for await (const record of readSequences(open(path), { file, format: "fasta" })) {
    labels.add(label, split, { file, line: record.line, record: record.id });
    yield record;
  }
}

/** One sequence a file; the name of the file is its id. */
async function* textRecords(
  { paths, label = "", split }: Part,
  labels: LabelCollector,
): AsyncGenerator<SequenceRecord> {
  for (const file of paths) {
    let count = 0;
    for await (const { sequence, line } of readSequences([textBytes(file)], { file })) {
      if (++count > 1) {
        throw new FormatError(
          "file: must hold one sequence on one line, got more lines: " +
            "join them, or write a FASTA file for the class",
          { file, line },
        );
      }
      const id = basename(file).replace(/\.txt(\.gz)?$/i, "");
      labels.add(label, split, { file });
      yield { id, description: "", sequence, line };
    }
  }
}

/** The bytes of a small file; there may be 10⁵ of them, and asking for each in turn is six times as fast as waiting. */
function textBytes(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw explain(error, path, "read");
  }
}

/** Guesses the alphabet from the first of `records`, unless it is known, and gives all of them. */
async function guessing(
  records: AsyncGenerator<SequenceRecord>,
  alphabet: Alphabet | undefined,
): Promise<{ alphabet: Alphabet; records: AsyncIterable<SequenceRecord> }> {
  if (alphabet) return { alphabet, records };
  const first: SequenceRecord[] = [];
  while (first.length < GUESS_FROM) {
    const next = await records.next();
    if (next.done) break;
    first.push(next.value);
  }
  async function* all() {
    try {
      yield* first;
      yield* records;
    } finally {
      await records.return(undefined);
    }
  }
  return { alphabet: guessAlphabet(first.map(({ sequence }) => sequence)), records: all() };
}

const ALL_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const NO_LETTER = 255;

/** The records with letters outside the alphabet turned into the one for unknown, counted in `replaced`. */
export async function* knownLetters(
  records: AsyncIterable<SequenceRecord>,
  { codeOf, name }: Alphabet,
  replaced: LabelledSet["replaced"],
): AsyncGenerator<SequenceRecord> {
  const strange = [...ALL_LETTERS].filter((letter) => codeOf[letter.charCodeAt(0)] === NO_LETTER).join("");
  const pattern = strange === "" ? undefined : new RegExp(`[${strange}]`, "gi");
  const unknown = name === "dna" ? "N" : "X";
  for await (const record of records) {
    if (pattern === undefined || record.sequence.search(pattern) < 0) {
      yield record;
      continue;
    }
    replaced.records++;
    const sequence = record.sequence.replace(pattern, () => {
      replaced.letters++;
      return unknown;
    });
    yield { ...record, sequence };
  }
}

/** The sequences of several sets of one alphabet, one after another. */
function joined(sets: readonly SequenceSet[]): SequenceSet {
  if (sets.length === 1) return sets[0];
  const whole: SequenceSet = {
    ids: sets.flatMap(({ ids }) => ids),
    codes: sets.flatMap(({ codes }) => codes),
    alphabet: sets[0].alphabet,
    ambiguous: {
      records: sets.reduce((sum, { ambiguous }) => sum + ambiguous.records, 0),
      letters: sets.reduce((sum, { ambiguous }) => sum + ambiguous.letters, 0),
    },
    maxLength: sets.reduce((most, { maxLength }) => Math.max(most, maxLength), 0),
  };
  if (sets.every(({ rna }) => rna)) whole.rna = true;
  return whole;
}
