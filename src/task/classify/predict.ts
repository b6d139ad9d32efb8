/**
 * @file `classify predict`: sequences to the classes that a model tells them to be, in blocks, so that memory does not
 * grow with the file.
 *
 * Letters are read as those of labelled sequences are (dataset.ts): what is a letter, but none of the alphabet, counts
 * as unknown. Of a sequence longer than the model the beginning is seen. Both are counted.
 */

import type { ClassifierFile, ClassifierManifest } from "../../engine/classifier-file.ts";
import { FormatError, type Location } from "../../error.ts";
import { DNA, encode, type SequenceRecord } from "../../sequence/index.ts";
import { checkLetters } from "../embed.ts";
import { knownLetters, type LabelledSet } from "./dataset.ts";

/** Some classified sequences, in the order of the input. */
export interface ClassifiedBlock {
  ids: string[];
  /** [ids.length, classes] */
  probabilities: Float32Array;
  /** [ids.length, width] */
  features: Float32Array;
  /** Sequences longer than the model, of which the rest was not seen. */
  cut: number;
  /** Letters that are none of the alphabet and were read as unknown: sequences that hold them, and letters. */
  replaced: LabelledSet["replaced"];
}

export interface ClassifyRecordsOptions {
  /** Sequences a block (default 512). */
  blockSize?: number;
  /** Name of the input, for errors. */
  file?: string;
  signal?: AbortSignal;
}

/**
 * Classifies a stream of records. Ids are passed on as they are.
 *
 * @throws FormatError for what is no letter, and for sequences of another kind than the model's
 */
export async function* classifyRecords(
  model: ClassifierFile,
  records: AsyncIterable<SequenceRecord>,
  { blockSize = 512, file, signal }: ClassifyRecordsOptions = {},
): AsyncGenerator<ClassifiedBlock, void, undefined> {
  let ids: string[] = [];
  let codes: Uint8Array[] = [];
  const replaced = { records: 0, letters: 0 };
  let first = true;
  const block = async (): Promise<ClassifiedBlock> => {
    if (first) checkKind(model, { codes, replaced }, { file });
    first = false;
    const cut = longerThan(model, codes);
    const done = { ids, cut, replaced: { ...replaced }, ...(await model.classify(codes)) };
    ids = [];
    codes = [];
    replaced.records = 0;
    replaced.letters = 0;
    return done;
  };
  for await (const { id, sequence, line } of knownLetters(records, model.alphabet, replaced)) {
    signal?.throwIfAborted();
    ids.push(id);
    codes.push(encode(sequence, model.alphabet, { file, line, record: id }).codes);
    if (ids.length === blockSize) yield await block();
  }
  if (ids.length > 0) yield await block();
}

/** How many of the sequences are longer than the model. */
export function longerThan({ manifest }: ClassifierFile, codes: readonly Uint8Array[]): number {
  return codes.filter(({ length }) => length > manifest.length).length;
}

/** Share of letters outside DNA from which sequences are taken for something else; of proteins it is a third. */
const FOREIGN = 0.1;

/** Throws a `FormatError` for DNA given to a model of proteins, and the other way round. */
export function checkKind(
  model: ClassifierFile,
  { codes, replaced }: { codes: readonly Uint8Array[]; replaced: LabelledSet["replaced"] },
  where: Location,
): void {
  checkLetters(model, codes, where);
  const letters = codes.reduce((sum, { length }) => sum + length, 0);
  if (model.alphabet !== DNA || replaced.letters <= FOREIGN * letters) return;
  throw new FormatError(
    `sequences: must be DNA as the model's are, got ${replaced.letters} of ${letters} letters that are none of it; use a model fitted to such sequences`,
    where,
  );
}

/** What a points file holds of features, and the space that it is of. */
export interface FeaturePoints {
  dims: number;
  /** [count, dims] */
  data: Float32Array;
}

/**
 * Features [count, width] as points: of a hyperbolic network on the hyperboloid of radius² k, the time coordinate
 * x₀ = √(‖x‖² + k) first.
 */
export function featurePoints(
  { radiusSquared }: Pick<ClassifierManifest, "radiusSquared">,
  features: Float32Array,
  count: number,
): FeaturePoints {
  const width = features.length / count;
  if (radiusSquared === undefined) return { dims: width, data: features };
  const dims = width + 1;
  const data = new Float32Array(count * dims);
  for (let i = 0; i < count; i++) {
    const space = features.subarray(i * width, (i + 1) * width);
    data[i * dims] = Math.sqrt(space.reduce((sum, x) => sum + x * x, radiusSquared));
    data.set(space, i * dims + 1);
  }
  return { dims, data };
}
