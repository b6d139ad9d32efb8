import fc from "fast-check";
import { asyncBufferFromFile, parquetMetadataAsync } from "hyparquet";
import { parquetWriteBuffer } from "hyparquet-writer";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../src/error.ts";
import { encodeNpy } from "../../src/sequence/npy.ts";
import {
  pointsFormat,
  readPointBlocks,
  readPoints,
  writePoints,
  type ByteFile,
  type ByteSink,
  type Points,
  type PointsFormat,
  type PointsWriterOptions,
} from "../../src/task/points.ts";

const FORMATS: PointsFormat[] = ["npy", "parquet", "tsv"];

/** A sink in memory. */
class Memory implements ByteSink {
  chunks: Uint8Array[] = [];
  async write(bytes: Uint8Array): Promise<void> {
    this.chunks.push(Uint8Array.from(bytes));
  }
  get bytes(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(Buffer.concat(this.chunks));
  }
}

class PatchableMemory extends Memory {
  async patch(position: number, bytes: Uint8Array): Promise<void> {
    const all = this.bytes;
    all.set(bytes, position);
    this.chunks = [all];
  }
}

const file = (bytes: Uint8Array): ByteFile => ({
  byteLength: bytes.length,
  slice: (start, end) => Uint8Array.from(bytes.subarray(start, end)).buffer,
});
const text = (content: string): ByteFile => file(new TextEncoder().encode(content));

async function written(
  format: PointsFormat,
  { ids, dims, data }: Points,
  { block = ids.length, ...options }: PointsWriterOptions & { block?: number } = {},
): Promise<Uint8Array> {
  const sink = new PatchableMemory();
  const writer = writePoints(sink, format, dims, options);
  for (let at = 0; at < ids.length; at += block) {
    await writer.write(ids.slice(at, at + block), data.subarray(at * dims, (at + block) * dims));
  }
  await writer.close();
  return sink.bytes;
}

const points: fc.Arbitrary<Points> = fc
  .record({ rows: fc.integer({ min: 1, max: 20 }), dims: fc.integer({ min: 1, max: 6 }) })
  .chain(({ rows, dims }) =>
    fc.record({
      ids: fc.array(fc.stringMatching(/^[A-Za-zé0-9 |;=]{1,10}$/), { minLength: rows, maxLength: rows }),
      dims: fc.constant(dims),
      data: fc
        .array(fc.float({ noNaN: true, noDefaultInfinity: true }), {
          minLength: rows * dims,
          maxLength: rows * dims,
        })
        .map((values) => Float32Array.from(values, (value) => value + 0)),
    }),
  );

describe.each(FORMATS)("points as .%s", (format) => {
  test("what is written in blocks reads back in blocks", async () => {
    const sizes = fc.integer({ min: 1, max: 7 });
    await fc.assert(
      fc.asyncProperty(points, sizes, sizes, sizes, async (all, block, rowGroupSize, blockSize) => {
        const bytes = await written(format, all, { block, rowGroupSize });
        const ids = format === "npy" ? all.ids.map((_, row) => String(row)) : all.ids;
        expect(await readPoints(file(bytes), format, { blockSize })).toEqual({ ...all, ids });
      }),
      { numRuns: 50 },
    );
  });

  test("a NaN is refused on writing, with the id", async () => {
    const all = { ids: ["a", "b"], dims: 2, data: Float32Array.of(0, 1, NaN, 3) };
    await expect(written(format, all)).rejects.toThrow(/embedding of "b": every coordinate .* got NaN/);
  });

  test("nothing at all is refused on reading", async () => {
    const bytes = await written(format, { ids: [], dims: 2, data: new Float32Array(0) });
    await expect(readPoints(file(bytes), format, { name: "z" })).rejects.toThrow(/^z: points: .* got none/);
  });

  test("garbage is refused with the name of the file", async () => {
    for (const garbage of ["", ">seq\nACGT\n", "PAR1", "\u0000\u0001\u0002".repeat(50)]) {
      const error: unknown = await readPoints(text(garbage), format, { name: "z" }).catch(
        (error: unknown) => error,
      );
      expect(error).toBeInstanceOf(FormatError);
      expect((error as Error).message).toMatch(/^z[:,] .*[a-z]/);
    }
  });
});

test("the ending of the name says the format", () => {
  expect(["z.npy", "a.b.PARQUET", "dir.npy/z.tsv"].map(pointsFormat)).toEqual(["npy", "parquet", "tsv"]);
  expect(() => pointsFormat("z.csv")).toThrow(UsageError);
});

describe("NaN in a file is refused with the id", () => {
  test(".npy", async () => {
    const bytes = Buffer.concat([...encodeNpy(Float64Array.of(0, 1, 2, Infinity), [2, 2])]);
    await expect(readPoints(file(bytes), "npy", { name: "z.npy" })).rejects.toThrow(
      /^z\.npy, record "1": point: coordinate 2 must be a finite number, got Infinity/,
    );
  });

  test(".tsv", async () => {
    await expect(readPoints(text("id\tz1\na\t1\nb\tNaN\n"), "tsv", { name: "z.tsv" })).rejects.toThrow(
      /^z\.tsv, line 3, record "b": point: coordinate 1 must be a finite number, got "NaN"/,
    );
  });

  test.each([
    ["NaN", [1, NaN], /record "b": point: coordinate 2 must be a finite number, got NaN/],
    ["a null", [1, null], /record "b": point: coordinate 2 must be a finite number, got NaN/],
    ["another dimension", [1], /record "b": point: embedding must be a list of 2 numbers, got 1/],
    ["no list", null, /record "b": point: embedding must be a list of 2 numbers, got none/],
  ])(".parquet: %s", async (_, second, message) => {
    const bytes = parquetWriteBuffer({
      schema: [
        { name: "root", num_children: 2 },
        { name: "id", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "OPTIONAL" },
        { name: "embedding", converted_type: "LIST", repetition_type: "OPTIONAL", num_children: 1 },
        { name: "list", repetition_type: "REPEATED", num_children: 1 },
        { name: "element", type: "DOUBLE", repetition_type: "OPTIONAL" },
      ],
      columnData: [
        { name: "id", data: ["a", "b"] },
        { name: "embedding", data: [[1, 2], second] },
      ],
    });
    await expect(readPoints(file(new Uint8Array(bytes)), "parquet", { name: "z.parquet" })).rejects.toThrow(
      message,
    );
  });
});

