/**
 * @file From points to a tree: single linkage of leaves at one norm of the Poincaré ball.
 *
 * Leaves at one norm have the deeper lowest common ancestor the smaller the angle between them, so that joining pairs
 * by descending depth of their ancestor (Chami et al. 2020, algorithm 1) is joining them by ascending chord of their
 * directions: the edges of a minimum spanning tree, in order. Prim's algorithm finds them in O(N²·m) time and O(N)
 * memory; no distance is kept. Chords are differences of float64 directions, so that near leaves keep their order.
 *
 * The heights are those of the ancestors: all leaves lie 2·artanh ρ below the root, and a merge at depth d of its
 * leaves' ancestor joins two leaves by a path of 2·(2·artanh ρ − d). They ascend with the chords, and equal leaves
 * come together at height 0.
 */

import { exactLcaDepth } from "../../geometry/lca.ts";
import { orderedMerges, type Linkage } from "../../kernel/linkage.ts";

/** Leaves at one norm: coordinates [count, rank], row-major, of which the directions count. */
export interface Leaves {
  points: ArrayLike<number>;
  rank: number;
  /** Their norm ρ. */
  radius: number;
}

/** Edges of a minimum spanning tree, in the order in which they were found. */
interface SpanningTree {
  from: Uint32Array;
  to: Uint32Array;
  /** Squared chord ‖u − v‖² between directions, 0 … 4. */
  squaredChords: Float64Array;
}

/** Rows of unit length in float64; the zero vector stays zero. */
export function unitRows(points: ArrayLike<number>, rank: number): Float64Array {
  const out = Float64Array.from(points);
  for (let at = 0; at < out.length; at += rank) {
    let square = 0;
    for (let k = at; k < at + rank; k++) square += out[k] ** 2;
    const factor = square > 0 ? 1 / Math.sqrt(square) : 0;
    for (let k = at; k < at + rank; k++) out[k] *= factor;
  }
  return out;
}

/** Prim's algorithm; the leaves outside the tree are kept packed at the front. */
function minimumSpanningTree(rows: Float64Array, rank: number): SpanningTree {
  const count = rows.length / rank;
  const edges = Math.max(0, count - 1);
  const tree = {
    from: new Uint32Array(edges),
    to: new Uint32Array(edges),
    squaredChords: new Float64Array(edges),
  };
  const outside = rows.slice();
  const ids = Uint32Array.from({ length: count }, (_, i) => i);
  const nearest = new Uint32Array(count);
  const chords = new Float64Array(count).fill(Infinity);
  const newest = new Float64Array(rank);
  let chosen = 0;
  for (let size = count - 1, edge = 0; size > 0; size--, edge++) {
    const id = ids[chosen];
    newest.set(rows.subarray(id * rank, (id + 1) * rank));
    // The last one outside takes the place of the one that leaves.
    ids[chosen] = ids[size];
    nearest[chosen] = nearest[size];
    chords[chosen] = chords[size];
    outside.copyWithin(chosen * rank, size * rank, (size + 1) * rank);
    let least = Infinity;
    for (let i = 0, at = 0; i < size; i++, at += rank) {
      let square = 0;
      for (let k = 0; k < rank; k++) {
        const step = outside[at + k] - newest[k];
        square += step * step;
      }
      if (square < chords[i]) {
        chords[i] = square;
        nearest[i] = id;
      }
      if (chords[i] < least) {
        least = chords[i];
        chosen = i;
      }
    }
    tree.from[edge] = nearest[chosen];
    tree.to[edge] = ids[chosen];
    tree.squaredChords[edge] = least;
  }
  return tree;
}

/** Length of the path between two leaves through their lowest common ancestor, by the squared chord between them. */
export function pathLength(squaredChord: number, radius: number): number {
  return Math.max(0, 2 * (exactLcaDepth(0, radius) - exactLcaDepth(squaredChord, radius)));
}

/** Single linkage of leaves by the depth of their lowest common ancestors, deepest first. */
export function spanningLinkage({ points, rank, radius }: Leaves): Linkage {
  const { from, to, squaredChords } = minimumSpanningTree(unitRows(points, rank), rank);
  const merges = orderedMerges(from.length + 1, { left: from, right: to, heights: squaredChords });
  return { ...merges, heights: merges.heights.map((squaredChord) => pathLength(squaredChord, radius)) };
}
