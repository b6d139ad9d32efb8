/** @file The library as its README uses it: sequences in, a model, points and measured distances out. */

import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import {
  collect,
  condensedIndex,
  createSpace,
  editDistance,
  EditDistances,
  embed,
  embeddedDistances,
  embedRecords,
  evaluate,
  exactDistances,
  fit,
  formatFasta,
  Interrupted,
  Model,
  packCodes,
  readSequences,
  simulate,
  UsageError,
  VERSION,
} from "../src/index.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-library-"));
afterAll(() => rmSync(folder, { recursive: true }));

const small = {
  encoder: { name: "mlp", hidden: 8 },
  dim: 8,
  settings: { batch: 16, augmented: 4 },
  threads: 1,
} as const;

test("from a FASTA file to a measured model", async () => {
  const reads = join(folder, "reads.fasta");
  const history = simulate({ leaves: 40, length: 30, seed: 3 });
  writeFileSync(reads, [...history.records()].map((record) => formatFasta(record)).join(""));

  const sequences = await collect(readSequences(createReadStream(reads), { file: reads }));
  const steps: number[] = [];
  const {
    model: bytes,
    manifest,
    training,
  } = await fit(sequences, {
    ...small,
    steps: 3,
    onProgress: ({ step }) => steps.push(step),
  });
  expect(steps).toEqual([1, 2, 3]);
  expect(training.validation).toBe(manifest.validation.percentRmse);
  expect(manifest.embranch).toBe(VERSION);

  const path = join(folder, "model.onnx");
  writeFileSync(path, bytes);
  const model = await Model.load(path, { threads: 1 });
  try {
    const { evaluation } = await evaluate(model, sequences, { threads: 1 });
    expect(evaluation.pairs).toBe((40 * 39) / 2);
    expect(evaluation.rmsePercent).toBeGreaterThan(0);

    const points = await embed(model, sequences);
    expect(points).toHaveLength(40 * 8);
    const streamed: number[] = [];
    const records = readSequences(createReadStream(reads));
    for await (const { data } of embedRecords(model, records, { blockSize: 16 })) streamed.push(...data);
    expect(streamed).toHaveLength(points.length);
    streamed.forEach((value, i) => expect(Math.abs(value - points[i])).toBeLessThan(1e-6));

    const predicted = await embeddedDistances(model, sequences, undefined, { threads: 1 });
    const space = createSpace(manifest.geometry, manifest.space.options);
    const distance = space.exactDistance(
      points.subarray(0, 8),
      points.subarray(8, 16),
      manifest.space.parameters,
    );
    expect(predicted[0]).toBeCloseTo(distance * manifest.length, 3);
  } finally {
    await model.close();
  }
});

const fasta = (text: string) => collect(readSequences([new TextEncoder().encode(text)]));

test("exact distances, of one pair, of all pairs, of a pool that stays open", async () => {
  const { codes } = await fasta(">a\nGATTACA\n>b\nGACTATA\n>c\nTTACA\n");
  expect(editDistance(codes[0], codes[1])).toBe(2);
  const kernel = await EditDistances.create({ threads: 1 });
  try {
    const distances = await kernel.allPairs(packCodes(codes));
    expect([...distances]).toEqual([2, 2, 4]);
    expect(distances[condensedIndex(2, 1, 3)]).toBe(4);
  } finally {
    await kernel.close();
  }
});

test("the same pairs in one call", async () => {
  const sequences = await fasta(">a\nGATTACA\n>b\nGACTATA\n");
  expect([...(await exactDistances(sequences, undefined, { threads: 1 }))]).toEqual([2]);
  expect([...(await exactDistances(sequences, sequences, { threads: 1 }))]).toEqual([0, 2, 2, 0]);
});

test("a signal ends training with an error of its own, and contradictions are usage errors", async () => {
  const sequences = await collect(simulate({ leaves: 20, length: 20 }).records());
  const stop = new AbortController();
  const onProgress = ({ step }: { step: number }) => step === 2 && stop.abort();
  const run = fit(sequences, { ...small, steps: 1000, signal: stop.signal, onProgress });
  await expect(run).rejects.toThrow(Interrupted);
  await expect(fit(sequences, { ...small, steps: 2, length: 3 })).rejects.toThrow(UsageError);
});
