/** @file Clusters by every method, held against what each of them promises. */

import { createReadStream } from "node:fs";
import { describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../../src/error.ts";
import { editDistance, EditDistances, packCodes } from "../../../src/kernel/index.ts";
import { linkage } from "../../../src/kernel/linkage.ts";
import { collect, readSequences } from "../../../src/sequence/index.ts";
import { adjustedRand, majorityAccuracy, recoveredClusters } from "../../../src/task/cluster/agreement.ts";
import { cluster, CLUSTER_METHODS } from "../../../src/task/cluster/cluster.ts";
import { EmbeddedNeighbours } from "../../../src/task/cluster/embedded-neighbours.ts";
import { greedyClusters } from "../../../src/task/cluster/greedy.ts";
import { createLimit } from "../../../src/task/cluster/limit.ts";
import { checkCentroids } from "../../../src/task/cluster/misses.ts";
import { ExactNeighbours } from "../../../src/task/cluster/neighbours.ts";
import { processingOrder } from "../../../src/task/cluster/processing-order.ts";
import { embedCodes } from "../../../src/task/embed.ts";
import { linkedGroups } from "../../../src/task/linked-groups.ts";
import { dataPath, hasData } from "../../sequence/files.ts";
import { untrainedModel } from "../models.ts";
import { familiesOf, partsOf, setOf } from "./families.ts";

const threads = 1;
const identityOf = (a: Uint8Array, b: Uint8Array) => 1 - editDistance(a, b) / Math.max(1, a.length, b.length);
const textOf = (text: string) => Uint8Array.from(text, (letter) => "ACGT".indexOf(letter));

const families = setOf(familiesOf({ families: 9, members: 14, length: 80, edits: 6, cut: 6, seed: 3 }));
/** [sequences][sequences] Edit distances of the families. */
const apart = families.codes.map((a) => families.codes.map((b) => editDistance(a, b)));
const longerOf = (i: number, j: number) => Math.max(families.codes[i].length, families.codes[j].length);

describe("greedy clusters", () => {
  test("copies are one sequence, of as many reads as all of them", async () => {
    const [a, b] = [textOf("ACGTACGTAC"), textOf("ACGTACGTAT")];
    const ids = ["x;size=2", "y", "z;size=3;", "w;size=4"];
    const made = await cluster(setOf([a, b, a, b], "dna", ids), { identity: 0.9, threads });
    // Both stand for five reads: the one whose first copy comes first by name is the centroid.
    expect(made.representatives).toEqual(Uint32Array.of(3));
    expect(made).toMatchObject({ uniques: 2, sizes: Float64Array.of(2, 1, 3, 4) });
    expect([...made.abundances]).toEqual([10]);
    expect([...made.clusters]).toEqual([0, 0, 0, 0]);
    expect([...made.edits]).toEqual([1, 0, 1, 0]);
    expect([...made.order]).toEqual([3, 1, 2, 0]);
  });

  test.each([
    ["size", ["b", "a", "c"]],
    ["length", ["c", "b", "a"]],
    ["none", ["a", "b", "c"]],
  ] as const)("by %s", async (sorting, names) => {
    const codes = ["AAAA", "CCCC", "GGGGG"].map(textOf);
    const set = setOf(codes, "dna", ["a", "b;size=2", "c"]);
    const made = await cluster(set, { identity: 0.9, sorting, threads });
    expect(Array.from(made.representatives, (i) => set.ids[i][0])).toEqual(names);
  });

  test("do not depend on the order of the file, the threads, or how often it is done", async () => {
    const made = await cluster(families, { identity: 0.93, threads });
    const turned = setOf(families.codes.toReversed(), "dna", families.ids.toReversed());
    const again = await cluster(turned, { identity: 0.93, threads: 2 });
    expect([...again.clusters].reverse()).toEqual([...made.clusters]);
    expect([...again.edits].reverse()).toEqual([...made.edits]);
    expect(made.representatives.length).toBeGreaterThan(9);
  });

  test("an identity of 1 keeps copies alone together, one of 0 everything", async () => {
    const codes = ["ACGT", "ACGA", "ACGT", "C"].map(textOf);
    const at = async (identity: number) => partsOf(await cluster(setOf(codes), { identity, threads }));
    expect(await at(1)).toEqual([[0, 2], [1], [3]]);
    expect(await at(0)).toEqual([[0, 1, 2, 3]]);
  });

  test("of one sequence, and of copies of one", async () => {
    for (const count of [1, 5]) {
      const codes = Array.from({ length: count }, () => textOf("ACGT"));
      for (const method of CLUSTER_METHODS) {
        const made = await cluster(setOf(codes), { identity: 0.97, method, threads });
        expect(partsOf(made)).toEqual([Array.from(codes.keys())]);
        expect([...made.abundances]).toEqual([count]);
      }
    }
  });
});

describe.each(CLUSTER_METHODS)("%s clusters", (method) => {
  test.each([{ identity: 0.95 }, { identity: 0.85 }, { edits: 4 }])("keep the limit %o", async (limit) => {
    const made = await cluster(families, { ...limit, method, threads });
    const distance = (i: number, j: number) =>
      limit.edits === undefined ? apart[i][j] / longerOf(i, j) : apart[i][j];
    const greatest = limit.edits ?? 1 - limit.identity;
    const within = (i: number, j: number) => distance(i, j) <= greatest + 1e-9;
    const parts = partsOf(made);
    expect(parts.length).toBeGreaterThan(4);
    expect(parts.length).toBeLessThan(families.ids.length);
    families.ids.forEach((_, i) => {
      const representative = made.representatives[made.clusters[i]];
      expect(made.edits[i]).toBe(apart[i][representative]);
      if (method === "greedy" || method === "complete") expect(within(i, representative)).toBe(true);
    });
    const pairs = parts.flatMap((part, p) => parts.slice(p + 1).map((other) => [part, other]));
    const between = ([a, b]: number[][]) => a.flatMap((i) => b.map((j) => [i, j]));
    if (method === "single") {
      expect(pairs.flatMap(between).filter(([i, j]) => within(i, j))).toEqual([]);
    }
    if (method === "complete") {
      for (const part of parts) expect(part.every((i) => part.every((j) => within(i, j)))).toBe(true);
      // No two could be one.
      expect(pairs.filter((pair) => between(pair).every(([i, j]) => within(i, j)))).toEqual([]);
    }
    if (method === "average") {
      const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
      for (const pair of pairs) {
        expect(mean(between(pair).map(([i, j]) => distance(i, j)))).toBeGreaterThan(greatest);
      }
      for (const part of parts.filter(({ length }) => length > 5)) {
        const distances = part.flatMap((i, at) => part.slice(at + 1).map((j) => distance(i, j)));
        const { heights } = await linkage(Float32Array.from(distances), { method: "average" });
        expect(heights.at(-1)).toBeLessThanOrEqual(greatest + 1e-6);
      }
    }
  });
});

test("single linkage has the groups of a split", async () => {
  const made = await cluster(families, { identity: 0.93, method: "single", threads });
  const groups = await linkedGroups(families.codes, 0.93, { threads });
  expect(partsOf(made)).toEqual(partsOf({ clusters: groups }));
});

describe("with a model", () => {
  const families = setOf(familiesOf({ families: 4, members: 45, length: 80, edits: 12, cut: 6, seed: 3 }));

  test.each(["greedy", "single", "complete"] as const)(
    "%s: every membership holds, and misses are measured",
    async (method) => {
      const model = await untrainedModel({ length: 100 });
      try {
        const options = { identity: 0.93, method, threads };
        const made = await cluster(families, { ...options, model, candidates: 2, seed: 2 });
        const exact = await cluster(families, options);
        const { codes } = families;
        codes.forEach((sequence, i) => {
          if (method === "single") return;
          const representative = made.representatives[made.clusters[i]];
          expect(identityOf(sequence, codes[representative])).toBeGreaterThanOrEqual(0.93 - 1e-9);
        });
        expect(exact.recall).toBeUndefined();
        expect(made.recall).toMatchObject({ queries: made.uniques });
        // So few sequences are one block, which greedy clustering compares exactly.
        if (method === "greedy") expect(partsOf(made)).toEqual(partsOf(exact));
        else expect(made.recall!.recall).toBeLessThan(1);
        const whole = await cluster(families, { ...options, model, candidates: families.ids.length });
        expect(whole.recall!.recall).toBe(1);
        expect(partsOf(whole)).toEqual(partsOf(exact));
      } finally {
        await model.close();
      }
    },
  );

  test("greedy: centroids of earlier blocks that are not among the nearest points are missed", async () => {
    const model = await untrainedModel({ length: 100 });
    const kernel = await EditDistances.create({ threads });
    try {
      const { copies } = processingOrder(families, new Float64Array(families.ids.length).fill(1));
      const codes = copies.map(([first]) => families.codes[first]);
      const comparison = { kernel, set: packCodes(codes), limit: createLimit({ identity: 0.9 }) };
      const points = await embedCodes(model, codes);
      const shares = [];
      for (const candidates of [1, 8, codes.length]) {
        const assigned = await greedyClusters(comparison, {
          count: codes.length,
          neighbours: {
            ofAll: new EmbeddedNeighbours(comparison, model, points, { candidates }),
            ofBlock: () => new ExactNeighbours(comparison),
          },
          blockSize: 8,
        });
        const sample = codes.map((_, i) => i);
        shares.push((await checkCentroids(comparison, assigned, { sample }))!.recall);
      }
      expect(shares[0]).toBeLessThan(shares[1]);
      expect(shares[2]).toBe(1);
    } finally {
      await kernel.close();
      await model.close();
    }
  });

  test("of a space without an index", async () => {
    const model = await untrainedModel({ length: 100, geometry: "manhattan" });
    await expect(cluster(families, { edits: 3, model, threads })).rejects.toThrow(
      /models of other spaces than manhattan/,
    );
    await model.close();
  });
});

describe("refused", () => {
  const one = setOf([textOf("ACGT")]);
  test.each([
    [{}, /threshold: must be an identity or a number of edits/],
    [{ identity: 0.9, edits: 1 }, /threshold: must be/],
    [{ identity: 1.1 }, /identity: must be from 0 to 1, got 1.1/],
    [{ identity: NaN }, /identity: must be/],
    [{ edits: 1.5 }, /edits: must be an integer from 0, got 1.5/],
    [{ edits: -1 }, /edits: must be/],
    [{ edits: 1, method: "single", bothStrands: true } as const, /both is for greedy/],
  ])("%o", async (options, message) => {
    const made = cluster(one, { ...options, threads });
    await expect(made).rejects.toThrow(message);
    await expect(made).rejects.toThrow(UsageError);
  });

  test("both strands of proteins", async () => {
    const proteins = setOf([Uint8Array.of(1, 2)], "protein");
    await expect(cluster(proteins, { edits: 1, bothStrands: true, threads })).rejects.toThrow(
      /proteins have one strand/,
    );
  });

  test.each(["0", "x", "-3", "1.5", ""])("a size of %j", async (size) => {
    const made = cluster(setOf([textOf("ACGT")], "dna", [`a;size=${size}`]), { edits: 1, threads });
    await expect(made).rejects.toThrow(FormatError);
    await expect(made).rejects.toThrow(
      `record "a;size=${size}": size: must be a positive integer, as in ;size=12, got "${size}"`,
    );
  });
});

test("a signal stops it", async () => {
  const made = cluster(families, { edits: 1, threads, signal: AbortSignal.abort(new Error("enough")) });
  await expect(made).rejects.toThrow("enough");
});

describe.skipIf(!hasData)("nanopore reads of DNA-storage strands (needs the shared data)", () => {
  test("find their strands", async () => {
    const file = createReadStream(dataPath("dna-storage/cnr_reads.csv.gz")) as AsyncIterable<Uint8Array>;
    const all = await collect(readSequences(file));
    const reads = { ...all, ids: all.ids.slice(0, 4000), codes: all.codes.slice(0, 4000) };
    const truth = all.fields!.slice(0, 4000).map((fields) => fields.cluster);
    const { clusters } = await cluster(reads, { identity: 0.76 });
    expect(majorityAccuracy(truth, clusters)).toBeGreaterThan(0.999);
    expect(recoveredClusters(truth, clusters, 0.9)).toBeGreaterThan(0.98);
    expect(adjustedRand(truth, clusters)).toBeGreaterThan(0.995);
  });
});
