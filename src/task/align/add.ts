/**
 * @file Sequences added to an alignment that is there.
 *
 * The alignment is kept as it is: it may get columns of gaps, where a new sequence has letters that none of its
 * sequences has, and nothing else. New sequences are joined one after another, those nearest to any of the old ones
 * first, each to the profile of all that came before. This is what Clustal's profile alignment and MAFFT's `--add` are
 * for: hundreds of new sequences a reference alignment of which is worth more than one made anew.
 */

import { progressiveAlignment, type Joins } from "../../kernel/progressive.ts";
import type { Scoring } from "../../kernel/scoring.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import type { SequenceSet } from "../../sequence/index.ts";
import { nearestTraining } from "../leakage.ts";
import { createScoring } from "./scoring.ts";

export interface AddOptions {
  /** Default {@link createScoring}. */
  scoring?: Scoring;
  threads?: number;
  signal?: AbortSignal;
  /** Called with the sequences added and their number. */
  progress?: (done: number, total: number) => void;
}

/** Adds the sequences of a set to an alignment of others: the rows of the old ones, then those of the new. */
export async function addSequences(
  { alignment, codes }: { alignment: Alignment; codes: readonly Uint8Array[] },
  set: Pick<SequenceSet, "codes" | "alphabet">,
  { scoring = createScoring(set.alphabet), threads, signal, progress }: AddOptions = {},
): Promise<{ alignment: Alignment }> {
  if (set.codes.length === 0) return { alignment };
  const { edits } = await nearestTraining(set, { codes }, { threads, signal });
  const order = Array.from(edits.keys()).sort((a, b) => edits[a] - edits[b]);
  const added = order.map((i) => set.codes[i]);
  const all = await progressiveAlignment(
    [new Uint8Array(0), ...added],
    caterpillar(added.length),
    new Float32Array(added.length + 1).fill(1),
    scoring,
    { first: { sequences: codes, alignment }, threads: 1, signal, progress },
  );
  const [old, ...columns] = all.columns;
  const placed = new Array<Uint32Array>(added.length);
  order.forEach((i, k) => (placed[i] = columns[k]));
  const kept = alignment.columns.map((own) => own.map((column) => old[column]));
  return { alignment: { width: all.width, columns: [...kept, ...placed] } };
}

/** The joins of 1, 2 … count, in turn, with what is there at 0. */
function caterpillar(count: number): Joins {
  return {
    left: Uint32Array.from({ length: count }, (_, k) => (k === 0 ? 0 : count + k)),
    right: Uint32Array.from({ length: count }, (_, k) => k + 1),
  };
}
