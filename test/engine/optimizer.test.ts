import { init } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import {
  adam,
  HYPERPARAMETERS,
  hyperparameters,
  type AdamOptions,
  type AdamState,
  type ParameterGroups,
} from "../../src/engine/optimizer.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import { scheduleFactor } from "../../src/engine/schedule.ts";
import type { numpy as np } from "@jax-js/jax";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const SIZE = 4;
const START = [0.5, -1, 2, 0.1];
const MASK = [1, 1, 0, 0];
const MULTIPLES = [1, 0.1, 1, 0];
const STEPS = 6;
const AVERAGE = 0.8;
const rateOf = (step: number) => 0.1 / step;
const gradientOf = (values: ArrayLike<number>, step: number) =>
  Array.from(values, (value, i) => (value - i) * step + 0.3);

/** Adam as the books have it, in doubles (SPEC 0.3). */
function plainAdam({
  betas: [b1, b2] = [0.9, 0.999],
  epsilon = 1e-8,
  weightDecay = 0,
  decay = "decoupled",
  clip,
  rectified = false,
}: AdamOptions) {
  const [x, m, v, average] = [[...START], [0, 0, 0, 0], [0, 0, 0, 0], [...START]];
  let norm = 0;
  for (let t = 1; t <= STEPS; t++) {
    const lr = rateOf(t);
    let g = gradientOf(x, t);
    norm = Math.hypot(...g);
    if (clip !== undefined && norm > clip) g = g.map((value) => (value * clip) / norm);
    for (let i = 0; i < SIZE; i++) {
      const pull = weightDecay * MASK[i] * x[i];
      if (decay === "coupled") g[i] += pull;
      m[i] = b1 * m[i] + (1 - b1) * g[i];
      v[i] = b2 * v[i] + (1 - b2) * g[i] ** 2;
      // Liu et al. 2020, algorithm 2.
      const most = 2 / (1 - b2) - 1;
      const rho = most - (2 * t * b2 ** t) / (1 - b2 ** t);
      const tractable = !rectified || rho > 5;
      const r = rectified ? Math.sqrt(((rho - 4) * (rho - 2) * most) / ((most - 4) * (most - 2) * rho)) : 1;
      const rate = MULTIPLES[i] * lr;
      const mean = m[i] / (1 - b1 ** t);
      x[i] -= tractable ? (rate * r * mean) / (Math.sqrt(v[i] / (1 - b2 ** t)) + epsilon) : rate * mean;
      if (decay === "decoupled") x[i] -= rate * pull;
      average[i] = AVERAGE * average[i] + (1 - AVERAGE) * x[i];
    }
  }
  return { x, m, v, average, norm };
}

describe("adam", () => {
  it.each<[string, AdamOptions]>([
    ["plain", {}],
    ["other betas and epsilon", { betas: [0.8, 0.9], epsilon: 1e-3 }],
    ["decoupled decay (AdamW)", { weightDecay: 0.1 }],
    ["coupled decay (torch's Adam)", { weightDecay: 0.1, decay: "coupled" }],
    ["clipped", { clip: 1 }],
    ["clipped, never reached", { clip: 1e6 }],
    ["rectified", { rectified: true }],
    ["rectified from the third step", { rectified: true, betas: [0.9, 0.99], weightDecay: 0.1 }],
    ["all at once", { clip: 2, weightDecay: 0.05, decay: "coupled", betas: [0.7, 0.95] }],
  ])("%s takes the steps of a plain implementation", async (_, options) => {
    const vector = { shape: [SIZE], type: "float32" as const };
    const step = (state: AdamState, gradient: np.Array, numbers: np.Array, groups: ParameterGroups) => {
      const { state: next, norm } = adam(state, gradient, numbers, groups, options);
      return [next.parameters, next.mean, next.square, next.average, norm];
    };
    const { bytes, outputs } = lower(step, {
      state: { parameters: vector, mean: vector, square: vector, average: vector },
      gradient: vector,
      numbers: { shape: [HYPERPARAMETERS], type: "float32" },
      groups: { decayMask: vector, multiples: vector },
    });
    const program = await Program.create(bytes, { threads: 1 });
    const tensor = (values: ArrayLike<number>) =>
      new Tensor("float32", Float32Array.from(values), [values.length]);
    let [x, m, v, average, norm] = [START, [0, 0, 0, 0], [0, 0, 0, 0], START, [0]].map(
      (values): Float32Array => Float32Array.from(values),
    );
    for (let t = 1; t <= STEPS; t++) {
      const results = await program.run({
        "state.parameters": tensor(x),
        "state.mean": tensor(m),
        "state.square": tensor(v),
        "state.average": tensor(average),
        gradient: tensor(gradientOf(x, t)),
        numbers: tensor(hyperparameters(t, rateOf(t), options, AVERAGE)),
        "groups.decayMask": tensor(MASK),
        "groups.multiples": tensor(MULTIPLES),
      });
      [x, m, v, average, norm] = outputs.map((name) => results[name].data as Float32Array);
    }
    await program.close();
    const expected = plainAdam(options);
    const close = { rtol: 1e-4, atol: 1e-6 };
    expect(x).toBeAllclose(expected.x, close);
    expect(m).toBeAllclose(expected.m, close);
    expect(v).toBeAllclose(expected.v, close);
    expect(average).toBeAllclose(expected.average, close);
    expect(norm[0]).toBeAllclose(expected.norm, close);
  });
});

describe("scheduleFactor", () => {
  it("rises over the warm-up and falls to 0 along half a cosine", () => {
    const options = { schedule: "cosine", warmup: 0.1 } as const;
    const factors = [0, 0.05, 0.1, 0.55, 1].map((done) => scheduleFactor(done, options));
    expect(factors).toBeAllclose([0, 0.5, 1, 0.5, 0], { atol: 1e-12 });
  });

  it("falls along a line, or not at all", () => {
    expect(scheduleFactor(0.6, { schedule: "linear", warmup: 0.2 })).toBeCloseTo(0.5);
    expect(scheduleFactor(0.6, { schedule: "constant", warmup: 0.2 })).toBe(1);
  });

  it("falls to a tenth twice, as epochs 60 and 85 of 100", () => {
    const options = { schedule: "steps", warmup: 0 } as const;
    const factors = [0, 0.59, 0.6, 0.84, 0.85, 1].map((done) => scheduleFactor(done, options));
    expect(factors).toBeAllclose([1, 1, 0.1, 0.1, 0.01, 0.01]);
  });

  it("falls as one over the square root of the time", () => {
    const options = { schedule: "inverse-sqrt", warmup: 0.1 } as const;
    expect([0.05, 0.1, 0.4].map((done) => scheduleFactor(done, options))).toBeAllclose([0.5, 1, 0.5]);
  });

  it("stays within the run", () => {
    const options = { schedule: "linear", warmup: 0 } as const;
    expect([-1, 2].map((done) => scheduleFactor(done, options))).toEqual([1, 0]);
  });
});
