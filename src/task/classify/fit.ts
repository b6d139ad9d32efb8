/**
 * @file `classify fit`: labelled sequences in, a classifier out.
 *
 * It learns from `train`, and of the states it goes through the one with the highest Matthews correlation on `dev` is
 * kept; `test` is not looked at. Where there is no dev part, a tenth of train is drawn for one.
 */

import { EmbranchError, UsageError } from "../../error.ts";
import { encodeClassifier, type ClassifierManifest } from "../../engine/classifier-file.ts";
import { ClassifierModel, offManifold, type ClassifierConfig } from "../../engine/classifier-model.ts";
import { classifierRecipe, trainClassifier, type ClassifierRecipe } from "../../engine/classifier-trainer.ts";
import type { Device } from "../../engine/run.ts";
import type { TrainProgress, TrainResult } from "../../engine/training.ts";
import { completeClassifier, type ClassifierOptions } from "../../nn/classifier.ts";
import { DNA, subset, type SequenceSet } from "../../sequence/index.ts";
import { VERSION } from "../../version.ts";
import { ofSplit, type LabelledSet } from "./dataset.ts";
import { labelledDigest } from "./digest.ts";
import { confusionMatrix, mcc } from "./metrics.ts";
import { devSplit, HELD_OUT_SHARE } from "./splits.ts";

export interface ClassifyFitOptions {
  /** Default `hcnn`. */
  network?: ClassifierOptions;
  /** Length n that sequences are padded to, or cut; by default that of the longest to train on, 1,000 at most. */
  length?: number;
  /** `default`, or the paper's procedure; fields of it can be set one by one. */
  recipe?: "default" | "paper";
  settings?: Partial<Omit<ClassifierRecipe, "name">>;
  /** Share of train that is drawn for dev where there is none (default 0.1). */
  devShare?: number;
  /** Wall-clock bound on training. */
  minutes?: number;
  /** Exact number of training steps. */
  steps?: number;
  /** Seed of everything random (default 1). */
  seed?: number;
  threads?: number;
  device?: Device;
  /** File that checkpoints are kept in; it stays when training is done. */
  checkpoint?: string;
  /** Seconds between checkpoints (default 20). */
  checkpointSeconds?: number;
  /** Go on from the checkpoint. */
  resume?: boolean;
  /** Aborting it saves a checkpoint and ends the run with `Interrupted`. */
  signal?: AbortSignal;
  onProgress?: (progress: TrainProgress) => void;
  /** Told once, before training: what will be trained on what, and for how long. */
  onStart?: (plan: ClassifyPlan) => void;
}

/** What is about to be trained. */
export interface ClassifyPlan {
  training: number;
  /** Sequences of dev, and whether they were drawn from train. */
  validation: number;
  drawn: boolean;
  /** Name of the network. */
  network: string;
  classes: readonly string[];
  /** [classes] Training sequences of each. */
  sizes: Uint32Array;
  length: number;
  /** Training and dev sequences longer than that, of which the rest is not seen. */
  cut: number;
  parameters: number;
  recipe: ClassifierRecipe;
}

export interface ClassifyFitResult {
  /** The bytes of the classifier's file. */
  model: Uint8Array;
  manifest: ClassifierManifest;
  training: TrainResult;
  /** How far trained points are off their hyperboloids, in shares of k. */
  offManifold: number;
  /** The sequences that it was chosen by. */
  validation: { set: SequenceSet; labels: Uint16Array };
  plan: ClassifyPlan;
}

/** Sequences are cut there unless another length is asked for: the first dense layer grows with it. */
export const LONGEST = 1000;

/**
 * Trains a classifier on the `train` part of a set (all of it, where it has no split).
 *
 * The run is bounded by `minutes`, by `steps`, or by early stopping on `dev`. With `steps` it is a pure function of the
 * data, the seed and the number of threads.
 *
 * @throws UsageError on options that make no network
 * @throws Interrupted when the signal is aborted
 * @throws EmbranchError where there is nothing to learn, when training fails, or a checkpoint is of another run
 */
export async function classifyFit(
  labelled: LabelledSet,
  options: ClassifyFitOptions = {},
): Promise<ClassifyFitResult> {
  const { seed = 1, minutes, steps, devShare } = options;
  const { classes, set } = labelled;
  const drawing = { share: devShare ?? HELD_OUT_SHARE, length: options.length ?? LONGEST };
  const divided = devSplit(labelled, { seed, ...drawing });
  const part = (name: "train" | "dev") => {
    const indices = ofSplit(divided, name);
    return { set: subset(set, indices), labels: Uint16Array.from(indices, (i) => labelled.labels[i]) };
  };
  const [training, validation] = [part("train"), part("dev")];
  const sizes = new Uint32Array(classes.length);
  for (const label of training.labels) sizes[label]++;
  if (training.labels.length === 0) {
    throw new EmbranchError(
      `${labelled.name}: must have a part of training sequences, got none in its split`,
    );
  }
  const missing = sizes.indexOf(0);
  if (missing >= 0) {
    throw new EmbranchError(`training: every class must have sequences, got none of "${classes[missing]}"`);
  }

  const { length = Math.min(LONGEST, training.set.maxLength) } = options;
  const config: ClassifierConfig = {
    network: completeClassifier(options.network ?? { name: "hcnn" }),
    shape: { length, letters: set.alphabet.size, classes: classes.length },
  };
  const recipe = classifierRecipe({
    ...options,
    sequences: training.labels.length,
    hyperbolic: config.network.name !== "cnn",
  });
  if (recipe.reverseComplement > 0 && set.alphabet !== DNA) {
    throw new UsageError(`reverse complement: is of DNA, got ${set.alphabet.name}`);
  }
  const model = new ClassifierModel(config);
  const longer = ({ codes }: { codes: readonly Uint8Array[] }) =>
    codes.filter((sequence) => sequence.length > length).length;
  const plan: ClassifyPlan = {
    training: training.labels.length,
    validation: validation.labels.length,
    drawn: divided !== labelled,
    network: config.network.name,
    classes,
    sizes,
    length,
    cut: longer(training.set) + longer(validation.set),
    parameters: model.parameters.size,
    recipe,
  };
  options.onStart?.(plan);

  const digest = labelledDigest(training, validation);
  const { labels } = validation;
  const result = await trainClassifier({
    model: config,
    recipe,
    alphabet: set.alphabet,
    training: { codes: training.set.codes, labels: training.labels },
    validation: { codes: validation.set.codes, labels },
    score: (probabilities) =>
      mcc(confusionMatrix({ classes: classes.length, labels, probabilities }), classes.length),
    seed,
    minutes,
    steps,
    threads: options.threads,
    device: options.device,
    checkpoint: options.checkpoint,
    checkpointSeconds: options.checkpointSeconds,
    resume: options.resume,
    digest,
    signal: options.signal,
    onProgress: options.onProgress,
  });
  const manifest: ClassifierManifest = {
    version: 1,
    embranch: VERSION,
    alphabet: set.alphabet.name,
    letters: set.alphabet.letters.slice(0, set.alphabet.size),
    length,
    classes: [...classes],
    network: { ...config.network },
    radiusSquared: model.radiusSquared(result.parameters),
    training: {
      sequences: plan.training,
      digest,
      seed,
      recipe: { ...recipe },
      steps: result.steps,
    },
    validation: {
      sequences: plan.validation,
      mcc: result.validation,
      ...(plan.drawn && { drawn: drawing }),
    },
  };
  return {
    model: await encodeClassifier(config, result, manifest),
    manifest,
    training: result,
    offManifold: offManifold(model.parameters, result.parameters),
    validation,
    plan,
  };
}
