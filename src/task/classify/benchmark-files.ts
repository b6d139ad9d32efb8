/**
 * @file The data sets of a benchmark that are files, with the splits that they have or are given.
 *
 * Sets without a split are split at random, and those without a dev part are given one, by one seed for all models
 * and runs. All sets are read once before the first run, so that what is wrong with the last of them is known at
 * once, and again when their turn comes: one of them is in memory at a time.
 */

import { stat } from "node:fs/promises";
import { EmbranchError } from "../../error.ts";
import type { BenchmarkData, BenchmarkSet, SetFacts } from "./benchmark.ts";
import {
  findLabelled,
  ofSplit,
  readLabelled,
  type FoundSet,
  type LabelledSet,
  type ReadLabelledOptions,
} from "./dataset.ts";
import { dataDigest } from "./digest.ts";
import { LONGEST } from "./fit.ts";
import { setName } from "./layouts.ts";
import { copiesOfTraining, devSplit, randomSplit, TooFewSequences } from "./splits.ts";

/** A set that cannot be run, and why. */
export interface SkippedSet {
  name: string;
  reason: string;
}

export interface BenchmarkFileOptions extends ReadLabelledOptions {
  /** Seed of the splits that are drawn (default 1). */
  splitSeed?: number;
  /** Letters that models see of a sequence (default 1,000): what is equal so far is a copy. */
  length?: number;
}

/**
 * The data sets that paths name: themselves, or all that their folders hold.
 *
 * @throws EmbranchError where two sets have the same name
 */
export async function benchmarkPaths(
  paths: readonly string[],
  columns: BenchmarkFileOptions = {},
): Promise<FoundSet[]> {
  const found: FoundSet[] = [];
  for (const path of paths) {
    const isFolder = await stat(path).then(
      (info) => info.isDirectory(),
      // A set may be named by what its files have in common; else reading it says what is wrong.
      () => false,
    );
    const inside = isFolder ? await findLabelled(path, columns) : [];
    found.push(...(inside.length > 0 ? inside : [{ name: setName(path), path }]));
  }
  const paired = new Map<string, string>();
  for (const { name, path } of found) {
    const other = paired.get(name);
    if (other !== undefined) {
      throw new EmbranchError(
        `benchmark: data sets must have different names, got "${name}" twice: ${other}, ${path}`,
      );
    }
    paired.set(name, path);
  }
  return found;
}

/** Reads a set to learn what it is; one without sequences to train or to test on is skipped. */
export async function benchmarkFile(
  { name, path }: FoundSet,
  options: BenchmarkFileOptions = {},
): Promise<BenchmarkSet | SkippedSet> {
  const first = splitData(await readLabelled(path, options), options);
  if ("reason" in first) return { name, reason: first.reason };
  const digest = dataDigest(first.labelled);
  const { training, longest } = first.facts;
  return {
    name,
    training,
    longest,
    data: () => digest,
    load: async () => {
      const again = splitData(await readLabelled(path, options), options);
      if ("reason" in again || dataDigest(again.labelled) !== digest) {
        throw new EmbranchError(`${path}: must not change while it is used; start again`);
      }
      return again;
    },
  };
}

/** A set with all parts of a split and what is known of it, or why there is none. */
export function splitData(
  labelled: LabelledSet,
  { splitSeed: seed = 1, length = LONGEST }: Pick<BenchmarkFileOptions, "splitSeed" | "length"> = {},
): BenchmarkData | { reason: string } {
  const drawn = labelled.splits === undefined ? "all" : labelled.splits.includes("dev") ? "nothing" : "dev";
  for (const part of ["train", "test"] as const) {
    if (labelled.splits?.includes(part) === false) return { reason: `has no ${part} sequences` };
  }
  try {
    const divided = (drawn === "all" ? randomSplit : devSplit)(labelled, { seed, length });
    return { labelled: divided, facts: factsOf(divided, drawn, length) };
  } catch (error) {
    if (error instanceof TooFewSequences) return { reason: "has too few sequences to be split" };
    throw error;
  }
}

/** What is known of a set with all parts of a split, of whose sequences `length` letters are seen. */
export function factsOf(labelled: LabelledSet, drawn: SetFacts["drawn"], length = LONGEST): SetFacts {
  const { indices, contradicting } = copiesOfTraining(labelled, "test", { length });
  return {
    training: ofSplit(labelled, "train").length,
    dev: ofSplit(labelled, "dev").length,
    test: ofSplit(labelled, "test").length,
    classes: labelled.classes.length,
    longest: labelled.set.maxLength,
    drawn,
    copies: indices.length,
    contradicting,
  };
}
