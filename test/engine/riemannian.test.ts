/** @file Riemannian Adam: against a plain implementation in doubles, and by what it converges to. */

import { grad, init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { Layout } from "../../src/engine/layout.ts";
import { lower } from "../../src/engine/lower.ts";
import {
  adam,
  HYPERPARAMETERS,
  hyperparameters,
  type AdamOptions,
  type AdamState,
} from "../../src/engine/optimizer.ts";
import { riemannianAdam } from "../../src/engine/riemannian.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import { lorentzDistances, poincareDistances } from "../../src/geometry/index.ts";
import {
  ballPoints,
  hyperboloidPoints,
  normal,
  type ManifoldName,
  type ParameterTree,
} from "../../src/nn/parameter.ts";
import { Random } from "../../src/sequence/random.ts";
import { onHyperboloid } from "../geometry/points.ts";
import { expectSame, floats, lowered, type Input } from "./both.ts";

beforeAll(async () => {
  await init("wasm");
});

type Row = readonly number[];

const AVERAGE = 0.8;
const plus = (x: Row, y: Row, factor = 1): number[] => x.map((value, i) => value + factor * y[i]);
const times = (x: Row, factor: number): number[] => x.map((value) => value * factor);
const dot = (x: Row, y: Row): number => x.reduce((sum, value, i) => sum + value * y[i], 0);
const lorentz = (x: Row, y: Row): number => dot(x, y) - 2 * x[0] * y[0];
const rowsOf = (values: ArrayLike<number>, dims: number): number[][] =>
  Array.from({ length: values.length / dims }, (_, i) => Array.from(values).slice(i * dims, (i + 1) * dims));

/** A manifold as the books have it (SPEC 0.4, 0.5), for one point in doubles. */
interface Textbook {
  inner: (x: Row, u: Row, v: Row) => number;
  gradient: (x: Row, g: Row) => number[];
  exp: (x: Row, u: Row) => number[];
  log: (x: Row, y: Row) => number[];
  transport: (x: Row, y: Row, u: Row) => number[];
  distances: (x: np.Array, y: np.Array) => np.Array;
}

function mobius(x: Row, y: Row): number[] {
  const [xx, yy, xy] = [dot(x, x), dot(y, y), dot(x, y)];
  return times(plus(times(x, 1 + 2 * xy + yy), y, 1 - xx), 1 / (1 + 2 * xy + xx * yy));
}

const lambda = (x: Row): number => 2 / (1 - dot(x, x));

const TEXTBOOK: Record<ManifoldName, Textbook> = {
  ball: {
    inner: (x, u, v) => lambda(x) ** 2 * dot(u, v),
    gradient: (x, g) => times(g, 1 / lambda(x) ** 2),
    exp(x, u) {
      const length = Math.hypot(...u);
      return mobius(x, times(u, Math.tanh((lambda(x) * length) / 2) / length));
    },
    log(x, y) {
      const step = mobius(times(x, -1), y);
      const length = Math.hypot(...step);
      return times(step, (2 * Math.atanh(length)) / lambda(x) / length);
    },
    transport(x, y, u) {
      // gyr[a, b]w = −(a ⊕ b) ⊕ (a ⊕ (b ⊕ w)), linear in w, which is made short enough to be a point.
      const b = times(x, -1);
      const short = 1e-3 / Math.hypot(...u);
      const turned = mobius(times(mobius(y, b), -1), mobius(y, mobius(b, times(u, short))));
      return times(turned, lambda(x) / lambda(y) / short);
    },
    distances: poincareDistances,
  },
  hyperboloid: {
    inner: (_x, u, v) => lorentz(u, v),
    gradient(x, g) {
      const flipped = [-g[0], ...g.slice(1)];
      return plus(flipped, x, lorentz(x, flipped));
    },
    exp(x, u) {
      const length = Math.sqrt(lorentz(u, u));
      return plus(times(x, Math.cosh(length)), u, Math.sinh(length) / length);
    },
    log(x, y) {
      const across = plus(y, x, lorentz(x, y));
      return times(across, Math.acosh(-lorentz(x, y)) / Math.sqrt(lorentz(across, across)));
    },
    transport: (x, y, u) => plus(u, plus(x, y), lorentz(y, u) / (1 - lorentz(x, y))),
    distances: (x, y) => lorentzDistances(x, y, 1),
  },
};

/** 1 for a point of the manifold. */
const LEVEL: Record<ManifoldName, (x: Row) => number> = {
  ball: (x) => (dot(x, x) < 1 ? 1 : NaN),
  hyperboloid: (x) => x[0] / Math.sqrt(1 + dot(x.slice(1), x.slice(1))),
};

const MAKE = { ball: ballPoints, hyperboloid: hyperboloidPoints };
const NAMES = ["ball", "hyperboloid"] as const;

/** Vectors of the optimiser at the start. */
function start(parameters: Float32Array): Record<keyof AdamState, Float32Array> {
  const zeros = new Float32Array(parameters.length);
  return { parameters, mean: zeros, square: zeros, average: parameters };
}

/** The state after each step, by way of ONNX; `gradientOf` is traced. */
async function run(
  layout: Layout,
  initial: Float32Array,
  steps: number,
  options: AdamOptions,
  rate: (step: number) => number,
  gradientOf: (parameters: np.Array) => np.Array,
  { rates = {} }: { rates?: Record<string, number> } = {},
) {
  const vector = { shape: [layout.size], type: "float32" as const };
  const multiples = layout.multiples(rates);
  const traced = (state: AdamState, numbers: np.Array) => {
    const { state: next, norm } = riemannianAdam(
      state,
      gradientOf(state.parameters.ref),
      numbers,
      { decayMask: np.array(layout.decayMask()), multiples: multiples && np.array(multiples) },
      options,
      layout.entries,
    );
    return [next.parameters, next.mean, next.square, next.average, norm];
  };
  const { bytes, outputs } = lower(traced, {
    state: { parameters: vector, mean: vector, square: vector, average: vector },
    numbers: { shape: [HYPERPARAMETERS], type: "float32" },
  });
  const program = await Program.create(bytes, { threads: 1 });
  let state = start(initial);
  const path: (typeof state)[] = [];
  for (let step = 1; step <= steps; step++) {
    const numbers = hyperparameters(step, rate(step), options, AVERAGE);
    const results = await program.run({
      ...Object.fromEntries(
        Object.entries(state).map(([name, data]) => [
          `state.${name}`,
          new Tensor("float32", data, [data.length]),
        ]),
      ),
      numbers: new Tensor("float32", numbers, [HYPERPARAMETERS]),
    });
    const [parameters, mean, square, average] = outputs.map((name) => results[name].data as Float32Array);
    state = { parameters, mean, square, average };
    path.push(state);
  }
  await program.close();
  return path;
}

/** Riemannian Adam of one point, in doubles (SPEC 0.3). */
function plain(
  name: ManifoldName,
  initial: Row,
  steps: number,
  gradientOf: (x: Row) => number[],
  { rate, clip = Infinity, weightDecay = 0 }: { rate: number; clip?: number; weightDecay?: number },
) {
  const { inner, gradient, exp, log, transport } = TEXTBOOK[name];
  let x = [...initial];
  let average = x;
  let m = times(x, 0);
  let v = 0;
  for (let t = 1; t <= steps; t++) {
    const partial = gradientOf(x);
    const limited = times(partial, Math.min(1, clip / Math.hypot(...partial)));
    const g = gradient(x, plus(limited, x, weightDecay));
    m = plus(times(m, 0.9), g, 0.1);
    v = 0.999 * v + 0.001 * inner(x, g, g);
    const step = rate / (1 - 0.9 ** t) / (Math.sqrt(v / (1 - 0.999 ** t)) + 1e-8);
    const y = exp(x, times(m, -step));
    m = transport(x, y, m);
    x = y;
    average = exp(average, times(log(average, x), 1 - AVERAGE));
  }
  return { x, m, v, average };
}

describe.each(NAMES)("on the %s", (name) => {
  const DIMS = 4;
  const slopes = [0.3, -1, 0.6, 0.2];
  const linear = (x: Row) => plus(times(x, 0.5), slopes);
  const tracedLinear = (layout: Layout) => (x: np.Array) =>
    x.mul(0.5).add(np.array(Array.from({ length: layout.size }, (_, i) => slopes[i % DIMS])));
  const points = (count: number, scale = 0.4) => new Layout(MAKE[name]([count, DIMS], scale));

  it("starts on the manifold, within the scale", () => {
    const drawn = rowsOf(points(50).initialize(new Random(2)), DIMS);
    const norms = drawn.map((x) => Math.hypot(...(name === "ball" ? x : x.slice(1))));
    expect(Math.max(...norms)).toBeLessThanOrEqual(0.4);
    expect(Math.max(...norms)).toBeGreaterThan(0.3);
    for (const x of drawn) expect(LEVEL[name](x)).toBeCloseTo(1, 6);
  });

  it.each<[string, AdamOptions]>([
    ["", {}],
    ["clipped", { clip: 0.2 }],
    ["with decay", { weightDecay: 0.5 }],
  ])("takes the steps of a plain implementation %s", async (_, options) => {
    const layout = new Layout(MAKE[name]([1, DIMS], 0.4, { decay: true }));
    const initial = layout.initialize(new Random(3));
    const path = await run(layout, initial, 12, options, () => 0.1, tracedLinear(layout));
    const { x, m, v, average } = plain(name, [...initial], 12, linear, { rate: 0.1, ...options });
    const last = path[11];
    const close = { rtol: 1e-4, atol: 2e-6 };
    expect(last.parameters).toBeAllclose(x, close);
    expect(last.mean).toBeAllclose(m, close);
    expect(last.square).toBeAllclose(Array(DIMS).fill(v), close);
    expect(last.average).toBeAllclose(average, close);
  });

  it("scales the step by the multiple of the learning rate", async () => {
    const layout = new Layout({ row: MAKE[name]([DIMS], 0.4), other: MAKE[name]([1, DIMS], 0.4) });
    const initial = layout.initialize(new Random(3));
    const gradient = tracedLinear(layout);
    const path = await run(layout, initial, 3, {}, () => 0.1, gradient, { rates: { row: 0.5, other: 0 } });
    const { x } = plain(name, [...layout.view(initial, "row")], 3, linear, { rate: 0.05 });
    expect(layout.view(path[2].parameters, "row")).toBeAllclose(x, { rtol: 1e-4, atol: 2e-6 });
    expect(layout.view(path[2].parameters, "other")).toBeAllclose(layout.view(initial, "other"), {
      atol: 1e-6,
    });
  });

  it("is the same in ONNX and in jax-js, rectified too", async () => {
    const layout = points(3);
    const initial = layout.initialize(new Random(4));
    const fixed = (data: Float32Array): Input => ({ shape: [data.length], type: "float32", data });
    for (const rectified of [false, true]) {
      const traced = (
        parameters: np.Array,
        mean: np.Array,
        square: np.Array,
        gradient: np.Array,
        numbers: np.Array,
      ) => {
        const state = { parameters: parameters.ref, mean, square, average: parameters };
        const groups = { decayMask: np.array(layout.decayMask()) };
        const options = { rectified, clip: 1 };
        const { state: next, norm } = riemannianAdam(
          state,
          gradient,
          numbers,
          groups,
          options,
          layout.entries,
        );
        return [next.parameters, next.mean, next.square, next.average, norm];
      };
      const zeros = fixed(new Float32Array(layout.size));
      const numbers = fixed(hyperparameters(2, 0.1, { rectified }, AVERAGE));
      await expectSame(traced, [fixed(initial), zeros, zeros, floats([layout.size], 5), numbers]);
    }
  });

  it("stays on the manifold at a large learning rate, and at a gradient of 0", async () => {
    const layout = points(6);
    const initial = layout.initialize(new Random(6));
    // Pushes outwards for ever: the partial derivatives of −‖x‖²/2, and none in the first row.
    const mask = Float32Array.from({ length: layout.size }, (_, i) => (i < DIMS ? 0 : -1));
    const path = await run(
      layout,
      initial,
      200,
      {},
      (step) => (step % 20 < 10 ? 2 : -2),
      (x) => x.mul(np.array(mask)),
    );
    for (const [i, { parameters, average, mean, square }] of path.entries()) {
      for (const x of [...rowsOf(parameters, DIMS), ...rowsOf(average, DIMS)]) {
        if (Math.abs(LEVEL[name](x) - 1) > 1e-6) expect.fail(`left at step ${i + 1}: ${x.join(" ")}`);
        if (name === "ball") expect(Math.hypot(...x)).toBeLessThan(1 - 4e-3 + 1e-6);
      }
      expect([...mean, ...square].every(Number.isFinite)).toBe(true);
      if (name === "hyperboloid") {
        expect(Math.max(...parameters, ...average)).toBeLessThan(Math.cosh(7) * (1 + 1e-6));
        // The mean is tangent at its point.
        rowsOf(mean, DIMS).forEach((u, row) => {
          const x = rowsOf(parameters, DIMS)[row];
          expect(Math.abs(lorentz(x, u))).toBeLessThanOrEqual(1e-6 * Math.abs(x[0] * u[0]) + 1e-6);
        });
      }
    }
    expect(path[199].parameters.slice(0, DIMS)).toEqual(initial.slice(0, DIMS));
    expect(path[9].parameters).not.toBeAllclose(initial, { atol: 0.5 });
  });

  it("converges to the Fréchet mean", async () => {
    const { exp, log, distances } = TEXTBOOK[name];
    const data = points(7, name === "ball" ? 0.9 : 3).initialize(new Random(8));
    const exact = rowsOf(data, DIMS).map((x) => (name === "ball" ? x : onHyperboloid(x.slice(1), 1)));
    // Karcher's iteration, from the origin.
    let mean: number[] = name === "ball" ? [1e-9, 0, 0, 0] : onHyperboloid([1e-9, 0, 0], 1);
    for (let length = 1; length > 1e-5;) {
      const step = times(
        exact.map((y) => log(mean, y)).reduce((sum, u) => plus(sum, u)),
        1 / 7,
      );
      mean = exp(mean, step);
      length = Math.hypot(...step);
    }
    const layout = points(1);
    const loss = (x: np.Array) =>
      np.mean(np.square(distances(x.reshape([1, DIMS]), np.array(data, { shape: [7, DIMS] }))));
    const path = await run(
      layout,
      layout.initialize(new Random(9)),
      250,
      {},
      (t) => 0.3 * 0.97 ** t,
      grad(loss),
    );
    expect(path[249].parameters).toBeAllclose(mean, { rtol: 1e-3, atol: 1e-4 });
    expect(path[249].average).toBeAllclose(mean, { rtol: 1e-3, atol: 1e-3 });
  });
});

describe("a vector of both kinds", () => {
  const TREE: ParameterTree = {
    first: normal([3]),
    ball: ballPoints([2, 3], 0.1),
    middle: normal([2, 2]),
    hyperboloid: hyperboloidPoints([2, 3], 0.1),
    last: normal([1]),
  };
  const options: AdamOptions = { clip: 2, weightDecay: 0.1 };

  const stepOf =
    (layout: Layout, update: typeof riemannianAdam) =>
    (state: AdamState, gradient: np.Array, numbers: np.Array) => {
      const groups = { decayMask: np.array(layout.decayMask()) };
      const { state: next, norm } = update(state, gradient, numbers, groups, options, layout.entries);
      return [next.parameters, next.mean, next.square, next.average, norm];
    };
  const specs = (layout: Layout) => {
    const vector = { shape: [layout.size], type: "float32" as const };
    return {
      state: { parameters: vector, mean: vector, square: vector, average: vector },
      gradient: vector,
      numbers: { shape: [HYPERPARAMETERS], type: "float32" as const },
    };
  };

  it("gives plain tensors exactly what plain Adam gives them, and others something else", async () => {
    const layout = new Layout(TREE);
    const initial: Input = { ...floats([layout.size]), data: layout.initialize(new Random(1)) };
    const inputs = [
      initial,
      floats([layout.size], 2, -0.1, 0.1),
      floats([layout.size], 3, 0.1, 0.2),
      initial,
      floats([layout.size], 4),
      { ...floats([HYPERPARAMETERS]), data: hyperparameters(3, 0.1, options, AVERAGE) },
    ];
    const results = (update: typeof riemannianAdam) =>
      lowered((parameters, mean, square, average, gradient, numbers) => {
        const state = { parameters, mean, square, average };
        return stepOf(layout, update)(state, gradient, numbers);
      }, inputs);
    const [expected, actual] = [await results(adam), await results(riemannianAdam)];
    expect(actual[4]).toEqual(expected[4]);
    for (let i = 0; i < 4; i++) {
      for (const { spec, offset, size } of layout.entries) {
        const [x, y] = [actual[i], expected[i]].map(({ data }) => data.slice(offset, offset + size));
        if (spec.manifold === undefined) expect(x).toEqual(y);
        else expect(x).not.toBeAllclose(y);
      }
    }
  });

  it("costs nothing where there is no manifold", () => {
    const layout = new Layout({ weight: normal([3, 2]), bias: normal([2]) });
    const [plain, riemannian] = [adam, riemannianAdam].map(
      (update) => lower(stepOf(layout, update), specs(layout)).bytes,
    );
    expect(riemannian).toEqual(plain);
  });
});
