/** @file `embranch split`: its files, its report, and what it refuses. */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
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

describe("records are written as they stand", () => {
  const letters = (i: number) => [..."acguACGU"].map((_, k) => "ACGU"[(i >> k) & 3]).join("");
  const rows = <Row>(row: (i: number) => Row): Row[] => Array.from({ length: 20 }, (_, i) => row(i));
  /** Splits a file, and checks that each part is the head and some records of it, in order. */
  const check = async (name: string, head: string, all: string[], end: string): Promise<void> => {
    const bytes = Buffer.from(head + all.join(""));
    writeFileSync(place.at(name), name.endsWith(".gz") ? gzipSync(bytes) : bytes);
    const prefix = `of-${name}`;
    await place.ok(`split ${name} -o ${prefix} --by random --test 0.3 --val 0.2 --threads 1 -q`);
    const parts = ["train", "val", "test"].map((part) => text(`${prefix}.${part}${end}`));
    const counts = parts.map((part) => {
      const kept = all.filter((record) => part.includes(record));
      expect(part).toBe(head + kept.join(""));
      return kept.length;
    });
    expect(counts).toEqual([10, 4, 6]);
  };

  test("FASTA: whole headers, RNA, line breaks, comments", async () => {
    const all = rows((i) => `>r${i}  16S  ribosomal=${i}\n${letters(i)}\n${letters(i).toLowerCase()}\n\n`);
    await check("rna.fna", "; made by hand\n", all, ".fna");
  });

  test("FASTQ, packed: qualities, one of them an @", async () => {
    const all = rows((i) => `@q${i} lane ${i}\r\n${letters(i)}\r\n+\r\n@III${i % 10}III\r\n`);
    await check("reads.fastq.gz", "", all, ".fastq");
  });

  test("tables: all columns, and the header in every part", async () => {
    const all = rows((i) => `"one, ${i}\nand more",${letters(i)},n${i},${i % 2}\n`);
    await check("table.csv", "note,read,name,label\n", all, ".csv");
  });

  test("lines, the last without its end", async () => {
    const all = rows((i) => `${letters(i)}${i < 19 ? "\n" : ""}`);
    await check("plain", "", all, "");
  });

  test("more than is read at once", async () => {
    const long = (i: number) => letters(i).repeat(4000);
    await check("long.fasta", "", rows((i) => `>${i} long\n${long(i)}\n`), ".fasta"); // prettier-ignore
  });

  test("standard input cannot be read twice: names and letters", async () => {
    const input = rows((i) => `>s${i} described\n${letters(i)}\n`).join("");
    await place.ok("split - -o piped --by order --val 0 --test 0.1 --threads 1 -q", input);
    expect(text("piped.test.fasta")).toBe(`>s18\n${letters(18).replaceAll("U", "T")}\n>s19\n${letters(19).replaceAll("U", "T")}\n`); // prettier-ignore
  });
});

test("the report says what identity is, and what it makes of reads of several lengths", async () => {
  const several = await place.ok("split a.fasta -o told --by cluster:0.95 -q");
  expect(several).toMatch(/^Identity is 1 − edits \/ length of the longer sequence, compared from end to end\.\nSequences have \d+ to \d+ letters: letters missing at an end count as edits/m); // prettier-ignore
  expect(several).toContain("Trim reads to one length first.");
  const same = text("a.fasta").replace(/^([ACGT]{250})[ACGT]*$/gm, "$1");
  writeFileSync(place.at("same.fasta"), same);
  const one = await place.ok("split same.fasta -o same --by random --threads 1 -q");
  expect(one).toMatch(/compared from end to end\.\n$/);
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
    expect(text("h.svg")).toContain(">Exact distance of 19,900 pairs of 200 sequences</text>");
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
    ["a format that is none", "--histogram h.png", /--histogram: must end in .svg, got h.png/],
    ["capped distances", "--histogram h.svg --threshold 3", /leave --threshold out/],
    ["a format without a matrix", "--histogram h.svg --square", /--square is for .npy/],
  ])("%s is refused", async (_, options, message) => {
    const { code, stderr } = await place.run(`distance a.fasta --exact ${options}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  });
});
