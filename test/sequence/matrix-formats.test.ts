import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/error.ts";
import {
  condense,
  condensedIndex,
  condensedLength,
  condensedPair,
  condensedSide,
  condensedSubset,
  squareBlocks,
  type DistanceMatrix,
  type NumberArray,
} from "../../src/sequence/condensed.ts";
import {
  encodeCrossTsv,
  encodeMatrixTsv,
  readCrossTsv,
  readMatrixTsv,
} from "../../src/sequence/matrix-tsv.ts";
import { float32Text, parseDecimal } from "../../src/sequence/number-text.ts";
import {
  decodeNpy,
  decodeNpyHeader,
  encodeNpy,
  encodeNpySquare,
  npyDistances,
  npyHeader,
} from "../../src/sequence/npy.ts";
import { encodePhylip, readPhylip } from "../../src/sequence/phylip.ts";

const utf8 = (text: string): Uint8Array[] => [new TextEncoder().encode(text)];

function joined(chunks: Iterable<Uint8Array>): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.concat([...chunks]));
}

const textFrom = (chunks: Iterable<Uint8Array>): string => new TextDecoder().decode(joined(chunks));

/** A file cut into small pieces, as a slow pipe would deliver it. */
function inPieces(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}

/** Awaits a FormatError and gives its message. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => new Error("nothing was thrown"),
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(FormatError);
  const { message } = error as FormatError;
  expect(message).not.toContain("\n");
  return message;
}

const distance = fc.float({ min: 0, noNaN: true, noDefaultInfinity: true }).map((value) => value + 0);

/** Distance matrices of 1 to 12 things with awkward ids. */
const matrices = (id: fc.Arbitrary<string>): fc.Arbitrary<DistanceMatrix<Float32Array>> =>
  fc
    .uniqueArray(id, { minLength: 1, maxLength: 12, selector: (id) => id.trim().replace(/\s+/g, "_") })
    .chain((ids) =>
      fc
        .array(distance, { minLength: condensedLength(ids.length), maxLength: condensedLength(ids.length) })
        .map((values) => ({ ids, values: Float32Array.from(values) })),
    );

const spacedId = fc.stringMatching(/^[A-Za-z0-9|;=._]{1,8}( [A-Za-z0-9]{1,4}){0,2}$/);

describe("condensed order", () => {
  test("is SciPy's: (0,1) (0,2) (0,3) (1,2) (1,3) (2,3)", () => {
    const pairs = Array.from({ length: 6 }, (_, k) => condensedPair(k, 4));
    expect(pairs).toEqual([[0, 1], [0, 2], [0, 3], [1, 2], [1, 3], [2, 3]]); // prettier-ignore
  });

  test("index and pair are inverse, also where the index exceeds 32 bits", () => {
    const pairs = fc.integer({ min: 2, max: 3_000_000 }).chain((n) =>
      fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n - 2 })).chain(([n, i]) =>
        fc.tuple(fc.constant(n), fc.constant(i), fc.integer({ min: i + 1, max: n - 1 })),
      ),
    ); // prettier-ignore
    fc.assert(
      fc.property(pairs, ([n, i, j]) => {
        expect(condensedPair(condensedIndex(i, j, n), n)).toEqual([i, j]);
        expect(condensedIndex(j, i, n)).toBe(condensedIndex(i, j, n));
      }),
    );
  });

  test("a subset has the distances of its things, in its order", () => {
    const all = Uint8Array.of(1, 2, 3, 12, 13, 23);
    expect(condensedSubset(all, 4, [3, 0, 2], new Uint8Array(3))).toEqual(Uint8Array.of(3, 23, 2));
    expect(condensedSubset(all, 4, [1], new Uint8Array(0))).toHaveLength(0);
  });

  test("the number of things follows from the number of pairs", () => {
    for (const n of [1, 2, 3, 10_000, 1_000_000]) expect(condensedSide(condensedLength(n))).toBe(n);
    expect(() => condensedSide(4)).toThrow(/n\(n-1\)\/2.*got 4/);
  });

  test("blocks of any height make up the symmetric square", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 200 }), (n, blockBytes) => {
        const condensed = Uint16Array.from({ length: condensedLength(n) }, (_, k) => k + 1);
        const square = new Uint16Array(n * n);
        for (const { start, values } of squareBlocks(condensed, { blockBytes }))
          square.set(values, start * n);
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            expect(square[i * n + j]).toBe(i === j ? 0 : condensed[condensedIndex(i, j, n)]);
          }
        }
        expect(condense(square, n)).toEqual(condensed);
      }),
    );
  });
});

