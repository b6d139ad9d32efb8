/**
 * @file Profiles: how often each letter stands in each column of an alignment, with its sequences weighted.
 *
 * What an alignment of two alignments needs to know of either, whatever the number of their sequences.
 */

/** A profile of one or more aligned sequences, over K letters. */
export interface Profile {
  /** Number of columns. */
  width: number;
  /** Sum of the sequences' weights. */
  weight: number;
  /** Columns from one plane to the next: the width, up to a multiple of 4 and at least 4. */
  stride: number;
  /** [K, stride] Weight of the sequences with each letter in each column, 0 beyond the width. */
  counts: Float32Array;
  /** [width] Weight of the sequences with any letter in each column. */
  letters: Float32Array;
}

/** A column of the result of aligning two things: of both, */
export const BOTH = 0;
/** of the first alone, where the second has a gap, */
export const FIRST = 1;
/** or of the second alone. */
export const SECOND = 2;

/** Columns from one plane to the next. */
export function planeStride(width: number): number {
  return Math.max(4, (width + 3) & ~3);
}

export function emptyProfile(width: number, letters: number): Profile {
  const stride = planeStride(width);
  return {
    width,
    weight: 0,
    stride,
    counts: new Float32Array(letters * stride),
    letters: new Float32Array(width),
  };
}

/**
 * Adds a sequence of letters (0…K−1), of this weight, whose letters stand in these columns; `places`, where given, says
 * where in the profile each of the columns is.
 */
export function addToProfile(
  profile: Profile,
  sequence: Uint8Array,
  columns: Uint32Array,
  weight: number,
  places?: Int32Array,
): void {
  const { counts, letters, stride } = profile;
  profile.weight += weight;
  for (let k = 0; k < sequence.length; k++) {
    const column = places === undefined ? columns[k] : places[columns[k]];
    counts[sequence[k] * stride + column] += weight;
    letters[column] += weight;
  }
}

/** The profile of one sequence of letters (0…K−1). */
export function sequenceProfile(sequence: Uint8Array, letters: number, weight: number): Profile {
  const profile = emptyProfile(sequence.length, letters);
  profile.weight = weight;
  for (let k = 0; k < sequence.length; k++) profile.counts[sequence[k] * profile.stride + k] = weight;
  profile.letters.fill(weight);
  return profile;
}

/** The profile of two aligned profiles; `path` [columns] says which of the two each column is of. */
export function mergeProfiles(first: Profile, second: Profile, path: Uint8Array): Profile {
  const letters = first.counts.length / first.stride;
  const merged = emptyProfile(path.length, letters);
  merged.weight = first.weight + second.weight;
  addPart(merged, first, path, SECOND);
  addPart(merged, second, path, FIRST);
  return merged;
}

/** The columns of an alignment of two parts that one has a share in: those that are not the `other`'s alone. */
export function placesOf(path: Uint8Array, other: number): Uint32Array {
  const places = new Uint32Array(path.length);
  let count = 0;
  for (let column = 0; column < path.length; column++) if (path[column] !== other) places[count++] = column;
  return places.slice(0, count);
}

/** Adds one of two profiles to their union, in the columns that are not the `other`'s alone. */
function addPart(merged: Profile, part: Profile, path: Uint8Array, other: number): void {
  const { width } = part;
  const places = placesOf(path, other);
  for (
    let source = 0, target = 0;
    source < part.counts.length;
    source += part.stride, target += merged.stride
  ) {
    for (let k = 0; k < width; k++) merged.counts[target + places[k]] += part.counts[source + k];
  }
  for (let k = 0; k < width; k++) merged.letters[places[k]] += part.letters[k];
}
