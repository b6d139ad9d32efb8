/** @file The papers' tables: cells are made once, kept, claimed, and reported beside the published numbers. */

import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dimensionFigure } from "../../src/bench/dimension-figure.ts";
import { paperData, syntheticData, type PaperData } from "../../src/bench/paper-data.ts";
import {
  chooseCells,
  PAPER_TABLES,
  paperTable,
  type Cell,
  type PaperTable,
} from "../../src/bench/paper-tables.ts";
import { papersJson, papersMarkdown, papersReport } from "../../src/bench/papers-report.ts";
import {
  cellSettings,
  runPapers,
  type CellResult,
  type PaperRunOptions,
  type PaperSettings,
} from "../../src/bench/papers.ts";
import { NEUROSEED_DIMENSION, NEUROSEED_RMSE } from "../../src/bench/published.ts";
import { FormatError, UsageError } from "../../src/error.ts";
import { ResultFolder } from "../../src/result-folder.ts";
import { TUNED_SETS } from "../../src/task/presets.ts";
import { summarize } from "../../src/task/summary.ts";
import { readsOf } from "../task/models.ts";

const root = mkdtempSync(join(tmpdir(), "embranch-papers-"));
afterAll(() => rmSync(root, { recursive: true }));

let folders = 0;
const newFolder = (name = "neuroseed-rmse") =>
  ResultFolder.open<CellResult>(join(root, String(folders++)), name);
const lines = ({ file }: { file: string }) => readFileSync(file, "utf8").trim().split("\n");
const locks = ({ path }: { path: string }) => readdirSync(path).filter((name) => name.endsWith(".lock"));

/** A number such as a machine would have measured. */
function resultOf(
  table: PaperTable,
  cell: Cell,
  settings: PaperSettings,
  rmse: number,
  seed = 1,
): CellResult {
  const id = cellSettings(table, cell, settings);
  return {
    key: `${id}-${seed}`,
    table: table.name,
    row: cell.row,
    column: cell.column,
    seed,
    settings: id,
    subject: cell.subject,
    data: settings.data.digest,
    evaluation: {
      pairs: 1000,
      rmsePercent: rmse,
      maePercent: rmse,
      mapePercent: rmse,
      pearson: 1,
      spearman: 1,
      homologous: { k: 40, pairs: 500, rmsePercent: rmse / 2 },
    },
    machine: { cpu: "a processor", cores: 2, node: "v20", embranch: "0.1.0" },
    finished: "2021-11-23T00:00:00.000Z",
  };
}

let data: PaperData;
let settings: PaperSettings;
beforeAll(async () => {
  data = paperData("simulated reads", {
    train: await readsOf({ leaves: 24, length: 40, seed: 1 }),
    validation: await readsOf({ leaves: 8, length: 40, seed: 2, prefix: "v" }),
    test: await readsOf({ leaves: 10, length: 40, seed: 3, prefix: "t" }),
  });
  settings = { data, budget: { steps: 2 }, recipe: "default" };
});

const table = paperTable("neuroseed-rmse");
const few = chooseCells(table, ["4-mer", "linear", "cosine", "hyperbolic"]);
const go = (
  folder: ResultFolder<CellResult>,
  options: PaperRunOptions = {},
  changes: Partial<PaperSettings> = {},
) => runPapers(folder, table, few, [1, 2], { ...settings, ...changes }, { threads: 1, ...options });

