/**
 * @file Vectors for a nearest-neighbour index: ordinary vectors whose ordinary neighbours are the neighbours in
 * the space.
 *
 * - Flat spaces: the points themselves, under L2. Manhattan has no such vectors in common indexes.
 * - cosine and hyperbolic: directions. On a sphere about the origin the distance grows with the angle, so the
 *   ranking is exactly the cosine's.
 * - lorentz and poincare: −⟨x, y⟩_L grows with the distance and is an inner product with the query's time
 *   coordinate flipped. Graph and cell indexes need a metric, though: built on that inner product they found
 *   next to nothing (recall@10 at most 0.06). Appending √(M² − ‖y‖²) to each item, M the greatest norm, and 0
 *   to the query turns it into L2 (Bachrach et al., RecSys 2014), with recall 0.96 to 0.998. The difference
 *   of two near items drowns in float32 beyond a radius of 8, where ‖y‖ is about 2,100: refused.
 */

import { EmbranchError, UsageError } from "../error.ts";
import { exactDot } from "./vector.ts";

/** What an index compares vectors by: Euclidean distance or the cosine; null where no index fits. */
export type IndexMetric = "l2" | "cos" | null;

/** Vectors for an index, row-major. */
export interface IndexVectors {
  vectors: Float32Array;
  /** Numbers in a vector. */
  dims: number;
}

/** Greatest distance from the origin, in units of √k, of a point that can be indexed. */
export const MAXIMUM_INDEX_RADIUS = 8;

/** Points to vectors of the index (items) and to vectors to search with (queries). */
export interface Indexing {
  readonly metric: IndexMetric;
  /** Whether the vector of an item depends on the other items, so that all must be given at once. */
  readonly together: boolean;
  readonly items: (points: Float32Array, dims: number, radiusSquared: number) => IndexVectors;
  readonly queries: (points: Float32Array, dims: number, radiusSquared: number) => IndexVectors;
}

const same = (points: Float32Array, dims: number): IndexVectors => ({ vectors: points.slice(), dims });

/** The points themselves, under L2. */
export const flatIndexing: Indexing = { metric: "l2", together: false, items: same, queries: same };

function unitVectors(points: Float32Array, dims: number): IndexVectors {
  const vectors = new Float32Array(points.length);
  for (let start = 0; start < points.length; start += dims) {
    const point = points.subarray(start, start + dims);
    const factor = 1 / (Math.sqrt(exactDot(point, point)) || 1);
    for (let j = 0; j < dims; j++) vectors[start + j] = point[j] * factor;
  }
  return { vectors, dims };
}

/** Directions, under the cosine. */
export const angularIndexing: Indexing = {
  metric: "cos",
  together: false,
  items: unitVectors,
  queries: unitVectors,
};

function refuse(): never {
  throw new UsageError("index: Manhattan distance has no index, got manhattan; search without one");
}

/** No index. */
export const noIndexing: Indexing = { metric: null, together: false, items: refuse, queries: refuse };

/** Space coordinates on the hyperboloid k = 1, float64, written to `out`. */
type ToHyperboloid = (point: Float32Array, radiusSquared: number, out: Float64Array) => void;

/** Ambient rows (time, space, one more), and the squared norm of (time, space). */
function ambient(
  points: Float32Array,
  dims: number,
  spaceDims: number,
  radiusSquared: number,
  toHyperboloid: ToHyperboloid,
): { vectors: Float32Array; squares: Float64Array; width: number } {
  const width = spaceDims + 2;
  const count = points.length / dims;
  const vectors = new Float32Array(count * width);
  const squares = new Float64Array(count);
  const space = new Float64Array(spaceDims);
  for (let i = 0; i < count; i++) {
    toHyperboloid(points.subarray(i * dims, (i + 1) * dims), radiusSquared, space);
    const sinhSquared = exactDot(space, space);
    const radius = Math.asinh(Math.sqrt(sinhSquared));
    if (!(radius <= MAXIMUM_INDEX_RADIUS)) {
      throw new EmbranchError(
        `points: must be within ${MAXIMUM_INDEX_RADIUS} of the origin to be indexed, ` +
          `got ${radius.toFixed(2)} for point ${i + 1}; search without an index`,
      );
    }
    vectors[i * width] = Math.sqrt(1 + sinhSquared);
    vectors.set(space, i * width + 1);
    squares[i] = 1 + 2 * sinhSquared;
  }
  return { vectors, squares, width };
}

function augmentedIndexing(dimsLost: number, toHyperboloid: ToHyperboloid): Indexing {
  return {
    metric: "l2",
    together: true,
    items: (points, dims, radiusSquared) => {
      const { vectors, squares, width } = ambient(
        points,
        dims,
        dims - dimsLost,
        radiusSquared,
        toHyperboloid,
      );
      const greatest = squares.reduce((a, b) => Math.max(a, b), 0);
      squares.forEach((square, i) => {
        vectors[(i + 1) * width - 1] = Math.sqrt(greatest - square);
      });
      return { vectors, dims: width };
    },
    queries: (points, dims, radiusSquared) => {
      const { vectors, width } = ambient(points, dims, dims - dimsLost, radiusSquared, toHyperboloid);
      for (let start = 0; start < vectors.length; start += width) vectors[start] *= -1;
      return { vectors, dims: width };
    },
  };
}

/** Ambient points of the hyperboloid, augmented, under L2. */
export const hyperboloidIndexing = augmentedIndexing(1, (point, radiusSquared, out) => {
  const factor = 1 / Math.sqrt(radiusSquared);
  for (let j = 0; j < out.length; j++) out[j] = point[j + 1] * factor;
});

/** Points of the Poincaré ball, taken to the hyperboloid and augmented, under L2. */
export const ballIndexing = augmentedIndexing(0, (point, _radiusSquared, out) => {
  const factor = 2 / (1 - exactDot(point, point));
  for (let j = 0; j < out.length; j++) out[j] = point[j] * factor;
});
