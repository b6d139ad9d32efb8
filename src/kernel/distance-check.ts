/** @file What is said of a distance that no tree can be made of. */

import { EmbranchError } from "../error.ts";
import { condensedPair, condensedSide, type NumberArray } from "../sequence/condensed.ts";

/** The error that names the first distance for which `isSound` does not hold; nothing where it does for all. */
export function refusedDistance(
  task: string,
  distances: NumberArray,
  isSound: (distance: number) => boolean,
): EmbranchError | undefined {
  const at = distances.findIndex((distance) => !isSound(distance));
  if (at < 0) return undefined;
  const [i, j] = condensedPair(at, condensedSide(distances.length));
  return new EmbranchError(
    `${task}: a distance must be a finite number from 0, got ${distances[at]} for ${i} and ${j}`,
  );
}
