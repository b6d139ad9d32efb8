import { init } from "@jax-js/jax";
import { beforeAll, describe, it } from "vitest";
import { DistanceModel, type DecoderConfig } from "../../src/engine/model.ts";
import { hyperparameters } from "../../src/engine/optimizer.ts";
import {
  labelShape,
  alignedPairs,
  latentSize,
  trainStep,
  type PairScheme,
  type TrainStepOptions,
} from "../../src/engine/train-step.ts";
import type { GeometryName } from "../../src/geometry/index.ts";
import type { DecoderOptions } from "../../src/nn/decoder.ts";
import type { EncoderOptions } from "../../src/nn/encoder.ts";
import type { RegularizerOptions } from "../../src/nn/regularizer.ts";
import type { LossOptions } from "../../src/nn/losses.ts";
import { Random } from "../../src/sequence/random.ts";
import { checkStep, moved } from "./step-check.ts";

beforeAll(async () => {
  await init("wasm");
});

const BATCH = 6;
const LENGTH = 16;
const SHAPE = { length: LENGTH, letters: 4, dim: 3 };

const cnn = { name: "cnn", layers: 2, channels: 4 } as const;

const ENCODERS: [string, EncoderOptions][] = [
  ["linear", { name: "linear" }],
  ["mlp", { name: "mlp", layers: 3, hidden: 5 }],
  ["mlp without normalisation", { name: "mlp", hidden: 5, batchNorm: false }],
  ["cnn, average pooling", { ...cnn, pooling: "avg" }],
  ["cnn, maximum pooling", { ...cnn, pooling: "max" }],
  ["cnn, no pooling", { ...cnn, pooling: "none" }],
  ["cnn, average pooling, without normalisation", { ...cnn, pooling: "avg", batchNorm: false }],
  ["cnn, maximum pooling, without normalisation", { ...cnn, pooling: "max", batchNorm: false }],
  ["cnn, no pooling, without normalisation", { ...cnn, pooling: "none", batchNorm: false }],
  ["cnn of width 5, without a window table", { ...cnn, kernel: 5 }],
  ["residual", { name: "residual", channels: 4, width: 3 }],
  ["cnn, two dense layers", { ...cnn, readout: 2 }],
  ["cnn, as NWA ends it", { ...cnn, output: "reference" }],
  ["gru", { name: "gru", hidden: 3, layers: 2 }],
  ["transformer", { name: "transformer", hidden: 4, segment: 3 }],
  [
    "local transformer, learned positions",
    { name: "transformer", hidden: 4, attention: "local1", positions: "learned", layerNorm: false },
  ],
  ["causal transformer", { name: "transformer", hidden: 4, attention: "causal", layers: 1 }],
  ["cnn-ed", { name: "cnn-ed", layers: 3, channels: 2 }],
  ["csm", { name: "csm", kernels: 3, width: 3, window: 5 }],
  ["kmer", { name: "kmer", k: 3, hidden: 4 }],
];

/** What is trained beside encoder and space. */
interface Extras {
  regularizer?: RegularizerOptions;
  decoder?: DecoderConfig;
}

/** One training step on made-up tokens and labels: letters, padding and a short sequence. */
async function check(
  encoder: EncoderOptions,
  geometry: GeometryName,
  pairs: PairScheme,
  loss: LossOptions = { name: "mse" },
  { regularizer, decoder }: Extras = {},
): Promise<void> {
  const random = new Random(5);
  const model = new DistanceModel({ encoder, shape: SHAPE, geometry, regularizer, decoder });
  const options: TrainStepOptions = { loss, pairs, batch: BATCH, optimizer: {} };
  const noise = random.fork("noise");
  const values = moved(model, model.initialize(random.fork("values")), noise, "space.");
  const aligned = model.regularizer === undefined ? 0 : alignedPairs(model, BATCH);
  const tokens = Int32Array.from({ length: BATCH * LENGTH }, (_, i) =>
    i % LENGTH > 12 ? 4 : noise.integer(4),
  );
  const shape = labelShape(options);
  const labels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.2 + noise.uniform());
  await checkStep({
    model,
    ...trainStep(model, options),
    ...values,
    fed: {
      tokens,
      labels,
      noise: Float32Array.from({ length: BATCH * model.encoder.noise }, () => noise.uniform()),
      stage: Float32Array.of(5, 0.1),
      lengths: Float32Array.from({ length: 2 * aligned }, (_, i) => 13 - (i % 3)),
      targets: alignmentTargets(aligned, LENGTH + 1, noise),
      latent: Float32Array.from({ length: BATCH * latentSize(model) }, () => noise.normal()),
      numbers: hyperparameters(1, 0.01, {}, 0.5),
    },
  });
}

