/**
 * @file What is said of a run that has gone astray.
 */

import { EmbranchError } from "../error.ts";
import type { DistanceModel } from "./model.ts";

/** Numbers have run away; says what to do and where to go on from. */
export class Diverged extends EmbranchError {
  override name = "Diverged";

  constructor(what: string, checkpoint: string | undefined) {
    const rescue = checkpoint === undefined ? "" : `; the last checkpoint is ${checkpoint} (--resume)`;
    super(`training: ${what}; lower --learning-rate${rescue}`);
  }
}

/** Names the first tensor that is not finite: a parameter before the step, or else a gradient of it. */
export function damagedTensor(
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
