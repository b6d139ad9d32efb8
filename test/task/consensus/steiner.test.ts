/** @file Steiner strings: the middle of what a model knows, in time linear in the number of strings. */

import { refinedMedian } from "../../../src/task/consensus/local-median.ts";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DecoderModel } from "../../../src/engine/decoder-model.ts";
import { EmbranchError } from "../../../src/error.ts";
import { editDistance } from "../../../src/kernel/index.ts";
import { Random } from "../../../src/sequence/index.ts";
import { steinerConsensus, steinerStrings } from "../../../src/task/consensus/steiner.ts";
import { configOf, LENGTH, sequences, trainBy, writeModel } from "../../engine/overfit.ts";
import "../../support/allclose.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-steiner-"));
const codes = sequences();
let model: DecoderModel;

beforeAll(async () => {
  const config = configOf("hyperbolic");
  const path = join(folder, "model.onnx");
  await writeModel(path, config, await trainBy(config, { steps: 500 }));
  model = await DecoderModel.load(path, { threads: 1 });
});
afterAll(async () => {
  await model.close();
  rmSync(folder, { recursive: true });
});

const strings = (results: readonly Uint8Array[]) => results.map(String);

describe("a group", () => {
  test("of copies of one string has that string in its middle, without error", async () => {
    const groups = codes.map((sequence, i) => Array.from({ length: 1 + (i % 4) }, () => sequence));
    const results = await steinerConsensus(model, groups);
    expect(strings(results.map((result) => result.codes))).toEqual(strings(codes));
    expect(strings(await steinerStrings(model, groups))).toEqual(strings(codes));
    for (const { expectedError } of results) expect(expectedError).toBeLessThan(1e-2);
  });

  test("of mostly one string has that string in its middle", async () => {
    const [a, b, c] = codes;
    const group = [b, a, a, c, a, a, a];
    const [result] = await steinerStrings(model, [group]);
    expect(String(refinedMedian(group, result))).toBe(String(a));
  });

  test("of more strings than a refinement looks at is never worse for it", async () => {
    const random = new Random(8);
    const group = Array.from({ length: 1100 }, () => codes[random.integer(4)]);
    const [raw] = await steinerStrings(model, [group]);
    const fine = refinedMedian(group, raw);
    const total = (x: Uint8Array) => group.reduce((sum, each) => sum + editDistance(x, each), 0);
    expect(total(fine)).toBeLessThanOrEqual(total(raw));
  });

  test("without strings has an empty one, wherever it stands", async () => {
    const [a, b] = codes;
    expect(strings(await steinerStrings(model, [[], [a], [], [b], []]))).toEqual(["", String(a), "", String(b), ""]); // prettier-ignore
    expect(await steinerConsensus(model, [[]])).toEqual([{ codes: new Uint8Array(0), expectedError: 0 }]);
    expect(await steinerStrings(model, [])).toEqual([]);
  });

  test("of several has a middle better than its members are on average", async () => {
    const random = new Random(5);
    const groups = Array.from({ length: 40 }, () => [...random.sample(16, 6)].map((i) => codes[i]));
    const results = await steinerConsensus(model, groups);
    const error = (x: Uint8Array, group: readonly Uint8Array[]) =>
      group.reduce((sum, each) => sum + editDistance(x, each), 0) / group.length;
    const mean = (values: number[]) => values.reduce((a, b) => a + b) / values.length;
    const middles = mean(groups.map((group, i) => error(results[i].codes, group)));
    const random6 = mean(groups.map((group) => mean(group.map((each) => error(each, group)))));
    expect(middles).toBeLessThan(random6);
    const refined = groups.map((group, i) => refinedMedian(group, results[i].codes));
    const errors = groups.map((group, i) => error(refined[i], group));
    errors.forEach((value, i) => expect(value).toBeLessThanOrEqual(error(results[i].codes, groups[i])));
    expect(mean(errors)).toBeLessThan(middles);
    // What the space expects is about right.
    expect(mean(results.map(({ expectedError }) => expectedError))).toBeAllclose(middles, { rtol: 0.35 });
  });
});

test("the order of a group does not matter, nor what other groups there are", async () => {
  const group = codes.slice(0, 7);
  const alone = await steinerConsensus(model, [group]);
  const [, , reversed] = await steinerConsensus(model, [codes, [], group.toReversed()]);
  expect(String(reversed.codes)).toBe(String(alone[0].codes));
  expect(reversed.expectedError).toBeAllclose(alone[0].expectedError, { rtol: 1e-4 });
});

test("many groups go through in blocks, and progress is told", async () => {
  const groups = Array.from({ length: 300 }, (_, i) => Array.from({ length: 8 }, () => codes[i % 17]));
  const told: [number, number][] = [];
  const results = await steinerStrings(model, groups, {
    progress: (done, total) => told.push([done, total]),
  });
  expect(strings(results)).toEqual(groups.map(([sequence]) => String(sequence)));
  expect(told).toEqual([[128, 300], [256, 300], [300, 300]]); // prettier-ignore
});

test("a string that is too long for the model is refused, and a signal is heard", async () => {
  const long = new Uint8Array(LENGTH + 1);
  await expect(steinerStrings(model, [[codes[0]], [long]])).rejects.toThrow(EmbranchError);
  await expect(steinerStrings(model, [[long]])).rejects.toThrow(/at most the model's 12 letters, got 13/);
  const signal = AbortSignal.abort();
  await expect(steinerStrings(model, [[codes[0]]], { signal })).rejects.toThrow(/abort/);
});
