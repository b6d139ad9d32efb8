import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, DNA, encode, PROTEIN } from "../../src/sequence/alphabet.ts";
import { readSequences } from "../../src/sequence/read.ts";
import { collect, subset } from "../../src/sequence/sequence-set.ts";
import { findUniques } from "../../src/sequence/uniques.ts";
import { bytesOf, dataFile, hasData } from "./files.ts";

const record = (id: string, sequence: string): { id: string; description: string; sequence: string } => ({
  id,
  description: "",
  sequence,
});

describe("collect", () => {
  test("encodes, measures, and counts ambiguity", async () => {
    const set = await collect([record("a", "acgu"), record("b", "NNACGTAC"), record("c", "ACGTR")]);
    expect(set).toEqual({
      ids: ["a", "b", "c"],
      codes: [encode("ACGT", DNA).codes, encode("NNACGTAC", DNA).codes, encode("ACGTR", DNA).codes],
      alphabet: DNA,
      ambiguous: { records: 2, letters: 3 },
      maxLength: 8,
    });
  });

  test("guesses the alphabet, from many records or few, or takes the given one", async () => {
    expect((await collect([record("a", "MKVLW")])).alphabet).toBe(PROTEIN);
    expect((await collect([record("a", "ACGT")], { alphabet: PROTEIN })).alphabet).toBe(PROTEIN);
    const many = Array.from({ length: 2500 }, (_, i) => record(`r${i}`, "ACGT"));
    const set = await collect(many);
    expect(set.ids).toEqual(many.map(({ id }) => id));
    expect(set.alphabet).toBe(DNA);
  });

  test("keeps the other columns of a table", async () => {
    const set = await collect(readSequences([bytesOf("label,seq\n1,AC\n0,GT\n")]));
    expect(set.fields).toEqual([{ label: "1" }, { label: "0" }]);
  });

  test("nucleotides with U and without T are RNA, and so are some of them", async () => {
    const rna = await collect([record("a", "ACG"), record("b", "acgu"), record("c", "UU")]);
    expect(rna.rna).toBe(true);
    expect(subset(rna, [0]).rna).toBe(true);
    expect((await collect([record("a", "ACGU"), record("b", "ACGt")])).rna).toBeUndefined();
    expect((await collect([record("a", "ACG")])).rna).toBeUndefined();
    expect((await collect([record("a", "MKVUW")])).rna).toBeUndefined();
  });

  test("an illegal letter names file, line and record", async () => {
    const records = readSequences([bytesOf(">a\nACGT\n>b\nAC-T\n")]);
    await expect(collect(records, { file: "x.fa" })).rejects.toThrow(
      /^x\.fa, line 3, record "b": sequence: must be/,
    );
  });

  test("duplicate ids name both records, or are dropped, or renamed", async () => {
    const twice = [record("a", "AC"), record("b", "AC"), record("a", "GG"), record("a", "TT")];
    await expect(collect(twice, { file: "x" })).rejects.toThrow(
      'x, record "a": id: must be unique, got it in record 1 and in record 3: rename one of them',
    );
    expect((await collect(twice, { onDuplicate: "drop" })).ids).toEqual(["a", "b"]);
    expect((await collect(twice, { onDuplicate: "rename" })).ids).toEqual(["a", "b", "a_2", "a_3"]);
  });

  test("too long and too few are errors that carry both numbers", async () => {
    await expect(collect([record("a", "ACGTA")], { maxLength: 4 })).rejects.toThrow(
      'record "a": sequence: must have at most 4 letters, got 5: trim or remove it, or allow longer sequences',
    );
    await expect(collect([record("a", "ACGT")], { minimum: 2, file: "x" })).rejects.toThrow(
      "x: file: must hold at least 2 sequences, got one sequence only",
    );
    await expect(collect([])).rejects.toThrow("file: must hold at least 1 sequences, got 0");
  });

  test("a subset has its own counts", async () => {
    const set = await collect(readSequences([bytesOf("id,k,seq\na,1,NN\nb,2,ACGT\nc,3,ACN\n")]));
    expect(subset(set, [2, 1])).toEqual({
      ids: ["c", "b"],
      codes: [set.codes[2], set.codes[1]],
      alphabet: DNA,
      ambiguous: { records: 1, letters: 1 },
      maxLength: 4,
      fields: [{ k: "3" }, { k: "2" }],
    });
  });
});

describe("findUniques", () => {
  test("agrees with a set of strings", () => {
    fc.assert(
      fc.property(fc.array(fc.stringMatching(/^[AC]{0,4}$/), { maxLength: 60 }), (strings) => {
        const { representatives, group, counts } = findUniques(strings.map((s) => encode(s, DNA).codes));
        const firsts = strings.flatMap((s, i) => (strings.indexOf(s) === i ? [i] : []));
        expect([...representatives]).toEqual(firsts);
        strings.forEach((s, i) => expect(strings[representatives[group[i]]]).toBe(s));
        expect([...counts]).toEqual(firsts.map((i) => strings.filter((s) => s === strings[i]).length));
      }),
    );
  });

  test("different sequences of one hash stay apart", () => {
    // FNV-1a collides for these two; found by a birthday search over random sequences of 24 letters.
    const pair = ["ATTCTCTCGGTGCAGAAATCATTC", "TACTCTGTCAATTAATTTATACAA"].map((s) => encode(s, DNA).codes);
    expect([...findUniques([...pair, ...pair]).counts]).toEqual([2, 2]);
  });
});

describe.skipIf(!hasData)("real files (needs ../shared/data or EMBRANCH_DATA)", () => {
  test("study 550 test reads are unique and survive a round trip through codes", async () => {
    const name = "16s-v4/study550_test.fasta.gz";
    const set = await collect(readSequences(dataFile(name), { file: name }));
    expect(set.codes).toHaveLength(1500);
    expect(set.alphabet).toBe(DNA);
    expect(findUniques(set.codes).representatives).toHaveLength(1500);
    expect(decode(set.codes[0], DNA)).toMatch(/^TACGTAGGTGGCGAGCGTTGTCCGGAATTATTGGGCG/);
  });

  test("an aligned file is told to lose its gaps", async () => {
    const name = "msa/crw_16s_e_aligned.fasta.gz";
    await expect(collect(readSequences(dataFile(name), { file: name }), { file: name })).rejects.toThrow(
      /look aligned/,
    );
  });
});
