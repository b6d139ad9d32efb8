/** @file Random points and arrays for the tests of geometry. */

import { defaultDevice, init, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import type { Parameters, ParameterValues } from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";

/** Array type of a test run. */
export type Precision = "float32" | "float64";

/** Runs jax-js on plain JavaScript, whose log and exp are correctly rounded and which has float64. */
export async function useReferenceBackend(): Promise<void> {
  await init("cpu");
  defaultDevice("cpu");
}

/** Rows as an array; float64 is put together from two float32 halves. */
export function matrix(rows: readonly ArrayLike<number>[], precision: Precision = "float32"): np.Array {
  const shape = [rows.length, rows[0].length];
  const values = rows.flatMap((row) => Array.from(row));
  const high = np.array(new Float32Array(values), { shape });
  if (precision === "float32") return high;
  const low = new Float32Array(values.map((value) => value - Math.fround(value)));
  return high.astype(np.float64).add(np.array(low, { shape }).astype(np.float64));
}

/** Reads and consumes an array. */
export function read(array: np.Array): number[] {
  return Array.from(array.dataSync() as Float32Array);
}

/** Reads and consumes an array [n, m] as rows. */
export function rows(array: np.Array): number[][] {
  const [n, m] = array.shape;
  const values = read(array);
  return Array.from({ length: n }, (_, i) => values.slice(i * m, (i + 1) * m));
}

/** Learned scalars as arrays. */
export function scalars(values: ParameterValues, precision: Precision = "float32"): Parameters {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]) => [name, matrix([[value]], precision).reshape([])]),
  );
}

/** References to a tree of learned scalars, for a function that consumes them. */
export function refs(p: Parameters): Parameters {
  return Object.fromEntries(Object.entries(p).map(([name, value]) => [name, value.ref]));
}

/** `count` normal vectors of `dims` numbers, times `scale`. */
export function normals(random: Random, count: number, dims: number, scale = 1): number[][] {
  return Array.from({ length: count }, () => Array.from({ length: dims }, () => random.normal() * scale));
}

/** `vector` with the given Euclidean norm. */
export function withNorm(vector: readonly number[], norm: number): number[] {
  const factor = norm / Math.hypot(...vector);
  return vector.map((value) => value * factor);
}

/** `count` points of the ball, at hyperbolic distance up to `radius` from its centre. */
export function ballPoints(random: Random, count: number, dims: number, radius: number): number[][] {
  return normals(random, count, dims).map((v) => withNorm(v, Math.tanh((random.uniform() * radius) / 2)));
}

/** The point of the hyperboloid with the given space coordinates. */
export function onHyperboloid(space: readonly number[], radiusSquared: number): number[] {
  return [Math.sqrt(radiusSquared + space.reduce((sum, value) => sum + value * value, 0)), ...space];
}

/** `count` points of the hyperboloid, ambient, up to `radius`·√k from the origin. */
export function hyperboloidPoints(
  random: Random,
  count: number,
  dims: number,
  radius: number,
  radiusSquared: number,
): number[][] {
  return normals(random, count, dims).map((v) => {
    const norm = Math.sqrt(radiusSquared) * Math.sinh(random.uniform() * radius);
    return onHyperboloid(withNorm(v, norm), radiusSquared);
  });
}

/** Runs `law` for many seeds; the seeds themselves are the same every time. */
export function forSeeds(law: (random: Random) => void, numRuns = 3): void {
  fc.assert(
    fc.property(fc.nat(), (seed) => law(new Random(seed))),
    { seed: 20, numRuns },
  );
}
