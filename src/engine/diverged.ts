/**
 * @file What comes out of a step, and what is said of a run that has gone astray.
 */

import { EmbranchError } from "../error.ts";
import type { DistanceModel } from "./model.ts";
import { STATE_NAMES, type TrainState } from "./descent-step.ts";

/** Numbers have run away; says what to do and where to go on from. */
export class Diverged extends EmbranchError {
  override name = "Diverged";

  constructor(what: string, checkpoint: string | undefined) {
    const rescue = checkpoint === undefined ? "" : `; the last checkpoint is ${checkpoint} (--resume)`;
    super(`training: ${what}; lower --learning-rate${rescue}`);
  }
}

/** Names the first tensor that is not finite: a parameter before the step, or else a gradient of it. */
function damagedTensor(
  { parameters: { entries } }: Pick<DistanceModel, "parameters">,
  { parameters }: { parameters: Float32Array },
  meanGradient: Float32Array,
): string {
  const damaged = (vector: Float32Array) =>
    entries.find(({ offset, size }) =>
      vector.subarray(offset, offset + size).some((value) => !Number.isFinite(value)),
    )?.path;
  const parameter = damaged(parameters);
  if (parameter !== undefined) return `parameter "${parameter}" is not finite`;
  const gradient = damaged(meanGradient);
  return gradient === undefined ? "its squares overflow" : `the gradient of "${gradient}" is not finite`;
}

/**
 * The loss and the new state that a step returns: `outputs` are loss, gradient norm and the state's vectors.
 *
 * @throws Diverged where the loss or the norm is not finite; `saved` is the last checkpoint
 */
export function stepResult(
  [loss, norm, ...updated]: readonly Float32Array[],
  model: Pick<DistanceModel, "parameters">,
  { vectors, step, saved }: { vectors: TrainState<Float32Array>; step: number; saved?: string },
): { loss: number; vectors: TrainState<Float32Array> } {
  const next = Object.fromEntries(
    STATE_NAMES.map((name, i) => [name, updated[i]]),
  ) as TrainState<Float32Array>;
  if (!Number.isFinite(loss[0]) || !Number.isFinite(norm[0])) {
    const [what, got] = Number.isFinite(loss[0]) ? ["gradient norm", norm[0]] : ["loss", loss[0]];
    const tensor = damagedTensor(model, vectors, next.mean);
    throw new Diverged(`${what} must be finite, got ${got} at step ${step} (${tensor})`, saved);
  }
  return { loss: loss[0], vectors: next };
}
