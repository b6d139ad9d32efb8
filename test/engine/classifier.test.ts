import { init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { ClassifierModel, classifierTokens } from "../../src/engine/classifier-model.ts";
import { classifierStep } from "../../src/engine/classifier-step.ts";
import { hyperparameters, type AdamOptions } from "../../src/engine/optimizer.ts";
import type { ClassifierOptions } from "../../src/nn/classifier.ts";
import { conv, oneHot, relu } from "../../src/nn/layers.ts";
import { DNA } from "../../src/sequence/index.ts";
import { Random } from "../../src/sequence/random.ts";
import { lowered, type Input } from "./both.ts";
import { checkStep, moved } from "./step-check.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const BATCH = 5;
const SHAPE = { length: 14, letters: 4, classes: 3 };
const SMALL = { blocks: 2, channels: 5, kernel: 3, hidden: 6 } as const;

describe("a training step agrees with jax-js, and its gradient with finite differences", () => {
  it.each<[string, ClassifierOptions, AdamOptions?]>([
    ["cnn", { name: "cnn", ...SMALL }],
    [
      "cnn, pooled, with dropout and decay",
      { name: "cnn", ...SMALL, pooling: 3, dropout: 0.3 },
      { weightDecay: 0.1 },
    ],
    ["hcnn, pooled, with dropout", { name: "hcnn", ...SMALL, blocks: 1, pooling: 3, dropout: 0.3 }],
    ["hcnn, with decay", { name: "hcnn", ...SMALL }, { weightDecay: 0.1 }],
    ["hcnn-multi", { name: "hcnn-multi", ...SMALL }],
  ])("%s", async (_, network, optimizer = {}) => {
    const random = new Random(7);
    const model = new ClassifierModel({ network, shape: SHAPE });
    const options = { batch: BATCH, optimizer, labelSmoothing: 0.1 };
    const weights = Float32Array.of(0.1, 0.3, 0.2, 0.25, 0.15);
    // Letters, an unknown one, and padding.
    const tokens = Int32Array.from({ length: BATCH * SHAPE.length }, (_, i) =>
      i % SHAPE.length > 11 ? 5 : i % 7 === 0 ? 4 : random.integer(4),
    );
    await checkStep({
      model,
      ...classifierStep(model, options),
      ...moved(model, model.initialize(random.fork("values")), random, "centres"),
      fed: {
        tokens,
        labels: Int32Array.of(0, 2, 1, 2, 0),
        weights,
        noise: Float32Array.from({ length: BATCH * model.network.noise }, () => random.uniform()),
        numbers: hyperparameters(1, 0.01, optimizer, 0.5),
      },
    });
  });
});

describe("parameters", () => {
  /** Weights whose output the published networks discard: the rows that would be time, with their biases. */
  const discarded = (length: number) => 5 * 9 + 1 + 1 + 5 * (31 * 9 + 1 + 1) + (31 * length + 1 + 1);

  it.each([
    [70, 1_194_534],
    [1000, 16_416_774],
  ])(
    "of the hyperbolic network of length %i are the published, without what those discard",
    (length, all) => {
      const shape = { length, letters: 4, classes: 2 };
      const one = new ClassifierModel({ network: { name: "hcnn" }, shape }).parameters.size;
      const many = new ClassifierModel({ network: { name: "hcnn-multi" }, shape }).parameters.size;
      // The published numbers leave the curvature out.
      expect(one - 1 + discarded(length)).toBe(all);
      expect(many - 4 + discarded(length)).toBe(all);
    },
  );

  it("of the convolutional network are the published, without the biases that normalisation takes away", () => {
    const shape = { length: 1000, letters: 4, classes: 2 };
    expect(new ClassifierModel({ network: { name: "cnn" }, shape }).parameters.size + 6 * 32).toBe(
      16_945_682,
    );
  });
});

describe("the flat limit", () => {
  /** The Euclidean network that a hyperbolic one of one block becomes where k is great, on plain arrays. */
  function flatLogits(read: (path: string) => np.Array, letters: np.Array, k: number): np.Array {
    const convolved = (name: string, x: np.Array) => {
      const [outputs] = read(`${name}.weight`).shape;
      const bias = read(`${name}.bias`).add(read(`${name}.time`).mul(Math.sqrt(k)));
      return conv({ weight: read(`${name}.weight`) }, x).add(bias.reshape([1, outputs, 1]));
    };
    const normalised = (i: number, x: np.Array) => {
      const centred = x.ref.sub(x.mean([0, 2], { keepdims: true }));
      const distance = np.sqrt(np.square(centred.ref).sum(1)).mean();
      const centre = read("centres")
        .slice([i, i + 1], [1])
        .mul(Math.sqrt(k));
      return centred.mul(read(`blocks.0.gain${i + 1}`).div(distance)).add(centre.reshape([1, -1, 1]));
    };
    let x = relu(normalised(0, convolved("blocks.0.conv1", letters)));
    x = relu(normalised(1, convolved("blocks.0.conv2", x)));
    const flat = x.reshape([BATCH, -1]);
    const bias = read("hidden.bias").add(read("hidden.time").mul(Math.sqrt(k)));
    const features = relu(np.matmul(flat, read("hidden.weight")).add(bias));
    const lengths = np.sqrt(np.square(read("classes.normal")).sum(0));
    return np.matmul(features, read("classes.normal")).sub(read("classes.offset").mul(lengths));
  }

  it("of a hyperbolic network is a Euclidean one that normalises by mean distances", () => {
    const random = new Random(4);
    const network: ClassifierOptions = { name: "hcnn", ...SMALL, blocks: 1 };
    const model = new ClassifierModel({ network, shape: SHAPE });
    const { parameters, statistics } = moved(model, model.initialize(random), random, "centres");
    const tokens = Int32Array.from({ length: BATCH * SHAPE.length }, () => random.integer(4));
    const read = (path: string) => {
      const { spec } = model.parameters.entries.find((entry) => entry.path === path)!;
      return np.array(model.parameters.view(parameters, path).slice(), { shape: [...spec.shape] });
    };
    const letters = () => oneHot(np.array(tokens, { shape: [BATCH, SHAPE.length] }), 5).transpose([0, 2, 1]);
    // What time adds is √k as long: it is scaled so that features stay of one size.
    const errors = [1, 1000].map((k) => {
      model.parameters.view(parameters, "curvature.0")[0] = Math.log(k);
      for (const name of ["blocks.0.conv1", "blocks.0.conv2", "hidden"]) {
        model.parameters.view(parameters, `${name}.time`).fill(0.2 / Math.sqrt(k));
      }
      const {
        logits,
        features,
        statistics: updated,
      } = model.classify(
        np.array(parameters.slice()),
        np.array(statistics.slice()),
        np.array(tokens, { shape: [BATCH, SHAPE.length] }),
        { training: true },
      );
      features.dispose();
      model.statistics.pack(updated).dispose();
      const expected = flatLogits(read, letters(), k).dataSync() as Float32Array;
      const actual = logits.dataSync() as Float32Array;
      const scale = Math.hypot(...expected);
      return Math.hypot(...actual.map((value, i) => value - expected[i])) / scale;
    });
    expect(errors[0]).toBeGreaterThan(0.05);
    expect(errors[1]).toBeLessThan(0.01);
  });
});

describe("inference", () => {
  const values = (model: ClassifierModel, random: Random): [Input, Input] => {
    const { parameters, statistics } = moved(model, model.initialize(random), random, "centres");
    const vector = (data: Float32Array): Input => ({ shape: [data.length], type: "float32", data });
    return [vector(parameters), vector(statistics)];
  };

  it.each(["cnn", "hcnn-multi"] as const)(
    "%s sees each sequence alone, and nothing beyond its end",
    async (name) => {
      const random = new Random(3);
      const model = new ClassifierModel({ network: { name, ...SMALL }, shape: SHAPE });
      const drawn = (length: number) => Uint8Array.from({ length }, () => random.integer(4));
      const sequences = [drawn(14), drawn(9), drawn(20), drawn(1)];
      const of = async (chosen: Uint8Array[]) => {
        const tokens = classifierTokens(chosen, DNA, SHAPE.length);
        const input: Input = { shape: [chosen.length, SHAPE.length], type: "int32", data: tokens };
        const infer = (...arrays: np.Array[]) => model.infer(arrays[0], arrays[1], arrays[2]);
        const [probabilities] = await lowered(infer, [...values(model, new Random(9)), input]);
        return probabilities.data;
      };
      const together = await of(sequences);
      for (let i = 0; i < sequences.length; i++) {
        const alone = await of([sequences[i]]);
        expect(alone).toBeAllclose(together.slice(3 * i, 3 * i + 3), { rtol: 1e-4, atol: 1e-6 });
        expect(alone.reduce((a, b) => a + b)).toBeCloseTo(1, 5);
      }
      const cut = await of([sequences[2].subarray(0, 14)]);
      expect(cut).toBeAllclose(together.slice(6, 9), { rtol: 1e-4, atol: 1e-6 });
    },
  );
});
