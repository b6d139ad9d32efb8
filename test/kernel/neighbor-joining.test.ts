import { describe, expect, test } from "vitest";
import { EmbranchError } from "../../src/error.ts";
import {
  JOINING_VARIANTS,
  MOST_JOINED,
  neighborJoining,
  type JoinedTree,
  type JoiningVariant,
} from "../../src/kernel/neighbor-joining.ts";
import { birthDeathTree } from "../../src/sequence/birth-death.ts";
import { condensedIndex, condensedLength } from "../../src/sequence/condensed.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";

/** The sides of the tree's branches that leaf 0 is not on, with the branches' lengths; the root's two are one. */
function splits({ leaves, parent, length }: JoinedTree): Map<bigint, number> {
  const below = Array.from(parent, (_, i) => (i < leaves ? 1n << BigInt(i) : 0n));
  const all = (1n << BigInt(leaves)) - 1n;
  const found = new Map<bigint, number>();
  for (let i = 0; i < parent.length - 1; i++) {
    below[parent[i]] |= below[i];
    const side = below[i] & 1n ? all ^ below[i] : below[i];
    found.set(side, (found.get(side) ?? 0) + length[i]);
  }
  return found;
}

/** Two trees have the same splits, of nearly the same lengths. */
function expectSameTree(tree: JoinedTree, expected: Map<bigint, number>, atol = 1e-9): void {
  const actual = splits(tree);
  const sides = [...expected.keys()].sort((a, b) => (a < b ? -1 : 1));
  expect([...actual.keys()].sort((a, b) => (a < b ? -1 : 1))).toEqual(sides);
  const lengthsOf = (of: Map<bigint, number>) => sides.map((side) => of.get(side) ?? NaN);
  expect(lengthsOf(actual)).toBeAllclose(lengthsOf(expected), { rtol: 1e-9, atol });
}

/** Sum of the differences of the branches' lengths. */
function differences(a: Map<bigint, number>, b: Map<bigint, number>): number {
  const sides = new Set([...a.keys(), ...b.keys()]);
  return [...sides].reduce((sum, side) => sum + Math.abs((a.get(side) ?? 0) - (b.get(side) ?? 0)), 0);
}

/** Path lengths between all leaves, condensed. */
function paths({ leaves, parent, length }: JoinedTree): Float64Array {
  const out = new Float64Array(condensedLength(leaves));
  const reached = Array.from(parent, (_, i): [number, number][] => (i < leaves ? [[i, 0]] : []));
  for (let i = 0; i < parent.length - 1; i++) {
    const moved = reached[i].map(([leaf, d]): [number, number] => [leaf, d + length[i]]);
    for (const [a, x] of moved)
      for (const [b, y] of reached[parent[i]]) out[condensedIndex(a, b, leaves)] = x + y;
    reached[parent[i]].push(...moved);
  }
  return out;
}

/** A random tree, every branch between 0.1 and 1. */
function randomTree(leaves: number, random: Random): JoinedTree {
  const { left, right, depth } = birthDeathTree({ leaves, random });
  const rank = new Int32Array(leaves - 1);
  [...depth.keys()].sort((a, b) => depth[a] - depth[b]).forEach((inner, k) => (rank[inner] = leaves + k));
  const parent = new Int32Array(2 * leaves - 1).fill(-1);
  for (let i = 0; i < leaves - 1; i++) {
    for (const child of [left[i], right[i]]) parent[child < 0 ? ~child : rank[child]] = rank[i];
  }
  const length = Float64Array.from(parent, (up) => (up < 0 ? 0 : 0.1 + 0.9 * random.uniform()));
  return { leaves, parent, length };
}

/** Uniform between 1 and 2, so that no branch is far below 0. */
function randomDistances(n: number, random: Random): Float64Array {
  return Float64Array.from({ length: condensedLength(n) }, () => 1 + random.uniform());
}

/**
 * The textbook's algorithm, O(n³): Saitou and Nei as by Studier and Keppler; with variances, Gascuel's. Of the last
 * four, two and the other two are always equally good to join, which makes no difference but to BIONJ's lengths.
 */