describe("a run", () => {
  test("makes every cell once, and finds them again", async () => {
    const folder = await newFolder();
    expect(await go(folder)).toEqual({ made: 6, found: 0, busy: 0, stopped: false });
    expect(lines(folder)).toHaveLength(6);
    expect(locks(folder)).toEqual([]);
    const results = [...(await folder.read()).values()];
    expect(results.map(({ row, column, seed }) => [row, column, seed])).toEqual([
      ["4-mer", "cosine", undefined],
      ["4-mer", "hyperbolic", undefined],
      ["linear", "cosine", 1],
      ["linear", "cosine", 2],
      ["linear", "hyperbolic", 1],
      ["linear", "hyperbolic", 2],
    ]);
    for (const { evaluation } of results) {
      expect(evaluation).toMatchObject({ pairs: 45, homologous: { k: 40 } });
      expect(evaluation!.rmsePercent).toBeGreaterThan(0);
    }
    expect(results[2]).toMatchObject({
      steps: 2,
      budget: { steps: 2 },
      parameters: (4 * data.length + 1) * 128 + 2,
    });

    expect(await go(folder)).toEqual({ made: 0, found: 6, busy: 0, stopped: false });
    expect(lines(folder)).toHaveLength(6);
  });

  test("makes models again for another budget, recipe or data, and baselines for other data alone", async () => {
    const folder = await newFolder();
    await go(folder);
    expect(await go(folder, {}, { budget: { steps: 3 } })).toMatchObject({ made: 4, found: 2 });
    expect(await go(folder, {}, { recipe: "paper" })).toMatchObject({ made: 4, found: 2 });
    const { train, validation } = data;
    const other = paperData("other reads", {
      train,
      validation,
      test: await readsOf({ leaves: 5, length: 40 }),
    });
    expect(await go(folder, {}, { data: other })).toMatchObject({ made: 6, found: 0 });
    // A report takes the results of its own settings alone.
    const report = papersReport(table, (await folder.read()).values(), { settings, command: "" });
    expect(report.cells.map(({ results }) => results.length)).toEqual([1, 1, 2, 2]);
  });

  test("that is stopped leaves what is done, and the next one goes on", async () => {
    const folder = await newFolder();
    const stop = new AbortController();
    let results = 0;
    const onResult = () => void (++results === 3 && stop.abort());
    expect(await go(folder, { signal: stop.signal, onResult })).toMatchObject({ made: 3, stopped: true });
    // In the middle of training, too.
    const early = new AbortController();
    const onProgress = (_: number, share: number) => void (share > 0 && early.abort());
    expect(await go(folder, { signal: early.signal, onProgress })).toMatchObject({ made: 0, stopped: true });
    expect(locks(folder)).toEqual([]);
    expect(await go(folder)).toEqual({ made: 3, found: 3, busy: 0, stopped: false });
  });

  test("leaves cells to the process that has them", async () => {
    const folder = await newFolder();
    const release = await folder.claim(cellSettings(table, few[0], settings));
    expect(await go(folder)).toMatchObject({ made: 5, busy: 1 });
    await release!();
    expect(await go(folder)).toMatchObject({ made: 1, found: 5, busy: 0 });
  });

  test("records a model that diverges", async () => {
    const wild: Cell = {
      row: "linear",
      column: "euclidean",
      group: "neuroseed",
      subject: {
        kind: "model",
        options: {
          encoder: { name: "linear" },
          geometry: "square",
          dim: 4,
          space: {},
          settings: { learningRate: 1e30, warmup: 0 },
        },
      },
    };
    const wildTable = { ...table, cells: [wild] };
    const folder = await newFolder();
    const run = await runPapers(
      folder,
      wildTable,
      [wild],
      [1, 2],
      { ...settings, budget: { steps: 4 } },
      { threads: 1 },
    );
    expect(run).toMatchObject({ made: 2 });
    const found = [...(await folder.read()).values()];
    expect(found[0]).toMatchObject({
      seed: 1,
      diverged: expect.stringMatching(/must be finite|test error/) as string,
    });
    expect(found[0]).not.toHaveProperty("evaluation");
    const report = papersReport(wildTable, found, {
      settings: { ...settings, budget: { steps: 4 } },
      command: "",
    });
    expect(papersMarkdown(report)).toContain("| linear | 2 of 2 diverged |");
  });

  test("of the regularised models, and of another encoder for the dimensions", async () => {
    const nwa = paperTable("nwa", { dim: 16, nwa: { name: "nwa", pairs: 2 } });
    const folder = await newFolder("nwa");
    const run = await runPapers(
      folder,
      nwa,
      chooseCells(nwa, ["cnn"]),
      [7],
      { ...settings, budget: { steps: 1 } },
      { threads: 1 },
    );
    expect(run).toMatchObject({ made: 2 });
    const [plain, regularized] = [...(await folder.read()).values()];
    expect(plain.subject).not.toHaveProperty("options.regularizer");
    expect(regularized.subject).toMatchObject({
      options: { dim: 16, regularizer: { lambda: 1e-5, pairs: 2 } },
    });
    // The regulariser is no part of the model.
    expect(regularized.parameters).toBe(plain.parameters);

    const dimension = paperTable("dimension", { encoder: "residual" });
    const cells = chooseCells(dimension, ["4", "euclidean"]);
    expect(cells.map(({ row, column }) => [row, column])).toEqual([["euclidean", "4"]]);
    const other = await newFolder("dimension");
    expect(await runPapers(other, dimension, cells, [1], settings, { threads: 1 })).toMatchObject({
      made: 1,
    });
    expect(dimension.cells.every(({ published }) => published === undefined)).toBe(true);
  });
});

