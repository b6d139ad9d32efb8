/**
 * @file Evaluates a function twice, lowered to ONNX and by jax-js itself, and compares.
 */

import { numpy as np, tree } from "@jax-js/jax";
import { expect } from "vitest";
import { lower, type Spec } from "../../src/engine/lower.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import type { Tolerance } from "../support/allclose.ts";

/** An input: a spec with values. */
export interface Input extends Spec {
  data: Float32Array | Int32Array;
}

/** A pure function on arrays, and its inputs. */
export type ArrayFunction = (...arrays: np.Array[]) => unknown;

/** Evenly distributed numbers in [low, high). */
export function floats(shape: number[], seed = 1, low = -2, high = 2): Input {
  const random = new Random(seed);
  const size = shape.reduce((total, length) => total * length, 1);
  return {
    shape,
    type: "float32",
    data: Float32Array.from({ length: size }, () => low + (high - low) * random.uniform()),
  };
}

/** Integers in [low, high). */
export function integers(shape: number[], low: number, high: number, seed = 1): Input {
  const random = new Random(seed);
  const size = shape.reduce((total, length) => total * length, 1);
  return {
    shape,
    type: "int32",
    data: Int32Array.from({ length: size }, () => low + random.integer(high - low)),
  };
}

/** An array of jax-js with the input's values. */
export function arrayOf({ data, shape }: Input): np.Array {
  return np.array(data, { shape: [...shape] });
}

/** One result: its values, shape and element type. */
export interface Result {
  data: number[];
  shape: readonly number[];
  type: string;
}

/** The leaves of `fn(inputs)` as jax-js evaluates it. */
export function evaluated(fn: ArrayFunction, inputs: readonly Input[]): Result[] {
  const [leaves] = tree.flatten(fn(...inputs.map(arrayOf)) as np.Array[]);
  return leaves.map((leaf) => {
    const { shape, dtype } = leaf;
    return { shape, type: dtype, data: Array.from(leaf.dataSync() as Float32Array) };
  });
}

/** The leaves of `fn(inputs)` by way of ONNX. */
export async function lowered(fn: ArrayFunction, inputs: readonly Input[]): Promise<Result[]> {
  const specs = Object.fromEntries(inputs.map(({ shape, type }, i) => [`x${i}`, { shape, type }]));
  const { bytes, outputs } = lower(fn, specs);
  const program = await Program.create(bytes, { threads: 1 });
  const feeds = Object.fromEntries(
    inputs.map(({ shape, type, data }, i) => [`x${i}`, new Tensor(type, data as Float32Array, [...shape])]),
  );
  const results = await program.run(feeds);
  await program.close();
  return outputs.map((name) => {
    const { dims, type, data } = results[name];
    return { shape: dims, type, data: Array.from(data as Float32Array) };
  });
}

/** Expects both ways to agree in shape, element type and value. */
export async function expectSame(
  fn: ArrayFunction,
  inputs: readonly Input[],
  tolerance: Tolerance = {},
): Promise<void> {
  const expected = evaluated(fn, inputs);
  const actual = await lowered(fn, inputs);
  expect(actual.map(({ shape, type }) => ({ shape, type }))).toEqual(
    expected.map(({ shape, type }) => ({ shape, type })),
  );
  actual.forEach(({ data }, i) =>
    expect(data).toBeAllclose(expected[i].data, { rtol: 2e-5, atol: 2e-6, ...tolerance }),
  );
}
