/** @file Training classifiers: they learn, the same run makes the same model, and what is refused. */

import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ClassifierFile } from "../../../src/engine/classifier-file.ts";
import type { ClassifierName } from "../../../src/nn/classifier.ts";
import { PROTEIN } from "../../../src/sequence/index.ts";
import { evaluateClassifier, judge } from "../../../src/task/classify/evaluate.ts";
import { classifyFit, type ClassifyFitOptions, type ClassifyPlan } from "../../../src/task/classify/fit.ts";
import { classifyRecords, featurePoints } from "../../../src/task/classify/predict.ts";
import type { SplitName } from "../../../src/task/classify/dataset.ts";
import { pointMetric, spaceMetric } from "../../../src/task/hyperbolicity/point-metric.ts";
import { exactLorentzDistance } from "../../../src/geometry/index.ts";
import { planted } from "./planted.ts";
import { folderOf } from "./sets.ts";

/** A network that trains in a moment. */
const small = (name: ClassifierName) => ({ name, blocks: 1, channels: 8, kernel: 7, hidden: 16 });
const QUICK: ClassifyFitOptions = {
  threads: 1,
  settings: { batch: 32, learningRate: 0.01, validateEvery: 20 },
};
const TINY = { name: "cnn" as const, blocks: 1, channels: 2, kernel: 3, hidden: 4 };

async function withModel<Result>(bytes: Uint8Array, use: (model: ClassifierFile) => Promise<Result>) {
  const model = await ClassifierFile.decode(bytes, "model.onnx", { threads: 1 });
  try {
    return await use(model);
  } finally {
    await model.close();
  }
}

describe.each(["cnn", "hcnn", "hcnn-multi"] as const)("%s", (name) => {
  test("learns a motif anywhere, and recognises it in others", async () => {
    const options = { ...QUICK, network: small(name), steps: 120, devShare: 0.25 };
    const { model, training, validation, plan, manifest } = await classifyFit(planted(600), options);
    expect(training.validation).toBeGreaterThan(0.9);
    expect(plan).toMatchObject({
      training: 450,
      validation: 150,
      drawn: true,
      length: 24,
      cut: 0,
      network: name,
    });
    expect(manifest.validation).toEqual({
      sequences: 150,
      mcc: training.validation,
      drawn: { share: 0.25, length: 1000 },
    });
    await withModel(model, async (file) => {
      const kept = await judge(file, validation.set.codes, validation.labels, { resamples: 0 });
      expect(kept.scores.mcc).toBeCloseTo(training.validation, 9);
      expect(kept.intervals).toBeNull();

      const { scores, intervals, part, copies } = await evaluateClassifier(file, planted(300, { seed: 9 }));
      expect({ part, copies, n: scores.n }).toEqual({ part: "all", copies: null, n: 300 });
      expect(scores.mcc).toBeGreaterThan(0.85);
      expect(intervals!.mcc[0]).toBeLessThan(scores.mcc);
      expect(intervals!.mcc[1]).toBeGreaterThan(scores.mcc);
    });
  });
});

test("the same seed makes the same bytes, and another one others", async () => {
  const fit = async (seed: number) =>
    (await classifyFit(planted(60), { ...QUICK, network: { ...TINY, dropout: 0.5 }, steps: 4, seed })).model;
  const [one, same, other] = [await fit(1), await fit(1), await fit(2)];
  expect(Buffer.from(same).equals(one)).toBe(true);
  expect(Buffer.from(other).equals(one)).toBe(false);
});

test("a run that was stopped goes on to the same bytes as one that never was", async () => {
  const checkpoint = join(folderOf({}), "run.checkpoint");
  const network = { ...TINY, name: "hcnn-multi" as const, dropout: 0.2 };
  const settings = { ...QUICK.settings, reverseComplement: 0.5, shift: 1, mutation: 0.05 };
  const fit = (more: ClassifyFitOptions) =>
    classifyFit(planted(60), { ...QUICK, network, settings, steps: 8, ...more });
  const stop = new AbortController();
  const stopped = fit({
    checkpoint,
    signal: stop.signal,
    onProgress: ({ step }) => step === 3 && stop.abort(),
  });
  await expect(stopped).rejects.toThrow(`training: stopped at step 3; its state is in ${checkpoint}`);
  const resumed = await fit({ checkpoint, resume: true });
  const unbroken = await fit({});
  expect(Buffer.from(resumed.model).equals(unbroken.model)).toBe(true);
  const other = { ...settings, classWeights: "balanced" as const };
  await expect(fit({ checkpoint, resume: true, settings: other })).rejects.toThrow(
    'resume: classWeights must be what the checkpoint was made with, got "balanced" instead of "equal"',
  );
});

test("balanced weights make up for a small class", async () => {
  // There is nothing to learn but how large the classes are.
  const noise = planted(480, { every: 8, motif: false });
  const share = async (classWeights: "equal" | "balanced") => {
    const settings = { ...QUICK.settings, classWeights };
    const { model } = await classifyFit(noise, { ...QUICK, network: TINY, settings, steps: 100 });
    return await withModel(model, async (file) => {
      const { probabilities } = await file.classify(planted(200, { seed: 5, motif: false }).set.codes);
      return probabilities.reduce((sum, value, i) => sum + (i % 2) * value, 0) / 200;
    });
  };
  const [equal, balanced] = [await share("equal"), await share("balanced")];
  expect(equal).toBeLessThan(0.25);
  expect(balanced).toBeGreaterThan(0.35);
  expect(balanced).toBeLessThan(0.65);
});

