/** @file Simulated classes: splits by clades, classes on both sides, trees and stars of one divergence. */

import { describe, expect, test } from "vitest";
import {
  CONDITION_TASKS,
  conditionData,
  expectedDifference,
  matchedStar,
  type Condition,
} from "../../src/bench/condition-data.ts";
import {
  chooseConditions,
  conditionGrid,
  conditionName,
  conditionSet,
} from "../../src/bench/hge-conditions.ts";
import { UsageError } from "../../src/error.ts";
import { birthDeathTree } from "../../src/sequence/birth-death.ts";
import { Random } from "../../src/sequence/index.ts";
import { dataDigest } from "../../src/task/classify/digest.ts";
import { substitutionModel } from "../../src/sequence/substitution.ts";

const base: Condition = { task: "inter-tree", death: 0, model: "JC69", length: 60, scale: 0.2, tips: 120 };
const condition = (changes: Partial<Condition>): Condition => ({ ...base, ...changes });

/** Share of sites in which two sequences differ. */
const difference = (a: Uint8Array, b: Uint8Array): number =>
  a.reduce((sum, code, i) => sum + Number(code !== b[i]), 0) / a.length;

/** Mean difference of the pairs of some sequences. */
function meanDifference(codes: readonly Uint8Array[]): number {
  let sum = 0;
  let pairs = 0;
  codes.forEach((a, i) => {
    for (const b of codes.slice(i + 1)) {
      sum += difference(a, b);
      pairs++;
    }
  });
  return sum / pairs;
}

describe.each(CONDITION_TASKS)("%s", (task) => {
  const { labelled, clades } = conditionData(condition({ task }), 1);
  const { set, labels, splits } = labelled;

  test("has both classes in every part, of about the sizes that were asked for", () => {
    const shares = { train: 0.65, dev: 0.1, test: 0.25 };
    for (const [part, share] of Object.entries(shares)) {
      const own = [...labels.keys()].filter((i) => splits![i] === part);
      expect(Math.abs(own.length / labels.length - share)).toBeLessThan(0.07);
      expect(new Set(own.map((i) => labels[i]))).toEqual(new Set([0, 1]));
    }
    expect(set.codes).toHaveLength(240);
    expect(new Set(set.codes.map(({ length }) => length))).toEqual(new Set([60]));
    const ones = labels.reduce((sum, label) => sum + label, 0) / labels.length;
    expect(ones).toBeGreaterThan(0.33);
    expect(ones).toBeLessThan(0.67);
  });

  test("has whole clades in one part, of at most a twentieth of a class", () => {
    const parts = new Map<number, Set<string | undefined>>();
    const classes = new Map<number, Set<number>>();
    const sizes = new Map<number, number>();
    clades.forEach((clade, i) => {
      parts.set(clade, (parts.get(clade) ?? new Set()).add(splits![i]));
      classes.set(clade, (classes.get(clade) ?? new Set()).add(labels[i]));
      sizes.set(clade, (sizes.get(clade) ?? 0) + 1);
    });
    for (const each of [...parts.values(), ...classes.values()]) expect(each.size).toBe(1);
    expect(Math.max(...sizes.values())).toBeLessThanOrEqual(0.05 * 160);
  });

  test("is decided by its seed", () => {
    const again = conditionData(condition({ task }), 1).labelled;
    expect(again).toEqual(labelled);
    const other = conditionData(condition({ task }), 2).labelled;
    expect(other.set.codes).not.toEqual(set.codes);
  });
});

test("relatives in one part are closer than sequences of two parts", () => {
  const { labelled, clades } = conditionData(condition({ length: 200, scale: 0.05 }), 3);
  const { set, labels, splits } = labelled;
  let [nearest, apart] = [Infinity, Infinity];
  for (let i = 0; i < 120; i++) {
    if (splits![i] !== "test") continue;
    for (let j = 0; j < 120; j++) {
      if (i === j || labels[i] !== labels[j]) continue;
      const between = difference(set.codes[i], set.codes[j]);
      if (clades[i] === clades[j]) nearest = Math.min(nearest, between);
      if (splits![j] === "train") apart = Math.min(apart, between);
    }
  }
  expect(nearest).toBeLessThan(apart);
});

