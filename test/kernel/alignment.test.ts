import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import { EditDistances, packCodes, type PackedCodes } from "../../src/kernel/index.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import { relatives, sequence } from "./oracle.ts";

let one: EditDistances;
let two: EditDistances;
beforeAll(async () => {
  one = await EditDistances.create({ threads: 1 });
  two = await EditDistances.create({ threads: 2 });
});
afterAll(async () => {
  await one.close();
  await two.close();
});

/** The matrix M by the textbook recurrence, [side × side] with zeros beyond the sequences. */
function scores(source: Uint8Array, target: Uint8Array, side: number): Int16Array {
  const m = new Int16Array(side * side);
  for (let i = 0; i <= target.length; i++) {
    for (let j = 0; j <= source.length; j++) {
      const at = side * i + j;
      if (i === 0 || j === 0) m[at] = -i - j;
      else {
        const corner = m[at - side - 1] + (source[j - 1] === target[i - 1] ? 1 : -1);
        m[at] = Math.max(corner, m[at - side] - 1, m[at - 1] - 1);
      }
    }
  }
  return m;
}

/** The softmax of the first `columns` of a row, zeros beyond them. */
function softmax(row: Int16Array, columns: number): Float64Array {
  const used = row.subarray(0, columns);
  const greatest = Math.max(...used);
  const sum = used.reduce((total, value) => total + Math.exp(value - greatest), 0);
  return Float64Array.from(row, (value, j) => (j < columns ? Math.exp(value - greatest) / sum : 0));
}

/** Rows of shares are within 32 bits of the softmax of the rows of `matrix`, which has `rows` × `columns` cells. */
function expectShares(
  shares: Float32Array,
  matrix: Int16Array,
  { rows, columns, side }: { rows: number[]; columns: number; side: number },
): void {
  for (const i of rows) {
    const row = shares.subarray(side * i, side * (i + 1));
    expect(row).toBeAllclose(softmax(matrix.subarray(side * i, side * (i + 1)), columns), TOLERANCE);
    expect(row.subarray(columns).every((share) => share === 0)).toBe(true);
  }
  expect(shares.subarray(side * (Math.max(...rows) + 1)).every((share) => share === 0)).toBe(true);
}

/** Thirty-two bits, and what counts as nothing. */
const TOLERANCE = { rtol: 2e-6, atol: 1e-33 };

type Pairs = [set: PackedCodes, left: Uint32Array, right: Uint32Array];

const pairOf = (a: Uint8Array, b: Uint8Array): [...Pairs, { length: number }] => [
  packCodes([a, b]),
  Uint32Array.of(0),
  Uint32Array.of(1),
  { length: Math.max(a.length, b.length) },
];

/** `count` random sequences of up to `longest` DNA letters, and as many random pairs of them. */
function request(seed: number, count: number, longest: number): Pairs {
  const random = new Random(seed);
  const draw = (length: number, below: number): number[] =>
    Array.from({ length }, () => random.integer(below));
  const set = Array.from({ length: count }, () => Uint8Array.from(draw(random.integer(longest + 1), 4)));
  return [packCodes(set), Uint32Array.from(draw(count, count)), Uint32Array.from(draw(count, count))];
}

function same<Cells extends Int16Array | Float32Array>(a: Cells, b: Cells): boolean {
  return Buffer.compare(Buffer.from(a.buffer), Buffer.from(b.buffer)) === 0;
}

describe("one pair", () => {
  test("the matrix of GCAT (source) and GAT (target)", async () => {
    const [set, left, right] = [packCodes([Uint8Array.of(2, 1, 0, 3), Uint8Array.of(2, 0, 3)]), Uint32Array.of(0), Uint32Array.of(1)]; // prettier-ignore
    const found = await one.alignmentScores(set, left, right, { length: 4 });
    expect(Array.from(found)).toEqual([
      ...[0, -1, -2, -3, -4],
      ...[-1, 1, 0, -1, -2],
      ...[-2, 0, 0, 1, 0],
      ...[-3, -1, -1, 0, 2],
      ...[0, 0, 0, 0, 0],
    ]);
  });

  test.each([4, 20, 32])("equals the textbook, %i symbols", async (symbols) => {
    const pair = fc.oneof(fc.tuple(sequence(symbols, 130), sequence(symbols, 130)), relatives(symbols, 130));
    await fc.assert(
      fc.asyncProperty(pair, fc.nat(9), async ([source, target], more) => {
        const [set, left, right, { length }] = pairOf(source, target);
        const options = { length: length + more };
        const side = length + more + 1;
        const matrix = scores(source, target, side);
        expect(await two.alignmentScores(set, left, right, options)).toEqual(matrix);
        const rows = Array.from({ length: target.length + 1 }, (_, i) => i);
        const shares = await two.alignmentTargets(set, left, right, options);
        expectShares(shares, matrix, { rows, columns: source.length + 1, side });
      }),
      { numRuns: 40 },
    );
  });

  test("ambiguity letters are letters of their own", async () => {
    const found = await one.alignmentScores(...pairOf(Uint8Array.of(14, 14), Uint8Array.of(14, 0)));
    expect(Array.from(found)).toEqual([0, -1, -2, -1, 1, 0, -2, 0, 0]);
  });

  test("thousands of letters, in blocks of rows", async () => {
    const random = new Random(2);
    const long = (length: number): Uint8Array => Uint8Array.from({ length }, () => random.integer(4));
    const [source, target] = [long(2500), long(1100)];
    const matrix = scores(source, target, 2501);
    const found = await one.alignmentScores(...pairOf(source, target));
    expect(same(found, matrix)).toBe(true);
    const shares = await one.alignmentTargets(...pairOf(source, target));
    expectShares(shares, matrix, { rows: [0, 1, 25, 26, 27, 700, 1100], columns: 2501, side: 2501 });
  });
});