test("dev is used where there is one, and rows of no part are left out", async () => {
  const parts: (SplitName | undefined)[] = ["train", "train", "train", "dev", "test", undefined];
  const labelled = { ...planted(120), splits: Array.from({ length: 120 }, (_, i) => parts[(i >> 1) % 6]) };
  let told: ClassifyPlan | undefined;
  const onStart = (plan: ClassifyPlan) => (told = plan);
  const { validation } = await classifyFit(labelled, {
    ...QUICK,
    network: TINY,
    steps: 2,
    length: 20,
    onStart,
  });
  expect(told).toMatchObject({ training: 60, validation: 20, drawn: false, length: 20, cut: 80 });
  expect(Array.from(told!.sizes)).toEqual([30, 30]);
  expect(validation.set.ids.slice(0, 3)).toEqual(["s6", "s7", "s18"]);
});

describe("is refused", () => {
  const splits = (part: SplitName) => Array.from({ length: 20 }, () => part);
  const protein = planted(20);
  protein.set.alphabet = PROTEIN;
  test.each([
    ["a split without training sequences", { ...planted(20), splits: splits("dev") }, {}, /must have a part of training sequences, got none/],
    ["a class without any", { ...planted(20), labels: new Uint16Array(20) }, {}, /every class must have sequences, got none of "tata"/],
    ["the other strand of proteins", protein, { settings: { reverseComplement: 0.5 } }, /reverse complement: is of DNA, got protein/],
    ["more pooling than letters", planted(20), { network: { ...TINY, pooling: 99 } }, /pooling: must be at most the length 24, got 99/],
  ])("%s", async (_, labelled, options, message) => {
    await expect(classifyFit(labelled, { ...QUICK, network: TINY, steps: 1, ...options })).rejects.toThrow(message);
  }); // prettier-ignore
});

describe("a trained model", async () => {
  const labelled = { ...planted(60), splits: undefined as (SplitName | undefined)[] | undefined };
  const network = { ...TINY, name: "hcnn" as const };
  const { model: bytes, manifest } = await classifyFit(labelled, { ...QUICK, network, steps: 3 });
  const records = (sequences: string[]) =>
    sequences.map((sequence, i) => ({ id: `r${i}`, description: "", sequence }));
  async function* stream(sequences: string[]) {
    for (const record of records(sequences)) yield await Promise.resolve(record);
  }
  const classified = (sequences: string[], blockSize?: number) =>
    withModel(bytes, async (file) => {
      const blocks = [];
      for await (const block of classifyRecords(file, stream(sequences), { blockSize, file: "x.fa" })) blocks.push(block);
      return blocks;
    }); // prettier-ignore

  test("classifies a stream in blocks, counting what it cannot see", async () => {
    const sequences = ["ACGT".repeat(6), `${"ACGT".repeat(6)}TT`, "acgtuu", "ACGJTACGTTACGT"];
    const [whole] = await classified(sequences);
    const blocks = await classified(sequences, 3);
    expect(blocks.map(({ ids }) => ids)).toEqual([["r0", "r1", "r2"], ["r3"]]);
    expect(blocks.map(({ cut, replaced }) => [cut, replaced.records, replaced.letters])).toEqual([[1, 0, 0], [0, 1, 1]]); // prettier-ignore
    expect(whole.probabilities.subarray(0, 2)).toEqual(whole.probabilities.subarray(2, 4));
    expect(whole.probabilities.subarray(0, 6)).toEqual(blocks[0].probabilities);
    for (let i = 0; i < 8; i += 2)
      expect(whole.probabilities[i] + whole.probabilities[i + 1]).toBeCloseTo(1, 5);
  });

  test.each([
    ["a gap", ["ACG-T"], /x\.fa, record "r0": sequence: must be without gaps/],
    ["proteins", ["MEEPQSDPSVEPPLSQETFSDLWKLLPENNVL"], /x\.fa: sequences: must be DNA as the model's are, got \d+ of 32 letters/],
  ])("refuses %s", async (_, sequences, message) => {
    await expect(classified(sequences)).rejects.toThrow(message);
  }); // prettier-ignore

  test("gives features as points of its hyperboloid", async () => {
    const [{ features, ids }] = await classified(["ACGT", "TATAAATATAAA", "GGGGGGGGGGGGGGGG"]);
    const points = { ids, ...featurePoints(manifest, features, 3) };
    expect(points.dims).toBe(4);
    const k = manifest.radiusSquared!;
    expect(k).toBeGreaterThan(0);
    const own = pointMetric(points, (x, y) => exactLorentzDistance(x, y, k));
    const all = Uint32Array.of(0, 1, 2);
    const [found, expected] = [await spaceMetric(points, "lorentz").distances(all), await own.distances(all)];
    found.forEach((distance, i) => expect(distance).toBeCloseTo(expected[i], 4));
    expect(featurePoints({}, features, 3)).toEqual({ dims: 3, data: features });
  });

  test("is judged without the sequences of test that train has too", async () => {
    const splits: SplitName[] = labelled.set.ids.map((_, i) => (i < 40 ? "train" : "test"));
    const codes = labelled.set.codes.map((sequence, i) => (i >= 50 ? labelled.set.codes[i - 49] : sequence));
    const data = { ...labelled, splits, set: { ...labelled.set, codes } };
    await withModel(bytes, async (file) => {
      const { part, copies, scores, ids } = await evaluateClassifier(file, data, { resamples: 20 });
      expect({ part, n: scores.n, first: ids[0] }).toEqual({ part: "test", n: 20, first: "s40" });
      // Shifted by an odd number, copies are of the other class.
      expect(copies).toMatchObject({ sequences: 10, contradicting: 10 });
      await expect(evaluateClassifier(file, data, { part: "dev" })).rejects.toThrow(
        "planted: must have a dev part, got train and test only; choose another with --split",
      );
      await expect(evaluateClassifier(file, labelled, { part: "test" })).rejects.toThrow("got no split");
    });
  });
});
