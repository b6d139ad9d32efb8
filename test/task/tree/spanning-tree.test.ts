import { describe, expect, test } from "vitest";
import { exactLcaDepth } from "../../../src/geometry/lca.ts";
import { Random } from "../../../src/sequence/random.ts";
import { condensedIndex } from "../../../src/sequence/condensed.ts";
import { linkageTree } from "../../../src/task/tree/compact-tree.ts";
import { leafLinkage, pathLengths } from "../../../src/task/tree/leaf-linkage.ts";
import { pathLength, spanningLinkage, type Leaves } from "../../../src/task/tree/spanning-tree.ts";
import "../../support/allclose.ts";

/** Random leaves at norm 0.9. */
function randomLeaves(count: number, rank: number, seed = 1): Leaves {
  const random = new Random(seed);
  const points = Float64Array.from({ length: count * rank }, () => random.normal());
  return { points, rank, radius: 0.9 };
}

/** Leaves of the plane at these angles. */
function circle(angles: number[], radius = 0.9): Leaves {
  return { points: angles.flatMap((angle) => [Math.cos(angle), Math.sin(angle)]), rank: 2, radius };
}

/** Single linkage by all pairs, ascending, one union after the other: sets of leaves and heights. */
function naive({ points, rank, radius }: Leaves): { height: number; members: string }[] {
  const count = points.length / rank;
  const unit = Array.from({ length: count }, (_, i) => {
    const row = Array.from(points).slice(i * rank, (i + 1) * rank);
    const norm = Math.hypot(...row);
    return row.map((value) => value / norm);
  });
  const pairs: [number, number, number][] = [];
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      pairs.push([unit[i].reduce((sum, value, k) => sum + (value - unit[j][k]) ** 2, 0), i, j]);
    }
  }
  pairs.sort(([a], [b]) => a - b);
  const cluster = unit.map((_, i) => [i]);
  const merges: { height: number; members: string }[] = [];
  for (const [chord, i, j] of pairs) {
    if (cluster[i] === cluster[j]) continue;
    const members = [...cluster[i], ...cluster[j]].sort((a, b) => a - b);
    for (const leaf of members) cluster[leaf] = members;
    merges.push({ height: pathLength(chord, radius), members: members.join() });
  }
  return merges;
}

/** The merges of a linkage as sets of leaves with heights. */
function merged({ left, right, heights }: ReturnType<typeof spanningLinkage>) {
  const count = left.length + 1;
  const members = Array.from({ length: count }, (_, i) => [i]);
  left.forEach((a, k) => members.push([...members[a], ...members[right[k]]].sort((x, y) => x - y)));
  return members.slice(count).map((set, k) => ({ height: heights[k], members: set.join() }));
}

describe("single linkage by a spanning tree", () => {
  test("equals that of all pairs in ascending order", () => {
    for (const rank of [2, 3, 10]) {
      const leaves = randomLeaves(60, rank, rank);
      const [ours, theirs] = [merged(spanningLinkage(leaves)), naive(leaves)];
      expect(ours.map(({ members }) => members)).toEqual(theirs.map(({ members }) => members));
      expect(ours.map(({ height }) => height)).toBeAllclose(
        theirs.map(({ height }) => height),
        { rtol: 1e-9, atol: 1e-12 },
      );
    }
  });

  test("joins equal leaves at height 0 and takes directions alone", () => {
    const { left, right, heights } = spanningLinkage({
      points: [1, 0, 0, 2, 3, 0],
      rank: 2,
      radius: 0.5,
    });
    expect([left[0], right[0], heights[0]]).toEqual([0, 2, 0]);
    expect(heights[1]).toBeCloseTo(2 * (exactLcaDepth(0, 0.5) - exactLcaDepth(2, 0.5)), 12);
  });

  test("has no merges for one leaf and one for two", () => {
    expect(spanningLinkage(circle([1])).left).toHaveLength(0);
    const { left, right, sizes } = spanningLinkage(circle([1, 2]));
    expect([...left, ...right, ...sizes]).toEqual([0, 1, 2]);
  });

  test("makes a tree whose leaves are all as deep as the root is high", () => {
    const { parent, length, leaves } = linkageTree(spanningLinkage(randomLeaves(200, 4)));
    const depths = Array.from({ length: leaves }, (_, i) => {
      let depth = 0;
      for (let node = i; parent[node] >= 0; node = parent[node]) {
        expect(length[node]).toBeGreaterThanOrEqual(0);
        depth += length[node];
      }
      return depth;
    });
    expect(depths).toBeAllclose(new Float64Array(leaves).fill(depths[0]), { rtol: 1e-12 });
  });

  test("keeps leaves apart that are nearer than float32 tells", () => {
    const { heights } = spanningLinkage(circle([0, 1e-9, 3e-9], 0.999));
    expect(heights[0]).toBeLessThan(heights[1]);
  });
});

describe("average linkage of leaves", () => {
  test("links by the mean path length", async () => {
    const leaves = circle([0, 0.2, 1, 2.5]);
    const lengths = pathLengths(leaves);
    const between = (i: number, j: number) => lengths[condensedIndex(i, j, 4)];
    const { heights } = await leafLinkage(leaves, "average");
    expect(heights[0]).toBeAllclose(between(0, 1), { rtol: 1e-6 });
    expect(heights[1]).toBeAllclose((between(0, 2) + between(1, 2)) / 2, { rtol: 1e-6 });
    expect(heights[2]).toBeAllclose((between(0, 3) + between(1, 3) + between(2, 3)) / 3, { rtol: 1e-6 });
  });

  test("path lengths are twice what leaves are deeper than their ancestor", () => {
    const [length] = pathLengths(circle([0, 1.2], 0.7));
    const depth = Math.atanh((2 * 0.7 * Math.cos(0.6)) / (1 + 0.49));
    expect(length).toBeAllclose(2 * (2 * Math.atanh(0.7) - depth), { rtol: 1e-6 });
  });
});