/** Rows that sum to 1 over the first columns, and rows of zeros beyond, as the kernel makes them. */
function alignmentTargets(pairs: number, positions: number, random: Random): Float32Array {
  const targets = new Float32Array(pairs * positions ** 2);
  for (let row = 0; row < pairs * positions; row++) {
    if (row % positions > 12) continue;
    const weights = Float64Array.from({ length: 12 }, () => Math.exp(3 * random.uniform()));
    const sum = weights.reduce((a, b) => a + b);
    weights.forEach((weight, column) => (targets[row * positions + column] = weight / sum));
  }
  return targets;
}

const DECODERS: DecoderOptions[] = [
  { name: "linear" },
  { name: "mlp", layers: 3, hidden: 8 },
  { name: "cnn", layers: 2, channels: 3 },
  { name: "cnn", layers: 1, channels: 3, kernel: 5, hidden: 4, batchNorm: false },
];

/** Every encoder in the papers' space, and one of each kind in the other, which has free points. */
const CASES: [string, GeometryName, PairScheme, EncoderOptions, LossOptions?, Extras?][] = [
  ...ENCODERS.map(([name, encoder]): (typeof CASES)[number] => [name, "hyperbolic", "all", encoder]),
  ...ENCODERS.filter(([name]) => ["mlp", "cnn, maximum pooling", "residual"].includes(name)).map(
    ([name, encoder]): (typeof CASES)[number] => [name, "lorentz", "halves", encoder],
  ),
  ["dropout", "hyperbolic", "all", { name: "mlp", layers: 3, hidden: 8, dropout: 0.3 }],
  ["dropout in a transformer", "hyperbolic", "all", { name: "transformer", hidden: 4, dropout: 0.3 }],
  ...(["mae", "mape", "chi2", "poisson"] as const).map((name): (typeof CASES)[number] => [
    name,
    "euclidean",
    "halves",
    { name: "linear" },
    { name },
  ]),
  ...[false, true].map((reference): (typeof CASES)[number] => [
    reference ? "attention, as its authors coded it" : "attention",
    "euclidean",
    "halves",
    { name: "linear" },
    { name: "mse" },
    { regularizer: { name: "nwa", lambda: 0.1, width: 6, heads: 3, inner: 5, reference } },
  ]),
  [
    "attention in some of the pairs, by squared differences",
    "euclidean",
    "all",
    { name: "linear" },
    { name: "mse" },
    {
      regularizer: {
        name: "nwa",
        lambda: 0.1,
        width: 6,
        heads: 3,
        inner: 5,
        pairs: 2,
        divergence: "mse",
      },
    },
  ],
  ...DECODERS.flatMap((network) =>
    (["hyperbolic", "euclidean"] as const).map((geometry): (typeof CASES)[number] => [
      `decoder ${network.name}`,
      geometry,
      "all",
      { name: "linear" },
      { name: "mse" },
      { decoder: { network, weight: 0.3, noise: 0.4 } },
    ]),
  ),
  ...(["cosine", "manhattan", "poincare", "lorentz"] as const).map((geometry): (typeof CASES)[number] => [
    "decoder",
    geometry,
    "halves",
    { name: "linear" },
    { name: "mse" },
    { decoder: { network: { name: "linear" }, weight: 0.5, noise: 0.4 } },
  ]),
  [
    "decoder, without noise, beside attention",
    "euclidean",
    "halves",
    { name: "linear" },
    { name: "mse" },
    {
      regularizer: { name: "nwa", lambda: 0.1, width: 6, heads: 3, inner: 5 },
      decoder: { network: { name: "linear" }, weight: 0.5, noise: 0 },
    },
  ],
  ["triplet", "euclidean", "triples", { name: "linear" }, { name: "triplet", margin: 3 }],
  ["cnn-ed's loss", "euclidean", "triples", { name: "cnn-ed", layers: 2 }, { name: "cnn-ed" }],
];

describe("a training step agrees with jax-js, and its gradient with finite differences", () => {
  it.each(CASES)("%s, %s, %s of the pairs", async (_, geometry, pairs, encoder, loss, extras) => {
    await check(encoder, geometry, pairs, loss, extras);
  });
});
