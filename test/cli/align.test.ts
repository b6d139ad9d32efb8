/**
 * @file `embranch align` and `align score`: what they write, and what they refuse.
 *
 * All but one of the commands run in this process, in the folder of the suite: starting one takes longer than its work.
 */

import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alignCommand } from "../../src/cli/align.ts";
import { EmbranchError } from "../../src/error.ts";
import { readAlignment, type AlignedSequences } from "../../src/sequence/aligned.ts";
import { alignedRow } from "../../src/sequence/alignment.ts";
import { leafNames, parseNewick } from "../../src/sequence/newick.ts";
import { Random } from "../../src/sequence/random.ts";
import { EXTERNAL_ALIGNERS } from "../../src/task/align/external.ts";
import { dataPath, hasData } from "../sequence/files.ts";
import { runHere, SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const write = (name: string, content: string | Uint8Array) => writeFileSync(place.at(name), content);
const text = (name: string) => readFileSync(place.at(name), "utf8");

/** RNA with a masked stretch, names of all kinds, and descriptions. */
const family = (() => {
  const random = new Random(4);
  const draw = () => "ACGU"[random.integer(4)];
  const root = Array.from({ length: 60 }, draw);
  return Array.from({ length: 9 }, (_, i) => {
    const copy = root
      .map((letter) => (random.uniform() < 0.08 ? draw() : letter))
      .filter(() => random.uniform() > 0.03)
      .join("");
    const sequence = i === 2 ? copy.slice(0, 20) + copy.slice(20).toLowerCase() : copy;
    return { id: `tr|Q${i}/1-60:${i}`, description: i % 2 === 0 ? `number ${i}` : "", sequence };
  });
})();
const fasta = (records: readonly { id: string; description: string; sequence: string }[]) =>
  records.map(({ id, description, sequence }) => `>${id} ${description}\n${sequence}\n`).join("");

const home = process.cwd();
afterAll(() => process.chdir(home));

beforeAll(() => {
  process.chdir(place.path);
  write("rna.fa", fasta(family));
  write("rna.fa.gz", gzipSync(fasta(family)));
  write("most.fa", fasta(family.slice(0, 6)));
  write("more.fa", fasta(family.slice(6)));
  write("one.fa", fasta(family.slice(0, 1)));
  write("two.fa", fasta(family.slice(0, 2)));
  write("blanks.csv", "id,sequence\na b,ACGT\na_b,ACGA\n");
  write("proteins.fa", ">a\nMKVLWAALLVTFLAGCQA\n>b\nMKVWAALLVTFLAGQA\n>c\nMKLLWAVTFAGCQAU\n");
  write("pair.fa", ">x\nACGTACGTAA\n>y of two\nACGTCGTAC\n");
  write("tree.nwk", `(${family.map(({ id }) => `'${id}':1`).join(",")});`);
  write("short.nwk", "(a,b);");
  write("scores.txt", "  A  C  G  T\nA 1 -9 -9 -9\nC -9 1 -9 -9\nG -9 -9 1 -9\nT -9 -9 -9 1\n");
});

/** Runs the verb in this process. */
const align = (line: string) => runHere(alignCommand(), line.split(" "));

/** Runs the verb, which must succeed, and gives what it prints. */
async function ok(line: string): Promise<string> {
  const { stdout, stderr, error } = await align(`${line} --threads 1 -q`);
  expect({ stderr, error }, line).toEqual({ stderr: "", error: undefined });
  return stdout;
}

/** The message and exit code of the `EmbranchError` that the verb ends with, having printed nothing. */
async function refusal(line: string): Promise<{ code: number; message: string }> {
  const { stdout, error } = await align(`${line} -q`);
  expect(error, line).toBeInstanceOf(EmbranchError);
  const { exitCode, message } = error as EmbranchError;
  expect(message).not.toContain("\n");
  expect(stdout).toBe("");
  return { code: exitCode, message };
}

const aligned = (content: string | Uint8Array): Promise<AlignedSequences> =>
  readAlignment([typeof content === "string" ? Buffer.from(content) : content]);

/** Expects the records of the family, letter by letter, in their order. */
async function expectFamily(content: string, { descriptions = true } = {}): Promise<void> {
  const found = await aligned(content);
  expect(found.ids).toEqual(family.map(({ id }) => id));
  expect(found.letters).toEqual(family.map(({ sequence }) => sequence));
  if (descriptions) expect(found.descriptions).toEqual(family.map(({ description }) => description));
  expect(found.alignment.width).toBeGreaterThanOrEqual(60 - 10);
}

describe("sequences come back as they were read", () => {
  test("aligned, on standard output", async () => {
    await expectFamily(await ok("rna.fa"));
    await expectFamily(await ok("rna.fa.gz --exact"));
  });

  test.each([
    ["o.fasta", true],
    ["o.aln", false],
    ["o.sto", true],
    ["o.phy", false],
  ])("in %s, whose format is that of its name", async (name, descriptions) => {
    await ok(`rna.fa -o ${name}`);
    await expectFamily(text(name), { descriptions });
    expect(text(name)).toMatch(/^(>tr|CLUSTAL|# STOCKHOLM 1.0|9 \d+)/);
  });

  test("in the format that is asked for, whatever the name", async () => {
    await ok("rna.fa --format stockholm -o o.txt");
    expect(text("o.txt")).toMatch(/^# STOCKHOLM 1.0\n/);
  });

  test("one alone, and several that are alike", async () => {
    expect(await ok("one.fa")).toBe(fasta(family.slice(0, 1)));
    write("same.fa", ">a\nACGT\n>b\nACGT\n>c\nACGT\n");
    expect(await ok("same.fa")).toBe(text("same.fa"));
  });

  test("proteins, with letters that matrices lack", async () => {
    const found = await aligned(await ok("proteins.fa --matrix PAM250 --gap-open 8 --gap-extend 0.5"));
    expect(found.letters[2]).toBe("MKLLWAVTFAGCQAU");
  });

  test("along the tree of a model, or of a file, which is written too", async () => {
    await place.ok(`fit rna.fa --length 60 --steps 3 -o m.onnx ${SMALL} -q`);
    await ok("rna.fa -m m.onnx -o by-model.fa --tree-out model.nwk");
    await expectFamily(text("by-model.fa"));
    expect(leafNames(parseNewick(text("model.nwk"))).sort()).toEqual(family.map(({ id }) => id).sort());
    await ok("rna.fa --tree model.nwk -o by-tree.fa");
    expect(text("by-tree.fa")).toBe(text("by-model.fa"));
    await ok("rna.fa --tree tree.nwk -o star.fa --refine 1");
    await expectFamily(text("star.fa"));
  });

  test("with a summary", async () => {
    const printed = await ok("rna.fa -o o.fa --tree-out t.nwk --json");
    const { width } = (await aligned(text("o.fa"))).alignment;
    expect(JSON.parse(printed)).toEqual({
      output: "o.fa",
      sequences: 9,
      columns: width,
      aligner: "builtin",
      format: "fasta",
      guide: "exact",
      treeOut: "t.nwk",
      seconds: expect.any(Number) as number,
    });
    const { stderr } = await align("rna.fa -o o.fa --threads 1");
    expect(stderr).toMatch(new RegExp(`9 sequences, ${width} columns in o.fa, in \\d+\\.\\d s\n$`));
  });

  test("from standard input, in a process of its own", async () => {
    await expectFamily(await place.ok("align - --threads 1 -q", fasta(family)));
    const help = await place.ok("align --help");
    for (const word of ["--pairwise", "--aligner", "--guide-only", "score", "Examples:"]) {
      expect(help).toContain(word);
    }
  });
});

describe("other aligners", () => {
  test.each(EXTERNAL_ALIGNERS)("%s gives everything back too, where it is installed", async (name) => {
    if (spawnSync(name, ["--version"]).error === undefined) {
      await ok(`rna.fa --aligner ${name} -o ${name}.sto`);
      await expectFamily(text(`${name}.sto`));
      return;
    }
    expect(await refusal(`rna.fa --aligner ${name}`)).toMatchObject({ code: 1 });
  });

  test("guide trees of two branches everywhere, in Newick and as MAFFT reads them", async () => {
    const newick = await ok("rna.fa --guide-only");
    expect(leafNames(parseNewick(newick)).sort()).toEqual(family.map(({ id }) => id).sort());
    const star = parseNewick(await ok("rna.fa --guide-only --tree tree.nwk"));
    for (const stack = [star]; stack.length > 0;) {
      const { children } = stack.pop()!;
      expect([0, 2]).toContain(children.length);
      stack.push(...children);
    }
    await ok("rna.fa --guide-only --guide-format mafft -o guide.txt");
    const lines = text("guide.txt").trimEnd().split("\n");
    expect(lines).toHaveLength(8);
    for (const line of lines) expect(line).toMatch(/^ +\d+ +\d+ +\d\.\d{5} +\d\.\d{5}$/);
    expect(lines.at(-1)).toMatch(/^ {4}1 /);
  });
});

describe("--pairwise", () => {
  const columns = "a\tb\tscore\tidentity\tcigar\tcolumns\tmatches\tmismatches\tgapopens";

  test("of two sequences in one file", async () => {
    expect(await ok("pair.fa --pairwise --gap-open 4 --gap-extend 1")).toBe(
      `${columns}\nx\ty\t31\t80.00\t4=1I4=1X\t10\t8\t1\t1\n`,
    );
    expect(await ok("pair.fa --pairwise --gap-open 4 --gap-extend 1 --format fasta")).toBe(
      ">x\nACGTACGTAA\n>y of two\nACGT-CGTAC\n",
    );
  });

  test("record by record of two files, or one record with all", async () => {
    const lines = async (line: string) =>
      (await ok(`${line} --pairwise`))
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((each) => each.split("\t").slice(0, 4));
    const same = await lines("rna.fa rna.fa");
    expect(same.map(([a, b]) => [a, b])).toEqual(family.map(({ id }) => [id, id]));
    for (const [, , , identity] of same) expect(identity).toBe("100.00");
    const first = family[0].id;
    expect((await lines("rna.fa one.fa")).map(([a, b]) => [a, b])).toEqual(
      family.map(({ id }) => [id, first]),
    );
    expect((await lines("one.fa rna.fa")).map(([a, b]) => [a, b])).toEqual(
      family.map(({ id }) => [first, id]),
    );
  });

  test("has the letters of the files in FASTA, and a summary", async () => {
    const printed = await ok("two.fa --pairwise -o pair.afa --json");
    expect(JSON.parse(printed)).toMatchObject({ output: "pair.afa", pairs: 1, format: "fasta" });
    const { letters } = await aligned(text("pair.afa"));
    expect(letters).toEqual(family.slice(0, 2).map(({ sequence }) => sequence));
  });

  test("by the scores of a file", async () => {
    const [, line] = (await ok("pair.fa --pairwise --matrix scores.txt --gap-open 0 --gap-extend 0")).split(
      "\n",
    );
    expect(line.split("\t")[2]).toBe("8");
  });
});

describe("--add", () => {
  test("keeps the alignment, and puts the new sequences behind", async () => {
    await ok("most.fa -o most.sto");
    const before = await aligned(text("most.sto"));
    const after = await aligned(await ok("most.sto --add more.fa"));
    expect(after.ids).toEqual(family.map(({ id }) => id));
    expect(after.letters).toEqual(family.map(({ sequence }) => sequence));
    expect(after.descriptions).toEqual(family.map(({ description }) => description));
    const rows = (of: AlignedSequences) =>
      of.letters.slice(0, 6).map((each, i) => alignedRow(each, of.alignment.columns[i], of.alignment.width));
    // Columns may be put between the old ones, but none of them is changed.
    const kept = [...(rows(after)[0] ?? "")].map((_, k) =>
      rows(after)
        .map((row) => row[k])
        .join(""),
    );
    const old = [...(rows(before)[0] ?? "")].map((_, k) =>
      rows(before)
        .map((row) => row[k])
        .join(""),
    );
    expect(kept.filter((column) => /[^-]/.test(column))).toEqual(old.filter((column) => /[^-]/.test(column)));
  });

  test("refuses a sequence that is there", async () => {
    await ok("most.fa -o most.sto");
    expect(await refusal("most.sto --add rna.fa")).toEqual({
      code: 1,
      message: `rna.fa, record "${family[0].id}": id: must not be in the alignment of most.sto already: rename or remove it`,
    });
  });
});

describe("score", () => {
  beforeAll(() => {
    write("reference.fa", ">a\nACgt-\n>b\nAC-tt\n>c\nA-gtt\n");
    write("test.sto", "# STOCKHOLM 1.0\nc A-G-TT\nb AC-T-T\na AC-GT-\n//\n");
  });

  test("prints a table", async () => {
    expect(await ok("score test.sto reference.fa --cost")).toMatchInlineSnapshot(`
      "measure             value  meaning
      sequences               3  compared
      sum-of-pairs      66.67 %  of the reference's 9 pairs of letters
      total-column      60.00 %  of its 5 columns of two or more, whole
      modeler           85.71 %  of the alignment's 7 pairs
      cost                   21  mismatch 1, gap of k letters 1 + k, over all pairs
      ClustalW's score       22  BLOSUM45 of the letters, gap opening 1
      "
    `);
  });

  test("prints JSON, of the core as well, or costs alone", async () => {
    expect(JSON.parse(await ok("score test.sto reference.fa --json"))).toMatchObject({
      test: "test.sto",
      reference: "reference.fa",
      pairs: 9,
      sp: 6 / 9,
      tc: 3 / 5,
      modeler: 6 / 7,
    });
    expect(JSON.parse(await ok("score test.sto reference.fa --core --json"))).toMatchObject({
      pairs: 4,
      sp: 1,
      tc: 1,
    });
    expect(JSON.parse(await ok("score test.sto --cost --json"))).toEqual({
      test: "test.sto",
      cost: 21,
      clustalwScore: 22,
    });
  });

  test("refuses other letters, and files that are no alignment", async () => {
    expect(await refusal("score test.sto rna.fa")).toMatchObject({ code: 1 });
    expect(await refusal("score rna.fa reference.fa")).toMatchObject({
      code: 1,
      message: expect.stringContaining("row: must have") as string,
    });
    expect(await refusal("score none.fa reference.fa")).toMatchObject({ code: 1 });
  });
});

describe("is refused, with its exit code, and writes nothing:", () => {
  test.each([
    ["an alignment that is to be aligned", "aligned.fa", 1, "the sequences look aligned; remove the gap characters"],
    ["names that become one", "blanks.csv", 1, 'fasta: names must differ in more than blanks, got "a b" and "a_b"; rename one'],
    ["a tree of others", "rna.fa --tree short.nwk", 1, "short.nwk: tree: must have the leaves of rna.fa, but lacks"],
    ["a matrix of the other alphabet", "rna.fa --matrix BLOSUM62", 2, "matrix: BLOSUM62 is for protein, got dna sequences; choose NUC"],
    ["a matrix there is not", "rna.fa --matrix BLOSSOM62", 2, '--matrix: must be one of BLOSUM45, BLOSUM62, BLOSUM80, PAM250, GONNET, NUC or a file, got "BLOSSOM62"'],
    ["a file of scores that is none", "proteins.fa --matrix scores.txt", 1, "scores.txt: substitution matrix: must have a row for every protein letter, got none for D"],
    ["a name that tells no format", "rna.fa -o out.txt", 2, "align: the file name must end in .fa, .aln, .sto or .phy, or --format be given, got out.txt"],
    ["a second file", "rna.fa more.fa", 2, "align: a second file needs --pairwise"],
    ["two guide trees", "rna.fa --exact --tree tree.nwk", 2, "align: needs one of -m, --exact and --tree, got more"],
    ["CIGAR of many", "rna.fa --format cigar", 2, "align: --format cigar needs --pairwise"],
    ["pairs in Clustal", "two.fa --pairwise --format clustal", 2, "align: --format of --pairwise must be cigar or fasta, got clustal"],
    ["pairs along a tree", "two.fa --pairwise --exact", 2, "align: --pairwise needs no guide tree"],
    ["pairs of files that do not fit", "two.fa rna.fa --pairwise", 2, "align: --pairwise needs as many sequences in both files, or one in one of them, got 2 and 9"],
    ["pairs of one file of many", "rna.fa --pairwise", 1, "rna.fa: file: must hold two sequences where a second file is not given, got 9"],
    ["our scores for another aligner", "rna.fa --aligner mafft --gap-open 3", 2, "align: --matrix, gaps and --refine are for our own aligner, got --aligner mafft"],
    ["a guide tree that aligns", "rna.fa --guide-only --refine 1", 2, "align: --guide-only does not align"],
    ["a format without a guide tree", "rna.fa --guide-format mafft", 2, "align: --guide-format needs --guide-only"],
    ["a summary beside the alignment", "rna.fa --json", 2, "align: --json needs -o <file>"],
    ["standard input twice", "- --add -", 2, "align: one file at most can be standard input"],
    ["no reference", "score rna.fa", 2, "align score: needs a reference, or --cost"],
    ["the core of none", "score rna.fa --cost --core", 2, "align score: --core needs a reference"],
  ])("%s", async (_, line, code, message) => {
    write("aligned.fa", ">a\nAC-T\n>b\nACGT\n");
    const before = place.files();
    expect(await refusal(line)).toEqual({ code, message: expect.stringContaining(message) as string });
    expect(place.files()).toEqual(before);
  }); // prettier-ignore
});

describe.skipIf(!hasData)("a real family (needs ../shared/data or EMBRANCH_DATA)", () => {
  test("of proteins is aligned nearly as its structures are", async () => {
    const reference = readFileSync(dataPath("msa/homfam_refs/rub.ref.fasta"));
    const { ids, letters } = await aligned(reference);
    write("rub.fa", ids.map((id, i) => `>${id}\n${letters[i]}\n`).join(""));
    write("rub.ref.fa", reference);
    await ok("rub.fa -o rub.out.fa");
    const { sp } = JSON.parse(await ok("score rub.out.fa rub.ref.fa --json")) as { sp: number };
    expect(sp).toBeGreaterThan(0.6);
  });

  test("of 16S genes, aligned by others, is read", async () => {
    const path = dataPath("msa/crw_16s_e_aligned.fasta.gz");
    expect(existsSync(path)).toBe(true);
    const { ids, alignment } = await aligned(gunzipSync(readFileSync(path)));
    expect(ids.length).toBeGreaterThan(100);
    expect(alignment.width).toBeGreaterThan(900);
  });
});
