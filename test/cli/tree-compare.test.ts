/**
 * @file `embranch tree compare`: what it prints, and what it refuses.
 *
 * All but one of the commands run in this process, in the folder of the suite: starting one takes longer than its work.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { treeCompareCommand } from "../../src/cli/tree-compare.ts";
import { EmbranchError, FormatError } from "../../src/error.ts";
import type { TreeComparison } from "../../src/task/tree/compare.ts";
import { runHere, Workplace } from "./command.ts";

const place = new Workplace();
const write = (name: string, content: string | Uint8Array) => writeFileSync(place.at(name), content);

const home = process.cwd();
afterAll(() => process.chdir(home));

beforeAll(() => {
  process.chdir(place.path);
  write("a.nwk", "((s_1:1,s_2:1):1,('s 3':1.5,s4:1.5):0.5);\n");
  write("b.nwk", "((s_1:1,'s 3':1):1,(s_2:1.5,s4:1.5):0.5);\n");
  write("bare.nwk", "((s_1,s_2),('s 3',s4));");
  write("plain.nwk", "((a:1,b:1):1,(c:1.5,d:1.5):0.5);\n");
  write("other.nwk.gz", gzipSync("(d:2,(b:1,\n (a:1,c:1):0.5):0.5);\n"));
  // Distances, condensed: 1 4 4 5 5 2; the longest has 8 letters.
  write("s.fasta", ">c of three\nACGTTTTT\n>a\nACGT\n>b\nACGG\n>d\nACGTTTAA\n");
  write("d.phy", "4\na 0 1 4 4\nb 1 0 5 5\nc 4 5 0 2\nd 4 5 2 0\n");
  write("d.tsv", "\ta\tb\tc\td\na\t0\t1\t4\t4\nb\t1\t0\t5\t5\nc\t4\t5\t0\t2\nd\t4\t5\t2\t0\n");
  write("d.tsv.gz", gzipSync(readFileSync(place.at("d.tsv"))));
  write("trio.fasta", ">a\nACGT\n>b\nACGA\n>c\nACGTTTTT\n");
  write("twice.fasta", ">a\nACGT\n>b\nACGA\n>a\nACGTTTTT\n");
  write("broken.nwk", "((a:1,b:1):1,(c:1.5,d:1.5);\n");
  write("far.nwk", "((a,b),(c,(x,y)));");
  write("double.nwk", "((a,b),(c,(d,a)));");
  write("nameless.nwk", "((a,b),(c,));");
});

/** Runs the verb in this process. */
const compare = (words: readonly string[]) => runHere(treeCompareCommand(), words);

/** The object that `--json` prints; nothing else is said. */
async function json(line: string): Promise<TreeComparison & { reference: string; other: string }> {
  const { stdout, stderr, error } = await compare([...line.split(" "), "--json", "-q", "--threads", "1"]);
  expect({ stderr, error }, line).toEqual({ stderr: "", error: undefined });
  expect(stdout).toMatch(/^\{.*\}\n$/);
  return JSON.parse(stdout) as TreeComparison & { reference: string; other: string };
}

/** The message and exit code of the `EmbranchError` that the verb ends with, having printed nothing. */
async function refusal(line: string): Promise<{ code: number; message: string }> {
  const { stdout, error } = await compare([...line.split(" "), "-q"]);
  expect(error).toBeInstanceOf(EmbranchError);
  const { exitCode, message } = error as EmbranchError;
  expect(message).not.toContain("\n");
  expect(stdout).toBe("");
  return { code: exitCode, message };
}

