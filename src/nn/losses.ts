/**
 * @file Losses of distance regression, on distances as shares of the length n.
 */

import { numpy as np } from "@jax-js/jax";

/** `mse` is the papers' (SPEC A7); `mae` the mean absolute error. */
export type LossName = "mse" | "mae";

/** Names of the losses. */
export const LOSS_NAMES: readonly LossName[] = ["mse", "mae"];

/** The weighted mean of a pairwise error: arrays of one shape, weights that sum to 1. Consumes its arguments. */
export function distanceLoss(
  name: LossName,
  predicted: np.Array,
  truth: np.Array,
  weight: np.Array,
): np.Array {
  const error = predicted.sub(truth);
  const size = name === "mse" ? np.square(error) : np.abs(error);
  return size.mul(weight).sum();
}
