import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/error.ts";
import { formatCsvHeader, formatCsvRow } from "../../src/sequence/csv.ts";
import { formatFasta } from "../../src/sequence/fasta.ts";
import { formatFastq } from "../../src/sequence/fastq.ts";
import { formatLine } from "../../src/sequence/lines.ts";
import { readSequences } from "../../src/sequence/read.ts";
import type { SequenceRecord } from "../../src/sequence/record.ts";
import { bytesOf, chunked, dataFile, hasData, readAll } from "./files.ts";

const EXAMPLES: Record<string, string> = {
  fasta: ">a first read\nACGT\nAC\n\n>b\nTTTT\n",
  fastq: "@a first read\nACGT\n+\nIII@\n@b\nTT\n+b\n@+\n",
  csv: 'id,label,sequence\na,"x, ""y""",ACGT\nb,"two\nlines",TT\n',
  lines: "ACGT\n\nacgun\nTT\n",
};

describe("formats are recognised from the first line", () => {
  test.each([
    [">a\nACGT", "a"],
    ["\n\n  \n>a\nACGT", "a"],
    ["; a comment\n>a\nACGT", "a"],
    ["@a\nACGT\n+\nIIII", "a"],
    ["name,seq\na,ACGT", "a"],
    ["label,Sequence,split\n0,ACGT,train", "1"],
    ["cluster\tread\n7\tACGT", "1"],
    ["sequence\nACGT", "1"],
    ["ACGT", "seq1"],
  ])("%j", async (text, id) => {
    const [record] = await readAll(text);
    expect(record).toMatchObject({ id, sequence: "ACGT" });
  });

  test.each(["1234\n", "a,b\n1,2\n", "{}", "some words here", "\0\x01\x02"])(
    "%j is none of them",
    async (text) => {
      await expect(readAll(text, { file: "x" })).rejects.toThrow(
        /^x, line 1: file: not FASTA, FASTQ, CSV or one sequence per line, got /,
      );
    },
  );

  test("the format can be given instead", async () => {
    await expect(readAll("ACGT\n", { format: "fasta", file: "x" })).rejects.toThrow(
      'x, line 1: FASTA: must begin with a header line, ">" and a name, got letters',
    );
  });

  test.each(["", "\n", " \r\n\n", "\uFEFF"])("a file without content is empty: %j", async (text) => {
    await expect(readAll(text, { file: "x" })).rejects.toThrow(
      "x: file: must hold at least one sequence, got none: it is empty",
    );
  });

  test("a table without rows is empty too", async () => {
    await expect(readAll("id,sequence\n")).rejects.toThrow("must hold at least one sequence");
  });

  test.each([
    ["zip", [0x50, 0x4b, 3, 4, 0, 0]],
    ["bzip2", [0x42, 0x5a, 0x68, 0x39, 0, 0]],
    ["xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0]],
    ["zstd", [0x28, 0xb5, 0x2f, 0xfd, 0, 0]],
    ["UTF-16", [0xff, 0xfe, 0x3e, 0]],
  ])("%s is named", async (name, bytes) => {
    await expect(readAll(Uint8Array.from(bytes))).rejects.toThrow(new RegExp(`got ${name}:`));
  });
});

describe("what does not matter", () => {
  for (const [format, text] of Object.entries(EXAMPLES)) {
    test(`${format}: where the chunks end`, async () => {
      const whole = await readAll(text);
      for (const chunk of [1, 2, 3, 5, 7, 16]) expect(await readAll(text, { chunk })).toEqual(whole);
    });

    test(`${format}: Windows line ends, a byte-order mark, no final line end`, async () => {
      const whole = await readAll(text);
      const windows = await readAll("\uFEFF" + text.replaceAll("\n", "\r\n"), { chunk: 3 });
      // Line breaks inside quotes belong to the field and come back as \n.
      expect(windows).toEqual(whole);
      expect(await readAll(text.trimEnd())).toEqual(whole);
    });

    test(`${format}: gzip, in one member or many`, async () => {
      const whole = await readAll(text);
      const half = Math.floor(text.length / 2);
      const members = [text.slice(0, half), "", text.slice(half)].map((part) => gzipSync(part));
      for (const chunk of [1, 10, 1000]) {
        expect(await readAll(gzipSync(text), { chunk })).toEqual(whole);
        expect(await readAll(Buffer.concat(members), { chunk })).toEqual(whole);
      }
    });
  }

  test("how long a line is: one of 3 million letters over many chunks", async () => {
    const sequence = "ACGT".repeat(750_000);
    const [record] = await readAll(`>long\n${sequence}\n`, { chunk: 10_000 });
    expect(record.sequence === sequence).toBe(true);
  });
});

describe("gzip that is damaged", () => {
  const packed = gzipSync(">a\n" + "ACGTTGCA".repeat(500) + "\n");
  test.each([1, 5, 100000])("truncated anywhere, in chunks of %i", async (chunk) => {
    for (const length of [2, 9, 15, packed.length - 9, packed.length - 1]) {
      await expect(readAll(packed.subarray(0, length), { chunk, file: "x.gz" })).rejects.toThrow(
        "x.gz: gzip: must be complete, got a truncated file: copy or download it again",
      );
    }
  });

  test("a changed byte is caught by the checksum or before", async () => {
    for (const at of [12, 20, packed.length - 6]) {
      const broken = Uint8Array.from(packed);
      broken[at] ^= 0x55;
      await expect(readAll(broken)).rejects.toThrow(/gzip: must be/);
    }
  });

  test("junk after the last member", async () => {
    await expect(readAll(Buffer.concat([packed, Buffer.from("hello")]))).rejects.toThrow(FormatError);
  });
});

describe("streams", () => {
  test.each(["plain", "gzip"])("stopping early closes the source (%s)", async (kind) => {
    let closed = false;
    const text = bytesOf(">a\nACGT\n>b\nACGT\n".repeat(1000));
    const content = kind === "gzip" ? gzipSync(text, { level: 0 }) : text;
    async function* source(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield* chunked(content, 1000);
      } finally {
        closed = true;
      }
    }
    for await (const record of readSequences(source())) {
      expect(record.id).toBe("a");
      break;
    }
    await expect.poll(() => closed).toBe(true);
  });

  test("a file that is refused is closed", async () => {
    for (const content of ["PK\x03\x04", "1234\n", ">\n>\n"]) {
      let closed = false;
      function* source(): Generator<Uint8Array> {
        try {
          for (;;) yield bytesOf(content);
        } finally {
          closed = true;
        }
      }
      await expect(readSequences(source()).next()).rejects.toThrow(FormatError);
      expect(closed).toBe(true);
    }
  });

  test.each(["plain", "gzip"])("an error of the source itself passes unchanged (%s)", async (kind) => {
    const text = bytesOf(">a\nACGT\n".repeat(100));
    async function* source(): AsyncGenerator<Uint8Array> {
      yield kind === "gzip" ? gzipSync(text).subarray(0, 20) : text;
      throw new RangeError("disk on fire");
    }
    const drain = async (): Promise<void> => {
      for await (const record of readSequences(source())) expect(record.id).toBe("a");
    };
    await expect(drain()).rejects.toThrow(new RangeError("disk on fire"));
  });

  test("memory does not grow with the file", async () => {
    const block = bytesOf(Array.from({ length: 400 }, (_, i) => `>r${i}\n${"ACGT".repeat(40)}\n`).join(""));
    function* source(): Generator<Uint8Array> {
      for (let i = 0; i < 1500; i++) yield block; // 100 MB
    }
    const before = process.memoryUsage().heapUsed;
    let records = 0;
    let highest = 0;
    for await (const record of readSequences(source())) {
      records += record.sequence.length / 160;
      if (records % 20_000 === 0) highest = Math.max(highest, process.memoryUsage().heapUsed - before);
    }
    expect(records).toBe(600_000);
    expect(highest).toBeLessThan(40e6);
  });
});

