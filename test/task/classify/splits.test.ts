/** @file Splitting labelled sequences: shares, copies, and what is on both sides of a given split. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decode, DNA } from "../../../src/sequence/index.ts";
import { ofSplit, type LabelledSet } from "../../../src/task/classify/dataset.ts";
import {
  copiesOfTraining,
  devSplit,
  randomSplit,
  TooFewSequences,
} from "../../../src/task/classify/splits.ts";
import { labelledOf } from "./sets.ts";

/** The `i`th of 65,536 different sequences. */
const sequence = (i: number): string =>
  decode(
    Uint8Array.from({ length: 8 }, (_, at) => (i >> (2 * at)) & 3),
    DNA,
  );

/** A set with `sizes[k]` different sequences of class k. */
function setWith(sizes: readonly number[]): LabelledSet {
  const labels = sizes.flatMap((size, k) => Array.from({ length: size }, () => k));
  return labelledOf(
    labels.map((_, i) => sequence(i)),
    labels,
  );
}

/** How many sequences of each class a part has. */
const countsOf = (labelled: LabelledSet, part: "train" | "dev" | "test"): number[] => {
  const counts = labelled.classes.map(() => 0);
  for (const i of ofSplit(labelled, part)) counts[labelled.labels[i]]++;
  return counts;
};

describe("a random split", () => {
  test("gives every class its shares", () => {
    const split = randomSplit(setWith([100, 50, 10]));
    expect(countsOf(split, "dev")).toEqual([10, 5, 1]);
    expect(countsOf(split, "test")).toEqual([10, 5, 1]);
    expect(countsOf(split, "train")).toEqual([80, 40, 8]);
    const other = randomSplit(setWith([100, 50, 10]), { dev: 0, test: 0.3 });
    expect(countsOf(other, "test")).toEqual([30, 15, 3]);
    expect(ofSplit(other, "dev")).toHaveLength(0);
  });

  test("spreads what small classes cannot share exactly", () => {
    const split = randomSplit(setWith(Array.from({ length: 40 }, () => 5)));
    expect(ofSplit(split, "dev")).toHaveLength(20);
    expect(ofSplit(split, "test")).toHaveLength(20);
    const held = countsOf(split, "dev").map((dev, k) => dev + countsOf(split, "test")[k]);
    expect(Math.max(...held)).toBeLessThanOrEqual(2);
    expect(held.slice(20).some((count) => count > 0)).toBe(true);
  });

  test("follows the seed", () => {
    const set = setWith([100, 100]);
    expect(randomSplit(set, { seed: 3 }).splits).toEqual(randomSplit(set, { seed: 3 }).splits);
    expect(randomSplit(set, { seed: 3 }).splits).not.toEqual(randomSplit(set, { seed: 4 }).splits);
  });

  test("keeps copies together and every class in training", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(30), fc.nat(2)), { minLength: 12, maxLength: 80 }),
        fc.nat(100),
        (rows, seed) => {
          const labels = rows.map(([, label]) => label);
          const set = labelledOf(
            rows.map(([i]) => sequence(i)),
            labels,
          );
          let split: LabelledSet;
          try {
            split = randomSplit(set, { seed });
          } catch (error) {
            // Copies of few sequences leave nothing to hold out.
            expect((error as Error).message).toMatch(/must have enough sequences/);
            return;
          }
          expect(split.splits).toHaveLength(rows.length);
          const partOf = new Map<number, string | undefined>();
          rows.forEach(([i], at) => {
            expect(partOf.get(i) ?? split.splits?.[at]).toBe(split.splits?.[at]);
            partOf.set(i, split.splits?.[at]);
          });
          expect(copiesOfTraining(split, "test").indices).toHaveLength(0);
          // Every class that is there is in train.
          expect(countsOf(split, "train").map((count) => count > 0)).toEqual(
            split.classes.map((_, k) => labels.includes(k)),
          );
        },
      ),
    );
  });

  test("takes a group of copies that is too large where that is nearer to the share", () => {
    const copies = [0, 0, 0, 1, 1, 1, 2, 2, 2];
    const split = randomSplit(
      labelledOf(
        copies.map(sequence),
        copies.map(() => 0),
      ),
      { dev: 0.2, test: 0 },
    );
    expect(ofSplit(split, "dev")).toHaveLength(3);
  });

  test.each([
    [{ dev: 1 }, /share of dev must be above 0 and below 1, got 1/],
    [{ test: -0.1 }, /share of test must be/],
    [{ dev: 0.5, test: 0.5 }, /must leave something for train/],
  ])("refuses %o", (options, message) => {
    expect(() => randomSplit(setWith([10, 10]), options)).toThrow(message);
  });

  test("refuses sets that are too small, by name", () => {
    expect(() => randomSplit({ ...setWith([1, 1]), name: "tiny" })).toThrow(
      new TooFewSequences(
        "tiny: must have enough sequences for dev, got none for a share of 0.1 of 2: add sequences or ask for a greater share",
      ),
    );
  });

  test("keeps a class in train whose only sequence is a copy of one of another class", () => {
    const rows = Array.from({ length: 40 }, (_, i) => sequence(i));
    const set = labelledOf([...rows, rows[0]], [...rows.map(() => 0), 1]);
    for (let seed = 0; seed < 40; seed++) expect(countsOf(randomSplit(set, { seed }), "train")[1]).toBe(1);
  });

  test("keeps together what is equal as far as it is seen", () => {
    const rows = Array.from({ length: 30 }, (_, i) => sequence(i % 10) + sequence(i));
    const split = randomSplit(labelledOf(rows, rows.map((_, i) => i % 2)), { length: 8, dev: 0.2, test: 0.2 }); // prettier-ignore
    for (const part of ["dev", "test"] as const) {
      expect(copiesOfTraining(split, part, { length: 8 }).indices).toHaveLength(0);
    }
    // Read further they differ.
    const [train, test] = ["train", "test"] as const;
    const given = labelledOf(["ACGTA", "ACGTC"], [0, 0], [train, test]);
    expect(copiesOfTraining(given, "test").indices).toHaveLength(0);
    expect(copiesOfTraining(given, "test", { length: 4 }).indices).toHaveLength(1);
  });
});

