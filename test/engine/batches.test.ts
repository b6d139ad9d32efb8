/** @file Batches: labels are exact, every sequence comes round, and a step's batch depends on nothing but the step. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { allPairsBatches, sampledPairBatches, type Batch } from "../../src/engine/batches.ts";
import { KernelOracle, MatrixOracle } from "../../src/engine/labels.ts";
import { UsageError } from "../../src/error.ts";
import { EditDistances, editDistance } from "../../src/kernel/index.ts";
import { condensedLength } from "../../src/sequence/condensed.ts";
import { collect, DNA, Random, simulate } from "../../src/sequence/index.ts";

const LENGTH = 24;
let sequences: Uint8Array[];
let kernel: EditDistances;

beforeAll(async () => {
  sequences = (await collect(simulate({ leaves: 10, length: 20 }).records(), { alphabet: DNA })).codes;
  kernel = await EditDistances.create({ threads: 1 });
});
afterAll(() => kernel.close());

const options = (batch: number) => ({
  sequences,
  alphabet: DNA,
  length: LENGTH,
  oracle: new KernelOracle(kernel, sequences),
  random: new Random(1),
  batch,
});

/** The sequences of a batch, from its tokens. */
const members = ({ tokens }: Batch): Uint8Array[] =>
  Array.from({ length: tokens.length / LENGTH }, (_, row) =>
    Uint8Array.from(tokens.subarray(row * LENGTH, (row + 1) * LENGTH)).filter((token) => token < DNA.size),
  );

const shares = (pairs: [Uint8Array, Uint8Array][]) =>
  Float32Array.from(pairs, ([a, b]) => editDistance(a, b) / LENGTH);

describe("all pairs of a batch", () => {
  // Batches of 4, 7 and 16 out of 10 span epochs, so that a sequence can come twice in one.
  test.each([
    [4, 0],
    [7, 0],
    [7, 3],
    [16, 4],
  ])("%i sequences, %i of them made up: labels are exact distances", async (batch, augmented) => {
    const source = allPairsBatches({ ...options(batch), augmented });
    for (let step = 1; step <= 12; step++) {
      const made = await source(step);
      const all = members(made);
      expect(all).toHaveLength(batch);
      expect(made.labels).toEqual(
        shares(all.flatMap((a) => all.map((b) => [a, b] as [Uint8Array, Uint8Array]))),
      );
    }
  });

  test("every sequence comes once an epoch", async () => {
    const source = allPairsBatches({ ...options(5), augmented: 0 });
    for (const first of [1, 3, 5]) {
      const epoch = [...members(await source(first)), ...members(await source(first + 1))];
      expect(epoch.map(String).sort()).toEqual(sequences.map(String).sort());
    }
  });

  test("a step's batch is the same whatever was asked before", async () => {
    const inOrder = allPairsBatches({ ...options(7), augmented: 3 });
    const expected: Batch[] = [];
    for (let step = 1; step <= 6; step++) expected.push(await inOrder(step));
    const resumed = allPairsBatches({ ...options(7), augmented: 3 });
    for (const step of [5, 2, 6, 2]) expect(await resumed(step)).toEqual(expected[step - 1]);
    expect(expected[1]).not.toEqual(expected[0]);
  });

  test("of one family are of one family, and every family comes once an epoch", async () => {
    const source = allPairsBatches({ ...options(5), augmented: 1, family: 4 });
    const families = [sequences.slice(0, 4), sequences.slice(4, 8), sequences.slice(8)].map((family) =>
      family.map(String).sort(),
    );
    for (const first of [1, 4]) {
      const seen = new Set<number>();
      for (let step = first; step < first + 3; step++) {
        const made = await source(step);
        const all = members(made);
        expect(all).toHaveLength(5);
        expect(made.labels).toEqual(
          shares(all.flatMap((a) => all.map((b) => [a, b] as [Uint8Array, Uint8Array]))),
        );
        const family = families.findIndex((each) => each.includes(String(all[0])));
        const real = all.slice(0, families[family].length).map(String);
        expect(real.sort()).toEqual(families[family]);
        seen.add(family);
      }
      expect(seen.size).toBe(3);
    }
  });

  test("batches may be asked for ahead", async () => {
    const expected = allPairsBatches({ ...options(7), augmented: 3 });
    const ahead = allPairsBatches({ ...options(7), augmented: 3 });
    const both = await Promise.all([ahead(1), ahead(2)]);
    expect(both).toEqual([await expected(1), await expected(2)]);
  });
});

describe("sampled pairs", () => {
  test("each sequence is first ten times an epoch, beside another one, with the exact label", async () => {
    const source = sampledPairBatches(options(20));
    const firsts = new Map<string, number>();
    for (let step = 1; step <= 10; step++) {
      const made = await source(step);
      const all = members(made);
      const pairs = Array.from({ length: 10 }, (_, i) => [all[i], all[i + 10]] as [Uint8Array, Uint8Array]);
      expect(made.labels).toEqual(shares(pairs));
      expect(Math.min(...made.labels)).toBeGreaterThan(0);
      for (const [first] of pairs) firsts.set(String(first), (firsts.get(String(first)) ?? 0) + 1);
    }
    const copies = (sequence: Uint8Array) =>
      sequences.filter((other) => String(other) === String(sequence)).length;
    for (const sequence of sequences) expect(firsts.get(String(sequence))).toBe(10 * copies(sequence));
  });

  test("within families leave none", async () => {
    const source = sampledPairBatches({ ...options(20), family: 4 });
    const families = sequences.map((sequence, i) => [String(sequence), Math.floor(i / 4)] as const);
    const of = (sequence: Uint8Array) =>
      families.flatMap(([text, family]) => (text === String(sequence) ? [family] : []));
    for (let step = 1; step <= 10; step++) {
      const all = members(await source(step));
      for (let i = 0; i < 10; i++) expect(of(all[i + 10])).toEqual(expect.arrayContaining(of(all[i])));
    }
  });

  test("of nothing but copies end all the same", async () => {
    const copies = [sequences[0], sequences[0], sequences[0]];
    const oracle = new KernelOracle(kernel, copies);
    const { labels } = await sampledPairBatches({ ...options(4), sequences: copies, oracle })(1);
    expect([...labels]).toEqual([0, 0]);
  });
});

describe("a matrix of the user's", () => {
  test("labels the pairs of a batch, and makes nothing up", async () => {
    const values = Float32Array.from({ length: condensedLength(10) }, (_, i) => i + 1);
    const oracle = new MatrixOracle(values, 10);
    const { labels } = await allPairsBatches({ ...options(10), oracle, augmented: 4 })(1);
    const above = [...labels].filter((_, at) => at % 10 > Math.floor(at / 10));
    expect(Float32Array.from(above).sort()).toEqual(values.map((value) => value / LENGTH));
    expect(await oracle.pairs(Uint32Array.of(0, 3), Uint32Array.of(1, 3))).toEqual(Float32Array.of(1, 0));
  });

  test("of another size is refused", () => {
    expect(() => new MatrixOracle(new Float32Array(9), 10)).toThrow(UsageError);
  });
});
