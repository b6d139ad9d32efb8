/** @file Consensus strings of many groups: their order, their errors, threads, and what is refused. */

import { existsSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { decode, DNA, encode, Random } from "../../../src/sequence/index.ts";
import { CONSENSUS_METHODS, consensusStrings } from "../../../src/task/consensus/consensus.ts";
import {
  drawMembers,
  readGroups,
  withLeastMembers,
  type Groups,
} from "../../../src/task/consensus/groups.ts";
import { oracle } from "../../kernel/oracle.ts";
import { readOf, strandOf } from "./noise.ts";

const groupsOf = (members: Uint8Array[][]): Groups => ({
  names: members.map((_, i) => `g${i}`),
  members,
  alphabet: DNA,
  ambiguous: { records: 0, letters: 0 },
});
const random = new Random(11);
const strands = Array.from({ length: 12 }, () => strandOf(80, random));
const noisy = groupsOf(strands.map((strand) => Array.from({ length: 12 }, () => readOf(strand, random))));
const methods = CONSENSUS_METHODS.filter((method) => method !== "steiner");

describe.each(methods)("%s", (method) => {
  test("gives a string for each group in order, with its error, whatever the threads", async () => {
    const one = await consensusStrings(noisy, { method, threads: 1 });
    expect(one.map(({ group }) => group)).toEqual(noisy.names);
    one.forEach(({ sequence, reads, error }, i) => {
      const { codes } = encode(sequence, DNA);
      expect(reads).toBe(12);
      const edits = noisy.members[i].reduce((sum, read) => sum + oracle(read, codes), 0);
      expect(error).toBeCloseTo(edits / 12, 10);
    });
    expect(await consensusStrings(noisy, { method, threads: 3 })).toEqual(one);
  });

  test("is no further from any group when it is refined", async () => {
    const plain = await consensusStrings(noisy, { method, threads: 1 });
    const refined = await consensusStrings(noisy, { method, refine: true, threads: 2 });
    refined.forEach(({ error }, i) => expect(error).toBeLessThanOrEqual(plain[i].error));
    const sum = (made: typeof plain) => made.reduce((total, { error }) => total + error, 0);
    if (method === "centre" || method === "greedy-2") expect(sum(refined)).toBeLessThan(sum(plain));
  });

  test("of one sequence, and of copies, is that sequence", async () => {
    const { codes } = encode("ACGTNACGTTTTTGC", DNA);
    const made = await consensusStrings(groupsOf([[codes], [codes, codes, codes]]), { method, threads: 1 });
    for (const { sequence, error } of made) expect({ sequence, error }).toEqual({ sequence: "ACGTNACGTTTTTGC", error: 0 }); // prettier-ignore
  });
});

test("the default finds the strands", async () => {
  const made = await consensusStrings(noisy, { threads: 2 });
  const right = made.filter(({ sequence }, i) => sequence === decode(strands[i], DNA));
  expect(right.length).toBeGreaterThanOrEqual(11);
});

test("progress is told, a signal stops, no group is no string", async () => {
  const seen: number[] = [];
  await consensusStrings(noisy, { threads: 1, progress: (done, total) => seen.push(done / total) });
  expect(seen.at(-1)).toBe(1);
  await expect(consensusStrings(noisy, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough"); // prettier-ignore
  expect(await consensusStrings(groupsOf([]))).toEqual([]);
});

test("what does not go together is refused", async () => {
  await expect(consensusStrings(groupsOf([[]]))).rejects.toThrow(
    /group "g0": must hold at least one sequence/,
  );
  await expect(consensusStrings(noisy, { method: "steiner" })).rejects.toThrow(/model: steiner needs one/);
  await expect(consensusStrings(noisy, { method: "centre", length: 5 })).rejects.toThrow(
    /length: is for majority/,
  );
  await expect(consensusStrings(noisy, { length: 0 })).rejects.toThrow(/length: must be a positive integer/);
  await expect(consensusStrings(noisy, { method: "best" as "centre" })).rejects.toThrow(
    /method: must be one of/,
  );
});

const folder = `${process.env.EMBRANCH_DATA ?? "../shared/data"}/dna-storage/`;
const rows = (name: string) => gunzipSync(readFileSync(folder + name));

describe.skipIf(!existsSync(folder))("nanopore reads of DNA storage (needs the data)", () => {
  test("95 % of strands come out without an error from 20 reads, 97 % of known length", async () => {
    const all = await readGroups([rows("cnr_reads.csv.gz")]);
    const known = await readGroups([rows("cnr_refs.csv.gz")]);
    const strandOf = new Map(known.names.map((name, i) => [name, decode(known.members[i][0], DNA)]));
    const draw = new Random(1).fork("test");
    const half = withLeastMembers(all, 20);
    const some = {
      ...half,
      names: half.names.filter((_, i) => i % 2 === 1),
      members: half.members.filter((_, i) => i % 2 === 1),
    };
    const drawn = drawMembers(some, 20, (name, count) => draw.fork(name).sample(count, 20));
    for (const [length, least] of [
      [undefined, 0.95],
      [110, 0.97],
    ] as const) {
      const made = await consensusStrings(drawn, { length });
      const right = made.filter(({ group, sequence }) => sequence === strandOf.get(group)).length;
      expect(right / made.length).toBeGreaterThanOrEqual(least);
    }
  });
});
