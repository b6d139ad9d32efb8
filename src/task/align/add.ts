/**
 * @file Sequences added to an alignment that is there.
 *
 * The alignment is kept as it is: it may get columns of gaps, where a new sequence has letters that none of its
 * sequences has, and nothing else. New sequences are joined one after another, those nearest to any of the old ones
 * first, each to the profile of all that came before. This is what Clustal's profile alignment and MAFFT's `--add` are
 * for: hundreds of new sequences a reference alignment of which is worth more than one made anew.
 */

import { EditDistances } from "../../kernel/edit-distance.ts";
import { packCodes } from "../../kernel/packed.ts";
import { progressiveAlignment, type Joins } from "../../kernel/progressive.ts";
import type { Scoring } from "../../kernel/scoring.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import type { SequenceSet } from "../../sequence/index.ts";
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
  const order = await nearestFirst(codes, set.codes, { threads, signal });
  const added = Array.from(order, (i) => set.codes[i]);
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

/** The new sequences, by their least edit distance to any of the old ones. */
async function nearestFirst(
  old: readonly Uint8Array[],
  added: readonly Uint8Array[],
  { threads, signal }: Pick<AddOptions, "threads" | "signal">,
): Promise<Uint32Array> {
  const kernel = await EditDistances.create({ threads });
  try {
    const references = packCodes(old);
    const nearest = new Uint32Array(added.length);
    const rows = Math.max(1, Math.floor(CELLS / Math.max(1, old.length)));
    for (let from = 0; from < added.length; from += rows) {
      const block = packCodes(added.slice(from, from + rows));
      const distances = await kernel.cross(block, references, { signal });
      for (let i = 0; i < block.length; i++) {
        let least = Infinity;
        for (let j = 0; j < old.length; j++) least = Math.min(least, distances[i * old.length + j]);
        nearest[from + i] = least;
      }
    }
    return nearest.map((_, i) => i).sort((a, b) => nearest[a] - nearest[b] || a - b);
  } finally {
    await kernel.close();
  }
}

/** Distances held at a time. */
const CELLS = 2 ** 24;
