/** @file Splits and their leakage, against single linkage and nearest neighbours by hand. */

import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { EmbranchError, UsageError } from "../../src/error.ts";
import { editDistance, EditDistances, packCodes } from "../../src/kernel/index.ts";
import { collect, findUniques, readSequences, subset, type SequenceSet } from "../../src/sequence/index.ts";
import { condensedIndex } from "../../src/sequence/condensed.ts";
import { mostEdits } from "../../src/task/identity.ts";
import { linkedGroups } from "../../src/task/linked-groups.ts";
import { formatLeakageTsv, nearestTraining, summariseLeakage } from "../../src/task/leakage.ts";
import { divideBy, formatSplit, parseSplit, splitSequences, type SplitParts } from "../../src/task/split.ts";
import { dataFile, hasData } from "../sequence/files.ts";
import { readsOf } from "./models.ts";

const threads = 1;

const identityOf = (a: Uint8Array, b: Uint8Array, edits = editDistance(a, b)) =>
  1 - edits / Math.max(a.length, b.length);

/** Groups that links lead to, each numbered as it first appears. */
function walkedGroups(count: number, linked: (a: number, b: number) => boolean): number[] {
  const groups = new Array<number>(count).fill(-1);
  let next = 0;
  for (let start = 0; start < count; start++) {
    if (groups[start] >= 0) continue;
    const waiting = [start];
    groups[start] = next;
    for (let i = waiting.pop(); i !== undefined; i = waiting.pop()) {
      for (let j = 0; j < count; j++) {
        if (groups[j] >= 0 || !linked(i, j)) continue;
        groups[j] = next;
        waiting.push(j);
      }
    }
    next++;
  }
  return groups;
}

/** Families of sequences a few edits apart, some of them copies. */
const families = fc
  .array(
    fc.record({
      root: fc.uint8Array({ min: 0, max: 3, minLength: 1, maxLength: 30 }),
      cuts: fc.array(fc.nat({ max: 4 }), { minLength: 1, maxLength: 5 }),
    }),
    { minLength: 1, maxLength: 8 },
  )
  .map((roots) =>
    roots.flatMap(({ root, cuts }) => cuts.map((cut) => root.slice(0, Math.max(1, root.length - cut)))),
  );
const identities = fc.constantFrom(0.5, 0.7, 0.8, 0.9, 0.97, 1);

const places = (parts: SplitParts, count: number) => {
  const place = new Array<string>(count);
  for (const part of ["training", "validation", "test"] as const) {
    for (const i of parts[part]) {
      expect(place[i]).toBeUndefined();
      place[i] = part;
    }
  }
  expect(place.every((part) => part !== undefined)).toBe(true);
  return place;
};

describe("groups", () => {
  test("are those of single linkage", async () => {
    await fc.assert(
      fc.asyncProperty(families, identities, async (codes, identity) => {
        const linked = (i: number, j: number) => identityOf(codes[i], codes[j]) >= identity - 1e-12;
        expect([...(await linkedGroups(codes, identity, { threads }))]).toEqual(
          walkedGroups(codes.length, linked),
        );
      }),
      { numRuns: 25 },
    );
  });

  test("of more than one block, and of many lengths", async () => {
    const { codes: reads } = await readsOf({ leaves: 2300, length: 60, height: 0.2, seed: 2 });
    const codes = reads.map((read, i) => read.slice(0, read.length - (i % 7 === 0 ? i % 40 : 0)));
    const done: number[] = [];
    const groups = await linkedGroups(codes, 0.93, { threads, progress: (part) => done.push(part) });
    const kernel = await EditDistances.create({ threads });
    const distances = await kernel.allPairs(packCodes(codes));
    await kernel.close();
    const linked = (i: number, j: number) =>
      i !== j &&
      identityOf(codes[i], codes[j], distances[condensedIndex(i, j, codes.length)]) >= 0.93 - 1e-12;
    expect([...groups]).toEqual(walkedGroups(codes.length, linked));
    expect(new Set(groups).size).toBeGreaterThan(20);
    expect(done).toEqual(done.toSorted((a, b) => a - b));
  });

  test("an identity allows as many edits as stay at or above it", () => {
    expect([0.97, 0.9, 0.5, 1].map((identity) => mostEdits(identity, 100))).toEqual([3, 10, 50, 0]);
    expect(mostEdits(0.9, 10)).toBe(1);
    expect(mostEdits(0.97, 152)).toBe(4);
  });

  test.each([0, -1, 1.01, NaN])("%s is no identity", async (identity) => {
    await expect(linkedGroups([Uint8Array.of(1)], identity)).rejects.toThrow(UsageError);
  });
});

