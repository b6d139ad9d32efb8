/** @file What two trees have in common, against definitions at length. */

import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { leafNames, parseNewick } from "../../../src/sequence/newick.ts";
import { Random } from "../../../src/sequence/random.ts";
import { pearson } from "../../../src/task/correlation.ts";
import { compactTree, type CompactTree } from "../../../src/task/tree/compact-tree.ts";
import { compareTrees } from "../../../src/task/tree/compare.ts";
import { compareSplits } from "../../../src/task/tree/splits.ts";
import { compareTriplets } from "../../../src/task/tree/triplets.ts";
import {
  bornTree,
  caterpillar,
  drawnTree,
  manyTrees,
  outsider,
  pairs,
  pathLength,
  splits,
  star,
} from "./drawn-trees.ts";

const tree = (newick: string): CompactTree => {
  const root = parseNewick(newick);
  return compactTree(root, leafNames(root).sort());
};

/** Every tree with every other, and with itself. */
const combinations = (trees: CompactTree[]) => trees.flatMap((a) => trees.map((b) => [a, b] as const));

describe("splits", () => {
  test.each([false, true])("are those of explicit sets of leaves; rooted: %s", (rooted) => {
    const leaves = 14;
    const most = rooted ? leaves - 1 : leaves - 2;
    const known = (key: string) => {
      const size = key.split(",").length;
      return size < 2 || size > most;
    };
    for (const [a, b] of combinations(manyTrees(leaves, 3))) {
      const [inA, inB] = [splits(a, rooted), splits(b, rooted)];
      const all = [...new Set([...inA.keys(), ...inB.keys()])];
      const counts = [inA, inB].map((each) => [...each.keys()].filter((key) => !known(key)).length);
      const apart = all.filter((key) => !known(key) && inA.has(key) !== inB.has(key)).length;
      const squares = all.map((key) => ((inA.get(key) ?? 0) - (inB.get(key) ?? 0)) ** 2);
      const found = compareSplits(a, b, { rooted });
      expect(found).toMatchObject({
        splitsReference: counts[0],
        splitsOther: counts[1],
        robinsonFoulds: apart,
        normalizedRF: apart === 0 ? 0 : apart / (counts[0] + counts[1]),
      });
      expect(found.robinsonFoulds).toBe(counts[0] + counts[1] - 2 * found.splitsShared);
      expect(found.branchScore).toBeCloseTo(Math.sqrt(squares.reduce((sum, each) => sum + each, 0)), 9);
    }
  });

  test("of a tree rooted elsewhere are the same, its clades are not", () => {
    const here = tree("(((a:1,b:2):3,c:4):5,(d:6,(e:7,f:8):9):10);");
    const elsewhere = tree("((a:1,b:2):1,(c:4,((e:7,f:8):9,d:6):15):2);");
    const unrooted = compareSplits(here, elsewhere);
    expect(unrooted).toMatchObject({ splitsShared: 3, robinsonFoulds: 0, normalizedRF: 0 });
    expect(unrooted.branchScore).toBeCloseTo(0, 12);
    expect(compareSplits(here, elsewhere, { rooted: true })).toMatchObject({
      splitsReference: 4,
      splitsOther: 4,
      splitsShared: 3,
      robinsonFoulds: 2,
      normalizedRF: 0.25,
    });
  });

  test("of two resolutions of a quartet are apart", () => {
    expect(compareSplits(tree("((a,b),(c,d));"), tree("((a,c),(b,d));"))).toMatchObject({
      splitsReference: 1,
      splitsOther: 1,
      robinsonFoulds: 2,
      normalizedRF: 1,
    });
  });

  test("that only one tree resolves count once", () => {
    expect(compareSplits(tree("((a,b),c,(d,e));"), tree("(a,b,c,(d,e));"))).toMatchObject({
      splitsReference: 2,
      splitsOther: 1,
      robinsonFoulds: 1,
      normalizedRF: 1 / 3,
    });
  });

  test("branch score: lengths of leaves count, a missing branch has length 0", () => {
    const [a, b] = [tree("((a:1,b:1):2,c:1,d:1);"), tree("(a:1,b:4,c:1,d:1);")];
    expect(compareSplits(a, b).branchScore).toBeCloseTo(Math.sqrt(9 + 4), 12);
  });
});

