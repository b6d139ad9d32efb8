/**
 * @file Groups of sequences: a table with a column that names the group of each.
 *
 * The header names the group (`group` or `cluster`) and the sequence (`sequence`, `seq`, `read`, …), in any order and
 * among other columns; `embranch cluster --reads -o groups.csv` writes such a table. Rows of a group need not stand
 * together: groups are in the order in which they first appear, sequences in that of the file. Comma- or tab-separated,
 * plain or gzip. Refused: rows without a group or a sequence, a header alone, tables without these columns.
 */

import { FormatError } from "../../error.ts";
import { csvParser } from "../../sequence/csv.ts";
import { unpack } from "../../sequence/gzip.ts";
import { collect, type Alphabet, type ByteSource, type SequenceRecord } from "../../sequence/index.ts";
import { lineBatches } from "../../sequence/text.ts";

/** Groups of encoded sequences. */
export interface Groups {
  /** Names, all different, in the order of their first appearance. */
  names: string[];
  /** [groups][sequences of the group] Codes. */
  members: Uint8Array[][];
  alphabet: Alphabet;
  /** How many sequences hold letters that stand for several, and how many such letters there are. */
  ambiguous: { records: number; letters: number };
}

export interface ReadGroupsOptions {
  /** The alphabet; by default it is guessed. */
  alphabet?: Alphabet;
  /** Name of the file, for errors. */
  file?: string;
  /** Told now and then how many sequences have been read. */
  progress?: (sequences: number) => void;
}

/** Names of the group column, best first; case does not matter. */
const GROUP_COLUMNS = ["group", "cluster"];

/** Sequences between two reports. */
const REPORT = 1000;

/**
 * Reads a table of groups.
 *
 * @throws FormatError for what is no such table
 */
export async function readGroups(
  source: ByteSource,
  { alphabet, file, progress }: ReadGroupsOptions = {},
): Promise<Groups> {
  const names: string[] = [];
  const numbers = new Map<string, number>();
  /** [sequences] */
  const groupOf: number[] = [];
  let column: string | undefined;

  function* assigned(records: readonly SequenceRecord[]): Generator<SequenceRecord> {
    for (const { fields = {}, sequence, line } of records) {
      column ??= groupColumn(fields, file);
      const name = fields[column].trim();
      if (name === "") {
        throw new FormatError(`${column}: must not be empty: name the group of each sequence`, {
          file,
          line,
        });
      }
      let number = numbers.get(name);
      if (number === undefined) {
        number = names.length;
        // A slice of the file would keep all of it in memory.
        const own = Buffer.from(name).toString();
        numbers.set(own, number);
        names.push(own);
      }
      groupOf.push(number);
      if (groupOf.length % REPORT === 0) progress?.(groupOf.length);
      // Rows are told apart by number: names of reads may be used again in another group.
      yield { id: String(groupOf.length), description: "", sequence, line };
    }
  }

  async function* records(): AsyncGenerator<SequenceRecord> {
    const parser = csvParser({ file });
    let line = 0;
    for await (const lines of lineBatches(unpack(source, { file }), { file })) {
      const found: SequenceRecord[] = [];
      for (const text of lines) parser.line(text, ++line, found);
      yield* assigned(found);
    }
    const last: SequenceRecord[] = [];
    parser.end(last);
    yield* assigned(last);
    if (groupOf.length === 0) {
      throw new FormatError(
        `file: must hold at least one sequence, got ${line === 0 ? "nothing" : "a header alone"}`,
        { file },
      );
    }
  }

  const { codes, alphabet: letters, ambiguous } = await collect(records(), { alphabet, file });
  const members = names.map((): Uint8Array[] => []);
  codes.forEach((sequence, i) => members[groupOf[i]].push(sequence));
  return { names, members, alphabet: letters, ambiguous };
}

function groupColumn(fields: Record<string, string>, file: string | undefined): string {
  const columns = Object.keys(fields);
  for (const name of GROUP_COLUMNS) {
    const column = columns.find((each) => each.toLowerCase() === name);
    if (column !== undefined) return column;
  }
  throw new FormatError(
    `CSV header: must name a column "group" or "cluster" beside that of sequences, got ${columns.join(", ").slice(0, 80) || "none"}`,
    { file, line: 1 },
  );
}

/** A random subset of each group's sequences, in their order; groups of no more than `most` stay as they are. */
export function drawMembers(
  groups: Groups,
  most: number,
  draw: (name: string, count: number) => Uint32Array,
): Groups {
  const members = groups.members.map((group, i) => {
    if (group.length <= most) return group;
    return Array.from(draw(groups.names[i], group.length).sort(), (place) => group[place]);
  });
  return { ...groups, members };
}

/** The groups of at least `least` sequences. */
export function withLeastMembers(groups: Groups, least: number): Groups {
  const kept = groups.members.map((group) => group.length >= least);
  return {
    ...groups,
    names: groups.names.filter((_, i) => kept[i]),
    members: groups.members.filter((_, i) => kept[i]),
  };
}
