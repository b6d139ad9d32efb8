/**
 * @file Leakage of a split: how near each test sequence is to what a model was trained on.
 *
 * The nearest training sequence of every test sequence is found exactly, by edit distance, in blocks of the kernel
 * (length-blocks.ts). Distances are capped, and the cap grows fourfold from round to round: most test sequences
 * have a near relative, and are done after rounds that cost a fraction of whole distances.
 *
 * Distances are global: a read that is another one cut short differs from it by what was cut off.
 */

import { EmbranchError } from "../error.ts";
import { EditDistances, type RequestOptions } from "../kernel/index.ts";
import type { SequenceSet } from "../sequence/index.ts";
import { fewestEdits, lengthBlocks } from "./length-blocks.ts";

export interface LeakageOptions extends Pick<RequestOptions, "signal"> {
  threads?: number;
  /** Test sequences whose nearest training sequence is known, and all. */
  progress?: RequestOptions["progress"];
}

/** For every test sequence its nearest training sequence, the first of equally near ones. */
export interface Nearest {
  /** [tests] Its index in the training set. */
  index: Uint32Array;
  /** [tests] Edit distance. */
  edits: Uint32Array;
  /** [tests] 1 − edits / length of the longer of the two. */
  identity: Float64Array;
}

/** How near test sequences are to their nearest training sequences. */
export interface Leakage {
  test: number;
  training: number;
  /** Test sequences that stand in the training set letter by letter. */
  copies: number;
  /** The share of test sequences that is at least so near: edits at most, identity at least. */
  quantiles: { share: number; edits: number; identity: number }[];
  /** Test sequences whose nearest training sequence differs by at most this percent of the longer one. */
  within: { percent: number; sequences: number }[];
}

/** The first cap on distances, in edits. */
const FIRST_CAP = 4;
const SHARES = [0, 0.05, 0.25, 0.5, 0.75, 0.95, 1];
const PERCENTS = [1, 3, 5, 10, 20];
/** Keeps 1 − 3/100 within 3 percent. */
const ROUNDING = 1e-9;

/**
 * Finds the nearest training sequence of every test sequence.
 *
 * @throws EmbranchError when there is nothing to test or to train on
 */
export async function nearestTraining(
  test: { codes: readonly Uint8Array[] },
  training: { codes: readonly Uint8Array[] },
  { threads, progress, signal }: LeakageOptions = {},
): Promise<Nearest> {
  const count = test.codes.length;
  for (const [name, { codes }] of Object.entries({ test, training })) {
    if (codes.length === 0) throw new EmbranchError(`leakage: ${name} must hold sequences, got none`);
  }
  const columns = lengthBlocks(training.codes, Uint32Array.from(training.codes.keys()));
  const index = new Uint32Array(count);
  const edits = new Uint32Array(count);
  const kernel = await EditDistances.create({ threads });
  try {
    let open = Uint32Array.from(test.codes.keys());
    for (let cap = FIRST_CAP; open.length > 0; cap *= 4) {
      for (const i of open) edits[i] = cap + 1;
      for (const left of lengthBlocks(test.codes, open)) {
        for (const right of columns) {
          if (fewestEdits(left, right) > cap) continue;
          const distances = await kernel.cross(left.packed, right.packed, { threshold: cap, signal });
          let at = 0;
          for (const i of left.indices) {
            for (const j of right.indices) {
              const distance = distances[at++];
              if (distance > edits[i] || (distance === edits[i] && j >= index[i])) continue;
              edits[i] = distance;
              index[i] = j;
            }
          }
        }
      }
      open = open.filter((i) => edits[i] > cap);
      progress?.(count - open.length, count);
    }
  } finally {
    await kernel.close();
  }
  const identity = Float64Array.from(edits, (distance, i) => {
    return 1 - distance / Math.max(1, test.codes[i].length, training.codes[index[i]].length);
  });
  return { index, edits, identity };
}

/** Sums up the nearest training sequences, of which there are `training` to choose from. */
export function summariseLeakage({ edits, identity }: Nearest, training: number): Leakage {
  const test = edits.length;
  const near = edits.toSorted();
  const alike = identity.toSorted().reverse();
  return {
    test,
    training,
    copies: edits.reduce((count, distance) => count + (distance === 0 ? 1 : 0), 0),
    quantiles: SHARES.map((share) => {
      const at = Math.max(0, Math.ceil(share * test) - 1);
      return { share, edits: near[at], identity: alike[at] };
    }),
    within: PERCENTS.map((percent) => ({
      percent,
      sequences: alike.filter((value) => 1 - value <= percent / 100 + ROUNDING).length,
    })),
  };
}

/** Test id, nearest training id, edits and identity, a line each, as tab-separated text in pieces. */
export function* formatLeakageTsv(
  test: Pick<SequenceSet, "ids">,
  training: Pick<SequenceSet, "ids">,
  { index, edits, identity }: Nearest,
): Generator<string> {
  yield "test\tnearest_training\tedits\tidentity\n";
  for (const [i, id] of test.ids.entries()) {
    yield `${id}\t${training.ids[index[i]]}\t${edits[i]}\t${identity[i].toFixed(4)}\n`;
  }
}
