/** @file Greedy clusters in blocks are those of one sequence after the other, whatever finds the candidates. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EditDistances, packCodes } from "../../../src/kernel/index.ts";
import { findUniques } from "../../../src/sequence/index.ts";
import { reverseComplement } from "../../../src/sequence/reverse-complement.ts";
import { greedyClusters } from "../../../src/task/cluster/greedy.ts";
import { createLimit, type Threshold } from "../../../src/task/cluster/limit.ts";
import { ExactNeighbours } from "../../../src/task/cluster/neighbours.ts";
import { Seeds } from "../../../src/task/cluster/seeds.ts";

import { atEdits, atIdentity, familiesOf, greedyByDefinition, type FamilyOptions } from "./families.ts";

let kernel: EditDistances;
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 2 });
});
afterAll(() => kernel.close());

/** Centroid, edits and strand of every sequence. */
async function greedy(
  codes: readonly Uint8Array[],
  threshold: Threshold,
  { blockSize, bothStrands = false }: { blockSize?: number; bothStrands?: boolean } = {},
): Promise<number[][]> {
  const set = packCodes(bothStrands ? [...codes, ...codes.map(reverseComplement)] : codes);
  const comparison = { kernel, set, limit: createLimit(threshold) };
  const empty = () => new ExactNeighbours(comparison);
  const { centroid, edits, reversed } = await greedyClusters(comparison, {
    count: codes.length,
    neighbours: { ofAll: empty(), ofBlock: empty },
    reverse: bothStrands ? codes.length : undefined,
    blockSize,
  });
  return codes.map((_, i) => [centroid[i], edits[i], reversed[i]]);
}

const different = (options: FamilyOptions): Uint8Array[] => {
  const codes = familiesOf(options);
  return Array.from(findUniques(codes).representatives, (i) => codes[i]);
};

const REGIMES: [string, FamilyOptions][] = [
  ["reads", { families: 6, members: 20, length: 90, edits: 5, seed: 1 }],
  ["reads cut short", { families: 6, members: 20, length: 90, edits: 3, cut: 12, seed: 2 }],
  ["noisy reads", { families: 4, members: 25, length: 60, edits: 14, seed: 3 }],
  ["short sequences", { families: 8, members: 12, length: 9, edits: 3, seed: 4 }],
  ["proteins", { families: 6, members: 18, length: 70, edits: 9, alphabet: "protein", seed: 5 }],
];

describe.each(REGIMES)("%s", (_, options) => {
  test.each([0.99, 0.97, 0.9, 0.75, 0.5, 0])("at an identity of %d", async (identity) => {
    const codes = different(options);
    const expected = greedyByDefinition(codes, atIdentity(identity));
    for (const blockSize of [1, 7, 1000]) {
      expect(await greedy(codes, { identity }, { blockSize })).toEqual(expected);
    }
  });

  test.each([0, 1, 4, 12, 100])("at %d edits", async (edits) => {
    const codes = different(options);
    expect(await greedy(codes, { edits }, { blockSize: 16 })).toEqual(
      greedyByDefinition(codes, atEdits(edits)),
    );
  });
});

test.each([0.97, 0.9, 0.7])("both strands, at an identity of %d", async (identity) => {
  const codes = different({ families: 5, members: 16, length: 80, edits: 6, turned: true, seed: 6 });
  const expected = greedyByDefinition(codes, atIdentity(identity, true));
  expect(expected.some(([, , reversed]) => reversed === 1)).toBe(true);
  for (const blockSize of [5, 1000]) {
    expect(await greedy(codes, { identity }, { blockSize, bothStrands: true })).toEqual(expected);
  }
});

test("lengths of three letters to three thousand", async () => {
  const codes = [3, 12, 60, 400, 3000].flatMap((length, i) =>
    different({ families: 2, members: 6, length, edits: Math.ceil(length / 50), seed: 10 + i }),
  );
  expect(await greedy(codes, { identity: 0.97 }, { blockSize: 9 })).toEqual(
    greedyByDefinition(codes, atIdentity(0.97)),
  );
});

test("the empty sequence is within the limit of a short one by edits, and of none by identity", async () => {
  const codes = [[0, 1, 2], [], [0, 1]].map((sequence) => Uint8Array.from(sequence));
  expect(await greedy(codes, { edits: 3 })).toEqual([
    [0, 0, 0],
    [0, 3, 0],
    [0, 1, 0],
  ]);
  expect(await greedy(codes, { identity: 0.6 })).toEqual([
    [0, 0, 0],
    [1, 0, 0],
    [0, 1, 0],
  ]);
});

describe("seeds", () => {
  const found = (codes: readonly Uint8Array[], threshold: Threshold) => {
    const seeds = new Seeds(packCodes(codes), createLimit(threshold));
    codes.forEach((_, i) => seeds.add(i));
    return codes.map((_, i) => {
      const out: number[] = [];
      seeds.find(i, out);
      return out;
    });
  };

  test("lose no pair within the limit, and find each once", () => {
    for (let seed = 0; seed < 10; seed++) {
      const codes = familiesOf({ families: 3, members: 12, length: 64, edits: 6, cut: 4, seed });
      for (const edits of [0, 1, 3, 6, 11]) {
        found(codes, { edits }).forEach((candidates, i) => {
          expect(new Set(candidates).size).toBe(candidates.length);
          const near = nearOnes(codes, i, edits);
          expect(near.filter((j) => !candidates.includes(j))).toEqual([]);
        });
      }
    }
  });

  test("leave out nearly all that is unrelated", () => {
    const codes = familiesOf({ families: 120, members: 1, length: 150, edits: 0, seed: 1 });
    const pairs = found(codes, { identity: 0.97 }).reduce((sum, { length }) => sum + length, 0);
    expect(pairs).toBeLessThan(1.02 * codes.length);
  });

  test("are for pieces long enough to be rare", () => {
    const set = packCodes(familiesOf({ families: 40, members: 1, length: 150, edits: 0, seed: 1 }));
    const at = (identity: number) => new Seeds(set, createLimit({ identity }));
    expect(at(0.97).worthwhile(150)).toBe(true);
    expect(at(0.9).worthwhile(150)).toBe(true);
    expect(at(0.76).worthwhile(110)).toBe(false);
    expect(at(0).worthwhile(150)).toBe(false);
    expect(at(0.97).worthwhile(0)).toBe(false);
  });
});

/** Sequences within so many edits of sequence i, by definition. */
function nearOnes(codes: readonly Uint8Array[], i: number, edits: number): number[] {
  const pair = (j: number) => greedyByDefinition([codes[i], codes[j]], atEdits(edits))[1][0] === 0;
  return Array.from(codes.keys()).filter((j) => pair(j));
}
