import { defaultDevice, grad, init, jit, numpy as np, valueAndGrad } from "@jax-js/jax";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { asinhc, sinhc } from "../../src/geometry/elementary.ts";
import { lower } from "../../src/engine/lower.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import type { ConvFormulation } from "../../src/nn/layers.ts";
import { lorentzFlatten } from "../../src/nn/lorentz-layers.ts";
import { Random } from "../../src/sequence/random.ts";
import { arrayOf, floats, type ArrayFunction, type Input } from "../engine/both.ts";
import "../support/allclose.ts";
import {
  BATCH,
  CASES,
  CHANNELS,
  LENGTH,
  RADII,
  largest,
  maps,
  mapsOf,
  norm,
  normalisation,
  numbers,
  scalar,
  spaceOf,
  values,
  vectorOf,
  type Case,
  type Values,
} from "./lorentz-cases.ts";
import * as plain from "./lorentz-plain.ts";

beforeAll(async () => {
  await init("wasm");
  await init("cpu");
  defaultDevice("wasm");
});

/** The layer as a function that consumes all of its inputs, k too. */
const consuming =
  ({ layer }: Case, formulation: ConvFormulation) =>
  (...arrays: np.Array[]): np.Array => {
    const output = layer(formulation, ...arrays);
    arrays[arrays.length - 1].dispose();
    return output;
  };

/** Gradients of Σ weightᵢ·outputᵢ in all inputs, by automatic differentiation. */
const gradients =
  (layer: Case, formulation: ConvFormulation, weights: Values) =>
  (...arrays: np.Array[]): np.Array[] => {
    const loss = (...arrays: np.Array[]) => {
      const output = consuming(layer, formulation)(...arrays);
      const factors = np.array(Float32Array.from(weights.slice(0, output.size)));
      return output.mul(factors.reshape(output.shape).astype(output.dtype)).sum();
    };
    return grad(loss, { argnums: arrays.map((_, i) => i) })(...arrays);
  };

/** The same by differences, of fourth order, of the published operations. */
function differences({ published }: Case, inputs: readonly Values[], weights: Values): number[][] {
  const step = 1e-3;
  const loss = (changed: number, at: number, by: number): number => {
    const moved = inputs.map((input, i) => (i === changed ? input.with(at, input[at] + by * step) : input));
    const [k] = moved[moved.length - 1];
    return published(k, ...moved.slice(0, -1)).reduce((sum, value, i) => sum + value * weights[i], 0);
  };
  return inputs.map((input, i) =>
    input.map((_, at) => {
      const central = (by: number) => loss(i, at, by) - loss(i, at, -by);
      return (8 * central(1) - central(2)) / (12 * step);
    }),
  );
}

/** Runs on plain JavaScript, whose logarithm and exponential are exact to the last digits. */
function exactly<T>(run: () => T): T {
  defaultDevice("cpu");
  try {
    return run();
  } finally {
    defaultDevice("wasm");
  }
}

/** The inputs with another x. */
const withFirst = ([x, ...rest]: Input[], value: (old: number, i: number) => number): Input[] => [
  { ...x, data: Float32Array.from(x.data, value) },
  ...rest,
];

/** Points that differ, that are all equal in a channel's coordinate, that are at the origin but for one number. */
const ARRANGEMENTS: ((normals: Values, i: number) => number)[] = [
  (normals, i) => normals[i],
  (normals) => normals[0],
  (normals, i) => (i === 0 ? 100 * normals[i] : 0),
];

/** ⟨x, x⟩_L is −k to 1e-4 of the squared time, in single precision. */
function expectOnManifold(space: Values, k: number): void {
  const square = space.reduce((sum, value) => Math.fround(sum + Math.fround(value * value)), 0);
  const time = Math.fround(Math.sqrt(Math.fround(square + k)));
  const timeSquared = Math.fround(time * time);
  expect(Math.abs(timeSquared - square - k)).toBeLessThan(1e-4 * timeSquared);
}