describe(".npy", () => {
  test("the header is NumPy's own, to the byte", () => {
    const expected =
      "\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }".padEnd(127);
    expect(Buffer.from(npyHeader("f4", [3, 4])).toString("latin1")).toBe(expected + "\n");
    expect(Buffer.from(npyHeader("u1", [5])).toString("latin1")).toContain(
      "'|u1', 'fortran_order': False, 'shape': (5,), }",
    );
  });

  const arrays: fc.Arbitrary<NumberArray> = fc.oneof(
    fc.uint8Array(),
    fc.uint16Array(),
    fc.uint32Array(),
    fc.int32Array(),
    fc.float32Array(),
    fc.float64Array(),
  );

  test("what is written reads back, at any alignment", () => {
    fc.assert(
      fc.property(arrays, fc.integer({ min: 0, max: 9 }), (data, shift) => {
        const bytes = joined(encodeNpy(data));
        const shifted = new Uint8Array(bytes.length + shift);
        shifted.set(bytes, shift);
        expect(decodeNpy(shifted.subarray(shift))).toEqual({ shape: [data.length], data });
      }),
    );
  });

  test("values are views of the array, not copies", () => {
    const data = new Float32Array(1 << 20);
    for (const chunk of [...encodeNpy(data)].slice(1)) expect(chunk.buffer).toBe(data.buffer);
  });

  test("a condensed and a square file hold the same distances", () => {
    const condensed = Uint16Array.from([1, 2, 3, 4, 5, 6]);
    const square = decodeNpy(joined(encodeNpySquare(condensed)));
    expect(square).toEqual({
      shape: [4, 4],
      data: Uint16Array.from([0, 1, 2, 3, 1, 0, 4, 5, 2, 4, 0, 6, 3, 5, 6, 0]),
    });
    expect(npyDistances(square)).toEqual(condensed);
    expect(npyDistances(decodeNpy(joined(encodeNpy(condensed))))).toEqual(condensed);
  });

  test("version 2 headers are read", () => {
    const one = joined(encodeNpy(Float64Array.of(1, 2)));
    const two = Buffer.concat([one.subarray(0, 10), Buffer.alloc(2), one.subarray(10)]);
    two[6] = 2;
    expect(decodeNpy(two)).toEqual({ shape: [2], data: Float64Array.of(1, 2) });
  });

  test("a header that is not there yet asks for more bytes", () => {
    const bytes = joined(encodeNpy(Float32Array.of(1)));
    expect(decodeNpyHeader(bytes.subarray(0, 3))).toBe(12);
    expect(decodeNpyHeader(bytes.subarray(0, 12))).toBe(128);
  });

  test.each([
    ["text", Buffer.from(">a\nACGT\n"), /must start with/],
    [
      "a cut file",
      joined(encodeNpy(Float32Array.of(1, 2))).subarray(0, 131),
      /truncated .npy: shape \(2\) of f4 takes 8 bytes, got 3/,
    ],
    [
      "a cut header",
      joined(encodeNpy(Float32Array.of(1, 2))).subarray(0, 50),
      /truncated .npy: the header needs 128 bytes, got 50/,
    ],
    [
      "another type",
      edited("<f4", "<i8"),
      /must be little-endian .* got <i8; save it with array.astype\(numpy.int32\)/,
    ],
    ["big-endian", edited("<f4", ">f4"), /must be little-endian/],
    [
      "Fortran order",
      edited("False, 'shape': (2,), }   ", "True, 'shape': (2, 1, 2), }"),
      /ascontiguousarray/,
    ],
    ["a record type", edited("'<f4'", "[1,2]"), /plain array/],
  ])("%s is refused", (_, bytes, message) => {
    expect(() => decodeNpy(bytes, { file: "x.npy" })).toThrow(message);
    expect(() => decodeNpy(bytes, { file: "x.npy" })).toThrow(/^x\.npy: /);
  });

  function edited(from: string, to: string): Uint8Array {
    const bytes = Buffer.from(joined(encodeNpy(Float32Array.of(1, 2))));
    const text = bytes.toString("latin1");
    expect(text).toContain(from);
    return Buffer.from(text.replace(from, to), "latin1");
  }

  test("arrays that are no distances are refused with the place", () => {
    const square = (values: number[]) => () =>
      npyDistances({ shape: [2, 2], data: Float32Array.from(values) });
    expect(square([0, 1, 2, 0])).toThrow(/\[1, 0\]: .*symmetric.*got 2/);
    expect(square([0, 1, 1, 3])).toThrow(/\[1, 1\]: .*itself must be 0, got 3/);
    expect(square([0, -1, -1, 0])).toThrow(/\[1, 0\]: .*not negative, got -1/);
    expect(() => npyDistances({ shape: [2], data: Float32Array.of(1, 2) })).toThrow(/n\(n-1\)\/2.*got 2/);
    expect(() => npyDistances({ shape: [1], data: Float32Array.of(NaN) })).toThrow(/got NaN/);
    expect(() => npyDistances({ shape: [2, 3], data: new Float32Array(6) })).toThrow(/got \(2, 3\)/);
  });
});

