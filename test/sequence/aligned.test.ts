/** @file Files of aligned sequences: what is read, what is refused, and that what is written reads back. */

import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { EmbranchError, FormatError } from "../../src/error.ts";
import {
  ALIGNMENT_FORMATS,
  alignmentFormatOf,
  formatAlignment,
  readAlignment,
  type AlignedSequences,
  type AlignmentFormat,
} from "../../src/sequence/aligned.ts";
import { alignedRow, alignmentOfRows } from "../../src/sequence/alignment.ts";
import { DNA, PROTEIN } from "../../src/sequence/alphabet.ts";
import { bytesOf, chunked } from "./files.ts";

const read = (text: string | Uint8Array, format?: AlignmentFormat): Promise<AlignedSequences> =>
  readAlignment(chunked(typeof text === "string" ? bytesOf(text) : text, 1000), { file: "x", format });

const rowsOf = ({ letters, alignment }: AlignedSequences): string[] =>
  letters.map((each, i) => alignedRow(each, alignment.columns[i], alignment.width));

const ofRows = (rows: Record<string, string>, descriptions?: string[]): AlignedSequences => ({
  ids: Object.keys(rows),
  descriptions,
  ...alignmentOfRows(Object.values(rows)),
});

const written = (aligned: AlignedSequences, format: AlignmentFormat, alphabet = DNA): string =>
  [...formatAlignment(aligned, { format, alphabet })].join("");

describe("one alignment", () => {
  const rows = ["ACGU-ACG", "a--u-acg", "--GUUA--"];

  test.each([
    ["FASTA", ">s1 of one\nACGU\n-ACG\n>s/2\na..u.acg\n\n>s3\n--GUUA--\n"],
    ["Clustal", "CLUSTAL W (1.83) multiple sequence alignment\n\n\ns1   ACGU-\ns/2  a--u-\ns3   --GUU\n       *:.\n\ns1   ACG 7\ns/2  acg 5\ns3   A-- 4\n     *\n"],
    ["MUSCLE's Clustal", "MUSCLE (3.8) multiple sequence alignment\n\ns1 ACGU-ACG\ns/2 a--u-acg\ns3 --GUUA--\n"],
    ["Stockholm", "# STOCKHOLM 1.0\n#=GF ID x\n#=GS s1 AC P1\n\ns1   ACGU-\ns/2  a..u-\ns3   --GUU\n#=GC SS .....\n\ns1 ACG\ns/2 acg\n#=GR s/2 SS HHH\ns3 A--\n#=GC SS ...\n//\n"],
    ["PHYLIP, a row a line", "3 8\ns1 ACGU-ACG\ns/2 a--u-acg\ns3 --GUUA--\n"],
    ["sequential PHYLIP", " 3  8 \ns1  ACG U-A\nCG\ns/2\na--u-acg\ns3 --\nGU\nUA--\n"],
    ["interleaved PHYLIP", "3 8\ns1 ACGU-\ns/2 a--u-\ns3 --GUU\n\nACG\nacg\nA--\n"],
    ["interleaved PHYLIP without blank lines", "3 8\ns1 ACGU-\ns/2 a--u-\ns3 --GUU\nACG\n acg\nA--\n"],
  ])("is read from %s", async (_, text) => {
    const found = await read(text);
    expect(found.ids).toEqual(["s1", "s/2", "s3"]);
    expect(rowsOf(found)).toEqual(rows);
    expect(found.letters).toEqual(["ACGUACG", "auacg", "GUUA"]);
    expect(found.descriptions).toEqual(text.startsWith(">") ? ["of one", "", ""] : undefined);
    expect(rowsOf(await read(gzipSync(text)))).toEqual(rows);
    expect(rowsOf(await read(`\n\n${text}`.replaceAll("\n", "\r\n")))).toEqual(rows);
  }); // prettier-ignore

  test("has the descriptions that Stockholm has", async () => {
    const text = "# STOCKHOLM 1.0\n#=GS b DE of two\n#=GS b DE words\na AC\nb A-\n//\n";
    expect((await read(text)).descriptions).toEqual(["", "of two words"]);
  });
});

