/**
 * @file Presets: the networks of the papers with the numbers these were tuned to, by name.
 *
 * A preset chooses what is trained (encoder, geometry, dimension, loss, regulariser) and the optimiser's numbers
 * (learning rate, weight decay). How it is trained, by the papers' sampled pairs or by all pairs of a batch with
 * made-up relatives and a cosine schedule, is the recipe's business, and so is how the space starts. Options of
 * the user are laid over it.
 *
 * - `neuroseed-<encoder>`: the tuning of NeuroSEED for Qiita's 16S V4 reads, each geometry its own (SPEC A8);
 *   `@synthetic`, `@rt988` and `@greengenes` behind the name take that of another of its data sets. m = 128, no
 *   dropout but where noted, a readout of one layer, Adam with weight decay added to the gradient as in PyTorch.
 *   Corso, Ying, Pándy, Veličković, Leskovec and Liò, "Neural distance embeddings for biological sequences",
 *   NeurIPS 2021.
 * - `nwa-cnn`, `nwa-transformer`: the encoders of Needleman-Wunsch Attention with the readout its numbers were
 *   produced with, Rectified Adam at 0.01, and the regulariser with λ = 1e-5, learning at a tenth of that rate
 *   (SPEC B3–B6). Lee and No, IEEE Access 2024.
 * - `dsee`: the same paper's form of DSEE, five convolutions into a Euclidean space whose squared distances are to
 *   be χ²-distributed (SPEC B3, B5). Guo, Liang and Hou, "Deep squared Euclidean approximation to the Levenshtein
 *   distance for DNA storage", ICML 2022.
 * - `cnn-ed`: eight convolutions letter by letter, ranked and fitted triples of near neighbours, Adam at 0.001,
 *   64 triples a batch (SPEC B9). Dai, Yan, Zhou, Wang, Yang and Cheng, "Convolutional embedding for edit
 *   distance", SIGIR 2020.
 * - `steiner-linear`, `steiner-mlp`, `steiner-cnn`: NeuroSEED's autoencoders for Steiner strings (steiner-presets.ts).
 *
 * NeuroSEED tuned some of its hyperbolic networks without the wrapper that puts points on a sphere (linear but for
 * the synthetic data; CNN and GRU for Qiita). `poincare` gives them as they were, free points and bare distances;
 * `hyperbolic` means the sphere here as everywhere, which serves the same networks better: 1,000 steps of the
 * papers' procedure leave the CNN at 1.8 %RMSE with it and at 4.2 without on the 16S V4 reads of study 550.
 */

import type { AdamOptions } from "../engine/optimizer.ts";
import { UsageError } from "../error.ts";
import type { GeometryName } from "../geometry/index.ts";
import type { EncoderOptions } from "../nn/encoder.ts";
import type { FitOptions } from "./fit.ts";
import { STEINER_PRESETS, steinerPreset } from "./steiner-presets.ts";

/** What a preset sets of the options of `fit`. */
export type PresetOptions = Required<Pick<FitOptions, "encoder" | "geometry" | "dim">> &
  Pick<FitOptions, "space" | "settings" | "regularizer" | "decoder" | "reconstructionWeight" | "latentNoise">;

/** NeuroSEED's data sets. */
export const TUNED_SETS = ["qiita", "rt988", "greengenes", "synthetic"] as const;
export type TunedSet = (typeof TUNED_SETS)[number];

/** NeuroSEED's geometries, in the order of its tables. */
export const PAPER_GEOMETRIES = ["cosine", "euclidean", "square", "manhattan", "hyperbolic"] as const;
export type PaperGeometry = (typeof PAPER_GEOMETRIES)[number];

const HYPERBOLIC = PAPER_GEOMETRIES.indexOf("hyperbolic");

/** NeuroSEED's encoders. */
export const NEUROSEED_ENCODERS = [
  "linear",
  "mlp",
  "cnn",
  "gru",
  "global-transformer",
  "local-transformer",
] as const;
export type NeuroseedEncoder = (typeof NEUROSEED_ENCODERS)[number];

