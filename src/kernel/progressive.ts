/**
 * @file Progressive alignment: profiles joined along a tree, from the leaves to the root, on all threads.
 *
 * A node can be aligned once both of its children are. Threads take leaves; the second to arrive at a node aligns it
 * and goes on to the node above, the first puts its profile aside (shared-heap.ts) and takes another leaf. As leaves
 * come in the order of a walk through the tree that enters the larger branch first, few profiles wait at a time:
 * O(log n) in a balanced tree. No thread ever waits for another, and what comes out does not depend on which did what.
 *
 * Of every join only its path is kept; {@link columnsOfPaths} turns paths into columns once all are there. Time of a
 * join is O(columns²).
 */
import type { Alignment } from "../sequence/alignment.ts";
import type { Kernel } from "./instance.ts";
import type { ProgressiveJob } from "./job.ts";
import { letterScores, packLetters, toLetters, usedCodes, type LetterScores } from "./letters.ts";
import { ProfileAligner } from "./profile-alignment.ts";
import {
  addToProfile,
  emptyProfile,
  FIRST,
  mergeProfiles,
  placesOf,
  planeStride,
  SECOND,
  sequenceProfile,
  type Profile,
} from "./profile.ts";
import { checkScoring, type Scoring } from "./scoring.ts";
import { SharedHeap } from "./shared-heap.ts";
import { runJob, type JobOptions } from "./threads.ts";

/** Which two things are joined in turn: sequences 0…n−1, and n + k what join k made. */
export interface Joins {
  /** [n − 1] */
  left: Uint32Array;
  right: Uint32Array;
}

export interface ProgressiveOptions extends JobOptions {
  /** An alignment that takes the place of the first sequence, and is kept as it is but for columns of gaps. */
  first?: { sequences: readonly Uint8Array[]; alignment: Alignment };
}

/**
 * Aligns n ≥ 1 sequences of codes along the joins of a binary tree.
 *
 * `weights` [n], above 0, say how much each sequence counts in a profile.
 */
export async function progressiveAlignment(
  sequences: readonly Uint8Array[],
  joins: Joins,
  weights: Float32Array,
  scoring: Scoring,
  { first, ...options }: ProgressiveOptions = {},
): Promise<Alignment> {
  const n = sequences.length;
  if (n === 1) return columnsOfPaths(sequences, joins, []);
  checkScoring(scoring);
  const letters = letterScores(usedCodes([...sequences, ...(first?.sequences ?? [])]), scoring);
  const nodes = 2 * n - 1;
  const shared = <Values>(type: new (buffer: SharedArrayBuffer) => Values, bytes: number): Values =>
    new type(new SharedArrayBuffer(bytes));
  const parent = shared(Int32Array, 4 * nodes).fill(-1);
  for (let k = 0; k < n - 1; k++) parent[joins.left[k]] = parent[joins.right[k]] = n + k;
  const heap = new SharedHeap();
  const job: ProgressiveJob = {
    kind: "progressive",
    set: packLetters(sequences, letters),
    letters,
    scoring,
    joins,
    parent,
    weights: Float32Array.from(weights),
    order: visitingOrder(joins),
    arrivals: shared(Int32Array, 4 * nodes),
    heap: heap.state,
    places: shared(Int32Array, 8 * nodes),
    sums: shared(Float64Array, 8 * nodes),
    paths: shared(Int32Array, 8 * nodes),
  };
  if (first !== undefined) putAside(job, heap, 0, profileOf(first, letters));
  await runJob(job, n - 1, options);
  const paths = Array.from({ length: n - 1 }, (_, k) =>
    heap.bytes(job.paths[2 * (n + k)], job.paths[2 * (n + k) + 1]),
  );
  return columnsOfPaths(sequences, joins, paths);
}

/** The profile of an alignment, its sequences all of one weight. */
function profileOf(
  { sequences, alignment }: { sequences: readonly Uint8Array[]; alignment: Alignment },
  letters: LetterScores,
): Profile {
  const profile = emptyProfile(alignment.width, letters.count);
  sequences.forEach((sequence, i) => {
    addToProfile(profile, toLetters(sequence, letters), alignment.columns[i], 1);
  });
  return profile;
}

/** Leaves a profile in the heap. */
function putAside(
  { places, sums }: ProgressiveJob,
  heap: SharedHeap,
  node: number,
  { width, weight, counts, letters }: Profile,
): void {
  const block = heap.allocate(counts.byteLength + letters.byteLength);
  const floats = heap.floats(block, counts.length + letters.length);
  floats.set(counts);
  floats.set(letters, counts.length);
  places[2 * node] = block;
  places[2 * node + 1] = width;
  sums[node] = weight;
}

