/**
 * @file How much of a reference alignment another alignment of the same sequences recovers.
 *
 * A pair is two letters in one column. The *sum-of-pairs* score SP is the share of the reference's pairs that the
 * alignment has too (also called the developer score), the *modeler* score the share of the alignment's pairs that
 * the reference has; the *total-column* score TC is the share of the reference's columns all of whose letters stand
 * together in the alignment, whatever else stands there. Columns of one letter have no pair and do not count.
 *
 * Pairs are not listed: the letters of a reference column fall into groups by their column of the alignment, and a
 * group of g letters has g (g − 1) / 2 pairs. Linear in the number of letters.
 *
 * Sources: Thompson, Plewniak and Poch, "A comprehensive comparison of multiple sequence alignment programs", Nucleic
 * Acids Research 1999; Sauder, Arthur and Dunbrack, "Large-scale comparison of protein sequence alignment algorithms
 * with structure alignments", Proteins 2000, for the two directions.
 */

import { FormatError } from "../../error.ts";
import type { AlignedSequences } from "../../sequence/aligned-rows.ts";
import { DNA, guessAlphabet } from "../../sequence/alphabet.ts";

export interface CompareAlignmentsOptions {
  /**
   * Compare only letters that the reference has in upper case, the core as BAliBASE and HomFam mark it (default
   * false). All counts, those of the alignment's pairs too, are then of these letters.
   */
  core?: boolean;
  /** Name of the alignment's file, for errors. */
  file?: string;
}

/** What an alignment has of a reference; shares are null where there is nothing to have. */
export interface AlignmentComparison {
  /** Sequences compared: those of the reference. */
  sequences: number;
  /** Pairs of the reference. */
  pairs: number;
  /** Pairs of the alignment, between the same letters. */
  testPairs: number;
  /** Pairs of both. */
  sharedPairs: number;
  /** Columns of the reference with two letters at least. */
  columns: number;
  /** Those of them that are recovered whole. */
  sharedColumns: number;
  /** sharedPairs / pairs. */
  sp: number | null;
  /** sharedPairs / testPairs. */
  modeler: number | null;
  /** sharedColumns / columns. */
  tc: number | null;
}

/**
 * Compares an alignment with a reference; sequences are matched by id, and those that the reference lacks are passed
 * over.
 *
 * @throws FormatError where a sequence of the reference is missing, or has other letters (case does not matter, nor
 *   does U for T in nucleotides)
 */
export function compareAlignments(
  test: AlignedSequences,
  reference: AlignedSequences,
  { core = false, file }: CompareAlignmentsOptions = {},
): AlignmentComparison {
  const places = matched(test, reference, file);
  const { width, columns } = reference.alignment;
  const counted = reference.letters.map((letters) => (core ? isCore(letters) : undefined));

  // The alignment's column of every letter that counts, sorted by the reference's column.
  const starts = new Uint32Array(width + 1);
  const counts = new Uint32Array(test.alignment.width);
  columns.forEach((own, i) => {
    const theirs = test.alignment.columns[places[i]];
    own.forEach((column, k) => {
      if (counted[i]?.[k] === 0) return;
      starts[column + 1]++;
      counts[theirs[k]]++;
    });
  });
  let testPairs = 0;
  for (const count of counts) testPairs += pairsOf(count);
  for (let column = 0; column < width; column++) starts[column + 1] += starts[column];
  const sorted = new Uint32Array(starts[width]);
  const next = starts.slice();
  columns.forEach((own, i) => {
    const theirs = test.alignment.columns[places[i]];
    own.forEach((column, k) => {
      if (counted[i]?.[k] !== 0) sorted[next[column]++] = theirs[k];
    });
  });

  let pairs = 0;
  let sharedPairs = 0;
  let wholeColumns = 0;
  let sharedColumns = 0;
  counts.fill(0);
  for (let column = 0; column < width; column++) {
    const group = sorted.subarray(starts[column], starts[column + 1]);
    if (group.length < 2) continue;
    wholeColumns++;
    pairs += pairsOf(group.length);
    // Each letter makes a pair with every one before it in its group.
    for (const at of group) sharedPairs += counts[at]++;
    if (counts[group[0]] === group.length) sharedColumns++;
    for (const at of group) counts[at] = 0;
  }
  const share = (part: number, whole: number) => (whole === 0 ? null : part / whole);
  return {
    sequences: reference.ids.length,
    pairs,
    testPairs,
    sharedPairs,
    columns: wholeColumns,
    sharedColumns,
    sp: share(sharedPairs, pairs),
    modeler: share(sharedPairs, testPairs),
    tc: share(sharedColumns, wholeColumns),
  };
}

const pairsOf = (count: number): number => (count * (count - 1)) / 2;

/** 1 for letters in upper case. */
function isCore(letters: string): Uint8Array {
  return Uint8Array.from(letters, (letter) => Number(letter >= "A" && letter <= "Z"));
}

/** The place in `test` of every sequence of the reference. */
function matched(test: AlignedSequences, reference: AlignedSequences, file?: string): number[] {
  const numbers = new Map(test.ids.map((id, i) => [id, i]));
  const nucleotides = guessAlphabet(reference.letters) === DNA;
  const plain = (letters: string) => {
    const upper = letters.toUpperCase();
    return nucleotides ? upper.replaceAll("U", "T") : upper;
  };
  return reference.ids.map((id, i) => {
    const place = numbers.get(id);
    if (place === undefined) {
      throw new FormatError("alignment: must hold every sequence of the reference, got none of this name", {
        file,
        record: id,
      });
    }
    const [ours, theirs] = [plain(test.letters[place]), plain(reference.letters[i])];
    if (ours === theirs) return place;
    const rule = "alignment: must have the letters of the reference";
    if (ours.length !== theirs.length) {
      throw new FormatError(`${rule}, ${theirs.length} of them, got ${ours.length}`, { file, record: id });
    }
    let at = 0;
    while (ours[at] === theirs[at]) at++;
    throw new FormatError(`${rule}, ${theirs[at]} at position ${at + 1}, got ${ours[at]}`, {
      file,
      record: id,
    });
  });
}
