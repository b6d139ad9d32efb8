/**
 * @file What a layer needs to know before it is trained: shapes and initial values of its parameters.
 *
 * A model's parameters are a plain tree of arrays. A layer describes its part of the tree with
 * `ParameterSpec`s; the engine draws the initial values and keeps them all in one vector (engine/layout.ts).
 * Initialisers follow PyTorch's defaults, so that published learning rates carry over (SPEC 0.2).
 */

import type { numpy } from "@jax-js/jax";
import type { Random } from "../sequence/random.ts";

/** One parameter: its shape, its initial values, and whether weight decay applies to it. */
export interface ParameterSpec {
  readonly shape: readonly number[];
  /** Initial values in row-major order. */
  readonly initialize: (random: Random, size: number) => Float32Array;
  /** Decoupled weight decay pulls it to 0: weights, but no biases, gains or learned scalars. */
  readonly decay: boolean;
  /** Rows of the last axis are points of this manifold, and are trained along it; otherwise plain numbers. */
  readonly manifold?: ManifoldName;
}

/** The Poincaré ball of curvature −1, or the hyperboloid of radius 1: rows [1 + n], time first. */
export type ManifoldName = "ball" | "hyperboloid";

/** A tree of parameter specs. */
export type ParameterTree = ParameterSpec | ParameterTree[] | { [name: string]: ParameterTree };

/** The same tree with arrays in place of the specs. */
export type ArrayTree = numpy.Array | ArrayTree[] | { [name: string]: ArrayTree };

/** Whether a node of a parameter tree is a leaf. */
export function isParameterSpec(node: ParameterTree): node is ParameterSpec {
  return typeof (node as ParameterSpec).initialize === "function";
}

/** Uniform on [−bound, bound]. */
export function uniform(shape: readonly number[], bound: number, { decay = true } = {}): ParameterSpec {
  const initialize = (random: Random, size: number) =>
    Float32Array.from({ length: size }, () => (2 * random.uniform() - 1) * bound);
  return { shape, initialize, decay };
}

/** Normal with mean 0. */
export function normal(shape: readonly number[], deviation = 1, { decay = true } = {}): ParameterSpec {
  const initialize = (random: Random, size: number) =>
    Float32Array.from({ length: size }, () => deviation * random.normal());
  return { shape, initialize, decay };
}

/** The same value everywhere; never decayed. */
export function constant(shape: readonly number[], value: number): ParameterSpec {
  return { shape, initialize: (_, size) => new Float32Array(size).fill(value), decay: false };
}

/** PyTorch's default for linear and convolution weights and biases: U(−1/√fanIn, 1/√fanIn). */
export function fanIn(
  shape: readonly number[],
  inputs: number,
  options?: { decay?: boolean },
): ParameterSpec {
  return uniform(shape, 1 / Math.sqrt(inputs), options);
}

/** Xavier-uniform with a gain: U(−b, b), b = gain·√(6/(inputs + outputs)). */
export function xavier(
  shape: readonly number[],
  inputs: number,
  outputs: number,
  gain: number,
  options?: { decay?: boolean },
): ParameterSpec {
  return uniform(shape, gain * Math.sqrt(6 / (inputs + outputs)), options);
}

/** Points of the Poincaré ball [..., m], uniform within `scale` < 1 of its centre. */
export function ballPoints(shape: readonly number[], scale: number, { decay = false } = {}): ParameterSpec {
  const dims = shape[shape.length - 1];
  const initialize = (random: Random, size: number) =>
    Float32Array.from(Array.from({ length: size / dims }, () => withinBall(random, dims, scale)).flat());
  return { shape, initialize, decay, manifold: "ball" };
}

/** Points of the hyperboloid [..., 1 + n], their space coordinates uniform within `scale` of the origin. */
export function hyperboloidPoints(
  shape: readonly number[],
  scale: number,
  { decay = false } = {},
): ParameterSpec {
  const dims = shape[shape.length - 1] - 1;
  const point = (random: Random) => {
    const space = withinBall(random, dims, scale);
    return [Math.hypot(1, ...space), ...space];
  };
  const initialize = (random: Random, size: number) =>
    Float32Array.from(Array.from({ length: size / (1 + dims) }, () => point(random)).flat());
  return { shape, initialize, decay, manifold: "hyperboloid" };
}

/** A vector uniform in the Euclidean ball of radius `limit`. */
function withinBall(random: Random, dims: number, limit: number): number[] {
  const direction = Array.from({ length: dims }, () => random.normal());
  const factor = (limit * random.uniform() ** (1 / dims)) / Math.hypot(...direction);
  return direction.map((value) => value * factor);
}