describe("what is written reads back", () => {
  const word = fc.stringMatching(/^[!-~]{1,12}$/);
  const letters = fc.stringMatching(/^[A-Za-z*-]{1,60}$/);
  const record = fc.record({
    id: word,
    description: fc.stringMatching(/^(\w[ -~]{0,10}\w)?$/),
    sequence: letters,
  });
  const records = fc.array(record, { minLength: 1, maxLength: 8 });
  const without = ({ line, ...rest }: SequenceRecord): object => (expect(line).toBeGreaterThan(0), rest);

  test("FASTA, at any width", async () => {
    await fc.assert(
      fc.asyncProperty(
        records,
        fc.integer({ min: 1, max: 70 }),
        fc.integer({ min: 1, max: 40 }),
        async (list, width, chunk) => {
          const text = list.map((r) => formatFasta(r, { width })).join("");
          expect((await readAll(text, { chunk })).map(without)).toEqual(list);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("FASTQ", async () => {
    await fc.assert(
      fc.asyncProperty(records, fc.infiniteStream(fc.integer({ min: 33, max: 126 })), async (list, phred) => {
        const withQuality = list.map((r) => ({
          ...r,
          quality: String.fromCharCode(...phred.take(r.sequence.length)),
        }));
        const text = withQuality.map(formatFastq).join("");
        expect((await readAll(text, { chunk: 17 })).map(without)).toEqual(withQuality);
      }),
      { numRuns: 60 },
    );
  });

  test("CSV, whatever the fields hold", async () => {
    const row = fc.record({
      id: word,
      description: fc.constant(""),
      sequence: letters,
      fields: fc.record({ label: fc.string(), "a, b": fc.stringMatching(/^["\n,a]{0,6}$/) }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(row, { minLength: 1, maxLength: 8 }), async (list) => {
        const columns = ["label", "a, b"];
        // A carriage return before a line break is indistinguishable from a Windows line end.
        const clean = list.map((r) => ({
          ...r,
          fields: { ...r.fields, label: r.fields.label.replaceAll("\r", "") },
        }));
        const text = formatCsvHeader(columns) + clean.map((r) => formatCsvRow(r, columns)).join("");
        expect((await readAll(text, { chunk: 13 })).map(without)).toEqual(clean);
      }),
      { numRuns: 60 },
    );
  });

  test("one sequence per line", async () => {
    const sequences = ["ACGT", "AC", "tttt"];
    const text = sequences.map((sequence) => formatLine({ id: "any", description: "", sequence })).join("");
    expect(await readAll(text)).toMatchObject(
      sequences.map((sequence, i) => ({ id: `seq${i + 1}`, sequence })),
    );
  });

  test("names that would not read back are refused", () => {
    const bad = { id: "two words", description: "", sequence: "A", quality: "I" };
    expect(() => formatFasta(bad)).toThrow('id: must be one word, got "two words"');
    expect(() => formatFastq(bad)).toThrow(FormatError);
    expect(() => formatFastq({ ...bad, id: "a", quality: "II" })).toThrow(
      /^record "a": quality: must have one/,
    );
    expect(() => formatFasta({ ...bad, id: "a", description: "x\n>b" })).toThrow(
      /description: must be one line/,
    );
  });
});

describe("garbage gives records or a FormatError, nothing else", () => {
  const nasty = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc
      .array(fc.constantFrom(...'@>+ACGT,"\n\r\t;-1\0é'), { maxLength: 80 })
      .map((parts) => bytesOf(parts.join(""))),
    fc
      .tuple(
        fc.constantFrom(">a\nAC", "@a\nAC\n+\nII\n", "id,seq\n", "ACGT\n", "\x1f\x8b\x08"),
        fc.uint8Array({ maxLength: 80 }),
      )
      .map(([start, rest]) => Buffer.concat([Buffer.from(start, "latin1"), rest])),
    fc
      .tuple(fc.constantFrom(...Object.values(EXAMPLES)), fc.nat(200), fc.nat(255))
      .map(([text, at, byte]) => {
        const packed = gzipSync(text);
        packed[at % packed.length] ^= byte;
        return packed;
      }),
  );

  test("arbitrary bytes in arbitrary chunks", async () => {
    await fc.assert(
      fc.asyncProperty(nasty, fc.integer({ min: 1, max: 50 }), async (bytes, chunk) => {
        try {
          for (const { id, sequence } of await readAll(bytes, { chunk })) {
            expect(id).not.toBe("");
            expect(sequence).not.toBe("");
          }
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe.skipIf(!hasData)("real files (needs ../shared/data or EMBRANCH_DATA)", () => {
  const load = async (name: string): Promise<SequenceRecord[]> => {
    const records: SequenceRecord[] = [];
    for await (const record of readSequences(dataFile(name), { file: name })) records.push(record);
    return records;
  };

  test("study 550: 7,000 reads of 100 to 152 letters", async () => {
    const records = await load("16s-v4/study550_train.fasta.gz");
    const lengths = records.map((record) => record.sequence.length);
    expect(records).toHaveLength(7000);
    expect(records[0].id).toBe("L1S90.273946_155300");
    expect([Math.min(...lengths), Math.max(...lengths)]).toEqual([100, 152]);
    expect(new Set(records.map((record) => record.id)).size).toBe(7000);
  });

  test("a curated alignment of 60 columns a line keeps its gaps: 1,935 × 990", async () => {
    const records = await load("msa/crw_16s_e_aligned.fasta.gz");
    expect(records).toHaveLength(1935);
    expect(new Set(records.map((record) => record.sequence.length))).toEqual(new Set([990]));
    expect(records[0]).toMatchObject({ id: "00001_Saccharomyces_cerevisiae.", description: "U53879" });
  });

  test("DNA-storage reads: clusters stay as a column", async () => {
    const [first] = await load("dna-storage/cnr_reads.csv.gz");
    expect(first).toMatchObject({ id: "1", fields: { cluster: "6722" } });
    expect(await load("dna-storage/cnr_refs.csv.gz")).toHaveLength(998);
  });

  test("splice junctions: label and split stay as columns", async () => {
    const records = await load("classification/uci_splice.csv.gz");
    expect(records).toHaveLength(3190);
    expect(new Set(records.map((record) => record.fields?.label)).size).toBe(3);
  });
});
