/** @file Classifiers compared: runs are made once, paired, kept and refused; the summary counts as it says. */

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbranchError } from "../../../src/error.ts";
import type { ClassifierOptions } from "../../../src/nn/classifier.ts";
import { completeClassifier } from "../../../src/nn/classifier.ts";
import { ResultFolder } from "../../../src/result-folder.ts";
import { Random } from "../../../src/sequence/index.ts";
import { CLASSIFIER_RECIPE } from "../../../src/engine/classifier-trainer.ts";
import {
  modelLabel,
  runBenchmark,
  runCosts,
  type BenchmarkOptions,
  type BenchmarkPlan,
  type BenchmarkResult,
  type BenchmarkSet,
} from "../../../src/task/classify/benchmark.ts";
import {
  benchmarkFile,
  benchmarkPaths,
  splitData,
  type BenchmarkFileOptions,
} from "../../../src/task/classify/benchmark-files.ts";
import { benchmarkReport } from "../../../src/task/classify/benchmark-report.ts";
import { benchmarkJson, benchmarkMarkdown } from "../../../src/task/classify/benchmark-table.ts";
import { readLabelled } from "../../../src/task/classify/dataset.ts";
import { dataDigest } from "../../../src/task/classify/digest.ts";
import { publishedMcc } from "../../../src/task/classify/published.ts";
import { meanInterval, studentQuantile, summarize } from "../../../src/task/summary.ts";
import { folderOf, labelledOf } from "./sets.ts";

const root = mkdtempSync(join(tmpdir(), "embranch-benchmark-"));
afterAll(() => rmSync(root, { recursive: true }));
let folders = 0;
const newFolder = () => ResultFolder.open<BenchmarkResult>(join(root, String(folders++)), "benchmark");
const linesOf = ({ file }: { file: string }) => readFileSync(file, "utf8").trim().split("\n");

/** Rows of two classes that differ in composition; `part` names the part of each. */
function rows(seed: number, count: number, part?: (i: number) => string): string {
  const random = new Random(seed);
  const lines = Array.from({ length: count }, (_, i) => {
    const letters = i % 2 === 0 ? "AACGT" : "ACGGT";
    const sequence = Array.from({ length: 12 }, () => letters[random.integer(5)]).join("");
    return [sequence, i % 2, ...(part ? [part(i)] : [])].join(",");
  });
  return `sequence,label${part ? ",split" : ""}\n${lines.join("\n")}\n`;
}

const TINY = { blocks: 1, channels: 3, kernel: 3, hidden: 3 };
const cnn: ClassifierOptions = { name: "cnn", ...TINY };
const hcnn: ClassifierOptions = { name: "hcnn", ...TINY };

const thirds = (i: number) => (i < 40 ? "train" : i < 60 ? "dev" : "test");
let folder: string;
let sets: BenchmarkSet[];
let plan: BenchmarkPlan;
async function setAt(path: string, options?: BenchmarkFileOptions): Promise<BenchmarkSet> {
  const [found] = await benchmarkPaths([path], options);
  const set = await benchmarkFile(found, options);
  if ("reason" in set) throw new Error(set.reason);
  return set;
}
beforeAll(async () => {
  folder = folderOf({
    "mouse_2.csv": rows(1, 80, thirds),
    "plain.csv": rows(2, 60),
    "untested.csv": rows(3, 40, () => "train"),
  });
  sets = [await setAt(join(folder, "mouse_2.csv")), await setAt(join(folder, "plain.csv"))];
  plan = {
    sets,
    models: [cnn, hcnn],
    seeds: [1, 2],
    settings: { budget: { steps: 2 }, recipe: "default", settings: { batch: 8 } },
  };
});
const go = (
  where: ResultFolder<BenchmarkResult>,
  changes: Partial<BenchmarkPlan>,
  options?: BenchmarkOptions,
) => runBenchmark(where, { ...plan, ...changes }, { threads: 1, ...options });

