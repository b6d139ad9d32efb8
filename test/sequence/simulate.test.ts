import { distance } from "fastest-levenshtein";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import { decode, DNA, PROTEIN } from "../../src/sequence/alphabet.ts";
import { birthDeathTree } from "../../src/sequence/birth-death.ts";
import { drawChanges, mutate, syntheticBatch } from "../../src/sequence/mutate.ts";
import { formatNewick, leafNames, parseNewick, type TreeNode } from "../../src/sequence/newick.ts";
import { Random } from "../../src/sequence/random.ts";
import { simulate } from "../../src/sequence/simulate.ts";
import { substitutionModel } from "../../src/sequence/substitution.ts";

const mean = (values: number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("birthDeathTree", () => {
  test("has every leaf once, and parents above their children", () => {
    for (const leaves of [1, 2, 3, 100]) {
      const tree = birthDeathTree({ leaves, death: 0.5, random: new Random(leaves) });
      const seen: number[] = [];
      const stack = [{ node: tree.root, limit: Infinity }];
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        const { node, limit } = top;
        if (node < 0) {
          seen.push(~node);
          continue;
        }
        expect(tree.depth[node]).toBeGreaterThan(0);
        expect(tree.depth[node]).toBeLessThanOrEqual(limit);
        stack.push({ node: tree.right[node], limit: tree.depth[node] });
        stack.push({ node: tree.left[node], limit: tree.depth[node] });
      }
      expect(seen).toEqual(Array.from({ length: leaves }, (_, i) => i));
    }
  });

  test("Yule trees of two leaves: the split is exponential with twice the birth rate", () => {
    // With a flat prior on the origin, the time during which there were k lineages is exponential with rate k·birth.
    const random = new Random(1);
    const depths = Array.from(
      { length: 20_000 },
      () => birthDeathTree({ leaves: 2, birth: 3, random }).depth[0],
    );
    expect(mean(depths)).toBeCloseTo(1 / 6, 2);
  });

  test("Yule trees of ten leaves: the age of the root is the sum of 1/(k·birth)", () => {
    const random = new Random(2);
    const ages = Array.from({ length: 10_000 }, () =>
      Math.max(...birthDeathTree({ leaves: 10, random }).depth),
    );
    let expected = 0;
    for (let k = 2; k <= 10; k++) expected += 1 / k;
    expect(Math.abs(mean(ages) - expected)).toBeLessThan(0.03);
  });

  test("agrees with a birth–death process run forward and kept when two leaves survive", () => {
    // Only the shape of the split's distribution at a given age is compared: depths below age 1, three rates of death.
    for (const death of [0, 0.5, 1]) {
      const random = new Random(3);
      const forward = forwardSplits({ birth: 1, death, age: 1, random, wanted: 1500 });
      const r = 1 - death;
      const cdf = (t: number): number =>
        death === 1 ? t / (1 + t) : (1 - Math.exp(-r * t)) / (1 - death * Math.exp(-r * t));
      const sorted = forward.sort((a, b) => a - b);
      const gap = Math.max(...sorted.map((t, i) => Math.abs(cdf(t) / cdf(1) - (i + 0.5) / sorted.length)));
      expect(gap).toBeLessThan(1.95 / Math.sqrt(sorted.length)); // Kolmogorov–Smirnov, p = 0.001
    }
  });

  test("refuses impossible rates", () => {
    const random = new Random(1);
    expect(() => birthDeathTree({ leaves: 0, random })).toThrow(UsageError);
    expect(() => birthDeathTree({ leaves: 5, birth: 1, death: 2, random })).toThrow(
      "death: must be from 0 to",
    );
    expect(() => birthDeathTree({ leaves: 5, birth: 0, random })).toThrow("birth: must be above 0, got 0");
  });
});

