import { describe, expect, test } from "vitest";
import { philox4x32, Random } from "../../src/sequence/random.ts";

const draws = (random: Random, count: number): number[] =>
  Array.from({ length: count }, () => random.uint32());

describe("philox4x32", () => {
  // The known answers of Random123, kat_vectors, philox4x32 with 10 rounds.
  test.each([
    ["zeros", [0, 0, 0, 0], [0, 0], [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]],
    [
      "ones",
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      "digits of pi",
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("known answer: %s", (_, counter, key, expected) => {
    const out = new Uint32Array(4);
    philox4x32(counter, key, out);
    expect(Array.from(out)).toEqual(expected);
  });
});

describe("Random", () => {
  test("a seed fixes the stream, and its first block is Philox of counter zero", () => {
    expect(draws(new Random(0), 4)).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
    expect(draws(new Random(7), 9)).toEqual(draws(new Random(7), 9));
    expect(draws(new Random(7), 4)).not.toEqual(draws(new Random(8), 4));
  });

  test("seeds above 2^32 and below 0 are seeds of their own", () => {
    const first = [1, 1 + 2 ** 32, -1, 2 ** 40].map((seed) => new Random(seed).uint32());
    expect(new Set(first).size).toBe(4);
    expect(() => new Random(0.5)).toThrow("seed: must be a safe integer, got 0.5");
  });

  test("uniform() is uniform: chi-square over 64 bins", () => {
    const random = new Random(1);
    const count = 64_000;
    const bins = new Float64Array(64);
    for (let i = 0; i < count; i++) bins[Math.floor(random.uniform() * 64)]++;
    const chi2 = bins.reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeGreaterThan(36); // 63 degrees of freedom, p = 0.997
    expect(chi2).toBeLessThan(104); // p = 0.001
  });

  test("integer() has no bias even where 2^32 is far from a multiple of the bound", () => {
    const random = new Random(2);
    const bound = 3 * 2 ** 30; // plain multiplication would hit multiples of 3 twice as often
    const hits = [0, 0, 0];
    for (let i = 0; i < 30_000; i++) hits[random.integer(bound) % 3]++;
    for (const n of hits) expect(Math.abs(n - 10_000)).toBeLessThan(4 * Math.sqrt(10_000 * (2 / 3)));
    for (const n of [1, 2, 3, 10, 2 ** 32]) {
      const x = random.integer(n);
      expect(x >= 0 && x < n && Number.isInteger(x)).toBe(true);
    }
    for (const bad of [0, -1, 1.5, 2 ** 32 + 1, NaN]) expect(() => random.integer(bad)).toThrow(RangeError);
  });

  test("forks do not depend on what the parent has drawn, and differ by name", () => {
    const parent = new Random(3);
    const before = draws(parent.fork("labels", 7), 8);
    draws(parent, 5);
    expect(draws(parent.fork("labels", 7), 8)).toEqual(before);
    const names: (string | number)[][] = [["labels", 8], ["labels"], [7, "labels"], ["label", 7], [7], ["7"]];
    const firsts = names.map((name) => draws(parent.fork(...name), 2).join());
    expect(new Set([...firsts, before.slice(0, 2).join()]).size).toBe(names.length + 1);
  });

  test("forks are uncorrelated with their parent and with each other", () => {
    const parent = new Random(4);
    const streams = [parent, parent.fork(0), parent.fork(1)];
    const values = streams.map((stream) => Array.from({ length: 4000 }, () => stream.uniform() - 0.5));
    for (const [a, b] of [
      [0, 1],
      [0, 2],
      [1, 2],
    ]) {
      const correlation = values[a].reduce((sum, x, i) => sum + x * values[b][i], 0) / 4000 / (1 / 12);
      expect(Math.abs(correlation)).toBeLessThan(4 / Math.sqrt(4000));
    }
  });

  test("a stream resumes from its position, wherever that is in a block", () => {
    for (const position of [0, 1, 2, 3, 4, 5, 1023]) {
      const whole = new Random(5);
      draws(whole, position);
      expect(whole.position).toBe(position);
      const resumed = new Random(5);
      resumed.position = position;
      expect(draws(resumed, 10)).toEqual(draws(whole, 10));
    }
  });

  test("positions beyond 2^34 use the second counter word", () => {
    const far = new Random(6);
    far.position = 2 ** 34;
    expect(draws(far, 4)).not.toEqual(draws(new Random(6), 4));
  });

  test("normal, exponential and geometric have their means and variances", () => {
    const random = new Random(7);
    const moments = (draw: () => number): [number, number] => {
      const x = Array.from({ length: 20_000 }, draw);
      const mean = x.reduce((a, b) => a + b, 0) / x.length;
      return [mean, x.reduce((sum, value) => sum + (value - mean) ** 2, 0) / x.length];
    };
    const close = ([mean, variance]: [number, number], wanted: [number, number]): void => {
      expect(Math.abs(mean - wanted[0])).toBeLessThan(4 * Math.sqrt(wanted[1] / 20_000));
      expect(Math.abs(variance / wanted[1] - 1)).toBeLessThan(0.1);
    };
    close(
      moments(() => random.normal()),
      [0, 1],
    );
    close(
      moments(() => random.exponential(2)),
      [0.5, 0.25],
    );
    close(
      moments(() => random.geometric(0.1)),
      [10, 90],
    );
    expect(random.geometric(1)).toBe(1);
    expect(() => random.geometric(0)).toThrow(RangeError);
  });

  test("shuffle permutes, with every first place equally likely", () => {
    const random = new Random(8);
    const firsts = new Float64Array(5);
    for (let i = 0; i < 5000; i++) {
      const order = random.shuffle([0, 1, 2, 3, 4]);
      expect([...order].sort()).toEqual([0, 1, 2, 3, 4]);
      firsts[order[0]]++;
    }
    for (const n of firsts) expect(Math.abs(n - 1000)).toBeLessThan(4 * Math.sqrt(800));
  });

  test("sample draws distinct integers, every one equally likely", () => {
    const random = new Random(9);
    const hits = new Float64Array(10);
    for (let i = 0; i < 5000; i++) {
      const chosen = random.sample(10, 3);
      expect(new Set(chosen).size).toBe(3);
      for (const x of chosen) hits[x]++;
    }
    for (const n of hits) expect(Math.abs(n - 1500)).toBeLessThan(4 * Math.sqrt(1050));
    expect([...random.sample(4, 4)].sort()).toEqual([0, 1, 2, 3]);
    expect(() => random.sample(3, 4)).toThrow("count: must be at most 3, got 4");
  });
});