describe("a benchmark", () => {
  test("makes pairs seed by seed, goes on where it was stopped, and finds all again", async () => {
    const where = await newFolder();
    const one = { sets: [sets[0]] };
    const stop = new AbortController();
    let made = 0;
    const stopping = { signal: stop.signal, onResult: () => void (++made === 1 && stop.abort()) };
    expect(await go(where, one, stopping)).toMatchObject({ made: 1, stopped: true });
    expect(linesOf(where)).toHaveLength(1);
    // In the middle of training, too: nothing is left of it.
    const early = new AbortController();
    const onProgress = (_: number, share: number) => void (share > 0 && early.abort());
    const stopped = await go(where, one, { signal: early.signal, onProgress });
    expect(stopped).toMatchObject({ made: 0, found: 1, stopped: true });

    expect(await go(where, one)).toEqual({ made: 3, found: 1, busy: 0, stopped: false });
    expect(await go(where, one)).toEqual({ made: 0, found: 4, busy: 0, stopped: false });
    const results = [...(await where.read()).values()];
    const [flat, curved] = [cnn, hcnn].map(modelLabel);
    expect(results.map(({ seed, model }) => [seed, model])).toEqual([
      [1, flat],
      [1, curved],
      [2, flat],
      [2, curved],
    ]);
    const [first, second] = results;
    expect(first.facts).toEqual({
      training: 40,
      dev: 20,
      test: 20,
      classes: 2,
      longest: 12,
      drawn: "nothing",
      copies: expect.any(Number) as number,
      contradicting: expect.any(Number) as number,
    });
    expect(first).toMatchObject({ steps: 2, test: { n: 20 }, network: completeClassifier(cnn) });
    expect(first).not.toHaveProperty("curvature");
    expect(second.curvature).toBeLessThan(0);
    expect(second.offManifold).toBeLessThan(1e-4);
    expect(second.test!.intervals!.mcc[0]).toBeLessThanOrEqual(second.test!.mcc);
  });

  test("gives the same result again, and counts epochs in steps", async () => {
    const [where, again] = [await newFolder(), await newFolder()];
    const one = { sets: [sets[0]], models: [cnn], seeds: [3] };
    await go(where, one);
    await go(again, {
      ...one,
      settings: { ...plan.settings, budget: { epochs: 1 }, settings: { batch: 20 } },
    });
    const settings = { ...plan.settings, settings: { batch: 20 } };
    const steps = await newFolder();
    await go(steps, { ...one, settings });
    const only = async (folder: typeof where) => [...(await folder.read()).values()][0];
    expect((await only(again)).steps).toBe(2);
    expect((await only(again)).test).toEqual((await only(steps)).test);
    expect((await only(where)).key).not.toBe((await only(steps)).key);
  });

  test("refuses a folder of other settings, and of other data of the same name", async () => {
    const where = await newFolder();
    const one = { sets: [sets[1]], models: [cnn], seeds: [1] };
    await go(where, one);
    const refused = (changes: Partial<BenchmarkPlan>) => expect(go(where, { ...one, ...changes })).rejects;
    await refused({ settings: { ...plan.settings, budget: { steps: 3 } } }).toThrow(
      /benchmark\.jsonl: budget must be that of its results, \{"steps":2\}, got \{"steps":3\}; use another folder/,
    );
    await refused({ settings: { ...plan.settings, settings: undefined } }).toThrow(
      /settings must be that of its results, \{"batch":8\}, got the default/,
    );
    const split = await setAt(join(folder, "plain.csv"), { splitSeed: 2 });
    await refused({ sets: [split] }).toThrow(/"plain" must have the sequences, labels and split/);
    await refused({ sets: [split] }).toThrow(EmbranchError);
    // Other models, seeds and sets are welcome.
    expect(await go(where, { ...one, seeds: [1, 2] })).toMatchObject({ made: 1, found: 1 });
    const [{ facts }] = [...(await where.read()).values()];
    expect(facts).toMatchObject({ training: 48, dev: 6, test: 6, drawn: "all" });
  });

  test("records a model that diverges", async () => {
    const where = await newFolder();
    const settings = { ...plan.settings, settings: { batch: 8, learningRate: 1e30, warmup: 0 } };
    await go(where, { sets: [sets[0]], models: [cnn], seeds: [1], settings });
    const [result] = [...(await where.read()).values()];
    expect(result).toMatchObject({ diverged: expect.stringMatching(/finite/) as string });
    expect(result).not.toHaveProperty("test");
    expect(benchmarkMarkdown(benchmarkReport([result]), headOf([result]))).toContain("| 1 of 1 diverged |");
  });
});