/** Depths at which the two survivors part, in processes run forward from one lineage until `age`. */
function forwardSplits(options: {
  birth: number;
  death: number;
  age: number;
  random: Random;
  wanted: number;
}): number[] {
  const { birth, death, age, random, wanted } = options;
  const splits: number[] = [];
  while (splits.length < wanted) {
    // Each living lineage is the list of the times at which its ancestors split.
    let living: number[][] = [[]];
    let time = 0;
    for (;;) {
      time += random.exponential(living.length * (birth + death));
      if (time >= age || living.length === 0) break;
      const chosen = random.integer(living.length);
      const line = living[chosen];
      living = living.filter((_, i) => i !== chosen);
      if (random.uniform() * (birth + death) < birth) living.push([...line, time], [...line, time]);
    }
    if (living.length !== 2) continue;
    const shared = living[0].filter((t) => living[1].includes(t));
    splits.push(age - shared[shared.length - 1]);
  }
  return splits;
}

describe("substitutionModel", () => {
  const rates = new Float64Array(2000).fill(1);
  const start = (letter: () => number): { codes: Uint8Array; sites: Uint32Array } => ({
    codes: Uint8Array.from({ length: 2000 }, letter),
    sites: Uint32Array.from({ length: 2000 }, (_, i) => i),
  });

  test("JC69: the part of different sites is ¾(1 − e^{−4t/3})", () => {
    const random = new Random(1);
    const model = substitutionModel({ frequencies: [1, 1, 1, 1] });
    for (const t of [0.05, 0.5, 2]) {
      const parts = Array.from({ length: 20 }, () => {
        const a = start(() => model.letter(random));
        const b = model.evolve(a, rates, t, random);
        return mean(Array.from(a.codes, (code, i) => Number(code !== b.codes[i])));
      });
      expect(Math.abs(mean(parts) - 0.75 * (1 - Math.exp((-4 * t) / 3)))).toBeLessThan(0.012);
    }
  });

  test("K80: transitions and transversions have their closed forms", () => {
    const random = new Random(2);
    const kappa = 4;
    const t = 0.4;
    const model = substitutionModel({ frequencies: [1, 1, 1, 1], kappa });
    let transitions = 0;
    let transversions = 0;
    for (let i = 0; i < 20; i++) {
      const a = start(() => model.letter(random));
      const b = model.evolve(a, rates, t, random);
      a.codes.forEach((code, site) => {
        const other = b.codes[site];
        if (code !== other && code % 2 === other % 2) transitions++;
        if (code % 2 !== other % 2) transversions++;
      });
    }
    const e1 = Math.exp((-4 * t) / (kappa + 2));
    const e2 = Math.exp((-2 * t * (kappa + 1)) / (kappa + 2));
    expect(transitions / 40_000).toBeCloseTo(0.25 + 0.25 * e1 - 0.5 * e2, 2);
    expect(transversions / 40_000).toBeCloseTo(0.5 - 0.5 * e1, 2);
  });

  test("HKY85: any sequence drifts to the equilibrium frequencies", () => {
    const random = new Random(3);
    const frequencies = [0.4, 0.1, 0.2, 0.3];
    const model = substitutionModel({ frequencies, kappa: 3 });
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 10; i++) {
      for (const code of model.evolve(
        start(() => 1),
        rates,
        10,
        random,
      ).codes)
        counts[code]++;
    }
    counts.forEach((count, code) => expect(count / 20_000).toBeCloseTo(frequencies[code], 1.7));
  });

  test("sites of rate zero never change, whatever happens beside them", () => {
    const random = new Random(4);
    const model = substitutionModel({ frequencies: [1, 1, 1, 1] });
    const mixed = rates.map((_, i) => (i < 1000 ? 0 : 2));
    const a = start(() => model.letter(random));
    const b = model.evolve(a, mixed, 1, random);
    expect(b.codes.slice(0, 1000)).toEqual(a.codes.slice(0, 1000));
    expect(b.codes.slice(1000)).not.toEqual(a.codes.slice(1000));
  });

  test("insertions and deletions balance, keep sites beside letters, and never empty a sequence", () => {
    const random = new Random(5);
    const model = substitutionModel({ frequencies: [1, 1, 1, 1], indels: 0.5, indelLength: 3 });
    const lengths = Array.from({ length: 20 }, () => {
      const a = start(() => model.letter(random));
      const { codes, sites } = model.evolve(a, rates, 0.5, random);
      expect(sites).toHaveLength(codes.length);
      expect(sites.every((site, i) => i === 0 || site >= sites[i - 1])).toBe(true);
      return codes.length;
    });
    expect(new Set(lengths).size).toBeGreaterThan(10);
    expect(Math.abs(mean(lengths) - 2000)).toBeLessThan(100);
    const tiny = { codes: Uint8Array.of(0), sites: Uint32Array.of(0) };
    for (let i = 0; i < 50; i++) {
      expect(model.evolve(tiny, Float64Array.of(1), 5, random).codes.length).toBeGreaterThan(0);
    }
    expect(tiny.codes).toEqual(Uint8Array.of(0));
  });

  test("refuses parameters outside their domain", () => {
    expect(() => substitutionModel({ frequencies: [1, 0, 1, 1] })).toThrow(UsageError);
    expect(() => substitutionModel({ frequencies: [1, 1], kappa: 0 })).toThrow(
      "kappa: must be above 0, got 0",
    );
    expect(() => substitutionModel({ frequencies: [1, 1], indels: -1 })).toThrow("indels: must be from 0");
    expect(() => substitutionModel({ frequencies: [1, 1], indelLength: 0.5 })).toThrow(
      "indelLength: must be at least 1",
    );
  });
});