describe("triplets", () => {
  /** Share of triples that are resolved differently, one by one. */
  const byDefinition = (a: CompactTree, b: CompactTree) => {
    const triples = pairs(a.leaves).flatMap(([i, j]) =>
      Array.from({ length: a.leaves - j - 1 }, (_, k) => [i, j, j + 1 + k]),
    );
    return triples.filter((triple) => outsider(a, triple) !== outsider(b, triple)).length / triples.length;
  };

  test("are compared exactly for trees of all shapes", () => {
    for (const [a, b] of combinations(manyTrees(13, 4))) {
      expect(compareTriplets(a, b)).toEqual({
        tripletDistance: byDefinition(a, b),
        tripletInterval: null,
        triplesSampled: null,
      });
    }
  });

  test("are compared exactly for trees of all sizes", () => {
    const shape = fc.integer({ min: 2, max: 7 });
    fc.assert(
      fc.property(fc.integer({ min: 3, max: 11 }), shape, shape, fc.nat(), (leaves, one, two, seed) => {
        const random = new Random(seed);
        const [a, b] = [drawnTree(leaves, random, one), drawnTree(leaves, random, two)];
        expect(compareTriplets(a, b).tripletDistance).toBe(byDefinition(a, b));
        expect(compareTriplets(b, a).tripletDistance).toBe(byDefinition(a, b));
      }),
      { numRuns: 60, seed: 2 },
    );
  });

  test("of an unresolved tree all differ from those of a resolved one", () => {
    expect(compareTriplets(star(9), caterpillar(9)).tripletDistance).toBe(1);
    expect(compareTriplets(star(9), star(9)).tripletDistance).toBe(0);
  });

  test("of two random binary trees differ in two of three", () => {
    const random = new Random(6);
    const [a, b] = [drawnTree(300, random), drawnTree(300, random)];
    expect(compareTriplets(a, b).tripletDistance).toBeCloseTo(2 / 3, 1);
  });

  test("that are sampled estimate all, with an interval that is reproducible", () => {
    const trees = manyTrees(60, 5);
    let covered = 0;
    for (const [a, b] of combinations(trees)) {
      const { tripletDistance } = compareTriplets(a, b);
      const sample = compareTriplets(a, b, { exactUpTo: 10, samples: 2000, seed: 3 });
      expect(sample.triplesSampled).toBe(2000);
      const [low, high] = sample.tripletInterval!;
      expect(Math.abs(sample.tripletDistance - tripletDistance)).toBeLessThan(0.05);
      expect(high - low).toBeLessThan(0.05);
      if (low <= tripletDistance && tripletDistance <= high) covered++;
      expect(compareTriplets(a, b, { exactUpTo: 10, samples: 2000, seed: 3 })).toEqual(sample);
    }
    expect(covered / trees.length ** 2).toBeGreaterThan(0.85);
  });

  test("a sample of none is refused", () => {
    expect(() => compareTriplets(star(5), star(5), { exactUpTo: 1, samples: 0 })).toThrow(
      "samples: must be a positive integer, got 0",
    );
  });
});

