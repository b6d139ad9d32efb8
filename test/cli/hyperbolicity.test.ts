/** @file `embranch hyperbolicity` of sequences, matrices, points and trees, and what it says when it cannot. */

import { gzipSync } from "node:zlib";
import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");
const write = (name: string, content: string | Uint8Array) => writeFileSync(place.at(name), content);

/** What the tests read of the JSON. */
interface Found {
  things: string;
  distances: string;
  count: number;
  size: number;
  samples: { delta: number; relative: number }[];
  relative: { mean: number; low: number | null; high: number | null };
  histogram: number[];
  control?: object;
  references: { reference: { name: string }; nearest: number }[];
  violation: number;
  all?: { exact: boolean; delta: { lower: number; upper: number }; relative: { upper: number } };
}

const measured = async (line: string, input?: string | Uint8Array): Promise<Found> =>
  JSON.parse(await place.ok(`hyperbolicity ${line} --json -q`, input)) as Found;

const FEW = "--size 8 --samples 3 --no-bank";

beforeAll(async () => {
  await place.ok("simulate 30 --length 80 --height 2 --death 0 -o a.fasta --tree a.nwk --seed 3 -q");
  for (const name of ["d.phy", "d.npy", "d.tsv"]) await place.ok(`distance a.fasta --exact -o ${name} -q`);
  write("cycle.phy", "4\na 0 1 2 1\nb 1 0 1 2\nc 2 1 0 1\nd 1 2 1 0\n");
});

describe.concurrent("measures", () => {
  test("the same of sequences and of their matrix in any format", async () => {
    const { all, distances } = await measured(`a.fasta ${FEW} --exact`);
    expect(distances).toBe("exact edit distances");
    expect(all!.exact).toBe(true);
    for (const name of ["d.phy", "d.tsv"]) write(`${name}.gz`, gzipSync(text(name)));
    for (const matrix of ["d.phy", "d.npy --matrix", "d.tsv --matrix", "d.phy.gz", "d.tsv.gz --matrix"]) {
      expect((await measured(`${matrix} ${FEW} --exact`)).all).toEqual(all);
    }
  });

  test("a cycle of four, whose δ_rel is 1", async () => {
    expect(await measured("cycle.phy --no-bank --exact")).toMatchObject({
      count: 4,
      size: 4,
      samples: [{ delta: 1, relative: 1 }],
      relative: { mean: 1, low: null, high: null },
      all: { exact: true, delta: { lower: 1, upper: 1 }, relative: { upper: 1 } },
    });
  });

  test("a tree, whose δ is 0, plain or gzip", async () => {
    write("b.nwk.gz", gzipSync(text("a.nwk")));
    for (const tree of ["a.nwk", "b.nwk.gz"]) {
      const { things, count, relative } = await measured(`${tree} ${FEW}`);
      expect({ things, count }).toEqual({ things: "leaves", count: 30 });
      expect(relative.mean).toBeLessThan(1e-5);
    }
  });

  test("points of a space, from any file of points", async () => {
    const rows = Array.from({ length: 12 }, (_, i) => [Math.cosh(i / 4), Math.sinh(i / 4)]);
    write("line.tsv", rows.map((row, i) => `p${i}\t${row.join("\t")}\n`).join(""));
    const { things, relative } = await measured("line.tsv --space lorentz --no-bank");
    // The points of a line are a tree.
    expect(things).toBe("points");
    expect(relative.mean).toBeLessThan(1e-4);
  });

  test("bounds of δ from a few base points", async () => {
    const exact = await measured(`a.fasta ${FEW} --exact`);
    const bounded = await measured(`a.fasta ${FEW} --bases 3`);
    expect(bounded.all!.exact).toBe(false);
    expect(bounded.all!.delta.lower).toBeLessThanOrEqual(exact.all!.delta.upper);
    expect(bounded.all!.delta.upper).toBeGreaterThanOrEqual(exact.all!.delta.upper);
  });

  test("standard input, and the same with the same seed", async () => {
    const once = await measured(`- --seed 5 ${FEW}`, text("a.fasta"));
    const again = await measured(`a.fasta --seed 5 --threads 1 ${FEW}`);
    expect(once.samples).toEqual(again.samples);
    expect((await measured(`a.fasta --seed 6 ${FEW}`)).samples).not.toEqual(again.samples);
  });
});

test("a table with references, the control and a figure", async () => {
  const { code, stdout, stderr } = await place.run(
    "hyperbolicity a.fasta --size 8 --samples 3 --figure f.svg --exact",
  );
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("figure in f.svg") as string });
  expect(stdout).toMatch(/^30 sequences, exact edit distances; 3 samples of 8\n/);
  for (const row of [
    "δ_rel = 2δ / diameter",
    "all 30 sequences",
    "random tree",
    "plane",
    "these, letters shuffled",
  ]) {
    expect(stdout).toContain(row);
  }
  expect(text("f.svg")).toMatch(/^<svg .*δ_rel of 30 sequences, 3 samples of 8/);
  const found = await measured("a.fasta --size 8 --samples 3");
  expect(found.references).toHaveLength(41);
  expect(found.references[0]).not.toHaveProperty("histogram");
  expect(found.histogram).toHaveLength(1001);
  expect(found.control).toBeDefined();
});

