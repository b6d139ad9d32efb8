/** @file Local medians: no single edit is better, and the sum of distances never rises on the way. */

import { describe, expect, test } from "vitest";
import { editDistance } from "../../../src/kernel/index.ts";
import { mutate, Random } from "../../../src/sequence/index.ts";
import { localMedian } from "../../../src/task/consensus/local-median.ts";

const LETTERS = 4;
const sum = (string: Uint8Array, group: readonly Uint8Array[]) =>
  group.reduce((total, member) => total + editDistance(string, member), 0);
const draw = (random: Random, length: number) => Uint8Array.from({ length }, () => random.integer(LETTERS));

/** All strings one edit away. */
function* neighbours(string: Uint8Array): Generator<Uint8Array> {
  const codes = Array.from(string);
  for (let i = 0; i <= codes.length; i++) {
    for (let letter = 0; letter < LETTERS; letter++) {
      yield Uint8Array.from(codes.toSpliced(i, 0, letter));
      if (i < codes.length) yield Uint8Array.from(codes.toSpliced(i, 1, letter));
    }
    if (i < codes.length) yield Uint8Array.from(codes.toSpliced(i, 1));
  }
}

describe.each([
  ["random strings of all lengths", (random: Random) => Array.from({ length: 5 }, () => draw(random, random.integer(14)))],
  ["copies with errors", (random: Random) => {
    const strand = draw(random, 30);
    return Array.from({ length: 6 }, () => {
      const copy = mutate(strand, 4, random, LETTERS);
      return copy.subarray(random.integer(3), copy.length - random.integer(3));
    });
  }],
] as const)("%s", (_, groupOf) => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])("%i: no string one edit away is better, nor is the start", (seed) => {
    const random = new Random(seed);
    const group = groupOf(random);
    for (const start of [group[0], draw(random, 12), new Uint8Array(0)]) {
      const median = localMedian(group, start);
      const least = sum(median, group);
      expect(least).toBeLessThanOrEqual(sum(start, group));
      for (const other of neighbours(median)) expect(sum(other, group)).toBeGreaterThanOrEqual(least);
    }
  });
}); // prettier-ignore

test("a majority of copies is found from anywhere", () => {
  const random = new Random(4);
  const strand = draw(random, 25);
  const group = [strand, strand, strand, draw(random, 25), draw(random, 20)];
  expect(String(localMedian(group, group[3]))).toBe(String(strand));
});

test("empty strings, one string, and no string at all", () => {
  const [empty, some] = [new Uint8Array(0), Uint8Array.of(2, 1, 3)];
  expect(String(localMedian([some], empty))).toBe(String(some));
  expect(String(localMedian([empty, empty, some], some))).toBe("");
  expect(localMedian([], some)).toEqual(some);
});
