/**
 * @file Labels: the exact distances among the sequences of a batch.
 *
 * The kernel computes the 32,640 distances of 256 reads in a few milliseconds of one core, less than a step of
 * training takes, so labels are computed when a batch needs them and never stored.
 */

import { UsageError } from "../error.ts";
import { packCodes, type Costs, type EditDistances, type PackedCodes } from "../kernel/index.ts";
import { condensedIndex, condensedLength } from "../sequence/condensed.ts";
import type { Align } from "./batches.ts";

/** Where exact distances come from. */
export interface DistanceOracle {
  /** Whether sequences can be labelled that are not in the training set. */
  readonly labelsNewSequences: boolean;
  /**
   * Distances among a batch, condensed: the training sequences at `indices`, then `fresh` ones that are not in
   * the training set.
   */
  among(indices: Uint32Array, fresh: readonly Uint8Array[]): Promise<ArrayLike<number>>;
  /** Distances of the pairs (left[i], right[i]) of training sequences. */
  pairs(left: Uint32Array, right: Uint32Array): Promise<ArrayLike<number>>;
}

/** Edit distances from the kernel. */
export class KernelOracle implements DistanceOracle {
  readonly labelsNewSequences = true;
  readonly #kernel: EditDistances;
  readonly #sequences: readonly Uint8Array[];
  readonly #packed: PackedCodes;
  readonly #costs: Costs | undefined;

  constructor(kernel: EditDistances, sequences: readonly Uint8Array[], { costs }: { costs?: Costs } = {}) {
    this.#kernel = kernel;
    this.#sequences = sequences;
    this.#packed = packCodes(sequences);
    this.#costs = costs;
  }

  pairs(left: Uint32Array, right: Uint32Array): Promise<ArrayLike<number>> {
    return this.#kernel.pairs(this.#packed, left, right, { costs: this.#costs });
  }

  among(indices: Uint32Array, fresh: readonly Uint8Array[]): Promise<ArrayLike<number>> {
    const members = Array.from(indices, (i) => this.#sequences[i]);
    return this.#kernel.allPairs(packCodes([...members, ...fresh]), { costs: this.#costs });
  }
}

/** Distances that the user supplies, condensed, in the order of the training sequences. */
export class MatrixOracle implements DistanceOracle {
  readonly labelsNewSequences = false;
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

/** Needleman-Wunsch targets from the kernel, for batches that come one after the other. */
export function kernelAligner(kernel: EditDistances): Align {
  let cells: Float32Array | undefined;
  return async (members, length) => {
    const pairs = members.length / 2;
    const left = Uint32Array.from({ length: pairs }, (_, i) => i);
    const right = left.map((i) => pairs + i);
    cells = await kernel.alignmentTargets(packCodes(members), left, right, { length, into: cells });
    // The runtime takes no shared memory.
    return Float32Array.from(cells);
  };
}
