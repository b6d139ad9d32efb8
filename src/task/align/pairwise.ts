/**
 * @file The best global alignments of pairs of sequences, with affine gaps.
 */

import { pairAlignments } from "../../kernel/pair-alignment.ts";
import { scriptOfPath, type EditScript } from "../../kernel/edit-script.ts";
import type { Scoring } from "../../kernel/scoring.ts";

/** One optimal alignment; `I` is a letter of the first alone, `D` one of the second alone. */
export interface PairAlignment extends EditScript {
  score: number;
}

export interface AlignPairsOptions {
  scoring: Scoring;
  threads?: number;
  signal?: AbortSignal;
  /** Called with the pairs done and their number. */
  progress?: (done: number, total: number) => void;
}

/** Aligns a[i] with b[i], sequences of codes, for every i. */
export async function alignPairs(
  a: readonly Uint8Array[],
  b: readonly Uint8Array[],
  { scoring, ...request }: AlignPairsOptions,
): Promise<PairAlignment[]> {
  const each = Uint32Array.from(a, (_, i) => i);
  const found = await pairAlignments(
    a,
    b,
    each,
    Uint32Array.from(b, (_, i) => i),
    scoring,
    request,
  );
  return found.map(({ score, path }, i) => ({ score, ...scriptOfPath(a[i], b[i], path) }));
}
