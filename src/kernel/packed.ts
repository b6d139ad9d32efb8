/**
 * @file Sequences laid end to end in shared memory, so that worker threads read them without a copy.
 */
import { UsageError } from "../error.ts";
import type { NumberArray } from "../sequence/condensed.ts";

/** Sequences of codes in shared memory. */
export interface PackedCodes {
  /** All codes, end to end. */
  codes: Uint8Array;
  /** [length + 1] Where each sequence starts in `codes`, and the end of the last. */
  offsets: Uint32Array;
  /** Number of sequences. */
  length: number;
}

/** Codes are 0…31: what the kernel's tables have room for. */
export const CODES = 32;

/** Packs sequences of codes (0…31); throws UsageError for 4 GiB of codes or more. */
export function packCodes(sequences: readonly Uint8Array[]): PackedCodes {
  let total = 0;
  for (const sequence of sequences) total += sequence.length;
  if (total >= 2 ** 32) throw new UsageError(`packed codes: must be fewer than 4294967296, got ${total}`);
  const codes = new Uint8Array(new SharedArrayBuffer(total));
  const offsets = new Uint32Array(new SharedArrayBuffer(4 * (sequences.length + 1)));
  let at = 0;
  for (let i = 0; i < sequences.length; i++) {
    codes.set(sequences[i], at);
    at += sequences[i].length;
    offsets[i + 1] = at;
  }
  return { codes, offsets, length: sequences.length };
}

/** The same sequences, copied to shared memory only where they are not there yet. */
export function toShared({ codes, offsets, length }: PackedCodes): PackedCodes {
  return { codes: inSharedMemory(codes), offsets: inSharedMemory(offsets), length };
}

/** The same numbers in shared memory, copied unless they are there already. */
export function inSharedMemory<Values extends NumberArray>(values: Values): Values {
  if (values.buffer instanceof SharedArrayBuffer) return values;
  const type = values.constructor as new (buffer: SharedArrayBuffer) => Values;
  const copy = new type(new SharedArrayBuffer(values.byteLength));
  copy.set(values);
  return copy;
}

/** Throws UsageError unless `left` and `right` are equally long lists of a's and of b's sequences. */
export function checkPairs(a: PackedCodes, b: PackedCodes, left: Uint32Array, right: Uint32Array): void {
  if (left.length !== right.length) {
    throw new UsageError(
      `pairs: left and right must be equally long, got ${left.length} and ${right.length}`,
    );
  }
  for (const [side, { length }] of [
    [left, a],
    [right, b],
  ] as const) {
    const outside = side.find((i) => i >= length);
    if (outside !== undefined) throw new UsageError(`pairs: indices must be below ${length}, got ${outside}`);
  }
}

/** Length of the longest sequence; 0 for none. */
export function longestLength({ offsets, length }: PackedCodes): number {
  let longest = 0;
  for (let i = 0; i < length; i++) longest = Math.max(longest, offsets[i + 1] - offsets[i]);
  return longest;
}

/** Sets from which sorting the sequences by their symbols pays. */
const WORTH_SORTING = 512;

/**
 * Positions 0…length−1 in shared memory, by ascending sequence length, and within one length so that similar
 * sequences are near each other (alphabetically; in small sets in their first order).
 */
export function orderByLength({ codes, offsets, length }: PackedCodes): Uint32Array {
  const order = new Uint32Array(new SharedArrayBuffer(4 * length));
  const lengths = Uint32Array.from({ length }, (_, i) => offsets[i + 1] - offsets[i]);
  const input = Uint32Array.from({ length }, (_, i) => i);
  countingSort(input, lengths, order);
  if (length < WORTH_SORTING) return order;
  const alphabetically = (a: number, b: number): number => {
    let p = offsets[a];
    let q = offsets[b];
    const end = offsets[a + 1];
    while (p < end && codes[p] === codes[q]) {
      p++;
      q++;
    }
    return p < end ? codes[p] - codes[q] : a - b;
  };
  for (let from = 0, to = 0; from < length; from = to) {
    while (to < length && lengths[order[to]] === lengths[order[from]]) to++;
    order.subarray(from, to).sort(alphabetically);
  }
  return order;
}

/** Writes `input` to `output`, stably sorted by `keys[input[i]]`; O(n + greatest key). */
export function countingSort(input: Uint32Array, keys: Uint32Array, output: Uint32Array): void {
  let greatest = 0;
  for (const i of input) greatest = Math.max(greatest, keys[i]);
  const starts = new Uint32Array(greatest + 2);
  for (const i of input) starts[keys[i] + 1]++;
  for (let k = 1; k < starts.length; k++) starts[k] += starts[k - 1];
  for (const i of input) output[starts[keys[i]]++] = i;
}
