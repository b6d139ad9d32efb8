import { describe, expect, test } from "vitest";
import { alignedDistances } from "../../src/kernel/aligned-distances.ts";
import { pairAlignments } from "../../src/kernel/pair-alignment.ts";
import { progressiveAlignment, type Joins } from "../../src/kernel/progressive.ts";
import { refineAlignment } from "../../src/kernel/refinement.ts";
import { SharedHeap } from "../../src/kernel/shared-heap.ts";
import { BOTH } from "../../src/kernel/profile.ts";
import type { Scoring } from "../../src/kernel/scoring.ts";
import { mutate } from "../../src/sequence/mutate.ts";
import { Random } from "../../src/sequence/random.ts";

const scoring: Scoring = {
  substitution: Float32Array.from({ length: 1024 }, (_, k) => (k % 33 === 0 ? 5 : -4)),
  gapOpen: 10,
  gapExtend: 1,
  endGaps: 0.5,
};

function randomSequence(random: Random, length: number): Uint8Array {
  return Uint8Array.from({ length }, () => random.integer(4));
}

/** A random binary tree. */
function randomJoins(random: Random, n: number): Joins {
  const left = new Uint32Array(n - 1);
  const right = new Uint32Array(n - 1);
  const alive = Array.from({ length: n }, (_, i) => i);
  for (let k = 0; k < n - 1; k++) {
    for (const side of [left, right]) side[k] = alive.splice(random.integer(alive.length), 1)[0];
    alive.push(n + k);
  }
  return { left, right };
}

/** Throws unless the columns of every sequence ascend within the width, and none is of gaps alone. */
function checkAlignment(
  sequences: Uint8Array[],
  { width, columns }: { width: number; columns: Uint32Array[] },
) {
  const used = new Set<number>();
  sequences.forEach((sequence, i) => {
    expect(columns[i]).toHaveLength(sequence.length);
    columns[i].forEach((column, k) => {
      used.add(column);
      if (k > 0) expect(column).toBeGreaterThan(columns[i][k - 1]);
    });
  });
  expect(used.size).toBe(width);
  expect(Math.max(-1, ...used)).toBe(width - 1);
}

describe("progressive alignment", () => {
  test("is the same by any number of threads, and whole", async () => {
    const random = new Random(1);
    const sequences = Array.from({ length: 60 }, () => randomSequence(random, random.integer(50)));
    const joins = randomJoins(random, 60);
    const weights = Float32Array.from(sequences, () => 0.1 + random.uniform());
    const alignments = [];
    for (const threads of [1, 3]) {
      const alignment = await progressiveAlignment(sequences, joins, weights, scoring, { threads });
      checkAlignment(sequences, alignment);
      alignments.push(alignment);
    }
    expect(alignments[1]).toEqual(alignments[0]);
  });

  test("a caterpillar of 3,000 leaves overflows nothing", async () => {
    const n = 3000;
    const sequences = Array.from({ length: n }, (_, i) => Uint8Array.of(0, 1, i % 4, 3));
    const joins = {
      left: Uint32Array.from({ length: n - 1 }, (_, k) => (k === 0 ? 0 : n + k - 1)),
      right: Uint32Array.from({ length: n - 1 }, (_, k) => k + 1),
    };
    const weights = new Float32Array(n).fill(1);
    const alignment = await progressiveAlignment(sequences, joins, weights, scoring, { threads: 2 });
    expect(alignment.width).toBe(4);
  });

  test("of one, of equal and of empty sequences", async () => {
    const one = Uint8Array.of(0, 1, 2);
    const joins = (n: number) => randomJoins(new Random(2), n);
    const weights = new Float32Array(4).fill(1);
    expect(await progressiveAlignment([one], joins(1), weights, scoring)).toEqual({
      width: 3,
      columns: [Uint32Array.of(0, 1, 2)],
    });
    const equal = await progressiveAlignment([one, one, one, one], joins(4), weights, scoring);
    expect(equal.width).toBe(3);
    const empty = new Uint8Array(0);
    const some = await progressiveAlignment([empty, one, empty], joins(3), weights, scoring);
    checkAlignment([empty, one, empty], some);
    expect((await progressiveAlignment([empty, empty], joins(2), weights, scoring)).width).toBe(0);
  });

  test("stops when it is told to", async () => {
    const sequences = Array.from({ length: 40 }, (_, i) => randomSequence(new Random(i), 2000));
    const request = progressiveAlignment(
      sequences,
      randomJoins(new Random(3), 40),
      new Float32Array(40).fill(1),
      scoring,
      { threads: 1, signal: AbortSignal.timeout(30) },
    );
    await expect(request).rejects.toThrow(/timeout/);
  });
});