describe("cophenetic correlation", () => {
  test("is Pearson's of the lengths of paths, and of those and distances", () => {
    const random = new Random(9);
    const all = pairs(15);
    const distances = Uint16Array.from(all, () => random.integer(100));
    for (const [a, b] of combinations([
      drawnTree(15, random),
      drawnTree(15, random, 4),
      bornTree(15, random),
    ])) {
      const [inA, inB] = [a, b].map((each) => all.map(([i, j]) => pathLength(each, i, j)));
      const found = compareTrees(a, b, { distances });
      expect(found.copheneticCorrelation).toBeCloseTo(pearson(inA, inB), 10);
      expect(found.copheneticReference).toBeCloseTo(pearson(inA, distances), 10);
      expect(found.copheneticOther).toBeCloseTo(pearson(inB, distances), 10);
    }
  });

  test("does not lose its digits to a mean that is far greater than the differences", () => {
    const random = new Random(10);
    const [a, b] = [drawnTree(12, random), drawnTree(12, random)];
    // Every path is longer by two million.
    const longer = (each: CompactTree): CompactTree => ({
      ...each,
      length: each.length.map((length, i) => (i < 12 ? length + 1e6 : length)),
    });
    const { copheneticCorrelation } = compareTrees(a, b);
    expect(compareTrees(longer(a), longer(b)).copheneticCorrelation).toBeCloseTo(copheneticCorrelation!, 8);
  });

  test("is that of SciPy's cophenet for a dendrogram", () => {
    // scipy.cluster.hierarchy.cophenet(average([2, 4, 5, 4, 6, 3]), [2, 4, 5, 4, 6, 3])[0]
    const average = tree("((a:1,b:1):1.375,(c:1.5,d:1.5):0.875);");
    const distances = Float32Array.of(2, 4, 5, 4, 6, 3);
    expect(compareTrees(average, average, { distances }).copheneticOther).toBeCloseTo(0.85146931829632, 12);
  });

  test("is null where all paths are as long", () => {
    const random = new Random(11);
    const even = { ...star(40), length: new Float64Array(41).fill(0.1, 0, 40) };
    const other = drawnTree(40, random);
    const distances = new Uint16Array(780).fill(3);
    expect(compareTrees(even, other, { distances })).toMatchObject({
      copheneticCorrelation: null,
      copheneticReference: null,
      copheneticOther: null,
    });
  });

  test("of trees without lengths counts branches, and says so", () => {
    const [bare, ones] = [tree("((a,(b,c)),d,e);"), tree("((a:1,(b:1,c:1):1):1,d:1,e:1);")];
    const lengths = tree("((a:1,b:2):3,(c:4,d:1):2,e:2);");
    const found = compareTrees(bare, lengths);
    expect(found).toMatchObject({ withoutLengths: ["reference"], branchScore: null });
    expect(found.copheneticCorrelation).toBe(compareTrees(ones, lengths).copheneticCorrelation);
    expect(compareTrees(bare, bare)).toMatchObject({
      withoutLengths: ["reference", "other"],
      copheneticCorrelation: 1,
    });
    expect(compareTrees(ones, lengths)).toMatchObject({ withoutLengths: [] });
  });

  test("tells how far it is", () => {
    const calls: number[][] = [];
    compareTrees(caterpillar(4), star(4), { progress: (...call) => calls.push(call) });
    expect(calls).toEqual([[1, 3], [2, 3], [3, 3]]); // prettier-ignore
  });
});

describe("trees of few leaves", () => {
  const none = {
    rooted: false,
    splitsReference: 0,
    splitsOther: 0,
    splitsShared: 0,
    robinsonFoulds: 0,
    normalizedRF: 0,
    triplesSampled: null,
    tripletInterval: null,
  };

  test("one leaf", () => {
    const one = tree("a:3;");
    expect(compareTrees(one, one, { distances: new Uint16Array(0), length: 5 })).toEqual({
      ...none,
      leaves: 1,
      branchScore: 0,
      tripletDistance: 0,
      copheneticCorrelation: null,
      copheneticReference: null,
      copheneticOther: null,
      dasguptaReference: 0,
      dasguptaOther: 0,
      dasguptaIncreasePercent: null,
      withoutLengths: [],
    });
  });

  test("two leaves", () => {
    const [a, b] = [tree("(a:1,b:2);"), tree("(a:3,b:3);")];
    expect(compareTrees(a, b, { distances: Uint16Array.of(2), length: 4 })).toEqual({
      ...none,
      leaves: 2,
      branchScore: 3,
      tripletDistance: 0,
      copheneticCorrelation: null,
      copheneticReference: null,
      copheneticOther: null,
      dasguptaReference: 1,
      dasguptaOther: 1,
      dasguptaIncreasePercent: 0,
      withoutLengths: [],
    });
  });

  test("three leaves", () => {
    const [a, b] = [tree("((a:1,b:1):1,c:2);"), tree("(a:2,(b:1,c:1):1);")];
    expect(compareTrees(a, b, { distances: Uint16Array.of(0, 4, 4), length: 4 })).toEqual({
      ...none,
      leaves: 3,
      // Without the root, the branch of the lone leaf is 3 long.
      branchScore: expect.closeTo(Math.sqrt(8), 12) as number,
      tripletDistance: 1,
      copheneticCorrelation: expect.closeTo(-0.5, 12) as number,
      copheneticReference: expect.closeTo(1, 12) as number,
      copheneticOther: expect.closeTo(-0.5, 12) as number,
      dasguptaReference: 2,
      dasguptaOther: 3,
      dasguptaIncreasePercent: 50,
      withoutLengths: [],
    });
    expect(compareTrees(a, b, { rooted: true })).toMatchObject({
      rooted: true,
      robinsonFoulds: 2,
      normalizedRF: 1,
      dasguptaReference: null,
      dasguptaOther: null,
      dasguptaIncreasePercent: null,
    });
  });
});

