/** @file Labelled sequences: the layouts they come in, what is made of their letters, and what is refused. */

import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { DNA, PROTEIN } from "../../../src/sequence/index.ts";
import { findLabelled, ofSplit, readLabelled } from "../../../src/task/classify/dataset.ts";
import { copiesOfTraining } from "../../../src/task/classify/splits.ts";
import { folderOf, rowsOf } from "./sets.ts";

/** Reads one table. */
const read = (text: string, options = {}, name = "t.csv") =>
  readLabelled(join(folderOf({ [name]: text }), name), options);

describe("tables", () => {
  test.each([
    ["CSV", "sequence,label\nACGT,b\nGGTT,a\n", {}, "t.csv"],
    ["TSV", "label\tsequence\nb\tACGT\na\tGGTT\n", {}, "t.tsv"],
    ["gzip", "seq,class\nACGT,b\nGGTT,a\n", {}, "t.csv.gz"],
    [
      "other columns, capitals, quotes, Windows",
      '\uFEFFSource,SEQUENCE,Label\r\n"x, y",ACGT,b\r\n,GGTT,a\r\n',
      {},
      "t.csv",
    ],
    ["by place", "dna,kind\nACGT,b\nGGTT,a\n", {}, "t.csv"],
    ["by place, more columns", "dna,kind,score\nACGT,b,1\nGGTT,a,2\n", {}, "t.csv"],
    ["one of two names", "kind,sequence\nb,ACGT\na,GGTT\n", {}, "t.csv"],
    ["named", "sequence,family,dna\nx,b,ACGT\nx,a,GGTT\n", { sequence: "DNA", label: "family" }, "t.csv"],
    ["a label column that is known as ids", "name,sequence\nb,ACGT\na,GGTT\n", { label: "name" }, "t.csv"],
    ["a label column that is known as sequences", "dna,read\nACGT,b\nGGTT,a\n", { label: "read" }, "t.csv"],
  ])("%s", async (_, text, options, name) => {
    const labelled = await read(text, options, name);
    expect(labelled.classes).toEqual(["a", "b"]);
    expect(rowsOf(labelled)).toEqual(["b ACGT", "a GGTT"]);
    expect(labelled.set.ids).toEqual(["1", "2"]);
    expect(labelled.splits).toBeUndefined();
    expect(labelled.name).toBe("t");
    expect(ofSplit(labelled, "train")).toEqual(Uint32Array.of());
  });

  test("splits in any words, or none for some rows", async () => {
    const words = ["train", "Training", "dev", "VALID", "val", "validation", "test", " Testing", ""];
    const labelled = await read(
      `sequence,label,Split\n${words.map((word, i) => `ACGT,${i % 2},${word}\n`).join("")}`,
    );
    expect(labelled.splits).toEqual([
      "train",
      "train",
      "dev",
      "dev",
      "dev",
      "dev",
      "test",
      "test",
      undefined,
    ]);
    expect(ofSplit(labelled, "dev")).toEqual(Uint32Array.of(2, 3, 4, 5));
    expect((await read("sequence,label,split\nACGT,0,\nGGTT,1,\n")).splits).toBeUndefined();
    const named = await read("sequence,label,fold\nACGT,0,train\nGGTT,1,train\n", { split: "fold" });
    expect(named.splits).toEqual(["train", "train"]);
  });

  test("classes ascend, whole numbers as numbers", async () => {
    const classesOf = async (...labels: string[]) =>
      (await read(`sequence,label\n${labels.map((label) => `ACGT,${label}\n`).join("")}`)).classes;
    expect(await classesOf("10", "9", "-1", "2")).toEqual(["-1", "2", "9", "10"]);
    expect(await classesOf("10", "9", "x")).toEqual(["10", "9", "x"]);
    expect(await classesOf("SINE2/tRNA", " ID ", "constructor")).toEqual(["ID", "SINE2/tRNA", "constructor"]);
  });

  test("numbers classes as a model knows them", async () => {
    const text = "sequence,label\nACGT,a\nGGTT,a\n";
    const labelled = await read(text, { classes: ["b", "a", "c"] });
    expect(labelled.classes).toEqual(["b", "a", "c"]);
    expect(labelled.labels).toEqual(Uint16Array.of(1, 1));
    await expect(read(text, { classes: ["b", "c"] })).rejects.toThrow(
      /t.csv, line 2, record "1": label: must be one of the classes b, c, got "a"/,
    );
  });

  test("letters: lower case, RNA, ambiguity, and those that mean nothing", async () => {
    const long = "ACGT".repeat(20);
    const labelled = await read(`sequence,label\nacgu,0\nACGRYN,1\nXxE${long},1\n`);
    expect(labelled.set.alphabet).toBe(DNA);
    expect(rowsOf(labelled)).toEqual(["0 ACGT", "1 ACGRYN", `1 NNN${long}`]);
    expect(labelled.replaced).toEqual({ records: 1, letters: 3 });
    expect(labelled.set.ambiguous).toEqual({ records: 2, letters: 6 });
    const protein = await read("sequence,label\nMKVLWJ,0\nMKVLEE,1\n");
    expect(protein.set.alphabet).toBe(PROTEIN);
    expect(protein.replaced.letters).toBe(0);
    const forced = await read("sequence,label\nMKVLWJ,0\nMKVLEE,1\n", { alphabet: DNA });
    expect(rowsOf(forced)).toEqual(["0 MKVNWN", "1 MKVNNN"]);
  });

  test("reports on the way, keeps ids and tells equal ones apart", async () => {
    const heard: number[] = [];
    const rows = Array.from({ length: 2500 }, (_, i) => `r${i},ACGT,${i % 2}\n`).join("");
    const labelled = await read(`id,sequence,label\n${rows}r0,AC,0\n`, {
      progress: (n: number) => heard.push(n),
    });
    expect(heard).toEqual([1000, 2000]);
    expect([labelled.set.ids[7], labelled.set.ids[2500]]).toEqual(["r7", "r0_2"]);
  });

  test("standard input, as the caller opens it", async () => {
    const labelled = await readLabelled("-", {
      open: (path) => [new TextEncoder().encode(path === "-" ? "sequence,label\nAC,0\nGT,1\n" : "")],
    });
    expect(labelled.name).toBe("stdin");
    expect(rowsOf(labelled)).toEqual(["0 AC", "1 GT"]);
  });

  test.each([
    [
      "an empty sequence",
      "sequence,label\nAC,0\n,1\n",
      /t.csv, line 3, record "2": row: must have a sequence/,
    ],
    ["an empty label", "sequence,label\nAC,0\nAC,\n", /t.csv, line 3, record "2": label: must not be empty/],
    ["a tab in a label", 'sequence,label\nAC,0\nAC,"a\tb"\n', /line 3.*label: must be one line without tabs/],
    ["gaps", "sequence,label\nAC,0\nA-C,1\n", /t.csv, line 3, record "2": sequence: must be without gaps/],
    ["digits", "sequence,label\nAC,0\nAC1,1\n", /line 3.*got "1" at position 3/],
    [
      "no label",
      "id,sequence,family,size\n1,AC,x,3\n",
      /t.csv, line 1: table: must have a column "label".*its columns are "id", "sequence", "family", "size"/,
    ],
    [
      "names for labels",
      "id,sequence\na,AC\nb,GG\n",
      /must have a column "label", or one that you name as the label column; its columns are "id", "sequence"/,
    ],
    ["names for labels, by place", "dna,name\nAC,a\nGG,b\n", /must have a column "label"/],
    ["names for sequences", "id,label\na,0\nb,1\n", /must have a column "sequence"/],
    ["no sequence", "id,letters,label\n1,AC,x\n", /must have a column "sequence".*"id", "letters", "label"/],
    ["one column", "sequence\nAC\n", /must have a column "label"/],
    [
      "one class",
      "sequence,label\nAC,x\nGG,x\n",
      /t.csv: labels: must be of at least two classes, got "x" only/,
    ],
    ["a header alone", "sequence,label\n", /t.csv: file: must hold at least one sequence/],
    ["nothing", "", /t.csv: file: must hold at least one sequence/],
    ["no header", "ACGTACGTAC,0\nGGTTGGTTGG,1\n", /must begin with a header/],
    ["FASTA", ">a label=1\nACGT\n", /must be CSV or TSV with a column of labels, got FASTA/],
    ["a ragged row", "sequence,label\nAC,0\nAC\n", /line 3: row: must have 2 fields/],
    [
      "an unknown split",
      "sequence,label,split\nAC,0,train\nAC,1,holdout\n",
      /t.csv, line 3, record "2": split: must be train, dev .*, got "holdout"/,
    ],
    [
      "a class that is tested only",
      "sequence,label,split\nAC,0,train\nAC,1,train\nAC,2,test\n",
      /t.csv, line 4, record "3": label: must occur in train too, got "2" in test only/,
    ],
    ["binary", "\0\u0001\u0002,x\nAC,1\n", /must be text/],
  ])("%s is refused", async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  test.each([
    [{ label: "kind" }, /must have the label column "kind"; its columns are "sequence", "label"/],
    [{ sequence: "label", label: "label" }, /must be columns of their own/],
    [{ split: "label" }, /must have a column "label"/],
  ])("columns that are not there: %o", async (options, message) => {
    await expect(read("sequence,label\nAC,0\n", options)).rejects.toThrow(message);
  });

  test("too many classes", async () => {
    const rows = Array.from({ length: 65_536 }, (_, i) => `A,${i}\n`).join("");
    await expect(read(`sequence,label\n${rows}`)).rejects.toThrow(/line 65537.*at most 65535 classes/);
  });

  test("a file that is not there", async () => {
    await expect(readLabelled("/nowhere/at/all.csv")).rejects.toThrow("/nowhere/at/all.csv: cannot be read");
  });
});

const TABLE = "sequence,label\nACGT,1\nGGTT,0\n";
const PARTS = ["train 1 ACGT", "train 0 GGTT", "dev 1 ACGT", "dev 0 GGTT", "test 1 ACGT", "test 0 GGTT"];

describe("layouts", () => {
  test.each([
    ["plain", ["train.csv", "dev.csv", "test.csv"]],
    ["gzip, TSV, other words", ["Train.csv.gz", "validation.csv", "testing.tsv"]],
  ])("GUE, %s", async (_, names) => {
    const tables = names.map((name): [string, string] => [
      name,
      name.endsWith("tsv") ? TABLE.replaceAll(",", "\t") : TABLE,
    ]);
    const folder = folderOf({ ...Object.fromEntries(tables), "notes.txt": "x", ".hidden.csv": "x" });
    const labelled = await readLabelled(folder);
    expect(rowsOf(labelled)).toEqual(PARTS);
    expect(labelled.set.ids).toEqual(["train/1", "train/2", "dev/1", "dev/2", "test/1", "test/2"]);
    expect(folder).toContain(labelled.name);
  });

  test("GUE without a dev part, and one part twice", async () => {
    const labelled = await readLabelled(folderOf({ "train.csv": TABLE, "test.csv": TABLE }));
    expect(labelled.splits).toEqual(["train", "train", "test", "test"]);
    await expect(readLabelled(folderOf({ "dev.csv": TABLE, "valid.csv": TABLE }))).rejects.toThrow(
      /valid.csv: must be the only dev part, got dev.csv too/,
    );
  });

  test("GUE's test part may have a class that train lacks only where a model says so", async () => {
    const folder = folderOf({ "train.csv": TABLE, "test.csv": `${TABLE}CC,2\n` });
    await expect(readLabelled(folder)).rejects.toThrow(/test.csv, line 4, .*got "2" in test only/);
    expect((await readLabelled(folder, { classes: ["0", "1", "2"] })).classes).toHaveLength(3);
  });

  test("TEB", async () => {
    const folder = folderOf({
      "train_dna_cmc.csv": TABLE,
      "valid_dna_cmc.csv": TABLE,
      "test_dna_cmc.csv": TABLE,
      "train_other.csv": TABLE,
    });
    const labelled = await readLabelled(join(folder, "dna_cmc"));
    expect(rowsOf(labelled)).toEqual(PARTS);
    expect(labelled.name).toBe("dna_cmc");
    await expect(readLabelled(join(folder, "dna"))).rejects.toThrow(/cannot be read: there is no such file/);
  });

  const classes = (split: string) => ({
    [`${split}1/2.txt`]: "acgt\n",
    [`${split}1/10.txt`]: "GGTT",
    [`${split}0/1.txt`]: "CCCC\r\n",
  });

  test("Genomic Benchmarks: a text file for each sequence", async () => {
    const folder = folderOf({ ...classes("train/"), ...classes("test/"), "metadata.yaml": "x" });
    const labelled = await readLabelled(folder);
    const rows = ["0 CCCC", "1 ACGT", "1 GGTT"];
    expect(rowsOf(labelled)).toEqual([
      ...rows.map((row) => `train ${row}`),
      ...rows.map((row) => `test ${row}`),
    ]);
    expect(labelled.set.ids.slice(0, 3)).toEqual(["train/0/1", "train/1/2", "train/1/10"]);
    expect(labelled.set.maxLength).toBe(4);
    const whole = await readLabelled(folderOf({ ...classes(""), README: "x" }));
    expect(rowsOf(whole)).toEqual(rows);
    expect(whole.set.ids).toEqual(["0/1", "1/2", "1/10"]);
  });

  test("FASTA for each class", async () => {
    const files = { "ocr.fasta": ">a\nACGT\n>b\nACNT\n", "promoter.fa.gz": ">a\nGG\nTT\n" };
    const rows = ["ocr ACGT", "ocr ACNT", "promoter GGTT"];
    const whole = await readLabelled(folderOf(files));
    expect(rowsOf(whole)).toEqual(rows);
    expect(whole.set.ids).toEqual(["ocr/a", "ocr/b", "promoter/a"]);
    expect(whole.set.ambiguous).toEqual({ records: 1, letters: 1 });
    const split = Object.entries(files).flatMap(([name, text]): [string, string][] => [
      [`train/${name}`, text],
      [`test/${name}`, text],
    ]);
    expect(rowsOf(await readLabelled(folderOf(Object.fromEntries(split))))).toEqual([
      ...rows.map((row) => `train ${row}`),
      ...rows.map((row) => `test ${row}`),
    ]);
    const inFolders = await readLabelled(
      folderOf({ "ocr/x.fna": ">a\nAC\n", "ocr/y.fna": ">a\nAA\n", "promoter/x.fna": ">a\nGG\n" }),
    );
    expect(rowsOf(inFolders)).toEqual(["ocr AC", "ocr AA", "promoter GG"]);
    expect(inFolders.set.ids).toEqual(["ocr/x/a", "ocr/y/a", "promoter/a"]);
  });

  test.each([
    [
      "an empty text file",
      { "a/1.txt": "AC", "b/7.txt": "" },
      /7.txt: file: must hold at least one sequence/,
    ],
    [
      "two lines in one",
      { "a/1.txt": "AC", "b/7.txt": "AC\nGT\n" },
      /7.txt, line 2: file: must hold one sequence on one line/,
    ],
    [
      "no letters",
      { "a/1.txt": "AC", "b/7.txt": "A-C" },
      /b, line 1, record "7": sequence: must be without gaps/,
    ],
    [
      "an empty FASTA record",
      { "a.fasta": ">x\nAC\n", "b.fasta": ">y\n" },
      /b.fasta, line 1, record "y": .*must have a sequence/,
    ],
    ["one class", { "train/a/1.txt": "AC" }, /must be of at least two classes, got "a" only/],
    [
      "a split without classes",
      { "train/a.csv": "AC" },
      /train: must hold a folder of .txt or FASTA files.*got a.csv/,
    ],
    ["no data", { "a.doc": "x", "b/c.doc": "y" }, /must be a data set.*got a.doc, b\//],
    [
      "several sets",
      { "a/train.csv": TABLE, "b.csv": TABLE },
      /must be one data set, got 2 \(a, b\): name one/,
    ],
  ])("%s is refused", async (_, files, message) => {
    await expect(readLabelled(folderOf(files as unknown as Record<string, string>))).rejects.toThrow(message);
  });

  test("sets in a folder, in natural order", async () => {
    const folder = folderOf({
      "tf/10/train.csv": TABLE,
      "tf/9/train.csv": TABLE,
      "tf/9/test.csv": TABLE,
      "teb/train_lines.csv": TABLE,
      "teb/test_lines.csv": TABLE,
      "teb/train_notes.txt": "x",
      "gb/ocr/train/a/1.txt": "AC",
      "gb/ocr/train/b/1.txt": "AC",
      "broken/train/x.csv": "a,b\n",
      "plain.csv.gz": TABLE,
      "plain.tsv": TABLE.replaceAll(",", "\t"),
      "unnamed.csv": "dna,kind\nAC,1\n",
      "broken.csv": "",
      "families.csv": "sequence,family\nAC,1\n",
      ".hidden/train.csv": TABLE,
    });
    const names = async (options = {}) => (await findLabelled(folder, options)).map(({ name }) => name);
    expect(await names()).toEqual(["gb/ocr", "plain.csv.gz", "plain.tsv", "teb/lines", "tf/9", "tf/10"]);
    expect(await names({ label: "family" })).toContain("families");
    const sets = await findLabelled(join(folder, "teb"));
    expect(sets).toEqual([{ name: "lines", path: join(folder, "teb", "lines") }]);
    expect((await readLabelled(sets[0].path)).splits).toHaveLength(4);
    const [alone] = await findLabelled(join(folder, "tf", "9"));
    expect(alone).toEqual({ name: "9", path: join(folder, "tf", "9") });
    await expect(findLabelled(join(folder, "nothing"))).rejects.toThrow(/cannot be read/);
  });
});

const data = join(process.env.EMBRANCH_DATA ?? "../shared/data", "classification");

describe.skipIf(!existsSync(data))("real sets (needs ../shared/data or EMBRANCH_DATA)", () => {
  test.each([
    ["gue/mouse_2.csv.gz", 3276, ["0", "1"], [2620, 328, 328]],
    ["gue/prom_core_tata.csv.gz", 6130, ["0", "1"], [4904, 613, 613]],
    ["gue/EMP_H3.csv.gz", 2994, ["0", "1"], [0, 1497, 1497]],
    ["uci_splice.csv.gz", 3190, ["EI", "IE", "N"], [0, 0, 0]],
    ["te_sine_superfamily.csv.gz", 3056, ["ID", "SINE1/7SL", "SINE2/tRNA", "SINE3/5S"], [0, 0, 0]],
  ])("%s", async (name, count, classes, parts) => {
    const labelled = await readLabelled(join(data, name));
    expect(labelled.labels).toHaveLength(count);
    expect(labelled.classes).toEqual(classes);
    expect((["train", "dev", "test"] as const).map((part) => ofSplit(labelled, part).length)).toEqual(parts);
    expect(labelled.splits === undefined).toBe(Math.max(...parts) === 0);
    expect(labelled.replaced.letters).toBe(0);
  });

  test.each([
    ["prom_core_tata", 16],
    ["prom_300_tata", 6],
  ])("copies of training sequences in the test part of %s", async (name, copies) => {
    const labelled = await readLabelled(join(data, "gue", `${name}.csv.gz`));
    expect(copiesOfTraining(labelled, "test").indices).toHaveLength(copies);
  });

  test("are found", async () => {
    const names = (await findLabelled(data)).map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(["gue/mouse_2", "gue/tf_0", "te_sine_superfamily", "uci_splice"]),
    );
    expect(names).not.toContain("te_sine_copies");
    expect(names).toEqual([...names].sort(new Intl.Collator("en", { numeric: true }).compare));
  });
});
