/** @file The strand behind noisy reads: likelihoods against a plain sum over alignments, and strands found again. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { DNA, encode, Random } from "../../../src/sequence/index.ts";
import { NANOPORE, StrandWeights } from "../../../src/task/consensus/channel.ts";
import { edited, EditGains, type Edit } from "../../../src/task/consensus/edits.ts";
import { likeliestStrand } from "../../../src/task/consensus/likeliest-strand.ts";
import { layRead, ReadLikelihood } from "../../../src/task/consensus/read-likelihood.ts";
import { sequence } from "../../kernel/oracle.ts";
import { readOf, strandOf } from "./noise.ts";

const codes = (text: string) => encode(text, DNA).codes;
const few = fc.tuple(sequence(4, 8), sequence(5, 8)).filter(([strand]) => strand.length > 0);

/** The likelihood by the plain recurrence, with every way to begin late and to end early written out. */
function plainLikelihood(read: Uint8Array, strand: Uint8Array): number {
  const weights = new StrandWeights(strand, NANOPORE, 4);
  const { inserted, replaced, passed, removed, repeated } = weights;
  const [n, m] = [strand.length, read.length];
  const at = (i: number, j: number): number => {
    let sum = i === 0 && j === 0 ? 1 : 0;
    if (j === 0 && i > 0) sum += 1e-3;
    if (j > 0) {
      sum += row[i][j - 1] * (i > 0 && read[j - 1] === strand[i - 1] ? repeated[i - 1] : inserted);
    }
    if (i > 0) sum += row[i - 1][j] * removed[i - 1];
    if (i > 0 && j > 0) {
      const weight = read[j - 1] > 3 ? 1 : read[j - 1] === strand[i - 1] ? passed[i - 1] : replaced;
      sum += row[i - 1][j - 1] * weight;
    }
    return sum;
  };
  const row: number[][] = [];
  for (let i = 0; i <= n; i++) {
    row.push([]);
    for (let j = 0; j <= m; j++) row[i].push(at(i, j));
  }
  let total = row[n][m];
  for (let i = 0; i < n; i++) total += 1e-3 * row[i][m];
  return Math.log(total + 0.01);
}

