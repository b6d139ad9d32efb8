import { init, grad, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { batchNorm, conv, linear, oneHot, pool, relu, type ConvFormulation } from "../../src/nn/layers.ts";
import { evaluated, floats, integers, lowered, type Input } from "../engine/both.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const close = { rtol: 1e-4, atol: 1e-5 };

describe("conv", () => {
  it.each([
    [1, 9],
    [3, 9],
    [5, 8],
    [7, 4],
  ])("of width %i is the same unfolded, gradients included", async (kernel, length) => {
    const inputs = [floats([2, 3, length], 1), floats([4, 3, kernel], 2), floats([4], 3)];
    const by = (formulation: ConvFormulation) => (x: np.Array, weight: np.Array, bias: np.Array) => {
      const loss = (p: np.Array, q: np.Array, r: np.Array) =>
        np.sin(conv({ weight: q, bias: r }, p, { formulation })).sum();
      const output = conv({ weight: weight.ref, bias: bias.ref }, x.ref, { formulation });
      return [output, ...(grad(loss, { argnums: [0, 1, 2] })(x, weight, bias) as unknown as np.Array[])];
    };
    const [primitive, unfolded, onJax] = [
      await lowered(by("primitive"), inputs),
      await lowered(by("unfold"), inputs),
      evaluated(by("unfold"), inputs),
    ];
    expect(primitive[0].shape).toEqual([2, 4, length]);
    unfolded.forEach(({ data }, i) => expect(data).toBeAllclose(primitive[i].data, close));
    onJax.forEach(({ data }, i) => expect(data).toBeAllclose(primitive[i].data, close));
  });

  it("with stride 2 has half the positions, rounded up", async () => {
    const inputs = [floats([2, 3, 9], 1), floats([4, 3, 3], 2), floats([4], 3)];
    const [dense, strided] = await Promise.all(
      [1, 2].map((stride) => lowered((x, weight, bias) => conv({ weight, bias }, x, { stride }), inputs)),
    );
    expect(strided[0].shape).toEqual([2, 4, 5]);
    const every = dense[0].data.filter((_, i) => (i % 9) % 2 === 0);
    expect(strided[0].data).toBeAllclose(every, close);
  });

  it("unfolded refuses a stride", () => {
    const arrays = { weight: np.zeros([4, 3, 3]), bias: np.zeros([4]) };
    expect(() => conv(arrays, np.zeros([2, 3, 9]), { stride: 2, formulation: "unfold" })).toThrow(
      /stride 1 only, got 2/,
    );
  });
});

describe("batchNorm", () => {
  const [batch, channels, length] = [4, 2, 3];
  const x = floats([batch, channels, length], 1, 5, 9);
  const inputs: Input[] = [
    x,
    floats([channels], 2),
    floats([channels], 3),
    floats([channels], 4),
    floats([channels], 5, 1, 2),
  ];
  const of =
    (training: boolean) =>
    (values: np.Array, gain: np.Array, bias: np.Array, mean: np.Array, variance: np.Array) => {
      const { output, statistics } = batchNorm({ gain, bias }, { mean, variance }, values, { training });
      return [output, statistics.mean, statistics.variance];
    };
  const ofChannel = (c: number) =>
    Array.from(x.data).filter((_, i) => Math.floor(i / length) % channels === c);
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it("normalises by the batch's moments, and keeps the unbiased variance", async () => {
    const [output, newMean, newVariance] = await lowered(of(true), inputs);
    const [, gain, bias, oldMean, oldVariance] = inputs.map(({ data }) => data);
    for (let c = 0; c < channels; c++) {
      const values = ofChannel(c);
      const center = mean(values);
      const squares = values.reduce((sum, value) => sum + (value - center) ** 2, 0);
      const expected = values.map(
        (v) => ((v - center) / Math.sqrt(squares / values.length + 1e-5)) * gain[c] + bias[c],
      );
      expect(output.data.filter((_, i) => Math.floor(i / length) % channels === c)).toBeAllclose(
        expected,
        close,
      );
      expect(newMean.data[c]).toBeAllclose(0.9 * oldMean[c] + 0.1 * center, close);
      expect(newVariance.data[c]).toBeAllclose(
        0.9 * oldVariance[c] + (0.1 * squares) / (values.length - 1),
        close,
      );
    }
  });

  it("normalises by the running moments when not training, and leaves them", async () => {
    const [output, newMean, newVariance] = await lowered(of(false), inputs);
    const [, gain, bias, oldMean, oldVariance] = inputs.map(({ data }) => data);
    const expected = Array.from(x.data, (v, i) => {
      const c = Math.floor(i / length) % channels;
      return ((v - oldMean[c]) / Math.sqrt(oldVariance[c] + 1e-5)) * gain[c] + bias[c];
    });
    expect(output.data).toBeAllclose(expected, close);
    expect([newMean.data, newVariance.data]).toEqual([Array.from(oldMean), Array.from(oldVariance)]);
  });

  it("keeps its digits where the mean dominates", async () => {
    const shifted = { ...x, data: x.data.map((value) => value + 1000) as Float32Array };
    const [[far], [near]] = [
      await lowered(of(true), [shifted, ...inputs.slice(1)]),
      await lowered(of(true), inputs),
    ];
    expect(far.data).toBeAllclose(near.data, { rtol: 0, atol: 1e-3 });
  });
});

describe("pool, relu, linear, oneHot", () => {
  it("halves, dropping an odd last position", async () => {
    const x: Input = { shape: [1, 1, 5], type: "float32", data: Float32Array.of(1, 3, -2, 6, 9) };
    const [average, largest, same] = await lowered(
      (v) => [pool(v.ref, "avg"), pool(v.ref, "max"), pool(v, "none")],
      [x],
    );
    expect([average.data, largest.data, same.data]).toEqual([
      [2, 2],
      [3, 6],
      [1, 3, -2, 6, 9],
    ]);
  });

  it("multiplies and shifts", async () => {
    const x: Input = { shape: [2, 2], type: "float32", data: Float32Array.of(1, 2, 3, 4) };
    const bias: Input = { shape: [2], type: "float32", data: Float32Array.of(-10, 1) };
    const [output] = await lowered((v, b) => relu(linear({ weight: v.ref, bias: b }, v)), [x, bias]);
    expect(output.data).toEqual([0, 11, 5, 23]);
  });

  it("has an empty column for the token past the letters", async () => {
    const tokens = integers([1, 3], 0, 1);
    tokens.data.set([1, 2, 0]);
    const [output] = await lowered((t) => oneHot(t, 2), [tokens]);
    expect(output).toMatchObject({ shape: [1, 3, 2], data: [0, 1, 0, 0, 1, 0] });
  });
});
