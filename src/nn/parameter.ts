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
}

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
): ParameterSpec {
  return uniform(shape, gain * Math.sqrt(6 / (inputs + outputs)));
}