describe("--json", () => {
  test("of two trees alone", async () => {
    expect(await json("a.nwk b.nwk")).toEqual({
      reference: "a.nwk",
      other: "b.nwk",
      leaves: 4,
      rooted: false,
      splitsReference: 1,
      splitsOther: 1,
      splitsShared: 0,
      robinsonFoulds: 2,
      normalizedRF: 1,
      branchScore: expect.closeTo(Math.sqrt(2 * 1.5 ** 2 + 2 * 0.5 ** 2), 12) as number,
      tripletDistance: 1,
      tripletInterval: null,
      triplesSampled: null,
      copheneticCorrelation: expect.closeTo(-3 / 7, 12) as number,
      copheneticReference: null,
      copheneticOther: null,
      dasguptaReference: null,
      dasguptaOther: null,
      dasguptaIncreasePercent: null,
      withoutLengths: [],
    });
  });

  // Similarities 1 − d/8 of ab ac ad bc bd cd, by the leaves below their ancestors.
  const reference = (7 * 2 + 4 * 4 + 4 * 4 + 3 * 4 + 3 * 4 + 6 * 2) / 8;
  const other = (7 * 3 + 4 * 2 + 4 * 4 + 3 * 3 + 3 * 4 + 6 * 4) / 8;
  const costs = {
    dasguptaReference: reference,
    dasguptaOther: other,
    dasguptaIncreasePercent: (100 * (other - reference)) / reference,
  };

  test.each([
    ["--sequences s.fasta", "exact distances, the length of the longest"],
    ["--sequences s.fasta --alphabet dna", "the alphabet named"],
    ["--sequences s.fasta --distances d.phy", "distances of a file, length of the sequences"],
    ["--distances d.phy --length 8", "PHYLIP without sequences"],
    ["--distances d.tsv --length 8", "a table without sequences"],
    ["--distances d.tsv.gz --length 8", "the same, packed"],
  ])("with %s: %s", async (oracle) => {
    const found = await json(`plain.nwk other.nwk.gz ${oracle}`);
    expect(found).toMatchObject({ leaves: 4, robinsonFoulds: 2, normalizedRF: 1, ...costs });
    expect(found.copheneticReference).toBeGreaterThan(0.9);
    expect(found.copheneticOther).toBeLessThan(found.copheneticReference!);
  });

  test("with distances in the order of the sequences", async () => {
    // c a b d: ca cb cd ab ad bd.
    const header = "{'descr': '|u1', 'fortran_order': False, 'shape': (6,), }".padEnd(117) + "\n";
    const magic = Buffer.from([0x93, ...Buffer.from("NUMPY"), 1, 0, 118, 0]);
    write("d.npy", Buffer.concat([magic, Buffer.from(header), Buffer.from([4, 5, 2, 1, 4, 5])]));
    const found = await json("plain.nwk other.nwk.gz --sequences s.fasta --distances d.npy");
    expect(found).toMatchObject(costs);
  });

  test("with distances of a file and no length, whose costs are not known", async () => {
    const found = await json("plain.nwk plain.nwk --distances d.phy");
    expect(found).toMatchObject({
      copheneticCorrelation: 1,
      dasguptaReference: null,
      dasguptaIncreasePercent: null,
    });
    expect(found.copheneticReference).toBe(found.copheneticOther);
  });

  test("of a tree and itself with --rooted", async () => {
    expect(await json("a.nwk a.nwk --rooted")).toMatchObject({
      rooted: true,
      splitsReference: 2,
      splitsShared: 2,
      robinsonFoulds: 0,
      normalizedRF: 0,
      branchScore: 0,
      tripletDistance: 0,
      copheneticCorrelation: 1,
    });
  });
});

describe("a table", () => {
  test("of two trees, and a note on one without branch lengths", async () => {
    const { stdout, stderr, error } = await compare(["a.nwk", "bare.nwk"]);
    expect(error).toBeUndefined();
    expect(stderr).toBe("bare.nwk: has no branch lengths; its paths are counted in branches\n");
    expect(stdout).toMatchInlineSnapshot(`
      "measure                   value  meaning
      leaves                        4  in both trees
      Robinson-Foulds               0  splits in one of the trees alone
      the same, normalized    0.00000  share of their 1 and 1 splits
      branch score                  –  Euclidean distance of the lengths of splits
      triplet distance        0.000 %  triples resolved differently
      cophenetic correlation  0.92582  of the paths through both trees
      "
    `);
  });

  test("with sequences, on what the trees are worth", async () => {
    const words = "plain.nwk other.nwk.gz --sequences s.fasta --rooted -q --threads 1";
    const { stdout, stderr, error } = await compare(words.split(" "));
    expect({ stderr, error }).toEqual({ stderr: "", error: undefined });
    expect(stdout).toMatchInlineSnapshot(`
      "measure                    value  meaning
      leaves                         4  in both trees
      Robinson-Foulds                4  clades in one of the trees alone
      the same, normalized     1.00000  share of their 2 and 2 clades
      branch score             1.50000  Euclidean distance of the lengths of clades
      triplet distance        75.000 %  triples resolved differently
      cophenetic correlation   0.06939  of the paths through both trees
      cophenetic, reference    0.94561  of the reference's paths and the distances
      cophenetic, other       -0.03533  of the other's paths and the distances
      Dasgupta, reference       10.250  each pair counted once; the lower the better
      Dasgupta, other           11.250  the same of the other
      Dasgupta, increase      9.7561 %  what the other costs more than the reference
      "
    `);
  });
});

