import { createReadStream, existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Diverged } from "../../../src/engine/diverged.ts";
import { MatrixOracle, type DistanceOracle } from "../../../src/engine/labels.ts";
import { Interrupted } from "../../../src/engine/training.ts";
import { UsageError } from "../../../src/error.ts";
import { EditDistances, editDistance, packCodes } from "../../../src/kernel/index.ts";
import { linkage } from "../../../src/kernel/linkage.ts";
import { condensedIndex, condensedLength } from "../../../src/sequence/condensed.ts";
import { collect, DNA, Random, readSequences, type SequenceSet } from "../../../src/sequence/index.ts";
import { linkageTree } from "../../../src/task/tree/compact-tree.ts";
import { dasguptaCost } from "../../../src/task/tree/dasgupta.ts";
import {
  drawTriples,
  labelTriples,
  sampledDasguptaCost,
  tripleCount,
} from "../../../src/task/tree/labelled-triples.ts";
import { relaxedDasgupta, type RelaxedOptions } from "../../../src/task/tree/relaxed.ts";
import "../../support/allclose.ts";

const LENGTH = 48;

function setOf(codes: Uint8Array[]): SequenceSet {
  const maxLength = Math.max(0, ...codes.map(({ length }) => length));
  return {
    ids: codes.map((_, i) => `s${i}`),
    codes,
    alphabet: DNA,
    ambiguous: { records: 0, letters: 0 },
    maxLength,
  };
}

/** 2^levels sequences of a balanced tree, `changes` substitutions along each branch. */
function family(levels: number, changes: number, seed = 1): SequenceSet {
  const random = new Random(seed);
  let codes = [Uint8Array.from({ length: LENGTH }, () => random.integer(4))];
  for (let level = 0; level < levels; level++) {
    codes = codes.flatMap((parent) =>
      [0, 1].map(() => {
        const child = parent.slice();
        for (let k = 0; k < changes; k++) child[random.integer(LENGTH)] = random.integer(4);
        return child;
      }),
    );
  }
  return setOf(codes);
}

function exactDistances({ codes }: SequenceSet): Uint16Array {
  const out = new Uint16Array(condensedLength(codes.length));
  for (let i = 0; i < codes.length; i++) {
    for (let j = i + 1; j < codes.length; j++)
      out[condensedIndex(i, j, codes.length)] = editDistance(codes[i], codes[j]);
  }
  return out;
}

const plants = family(5, 8);
const distances = exactDistances(plants);
const oracle = new MatrixOracle(distances, plants.codes.length);
const quick: RelaxedOptions = { threads: 1, oracle, steps: 60, settings: { evaluateEvery: 20, batch: 64 } };