describe("a folder of results", () => {
  const lockOf = (folder: ResultFolder<CellResult>) => join(folder.path, "neuroseed-rmse-key.lock");
  const lock = (folder: ResultFolder<CellResult>, pid: number, host = hostname()) =>
    writeFileSync(lockOf(folder), JSON.stringify({ pid, host }));
  /** No process has this number. */
  const DEAD = 2 ** 22 + 1;

  test("lets one process at a time claim a cell", async () => {
    const folder = await newFolder();
    const release = await folder.claim("key");
    expect(JSON.parse(readFileSync(lockOf(folder), "utf8"))).toEqual({ pid: process.pid, host: hostname() });
    expect(await folder.claim("key")).toBeUndefined();
    expect(await folder.claim("other")).toBeDefined();
    await release!();
    expect(existsSync(lockOf(folder))).toBe(false);
    expect(await folder.claim("key")).toBeDefined();
  });

  test("takes over the lock of a process that has died, and no other", async () => {
    const folder = await newFolder();
    lock(folder, process.ppid);
    expect(await folder.claim("key")).toBeUndefined();
    lock(folder, DEAD, "elsewhere");
    expect(await folder.claim("key")).toBeUndefined();
    lock(folder, DEAD);
    expect(await folder.claim("key")).toBeDefined();
    expect(JSON.parse(readFileSync(lockOf(folder), "utf8"))).toMatchObject({ pid: process.pid });
  });

  test("waits for a lock that is being written, but not for long", async () => {
    const folder = await newFolder();
    writeFileSync(lockOf(folder), "");
    expect(await folder.claim("key")).toBeUndefined();
    const past = Date.now() / 1000 - 60;
    utimesSync(lockOf(folder), past, past);
    expect(await folder.claim("key")).toBeDefined();
  });

  test("keeps the first result of a cell, and says which line is none", async () => {
    const folder = await newFolder();
    expect((await folder.read()).size).toBe(0);
    const result = resultOf(table, few[0], settings, 1);
    await folder.append(result);
    await folder.append({ ...result, row: "copy" });
    expect([...(await folder.read()).values()]).toEqual([result]);
    writeFileSync(folder.file, `${JSON.stringify(result)}\n{"key": 3}\n`);
    await expect(folder.read()).rejects.toThrow(FormatError);
    await expect(folder.read()).rejects.toThrow(
      /neuroseed-rmse\.jsonl, line 2: result: must be a JSON object/,
    );
  });
});

