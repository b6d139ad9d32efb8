/**
 * @file The transformer encoders of NeuroSEED, global and local (SPEC A4), and of NWA (SPEC B3).
 *
 * A segment of letters is a token; positions are added (sinusoids, or learned); then post-norm layers
 * x ← LN(x + attention(x)), x ← LN(x + W₂·ReLU(W₁·x)), a dense layer (NeuroSEED alone), and the readout over all
 * tokens. `local<K>` lets a token see those at most K away, `causal` itself and those before it; NeuroSEED's
 * `no_prev`, which sees those after, is its mirror image.
 */

import { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { chain, fixed, learned, residual, type Block } from "./block.ts";
import {
  dense,
  dropout,
  flatten,
  layerNormalization,
  letters as oneHotLetters,
  rectifier,
  softmax,
} from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import type { LinearArrays } from "./layers.ts";
import { constant, fanIn, normal, uniform, xavier, type ParameterTree } from "./parameter.ts";
import { readout, readoutSettings } from "./readout.ts";

export const transformerOptions = z.strictObject({
  segment: z.int().positive().default(4).describe("letters that make one token"),
  heads: z.int().positive().default(2).describe("attention heads"),
  layers: z.int().positive().default(2).describe("layers"),
  hidden: z.int().positive().default(16).describe("width of a token, even"),
  attention: z
    .string()
    .regex(/^(global|causal|local[1-9]\d*)$/, "must be global, causal or local<K>")
    .default("global")
    .describe("what a token sees: all, itself and those before it, or those at most K away"),
  positions: z.enum(["sinusoidal", "learned"]).default("sinusoidal").describe("how positions are told apart"),
  layerNorm: z.boolean().default(true).describe("normalise after the last layer"),
  mix: z.boolean().default(true).describe("a dense layer, token by token, before the readout"),
  ...readoutSettings,
  output: z.enum(["linear", "reference"]).default("linear").describe("how the readout ends (SPEC B3)"),
});

/** Added to a score that must not count. */
const FORBIDDEN = -1e9;

/** Scores to add, [tokens, tokens], or nothing where every token sees all. */
function attentionMask(kind: string, tokens: number): number[] | undefined {
  if (kind === "global") return undefined;
  const reach = Number(kind.slice("local".length));
  const sees = (i: number, j: number) => (kind === "causal" ? j <= i : Math.abs(i - j) <= reach);
  return Array.from({ length: tokens * tokens }, (_, at) =>
    sees(Math.floor(at / tokens), at % tokens) ? 0 : FORBIDDEN,
  );
}

/** Sinusoids of Vaswani et al. 2017, [tokens, width]: sines on even, cosines on odd coordinates. */
function sinusoids(tokens: number, width: number): number[] {
  return Array.from({ length: tokens * width }, (_, at) => {
    const [position, i] = [Math.floor(at / width), at % width];
    const angle = position / 10000 ** ((i - (i % 2)) / width);
    return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
}

interface AttentionArrays {
  query: LinearArrays;
  key: LinearArrays;
  value: LinearArrays;
  output: LinearArrays;
}

/** Multi-head self-attention of [batch, tokens, width]. Throws a `UsageError` unless heads divide the width. */
export function selfAttention(
  tokens: number,
  width: number,
  heads: number,
  { mask, output: given }: { mask?: number[]; output?: ParameterTree } = {},
): Block {
  if (width % heads !== 0) throw new UsageError(`heads: must divide ${width}, the width, got ${heads}`);
  const size = width / heads;
  // As PyTorch draws its packed matrix: Xavier of [width, 3·width].
  const packed = () => ({ weight: xavier([width, width], width, 3 * width, 1), bias: constant([width], 0) });
  const out = given ?? { weight: fanIn([width, width], width), bias: constant([width], 0) };
  const parameters = { query: packed(), key: packed(), value: packed(), output: out };
  return learned<AttentionArrays>(parameters, ({ query, key, value, output }, x) => {
    const batch = x.shape[0];
    const project = ({ weight, bias }: LinearArrays, order: number[]) =>
      np.matmul(x.ref, weight).add(bias).reshape([batch, tokens, heads, size]).transpose(order);
    const q = project(query, [0, 2, 1, 3]).mul(1 / Math.sqrt(size));
    const k = project(key, [0, 2, 3, 1]);
    const v = project(value, [0, 2, 1, 3]);
    x.dispose();
    let scores = np.matmul(q, k);
    if (mask !== undefined) scores = scores.add(np.array(mask).reshape([1, 1, tokens, tokens]));
    const mixed = np.matmul(softmax(scores), v).transpose([0, 2, 1, 3]).reshape([batch, tokens, width]);
    return np.matmul(mixed, output.weight).add(output.bias);
  });
}

/** A dense layer's parameters by Xavier's rule, with PyTorch's bias. */
function xavierDense(inputs: number, outputs: number): ParameterTree {
  return {
    weight: xavier([inputs, outputs], inputs, outputs, 1),
    bias: fanIn([outputs], inputs, { decay: false }),
  };
}

export interface TransformerLayerOptions {
  tokens: number;
  width: number;
  heads: number;
  /** Width inside the feed-forward part (default: `width`). */
  inner?: number;
  dropout?: number;
  mask?: number[];
  /** Every matrix drawn by Xavier's rule, as NWA draws those of its decoder (default: PyTorch's rules). */
  uniform?: boolean;
}

/** A post-norm transformer layer. */
export function transformerLayer(options: TransformerLayerOptions): Block {
  const { tokens, width, heads, inner = width, dropout: rate = 0, mask, uniform: xavierUniform } = options;
  const drawn = (inputs: number, outputs: number) =>
    xavierUniform ? xavierDense(inputs, outputs) : undefined;
  return chain({
    attended: residual(
      chain({
        attention: selfAttention(tokens, width, heads, { mask, output: drawn(width, width) }),
        dropout: dropout(rate, [tokens, width]),
      }),
    ),
    norm1: layerNormalization(width),
    fed: residual(
      chain({
        in: dense(width, inner, drawn(width, inner)),
        relu: rectifier(),
        dropout1: dropout(rate, [tokens, inner]),
        out: dense(inner, width, drawn(inner, width)),
        dropout2: dropout(rate, [tokens, width]),
      }),
    ),
    norm2: layerNormalization(width),
  });
}

/** A transformer encoder. */
export const transformerEncoder: EncoderFactory<typeof transformerOptions> = (
  options,
  { length, letters, dim },
) => {
  const { segment, heads, layers, hidden, dropout: rate, weights } = options;
  if (hidden % 2 !== 0) throw new UsageError(`hidden: must be even for positions, got ${hidden}`);
  const tokens = Math.ceil(length / segment);
  const mask = attentionMask(options.attention, tokens);
  const inputs = segment * letters;
  // NWA draws every matrix by Xavier's rule, the table of positions too (SPEC B3).
  const isXavier = weights === "xavier";
  const narrow = (rows: number, bias: ReturnType<typeof constant>) =>
    isXavier ? xavierDense(rows, hidden) : { weight: uniform([rows, hidden], 0.1), bias };
  const table = isXavier
    ? xavier([tokens, hidden], tokens, hidden, 1, { decay: false })
    : normal([tokens, hidden], 1, { decay: false });
  const positions =
    options.positions === "learned"
      ? learned<{ table: np.Array }>({ table }, (p, x) => x.add(p.table))
      : fixed((x) => x.add(np.array(sinusoids(tokens, hidden)).reshape([tokens, hidden])));
  const stack = Array.from({ length: layers }, () =>
    transformerLayer({ tokens, width: hidden, heads, dropout: rate, mask, uniform: isXavier }),
  );
  return chain({
    letters: oneHotLetters(letters),
    segments: fixed((x) =>
      (tokens * segment === length
        ? x
        : np.pad(x, [
            [0, 0],
            [0, tokens * segment - length],
            [0, 0],
          ])
      ).reshape([-1, tokens, inputs]),
    ),
    embed: dense(inputs, hidden, narrow(inputs, fanIn([hidden], inputs, { decay: false }))),
    widen: fixed((x) => x.mul(Math.sqrt(hidden))),
    positions,
    dropout: dropout(rate, [tokens, hidden]),
    ...Object.fromEntries(stack.map((layer, i) => [`layer${i + 1}`, layer])),
    norm: options.layerNorm ? layerNormalization(hidden, 1e-6) : undefined,
    mix: options.mix ? dense(hidden, hidden, narrow(hidden, constant([hidden], 0))) : undefined,
    flatten: flatten(tokens * hidden),
    readout: readout(tokens * hidden, dim, {
      layers: options.readout,
      weights,
      dropout: rate,
      output: options.output,
    }),
  });
};
