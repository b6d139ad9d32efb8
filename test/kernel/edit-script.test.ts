/** @file Alignments of known distance: what a script says of two sequences is true, and no shorter one exists. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cigar, editDistance, editScript, type EditScript } from "../../src/kernel/index.ts";
import { oracle, relatives, sequence } from "./oracle.ts";

const codes = (text: string): Uint8Array => Uint8Array.from(text, (c) => c.charCodeAt(0) - 97);
const aligned = (query: string, target: string, distance: number) =>
  editScript(codes(query), codes(target), distance);

/** Pairs of all kinds: strangers, relatives, rotations (whose alignments begin and end in gaps). */
const pairs = (symbols: number, longest = 90) =>
  fc.oneof(
    fc.tuple(sequence(symbols, longest), sequence(symbols, longest)),
    relatives(symbols, longest),
    fc.tuple(sequence(symbols, longest), fc.nat(12)).map(([a, by]): [Uint8Array, Uint8Array] => {
      const at = Math.min(by, a.length);
      return [a, Uint8Array.from([...a.subarray(at), ...a.subarray(0, at)])];
    }),
  );

/** What the runs make of the query; throws where they do not fit the two sequences. */
function applied({ runs }: EditScript, query: Uint8Array, target: Uint8Array): number[] {
  const made: number[] = [];
  let [i, j] = [0, 0];
  for (const { operation, count } of runs) {
    for (let n = 0; n < count; n++) {
      if (operation !== "D" && i >= query.length) throw new Error("beyond the query");
      if (operation !== "I" && j >= target.length) throw new Error("beyond the target");
      if (operation === "=" && query[i] !== target[j]) throw new Error(`unequal at ${i}, ${j}`);
      if (operation === "X" && query[i] === target[j]) throw new Error(`equal at ${i}, ${j}`);
      if (operation === "=") made.push(query[i]);
      else if (operation !== "I") made.push(target[j]);
      if (operation !== "D") i++;
      if (operation !== "I") j++;
    }
  }
  if (i < query.length) throw new Error("part of the query is left");
  return made;
}

const total = ({ runs }: EditScript, operations: string) =>
  runs.reduce((sum, { operation, count }) => sum + (operations.includes(operation) ? count : 0), 0);

describe("a script", () => {
  test.each([1, 2, 4, 20])("turns the query into the target by as many edits, %i symbols", (symbols) => {
    fc.assert(
      fc.property(pairs(symbols), ([query, target]) => {
        const distance = oracle(query, target);
        const script = editScript(query, target, distance);
        expect(applied(script, query, target)).toEqual([...target]);
        expect(total(script, "XID")).toBe(distance);
      }),
      { numRuns: 250 },
    );
  });

  test("counts what its runs say", () => {
    fc.assert(
      fc.property(pairs(4), ([query, target]) => {
        const script = editScript(query, target, oracle(query, target));
        expect(script).toEqual({
          runs: script.runs,
          columns: total(script, "=XID"),
          matches: total(script, "="),
          mismatches: total(script, "X"),
          gapOpens: script.runs.filter(({ operation }) => "ID".includes(operation)).length,
        });
        script.runs.forEach(({ operation, count }, r) => {
          expect(count).toBeGreaterThan(0);
          expect(operation).not.toBe(script.runs[r + 1]?.operation);
        });
      }),
      { numRuns: 250 },
    );
  });

  test("is there wherever the kernel says how far apart two sequences are", () => {
    fc.assert(
      fc.property(relatives(4, 400), ([query, target]) => {
        const distance = editDistance(query, target);
        expect(total(editScript(query, target, distance), "XID")).toBe(distance);
      }),
    );
  });

  test("is refused where the sequences are further apart than that", () => {
    fc.assert(
      fc.property(pairs(4, 60), fc.nat(), ([query, target], less) => {
        const distance = oracle(query, target);
        fc.pre(distance > 0);
        expect(() => editScript(query, target, distance - 1)).toThrow(RangeError);
        expect(() => editScript(query, target, less % distance)).toThrow(/^edit script: /);
      }),
    );
  });

  test("does not change the sequences", () => {
    const [query, target] = [codes("abcabc"), codes("bcabca")];
    editScript(query, target, 2);
    expect([query, target]).toEqual([codes("abcabc"), codes("bcabca")]);
  });
});

describe("by hand", () => {
  test.each([
    ["", "", 0, ""],
    ["", "abc", 3, "3D"],
    ["abc", "", 3, "3I"],
    ["abc", "abc", 0, "3="],
    ["abc", "xyz", 3, "3X"],
    ["abcd", "abxd", 1, "2=1X1="],
    ["kitten", "sitting", 3, "1X3=1X1=1D"],
    ["acgtacgt", "cgtacgta", 2, "1I7=1D"],
    ["abcxd", "abcd", 1, "3=1I1="],
  ])("%j to %j, %i apart: %s", (query, target, distance, text) => {
    expect(cigar(aligned(query, target, distance))).toBe(text);
  });

  test("letters are paired rather than left out, where that costs the same", () => {
    expect(aligned("ab", "ba", 2)).toEqual({
      runs: [{ operation: "X", count: 2 }],
      columns: 2,
      matches: 0,
      mismatches: 2,
      gapOpens: 0,
    });
  });

  test("an unknown letter (N) equals another of its kind, as in the distances", () => {
    const [query, target] = [Uint8Array.of(0, 14, 2), Uint8Array.of(0, 14, 3)];
    expect(cigar(editScript(query, target, editDistance(query, target)))).toBe("2=1X");
  });
});

test("sequences of 100,000 letters that are near take little memory and time", () => {
  const query = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i + (i >> 3)) & 3);
  const target = Uint8Array.from([...query.subarray(5, 50_000), 9, 9, ...query.subarray(50_001)]);
  const script = editScript(query, target, 7);
  expect(applied(script, query, target)).toEqual([...target]);
  expect(total(script, "XID")).toBe(7);
});
