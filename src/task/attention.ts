/**
 * @file A learned attention map and the Needleman-Wunsch matrix it should resemble (SPEC B2–B5).
 */

import type { AttentionModel } from "../engine/model-file.ts";
import { EditDistances, packCodes } from "../kernel/index.ts";

/** What a model makes of a pair; maps are [n + 1, n + 1], rows of the target and columns of the source. */
export interface PairMaps {
  attention: Float32Array;
  /** The softmax of each row of the alignment matrix. */
  alignment: Float32Array;
  editDistance: number;
  /** Jensen–Shannon divergence of the one from the other, summed over cells, in nats. */
  divergence: number;
}

/** Added to probabilities before their logarithm is taken, as in training. */
const TINY = 1e-7;

/** The maps of two sequences of codes. */
export async function attentionMaps(
  model: AttentionModel,
  source: Uint8Array,
  target: Uint8Array,
): Promise<PairMaps> {
  const attention = await model.map(source, target);
  const kernel = await EditDistances.create({ threads: 1 });
  try {
    const [left, right] = [Uint32Array.of(0), Uint32Array.of(1)];
    const pair = packCodes([source, target]);
    const { length } = model.manifest;
    const alignment = await kernel.alignmentTargets(pair, left, right, { length });
    const [editDistance] = await kernel.pairs(pair, left, right);
    return { attention, alignment, editDistance, divergence: divergence(attention, alignment) };
  } finally {
    await kernel.close();
  }
}

function divergence(map: Float32Array, matrix: Float32Array): number {
  let sum = 0;
  for (let i = 0; i < map.length; i++) {
    const [p, q] = [map[i] + TINY, matrix[i] + TINY];
    const middle = (p + q) / 2;
    sum += (p * Math.log(p / middle) + q * Math.log(q / middle)) / 2;
  }
  return sum;
}