describe("random triples", () => {
  test("are pairs without replacement, each with a third of its own", () => {
    const triples = drawTriples(9, 36, new Random(1));
    const pairs = new Set<string>();
    for (let at = 0; at < triples.length; at += 3) {
      const [a, b, c] = triples.subarray(at, at + 3);
      expect(new Set([a, b, c]).size).toBe(3);
      expect(Math.max(a, b, c)).toBeLessThan(9);
      pairs.add(`${a},${b}`);
    }
    expect(pairs.size).toBe(36);
  });

  test("take every pair again when there are more triples than pairs", () => {
    const triples = drawTriples(4, 15, new Random(1));
    const counts = new Map<string, number>();
    for (let at = 0; at < triples.length; at += 3) {
      const key = triples.subarray(at, at + 2).join();
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    expect([...counts.values()].sort()).toEqual([2, 2, 2, 3, 3, 3]);
  });

  test("are every triple once, if all are wanted", () => {
    const triples = drawTriples(6, "all", new Random(1));
    expect(triples).toHaveLength(3 * tripleCount(6));
    expect(
      new Set(Array.from({ length: 20 }, (_, i) => triples.subarray(3 * i, 3 * i + 3).join())).size,
    ).toBe(20);
  });

  test("are labelled with one distance a pair", async () => {
    let asked = 0;
    const counting: DistanceOracle = {
      labelsNewSequences: false,
      among: () => Promise.reject(new Error("not asked for")),
      pairs: (left, right) => {
        asked += left.length;
        return oracle.pairs(left, right);
      },
    };
    const triples = Uint32Array.of(0, 1, 2, 2, 1, 3, 5, 0, 1);
    const labels = await labelTriples(triples, plants.codes.length, counting);
    const d = (i: number, j: number) => distances[condensedIndex(i, j, plants.codes.length)];
    expect([...labels.distances]).toEqual([d(0, 1), d(0, 2), d(1, 2), d(2, 1), d(2, 3), d(1, 3), d(5, 0), d(5, 1), d(0, 1)]); // prettier-ignore
    expect([labels.pairs, asked]).toEqual([7, 7]);
  });

  test("refuse a number that is none or too many", () => {
    expect(() => drawTriples(9, 0, new Random(1))).toThrow("triples: must be 1 to 33554432, got 0");
    expect(() => drawTriples(1000, "all", new Random(1))).toThrow(UsageError);
    expect(() => drawTriples(100_000, 10, new Random(1))).toThrow("sequences: must be at most 92682");
  });
});

describe("Dasgupta's cost by triples", () => {
  const similarity = (pairs: ArrayLike<number>) => Float32Array.from(pairs, (d) => 1 - d / LENGTH);

  test("is the cost when they are all there are", async () => {
    const tree = linkageTree(await linkage(distances));
    const triples = drawTriples(32, "all", new Random(1));
    const labels = await labelTriples(triples, 32, oracle);
    const expected = dasguptaCost(tree, distances, LENGTH);
    expect(sampledDasguptaCost(tree, triples, similarity(labels.distances))).toBeAllclose(expected, {
      rtol: 1e-6,
    });
  });

  test("is near it when they are some", async () => {
    const tree = linkageTree(await linkage(distances, { method: "complete" }));
    const triples = drawTriples(32, 2000, new Random(2));
    const labels = await labelTriples(triples, 32, oracle);
    const expected = dasguptaCost(tree, distances, LENGTH);
    expect(sampledDasguptaCost(tree, triples, similarity(labels.distances))).toBeAllclose(expected, {
      rtol: 0.01,
    });
  });

  test("spares no pair where three leaves come together at once", () => {
    const tree = { leaves: 3, parent: Int32Array.of(3, 3, 3, -1), length: new Float64Array(4) };
    expect(sampledDasguptaCost(tree, Uint32Array.of(0, 1, 2), Float32Array.of(0.5, 0.25, 1))).toBe(3 * 1.75);
  });
});

describe("relaxed clustering", async () => {
  const average = dasguptaCost(linkageTree(await linkage(distances)), distances, LENGTH);
  const above = (cost: number) => (100 * (cost - average)) / average;

  for (const [model, steps, percent] of [
    ["linear", 100, 3],
    ["mlp", 60, 3],
    ["cnn", 40, 3],
    ["embeddings", 60, 1],
  ] as const) {
    test(`with ${model} comes near average linkage`, async () => {
      const triples = model === "embeddings" ? "all" : 400;
      const settings = { evaluateEvery: 20, batch: model === "embeddings" ? 1024 : 64 };
      const result = await relaxedDasgupta(plants, { ...quick, steps, model, triples, settings });
      expect(above(dasguptaCost(result.tree, distances, LENGTH))).toBeLessThan(percent);
      expect(result.points).toHaveLength(320);
      expect(result.history.every(({ loss }) => Number.isFinite(loss))).toBe(true);
    });
  }

  test("keeps the best tree, at the norm that its points have", async () => {
    const result = await relaxedDasgupta(plants, { ...quick, triples: 32, rank: 2, decoding: "single" });
    expect(result.cost).toBe(Math.min(...result.history.map(({ cost }) => cost)));
    expect(result.bestStep).toBe(result.history.find(({ cost }) => cost === result.cost)?.step);
    for (let i = 0; i < 32; i++)
      expect(Math.hypot(...result.points.subarray(2 * i, 2 * i + 2))).toBeCloseTo(result.radius, 5);
    expect(result.triples).toBe(32);
    expect(result.distances).toBeLessThanOrEqual(3 * (32 + 100));
  });

  test("follows from its seed", async () => {
    const run = (seed: number) => relaxedDasgupta(plants, { ...quick, seed });
    const [first, again, other] = [await run(1), await run(1), await run(2)];
    expect(again.points).toEqual(first.points);
    expect(again.linkage).toEqual(first.linkage);
    expect(other.points).not.toEqual(first.points);
  });

  test("takes the papers' procedure and stops early", async () => {
    const settings = { patience: 2 };
    const { steps, history } = await relaxedDasgupta(plants, {
      threads: 1,
      oracle,
      recipe: "paper",
      settings,
    });
    expect(history.length).toBeGreaterThan(2);
    expect(steps).toBe(history[history.length - 1].step);
    expect(steps).toBeLessThan(400);
  });

  test("ends with the clock, with a tree", async () => {
    const { tree, steps } = await relaxedDasgupta(plants, { threads: 1, oracle, minutes: 1e-4 });
    expect(steps).toBeGreaterThanOrEqual(1);
    expect(tree.leaves).toBe(32);
  });

  test("computes edit distances itself", async () => {
    const { cost, length } = await relaxedDasgupta(plants, { ...quick, oracle: undefined });
    const same = await relaxedDasgupta(plants, quick);
    expect([cost, length]).toEqual([same.cost, LENGTH]);
  });

  test("has one tree for fewer than three sequences", async () => {
    const [a, b] = plants.codes;
    const one = await relaxedDasgupta(setOf([a]), { threads: 1 });
    expect([one.tree.leaves, one.cost, one.steps, one.distances]).toEqual([1, 0, 0, 0]);
    const two = await relaxedDasgupta(setOf([a, b]), { threads: 1 });
    expect([...two.tree.parent]).toEqual([2, 2, -1]);
    expect(two.cost).toBeAllclose(2 * (1 - editDistance(a, b) / LENGTH));
  });

  test("puts the nearest two of three together", async () => {
    const [a, b] = plants.codes;
    const far = plants.codes[31];
    for (const decoding of ["single", "average"] as const) {
      const { tree } = await relaxedDasgupta(setOf([a, far, b]), { threads: 1, steps: 60, decoding });
      expect([...tree.parent]).toEqual([3, 4, 3, 4, -1]);
    }
  });

  test("puts equal sequences at one place", async () => {
    const [a] = plants.codes;
    for (const model of ["embeddings", "linear"] as const) {
      const equal = await relaxedDasgupta(setOf([a, a, a, a]), { threads: 1, steps: 5, model });
      expect([...equal.linkage.heights]).toEqual([0, 0, 0]);
      const pairs = await relaxedDasgupta(setOf([a, plants.codes[31], a]), { threads: 1, steps: 20, model });
      expect([...pairs.tree.parent]).toEqual([3, 4, 3, 4, -1]);
    }
  });

  test("takes distances that are all equal, and similarities of 0", async () => {
    const flat = new MatrixOracle(new Float32Array(distances.length).fill(LENGTH), 32);
    const { cost, tree } = await relaxedDasgupta(plants, { ...quick, oracle: flat });
    expect([cost, tree.leaves]).toEqual([0, 32]);
  });

  test("takes distances longer than the sequences as the length", async () => {
    const long = new MatrixOracle(distances.map((d) => 10 * d), 32); // prettier-ignore
    const { length } = await relaxedDasgupta(plants, { ...quick, oracle: long, triples: "all" });
    expect(length).toBe(10 * Math.max(...distances));
  });

  test("stops where a label is no number", async () => {
    const broken = new MatrixOracle(new Float32Array(distances.length).fill(NaN), 32);
    const run = relaxedDasgupta(plants, { ...quick, oracle: broken });
    await expect(run).rejects.toThrow(Diverged);
    await expect(run).rejects.toThrow("loss must be finite, got NaN at step 1");
  });

  test("stops when it is told to", async () => {
    const controller = new AbortController();
    const { signal } = controller;
    const onProgress = ({ step }: { step: number }) => step === 5 && controller.abort();
    await expect(relaxedDasgupta(plants, { ...quick, signal, onProgress })).rejects.toThrow(Interrupted);
  });

  test("refuses options that make no model", async () => {
    const refuse = (options: RelaxedOptions) =>
      expect(relaxedDasgupta(plants, { ...quick, ...options })).rejects;
    await refuse({ rank: 1 }).toThrow("rank: must be a whole number of at least 2, got 1");
    await refuse({ validation: 0 }).toThrow("validation: must be a positive number of triples, got 0");
    await refuse({ triples: 0 }).toThrow("triples: must be 1 to 33554432, got 0");
    await refuse({ model: { name: "cnn", dropout: 0.5 } }).toThrow("dropout: must be 0");
    await expect(relaxedDasgupta(setOf([]))).rejects.toThrow("sequences: must be at least 1, got 0");
  });
});

const reads = join(process.env.EMBRANCH_DATA ?? "../shared/data", "16s-v4/study550_train.fasta.gz");

describe.skipIf(!existsSync(reads))("on 16S reads", () => {
  test("N triples do for a tree within 1 % of average linkage of all distances", async () => {
    const all = await collect(readSequences(createReadStream(reads)));
    const codes = all.codes.slice(0, 300);
    const set = { ...setOf(codes), ids: all.ids.slice(0, 300) };
    const kernel = await EditDistances.create({ threads: 2 });
    const exact = await kernel.allPairs(packCodes(codes));
    await kernel.close();
    const average = dasguptaCost(linkageTree(await linkage(exact)), exact, set.maxLength);
    const result = await relaxedDasgupta(set, { triples: 300, steps: 200, threads: 2 });
    const cost = dasguptaCost(result.tree, exact, set.maxLength);
    expect((100 * (cost - average)) / average).toBeLessThan(1);
    expect(result.distances).toBeLessThan(0.045 * condensedLength(300));
  }, 30_000);
});
