/** @file What the benchmark of search measures by: the one nearest reference, and how far up the hits it stands. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { retrieval, uniqueNearest } from "../../src/bench/search.ts";
import { EditDistances } from "../../src/kernel/index.ts";
import { oracle } from "../kernel/oracle.ts";
import { setOf } from "../task/indexes.ts";

let kernel: EditDistances;
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 2 });
});
afterAll(async () => {
  await kernel.close();
});

const letters = fc.string({ unit: fc.constantFrom(..."ACGT"), minLength: 1, maxLength: 8 });
const some = fc.array(letters, { minLength: 1, maxLength: 12 });

test("a query has a unique nearest reference where one has fewer edits than every other", async () => {
  await fc.assert(
    fc.asyncProperty(some, some, async (asked, kept) => {
      const [queries, references] = [setOf(asked, { prefix: "q" }), setOf(kept)];
      const expected = queries.codes.map((query) => {
        const edits = references.codes.map((each) => oracle(query, each));
        const least = Math.min(...edits);
        const nearest = edits.flatMap((count, i) => (count === least ? [i] : []));
        return nearest.length === 1 ? nearest[0] : -1;
      });
      expect([...(await uniqueNearest(queries, references, kernel))]).toEqual(expected);
    }),
    { numRuns: 60 },
  );
});

describe("retrieval", () => {
  test("is the share of these references among the first 1, 5 and 10 hits", () => {
    const queryCount = 7;
    const queries = setOf(Array.from({ length: queryCount }, () => "ACGT"), { prefix: "q" }); // prettier-ignore
    const references = setOf(Array.from({ length: 20 }, () => "ACGT"));
    const nearest = fc.array(fc.integer({ min: -1, max: 19 }), { minLength: queryCount, maxLength: queryCount }); // prettier-ignore
    const found = fc.array(fc.option(fc.shuffledSubarray(references.ids, { maxLength: 20 })), {
      minLength: queryCount,
      maxLength: queryCount,
    });
    fc.assert(
      fc.property(nearest, found, (targets, lists) => {
        const hits = new Map(lists.flatMap((list, q) => (list === null ? [] : [[`q${q}`, list] as const])));
        const shares = [1, 5, 10].map((k) => {
          let [right, unique] = [0, 0];
          for (let q = 0; q < queryCount; q++) {
            if (targets[q] < 0) continue;
            unique++;
            if (lists[q]?.slice(0, k).includes(`r${targets[q]}`)) right++;
          }
          return unique === 0 ? 0 : right / unique;
        });
        expect(retrieval(hits, queries, references, Int32Array.from(targets))).toEqual(shares);
      }),
    );
  });
});
