/**
 * @file What δ can be asked of: things with distances, of which some are drawn and the distances of those computed.
 */

import { EditDistances, packCodes, type Costs } from "../../kernel/index.ts";
import {
  arrayLike,
  condensedLength,
  condensedSide,
  condensedSubset,
  type NumberArray,
} from "../../sequence/condensed.ts";
import { findUniques } from "../../sequence/uniques.ts";
import { subset, type Random, type SequenceSet } from "../../sequence/index.ts";

/** Things with distances. */
export interface Metric {
  /** How many things there are. */
  readonly count: number;
  /** Whether the triangle inequality is known to hold, by which δ is at most half of the diameter (default false). */
  readonly triangle?: boolean;
  /** Distances of all pairs of the things at `indices`, condensed. */
  distances(indices: Uint32Array): NumberArray | Promise<NumberArray>;
  /** Distances of what is left of them without any relation, where there is such a thing. */
  control?(indices: Uint32Array, random: Random): NumberArray | Promise<NumberArray>;
}

/** The things of a matrix that is there, condensed. */
export function matrixMetric(matrix: NumberArray): Metric {
  const count = condensedSide(matrix.length);
  return {
    count,
    distances: (indices) =>
      condensedSubset(matrix, count, indices, arrayLike(matrix, condensedLength(indices.length))),
  };
}

/** Different sequences by their exact edit distances; `close` ends the threads. */
export interface SequenceMetric extends Metric {
  control(indices: Uint32Array, random: Random): Promise<NumberArray>;
  close(): Promise<void>;
}

/**
 * The different sequences of a set (copies count once) by their exact edit distances. The control are sequences of the
 * same letters in random order, each shuffled by itself: unrelated, of the same lengths and compositions.
 */
export async function sequenceMetric(
  { codes }: Pick<SequenceSet, "codes">,
  { threads, costs }: { threads?: number; costs?: Costs } = {},
): Promise<SequenceMetric> {
  const { representatives } = findUniques(codes);
  const kernel = await EditDistances.create({ threads });
  const allPairs = (chosen: readonly Uint8Array[]) => kernel.allPairs(packCodes(chosen), { costs });
  const at = (indices: Uint32Array) => Array.from(indices, (i) => codes[representatives[i]]);
  return {
    count: representatives.length,
    // Costs of a table may be of any kind.
    triangle: costs === undefined,
    distances: (indices) => allPairs(at(indices)),
    control: (indices, random) => allPairs(at(indices).map((sequence) => random.shuffle(sequence.slice()))),
    close: () => kernel.close(),
  };
}

/** The different sequences of a set: each once, the first of its copies. */
export function differentSequences(set: SequenceSet): SequenceSet {
  const { representatives } = findUniques(set.codes);
  return representatives.length === set.ids.length ? set : subset(set, representatives);
}