describe("is refused:", () => {
  test.each([
    ["an empty file", "", "x: alignment: must hold at least one sequence, got none: the file is empty"],
    ["blank lines", "\n \n", "the file is empty"],
    ["sequences one a line", "ACGT\nACGA\n", 'x, line 1: alignment: not FASTA, Clustal, Stockholm or PHYLIP, got "ACGT"'],
    ["binary data", "\x00\x01\x02\xff", "got binary data"],
    ["rows of different lengths", ">a\nAC-\n>b\nAC\n", 'x, line 3, record "b": row: must have 3 columns like the first, got 2'],
    ["a name twice", ">a\nAC\n>a\nAC\n", 'x, line 3, record "a": id: must be unique, got it twice'],
    ["a position number", ">a\nAC1\n", 'x, line 1, record "a": row: must consist of letters and the gaps "-" and ".", got "1" in column 3'],
    ["a character beyond ASCII", ">a\nAC😀\n", 'got "😀" in column 3'],
    ["a Clustal header alone", "CLUSTAL W\n\n", "must hold at least one sequence"],
    ["a Clustal line without letters", "CLUSTAL\n\na AC\nb\n", "x, line 4: line: must hold a name, letters and perhaps their number, got 1 word"],
    ["a Clustal line of more words", "CLUSTAL\n\na AC GT\n", "got 3 words"],
    ["a name twice in a Clustal block", "CLUSTAL\n\na AC\na AC\n", 'x, line 4, record "a": id: must be unique in a block'],
    ["a Clustal block cut short", "CLUSTAL\n\na AC\nb AC\n\na GT\n", 'record "b": row: must have 4 columns like the first, got 2'],
    ["letters after blanks", "CLUSTAL\n\na AC\n  GT\n", "x, line 4: line: must begin with a name"],
    ["Stockholm without an end", "# STOCKHOLM 1.0\na AC\n", 'x, line 2: Stockholm: must end with "//", got the end of the file: it is cut short'],
    ["two Stockholm alignments", "# STOCKHOLM 1.0\na AC\n//\n# STOCKHOLM 1.0\n", 'x, line 4: Stockholm: must end with "//" after one alignment'],
    ["a Stockholm line of more words", "# STOCKHOLM 1.0\na AC GT\n//\n", "x, line 2: line: must hold a name and letters, got 3 words"],
    ["a name twice in a Stockholm block", "# STOCKHOLM 1.0\na AC\na AC\n//\n", 'record "a": id: must be unique in a block'],
    ["PHYLIP of too few rows", "3 2\na AC\nb AC\n", "x, line 1: PHYLIP alignment: must have 3 rows, as its first line says, got 2"],
    ["PHYLIP of too many rows", "1 2\na AC\nb AC\n", "x, line 3: PHYLIP alignment: must have 1 rows, as its first line says, got more"],
    ["a PHYLIP row that is too short", "2 4\na ACGT\nb ACG\n", 'x, line 3, record "b": PHYLIP alignment: a row must have 4 columns, as the first line says, got 3'],
    ["a PHYLIP block cut short", "2 4\na AC\nb AC\n\nGT\n", "PHYLIP alignment"],
    ["no sequences", "0 0\n", "must hold at least one sequence"],
  ])("%s", async (_, text, message) => {
    const error: unknown = await read(text).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(FormatError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).not.toContain("\n");
  }); // prettier-ignore

  test.each(ALIGNMENT_FORMATS)("garbage and mutilated files, as %s", async (format) => {
    const whole = written(ofRows({ one: "ACGT".repeat(40), two: "AC-T".repeat(40) }), format);
    const cut = fc.nat(whole.length - 2).map((end) => bytesOf(whole.slice(0, end)));
    const changed = fc
      .tuple(fc.nat(whole.length - 1), fc.string({ unit: "grapheme", minLength: 1, maxLength: 1 }))
      .map(([at, letter]) => bytesOf(whole.slice(0, at) + letter + whole.slice(at + 1)));
    const bytes = fc.uint8Array({ maxLength: 300 });
    await fc.assert(
      fc.asyncProperty(fc.oneof(cut, changed, bytes), async (input) => {
        try {
          const { alignment, letters, ids } = await read(input, format);
          expect(ids.length).toBeGreaterThan(0);
          letters.forEach((each, i) => expect(alignment.columns[i]).toHaveLength(each.length));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("what is written", () => {
  // "//" ends a Stockholm file, and is no name there.
  const id = fc.stringMatching(/^[A-Za-z0-9_.|/=:+-]{1,40}$/).filter((name) => name !== "//");
  const text = fc.stringMatching(/^([!-~]{1,8}( [!-~]{1,8}){0,2})?$/);
  const alignment = fc
    .record({
      ids: fc.uniqueArray(id, { minLength: 1, maxLength: 6 }),
      width: fc.integer({ min: 1, max: 150 }),
    })
    .chain(({ ids, width }) => {
      const each = { minLength: ids.length, maxLength: ids.length };
      const row = fc.array(fc.constantFrom(..."ACGTacgtNU--"), { minLength: width, maxLength: width });
      return fc.tuple(fc.constant(ids), fc.array(row, each), fc.array(text, each));
    });

  test.each(ALIGNMENT_FORMATS)("as %s reads back", async (format) => {
    await fc.assert(
      fc.asyncProperty(alignment, async ([ids, rows, descriptions]) => {
        const aligned = { ids, descriptions, ...alignmentOfRows(rows.map((row) => row.join(""))) };
        const back = await read(written(aligned, format));
        expect({ ids: back.ids, rows: rowsOf(back) }).toEqual({ ids, rows: rowsOf(aligned) });
        if (format === "fasta" || format === "stockholm") {
          expect(back.descriptions ?? ids.map(() => "")).toEqual(descriptions);
        }
      }),
    );
  });

  test.each(ALIGNMENT_FORMATS)(
    "as %s has blanks in names as underscores, unless two become one",
    async (format) => {
      const blank = ofRows({ "a b": "AC", c: "A-" });
      expect((await read(written(blank, format))).ids).toEqual(["a_b", "c"]);
      const clash = ofRows({ "a b": "AC", a_b: "A-" });
      expect(() => formatAlignment(clash, { format })).toThrow(EmbranchError);
      expect(() => formatAlignment(clash, { format })).toThrow(
        `${format}: names must differ in more than blanks, got "a b" and "a_b"; rename one`,
      );
      expect(() => formatAlignment(ofRows({ a: "" }), { format })).toThrow("must have at least one column");
    },
  );

  test("as Stockholm has no name that would be a mark", () => {
    expect(() => written(ofRows({ "#a": "AC" }), "stockholm")).toThrow('must not begin with "#"');
    expect(() => written(ofRows({ "//": "AC" }), "stockholm")).toThrow('nor be "//"');
  });

  test("as Clustal: blocks of 60 columns and marks of conservation", () => {
    const proteins = ofRows({
      first: `SHFC-M${"A".repeat(56)}`,
      a_second_long_name: `TYYA-W${"A".repeat(56)}`,
    });
    expect(written(proteins, "clustal", PROTEIN)).toMatchInlineSnapshot(`
      "CLUSTAL multiple sequence alignment


      first              SHFC-MAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
      a_second_long_name TYYA-WAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA
                         :::.  ******************************************************


      first              AA
      a_second_long_name AA
                         **
      "
    `);
    expect(written(ofRows({ a: "ACg", b: "ATG" }), "clustal", DNA)).toMatch(/\n {16}\* \*\n$/);
  });

  test("as Stockholm and PHYLIP", () => {
    const aligned = ofRows({ a: "AC-", bc: "A-T" }, ["of  one", ""]);
    expect(written(aligned, "stockholm")).toBe("# STOCKHOLM 1.0\n#=GS a  DE of one\n\na  AC-\nbc A-T\n//\n");
    expect(written(aligned, "phylip")).toBe("2 3\na  AC-\nbc A-T\n");
    expect(written(aligned, "fasta")).toBe(">a of  one\nAC-\n>bc\nA-T\n");
  });
});

test.each([
  ["a.fa", "fasta"],
  ["a.b.AFA", "fasta"],
  ["a.aln", "clustal"],
  ["a.clw", "clustal"],
  ["a.sto", "stockholm"],
  ["a.stk", "stockholm"],
  ["a.phy", "phylip"],
  ["phy", undefined],
  ["a.txt", undefined],
])("the name %s tells the format %s", (path, format) => {
  expect(alignmentFormatOf(path)).toBe(format);
});