describe("files of other programs", () => {
  test(".npy of float64 is read as float32", async () => {
    const bytes = Buffer.concat([...encodeNpy(Float64Array.of(0.1, 1, 2, 3), [2, 2])]);
    expect((await readPoints(file(bytes), "npy")).data).toEqual(Float32Array.of(0.1, 1, 2, 3));
  });

  test(".npy of another shape is refused", async () => {
    const bytes = Buffer.concat([...encodeNpy(Float32Array.of(1, 2))]);
    await expect(readPoints(file(bytes), "npy")).rejects.toThrow(
      /must be \(points, coordinates\), got \(2\)/,
    );
    const cut = Buffer.concat([...encodeNpy(Float32Array.of(1, 2), [1, 2])]).subarray(0, -1);
    await expect(readPoints(file(cut), "npy")).rejects.toThrow(/takes 136 bytes, got 135/);
  });

  test(".tsv without a header is read", async () => {
    expect(await readPoints(text("a\t1\t2\r\nb\t3\t4\r\n"), "tsv")).toEqual({
      ids: ["a", "b"],
      dims: 2,
      data: Float32Array.of(1, 2, 3, 4),
    });
  });

  test(".tsv rows of another length are refused", async () => {
    await expect(readPoints(text("a\t1\t2\nb\t3\n"), "tsv")).rejects.toThrow(
      /line 2, record "b": .* 2 .* got 1/,
    );
  });

  test(".parquet with other columns is refused by name", async () => {
    const bytes = parquetWriteBuffer({ columnData: [{ name: "otu", data: ["a"] }, { name: "x", data: [1] }] }); // prettier-ignore
    await expect(readPoints(file(new Uint8Array(bytes)), "parquet")).rejects.toThrow(
      /"id" and "embedding", got "otu", "x"/,
    );
  });
});

test(".npy to a pipe needs the number of rows", async () => {
  const sink = new Memory();
  expect(() => writePoints(sink, "npy", 2)).toThrow(/needs a file/);
  const writer = writePoints(sink, "npy", 2, { rows: 1 });
  await writer.write(["a"], Float32Array.of(1, 2));
  await writer.close();
  expect((await readPoints(file(sink.bytes), "npy")).data).toEqual(Float32Array.of(1, 2));
});

test(".parquet goes out in row groups and comes back in them", async () => {
  const dims = 64;
  const sink = new Memory();
  const writer = writePoints(sink, "parquet", dims, { rowGroupSize: 1000 });
  const data = new Float32Array(256 * dims).fill(0.5);
  let largest = 0;
  for (let block = 0; block < 16; block++) {
    const before = sink.chunks.length;
    await writer.write(Array.from({ length: 256 }, (_, row) => `s${block * 256 + row}`), data); // prettier-ignore
    for (const chunk of sink.chunks.slice(before)) largest = Math.max(largest, chunk.length);
  }
  await writer.close();
  expect(largest).toBeLessThan(1000 * (dims * 4 + 60));
  const metadata = await parquetMetadataAsync(file(sink.bytes));
  expect(metadata.row_groups.map((group) => Number(group.num_rows))).toEqual([1000, 1000, 1000, 1000, 96]);
  const sizes = [];
  for await (const block of readPointBlocks(file(sink.bytes), "parquet")) sizes.push(block.ids.length);
  expect(sizes).toEqual([1000, 1000, 1000, 1000, 96]);
});

describe("NumPy agrees", () => {
  const directory = mkdtempSync(join(tmpdir(), "embranch-points-"));
  afterAll(() => rmSync(directory, { recursive: true }));
  const numpy = spawnSync("python3", ["-c", "import numpy"]).status === 0;

  test.skipIf(!numpy)("reads what we write and we read what it writes", async () => {
    const ours = join(directory, "ours.npy");
    const theirs = join(directory, "theirs.npy");
    writeFileSync(
      ours,
      await written("npy", { ids: ["a", "b", "c"], dims: 2, data: Float32Array.of(1, 2, 3, 4, 5, 6) }),
    );
    const script = `import numpy as np; a = np.load(${JSON.stringify(ours)}); np.save(${JSON.stringify(theirs)}, a * 2); print(a.tolist(), a.dtype)`;
    expect(spawnSync("python3", ["-c", script], { encoding: "utf8" }).stdout).toBe(
      "[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]] float32\n",
    );
    const { data } = await readPoints(await asyncBufferFromFile(theirs), "npy");
    expect(data).toEqual(Float32Array.of(2, 4, 6, 8, 10, 12));
  });
});