test("sequences as a model embeds them", async () => {
  await place.ok(`fit a.fasta --length 120 --steps 5 -o m.onnx ${SMALL} -q`);
  const { distances, count, relative } = await measured(`a.fasta -m m.onnx ${FEW}`);
  expect({ distances, count }).toEqual({
    distances: "distances predicted by m.onnx (hyperbolic)",
    count: 30,
  });
  expect(relative.mean).toBeGreaterThan(0);
  const table = text("a.fasta")
    .split(">")
    .slice(1)
    .map((record) => {
      const [id, ...lines] = record.split("\n");
      return `${id}\t${lines.join("")}\n`;
    });
  write("a.tsv", `id\tsequence\n${table.join("")}`);
  expect(await measured(`a.tsv -m m.onnx ${FEW}`)).toMatchObject({ count: 30, relative });
});

test("copies count once, whatever their names, and the command says so", async () => {
  write("copies.fasta", ">a\nACGT\n>b\nACGT\n>a\nAAAT\n>c\nACTTT\n>d\nGGGG\n");
  const { code, stdout, stderr } = await place.run("hyperbolicity copies.fasta --no-bank");
  expect({ code, stderr }).toEqual({ code: 0, stderr: "copies of other sequences, left out: 1\n" });
  expect(stdout).toMatch(/^4 sequences, exact edit distances; all at once\n/);
});

test("distances that break the triangle inequality are measured, with a word about it", async () => {
  write("bent.phy", "4\na 0 1 9 1\nb 1 0 1 2\nc 9 1 0 1\nd 1 2 1 0\n");
  expect(await place.ok("hyperbolicity bent.phy --no-bank")).toContain(
    "The triangle inequality is broken by up to 0.778 of the diameter",
  );
});

describe.concurrent("refuses", () => {
  beforeAll(() => {
    write("few.fasta", ">a\nACGT\n>b\nACGA\n>c\nACGG\n>d\nACGT\n");
    write("one.phy", "4\na 0 0 0 0\nb 0 0 0 0\nc 0 0 0 0\nd 0 0 0 0\n");
    write("nan.phy", "4\na 0 1 2 1\nb 1 0 nan 2\nc 2 nan 0 1\nd 1 2 1 0\n");
    write("skew.phy", "4\na 0 1 2 1\nb 1 0 1 2\nc 2 3 0 1\nd 1 2 1 0\n");
    write("off.tsv", "a\t1\t0\nb\t1\t5\nc\t2\t0\nd\t2\t1\n");
    write(
      "garbage.fasta",
      Uint8Array.from({ length: 300 }, (_, i) => (i * 37) % 256),
    );
  });

  test.each([
    ["three different sequences", "few.fasta", 1, /needs at least 4 different sequences, got 3\n/],
    ["things that all coincide", "one.phy", 1, /some distance must be above 0, got 0 for all pairs/],
    ["a matrix with NaN", "nan.phy", 1, /nan\.phy, line \d.*nan/i],
    ["a matrix that is not symmetric", "skew.phy", 1, /skew\.phy.* must be symmetric/],
    [
      "points off the hyperboloid",
      "off.tsv --space lorentz",
      1,
      /^embranch: off\.tsv: points: must lie on one hyperboloid/,
    ],
    [
      "points outside of the ball",
      "off.tsv --space poincare",
      1,
      /norms below 1 in the Poincaré ball, got 1\.00000 for "a"/,
    ],
    ["what is no file of sequences", "garbage.fasta", 1, /garbage\.fasta/],
    ["a file that is not there", "none.fasta", 1, /none\.fasta/],
    [
      "numbers that may be both",
      "d.npy",
      2,
      /d\.npy may hold distances or points: add --matrix or --space <name>/,
    ],
    ["the same, packed", "d.tsv.gz", 2, /d\.tsv\.gz may hold distances or points: add --matrix/],
    [
      "points that are packed",
      "p.tsv.gz --space lorentz",
      2,
      /points must not be packed, got p\.tsv\.gz; unpack it first/,
    ],
    ["a parquet file without a space", "p.parquet", 2, /p\.parquet holds points: name their --space/],
    ["--matrix with --space", "d.npy --matrix --space lorentz", 2, /needs --matrix or --space, got both/],
    ["--matrix of sequences", "a.fasta --matrix", 2, /--matrix needs a file that ends in/],
    ["a model for a matrix", "d.phy -m m.onnx", 2, /-m is for sequences/],
    ["samples of three", "a.fasta --size 3", 2, /--size must be at least 4, got 3/],
    ["--exact with --bases", "a.fasta --exact --bases 3", 2, /needs --exact or --bases, got both/],
    ["a figure without references", "a.fasta --figure f.svg --no-bank", 2, /leave --no-bank out/],
    ["a figure that is no SVG", "a.fasta --figure f.png", 2, /--figure: must end in \.svg, got f\.png/],
  ])("%s", async (_name, line, status, message) => {
    const { code, stdout, stderr } = await place.run(`hyperbolicity ${line}`);
    expect({ code, stdout }).toEqual({ code: status, stdout: "" });
    expect(stderr).toMatch(message);
  });
});
