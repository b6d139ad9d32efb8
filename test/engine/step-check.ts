/**
 * @file Checks a training step: as lowered against jax-js's own evaluation, and its gradient against finite differences.
 */

import type { numpy as np } from "@jax-js/jax";
import { expect } from "vitest";
import type { Layout } from "../../src/engine/layout.ts";
import { lower, type Spec, type SpecTree } from "../../src/engine/lower.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import { STATE_NAMES } from "../../src/engine/descent-step.ts";
import type { Random } from "../../src/sequence/random.ts";
import { arrayOf, type Input } from "./both.ts";
import "../support/allclose.ts";

/** A step, where it starts, and what it is fed. */
export interface CheckedStep {
  model: { parameters: Layout };
  step: (...inputs: never[]) => np.Array[];
  args: Record<string, SpecTree>;
  parameters: Float32Array;
  statistics: Float32Array;
  specs: Record<string, Spec>;
  /** What `specs` names. */
  fed: Record<string, Input["data"]>;
}

/** Fresh values moved away from where models start; parameters under `still` are left where they are. */
export function moved(
  model: { parameters: Layout },
  fresh: { parameters: Float32Array; statistics: Float32Array },
  noise: Random,
  still: string,
): { parameters: Float32Array; statistics: Float32Array } {
  const parameters = fresh.parameters.slice();
  for (const { path, offset, size } of model.parameters.entries) {
    if (path.startsWith(still)) continue;
    for (let i = offset; i < offset + size; i++) parameters[i] += 0.6 * noise.uniform() - 0.3;
  }
  return { parameters, statistics: fresh.statistics.map((value) => value + 0.5 * noise.uniform()) };
}

/** Expects the lowered step to be what jax-js computes, and its gradient to be the slope of its loss. */
export async function checkStep({ model, step, args, parameters, statistics, specs, fed }: CheckedStep) {
  const { bytes, inputs, outputs } = lower(step, args);
  const vector = (data: Float32Array): Input => ({ shape: [data.length], type: "float32", data });
  const zeros = new Float32Array(parameters.length);
  const state: Record<string, Input> = {
    parameters: vector(parameters),
    mean: vector(zeros),
    square: vector(zeros),
    average: vector(parameters),
    statistics: vector(statistics),
    averageStatistics: vector(statistics),
  };
  const batch = Object.fromEntries(
    Object.entries(specs).map(([name, spec]): [string, Input] => [name, { ...spec, data: fed[name] }]),
  );
  const program = await Program.create(bytes, { threads: 1 });
  const run = async (values: Float32Array) => {
    const all = [
      ...STATE_NAMES.map((name) => (name === "parameters" ? vector(values) : state[name])),
      ...Object.values(batch),
    ];
    const feeds = inputs.map((name, i): [string, Tensor] => {
      const { type, data, shape: dims } = all[i];
      return [name, new Tensor(type, data as Float32Array, [...dims])];
    });
    const results = await program.run(Object.fromEntries(feeds));
    return outputs.map((name) => results[name].data as Float32Array);
  };
  const arrays = Object.fromEntries(Object.entries(state).map(([name, input]) => [name, arrayOf(input)]));
  const others = Object.fromEntries(Object.entries(batch).map(([name, input]) => [name, arrayOf(input)]));
  const evaluated = (step as (...inputs: unknown[]) => np.Array[])(arrays, others);
  const expected = evaluated.map((result) => result.dataSync() as Float32Array);

  const actual = await run(parameters);
  expect(actual.length).toBe(2 + STATE_NAMES.length);
  const [norm] = expected[1];
  // The first step's mean is a tenth of the gradient.
  const tolerance = { rtol: 2e-3, atol: 1e-5 * norm + 1e-7 };
  for (const which of [0, 1, 3, 4, 6, 7]) expect(actual[which]).toBeAllclose(expected[which], tolerance);

  const gradient = actual[3].map((value) => 10 * value);
  for (const { path, spec, offset, size } of model.parameters.entries) {
    // Along a manifold the mean is no plain gradient.
    if (spec.manifold !== undefined) continue;
    // Along the gradient of this parameter alone, the loss rises by its length.
    const part = gradient.subarray(offset, offset + size);
    const length = Math.hypot(...part);
    if (length < 0.02 * actual[1][0]) continue;
    const step = 4e-4;
    const along = (by: number) =>
      parameters.map((value, i) =>
        i < offset || i >= offset + size ? value : value + (by * part[i - offset]) / length,
      );
    const [[above], [below]] = [await run(along(step)), await run(along(-step))];
    const slope = (above[0] - below[0]) / (2 * step);
    expect(slope / length, path).toBeAllclose(1, { rtol: 0, atol: 0.05 });
  }
  await program.close();
}
