/** @file What `fit` tells in its report: the manifest in words, the held-out error, the next commands. */

import type { DistancePairs, Evaluation } from "./evaluate.ts";
import type { FitResult } from "./fit.ts";
import { renderReport } from "./report.ts";

export interface FitReportInput {
  /** True and predicted distances of the held-out pairs, in edits. */
  heldOut: DistancePairs;
  evaluation: Evaluation;
  /** The model file. */
  output: string;
  /** The command line that made it. */
  command: string;
  /** Anything the reader should know. */
  notes?: readonly string[];
}

/** The HTML report of a training run. */
export function fitReport(
  { manifest, training, validation }: FitResult,
  { heldOut, evaluation, output, command, notes }: FitReportInput,
): string {
  const { encoder, geometry, dim, length, space } = manifest;
  const { name, ...options } = encoder;
  const constants = Object.entries(space.constants).map(([key, value]) => [
    key,
    String(Number(value.toPrecision(5))),
  ]);
  const settings = Object.entries(options).map(([key, value]) => `${key} ${String(value)}`);
  return renderReport({
    title: output,
    command,
    notes,
    manifest: {
      encoder: [name, ...settings].join(", "),
      geometry,
      ...Object.fromEntries(constants.map(([key, value]) => [`learned ${key}`, value])),
      dimension: dim,
      alphabet: manifest.alphabet,
      "length n": length,
      "training sequences": manifest.training.sequences,
      "data digest": manifest.training.digest.slice(0, 16),
      recipe: manifest.training.recipe,
      loss: manifest.training.loss,
      seed: manifest.training.seed,
      steps: training.steps,
      seconds: Math.round(training.seconds),
      "kept step": training.bestStep,
      "embranch version": manifest.embranch,
    },
    history: training.history,
    heldOut: {
      ...heldOut,
      of: `${validation.set.ids.length} sequences`,
      length,
      rmsePercent: evaluation.rmsePercent,
      maePercent: evaluation.maePercent,
      pearson: evaluation.pearson,
      spearman: evaluation.spearman,
    },
    next: [
      {
        command: `embranch evaluate test.fasta -m ${output}`,
        purpose: "measure it on sequences of your own",
      },
      {
        command: `embranch embed reads.fasta -m ${output} -o points.parquet`,
        purpose: "map sequences to points",
      },
      {
        command: `embranch distance reads.fasta -m ${output} -o distances.npy`,
        purpose: "all pairwise distances",
      },
    ],
  });
}
