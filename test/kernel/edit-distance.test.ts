import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EmbranchError, UsageError } from "../../src/error.ts";
import { EditDistances, editDistance, packCodes } from "../../src/kernel/index.ts";
import { condensedIndex } from "../../src/sequence/condensed.ts";
import { Random } from "../../src/sequence/random.ts";
import { oracle, relatives, sequence } from "./oracle.ts";

const codes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0) - 97);

let distances: EditDistances;
beforeAll(async () => {
  distances = await EditDistances.create({ threads: 2 });
});
afterAll(async () => {
  await distances.close();
});

/** `count` related sequences of about `length` symbols: mutated copies of a few ancestors. */
function family(seed: number, count: number, length: number, symbols = 4, spread = 0): Uint8Array[] {
  const random = new Random(seed);
  const draw = (n: number): number => random.integer(n);
  const ancestors = Array.from({ length: 3 }, () => Array.from({ length }, () => draw(symbols)));
  return Array.from({ length: count }, () => {
    const copy = [...ancestors[draw(3)]];
    for (let e = draw(Math.max(2, length >> 2)); e > 0; e--) {
      const kind = draw(3);
      if (kind === 0) copy.splice(draw(copy.length + 1), 0, draw(symbols));
      else if (kind === 1) copy.splice(draw(copy.length + 1), 1);
      else if (copy.length > 0) copy[draw(copy.length)] = draw(symbols);
    }
    return Uint8Array.from(copy.slice(0, copy.length - draw(spread + 1)));
  });
}

function oracleAllPairs(set: Uint8Array[]): number[] {
  return set.flatMap((a, i) => set.slice(i + 1).map((b) => oracle(a, b)));
}

describe("one pair", () => {
  test("known distances", () => {
    expect(editDistance(codes("kitten"), codes("sitting"))).toBe(3);
    expect(editDistance(codes("saturday"), codes("sunday"))).toBe(3);
    expect(editDistance(codes(""), codes("abc"))).toBe(3);
    expect(editDistance(codes(""), codes(""))).toBe(0);
  });

  test.each([2, 4, 15, 32])("equals the oracle, %i symbols", (symbols) => {
    const pair = fc.oneof(fc.tuple(sequence(symbols), sequence(symbols)), relatives(symbols, 300));
    fc.assert(
      fc.property(pair, ([a, b]) => editDistance(a, b) === oracle(a, b)),
      { numRuns: 300 },
    );
  });

  test("is a metric", () => {
    fc.assert(
      fc.property(relatives(4), sequence(4), ([a, b], c) => {
        expect(editDistance(a, a)).toBe(0);
        expect(editDistance(a, b)).toBe(editDistance(b, a));
        expect(editDistance(a, b) === 0).toBe(a.length === b.length && a.every((x, i) => x === b[i]));
        expect(editDistance(a, c)).toBeLessThanOrEqual(editDistance(a, b) + editDistance(b, c));
      }),
    );
  });

  test("above a threshold is threshold + 1", () => {
    const pair = fc.oneof(fc.tuple(sequence(4), sequence(4)), relatives(4, 300));
    fc.assert(
      fc.property(pair, fc.nat(150), ([a, b], threshold) => {
        expect(editDistance(a, b, { threshold })).toBe(Math.min(oracle(a, b), threshold + 1));
      }),
    );
  });

  test("tens of thousands of symbols", () => {
    const [a] = family(1, 1, 40_000);
    const b = Uint8Array.from([...a.slice(0, 10_000), 9, 9, 9, ...a.slice(10_010)]);
    expect(editDistance(a, b)).toBe(10);
    expect(editDistance(a, new Uint8Array(0))).toBe(a.length);
  });

  test("rejects codes above 31", () => {
    expect(() => editDistance(Uint8Array.of(32), Uint8Array.of(1))).toThrow(UsageError);
  });
});

describe("all pairs", () => {
  test.each([
    ["none", 0, 0, 4, 0],
    ["one", 1, 10, 4, 0],
    ["two", 2, 152, 4, 0],
    ["fewer than a vector", 40, 100, 4, 30],
    ["empty ones among them", 60, 8, 4, 12],
    ["more than two vectors", 280, 16, 4, 8],
    ["ambiguous codes", 140, 40, 15, 5],
    ["32 symbols", 140, 40, 32, 20],
    ["wildly different lengths", 140, 80, 4, 80],
  ])("equals the oracle: %s", async (_, count, length, symbols, spread) => {
    const set = family(count, count, length, symbols, spread);
    expect(Array.from(await distances.allPairs(packCodes(set)))).toEqual(oracleAllPairs(set));
  });

  test("equals the oracle on any set", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(sequence(4, 70), { minLength: 2, maxLength: 150, size: "max" }),
        async (set) => {
          expect(Array.from(await distances.allPairs(packCodes(set)))).toEqual(oracleAllPairs(set));
        },
      ),
      { numRuns: 15 },
    );
  });

  test("with a threshold", async () => {
    const set = family(7, 150, 60, 4, 20);
    const exact = oracleAllPairs(set);
    for (const threshold of [0, 1, 5, 20, 59, 1000]) {
      const found = await distances.allPairs(packCodes(set), { threshold });
      expect(Array.from(found)).toEqual(exact.map((d) => Math.min(d, threshold + 1)));
    }
  });

  test("sequences beyond 65,535 symbols give 32-bit distances", async () => {
    const long = new Uint8Array(70_000).fill(2);
    const found = await distances.allPairs(packCodes([long, Uint8Array.of(2), long.subarray(0, 69_990)]));
    expect(found).toBeInstanceOf(Uint32Array);
    expect(Array.from(found)).toEqual([69_999, 10, 69_989]);
  });
});

