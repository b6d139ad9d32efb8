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

/** Σ coefficients[i]·xⁱ; borrows x. */
function polynomial(x: np.Array, coefficients: readonly number[]): np.Array {
  const [last, ...rest] = coefficients.toReversed();
  return rest.reduce(
    (sum: np.Array, coefficient) => sum.mul(x.ref).add(coefficient),
    np.fullLike(x.ref, last),
  );
}

/** Below this the closed forms of the two functions that follow lose digits, and their series lose none. */
const SERIES_LIMIT = 0.05;

/** `series` where x is small, else `closed`, which is given an x that is not; borrows x. */
function splice(x: np.Array, series: readonly number[], closed: (x: np.Array) => np.Array): np.Array {
  const small = x.ref.less(SERIES_LIMIT);
  const safe = np.where(small.ref, SERIES_LIMIT, x.ref);
  return np.where(small, polynomial(x, series), closed(safe));
}

/** asinh(√y)/√y for y ≥ 0: smooth at 0, where it is 1. */
export function asinhc(y: np.Array): np.Array {
  return withSlope(y, (y) => {
    const value = splice(y, [1, -1 / 6, 3 / 40, -15 / 336, 105 / 3456, -945 / 42240], (y) => {
      const root = np.sqrt(y.ref);
      const grown = np.sqrt(y.ref.add(1));
      return np.log1p(root.ref.add(y.div(grown.add(1)))).div(root);
    });
    const slope = splice(y, [-1 / 6, 3 / 20, -15 / 112, 105 / 864, -945 / 8448], (y) =>
      np
        .reciprocal(np.sqrt(y.ref.add(1)))
        .sub(value.ref)
        .div(y.mul(2)),
    );
    y.dispose();
    return { value, slope };
  });
}

/** sinh(√y)/√y for y ≥ 0: smooth at 0, where it is 1. */
export function sinhc(y: np.Array): np.Array {
  return withSlope(y, (y) => {
    const value = splice(y, [1, 1 / 6, 1 / 120, 1 / 5040], (y) => {
      const root = np.sqrt(y);
      const grown = np.expm1(root.ref);
      return grown.ref.add(grown.ref.div(grown.add(1))).div(root.mul(2));
    });
    const slope = splice(y, [1 / 6, 1 / 60, 1 / 1680, 1 / 90720], (y) => {
      const cosh = np.sqrt(np.square(value.ref).mul(y.ref).add(1));
      return cosh.sub(value.ref).div(y.mul(2));
    });
    y.dispose();
    return { value, slope };
  });
}