describe("simulate", () => {
  test("a seed fixes everything, and every stream can be taken again", () => {
    const options = { leaves: 50, seed: 9 };
    const simulation = simulate(options);
    const records = [...simulation.records()];
    const newick = [...simulation.newick()].join("");
    expect([...simulation.records()]).toEqual(records);
    expect([...simulate(options).newick()].join("")).toBe(newick);
    expect([...simulate(options).records()]).toEqual(records);
    expect([...simulate({ ...options, seed: 10 }).records()]).not.toEqual(records);
  });

  test("the tree comes as text and as nodes, with the leaves in file order", () => {
    const simulation = simulate({ leaves: 40, prefix: "read " });
    const text = [...simulation.newick()].join("");
    expect(formatNewick(simulation.tree())).toBe(text);
    expect(leafNames(parseNewick(text))).toEqual([...simulation.leaves()].map(({ id }) => id));
    expect(text).toContain("'read 1':");
  });

  test("with a strict clock every leaf is `height` below the root", () => {
    const depths: number[] = [];
    const stack: { node: TreeNode; depth: number }[] = [
      { node: simulate({ leaves: 30, height: 0.4, clock: 0 }).tree(), depth: 0 },
    ];
    for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
      const { node, depth } = top;
      if (node.children.length === 0) depths.push(depth);
      for (const child of node.children) stack.push({ node: child, depth: depth + (child.length ?? NaN) });
    }
    expect(depths).toHaveLength(30);
    for (const depth of depths) expect(depth).toBeCloseTo(0.4, 4);
  });

  test("the defaults look like 16S V4: a median near 30 %, a wide spread, close relatives", () => {
    const medians = [1, 2, 3].map((seed) => {
      const sequences = [...simulate({ leaves: 600, seed }).records()].map(({ sequence }) => sequence);
      const random = new Random(seed);
      const spread = Array.from({ length: 400 }, () => {
        const [a, b] = random.sample(600, 2);
        return distance(sequences[a], sequences[b]) / 150;
      }).sort((a, b) => a - b);
      const nearest = sequences
        .slice(0, 40)
        .map((a, i) => Math.min(...sequences.map((b, j) => (i === j ? Infinity : distance(a, b) / 150))));
      expect(mean(sequences.map((s) => s.length))).toBeCloseTo(150, -1);
      expect(spread[380] - spread[20]).toBeGreaterThan(0.08);
      expect(mean(nearest)).toBeLessThan(0.1);
      return spread[200];
    });
    expect(mean(medians)).toBeGreaterThan(0.24);
    expect(mean(medians)).toBeLessThan(0.36);
  });

  test("relatives in the tree are relatives in sequence", () => {
    const sequences = [...simulate({ leaves: 200, seed: 5 }).records()].map(({ sequence }) => sequence);
    const beside = mean(sequences.slice(1).map((s, i) => distance(s, sequences[i])));
    const apart = mean(sequences.slice(100).map((s, i) => distance(s, sequences[i])));
    expect(beside).toBeLessThan(0.6 * apart);
  });

  test("site rates have mean 1 and conserved regions", () => {
    const { siteRates } = simulate({ leaves: 1, length: 3000, gamma: Infinity });
    expect(mean([...siteRates])).toBeCloseTo(1, 9);
    const levels = new Set([...siteRates].map((rate) => rate.toFixed(6)));
    expect(levels.size).toBe(2);
    const slow = [...siteRates].filter((rate) => rate < 1).length / 3000;
    expect(Math.abs(slow - 0.4)).toBeLessThan(0.15);
  });

  test("one leaf is the root itself; protein works too", () => {
    const single = simulate({ leaves: 1, alphabet: PROTEIN, length: 30 });
    const [{ id, codes }] = single.leaves();
    expect({ id, codes }).toEqual({ id: "leaf1", codes: single.root });
    expect([...single.newick()].join("")).toBe("leaf1;");
    const proteins = [...simulate({ leaves: 20, alphabet: PROTEIN }).leaves()];
    expect(new Set(proteins.flatMap(({ codes }) => [...codes])).size).toBe(20);
  });

  test("leaves stream: the first of a large tree comes before the others are made", () => {
    const simulation = simulate({ leaves: 200_000 });
    const first = simulation.leaves().next();
    expect(first.done).toBe(false);
  });

  test("refuses options outside their domain", () => {
    expect(() => simulate({ leaves: 2, length: 0 })).toThrow("length: must be an integer from 1, got 0");
    expect(() => simulate({ leaves: 2, frequencies: [1] })).toThrow("frequencies: must be 4 numbers, got 1");
    for (const bad of [
      { height: -1 },
      { clock: -1 },
      { gamma: 0 },
      { conserved: 2 },
      { region: 0 },
      { conservedRate: 2 },
    ]) {
      expect(() => simulate({ leaves: 2, ...bad })).toThrow(UsageError);
    }
  });
});

