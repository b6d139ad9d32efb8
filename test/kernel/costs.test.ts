import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../src/error.ts";
import {
  checkCosts,
  EditDistances,
  editDistance,
  packCodes,
  parseCosts,
  type Costs,
} from "../../src/kernel/index.ts";
import { Random } from "../../src/sequence/random.ts";
import { oracle, relatives, sequence } from "./oracle.ts";

const CODES = 32;

/** A symmetric matrix of random costs up to `greatest`, zero on the diagonal. */
function randomCosts(seed: number, greatest: number, gap: number): Costs {
  const random = new Random(seed);
  const substitution = new Uint8Array(CODES * CODES);
  for (let a = 0; a < CODES; a++) {
    for (let b = 0; b < a; b++) {
      const cost = 1 + random.integer(greatest);
      substitution[CODES * a + b] = cost;
      substitution[CODES * b + a] = cost;
    }
  }
  return { substitution, gap };
}

function weighted(a: Uint8Array, b: Uint8Array, { substitution, gap }: Costs): number {
  return oracle(a, b, (x, y) => substitution[CODES * x + y], gap);
}

describe("weighted edit distance", () => {
  let distances: EditDistances;
  beforeAll(async () => {
    distances = await EditDistances.create({ threads: 2 });
  });
  afterAll(async () => {
    await distances.close();
  });

  test("one pair equals the oracle", () => {
    const costs = randomCosts(1, 30, 11);
    const pair = fc.oneof(fc.tuple(sequence(32), sequence(32)), relatives(32));
    fc.assert(
      fc.property(pair, fc.nat(2000), ([a, b], threshold) => {
        const exact = weighted(a, b, costs);
        expect(editDistance(a, b, { costs })).toBe(exact);
        expect(editDistance(b, a, { costs })).toBe(exact);
        expect(editDistance(a, b, { costs, threshold })).toBe(Math.min(exact, threshold + 1));
      }),
    );
  });

  test("costs of one are the plain edit distance", () => {
    const substitution = new Uint8Array(CODES * CODES).fill(1);
    for (let code = 0; code < CODES; code++) substitution[(CODES + 1) * code] = 0;
    fc.assert(
      fc.property(
        relatives(20),
        ([a, b]) => editDistance(a, b, { costs: { substitution, gap: 1 } }) === editDistance(a, b),
      ),
    );
  });

  test.each([
    ["16-bit lanes", 30, 9],
    ["32-bit lanes", 255, 60_000],
  ])("all pairs, cross and lists equal the oracle: %s", async (_, greatest, gap) => {
    const costs = randomCosts(2, greatest, gap);
    const random = new Random(3);
    const draw = (count: number): Uint8Array[] =>
      Array.from({ length: count }, () =>
        Uint8Array.from({ length: random.integer(40) }, () => random.integer(25)),
      );
    const [a, b] = [draw(37), draw(11)];
    const all = await distances.allPairs(packCodes(a), { costs });
    expect(Array.from(all)).toEqual(a.flatMap((x, i) => a.slice(i + 1).map((y) => weighted(x, y, costs))));
    const cross = await distances.cross(packCodes(a), packCodes(b), { costs, threshold: 150 });
    expect(Array.from(cross)).toEqual(a.flatMap((x) => b.map((y) => Math.min(151, weighted(x, y, costs)))));
    const left = Uint32Array.from({ length: 50 }, () => random.integer(37));
    const right = Uint32Array.from({ length: 50 }, () => random.integer(37));
    const list = await distances.pairs(packCodes(a), left, right, { costs });
    expect(Array.from(list)).toEqual(Array.from(left, (i, p) => weighted(a[i], a[right[p]], costs)));
  });

  test("costs must be symmetric and the gap positive", () => {
    const costs = randomCosts(4, 5, 2);
    expect(() => checkCosts({ ...costs, gap: 0 })).toThrow(
      "gap cost: must be an integer from 1 to 65535, got 0",
    );
    expect(() => checkCosts({ ...costs, substitution: new Uint8Array(400) })).toThrow(UsageError);
    const lopsided = Uint8Array.from(costs.substitution);
    lopsided[1]++;
    expect(() => checkCosts({ ...costs, substitution: lopsided })).toThrow("costs: must be symmetric");
  });
});

describe("matrix file", () => {
  const codeOf = (letter: string): number | undefined => {
    const code = "ACD".indexOf(letter);
    return code < 0 ? undefined : code;
  };
  const parse = (text: string): Costs => parseCosts(text, { file: "costs.txt", codeOf, gap: 7 });

  test("letters find their codes; unnamed ones cost the greatest", () => {
    const { substitution, gap } = parse("# made up\n   C  a  Z\nC  0  3  9\nA  3  0  4\n\nZ  9  4  0\n");
    expect(gap).toBe(7);
    expect([substitution[1], substitution[CODES]]).toEqual([3, 3]);
    expect(substitution[2]).toBe(9);
    expect(substitution[5 * CODES + 5]).toBe(0);
  });

  test.each([
    ["", "costs.txt: substitution matrix: must have a header"],
    ["A AB", "costs.txt, line 1: header: must name each letter once, got AB"],
    ["A C\nA 0 1\nC 2 0", "costs.txt, line 2: row A, column C: must equal its mirror image 2, got 1"],
    ["A C\nA 0 1", "must have a row for every column, got none for C"],
    ["A C\nA 0 1\nA 0 1", "costs.txt, line 3: row: must not come twice, got A"],
    ["A C\nA 0", "costs.txt, line 2: row A: must hold 2 numbers, got 1"],
    ["A C\nA 0 -1", "costs.txt, line 2: row A, column C: must be a cost, an integer from 0 to 255, got -1"],
    ["A C\nA 0 1\nD 1 0", "costs.txt, line 3: row: must be a letter of the header, got D"],
    ["A\nA 4", "costs.txt, line 2: row A: must cost 0 to keep, got 4"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(FormatError);
    expect(() => parse(text)).toThrow(message);
  });
});
