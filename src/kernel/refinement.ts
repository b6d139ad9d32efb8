/**
 * @file Iterative refinement: an alignment is parted in two along a branch of its guide tree, and the parts are aligned
 * anew (Barton and Sternberg 1987; "tree-dependent restricted partitioning", Hirosawa and others 1995).
 *
 * What progressive alignment has joined badly near the leaves it never mends; here every group of the tree is taken out
 * once a round and put back where it fits the rest best. Pairs within either part stay as they are, and the score of
 * those between them is what the alignment of the two profiles makes as great as possible; it is kept if it is better
 * than the old one. As profiles do not tell whose gap goes on into the next column, what is better for one branch may
 * be worse for another: it ends after so many rounds, or when nothing changes any more.
 *
 * One thread, O(letters + columns²) time a branch.
 */
import type { Alignment } from "../sequence/alignment.ts";
import type { Kernel } from "./instance.ts";
import type { RefinementJob } from "./job.ts";
import { letterScores, packLetters, usedCodes } from "./letters.ts";
import type { RequestOptions } from "./pool.ts";
import { ProfileAligner } from "./profile-alignment.ts";
import { branchSizes, type Joins } from "./progressive.ts";
import { addToProfile, BOTH, emptyProfile, FIRST, placesOf, SECOND, type Profile } from "./profile.ts";
import type { Scoring } from "./scoring.ts";
import { runInOrder } from "./threads.ts";

/** A better score must be so much better, of its size: rounding is no reason to change an alignment. */
const MARGIN = 1e-5;

export interface RefinementOptions extends RequestOptions {
  /** How often every branch is looked at, at most; it ends sooner where nothing changes any more. */
  rounds: number;
}

/** Makes an alignment better along the branches of the binary tree that it was made by. */
export async function refineAlignment(
  sequences: readonly Uint8Array[],
  { width, columns }: Alignment,
  joins: Joins,
  weights: Float32Array,
  scoring: Scoring,
  { rounds, ...request }: RefinementOptions,
): Promise<Alignment> {
  const { order, starts } = branchesOf(joins);
  const branches = starts.length / 2;
  const tiles = rounds * branches;
  if (tiles === 0) return { width, columns: [...columns] };
  const letters = letterScores(usedCodes(sequences), scoring);
  const packed = packLetters(sequences, letters);
  const job: RefinementJob = {
    kind: "refinement",
    set: packed,
    letters,
    scoring,
    weights,
    order,
    starts,
    branches,
    tiles,
    columns: new Uint32Array(new SharedArrayBuffer(4 * packed.codes.length)),
    width: new Uint32Array(new SharedArrayBuffer(4)).fill(width),
  };
  columns.forEach((own, i) => job.columns.set(own, packed.offsets[i]));
  await runInOrder(job, tiles, request);
  return {
    width: job.width[0],
    columns: columns.map((_, i) => job.columns.slice(packed.offsets[i], packed.offsets[i + 1])),
  };
}

/** Leaves of a tree in its order, and for every branch but the last join's second, which parts as the first, [from, to). */
function branchesOf(joins: Joins): { order: Uint32Array; starts: Uint32Array } {
  const { left, right } = joins;
  const n = left.length + 1;
  const sizes = branchSizes(joins);
  const from = new Uint32Array(2 * n - 1);
  for (let k = n - 2; k >= 0; k--) {
    from[left[k]] = from[n + k];
    from[right[k]] = from[n + k] + sizes[left[k]];
  }
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[from[i]] = i;
  const starts: number[] = [];
  // Large groups first: their members then move together, and not one by one to where the rest draws each of them.
  for (let node = 2 * n - 3; node >= 0; node--) {
    if (node === right[n - 2]) continue;
    starts.push(from[node], from[node] + sizes[node]);
  }
  return { order, starts: Uint32Array.from(starts) };
}

/** Runs the tiles of one refinement on one thread's kernel, in their order: a tile is a branch, of round after round. */
export class RefinementRunner {
  readonly #job: RefinementJob;
  readonly #aligner: ProfileAligner;
  readonly #sequences: Uint8Array[];
  readonly #columns: Uint32Array[];
  /** Tile of the last change; branches that were all looked at since need not be again. */
  #changed = -1;

  constructor(kernel: Kernel, job: RefinementJob) {
    this.#job = job;
    kernel.rewind();
    this.#aligner = new ProfileAligner(kernel, job.letters, job.scoring);
    const { codes, offsets, length } = job.set;
    const parts = Array.from({ length }, (_, i) => [offsets[i], offsets[i + 1]] as const);
    this.#sequences = parts.map(([from, to]) => codes.subarray(from, to));
    this.#columns = parts.map(([from, to]) => job.columns.subarray(from, to));
  }

  /** Takes out the group of one branch and puts it back; returns 1, the number of branches. */
  run(tile: number): number {
    const { order, starts, branches } = this.#job;
    const branch = tile % branches;
    if (tile - this.#changed > branches) return 1;
    const inside = new Uint8Array(this.#sequences.length);
    for (const member of order.subarray(starts[2 * branch], starts[2 * branch + 1])) inside[member] = 1;
    if (this.#realign(inside)) this.#changed = tile;
    return 1;
  }

  /** Aligns the members of a group with the others; whether that is better than it was. */
  #realign(inside: Uint8Array): boolean {
    const { width } = this.#job;
    const [first, firstPlaces] = this.#part(inside, 1);
    const [second, secondPlaces] = this.#part(inside, 0);
    const before = new Uint8Array(width[0]);
    let used = 0;
    for (let column = 0; column < width[0]; column++) {
      const [a, b] = [firstPlaces[column] >= 0, secondPlaces[column] >= 0];
      if (a || b) before[used++] = a && b ? BOTH : a ? FIRST : SECOND;
    }
    const old = this.#aligner.scoreOf(before.subarray(0, used), first, second);
    const { score, path } = this.#aligner.align(first, second);
    if (!(score > old + MARGIN * Math.max(1, Math.abs(old)))) return false;
    const [firstTarget, secondTarget] = [placesOf(path, SECOND), placesOf(path, FIRST)];
    this.#columns.forEach((columns, i) => {
      const [places, target] = inside[i] === 1 ? [firstPlaces, firstTarget] : [secondPlaces, secondTarget];
      for (let k = 0; k < columns.length; k++) columns[k] = target[places[columns[k]]];
    });
    width[0] = path.length;
    return true;
  }

  /** The profile of one part, without columns of gaps, and the place in it of each column, −1 for those. */
  #part(inside: Uint8Array, side: number): [Profile, Int32Array] {
    const { letters, weights } = this.#job;
    const width = this.#job.width[0];
    const places = new Int32Array(width).fill(-1);
    this.#columns.forEach((columns, i) => {
      if (inside[i] === side) for (const column of columns) places[column] = 0;
    });
    let used = 0;
    for (let column = 0; column < width; column++) if (places[column] === 0) places[column] = used++;
    const profile = emptyProfile(used, letters.count);
    this.#sequences.forEach((sequence, i) => {
      if (inside[i] !== side) return;
      addToProfile(profile, sequence, this.#columns[i], weights[i], places);
    });
    return [profile, places];
  }
}
