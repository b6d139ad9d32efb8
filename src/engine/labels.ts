/**
 * @file Labels: exact distances among training sequences, computed once each and only when a batch asks.
 *
 * A run of a few minutes draws the same pair many times, so distances of small training sets are remembered in
 * a condensed matrix that fills up as batches ask; large sets, whose pairs hardly repeat, are computed afresh.
 */

import { UsageError } from "../error.ts";
import { packCodes, type Costs, type EditDistances, type PackedCodes } from "../kernel/index.ts";
import { condensedIndex, condensedLength } from "../sequence/condensed.ts";

/** Marks a pair that nobody has asked for yet. */
const UNKNOWN = 0xffff;

/** Pairs that are remembered at most (2 bytes each). */
const MEMORY = 2 ** 27;

/** Where exact distances come from. */
export interface DistanceOracle {
  /** Distances among the training sequences at `indices`, all pairs of them, condensed. */
  among(indices: Uint32Array): Promise<ArrayLike<number>>;
  /** Distances from new sequences to a batch, row-major; absent where sequences cannot be made up. */
  between?(fresh: readonly Uint8Array[], batch: readonly Uint8Array[]): Promise<ArrayLike<number>>;
  /** Distances of the pairs (left[i], right[i]) of training sequences. */
  pairs(left: Uint32Array, right: Uint32Array): Promise<ArrayLike<number>>;
}

/** Edit distances from the kernel. */
export class KernelOracle implements DistanceOracle {
  readonly #kernel: EditDistances;
  readonly #set: PackedCodes;
  readonly #costs: Costs | undefined;
  readonly #known: Uint16Array | undefined;

  constructor(
    kernel: EditDistances,
    sequences: readonly Uint8Array[],
    { costs, memory = MEMORY }: { costs?: Costs; memory?: number } = {},
  ) {
    this.#kernel = kernel;
    this.#set = packCodes(sequences);
    this.#costs = costs;
    const pairs = condensedLength(sequences.length);
    const longest = sequences.reduce((most, codes) => Math.max(most, codes.length), 0);
    // A cost table may give distances that do not fit; unit costs are at most the longer length.
    const fits = costs === undefined && longest < UNKNOWN;
    if (fits && pairs <= memory) this.#known = new Uint16Array(pairs).fill(UNKNOWN);
  }

  async pairs(left: Uint32Array, right: Uint32Array): Promise<ArrayLike<number>> {
    return this.#kernel.pairs(this.#set, left, right, { costs: this.#costs });
  }

  async among(indices: Uint32Array): Promise<ArrayLike<number>> {
    const count = indices.length;
    const known = this.#known;
    const left = new Uint32Array(condensedLength(count));
    const right = new Uint32Array(left.length);
    const places = new Float64Array(left.length);
    let missing = 0;
    let at = 0;
    const out = new Uint32Array(left.length);
    for (let i = 0; i < count; i++) {
      for (let j = i + 1; j < count; j++, at++) {
        const place = known === undefined ? 0 : condensedIndex(indices[i], indices[j], this.#set.length);
        out[at] = known === undefined ? UNKNOWN : known[place];
        if (known !== undefined && out[at] !== UNKNOWN) continue;
        left[missing] = indices[i];
        right[missing] = indices[j];
        places[missing] = place;
        out[at] = 0x80000000 + missing++;
      }
    }
    if (missing === 0) return out;
    const values = await this.pairs(left.slice(0, missing), right.slice(0, missing));
    for (let i = 0; known !== undefined && i < missing; i++) known[places[i]] = values[i];
    for (let i = 0; i < out.length; i++) if (out[i] >= 0x80000000) out[i] = values[out[i] - 0x80000000];
    return out;
  }

  between(fresh: readonly Uint8Array[], batch: readonly Uint8Array[]): Promise<ArrayLike<number>> {
    return this.#kernel.cross(packCodes(fresh), packCodes(batch), { costs: this.#costs });
  }
}

/** Distances that the user supplies, condensed, in the order of the training sequences. */
export class MatrixOracle implements DistanceOracle {
  readonly #values: ArrayLike<number>;
  readonly #count: number;

  /** Throws a `UsageError` where the matrix is not of `count` sequences. */
  constructor(values: ArrayLike<number>, count: number) {
    if (values.length !== condensedLength(count)) {
      throw new UsageError(
        `distances: must hold the ${condensedLength(count)} pairs of ${count} sequences, got ${values.length}`,
      );
    }
    this.#values = values;
    this.#count = count;
  }

  #at(i: number, j: number): number {
    return i === j ? 0 : this.#values[condensedIndex(i, j, this.#count)];
  }

  async pairs(left: Uint32Array, right: Uint32Array): Promise<ArrayLike<number>> {
    return Float32Array.from(left, (i, at) => this.#at(i, right[at]));
  }

  async among(indices: Uint32Array): Promise<ArrayLike<number>> {
    const out = new Float32Array(condensedLength(indices.length));
    let at = 0;
    for (let i = 0; i < indices.length; i++) {
      for (let j = i + 1; j < indices.length; j++) out[at++] = this.#at(indices[i], indices[j]);
    }
    return out;
  }
}