describe("data sets", () => {
  test("are those of folders and files, and must have names of their own", async () => {
    expect((await benchmarkPaths([folder])).map(({ name }) => name)).toEqual([
      "mouse_2",
      "plain",
      "untested",
    ]);
    await expect(benchmarkPaths([folder, join(folder, "plain.csv")])).rejects.toThrow(
      /different names, got "plain" twice/,
    );
  });

  test("are the same whatever the names of the sequences, and others with other labels", async () => {
    const named = folderOf({
      "a.csv": "id,sequence,label\na,ACGT,0\nb,GGTT,1\nc,ACCT,0\nd,TTTT,1\n",
      "b.csv": "id,sequence,label\ne,ACGT,0\nf,GGTT,1\ng,ACCT,0\nh,TTTT,1\n",
      "c.csv": "id,sequence,label\na,ACGT,0\nb,GGTT,0\nc,ACCT,1\nd,TTTT,1\n",
    });
    const digests = await Promise.all(
      ["a", "b", "c"].map(async (name) => dataDigest(await readLabelled(join(named, `${name}.csv`)))),
    );
    expect(digests[0]).toBe(digests[1]);
    expect(digests[0]).not.toBe(digests[2]);
  });

  test("without test sequences are left out", async () => {
    const [found] = await benchmarkPaths([join(folder, "untested.csv")]);
    expect(await benchmarkFile(found)).toEqual({ name: "untested", reason: "has no test sequences" });
  });

  test("are split by the seed of splits alone, and keep what they have", () => {
    const sequences = Array.from(
      { length: 40 },
      (_, i) => `ACGTAC${"ACGT"[i % 4]}${"ACGT"[(i >> 2) & 3]}${"ACGT"[i >> 4]}`,
    );
    const labels = sequences.map((_, i) => i % 2);
    const splitsOf = (splitSeed: number) => {
      const found = splitData(labelledOf(sequences, labels), { splitSeed });
      return "reason" in found ? undefined : found.labelled.splits;
    };
    expect(splitsOf(1)).toEqual(splitsOf(1));
    expect(splitsOf(1)).not.toEqual(splitsOf(2));
    const given = sequences.map((_, i) => (i < 30 ? "train" : "test"));
    const found = splitData(labelledOf(sequences, labels, given));
    expect(found).toMatchObject({ facts: { training: 27, dev: 3, test: 10, drawn: "dev" } });
  });
});

describe("costs", () => {
  test("are the same by the clock, and by steps those of longer and hyperbolic ones greater", () => {
    const few = { ...plan, sets: [sets[0]], seeds: [1] };
    expect(runCosts({ ...few, settings: { ...plan.settings, budget: { minutes: 1 } } })).toEqual([1, 1]);
    expect(runCosts(few)).toEqual([24, 48]);
    expect(runCosts({ ...few, settings: { ...plan.settings, length: 6, budget: { epochs: 2 } } })).toEqual([
      60, 120,
    ]);
  });
});

/** A result such as a run would have had. */
function resultOf(set: string, network: ClassifierOptions, seed: number, mcc: number): BenchmarkResult {
  const test = { mcc, accuracy: 0.9, macroF1: 0.8, intervals: { mcc: [mcc - 0.1, mcc + 0.1] } };
  return {
    key: `${set} ${modelLabel(network)} ${seed}`,
    set,
    model: modelLabel(network),
    network: completeClassifier(network),
    seed,
    settings: { budget: { steps: 1200 }, recipe: "default", settings: { batch: 8 } },
    recipe: { ...CLASSIFIER_RECIPE, batch: 8 },
    data: set,
    facts: { training: 1000, dev: 100, test: 100, classes: 2, longest: 100, drawn: set === "other" ? "all" : "nothing", copies: set === "tf_0" ? 16 : 0, contradicting: set === "tf_0" ? 2 : 0 },
    dev: 0.5,
    test: test as unknown as BenchmarkResult["test"],
    parameters: 1234,
    steps: 1200,
    seconds: 12.3,
    machine: { cpu: "a processor", cores: 2, node: "v20", embranch: "0.1.0" },
    finished: "2025-01-01T00:00:00.000Z",
  }; // prettier-ignore
}
const headOf = (results: BenchmarkResult[]) => ({
  title: "Classifiers",
  settings: results[0].settings,
  results,
  command: "embranch classify benchmark",
});

