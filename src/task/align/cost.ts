/**
 * @file What a multiple alignment costs without a reference: the sum over all pairs of sequences.
 *
 * `alignmentCost` is the sum-of-pairs cost with affine gaps. Each pair of rows is an alignment of two sequences, once
 * columns in which both have gaps are dropped; it costs so much for letters that differ, and for a gap of k letters
 * gapOpen + k · gapExtend, at the ends as elsewhere. Mismatches and letters beside gaps are counted by column, from
 * how often each letter stands in it; only the beginnings of gaps need the pairs, whose rows are merged run by run:
 * O(n · width + n² · runs) for n sequences.
 *
 * `clustalwScore` is the number that ClustalW 2.1 prints as `Alignment Score`, whose negative Corso et al. (2021) report
 * as the cost of an alignment. Though it is shown after alignments by other matrices and penalties, it depends on
 * none but the gap opening penalty: every pair of letters scores as *amino acids* in BLOSUM45, nucleotides too (A as
 * alanine 5, C as cysteine 12, G as glycine 7, T as threonine 5, and so on); each beginning of a gap takes off the
 * opening penalty, its extension nothing; and the last column is left out. That is measured: it is what the program
 * printed for hundreds of random families (test/task/align/cost.test.ts). So it grows with the share of C and G and
 * with the length, and differences of it in percent are not those of `alignmentCost`. The program also keeps a hundred
 * times the sum in 32 bits, by way of single precision: from 167,772 on what it prints is rounded, and beyond
 * 21,474,836 it has wrapped around (1,000 reads of 40 letters, worth 106,412,957, print 20,521,877). Ours does neither.
 */

import type { Alignment } from "../../sequence/alignment.ts";
import { PROTEIN, type Alphabet } from "../../sequence/alphabet.ts";
import { condensedLength } from "../../sequence/condensed.ts";
import { matrixScores } from "../../sequence/substitution-matrix.ts";

export interface AlignmentCostOptions {
  /** What two letters cost that differ; default 1. */
  mismatch?: number;
  /** What the beginning of a gap costs; default 1. */
  gapOpen?: number;
  /** What each letter beside a gap costs; default 1. */
  gapExtend?: number;
}

/** Codes that there may be (alphabet.ts). */
const CODES = 32;

/**
 * The sum over all pairs of sequences of what their rows cost, from 0.
 *
 * `codes` are the letters of each sequence; equal codes are equal letters.
 */
export function alignmentCost(
  alignment: Alignment,
  codes: readonly Uint8Array[],
  { mismatch = 1, gapOpen = 1, gapExtend = 1 }: AlignmentCostOptions = {},
): number {
  const rows = codes.length;
  let mismatches = 0;
  let besideGaps = 0;
  eachColumn(alignment, codes, (counts, letters) => {
    let equal = 0;
    for (const count of counts) equal += count * count;
    mismatches += (letters * letters - equal) / 2;
    besideGaps += letters * (rows - letters);
  });
  const opens = gapOpen === 0 ? 0 : gapBeginnings(alignment, alignment.width);
  return mismatch * mismatches + gapExtend * besideGaps + gapOpen * opens;
}

/** The mean of `alignmentCost` over the pairs; 0 where there is none. */
export function meanPairCost(
  alignment: Alignment,
  codes: readonly Uint8Array[],
  options?: AlignmentCostOptions,
): number {
  return alignmentCost(alignment, codes, options) / Math.max(1, condensedLength(codes.length));
}

/** The `Alignment Score` of ClustalW 2.1 (see above); throws RangeError for codes that are not of the alphabet. */
export function clustalwScore(
  { width, columns }: Alignment,
  codes: readonly Uint8Array[],
  { alphabet, gapOpen = 1 }: { alphabet: Alphabet; gapOpen?: number },
): number {
  const scores = asAminoAcids(alphabet);
  const shown = Math.max(0, width - 1);
  let sum = 0;
  eachColumn({ width: shown, columns }, codes, (counts) => {
    let column = 0;
    for (let a = 0; a < CODES; a++) {
      if (counts[a] === 0) continue;
      column += (scores[CODES * a + a] * counts[a] * (counts[a] - 1)) / 2;
      for (let b = 0; b < a; b++) column += scores[CODES * a + b] * counts[a] * counts[b];
    }
    sum += column;
  });
  return Math.trunc(sum - gapOpen * gapBeginnings({ width, columns }, shown));
}

/** BLOSUM45 of the letters of an alphabet read as amino acids, over its own codes. */
function asAminoAcids(alphabet: Alphabet): Float32Array {
  const blosum = matrixScores("BLOSUM45", PROTEIN);
  const letters = alphabet.letters + alphabet.ambiguous;
  const acids = Array.from(letters, (letter) => PROTEIN.codeOf[letter.charCodeAt(0)]);
  const scores = new Float32Array(CODES * CODES);
  acids.forEach((a, i) => acids.forEach((b, j) => (scores[CODES * i + j] = blosum[CODES * a + b])));
  return scores;
}

/** Tells for every column how often each code stands in it, and how many letters do; columns without any are left out. */
function eachColumn(
  { width, columns }: Alignment,
  codes: readonly Uint8Array[],
  tell: (counts: Uint32Array, letters: number) => void,
): void {
  const next = new Uint32Array(codes.length);
  const counts = new Uint32Array(CODES);
  for (let column = 0; column < width; column++) {
    counts.fill(0);
    let letters = 0;
    for (let i = 0; i < codes.length; i++) {
      if (columns[i][next[i]] !== column) continue;
      counts[codes[i][next[i]++]]++;
      letters++;
    }
    if (letters > 0) tell(counts, letters);
  }
}

/** How many gaps all pairs of rows have in the first `width` columns, where columns of two gaps do not count. */
function gapBeginnings({ columns }: Alignment, width: number): number {
  const runs = columns.map((places) => letterRuns(places, width));
  let sum = 0;
  for (let i = 0; i < runs.length; i++) {
    for (let j = 0; j < i; j++) sum += gapsOfPair(runs[i], runs[j]);
  }
  return sum;
}

/** Where runs of letters begin and end, in turn, and an end that is never reached. */
function letterRuns(places: Uint32Array, width: number): Int32Array {
  const ends: number[] = [];
  for (let k = 0; k < places.length && places[k] < width; k++) {
    if (ends.length > 0 && ends[ends.length - 1] === places[k]) ends[ends.length - 1]++;
    else ends.push(places[k], places[k] + 1);
  }
  ends.push(NEVER);
  return Int32Array.from(ends);
}

const NEVER = 0x7fffffff;
const [NEITHER, LEFT, RIGHT, BOTH] = [0, 1, 2, 3];

/** Walks along the ends of the runs of both; between two of them neither changes between letter and gap. */
function gapsOfPair(left: Int32Array, right: Int32Array): number {
  let gaps = 0;
  let last = BOTH;
  let i = 0;
  let j = 0;
  while (left[i] !== NEVER || right[j] !== NEVER) {
    const at = Math.min(left[i], right[j]);
    if (left[i] === at) i++;
    if (right[j] === at) j++;
    // Inside a run, an odd number of ends has been passed.
    const state = (i & 1 ? LEFT : NEITHER) | (j & 1 ? RIGHT : NEITHER);
    if (state === NEITHER || state === last) continue;
    if (state !== BOTH) gaps++;
    last = state;
  }
  return gaps;
}