describe("mutate and syntheticBatch (SPEC A3, oracle G12)", () => {
  test("the length is preserved, and so is the original", () => {
    const random = new Random(1);
    for (const length of [1, 2, 7, 100]) {
      const codes = Uint8Array.from({ length }, () => random.integer(4));
      const before = codes.slice();
      const changed = mutate(codes, 10, random);
      expect(changed).toHaveLength(length);
      expect(codes).toEqual(before);
      expect(changed.every((code) => code < 4)).toBe(true);
    }
    expect(mutate(new Uint8Array(0), 5, random)).toHaveLength(0);
  });

  test("k changes cost at most k + 1 edits, and none costs none", () => {
    const random = new Random(2);
    for (let k = 0; k < 60; k++) {
      const codes = Uint8Array.from({ length: 80 }, () => random.integer(4));
      const edits = distance(decode(codes, DNA), decode(mutate(codes, k, random), DNA));
      expect(edits).toBeLessThanOrEqual(k === 0 ? 0 : k + 1);
    }
  });

  test("E[k] ≈ 79.8 for length 1024 and max_changes 13", () => {
    const random = new Random(3);
    const draws = Array.from({ length: 40_000 }, () => drawChanges(1024, 13, random));
    expect(Math.min(...draws)).toBeGreaterThanOrEqual(2);
    expect(Math.abs(mean(draws) - (1 + 1024 / 13))).toBeLessThan(1.6); // four standard errors
  });

  test("a batch has its size and length, is seeded, and mixes near with far", () => {
    const batch = syntheticBatch({ random: new Random(4) });
    expect(batch).toHaveLength(50);
    expect(batch.every((codes) => codes.length === 1024)).toBe(true);
    expect(syntheticBatch({ random: new Random(4) })).toEqual(batch);
    const words = batch.slice(0, 20).map((codes) => decode(codes, DNA));
    const distances = words.flatMap((a, i) => words.slice(0, i).map((b) => distance(a, b)));
    expect(Math.min(...distances)).toBeLessThan(60);
    expect(Math.max(...distances)).toBeGreaterThan(150);
  });
});
