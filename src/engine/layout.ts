/**
 * @file One vector for all parameters.
 *
 * A model's parameters are a tree of arrays in the code that uses them, and one flat vector everywhere else:
 * the optimiser is a dozen operators on one tensor instead of a dozen for each parameter, a step is fed three
 * tensors instead of three a parameter, and a checkpoint is a handful of vectors. The gradient with respect
 * to the vector is the concatenation of the gradients, so nothing else changes.
 */

import { numpy as np } from "@jax-js/jax";
import { UsageError } from "../error.ts";
import type { Random } from "../sequence/random.ts";
import { isParameterSpec, type ArrayTree, type ParameterSpec, type ParameterTree } from "../nn/parameter.ts";

/** Numbers by the path that parameters begin with. */
type Multiples = Readonly<Record<string, number>>;

/** A leaf of the tree and its place in the vector. */
export interface LayoutEntry {
  /** Dotted path, as in `stages.0.1.conv.weight`. */
  path: string;
  spec: ParameterSpec;
  offset: number;
  size: number;
}

/** The correspondence of a parameter tree and a vector. */
export class Layout {
  readonly #tree: ParameterTree;
  readonly entries: readonly LayoutEntry[];
  /** Length of the vector; 1 for an empty tree, since runtimes dislike empty tensors. */
  readonly size: number;

  constructor(parameters: ParameterTree) {
    this.#tree = parameters;
    let offset = 0;
    this.entries = leaves(parameters, "").map(({ path, spec }) => {
      const size = spec.shape.reduce((total, length) => total * length, 1);
      const entry = { path, spec, offset, size };
      offset += size;
      return entry;
    });
    this.size = Math.max(1, offset);
  }

  /** Initial values; each parameter draws from a stream of its own, named by its path. */
  initialize(random: Random): Float32Array {
    const vector = new Float32Array(this.size);
    for (const { path, spec, offset, size } of this.entries) {
      vector.set(spec.initialize(random.fork(path), size), offset);
    }
    return vector;
  }

  /**
   * Multiples of the weight decay: 1 for weights and 0 for all else, or 1 for all parameters if `all`; times what
   * `decays` says by the path that parameters begin with. Throws an error for a path that no parameter has.
   */
  decayMask({ all = false, decays = {} }: { all?: boolean; decays?: Multiples } = {}): Float32Array {
    const mask = new Float32Array(this.size);
    for (const { spec, offset, size } of this.entries) {
      if (all || spec.decay) mask.fill(1, offset, offset + size);
    }
    return this.multiples(decays)?.map((multiple, i) => multiple * mask[i]) ?? mask;
  }

  /**
   * Multiples of the learning rate by the path that parameters begin with, or nothing where all are 1.
   * Throws an error for a path that no parameter has.
   */
  multiples(rates: Multiples): Float32Array | undefined {
    const vector = new Float32Array(this.size).fill(1);
    for (const [prefix, rate] of Object.entries(rates)) {
      const within = this.entries.filter(({ path }) => path === prefix || path.startsWith(`${prefix}.`));
      if (within.length === 0) {
        const known = [...new Set(this.entries.map(({ path }) => path.split(".").slice(0, 2).join(".")))];
        throw new UsageError(`rates: must name parameters such as ${known.join(", ")}, got ${prefix}`);
      }
      for (const { offset, size } of within) vector.fill(rate, offset, offset + size);
    }
    return vector.every((multiple) => multiple === 1) ? undefined : vector;
  }

  /** The vector [size] as the tree of arrays, inside a traced function. Consumes the vector. */
  unpack(vector: np.Array): ArrayTree {
    if (this.entries.length === 0) {
      vector.dispose();
      return this.#rebuild(this.#tree, []);
    }
    const parts = pieces(
      vector,
      this.entries.map(({ size }) => size),
    );
    return this.#rebuild(
      this.#tree,
      parts.map((part, i) => part.reshape([...this.entries[i].spec.shape])),
    );
  }

  /** The tree's arrays as one vector [size], inside a traced function. Consumes them. */
  pack(tree: ArrayTree): np.Array {
    const arrays = arraysOf(tree);
    if (arrays.length === 0) return np.zeros([1]);
    return np.concatenate(arrays.map((array) => array.reshape([-1])));
  }

  /** The values of one parameter, a view of the vector. */
  view(vector: Float32Array, path: string): Float32Array {
    const entry = this.entries.find((candidate) => candidate.path === path);
    if (entry === undefined) throw new Error(`layout: no parameter "${path}"`);
    return vector.subarray(entry.offset, entry.offset + entry.size);
  }

  #rebuild(node: ParameterTree, arrays: np.Array[]): ArrayTree {
    if (isParameterSpec(node)) return arrays.shift()!;
    if (Array.isArray(node)) return node.map((child) => this.#rebuild(child, arrays));
    return Object.fromEntries(
      Object.entries(node).map(([name, child]) => [name, this.#rebuild(child, arrays)]),
    );
  }
}

/** Pieces that jax-js cuts a vector into at a time; more come one group after the other. */
const MOST_PIECES = 8;
/** The largest pieces of many, which are cut out before the others. */
const FIRST_CUT = 3;

/**
 * A vector in pieces of the sizes given, inside a traced function. Consumes the vector.
 *
 * Each group of cuts copies what the next ones are from, and so does the concatenation that is its gradient; with the
 * largest pieces out of the way what is copied again is small.
 */
function pieces(vector: np.Array, sizes: readonly number[]): np.Array[] {
  if (sizes.length === 1) return [vector];
  const total = (group: readonly number[]) => group.reduce((sum, size) => sum + size, 0);
  const groups = sizes.length <= MOST_PIECES ? sizes.map((size) => [size]) : aroundLargest(sizes);
  let end = 0;
  const ends = groups.slice(0, -1).map((group) => (end += total(group)));
  return np.split(vector, ends).flatMap((part, i) => pieces(part, groups[i]));
}

/** Runs of sizes: the largest ones alone, and those between them together. */
function aroundLargest(sizes: readonly number[]): number[][] {
  const largest = new Set([...sizes.keys()].sort((a, b) => sizes[b] - sizes[a]).slice(0, FIRST_CUT));
  const groups: number[][] = [];
  sizes.forEach((size, i) => {
    if (i === 0 || largest.has(i) || largest.has(i - 1)) groups.push([]);
    groups.at(-1)!.push(size);
  });
  return groups;
}

function leaves(node: ParameterTree, path: string): { path: string; spec: ParameterSpec }[] {
  if (isParameterSpec(node)) return [{ path, spec: node }];
  return Object.entries(node).flatMap(([name, child]: [string, ParameterTree]) =>
    leaves(child, path === "" ? name : `${path}.${name}`),
  );
}

function isArray(tree: ArrayTree): tree is np.Array {
  return typeof (tree as { reshape?: unknown }).reshape === "function";
}

function arraysOf(tree: ArrayTree): np.Array[] {
  if (isArray(tree)) return [tree];
  return Object.values(tree as Record<string, ArrayTree>).flatMap(arraysOf);
}
