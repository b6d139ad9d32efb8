/**
 * @file The matcher `toBeAllclose`: numbers, or sequences of numbers, that agree within a tolerance.
 *
 * Importing this file installs it. As in NumPy, |actual − expected| ≤ atol + rtol·|expected|; NaN agrees with
 * NaN. An array of jax-js is read, which consumes it.
 */

import { numpy as np } from "@jax-js/jax";
import { expect } from "vitest";

/** Numbers to compare. */
export type Numbers = number | ArrayLike<number> | np.Array;

/** How far apart two numbers may be. */
export interface Tolerance {
  /** Relative to the expected number; default 1e-5. */
  rtol?: number;
  /** Absolute; default 1e-8. */
  atol?: number;
}

interface AllcloseMatchers<R> {
  /** Every number is within `atol + rtol·|expected|` of the expected one, and there are as many. */
  toBeAllclose(expected: Numbers, tolerance?: Tolerance): R;
}

declare module "vitest" {
  // eslint-disable-next-line @typescript-eslint/no-empty-object-type, @typescript-eslint/no-explicit-any
  interface Matchers<T = any> extends AllcloseMatchers<T> {}
}

function flatten(numbers: Numbers): number[] {
  if (typeof numbers === "number") return [numbers];
  if (numbers instanceof np.Array) return Array.from(numbers.dataSync() as Float32Array);
  return Array.from(numbers);
}

expect.extend({
  toBeAllclose(received: Numbers, expected: Numbers, { rtol = 1e-5, atol = 1e-8 }: Tolerance = {}) {
    const actual = flatten(received);
    const wanted = flatten(expected);
    if (actual.length !== wanted.length) {
      return { pass: false, message: () => `expected ${wanted.length} numbers, got ${actual.length}` };
    }
    const apart = actual.findIndex((value, i) => {
      const same = Object.is(value, wanted[i]) || value === wanted[i];
      return !same && !(Math.abs(value - wanted[i]) <= atol + rtol * Math.abs(wanted[i]));
    });
    return {
      pass: apart < 0,
      message: () =>
        apart < 0
          ? "expected some number to be apart, all were close"
          : `number ${apart}: expected ${wanted[apart]} within ${rtol} relative + ${atol}, got ${actual[apart]}`,
    };
  },
});
