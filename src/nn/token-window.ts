/**
 * @file The first layer of a convolutional encoder, as a table over windows of letters.
 *
 * A first layer sees a handful of letters, so it takes few distinct values: pointwise linear, convolution of
 * width 3, batch normalisation and ReLU of a window depend on three letters alone (of DNA: 4 letters, no
 * letter, outside the sequence: 6³ = 216 windows), and after pooling by 2 on four (1,296). It is therefore
 * evaluated once for every window that exists, and positions look their value up. Batch statistics are sums
 * over the windows weighted by how often each occurs, so the result and its gradients are those of the plain
 * layer. For 256 sequences of 152 letters the table is 1/180 of the positions, and the layer, more than half
 * of a training step otherwise, costs a gather and its transpose, a scatter.
 */

import { nn, numpy as np } from "@jax-js/jax";
import {
  normaliser,
  relu,
  updatedStatistics,
  type BatchNormArrays,
  type ConvArrays,
  type LinearArrays,
  type Moments,
  type Pooling,
} from "./layers.ts";

/** Beyond this many windows the plain layer is cheaper. */
const MAXIMUM_WINDOWS = 2048;

/** Number of windows of `width` symbols: the letters, no letter (padding, ambiguity), outside. */
function windows(letters: number, width: number): number {
  return (letters + 2) ** width;
}

/** Whether a first layer of this width is worth a table. */
export function hasWindowTable(letters: number, kernel: number, pooling: Pooling): boolean {
  const width = pooling === "none" ? kernel : kernel + 1;
  return kernel % 2 === 1 && windows(letters, width) <= MAXIMUM_WINDOWS;
}

/** Codes of the windows of `width` symbols at `starts`: tokens [batch, length] → [batch, count] int32. */
function windowCodes(
  symbols: np.Array,
  letters: number,
  width: number,
  count: number,
  step: number,
): np.Array {
  const base = letters + 2;
  const [batch] = symbols.shape;
  // Every `step`-th window: one strided view for each offset.
  const view = (offset: number) =>
    step === 1
      ? symbols.ref.slice([], [offset, offset + count])
      : symbols.ref
          .slice([], [offset, offset + step * count])
          .reshape([batch, count, step])
          .slice([], [], 0);
  let code = view(0);
  for (let offset = 1; offset < width; offset++) code = code.mul(base).add(view(offset));
  symbols.dispose();
  return code;
}

export interface TokenLayerArrays {
  [name: string]: LinearArrays | ConvArrays | BatchNormArrays | undefined;
  /** Letter to channels, [letters, channels]. */
  letter: LinearArrays;
  conv: ConvArrays;
  norm?: BatchNormArrays;
}

export interface TokenLayerOptions {
  /** Number of letters in the alphabet. */
  letters: number;
  pooling: Pooling;
  activation: boolean;
  training: boolean;
}

/**
 * Linear (letters → channels), convolution of odd width, batch normalisation, ReLU and pooling of tokens
 * [batch, length] to [batch, channels, length or ⌊length/2⌋], through a window table.
 */
export function tokenLayer(
  { letter, conv, norm }: TokenLayerArrays,
  running: Moments | undefined,
  tokens: np.Array,
  { letters, pooling, activation, training }: TokenLayerOptions,
): { output: np.Array; statistics: Moments | undefined } {
  const [batch, length] = tokens.shape;
  const [channels, , kernel] = conv.weight.shape;
  const symbols = letters + 2;
  const half = (kernel - 1) / 2;
  // Symbol 0 lies outside and adds nothing; 1 … letters are letters; the last is a position without letter.
  const values = np.concatenate([
    np.zeros([1, channels]),
    letter.weight.add(letter.bias.ref),
    letter.bias.reshape([1, channels]),
  ]);
  const contributions = np.matmul(values.reshape([1, symbols, channels]), conv.weight.transpose([2, 1, 0]));
  const byTap = np.split(contributions, kernel, 0).map((contribution, tap) => {
    const axes = Array.from({ length: kernel }, (_, axis) => (axis === tap ? symbols : 1));
    return contribution.reshape([...axes, channels]);
  });
  let table = [...byTap, ...(conv.bias === undefined ? [] : [conv.bias])].reduce((sum, part) =>
    sum.add(part),
  );
  const size = windows(letters, kernel);
  table = table.reshape([size, channels]);

  const padded = np.pad(tokens.add(1), [
    [0, 0],
    [half, half + 1],
  ]);
  let statistics = running;
  if (norm !== undefined && running !== undefined) {
    let batchMoments: Moments;
    if (training) {
      const counts = occurrences(padded.ref, letters, kernel, length);
      const share = counts.mul(1 / (batch * length)).reshape([1, size]);
      const mean = np.matmul(share.ref, table.ref);
      const variance = np.matmul(share, np.square(table.ref.sub(mean.ref))).reshape([channels]);
      batchMoments = { mean: mean.reshape([channels]), variance };
      statistics = updatedStatistics(
        running,
        { mean: batchMoments.mean.ref, variance: batchMoments.variance.ref },
        batch * length,
      );
    } else {
      batchMoments = { mean: running.mean.ref, variance: running.variance.ref };
    }
    const { scale, shift } = normaliser(norm, batchMoments);
    table = table.mul(scale).add(shift);
  }
  if (activation) table = relu(table);

  if (pooling === "none") {
    const codes = windowCodes(padded, letters, kernel, length, 1);
    return { output: np.take(table, codes, 0).transpose([0, 2, 1]), statistics };
  }
  // A pooled position depends on one letter more: (w₀…w_k) pools the windows (w₀…) and (…w_k).
  const first = table.ref.reshape([symbols, size / symbols, 1, channels]);
  const second = table.reshape([1, size / symbols, symbols, channels]);
  const pooled = (pooling === "avg" ? first.add(second).mul(0.5) : np.maximum(first, second)).reshape([
    size * symbols,
    channels,
  ]);
  const codes = windowCodes(padded, letters, kernel + 1, Math.floor(length / 2), 2);
  return { output: np.take(pooled, codes, 0).transpose([0, 2, 1]), statistics };
}

/**
 * How often each window of `width` symbols occurs, [symbols^width] float32.
 *
 * A table of counts is a product of two indicator matrices, one for a window's first symbol and one for the
 * others, which is far smaller than one indicator for each window.
 */
function occurrences(padded: np.Array, letters: number, width: number, length: number): np.Array {
  const symbols = letters + 2;
  const [batch] = padded.shape;
  const first = nn.oneHot(padded.ref.slice([], [0, length]).reshape([batch * length]), symbols);
  if (width === 1) {
    padded.dispose();
    return first.sum(0);
  }
  const others = windowCodes(padded.slice([], [1, length + width]), letters, width - 1, length, 1);
  const size = windows(letters, width - 1);
  const counts = np.matmul(first.transpose(), nn.oneHot(others.reshape([batch * length]), size));
  return counts.reshape([symbols * size]);
}
