/** @file `bench papers`: a small grid end to end, resumed, shared by two processes, stopped. */

import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { ended, Workplace } from "./command.ts";

const place = new Workplace();

beforeAll(async () => {
  await place.ok("simulate 24 --length 40 -o my_train.fasta --seed 1 -q");
  await place.ok("simulate 8 --length 40 -o my_val.fasta --seed 2 -q");
  await place.ok("simulate 10 --length 40 -o my_test.fasta --seed 3 -q");
});

const GRID = "bench papers --table neuroseed-rmse --data . --only 4-mer,linear,cosine,hyperbolic --threads 1";
const lines = (folder: string, table = "neuroseed-rmse") =>
  readFileSync(place.at(`${folder}/${table}.jsonl`), "utf8")
    .trim()
    .split("\n");

describe("a grid", () => {
  test("is made, written as Markdown and JSON, and found again", async () => {
    const line = `${GRID} --budget 2steps --seeds 1,2 -o results`;
    const { code, stdout, stderr } = await place.run(line);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toMatch(/^4-mer cosine: [\d.]+ %RMSE$/m);
    expect(stderr).toMatch(/^linear hyperbolic seed 2: [\d.]+ %RMSE$/m);
    expect(lines("results")).toHaveLength(6);

    const markdown = readFileSync(place.at("results/neuroseed-rmse.md"), "utf8");
    expect(stdout).toBe(`${markdown}\ntable   results/neuroseed-rmse.md\n`);
    expect(markdown).toMatch(/^\| 4-mer \| [\d.]+ \(6\.01\) \| [\d.]+ \(6\.73\) \|$/m);
    expect(markdown).toMatch(
      /^\| linear \| [\d.]+ ± [\d.]+ \(3\.38 ± 0\.06\) \| [\d.]+ ± [\d.]+ \(2\.50 ± 0\.01\) \|$/m,
    );
    expect(markdown).toContain("- Data: my_train.fasta, my_val.fasta, my_test.fasta; 24 training");
    expect(markdown).toContain(`- Command: \`embranch ${line}\``);

    const again = await place.ok(`${line} --json -q`);
    expect(lines("results")).toHaveLength(6);
    expect(again).toBe(readFileSync(place.at("results/neuroseed-rmse.json"), "utf8"));
    expect(JSON.parse(again)).toMatchObject({ table: "neuroseed-rmse", budget: { steps: 2 } });
  });

  test("is shared by processes, and takes files one by one", async () => {
    const files = "--train my_train.fasta --val my_val.fasta --test my_test.fasta";
    const line = `${GRID.replace("--data .", files)} --budget 2steps --seeds 1,2,3 -q -o shared`;
    await Promise.all([place.ok(line), place.ok(line)]);
    const keys = lines("shared").map((each) => (JSON.parse(each) as { key: string }).key);
    expect(new Set(keys).size).toBe(8);
    expect(keys).toHaveLength(8);
  });

  test("that is stopped keeps what it has, and goes on", async () => {
    const line = `${GRID} --budget 300steps --seeds 1 -o stopped`;
    const child = place.start(line);
    const end = ended(child);
    let text = "";
    while (!text.includes("4-mer hyperbolic:")) text += String((await once(child.stderr, "data"))[0]);
    child.kill("SIGINT");
    const { code, stderr } = await end;
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(stderr).toMatch(
      /embranch: stopped after \d cells, which are in stopped; the same command goes on\n$/,
    );
    expect(existsSync(place.at("stopped/neuroseed-rmse.md"))).toBe(true);
    const before = lines("stopped").length;
    expect(before).toBeGreaterThanOrEqual(2);
    expect(before).toBeLessThan(4);
    await place.ok(`${line} -q`);
    expect(lines("stopped")).toHaveLength(4);
  });

  test("of dimensions has a figure, that of random sequences needs no files", async () => {
    const data = "--data . --budget 1steps --seeds 1 --threads 1 -q -o others";
    await place.ok(`bench papers --table dimension ${data} --encoder linear --only 4,8,hyperbolic`);
    expect(readFileSync(place.at("others/dimension.svg"), "utf8")).toMatch(/^<svg .*hyperbolic/s);
    await place.ok(
      "bench papers --table synthetic --only k-mers --share 0.003 --length 64 --threads 1 -q -o others",
    );
    expect(lines("others", "synthetic")).toHaveLength(25);
  });
});

test.each([
  ["bench papers -o x", "required option '--table <name>'"],
  ["bench papers --table nwa -o x", "bench papers: --table nwa needs --data, or --train and --test"],
  ["bench papers --table nwa --data . --test my_test.fasta -o x", "cannot be combined; choose one"],
  ["bench papers --table nwa --data . --budget 5hours -o x", "It must be minutes, such as 10, or steps"],
  [
    "bench papers --table nwa --data . --only gru -o x",
    '--only: must be of cnn, nwa, transformer, dsee, without, with, got "gru"',
  ],
  [
    "bench papers --table nwa --data results -o x",
    'must hold a file with "train" in its name, got none in results',
  ],
  ["bench nothing", "Allowed choices are edit-distance, train-step, embed"],
])("%s", async (line, message) => {
  const { code, stdout, stderr } = await place.run(line);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
});