/** A function lowered to ONNX, to be run for many inputs. */
async function compiled(fn: ArrayFunction, inputs: readonly Input[]) {
  const specs = Object.fromEntries(inputs.map(({ shape, type }, i) => [`x${i}`, { shape, type }]));
  const { bytes, outputs } = lower(fn, specs);
  const program = await Program.create(bytes, { threads: 1 });
  const run = async (inputs: readonly Input[]): Promise<number[][]> => {
    const feeds = inputs.map(({ shape, type, data }, i): [string, Tensor] => [
      `x${i}`,
      new Tensor(type, data as Float32Array, [...shape]),
    ]);
    const results = await program.run(Object.fromEntries(feeds));
    return outputs.map((name) => Array.from(results[name].data as Float32Array));
  };
  return { run, close: () => program.close() };
}

describe.each(CASES)("$name", (layer) => {
  const weights = numbers(floats([BATCH * CHANNELS * LENGTH], 9));
  const both =
    (formulation: ConvFormulation) =>
    (...arrays: np.Array[]): np.Array[] => [
      consuming(layer, formulation)(...arrays.map((array) => array.ref)),
      ...gradients(layer, formulation, weights)(...arrays),
    ];
  let inOnnx: Awaited<ReturnType<typeof compiled>>;
  beforeAll(async () => {
    inOnnx = await compiled(both("primitive"), [...layer.inputs, scalar(1)]);
  });
  afterAll(() => inOnnx.close());

  const inJax = jit(both("unfold"));
  const evaluated = (inputs: readonly np.Array[]) => inJax(...inputs).map(values);

  const expectedOf = (inputs: readonly Input[]): number[][] => {
    const given = inputs.map(numbers);
    const [k] = given[given.length - 1];
    return [layer.published(k, ...given.slice(0, -1)), ...differences(layer, given, weights)];
  };

  it.each(RADII)("is what is published, with its slopes, for k = %d", async (k) => {
    const inputs = [...layer.inputs, scalar(k)];
    const expected = expectedOf(inputs);
    const onnx = await inOnnx.run(inputs);
    const single = evaluated(inputs.map(arrayOf));
    expected.forEach((array, i) => {
      const size = largest(array);
      expect(size).toBeGreaterThan(0.05);
      expect(onnx[i]).toBeAllclose(array, { rtol: 0, atol: 1e-5 * size });
      // Logarithms and powers of jax-js in wasm are good to 1e-5.
      expect(single[i]).toBeAllclose(array, { rtol: 0, atol: 1e-4 * size });
    });
  });

  it("is what is published, with its slopes, to 1e-6 in double precision", () => {
    const inputs = [...layer.inputs, scalar(1.7)];
    const actual = exactly(() => evaluated(inputs.map((input) => arrayOf(input).astype(np.float64))));
    expectedOf(inputs).forEach((array, i) => {
      expect(actual[i]).toBeAllclose(array, { rtol: 0, atol: 1e-6 * largest(array) });
    });
  });

  it.each([0.05, 20])(
    "is what is published, with its slopes, to points of lengths around %d",
    async (factor) => {
      for (const k of RADII) {
        const inputs = [...withFirst(layer.inputs, (value) => factor * value), scalar(k)];
        const [output, ...slopes] = await inOnnx.run(inputs);
        const expected = layer.published(k, ...inputs.map(numbers));
        expect(output).toBeAllclose(expected, { rtol: 0, atol: 1e-4 * largest(expected) });
        if (k !== 1.7) continue;
        differences(layer, inputs.map(numbers), weights).forEach((array, i) => {
          expect(slopes[i]).toBeAllclose(array, { rtol: 0, atol: 1e-3 * largest(array) });
        });
      }
    },
  );

  it("stays finite, and on the manifold, whatever the points", () => {
    const scale = fc.oneof(fc.constant(0), fc.double({ min: 0, max: 100, noNaN: true }));
    const radius = fc.double({ min: 0.05, max: 20, noNaN: true });
    fc.assert(
      fc.property(scale, radius, fc.constantFrom(...ARRANGEMENTS), fc.nat(), (scale, k, arranged, seed) => {
        const random = new Random(seed);
        const normals = Array.from(layer.inputs[0].data, () => scale * random.normal());
        const inputs = [...withFirst(layer.inputs, (_, i) => arranged(normals, i)), scalar(k)];
        const [output, ...slopes] = evaluated(inputs.map(arrayOf));
        expect([output, ...slopes].flat().every(Number.isFinite)).toBe(true);
        for (const space of layer.spaces(output)) expectOnManifold(space, k);
      }),
      { seed: 7, numRuns: 40 },
    );
  });
});

