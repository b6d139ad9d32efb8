/**
 * @file The parts that networks share, as loops over plain numbers (SPEC 0.2, A4.0, B3).
 *
 * A sequence of vectors is an array of rows; matrices are row-major, [inputs, outputs].
 */

import { within, type Read } from "./drawn.ts";

type Vector = readonly number[];
type Rows = readonly Vector[];

/** `count` numbers, one for each index. */
export function vector(count: number, value: (i: number) => number): number[] {
  return Array.from({ length: count }, (_, i) => value(i));
}

/** Σ of `value(i)` for i < count. */
export function total(count: number, value: (i: number) => number): number {
  let sum = 0;
  for (let i = 0; i < count; i++) sum += value(i);
  return sum;
}

export const relu = (x: Vector): number[] => x.map((value) => (value > 0 ? value : 0));

/** Tokens to indicator vectors of their letters; a token that is no letter has none. */
export function indicators(tokens: Vector, letters: number): number[][] {
  return tokens.map((token) => vector(letters, (letter) => (token === letter ? 1 : 0)));
}

/** x·W + b. */
export function dense(x: Vector, read: Read): number[] {
  const [weight, bias] = [read("weight"), read("bias")];
  if (weight.length !== x.length * bias.length) {
    throw new Error(`dense: ${weight.length} weights for ${x.length} inputs and ${bias.length} outputs`);
  }
  return vector(bias.length, (j) => bias[j] + total(x.length, (i) => x[i] * weight[i * bias.length + j]));
}

export function softmax(scores: Vector): number[] {
  const highest = Math.max(...scores);
  const powers = scores.map((score) => Math.exp(score - highest));
  const sum = powers.reduce((a, b) => a + b, 0);
  return powers.map((power) => power / sum);
}

/** A vector less its mean, over its deviation, times the gain, plus the bias. */
export function layerNorm(x: Vector, read: Read, epsilon = 1e-5): number[] {
  const [gain, bias] = [read("gain"), read("bias")];
  const mean = total(x.length, (i) => x[i]) / x.length;
  const variance = total(x.length, (i) => (x[i] - mean) ** 2) / x.length;
  return x.map((value, i) => ((value - mean) / Math.sqrt(variance + epsilon)) * gain[i] + bias[i]);
}

/** One number of a channel, by its running statistics. */
export function batchNorm(value: number, channel: number, read: Read, epsilon = 1e-5): number {
  const [mean, variance] = [read("mean")[channel], read("variance")[channel]];
  return ((value - mean) / Math.sqrt(variance + epsilon)) * read("gain")[channel] + read("bias")[channel];
}

export interface ReadoutOptions {
  layers?: number;
  /** Batch normalisation after hidden layers. */
  batchNorm?: boolean;
  /** ReLU and batch normalisation after every layer, the last one too. */
  reference?: boolean;
}

/** Dense layers; after each but the last ReLU, then batch normalisation where there is one. */
export function readout(x: Vector, read: Read, options: ReadoutOptions = {}): number[] {
  const { layers = 1, batchNorm: normalised = false, reference = false } = options;
  let y = [...x];
  for (let layer = 1; layer <= layers; layer++) {
    const part = within(read, `layer${layer}`);
    const last = layer === layers;
    y = dense(y, within(part, "dense"));
    if (!last || reference) y = relu(y);
    if (reference || (!last && normalised))
      y = y.map((value, i) => batchNorm(value, i, within(part, "norm")));
  }
  return y;
}

/** Whether one position sees another. */
export type Sees = (from: number, to: number) => boolean;

/** Attention of each row to the rows that it sees: scores q·k/√size a head, their softmax, the mean of v so weighted. */
export function attention(x: Rows, heads: number, sees: Sees, read: Read): number[][] {
  const [q, k, v] = ["query", "key", "value"].map((name) => x.map((row) => dense(row, within(read, name))));
  const size = x[0].length / heads;
  return x.map((_, from) => {
    const mixed: number[] = [];
    const seen = [...x.keys()].filter((to) => sees(from, to));
    for (let head = 0; head < heads; head++) {
      const at = (i: number) => head * size + i;
      const scores = seen.map((to) => total(size, (i) => q[from][at(i)] * k[to][at(i)]) / Math.sqrt(size));
      const weights = softmax(scores);
      for (let i = 0; i < size; i++) mixed.push(total(seen.length, (s) => weights[s] * v[seen[s]][at(i)]));
    }
    return dense(mixed, within(read, "output"));
  });
}

/** x ← LN(x + attention(x)), then x ← LN(x + W₂·ReLU(W₁·x)). */
export function transformerLayer(x: Rows, heads: number, sees: Sees, read: Read): number[][] {
  const attended = attention(x, heads, sees, within(read, "attended.attention"));
  return x.map((row, at) => {
    const first = layerNorm(
      row.map((value, i) => value + attended[at][i]),
      within(read, "norm1"),
    );
    const fed = dense(relu(dense(first, within(read, "fed.in"))), within(read, "fed.out"));
    return layerNorm(
      first.map((value, i) => value + fed[i]),
      within(read, "norm2"),
    );
  });
}