/** One model as it was tuned. */
interface Tuning {
  encoder: EncoderOptions;
  /** Default 0.01. */
  learningRate?: number;
  /** Default 0. */
  weightDecay?: number;
}

/** A model for each geometry, in the order of `PAPER_GEOMETRIES`. */
type Tunings = readonly [Tuning, Tuning, Tuning, Tuning, Tuning];

/** The five tunings of a row of SPEC A8. */
function row<Numbers extends readonly unknown[]>(
  model: (...numbers: Numbers) => Tuning,
  [a, b, c, d, e]: readonly [Numbers, Numbers, Numbers, Numbers, Numbers],
): Tunings {
  return [model(...a), model(...b), model(...c), model(...d), model(...e)];
}

const linear = (weightDecay = 0, dropout = 0, learningRate = 0.01): Tuning => ({
  encoder: dropout === 0 ? { name: "linear" } : { name: "linear", dropout },
  learningRate,
  weightDecay,
});

const mlp = (hidden: number, layers: number, weightDecay = 1e-5): Tuning => ({
  encoder: { name: "mlp", hidden, layers },
  weightDecay,
});

const cnn =
  (learningRate: number) =>
  (channels: number, kernel: number, pooling: "avg" | "none"): Tuning => ({
    encoder: { name: "cnn", layers: 4, channels, kernel, pooling },
    learningRate,
  });

const gru =
  (learningRate: number) =>
  (hidden: number, layers: number, weightDecay: number): Tuning => ({
    encoder: { name: "gru", hidden, layers },
    learningRate,
    weightDecay,
  });

const transformer =
  (attention: "global" | "local1") =>
  (segment: number, heads: number, layers: number, hidden: number, weightDecay = 0): Tuning => ({
    encoder: { name: "transformer", attention, segment, heads, layers, hidden },
    learningRate: 0.001,
    weightDecay,
  });
const globalTransformer = transformer("global");
const localTransformer = transformer("local1");

