import type { numpy as np } from "@jax-js/jax";
import { init } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { DistanceModel, type DecoderConfig } from "../../src/engine/model.ts";
import { hyperparameters } from "../../src/engine/optimizer.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import {
  batchSpecs,
  labelShape,
  STATE_NAMES,
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
import { arrayOf, type Input } from "./both.ts";
import "../support/allclose.ts";

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

/** One training step on made-up tokens and labels: its arguments in order, and how to run it. */
async function stepOf(
  encoder: EncoderOptions,
  geometry: GeometryName,
  pairs: PairScheme,
  loss: LossOptions = { name: "mse" },
  { regularizer, decoder }: Extras = {},
) {
  const random = new Random(5);
  const model = new DistanceModel({ encoder, shape: SHAPE, geometry, regularizer, decoder });
  const options: TrainStepOptions = { loss, pairs, batch: BATCH, optimizer: {} };
  const { step, args } = trainStep(model, options);
  const { bytes, inputs, outputs } = lower(step, args);
  const fresh = model.initialize(random.fork("values"));
  // Away from the papers' start, where embeddings are all but equal; letters, padding and a short sequence.
  const noise = random.fork("noise");
  const parameters = fresh.parameters.slice();
  for (const { path, offset, size } of model.parameters.entries) {
    if (path.startsWith("space.")) continue;
    for (let i = offset; i < offset + size; i++) parameters[i] += 0.6 * noise.uniform() - 0.3;
  }
  const statistics = fresh.statistics.map((value) => value + 0.5 * noise.uniform());
  const aligned = model.regularizer === undefined ? 0 : alignedPairs(model, BATCH);
  const tokens = Int32Array.from({ length: BATCH * LENGTH }, (_, i) =>
    i % LENGTH > 12 ? 4 : noise.integer(4),
  );
  const shape = labelShape(options);
  const labels = Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => 0.2 + noise.uniform());
  const vector = (data: Float32Array): Input => ({ shape: [data.length], type: "float32", data });
  const zeros = new Float32Array(parameters.length);
  const state: Record<string, Input> = {
    parameters: vector(parameters),
    mean: vector(zeros),
    square: vector(zeros),
    average: vector(parameters),
    statistics: vector(statistics),
    averageStatistics: vector(statistics),
  };
  const fed: Record<string, Input["data"]> = {
    tokens,
    labels,
    noise: Float32Array.from({ length: BATCH * model.encoder.noise }, () => noise.uniform()),
    stage: Float32Array.of(5, 0.1),
    lengths: Float32Array.from({ length: 2 * aligned }, (_, i) => 13 - (i % 3)),
    targets: alignmentTargets(aligned, LENGTH + 1, noise),
    latent: Float32Array.from({ length: BATCH * latentSize(model) }, () => noise.normal()),
    numbers: hyperparameters(1, 0.01, {}, 0.5),
  };
  const batch = Object.fromEntries(
    Object.entries(batchSpecs(model, options)).map(([name, spec]): [string, Input] => [
      name,
      { ...spec, data: fed[name] },
    ]),
  );
  const program = await Program.create(bytes, { threads: 1 });
  const run = async (values: Float32Array) => {
    const all = [
      ...STATE_NAMES.map((name) => (name === "parameters" ? vector(values) : state[name])),
      ...Object.values(batch),
    ];
    const feeds = inputs.map((name, i): [string, Tensor] => {
      const { type, data, shape: dims } = all[i];
      return [name, new Tensor(type, data as Float32Array, [...dims])];
    });
    const results = await program.run(Object.fromEntries(feeds));
    return outputs.map((name) => results[name].data as Float32Array);
  };
  const evaluate = () => {
    const arrays = Object.fromEntries(Object.entries(state).map(([name, input]) => [name, arrayOf(input)]));
    const others = Object.fromEntries(Object.entries(batch).map(([name, input]) => [name, arrayOf(input)]));
    const results = (step as (...inputs: unknown[]) => np.Array[])(arrays, others);
    return results.map((result) => result.dataSync() as Float32Array);
  };
  return { model, parameters, run, evaluate, close: () => program.close() };
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
    const { model, parameters, run, evaluate, close } = await stepOf(encoder, geometry, pairs, loss, extras);
    const actual = await run(parameters);
    const expected = evaluate();
    expect(actual.length).toBe(2 + STATE_NAMES.length);
    const [norm] = expected[1];
    // The first step's mean is a tenth of the gradient.
    const tolerance = { rtol: 2e-3, atol: 1e-5 * norm + 1e-7 };
    for (const which of [0, 1, 3, 4, 6, 7]) expect(actual[which]).toBeAllclose(expected[which], tolerance);

    const gradient = actual[3].map((value) => 10 * value);
    for (const { path, offset, size } of model.parameters.entries) {
      // Along the gradient of this parameter alone, the loss rises by its length.
      const part = gradient.subarray(offset, offset + size);
      const length = Math.hypot(...part);
      if (length < 0.02 * actual[1][0]) continue;
      const step = 4e-4;
      const moved = (by: number) =>
        parameters.map((value, i) =>
          i < offset || i >= offset + size ? value : value + (by * part[i - offset]) / length,
        );
      const [[above], [below]] = [await run(moved(step)), await run(moved(-step))];
      const slope = (above[0] - below[0]) / (2 * step);
      expect(slope / length, path).toBeAllclose(1, { rtol: 0, atol: 0.05 });
    }
    await close();
  });
});