describe("a dev part", () => {
  test("comes out of train alone", () => {
    const set = setWith([60, 40]);
    const splits = Array.from(set.labels, (_, i): "test" | "train" => (i % 5 === 0 ? "test" : "train"));
    const split = devSplit({ ...set, splits }, { share: 0.25 });
    expect(countsOf(split, "dev")).toEqual([12, 8]);
    expect(ofSplit(split, "test")).toEqual(ofSplit({ splits }, "test"));
    expect(splits).not.toContain("dev");
  });

  test("is drawn from all where there is no split, and not where there is one", () => {
    const split = devSplit(setWith([60, 40]));
    expect([countsOf(split, "train"), countsOf(split, "dev")]).toEqual([
      [54, 36],
      [6, 4],
    ]);
    expect(devSplit(split)).toBe(split);
  });

  test("leaves rows that belong nowhere where they are", () => {
    const set = setWith([10, 10]);
    const splits = Array.from(set.labels, (_, i) => (i < 4 ? undefined : ("train" as const)));
    expect(devSplit({ ...set, splits }).splits?.slice(0, 4)).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
  });

  test("needs something to train on", () => {
    expect(() => devSplit({ ...setWith([1, 1]), splits: ["test", "test"] })).toThrow(
      /must have sequences for training, got none/,
    );
  });
});

test("copies of training sequences, and those of another class", () => {
  const set = labelledOf(
    ["AC", "GG", "GG", "AC", "AC", "TT", "GG"],
    [0, 0, 1, 0, 1, 0, 0],
    ["train", "train", "train", "test", "test", "test", "dev"],
  );
  expect(copiesOfTraining(set, "test")).toEqual({ indices: Uint32Array.of(3, 4), contradicting: 1 });
  expect(copiesOfTraining(set, "dev")).toEqual({ indices: Uint32Array.of(6), contradicting: 0 });
});
