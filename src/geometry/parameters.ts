/**
 * @file The learned numbers of a space: from what the optimiser holds to what the formulas use.
 *
 * The optimiser holds unconstrained ("raw") values. A radius or a scale is its own raw value, limited to its
 * range when it is used, with the gradient passed through the limit, so that a value which overshoots comes
 * back (with a plain clamp it would stay there for ever). The radius² parameter k of the hyperboloid ranges
 * over orders of magnitude and is held as its logarithm.
 */

import { nn } from "@jax-js/jax";
import type { numpy as np } from "@jax-js/jax";
import { clampThrough } from "./elementary.ts";

/** Learned scalars as arrays of shape [], raw values; functions that take them borrow them. */
export type Parameters = Record<string, np.Array>;

/** Learned scalars as numbers, raw values. */
export type ParameterValues = Record<string, number>;

/** A learned number within bounds. */
export interface Bounds {
  low: number;
  high: number;
}

/** Range of a learned scale, and of the radius of a sphere in a flat space. */
export const POSITIVE: Bounds = { low: 1e-7, high: 1e10 };

/** Range of a learned exponent. */
export const EXPONENT: Bounds = { low: 0.25, high: 4 };

/** The value of a parameter limited to `bounds`, with the gradient passed through; `raw` is borrowed. */
export function bounded(raw: np.Array, { low, high }: Bounds): np.Array {
  return clampThrough(raw.ref, low, high);
}

/** The value of a parameter limited to `bounds`. */
export function boundedValue(raw: number, { low, high }: Bounds): number {
  return Math.min(Math.max(raw, low), high);
}

/** `limit`·σ(raw + shift): a number between 0 and `limit`; `raw` is borrowed, `shift` consumed. */
export function squashed(raw: np.Array, shift: np.Array, limit: number): np.Array {
  return nn.sigmoid(shift.add(raw.ref)).mul(limit);
}

/** `limit`·σ(raw). */
export function squashedValue(raw: number, limit: number): number {
  return limit / (1 + Math.exp(-raw));
}

/** The raw value whose `squashedValue` is `value`. */
export function unsquash(value: number, limit: number): number {
  return Math.log(value / (limit - value));
}