describe("is refused, with its exit code:", () => {
  test.each([
    ["leaves that the other tree has not", "plain.nwk far.nwk", 'far.nwk: tree: must have the leaves of plain.nwk, but lacks "d" and has besides "x" and 1 more'],
    ["sequences that are no leaves", "far.nwk far.nwk --sequences s.fasta", 'far.nwk: tree: must have the leaves of s.fasta, but lacks "d" and has besides "x" and 1 more'],
    ["leaves that are no sequences", "plain.nwk plain.nwk --sequences trio.fasta", 'plain.nwk: tree: must have the leaves of trio.fasta, but has besides "d"'],
    ["rows that are no leaves", "plain.nwk far.nwk --distances d.phy", 'far.nwk: tree: must have the leaves of d.phy, but lacks "d" and has besides "x" and 1 more'],
    ["a leaf that is there twice", "plain.nwk double.nwk", 'double.nwk: tree: must have every leaf once, got "a" twice'],
    ["a leaf without a name", "nameless.nwk plain.nwk", "nameless.nwk: tree: every leaf must have a name, got one without"],
    ["Newick that is none", "plain.nwk broken.nwk", 'broken.nwk, line 1: Newick: tree: must close every "(", got ";" with 1 open (column 27)'],
    ["ids that are there twice", "plain.nwk plain.nwk --sequences twice.fasta", 'twice.fasta, line 5, record "a": id: must be unique, got it in record 1 and in record 3: rename one of them'],
  ])("%s", async (_, line, message) => {
    expect(await refusal(line)).toEqual({ code: 1, message });
  }); // prettier-ignore

  test.each([
    ["- -", "one file at most can be standard input"],
    ["plain.nwk - --sequences -", "one file at most can be standard input"],
    ["plain.nwk plain.nwk --distances d.txt", "--distances: the file name must end in .npy, .phy or .tsv, got d.txt"],
    ["plain.nwk plain.nwk --distances d.npy", "a .npy matrix has no names; add --sequences, whose order it is in"],
    ["plain.nwk plain.nwk --length 5", "--length needs --sequences or --distances"],
    ["plain.nwk plain.nwk --alphabet dna", "--alphabet needs --sequences"],
  ])("%s", async (line, rule) => {
    expect(await refusal(line)).toEqual({ code: 2, message: `tree compare: ${rule}` });
  }); // prettier-ignore

  test("malformed Newick as a fault of its format, with its place", async () => {
    const { error } = await compare(["broken.nwk", "plain.nwk"]);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as FormatError).location).toEqual({ file: "broken.nwk", line: 1 });
  });
});

test("one sequence has a tree, which costs nothing", async () => {
  write("one.nwk", "a;");
  write("one.fasta", ">a\nACGT\n");
  expect(await json("one.nwk one.nwk --sequences one.fasta")).toMatchObject({
    leaves: 1,
    robinsonFoulds: 0,
    normalizedRF: 0,
    copheneticCorrelation: null,
    dasguptaReference: 0,
    dasguptaIncreasePercent: null,
  });
});

test("is a verb of the program, and reads one of its files from standard input", async () => {
  const line = "tree compare plain.nwk - --sequences s.fasta --seed 3 --threads 1 --json -q";
  const printed = await place.ok(line, "((a,b),(c,d));");
  expect(JSON.parse(printed)).toMatchObject({
    other: "-",
    robinsonFoulds: 0,
    dasguptaIncreasePercent: 0,
    withoutLengths: ["other"],
  });
  const help = await place.ok("tree compare --help");
  for (const word of ["<reference>", "<other>", "--sequences <file>", "--rooted", "--seed", "Examples:"]) {
    expect(help).toContain(word);
  }
});
