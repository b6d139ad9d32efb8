/**
 * @file How far apart two sequences of one cluster may be: an identity, or a number of edits.
 *
 * Identity is 1 − edits / length of the longer of the two, compared from end to end. VSEARCH and CD-HIT leave the
 * ends out by default; of VSEARCH's definitions `--iddef 1` comes nearest, but divides by the columns of an alignment
 * that need not be one of the fewest edits.
 */

import { UsageError } from "../../error.ts";
import { mostEdits, ROUNDING } from "../identity.ts";

/** A limit as the user gives it: exactly one of the two. */
export interface Threshold {
  /** Least identity, 0 … 1. */
  identity?: number;
  /** Most edits. */
  edits?: number;
}

/** Which distances are small enough. */
export interface Limit {
  /** Most edits between two sequences, the longer of `length` letters; never falls with the length. */
  most(length: number): number;
  /** Length of the longest sequence within the limit of one of `length` letters. */
  longest(length: number): number;
  /** What is compared with {@link height}: 1 − identity, or edits. */
  distance(edits: number, longer: number): number;
  /** The greatest distance within the limit. */
  height: number;
}

/** @throws UsageError for an identity outside 0 … 1, edits that are no integer from 0, and both or neither of them. */
export function createLimit({ identity, edits }: Threshold): Limit {
  if ((identity === undefined) === (edits === undefined)) {
    throw new UsageError("threshold: must be an identity or a number of edits, one of the two");
  }
  if (edits !== undefined) {
    if (!(Number.isSafeInteger(edits) && edits >= 0)) {
      throw new UsageError(`edits: must be an integer from 0, got ${edits}`);
    }
    return {
      most: () => edits,
      longest: (length) => length + edits,
      distance: (count) => count,
      height: edits,
    };
  }
  if (!(identity! >= 0 && identity! <= 1)) {
    throw new UsageError(`identity: must be from 0 to 1, got ${identity}`);
  }
  const most = (length: number) => mostEdits(identity!, length);
  return {
    most,
    longest: (length) => {
      if (identity === 0) return Infinity;
      let longest = Math.floor(length / identity!);
      while (longest + 1 - most(longest + 1) <= length) longest++;
      while (longest - most(longest) > length) longest--;
      return longest;
    },
    distance: (count, longer) => count / Math.max(1, longer),
    height: 1 - identity! + ROUNDING,
  };
}
