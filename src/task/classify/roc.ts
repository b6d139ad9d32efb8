/**
 * @file The area under the ROC curve: the chance that a sequence of a class has a greater probability for it than one
 * of another class, ties counting one half (Mann and Whitney).
 *
 * Sequences are ranked once, by radix sort, and a pass over the ranking gives the area with any weights: a bootstrap
 * asks for it a thousand times, with how often each sequence was drawn.
 *
 * Source: Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 2006.
 */

import { ascending } from "../correlation.ts";
import type { Predictions } from "./predictions.ts";

/** The sequences in ascending order of their probability for a class. */
export interface Ranking {
  /** [n] */
  order: Uint32Array;
  /** [n] 1 where the sequence is of the class, in that order. */
  member: Uint8Array;
  /** [n] 1 where the next sequence has another probability. */
  last: Uint8Array;
}

/** Ranks sequences by their probability for class `k`. */
export function ranking({ classes, labels, probabilities }: Predictions, k: number): Ranking {
  const n = labels.length;
  const scores = Float32Array.from({ length: n }, (_, i) => probabilities[i * classes + k]);
  const order = ascending(scores);
  return {
    order,
    member: Uint8Array.from(order, (i) => Number(labels[i] === k)),
    last: Uint8Array.from(order, (i, at) => Number(at === n - 1 || scores[order[at + 1]] !== scores[i])),
  };
}

/** The area under the curve when sequences count `weights` times (default once); null where all or none are of the class. */
export function areaUnderCurve({ order, member, last }: Ranking, weights?: ArrayLike<number>): number | null {
  let area = 0;
  /** Weights in all and of equal probabilities: members, and others. */
  let [members, others, tiedMembers, tiedOthers] = [0, 0, 0, 0];
  for (let at = 0; at < order.length; at++) {
    const weight = weights === undefined ? 1 : weights[order[at]];
    const ofClass = weight * member[at];
    tiedMembers += ofClass;
    tiedOthers += weight - ofClass;
    if (last[at] === 0) continue;
    area += tiedMembers * (others + tiedOthers / 2);
    members += tiedMembers;
    others += tiedOthers;
    tiedMembers = 0;
    tiedOthers = 0;
  }
  return members > 0 && others > 0 ? area / (members * others) : null;
}
