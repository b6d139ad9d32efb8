/** @file Training with attention maps, and drawing one. */

import { copyFileSync, existsSync, readFileSync, statSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { Workplace } from "./command.ts";

const place = new Workplace();
const FIT = "fit reads.fasta --steps 4 --batch 16 --dim 8 --threads 1 --no-report -q";
const NWA = "--regularizer nwa:width=4,heads=2,inner=8";

beforeAll(async () => {
  // Indels make lengths differ, which the papers' code cannot have.
  await place.ok("simulate 30 --length 24 --indels 0.3 -o reads.fasta --seed 3 -q");
  await place.ok(`${FIT} --encoder linear ${NWA} -o maps.onnx`);
});

test("a map is drawn beside the matrix, and measured", async () => {
  const stdout = await place.ok("attention reads.fasta -m maps.onnx -o pair.svg --json -q");
  const { output, source, target, editDistance, divergence } = JSON.parse(stdout) as Record<string, unknown>;
  expect([output, source, target]).toEqual(["pair.svg", "leaf1", "leaf2"]);
  expect(editDistance).toBeGreaterThan(0);
  expect(divergence).toBeGreaterThan(0);
  const svg = readFileSync(place.at("pair.svg"), "utf8");
  expect(svg).toMatch(/^<svg/);
  expect(svg).toContain("leaf1");
});

test("any two sequences, any part of them", async () => {
  const words =
    "attention reads.fasta -m maps.onnx --source leaf9 --target leaf4 --zoom 3-9 -o part.svg --json";
  expect(JSON.parse(await place.ok(`${words} -q`))).toMatchObject({ source: "leaf9", target: "leaf4" });
});

test.each([
  ["--source leaf2", { source: "leaf2", target: "leaf1" }],
  ["--source leaf1", { source: "leaf1", target: "leaf2" }],
  ["--target leaf1", { source: "leaf2", target: "leaf1" }],
  ["--target leaf7", { source: "leaf1", target: "leaf7" }],
  ["--source leaf3 --target leaf3", { source: "leaf3", target: "leaf3" }],
])("%s: the other is the first other one", async (options, expected) => {
  const stdout = await place.ok(`attention reads.fasta -m maps.onnx ${options} -o named.svg --json -q`);
  expect(JSON.parse(stdout)).toMatchObject(expected);
});

test("a model without maps takes those of the model before it away", async () => {
  await place.ok(`${FIT} --encoder linear ${NWA} -o again.onnx`);
  expect(existsSync(place.at("again.attention.onnx"))).toBe(true);
  const { code, stderr } = await place.run(`${FIT.replace(" -q", "")} --encoder linear -o again.onnx`);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("again.attention.onnx: ") as string }); // prettier-ignore
  expect(existsSync(place.at("again.attention.onnx"))).toBe(false);
});

test("maps of another run are refused", async () => {
  await place.ok(`${FIT} --encoder linear --seed 2 -o other.onnx`);
  copyFileSync(place.at("maps.attention.onnx"), place.at("other.attention.onnx"));
  const { code, stderr } = await place.run("attention reads.fasta -m other.onnx -o wrong.svg");
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr:
      "embranch: other.attention.onnx: must be of the run that made other.onnx, got that of another; fit the model again with --regularizer nwa\n",
  });
  expect(existsSync(place.at("wrong.svg"))).toBe(false);
});

test("the encoder's file has nothing of the regulariser", async () => {
  await place.ok(`${FIT} --encoder linear -o plain.onnx`);
  expect(existsSync(place.at("plain.attention.onnx"))).toBe(false);
  const [plain, maps] = ["plain.onnx", "maps.onnx"].map((name) => statSync(place.at(name)).size);
  expect(Math.abs(maps - plain)).toBeLessThan(200);
});

test.each([
  [
    "attention reads.fasta -m plain.onnx",
    1,
    /plain\.attention\.onnx: there is no attention file.*--regularizer nwa/,
  ],
  ["attention reads.fasta -m typo.onnx", 1, /typo\.onnx: cannot be read: there is no such file/],
  ["attention reads.fasta -m maps.onnx -o a.png", 2, /--output: must end in \.svg, got a\.png/],
  ["attention reads.fasta -m maps.onnx --zoom 9-3", 2, /--zoom: must be a range/],
  ["attention reads.fasta -m maps.onnx --zoom 90-95", 2, /embranch: --zoom: must begin at 0 to \d+ and end/],
  ["attention reads.fasta -m maps.onnx --source nobody", 1, /no sequence named "nobody"/],
  [`${FIT} ${NWA} --loss triplet --batch 15 -o no.onnx`, 2, /regularizer: needs a loss of pairs/],
  [`${FIT} --regularizer nwa:width=5 -o no.onnx`, 2, /heads: must divide/],
])("%s", async (words, code, message) => {
  const ended = await place.run(words);
  expect(ended.code).toBe(code);
  expect(ended.stderr).toMatch(message);
});