describe("one set against another", () => {
  test.each([
    [1, 1],
    [1, 300],
    [300, 1],
    [32, 256],
    [140, 135],
    [0, 5],
    [10, 11],
  ])("%i × %i equals the oracle", async (rows, columns) => {
    const a = family(rows, rows, 45, 4, 10);
    const b = family(columns + 1000, columns, 50, 5, 20);
    const found = await distances.cross(packCodes(a), packCodes(b));
    expect(Array.from(found)).toEqual(a.flatMap((x) => b.map((y) => oracle(x, y))));
  });

  test("one to many", async () => {
    const set = family(3, 200, 70, 4, 5);
    const found = await distances.oneToMany(set[17], packCodes(set), { threshold: 12 });
    expect(Array.from(found)).toEqual(set.map((b) => Math.min(13, oracle(set[17], b))));
  });
});

describe("a list of pairs", () => {
  test.each([
    [1, 4],
    [19, 4],
    [130, 4],
    [1000, 4],
    [1000, 5],
    [1000, 15],
    [1000, 32],
  ])("%i pairs of %i symbols, in the caller's order", async (count, symbols) => {
    const set = family(count + symbols, 80, 60, symbols, 40);
    const random = new Random(count);
    const draw = (): Uint32Array => Uint32Array.from({ length: count }, () => random.integer(80));
    const [left, right] = [draw(), draw()];
    const exact = Array.from(left, (i, p) => oracle(set[i], set[right[p]]));
    expect(Array.from(await distances.pairs(packCodes(set), left, right))).toEqual(exact);
    const near = await distances.pairs(packCodes(set), left, right, { threshold: 9 });
    expect(Array.from(near)).toEqual(exact.map((d) => Math.min(10, d)));
  });

  test("bad indices and lengths are usage errors", async () => {
    const set = packCodes([codes("acgt")]);
    await expect(distances.pairs(set, Uint32Array.of(0), Uint32Array.of(1))).rejects.toThrow(
      "must be below 1, got 1",
    );
    await expect(distances.pairs(set, Uint32Array.of(0), Uint32Array.of())).rejects.toThrow(UsageError);
    await expect(distances.allPairs(set, { threshold: -1 })).rejects.toThrow(UsageError);
  });
});

describe("the pool", () => {
  test("several requests at once", async () => {
    const sets = [30, 150, 260, 5, 128].map((count) => family(count, count, 40, 4, 5));
    const found = await Promise.all(sets.map((set) => distances.allPairs(packCodes(set))));
    for (const [i, set] of sets.entries()) {
      for (let a = 0; a < set.length; a += 7) {
        for (let b = a + 1; b < set.length; b += 5) {
          expect(found[i][condensedIndex(a, b, set.length)]).toBe(oracle(set[a], set[b]));
        }
      }
    }
  });

  test("progress ends at the total", async () => {
    const seen: [number, number][] = [];
    const progress = (done: number, total: number): void => void seen.push([done, total]);
    await distances.allPairs(packCodes(family(4, 1500, 150)), { progress });
    expect(seen.at(-1)).toEqual([1_124_250, 1_124_250]);
    expect(seen.every(([done], i) => i === 0 || done >= seen[i - 1][0])).toBe(true);
  });

  test("an aborted request rejects with the signal's reason and leaves the pool usable", async () => {
    const set = packCodes(family(5, 4000, 150));
    const controller = new AbortController();
    const running = distances.allPairs(set, { signal: controller.signal });
    setTimeout(() => controller.abort(new Error("enough")), 20);
    await expect(running).rejects.toThrow("enough");
    await expect(distances.allPairs(set, { signal: controller.signal })).rejects.toThrow("enough");
    expect(await distances.allPairs(packCodes([codes("abc"), codes("abd")]))).toEqual(Uint16Array.of(1));
  });

  test("a failing tile is an EmbranchError, and the next request runs", async () => {
    const bad = Array.from({ length: 200 }, () => Uint8Array.of(1, 40));
    await expect(distances.allPairs(packCodes(bad))).rejects.toThrow(EmbranchError);
    await expect(distances.allPairs(packCodes(bad))).rejects.toThrow("codes: must be below 32");
    expect(await distances.allPairs(packCodes([codes("abc"), codes("xbd")]))).toEqual(Uint16Array.of(2));
  });

  test("closing rejects what is still running and what comes after", async () => {
    const pool = await EditDistances.create({ threads: 1 });
    const running = pool.allPairs(packCodes(family(6, 3000, 150)));
    const outcome = expect(running).rejects.toThrow("worker pool: is closed");
    await pool.close();
    await outcome;
    await expect(pool.allPairs(packCodes([codes("a"), codes("b")]))).rejects.toThrow(EmbranchError);
  });

  test("threads must be a positive integer", async () => {
    await expect(EditDistances.create({ threads: 0 })).rejects.toThrow(
      "threads: must be a positive integer, got 0",
    );
  });
});
