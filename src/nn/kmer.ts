/**
 * @file An encoder of k-mer counts: how often each word of k letters occurs, then dense layers.
 *
 * The counts of NeuroSEED's strongest data-independent baseline (SPEC A9) with a learned readout. A table of
 * counts is a product of two indicator matrices, of a word's first letters and of its last, so no indicator
 * of all aᵏ words is ever made. Words with an ambiguous letter or beyond the end do not count.
 */

import { nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { chain, fixed } from "./block.ts";
import { batchNormalization } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { readout, readoutSettings } from "./readout.ts";

export const kmerOptions = z.strictObject({
  k: z.int().min(2).max(8).default(4).describe("letters of a word"),
  hidden: z.int().positive().default(256).describe("width of the hidden layers"),
  ...readoutSettings,
  readout: z.int().positive().default(2).describe("dense layers that end the network"),
});

/**
 * Added to the variance of a word's count: that of a word in one sequence of a hundred. A word that training hardly
 * met would otherwise move points hundreds of times as far as others, once it turns up.
 */
const FLOOR = 0.01;

/** Beyond this many words the counts are too many to learn from. */
const MAXIMUM_WORDS = 65_536;

/** Tokens [batch, n] to counts of the letters^k words, [batch, letters^k]. */
export function kmerCounts(tokens: np.Array, size: number, k: number): np.Array {
  const [batch, length] = tokens.shape;
  const count = length - k + 1;
  const indicators = (from: number, width: number) => {
    // The token `size` is no letter: a word with one gets a code that one-hot encodes as nothing.
    const words = size ** width;
    let code: np.Array | undefined;
    let valid: np.Array | undefined;
    for (let i = from; i < from + width; i++) {
      const letter = tokens.ref.slice([], [i, i + count]);
      const isLetter = letter.ref.less(size);
      code = code === undefined ? letter : code.mul(size).add(letter);
      valid = valid === undefined ? isLetter : valid.mul(isLetter);
    }
    return nn.oneHot(np.where(valid!, code!, words), words + 1).slice([], [], [0, words]);
  };
  const head = Math.floor(k / 2);
  const first = indicators(0, head).transpose([0, 2, 1]);
  const counts = np.matmul(first, indicators(head, k - head));
  tokens.dispose();
  return counts.reshape([batch, size ** k]);
}

/** A k-mer encoder. */
export const kmerEncoder: EncoderFactory<typeof kmerOptions> = (options, { length, letters, dim }) => {
  const { k, hidden } = options;
  const words = letters ** k;
  if (k > length) throw new UsageError(`k: must be at most ${length}, the length, got ${k}`);
  if (words > MAXIMUM_WORDS) {
    throw new UsageError(`k: must leave at most ${MAXIMUM_WORDS} words, got ${letters}^${k}`);
  }
  return chain({
    counts: fixed((tokens) => kmerCounts(tokens, letters, k)),
    norm: batchNormalization(words, { epsilon: FLOOR }),
    readout: readout(words, dim, {
      layers: options.readout,
      weights: options.weights,
      hidden,
      batchNorm: true,
      dropout: options.dropout,
    }),
  });
};
