import { describe, expect, test } from "vitest";
import { readAll } from "./files.ts";

const read = (text: string): ReturnType<typeof readAll> => readAll(text, { file: "x" });

describe("FASTA", () => {
  test("lines are joined, white space and comments dropped, headers split at the first blank", async () => {
    expect(await read(">a\tfirst  read \nAC GT\n\n;comment\n ac\t\n> b\nTT")).toEqual([
      { id: "a", description: "first  read", sequence: "ACGTac", line: 1 },
      { id: "b", description: "", sequence: "TT", line: 6 },
    ]);
  });

  test.each([
    [
      ">a\n>b\nAC\n",
      'x, line 1, record "a": record: must have a sequence, got a header alone: remove the record',
    ],
    [">b\nAC\n>a\n \n", 'x, line 3, record "a": record: must have a sequence'],
    [">\nAC\n", "x, line 1: header: must name the record, got an empty header"],
    [">a\nAC\n>  \nAC\n", "x, line 3: header: must name the record, got an empty header"],
    [">a\x01b\nAC\n", "x, line 1: header: must be text, got control characters"],
    ["; comment\nAC\n>a\nAC", "x, line 2: FASTA: must begin with a header line"],
  ])("%j is refused", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});

describe("FASTQ", () => {
  test("qualities may begin with @ or +", async () => {
    expect(await read("@a\nACG\n+\n@+@\n@b x\nT\n+b\n+\n")).toEqual([
      { id: "a", description: "", sequence: "ACG", quality: "@+@", line: 1 },
      { id: "b", description: "x", sequence: "T", quality: "+", line: 5 },
    ]);
  });

  test("sequence and quality may wrap", async () => {
    expect(await read("@a\nACG\nTAC\n+a\n@II\n+II\n@b\nT\n+\nI\n")).toMatchObject([
      { id: "a", sequence: "ACGTAC", quality: "@II+II" },
      { id: "b", sequence: "T", quality: "I" },
    ]);
  });

  test.each([
    [
      "@a\nACG\n+\nII\n@b\nA\n+\nI\n",
      'x, line 4, record "a": quality: must have as many characters as the sequence, 3, got 2',
    ],
    [
      "@a\nACG\n+\nIIII\n",
      'x, line 4, record "a": quality: must have as many characters as the sequence, 3, got 4',
    ],
    ["@a\nAC\nGT\n+\nIII\n@b\n", "quality: must have as many characters as the sequence, 4, got 5"],
    [
      "@b\nA\n+\nI\n@a\nACG\n+\n",
      'x, line 5, record "a": record: must be complete, got the end of the file inside it',
    ],
    ["@a\nACG\n", 'x, line 1, record "a": record: must be complete'],
    ["@a\n", 'x, line 1, record "a": record: must be complete'],
    [
      "@a\nACG\n+b\nIII\n",
      'x, line 3, record "a": "+" line: must be empty or repeat the name of the read, got "b"',
    ],
    ["@a\n\n+\n\n", 'x, line 1, record "a": record: must have a sequence, got none'],
    ["@a\nA\n+\nI\n>b\nA\n", 'x, line 5: FASTQ: each record must begin with "@" and a name, got ">b"'],
    ["@\nA\n+\nI\n", "x, line 1: header: must name the record"],
    ["@a\nA\n+\n \n", 'x, line 4, record "a": quality: must consist of the characters ! to ~'],
  ])("%j is refused", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });
});

describe("one sequence per line", () => {
  test("names are made up, in order; blank lines do not count", async () => {
    expect(await read("AC\n\n  GT  \n")).toEqual([
      { id: "seq1", description: "", sequence: "AC", line: 1 },
      { id: "seq2", description: "", sequence: "GT", line: 3 },
    ]);
  });

  test("a line that is no sequence is refused", async () => {
    await expect(read("ACGT\nAC GT\n")).rejects.toThrow(
      'x, line 2: line: must be one sequence, letters only, got "AC GT"',
    );
  });
});

describe("CSV", () => {
  test("the sequence and name columns are found by name, whatever their place and case", async () => {
    expect(await read("Label,SEQ,Name\n1,AC,r1\n")).toEqual([
      { id: "r1", description: "", sequence: "AC", fields: { Label: "1" }, line: 2 },
    ]);
    // "sequence" goes before "read".
    expect(await read("read,sequence\n7,AC\n")).toMatchObject([{ sequence: "AC", fields: { read: "7" } }]);
  });

  test("RFC 4180: separators, doubled quotes and line breaks in quotes", async () => {
    const [record, next] = await read('id,a,sequence\nr,"x, ""y""\n\nz",AC\n"s","",GT\n');
    expect(record).toEqual({
      id: "r",
      description: "",
      sequence: "AC",
      fields: { a: 'x, "y"\n\nz' },
      line: 2,
    });
    expect(next).toEqual({ id: "s", description: "", sequence: "GT", fields: { a: "" }, line: 5 });
  });

  test.each([
    ["id,sequence\na\n", "x, line 2: row: must have 2 fields like the header, got 1"],
    ["id,sequence\na,AC,x\n", "x, line 2: row: must have 2 fields like the header, got 3"],
    ["id,sequence\na,\n", 'x, line 2, record "a": row: must have a sequence, got an empty field'],
    ["id,sequence\n,AC\n", "x, line 2: id: must not be empty"],
    ['id,sequence\na,"AC\nGT\n', "x, line 2: row: a quoted field must end, got the end of the file"],
    ["id,sequence,id\na,AC,b\n", "x, line 1: CSV header: must not repeat a column, got id, sequence, id"],
  ])("%j is refused", async (text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  });

  test("a header without a sequence column is told which names would do", async () => {
    await expect(readAll("id,label\na,1\n", { format: "csv" })).rejects.toThrow(
      'line 1: CSV header: must name a column "sequence", "seq" or "read", got id, label',
    );
  });
});
