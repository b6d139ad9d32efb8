/** @file Costs of alignments: by hand, by a loop over all pairs, and what ClustalW prints. */

import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readAlignment } from "../../../src/sequence/aligned.ts";
import { alignmentOfRows } from "../../../src/sequence/alignment.ts";
import { DNA, encode, PROTEIN } from "../../../src/sequence/alphabet.ts";
import { alignmentCost, clustalwScore, type AlignmentCostOptions } from "../../../src/task/align/cost.ts";

/** The cost of rows of letters. */
function cost(rows: readonly string[], options?: AlignmentCostOptions): number {
  const { alignment, letters } = alignmentOfRows(rows);
  return alignmentCost(
    alignment,
    letters.map((each) => encode(each, DNA).codes),
    options,
  );
}

/** The same by looking at every pair of letters. */
function plainCost(rows: readonly string[], mismatch: number, gapOpen: number, gapExtend: number): number {
  let sum = 0;
  rows.forEach((a, i) =>
    rows.slice(0, i).forEach((b) => {
      let last = "";
      for (let k = 0; k < a.length; k++) {
        const kind = `${a[k] === "-"}${b[k] === "-"}`;
        if (kind === "truetrue") continue;
        if (kind === "falsefalse") sum += a[k] === b[k] ? 0 : mismatch;
        else sum += gapExtend + (kind === last ? 0 : gapOpen);
        last = kind;
      }
    }),
  );
  return sum;
}

describe("the sum over pairs", () => {
  test.each([
    [["ACGT", "ACGT"], 0],
    [["ACGT", "AGGT"], 1],
    [["ACGT", "A--T"], 1 + 2],
    [["AC--GT", "--ACGT"], 1 + 2 + 1 + 2],
    // Where both have gaps nothing is there: the gap of the first pair goes on.
    [["A-CGT", "A----"], 1 + 3],
    [["A-CGT", "AGC-T", "A-CGT"], 2 * (1 + 1 + 1 + 1)],
    [["ACGT"], 0],
    [[], 0],
  ])("of %j is %d", (rows, expected) => {
    expect(cost(rows)).toBe(expected);
  });

  test("is that of a loop over all of them", () => {
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 7 }), fc.integer({ min: 1, max: 30 }))
      .chain(([count, width]) =>
        fc.array(fc.array(fc.constantFrom(..."ACGT---"), { minLength: width, maxLength: width }), {
          minLength: count,
          maxLength: count,
        }),
      );
    fc.assert(
      fc.property(rows, fc.nat(5), fc.nat(5), fc.nat(5), (letters, mismatch, gapOpen, gapExtend) => {
        const texts = letters.map((row) => row.join(""));
        expect(cost(texts, { mismatch, gapOpen, gapExtend })).toBe(
          plainCost(texts, mismatch, gapOpen, gapExtend),
        );
      }),
    );
  });
});

describe("ClustalW's score", () => {
  test.each([
    [["ACGTACGT", "ACGTACGT"], 1, 2 * (5 + 12 + 7 + 5) - 5],
    [["AAAAAAAA", "AAAACAAA"], 1, 6 * 5 - 1],
    [["AAAACCGGTTAAAA", "AAAACC--TTAAAA"], 1, 68],
    [["AAAACCGGTTAAAA", "AAAACC--TTAAAA"], 5, 64],
    [["A"], 1, 0],
  ])("of %j with gaps of %d is %d", (rows, gapOpen, expected) => {
    const { alignment, letters } = alignmentOfRows(rows);
    const codes = letters.map((each) => encode(each, DNA).codes);
    expect(clustalwScore(alignment, codes, { alphabet: DNA, gapOpen })).toBe(expected);
  });

  const installed = spawnSync("clustalw", ["-help"]).error === undefined;
  const family = (alphabet: string) => {
    const root = fc.array(fc.constantFrom(...alphabet), { minLength: 8, maxLength: 30 });
    const edit = fc.record({
      at: fc.nat(29),
      letters: fc.array(fc.constantFrom(...alphabet), { maxLength: 4 }),
      removed: fc.nat(4),
    });
    return root.chain((letters) =>
      fc.array(fc.array(edit, { maxLength: 4 }), { minLength: 2, maxLength: 7 }).map((members) =>
        members.map((edits) => {
          const copy = [...letters];
          for (const { at, letters: inserted, removed } of edits) {
            copy.splice(at % copy.length, Math.min(removed, copy.length - 4), ...inserted);
          }
          return copy.join("");
        }),
      ),
    );
  };

  test.skipIf(!installed).each([
    ["dna", DNA, "ACGT"],
    ["dna", DNA, "ACGTNRY"],
    ["protein", PROTEIN, "ACDEFGHIKLMNPQRSTVWY"],
  ] as const)("is what the installed clustalw prints: %s, %#", async (type, alphabet, letters) => {
    const folder = mkdtempSync(join(tmpdir(), "embranch-clustalw-"));
    try {
      const families = fc.sample(family(letters), { numRuns: 20, seed: 7 });
      for (const sequences of families) {
        writeFileSync(join(folder, "in.fa"), sequences.map((each, i) => `>S${i}\n${each}\n`).join(""));
        const options = [`-type=${type}`, "-gapopen=3", "-gapext=1", "-output=fasta", "-outfile=out.fa"];
        const printed = execFileSync("clustalw", ["-infile=in.fa", "-align", ...options], {
          cwd: folder,
          encoding: "utf8",
        });
        const bytes = readFileSync(join(folder, "out.fa"));
        const { alignment, letters: rows } = await readAlignment([bytes]);
        const codes = rows.map((each) => encode(each, alphabet).codes);
        const expected = Number(/Alignment Score (-?\d+)/.exec(printed)?.[1]);
        expect(clustalwScore(alignment, codes, { alphabet, gapOpen: 3 }), sequences.join(" ")).toBe(expected);
      }
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
