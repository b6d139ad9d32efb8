/** @file The trainer: it learns, it goes on where it was stopped, and it says what went wrong. */

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { KernelOracle } from "../../src/engine/labels.ts";
import type { ModelConfig } from "../../src/engine/model.ts";
import { DEFAULT_RECIPE, paperRecipe, type Recipe } from "../../src/engine/recipe.ts";
import { train, type TrainOptions } from "../../src/engine/trainer.ts";
import { Interrupted, type TrainResult } from "../../src/engine/training.ts";
import { EmbranchError } from "../../src/error.ts";
import { EditDistances, packCodes } from "../../src/kernel/index.ts";
import { collect, DNA, simulate } from "../../src/sequence/index.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-trainer-"));
const at = (name: string) => join(folder, name);

let kernel: EditDistances;
let options: TrainOptions;

const recipe: Recipe = {
  ...DEFAULT_RECIPE,
  batch: 16,
  augmented: 4,
  learningRate: 0.02,
  averageDecay: 0.9,
  validateEvery: 5,
};

beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 1 });
  const { codes, maxLength } = await collect(simulate({ leaves: 48, length: 20 }).records(), {
    alphabet: DNA,
  });
  const [training, held] = [codes.slice(8), codes.slice(0, 8)];
  options = {
    model: {
      encoder: { name: "linear" },
      shape: { length: maxLength, letters: 4, dim: 4 },
      geometry: "hyperbolic",
    },
    recipe,
    sequences: training,
    alphabet: DNA,
    oracle: new KernelOracle(kernel, training),
    validation: { sequences: held, distances: await kernel.allPairs(packCodes(held)) },
    seed: 1,
    digest: "data",
    threads: 1,
  };
});
afterAll(async () => {
  await kernel.close();
  rmSync(folder, { recursive: true });
});

