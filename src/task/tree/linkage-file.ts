/**
 * @file Linkages as files: SciPy's matrix [n − 1, 4] of left, right, height and size, as `.npy` (float64) or a table.
 */

import type { Linkage } from "../../kernel/linkage.ts";
import { encodeNpy } from "../../sequence/npy.ts";

/** What `scipy.cluster.hierarchy` reads. */
export function linkageNpy({ left, right, heights, sizes }: Linkage): Generator<Uint8Array> {
  const rows = new Float64Array(4 * left.length);
  for (let k = 0; k < left.length; k++) rows.set([left[k], right[k], heights[k], sizes[k]], 4 * k);
  return encodeNpy(rows, [left.length, 4]);
}

/** The same as a table with a header; clusters 0 … n − 1 are the sequences in their order. */
export function* linkageTsv({ left, right, heights, sizes }: Linkage): Generator<string> {
  yield "left\tright\theight\tsize\n";
  for (let k = 0; k < left.length; k++)
    yield `${left[k]}\t${right[k]}\t${Number(heights[k].toPrecision(8))}\t${sizes[k]}\n`;
}
