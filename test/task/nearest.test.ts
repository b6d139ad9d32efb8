/** @file The two ways to the nearest points: keeping the best of a stream, and following a graph. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import { graphDefaults, NearestGraph, type GraphOptions } from "../../src/task/search/nearest-graph.ts";
import { Nearest } from "../../src/task/search/nearest.ts";

describe("the nearest of a stream", () => {
  test("are the first of all, sorted; of equals, those that came first", () => {
    const distance = fc.oneof(fc.nat(6), fc.double({ min: 0, max: 9, noNaN: true }));
    fc.assert(
      fc.property(fc.array(distance, { maxLength: 60 }), fc.integer({ min: 1, max: 20 }), (all, k) => {
        const nearest = new Nearest(k);
        all.forEach((distance, key) => {
          if (distance < nearest.worst) nearest.add(key, distance);
        });
        const sorted = all
          .map((distance, key) => ({ distance, key }))
          .sort((a, b) => a.distance - b.distance);
        expect(nearest.keys()).toEqual(sorted.slice(0, k).map(({ key }) => key));
        expect(nearest.distances()).toEqual(sorted.slice(0, k).map(({ distance }) => distance));
        expect(nearest.worst).toBe(all.length < k ? Infinity : sorted[k - 1].distance);
      }),
      { numRuns: 300 },
    );
  });
});

describe("the graph of neighbours", () => {
  const vectors = Float32Array.from({ length: 100 * 3 }, (_, i) => Math.sin(i * i));
  const rows = Array.from({ length: 100 }, (_, i) => i);
  const graphOf = (metric: "l2" | "cos", options: Partial<GraphOptions> = {}, from = vectors) => {
    const graph = NearestGraph.create(metric, 3, { ...graphDefaults(metric), ...options }, { threads: 1 });
    graph.add(0, from.subarray(0, 180), 60);
    graph.add(60, from.subarray(180), 40);
    return graph;
  };

  test.each(["l2", "cos"] as const)(
    "finds each row by its own vector, one at a time or many, %s",
    (metric) => {
      const graph = graphOf(metric, { precision: "f32" });
      expect(graph.size).toBe(100);
      expect(graph.search(vectors, 100, 1)).toEqual(rows.map((row) => [row]));
      expect(graph.search(vectors.subarray(30, 33), 1, 1)).toEqual([[10]]);
      expect(graph.search(vectors, 0, 3)).toEqual([]);
    },
  );

  test.each([1, 2])("asked for more than it holds gives all, %i at a time", (count) => {
    for (const found of graphOf("l2").search(vectors.subarray(0, 3 * count), count, 5000))
      expect(found.toSorted((a, b) => a - b)).toEqual(rows);
  });

  test("an empty one has nothing to find", () => {
    const graph = NearestGraph.create("cos", 3, graphDefaults("cos"));
    expect(graph.search(vectors.subarray(0, 6), 2, 4)).toEqual([[], []]);
  });

  test.each([
    ["f16", "cos"],
    ["i8", "cos"],
    ["f16", "l2"],
    ["i8", "l2"],
  ] as const)(
    "in numbers of fewer bits (%s) keeps the neighbours under %s, or is refused",
    (precision, metric) => {
      // Under L2, vectors of one direction differ in their lengths alone.
      const [x, y, z] = [0.6, -0.64, 0.48];
      const some =
        metric === "cos"
          ? vectors
          : Float32Array.from({ length: 300 }, (_, i) => [x, y, z][i % 3] * (1 + i / 3));
      let graph: NearestGraph;
      try {
        graph = graphOf(metric, { precision }, some);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
        return;
      }
      const right = graph.search(some, 100, 5).filter((found, row) => found.includes(row)).length;
      expect(right).toBeGreaterThanOrEqual(95);
    },
  );
});
