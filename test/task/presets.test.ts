/** @file Presets: each makes a network, and carries the numbers its paper tuned. */

import { describe, expect, test } from "vitest";
import { DistanceModel } from "../../src/engine/model.ts";
import { UsageError } from "../../src/error.ts";
import { GEOMETRY_NAMES, type GeometryName } from "../../src/geometry/index.ts";
import {
  listPresets,
  NEUROSEED_ENCODERS,
  neuroseedPreset,
  PAPER_GEOMETRIES,
  PRESET_NAMES,
  presetOptions,
  TUNED_SETS,
  type TunedSet,
} from "../../src/task/presets.ts";

/** Lengths of the papers' sequences. */
const LENGTHS: Record<TunedSet, number> = { qiita: 152, rt988: 465, greengenes: 2368, synthetic: 1024 };

const modelOf = (name: string, geometry?: GeometryName, length = 152) => {
  const { encoder, dim, space, regularizer, decoder, ...options } = presetOptions(name, geometry);
  const { reconstructionWeight: weight = 0, latentNoise: noise = 0 } = options;
  return new DistanceModel({
    encoder,
    shape: { length, letters: 4, dim },
    geometry: options.geometry,
    space,
    regularizer,
    decoder: decoder && { network: decoder, weight, noise },
  });
};

const encoderSize = (name: string, geometry?: GeometryName, length?: number) =>
  modelOf(name, geometry, length)
    .parameters.entries.filter(({ path }) => path.startsWith("encoder."))
    .reduce((sum, { size }) => sum + size, 0);

describe("every preset", () => {
  test.each(PRESET_NAMES)("%s makes a model of 152 letters in each geometry", (name) => {
    for (const geometry of [undefined, ...GEOMETRY_NAMES]) {
      const model = modelOf(name, geometry);
      expect(model.parameters.size).toBeGreaterThan(1000);
      expect(model.config.geometry).toBe(geometry ?? presetOptions(name).geometry);
    }
  });

  test.each(TUNED_SETS)("of NeuroSEED makes a model of the length of %s", (set) => {
    for (const encoder of NEUROSEED_ENCODERS) {
      for (const geometry of PAPER_GEOMETRIES) {
        expect(encoderSize(neuroseedPreset(encoder, set), geometry, LENGTHS[set])).toBeGreaterThan(1000);
      }
    }
  });

  test("has the paper's dimensions and names that tell the data set", () => {
    for (const name of PRESET_NAMES) {
      expect(presetOptions(name).dim).toBe(name.startsWith("steiner-") ? 64 : 128);
    }
    expect(PRESET_NAMES).toHaveLength(6 * 4 + 4 + 3);
    expect(neuroseedPreset("cnn")).toBe("neuroseed-cnn");
    expect(PRESET_NAMES).toContain("neuroseed-local-transformer@greengenes");
    expect(listPresets()).toMatch(
      /neuroseed-<encoder>.*\n.*@rt988, @greengenes, @synthetic.*\n {2}steiner-.*\n {2}nwa-cnn/,
    );
  });
});

describe("numbers of parameters follow from the papers' descriptions", () => {
  // A convolution before batch normalisation has no bias; normalisation has a gain and a bias.
  const cnn = (channels: number, kernel: number, layers: number, features: number) =>
    4 * channels + channels + layers * (channels * channels * kernel + 2 * channels) + (features + 1) * 128;

  test.each([
    ["neuroseed-linear", "hyperbolic", 152, (152 * 4 + 1) * 128],
    ["neuroseed-mlp", "hyperbolic", 152, 609 * 256 + 257 * 256 + 257 * 128 + 2 * 2 * 256],
    ["neuroseed-mlp", "euclidean", 152, 609 * 128 + 129 * 128 + 2 * 128],
    ["neuroseed-cnn", "hyperbolic", 152, cnn(32, 3, 4, 32 * 9)],
    ["neuroseed-cnn", "euclidean", 152, cnn(16, 5, 4, 16 * 9)],
    ["neuroseed-cnn@rt988", "hyperbolic", 465, cnn(32, 3, 4, 32 * 465)],
    ["neuroseed-cnn@synthetic", "euclidean", 1024, cnn(16, 3, 4, 16 * 64)],
    ["neuroseed-gru", "cosine", 152, 3 * (4 * 128 + 128 * 128 + 2 * 128) + 129 * 128],
    ["neuroseed-gru", "manhattan", 152, 3 * (4 * 128 + 3 * 128 * 128 + 4 * 128) + 129 * 128],
    // Segments, two layers of attention and dense layers with their norms, the last norm and dense layer, readout.
    ["neuroseed-global-transformer", "hyperbolic", 152, 272 + 2 * (6 * 272 + 64) + 32 + 272 + 609 * 128],
  ] as const)("%s, %s, n = %i", (name, geometry, length, parameters) => {
    expect(encoderSize(name, geometry, length)).toBe(parameters);
  });

  test("dsee pools five times, nwa-cnn four", () => {
    // Their readout ends in batch normalisation.
    expect(encoderSize("dsee")).toBe(cnn(64, 3, 5, 64 * 4) + 2 * 128);
    expect(encoderSize("nwa-cnn")).toBe(cnn(64, 3, 4, 64 * 9) + 2 * 128);
  });
});

