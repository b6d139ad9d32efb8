/** @file Models with decoders: what they learn, what their files hold, and what is said where one is missing. */

import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { grad, init, numpy as np } from "@jax-js/jax";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { DecoderModel, decoderPath } from "../../src/engine/decoder-model.ts";
import { DistanceModel } from "../../src/engine/model.ts";
import { Model } from "../../src/engine/model-file.ts";
import { GEOMETRY_NAMES } from "../../src/geometry/index.ts";
import { crossEntropy } from "../../src/nn/decoder.ts";
import { DNA, Random, tokenBatch } from "../../src/sequence/index.ts";
import { floats, lowered, type Input } from "./both.ts";
import { configOf, LENGTH, sequences, trainBy, writeModel } from "./overfit.ts";
import "../support/allclose.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-decoder-"));
const at = (name: string) => join(folder, name);
const codes = sequences();

beforeAll(async () => {
  await init("wasm");
});
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(["hyperbolic", "euclidean", "lorentz"] as const)("a %s model", (geometry) => {
  test("learns sequences by heart, the empty one too, and reads them from its files", async () => {
    const config = configOf(geometry);
    const result = await trainBy(config, { steps: 500 });
    expect(result.history.at(-1)!.loss).toBeLessThan(0.2 * result.history[0].loss);
    await writeModel(at(`${geometry}.onnx`), config, result);
    const model = await DecoderModel.load(at(`${geometry}.onnx`), { threads: 1 });
    const points = await model.encoder.embed(codes);
    expect((await model.decode(points)).map(String)).toEqual(codes.map(String));
    expect(await model.decode(new Float32Array(0))).toEqual([]);
    const scores = await model.scores(points.subarray(0, 16));
    expect(scores).toHaveLength(LENGTH * 5);
    await model.close();
    // The model's own file is none the wiser.
    const alone = await Model.load(at(`${geometry}.onnx`), { threads: 1 });
    expect(await alone.embed(codes)).toEqual(points);
    await alone.close();
  });
});

describe("gradient", () => {
  test.each(GEOMETRY_NAMES)(
    "of the reconstruction reaches the encoder through the noise: %s",
    async (geometry) => {
      const model = new DistanceModel({ ...configOf(geometry), space: {} });
      const { parameters, statistics } = model.initialize(new Random(2));
      const tokens = Int32Array.from(tokenBatch(codes.slice(0, 8), DNA, LENGTH));
      const vector = (data: Float32Array): Input => ({ shape: [data.length], type: "float32", data });
      const loss = (p: np.Array, s: np.Array, t: np.Array, latent: np.Array) => {
        const context = { training: true };
        const encoded = model.embed(p, s, t.ref, context);
        const scores = model.reconstruct(encoded, latent, context);
        return crossEntropy(scores, t);
      };
      const [{ data }] = await lowered(grad(loss), [
        vector(parameters),
        vector(statistics),
        { shape: [8, LENGTH], type: "int32", data: tokens },
        floats([8, model.space.coordinateCount(16)], 4),
      ]);
      const length = (prefix: string) =>
        Math.hypot(
          ...model.parameters.entries
            .filter(({ path }) => path.startsWith(prefix))
            .flatMap(({ offset, size }) => data.slice(offset, offset + size)),
        );
      expect(length("decoder.")).toBeGreaterThan(1e-3);
      expect(length("encoder.")).toBeGreaterThan(1e-3);
    },
  );
});

