/** @file Triples: neighbours are the nearest by exact distance, and an anchor's two others are nearer and farther. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Batch, BatchOptions } from "../../src/engine/batches.ts";
import { KernelOracle, MatrixOracle, type DistanceOracle } from "../../src/engine/labels.ts";
import { nearestNeighbours, tripleBatches, type TripleOptions } from "../../src/engine/triples.ts";
import { EditDistances, editDistance } from "../../src/kernel/index.ts";
import { condensedIndex, condensedLength } from "../../src/sequence/condensed.ts";
import { collect, DNA, Random, simulate, tokenBatch } from "../../src/sequence/index.ts";

const [COUNT, LENGTH] = [12, 24];
let sequences: Uint8Array[];
let kernel: EditDistances;

beforeAll(async () => {
  sequences = (await collect(simulate({ leaves: COUNT, length: 20 }).records(), { alphabet: DNA })).codes;
  kernel = await EditDistances.create({ threads: 1 });
});
afterAll(() => kernel.close());

const options = (over: Partial<BatchOptions> = {}): BatchOptions => ({
  sequences,
  alphabet: DNA,
  length: LENGTH,
  oracle: new KernelOracle(kernel, sequences),
  random: new Random(1),
  batch: 12,
  ...over,
});

type Distance = (i: number, j: number) => number;

/** Distances that a user supplies, and the same by pair, in the precision in which they are kept. */
function supplied(
  count: number,
  value: (at: number) => number,
): { oracle: MatrixOracle; distance: Distance } {
  const values = Float32Array.from({ length: condensedLength(count) }, (_, at) => value(at));
  return {
    oracle: new MatrixOracle(values, count),
    distance: (i, j) => (i === j ? 0 : values[condensedIndex(i, j, count)]),
  };
}

const edits: Distance = (i, j) => editDistance(sequences[i], sequences[j]);

/** Different numbers between 0 and 1, closer together than 1/count. */
const fractions = (): ((at: number) => number) => {
  const order = new Random(4).shuffle(Uint32Array.from({ length: condensedLength(COUNT) }, (_, i) => i));
  return (at) => (order[at] + 1) / 1000;
};

const others = (count: number, i: number) => [...Array(count).keys()].filter((j) => j !== i);

/** Rows of a flat array. */
const rowsOf = (values: Uint32Array, width: number) =>
  Array.from({ length: values.length / width }, (_, i) => [...values.subarray(i * width, (i + 1) * width)]);

/** Expects rows of different others, as far as the nearest are, the nearest first. */
function expectNearest(rows: number[][], count: number, width: number, distance: Distance): void {
  expect(rows).toHaveLength(count);
  rows.forEach((row, i) => {
    expect(row).not.toContain(i);
    expect(new Set(row).size).toBe(width);
    const nearest = others(count, i).map((j) => distance(i, j));
    expect(row.map((j) => distance(i, j))).toEqual(nearest.sort((a, b) => a - b).slice(0, width));
  });
}

describe("the nearest neighbours", () => {
  test.each([1, 4, COUNT - 1])("%i of each, by edit distance, the nearest first", async (width) => {
    const rows = rowsOf(await nearestNeighbours(options(), width), width);
    expectNearest(rows, COUNT, width, edits);
  });

  test.each([1, 4, COUNT - 1])("%i of each, by distances that are fractions", async (width) => {
    const { oracle, distance } = supplied(COUNT, fractions());
    const rows = rowsOf(await nearestNeighbours(options({ oracle }), width), width);
    expectNearest(rows, COUNT, width, distance);
  });

  test("by distances far above 1 and far apart", async () => {
    const next = fractions();
    const { oracle, distance } = supplied(COUNT, (at) => 10 ** (60 * next(at) - 2));
    expectNearest(rowsOf(await nearestNeighbours(options({ oracle }), 5), 5), COUNT, 5, distance);
  });

  test("of equal distances come in the order in which distances were asked for", async () => {
    const { oracle } = supplied(COUNT, () => 0.5);
    const asked: number[][] = [];
    const recording: DistanceOracle = {
      labelsNewSequences: false,
      pairs: (left, right) => oracle.pairs(left, right),
      among: (members) => {
        asked.push([...members]);
        return oracle.among(members);
      },
    };
    const rows = rowsOf(await nearestNeighbours(options({ oracle: recording }), 4), 4);
    expect(asked).toHaveLength(1);
    rows.forEach((row, i) => expect(row).toEqual(asked[0].filter((j) => j !== i).slice(0, 4)));
    expect(rowsOf(await nearestNeighbours(options({ oracle: recording }), 4), 4)).toEqual(rows);
  });

  test.each([2, 3])("of %i sequences come again where there are fewer than asked for", async (count) => {
    const { oracle, distance } = supplied(count, (at) => 0.25 * (at + 1));
    const few = options({ sequences: sequences.slice(0, count), oracle });
    const rows = rowsOf(await nearestNeighbours(few, 5), 5);
    rows.forEach((row, i) => {
      const nearest = others(count, i).sort((a, b) => distance(i, a) - distance(i, b));
      expect(row).toEqual(Array.from({ length: 5 }, (_, k) => nearest[k % nearest.length]));
    });
  });

  test("of a large set are the nearest of a random half of it", async () => {
    // Of a hundred families, whose members are near each other.
    const [count, families] = [8194, 100];
    const asked: Uint32Array[] = [];
    const oracle: DistanceOracle = {
      labelsNewSequences: false,
      pairs: () => Promise.reject(new Error("not asked for")),
      among: async (members) => {
        asked.push(members.slice());
        const out = new Float64Array(condensedLength(members.length)).fill(9);
        for (let i = 0, at = 0; i < members.length; i++) {
          for (let j = i + 1; j < members.length; j++, at++) {
            if (members[i] % families === members[j] % families) out[at] = 1;
          }
        }
        return out;
      },
    };
    const many = Array.from({ length: count }, () => sequences[0]);
    const neighbours = await nearestNeighbours(options({ sequences: many, oracle }), 1);
    expect(asked.map(({ length }) => length)).toEqual([count / 2, count / 2]);
    expect([...asked[0], ...asked[1]].sort((a, b) => a - b)).toEqual([...many.keys()]);
    for (const block of asked.map((members) => new Set(members))) {
      const wrong = [...block].filter((i) => {
        const j = neighbours[i];
        return j === i || !block.has(j) || i % families !== j % families;
      });
      expect(wrong).toEqual([]);
    }
  });
});

