/**
 * @file Which members of a growing collection are within a limit of some probes, by exact edit distance.
 *
 * This is what every method of clustering rests on: greedy clustering asks it for the centroids near a sequence, and
 * linkage for the pairs that can be linked at all. Members whose pieces are long enough to be rare are found by an
 * index of pieces (seeds.ts); the others, as reads of many errors are, are compared with every probe whose length
 * allows it. Nothing within the limit is lost either way.
 */

import { packCodes, type EditDistances, type PackedCodes } from "../../kernel/index.ts";
import { grown } from "./grown.ts";
import type { Limit } from "./limit.ts";
import { Seeds } from "./seeds.ts";

/** Is told of a pair within the limit, both by their places in the set. */
export type Visit = (probe: number, member: number, edits: number) => void;
/** Whether a pair is of interest at all. */
export type Accept = (probe: number, member: number) => boolean;

/** A growing collection of sequences of a set. */
export interface Neighbours {
  /** Adds sequences of the set as members. */
  add(members: readonly number[]): void;
  /** Visits the pairs of the probes with members within the limit, but for those that `accept` refuses. */
  near(probes: readonly number[], visit: Visit, accept?: Accept): Promise<void>;
}

/** Where sequences and their distances come from. */
export interface Comparison {
  kernel: EditDistances;
  /** All sequences there are: probes and members. */
  set: PackedCodes;
  limit: Limit;
  signal?: AbortSignal;
}

/** Pairs that go to the kernel together. */
const BATCH = 1 << 17;
/** Members of a chunk that is compared as a whole. Shared memory is freed late: keep its distances small. */
const CHUNK = 1024;

/** Letters of a sequence. */
export function lengthOf({ offsets }: PackedCodes, index: number): number {
  return offsets[index + 1] - offsets[index];
}

/** A sequence's letters. */
export function codesOf({ codes, offsets }: PackedCodes, index: number): Uint8Array {
  return codes.subarray(offsets[index], offsets[index + 1]);
}

/** Members that are compared with every probe whose length allows it. */
interface Chunk {
  members: number[];
  /** Absent where members came since. */
  packed?: PackedCodes;
  shortest: number;
  longest: number;
}

/** Finds all members within the limit. */
export class ExactNeighbours implements Neighbours {
  readonly #comparison: Comparison;
  readonly #seeds: Seeds;
  readonly #chunks: Chunk[] = [];

  constructor(comparison: Comparison) {
    this.#comparison = comparison;
    this.#seeds = new Seeds(comparison.set, comparison.limit);
  }

  add(members: readonly number[]): void {
    for (const member of members) {
      const length = lengthOf(this.#comparison.set, member);
      if (this.#seeds.worthwhile(length)) this.#seeds.add(member);
      else this.#addToChunk(member, length);
    }
  }

  #addToChunk(member: number, length: number): void {
    let chunk = this.#chunks.at(-1);
    if (chunk === undefined || chunk.members.length === CHUNK) {
      this.#chunks.push((chunk = { members: [], shortest: length, longest: length }));
    }
    chunk.members.push(member);
    chunk.packed = undefined;
    chunk.shortest = Math.min(chunk.shortest, length);
    chunk.longest = Math.max(chunk.longest, length);
  }

  async near(probes: readonly number[], visit: Visit, accept: Accept = () => true): Promise<void> {
    const check = new PairCheck(this.#comparison, visit);
    const candidates: number[] = [];
    for (const probe of probes) {
      candidates.length = 0;
      this.#seeds.find(probe, candidates);
      for (const member of candidates) if (accept(probe, member)) check.add(probe, member);
      if (check.size >= BATCH) await check.run();
    }
    await check.run();
    if (this.#chunks.length > 0) await this.#scan(probes, visit, accept);
  }

  async #scan(probes: readonly number[], visit: Visit, accept: Accept): Promise<void> {
    const { kernel, set, limit, signal } = this.#comparison;
    const lengths = probes.map((probe) => lengthOf(set, probe));
    const shortest = lengths.reduce((least, length) => Math.min(least, length), Infinity);
    const longest = lengths.reduce((most, length) => Math.max(most, length), 0);
    const packed = packCodes(probes.map((probe) => codesOf(set, probe)));
    for (const chunk of this.#chunks) {
      const threshold = limit.most(Math.max(longest, chunk.longest));
      if (Math.max(shortest - chunk.longest, chunk.shortest - longest) > threshold) continue;
      const { members } = chunk;
      chunk.packed ??= packCodes(members.map((member) => codesOf(set, member)));
      const distances = await kernel.cross(packed, chunk.packed, { threshold, signal });
      const mostOf = members.map((member) => limit.most(lengthOf(set, member)));
      for (let row = 0, at = 0; row < probes.length; row++) {
        const most = limit.most(lengths[row]);
        for (let column = 0; column < members.length; column++, at++) {
          // The longer of the two allows more.
          if (distances[at] > most && distances[at] > mostOf[column]) continue;
          if (accept(probes[row], members[column])) visit(probes[row], members[column], distances[at]);
        }
      }
    }
  }
}

/** Pairs on their way through the kernel; those within the limit are visited. */
export class PairCheck {
  readonly #comparison: Comparison;
  readonly #visit: Visit;
  #probes: Uint32Array = new Uint32Array(1024);
  #members: Uint32Array = new Uint32Array(1024);
  #greatest = 0;
  size = 0;

  constructor(comparison: Comparison, visit: Visit) {
    this.#comparison = comparison;
    this.#visit = visit;
  }

  add(probe: number, member: number): void {
    const { set, limit } = this.#comparison;
    const at = this.size++;
    this.#probes = grown(this.#probes, this.size);
    this.#members = grown(this.#members, this.size);
    this.#probes[at] = probe;
    this.#members[at] = member;
    const longer = Math.max(lengthOf(set, probe), lengthOf(set, member));
    this.#greatest = Math.max(this.#greatest, limit.most(longer));
  }

  /** Compares what was added since the last run. */
  async run(): Promise<void> {
    const { kernel, set, limit, signal } = this.#comparison;
    const left = this.#probes.subarray(0, this.size);
    const right = this.#members.subarray(0, this.size);
    const distances = await kernel.pairs(set, left, right, { threshold: this.#greatest, signal });
    for (let at = 0; at < distances.length; at++) {
      const longer = Math.max(lengthOf(set, left[at]), lengthOf(set, right[at]));
      if (distances[at] <= limit.most(longer)) this.#visit(left[at], right[at], distances[at]);
    }
    this.size = 0;
    this.#greatest = 0;
  }
}
