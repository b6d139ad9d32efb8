import { describe, expect, test } from "vitest";
import { compileKernel, Kernel } from "../../src/kernel/instance.ts";
import { letterScores } from "../../src/kernel/letters.ts";
import {
  BOTH,
  FIRST,
  SECOND,
  addToProfile,
  emptyProfile,
  mergeProfiles,
  sequenceProfile,
  type Profile,
} from "../../src/kernel/profile.ts";
import { ProfileAligner } from "../../src/kernel/profile-alignment.ts";
import type { Scoring } from "../../src/kernel/scoring.ts";
import { Random } from "../../src/sequence/random.ts";

const LETTERS = 4;
const kernel = new Kernel(compileKernel());

/** Scores like those of DNA: integers, so that sums are exact. */
function scoringOf(random: Random, whole = true): Scoring {
  const substitution = new Float32Array(32 * 32);
  for (let a = 0; a < LETTERS; a++) {
    for (let b = 0; b <= a; b++) {
      const score = a === b ? 2 + random.integer(4) : -random.integer(5);
      substitution[32 * a + b] = score;
      substitution[32 * b + a] = score;
    }
  }
  const gapOpen = whole ? 2 * random.integer(4) : 6 * random.uniform();
  return {
    substitution,
    gapOpen,
    gapExtend: whole ? random.integer(3) : random.uniform(),
    endGaps: [0, 0.5, 1][random.integer(3)],
  };
}

function sequenceOf(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(LETTERS));
}

/** Best score of two sequences, by Gotoh's three matrices. */
function gotoh(a: Uint8Array, b: Uint8Array, { substitution, gapOpen, gapExtend, endGaps }: Scoring): number {
  const [m, n] = [a.length, b.length];
  const make = (): number[][] =>
    Array.from({ length: m + 1 }, () => new Array<number>(n + 1).fill(-Infinity));
  const [pair, down, across] = [make(), make(), make()];
  const best = (i: number, j: number): number => Math.max(pair[i][j], down[i][j], across[i][j]);
  pair[0][0] = 0;
  for (let i = 0; i <= m; i++) {
    for (let j = 0; j <= n; j++) {
      const downShare = j === 0 || j === n ? endGaps : 1;
      const acrossShare = i === 0 || i === m ? endGaps : 1;
      if (i > 0 && j > 0) pair[i][j] = best(i - 1, j - 1) + substitution[32 * a[i - 1] + b[j - 1]];
      if (i > 0)
        down[i][j] = Math.max(best(i - 1, j) - downShare * gapOpen, down[i - 1][j]) - downShare * gapExtend;
      if (j > 0)
        across[i][j] =
          Math.max(best(i, j - 1) - acrossShare * gapOpen, across[i][j - 1]) - acrossShare * gapExtend;
    }
  }
  return best(m, n);
}

/** Whether a path takes all columns of both, and none twice. */
function isWhole(path: Uint8Array, m: number, n: number): boolean {
  const count = (step: number): number => path.filter((s) => s === step).length;
  return count(BOTH) + count(FIRST) === m && count(BOTH) + count(SECOND) === n;
}

/** A profile of random sequences in random columns. */
function profileOf(random: Random, width: number, sequences: number): Profile {
  const profile = emptyProfile(width, LETTERS);
  for (let k = 0; k < sequences; k++) {
    const columns = Uint32Array.from({ length: width }, (_, j) => j).filter(() => random.uniform() < 0.7);
    addToProfile(profile, sequenceOf(random, columns.length), columns, 0.5 + random.uniform());
  }
  return profile;
}

/** Every path of m and n columns. */
function* paths(m: number, n: number, start: number[] = []): Generator<Uint8Array> {
  if (m === 0 && n === 0) yield Uint8Array.from(start);
  if (m > 0 && n > 0) yield* paths(m - 1, n - 1, [...start, BOTH]);
  if (m > 0) yield* paths(m - 1, n, [...start, FIRST]);
  if (n > 0) yield* paths(m, n - 1, [...start, SECOND]);
}

describe("two sequences", () => {
  test("score as Gotoh's algorithm scores them, exactly", () => {
    const random = new Random(1);
    for (let round = 0; round < 600; round++) {
      const scoring = scoringOf(random);
      const letters = letterScores([0, 1, 2, 3], scoring);
      const aligner = new ProfileAligner(kernel, letters, scoring);
      const a = sequenceOf(random, random.integer(40));
      const b = sequenceOf(random, random.integer(40));
      const [p, q] = [a, b].map((s) => sequenceProfile(s, LETTERS, 1));
      const { score, path } = aligner.align(p, q);
      expect(isWhole(path, a.length, b.length)).toBe(true);
      expect(score).toBe(gotoh(a, b, scoring));
      expect(aligner.scoreOf(path, p, q)).toBe(score);
    }
  });
});

describe("two profiles", () => {
  test("have the best of all paths", () => {
    const random = new Random(2);
    for (let round = 0; round < 60; round++) {
      const scoring = scoringOf(random, false);
      const letters = letterScores([0, 1, 2, 3], scoring);
      const aligner = new ProfileAligner(kernel, letters, scoring);
      const p = profileOf(random, 1 + random.integer(5), 1 + random.integer(3));
      const q = profileOf(random, 1 + random.integer(5), 1 + random.integer(3));
      const { score, path } = aligner.align(p, q);
      expect(isWhole(path, p.width, q.width)).toBe(true);
      expect(aligner.scoreOf(path, p, q)).toBeCloseTo(score, 3);
      // A gap that follows one in the other profile without a pair between them comes second.
      let best = -Infinity;
      for (const other of paths(p.width, q.width)) best = Math.max(best, aligner.scoreOf(other, p, q));
      expect(score).toBeCloseTo(best, 3);
    }
  });

  test("of wide profiles a path is worth its score", () => {
    const random = new Random(3);
    for (let round = 0; round < 40; round++) {
      const scoring = scoringOf(random, false);
      const aligner = new ProfileAligner(kernel, letterScores([0, 1, 2, 3], scoring), scoring);
      const p = profileOf(random, random.integer(90), 1 + random.integer(4));
      const q = profileOf(random, 1 + random.integer(90), 1 + random.integer(4));
      const { score, path } = aligner.align(p, q);
      expect(isWhole(path, p.width, q.width)).toBe(true);
      expect(aligner.scoreOf(path, p, q)).toBeCloseTo(score, 2);
    }
  });

  test("merge into the profile of all their sequences", () => {
    const random = new Random(4);
    for (let round = 0; round < 50; round++) {
      const path = Uint8Array.from({ length: 1 + random.integer(30) }, () => random.integer(3));
      const all = emptyProfile(path.length, LETTERS);
      const parts = [FIRST, SECOND].map((own) => {
        const places = Uint32Array.from(path.keys()).filter(
          (column) => path[column] === BOTH || path[column] === own,
        );
        const part = emptyProfile(places.length, LETTERS);
        for (let k = 0; k < 3; k++) {
          const columns = Uint32Array.from(places.keys()).filter(() => random.uniform() < 0.6);
          const sequence = sequenceOf(random, columns.length);
          addToProfile(part, sequence, columns, k + 1);
          addToProfile(
            all,
            sequence,
            columns.map((column) => places[column]),
            k + 1,
          );
        }
        return part;
      });
      expect(mergeProfiles(parts[0], parts[1], path)).toEqual(all);
    }
  });
});
