/**
 * @file What is trained in relaxed clustering, and how (SPEC A12).
 *
 * The papers' procedure is Adam at a constant rate until trees no longer get better. An encoder soon knows the
 * few labels by heart, so that the default recipe decays weights strongly, averages them and lets the rate fall
 * along a cosine.
 */

import { UsageError } from "../../error.ts";
import type { LeafItems } from "../../engine/leaf-trainer.ts";
import type { AdamOptions } from "../../engine/optimizer.ts";
import type { ScheduleOptions } from "../../engine/schedule.ts";
import type { Block } from "../../nn/block.ts";
import { embeddingTable } from "../../nn/embedding-table.ts";
import { createEncoder, type EncoderName, type EncoderOptions } from "../../nn/encoder.ts";
import { tokenBatch, type SequenceSet } from "../../sequence/index.ts";

/** How a clustering is trained. */
export interface RelaxedRecipe extends ScheduleOptions {
  name: "default" | "paper";
  /** Triples in a batch. */
  batch: number;
  learningRate: number;
  /** Temperature τ of the softmax at the start of the run and at its end, geometrically in between. */
  temperature: readonly [number, number];
  optimizer: AdamOptions;
  /** Decay of the exponential average of the parameters that trees are made from; 0 takes the parameters. */
  averageDecay: number;
  maximumSteps: number;
  /** Steps between trees where there is no clock. */
  evaluateEvery: number;
  /** Trees without improvement after which such a run ends. */
  patience: number;
}

/** Free points, or an encoder; `mlp` and `cnn` by name have the paper's sizes. */
export type RelaxedModel = "embeddings" | EncoderName | EncoderOptions;

/** A recipe by name, for a model and a number of triples. */
export function relaxedRecipe(
  name: RelaxedRecipe["name"],
  { model, triples }: { model: string; triples: number },
): RelaxedRecipe {
  const free = model === "embeddings";
  if (name === "default") {
    // Rows of a table are seen once in a while only: more of them at a time, softer choices, longer steps.
    return {
      name,
      batch: Math.min(free ? 4096 : 256, triples),
      learningRate: free ? 0.03 : 0.01,
      temperature: model === "linear" ? [0.01, 0.01] : [0.1, 0.1],
      optimizer: { weightDecay: 1 },
      averageDecay: 0.99,
      schedule: "cosine",
      warmup: 0,
      maximumSteps: free ? 1000 : 1500,
      evaluateEvery: 100,
      patience: 10,
    };
  }
  const temperature = free || model === "linear" ? 0.01 : 0.1;
  const batch = Math.min(256, triples);
  const epoch = Math.ceil(triples / batch);
  return {
    name,
    batch,
    learningRate: 0.01,
    temperature: [temperature, temperature],
    optimizer: {},
    averageDecay: 0,
    schedule: "constant",
    warmup: 0,
    maximumSteps: 400 * epoch,
    evaluateEvery: 5 * epoch,
    patience: 10,
  };
}

/** The sizes of the paper's encoders (SPEC A12). */
const PAPER_ENCODERS: Partial<Record<EncoderName, EncoderOptions>> = {
  mlp: { name: "mlp", layers: 3, hidden: 128 },
  cnn: { name: "cnn", layers: 4, channels: 16, kernel: 3, pooling: "avg", readout: 2 },
};

/** The model that an option names. */
export function modelOf(model: RelaxedModel): { model: "embeddings" | EncoderOptions; name: string } {
  if (model === "embeddings") return { model, name: model };
  if (typeof model !== "string") return { model, name: model.name };
  return { model: PAPER_ENCODERS[model] ?? { name: model }, name: model };
}

/** What a model takes for each of some sequences, and its block. */
export interface LeafBlock {
  block: Block;
  items: LeafItems;
  item: readonly number[];
}

/** Free points or an encoder for the sequences at `representatives`. Throws a `UsageError` on dropout. */
export function leafBlock(
  model: "embeddings" | EncoderOptions,
  { alphabet, codes, maxLength }: SequenceSet,
  representatives: Uint32Array,
  rank: number,
): LeafBlock {
  const count = representatives.length;
  if (model === "embeddings") {
    const data = Uint32Array.from({ length: count }, (_, i) => i);
    return { block: embeddingTable(count, rank), items: { data, count }, item: [] };
  }
  const length = Math.max(1, maxLength);
  const block = createEncoder(model, { length, letters: alphabet.size, dim: rank });
  if (block.noise > 0) throw new UsageError("dropout: must be 0 for a clustering");
  const data = tokenBatch(
    Array.from(representatives, (i) => codes[i]),
    alphabet,
    length,
  );
  return { block, items: { data, count }, item: [length] };
}
