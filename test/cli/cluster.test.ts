/** @file `embranch cluster`: its files, what it reports, and what it refuses. */

import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");
const rows = (table: string) => table.trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore

const A = "ACGTTGCAACGGTCATTGCACCATTGGACTTGACCAGTTGACAGGATCCAATG";
const B = "GGGTCATACGATACGGGATTTACAGGACCATTTACGGACCCATTAGGACCATT";

beforeAll(async () => {
  await place.ok("simulate 300 --length 100 -o a.fasta --seed 3 -q");
  await place.ok(`fit a.fasta --steps 2 -o m.onnx ${SMALL} -q`);
  writeFileSync(
    place.at("b.fasta"),
    `>gut-1;size=3\n${A}\n>skin-1;size=2\n${A.slice(0, -1)}\n>gut-2;size=9\n${B}\n>skin-2\n${B}\n>odd\nAC\n`,
  );
});

describe.concurrent("cluster", () => {
  test("prints a table, in the order of the input", async () => {
    const { code, stdout, stderr } = await place.run("cluster b.fasta --identity 0.97");
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        "id\tcluster\trepresentative\tedits\tidentity",
        "gut-1;size=3\t2\tgut-1;size=3\t0\t100.00",
        "skin-1;size=2\t2\tgut-1;size=3\t1\t98.11",
        "gut-2;size=9\t1\tgut-2;size=9\t0\t100.00",
        "skin-2\t1\tgut-2;size=9\t0\t100.00",
        "odd\t3\todd\t0\t100.00\n",
      ].join("\n"),
    );
    expect(stderr).toMatch(
      /^3 clusters of 5 sequences \(4 different\) in [\d.]+ s, 1 of one read, the largest of 10\n/,
    );
    expect(stderr).toContain("sequences have 2 to 53 letters: letters missing at an end count as edits");
  });

  test("writes all its files, and says nothing with --quiet", async () => {
    const line =
      "cluster b.fasta --edits 2 -o t.tsv --centroids r.fasta --uc t.uc --clstr t.clstr --table o.tsv --minsize 2 -q";
    expect(await place.run(line)).toMatchObject({ code: 0, stdout: "", stderr: "" });
    expect(rows(text("t.tsv")).map(([, cluster]) => cluster)).toEqual(["cluster", "2", "2", "1", "1"]);
    expect(text("r.fasta")).toBe(`>gut-2;size=10\n${B}\n>gut-1;size=5\n${A}\n`);
    expect(rows(text("t.uc")).map(([type, key]) => type + key)).toEqual(["S0", "H0", "S1", "H1", "C0", "C1"]);
    expect(text("t.clstr")).toContain(
      ">Cluster 1\n0\t53nt, >gut-1;size=3... *\n1\t52nt, >skin-1;size=2... at",
    );
    expect(text("o.tsv")).toBe("#OTU ID\tgut\tskin\ngut-2\t9\t1\ngut-1\t3\t2\n");
  });

  test("representatives have sizes where the input does, or they are asked for", async () => {
    await place.ok("cluster a.fasta --identity 0.9 -o a1.tsv --representatives a1.fasta -q");
    expect(text("a1.fasta")).not.toContain("size=");
    await place.ok("cluster a.fasta --identity 0.9 -o a2.tsv --representatives a2.fasta --sizeout -q");
    expect(text("a2.fasta").match(/;size=\d+$/gm)).toHaveLength(text("a1.fasta").split(">").length - 1);
  });

  test("--reads groups noisy copies into a file that is read by cluster", async () => {
    await place.ok("simulate 12 --length 110 --height 0.06 -o strands.fasta --seed 5 -q");
    await place.ok("cluster strands.fasta --reads -o groups.csv -q");
    const lines = text("groups.csv").trimEnd().split("\n");
    expect(lines[0]).toBe("cluster,read");
    expect(lines).toHaveLength(13);
    expect(lines.slice(1).every((line) => /^\d+,[ACGT]+$/.test(line))).toBe(true);
    // Another limit takes the place of the usual one.
    const narrow = await place.ok("cluster groups.csv --reads --edits 0 -q");
    expect(rows(narrow)).toHaveLength(13);
  });

  test("--json tells counts, and the members without -o", async () => {
    const json = JSON.parse(await place.ok("cluster b.fasta --identity 0.97 --json -q")) as object;
    expect(json).toMatchObject({
      sequences: 5, reads: 16, uniques: 4, clusters: 3, singletons: 1, largest: 10, leftOut: 0, recall: null,
      method: "greedy", identity: 0.97,
    }); // prettier-ignore
    expect(json).toHaveProperty("members.1", {
      id: "skin-1;size=2",
      cluster: 2,
      representative: "gut-1;size=3",
      edits: 1,
      identity: expect.closeTo(98.113, 3) as number,
      strand: "+",
    });
    const summary = await place.ok("cluster b.fasta --identity 0.97 --json -o j.tsv -q");
    expect(JSON.parse(summary)).not.toHaveProperty("members");
    expect(text("j.tsv")).toMatch(/^id\tcluster/);
  });

  test("a model finds candidates, and what it misses is reported", async () => {
    const { code, stdout, stderr } = await place.run("cluster a.fasta --identity 0.9 -m m.onnx --check 50");
    expect(code).toBe(0);
    expect(stderr).toMatch(/the model missed nothing for [\d.]+ % of 50 sequences checked exactly \(95 %/);
    const exact = await place.ok("cluster a.fasta --identity 0.9 --exact --threads 1 -q");
    expect(stdout).toBe(exact);
  });

  test("the same twice, and from standard input", async () => {
    const once = await place.ok("cluster a.fasta --identity 0.9 --method average -q");
    expect(await place.ok("cluster - --identity 0.9 --method average -q", text("a.fasta"))).toBe(once);
  });
});