describe("a table", () => {
  test("holds every published number of its paper", () => {
    for (const set of TUNED_SETS) {
      const { cells } = paperTable(set === "synthetic" ? "synthetic" : "neuroseed-rmse", { set });
      for (const [row, numbers] of Object.entries(NEUROSEED_RMSE[set])) {
        for (const [column, published] of Object.entries(numbers)) {
          const cell = cells.find((each) => each.row === row && each.column === column);
          expect(cell?.published, `${set} ${row} ${column}`).toEqual(published);
        }
      }
    }
    const { cells } = paperTable("dimension");
    expect(cells).toHaveLength(35);
    const published = cells.filter((cell) => cell.published !== undefined);
    expect(published).toHaveLength(Object.values(NEUROSEED_DIMENSION).flatMap(Object.keys).length);
    for (const cell of paperTable("nwa").cells) {
      expect(cell.published!.mean).toBeGreaterThan(cell.publishedHomologous!.mean);
    }
    expect(paperTable("nwa", { dim: 64 }).cells[0].published).toBeUndefined();
  });

  test.each(PAPER_TABLES)("%s has a cell but once, and models of the dimension asked for", (name) => {
    const { cells } = paperTable(name, { dim: 32 });
    expect(new Set(cells.map(({ row, column }) => `${row} ${column}`)).size).toBe(cells.length);
    for (const { subject, column } of cells) {
      if (subject.kind === "model")
        expect(subject.options.dim).toBe(name === "dimension" ? Number(column) : 32);
    }
  });

  test("of the regulariser has more of its weights where they are asked for", () => {
    const columns = (row: string) =>
      paperTable("nwa", { lambdas: [1e-6, 3e-7] }).cells.flatMap((cell) =>
        cell.row === row ? [cell.column] : [],
      );
    expect(columns("cnn")).toEqual(["without", "with", "λ=1e-6", "λ=3e-7"]);
    // The paper's own is there already.
    expect(columns("dsee")).toEqual(["without", "with", "λ=3e-7"]);
  });

  test("is cut down by rows, kinds of rows and columns", () => {
    const names = (...only: string[]) =>
      chooseCells(table, only).map(({ row, column }) => `${row} ${column}`);
    expect(names()).toHaveLength(25 + 3 + 10 * 5);
    expect(names("ffp")).toEqual(["ffp-8 jensen-shannon", "ffp-9 jensen-shannon", "ffp-10 jensen-shannon"]);
    expect(names("k-mers", "cnn", "cosine")).toHaveLength(6);
    expect(names("hyperbolic")).toHaveLength(15);
    expect(() => names("cnn", "hyperbolical")).toThrow(UsageError);
    expect(() => names("hyperbolical")).toThrow(/^--only: must be of 2-mer, .*, got "hyperbolical"$/);
  });
});

