/** @file `baseline`: what it fits and measures, and the reference numbers on real reads. */

import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { kmerDistances } from "../../src/baseline/kmer.ts";
import { countKmers } from "../../src/baseline/profile.ts";
import { fitScale } from "../../src/baseline/scale.ts";
import {
  collect,
  DNA,
  PROTEIN,
  readSequences,
  simulate,
  type SequenceSet,
} from "../../src/sequence/index.ts";
import { baseline } from "../../src/task/baseline.ts";
import { exactDistances } from "../../src/task/distance.ts";
import { measure } from "../../src/task/evaluate.ts";
import { readsOf } from "./models.ts";

describe("on simulated reads", () => {
  let train: SequenceSet;
  let testSet: SequenceSet;
  beforeAll(async () => {
    train = await readsOf({ leaves: 30, length: 40, seed: 1 });
    testSet = await readsOf({ leaves: 20, length: 50, seed: 2 });
  });

  test("fits to the training pairs, measures the test pairs, in percent of the longest of both", async () => {
    const report = await baseline(train, testSet, { kmer: [3], distances: ["manhattan"], threads: 1 });
    const distances = async (set: SequenceSet) => ({
      truth: await exactDistances(set, undefined, { threads: 1 }),
      predicted: kmerDistances(countKmers(set.codes, { k: 3, alphabet: DNA }), ["manhattan"])[0],
    });
    const fitted = await distances(train);
    const { truth, predicted } = await distances(testSet);
    const scale = fitScale(fitted.truth, fitted.predicted);
    const length = Math.max(train.maxLength, testSet.maxLength);
    const evaluation = measure({ truth, predicted: predicted.map((d) => d * scale) }, length);
    expect(report).toEqual({
      length,
      fitPairs: 435,
      results: [{ method: "k-mer", k: 3, distance: "manhattan", scale, evaluation }],
    });
    expect(evaluation.pairs).toBe(190);
  });

  test("compares all that the papers do, least error first", async () => {
    const { results } = await baseline(train, testSet, { threads: 1 });
    const errors = results.map(({ evaluation }) => evaluation.rmsePercent);
    expect(errors).toEqual(errors.toSorted((a, b) => a - b));
    const names = results.map(({ method, k, distance }) => `${k} ${method} ${distance}`);
    const kmers = [2, 3, 4, 5, 6].flatMap((k) =>
      ["cosine", "euclidean", "square", "manhattan", "hyperbolic"].map((name) => `${k} k-mer ${name}`),
    );
    expect(names.sort()).toEqual([...kmers, ...[8, 9, 10].map((k) => `${k} FFP jensen-shannon`)].sort());
  });

  test("asking for the one method leaves out the other", async () => {
    const methods = async (options: object) =>
      (await baseline(train, testSet, { ...options, threads: 1 })).results.map(({ method }) => method);
    expect(await methods({ kmer: [2], distances: ["cosine"] })).toEqual(["k-mer"]);
    expect(await methods({ ffp: [8] })).toEqual(["FFP"]);
    expect((await methods({ kmer: [2], distances: ["cosine"], ffp: [8] })).sort()).toEqual(["FFP", "k-mer"]);
  });

  test("samples both kinds of pairs, the same for the same seed", async () => {
    const sampled = (seed: number) =>
      baseline(train, testSet, { kmer: [3], fitPairs: 50, pairs: 60, seed, threads: 1 });
    const [one, again, other] = [await sampled(1), await sampled(1), await sampled(2)];
    expect(one.fitPairs).toBe(50);
    expect(one.results.map(({ evaluation }) => evaluation.pairs)).toEqual(Array(5).fill(60));
    expect(again).toEqual(one);
    expect(other.results).not.toEqual(one.results);
  });

  test("progress goes up to the end", async () => {
    const told: number[] = [];
    const progress = (done: number, total: number) => {
      told.push(done);
      expect(total).toBe(3 * (435 + 190));
    };
    await baseline(train, testSet, { kmer: [2, 3], threads: 1, progress });
    expect(told).toEqual(told.toSorted((a, b) => a - b));
    expect(told.at(-1)).toBe(3 * (435 + 190));
  });

  test("a signal ends it between two lengths", async () => {
    const stop = new AbortController();
    const progress = (done: number) => done > 2 * (435 + 190) && stop.abort(new Error("enough"));
    const run = baseline(train, testSet, { threads: 1, progress, signal: stop.signal });
    await expect(run).rejects.toThrow("enough");
  });

  test("refuses what cannot be compared", async () => {
    const protein = await collect(simulate({ leaves: 3, length: 20, alphabet: PROTEIN }).records(), {
      alphabet: PROTEIN,
    });
    await expect(baseline(train, protein)).rejects.toThrow("test: must be dna as train, got protein");
    const lonely = await collect([{ id: "a", description: "", sequence: "ACGT", line: 1 }], {
      alphabet: DNA,
    });
    await expect(baseline(lonely, train)).rejects.toThrow("train: must hold at least 2 sequences, got 1");
    const untold = { kmer: [30], progress: () => expect.unreachable() };
    await expect(baseline(train, testSet, untold)).rejects.toThrow("k: must be an integer from 1 to 26");
  });
});

const DATA = join(process.env.EMBRANCH_DATA ?? "../shared/data", "16s-v4");
const study = (name: string) => join(DATA, `study550_${name}.fasta.gz`);
const absent = [study("train"), study("test")].find((file) => !existsSync(file));

describe.skipIf(absent !== undefined)(
  `on 16S reads of study 550${absent ? ` (skipped: ${absent} is absent)` : ""}`,
  () => {
    test("errors are those of an independent implementation", async () => {
      const load = (name: string) => collect(readSequences(createReadStream(study(name))));
      const { length, results } = await baseline(await load("train"), await load("test"), {
        kmer: [3, 4, 5, 6],
        distances: ["cosine", "manhattan"],
        fitPairs: 200_000,
        pairs: 300_000,
      });
      expect(length).toBe(152);
      const error = (distance: string) =>
        results
          .filter((result) => result.distance === distance)
          .sort((a, b) => a.k - b.k)
          .map(({ evaluation }) => evaluation.rmsePercent);
      const reference = { cosine: [8.51, 5.66, 5.08, 5.05], manhattan: [5.13, 4.72, 4.83, 4.96] };
      for (const [distance, expected] of Object.entries(reference)) {
        const found = error(distance);
        expected.forEach((percent, i) => expect(Math.abs(found[i] - percent)).toBeLessThan(0.05));
      }
    });
  },
);
