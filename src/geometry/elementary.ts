/**
 * @file Elementary functions that hold their relative accuracy in float32, and have finite gradients.
 *
 * Hyperbolic distances are inverse hyperbolic functions of small differences. The textbook forms
 * (log(x + √(x² + 1)), (eˣ − e⁻ˣ)/2, …) lose every digit near zero, and the derivative of √ is infinite at
 * zero, which turns a pair of equal points into NaN. Here everything goes through `log1p` and `expm1`, and
 * √ has derivative 0 at 0.
 *
 * Where the value needs a long series but the derivative is a short closed form, the derivative is supplied
 * (`withSlope`): the backward pass is then one multiplication instead of some forty operations. Such a
 * function can be differentiated once, not twice.
 *
 * Arrays given as points are consumed, as jax-js does; parameters typed `Scalar` are borrowed: a function
 * takes its own references to them.
 */

import { lax, numpy as np } from "@jax-js/jax";

/** A number, or a borrowed array of shape [] (or one that broadcasts) that takes part in differentiation. */
export type Scalar = number | np.Array;

/** A reference to `scalar` that may be consumed. */
export function borrow(scalar: Scalar): Scalar {
  return typeof scalar === "number" ? scalar : scalar.ref;
}

/** `value(x)` with the derivative `slope`, both computed from a constant copy of `x`. */
export function withSlope(
  x: np.Array,
  valueAndSlope: (x: np.Array) => { value: np.Array; slope: np.Array },
): np.Array {
  const constant = lax.stopGradient(x.ref);
  const { value, slope } = valueAndSlope(constant.ref);
  return value.add(x.sub(constant).mul(slope));
}

/** `x` limited to [low, high] in value, with the derivative of `x` itself, so that it can come back. */
export function clampThrough(x: np.Array, low: number, high: number): np.Array {
  const constant = lax.stopGradient(x.ref);
  return np.clip(constant.ref, low, high).add(x.sub(constant));
}

/** √x for x ≥ 0, with derivative 0 at 0; 0 for x < 0. */
export function safeSqrt(x: np.Array): np.Array {
  const positive = x.ref.greater(0);
  return np.where(positive.ref, np.sqrt(np.where(positive, x, 1)), 0);
}

/** asinh x for x ≥ 0. */
export function asinh(x: np.Array): np.Array {
  return withSlope(x, (x) => {
    const square = np.square(x.ref);
    const root = np.sqrt(square.ref.add(1));
    const value = np.log1p(x.add(square.div(root.ref.add(1))));
    return { value, slope: np.reciprocal(root) };
  });
}

/** sinh x for x ≥ 0. */
export function sinh(x: np.Array): np.Array {
  return withSlope(x, (x) => {
    const grown = np.expm1(x);
    const value = grown.ref.add(grown.ref.div(grown.add(1))).mul(0.5);
    return { value: value.ref, slope: np.sqrt(np.square(value).add(1)) };
  });
}

/** tanh x for x ≥ 0. */
export function tanh(x: np.Array): np.Array {
  return withSlope(x, (x) => {
    const shrunk = np.expm1(x.ref.mul(-2));
    const decay = np.exp(x.mul(-2));
    const value = shrunk.ref.neg().div(shrunk.add(2));
    return { value, slope: decay.ref.mul(4).div(np.square(decay.add(1))) };
  });
}

/** artanh x for 0 ≤ x < 1. */
export function artanh(x: np.Array): np.Array {
  return withSlope(x, (x) => {
    const value = np.log1p(x.ref.mul(2).div(x.ref.neg().add(1))).mul(0.5);
    return { value, slope: np.reciprocal(np.square(x).neg().add(1)) };
  });
}

/** Σ coefficients[i]·yⁱ; borrows y. */
function polynomial(y: np.Array, coefficients: readonly number[]): np.Array {
  const [highest, next, ...others] = coefficients.toReversed();
  return others.reduce(
    (sum: np.Array, coefficient) => sum.mul(y.ref).add(coefficient),
    y.ref.mul(highest).add(next),
  );
}

/** Below this closed forms lose digits, and these series none. */
const SERIES_LIMIT = 0.05;

/** The series where y is small, else the closed form, which is given a y that is not. Borrows y. */
function splice(y: np.Array, series: readonly number[], closed: (y: np.Array) => np.Array): np.Array {
  return np.where(y.ref.less(SERIES_LIMIT), polynomial(y, series), closed(np.maximum(y.ref, SERIES_LIMIT)));
}

const ASINHC = [1, -1 / 6, 3 / 40, -5 / 112, 35 / 1152];
const SINHC = [1, 1 / 6, 1 / 120, 1 / 5040];

/** The series of a derivative. */
function derivative([, ...coefficients]: readonly number[]): number[] {
  return coefficients.map((coefficient, i) => (i + 1) * coefficient);
}

/** asinh(√y)/√y for y ≥ 0, without a gradient; borrows y. */
export function asinhcValue(y: np.Array): np.Array {
  return splice(y, ASINHC, (y) => {
    const root = np.sqrt(y.ref);
    return np.log(np.sqrt(y.add(1)).add(root.ref)).div(root);
  });
}

/** asinh(√y)/√y for y ≥ 0: smooth at 0, where it is 1. */
export function asinhc(y: np.Array): np.Array {
  return withSlope(y, (y) => {
    const value = asinhcValue(y);
    const slope = splice(y, derivative(ASINHC), (y) =>
      np
        .reciprocal(np.sqrt(y.ref.add(1)))
        .sub(value.ref)
        .div(y.mul(2)),
    );
    y.dispose();
    return { value, slope };
  });
}

/** sinh(√y)/√y for y ≥ 0, without a gradient; borrows y. */
export function sinhcValue(y: np.Array): np.Array {
  return splice(y, SINHC, (y) => {
    const root = np.sqrt(y);
    const grown = np.exp(root.ref);
    return grown.ref.sub(np.reciprocal(grown)).div(root.mul(2));
  });
}

/** sinh(√y)/√y for y ≥ 0: smooth at 0, where it is 1. */
export function sinhc(y: np.Array): np.Array {
  return withSlope(y, (y) => {
    const value = sinhcValue(y);
    const slope = splice(y, derivative(SINHC), (y) => {
      const cosh = np.sqrt(np.square(value.ref).mul(y.ref).add(1));
      return cosh.sub(value.ref).div(y.mul(2));
    });
    y.dispose();
    return { value, slope };
  });
}
