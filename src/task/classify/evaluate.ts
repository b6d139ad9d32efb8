/**
 * @file `classify evaluate`: how good a classifier is on sequences whose classes are known.
 *
 * Where the data have training sequences too, those of the part that stand among them, letter by letter as far as the
 * model sees them, are counted, and the correlation without them is told: published sets have such copies. A model's
 * file has a digest of what it learned from, so that a model that is judged by these very sequences is found out where
 * training was given them as they are.
 */

import type { ClassifierFile } from "../../engine/classifier-file.ts";
import { EmbranchError } from "../../error.ts";
import { subset } from "../../sequence/index.ts";
import { bootstrapIntervals, type Intervals } from "./bootstrap.ts";
import { ofSplit, type LabelledSet, type SplitName } from "./dataset.ts";
import { labelledDigest } from "./digest.ts";
import { classificationScores, confusionMatrix, mcc, type ClassificationScores } from "./metrics.ts";
import { checkKind, longerThan } from "./predict.ts";
import type { Predictions } from "./predictions.ts";
import { copiesOfTraining, devSplit, type Copies } from "./splits.ts";

export interface JudgeOptions {
  /** Bootstrap resamples of the intervals (default 1,000); 0 leaves them out. */
  resamples?: number;
  /** Seed of the resamples (default 1). */
  seed?: number;
  signal?: AbortSignal;
  progress?: (done: number, total: number) => void;
}

/** What a classifier says about sequences of known classes, and what that is worth. */
export interface Judgement {
  predictions: Predictions;
  scores: ClassificationScores;
  /** 95 % intervals; null where none were asked for. */
  intervals: Intervals | null;
}

/** Judges a classifier by sequences of codes, with the numbers of their classes. */
export async function judge(
  model: ClassifierFile,
  codes: readonly Uint8Array[],
  labels: Uint16Array,
  { resamples = 1000, seed, signal, progress }: JudgeOptions = {},
): Promise<Judgement> {
  const { classes } = model.manifest;
  const probabilities = new Float32Array(codes.length * classes.length);
  let done = 0;
  for await (const block of model.blocks(codes)) {
    signal?.throwIfAborted();
    probabilities.set(block.probabilities, done * classes.length);
    done += block.probabilities.length / classes.length;
    progress?.(done, codes.length);
  }
  const predictions = { classes: classes.length, labels, probabilities };
  return {
    predictions,
    scores: classificationScores(predictions, classes),
    intervals: resamples === 0 ? null : bootstrapIntervals(predictions, { resamples, seed }),
  };
}

/** The part of a data set that a classifier is judged by. */
export type EvaluatedPart = SplitName | "all";

export interface EvaluateClassifierOptions extends JudgeOptions {
  /** By default `test` where there is one, else `all`. */
  part?: EvaluatedPart;
}

/** Sequences that stand in train too. */
export interface CopiesJudged {
  sequences: number;
  /** How many of them have another class there. */
  contradicting: number;
  /** Matthews' correlation without them; null where nothing is left. */
  mccWithout: number | null;
}

export interface ClassifierEvaluation extends Judgement {
  part: EvaluatedPart;
  /** Names of the sequences, in the order of the predictions. */
  ids: string[];
  /** Sequences longer than the model, of which the rest was not seen. */
  cut: number;
  /** Null where the data have no training sequences beside the part. */
  copies: CopiesJudged | null;
  /**
   * Whether the model learned from these sequences or was chosen by them: `yes` where its digest is that of the data,
   * `possible` where nothing sets them apart from what it learned from. Null where a split does.
   */
  learned: "yes" | "possible" | null;
}

/**
 * Judges a classifier by a part of a set that was read with the model's classes.
 *
 * @throws EmbranchError where the set has no such part, or is of other letters than the model
 */
export async function evaluateClassifier(
  model: ClassifierFile,
  labelled: LabelledSet,
  { part = hasPart(labelled, "test") ? "test" : "all", ...options }: EvaluateClassifierOptions = {},
): Promise<ClassifierEvaluation> {
  const { set, labels, replaced, name } = labelled;
  const { length } = model.manifest;
  const indices = part === "all" ? Uint32Array.from(labels.keys()) : ofSplit(labelled, part);
  if (indices.length === 0) {
    const there = (["train", "dev", "test"] as const).filter((each) => hasPart(labelled, each));
    const got = there.length === 0 ? "no split" : `${there.join(" and ")} only`;
    throw new EmbranchError(`${name}: must have a ${part} part, got ${got}; choose another with --split`);
  }
  checkKind(model, { codes: set.codes, replaced }, { file: name });
  const { ids, codes } = subset(set, indices);
  const own = Uint16Array.from(indices, (i) => labels[i]);
  const judgement = await judge(model, codes, own, options);
  const beside = (part === "test" || part === "dev") && hasPart(labelled, "train");
  return {
    part,
    ...judgement,
    ids,
    cut: longerThan(model, codes),
    copies: beside
      ? judgedCopies(copiesOfTraining(labelled, part, { length }), indices, judgement.predictions)
      : null,
    learned:
      part === "test" ? null : hasLearned(model, labelled) ? "yes" : part === "dev" ? null : "possible",
  };
}

/** Whether the train and dev parts are those that the model is of; a dev part that is not there is drawn again. */
function hasLearned({ manifest }: ClassifierFile, labelled: LabelledSet): boolean {
  const { training, validation } = manifest;
  const { splits, labels } = labelled;
  const count = splits?.filter((part) => part === "train" || part === "dev").length ?? labels.length;
  if (count !== training.sequences + validation.sequences) return false;
  try {
    const divided = devSplit(labelled, { seed: training.seed, ...validation.drawn });
    const parts = (["train", "dev"] as const).map((name) => {
      const indices = ofSplit(divided, name);
      return { set: subset(divided.set, indices), labels: Uint16Array.from(indices, (i) => labels[i]) };
    });
    return labelledDigest(...parts) === training.digest;
  } catch (error) {
    // Of these no dev part can be drawn: it was another set.
    if (error instanceof EmbranchError) return false;
    throw error;
  }
}

function hasPart({ splits }: LabelledSet, part: SplitName): boolean {
  return splits?.includes(part) ?? false;
}

/** What the copies among the sequences at `indices`, which the predictions are of, do to the correlation. */
function judgedCopies(
  { indices: copies, contradicting }: Copies,
  indices: Uint32Array,
  { classes, labels, probabilities }: Predictions,
): CopiesJudged {
  const known = new Set(copies);
  const others = [...indices.keys()].filter((row) => !known.has(indices[row]));
  const rest = {
    classes,
    labels: others.map((row) => labels[row]),
    probabilities: new Float32Array(others.length * classes),
  };
  others.forEach((row, i) => {
    rest.probabilities.set(probabilities.subarray(row * classes, (row + 1) * classes), i * classes);
  });
  return {
    sequences: copies.length,
    contradicting,
    mccWithout: others.length === 0 ? null : mcc(confusionMatrix(rest), classes),
  };
}