test("a tree is like itself, whatever the order of its children", () => {
  const random = new Random(12);
  const one = drawnTree(200, random, 4);
  // Inner nodes of one depth may be numbered in any order that keeps parents behind children: here, by depth.
  const depth = new Int32Array(one.parent.length);
  for (let i = one.parent.length - 2; i >= 0; i--) depth[i] = depth[one.parent[i]] + 1;
  const inner = Array.from({ length: one.parent.length - 200 }, (_, i) => 200 + i);
  random.shuffle(inner).sort((a, b) => depth[b] - depth[a]);
  const old = [...Array.from({ length: 200 }, (_, i) => i), ...inner];
  const number = new Map(old.map((node, i) => [node, i]));
  const again: CompactTree = {
    leaves: 200,
    parent: Int32Array.from(old, (node) => number.get(one.parent[node]) ?? -1),
    length: Float64Array.from(old, (node) => one.length[node]),
  };
  expect(again.parent).not.toEqual(one.parent);
  for (const rooted of [false, true]) {
    expect(compareTrees(one, again, { rooted })).toMatchObject({
      robinsonFoulds: 0,
      normalizedRF: 0,
      branchScore: 0,
      tripletDistance: 0,
      copheneticCorrelation: expect.closeTo(1, 12) as number,
    });
  }
});

test("caterpillars of 100,000 leaves overflow no stack", () => {
  const one = caterpillar(100_000);
  expect(compareSplits(one, one)).toMatchObject({ splitsShared: 99_997, robinsonFoulds: 0, branchScore: 0 });
  expect(compareTriplets(one, one, { samples: 1000 })).toMatchObject({ tripletDistance: 0 });
});

test("trees of different sizes are refused", () => {
  expect(() => compareTrees(star(3), star(4))).toThrow("trees: must have the same leaves, got 3 and 4");
});

const file = join(process.env.EMBRANCH_DATA ?? "../shared/data", "16s-full/gg85.tree");

describe.skipIf(!existsSync(file))(
  "a tree of 4,797 16S genes (needs ../shared/data or EMBRANCH_DATA)",
  () => {
    const root = parseNewick(readFileSync(file, "utf8"), { file });
    const real = compactTree(root, leafNames(root));

    test("is like itself", () => {
      expect(compareTrees(real, real)).toMatchObject({
        leaves: 4797,
        splitsShared: 4794,
        robinsonFoulds: 0,
        branchScore: 0,
        tripletDistance: 0,
        copheneticCorrelation: 1,
      });
    });

    test("has one split and few triples less where one branch is contracted", () => {
      // The node above leaves 0 and 1 and others is dropped, its children hang from its parent.
      const dropped = real.parent[real.parent[real.parent[0]]];
      const up = (node: number) => (node > dropped ? node - 1 : node);
      const kept = Array.from(real.parent.keys()).filter((node) => node !== dropped);
      const contracted: CompactTree = {
        leaves: real.leaves,
        parent: Int32Array.from(kept, (node) => {
          const above = real.parent[node] === dropped ? real.parent[dropped] : real.parent[node];
          return above < 0 ? -1 : up(above);
        }),
        length: Float64Array.from(kept, (node) => real.length[node]),
      };
      const found = compareTrees(real, contracted);
      expect(found).toMatchObject({ splitsReference: 4794, splitsOther: 4793, robinsonFoulds: 1 });
      expect(found.branchScore).toBeCloseTo(real.length[dropped], 12);
      expect(found.tripletDistance).toBeGreaterThan(0);
      expect(found.tripletDistance).toBeLessThan(1e-3);
      expect(found.copheneticCorrelation).toBeGreaterThan(0.99);
    });
  },
);
