/** @file Distance matrices: exact ones are the kernel's, embedded ones the space's in edits. */

import { describe, expect, test } from "vitest";
import { GEOMETRY_NAMES } from "../../src/geometry/index.ts";
import { editDistance } from "../../src/kernel/index.ts";
import { condensedIndex } from "../../src/sequence/condensed.ts";
import { embeddedDistances, exactDistances, samplePairedSets } from "../../src/task/distance.ts";
import { embed } from "../../src/task/embed.ts";
import { readsOf, untrainedModel } from "./models.ts";

describe("exact distances", () => {
  test("of all pairs are condensed, of two sets row by row", async () => {
    const [a, b] = [
      await readsOf({ leaves: 7, length: 20 }),
      await readsOf({ leaves: 4, length: 20, seed: 2 }),
    ];
    const all = await exactDistances(a, undefined, { threads: 1 });
    const cross = await exactDistances(a, b, { threads: 1 });
    expect([...all]).toEqual(a.codes.flatMap((x, i) => a.codes.slice(i + 1).map((y) => editDistance(x, y))));
    expect([...cross]).toEqual(a.codes.flatMap((x) => b.codes.map((y) => editDistance(x, y))));
  });

  test("stop at a threshold, or at a signal", async () => {
    const a = await readsOf({ leaves: 30, length: 60 });
    const all = await exactDistances(a, undefined, { threads: 1 });
    const near = await exactDistances(a, undefined, { threads: 1, threshold: 4 });
    expect(near).toEqual(all.map((d) => Math.min(d, 5)));
    const signal = AbortSignal.abort();
    await expect(exactDistances(a, undefined, { threads: 1, signal })).rejects.toThrow();
  });
});

describe("embedded distances", () => {
  test.each(GEOMETRY_NAMES)("in %s space are n times the space's", async (geometry) => {
    // More columns than fit a block's rows, fewer than its columns.
    const a = await readsOf({ leaves: 140, length: 20 });
    const model = await untrainedModel({ length: 32, geometry });
    try {
      const points = await embed(model, a);
      const dims = points.length / 140;
      const point = (i: number) => points.subarray(i * dims, (i + 1) * dims);
      const { parameters } = model.manifest.space;
      const all = await embeddedDistances(model, a, undefined, { threads: 1 });
      const cross = await embeddedDistances(model, a, a, { threads: 1 });
      expect([all.length, cross.length]).toEqual([(140 * 139) / 2, 140 * 140]);
      for (const [i, j] of [[0, 1], [0, 139], [5, 130], [127, 128], [138, 139]]) {
        const expected = 32 * model.space.exactDistance(point(i), point(j), parameters);
        const tolerance = 1e-3 * expected + 1e-6;
        expect(Math.abs(all[condensedIndex(i, j, 140)] - expected)).toBeLessThan(tolerance);
        expect(Math.abs(cross[i * 140 + j] - expected)).toBeLessThan(tolerance);
      } // prettier-ignore
    } finally {
      await model.close();
    }
  });
});

describe("sets whose pairs stand for all", () => {
  test("are the sets themselves where there are few", async () => {
    const [a, b] = [await readsOf({ leaves: 7, length: 20 }), await readsOf({ leaves: 4, length: 20 })];
    expect(samplePairedSets(a, undefined, { pairs: 21 })[0]).toBe(a);
    expect(samplePairedSets(a, b, { pairs: 28 })).toEqual([a, b]);
  });

  test.each([20, 10, 3, 1])("are drawn by seed to make at most %i pairs", async (pairs) => {
    const [a, b] = [await readsOf({ leaves: 7, length: 20 }), await readsOf({ leaves: 4, length: 20 })];
    const drawn = ([x, y]: ReturnType<typeof samplePairedSets>) => [x.ids, y?.ids];
    const [one] = samplePairedSets(a, undefined, { pairs });
    const n = one.ids.length;
    expect((n * (n - 1)) / 2).toBeLessThanOrEqual(pairs);
    expect((n * (n + 1)) / 2).toBeGreaterThan(pairs);
    expect(one.ids).toEqual(a.ids.filter((id) => one.ids.includes(id)));
    const [rows, columns] = samplePairedSets(a, b, { pairs });
    expect(rows.ids.length * columns!.ids.length).toBeLessThanOrEqual(pairs);
    expect(rows.ids.length * columns!.ids.length).toBeGreaterThan(pairs / 2);
    expect(drawn(samplePairedSets(a, b, { pairs, seed: 1 }))).toEqual(drawn([rows, columns]));
  });
});