/** SPEC A8, row by row. */
const NEUROSEED: Record<NeuroseedEncoder, Record<TunedSet, Tunings>> = {
  linear: {
    synthetic: row(linear, [[], [1e-5, 0.2], [1e-5], [], []]),
    rt988: row(linear, [[], [1e-5, 0.2], [], [], [0, 0, 0.001]]),
    qiita: row(linear, [[], [], [], [], []]),
    greengenes: row(linear, [[], [], [], [], []]),
  },
  mlp: {
    synthetic: row(mlp, [[128, 2], [128, 2], [256, 2], [128, 2], [128, 2, 0]]), // prettier-ignore
    rt988: row(mlp, [[256, 3], [256, 2], [256, 3], [128, 2], [256, 3, 0]]), // prettier-ignore
    qiita: row(mlp, [[256, 2], [128, 2], [128, 2], [128, 2], [256, 3, 0]]), // prettier-ignore
    greengenes: row(mlp, [[256, 3], [256, 2], [256, 3], [128, 2], [256, 3, 0]]), // prettier-ignore
  },
  cnn: {
    synthetic: row(cnn(0.01), [[32, 3, "avg"], [16, 3, "avg"], [16, 3, "avg"], [32, 3, "avg"], [32, 3, "avg"]]), // prettier-ignore
    rt988: row(cnn(0.01), [[16, 5, "none"], [32, 5, "avg"], [32, 3, "none"], [16, 3, "avg"], [32, 3, "none"]]), // prettier-ignore
    qiita: row(cnn(0.01), [[32, 5, "avg"], [16, 5, "avg"], [32, 5, "avg"], [16, 3, "avg"], [32, 3, "avg"]]), // prettier-ignore
    greengenes: row(cnn(0.001), [[16, 5, "avg"], [32, 5, "avg"], [32, 3, "avg"], [16, 3, "avg"], [32, 3, "none"]]), // prettier-ignore
  },
  gru: {
    synthetic: row(gru(0.01), [[128, 1, 1e-6], [128, 1, 1e-6], [128, 1, 1e-5], [128, 1, 1e-6], [128, 1, 0]]), // prettier-ignore
    rt988: row(gru(0.01), [[256, 1, 1e-5], [128, 1, 1e-6], [128, 1, 1e-6], [128, 2, 1e-6], [128, 1, 0]]), // prettier-ignore
    qiita: row(gru(0.01), [[128, 1, 1e-6], [128, 1, 1e-6], [128, 1, 1e-6], [128, 2, 1e-6], [128, 1, 0]]), // prettier-ignore
    greengenes: row(gru(0.003), [[256, 1, 1e-5], [128, 1, 1e-6], [128, 1, 1e-6], [128, 2, 1e-6], [128, 1, 0]]), // prettier-ignore
  },
  "global-transformer": {
    synthetic: row(globalTransformer, [[16, 1, 2, 16], [16, 1, 2, 8], [16, 2, 2, 16, 1e-5], [16, 2, 2, 8], [8, 1, 2, 16]]), // prettier-ignore
    rt988: row(globalTransformer, [[5, 2, 2, 16], [15, 2, 1, 16], [15, 1, 1, 16, 1e-5], [5, 2, 1, 8], [5, 1, 1, 16]]), // prettier-ignore
    qiita: row(globalTransformer, [[4, 2, 2, 16], [8, 2, 2, 16], [8, 1, 2, 16, 1e-5], [8, 1, 2, 16], [4, 2, 2, 16]]), // prettier-ignore
    greengenes: row(globalTransformer, [[64, 2, 2, 16], [64, 2, 1, 16], [64, 1, 1, 16, 1e-5], [64, 2, 1, 8], [64, 1, 1, 16]]), // prettier-ignore
  },
  "local-transformer": {
    synthetic: row(localTransformer, [[16, 1, 2, 16], [16, 2, 2, 16], [16, 1, 2, 16], [16, 2, 2, 16], [16, 1, 2, 16]]), // prettier-ignore
    rt988: row(localTransformer, [[5, 1, 2, 16], [5, 1, 2, 16], [5, 1, 2, 16], [5, 1, 2, 16], [5, 1, 1, 16]]), // prettier-ignore
    qiita: row(localTransformer, [[4, 2, 2, 16], [8, 1, 2, 16], [8, 1, 2, 16, 1e-5], [8, 2, 2, 8], [4, 2, 2, 16]]), // prettier-ignore
    greengenes: row(localTransformer, [[64, 1, 2, 16], [64, 1, 2, 16], [64, 1, 2, 16], [64, 1, 2, 16], [64, 1, 1, 16]]), // prettier-ignore
  },
};

/** A preset with a geometry of its own, that another may take the place of. */
interface FixedPreset {
  summary: string;
  options: PresetOptions;
}

/** Rectified Adam as NWA trains its encoders; its weight decay is 0. */
const rectifiedAdam: AdamOptions = { rectified: true, weightDecay: 0 };