describe("batch normalisation", () => {
  const x = numbers(maps());
  const centre = [0.4, -0.7, 0.2];
  const running: plain.Running = { mean: [0.3, 0.5, -0.4], distance: 0.8 };
  const compile = (training: boolean, momentum?: number) =>
    jit((...arrays: np.Array[]) => {
      const { output, statistics } = norm(training, "unfold", momentum, ...arrays);
      arrays[arrays.length - 1].dispose();
      return [output, statistics.mean, statistics.distance];
    });
  const [train, replace, evaluate] = [compile(true), compile(true, 1), compile(false)];
  const run = (
    step: typeof train,
    k: number,
    { points = maps(), space = centre, gain = 1.3, before = running } = {},
  ): plain.Running & { output: number[] } => {
    const parameters = [vectorOf(space), scalar(gain), vectorOf(before.mean), scalar(before.distance)];
    const [output, mean, [distance]] = step(...[points, ...parameters, scalar(k)].map(arrayOf)).map(values);
    return { output, mean, distance };
  };
  const zeros = centre.map(() => 0);

  it.each(RADII)("keeps running statistics as published, for k = %d", (k) => {
    const parameters = normalisation(k, centre, [1.3]);
    const { statistics } = plain.batchNormTrained(mapsOf(x, k), running, parameters, k);
    const trained = run(train, k);
    expect(trained.mean).toBeAllclose(statistics.mean, { rtol: 0, atol: 2e-5 });
    expect(trained.distance).toBeCloseTo(statistics.distance, 4);
    const evaluated = run(evaluate, k);
    expect(evaluated.mean).toBeAllclose(running.mean, { rtol: 1e-6 });
    expect(evaluated.distance).toBeCloseTo(running.distance, 6);
  });

  it.each([0, 1, 5])("keeps the digits of points 0.01 apart, %d from the origin", (far) => {
    const close = Float32Array.from(x, (value, i) => far * (i % 15 < LENGTH ? 1 : 0) + 0.01 * value);
    const { output } = run(train, 1, { points: { ...maps(), data: close } });
    const expected = plain.batchNormTrained(
      mapsOf([...close], 1),
      running,
      normalisation(1, centre, [1.3]),
      1,
    );
    expect(output).toBeAllclose(spaceOf(expected.output), { rtol: 0, atol: 1e-3 });
  });

  it.each(RADII)("makes the mean distance from the origin 1 where nothing is learned, for k = %d", (k) => {
    const points = mapsOf(run(train, k, { space: zeros, gain: 1 }).output, k).flat();
    const distances = points.map((point) => plain.distance(plain.origin(CHANNELS, k), point, k));
    expect(distances.reduce((a, b) => a + b) / distances.length).toBeCloseTo(1, 4);
  });

  it.each(RADII)("moves the centroid to the learned centre, for k = %d", (k) => {
    // Where lengths stay as they are it is an isometry.
    const { distance } = run(replace, k);
    const { output } = run(train, k, { gain: distance + 1e-5 });
    const means = mapsOf(output, k).map((points) => plain.centroid(points, k));
    expect(plain.centroid(means, k)).toBeAllclose(normalisation(k, centre, [1]).beta, {
      rtol: 0,
      atol: 5e-5,
    });
  });

  it.each(RADII)("evaluates a batch as in training after that batch alone, for k = %d", (k) => {
    const trained = run(replace, k);
    const { output } = run(evaluate, k, { before: trained });
    expect(output).toBeAllclose(trained.output, { rtol: 0, atol: 5e-5 * largest(output) });
  });
});