/** [2n − 1] How many leaves are below each node; 1 for a leaf. */
export function branchSizes({ left, right }: Joins): Uint32Array {
  const n = left.length + 1;
  const sizes = new Uint32Array(2 * n - 1).fill(1, 0, n);
  for (let k = 0; k < n - 1; k++) sizes[n + k] = sizes[left[k]] + sizes[right[k]];
  return sizes;
}

/** Leaves in the order of a walk that enters the branch with more of them first. */
function visitingOrder(joins: Joins): Uint32Array {
  const { left, right } = joins;
  const n = left.length + 1;
  const sizes = branchSizes(joins);
  const order = new Uint32Array(n);
  let found = 0;
  const stack = [2 * n - 2];
  for (let node = stack.pop(); node !== undefined; node = stack.pop()) {
    if (node < n) {
      order[found++] = node;
      continue;
    }
    const [a, b] = [left[node - n], right[node - n]];
    const [larger, smaller] = sizes[a] >= sizes[b] ? [a, b] : [b, a];
    stack.push(smaller, larger);
  }
  return order;
}

/** The columns of all letters, from the paths of the joins. */
export function columnsOfPaths(
  sequences: readonly Uint8Array[],
  { left, right }: Joins,
  paths: readonly Uint8Array[],
): Alignment {
  const n = sequences.length;
  const width = n === 1 ? sequences[0].length : paths[n - 2].length;
  const columns = new Array<Uint32Array>(n);
  /** Nodes, and which of all columns are theirs. */
  const stack: [node: number, columns: Uint32Array][] = [
    [2 * n - 2, Uint32Array.from({ length: width }, (_, column) => column)],
  ];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const [node, own] = top;
    if (node < n) {
      columns[node] = own;
      continue;
    }
    const path = paths[node - n];
    stack.push([left[node - n], placesOf(path, SECOND).map((k) => own[k])]);
    stack.push([right[node - n], placesOf(path, FIRST).map((k) => own[k])]);
  }
  return { width, columns };
}

/** Runs the tiles of one progressive alignment on one thread's kernel: a tile is a leaf, and the joins that it completes. */
export class ProgressiveRunner {
  readonly #job: ProgressiveJob;
  readonly #heap: SharedHeap;
  readonly #aligner: ProfileAligner;

  constructor(kernel: Kernel, job: ProgressiveJob) {
    this.#job = job;
    this.#heap = new SharedHeap(job.heap);
    kernel.rewind();
    this.#aligner = new ProfileAligner(kernel, job.letters, job.scoring);
  }

  /** Goes from a leaf up to where the other branch is not done yet; returns the number of joins made. */
  run(tile: number): number {
    const { parent, arrivals, joins, order, set, paths } = this.#job;
    let node = order[tile];
    /** Of what this thread has joined; a sequence's own is made when it is needed. */
    let profile: Profile | undefined;
    for (let joined = 0; ; joined++) {
      const above = parent[node];
      if (above < 0) return joined;
      // Whoever comes second need put nothing aside.
      const aside = profile !== undefined && Atomics.load(arrivals, above) === 0;
      if (profile !== undefined && aside) putAside(this.#job, this.#heap, node, profile);
      if (Atomics.add(arrivals, above, 1) === 0) return joined;
      if (aside) this.#take(node);
      const own = profile ?? this.#take(node);
      const [left, right] = [joins.left[above - set.length], joins.right[above - set.length]];
      const first = left === node ? own : this.#take(left);
      const second = right === node ? own : this.#take(right);
      const { path } = this.#aligner.align(first, second);
      paths[2 * above] = this.#heap.put(path);
      paths[2 * above + 1] = path.length;
      profile = mergeProfiles(first, second, path);
      node = above;
    }
  }

  /** The profile of a sequence, or one that was put aside, whose block is free from then on. */
  #take(node: number): Profile {
    const { set, letters, weights, places, sums } = this.#job;
    if (places[2 * node] === 0) {
      const sequence = set.codes.subarray(set.offsets[node], set.offsets[node + 1]);
      return sequenceProfile(sequence, letters.count, weights[node]);
    }
    const [block, width] = [places[2 * node], places[2 * node + 1]];
    const stride = planeStride(width);
    const cells = letters.count * stride;
    const floats = this.#heap.floats(block, cells + width).slice();
    this.#heap.release(block, floats.byteLength);
    return {
      width,
      weight: sums[node],
      stride,
      counts: floats.subarray(0, cells),
      letters: floats.subarray(cells),
    };
  }
}