const FIXED: Record<string, FixedPreset> = {
  "nwa-cnn": {
    summary: "NWA's CNN, 4 × 64 channels, with its regulariser",
    options: {
      encoder: { name: "cnn", layers: 4, channels: 64, kernel: 3, pooling: "avg", output: "reference" },
      geometry: "hyperbolic",
      dim: 128,
      settings: { learningRate: 0.01, optimizer: rectifiedAdam },
      regularizer: { name: "nwa", lambda: 1e-5 },
    },
  },
  "nwa-transformer": {
    summary: "NWA's transformer, learned positions, with its regulariser",
    options: {
      encoder: {
        name: "transformer",
        segment: 4,
        heads: 2,
        layers: 2,
        hidden: 16,
        positions: "learned",
        mix: false,
        weights: "xavier",
        output: "reference",
      },
      geometry: "hyperbolic",
      dim: 128,
      settings: { learningRate: 0.01, optimizer: rectifiedAdam },
      regularizer: { name: "nwa", lambda: 1e-5 },
    },
  },
  dsee: {
    summary: "DSEE as the NWA paper trains it: squared distances, χ² loss",
    options: {
      encoder: { name: "cnn", layers: 5, channels: 64, kernel: 3, pooling: "avg", output: "reference" },
      geometry: "square",
      // The published code fixes the scale; a learned one that starts where the labels are needs no such luck.
      space: { scale: true },
      dim: 128,
      settings: { learningRate: 0.01, optimizer: rectifiedAdam, loss: { name: "chi2" }, calibrate: true },
    },
  },
  "cnn-ed": {
    summary: "CNN-ED: triples of near neighbours, Euclidean",
    options: {
      encoder: { name: "cnn-ed", layers: 8, channels: 8 },
      geometry: "euclidean",
      dim: 128,
      settings: {
        learningRate: 0.001,
        optimizer: { weightDecay: 0 },
        loss: { name: "cnn-ed", neighbours: 200 },
        batch: 3 * 64,
      },
    },
  },
};

/** The name of NeuroSEED's preset of an encoder, as tuned for one of its data sets. */
export function neuroseedPreset(encoder: NeuroseedEncoder, set: TunedSet = "qiita"): string {
  return `neuroseed-${encoder}${set === "qiita" ? "" : `@${set}`}`;
}

const NEUROSEED_BY_NAME = new Map(
  NEUROSEED_ENCODERS.flatMap((encoder) =>
    TUNED_SETS.map((set) => [neuroseedPreset(encoder, set), NEUROSEED[encoder][set]] as const),
  ),
);

/** Names of the presets. */
export const PRESET_NAMES: readonly string[] = [
  ...NEUROSEED_BY_NAME.keys(),
  ...STEINER_PRESETS,
  ...Object.keys(FIXED),
];

/**
 * Options of `fit` that a preset stands for; those of the user are to be laid over them, `settings` field by field.
 *
 * `geometry` is the one wanted, by default the paper's best. NeuroSEED's networks differ from geometry to
 * geometry; `poincare` and `lorentz` take the hyperbolic one.
 *
 * @throws UsageError on an unknown name
 */
export function presetOptions(name: string, geometry?: GeometryName): PresetOptions {
  const tunings = NEUROSEED_BY_NAME.get(name);
  if (tunings !== undefined) return tunedOptions(tunings, geometry ?? "hyperbolic");
  if (STEINER_PRESETS.includes(name)) return steinerPreset(name, geometry ?? "hyperbolic");
  if (!Object.hasOwn(FIXED, name)) {
    throw new UsageError(`preset: must be one of ${PRESET_NAMES.join(", ")}, got "${name}"`);
  }
  const { options } = FIXED[name];
  return geometry === undefined ? options : { ...options, geometry };
}

function tunedOptions(tunings: Tunings, geometry: GeometryName): PresetOptions {
  const column = PAPER_GEOMETRIES.findIndex((name) => name === geometry);
  const { encoder, learningRate = 0.01, weightDecay = 0 } = tunings[column < 0 ? HYPERBOLIC : column];
  return {
    encoder,
    geometry,
    dim: 128,
    ...(geometry === "poincare" && { space: {} }),
    settings: { learningRate, optimizer: { weightDecay, decay: "coupled" } },
  };
}

/** A list of the presets, for help. */
export function listPresets(): string {
  const fixed = Object.entries(FIXED).map(([name, { summary }]) => `  ${name.padEnd(18)} ${summary}`);
  const sets = TUNED_SETS.slice(1).map((set) => `@${set}`);
  return [
    `  neuroseed-<encoder>  ${NEUROSEED_ENCODERS.join(", ")}, as tuned for`,
    `                     16S V4 reads; with ${sets.join(", ")} behind it, for another data set`,
    `  steiner-<encoder>    linear, mlp, cnn, with decoders, as tuned for Steiner strings`,
    ...fixed,
  ].join("\n");
}
