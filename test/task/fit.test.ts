/** @file `fit` as a function: what is held out, whose labels count, which options contradict each other. */

import { beforeAll, describe, expect, test } from "vitest";
import { DEFAULT_RECIPE, type Recipe } from "../../src/engine/recipe.ts";
import { EmbranchError, UsageError } from "../../src/error.ts";
import { editDistance, parseCosts } from "../../src/kernel/index.ts";
import { condensedLength } from "../../src/sequence/condensed.ts";
import { collect, PROTEIN, readSequences, subset, type SequenceSet } from "../../src/sequence/index.ts";
import { exactDistances } from "../../src/task/distance.ts";
import { fit, type FitOptions, type FitPlan } from "../../src/task/fit.ts";
import { readsOf } from "./models.ts";

const small: FitOptions = {
  encoder: { name: "linear" },
  dim: 4,
  settings: { batch: 8, augmented: 2 },
  steps: 2,
  threads: 1,
};

let reads: SequenceSet;
beforeAll(async () => {
  reads = await readsOf({ leaves: 30, length: 20 });
});

const fasta = (text: string) => collect(readSequences([new TextEncoder().encode(text)]));
const text = (set: SequenceSet) => set.codes.map((codes) => codes.join());

describe("held-out sequences", () => {
  test("are a tenth of the different ones, and no copy of a training sequence", async () => {
    const twice = subset(reads, [...reads.ids.keys(), ...reads.ids.keys()]);
    const different = new Set(text(twice)).size;
    const { validation, manifest } = await fit(twice, small);
    expect(validation.set.ids).toHaveLength(3);
    expect(manifest.training.sequences).toBe(different - 3);
    expect(new Set(text(validation.set)).size).toBe(3);
    const exact = validation.set.codes.flatMap((x, i) =>
      validation.set.codes.slice(i + 1).map((y) => editDistance(x, y)),
    );
    expect([...(validation.distances as Uint16Array)]).toEqual(exact);
    expect(manifest.validation).toMatchObject({ sequences: 3, pairs: 3 });
  });

  test("are at most a thousand of a larger file", async () => {
    const many = await readsOf({ leaves: 1010, length: 12, prefix: "val" });
    const { validation, manifest } = await fit(reads, { ...small, validation: many });
    expect(validation.set.ids).toHaveLength(1000);
    expect(manifest.validation.pairs).toBe(condensedLength(1000));
    expect(manifest.training.sequences).toBe(30);
  });

  test("need at least four different sequences", async () => {
    const same = await fasta(">a\nACGT\n>b\nACGT\n>c\nACGA\n>d\nACCA\n");
    const refused = fit(same, small);
    await expect(refused).rejects.toThrow(/sequences: must be at least 4 different ones .* got 3; add more/);
    await expect(refused).rejects.not.toThrow(UsageError);
    await expect(refused).rejects.toThrow(EmbranchError);
  });
});

describe("labels", () => {
  test("come from the matrix that is given", async () => {
    const exact = await exactDistances(reads, undefined, { threads: 1 });
    const doubled = Float32Array.from(exact, (d) => 2 * d);
    const { validation } = await fit(reads, { ...small, settings: { batch: 64 }, distances: doubled });
    const truth = await exactDistances(validation.set, undefined, { threads: 1 });
    expect([...(validation.distances as Float32Array)]).toEqual([...truth].map((d) => 2 * d));
  });

  test("come from the table of costs that is given", async () => {
    const letters = [..."ACDEFGHIKLMNPQRSTVWY"];
    const rows = letters.map((a) => [a, ...letters.map((b) => (a === b ? 0 : 3))].join(" "));
    const costs = parseCosts([letters.join(" "), ...rows].join("\n"), {
      codeOf: (letter) => PROTEIN.codeOf[letter.charCodeAt(0)],
      gap: 3,
    });
    const proteins = await readsOf({ leaves: 30, length: 20, alphabet: PROTEIN });
    const { validation } = await fit(proteins, { ...small, costs });
    const truth = await exactDistances(validation.set, undefined, { threads: 1 });
    expect([...(validation.distances as Uint16Array)]).toEqual([...truth].map((d) => 3 * d));
  });
});

test("settings replace fields of the recipe one by one, of the optimiser too", async () => {
  let plan: FitPlan | undefined;
  const onStart = (told: FitPlan) => (plan = told);
  await fit(reads, { ...small, onStart, settings: { ...small.settings, optimizer: { weightDecay: 0.5 } } });
  expect(plan).toMatchObject({ validation: 3, length: reads.maxLength });
  expect(plan?.recipe).toMatchObject({ name: "default", batch: 8, optimizer: { weightDecay: 0.5, clip: 1 } });
  expect(plan?.recipe.optimizer.betas).toBeDefined();
});

test("a smaller batch holds as large a share of made-up sequences", async () => {
  const recipes: Recipe[] = [];
  const onStart = ({ recipe }: FitPlan) => recipes.push(recipe);
  await fit(reads, { ...small, onStart, settings: { batch: 16 } });
  const { batch, augmented } = DEFAULT_RECIPE;
  expect(recipes).toMatchObject([{ batch: 16, augmented: Math.round((16 * augmented) / batch) }]);
});

test("nothing of the clock is in the file", async () => {
  const [one, two] = [await fit(reads, small), await fit(reads, small)];
  expect(Buffer.from(one.model).equals(Buffer.from(two.model))).toBe(true);
  expect(one.training.seconds).not.toBe(two.training.seconds);
});

describe("contradictions are refused before training", () => {
  const distances = new Float32Array(condensedLength(30));
  test.each<[string, FitOptions, RegExp]>([
    ["a batch of one", { settings: { batch: 1, augmented: 0 } }, /batch: must be at least 2 sequences, got 1/],
    ["an odd batch of pairs", { recipe: "paper", settings: { batch: 7 } }, /batch: must be even/],
    ["nothing but made-up sequences", { settings: { batch: 8, augmented: 8 } }, /augmented: must be below the batch of 8, got 8/],
    ["made-up sequences in the paper's recipe", { recipe: "paper" }, /augmented: the paper recipe makes up no sequences/],
    ["made-up sequences beside a matrix", { distances }, /augmented: given distances cannot label/],
    ["a length below that of a sequence", { length: 5 }, /length: must be at least \d+, the longest sequence, got 5/],
    ["an even convolution", { encoder: { name: "cnn", kernel: 4 } }, /kernel: must be odd, got 4/],
    ["more layers than letters", { encoder: { name: "cnn", layers: 9 } }, /must leave at least one position/],
  ])("%s", async (_, options, message) => {
    const refused = fit(reads, { ...small, ...options });
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toBeInstanceOf(UsageError);
  }); // prettier-ignore

  test("a matrix beside a validation file", async () => {
    await expect(fit(reads, { ...small, settings: {}, distances, validation: reads })).rejects.toThrow(
      /distances: cannot be combined with a validation file/,
    );
  });

  test("a validation file of another alphabet", async () => {
    const proteins = await readsOf({ leaves: 5, length: 20, alphabet: PROTEIN });
    await expect(fit(reads, { ...small, validation: proteins })).rejects.toThrow(
      /validation: must be dna as the training sequences are, got protein/,
    );
  });
});