describe("a summary", () => {
  const models: ClassifierOptions[] = [{ name: "cnn" }, { name: "hcnn" }, { name: "hcnn-multi" }];
  const made = (set: string, table: number[][]) =>
    table.flatMap((row, m) => row.map((mcc, i) => resultOf(set, models[m], i + 1, mcc)));
  const results = [
    // Differences .1, .2, .3 and −.1, −.1, −.1.
    ...made("tf_0", [
      [0.6, 0.5, 0.4],
      [0.7, 0.7, 0.7],
      [0.5, 0.4, 0.3],
    ]),
    // Equal means win nothing.
    ...made("other", [
      [0.5, 0.6],
      [0.6, 0.5],
      [0.7, 0.7],
    ]),
    // A seed that has no partner does not count.
    ...made("mouse_2", [[0.8], [0.75, 1], [0.7]]),
  ];
  const report = benchmarkReport(results, { sets: ["tf_0", "other"], models: ["cnn"] });

  test("has means over the seeds, and differences by pairs with Student's interval", () => {
    expect(report.reference).toBe("cnn");
    expect(report.sets.map(({ set }) => set)).toEqual(["tf_0", "other", "mouse_2"]);
    const [tf, other, mouse] = report.sets;
    expect(tf.models.map(({ mcc }) => mcc)).toEqual([
      { mean: expect.closeTo(0.5) as number, deviation: expect.closeTo(0.1) as number, count: 3 },
      { mean: expect.closeTo(0.7) as number, deviation: expect.closeTo(0) as number, count: 3 },
      { mean: expect.closeTo(0.4) as number, deviation: expect.closeTo(0.1) as number, count: 3 },
    ]);
    // 0.2 ± 4.3027 · 0.1/√3.
    expect(tf.contrasts[0]).toMatchObject({
      model: "hcnn",
      difference: { mean: expect.closeTo(0.2) as number, count: 3 },
      interval: [expect.closeTo(-0.04841, 4), expect.closeTo(0.44841, 4)],
    });
    expect(other.contrasts.map(({ difference }) => difference!.mean)).toEqual([
      expect.closeTo(0),
      expect.closeTo(0.15),
    ]);
    expect(mouse.contrasts[0]).toEqual({
      model: "hcnn",
      won: false,
      difference: { mean: expect.closeTo(-0.05) as number, count: 1 },
      interval: undefined,
    });
  });

  test("counts sets with a higher mean, those of the better hyperbolic model, and those above published numbers", () => {
    expect(report.overall.map(({ model, wins }) => [model, wins])).toEqual([
      ["hcnn", { won: 1, sets: 3 }],
      ["hcnn-multi", { won: 1, sets: 3 }],
    ]);
    expect(report.overall[0].difference!.mean).toBeCloseTo((0.2 + 0 - 0.05) / 3);
    expect(report.anyHyperbolic).toEqual({ won: 2, sets: 3 });
    // tf_0: 67.95, 71.99, 69.12; mouse_2: 72.62, 79.32, 81.28. The split of the other set is not the published one.
    expect(report.sets.map(({ published }) => published?.dnabert2)).toEqual([71.99, undefined, 79.32]);
    expect(report.above).toEqual([
      { model: "cnn", dnabert2: share(1, 2), dnabert2Further: share(0, 2), others: share(1, 2) },
      { model: "hcnn", dnabert2: share(1, 2), dnabert2Further: share(2, 2), others: share(2, 2) },
      { model: "hcnn-multi", dnabert2: share(0, 2), dnabert2Further: share(0, 2), others: share(0, 2) },
    ]);
  });
  const share = (won: number, sets: number) => ({ won, sets });

  test("is written as Markdown and JSON", () => {
    const whole = { ...report, missing: 2, skipped: [{ name: "EMP_H3", reason: "has no train sequences" }] };
    const text = benchmarkMarkdown(whole, headOf(results));
    expect(text).toContain(
      "| set | training | copies in test | cnn | hcnn | hcnn-multi | hcnn − cnn | hcnn-multi − cnn | DNABERT-2 | DNABERT-2◆ | others' best |\n",
    );
    expect(text).toContain(
      "| tf_0 | 1,000 | 16 (2) | 50.0 ± 10.0 | 70.0 ± 0.0 | 40.0 ± 10.0 | +20.0 [-4.8, 44.8] | -10.0 [-10.0, -10.0] | 72.0 | 69.1 | 68.0 |\n",
    );
    expect(text).toContain(
      "| mouse_2 | 1,000 | 0 | 80.0 | 87.5 ± 17.7 | 70.0 | -5.0 | -10.0 | 79.3 | 81.3 | 72.6 |\n",
    );
    expect(text).toContain("- hcnn is above cnn on 1 of 3 sets (33 %), and by +5.0 [");
    expect(text).toContain(
      "chosen by test, is above cnn on 2 of 3 sets (67 %) (a hyperbolic one was published to be on 37 of 42)",
    );
    expect(text).toContain(
      "- hcnn is above DNABERT-2 on 1, above DNABERT-2◆ on 2 and above the others' best on 2 of 2 sets\n",
    );
    expect(text).toContain('- Training: 1,200 steps a model, default recipe, with {"batch":8}\n');
    expect(text).toContain("- Taken: cnn 1,200 steps in 12 s, 1,234 parameters;");
    expect(text).toContain("- Split at random, wholly or the dev part: other\n");
    expect(text).toContain("- Left out: EMP_H3, which has no train sequences\n- 2 runs have no result yet\n");
    expect(text).not.toMatch(/NaN|undefined|null/);
    expect(JSON.parse(benchmarkJson(whole, headOf(results)))).toMatchObject({
      reference: "cnn",
      settings: { budget: { steps: 1200 } },
      overall: [{ model: "hcnn", wins: { won: 1, sets: 3 } }, { model: "hcnn-multi" }],
      missing: 2,
    });
  });

  test("gives no set to a model that diverged on it, and counts it", () => {
    const diverging = (result: BenchmarkResult): BenchmarkResult => ({
      ...result,
      test: undefined,
      diverged: "the loss is not finite",
    });
    const [cnn, hcnn, multi] = models.map((model) => resultOf("tf_0", model, 4, 0.9)).map(diverging);
    const found = benchmarkReport([...results, hcnn, resultOf("tf_0", models[0], 4, 0.1)]);
    const [tf] = found.sets;
    expect(tf.contrasts[0]).toMatchObject({ won: false, difference: { count: 3 } });
    expect(found.overall[0]).toMatchObject({ wins: share(0, 3), diverged: 1 });
    expect(found.anyHyperbolic).toEqual(share(1, 3));
    expect(found.above[1]).toMatchObject({ model: "hcnn", dnabert2: share(1, 2), others: share(1, 2) });
    const text = benchmarkMarkdown(found, headOf(results));
    expect(text).toContain("| 70.0 ± 0.0, 1 of 4 diverged |");
    expect(text).toContain("A model has won no set on which it diverged with some seed;");
    expect(text).toMatch(/\n- hcnn is above cnn on 0 of 3 sets \(0 %\), and by .*; it diverged on 1\n/);

    // With nothing to compare, the set counts all the same, and the one that did not diverge has won it.
    const alone = benchmarkReport([cnn, resultOf("tf_0", models[1], 4, 0.5), multi]);
    expect(alone.sets[0].contrasts).toMatchObject([
      { model: "hcnn", won: true, difference: undefined },
      { model: "hcnn-multi", won: false, difference: undefined },
    ]);
    expect(alone.overall.map(({ wins, diverged }) => [wins, diverged])).toEqual([
      [share(1, 1), 0],
      [share(0, 1), 1],
    ]);
    expect(benchmarkMarkdown(alone, headOf([cnn]))).not.toMatch(/NaN|undefined|null/);
  });

  test("knows the sets of GUE by the names of files and of folders", () => {
    expect(publishedMcc("prom_core_tata")).toEqual({
      dnabert2: 74.17,
      dnabert2Further: 76.18,
      others: 78.15,
    });
    for (const name of ["GUE/prom/prom_core_tata", "prom/prom_core_tata"]) {
      expect(publishedMcc(name)).toEqual(publishedMcc("prom_core_tata"));
    }
    expect(publishedMcc("GUE/EMP/H3K4me1")?.dnabert2).toBe(50.52);
    expect(publishedMcc("my_mouse_2")).toBeUndefined();
  });
});

test.each([
  [1, 12.7062],
  [2, 4.3027],
  [3, 3.1824],
  [4, 2.7764],
  [9, 2.2622],
  [30, 2.0423],
])("Student's t with %i degrees of freedom", (degrees, expected) => {
  expect(studentQuantile(0.95, degrees)).toBeCloseTo(expected, 4);
});

test("a single number has no interval", () => {
  expect(meanInterval(summarize([1])!)).toBeUndefined();
});

test("a model is named by what differs from the defaults", () => {
  expect(modelLabel({ name: "hcnn", channels: 32, dropout: 0.2 })).toBe("hcnn:dropout=0.2");
});
