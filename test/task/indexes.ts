/** @file What the tests of search share: records, folders, whole answers, and the slow way to the right ones. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { Model } from "../../src/engine/model-file.ts";
import { editDistance } from "../../src/kernel/index.ts";
import {
  alphabetNamed,
  decode,
  encode,
  subset,
  type SequenceRecord,
  type SequenceSet,
} from "../../src/sequence/index.ts";
import {
  search,
  type QueryHits,
  type SearchOptions,
  type SearchTools,
  type Strand,
} from "../../src/task/search/search.ts";
import type { ModelBytes } from "../../src/task/search/store.ts";
import { readsOf, untrainedFile, type UntrainedOptions } from "./models.ts";

/** A folder for the files of a suite. */
export class Scratch {
  readonly path = mkdtempSync(join(tmpdir(), "embranch-search-"));

  constructor() {
    afterAll(() => rmSync(this.path, { recursive: true }));
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }
}

/** A data set as the records it came from. */
export async function* recordsOf({ ids, codes, alphabet }: SequenceSet): AsyncGenerator<SequenceRecord> {
  for (const [i, id] of ids.entries()) yield { id, description: "", sequence: decode(codes[i], alphabet) };
}

/** A data set of letters, named r0, r1, … unless told otherwise. */
export function setOf(
  sequences: readonly string[],
  { prefix = "r", alphabet = "dna" }: { prefix?: string; alphabet?: "dna" | "protein" } = {},
): SequenceSet {
  const letters = alphabetNamed(alphabet);
  const codes = sequences.map((sequence) => encode(sequence, letters, {}).codes);
  return {
    ids: sequences.map((_, i) => `${prefix}${i}`),
    codes,
    alphabet: letters,
    ambiguous: { records: 0, letters: 0 },
    maxLength: Math.max(0, ...codes.map(({ length }) => length)),
  };
}

/** A model that was never trained, and the bytes of its file. */
export async function modelBytes(options: UntrainedOptions): Promise<ModelBytes> {
  const { bytes } = await untrainedFile(options);
  return { bytes, model: await Model.decode(bytes, "untrained.onnx", { threads: 1 }) };
}

/** Related reads of 30 to 50 letters: every `apart`th is a query, the others are references. */
export async function relatedReads(
  leaves: number,
  { apart = 6, seed = 4 } = {},
): Promise<{ references: SequenceSet; queries: SequenceSet }> {
  const all = await readsOf({ leaves, length: 40, seed, height: 0.3, indels: 0.1 });
  const places = all.ids.map((_, i) => i);
  return {
    references: subset(
      all,
      places.filter((i) => i % apart !== 0),
    ),
    queries: subset(
      all,
      places.filter((i) => i % apart === 0),
    ),
  };
}

/** All answers of a search. */
export async function answersOf(
  tools: SearchTools,
  queries: SequenceSet,
  options: SearchOptions = {},
): Promise<QueryHits[]> {
  const answers: QueryHits[] = [];
  for await (const some of search(tools, recordsOf(queries), options)) answers.push(...some);
  return answers;
}

/** Letters of the other strand, by the table of the IUPAC. */
export function otherStrand(letters: string): string {
  const from = "ACGTRYSWKMBDHVN";
  const to = "TGCAYRSWMKVHDBN";
  return [...letters].reverse().map((letter) => to[from.indexOf(letter)]).join(""); // prettier-ignore
}

/** A reference as a hit, found by comparing with all. */
export interface Compared {
  target: string;
  strand: Strand;
  edits: number;
  identity: number;
}

/** Everything there is to find: all references, on one strand or two, best first, the first of equals first. */
export function compareAll(query: Uint8Array, references: SequenceSet, bothStrands = false): Compared[] {
  const { alphabet } = references;
  const other = () => encode(otherStrand(decode(query, alphabet)), alphabet, {}).codes;
  const probes: [Strand, Uint8Array][] = bothStrands ? [["+", query], ["-", other()]] : [["+", query]]; // prettier-ignore
  return probes
    .flatMap(([strand, codes]) =>
      references.ids.map((target, i) => {
        const edits = editDistance(codes, references.codes[i]);
        const identity = 1 - edits / Math.max(query.length, references.codes[i].length);
        return { target, strand, edits, identity };
      }),
    )
    .sort((a, b) => a.edits - b.edits);
}

export const editsOf = (hits: readonly { edits: number }[]): number[] => hits.map(({ edits }) => edits);
export const targetsOf = (hits: readonly { target: string }[]): string[] => hits.map(({ target }) => target);