function textbook(distances: ArrayLike<number>, n: number, variant: JoiningVariant, otherTwo: boolean) {
  const d = Array.from({ length: n }, (_, i) =>
    Array.from({ length: n }, (_, j) => (i === j ? 0 : distances[condensedIndex(i, j, n)])),
  );
  const v = d.map((row) => [...row]);
  const parent = new Int32Array(2 * n - 2).fill(-1);
  const length = new Float64Array(2 * n - 2);
  let alive = [...d.keys()];
  for (let c = n; alive.length > 3; c++) {
    const r = alive.length;
    const sum = new Map(alive.map((i) => [i, alive.reduce((s, k) => s + d[i][k], 0)]));
    const sumOf = (i: number) => sum.get(i) ?? NaN;
    let [a, b, least] = [-1, -1, Infinity];
    for (const i of alive)
      for (const j of alive) {
        const q = (r - 2) * d[i][j] - sumOf(i) - sumOf(j);
        if (i < j && q < least) [a, b, least] = [i, j, q];
      }
    let others = alive.filter((k) => k !== a && k !== b);
    if (otherTwo && r === 4) [[a, b], others] = [others, [a, b]];
    length[a] = d[a][b] / 2 + (sumOf(a) - sumOf(b)) / (2 * (r - 2));
    length[b] = d[a][b] - length[a];
    const spread = others.reduce((s, k) => s + v[b][k] - v[a][k], 0);
    const w = variant === "nj" ? 0.5 : Math.max(0, Math.min(1, 0.5 + spread / (2 * (r - 2) * v[a][b])));
    d[c] = [];
    v[c] = [];
    for (const k of others) {
      d[c][k] = d[k][c] = w * (d[a][k] - length[a]) + (1 - w) * (d[b][k] - length[b]);
      v[c][k] = v[k][c] = w * v[a][k] + (1 - w) * v[b][k] - w * (1 - w) * v[a][b];
    }
    d[c][c] = 0;
    parent[a] = parent[b] = c;
    alive = [...others, c];
  }
  for (const i of alive) {
    const [j, k] = alive.filter((other) => other !== i);
    parent[i] = 2 * n - 3;
    length[i] = (d[i][j] + d[i][k] - d[j][k]) / 2;
  }
  return { leaves: n, parent, length };
}

