/** @file What evaluate, embed, distance and simulate print and write: the contracts that other programs build on. */

import { parquetReadObjects, asyncBufferFromFile } from "hyparquet";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { editDistance } from "../../src/kernel/index.ts";
import {
  collect,
  DNA,
  leafNames,
  parseNewick,
  readSequences,
  type SequenceSet,
} from "../../src/sequence/index.ts";
import { decodeNpy } from "../../src/sequence/npy.ts";
import type { Evaluation } from "../../src/task/evaluate.ts";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const bytes = (name: string) => readFileSync(place.at(name));
const npy = (name: string) => {
  const { shape, data } = decodeNpy(bytes(name));
  return { shape, values: data, kind: data.constructor.name };
};
const table = (text: string) =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));

let a: SequenceSet;
let b: SequenceSet;
const load = (name: string) => collect(readSequences([bytes(name)]), { alphabet: DNA });

beforeAll(async () => {
  await place.ok("simulate 12 --length 30 -o a.fasta --seed 3 -q");
  await place.ok("simulate 5 --length 30 -o b.fasta --seed 4 --prefix other -q");
  [a, b] = [await load("a.fasta"), await load("b.fasta")];
  await place.ok(`fit a.fasta --length 40 --steps 3 -o m.onnx ${SMALL} -q`);
});

/** Exact distances from each of `rows` to each of `columns`. */
const exact = (rows: SequenceSet, columns: SequenceSet): number[][] =>
  rows.codes.map((x) => columns.codes.map((y) => editDistance(x, y)));
const condensed = (square: number[][]): number[] => square.flatMap((row, i) => row.slice(i + 1));

describe("distance --exact", () => {
  test("-o .npy: condensed unsigned integers in the file's order", async () => {
    const summary = await place.ok("distance a.fasta --exact -o d.npy --json -q");
    expect(JSON.parse(summary)).toEqual({ output: "d.npy", rows: 12, columns: 12, exact: true });
    const { shape, values } = npy("d.npy");
    expect(shape).toEqual([66]);
    expect(values).toEqual(Uint16Array.from(condensed(exact(a, a))));
  });

  test("--square: the same as a square", async () => {
    await place.ok("distance a.fasta --exact --square -o square.npy -q");
    const { shape, values } = npy("square.npy");
    expect(shape).toEqual([12, 12]);
    expect(values).toEqual(Uint16Array.from(exact(a, a).flat()));
  });

  test("standard output: a table with ids on both sides", async () => {
    const rows = table(await place.ok("distance a.fasta --exact -q"));
    expect(rows[0]).toEqual(["", ...a.ids]);
    expect(rows.slice(1)).toEqual(exact(a, a).map((row, i) => [a.ids[i], ...row.map(String)]));
  });

  test("-o .phy: PHYLIP with the ids", async () => {
    await place.ok("distance a.fasta --exact -o d.phy -q");
    const [count, ...rows] = bytes("d.phy").toString().trimEnd().split("\n");
    expect(count.trim()).toBe("12");
    expect(rows.map((row) => row.split(/\s+/)[0])).toEqual(a.ids);
    expect(rows[1].split(/\s+/).slice(1).map(Number)).toEqual(exact(a, a)[1]);
  });

  test("of two files: rows of the first, columns of the second", async () => {
    const rows = table(await place.ok("distance a.fasta b.fasta --exact -q"));
    expect(rows[0]).toEqual(["", ...b.ids]);
    expect(rows.slice(1)).toEqual(exact(a, b).map((row, i) => [a.ids[i], ...row.map(String)]));
    await place.ok("distance a.fasta b.fasta --exact -o cross.npy -q");
    expect(npy("cross.npy")).toMatchObject({ shape: [12, 5], values: Uint16Array.from(exact(a, b).flat()) });
  });

  test("--threshold: more than k edits are k + 1", async () => {
    await place.ok("distance a.fasta --exact --threshold 5 -o near.npy -q");
    expect(npy("near.npy").values).toEqual(Uint16Array.from(condensed(exact(a, a)), (d) => Math.min(d, 6)));
  });

  test("reads gzip from standard input", async () => {
    await place.ok("distance - --exact -o piped.npy -q", gzipSync(bytes("a.fasta")));
    expect(bytes("piped.npy").equals(bytes("d.npy"))).toBe(true);
  });
});

test("distance -m: a model's distances, symmetric and in the same forms", async () => {
  await place.ok("distance a.fasta -m m.onnx -o m.npy -q");
  const { shape, values, kind } = npy("m.npy");
  expect({ shape, kind }).toEqual({ shape: [66], kind: "Float32Array" });
  await place.ok("distance a.fasta a.fasta -m m.onnx -o cross.npy -q");
  const cross = npy("cross.npy").values;
  expect([...values].every((value, i) => Math.abs(value - condensed(split(cross, 12))[i]) < 1e-3)).toBe(true);
});

const split = (values: ArrayLike<number>, width: number): number[][] =>
  Array.from({ length: values.length / width }, (_, i) =>
    Array.from(values).slice(i * width, (i + 1) * width),
  );

