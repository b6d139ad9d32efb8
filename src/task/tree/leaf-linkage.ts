/**
 * @file From leaves at one norm of the Poincaré ball to a tree.
 *
 * `single` is the published decoding (spanning-tree.ts): one pair of leaves that is too near joins two clusters, so
 * that a few misplaced leaves cost much. `average` links leaves by the mean length of the paths through their
 * ancestors, which averages such errors out, at the price of a matrix, 6N² bytes in all.
 */

import { condensedLength } from "../../sequence/condensed.ts";
import { linkage, type Linkage, type LinkageOptions } from "../../kernel/linkage.ts";
import { pathLength, spanningLinkage, unitRows, type Leaves } from "./spanning-tree.ts";

/** How leaves become a tree. */
export type Decoding = "average" | "single";

/** Links leaves; heights are lengths of the paths between leaves through their ancestors. */
export async function leafLinkage(
  leaves: Leaves,
  decoding: Decoding,
  options: Pick<LinkageOptions, "signal" | "progress"> = {},
): Promise<Linkage> {
  return decoding === "single" ? spanningLinkage(leaves) : linkage(pathLengths(leaves), options);
}

/** Lengths of the paths between all pairs of leaves, condensed. */
export function pathLengths({ points, rank, radius }: Leaves): Float32Array {
  const rows = unitRows(points, rank);
  const count = rows.length / rank;
  const out = new Float32Array(new SharedArrayBuffer(4 * condensedLength(count)));
  for (let i = 0, at = 0; i < rows.length; i += rank) {
    for (let j = i + rank; j < rows.length; j += rank) {
      let squaredChord = 0;
      for (let k = 0; k < rank; k++) {
        const step = rows[i + k] - rows[j + k];
        squaredChord += step * step;
      }
      out[at++] = pathLength(squaredChord, radius);
    }
  }
  return out;
}
