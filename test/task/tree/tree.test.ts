/** @file Which routes lead to a tree, and how many sequences each of them takes. */

import { describe, expect, test } from "vitest";
import type { Model } from "../../../src/engine/model-file.ts";
import { UsageError } from "../../../src/error.ts";
import type { SequenceSet } from "../../../src/sequence/index.ts";
import { sequenceTree, type TreeMethod } from "../../../src/task/tree/tree.ts";
import { readsOf } from "../models.ts";

/** A set of so many sequences, none of which is ever looked at. */
const many = (count: number) =>
  ({ ids: { length: count }, codes: { length: count } }) as unknown as SequenceSet;

describe("too many sequences are refused before anything is computed", () => {
  test.each<[TreeMethod, number]>([
    ["average", 32_000],
    ["ward", 32_000],
    ["nj", 32_700],
    ["bionj", 23_100],
  ])("by %s", async (method, most) => {
    const tree = sequenceTree(many(most + 1), undefined, { method });
    await expect(tree).rejects.toThrow(UsageError);
    await expect(tree).rejects.toThrow(
      `tree: ${method} takes at most ${most} sequences, got ${most + 1}; average and single linkage take more with a model (-m)`,
    );
  });
});

test("a graph of neighbours is for average and single linkage by a model", async () => {
  const set = await readsOf({ leaves: 5, length: 20 });
  await expect(sequenceTree(set, undefined, { coarsen: 3 })).rejects.toThrow(
    /by a model, got average linkage/,
  );
  const model = {} as Model;
  await expect(sequenceTree(set, model, { coarsen: 3, method: "ward" })).rejects.toThrow(/got ward linkage/);
});

test("a space without ordinary vectors is refused by what would need them", async () => {
  const set = await readsOf({ leaves: 5, length: 20 });
  const model = { space: { name: "manhattan", indexMetric: null } } as unknown as Model;
  await expect(sequenceTree(set, model, { coarsen: 3 })).rejects.toThrow(
    /^tree: --coarsen needs a space of ordinary vectors .*, got a model in manhattan space$/,
  );
  await expect(sequenceTree(many(20_001), model)).rejects.toThrow(/^tree: more than 20000 sequences need a/);
});