describe("a split", () => {
  let reads: SequenceSet;
  beforeAll(async () => {
    const all = await readsOf({ leaves: 800, length: 60, seed: 5 });
    reads = subset(all, findUniques(all.codes).representatives.slice(0, 400));
  });
  const cluster = (identity: number) => ({ by: "cluster", identity }) as const;

  test("by clusters leaves no pair across parts within the identity", async () => {
    await fc.assert(
      fc.asyncProperty(families, identities, fc.nat({ max: 9 }), async (codes, identity, seed) => {
        const shares = { validation: 0.2, test: 0.3, seed, threads };
        const parts = await splitSequences({ codes }, cluster(identity), shares).catch((error: unknown) => {
          // What cannot be split is said to be so.
          expect(error).toBeInstanceOf(EmbranchError);
          return undefined;
        });
        fc.pre(parts !== undefined);
        const place = places(parts, codes.length);
        codes.forEach((a, i) =>
          codes.forEach((b, j) => {
            if (place[i] !== place[j]) expect(identityOf(a, b)).toBeLessThan(identity);
          }),
        );
      }),
      { numRuns: 25 },
    );
  });

  test.each([{ by: "random" }, { by: "order" }, cluster(0.95)] as const)(
    "$by fills the shares, the same for the same seed",
    async (splitting) => {
      const shares = { validation: 0.1, test: 0.2, threads };
      const parts = await splitSequences(reads, splitting, shares);
      places(parts, 400);
      expect([parts.training, parts.validation, parts.test].map(({ length }) => length)).toEqual([
        280, 40, 80,
      ]);
      expect(parts.test).toEqual(parts.test.toSorted());
      expect(await splitSequences(reads, splitting, { ...shares, seed: 1 })).toEqual(parts);
      const other = await splitSequences(reads, splitting, { ...shares, seed: 2 });
      if (splitting.by === "order") expect(other).toEqual(parts);
      else expect(other.test).not.toEqual(parts.test);
    },
  );

  test("in the order of the file takes the first for training and the last for testing", async () => {
    const { training, validation, test } = await splitSequences(reads, { by: "order" });
    expect([training[0], training.at(-1)]).toEqual([0, 311]);
    expect([validation[0], validation.at(-1)]).toEqual([312, 339]);
    expect([test[0], test.at(-1)]).toEqual([340, 399]);
  });

  test.each(["random", "order"] as const)("%s keeps copies together", async (by) => {
    const codes = [...reads.codes.slice(0, 100), ...reads.codes.slice(0, 100), ...reads.codes.slice(0, 50)];
    const parts = await splitSequences({ codes }, { by });
    const place = places(parts, 250);
    for (let i = 100; i < 250; i++) expect(place[i]).toBe(place[i % 100]);
    expect(parts.groups.largest).toBeGreaterThanOrEqual(3);
    expect(Math.abs(parts.test.length - 38)).toBeLessThanOrEqual(2);
  });

  test("a share of 0 makes an empty part", async () => {
    const parts = await splitSequences(reads, { by: "random" }, { validation: 0, test: 0.5 });
    expect([parts.training, parts.validation, parts.test].map(({ length }) => length)).toEqual([200, 0, 200]);
  });

  test("one giant group is an error that says how large it is and what to try", async () => {
    const near = Array.from({ length: 60 }, (_, i) => Uint8Array.from({ length: 80 }, (_, k) => +(k < i)));
    const far = Array.from({ length: 3 }, (_, i) => new Uint8Array(80).fill(i + 2));
    const codes = [...near, ...far];
    const split = splitSequences({ codes }, cluster(0.98), { threads });
    await expect(split).rejects.toThrow(
      "split: validation must hold about 4 of 63 sequences, got 0: the largest group of sequences linked at an identity of 0.98 holds 60 (95.2 %) and stays together; try cluster:0.99, or ask for another share",
    );
  });

  test("one sequence many times is an error that names the copies", async () => {
    const codes = Array.from({ length: 20 }, () => Uint8Array.of(1, 2, 3));
    const split = splitSequences({ codes }, { by: "random" });
    await expect(split).rejects.toThrow(/copies of one sequence holds 20 \(100.0 %\).*remove copies/);
  });

  test.each([
    [2, 0.07, 0.15, "got 2: with 1 for validation and 1 for testing none is left for training"],
    [4, 0.45, 0.45, "got 4: with 2 for validation and 2 for testing none is left for training"],
  ])("too few sequences are an error that says so: %i", async (count, validation, share, message) => {
    for (const splitting of [{ by: "random" }, { by: "order" }, cluster(0.97)] as const) {
      const split = splitSequences(subset(reads, [0, 1, 2, 3].slice(0, count)), splitting, { validation, test: share, threads }); // prettier-ignore
      await expect(split).rejects.toThrow(`split: needs more sequences, ${message}`);
    }
  });

  test.each([
    [-0.1, 0.2],
    [0.5, 0.5],
    [NaN, 0.1],
  ])("shares of %s and %s are refused", async (validation, share) => {
    const split = splitSequences(reads, { by: "random" }, { validation, test: share });
    await expect(split).rejects.toThrow(UsageError);
  });

  test("in two, for training: different sequences only", async () => {
    const twice = subset(reads, [...reads.codes.keys()].slice(0, 100));
    const codes = [...twice.codes, ...twice.codes];
    const set = { ...twice, ids: codes.map((_, i) => `s${i}`), codes };
    for (const splitting of [{ by: "random" }, cluster(0.95)] as const) {
      const { training, validation } = await divideBy(set, splitting, { validation: 0.2, seed: 3, threads });
      expect(training.length + validation.length).toBeLessThanOrEqual(100);
      expect(Math.abs(validation.length - 20)).toBeLessThanOrEqual(2);
      expect(Math.max(...training, ...validation)).toBeLessThan(100);
    }
  });
});

