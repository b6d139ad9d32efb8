import { init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { DistanceModel } from "../../src/engine/model.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import type { GeometryName } from "../../src/geometry/index.ts";
import type { EncoderOptions } from "../../src/nn/encoder.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

/** A prime that stands for the batch. */
const OPEN = 8191;
const SHAPE = { length: 16, letters: 4, dim: 3 };

const ENCODERS: [string, EncoderOptions][] = [
  ["linear", { name: "linear" }],
  ["mlp", { name: "mlp", layers: 3, hidden: 5 }],
  ["cnn, average pooling", { name: "cnn", layers: 2, channels: 4 }],
  ["cnn, maximum pooling", { name: "cnn", layers: 2, channels: 4, pooling: "max" }],
  ["cnn, no pooling", { name: "cnn", layers: 2, channels: 4, pooling: "none" }],
  ["cnn of width 5", { name: "cnn", layers: 2, channels: 4, kernel: 5 }],
  ["residual", { name: "residual", channels: 4, width: 3 }],
];

const GEOMETRIES: GeometryName[] = ["euclidean", "hyperbolic", "poincare", "lorentz"];

describe("an open batch axis", () => {
  describe.each(ENCODERS)("%s", (_, encoder) => {
    it.each(GEOMETRIES)("%s: a sequence has one embedding, whatever the batch", async (geometry) => {
      const random = new Random(2);
      const model = new DistanceModel({ encoder, shape: SHAPE, geometry });
      const values = model.initialize(random);
      const embed = (parameters: np.Array, statistics: np.Array, tokens: np.Array) =>
        model.infer(parameters, statistics, tokens);
      const frozen = (data: Float32Array) => ({ shape: [data.length], type: "float32" as const, data });
      const { bytes } = lower(
        embed,
        {
          parameters: frozen(values.parameters),
          statistics: frozen(values.statistics),
          tokens: { shape: [OPEN, SHAPE.length], type: "int32" },
        },
        { batch: OPEN },
      );
      const program = await Program.create(bytes, { threads: 1 });
      const tokens = Int32Array.from({ length: 7 * SHAPE.length }, () => random.integer(5));
      const embedded = async (from: number, to: number) => {
        const part = tokens.slice(from * SHAPE.length, to * SHAPE.length);
        const { output } = await program.run({
          tokens: new Tensor("int32", part, [to - from, SHAPE.length]),
        });
        expect(output.dims).toEqual([to - from, SHAPE.dim]);
        return Array.from(output.data as Float32Array);
      };
      const together = await embedded(0, 7);
      expect(await embedded(0, 1)).toBeAllclose(together.slice(0, 3), { rtol: 1e-5, atol: 1e-7 });
      expect(await embedded(2, 6)).toBeAllclose(together.slice(6, 18), { rtol: 1e-5, atol: 1e-7 });
      await program.close();
    });
  });

  it.each<[string, string, (x: np.Array) => np.Array]>([
    ["repeating", "repeated", (x) => np.concatenate([x, np.zeros([OPEN, 2])], 1)],
    ["a mean over", "reduced", (x) => x.mean(0)],
    ["a product over", "summed over", (x) => np.matmul(x.ref.transpose(), x)],
    ["cutting", "cut", (x) => x.slice([0, 2])],
    ["splitting", "split", (x) => np.split(x, [2], 0)[1]],
    [
      "padding",
      "padded",
      (x) =>
        np.pad(x, [
          [1, 0],
          [0, 0],
        ]),
    ],
    ["joining along", "joined", (x) => np.concatenate([x.ref, x], 0)],
    ["reversing", "reversed", (x) => np.flip(x, 0)],
    ["looking up along", "indexed", (x) => np.take(x, np.array([0, 1], { dtype: np.int32 }), 0)],
    ["sorting along", "sorted", (x) => np.sort(x, 0)],
    [
      "a constant along",
      "part of a constant",
      (x) => x.add(np.arange(OPEN).astype(np.float32).reshape([OPEN, 1])),
    ],
    [
      "an outer product with itself along",
      "paired with itself",
      (x) =>
        x.ref
          .reshape([OPEN, 1, 4])
          .mul(x.reshape([1, OPEN, 4]))
          .reshape([OPEN, OPEN, 2, 2]),
    ],
  ])("%s it is an error", (_, done, fn) => {
    const spec = { shape: [OPEN, 4], type: "float32" as const };
    expect(() => lower(fn as (...args: never[]) => unknown, { x: spec }, { batch: OPEN })).toThrow(
      `lowering: the open batch axis must not be ${done}`,
    );
  });

  it("may meet constants that are the same for every sequence", async () => {
    const fn = (x: np.Array) => x.add(np.full([OPEN, 4], 2)).mul(np.array([1, 2, 3, 4]));
    const { bytes } = lower(fn, { x: { shape: [OPEN, 4], type: "float32" } }, { batch: OPEN });
    const program = await Program.create(bytes, { threads: 1 });
    const { output } = await program.run({ x: new Tensor("float32", Float32Array.of(1, 1, 1, 1), [1, 4]) });
    await program.close();
    expect(output).toMatchObject({ dims: [1, 4], data: Float32Array.of(3, 6, 9, 12) });
  });
});
