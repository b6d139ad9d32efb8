/**
 * @file Exact de-duplication.
 *
 * Identical sequences on both sides of a split make a validation error look better than it is.
 */

/** Which sequences are copies of which. */
export interface Uniques {
  /** Index of the first copy of each different sequence, ascending. */
  representatives: Uint32Array;
  /** For every sequence, the place of its representative in `representatives`. */
  group: Uint32Array;
  /** How many copies each different sequence has. */
  counts: Uint32Array;
}

/** Finds exact duplicates, by hash (FNV-1a) and comparison; O(total length). */
export function findUniques(sequences: readonly Uint8Array[]): Uniques {
  const representatives: number[] = [];
  const counts: number[] = [];
  const group = new Uint32Array(sequences.length);
  const newestOfHash = new Map<number, number>();
  const olderOfSameHash: number[] = [];
  sequences.forEach((codes, index) => {
    const hash = hashCodes(codes);
    const newest = newestOfHash.get(hash) ?? -1;
    let unique = newest;
    while (unique >= 0 && !sameCodes(sequences[representatives[unique]], codes))
      unique = olderOfSameHash[unique];
    if (unique < 0) {
      unique = representatives.push(index) - 1;
      counts.push(0);
      olderOfSameHash.push(newest);
      newestOfHash.set(hash, unique);
    }
    group[index] = unique;
    counts[unique]++;
  });
  return { representatives: Uint32Array.from(representatives), group, counts: Uint32Array.from(counts) };
}

function hashCodes(codes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const code of codes) hash = Math.imul(hash ^ code, 0x01000193);
  return hash >>> 0;
}

function sameCodes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
