/**
 * @file The scores that alignments are made by, where nothing else is asked for.
 */

import { checkScoring, type Scoring } from "../../kernel/scoring.ts";
import { matrixScores, type MatrixName } from "../../sequence/substitution-matrix.ts";
import type { Alphabet } from "../../sequence/index.ts";

export interface ScoringOptions {
  /** A matrix by its name, or scores of codes [32 × 32]. */
  matrix?: MatrixName | Float32Array;
  /** A gap of k letters takes off gapOpen + k · gapExtend. */
  gapOpen?: number;
  gapExtend?: number;
  /** Share of both that gaps before the first and after the last letter cost, 0…1. */
  endGaps?: number;
}

/**
 * Settings of multiple alignment, chosen on one half of 46 HomFam families and, for DNA, on genes of rpsS and 16S. Every
 * pair of letters scores more than the matrix gives, so that remote relatives are aligned rather than left apart.
 */
const MULTIPLE = {
  dna: { matrix: "NUC", raise: 3, gapOpen: 25, gapExtend: 0.5, endGaps: 0.25 },
  protein: { matrix: "BLOSUM62", raise: 1, gapOpen: 11, gapExtend: 0.25, endGaps: 0.25 },
} as const;

/** Settings of pairs: those of EMBOSS's `needle`, whose gap of k letters costs 10 + (k − 1) / 2, but ends cost too. */
const PAIRWISE = {
  dna: { matrix: "NUC", raise: 0, gapOpen: 9.5, gapExtend: 0.5, endGaps: 1 },
  protein: { matrix: "BLOSUM62", raise: 0, gapOpen: 9.5, gapExtend: 0.5, endGaps: 1 },
} as const;

/** The scoring of multiple alignments (default), or of pairs, with what is given in place of the defaults. */
export function createScoring(
  alphabet: Alphabet,
  options: ScoringOptions = {},
  { pairwise = false }: { pairwise?: boolean } = {},
): Scoring {
  const defaults = (pairwise ? PAIRWISE : MULTIPLE)[alphabet.name];
  const { matrix = defaults.matrix } = options;
  const scores = typeof matrix === "string" ? matrixScores(matrix, alphabet) : matrix;
  const scoring = {
    substitution: typeof matrix === "string" ? scores.map((score) => score + defaults.raise) : scores,
    gapOpen: options.gapOpen ?? defaults.gapOpen,
    gapExtend: options.gapExtend ?? defaults.gapExtend,
    endGaps: options.endGaps ?? defaults.endGaps,
  };
  checkScoring(scoring);
  return scoring;
}
