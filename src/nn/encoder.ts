/**
 * @file Encoders: sequences of tokens in, vectors out, by name and options.
 *
 * Nothing in an encoder mixes sequences except batch normalisation while training, so that one trace serves
 * every batch size. Options are described once, by their schema: it gives defaults, checks and help.
 */

import type { z } from "zod";
import { UsageError } from "../error.ts";
import { explainIssue } from "../schema-issue.ts";
import type { Block } from "./block.ts";
import { cnnEdEncoder, cnnEdOptions } from "./cnn-ed.ts";
import { cnnEncoder, cnnOptions } from "./cnn.ts";
import { csmEncoder, csmOptions } from "./csm.ts";
import { gruEncoder, gruOptions } from "./gru.ts";
import { kmerEncoder, kmerOptions } from "./kmer.ts";
import { linearEncoder, linearOptions, mlpEncoder, mlpOptions } from "./mlp.ts";
import { residualEncoder, residualOptions } from "./residual.ts";
import { transformerEncoder, transformerOptions } from "./transformer.ts";

/** What every encoder is built for. */
export interface EncoderShape {
  /** Length n that sequences are padded to. */
  length: number;
  /** Letters in the alphabet; the token `letters` stands for padding and ambiguity. */
  letters: number;
  /** Dimension m of the embedding. */
  dim: number;
}

/** Makes a block from tokens [batch, n] int32 to [batch, m]. Throws a `UsageError` on options that make none. */
export type EncoderFactory<Options extends z.ZodObject> = (
  options: z.output<Options>,
  shape: EncoderShape,
) => Block;

/** An encoder's options and how it is made. */
interface EncoderKind<Options extends z.ZodObject> {
  summary: string;
  options: Options;
  create: EncoderFactory<Options>;
}

/** Ties a factory's type to that of its options. */
function kind<Options extends z.ZodObject>(
  summary: string,
  options: Options,
  create: EncoderFactory<Options>,
): EncoderKind<Options> {
  return { summary, options, create };
}

/** The encoders there are. */
export const ENCODERS = {
  linear: kind("one dense layer", linearOptions, linearEncoder),
  mlp: kind("dense layers", mlpOptions, mlpEncoder),
  cnn: kind("the papers' convolutions", cnnOptions, cnnEncoder),
  residual: kind("our convolutions", residualOptions, residualEncoder),
  gru: kind("recurrent network", gruOptions, gruEncoder),
  transformer: kind("attention, global, local or causal", transformerOptions, transformerEncoder),
  "cnn-ed": kind("CNN-ED's convolutions, letter by letter", cnnEdOptions, cnnEdEncoder),
  csm: kind("soft matching of learned patterns (AsMac)", csmOptions, csmEncoder),
  kmer: kind("counts of words, then dense layers", kmerOptions, kmerEncoder),
};

export type EncoderName = keyof typeof ENCODERS;

/** Names of the encoders. */
export const ENCODER_NAMES = Object.keys(ENCODERS) as EncoderName[];

/** An encoder by name, with options that differ from the defaults. */
export type EncoderOptions = {
  [Name in EncoderName]: { name: Name } & z.input<(typeof ENCODERS)[Name]["options"]>;
}[EncoderName];

/** An encoder's options with the defaults of those that are not given. Throws a `UsageError` on wrong ones. */
export function completeOptions({ name, ...options }: EncoderOptions): EncoderOptions {
  if (!(name in ENCODERS)) {
    throw new UsageError(`encoder: must be one of ${ENCODER_NAMES.join(", ")}, got ${name as string}`);
  }
  const parsed = ENCODERS[name].options.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [key] = issue.path;
    const value = (options as Record<PropertyKey, unknown>)[key];
    throw new UsageError(
      `encoder ${name}: ${key === undefined ? issue.message : `${String(key)}: ${explainIssue(issue, value)}`}`,
    );
  }
  return { name, ...parsed.data };
}

/** An encoder by name. Throws a `UsageError` on options that make no network. */
export function createEncoder(options: EncoderOptions, shape: EncoderShape): Block {
  const { name, ...complete } = completeOptions(options);
  const create = ENCODERS[name].create as unknown as EncoderFactory<z.ZodObject>;
  return create(complete, shape);
}

/** An encoder whose readout starts as NeuroSEED's, where it has that option and it is not given. */
export function startedAsPapers(options: EncoderOptions): EncoderOptions {
  return "weights" in ENCODERS[options.name].options.shape
    ? ({ weights: "papers", ...options } as EncoderOptions)
    : options;
}
