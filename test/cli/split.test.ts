/** @file `embranch split`: its files, its report, and what it refuses. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");
const records = (name: string) => text(name).split(/^(?=>)/m);
const parts = (prefix: string) => ["train", "val", "test"].map((part) => records(`${prefix}.${part}.fasta`));

beforeAll(async () => {
  await place.ok("simulate 200 --length 300 -o a.fasta --seed 3 -q");
});

describe.concurrent("split", () => {
  test("writes every record into one file, in the order of the input", async () => {
    const input = records("a.fasta");
    const out = await place.ok("split a.fasta -o whole --by cluster:0.95 --leakage whole.tsv -q");
    const files = parts("whole");
    expect(files.map(({ length }) => length)).toEqual([156, 14, 30]);
    expect(files.flat().toSorted()).toEqual(input.toSorted());
    for (const file of files) expect(file).toEqual(input.filter((record) => file.includes(record)));
    expect(out).toMatch(/^training +156 +78\.0 % +whole\.train\.fasta$/m);
    expect(out).toMatch(/groups linked at an identity of 0\.95, the largest with \d+ of 200 sequences/);
    expect(out).toMatch(/^within 5 % +0 +0\.0 %$/m);
    const rows = text("whole.tsv").trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore
    expect(rows[0]).toEqual(["test", "nearest_training", "edits", "identity"]);
    expect(rows.slice(1).map(([id]) => `>${id}`)).toEqual(files[2].map((record) => record.split("\n")[0]));
    for (const [, id] of rows.slice(1)) expect(text("whole.train.fasta")).toContain(`>${id}\n`);
  });

  test("--json tells the counts and the leakage, the same for the same seed", async () => {
    const line = "split a.fasta -o json --by random --test 0.3 --val 0.1 --seed 9 --json -q";
    const result = JSON.parse(await place.ok(line)) as { leakage: { within: unknown[] } };
    expect(result).toMatchObject({
      by: "random",
      seed: 9,
      output: "json",
      groups: { count: expect.any(Number) as number, largest: expect.any(Number) as number },
      parts: {
        training: { sequences: 120, output: "json.train.fasta" },
        validation: { sequences: 20, output: "json.val.fasta" },
        test: { sequences: 60, output: "json.test.fasta" },
      },
      leakage: { test: 60, training: 120 },
    });
    expect(result.leakage.within).toHaveLength(5);
    const files = parts("json");
    await place.ok(line);
    expect(parts("json")).toEqual(files);
  });

  test("a part without a share has no file", async () => {
    const out = await place.ok("split a.fasta -o two --by order --val 0 -q");
    expect(existsSync(place.at("two.val.fasta"))).toBe(false);
    expect(out).not.toContain("validation");
    expect(records("two.test.fasta")).toEqual(records("a.fasta").slice(-30));
  });

  test("without a test part there is no leakage to tell", async () => {
    const out = await place.ok("split a.fasta -o none --by random --test 0 -q");
    expect(out).not.toContain("nearest");
  });
});

describe("nothing is written", () => {
  test("when a group is too large", async () => {
    const { pid, code, stdout, stderr } = await place.run("split a.fasta -o giant --by cluster:0.2");
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/the largest group of sequences linked at an identity of 0\.2 holds \d+ .*; try cluster:0\.6/); // prettier-ignore
    expect(place.files(pid).filter((name) => name.includes("giant"))).toEqual([]);
  });

  test("when one of the files cannot be", async () => {
    const { pid, code, stderr } = await place.run("split a.fasta -o gone --by random --leakage no/where.tsv");
    expect(code).toBe(1);
    expect(stderr).toContain("no/where.tsv");
    expect(place.files(pid).filter((name) => name.includes("gone"))).toEqual([]);
  });

  test("over files that were there, when the input is bad", async () => {
    writeFileSync(place.at("bad.fasta"), ">a\nACGT\n>a\nACGA\n");
    writeFileSync(place.at("kept.train.fasta"), "kept");
    expect((await place.run("split bad.fasta -o kept --by random")).code).toBe(1);
    expect(text("kept.train.fasta")).toBe("kept");
  });

  test.each([
    ["no way to split", "-o x", /required option '--by <how>' not specified/],
    ["no place to write", "--by random", /required option '-o, --output <prefix>' not specified/],
    ["a way that is none", "-o x --by clade", /must be random, order or cluster:<identity>, got clade/],
    ["a percentage", "-o x --by cluster:97", /above 0 and at most 1, as in cluster:0.97, got 97/],
    ["no identity", "-o x --by cluster:", /must be random, order or cluster:<identity>, got cluster:/],
    ["shares of all", "-o x --by random --test 0.5 --val 0.5", /--val and --test must be below 1 together/],
    ["no shares", "-o x --by random --test 0 --val 0", /nothing to split off/],
    ["a negative share", "-o x --by random --test -1", /It must be a number from 0/],
    ["leakage of no test", "-o x --by random --test 0 --leakage l.tsv", /--leakage needs test sequences/],
    ["leakage in a part", "-o x --by random --leakage ./x.val.fasta", /must be a file of its own/],
    ["leakage to standard output", "-o x --by random --leakage -", /must be a file, got standard output/],
    ["parts to standard output", "-o - --by random", /must be how file names begin, got -/],
    ["a folder", "-o x/ --by random", /must be how file names begin, got x\//],
  ])("for %s", async (_, options, message) => {
    const { pid, code, stdout, stderr } = await place.run(`split a.fasta ${options}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(place.files(pid).filter((name) => /^\.?[xl-]\./.test(name))).toEqual([]);
  }); // prettier-ignore

  test("over the input", async () => {
    writeFileSync(place.at("b.train.fasta"), text("a.fasta"));
    const { code, stderr } = await place.run("split b.train.fasta -o b --by random");
    expect(code).toBe(2);
    expect(stderr).toContain("b.train.fasta would be overwritten");
  });
});

describe("distance --histogram", () => {
  test("alone: a figure and no matrix", async () => {
    const { code, stdout, stderr } = await place.run("distance a.fasta --exact --histogram h.svg");
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toMatch(/histogram of 19,900 distances, their median \d+ edits, in h\.svg/);
    expect(text("h.svg")).toMatch(
      /^<svg xmlns=.*exact distance of 19,900 pairs of 200 sequences.*<\/svg>\n$/s,
    );
  });

  test("with a matrix: both, of the same distances", async () => {
    const line = "distance a.fasta --exact -o d.tsv --histogram both.svg --json -q";
    const { median } = JSON.parse(await place.ok(line)) as { median: number };
    const rows = text("d.tsv").trimEnd().split("\n").slice(1);
    const values = rows.flatMap((row, i) => row.split("\t").slice(i + 2).map(Number)); // prettier-ignore
    expect(median).toBe(values.toSorted((a, b) => a - b)[19900 / 2 - 1]);
    expect(text("both.svg")).toContain(`>median ${median}</text>`);
  });

  test("of two files", async () => {
    const line = "distance a.fasta a.fasta --exact --histogram cross.svg --json -q";
    expect(JSON.parse(await place.ok(line))).toMatchObject({
      rows: 200,
      columns: 200,
      histogram: "cross.svg",
    });
    expect(text("cross.svg")).toContain("40,000 pairs of 200 and 200 sequences");
  });

  test.each([
    ["a format that is none", "--histogram h.png", /must end in .svg, got h.png/],
    ["capped distances", "--histogram h.svg --threshold 3", /leave --threshold out/],
    ["a format without a matrix", "--histogram h.svg --square", /--square is for .npy/],
  ])("%s is refused", async (_, options, message) => {
    const { code, stderr } = await place.run(`distance a.fasta --exact ${options}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