describe("numbers of the optimiser", () => {
  test("are the tuned ones", () => {
    const numbers = (name: string, geometry: GeometryName) => {
      const { learningRate, optimizer } = presetOptions(name, geometry).settings!;
      return [learningRate, optimizer?.weightDecay];
    };
    expect(numbers("neuroseed-cnn", "cosine")).toEqual([0.01, 0]);
    expect(numbers("neuroseed-cnn@greengenes", "cosine")).toEqual([0.001, 0]);
    expect(numbers("neuroseed-linear@rt988", "hyperbolic")).toEqual([0.001, 0]);
    expect(numbers("neuroseed-linear@rt988", "euclidean")).toEqual([0.01, 1e-5]);
    expect(numbers("neuroseed-mlp", "euclidean")).toEqual([0.01, 1e-5]);
    expect(numbers("neuroseed-mlp", "hyperbolic")).toEqual([0.01, 0]);
    expect(numbers("neuroseed-gru@greengenes", "cosine")).toEqual([0.003, 1e-5]);
    expect(numbers("neuroseed-global-transformer", "square")).toEqual([0.001, 1e-5]);
    expect(numbers("neuroseed-local-transformer@rt988", "square")).toEqual([0.001, 0]);
  });

  test("come with PyTorch's weight decay, and Rectified Adam where NWA has it", () => {
    expect(presetOptions("neuroseed-mlp", "cosine").settings?.optimizer?.decay).toBe("coupled");
    for (const name of ["nwa-cnn", "nwa-transformer", "dsee"]) {
      expect(presetOptions(name).settings?.optimizer).toEqual({ rectified: true, weightDecay: 0 });
    }
  });
});

test("geometries are the papers' best unless one is asked for", () => {
  expect(presetOptions("neuroseed-gru").geometry).toBe("hyperbolic");
  expect(presetOptions("nwa-cnn").geometry).toBe("hyperbolic");
  expect(presetOptions("dsee").geometry).toBe("square");
  expect(presetOptions("cnn-ed").geometry).toBe("euclidean");
  expect(presetOptions("dsee", "hyperbolic")).toEqual({ ...presetOptions("dsee"), geometry: "hyperbolic" });
});

test("free points take the hyperbolic network, and bare distances in the ball as NeuroSEED", () => {
  const { encoder } = presetOptions("neuroseed-cnn", "hyperbolic");
  expect(encoder).not.toEqual(presetOptions("neuroseed-cnn", "cosine").encoder);
  expect(presetOptions("neuroseed-cnn", "poincare")).toMatchObject({ encoder, space: {} });
  expect(presetOptions("neuroseed-cnn", "lorentz").encoder).toEqual(encoder);
  expect(presetOptions("neuroseed-cnn", "lorentz")).not.toHaveProperty("space");
});

test("regularisers and losses are the papers'", () => {
  expect(presetOptions("nwa-transformer").regularizer).toEqual({ name: "nwa", lambda: 1e-5 });
  expect(presetOptions("dsee").settings?.loss).toEqual({ name: "chi2" });
  expect(presetOptions("cnn-ed").settings).toMatchObject({ batch: 192, loss: { name: "cnn-ed" } });
  expect(presetOptions("neuroseed-cnn").regularizer).toBeUndefined();
});

test("an unknown name is answered with the known ones", () => {
  expect(() => presetOptions("neuroseed-rnn")).toThrow(UsageError);
  expect(() => presetOptions("neuroseed-rnn")).toThrow(
    /^preset: must be one of neuroseed-linear, .*, neuroseed-gru@rt988, .*, cnn-ed, got "neuroseed-rnn"$/,
  );
  expect(() => presetOptions("toString")).toThrow(UsageError);
});

describe("Steiner strings", () => {
  test("each geometry has its own weight and rate, and the decoder mirrors the encoder", () => {
    expect(presetOptions("steiner-cnn", "cosine")).toMatchObject({
      encoder: { name: "cnn", channels: 16, layers: 3, pooling: "none", activation: true, readout: 2 },
      decoder: { name: "cnn", channels: 16, layers: 3, activation: true },
      reconstructionWeight: 0.01,
      latentNoise: 3,
    });
    expect(presetOptions("steiner-mlp", "square")).toMatchObject({
      encoder: { layers: 2, hidden: 128 },
      decoder: { layers: 2, hidden: 128 },
    });
    const rate = (geometry: GeometryName) => presetOptions("steiner-mlp", geometry).settings?.learningRate;
    expect([rate("euclidean"), rate("hyperbolic"), rate("lorentz")]).toEqual([0.001, 1e-5, 1e-5]);
    expect(presetOptions("steiner-linear").geometry).toBe("hyperbolic");
  });
});
