/**
 * @file From a string near the middle of a group to one that no single edit improves.
 *
 * A median read from a space is near the group's median string, and a few letters off. The sum of edit distances after
 * each of the (2σ + 1)n single edits of a string of n letters follows from two tables a member, of the distances
 * between prefixes and between suffixes of both: the distance after an edit at a place is the least, over all places of
 * the member, of a prefix's distance before it, extended by the edit, plus a suffix's after it. So a round that knows
 * the sum after every single edit costs O(σ·n·d) a member at distance d, where trying them one by one would cost n times
 * that. Edits that lower the sum and are apart are made together where that lowers it too, else the best one alone.
 *
 * The search is that of Martínez-Hinarejos, Juan and Casacuberta, "Use of median string for classification", ICPR 2000.
 * Time linear in the group's size; each round lowers the sum, so it ends.
 */

import { editDistance } from "../../kernel/index.ts";
import { usedCodes } from "../../kernel/letters.ts";

/** Letters between two edits that are made together. */
const APART = 4;

/** One edit of a string, and the sum of distances after it. */
interface Edit {
  kind: "substitute" | "insert" | "delete";
  at: number;
  letter: number;
  sum: number;
}

/** More than any distance. */
const FAR = 1 << 28;

/**
 * Distances of one string's prefixes and suffixes to a member's, near the diagonal. After one edit the distance is at
 * most one more than before, and a path of that cost stays as near to the diagonal; so what lies beyond counts for
 * nothing.
 */
class Tables {
  readonly #member: Uint8Array;
  /** Distance from the diagonal up to which tables are filled. */
  readonly #band: number;
  readonly #width: number;
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  /** Prefixes, extended by a letter: they are as long as the row says. */
  readonly #row: Int32Array;
  #length = 0;

