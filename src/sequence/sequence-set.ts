/**
 * @file A data set of encoded sequences in memory, checked while it is read.
 *
 * One byte a letter, and nothing of the file's text is kept: ids are copied out of the pieces they were read
 * from. All checks that need more than one record live here: duplicate ids, too few sequences, too long ones.
 */

import { FormatError } from "../error.ts";
import { DNA, encode, guessAlphabet, type Alphabet } from "./alphabet.ts";
import type { SequenceRecord } from "./record.ts";

/** Encoded sequences with their names. */
export interface SequenceSet {
  /** Names, all different. */
  ids: string[];
  /** Codes of each sequence (see alphabet.ts). */
  codes: Uint8Array[];
  alphabet: Alphabet;
  /** How many records hold ambiguity letters, and how many such letters there are. */
  ambiguous: { records: number; letters: number };
  /** Length of the longest sequence. */
  maxLength: number;
  /** Other columns of a table, one object a sequence; absent when the file was no table. */
  fields?: Record<string, string>[];
  /** True where nucleotides were written with U and never with T: RNA, whose codes are those of DNA. */
  rna?: boolean;
}

export interface CollectOptions {
  /** The alphabet; by default it is guessed from the first 1,000 records. */
  alphabet?: Alphabet;
  /** The longest sequence allowed, in letters; unlimited by default. */
  maxLength?: number;
  /** The fewest sequences allowed; 1 by default. */
  minimum?: number;
  /** What to do with an id that came before: fail (default), drop the later record, or rename it `id_2`. */
  onDuplicate?: "error" | "drop" | "rename";
  /** Name of the file, for errors. */
  file?: string;
}

/** Records from which the alphabet is guessed. */
const GUESS_FROM = 1000;

/**
 * Reads all records into memory.
 *
 * @throws FormatError for duplicate ids, sequences longer than `maxLength`, fewer than `minimum` sequences, and
 *   letters outside the alphabet.
 */
export async function collect(
  records: AsyncIterable<SequenceRecord> | Iterable<SequenceRecord>,
  { alphabet, maxLength = Infinity, minimum = 1, onDuplicate = "error", file }: CollectOptions = {},
): Promise<SequenceSet> {
  const ids: string[] = [];
  const codes: Uint8Array[] = [];
  const fields: Record<string, string>[] = [];
  const numbers = new Map<string, number>();
  const ambiguous = { records: 0, letters: 0 };
  let longest = 0;
  let number = 0;
  /** Whether a U and a T have been read. */
  const read = { u: false, t: false };
  let known = alphabet;
  let waiting: SequenceRecord[] = [];

  const add = (record: SequenceRecord, alphabet: Alphabet): void => {
    number++;
    const { sequence, line } = record;
    const location = { file, line, record: record.id };
    let id = ownCopy(record.id);
    const earlier = numbers.get(id);
    if (earlier !== undefined) {
      if (onDuplicate === "drop") return;
      if (onDuplicate === "error") {
        throw new FormatError(
          `id: must be unique, got it in record ${earlier} and in record ${number}: rename one of them`,
          location,
        );
      }
      let copy = 2;
      while (numbers.has(`${id}_${copy}`)) copy++;
      id = `${id}_${copy}`;
    }
    if (sequence.length > maxLength) {
      throw new FormatError(
        `sequence: must have at most ${maxLength} letters, got ${sequence.length}: trim or remove it, or allow longer sequences`,
        location,
      );
    }
    const encoded = encode(sequence, alphabet, location);
    if (encoded.ambiguous > 0) {
      ambiguous.records++;
      ambiguous.letters += encoded.ambiguous;
    }
    if (alphabet === DNA && !read.t) {
      read.t = /t/i.test(sequence);
      read.u ||= /u/i.test(sequence);
    }
    numbers.set(id, number);
    ids.push(id);
    codes.push(encoded.codes);
    if (record.fields) {
      fields.push(
        Object.fromEntries(Object.entries(record.fields).map(([key, value]) => [key, ownCopy(value)])),
      );
    }
    longest = Math.max(longest, sequence.length);
  };

  const addWaiting = (): Alphabet => {
    const guessed = guessAlphabet(waiting.map((record) => record.sequence));
    for (const record of waiting) add(record, guessed);
    waiting = [];
    return guessed;
  };

  for await (const record of records) {
    if (known) add(record, known);
    else if (waiting.push(record) === GUESS_FROM) known = addWaiting();
  }
  known ??= addWaiting();

  if (ids.length < minimum) {
    const got = ids.length === 1 ? "one sequence only" : `${ids.length}`;
    throw new FormatError(`file: must hold at least ${minimum} sequences, got ${got}`, { file });
  }
  const set: SequenceSet = { ids, codes, alphabet: known, ambiguous, maxLength: longest };
  if (fields.length > 0) set.fields = fields;
  if (read.u && !read.t) set.rna = true;
  return set;
}

const toBytes = new TextEncoder();
const toText = new TextDecoder("utf-8", { ignoreBOM: true });

/** The same text in memory of its own: engines make a slice of a file keep the whole file. */
function ownCopy(text: string): string {
  return toText.decode(toBytes.encode(text));
}

/** The sequences of `set` at `indices`, in that order; codes are shared, not copied. */
export function subset(set: SequenceSet, indices: ArrayLike<number>): SequenceSet {
  const chosen = Array.from(indices);
  const codes = chosen.map((i) => set.codes[i]);
  const { size } = set.alphabet;
  const ambiguous = { records: 0, letters: 0 };
  let maxLength = 0;
  for (const sequence of codes) {
    let letters = 0;
    for (const code of sequence) if (code >= size) letters++;
    if (letters > 0) ambiguous.records++;
    ambiguous.letters += letters;
    maxLength = Math.max(maxLength, sequence.length);
  }
  const chosenSet: SequenceSet = {
    ids: chosen.map((i) => set.ids[i]),
    codes,
    alphabet: set.alphabet,
    ambiguous,
    maxLength,
  };
  const { fields } = set;
  if (fields) chosenSet.fields = chosen.map((i) => fields[i]);
  if (set.rna) chosenSet.rna = true;
  return chosenSet;
}
