import { describe, expect, test } from "vitest";
import { UsageError } from "../../../src/error.ts";
import { Random } from "../../../src/sequence/random.ts";
import { linkageTree } from "../../../src/task/tree/compact-tree.ts";
import { diskFigure } from "../../../src/task/tree/disk-figure.ts";
import { spanningLinkage } from "../../../src/task/tree/spanning-tree.ts";

/** Leaves at these angles with their tree. */
function clustered(angles: number[], radius = 0.9) {
  const points = angles.flatMap((angle) => [radius * Math.cos(angle), radius * Math.sin(angle)]);
  return { points, tree: linkageTree(spanningLinkage({ points, rank: 2, radius })) };
}

const { points, tree } = clustered([0.1, 0.35, 0.5, 1.9, 2, 2.4, 3.6, 3.61, 5, 5.3]);
const names = [
  "Ash",
  "Beech",
  "Cedar",
  "Larch",
  "Pine",
  "Fir",
  "Rose",
  "Briar",
  "Moss",
  "Fern & <hart's tongue>",
];
const groups = ["a", "a", "a", "b", "b", "b", "c", "c", "d", "d"];

const occurrences = (svg: string, pattern: RegExp) => [...svg.matchAll(pattern)].length;

describe("the picture of the disk", () => {
  test("shows names and groups", async () => {
    const svg = diskFigure(tree, points, { names, groups, title: "Ten plants" });
    await expect(svg).toMatchFileSnapshot("figures/disk.svg");
  });

  test("is an image with a title and a description", () => {
    const svg = diskFigure(tree, points);
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg" role="img"/);
    expect(svg).toContain("<title>10 leaves in the Poincaré disk</title><desc>Hierarchical clustering of 10");
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
  });

  test("draws every leaf, the root, and a branch for every node but it", () => {
    const svg = diskFigure(tree, points);
    expect(occurrences(svg, /<circle cx/g)).toBe(10 + 1);
    const [, branches] = /<path d="(M[^"]+)" fill="none"/.exec(svg)!;
    expect(occurrences(branches, /[AL]/g)).toBe(2 * 10 - 2);
  });

  test("draws branches along circles at right angles to the rim", () => {
    const svg = diskFigure(...([tree, points, { norm: 0.9 }] as const));
    const arcs = [
      ...svg.matchAll(/M?(-?[\d.]+),(-?[\d.]+)A([\d.]+),[\d.]+ 0 0 ([01]) (-?[\d.]+),(-?[\d.]+)/g),
    ];
    expect(arcs.length).toBeGreaterThan(4);
    for (const [, ...numbers] of arcs) {
      const [x, y, size, sweep, X, Y] = numbers.map(Number);
      const chord = Math.hypot(X - x, Y - y);
      const sign = sweep === 1 ? 1 : -1;
      const back = Math.sqrt(Math.max(0, size ** 2 - chord ** 2 / 4));
      const centre = [
        (x + X) / 2 - (sign * back * (Y - y)) / chord,
        (y + Y) / 2 + (sign * back * (X - x)) / chord,
      ];
      // The centre of such a circle is √(1 + r²) away from that of the unit circle; short arcs are rounded.
      if (chord > 30) expect(Math.hypot(...centre) / Math.hypot(300, size)).toBeCloseTo(1, 1);
    }
  });

  test("colours the branches of groups and names them", () => {
    const svg = diskFigure(tree, points, { groups });
    for (const group of ["a", "b", "c", "d"]) expect(svg).toContain(`>${group}</text>`);
    expect(occurrences(svg, /<path d="M[^"]+" fill="none" stroke="[^"]+" stroke-width="1.2"/g)).toBe(5);
  });

  test("moves names apart that would overlap", () => {
    const close = clustered(Array.from({ length: 30 }, (_, i) => 1 + i / 1000));
    const svg = diskFigure(close.tree, close.points, {
      names: Array.from({ length: 30 }, (_, i) => `leaf ${i}`),
    });
    const degrees = [...svg.matchAll(/rotate\((-?[\d.]+)\)/g)].map(([, angle]) => Number(angle) % 180);
    const sorted = degrees.toSorted((a, b) => a - b);
    for (let i = 1; i < sorted.length; i++) expect(sorted[i] - sorted[i - 1]).toBeGreaterThan(2);
  });

  test("stays small for a big tree, and writes no names", () => {
    const random = new Random(1);
    const many = clustered(Array.from({ length: 10_000 }, () => 6.28 * random.uniform()));
    const svg = diskFigure(many.tree, many.points, {
      names: Array.from({ length: 10_000 }, (_, i) => `read${i}`),
    });
    expect(svg.length).toBeLessThan(800_000);
    expect(svg).not.toContain("read1");
  });

  test("draws one leaf, and leaves at one place", () => {
    for (const angles of [[1], [1, 1, 1]]) {
      const { tree, points } = clustered(angles);
      expect(diskFigure(tree, points, { names: angles.map((_, i) => `${i}`) })).not.toMatch(/NaN|undefined/);
    }
  });

  test("refuses what does not fit", () => {
    expect(() => diskFigure(tree, points.slice(2))).toThrow(UsageError);
    expect(() => diskFigure(tree, points, { names: ["one"] })).toThrow(
      "names: must be 10, one a leaf, got 1",
    );
    expect(() =>
      diskFigure(
        tree,
        points.map((value) => 2 * value),
      ),
    ).toThrow("points: must have norms below 1");
    expect(() => diskFigure(tree, points, { norm: 1 })).toThrow("norm: must be above 0 and below 1, got 1");
  });
});