describe("the words for a split", () => {
  test.each(["random", "order", "cluster:0.97", "cluster:1"])("%s", (text) => {
    expect(formatSplit(parseSplit(text))).toBe(text);
  });

  test.each(["", "Random", "cluster", "cluster:", "cluster: ", "cluster:97", "cluster:0", "cluster:-1", "cluster:0.9x", "cluster:97%", "order:3"])(
    "%j is refused",
    (text) => {
      expect(() => parseSplit(text)).toThrow(UsageError);
    },
  ); // prettier-ignore
});

describe("leakage", () => {
  test("the nearest training sequence, the first of equally near ones", async () => {
    await fc.assert(
      fc.asyncProperty(families, families, async (tests, training) => {
        const { index, edits, identity } = await nearestTraining(
          { codes: tests },
          { codes: training },
          { threads },
        );
        tests.forEach((codes, i) => {
          const distances = training.map((other) => editDistance(codes, other));
          const least = Math.min(...distances);
          expect([edits[i], index[i]]).toEqual([least, distances.indexOf(least)]);
          expect(identity[i]).toBeCloseTo(identityOf(codes, training[index[i]]), 12);
        });
      }),
      { numRuns: 20 },
    );
  });

  test("of more than one block", async () => {
    const { codes } = await readsOf({ leaves: 2500, length: 40, seed: 8 });
    const [tests, training] = [codes.slice(0, 100), codes.slice(100)];
    const { index, edits } = await nearestTraining({ codes: tests }, { codes: training }, { threads });
    const kernel = await EditDistances.create({ threads });
    const all = await kernel.cross(packCodes(tests), packCodes(training));
    await kernel.close();
    tests.forEach((_, i) => {
      const row = [...all.subarray(i * training.length, (i + 1) * training.length)];
      expect([edits[i], index[i]]).toEqual([Math.min(...row), row.indexOf(Math.min(...row))]);
    });
  });

  test("is summed up in copies, quantiles and shares", () => {
    const edits = Uint32Array.of(3, 0, 10, 100);
    const nearest = {
      index: new Uint32Array(4),
      edits,
      identity: Float64Array.from(edits, (d) => 1 - d / 100),
    };
    const { copies, quantiles, within, test, training } = summariseLeakage(nearest, 7);
    expect({ copies, test, training }).toEqual({ copies: 1, test: 4, training: 7 });
    expect(quantiles.map(({ edits }) => edits)).toEqual([0, 0, 0, 3, 10, 100, 100]);
    expect(quantiles.map(({ identity }) => identity)).toEqual([1, 1, 1, 0.97, 0.9, 0, 0]);
    expect(within.map(({ percent, sequences }) => [percent, sequences])).toEqual([[1, 1], [3, 2], [5, 2], [10, 3], [20, 3]]); // prettier-ignore
    const lines = [...formatLeakageTsv({ ids: ["a", "b", "c", "d"] }, { ids: ["t"] }, nearest)];
    expect(lines.slice(0, 2)).toEqual(["test\tnearest_training\tedits\tidentity\n", "a\tt\t3\t0.9700\n"]);
  });

  test.each([
    ["test", [], [Uint8Array.of(1)]],
    ["training", [Uint8Array.of(1)], []],
  ])("%s without sequences is an error", async (name, tests, training) => {
    const nearest = nearestTraining({ codes: tests }, { codes: training }, { threads });
    await expect(nearest).rejects.toThrow(`leakage: ${name} must hold sequences, got none`);
  });
});

describe.skipIf(!hasData)("16S V4 reads of study 550", () => {
  test("at random most test reads have a relative within 3 %, by clusters none has", async () => {
    const all = await collect(readSequences(dataFile("16s-v4/study550_train.fasta.gz")));
    const set = subset(all, [...all.ids.keys()].slice(0, 3000));
    const within = async (text: string) => {
      const parts = await splitSequences(set, parseSplit(text));
      expect([parts.training, parts.validation, parts.test].map(({ length }) => length)).toEqual([
        2340, 210, 450,
      ]);
      const nearest = await nearestTraining(subset(set, parts.test), subset(set, parts.training));
      return summariseLeakage(nearest, parts.training.length).within.find(({ percent }) => percent === 3)!;
    };
    expect((await within("random")).sequences).toBeGreaterThan(225);
    expect((await within("cluster:0.97")).sequences).toBe(0);
  });
});