describe("numbers as text", () => {
  test("float32 text reads back to the same float32 and has no digit too many", () => {
    fc.assert(
      fc.property(fc.float({ noNaN: true, noDefaultInfinity: true }), (value) => {
        const text = float32Text(value);
        expect(Math.fround(parseDecimal(text)) + 0).toBe(value + 0);
        expect(text.length).toBeLessThanOrEqual(String(value).length);
      }),
    );
    expect(
      ["0.1", "1e-7", "16777216", "3.1415927"].map((text) => float32Text(Math.fround(Number(text)))),
    ).toEqual(["0.1", "1e-7", "16777216", "3.1415927"]);
  });

  test("only decimal numbers are numbers", () => {
    for (const text of ["", " ", "0x10", "1_000", "NaN", "Infinity", "1,5", "--1"]) {
      expect(parseDecimal(text)).toBeNaN();
    }
    expect(["1", "-2.5e-3", ".5", "7."].map(parseDecimal)).toEqual([1, -0.0025, 0.5, 7]);
  });
});

describe("PHYLIP", () => {
  const matrix = { ids: ["human", "chimp", "mouse"], values: Uint16Array.of(1, 9, 8) };

  test("square", () => {
    expect(textFrom(encodePhylip(matrix))).toBe("3\nhuman 0 1 9\nchimp 1 0 8\nmouse 9 8 0\n");
  });

  test("lower triangle", () => {
    expect(textFrom(encodePhylip(matrix, { layout: "lower" }))).toBe("3\nhuman\nchimp 1\nmouse 9 8\n");
  });

  test("what is written reads back, in either layout, with blanks in names as underscores", async () => {
    await fc.assert(
      fc.asyncProperty(
        matrices(spacedId),
        fc.constantFrom<"square" | "lower">("square", "lower"),
        fc.integer({ min: 1, max: 50 }),
        async ({ ids, values }, layout, size) => {
          const file = joined(encodePhylip({ ids, values }, { layout }));
          expect(await readPhylip(inPieces(file, size))).toEqual({
            ids: ids.map((id) => id.replace(/\s+/g, "_")),
            values,
          });
        },
      ),
    );
  });

  test("names with spaces and rows over several lines are read", async () => {
    const square =
      "   3\r\nHomo sapiens    0.0 0.1\r\n   0.9\r\nPan 2b  0.1 0.0 0.8\r\nMus 10090 m  0.9\r\n  0.8 0\r\n\r\n";
    expect(await readPhylip(utf8(square))).toEqual({
      ids: ["Homo sapiens", "Pan 2b", "Mus 10090 m"],
      values: Float32Array.of(0.1, 0.9, 0.8),
    });
    const lower = "3\nHomo sapiens\nPan paniscus 0.1\nMus 0.9 0.8\n";
    expect((await readPhylip(utf8(lower))).ids).toEqual(["Homo sapiens", "Pan paniscus", "Mus"]);
  });

  test("blanks that would make two names one are refused on writing", () => {
    const values = Uint16Array.of(1);
    expect(() => textFrom(encodePhylip({ ids: ["a b", "a_b"], values }))).toThrow(/"a b" and "a_b"/);
    expect(() => textFrom(encodePhylip({ ids: ["a", " "], values }))).toThrow(/must not be empty/);
  });

  test.each([
    ["an empty file", "", /must not be empty/],
    ["FASTA", ">a\nACGT\n", /line 1: .*number of sequences, got ">a"/],
    ["a count of nothing", "0\n", /line 1: .*got "0"/],
    ["a missing row", "3\na 0 1 2\nb 1 0 3\n", /line 3: .*must have 3 rows, .*got 2/],
    ["a row too many", "2\na 0 1\nb 1 0\nc 1 2\n", /line 4: .*must have 2 rows.*got more/],
    [
      "a distance too few",
      "3\na 0 1 2\nb 1 0\nc 2 3 0\n",
      /line 3: .*row 2 must have a name and 3 distances, got 2/,
    ],
    [
      "a distance too many",
      "2\na 0 1 5\nb 1 0 5\n",
      /line 2: .*row 1 must have 2 distances \(square\) or none/,
    ],
    ["a first row too short", "3\na 0 1\nb 1 0 2\nc 1 2 0\n", /line 2: .*row 1 must have 3 distances/],
    ["a word for a number", "2\na 0 x\nb 1 0\n", /line 2: .*row 1 must have 2 distances/],
    ["NaN", "2\na 0 1\nb NaN 0\n", /line 3, record "b": distance 1: .*finite.*got NaN/],
    ["a word among numbers", "2\na 0 1\nb x 0\n", /line 3, record "b": distance 1: .*got x/],
    ["a negative distance", "2\na\nb -1\n", /line 3, record "b": distance 1: .*not negative, got -1/],
    ["an asymmetric matrix", "2\na 0 1\nb 2 0\n", /line 3, record "b": distance 1: .*symmetric \(1 .*got 2/],
    ["similarities", "2\na 1 0\nb 0 1\n", /line 2, record "a": distance 1: .*itself must be 0, got 1/],
    ["a name twice", "2\na 0 1\na 1 0\n", /line 3, record "a": .*names must differ/],
    ["more than memory holds", "99999999\na 0 1\n", /line 1: .*99999999 sequences take .* GB/],
  ])("%s is refused with its line", async (_, text, message) => {
    expect(await refusal(readPhylip(utf8(text), "d.phy"))).toMatch(message);
    expect(await refusal(readPhylip(utf8(text), "d.phy"))).toMatch(/^d\.phy/);
  });
});

describe("tab-separated matrices", () => {
  test("square", () => {
    const matrix = { ids: ["a", "b c"], values: Float32Array.of(0.1) };
    expect(textFrom(encodeMatrixTsv(matrix))).toBe("\ta\tb c\na\t0\t0.1\nb c\t0.1\t0\n");
  });

  test("what is written reads back", async () => {
    await fc.assert(
      fc.asyncProperty(matrices(spacedId), fc.integer({ min: 1, max: 50 }), async (matrix, size) => {
        expect(await readMatrixTsv(inPieces(joined(encodeMatrixTsv(matrix)), size))).toEqual(matrix);
      }),
    );
  });

  test("cross matrices keep both lists of ids", async () => {
    const cross = { rows: ["q1", "q2", "q3"], columns: ["r1"], values: Float32Array.of(1, 2, 3) };
    const text = textFrom(encodeCrossTsv(cross));
    expect(text).toBe("\tr1\nq1\t1\nq2\t2\nq3\t3\n");
    expect(await readCrossTsv(utf8(text))).toEqual(cross);
  });

  test("ids may be numbers, where the corner is empty or a word", async () => {
    const matrix = { ids: ["0", "1"], values: Float32Array.of(3) };
    const text = textFrom(encodeMatrixTsv(matrix));
    for (const corner of ["", "id"]) expect(await readMatrixTsv(utf8(corner + text))).toEqual(matrix);
  });

  test("an id that would break the table is refused on writing", () => {
    expect(() => textFrom(encodeMatrixTsv({ ids: ["a", "b\tc"], values: Uint16Array.of(1) }))).toThrow(/tab/);
  });

  test.each([
    ["an empty file", "", /must not be empty/],
    ["only a header", "\ta\tb\n", /line 1: .*rows below/],
    ["no tabs", "a,b\n", /line 1: .*got no tab/],
    ["what NumPy's savetxt writes", "0\t1e+00\n1e+00\t0\n", /line 1: .*header row of ids.*got numbers alone/],
    ["a short row", "\ta\tb\na\t0\n", /line 2, record "a": .*must have 2 distances, got 1/],
    [
      "an empty cell",
      "\ta\tb\na\t0\t\nb\t1\t0\n",
      /line 2, record "a": distance to "b": must be a number, got ""/,
    ],
    ["a column twice", "\ta\ta\n", /line 1, record "a": .*column ids must differ/],
    ["a row twice", "\ta\tb\na\t0\t1\na\t1\t0\n", /line 3, record "a": .*row ids must differ/],
    ["another order", "\ta\tb\nb\t0\t1\na\t1\t0\n", /record "b": .*order of the columns, got row 1/],
    ["more rows than columns", "\ta\tb\na\t0\t1\nb\t1\t0\nc\t1\t1\n", /must be square, got 3 rows of 2/],
    ["an asymmetric table", "\ta\tb\na\t0\t1\nb\t2\t0\n", /record "b": distance to "a": .*symmetric/],
  ])("%s is refused", async (_, text, message) => {
    expect(await refusal(readMatrixTsv(utf8(text), "d.tsv"))).toMatch(message);
  });
});