describe("noise", () => {
  test.each(GEOMETRY_NAMES)(
    "moves points by its share of their spread, and keeps them in the space: %s",
    async (geometry) => {
      const model = new DistanceModel({ ...configOf(geometry), space: {} });
      const { space } = model;
      const parameters = space.initialParameters();
      const dims = space.coordinateCount(16);
      const scalars = () => Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, np.array(v)]));
      const z = floats([40, 16], 6, -0.2, 0.2);
      const latent = floats([40, dims], 7, -Math.sqrt(3), Math.sqrt(3));
      const [{ data: points }, { data: moved }, { data: before }, { data: after }] = await lowered(
        (z, u) => {
          const p = scalars();
          const x = space.project(z, p);
          const y = space.disturb(x.ref, u.mul(0.01), p);
          return [x.ref, y.ref, space.coordinates(x, p), space.coordinates(y, p)];
        },
        [z, latent],
      );
      expect(moved.every(Number.isFinite)).toBe(true);
      const rows = (values: number[], width: number, i: number) => values.slice(i * width, (i + 1) * width);
      for (let i = 0; i < 40; i++) {
        expect(space.exactDistance(rows(points, 16, i), rows(moved, 16, i), parameters)).toBeGreaterThan(0);
        // Parallel transport and exponential map keep lengths: a step of u is as long as u where space is flat, and
        // near that where steps are small.
        const step = Math.hypot(...rows(after, dims, i).map((value, j) => value - before[i * dims + j]));
        const length = 0.01 * Math.hypot(...rows(Array.from(latent.data), dims, i));
        expect(step).toBeLessThan(1.01 * length);
        expect(step).toBeGreaterThan(geometry === "hyperbolic" ? 0 : 0.3 * length);
      }
    },
  );

  test("is as far in the space as it is long: poincare and lorentz", async () => {
    for (const [geometry, unit] of [
      ["poincare", 2],
      ["lorentz", 1],
    ] as const) {
      // prettier-ignore
      const { space } = new DistanceModel({ ...configOf(geometry), space: {} });
      const parameters = space.initialParameters();
      const dims = space.coordinateCount(16);
      const scalars = () => Object.fromEntries(Object.entries(parameters).map(([k, v]) => [k, np.array(v)]));
      const u = floats([5, dims], 9, -0.1, 0.1);
      const [{ data: distances }] = await lowered(
        (z, u) => {
          const p = scalars();
          const x = space.project(z, p);
          return [space.distance(x.ref, space.disturb(x, u, p), p)];
        },
        [floats([5, 16], 8, -0.2, 0.2), u],
      );
      const lengths = distances.map(
        (_, i) => unit * Math.hypot(...u.data.subarray(i * dims, (i + 1) * dims)),
      );
      expect(distances).toBeAllclose(lengths, { rtol: 1e-3 });
    }
  });
});

describe("files", () => {
  test("a model without a decoder says how to get one", async () => {
    const config = { ...configOf("euclidean"), decoder: undefined };
    await writeModel(at("plain.onnx"), config, await trainBy(config, { steps: 1 }));
    await expect(DecoderModel.load(at("plain.onnx"))).rejects.toThrow(
      /plain\.decoder\.onnx: the model has no decoder; fit it with --decoder$/,
    );
    await expect(DecoderModel.load(at("none.onnx"))).rejects.toThrow(/none\.onnx: cannot be read/);
  });

  test("the decoder of another run is refused, and a damaged one", async () => {
    const config = configOf("euclidean");
    await writeModel(at("one.onnx"), config, await trainBy(config, { steps: 1 }));
    await writeModel(at("two.onnx"), config, await trainBy(config, { steps: 2 }));
    copyFileSync(decoderPath(at("two.onnx")), decoderPath(at("one.onnx")));
    await expect(DecoderModel.load(at("one.onnx"))).rejects.toThrow(
      /one\.decoder\.onnx: must be of the run that made .*one\.onnx, got that of another; fit the model again/,
    );
    writeFileSync(decoderPath(at("two.onnx")), "nothing");
    await expect(DecoderModel.load(at("two.onnx"))).rejects.toThrow(/two\.decoder\.onnx: must be a model/);
  });

  test("decoderPath stands beside the model", () => {
    expect(decoderPath("a/model.onnx")).toBe("a/model.decoder.onnx");
    expect(decoderPath("model")).toBe("model.decoder.onnx");
  });
});
