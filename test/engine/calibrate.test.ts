/** @file Where a learned scale starts: predictions are as long as labels, on average, and nothing else has changed. */

import { init } from "@jax-js/jax";
import { beforeAll, expect, test } from "vitest";
import { calibrateScale } from "../../src/engine/calibrate.ts";
import { DistanceModel, type ModelConfig } from "../../src/engine/model.ts";
import type { PairScheme, TrainStepOptions } from "../../src/engine/train-step.ts";
import { Random } from "../../src/sequence/random.ts";
import { lowered } from "./both.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const [BATCH, LENGTH, DIM] = [6, 10, 4];
const shape = { length: LENGTH, letters: 4, dim: DIM };

/** Pairs of a batch's sequences, in the order of its labels. */
function pairsOf(scheme: PairScheme): [number, number][] {
  const members = [...Array(BATCH).keys()];
  if (scheme === "all") return members.flatMap((i) => members.map((j): [number, number] => [i, j]));
  if (scheme === "halves") return members.slice(0, BATCH / 2).map((i) => [i, i + BATCH / 2]);
  const third = BATCH / 3;
  const kinds = [
    [0, 1],
    [0, 2],
    [1, 2],
  ];
  return kinds.flatMap(([a, b]) =>
    members.slice(0, third).map((i): [number, number] => [a * third + i, b * third + i]),
  );
}

/** A model with drawn values, a batch for it, and what it predicts of that batch while training. */
function setting(config: Omit<ModelConfig, "shape">, pairs: PairScheme, longest = 1) {
  const model = new DistanceModel({ ...config, shape });
  const random = new Random(2);
  const values = model.initialize(random.fork("values"));
  const draw = random.fork("batch");
  const tokens = Int32Array.from({ length: BATCH * LENGTH }, () => draw.integer(5));
  const list = pairsOf(pairs);
  const labels = Float32Array.from(list, ([i, j]) => (i === j ? 0 : longest * draw.uniform()));
  const loss = { name: pairs === "triples" ? "cnn-ed" : "mse" } as const;
  const options: TrainStepOptions = { loss, pairs, batch: BATCH, optimizer: {} };
  const members = Array.from({ length: BATCH }, () => new Uint8Array());
  const calibrated = async () => {
    const fresh = { parameters: values.parameters.slice(), statistics: values.statistics.slice() };
    await calibrateScale(model, fresh, { tokens, labels, members }, options, { threads: 1 });
    return fresh;
  };
  /** Mean prediction of pairs of two sequences, by distances in double precision. */
  const meanPrediction = async (parameters: Float32Array) => {
    const [{ data }] = await lowered(
      (p, s, t) => {
        const { points, statistics } = model.embed(p, s, t, { training: true });
        model.statistics.pack(statistics).dispose();
        return points;
      },
      [
        { shape: [parameters.length], type: "float32", data: parameters },
        { shape: [values.statistics.length], type: "float32", data: values.statistics },
        { shape: [BATCH, LENGTH], type: "int32", data: tokens },
      ],
    );
    const point = (i: number) => data.slice(i * DIM, (i + 1) * DIM);
    const scalars = model.spaceParameters(parameters);
    const distances = list
      .filter(([i, j]) => i !== j)
      .map(([i, j]) => model.space.exactDistance(point(i), point(j), scalars));
    return distances.reduce((a, b) => a + b, 0) / distances.length;
  };
  const meanLabel = labels.reduce((a, b) => a + b, 0) / list.filter(([i, j]) => i !== j).length;
  return { model, values, calibrated, meanPrediction, meanLabel };
}

const linear = { name: "linear" } as const;
const normalised = { name: "mlp", hidden: 5 } as const;

test.each<[string, Omit<ModelConfig, "shape">, PairScheme]>([
  [
    "all pairs, the diagonal apart",
    { encoder: linear, geometry: "euclidean", space: { scale: true, initial: { scale: 2 } } },
    "all",
  ],
  ["halves", { encoder: linear, geometry: "manhattan", space: { scale: true } }, "halves"],
  ["triples", { encoder: linear, geometry: "hyperbolic" }, "triples"],
  ["a batch's own moments", { encoder: normalised, geometry: "euclidean", space: { scale: true } }, "all"],
  [
    "a scale that is not 1, and a power",
    {
      encoder: linear,
      geometry: "square",
      space: { scale: true, exponent: true, initial: { scale: 3, exponent: 0.5 } },
    },
    "halves",
  ],
])("predictions are as long as the labels: %s", async (_, config, pairs) => {
  const { model, values, calibrated, meanPrediction, meanLabel } = setting(config, pairs);
  const { parameters, statistics } = await calibrated();
  expect(await meanPrediction(parameters)).toBeAllclose(meanLabel, { rtol: 1e-4 });
  // They were not before; and the scale alone has moved.
  expect(Math.abs(Math.log((await meanPrediction(values.parameters)) / meanLabel))).toBeGreaterThan(0.1);
  const [scale] = model.parameters.view(values.parameters, "space.scale");
  model.parameters.view(parameters, "space.scale")[0] = scale;
  expect(parameters).toEqual(values.parameters);
  expect(statistics).toEqual(values.statistics);
});

test.each<[string, Omit<ModelConfig, "shape">, number]>([
  ["without a learned scale", { encoder: linear, geometry: "euclidean" }, 1],
  ["where all labels are 0", { encoder: linear, geometry: "hyperbolic" }, 0],
])("nothing changes %s", async (_, config, longest) => {
  const { values, calibrated } = setting(config, "all", longest);
  expect(await calibrated()).toEqual(values);
});
