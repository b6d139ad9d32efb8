/**
 * @file Decoders: vectors in, sequences out, all positions at once (SPEC A14).
 *
 * Beside an encoder whose distances are edit distances, a decoder makes an autoencoder whose points can be moved about
 * before they are read as sequences again: the point in the middle of many becomes the string in their middle. For
 * each position it gives a score for each letter, and one for there being none (padding, or an ambiguous letter).
 *
 * The first layer normalises what it is given, coordinate by coordinate, so that decoders need not know how large
 * points are in a space that learns its own scale. The papers' CNN ends in transposed convolutions of stride 1, which
 * are convolutions with their kernels reversed: here they are convolutions.
 */

import { nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { safeSqrt } from "../geometry/elementary.ts";
import { explainIssue } from "../schema-issue.ts";
import { chain, fixed, type Block } from "./block.ts";
import { batchNormalization, convolution, dense, rectifier, swapped } from "./blocks.ts";
import { oddKernel } from "./cnn.ts";
import { readout } from "./readout.ts";

/** What a decoder is built for. */
export interface DecoderShape {
  /** Numbers that a point comes as. */
  coordinates: number;
  /** Positions n. */
  length: number;
  /** Letters in the alphabet; one class more stands for padding and ambiguity. */
  letters: number;
}

const batchNorm = z.boolean().default(true).describe("batch normalisation of hidden layers");

export const linearDecoderOptions = z.strictObject({});

export const mlpDecoderOptions = z.strictObject({
  layers: z.int().min(2).default(3).describe("dense layers, the last included"),
  hidden: z.int().positive().default(256).describe("width of the hidden layers"),
  batchNorm,
});

export const cnnDecoderOptions = z.strictObject({
  layers: z.int().positive().default(3).describe("convolutions"),
  channels: z.int().positive().default(32).describe("channels"),
  kernel: oddKernel,
  hidden: z
    .int()
    .positive()
    .optional()
    .describe("width of the dense layer before them (default: that of points)"),
  batchNorm,
  activation: z.boolean().default(true).describe("ReLU after each convolution"),
});

/** A decoder's options and how it is made: points [batch, coordinates] to scores [batch, n, letters + 1]. */
interface DecoderKind<Options extends z.ZodObject> {
  summary: string;
  options: Options;
  create: (options: z.output<Options>, shape: DecoderShape) => Block;
}

/** Ties a maker's type to that of its options. */
function kind<Options extends z.ZodObject>(
  summary: string,
  options: Options,
  create: DecoderKind<Options>["create"],
): DecoderKind<Options> {
  return { summary, options, create };
}

/** [batch, size] → [batch, positions, classes]. */
const positions = (count: number): Block => fixed((x) => x.reshape([-1, count, x.shape[1] / count]));

/** The decoders there are. */
export const DECODERS = {
  linear: kind("one dense layer", linearDecoderOptions, (_, { coordinates, length, letters }) =>
    chain({ dense: readout(coordinates, length * (letters + 1)), positions: positions(length) }),
  ),
  mlp: kind("dense layers", mlpDecoderOptions, (options, { coordinates, length, letters }) =>
    chain({ dense: readout(coordinates, length * (letters + 1), options), positions: positions(length) }),
  ),
  cnn: kind("two dense layers, then convolutions", cnnDecoderOptions, (options, shape) => {
    const { layers, channels, kernel, batchNorm, activation } = options;
    const { coordinates, length, letters } = shape;
    const { hidden = coordinates } = options;
    const layer = () =>
      chain({
        conv: convolution(channels, channels, kernel, { bias: !batchNorm }),
        norm: batchNorm ? batchNormalization(channels) : undefined,
        relu: activation ? rectifier() : undefined,
      });
    return chain({
      dense: readout(coordinates, channels * length, { layers: 2, hidden, batchNorm }),
      channels: positions(channels),
      ...Object.fromEntries(Array.from({ length: layers }, (_, i) => [`layer${i + 1}`, layer()])),
      swap: swapped(),
      letters: dense(channels, letters + 1),
    });
  }),
};

export type DecoderName = keyof typeof DECODERS;

/** Names of the decoders. */
export const DECODER_NAMES = Object.keys(DECODERS) as DecoderName[];

/** A decoder by name, with options that differ from the defaults. */
export type DecoderOptions =
  | { name: "linear" }
  | ({ name: "mlp" } & z.input<typeof mlpDecoderOptions>)
  | ({ name: "cnn" } & z.input<typeof cnnDecoderOptions>);

/** A decoder's options with the defaults of those that are not given. Throws a `UsageError` on wrong ones. */
export function completeDecoder({ name, ...options }: DecoderOptions): DecoderOptions {
  if (!(name in DECODERS)) {
    throw new UsageError(`decoder: must be one of ${DECODER_NAMES.join(", ")}, got ${name as string}`);
  }
  const parsed = DECODERS[name].options.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [key] = issue.path;
    const value = (options as Record<PropertyKey, unknown>)[key];
    throw new UsageError(
      `decoder ${name}: ${key === undefined ? issue.message : `${String(key)}: ${explainIssue(issue, value)}`}`,
    );
  }
  return { name, ...parsed.data };
}

/** A decoder by name. Throws a `UsageError` on options that make no network. */
export function createDecoder(options: DecoderOptions, shape: DecoderShape): Block {
  const { name, ...complete } = completeDecoder(options);
  const create = DECODERS[name].create as unknown as DecoderKind<z.ZodObject>["create"];
  return chain({ norm: batchNormalization(shape.coordinates), network: create(complete, shape) });
}

/** How far coordinates [batch, m] spread: the root of their mean variance, []. Consumes them. */
export function spread(coordinates: np.Array): np.Array {
  const centred = coordinates.ref.sub(coordinates.mean(0, { keepdims: true }));
  return safeSqrt(np.square(centred).mean());
}

/** Mean cross-entropy, in nats, of tokens [batch, n] under scores [batch, n, classes]. Consumes both. */
export function crossEntropy(scores: np.Array, tokens: np.Array): np.Array {
  const [batch, length, classes] = scores.shape;
  const targets = nn.oneHot(tokens, classes);
  return nn
    .logSoftmax(scores, -1)
    .mul(targets)
    .sum()
    .mul(-1 / (batch * length));
}