/** Sum over all pairs of sequences of weighted scores of letters that stand together. */
function pairedScore(sequences: Uint8Array[], columns: Uint32Array[], weights: Float32Array): number {
  let sum = 0;
  sequences.forEach((a, i) => {
    const letters = new Map(Array.from(a, (letter, k) => [columns[i][k], letter]));
    for (let j = 0; j < i; j++) {
      columns[j].forEach((column, k) => {
        const letter = letters.get(column);
        if (letter !== undefined)
          sum += weights[i] * weights[j] * scoring.substitution[32 * letter + sequences[j][k]];
      });
    }
  });
  return sum;
}

describe("refinement", () => {
  test("mends an alignment that was made along a wrong tree", async () => {
    const random = new Random(4);
    const families = [0, 1, 2].map(() => randomSequence(random, 60));
    const sequences = families.flatMap((family) =>
      Array.from({ length: 6 }, () => mutate(family, 9, random)),
    );
    const joins = randomJoins(random, sequences.length);
    const weights = new Float32Array(sequences.length).fill(1);
    const first = await progressiveAlignment(sequences, joins, weights, scoring);
    const kept = first.columns.map((columns) => columns.slice());
    const refined = await refineAlignment(sequences, first, joins, weights, scoring, { rounds: 3 });
    checkAlignment(sequences, refined);
    expect(first.columns).toEqual(kept);
    const [before, after] = [first, refined].map(({ columns }) => pairedScore(sequences, columns, weights));
    expect(after).toBeGreaterThan(before);
  });

  test("leaves one sequence, and no rounds, as they are", async () => {
    const one = { width: 2, columns: [Uint32Array.of(0, 1)] };
    const joins = { left: new Uint32Array(0), right: new Uint32Array(0) };
    const weights = new Float32Array(1).fill(1);
    const refine = (rounds: number) =>
      refineAlignment([Uint8Array.of(0, 1)], one, joins, weights, scoring, { rounds });
    expect(await refine(3)).toEqual(one);
    expect(await refine(0)).toEqual(one);
  });
});

describe("distances of an alignment", () => {
  test("are the letters of the longer that do not stand beside their equal", async () => {
    const random = new Random(7);
    for (const [count, width] of [
      [1, 5],
      [2, 0],
      [7, 33],
      [12, 9000],
    ]) {
      const columns = Array.from({ length: count }, () =>
        Uint32Array.from({ length: width }, (_, column) => column).filter(() => random.uniform() < 0.6),
      );
      const sequences = columns.map((own) => randomSequence(random, own.length));
      const found = await alignedDistances(sequences, { width, columns }, { threads: 2 });
      const expected: number[] = [];
      for (let i = 0; i < count; i++) {
        const letters = new Map(Array.from(columns[i], (column, k) => [column, sequences[i][k]]));
        for (let j = i + 1; j < count; j++) {
          const equal = columns[j].filter((column, k) => letters.get(column) === sequences[j][k]).length;
          expected.push(Math.max(sequences[i].length, sequences[j].length) - equal);
        }
      }
      expect([...found]).toEqual(expected);
    }
  });
});

describe("pairs", () => {
  test("are aligned in the order of the list, by threads", async () => {
    const random = new Random(5);
    const a = Array.from({ length: 20 }, () => randomSequence(random, 30));
    const left = Uint32Array.from({ length: 50 }, () => random.integer(20));
    const found = await pairAlignments(a, a, left, left, scoring, { threads: 2 });
    found.forEach(({ score, path }) => {
      expect(score).toBe(150);
      expect(path).toEqual(new Uint8Array(30).fill(BOTH));
    });
    expect(await pairAlignments(a, a, left.slice(0, 0), left.slice(0, 0), scoring)).toEqual([]);
    await expect(pairAlignments(a, a, Uint32Array.of(20), Uint32Array.of(0), scoring)).rejects.toThrow(
      /below 20/,
    );
  });
});

describe("shared heap", () => {
  test("blocks do not overlap, hold what was put in, and are used again", () => {
    const random = new Random(6);
    const heap = new SharedHeap();
    const other = new SharedHeap(heap.state);
    const live: { block: number; bytes: Uint8Array }[] = [];
    for (let round = 0; round < 500; round++) {
      if (live.length > 50) {
        const [{ block, bytes }] = live.splice(random.integer(live.length), 1);
        expect(Buffer.compare(other.bytes(block, bytes.length), bytes)).toBe(0);
        other.release(block, bytes.length);
      }
      const bytes = Uint8Array.from({ length: random.integer(3000) }, () => random.integer(256));
      live.push({ block: heap.put(bytes), bytes });
    }
    for (const { block, bytes } of live)
      expect(Buffer.compare(heap.bytes(block, bytes.length), bytes)).toBe(0);
    expect(heap.state.memory.byteLength).toBeLessThan(2 ** 20);
  });
});
