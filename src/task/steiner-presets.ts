/**
 * @file NeuroSEED's autoencoders for Steiner strings as they were tuned, m = 64 (SPEC A14).
 *
 * Their noise has a deviation of 0.1, and once 0.3, in spaces without a scale. Here noise is a multiple of how far points
 * spread in a coordinate, and that was about ten times as much of it for unit vectors of 64 coordinates.
 */

import type { GeometryName } from "../geometry/index.ts";
import type { PresetOptions } from "./presets.ts";

/** One autoencoder as it was tuned. */
interface SteinerTuning extends Required<
  Pick<PresetOptions, "encoder" | "decoder" | "reconstructionWeight">
> {
  learningRate: number;
  latentNoise?: number;
}

const linear = (reconstructionWeight: number, learningRate = 0.001): SteinerTuning => ({
  encoder: { name: "linear" },
  decoder: { name: "linear" },
  reconstructionWeight,
  learningRate,
});

const mlp = (
  layers: number,
  hidden: number,
  reconstructionWeight: number,
  learningRate = 0.001,
): SteinerTuning => ({
  encoder: { name: "mlp", layers, hidden },
  decoder: { name: "mlp", layers, hidden },
  reconstructionWeight,
  learningRate,
});

const cnn = (
  channels: number,
  reconstructionWeight: number,
  { activation = false, latentNoise }: { activation?: boolean; latentNoise?: number } = {},
): SteinerTuning => {
  const network = { layers: 3, channels, kernel: 3, batchNorm: false, activation };
  return {
    encoder: { name: "cnn", pooling: "none", readout: 2, ...network },
    decoder: { name: "cnn", ...network },
    reconstructionWeight,
    learningRate: 0.001,
    latentNoise,
  };
};

/** SPEC A14: cosine, Euclidean, square, hyperbolic; other spaces take the Euclidean one, curved ones the last. */
const TUNINGS: Record<string, readonly [SteinerTuning, SteinerTuning, SteinerTuning, SteinerTuning]> = {
  "steiner-linear": [linear(0.003), linear(0.01), linear(0.003), linear(0.003, 1e-5)],
  "steiner-mlp": [mlp(3, 128, 0.01), mlp(3, 256, 0.003), mlp(2, 128, 0.01), mlp(3, 128, 0.01, 1e-5)],
  "steiner-cnn": [cnn(16, 0.01, { activation: true, latentNoise: 3 }), cnn(32, 0.003), cnn(32, 0.003), cnn(32, 0.01)],
}; // prettier-ignore

const COLUMNS: Partial<Record<GeometryName, number>> = {
  cosine: 0,
  euclidean: 1,
  square: 2,
  manhattan: 1,
};

/** Names of the presets. */
export const STEINER_PRESETS: readonly string[] = Object.keys(TUNINGS);

/** Options of `fit` that a preset stands for in a geometry. */
export function steinerPreset(name: string, geometry: GeometryName): PresetOptions {
  const { learningRate, latentNoise = 1, ...networks } = TUNINGS[name][COLUMNS[geometry] ?? 3];
  return {
    ...networks,
    geometry,
    dim: 64,
    latentNoise,
    settings: { learningRate, optimizer: { weightDecay: 0 } },
  };
}