describe.each(JOINING_VARIANTS)("%s", (variant) => {
  const expectTextbook = async (distances: Float64Array, n: number): Promise<void> => {
    const tree = await neighborJoining(distances, { variant, negative: "keep" });
    const either = [false, true].map((otherTwo) => textbook(distances, n, variant, otherTwo));
    const apart = either.map((one) => differences(splits(tree), splits(one)));
    expectSameTree(tree, splits(either[apart[0] < apart[1] ? 0 : 1]));
  };

  test.each([4, 5, 6, 9, 17, 80])("agrees with the textbook on random matrices of %i taxa", async (n) => {
    for (let seed = 0; seed < 2; seed++) {
      await expectTextbook(randomDistances(n, new Random(seed).fork("textbook", n)), n);
    }
  });

  test.each([30, 200])("agrees with the textbook on noisy path lengths of %i taxa", async (n) => {
    const random = new Random(n);
    const noisy = paths(randomTree(n, random)).map((d) => d * (0.8 + 0.4 * random.uniform()));
    await expectTextbook(noisy, n);
  });

  test.each([4, 50, 120, 300])("gives back a tree of %i leaves from its path lengths", async (n) => {
    for (let seed = 0; seed < 2; seed++) {
      const truth = randomTree(n, new Random(seed).fork("additive", n));
      expectSameTree(await neighborJoining(paths(truth), { variant }), splits(truth));
    }
  });

  test("gives back a tree from path lengths in 32 bits", async () => {
    const truth = randomTree(120, new Random(8));
    const distances = Float32Array.from(paths(truth));
    const atol = 1e-5 * Math.max(...distances);
    expectSameTree(await neighborJoining(distances, { variant }), splits(truth), atol);
  });

  test("takes a tree's path lengths without a branch's length below 0 as they are", async () => {
    const truth = randomTree(60, new Random(3));
    const distances = paths(truth);
    const kept = await neighborJoining(distances, { variant, negative: "keep" });
    expect(await neighborJoining(distances, { variant, negative: "zero" })).toEqual(kept);
    expect(paths(kept)).toBeAllclose(distances, { rtol: 1e-12 });
  });

  test("has parents after their children and three branches at the root", async () => {
    const { leaves, parent, length } = await neighborJoining(randomDistances(30, new Random(1)), { variant });
    expect([leaves, parent.length, length.length]).toEqual([30, 58, 58]);
    expect(parent.every((up, i) => (i === 57 ? up === -1 : up > i && up >= 30))).toBe(true);
    const children = new Int32Array(58);
    for (const up of parent) if (up >= 0) children[up]++;
    expect([...children.subarray(30)]).toEqual([...new Array<number>(27).fill(2), 3]);
  });

  test.each([
    ["zeros", () => 0],
    ["one distance", () => 7],
    ["few distances", (i: number) => 1 + ((i * 7919) % 3)],
  ])("gives one tree, of finite lengths, with %s", async (_, distance) => {
    const distances = Uint16Array.from({ length: condensedLength(150) }, (_, i) => distance(i));
    const tree = await neighborJoining(distances, { variant });
    expect(tree.length.every((length) => length >= 0 && length < Infinity)).toBe(true);
    expect(new Set(splits(tree).keys()).size).toBe(2 * 150 - 3);
    expect(await neighborJoining(distances, { variant })).toEqual(tree);
  });

  test("puts copies of a sequence together, with branches of length 0", async () => {
    const truth = randomTree(20, new Random(5));
    const distances = paths(truth);
    // Every leaf three times.
    const n = 60;
    const copies = new Float64Array(condensedLength(n));
    for (let i = 0; i < n; i++)
      for (let j = i + 1; j < n; j++)
        copies[condensedIndex(i, j, n)] =
          i % 20 === j % 20 ? 0 : distances[condensedIndex(i % 20, j % 20, 20)];
    const tree = await neighborJoining(copies, { variant });
    const found = splits(tree);
    for (let i = 0; i < 20; i++) {
      const three = (1n << BigInt(i)) | (1n << BigInt(i + 20)) | (1n << BigInt(i + 40));
      expect(found.get(i === 0 ? ((1n << 60n) - 1n) ^ three : three)).toBeGreaterThan(0.09);
      expect(tree.length[i] + tree.length[i + 20] + tree.length[i + 40]).toBeLessThan(1e-9);
    }
    expect(paths(tree)).toBeAllclose(copies, { atol: 1e-9 });
  });
});

test("a single taxon is a leaf, and two hang on a root by half their distance", async () => {
  expect(await neighborJoining(new Float32Array(0))).toEqual({
    leaves: 1,
    parent: Int32Array.of(-1),
    length: Float64Array.of(0),
  });
  expect(await neighborJoining(Uint8Array.of(5))).toEqual({
    leaves: 2,
    parent: Int32Array.of(2, 2, -1),
    length: Float64Array.of(2.5, 2.5, 0),
  });
});

test("three taxa form the star with their distances", async () => {
  expect(await neighborJoining(Uint16Array.of(5, 7, 8))).toEqual({
    leaves: 3,
    parent: Int32Array.of(3, 3, 3, -1),
    length: Float64Array.of(2, 3, 5, 0),
  });
});

test("four taxa: the worked example of a quartet", async () => {
  // ((0:1,1:2):3,2:4,3:5)
  const tree = await neighborJoining(Uint16Array.of(3, 8, 9, 9, 10, 9));
  expectSameTree(
    tree,
    new Map([
      [0b1110n, 1],
      [0b0010n, 2],
      [0b1100n, 3],
      [0b0100n, 4],
      [0b1000n, 5],
    ]),
  );
});

