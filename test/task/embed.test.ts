/** @file Embedding: blocks of any size give the same points in the same order, and misfits are refused by name. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Model } from "../../src/engine/model-file.ts";
import { FormatError } from "../../src/error.ts";
import { PROTEIN, readSequences, simulate, type SequenceRecord } from "../../src/sequence/index.ts";
import { embed, embedRecords, type EmbeddedBlock } from "../../src/task/embed.ts";
import { readsOf, untrainedModel } from "./models.ts";
import "../support/allclose.ts";

let dna: Model;
let protein: Model;
beforeAll(async () => {
  dna = await untrainedModel({ length: 30 });
  protein = await untrainedModel({ length: 30, alphabet: "protein" });
});
afterAll(async () => {
  await dna.close();
  await protein.close();
});

const fasta = (text: string) => readSequences([new TextEncoder().encode(text)], { file: "in.fasta" });
async function all(blocks: AsyncIterable<EmbeddedBlock>): Promise<EmbeddedBlock[]> {
  const out: EmbeddedBlock[] = [];
  for await (const block of blocks) out.push(block);
  return out;
}
const refusal = async (model: Model, records: AsyncIterable<SequenceRecord>) => {
  const error: unknown = await all(embedRecords(model, records, { file: "in.fasta" })).catch(
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(FormatError);
  return (error as Error).message;
};

describe("points", () => {
  test.each([1, 4, 10, 512])("in blocks of %i are those of one block", async (blockSize) => {
    const reads = await readsOf({ leaves: 10, length: 20 });
    const whole = await embed(dna, reads);
    const blocks = await all(
      embedRecords(dna, simulate({ leaves: 10, length: 20 }).records(), { blockSize }),
    );
    expect(blocks.map(({ ids }) => ids.length)).toEqual(
      Array.from({ length: Math.ceil(10 / blockSize) }, (_, i) => Math.min(blockSize, 10 - i * blockSize)),
    );
    expect(blocks.flatMap(({ ids }) => ids)).toEqual(reads.ids);
    const values = blocks.flatMap(({ data }) => Array.from(data));
    values.forEach((value, i) => expect(Math.abs(value - whole[i])).toBeLessThan(1e-6));
  });

  test("of equal sequences are equal, also where letters are ambiguous or lower case", async () => {
    const [{ data }] = await all(embedRecords(dna, fasta(">a\nACGTN\n>b\nacgur\n>c\nACGTY\n")));
    // A matrix product may add up a row in another order than its neighbour.
    expect(data.slice(6, 12)).toBeAllclose(data.slice(0, 6), { rtol: 1e-5, atol: 1e-8 });
    expect(data.slice(12, 18)).toBeAllclose(data.slice(0, 6), { rtol: 1e-5, atol: 1e-8 });
  });

  test("stop at a signal", async () => {
    const stop = new AbortController();
    const blocks = embedRecords(dna, simulate({ leaves: 10, length: 20 }).records(), {
      blockSize: 1,
      signal: stop.signal,
    });
    await blocks.next();
    stop.abort();
    await expect(blocks.next()).rejects.toThrow(/abort/);
  });
});

describe("what does not fit the model is refused", () => {
  test("a longer sequence, with its line and what to do", async () => {
    expect(await refusal(dna, fasta(`>a\nACGT\n>b\n${"ACGT".repeat(8)}\n`))).toBe(
      'in.fasta, line 3, record "b": sequence: must have at most the model\'s 30 letters, got 32; trim it, or fit a model with --length 32',
    );
  });

  test("a protein given to a model of DNA", async () => {
    expect(await refusal(dna, fasta(">p\nMKVLE\n"))).toMatch(
      /in\.fasta, line 1, record "p": .*a model of proteins$/,
    );
  });

  test("DNA given to a model of proteins, but not a peptide that looks like it", async () => {
    expect(await refusal(protein, fasta(`>a\n${"ACGT".repeat(7)}\n>b\n${"TTGA".repeat(7)}\n`))).toMatch(
      /in\.fasta: sequences: must be proteins as the model's are, got what looks like DNA/,
    );
    expect(await all(embedRecords(protein, fasta(">peptide\nGATTACA\n")))).toHaveLength(1);
    const reads = await readsOf({ leaves: 9, length: 25, alphabet: PROTEIN });
    expect(await embed(protein, reads)).toHaveLength(9 * 6);
  });
});
