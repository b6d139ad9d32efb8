/**
 * @file `embed`: sequences to points, in blocks, so that memory does not grow with the file.
 */

import { FormatError, type Location } from "../error.ts";
import type { Model } from "../engine/model-file.ts";
import {
  decode,
  DNA,
  encode,
  guessAlphabet,
  PROTEIN,
  type SequenceRecord,
  type SequenceSet,
} from "../sequence/index.ts";

/** Some embedded sequences, in the order of the input. */
export interface EmbeddedBlock {
  ids: string[];
  codes: Uint8Array[];
  /** [ids.length, dim] */
  data: Float32Array;
}

export interface EmbedOptions {
  /** Sequences a block (default 512). */
  blockSize?: number;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/**
 * Embeds a stream of records. Ids are passed on as they are: to find one that comes twice, all would have to be
 * kept.
 *
 * @throws FormatError for letters outside the model's alphabet, DNA given to a model of proteins, and sequences
 *   longer than the model
 */
export async function* embedRecords(
  model: Model,
  records: AsyncIterable<SequenceRecord> | Iterable<SequenceRecord>,
  { blockSize = 512, file, signal }: EmbedOptions = {},
): AsyncGenerator<EmbeddedBlock, void, undefined> {
  let ids: string[] = [];
  let codes: Uint8Array[] = [];
  let first = true;
  const block = async () => {
    if (first) checkLetters(model, codes, { file });
    first = false;
    const embedded = { ids, codes, data: await model.embed(codes) };
    ids = [];
    codes = [];
    return embedded;
  };
  for await (const { id, sequence, line } of records) {
    signal?.throwIfAborted();
    checkLength(model, sequence.length, { file, line, record: id });
    ids.push(id);
    codes.push(encode(sequence, model.alphabet, { file, line, record: id }).codes);
    if (ids.length === blockSize) yield await block();
  }
  if (ids.length > 0) yield await block();
}

/** Throws a `FormatError` for a sequence longer than the model. */
export function checkLength({ manifest }: Model, length: number, where: Location): void {
  if (length <= manifest.length) return;
  throw new FormatError(
    `sequence: must have at most the model's ${manifest.length} letters, got ${length}; trim it, or fit a model with --length ${length}`,
    where,
  );
}

/** Letters that tell DNA from proteins: fewer may be a peptide. */
const TELLING = 50;
/** Sequences that are looked at. */
const GLANCE = 100;

/** Throws a `FormatError` for DNA given to a model of proteins, among whose letters all of DNA's are. */
export function checkLetters(
  { alphabet }: Pick<Model, "alphabet">,
  codes: readonly Uint8Array[],
  where: Location,
): void {
  if (alphabet !== PROTEIN) return;
  const letters = codes.slice(0, GLANCE).map((sequence) => decode(sequence, PROTEIN));
  const count = letters.reduce((sum, { length }) => sum + length, 0);
  if (count < TELLING || guessAlphabet(letters) !== DNA) return;
  throw new FormatError(
    "sequences: must be proteins as the model's are, got what looks like DNA; use a model fitted to DNA",
    where,
  );
}

/** Points [count, dim] of a data set in memory. */
export async function embed(
  model: Model,
  { ids, codes }: SequenceSet,
  { file, ...options }: EmbedOptions = {},
): Promise<Float32Array> {
  checkLetters(model, codes, { file });
  codes.forEach((sequence, i) => checkLength(model, sequence.length, { file, record: ids[i] }));
  return embedCodes(model, codes, options);
}

/** Points [count, dim] of sequences of codes that have been checked. */
export async function embedCodes(
  model: Model,
  codes: readonly Uint8Array[],
  { blockSize = 512, signal }: Omit<EmbedOptions, "file"> = {},
): Promise<Float32Array> {
  const { dim } = model.manifest;
  const out = new Float32Array(codes.length * dim);
  for (let start = 0; start < codes.length; start += blockSize) {
    signal?.throwIfAborted();
    out.set(await model.embed(codes.slice(start, start + blockSize)), start * dim);
  }
  return out;
}
