/**
 * @file What an alignment is worth: scores of letters that stand together, penalties of gaps.
 */
import { UsageError } from "../error.ts";
import { CODES } from "./packed.ts";

/** Scores of alignments, which are maximised. */
export interface Scoring {
  /** [32 × 32] Score of pairing code a with code b, at 32 a + b; symmetric. */
  substitution: Float32Array;
  /** A gap of k letters takes off gapOpen + k · gapExtend. */
  gapOpen: number;
  gapExtend: number;
  /** Share of both that a gap before the first or after the last letter costs: 1 as any other, 0 nothing. */
  endGaps: number;
}

/** Throws UsageError unless `scoring` is a symmetric [32 × 32] matrix, with penalties from 0 on and a share of 0…1. */
export function checkScoring({ substitution, gapOpen, gapExtend, endGaps }: Scoring): void {
  if (substitution.length !== CODES * CODES) {
    throw new UsageError(`scores: must be a ${CODES} × ${CODES} matrix, got ${substitution.length} numbers`);
  }
  for (let a = 0; a < CODES; a++) {
    for (let b = 0; b <= a; b++) {
      const there = substitution[CODES * a + b];
      const back = substitution[CODES * b + a];
      if (there === back && Number.isFinite(there)) continue;
      throw new UsageError(
        `scores: must be symmetric, got ${there} for codes ${a} and ${b}, and ${back} back`,
      );
    }
  }
  for (const [name, penalty] of Object.entries({ gapOpen, gapExtend })) {
    if (!(penalty >= 0 && Number.isFinite(penalty))) {
      throw new UsageError(`${name}: must be a penalty from 0 on, got ${penalty}`);
    }
  }
  if (!(endGaps >= 0 && endGaps <= 1)) {
    throw new UsageError(`end gaps: must cost a share from 0 to 1, got ${endGaps}`);
  }
}
