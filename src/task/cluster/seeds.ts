/**
 * @file Which sequences can be within a limit at all: an index of pieces that must match exactly.
 *
 * A member is cut into one piece more than the edits its widest limit allows. Follow an alignment of e edits from
 * the left: there is a first piece i by which no more edits have been met than pieces have gone before it; it matches
 * exactly, with i edits to its left and at most e − i to its right. So a probe within e edits has piece i shifted
 * by no more than i letters, and by no more than e − i from where its end would have it, for some i ≤ e. This is the
 * partition of Li, Deng, Wang and Feng, "PASS-JOIN: a partition-based method for similarity joins", PVLDB 2011. What
 * the index finds is every member within the limit, and others, which are to be compared.
 *
 * Most of the others share a conserved piece and little else. They are sorted out by how often each pair of adjacent
 * letters occurs: an edit removes two such pairs at most and makes two at most, so that the counts of two sequences
 * e edits apart differ by 4 e in all (Ukkonen, "Approximate string-matching with q-grams and maximal matches",
 * Theoretical Computer Science 1992).
 *
 * Both tests are exact: they never lose a member. They pay where pieces are long enough to be rare: 16S reads of 150
 * letters at 0.97 have pieces of 30. {@link Seeds.worthwhile} says whether they are.
 */

import type { PackedCodes } from "../../kernel/index.ts";
import { grown } from "./grown.ts";
import type { Limit } from "./limit.ts";

/** Bins for pairs of adjacent letters; that several pairs share one loses no member. */
const BINS = 16;
/** Share of unrelated pairs that may match by chance in some piece. */
const CHANCE = 1 / 64;

/** Numbers of a piece in the table. */
const PIECE = 3;

const FACTOR = 0x01000193;

interface Traits {
  /** Letters of the longest sequence. */
  longest: number;
  /** How many equally frequent letters would be alike as often by chance. */
  letters: number;
}

const traits = new WeakMap<PackedCodes, Traits>();
/** Letters that are looked at. */
const GLANCE = 1 << 20;

function traitsOf(set: PackedCodes): Traits {
  const known = traits.get(set);
  if (known !== undefined) return known;
  let longest = 0;
  for (let i = 0; i < set.length; i++) longest = Math.max(longest, set.offsets[i + 1] - set.offsets[i]);
  const counts = new Float64Array(256);
  const glance = set.codes.subarray(0, GLANCE);
  for (const code of glance) counts[code]++;
  const alike = counts.reduce((sum, count) => sum + (count / Math.max(1, glance.length)) ** 2, 0);
  const found = { longest, letters: 1 / Math.max(alike, 1 / 256) };
  traits.set(set, found);
  return found;
}

/** An index of members of a set, found by their pieces. */
export class Seeds {
  readonly #set: PackedCodes;
  readonly #limit: Limit;
  readonly #longest: number;
  readonly #letters: number;
  /** FACTOR to the power of the place. */
  readonly #powers: Int32Array;
  /** Hashes of the prefixes of the sequence at hand. */
  readonly #prefixes: Int32Array;
  /** Members of each length. */
  readonly #ofLength: Uint32Array;
  #members: Uint32Array = new Uint32Array(64);
  #count = 0;
  /** [members × BINS] */
  #pairs: Uint16Array = new Uint16Array(64 * BINS);
  /** The last probe that met each member, from 1. */
  #met: Uint32Array = new Uint32Array(64);
  #probe = 0;
  readonly #own = new Uint16Array(BINS);
  // A table of chains: the newest piece of each slot, and for each piece its hash, its member and the piece before it.
  #slots = new Int32Array(256).fill(-1);
  #pieces: Int32Array = new Int32Array(64 * PIECE);
  #pieceCount = 0;

  constructor(set: PackedCodes, limit: Limit) {
    const { longest, letters } = traitsOf(set);
    this.#set = set;
    this.#limit = limit;
    this.#longest = longest;
    this.#letters = letters;
    this.#powers = new Int32Array(longest + 1);
    this.#powers[0] = 1;
    for (let i = 1; i <= longest; i++) this.#powers[i] = Math.imul(this.#powers[i - 1], FACTOR);
    this.#prefixes = new Int32Array(longest + 1);
    this.#ofLength = new Uint32Array(longest + 1);
  }

  /** Whether few enough unrelated sequences match a piece of a member of `length` letters. */
  worthwhile(length: number): boolean {
    const pieces = this.#piecesOf(length);
    const letters = Math.floor(length / pieces);
    const lookups = Math.floor((pieces - 1) ** 2 / 2) + pieces;
    return letters > 0 && lookups <= CHANCE * this.#letters ** letters;
  }