/** Trains until a step has been made, and stops there by the signal. */
async function stopAfter(step: number, more: Partial<TrainOptions>): Promise<void> {
  const stop = new AbortController();
  const onProgress = (progress: { step: number }) => progress.step === step && stop.abort();
  const error: unknown = await train({ ...options, ...more, signal: stop.signal, onProgress }).catch(
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(Interrupted);
  expect((error as Interrupted).step).toBe(step);
  expect((error as Interrupted).exitCode).toBe(130);
}

/** A result but for what the clock said. */
const withoutClock = (result: TrainResult) => ({
  ...result,
  seconds: 0,
  history: result.history.map((entry) => ({ ...entry, seconds: 0 })),
});

test("it learns: loss and held-out error fall", async () => {
  const { history, validation } = await train({ ...options, steps: 150 });
  const validated = history.filter((entry) => entry.validation !== undefined);
  expect(validated.map(({ step }) => step)).toEqual(Array.from({ length: 30 }, (_, i) => 5 * (i + 1)));
  expect(validation).toBe(Math.min(...validated.map((entry) => entry.validation!)));
  expect(validation).toBeLessThan(0.9 * validated[0].validation!);
  expect(history.at(-1)!.loss).toBeLessThan(0.5 * history[0].loss);
});

test("a decoder learns along: the reconstruction's loss falls, and so does the error of distances", async () => {
  const decoder = { network: { name: "linear" }, weight: 0.5, noise: 0.1 } as const;
  const { history } = await train({ ...options, model: { ...options.model, decoder }, steps: 100 });
  const errors = history.map((entry) => entry.validation).filter((error) => error !== undefined);
  expect(errors.at(-1)).toBeLessThan(errors[0]);
  // Half of the loss is that of guessing one of five classes, to begin with.
  expect(history[0].loss).toBeGreaterThan(0.4);
  expect(history.at(-1)!.loss).toBeLessThan(0.8 * history[0].loss);
});

describe("a run bounded by steps", () => {
  test("is the same twice, and another one with another seed", async () => {
    const [one, two] = [await train({ ...options, steps: 12 }), await train({ ...options, steps: 12 })];
    expect(two.parameters).toEqual(one.parameters);
    expect(two.statistics).toEqual(one.statistics);
    expect((await train({ ...options, steps: 12, seed: 2 })).parameters).not.toEqual(one.parameters);
  });

  test.each<[string, Partial<TrainOptions>]>([
    ["the default recipe", {}],
    ["the paper's recipe", { recipe: { ...paperRecipe(40), batch: 16, validateEvery: 5 } }],
    ["normalised layers", { model: { encoder: { name: "mlp", hidden: 4 }, shape: { length: 32, letters: 4, dim: 4 }, geometry: "lorentz" } }],
    ["a decoder", { model: { encoder: { name: "linear" }, shape: { length: 32, letters: 4, dim: 4 }, geometry: "hyperbolic", decoder: { network: { name: "mlp", layers: 2, hidden: 6 }, weight: 0.1, noise: 0.5 } } }],
  ])("stopped at any step and resumed is the one that never stopped: %s", async (name, more) => {
    const unbroken = await train({ ...options, ...more, steps: 12 });
    for (const step of [1, 5, 7]) {
      const checkpoint = at(`${name} ${step}`);
      await stopAfter(step, { ...more, steps: 12, checkpoint });
      const resumed = await train({ ...options, ...more, steps: 12, checkpoint, resume: true });
      expect(withoutClock(resumed)).toEqual(withoutClock(unbroken));
    }
  }); // prettier-ignore

  test("takes no part of the clock into account, however often it saves", async () => {
    const unbroken = await train({ ...options, steps: 12 });
    const saving = await train({ ...options, steps: 12, checkpoint: at("often"), checkpointSeconds: 0 });
    expect(saving.parameters).toEqual(unbroken.parameters);
    // The last checkpoint is of the last step: there is nothing left to train.
    const onProgress = () => expect.fail("a step was made");
    const again = await train({ ...options, steps: 12, checkpoint: at("often"), resume: true, onProgress });
    expect(again).toMatchObject({
      parameters: unbroken.parameters,
      validation: unbroken.validation,
      steps: 12,
    });
  });
});

describe("bounds", () => {
  test("minutes: the rate rises from the first step on, however long it took to get there", async () => {
    const { history } = await train({ ...options, minutes: 0.06, recipe: { ...recipe, warmup: 0.5 } });
    expect(history[0].step).toBe(1);
    expect(history[0].learningRate).toBeLessThan(0.01 * recipe.learningRate);
  });

  test("minutes: the run ends when they are over, and its schedule with them", async () => {
    const { seconds, history, steps } = await train({ ...options, minutes: 0.005 });
    expect(seconds).toBeGreaterThanOrEqual(0.3);
    expect(steps).toBeGreaterThan(0);
    expect(history.at(-1)!.step).toBe(steps);
  });

  test("patience: so many validations without improvement, and what was best is kept", async () => {
    const patient = { ...recipe, learningRate: 1, validateEvery: 1, patience: 3, maximumSteps: 400 };
    const { steps, bestStep, validation, history } = await train({ ...options, recipe: patient });
    expect(steps).toBe(bestStep + 3);
    expect(steps).toBeLessThan(400);
    expect(history.find(({ step }) => step === bestStep)!.validation).toBe(validation);
  });

  test("the cap, where patience never ends", async () => {
    const { steps } = await train({ ...options, recipe: { ...recipe, maximumSteps: 7 } });
    expect(steps).toBe(7);
  });
});

describe("a checkpoint", () => {
  test("of another run is refused, with what differs", async () => {
    const checkpoint = at("other");
    await stopAfter(2, { steps: 5, checkpoint });
    const resume = (more: Partial<TrainOptions>) =>
      train({ ...options, steps: 5, checkpoint, resume: true, ...more });
    await expect(resume({ steps: 1 })).rejects.toThrow(
      /resume: steps must be at least the \d+ that are done, got 1/,
    );
    await expect(resume({ digest: "others" })).rejects.toThrow(/resume: the training data must be/);
    await expect(resume({ seed: 3 })).rejects.toThrow(/resume: seed must be .*, got 3 instead of 1/);
    await expect(resume({ model: { ...options.model, geometry: "lorentz" } })).rejects.toThrow(
      /resume: geometry/,
    );
    const decoder = { network: { name: "linear" }, weight: 0.1, noise: 0 } as const;
    await expect(resume({ model: { ...options.model, decoder } })).rejects.toThrow(/resume: decoder must be/);
    await expect(resume({ recipe: { ...recipe, batch: 8 } })).rejects.toThrow(
      /resume: batch .* got 8 instead of 16/,
    );
    await expect(resume({})).resolves.toMatchObject({ steps: 5 });
  });

  test("is none without a place for it", async () => {
    await stopAfter(2, { steps: 5 });
    expect(existsSync("undefined")).toBe(false);
  });

  test("that cannot be written stops the run", async () => {
    const failing = train({ ...options, steps: 5, checkpoint: at("none/x"), checkpointSeconds: 0 });
    await expect(failing).rejects.toThrow(/none\/x: cannot be written: there is no such file or directory/);
  });
});

describe("numbers that run away", () => {
  const runaway: Partial<TrainOptions> = { recipe: { ...recipe, learningRate: 1e30 } };

  test("stop the run with the step, the tensor and the last checkpoint", async () => {
    const checkpoint = at("runaway");
    // Where points are on a sphere the length of a vector does not matter; here it does.
    const model: ModelConfig = { ...options.model, geometry: "euclidean" };
    const failing = train({ ...options, ...runaway, model, steps: 9, checkpoint, checkpointSeconds: 0 });
    const error: unknown = await failing.catch((error: unknown) => error);
    expect(error).toBeInstanceOf(EmbranchError);
    expect((error as Error).message).toMatch(
      /^training: (loss|gradient norm) must be finite, got (NaN|Infinity) at step \d .*"(encoder|space)\..*; lower --learning-rate; the last checkpoint is .*runaway \(--resume\)$/,
    );
  });

  test("can be saved from a checkpoint by a lower learning rate", async () => {
    const checkpoint = at("saved");
    await stopAfter(3, { steps: 9, checkpoint });
    const slower = { ...recipe, learningRate: recipe.learningRate / 10 };
    const { steps } = await train({ ...options, recipe: slower, steps: 9, checkpoint, resume: true });
    expect(steps).toBe(9);
  });
});