describe("a list of pairs", () => {
  test("rows sum to 1, on any number of threads alike", async () => {
    const [set, left, right] = request(3, 90, 152);
    const shares = await one.alignmentTargets(set, left, right, { length: 152 });
    expect(shares.length).toBe(90 * 153 * 153);
    for (let row = 0; row < 90 * 153; row++) {
      const target = right[Math.floor(row / 153)];
      const inside = row % 153 <= set.offsets[target + 1] - set.offsets[target];
      const sum = shares.subarray(153 * row, 153 * (row + 1)).reduce((a, b) => a + b, 0);
      if (Math.abs(sum - (inside ? 1 : 0)) > 1e-6) expect.fail(`row ${row} sums to ${sum}`);
    }
    expect(same(await two.alignmentTargets(set, left, right, { length: 152 }), shares)).toBe(true);
  });

  test("the swapped pair has the transposed scores", async () => {
    const [set, left, right] = request(4, 20, 60);
    const there = await two.alignmentScores(set, left, right, { length: 60 });
    const back = await two.alignmentScores(set, right, left, { length: 60 });
    const transposed = there.map((_, at) => {
      const [i, j] = [Math.floor(at / 61) % 61, at % 61];
      return there[at + 60 * (j - i)];
    });
    expect(same(back, transposed)).toBe(true);
  });

  test("no pairs, and models of length 0", async () => {
    const none = new Uint32Array(0);
    const empty = packCodes([new Uint8Array(0)]);
    expect(await one.alignmentTargets(empty, none, none, { length: 9 })).toHaveLength(0);
    expect(await one.alignmentTargets(...pairOf(new Uint8Array(0), new Uint8Array(0)))).toEqual(
      Float32Array.of(1),
    );
  });

  test("an earlier result is overwritten", async () => {
    const first = request(5, 30, 40);
    const into = await two.alignmentTargets(...first, { length: 40 });
    const second = request(6, 30, 40);
    const found = await two.alignmentTargets(...second, { length: 40, into });
    expect(found).toBe(into);
    expect(same(found, await one.alignmentTargets(...second, { length: 40 }))).toBe(true);
    await expect(two.alignmentTargets(...first, { length: 39, into })).rejects.toThrow(UsageError);
    const unshared = new Float32Array(into.length);
    await expect(two.alignmentTargets(...first, { length: 40, into: unshared })).rejects.toThrow(
      "into: must be 50430 cells in shared memory",
    );
  });

  test("bad requests are usage errors", async () => {
    const set = packCodes([new Uint8Array(5), new Uint8Array(6)]);
    const [zero, last] = [Uint32Array.of(0), Uint32Array.of(1)];
    await expect(one.alignmentTargets(set, zero, last, { length: 5 })).rejects.toThrow(
      "sequence 1: must have at most 5 letters, got 6",
    );
    await expect(one.alignmentScores(set, last, zero, { length: 5 })).rejects.toThrow(UsageError);
    await expect(one.alignmentTargets(set, zero, Uint32Array.of(2), { length: 6 })).rejects.toThrow(
      "must be below 2, got 2",
    );
    await expect(one.alignmentTargets(set, zero, Uint32Array.of(), { length: 6 })).rejects.toThrow(
      UsageError,
    );
    for (const length of [-1, 1.5, 10_001]) {
      await expect(one.alignmentTargets(set, zero, zero, { length })).rejects.toThrow("length: must be");
    }
  });

  test("progress ends at the total", async () => {
    const seen: number[][] = [];
    const [set, left, right] = request(7, 50, 152);
    const progress = (...counts: number[]): void => void seen.push(counts);
    await two.alignmentTargets(set, left, right, { length: 152, progress });
    expect(seen.at(-1)).toEqual([50, 50]);
  });

  test("an aborted request rejects with the signal's reason and leaves the pool usable", async () => {
    const set = packCodes([new Uint8Array(100)]);
    const pairs = new Uint32Array(2000);
    const controller = new AbortController();
    const running = one.alignmentTargets(set, pairs, pairs, { length: 100, signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 5);
    await expect(running).rejects.toThrow("enough");
    const found = await one.alignmentScores(...pairOf(Uint8Array.of(1), Uint8Array.of(1)));
    expect(found).toEqual(Int16Array.of(0, -1, -1, 1));
  });
});