describe("the likelihood of a read", () => {
  test("is the sum over all alignments", () => {
    fc.assert(
      fc.property(few, ([strand, read]) => {
        const weights = new StrandWeights(strand, NANOPORE, 4);
        const score = new ReadLikelihood(4).score(layRead(read, strand, 4), strand, weights);
        expect(score).toBeCloseTo(plainLikelihood(read, strand), 8);
      }),
    );
  });

  test("after an edit is what the gains say, where no run of equal letters is touched", () => {
    const flat = { ...NANOPORE, runDeletion: 1, runInsertion: 1, letterDeletion: [] };
    fc.assert(
      fc.property(few, ([strand, read]) => {
        const likelihood = new ReadLikelihood(4);
        const gains = new EditGains(strand.length, 4, 0);
        const laid = layRead(read, strand, 4);
        const before = likelihood.scoreEdits(laid, strand, new StrandWeights(strand, flat, 4), gains);
        const all: Edit[] = (["replace", "insert", "remove"] as const).flatMap((kind) => [...gains.of(kind, -Infinity)]); // prettier-ignore
        for (const edit of all) {
          if (edit.kind === "replace" && edit.letter === strand[edit.place]) continue;
          const { strand: other } = edited(strand, [edit]);
          const after = likelihood.score(layRead(read, other, 4), other, new StrandWeights(other, flat, 4));
          expect(edit.gain, JSON.stringify(edit)).toBeCloseTo(after - before, 8);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("strands are found again", () => {
  const random = new Random(7);
  test.each([
    ["from 10 reads of 6 % of errors", 110, 10, {}],
    ["from 15 reads of 12 % of errors", 110, 15, { substitution: 0.04, insertion: 0.04, deletion: 0.04 }],
    ["of 1,000 letters", 1000, 20, {}],
    ["of proteins", 120, 8, { letters: 20 }],
  ])("%s", (_, length, count, noise) => {
    const letters = "letters" in noise ? noise.letters : 4;
    let right = 0;
    for (let trial = 0; trial < 5; trial++) {
      const own = random.fork(length, count, trial);
      const strand = strandOf(length, own, letters);
      const reads = Array.from({ length: count }, () => readOf(strand, own, noise));
      if (likeliestStrand(reads, { letters }).join() === strand.join()) right++;
    }
    expect(right).toBeGreaterThanOrEqual(4);
  });

  test("although a third of the reads is cut short and two are of something else", () => {
    const own = random.fork("cut");
    const strand = strandOf(110, own);
    const whole = Array.from({ length: 8 }, () => readOf(strand, own));
    const cut = Array.from({ length: 4 }, (_, i) =>
      i % 2 === 0 ? readOf(strand, own).subarray(0, 60) : readOf(strand, own).subarray(45),
    );
    const foreign = [strandOf(110, own), strandOf(20, own)];
    expect(likeliestStrand([...cut, ...foreign, ...whole], { letters: 4 })).toEqual(strand);
  });

  test("with long runs of which most reads show too few letters", () => {
    const strand = codes("ACGTCATGTTCCCCCCGACTGACGATCAGCAT");
    const shown = [4, 5, 5, 5, 5, 6, 6, 5, 6, 6];
    const reads = shown.map((count) => codes(`ACGTCATGTT${"C".repeat(count)}GACTGACGATCAGCAT`));
    expect(likeliestStrand(reads, { letters: 4 })).toEqual(strand);
  });

  test("of the length that is known", () => {
    const own = random.fork("length");
    for (let trial = 0; trial < 5; trial++) {
      const strand = strandOf(60, own);
      const reads = Array.from({ length: 3 }, () => readOf(strand, own, { deletion: 0.1 }));
      expect(likeliestStrand(reads, { letters: 4, length: 60 })).toHaveLength(60);
    }
    const same = [codes("ACGT"), codes("ACGT")];
    expect(likeliestStrand(same, { letters: 4, length: 6 })).toHaveLength(6);
    expect(likeliestStrand(same, { letters: 4, length: 2 })).toHaveLength(2);
  });
});

test("one read, and copies of one, are themselves", () => {
  fc.assert(
    fc.property(sequence(15, 40), fc.integer({ min: 1, max: 4 }), (read, count) => {
      expect(likeliestStrand(new Array<Uint8Array>(count).fill(read), { letters: 4 })).toEqual(read);
    }),
  );
});

test("letters that stand for several vote for none, and stay where nobody knows better", () => {
  const reads = ["ACGTNACGGTCA", "ACNTGACGNTCA", "ACGTGACGNTCA", "NNNNNNNGNTCA"].map(codes);
  expect(likeliestStrand(reads, { letters: 4 })).toEqual(codes("ACGTGACGGTCA"));
  const unknown = ["ACGTTNACGGTCA", "ACGTTNACGGTC", "ACGTTNACGGTCA"].map(codes);
  expect(likeliestStrand(unknown, { letters: 4 })).toEqual(codes("ACGTTNACGGTCA"));
  expect(likeliestStrand([codes("NNNN"), codes("NNN")], { letters: 4 }).length).toBeGreaterThan(2);
});

test("any reads have a strand: empty ones, and those of very different lengths", () => {
  fc.assert(
    fc.property(fc.array(sequence(6, 130), { minLength: 1, maxLength: 5 }), (reads) => {
      const strand = likeliestStrand(reads, { letters: 4 });
      expect(strand.length).toBeLessThanOrEqual(2 * Math.max(...reads.map(({ length }) => length)));
    }),
    { numRuns: 60 },
  );
  const random = new Random(3);
  const long = strandOf(3000, random);
  const strand = likeliestStrand([long, readOf(long, random), long.subarray(0, 9), long.subarray(7)], { letters: 4 }); // prettier-ignore
  expect(Math.abs(strand.length - 3000)).toBeLessThan(20);
});
