/**
 * @file Greedy clustering about centroids, as UCLUST, VSEARCH and CD-HIT have it.
 *
 * Sequences come in order, mostly the most abundant first. Each joins the nearest centroid within the limit, the
 * earliest of equals, or becomes a centroid itself (Edgar, "Search and clustering orders of magnitude faster than
 * BLAST", Bioinformatics 2010; here the nearest centroid is taken, and not the first that will do). Abundant sequences are
 * mostly true and rare ones mostly errors of theirs, hence the order.
 *
 * Sequences are handled in blocks, so that all cores have something to do: first a block is compared with the
 * centroids of earlier blocks, then those of it that found none with the whole block, for some of them are the
 * centroids to come. Which ones is then settled in order, so that the result is that of one sequence after the other.
 */

import { lengthOf, type Comparison, type Neighbours } from "./neighbours.ts";

/** What became of each sequence. */
export interface Assignment {
  /** Place of its cluster's centroid; its own, if it is one. */
  centroid: Uint32Array;
  /** Edits from the centroid. */
  edits: Uint32Array;
  /** 1 where its reverse complement matched. */
  reversed: Uint8Array;
}

export interface GreedyOptions {
  /** Sequences to cluster: the first ones of the set, in order. */
  count: number;
  /** An empty collection, for the centroids and for each block. */
  neighbours: { ofAll: Neighbours; ofBlock: () => Neighbours };
  /** Distance in the set from a sequence to its reverse complement, where both strands are looked at. */
  reverse?: number;
  /** Sequences handled together. */
  blockSize?: number;
  progress?: (done: number, total: number) => void;
}

const BLOCK = 2048;

/** Clusters the first `count` sequences of the set, one after the other. */
export async function greedyClusters(
  { set, limit, signal }: Comparison,
  { count, neighbours, reverse, blockSize = BLOCK, progress }: GreedyOptions,
): Promise<Assignment> {
  const centroid = new Uint32Array(count);
  const edits = new Uint32Array(count);
  const reversed = new Uint8Array(count);
  const { ofAll, ofBlock } = neighbours;
  const best = new Float64Array(count).fill(Infinity);
  const plus = (probe: number) => (probe < count ? probe : probe - count);

  /** Takes the centroid, if it is nearer than what was found before. */
  const offer = (probe: number, member: number, distance: number): void => {
    const index = plus(probe);
    const share = limit.distance(distance, Math.max(lengthOf(set, index), lengthOf(set, member)));
    if (share > best[index]) return;
    if (share === best[index]) {
      // Of equals the earlier centroid counts, and of one centroid's strands the first.
      if (centroid[index] < member) return;
      if (centroid[index] === member && reversed[index] === 0) return;
    }
    best[index] = share;
    centroid[index] = member;
    edits[index] = distance;
    reversed[index] = probe === index ? 0 : 1;
  };

  for (let start = 0; start < count; start += blockSize) {
    signal?.throwIfAborted();
    const block = Array.from({ length: Math.min(blockSize, count - start) }, (_, i) => start + i);
    const probes = reverse === undefined ? block : block.flatMap((index) => [index, index + reverse]);
    await ofAll.near(probes, offer);
    const open = block.filter((index) => best[index] === Infinity);
    const inBlock = ofBlock();
    inBlock.add(open);
    const pairs = new Map<number, { probe: number; member: number; distance: number }[]>();
    await inBlock.near(
      probes,
      (probe, member, distance) => {
        const list = pairs.get(plus(probe));
        if (list === undefined) pairs.set(plus(probe), [{ probe, member, distance }]);
        else list.push({ probe, member, distance });
      },
      (probe, member) => member < plus(probe),
    );
    const centroids: number[] = [];
    for (const index of block) {
      for (const { probe, member, distance } of pairs.get(index) ?? []) {
        if (centroid[member] === member) offer(probe, member, distance);
      }
      if (best[index] < Infinity) continue;
      centroid[index] = index;
      best[index] = 0;
      centroids.push(index);
    }
    ofAll.add(centroids);
    progress?.(start + block.length, count);
  }
  return { centroid, edits, reversed };
}
