/**
 * @file Reading what the user named into memory: sequences, cost tables, distance matrices.
 */

import type { Model } from "../engine/model-file.ts";
import { FormatError, UsageError } from "../error.ts";
import { parseCosts, type Costs } from "../kernel/index.ts";
import {
  alphabetNamed,
  collect,
  parseNewick,
  PROTEIN,
  readSequences,
  textLines,
  type Alphabet,
  type AlphabetName,
  type CollectOptions,
  type SequenceRecord,
  type SequenceSet,
  type TreeNode,
} from "../sequence/index.ts";
import {
  condensedLength,
  condensedSide,
  condensedSubset,
  type DistanceMatrix,
  type NumberArray,
} from "../sequence/condensed.ts";
import { unpack } from "../sequence/gzip.ts";
import { readMatrixTsv } from "../sequence/matrix-tsv.ts";
import { decodeNpy, npyDistances } from "../sequence/npy.ts";
import { readPhylip } from "../sequence/phylip.ts";
import { checkLength, checkLetters } from "../task/embed.ts";
import { readTaxonomy } from "../task/search/taxonomy.ts";
import { openInput } from "./input.ts";
import { Progress } from "./progress.ts";

export interface LoadOptions {
  /** Name or object of the alphabet; guessed without it. */
  alphabet?: AlphabetName | Alphabet;
  /** The model that the sequences are for: its alphabet and greatest length. */
  model?: Model;
  /** Fewest sequences allowed. */
  minimum?: number;
  /** Greatest length allowed. */
  maxLength?: number;
  /** What to do with an id that came before (default: fail). */
  onDuplicate?: CollectOptions["onDuplicate"];
  /** Told of every record, in order. */
  onRecord?: (record: SequenceRecord) => void;
  quiet?: boolean;
}

/** Reads a file of sequences (`-` is standard input) and says what was odd about them. */
export async function loadSequences(
  path: string,
  {
    model,
    alphabet = model?.alphabet,
    minimum = 1,
    maxLength,
    onDuplicate,
    onRecord,
    quiet,
  }: LoadOptions = {},
): Promise<SequenceSet> {
  const input = await openInput(path);
  const progress = new Progress(`reading ${input.name}`, { unit: "sequences", quiet });
  let count = 0;
  const watch = new LetterWatch(model?.alphabet);
  async function* counted() {
    for await (const record of watch.of(readSequences(input.bytes, { file: input.name }))) {
      const { id, line, sequence } = record;
      if (model) checkLength(model, sequence.length, { file: input.name, line, record: id });
      onRecord?.(record);
      yield record;
      if (++count % 1000 === 0) {
        progress.update(count, { fraction: input.size ? input.bytesRead / input.size : undefined });
      }
    }
  }
  try {
    const set = await collect(counted(), {
      alphabet: typeof alphabet === "string" ? alphabetNamed(alphabet) : alphabet,
      minimum,
      maxLength,
      onDuplicate,
      file: input.name,
    });
    progress.stop();
    if (model) checkLetters(model, set.codes, { file: input.name });
    watch.note(progress, input.name);
    const { records, letters } = set.ambiguous;
    if (records > 0) {
      progress.note(
        `${input.name}: ${records} of ${set.ids.length} sequences hold ambiguity letters (${letters} in all); ` +
          "models treat them as unknown, exact distances as letters of their own",
      );
    }
    return set;
  } finally {
    progress.stop();
    await input.close();
  }
}

/**
 * Looks whether records read as proteins may all be DNA, among whose letters they then are. Few of them are no error,
 * for they may be peptides.
 */
export class LetterWatch {
  /** Whether there is still something to look for. */
  #unsure: boolean;

  /** @param alphabet - the one that the records are read in; undefined where it is guessed from them */
  constructor(alphabet: Alphabet | undefined) {
    this.#unsure = alphabet === PROTEIN;
  }

  /** The records, looked at as they pass. */
  of(records: AsyncIterable<SequenceRecord>): AsyncIterable<SequenceRecord> {
    return this.#unsure ? this.#watched(records) : records;
  }

