/**
 * @file Classifiers: sequences of tokens in, one logit a class out, by name and options.
 *
 * The three networks of "Hyperbolic genome embeddings" (SPEC C2): a convolutional network, and the same on
 * hyperboloids, of one learned curvature or of one for each stage.
 */

import type { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { explainIssue } from "../schema-issue.ts";
import type { Context } from "./block.ts";
import { oddKernel } from "./cnn.ts";
import { euclideanClassifier } from "./euclidean-classifier.ts";
import { lorentzNetwork } from "./hcnn.ts";
import type { ArrayTree, ParameterTree } from "./parameter.ts";

/** What every classifier is built for. */
export interface ClassifierShape {
  /** Length n that sequences are padded to, or cut. */
  length: number;
  /** Letters in the alphabet; token `letters` stands for ambiguity, `letters + 1` for padding. */
  letters: number;
  classes: number;
}

/** What a classifier makes of sequences. */
export interface Classified {
  /** [batch, width] What the classes are told by: of a hyperbolic network, space coordinates. */
  features: np.Array;
  /** [batch, classes] */
  logits: np.Array;
  statistics: ArrayTree;
}

/** A network as plain data and one pure function, as blocks are. */
export interface Classifier {
  readonly parameters: ParameterTree;
  readonly statistics: ParameterTree;
  /** Uniform numbers it takes for each sequence while training. */
  readonly noise: number;
  /** Path of the logarithm of the radius² k of the hyperboloid that features are points of, if they are. */
  readonly curvature?: string;
  /** Tokens [batch, n] int32 in; consumes all arrays. */
  apply(parameters: ArrayTree, statistics: ArrayTree, tokens: np.Array, context: Context): Classified;
}

/** What all of them can be set to; the defaults are those of the paper. */
export const classifierOptions = z.strictObject({
  blocks: z.int().positive().default(3).describe("blocks of two convolutions"),
  channels: z.int().min(2).default(32).describe("channels, of which a hyperbolic network's time is one"),
  kernel: oddKernel.default(9).describe("positions that a convolution sees, odd"),
  hidden: z.int().min(2).default(528).describe("width of the dense layer, time included"),
  pooling: z
    .int()
    .positive()
    .default(1)
    .describe("positions averaged into one before it (of a hyperbolic network their space coordinates)"),
  dropout: z.number().min(0).lt(1).default(0).describe("share of its outputs that training drops"),
});

export type NetworkOptions = z.output<typeof classifierOptions>;

/** The classifiers there are. */
export const CLASSIFIERS = {
  cnn: {
    summary: "convolutional network",
    options: classifierOptions,
    create: euclideanClassifier,
  },
  hcnn: {
    summary: "the same on a hyperboloid of learned curvature",
    options: classifierOptions,
    create: lorentzNetwork({ curvatures: "one" }),
  },
  "hcnn-multi": {
    summary: "with a curvature for each block and one for the dense layer",
    options: classifierOptions,
    create: lorentzNetwork({ curvatures: "many" }),
  },
} satisfies Record<
  string,
  {
    summary: string;
    options: z.ZodObject;
    create: (options: NetworkOptions, shape: ClassifierShape) => Classifier;
  }
>;

export type ClassifierName = keyof typeof CLASSIFIERS;

/** Names of the classifiers. */
export const CLASSIFIER_NAMES = Object.keys(CLASSIFIERS) as ClassifierName[];

/** A classifier by name, with options that differ from the defaults. */
export type ClassifierOptions = { name: ClassifierName } & z.input<typeof classifierOptions>;

/** A classifier's options with the defaults of those that are not given. Throws a `UsageError` on wrong ones. */
export function completeClassifier({ name, ...options }: ClassifierOptions): {
  name: ClassifierName;
} & NetworkOptions {
  if (!Object.hasOwn(CLASSIFIERS, name)) {
    throw new UsageError(`model: must be one of ${CLASSIFIER_NAMES.join(", ")}, got ${name as string}`);
  }
  const parsed = CLASSIFIERS[name].options.safeParse(options);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const [key] = issue.path;
    const value = (options as Record<PropertyKey, unknown>)[key];
    throw new UsageError(`model ${name}: ${String(key)}: ${explainIssue(issue, value)}`);
  }
  return { name, ...parsed.data };
}

/** A classifier by name. Throws a `UsageError` on options that make no network. */
export function createClassifier(options: ClassifierOptions, shape: ClassifierShape): Classifier {
  const { name, ...complete } = completeClassifier(options);
  if (complete.pooling > shape.length) {
    throw new UsageError(
      `model ${name}: pooling: must be at most the length ${shape.length}, got ${complete.pooling}`,
    );
  }
  return CLASSIFIERS[name].create(complete, shape);
}
