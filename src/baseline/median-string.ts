/**
 * @file Strings in the middle of a group: what Steiner strings are measured against (SPEC A14).
 *
 * The median string of a group has the least sum of edit distances to its members; finding it is NP-hard. Four ways
 * about that, of K sequences of about n letters:
 *
 * - any member at random: what `meanPairDistance` expects of it, distances of members to themselves included, as
 *   NeuroSEED counts it;
 * - `medoid`, the centre string: the member with the least sum, at most 2 − 2/K times the least there is. K² distances;
 * - `greedyMedian`, greedy-1: grows letter by letter. A row of the alignment matrix is kept for every member; its least
 *   value bounds what the member can yet come to, and the letter is taken for which these bounds sum to least. Of all
 *   strings on the way, that with the least sum of distances is the answer. O(K n² A) for A letters.
 *   Casacuberta and de Antonio, "A greedy algorithm for computing approximate median strings", 1997; Kruzslicz,
 *   "Improved greedy algorithm for computing approximate median strings", Acta Cybernetica 14 (1999);
 * - `quickMedian`, greedy-2: stretches all members to the mean length and takes the letter that covers most of each
 *   place. O(K n).
 *
 * Where several letters or members are as good, the first is taken: letters by code, members as given.
 */

import { editDistance } from "../kernel/index.ts";
import { usedCodes } from "../kernel/letters.ts";

/** Edit distances of all to all: [K × K], row-major. */
function distanceTable(group: readonly Uint8Array[]): Uint32Array {
  const count = group.length;
  const table = new Uint32Array(count * count);
  for (let i = 0; i < count; i++) {
    for (let j = i + 1; j < count; j++) {
      table[i * count + j] = table[j * count + i] = editDistance(group[i], group[j]);
    }
  }
  return table;
}

/** Mean edit distance of all ordered pairs of a group, those of a member with itself included. */
export function meanPairDistance(group: readonly Uint8Array[]): number {
  checkGroup(group);
  const table = distanceTable(group);
  return table.reduce((sum, distance) => sum + distance, 0) / table.length;
}

/** Place of the member with the least sum of edit distances to all. */
export function medoid(group: readonly Uint8Array[]): number {
  checkGroup(group);
  const table = distanceTable(group);
  let best = 0;
  let least = Infinity;
  for (let i = 0; i < group.length; i++) {
    let sum = 0;
    for (let j = 0; j < group.length; j++) sum += table[i * group.length + j];
    if (sum < least) [best, least] = [i, sum];
  }
  return best;
}

/** Mean edit distance of a group's members to a string: the consensus error. */
export function consensusError(group: readonly Uint8Array[], string: Uint8Array): number {
  checkGroup(group);
  return group.reduce((sum, each) => sum + editDistance(each, string), 0) / group.length;
}

/** The string that grows by the letter that promises the least sum of distances; empty where that is best. */
export function greedyMedian(group: readonly Uint8Array[]): Uint8Array {
  checkGroup(group);
  const letters = usedCodes(group);
  const longest = group.reduce((most, { length }) => Math.max(most, length), 0);
  // Row of the alignment matrix of each member, for what has grown so far.
  let rows = group.map(({ length }) => Int32Array.from({ length: length + 1 }, (_, j) => j));
  let next = rows.map((row) => new Int32Array(row.length));
  let trial = rows.map((row) => new Int32Array(row.length));
  const grown: number[] = [];
  let best = 0;
  let least = group.reduce((sum, { length }) => sum + length, 0);
  let last = least;
  // Twice the longest is beyond any use: each of these letters costs more than it gains.
  for (let length = 1; length <= 2 * longest; length++) {
    let chosen = 0;
    let bound = Infinity;
    let total = 0;
    for (const letter of letters) {
      let [bounds, lasts] = [0, 0];
      for (let k = 0; k < group.length; k++) {
        bounds += advance(rows[k], trial[k], group[k], letter);
        lasts += trial[k][group[k].length];
      }
      if (bounds >= bound) continue;
      [bound, chosen, total] = [bounds, letter, lasts];
      [next, trial] = [trial, next];
    }
    grown.push(chosen);
    [rows, next] = [next, rows];
    if (total < least) [best, least] = [length, total];
    if (length > longest && total > last) break;
    last = total;
  }
  return Uint8Array.from(grown.slice(0, best));
}

/** The next row of an alignment matrix, for one letter more; gives the least of it. */
function advance(row: Int32Array, next: Int32Array, sequence: Uint8Array, letter: number): number {
  let left = row[0] + 1;
  let least = left;
  next[0] = left;
  for (let j = 0; j < sequence.length; j++) {
    const replaced = row[j] + (sequence[j] === letter ? 0 : 1);
    const gap = Math.min(left, row[j + 1]) + 1;
    left = replaced < gap ? replaced : gap;
    next[j + 1] = left;
    if (left < least) least = left;
  }
  return least;
}

/** The string of the mean length, rounded, whose letters cover most of their places in the stretched members. */
export function quickMedian(group: readonly Uint8Array[]): Uint8Array {
  checkGroup(group);
  const length = Math.round(group.reduce((sum, each) => sum + each.length, 0) / group.length);
  const median = new Uint8Array(length);
  const votes = new Float64Array(32);
  for (let place = 0; place < length; place++) {
    votes.fill(0);
    for (const sequence of group) {
      // In units of 1 / length, which keeps them whole and ties exact.
      const from = place * sequence.length;
      const to = from + sequence.length;
      for (let j = Math.floor(from / length); j * length < to; j++) {
        votes[sequence[j]] += Math.min((j + 1) * length, to) - Math.max(j * length, from);
      }
    }
    median[place] = votes.indexOf(Math.max(...votes));
  }
  return median;
}

function checkGroup(group: readonly Uint8Array[]): void {
  if (group.length === 0) throw new RangeError("group: must hold at least one sequence, got none");
}
