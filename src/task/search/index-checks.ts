/**
 * @file What every kind of index checks alike, with the same words.
 */

import { createHash } from "node:crypto";
import { EmbranchError } from "../../error.ts";

/** SHA-256 of bytes, in hexadecimal digits. */
export function digestOf(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** Throws unless `bytes` are the file of the model that the index at `place` was built with. */
export function requireSameModel(
  place: string,
  model: { digest: string; geometry: string; length: number },
  bytes: Uint8Array,
): void {
  const digest = digestOf(bytes);
  if (digest === model.digest) return;
  throw new EmbranchError(
    `${place}: the index is of another model (${model.geometry}, length ${model.length}, digest ${model.digest.slice(0, 12)}), ` +
      `got one of digest ${digest.slice(0, 12)}; leave -m out, or build the index again`,
  );
}

/** Throws where ids that were to be deleted from the index at `place` are not there. */
export function requireNoneMissing(place: string, [first, ...others]: readonly string[]): void {
  if (first === undefined) return;
  throw new EmbranchError(
    `${place}: there is no reference "${first}"${others.length > 0 ? `, nor ${others.length} others` : ""}; nothing was deleted`,
  );
}
