/**
 * @file The model and the training step of relaxed Dasgupta clustering, as pure functions (SPEC A12).
 *
 * A model is a block, an encoder of sequences or a table of points, and one learned number, the norm that all leaves
 * share. The block's output counts by its direction alone.
 */

import type { numpy as np } from "@jax-js/jax";
import { clampThrough } from "../geometry/elementary.ts";
import { MAXIMUM_NORM } from "../geometry/poincare.ts";
import { direction } from "../geometry/vector.ts";
import type { Block, Context } from "../nn/block.ts";
import { dasguptaLoss } from "../nn/dasgupta-loss.ts";
import { constant, type ArrayTree } from "../nn/parameter.ts";
import { descentStep } from "./descent-step.ts";
import { Layout } from "./layout.ts";
import type { Spec } from "./lower.ts";
import { HYPERPARAMETERS, type AdamOptions } from "./optimizer.ts";

/** The least norm of the leaves, and the one that training starts from. */
export const MINIMUM_RADIUS = 1e-2;

/** A block whose outputs become leaves at one learned norm. */
export interface LeafModel {
  encoder: Block;
  /** Parameters, under `encoder` and `radius`. */
  parameters: Layout;
  statistics: Layout;
}

/** The model around a block. */
export function leafModel(encoder: Block): LeafModel {
  return {
    encoder,
    parameters: new Layout({ encoder: encoder.parameters, radius: constant([], MINIMUM_RADIUS) }),
    statistics: new Layout(encoder.statistics),
  };
}

/** The norm of the leaves in a parameter vector. */
export function leafRadius({ parameters: layout }: LeafModel, parameters: Float32Array): number {
  return Math.min(Math.max(layout.view(parameters, "radius")[0], MINIMUM_RADIUS), MAXIMUM_NORM);
}

/** Directions [batch, m], the norm [], and the new statistics, inside a traced function. Consumes the arrays. */
function leaves(
  { encoder, parameters: layout, statistics: running }: LeafModel,
  parameters: np.Array,
  statistics: np.Array,
  items: np.Array,
  context: Context,
): { directions: np.Array; radius: np.Array; statistics: np.Array } {
  const trained = layout.unpack(parameters) as { encoder: ArrayTree; radius: np.Array };
  const { output, statistics: updated } = encoder.apply(
    trained.encoder,
    running.unpack(statistics),
    items,
    context,
  );
  return {
    directions: direction(output),
    radius: clampThrough(trained.radius, MINIMUM_RADIUS, MAXIMUM_NORM),
    statistics: running.pack(updated),
  };
}

/** Directions of the leaves by the running statistics, [batch, m], inside a traced function. */
export function leafDirections(
  model: LeafModel,
  parameters: np.Array,
  statistics: np.Array,
  items: np.Array,
): np.Array {
  const encoded = leaves(model, parameters, statistics, items, { training: false });
  encoded.radius.dispose();
  encoded.statistics.dispose();
  return encoded.directions;
}

export interface DasguptaStepOptions {
  /** Triples in a batch. */
  triples: number;
  /** Shape of what the block takes for one sequence: [n] tokens, or [] for the number of a row. */
  item: readonly number[];
  optimizer: AdamOptions;
}

/** What a step is fed beside its state, traced. */
interface Fed {
  items: np.Array;
  similarities: np.Array;
  temperature: np.Array;
  numbers: np.Array;
}

/** The shapes of what a step is fed beside its state, by name. */
function tripleSpecs({ triples, item }: DasguptaStepOptions): Record<keyof Fed, Spec> {
  return {
    items: { shape: [3 * triples, ...item], type: "int32" },
    similarities: { shape: [3, triples], type: "float32" },
    temperature: { shape: [1], type: "float32" },
    numbers: { shape: [HYPERPARAMETERS], type: "float32" },
  };
}

/** The step and the shapes of its arguments, ready for `lower`; it returns loss, gradient norm and the new state. */
export function dasguptaStep(model: LeafModel, options: DasguptaStepOptions) {
  const objective = (
    parameters: np.Array,
    statistics: np.Array,
    { items, similarities, temperature }: Omit<Fed, "numbers">,
  ): [np.Array, np.Array] => {
    const encoded = leaves(model, parameters, statistics, items, { training: true });
    const { directions, radius } = encoded;
    const loss = dasguptaLoss({ directions, similarities, radius, temperature });
    return [loss, encoded.statistics];
  };

  return descentStep(model, tripleSpecs(options), options, objective);
}