describe("negative branches", () => {
  test("are kept where this is asked for, and else go to their neighbours", async () => {
    // 0 and 1 stand together, and 1 is far nearer to the others than 0 is.
    const distances = Float64Array.of(1, 20, 20, 10, 10, 12);
    const kept = await neighborJoining(distances, { negative: "keep" });
    const zero = await neighborJoining(distances);
    expect(zero.parent).toEqual(kept.parent);
    expect(Math.min(...kept.length)).toBe(-4.5);
    expect([kept.length[0], kept.length[1]]).toEqual([5.5, -4.5]);
    expect([zero.length[0], zero.length[1]]).toEqual([1, 0]);
    expect(Math.min(...zero.length)).toBe(0);
  });

  test("of the last three branches give a third to each of the others", async () => {
    expect((await neighborJoining(Uint8Array.of(1, 2, 9), { negative: "keep" })).length).toEqual(
      Float64Array.of(-3, 4, 5, 0),
    );
    expect((await neighborJoining(Uint8Array.of(1, 2, 9))).length).toEqual(Float64Array.of(0, 3, 4, 0));
  });

  test("are none, where noise is large, and the path between two that are joined keeps its length", async () => {
    const random = new Random(9);
    const distances = Float64Array.from({ length: condensedLength(60) }, () => random.uniform());
    const kept = await neighborJoining(distances, { negative: "keep" });
    const zero = await neighborJoining(distances);
    expect(kept.length.some((length) => length < 0)).toBe(true);
    expect(zero.length.every((length) => length >= 0)).toBe(true);
    expect(zero.parent).toEqual(kept.parent);
    const pathAt = ({ parent, length }: JoinedTree, node: number) =>
      parent.reduce((sum, up, i) => (up === node ? sum + length[i] : sum), 0);
    for (let node = 60; node < 117; node++) {
      expect(pathAt(zero, node)).toBeCloseTo(Math.max(0, pathAt(kept, node)), 12);
    }
  });
});

describe("errors", () => {
  test.each([
    ["NaN", NaN],
    ["Infinity", Infinity],
    ["-Infinity", -Infinity],
    ["-0.5", -0.5],
  ])("%s is no distance", async (text, value) => {
    const many = new Float32Array(condensedLength(9)).fill(1);
    many[condensedIndex(3, 7, 9)] = value;
    await expect(neighborJoining(many)).rejects.toThrow(
      new EmbranchError(
        `neighbour joining: a distance must be a finite number from 0, got ${text} for 3 and 7`,
      ),
    );
    await expect(neighborJoining(Float64Array.of(1, value, 2))).rejects.toThrow(
      `neighbour joining: a distance must be a finite number from 0, got ${text} for 0 and 2`,
    );
    await expect(neighborJoining(Float64Array.of(value))).rejects.toThrow(`got ${text} for 0 and 1`);
  });

  test("distances whose sums overflow", async () => {
    const huge = new Float64Array(condensedLength(5)).fill(1e308);
    await expect(neighborJoining(huge)).rejects.toThrow(
      "neighbour joining: distances must have a finite sum",
    );
  });

  test("a length that is no number of pairs", async () => {
    await expect(neighborJoining(new Float64Array(4))).rejects.toThrow(
      "condensed matrix: the length must be",
    );
  });

  test.each(JOINING_VARIANTS)("more taxa than the memory has room for: %s", async (variant) => {
    const n = MOST_JOINED[variant] + 1;
    await expect(neighborJoining(new Uint8Array(condensedLength(n)), { variant })).rejects.toThrow(
      /^neighbour joining: takes at most \d+ taxa, whose distances( and variances)? fill 4 GiB, got \d+$/,
    );
  });
});

describe("a long request", () => {
  const n = 1000;
  const distances = Float32Array.from(
    { length: condensedLength(n) },
    (_, i) => 1 + ((i * 7919) % 1009) / 1009,
  );

  test("reports the joins", async () => {
    const calls: [number, number][] = [];
    await neighborJoining(distances, { progress: (done, total) => calls.push([done, total]) });
    expect(calls.at(-1)).toEqual([n - 3, n - 3]);
    expect(calls.every(([done, total], i) => total === n - 3 && done >= (calls[i - 1]?.[0] ?? 0))).toBe(true);
  });

  test("stops when it is aborted", async () => {
    const controller = new AbortController();
    const promise = neighborJoining(distances, { signal: controller.signal });
    controller.abort(new Error("no longer wanted"));
    await expect(promise).rejects.toThrow("no longer wanted");
    await expect(neighborJoining(distances, { signal: AbortSignal.abort() })).rejects.toThrow("aborted");
    await expect(neighborJoining(Uint8Array.of(1), { signal: AbortSignal.abort() })).rejects.toThrow(
      "aborted",
    );
  });
});