describe.each(["JC69", "HKY85"] as const)("%s", (model) => {
  test("the expected difference is that of simulated branches", () => {
    const parameters = { JC69: { frequencies: [1, 1, 1, 1], kappa: 1 }, HKY85: { frequencies: [3, 2, 2, 3], kappa: 4 } };
    const evolution = substitutionModel(parameters[model]);
    const random = new Random(5);
    const sites = 40_000;
    const start = {
      codes: Uint8Array.from({ length: sites }, () => evolution.letter(random)),
      sites: Uint32Array.from({ length: sites }, (_, i) => i),
    };
    for (const length of [0.1, 0.5, 2]) {
      const end = evolution.evolve(start, new Float64Array(sites).fill(1), length, random);
      expect(Math.abs(difference(start.codes, end.codes) - expectedDifference(model, length))).toBeLessThan(0.01);
    }
    expect(expectedDifference("JC69", 0.5)).toBeCloseTo(0.75 * (1 - Math.exp(-2 / 3)), 12);
  }); // prettier-ignore

  test.each([0.05, 0.2, 1])("tree and star of scale %f are as old and as diverse", (scale) => {
    const tree = birthDeathTree({ leaves: 50, death: 0.5, random: new Random(2) });
    const { stem, branch } = matchedStar(tree, { model, scale });
    expect(stem + branch).toBeCloseTo(scale * tree.depth[tree.root]);
    expect(stem).toBeGreaterThan(0);

    const { labelled } = conditionData(
      condition({ task: "tree-star", model, scale, tips: 100, length: 1000 }),
      7,
    );
    const [onTree, onStar] = [0, 1].map((k) =>
      meanDifference(labelled.set.codes.filter((_, i) => labelled.labels[i] === k)),
    );
    expect(Math.abs(onTree - onStar) / onTree).toBeLessThan(0.05);
  });
});

test("a motif stands in one class alone, as often changed as the scale says", () => {
  const { labelled } = conditionData(condition({ task: "motif", scale: 1e-6, tips: 60 }), 1);
  const words = (label: number) =>
    labelled.set.codes
      .filter((_, i) => labelled.labels[i] === label)
      .map((codes) => Array.from(codes, (code) => "ACGT"[code]).join(""));
  const [background, planted] = [words(0), words(1)];
  const candidates = Array.from({ length: 60 - 11 }, (_, i) => planted[0].slice(i, i + 12));
  const motif = candidates.find((word) => planted.every((text) => text.includes(word)));
  expect(motif).toBeDefined();
  expect(background.some((text) => text.includes(motif!))).toBe(false);
});

describe("the grid", () => {
  test("varies the task and the divergence, and in full all else", () => {
    const reduced = conditionGrid("reduced");
    expect(reduced).toHaveLength(4 * 3);
    expect(new Set(reduced.map(conditionName)).size).toBe(12);
    expect(conditionName(reduced[0])).toBe("inter-tree, s 0.05, death 0, JC69, 200 letters, 2 × 800");
    const full = conditionGrid("full");
    expect(full).toHaveLength(2 * 2 * 3 * 3 * (3 * 2 + 1));
    expect(new Set(full.map(conditionName)).size).toBe(full.length);
  });

  test("is chosen by tasks and scales", () => {
    expect(chooseConditions(conditionGrid("reduced"), ["motif"])).toHaveLength(3);
    expect(chooseConditions(conditionGrid("reduced"), ["motif", "inter-tree", "s=0.2"])).toHaveLength(2);
    expect(chooseConditions(conditionGrid("reduced"), ["s=1"])).toHaveLength(4);
    expect(chooseConditions(conditionGrid("reduced"), [])).toHaveLength(12);
    expect(() => chooseConditions(conditionGrid("reduced"), ["trees"])).toThrow(UsageError);
  });

  test("has δ of each seed's data", async () => {
    const set = conditionSet(condition({ scale: 0.05, tips: 60 }), { threads: 1 });
    expect(set.data(1)).toBe(dataDigest(conditionData(condition({ scale: 0.05, tips: 60 }), 1).labelled));
    expect(set.data(1)).not.toBe(set.data(2));
    const delta = async (seed: number) => (await set.load(seed)).facts.relativeDelta!;
    const [one, two] = [await delta(1), await delta(2)];
    expect(one).toBe(await delta(1));
    expect(one).not.toBe(two);
    for (const value of [one, two]) {
      expect(value).toBeGreaterThan(0);
      expect(value).toBeLessThan(0.6);
    }
  });
});