  #piecesOf(length: number): number {
    return 1 + this.#limit.most(Math.min(this.#limit.longest(length), this.#longest));
  }

  /** Adds a sequence of the set, of a length that is worthwhile. */
  add(index: number): void {
    const { offsets } = this.#set;
    const length = offsets[index + 1] - offsets[index];
    const pieces = this.#piecesOf(length);
    this.#hash(index);
    const member = this.#count++;
    this.#members = grown(this.#members, this.#count);
    this.#met = grown(this.#met, this.#count);
    this.#pairs = grown(this.#pairs, this.#count * BINS);
    this.#members[member] = index;
    this.#countPairs(index, this.#pairs.subarray(member * BINS, (member + 1) * BINS));
    this.#ofLength[length]++;
    this.#pieces = grown(this.#pieces, (this.#pieceCount + pieces) * PIECE);
    if (this.#pieceCount + pieces > this.#slots.length) this.#rehash();
    for (let i = 0; i < pieces; i++) {
      const start = Math.floor((i * length) / pieces);
      const letters = Math.floor(((i + 1) * length) / pieces) - start;
      const at = PIECE * this.#pieceCount++;
      this.#pieces[at] = this.#hashAt(start, letters, length, i);
      this.#pieces[at + 1] = member;
      this.#link(at);
    }
  }

  #link(at: number): void {
    const slot = this.#pieces[at] & (this.#slots.length - 1);
    this.#pieces[at + 2] = this.#slots[slot];
    this.#slots[slot] = at;
  }

  #rehash(): void {
    this.#slots = new Int32Array(4 * this.#slots.length).fill(-1);
    for (let piece = 0; piece < this.#pieceCount; piece++) this.#link(PIECE * piece);
  }

  /** Appends to `found` the members that may be within the limit of sequence `index` of the set. */
  find(index: number, found: number[]): void {
    if (this.#count === 0) return;
    const { offsets } = this.#set;
    const length = offsets[index + 1] - offsets[index];
    this.#hash(index);
    this.#countPairs(index, this.#own);
    this.#probe++;
    const longest = Math.min(this.#limit.longest(length), this.#longest);
    for (let other = length - this.#limit.most(length); other <= longest; other++) {
      if (this.#ofLength[other] > 0) this.#findOfLength(length, other, found);
    }
  }

  #findOfLength(length: number, other: number, found: number[]): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    const table = this.#pieces;
    const met = this.#met;
    const probe = this.#probe;
    const pieces = this.#piecesOf(other);
    const edits = Math.min(this.#limit.most(Math.max(length, other)), pieces - 1);
    const shift = length - other;
    for (let i = 0; i <= edits; i++) {
      const start = Math.floor((i * other) / pieces);
      const letters = Math.floor(((i + 1) * other) / pieces) - start;
      const from = Math.max(0, start + Math.max(-i, shift - (edits - i)));
      const to = Math.min(length - letters, start + Math.min(i, shift + (edits - i)));
      for (let at = from; at <= to; at++) {
        const hash = this.#hashAt(at, letters, other, i);
        for (let piece = slots[hash & mask]; piece >= 0; piece = table[piece + 2]) {
          if (table[piece] !== hash) continue;
          const member = table[piece + 1];
          if (met[member] === probe) continue;
          met[member] = probe;
          if (this.#alike(member, 4 * edits)) found.push(this.#members[member]);
        }
      }
    }
  }

  /** Whether the member's pairs of letters and the probe's differ by no more than `most`. */
  #alike(member: number, most: number): boolean {
    const own = this.#own;
    const pairs = this.#pairs;
    let difference = 0;
    for (let bin = 0, at = member * BINS; bin < BINS && difference <= most; bin++, at++) {
      difference += Math.abs(own[bin] - pairs[at]);
    }
    return difference <= most;
  }

  #countPairs(index: number, out: Uint16Array): void {
    const { codes, offsets } = this.#set;
    out.fill(0);
    for (let at = offsets[index] + 1; at < offsets[index + 1]; at++) {
      const bin = (4 * codes[at - 1] + codes[at]) & (BINS - 1);
      // Counts that stop growing differ by no more than those that go on.
      if (out[bin] < 0xffff) out[bin]++;
    }
  }

  #hash(index: number): void {
    const { codes, offsets } = this.#set;
    const prefixes = this.#prefixes;
    const start = offsets[index];
    const length = offsets[index + 1] - start;
    for (let i = 0; i < length; i++) {
      prefixes[i + 1] = (Math.imul(prefixes[i], FACTOR) + codes[start + i] + 1) | 0;
    }
  }

  /** Hash of `letters` letters from `start` on as piece `i` of a member of `length` letters. */
  #hashAt(start: number, letters: number, length: number, i: number): number {
    const text =
      (this.#prefixes[start + letters] - Math.imul(this.#prefixes[start], this.#powers[letters])) | 0;
    let hash = Math.imul(text ^ Math.imul(length, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca6b), 0xc2b2ae35);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return hash ^ (hash >>> 13);
  }
}