describe("a report", () => {
  test("has mean and deviation over the seeds, and the published numbers", () => {
    const [cosine, hyperbolic] = chooseCells(table, ["cnn", "cosine", "hyperbolic"]);
    const kmer = chooseCells(table, ["4-mer", "cosine"])[0];
    const results = [
      resultOf(table, cosine, settings, 2.5),
      ...[1, 1.1, 1.2].map((rmse, i) => resultOf(table, hyperbolic, settings, rmse, i + 1)),
      resultOf(table, kmer, settings, 5.66),
    ];
    const command = "embranch bench papers";
    const report = papersReport(table, results, { settings, command });
    const text = papersMarkdown(report);
    expect(text).toContain(
      "| model | cosine | hyperbolic |\n| --- | ---: | ---: |\n| 4-mer | 5.66 (6.01) |  |\n",
    );
    expect(text).toContain("| cnn | 2.50 (2.54 ± 0.04) | 1.10 ± 0.10 (1.56 ± 0.01) |");
    expect(text).toContain("over up to 3 seeds");
    expect(text).toMatch(
      /- Data: simulated reads; 24 training, 8 validation, 10 test sequences of up to \d+ letters/,
    );
    expect(text).toContain(
      "- Training: 2 steps a model, default recipe, with learned exponents\n- Machine: a processor, 2 cores, Node v20\n",
    );
    expect(text).toContain("- Command: `embranch bench papers`\n- 75 cells of the table have no result yet");
    const json = JSON.parse(papersJson(report)) as Record<string, unknown>;
    expect(json).toMatchObject({
      table: "neuroseed-rmse",
      data: { sequences: { train: 24, validation: 8, test: 10 } },
      budget: { steps: 2 },
      missing: 75,
    });
    expect((json.cells as unknown[])[2]).toMatchObject({
      row: "cnn",
      column: "hyperbolic",
      rmse: { mean: expect.closeTo(1.1) as number, count: 3 },
      published: { mean: 1.56, deviation: 0.01 },
    });
  });

  test("of the regulariser pairs models by seed", () => {
    const nwa = paperTable("nwa");
    const [without, regularized] = chooseCells(nwa, ["cnn"]);
    const results = [
      ...[1.5, 1.7, 1.9].map((rmse, i) => resultOf(nwa, without, settings, rmse, i + 1)),
      ...[1.4, 1.6, 1.8].map((rmse, i) => resultOf(nwa, regularized, settings, rmse, i + 1)),
      // Nothing to pair with.
      resultOf(nwa, regularized, settings, 9, 4),
    ];
    const [all, homologous] = papersMarkdown(papersReport(nwa, results, { settings, command: "" })).split(
      "## Homologous pairs",
    );
    expect(all).toContain(
      "| cnn | 1e-5 | 1.700 ± 0.200 (1.55 ± 0.01) | 3.450 ± 3.704 (1.52 ± 0.01) | 0.100 ± 0.000 |",
    );
    expect(homologous).toContain(
      "| cnn | 1e-5 | 0.850 ± 0.100 (1.29 ± 0.02) | 1.725 ± 1.852 (1.29 ± 0.02) | 0.050 ± 0.000 |",
    );
  });

  test("of the dimensions has a figure", async () => {
    const dimension = paperTable("dimension");
    const results = dimension.cells.flatMap((cell) => {
      const best = { hyperbolic: 1.2, euclidean: 1.5, manhattan: 1.6, cosine: 1.9, square: 2.4 }[cell.row]!;
      return [1, 2].map((seed) =>
        resultOf(dimension, cell, settings, best + (seed + 5) / Number(cell.column), seed),
      );
    });
    const svg = dimensionFigure(papersReport(dimension, results, { settings, command: "" }));
    expect(svg).not.toMatch(/NaN|undefined| id="/);
    await expect(svg).toMatchFileSnapshot("figures/dimension.svg");
  });

  test("summaries are those of a sample", () => {
    expect(summarize([])).toBeUndefined();
    expect(summarize([3])).toEqual({ mean: 3, count: 1 });
    expect(summarize([1, 2, 4])).toEqual({
      mean: 7 / 3,
      deviation: expect.closeTo(1.5275, 4) as number,
      count: 3,
    });
  });
});

describe("random sequences", () => {
  test("are families that grow from roots of their own", () => {
    const {
      train,
      validation,
      test: held,
      family,
      length,
    } = syntheticData({ share: 0.01, length: 64, family: 10 });
    expect([train, validation!, held].map(({ ids }) => ids.length)).toEqual([140, 20, 40]);
    expect([family, length]).toEqual([10, 64]);
    expect(new Set(train.codes.map(({ length }) => length))).toEqual(new Set([64]));
    const again = syntheticData({ share: 0.01, length: 64, family: 10 });
    expect(again.digest).toBe(syntheticData({ share: 0.01, length: 64, family: 10 }).digest);
    expect(again.digest).not.toBe(syntheticData({ share: 0.01, length: 64, family: 10, seed: 2 }).digest);
  });

  test("are where k-mers beat a network that was trained for a while, as published", async () => {
    const synthetic = paperTable("synthetic", { dim: 32 });
    const families = syntheticData({ share: 0.006, length: 256, family: 30 });
    expect(families.train.ids).toHaveLength(240);
    const made = { data: families, budget: { steps: 80 }, recipe: "default" } as const;
    const cells = chooseCells(synthetic, ["4-mer", "linear", "cnn", "cosine"]);
    const folder = await newFolder("synthetic");
    await runPapers(folder, synthetic, cells, [1], made);
    const errors = Object.fromEntries(
      [...(await folder.read()).values()].map(({ row, evaluation }) => [row, evaluation!.rmsePercent]),
    );
    expect(Object.keys(errors)).toEqual(["4-mer", "linear", "cnn"]);
    // Pairs within families alone are measured: across them there is nothing to tell apart.
    const [result] = (await folder.read()).values();
    expect(result.evaluation!.pairs).toBe((2 * 30 * 29) / 2);
    expect(errors["4-mer"]).toBeLessThan(5);
    expect(errors["4-mer"]).toBeLessThan(0.8 * errors.cnn);
    expect(errors["4-mer"]).toBeLessThan(0.8 * errors.linear);
  });
});