  /** Fills the tables, in the room given. */
  constructor(string: Uint8Array, member: Uint8Array, distance: number, room: Room) {
    const [n, l] = [string.length, member.length];
    const width = l + 1;
    this.#member = member;
    this.#band = distance + 2;
    this.#width = width;
    [this.#forward, this.#backward] = room.tables((n + 1) * width);
    this.#row = room.row(width);
    const [forward, backward] = [this.#forward, this.#backward];
    for (let j = 0; j < width; j++) forward[j] = j;
    for (let i = 1; i <= n; i++) this.#extend(i - 1, string[i - 1], forward, i * width);
    const ends = n * width;
    for (let j = 0; j < width; j++) backward[ends + j] = l - j;
    for (let i = n - 1; i >= 0; i--) {
      const [row, below] = [i * width, (i + 1) * width];
      const [low, high] = this.#reach(i);
      // The row below ends one place further right.
      if (high < l) backward[row + high + 1] = FAR;
      for (let j = high; j >= low; j--) {
        const down = j >= low - 1 && i + 1 - j <= this.#band ? backward[below + j] + 1 : FAR;
        const pair = j < l ? backward[below + j + 1] + (string[i] === member[j] ? 0 : 1) : FAR;
        const along = j < l ? backward[row + j + 1] + 1 : FAR;
        backward[row + j] = Math.min(pair, down, along);
      }
    }
  }

  /** First and last place of the member that row `i` has. */
  #reach(i: number): [number, number] {
    return [Math.max(0, i - this.#band), Math.min(this.#width - 1, i + this.#band)];
  }

  /** Row `i` of prefixes after one letter more, to `to`. */
  #extend(i: number, letter: number, to: Int32Array, start: number): void {
    const forward = this.#forward;
    const member = this.#member;
    const before = i * this.#width;
    const [known, last] = this.#reach(i);
    const [low, high] = this.#reach(i + 1);
    let left = FAR;
    for (let j = low; j <= high; j++) {
      const up = j <= last ? forward[before + j] + 1 : FAR;
      const pair = j > known ? forward[before + j - 1] + (letter === member[j - 1] ? 0 : 1) : FAR;
      left = Math.min(pair, up, left + 1);
      to[start + j] = left;
    }
  }

  /** Extends the prefix before `i` by a letter, for `inserted` and `substituted`. */
  extend(i: number, letter: number): void {
    this.#extend(i, letter, this.#row, 0);
    this.#length = i + 1;
  }

  /** The distance with the letter before place `i`. */
  inserted(i: number): number {
    return this.#joined(this.#row, 0, this.#length, i);
  }

  /** The distance with the letter in place `i`. */
  substituted(i: number): number {
    return this.#joined(this.#row, 0, this.#length, i + 1);
  }

  /** The distance without the letter in place `i`. */
  deleted(i: number): number {
    return this.#joined(this.#forward, i * this.#width, i, i + 1);
  }

  /** The least distance of prefixes of length `length` and suffixes from `i`. */
  #joined(row: Int32Array, start: number, length: number, i: number): number {
    const backward = this.#backward;
    const suffixes = i * this.#width;
    const [[a, b], [c, d]] = [this.#reach(length), this.#reach(i)];
    const high = Math.min(b, d);
    let least = FAR;
    for (let j = Math.max(a, c); j <= high; j++) {
      const distance = row[start + j] + backward[suffixes + j];
      if (distance < least) least = distance;
    }
    return least;
  }
}

/** Room for tables, used over and over. */
class Room {
  #forward = new Int32Array(0);
  #backward = new Int32Array(0);
  #row = new Int32Array(0);

  tables(size: number): [Int32Array, Int32Array] {
    if (this.#forward.length < size) {
      this.#forward = new Int32Array(size);
      this.#backward = new Int32Array(size);
    }
    return [this.#forward, this.#backward];
  }

  row(size: number): Int32Array {
    if (this.#row.length < size) this.#row = new Int32Array(size);
    return this.#row;
  }
}

/** The sum of distances, and after every single edit. */
function survey(
  string: Uint8Array,
  group: readonly Uint8Array[],
  letters: readonly number[],
  room: Room,
): { sum: number; edits: Edit[] } {
  const n = string.length;
  const size = letters.length;
  const inserted = new Float64Array((n + 1) * size);
  const substituted = new Float64Array(n * size);
  const deleted = new Float64Array(n);
  let sum = 0;
  for (const member of group) {
    const distance = editDistance(string, member);
    const tables = new Tables(string, member, distance, room);
    sum += distance;
    for (let i = 0; i <= n; i++) {
      for (let a = 0; a < size; a++) {
        tables.extend(i, letters[a]);
        inserted[i * size + a] += tables.inserted(i);
        if (i < n) substituted[i * size + a] += tables.substituted(i);
      }
      if (i < n) deleted[i] += tables.deleted(i);
    }
  }
  const edits: Edit[] = [];
  const consider = (kind: Edit["kind"], sums: Float64Array, per: number) =>
    sums.forEach((after, i) => {
      if (after < sum) edits.push({ kind, at: Math.floor(i / per), letter: letters[i % per], sum: after });
    });
  consider("substitute", substituted, size);
  consider("insert", inserted, size);
  consider("delete", deleted, 1);
  return { sum, edits: edits.sort((a, b) => a.sum - b.sum) };
}

/** The string after edits that are apart. */
function edited(string: Uint8Array, edits: readonly Edit[]): Uint8Array {
  const codes = Array.from(string);
  for (const { kind, at, letter } of edits.toSorted((a, b) => b.at - a.at)) {
    if (kind === "substitute") codes[at] = letter;
    else if (kind === "insert") codes.splice(at, 0, letter);
    else codes.splice(at, 1);
  }
  return Uint8Array.from(codes);
}

/** Codes of a string, reached from `start`, whose sum of edit distances to the group no single edit lowers. */
export function localMedian(group: readonly Uint8Array[], start: Uint8Array): Uint8Array {
  if (group.length === 0) return start;
  const letters = usedCodes(group);
  const room = new Room();
  const total = (string: Uint8Array) => group.reduce((sum, member) => sum + editDistance(string, member), 0);
  let string = start;
  for (;;) {
    const { edits } = survey(string, group, letters, room);
    if (edits.length === 0) return string;
    const apart: Edit[] = [];
    for (const edit of edits) {
      if (apart.every(({ at }) => Math.abs(at - edit.at) >= APART)) apart.push(edit);
    }
    const together = edited(string, apart);
    string = apart.length > 1 && total(together) < edits[0].sum ? together : edited(string, [edits[0]]);
  }
}

/** Members of a large group that its string is refined on: more would not move it. */
const SAMPLE = 500;

/** A string that no single edit improves, of a large group's sample; never one that is worse for the group. */
export function refinedMedian(group: readonly Uint8Array[], start: Uint8Array): Uint8Array {
  const every = Math.ceil(group.length / SAMPLE);
  if (every <= 1) return localMedian(group, start);
  const sum = (string: Uint8Array) =>
    group.reduce((total, member) => total + editDistance(string, member), 0);
  const sample = group.filter((_, i) => i % every === 0);
  const better = localMedian(sample, start);
  return sum(better) < sum(start) ? better : start;
}
