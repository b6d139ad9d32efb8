/**
 * @file Convolution of subsequences: learned patterns matched softly, as in AsMac (Chen et al. 2021; SPEC A4).
 *
 * A kernel is a pattern of letters with learned scores. At every position of the sequence it takes the best
 * soft score of an alignment of the pattern that ends there: a dynamic programme over the pattern, for all
 * positions at once, in which a letter of the pattern is matched, left out at a learned cost, or followed by one
 * inserted letter at that cost. Maxima are soft, log(eᵃ + eᵇ). Scores are max-pooled over windows of the
 * sequence, normalised, and read out. Layers of it do not stack (NeuroSEED §2), so there is one.
 */

import { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { withSlope } from "../geometry/elementary.ts";
import { chain, learned } from "./block.ts";
import { batchNormalization, flatten, letters as oneHotLetters, rectifier } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { constant, normal } from "./parameter.ts";
import { readout, readoutSettings } from "./readout.ts";

export const csmOptions = z.strictObject({
  kernels: z.int().positive().default(48).describe("patterns"),
  width: z.int().positive().default(7).describe("letters of a pattern"),
  window: z.int().positive().default(8).describe("positions that are pooled into one"),
  ...readoutSettings,
});

interface CsmArrays {
  patterns: np.Array;
  gap: np.Array;
}

/** log(eᵃ + eᵇ), without overflow. */
function softMaximum(a: np.Array, b: np.Array): np.Array {
  const excess = withSlope(a.sub(b.ref), (d) => {
    // Numbers below 1e-38 would take the processor a hundred times as long.
    const decay = np.exp(np.maximum(np.abs(d.ref).mul(-1), -80));
    const value = np.maximum(d.ref, 0).add(np.log(decay.ref.add(1)));
    const larger = np.reciprocal(decay.add(1));
    const slope = np.where(d.greater(0), larger.ref, larger.mul(-1).add(1));
    return { value, slope };
  });
  return b.add(excess);
}

/** Scores [batch, n, kernels] one position to the right; before the sequence they are `first` [1, 1, kernels]. */
function moved(scores: np.Array, first: np.Array): np.Array {
  const [, length] = scores.shape;
  const padded = np.pad(scores.slice([], [0, length - 1]), [
    [0, 0],
    [1, 0],
    [0, 0],
  ]);
  const edge = Array.from({ length }, (_, i) => (i === 0 ? 1 : 0));
  return padded.add(first.mul(np.array(edge).reshape([1, length, 1])));
}

/** Score of a position beyond the sequence: so low that it is no maximum. */
const NOWHERE = -1e4;

/** Scores [batch, n, kernels] with `more` positions beyond the sequence. */
function extended(scores: np.Array, more: number): np.Array {
  if (more === 0) return scores;
  const [, length] = scores.shape;
  const padded = np.pad(scores, [
    [0, 0],
    [0, more],
    [0, 0],
  ]);
  const beyond = Array.from({ length: length + more }, (_, i) => (i < length ? 0 : NOWHERE));
  return padded.add(np.array(beyond).reshape([1, length + more, 1]));
}

/** A soft-matching encoder. */
export const csmEncoder: EncoderFactory<typeof csmOptions> = (options, { length, letters, dim }) => {
  const { kernels, width, window } = options;
  const windows = Math.ceil(length / window);
  const parameters = {
    patterns: normal([letters, width * kernels], 0.5),
    gap: constant([kernels], 1),
  };
  const match = learned<CsmArrays>(parameters, ({ patterns, gap }, x) => {
    const byLetter = np.split(np.matmul(x, patterns), width, 2);
    // A cost, however the parameter moves.
    const cost = np.log1p(np.exp(gap)).reshape([1, 1, kernels]);
    let scores: np.Array | undefined;
    byLetter.forEach((score, i) => {
      // Before the sequence, all letters of the pattern so far are left out.
      const leftOut = (count: number) => cost.ref.mul(-count);
      let best =
        scores === undefined
          ? softMaximum(score, leftOut(1))
          : softMaximum(moved(scores.ref, leftOut(i)).add(score), scores.sub(cost.ref));
      if (i < width - 1) {
        const inserted = moved(best.ref, leftOut(i + 1)).sub(cost.ref);
        best = softMaximum(best, inserted);
      }
      scores = best;
    });
    cost.dispose();
    const padded = extended(scores!, windows * window - length);
    return padded.reshape([-1, windows, window, kernels]).max(2).transpose([0, 2, 1]);
  });
  return chain({
    letters: oneHotLetters(letters),
    match,
    norm: batchNormalization(kernels),
    relu: rectifier(),
    flatten: flatten(kernels * windows),
    readout: readout(kernels * windows, dim, {
      layers: options.readout,
      weights: options.weights,
      dropout: options.dropout,
    }),
  });
};
