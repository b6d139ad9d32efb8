/** @file `embranch consensus` and its benchmark: files, what they report, and what they refuse. */

import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import type { ConsensusResult } from "../../src/bench/consensus.ts";
import { decode, DNA, Random } from "../../src/sequence/index.ts";
import { readOf, strandOf } from "../task/consensus/noise.ts";
import { Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");

const random = new Random(5);
const strands = Array.from({ length: 5 }, () => strandOf(60, random));
const letters = (codes: Uint8Array) => decode(codes, DNA);

beforeAll(() => {
  // A read of each strand in turn: groups do not stand together.
  const rows = Array.from({ length: 60 }, (_, i) => `s${i % 5},${letters(readOf(strands[i % 5], random))}\n`);
  writeFileSync(place.at("groups.csv"), `group,sequence\n${rows.join("")}lone,ACGT\n`);
  const known = strands.map((strand, i) => `s${i},${letters(strand)}\n`).join("");
  writeFileSync(place.at("strands.csv"), `cluster,ref\n${known}`);
});

describe.concurrent("consensus", () => {
  test("prints one record a group, in the order of their first appearance", async () => {
    const { code, stdout, stderr } = await place.run("consensus groups.csv");
    expect(code).toBe(0);
    const records = stdout.trimEnd().split("\n");
    expect(records.filter((_, i) => i % 2 === 1)).toEqual([...strands.map(letters), "ACGT"]);
    expect(records[0]).toMatch(/^>s0 reads=12 error=[\d.]+$/);
    expect(records[10]).toBe(">lone reads=1 error=0");
    expect(stderr).toMatch(
      /^6 strings of 61 sequences in [\d.]+ s, [\d.]+ edits from a sequence to its string on average\n$/,
    );
  });

  test("writes its files, leaves small groups out, and uses some reads of each", async () => {
    const { code, stdout, stderr } = await place.run(
      "consensus groups.csv -o c.fa --table c.tsv --min-size 2 --max-reads 9 --length 60 --threads 1",
    );
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("1 of 6 groups are smaller and were left out");
    const rows = text("c.tsv").trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore
    expect(rows[0]).toEqual(["group", "reads", "error", "length"]);
    expect(rows.slice(1).map(([group, reads, , length]) => [group, reads, length])).toEqual(
      strands.map((_, i) => [`s${i}`, "9", "60"]),
    );
    expect(text("c.fa").split(">")).toHaveLength(6);
  });

  test("--json tells counts, and the strings without -o", async () => {
    const json = JSON.parse(await place.ok("consensus groups.csv --json -q")) as object;
    expect(json).toMatchObject({ method: "majority", groups: 6, leftOut: 0, reads: 61 });
    expect(json).toHaveProperty("strings.5", { group: "lone", sequence: "ACGT", reads: 1, error: 0 });
    const summary = JSON.parse(await place.ok("consensus groups.csv --json -o j.fa -q")) as object;
    expect(summary).not.toHaveProperty("strings");
    expect(text("j.fa")).toMatch(/^>s0 /);
  });

  test.each(["centre", "greedy-1", "greedy-2"])("--method %s, from standard input", async (method) => {
    const fasta = await place.ok(`consensus - --method ${method} -q`, text("groups.csv"));
    expect(fasta.match(/^>/gm)).toHaveLength(6);
  });

  test("reads what cluster --reads writes", async () => {
    const reads = await place.ok("cluster groups.csv --reads -o - -q");
    expect(reads).toMatch(/^id\t/);
    await place.ok("cluster groups.csv --reads -o clusters.csv -q");
    const made = await place.ok("consensus clusters.csv --min-size 5 --length 60 -q");
    expect(made.split("\n").filter((line) => /^[ACGT]/.test(line)).sort()).toEqual(strands.map(letters).sort()); // prettier-ignore
  });
});

describe.concurrent("refuses", () => {
  test.each([
    ["steiner without a model", "groups.csv --method steiner", /needs a model with a decoder: -m <model>/],
    ["a model it does not need", "groups.csv -m m.onnx", /-m is for --method steiner, got --method majority/],
    [
      "a length of other methods",
      "groups.csv --method centre --length 9",
      /--length is for --method majority/,
    ],
    [
      "to overwrite its input",
      "groups.csv -o ./groups.csv",
      /--output must be another file than <groups>, which is read/,
    ],
    ["two outputs in one file", "groups.csv -o x --table x", /--table must be another file than --output/],
    ["two outputs in one stream", "groups.csv --table -", /the strings go to standard output/],
    ["a method that is none", "groups.csv --method mean", /Allowed choices are majority, centre/],
  ])("%s", async (_, line, message) => {
    const { code, stdout, stderr } = await place.run(`consensus ${line}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("bad data, and leaves no file behind", async () => {
    writeFileSync(place.at("bad.csv"), "group,sequence\na,ACGT\na,\n");
    const bad = await place.run("consensus bad.csv -o no.fa --table no.tsv");
    expect(bad).toMatchObject({ code: 1, stdout: "" });
    expect(bad.stderr).toMatch(/bad.csv, line 3, .*must have a sequence/);
    const small = await place.run("consensus groups.csv -o no.fa --min-size 99");
    expect(small.code).toBe(1);
    expect(small.stderr).toContain("--min-size: must leave a group, got 99 where the largest group has 12");
    expect(place.files(small.pid).filter((name) => name.includes("no."))).toEqual([]);
  });
});

describe.concurrent("bench consensus", () => {
  test("of reads tells how many strands come out, by method and by reads", async () => {
    const line = "bench consensus groups.csv strands.csv --sizes 4,10 --length 60 --json -o b.md -q";
    const { results } = JSON.parse(await place.ok(line)) as { results: ConsensusResult[] };
    const methods = ["random", "majority", "centre", "greedy-1", "greedy-2", "majority, 60 letters"];
    expect(results.map(({ method }) => method)).toEqual([...methods, ...methods]);
    expect(results.map(({ size }) => size)).toEqual([...methods.map(() => 4), ...methods.map(() => 10)]);
    for (const { groups, exact, distance, error } of results) {
      expect(groups).toBe(5);
      expect(exact).toBeGreaterThanOrEqual(0);
      expect(distance! > 0).toBe(exact! < 1);
      expect(error).toBeGreaterThan(0);
    }
    expect(results[7].exact).toBeGreaterThan(results[6].exact!);
    expect(text("b.md")).toContain("| majority, 60 letters | 10 | 5 |");
  });

  test("draws several times, and needs groups of so many reads", async () => {
    const line = "bench consensus groups.csv strands.csv --methods centre -q";
    const { results } = JSON.parse(await place.ok(`${line} --sizes 3 --draws 4 --json`)) as {
      results: ConsensusResult[];
    };
    expect(results.map(({ groups }) => groups)).toEqual([20, 20]);
    const { code, stderr } = await place.run(`${line} --sizes 99`);
    expect(code).toBe(1);
    expect(stderr).toContain("--sizes: a group must have as many reads, got 99");
  });

  test.each(["near", "any"])("of related sequences tells consensus errors, drawn %s", async (draw) => {
    await place.ok(`simulate 40 --length 60 -o ${draw}.fasta --seed 3 -q`);
    const line = `bench consensus --of ${draw}.fasta --groups 4 --group-size 6 --draw ${draw} --json -q`;
    const { results } = JSON.parse(await place.ok(line)) as { results: ConsensusResult[] };
    expect(results.map(({ method }) => method)).toEqual([
      "random",
      "majority",
      "centre",
      "greedy-1",
      "greedy-2",
      "centre, refined",
    ]);
    const [random, , centre] = results;
    expect(centre.error).toBeLessThanOrEqual(random.error);
    for (const { groups, size, exact } of results)
      expect({ groups, size, exact }).toEqual({ groups: 4, size: 6 });
  });

  test.each([
    ["neither reads nor sequences", "", /needs reads and strands, or --of <seqs>/],
    ["reads without strands", "groups.csv", /needs reads and strands/],
    [
      "a method that is none",
      "groups.csv strands.csv --methods mean",
      /methods: must be of majority, .*, got mean/,
    ],
  ])("refuses %s", async (_, words, message) => {
    const { code, stderr } = await place.run(`bench consensus ${words} -q`);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