/** Which training sequences a batch is of: anchors, nearer, farther. */
function parts({ members }: Batch): [anchors: number[], nearer: number[], farther: number[]] {
  const indices = members.map((codes) => sequences.indexOf(codes));
  const third = indices.length / 3;
  return [indices.slice(0, third), indices.slice(third, 2 * third), indices.slice(2 * third)];
}

/** Expects a batch's labels and tokens to be those of its members, and the nearer ones to be nearer. */
function expectTriples(made: Batch, distance: Distance): void {
  const [anchors, nearer, farther] = parts(made);
  const between = (left: number[], right: number[]) =>
    left.map((i, at) => Math.fround(distance(i, right[at]) / LENGTH));
  const [near, far] = [between(anchors, nearer), between(anchors, farther)];
  expect([...made.labels]).toEqual([...near, ...far, ...between(nearer, farther)]);
  near.forEach((label, i) => expect(label).toBeLessThan(far[i]));
  expect(Math.min(...near)).toBeGreaterThan(0);
  expect([...made.tokens]).toEqual([...tokenBatch(made.members, DNA, LENGTH)]);
}

describe("triples", () => {
  // Batches of 4, 5 and 15 anchors out of 12 span epochs.
  test.each([12, 15, 45])("%i sequences: labels are exact, the nearer is nearer", async (batch) => {
    const source = tripleBatches(options({ batch }));
    for (let step = 1; step <= 8; step++) {
      const made = await source(step);
      expect(made.members).toHaveLength(batch);
      expectTriples(made, edits);
    }
  });

  test("of a matrix of fractions", async () => {
    const { oracle, distance } = supplied(COUNT, fractions());
    const source = tripleBatches(options({ batch: 15, oracle }));
    for (let step = 1; step <= 8; step++) expectTriples(await source(step), distance);
  });

  test("every sequence is an anchor once an epoch", async () => {
    const source = tripleBatches(options({ batch: 12 }));
    for (const first of [1, 4, 7]) {
      const epoch: number[] = [];
      for (let step = first; step < first + 3; step++) epoch.push(...parts(await source(step))[0]);
      expect(epoch.sort((a, b) => a - b)).toEqual([...sequences.keys()]);
    }
  });

  test("others are all sequences, in the long run", async () => {
    const source = tripleBatches(options({ batch: 45 }));
    const [nearer, farther] = [new Set<number>(), new Set<number>()];
    for (let step = 1; step <= 20; step++) {
      const [, near, far] = parts(await source(step));
      near.forEach((i) => nearer.add(i));
      far.forEach((i) => farther.add(i));
    }
    expect([nearer.size, farther.size]).toEqual([COUNT, COUNT]);
  });

  test("others are neighbours of the anchor, where these are given", async () => {
    const width = 4;
    // By distances of which no two are equal, that two neighbours always differ.
    const { oracle, distance } = supplied(COUNT, fractions());
    const neighbours = await nearestNeighbours(options({ oracle }), width);
    const rows = rowsOf(neighbours, width);
    const given: TripleOptions = { ...options({ batch: 15, oracle }), neighbours };
    const source = tripleBatches(given);
    const seen = rows.map(() => new Set<number>());
    for (let step = 1; step <= 40; step++) {
      const made = await source(step);
      expectTriples(made, distance);
      const [anchors, nearer, farther] = parts(made);
      anchors.forEach((i, at) => seen[i].add(nearer[at]).add(farther[at]));
    }
    const sorted = (values: Iterable<number>) => [...values].sort((a, b) => a - b);
    expect(seen.map(sorted)).toEqual(rows.map(sorted));
  });

  test("a step's batch is the same whatever was asked before, and another than the last", async () => {
    const inOrder = tripleBatches(options({ batch: 15 }));
    const expected: Batch[] = [];
    for (let step = 1; step <= 6; step++) expected.push(await inOrder(step));
    const resumed = tripleBatches(options({ batch: 15 }));
    for (const step of [5, 2, 6, 2]) expect(await resumed(step)).toEqual(expected[step - 1]);
    const ahead = tripleBatches(options({ batch: 15 }));
    expect(await Promise.all([ahead(1), ahead(2)])).toEqual(expected.slice(0, 2));
    expect(expected[1].labels).not.toEqual(expected[0].labels);
  });

  test("end all the same where no two others differ, or all are copies", async () => {
    const { oracle: even } = supplied(COUNT, () => 6);
    const { labels } = await tripleBatches(options({ oracle: even }))(1);
    // Both others are at 6 edits, or the anchor itself.
    for (const label of labels) expect([0, 6 / LENGTH]).toContain(label);
    const copies = sequences.map(() => sequences[0]);
    const oracle = new KernelOracle(kernel, copies);
    const made = await tripleBatches(options({ sequences: copies, oracle }))(1);
    expect([...made.labels]).toEqual(Array(12).fill(0));
  });
});
