/**
 * @file What the pool's threads are told of one request: where the sequences, the tiles and the result stand.
 */
import type { NumberArray } from "../sequence/condensed.ts";
import type { LetterScores } from "./letters.ts";
import type { LinkageMethod } from "./linkage.ts";
import type { JoiningVariant } from "./neighbor-joining.ts";
import type { PackedCodes } from "./packed.ts";
import type { Joins } from "./progressive.ts";
import type { Scoring } from "./scoring.ts";
import type { SharedHeapState } from "./shared-heap.ts";

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

/** The alignments of a list of pairs; a tile is a pair. */
export interface PairAlignmentJob {
  kind: "pair-alignment";
  /** Sequences of letters, numbered as `letters` says. */
  a: PackedCodes;
  b: PackedCodes;
  left: Uint32Array;
  right: Uint32Array;
  letters: LetterScores;
  scoring: Scoring;
  heap: SharedHeapState;
  /** [pairs, 2] Block and length of each path. */
  paths: Int32Array;
  /** [pairs] */
  scores: Float32Array;
}

/** The distances of all pairs of an alignment's sequences; a tile is a sequence, with those after it. */
export interface AlignedDistancesJob {
  kind: "aligned-distances";
  /** n, at least 2. */
  count: number;
  /** Columns, up to a multiple of 16. */
  stride: number;
  /** [n, stride] Codes, and 255 for gaps. */
  rows: Uint8Array;
  /** [n] */
  lengths: Uint32Array;
  /** [n(n−1)/2] */
  result: Float32Array;
}

/** The progressive alignment of n sequences along a tree of 2n − 1 nodes, sequences first; a tile is a sequence. */
export interface ProgressiveJob {
  kind: "progressive";
  /** Sequences of letters, numbered as `letters` says. */
  set: PackedCodes;
  letters: LetterScores;
  scoring: Scoring;
  joins: Joins;
  /** [nodes] Number of the node above; −1 for the root. */
  parent: Int32Array;
  /** [n] */
  weights: Float32Array;
  /** [n] Sequences in the order in which they are taken. */
  order: Uint32Array;
  /** [nodes] How many of a node's two branches are done. */
  arrivals: Int32Array;
  heap: SharedHeapState;
  /** [nodes, 2] Block and width of a profile that was put aside, and its weight [nodes]. */
  places: Int32Array;
  sums: Float64Array;
  /** [nodes, 2] Block and length of the path of a join. */
  paths: Int32Array;
}

/** The refinement of an alignment along the branches of a tree, for one thread; a tile is a branch. */
export interface RefinementJob {
  kind: "refinement";
  /** Sequences of letters, numbered as `letters` says. */
  set: PackedCodes;
  letters: LetterScores;
  scoring: Scoring;
  /** [n] */
  weights: Float32Array;
  /** [n] Sequences in the order of the tree's leaves, and where in it those below each branch start and end. */
  order: Uint32Array;
  starts: Uint32Array;
  branches: number;
  tiles: number;
  /** [letters] The alignment: the columns of the first sequence's letters, then of the second's, and so on. */
  columns: Uint32Array;
  /** [1] Number of columns. */
  width: Uint32Array;
}

/** Gromov's δ of distance matrices of n things each; a tile is a run of base points of one of them. */
export interface GromovJob {
  kind: "gromov";
  /** n */
  count: number;
  /** [matrices, n(n−1)/2] in SciPy's order, in shared memory; whole numbers of 16 bits, or floats. */
  distances: Uint16Array | Float32Array;
  /** [matrices] The greatest distance of each. */
  diameters: Float64Array;
  /** Base points, the same of every matrix. */
  bases: Uint32Array;
  basesPerTile: number;
  tiles: number;
  /** [matrices, bases, 3] Greatest and sum of 2δ_p, and twice the least of Gromov's products. */
  totals: Float64Array;
  /** [matrices, 1001] Histograms of 2δ_p in thousandths of the diameter. */
  counts: BigInt64Array;
}

/** One request, as every thread gets it. */
export type KernelJob =
  | SweepJob
  | PairsJob
  | AlignmentJob
  | LinkageJob
  | JoiningJob
  | PairAlignmentJob
  | ProgressiveJob
  | RefinementJob
  | AlignedDistancesJob
  | GromovJob;

/** No threshold: above every distance that a 32-bit kernel can produce, and safe to add to. */
export const UNLIMITED = 2 ** 30;

/** Pairs in one bit-sliced vector. */
export const SLICED_LANES = 128;

/** Number of tiles of a job. */
export function tileCount(job: KernelJob): number {
  if (job.kind === "linkage" || job.kind === "joining" || job.kind === "refinement") return job.tiles;
  if (job.kind === "gromov") return job.tiles;
  if (job.kind === "progressive") return job.set.length;
  if (job.kind === "aligned-distances") return job.count - 1;
  if (job.kind === "pair-alignment") return job.left.length;
  if (job.kind === "alignment") return job.sources.length;
  return job.tiles.length / (job.kind === "sweep" ? 4 : 2);
}
