import { grad, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";
import {
  artanh,
  asinh,
  asinhc,
  clampThrough,
  safeSqrt,
  sinh,
  sinhc,
  tanh,
} from "../../src/geometry/elementary.ts";
import "../support/allclose.ts";
import { read, useReferenceBackend } from "./points.ts";

beforeAll(useReferenceBackend);

const logSpaced = (low: number, high: number): Float32Array =>
  Float32Array.from({ length: 100 }, (_, i) => low * (high / low) ** (i / 99));

const derivative = (f: (x: np.Array) => np.Array, xs: Float32Array): np.Array =>
  grad((x: np.Array) => f(x).sum())(np.array(xs));

const functions = [
  { name: "asinh", f: asinh, exact: Math.asinh, slope: (x: number) => 1 / Math.hypot(1, x), high: 1e6 },
  { name: "sinh", f: sinh, exact: Math.sinh, slope: Math.cosh, high: 15 },
  { name: "tanh", f: tanh, exact: Math.tanh, slope: (x: number) => 1 / Math.cosh(x) ** 2, high: 3 },
  { name: "artanh", f: artanh, exact: Math.atanh, slope: (x: number) => 1 / (1 - x * x), high: 0.9 },
  { name: "safeSqrt", f: safeSqrt, exact: Math.sqrt, slope: (x: number) => 0.5 / Math.sqrt(x), high: 1e6 },
];

describe.each(functions)("$name", ({ f, exact, slope, high }) => {
  const xs = logSpaced(1e-8, high);

  test("is exact to 2e-6 of its value in float32, down to 1e-8", () => {
    expect(f(np.array(xs))).toBeAllclose(Array.from(xs, exact), { rtol: 2e-6, atol: 0 });
  });

  test("has its closed-form derivative", () => {
    expect(derivative(f, xs)).toBeAllclose(Array.from(xs, slope), { rtol: 2e-5, atol: 0 });
  });

  test("is 0 with a finite derivative at 0", () => {
    expect(f(np.array(new Float32Array(2)))).toBeAllclose([0, 0]);
    expect(read(derivative(f, new Float32Array(2))).every(Number.isFinite)).toBe(true);
  });
});

test("safeSqrt has derivative 0 at 0 and is 0 below it", () => {
  expect(derivative(safeSqrt, Float32Array.of(0, -1))).toBeAllclose([0, 0]);
  expect(safeSqrt(np.array([-1, 4]))).toBeAllclose([0, 2]);
});

test("clampThrough limits the value and passes the derivative", () => {
  const f = (x: np.Array): np.Array => clampThrough(x, 0.1, 0.9);
  const xs = Float32Array.of(-5, 0.5, 7);
  expect(f(np.array(xs))).toBeAllclose([0.1, 0.5, 0.9]);
  expect(derivative(f, xs)).toBeAllclose([1, 1, 1]);
});

/** f(√y)/√y, and its derivative (f′(√y) − f(√y)/√y)/2y. */
const ofSquare = (f: (r: number) => number, slope: (r: number) => number) => ({
  exact: (y: number) => f(Math.sqrt(y)) / Math.sqrt(y),
  slope: (y: number) => (slope(Math.sqrt(y)) - f(Math.sqrt(y)) / Math.sqrt(y)) / (2 * y),
});

describe.each([
  { name: "asinhc", f: asinhc, ...ofSquare(Math.asinh, (r) => 1 / Math.hypot(1, r)), atZero: -1 / 6 },
  { name: "sinhc", f: sinhc, ...ofSquare(Math.sinh, Math.cosh), atZero: 1 / 6 },
])("$name", ({ f, exact, slope, atZero }) => {
  const seam = Float32Array.of(0.01999, 0.02, 0.02001);
  const xs = Float32Array.of(...logSpaced(1e-5, 100), ...seam);

  test("is exact to 1e-6 of its value in float32, up to 100", () => {
    expect(f(np.array(xs))).toBeAllclose(Array.from(xs, exact), { rtol: 1e-6, atol: 0 });
    expect(f(np.array([0, 1e-8]))).toBeAllclose([1, 1], { rtol: 1e-6 });
  });

  test("has its closed-form derivative", () => {
    // In closed form it is a difference of numbers near 1 over 2y.
    expect(derivative(f, xs)).toBeAllclose(Array.from(xs, slope), { rtol: 1e-4, atol: 0 });
    expect(derivative(f, Float32Array.of(0, 1e-8))).toBeAllclose([atZero, atZero], { rtol: 1e-6 });
  });
});
