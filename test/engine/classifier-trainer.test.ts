import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { init } from "@jax-js/jax";
import {
  augmented,
  classifierRecipe,
  classWeights,
  CLASSIFIER_RECIPE,
  trainClassifier,
  type ClassifierTrainOptions,
} from "../../src/engine/classifier-trainer.ts";
import { Interrupted, type TrainResult } from "../../src/engine/training.ts";
import { ClassifierModel, offManifold } from "../../src/engine/classifier-model.ts";
import { DNA } from "../../src/sequence/index.ts";
import { Random } from "../../src/sequence/random.ts";
import { reverseComplement } from "../../src/sequence/reverse-complement.ts";
import { confusionMatrix, mcc } from "../../src/task/classify/metrics.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-classifier-"));
afterAll(() => rmSync(folder, { recursive: true }));
beforeAll(async () => {
  await init("wasm");
});

/** Random sequences, half of them with a motif at a random place. */
function planted(count: number, seed: number) {
  const random = new Random(seed);
  const motif = [0, 1, 0, 2, 1];
  const labels = Uint16Array.from({ length: count }, (_, i) => i % 2);
  const codes = Array.from(labels, (label) => {
    const letters = Uint8Array.from({ length: 20 }, () => random.integer(4));
    if (label === 1) letters.set(motif, random.integer(15));
    return letters;
  });
  return { codes, labels };
}

const training = planted(160, 1);
const validation = planted(80, 2);

function options(
  name: "cnn" | "hcnn" | "hcnn-multi",
  more: Partial<ClassifierTrainOptions> = {},
): ClassifierTrainOptions {
  return {
    model: {
      network: { name, blocks: 1, channels: 8, kernel: 5, hidden: 12 },
      shape: { length: 20, letters: 4, classes: 2 },
    },
    recipe: { ...CLASSIFIER_RECIPE, batch: 32, learningRate: 0.01, averageDecay: 0.9, validateEvery: 10 },
    alphabet: DNA,
    training,
    validation,
    score: (probabilities) =>
      mcc(confusionMatrix({ classes: 2, labels: validation.labels, probabilities }), 2),
    seed: 1,
    digest: "data",
    threads: 1,
    ...more,
  };
}

const values = ({ parameters, statistics, validation, bestStep }: TrainResult) => ({
  parameters,
  statistics,
  validation,
  bestStep,
});

describe("training", () => {
  it.each(["cnn", "hcnn", "hcnn-multi"] as const)("%s finds a motif", async (name) => {
    const result = await trainClassifier(options(name, { steps: 120 }));
    expect(result.validation).toBeGreaterThan(0.6);
    const { network, parameters } = new ClassifierModel(options(name).model);
    expect(network.curvature === undefined).toBe(name === "cnn");
    expect(offManifold(parameters, result.parameters)).toBeLessThan(1e-5);
  });

  it("stopped and resumed is the one that never stopped, dropout and all changes of sequences included", async () => {
    const more: Partial<ClassifierTrainOptions> = {
      model: {
        ...options("hcnn").model,
        network: { name: "hcnn", blocks: 1, channels: 5, kernel: 3, hidden: 6, dropout: 0.3 },
      },
      recipe: {
        ...options("hcnn").recipe,
        reverseComplement: 0.5,
        shift: 2,
        mutation: 0.05,
        classWeights: "balanced",
      },
      steps: 25,
    };
    const whole = await trainClassifier(options("hcnn", more));
    const checkpoint = join(folder, "run.checkpoint");
    const stop = new AbortController();
    const stopped = trainClassifier(
      options("hcnn", {
        ...more,
        checkpoint,
        signal: stop.signal,
        onProgress: ({ step }) => step === 13 && stop.abort(),
      }),
    );
    await expect(stopped).rejects.toThrow(Interrupted);
    const resumed = await trainClassifier(options("hcnn", { ...more, checkpoint, resume: true }));
    expect(values(resumed)).toEqual(values(whole));
    const other = trainClassifier(options("hcnn", { ...more, checkpoint, resume: true, seed: 2 }));
    await expect(other).rejects.toThrow("seed must be what the checkpoint was made with");
  });
});

describe("weights of classes", () => {
  it("are equal, or of mean 1 and the same sum for each class", () => {
    const labels = [0, 0, 0, 2];
    expect([...classWeights(labels, 3, "equal")]).toEqual([1, 1, 1]);
    const weights = classWeights(labels, 3, "balanced");
    expect(3 * weights[0]).toBeCloseTo(weights[2]);
    expect(3 * weights[0] + weights[2]).toBeCloseTo(4);
  });
});

describe("the paper's recipe", () => {
  it("has groups of its own for curvatures and centres, whatever the rate and the decay of the others", () => {
    for (const settings of [{}, { batch: 50, learningRate: 1e-3, optimizer: { weightDecay: 0.01 } }]) {
      const recipe = classifierRecipe({ recipe: "paper", settings, sequences: 4904, hyperbolic: true });
      const { learningRate, rates, decays, optimizer } = recipe;
      expect(learningRate * rates!.centres).toBeCloseTo(2e-2);
      expect(optimizer.weightDecay! * decays!.centres).toBeCloseTo(5e-4);
      expect(decays!.curvature).toBe(0);
      expect(recipe.maximumSteps).toBe(100 * recipe.validateEvery);
      expect(recipe.validateEvery).toBe(Math.ceil(4904 / recipe.batch));
    }
    const plain = classifierRecipe({ recipe: "paper", sequences: 4904, hyperbolic: true });
    expect(plain.learningRate * plain.rates!.curvature).toBeCloseTo(1e-4);
    const flat = classifierRecipe({ recipe: "paper", sequences: 10, hyperbolic: false });
    expect(flat.rates).toBeUndefined();
  });
});

describe("sequences as a step sees them", () => {
  const codes = Uint8Array.of(0, 1, 2, 3, 0, 0, 1, 4, 2, 2);
  const still = { ...CLASSIFIER_RECIPE };

  it("are the same where nothing is asked for", () => {
    expect(augmented(codes, still, DNA, new Random(1))).toBe(codes);
  });

  it("are turned as often as is asked for", () => {
    const random = new Random(1);
    const turned = reverseComplement(codes);
    let count = 0;
    for (let i = 0; i < 400; i++) {
      const seen = augmented(codes, { ...still, reverseComplement: 0.25 }, DNA, random);
      expect([codes, turned]).toContainEqual(seen);
      if (seen !== codes) count++;
    }
    expect(count / 400).toBeCloseTo(0.25, 1);
  });

  it("are moved by every number of letters up to the shift", () => {
    const random = new Random(2);
    const seen = new Set<string>();
    for (let i = 0; i < 200; i++) seen.add(augmented(codes, { ...still, shift: 2 }, DNA, random).join(""));
    // 4, an unknown letter, comes in where nothing is.
    const letters = [...codes].join("");
    const expected = [
      `44${letters.slice(0, 8)}`,
      `4${letters.slice(0, 9)}`,
      letters,
      `${letters.slice(1)}4`,
      `${letters.slice(2)}44`,
    ];
    expect([...seen].sort()).toEqual(expected.sort());
  });

  it("have letters drawn anew as often as is asked for", () => {
    const random = new Random(3);
    const long = new Uint8Array(1000).fill(4);
    let changed = 0;
    for (let i = 0; i < 50; i++) {
      changed += augmented(long, { ...still, mutation: 0.1 }, DNA, random).filter(
        (code) => code !== 4,
      ).length;
    }
    expect(changed / 50_000).toBeCloseTo(0.1, 2);
    expect(long.every((code) => code === 4)).toBe(true);
  });
});
