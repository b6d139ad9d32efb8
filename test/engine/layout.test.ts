import { init } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { Layout } from "../../src/engine/layout.ts";
import { createEncoder, type EncoderOptions } from "../../src/nn/encoder.ts";
import { constant, fanIn, normal, uniform, type ParameterTree } from "../../src/nn/parameter.ts";
import { Random } from "../../src/sequence/random.ts";
import { expectSame, floats, lowered } from "./both.ts";

beforeAll(async () => {
  await init("wasm");
});

const FIRST = { weight: uniform([2, 3], 1) };
const TREE: Record<string, ParameterTree> = {
  stages: [FIRST, { weight: normal([2, 2]), bias: constant([2], 7) }],
  scale: constant([], 0.5),
};

describe("Layout", () => {
  const layout = new Layout(TREE);

  it("gives every parameter its place", () => {
    expect(layout.entries.map(({ path, offset, size }) => [path, offset, size])).toEqual([
      ["stages.0.weight", 0, 6],
      ["stages.1.weight", 6, 4],
      ["stages.1.bias", 10, 2],
      ["scale", 12, 1],
    ]);
    expect(layout.size).toBe(13);
  });

  it("starts each parameter from a stream of its own, in bounds", () => {
    const vector = layout.initialize(new Random(3));
    expect(layout.view(vector, "stages.1.bias")).toEqual(Float32Array.of(7, 7));
    expect(layout.view(vector, "scale")).toEqual(Float32Array.of(0.5));
    const alone = new Layout({ stages: [FIRST] }).initialize(new Random(3));
    expect(layout.view(vector, "stages.0.weight")).toEqual(alone);
    expect(() => layout.view(vector, "stages.2")).toThrow('no parameter "stages.2"');
  });

  it("decays weights only", () => {
    expect(Array.from(layout.decayMask())).toEqual([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0]);
    expect(new Set(layout.decayMask({ all: true }))).toEqual(new Set([1]));
  });

  it("unpacks a vector into the tree and packs it back", async () => {
    const vector = floats([layout.size]);
    const [packed] = await lowered((x) => layout.pack(layout.unpack(x)), [vector]);
    expect(packed.data).toEqual(Array.from(vector.data));
    await expectSame((x) => layout.unpack(x), [vector]);
  });

  it("of nothing is a vector of one number", async () => {
    const empty = new Layout([]);
    expect(empty.size).toBe(1);
    expect(Array.from(empty.initialize(new Random(1)))).toEqual([0]);
    const [packed] = await lowered((x) => empty.pack(empty.unpack(x.ref)).add(x.mul(0)), [floats([1])]);
    expect(packed.data).toEqual([0]);
  });

  it("of one parameter is that parameter", async () => {
    const one = new Layout(fanIn([2, 2], 4));
    await expectSame((x) => one.unpack(x), [floats([4])]);
  });
});

describe("initial values have PyTorch's bounds (SPEC 0.2, A4.0)", () => {
  const shape = { length: 32, letters: 4, dim: 8 };
  const fans: [string, EncoderOptions, Record<string, number>][] = [
    [
      "cnn",
      { name: "cnn", layers: 2, channels: 16, kernel: 3, weights: "papers" },
      {
        "first.letter.weight": 1 / Math.sqrt(4),
        "first.letter.bias": 1 / Math.sqrt(4),
        "first.layer.conv.weight": 1 / Math.sqrt(16 * 3),
        "readout.layer1.dense.weight": Math.sqrt(6 / (16 * 8 + 8)) / (16 * 8),
        "readout.layer1.dense.bias": 0,
      },
    ],
    [
      "mlp",
      { name: "mlp", layers: 2, hidden: 16, weights: "papers" },
      {
        "readout.layer1.dense.weight": Math.sqrt(6 / (128 + 16)) / 128,
        "readout.layer2.dense.weight": Math.sqrt(6 / (16 + 8)) / 16,
      },
    ],
    [
      "cnn without normalisation",
      { name: "cnn", layers: 2, channels: 16, kernel: 5, batchNorm: false },
      { "layer2.conv.weight": 1 / Math.sqrt(16 * 5), "layer2.conv.bias": 1 / Math.sqrt(16 * 5) },
    ],
    ["linear", { name: "linear" }, { "readout.layer1.dense.weight": 1 / Math.sqrt(128) }],
    [
      "residual",
      { name: "residual", channels: 16, width: 16 },
      {
        "convolutions.block1.sum.inner.conv.weight": 1 / Math.sqrt(16 * 3),
        "convolutions.readout.bias": 1 / Math.sqrt(16 * 16),
      },
    ],
  ];

  it.each(fans)("%s", (_, options, bounds) => {
    const layout = new Layout(createEncoder(options, shape).parameters);
    const vector = layout.initialize(new Random(4));
    for (const [path, bound] of Object.entries(bounds)) {
      const values = layout.view(vector, path);
      const largest = values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
      expect(largest, path).toBeLessThanOrEqual(bound * (1 + 1e-6));
      if (values.length > 100) expect(largest, path).toBeGreaterThan(0.9 * bound);
    }
  });

  it("leaves out a convolution's bias before batch normalisation", () => {
    const layout = new Layout(createEncoder(fans[0][1], shape).parameters);
    expect(layout.entries.map(({ path }) => path)).not.toContain("first.layer.conv.bias");
  });

  it("normal has its deviation", () => {
    const values = normal([4000], 0.5).initialize(new Random(2), 4000);
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.sqrt(square)).toBeCloseTo(0.5, 1);
  });

  it("gains of batch normalisation are 1, biases 0", () => {
    const layout = new Layout(createEncoder(fans[0][1], shape).parameters);
    const vector = layout.initialize(new Random(4));
    expect(new Set(layout.view(vector, "first.layer.norm.gain"))).toEqual(new Set([1]));
    expect(new Set(layout.view(vector, "first.layer.norm.bias"))).toEqual(new Set([0]));
  });
});
