/** @file Families of related sequences, and what clustering is by its definition: one pair after the other. */

import { editDistance } from "../../../src/kernel/index.ts";
import { alphabetNamed, Random, type AlphabetName, type SequenceSet } from "../../../src/sequence/index.ts";
import { reverseComplement } from "../../../src/sequence/reverse-complement.ts";

import type { Clustering } from "../../../src/task/cluster/cluster.ts";

export interface FamilyOptions {
  families: number;
  members: number;
  length: number;
  /** Most edits from the root of a family. */
  edits: number;
  /** Most letters cut from the end. */
  cut?: number;
  alphabet?: AlphabetName;
  /** Turn some to their other strand. */
  turned?: boolean;
  seed: number;
}

/** Sequences of some families, shuffled; some are copies of others. */
export function familiesOf(options: FamilyOptions): Uint8Array[] {
  const { families, members, length, edits, cut = 0, alphabet = "dna", turned = false, seed } = options;
  const random = new Random(seed);
  const { size } = alphabetNamed(alphabet);
  const out: Uint8Array[] = [];
  for (let family = 0; family < families; family++) {
    const root = Array.from({ length }, () => random.integer(size));
    for (let member = 0; member < members; member++) {
      const codes = root.slice(0, length - random.integer(cut + 1));
      for (let edit = random.integer(edits + 1); edit > 0; edit--) {
        const at = random.integer(codes.length);
        const kind = random.integer(3);
        if (kind === 0) codes.splice(at, 1);
        else codes.splice(at, kind - 1, random.integer(size));
      }
      const sequence = Uint8Array.from(codes);
      out.push(turned && random.integer(2) === 1 ? reverseComplement(sequence) : sequence);
    }
  }
  return Array.from(random.sample(out.length, out.length), (i) => out[i]);
}

/** A set of sequences called `s0`, `s1`, …, or as told. */
export function setOf(
  codes: readonly Uint8Array[],
  alphabet: AlphabetName = "dna",
  ids = codes.map((_, i) => `s${i}`),
): SequenceSet {
  return {
    ids,
    codes: [...codes],
    alphabet: alphabetNamed(alphabet),
    ambiguous: { records: 0, letters: 0 },
    maxLength: Math.max(...codes.map(({ length }) => length)),
  };
}

export interface Definition {
  /** Whether two sequences may be in one cluster. */
  within: (edits: number, longer: number) => boolean;
  /** What is least for the best centroid. */
  distance: (edits: number, longer: number) => number;
  bothStrands?: boolean;
}

export const atIdentity = (identity: number, bothStrands = false): Definition => ({
  within: (edits, longer) => 1 - edits / Math.max(1, longer) >= identity - 1e-9,
  distance: (edits, longer) => edits / Math.max(1, longer),
  bothStrands,
});

export const atEdits = (most: number): Definition => ({
  within: (edits) => edits <= most,
  distance: (edits) => edits,
});

/**
 * Greedy clusters of different sequences in order, by definition: for every one the place of its centroid, the edits
 * to it, and whether the other strand matched.
 */
export function greedyByDefinition(
  codes: readonly Uint8Array[],
  { within, distance, bothStrands = false }: Definition,
): [centroid: number, edits: number, reversed: number][] {
  const out: [number, number, number][] = [];
  const centroids: number[] = [];
  codes.forEach((sequence, i) => {
    let best: [number, number, number] | undefined;
    let least = Infinity;
    for (const centroid of centroids) {
      for (const reversed of bothStrands ? [0, 1] : [0]) {
        const probe = reversed === 1 ? reverseComplement(sequence) : sequence;
        const longer = Math.max(probe.length, codes[centroid].length);
        const edits = editDistance(probe, codes[centroid]);
        if (!within(edits, longer) || distance(edits, longer) >= least) continue;
        least = distance(edits, longer);
        best = [centroid, edits, reversed];
      }
    }
    if (best === undefined) centroids.push(i);
    out.push(best ?? [i, 0, 0]);
  });
  return out;
}

/** The members of every cluster, each in ascending order, sorted by their first. */
export function partsOf({ clusters }: Pick<Clustering, "clusters">): number[][] {
  const parts = new Map<number, number[]>();
  clusters.forEach((cluster, i) => parts.set(cluster, [...(parts.get(cluster) ?? []), i]));
  return [...parts.values()].sort((a, b) => a[0] - b[0]);
}