describe("embed", () => {
  test("writes the same points as .tsv, .npy and .parquet", async () => {
    const summary = await place.ok("embed a.fasta -m m.onnx -o z.npy --json -q");
    expect(summary).toBe('{"output":"z.npy","sequences":12,"dim":8}\n');
    const { shape, values, kind } = npy("z.npy");
    expect({ shape, kind }).toEqual({ shape: [12, 8], kind: "Float32Array" });
    const points = split(values, 8);

    const rows = table(await place.ok("embed a.fasta -m m.onnx -q"));
    expect(rows[0]).toEqual(["id", ...points[0].map((_, i) => `z${i + 1}`)]);
    expect(rows.slice(1).map(([id]) => id)).toEqual(a.ids);
    expect(rows.slice(1).map(([, ...cells]) => cells.map((cell) => Math.fround(Number(cell))))).toEqual(
      points,
    );

    await place.ok("embed a.fasta -m m.onnx -o z.parquet --batch 5 -q");
    const file = await asyncBufferFromFile(place.at("z.parquet"));
    const objects = await parquetReadObjects({ file });
    expect(Object.keys(objects[0])).toEqual(["id", "embedding"]);
    expect(objects.map(({ id }) => id as string)).toEqual(a.ids);
    const embeddings = objects.map(({ embedding }) => Array.from(embedding as ArrayLike<number>)).flat();
    // Another block size may round the last bit differently.
    embeddings.forEach((value, i) => expect(Math.abs(value - values[i])).toBeLessThan(1e-6));
  });
});

describe("evaluate --json", () => {
  test("has the fields of the contract, over all pairs", async () => {
    const stdout = await place.ok("evaluate a.fasta -m m.onnx --json -q");
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const evaluation = JSON.parse(stdout) as Evaluation;
    expect(Object.keys(evaluation)).toEqual(
      ["pairs", "rmsePercent", "maePercent", "mapePercent", "pearson", "spearman", "homologous"]); // prettier-ignore
    expect(Object.keys(evaluation.homologous)).toEqual(["k", "pairs", "rmsePercent"]);
    expect(evaluation).toMatchObject({ pairs: 66, homologous: { k: 40, pairs: 66 } });

    // The same from the files of `distance`, in percent of the model's length of 40.
    await place.ok("distance a.fasta -m m.onnx -o m.npy -q");
    const predicted = npy("m.npy").values;
    const errors = condensed(exact(a, a)).map((d, i) => (predicted[i] - d) / 40);
    const rmse = 100 * Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / 66);
    expect(evaluation.rmsePercent).toBeCloseTo(rmse, 6);
  });

  test("--pairs samples, the same for the same seed; --homologous moves the bound", async () => {
    const sample = async (options: string) =>
      JSON.parse(await place.ok(`evaluate a.fasta -m m.onnx --pairs 20 --json -q ${options}`)) as Evaluation;
    const [one, again, two] = [await sample(""), await sample("--homologous 6"), await sample("--seed 2")];
    expect(one.pairs).toBe(20);
    expect(again.rmsePercent).toBe(one.rmsePercent);
    expect(two.rmsePercent).not.toBe(one.rmsePercent);
    expect(again.homologous.k).toBe(6);
    expect(again.homologous.pairs).toBeLessThan(20);
  });
});

describe("simulate", () => {
  test("the same seed makes the same sequences and tree, whose leaves they are", async () => {
    const args = "12 --length 30 --seed 3";
    await place.ok(`simulate ${args} -o again.fasta --tree true.nwk -q`);
    expect(bytes("again.fasta").equals(bytes("a.fasta"))).toBe(true);
    expect(bytes("true.nwk").toString()).toMatch(/;\n$/);
    expect(leafNames(parseNewick(bytes("true.nwk").toString())).sort()).toEqual([...a.ids].sort());
    expect(await place.ok(`simulate ${args} -q`)).toBe(bytes("a.fasta").toString());
  });

  test("what is held out is in the other file, and nothing is lost", async () => {
    await place.ok(
      "simulate 12 --length 30 --seed 3 -o most.fasta --held-out rest.fasta --held-out-share 0.4 -q",
    );
    const [most, rest, all] = ["most.fasta", "rest.fasta", "a.fasta"].map((name) =>
      bytes(name)
        .toString()
        .split(/^(?=>)/m),
    );
    expect(most.length).toBeGreaterThan(0);
    expect(rest.length).toBeGreaterThan(0);
    expect([...most, ...rest].sort()).toEqual(all.sort());
  });

  test("--json names the files", async () => {
    const stdout = await place.ok("simulate 3 -o three.fasta --tree three.nwk --json -q");
    expect(stdout).toBe('{"sequences":3,"output":"three.fasta","tree":"three.nwk","seed":1}\n');
    expect(statSync(place.at("three.fasta")).size).toBeGreaterThan(3 * 100);
  });
});

test("nothing is left but what was asked for", () => {
  expect(readdirSync(place.path).filter((name) => /^\.|part|tmp|checkpoint/.test(name))).toEqual([]);
});
