/**
 * @file Sequences in blocks of similar length, for comparing many with many in little memory.
 *
 * Two sequences are at least as many edits apart as their lengths differ. With both sides sorted by length, whole
 * blocks are too far apart to be looked at, and the others go through the kernel one pair of blocks at a time.
 */

import { packCodes, type PackedCodes } from "../kernel/index.ts";

/** Sequences of similar length. */
export interface LengthBlock {
  /** [sequences] Which they are, by ascending length. */
  indices: Uint32Array;
  packed: PackedCodes;
  shortest: number;
  longest: number;
}

/** Sequences of a block. Shared memory is freed late, so that distances of many blocks linger: keep them small. */
const BLOCK = 1024;

/** The sequences of `indices` in blocks, sorted by length. */
export function lengthBlocks(sequences: readonly Uint8Array[], indices: Uint32Array): LengthBlock[] {
  const order = indices.toSorted((a, b) => sequences[a].length - sequences[b].length || a - b);
  return Array.from({ length: Math.ceil(order.length / BLOCK) }, (_, block) => {
    const indices = order.subarray(block * BLOCK, (block + 1) * BLOCK);
    const codes = Array.from(indices, (i) => sequences[i]);
    return {
      indices,
      packed: packCodes(codes),
      shortest: codes[0].length,
      longest: codes[codes.length - 1].length,
    };
  });
}

/** The fewest edits that sequences of two blocks are apart, by their lengths. */
export function fewestEdits(a: LengthBlock, b: LengthBlock): number {
  return Math.max(0, a.shortest - b.longest, b.shortest - a.longest);
}
