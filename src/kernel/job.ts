/**
 * @file What the pool's threads are told of one request: where the sequences, the tiles and the result stand.
 */
import type { NumberArray } from "../sequence/condensed.ts";
import type { LinkageMethod } from "./linkage.ts";
import type { JoiningVariant } from "./neighbor-joining.ts";
import type { PackedCodes } from "./packed.ts";

/** Distances in shared memory: 16 bits a pair, or 32 where the greatest possible distance does not fit. */
export type Distances = Uint16Array | Uint32Array;

/** What an edit costs, where it is not 1. */
export interface Costs {
  /** [32 × 32] Cost of replacing code a by code b at 32 a + b: symmetric, 0…255. */
  substitution: Uint8Array;
  /** Cost of inserting or deleting one symbol, 1…65,535. */
  gap: number;
}

/** The part that all requests have in common. */
interface Request {
  /** Distances above this are reported as one more. */
  threshold: number;
  costs?: Costs;
  /** Lanes of a weighted vector: 8 of 16 bits or 4 of 32. */
  weightedLanes: 4 | 8;
  result: Distances;
}

/** Groups of patterns, each swept by a run of texts. */
export interface SweepJob extends Request {
  kind: "sweep";
  patterns: PackedCodes;
  texts: PackedCodes;
  /** Sequence indices by ascending length; groups and runs are ranges of them. */
  patternOrder: Uint32Array;
  textOrder: Uint32Array;
  /**
   * Where (pattern p, text t) goes: `condensed` where both are one set (only texts after the pattern in the
   * order count), `rows` at p · |texts| + t, `columns` at t · |patterns| + p.
   */
  layout: "condensed" | "rows" | "columns";
  /** [tiles × 4] First and last (exclusive) position in `patternOrder`, first and last in `textOrder`. */
  tiles: Uint32Array;
}

/** A list of pairs. */
export interface PairsJob extends Request {
  kind: "pairs";
  left: PackedCodes;
  right: PackedCodes;
  leftIndex: Uint32Array;
  rightIndex: Uint32Array;
  /** Positions of the list, by ascending length of the shorter sequence, then of the longer. */
  order: Uint32Array;
  /** Pairs that go through the kernel together: 128, or 1 where there are too few to fill vectors. */
  together: number;
  /** [tiles × 2] First and last (exclusive) position in `order`. */
  tiles: Uint32Array;
}

/** Alignment matrices in shared memory: shares of the softmax, or scores. */
export type AlignmentCells = Float32Array | Int16Array;

/** The alignment matrices of a list of pairs; a tile is a pair. */
export interface AlignmentJob {
  kind: "alignment";
  set: PackedCodes;
  sources: Uint32Array;
  targets: Uint32Array;
  /** No sequence is longer. */
  length: number;
  /** [pairs × (length + 1) × (length + 1)] */
  result: AlignmentCells;
}

/** The agglomerative clustering of a distance matrix, for one thread; a tile is a run of merges. */
export interface LinkageJob {
  kind: "linkage";
  method: LinkageMethod;
  /** n */
  count: number;
  /** [n(n−1)/2] in SciPy's order, in shared memory. */
  distances: NumberArray;
  /** [n] How many each thing stands for; 1 without them. */
  weights?: Float32Array;
  tiles: number;
  /** [n−1] A thing of either cluster, in the order of the merges. */
  left: Uint32Array;
  right: Uint32Array;
  /** [n−1] Squares of them for Ward's method. */
  heights: Float32Array;
}

/** The neighbour joining of a distance matrix, for one thread; a tile is a run of joins. */
export interface JoiningJob {
  kind: "joining";
  variant: JoiningVariant;
  /** n, at least 4. */
  count: number;
  /** [n(n−1)/2] in SciPy's order, in shared memory. */
  distances: NumberArray;
  tiles: number;
  /** [2(n−3) + 3] The two nodes of every join, n + k for that of join k, and the last three. */
  children: Uint32Array;
  /** [2(n−3) + 3] Lengths of the branches above them. */
  lengths: Float64Array;
}

/** One request, as every thread gets it. */
export type KernelJob = SweepJob | PairsJob | AlignmentJob | LinkageJob | JoiningJob;

/** No threshold: above every distance that a 32-bit kernel can produce, and safe to add to. */
export const UNLIMITED = 2 ** 30;

/** Pairs in one bit-sliced vector. */
export const SLICED_LANES = 128;

/** Number of tiles of a job. */
export function tileCount(job: KernelJob): number {
  if (job.kind === "linkage" || job.kind === "joining") return job.tiles;
  if (job.kind === "alignment") return job.sources.length;
  return job.tiles.length / (job.kind === "sweep" ? 4 : 2);
}
