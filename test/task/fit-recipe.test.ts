/** @file Options come to the recipe and the space that they say. */

import { describe, expect, test } from "vitest";
import { DEFAULT_RECIPE } from "../../src/engine/recipe.ts";
import type { FitOptions } from "../../src/task/fit.ts";
import { recipeOf, spaceOf } from "../../src/task/fit-recipe.ts";
import { presetOptions } from "../../src/task/presets.ts";

const spaceFor = (options: FitOptions) =>
  spaceOf(options.geometry ?? "hyperbolic", options, recipeOf(options, 1000));

describe("the power of the distance", () => {
  test("is learned by default, and not where it is refused", () => {
    expect(spaceFor({})).toMatchObject({ scale: true, exponent: true, initial: { exponent: 1.5 } });
    // These are squares already.
    for (const geometry of ["square", "cosine"] as const) {
      expect(spaceFor({ geometry }).initial).toEqual({ exponent: 1 });
    }
    expect(spaceFor({ exponent: false })).toMatchObject({ scale: true, exponent: false });
  });

  test("is none of the papers' procedure and its spaces, unless it is asked for", () => {
    expect(spaceFor({ recipe: "paper" })).toEqual({});
    expect(spaceFor({ recipe: "paper", exponent: true })).toEqual({ exponent: true });
    expect(spaceFor({ ...presetOptions("dsee"), exponent: true })).toMatchObject({ exponent: true });
  });

  test("is none of what learns order alone", () => {
    expect(spaceFor({ settings: { loss: { name: "triplet" } } })).toMatchObject({ exponent: false });
  });
});

test("order alone leaves the scale to validation, in every space", () => {
  const loss = { name: "triplet" } as const;
  for (const options of [
    { settings: { loss } },
    { recipe: "paper", settings: { loss } },
    { geometry: "lorentz", space: {}, settings: { loss } },
    { ...presetOptions("neuroseed-cnn", "poincare"), settings: { loss } },
  ] satisfies FitOptions[]) {
    expect(spaceFor(options)).toMatchObject({ scale: true });
    expect(recipeOf(options, 1000).rates).toEqual({ space: 0 });
  }
});

describe("a batch", () => {
  test("of few sequences is filled up with made-up ones, unless there are to be none", () => {
    const { batch, augmented } = recipeOf({}, 20);
    expect([batch, augmented]).toEqual([DEFAULT_RECIPE.batch, DEFAULT_RECIPE.augmented]);
    expect(recipeOf({ settings: { augmented: 0 } }, 21)).toMatchObject({ batch: 20, augmented: 0 });
  });

  test("of a family is that family and a share of made-up relatives", () => {
    expect(recipeOf({ family: 48 }, 960)).toMatchObject({ batch: 64, augmented: 16 });
    expect(recipeOf({ family: 50, recipe: "paper" }, 1000)).toMatchObject({ batch: 256, augmented: 0 });
    expect(() => recipeOf({ family: 50, settings: { loss: { name: "triplet" } } }, 1000)).toThrow(/family:/);
  });

  test("of the papers makes an epoch of ten pairs a sequence, of one within families", () => {
    expect(recipeOf({ recipe: "paper" }, 1280)).toMatchObject({ validateEvery: 100 });
    expect(recipeOf({ recipe: "paper", family: 50 }, 1280)).toMatchObject({ validateEvery: 10 });
  });
});

test("beside a regulariser Adam's epsilon is that of a sum over the authors' batch, unless it is set", () => {
  const regularizer = { name: "nwa" } as const;
  expect(recipeOf({}, 1000).optimizer.epsilon).toBeUndefined();
  expect(recipeOf({ regularizer: { name: "none" } }, 1000).optimizer.epsilon).toBeUndefined();
  expect(recipeOf({ regularizer }, 1000).optimizer.epsilon).toBeCloseTo(9.77e-12, 13);
  const optimizer = { epsilon: 1e-6 };
  expect(recipeOf({ regularizer, settings: { optimizer } }, 1000).optimizer.epsilon).toBe(1e-6);
});