describe.concurrent("refuses", () => {
  test.each([
    ["no limit", "b.fasta", /needs a limit: --identity 0.97/],
    ["two limits", "b.fasta --identity 0.9 --edits 2", /two limits; choose one/],
    ["percent", "b.fasta --identity 97", /from 0 to 1, such as 0.97; for 97 percent write 0.97/],
    ["a model it does not need", "b.fasta --edits 2 --exact -m m.onnx", /--exact needs no model/],
    ["strands of linkage", "b.fasta --edits 2 --method single --strand both", /is for --method greedy/],
    [
      "to overwrite its input",
      "b.fasta --edits 2 -o ./b.fasta",
      /--output must be another file than <seqs>, which is read/,
    ],
    ["two outputs in one file", "b.fasta --edits 2 -o x --uc x", /--uc must be another file than --output/],
    ["two outputs in one stream", "b.fasta --edits 2 --uc -", /one output at most can be standard output/],
    ["a method that is none", "b.fasta --edits 2 --method ward", /Allowed choices are greedy, single/],
  ])("%s", async (_, line, message) => {
    const { code, stdout, stderr } = await place.run(`cluster ${line}`);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
  });

  test("bad data, and leaves no file behind", async () => {
    writeFileSync(place.at("sizes.fasta"), ">a;size=none\nACGT\n");
    writeFileSync(place.at("empty.fasta"), ">a\n>b\nACGT\n");
    const sizes = await place.run("cluster sizes.fasta --edits 1 -o bad.tsv --uc bad.uc");
    expect(sizes).toMatchObject({ code: 1, stdout: "" });
    expect(sizes.stderr).toMatch(/sizes.fasta, record "a;size=none": size: must be a positive integer/);
    const empty = await place.run("cluster empty.fasta --edits 1 -o bad.tsv");
    expect(empty).toMatchObject({ code: 1, stdout: "" });
    expect(place.files(sizes.pid).filter((name) => name.includes("bad"))).toEqual([]);
  });
});