describe("flattening", () => {
  const K = 1.7;
  const [points] = mapsOf(numbers(maps()), K);

  it("makes points of the same hyperboloid", () => {
    const [[, ...space], [time]] = [plain.concatenated(points, K), plain.concatenated(points, K)];
    expect(values(lorentzFlatten(arrayOf(maps()))).slice(0, space.length)).toBeAllclose(space, {
      rtol: 1e-6,
    });
    expect(time).toBeCloseTo(plain.pointOf(space, K)[0], 12);
    expect(plain.inner([time, ...space], [time, ...space])).toBeCloseTo(-1.7, 12);
  });

  it("would leave it as the reference code flattens, with (L − 1)/k", () => {
    const flat = plain.concatenated(points, K, 1 / K);
    expect(points).toHaveLength(5);
    expect(-plain.inner(flat, flat)).toBeCloseTo(6.147, 3);
  });
});

describe("the published operations", () => {
  const random = new Random(5);
  const normals = (deviation = 1) => Array.from({ length: 4 }, () => deviation * random.normal());

  it.each(RADII)("transport by the logarithm as in closed form, and keep lengths, for k = %d", (k) => {
    for (let i = 0; i < 20; i++) {
      const [x, y] = [
        plain.pointOf(normals(0.5 * Math.sqrt(k)), k),
        plain.pointOf(normals(0.5 * Math.sqrt(k)), k),
      ];
      const v = plain.log(x, plain.pointOf(normals(0.5 * Math.sqrt(k)), k), k);
      const carried = plain.transportClosed(x, y, v, k);
      expect(plain.transportByLog(x, y, v, k)).toBeAllclose(carried, { rtol: 0, atol: 1e-14 });
      expect(plain.length(carried)).toBeCloseTo(plain.length(v), 14);
      expect(plain.inner(carried, y)).toBeCloseTo(0, 13);
      expect(plain.exp(x, plain.log(x, y, k), k)).toBeAllclose(y, { rtol: 0, atol: 1e-13 });
    }
  });

  it("normalise alike with either transport", () => {
    const [running, parameters] = [
      { mean: [0, 0, 0], distance: 1 },
      normalisation(1.7, [0.4, -0.7, 0.2], [1.3]),
    ];
    const [byLog, closed] = [plain.transportByLog, plain.transportClosed].map((transport) =>
      spaceOf(
        plain.batchNormTrained(mapsOf(numbers(maps()), 1.7), running, parameters, 1.7, { transport }).output,
      ),
    );
    expect(byLog).toBeAllclose(closed, { rtol: 0, atol: 1e-12 });
  });

  it.each(RADII)("scale a logit by the length of the normal, for k = %d", (k) => {
    const [z, space, offset] = [normals(), normals(), random.normal()];
    const beta = Math.hypot(...z);
    const unit = Math.sqrt(k);
    const [time] = plain.pointOf(space, k);
    const along = z.reduce((sum, value, i) => sum + value * space[i], 0);
    const alpha = Math.cosh(offset / unit) * along - Math.sinh(offset / unit) * beta * time;
    const expected = unit * beta * Math.asinh(alpha / (unit * beta));
    expect(plain.logit(plain.pointOf(space, k), z, offset, k)).toBeCloseTo(expected, 12);
  });
});

describe("functions of squared lengths", () => {
  it("are asinh and sinh over their arguments, with their slopes", () => {
    for (const root of [0, 1e-4, 0.01, 0.2, 0.2236, 0.2237, 0.5, 1, 3, 9]) {
      const y = root * root;
      const [a, da] = valueAndGrad((y: np.Array) => asinhc(y))(np.array(y));
      const [s, ds] = valueAndGrad((y: np.Array) => sinhc(y))(np.array(y));
      expect(a.item()).toBeCloseTo(root === 0 ? 1 : Math.asinh(root) / root, 6);
      expect(s.item() / (root === 0 ? 1 : Math.sinh(root) / root)).toBeCloseTo(1, 6);
      const step = 1e-4 * Math.max(y, 0.1);
      const of = (f: (r: number) => number) => {
        const at = (y: number) => f(Math.sqrt(y)) / Math.sqrt(y);
        return (at(y + 2 * step) - at(y + step)) / step;
      };
      expect(da.item()).toBeCloseTo(of(Math.asinh), 3);
      expect(ds.item() / of(Math.sinh)).toBeCloseTo(1, 2);
    }
  });
});