  async *#watched(records: AsyncIterable<SequenceRecord>): AsyncGenerator<SequenceRecord> {
    for await (const record of records) {
      this.#unsure &&= !/[^ACGTUN]/i.test(record.sequence);
      yield record;
    }
  }

  /** Says so where all of them may be DNA; `name` is their file's. */
  note(progress: Progress, name: string): void {
    if (!this.#unsure) return;
    progress.note(
      `${name}: all letters are A, C, G, T, U or N; they are read as amino acids, which is wrong if this is DNA`,
    );
  }
}

/** Reads a whole file (`-` is standard input). */
export async function readBytes(path: string): Promise<{ name: string; bytes: Uint8Array }> {
  const input = await openInput(path);
  return { name: input.name, bytes: await wholeOf(input.bytes) };
}

async function wholeOf(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads a tree, plain or gzip. */
export async function loadTree(path: string): Promise<{ name: string; root: TreeNode }> {
  const input = await openInput(path);
  try {
    const lines: string[] = [];
    for await (const line of textLines(input.bytes, { file: input.name })) lines.push(line);
    return { name: input.name, root: parseNewick(lines.join("\n"), { file: input.name }) };
  } finally {
    await input.close();
  }
}

/** Reads a table of ids and lineages, or other groups: id, tab, name. */
export async function loadTaxonomy(path: string): Promise<Map<string, string>> {
  const input = await openInput(path);
  try {
    return await readTaxonomy(input.bytes, { file: input.name });
  } finally {
    await input.close();
  }
}

/** What an alphabet's table holds for a character that is no letter of it. */
const NO_LETTER = 255;

/** Reads a table of edit costs (letters by letters, whole numbers). */
export async function loadCosts(path: string, alphabet: Alphabet, gap = 1): Promise<Costs> {
  const { name, bytes } = await readBytes(path);
  const codeOf = (letter: string) => {
    const code = alphabet.codeOf[letter.charCodeAt(0)] ?? NO_LETTER;
    return code === NO_LETTER ? undefined : code;
  };
  return parseCosts(new TextDecoder().decode(bytes), { codeOf, gap, file: name });
}

/** Ending of a file's name, plain or gzip, that tells a matrix of distances. */
export function matrixEnding(path: string): "npy" | "phy" | "tsv" | undefined {
  return /\.(npy|phy|tsv)(\.gz)?$/i.exec(path)?.[1].toLowerCase() as ReturnType<typeof matrixEnding>;
}

/**
 * Reads a matrix of distances, plain or gzip, by the ending of its name; that of a .npy file has no names, but 0, 1, …
 */
export async function loadMatrix(path: string): Promise<DistanceMatrix> {
  const input = await openInput(path);
  const { name } = input;
  const bytes = unpack(input.bytes, { file: name });
  try {
    switch (matrixEnding(path)) {
      case "npy": {
        const array = decodeNpy(await wholeOf(bytes), { file: name });
        const values = npyDistances(array, { file: name });
        return { ids: Array.from({ length: condensedSide(values.length) }, (_, i) => `${i}`), values };
      }
      case "phy":
        return await readPhylip(bytes, name);
      case "tsv":
        return await readMatrixTsv(bytes, name);
      case undefined:
        throw new UsageError(`distances: the file name must end in .npy, .phy or .tsv, got ${path}`);
    }
  } finally {
    await input.close();
  }
}

/**
 * Reads the distances of all pairs of `set`, condensed: `.phy` and `.tsv` by id, `.npy` in the order of the
 * sequences.
 *
 * @throws FormatError when a sequence has no row, or the size is another one
 */
export async function loadDistances(path: string, { ids }: SequenceSet): Promise<NumberArray> {
  const matrix = await loadMatrix(path);
  if (matrixEnding(path) === "npy") {
    if (matrix.ids.length === ids.length) return matrix.values;
    throw new FormatError(
      `matrix: must hold the ${condensedLength(ids.length)} pairs of ${ids.length} sequences, got ${matrix.values.length}`,
      { file: path },
    );
  }
  const rows = new Map(matrix.ids.map((id, row) => [id, row]));
  const order = ids.map((id) => {
    const row = rows.get(id);
    if (row !== undefined) return row;
    throw new FormatError("matrix: must have a row for every sequence, got none for this one", {
      file: path,
      record: id,
    });
  });
  const out = new Float32Array(condensedLength(ids.length));
  return condensedSubset(matrix.values, matrix.ids.length, order, out);
}
