/**
 * @file The Needleman-Wunsch Attention regulariser (Lee and No, IEEE Access 2024; SPEC B2–B5).
 *
 * While training, a decoder unfolds an embedding into a vector for each position, and cross-attention between
 * two sequences' vectors gives a map [target position, source position]. The map is pulled towards the pair's
 * Needleman-Wunsch matrix, row by row a distribution, so the embedding must keep what an alignment needs.
 * Inference uses the encoder alone.
 *
 * The decoder: dense, ReLU and batch normalisation to n + 1 positions, then post-norm transformer layers. The
 * map: queries of the target, keys of the source, several heads whose scores are merged cell by cell by a
 * small network, and a softmax over the source. Positions beyond a sequence's end are masked, so sequences
 * may differ in length.
 *
 * `reference` repeats two slips of the code that the published numbers come from (SPEC B4): the target passes
 * twice through the last layer, and heads are cut out of memory without regard to positions.
 */

import { numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { UsageError } from "../error.ts";
import { chain, fixed, type Block, type Context } from "./block.ts";
import { batchNormalization, dense, layerNormalization, rectifier, softmax } from "./blocks.ts";
import { linear, relu, type LinearArrays } from "./layers.ts";
import { constant, normal, xavier, type ArrayTree, type ParameterTree } from "./parameter.ts";
import { transformerLayer } from "./transformer.ts";

export const nwaOptions = z.strictObject({
  lambda: z.number().positive().default(1e-5).describe("weight beside the loss of distances"),
  width: z.int().positive().optional().describe("width of a position's vector (default: half the dimension)"),
  heads: z.int().positive().default(4).describe("attention heads"),
  layers: z.int().positive().default(2).describe("transformer layers of the decoder"),
  inner: z.int().positive().default(1024).describe("width inside their feed-forward parts"),
  rate: z.number().positive().default(0.1).describe("its learning rate, as a multiple of the encoder's"),
  pairs: z
    .int()
    .positive()
    .optional()
    .describe(
      "pairs of a batch that are aligned in a step (default: each of its first half with one of its second)",
    ),
  divergence: z
    .enum(["jsd", "mse"])
    .default("jsd")
    .describe("how far a map is from its matrix: Jensen-Shannon divergence or squared differences"),
  reference: z.boolean().default(false).describe("repeat the published code's slips"),
});

export type NwaOptions = z.output<typeof nwaOptions>;

/** What the attention map is made of; arrays are consumed. */
export interface AttentionInput {
  /** Points of the sources and of the targets, [pairs, m]. */
  source: np.Array;
  target: np.Array;
  /** Lengths of both, in letters, [pairs]. */
  sourceLengths: np.Array;
  targetLengths: np.Array;
}

export interface NwaRegularizer {
  readonly parameters: ParameterTree;
  readonly statistics: ParameterTree;
  /** The map [pairs, n + 1, n + 1]: rows are target positions, and sum to 1 up to the target's end. */
  map(
    parameters: ArrayTree,
    statistics: ArrayTree,
    input: AttentionInput,
    context: Context,
  ): { map: np.Array; statistics: ArrayTree };
}

/** Added to a score that must not count. */
const FORBIDDEN = -1e9;
/** Added to probabilities before their logarithm is taken (SPEC B5). */
const TINY = 1e-7;

/** 1 up to the sequence's end, then 0: lengths [pairs] to [pairs, positions]. */
function present(lengths: np.Array, positions: number): np.Array {
  const at = np.arange(positions).astype(np.float32).reshape([1, positions]);
  return np.where(at.lessEqual(lengths.reshape([-1, 1])), 1, 0);
}

interface Crossing {
  [name: string]: ArrayTree;
  norm: ArrayTree;
  query: LinearArrays;
  key: LinearArrays;
  merge: LinearArrays;
  score: LinearArrays;
}

/** The regulariser for points of `dim` coordinates of sequences up to `length` letters. */
export function nwaRegularizer(
  { width: given, heads, layers, inner, reference }: NwaOptions,
  { length, dim }: { length: number; dim: number },
): NwaRegularizer {
  const width = given ?? Math.ceil(dim / 2);
  if (width % heads !== 0) throw new UsageError(`heads: must divide the width of ${width}, got ${heads}`);
  const positions = length + 1;
  const size = width / heads;
  const unfold = chain({
    dense: dense(dim, positions * width, {
      weight: normal([dim, positions * width]),
      bias: constant([positions * width], 0),
    }),
    relu: rectifier(),
    norm: batchNormalization(positions * width),
    positions: fixed((x) => x.reshape([-1, positions, width])),
  });
  const stack = Array.from({ length: layers }, () =>
    transformerLayer({ tokens: positions, width, heads, inner, uniform: true }),
  );
  const norm = layerNormalization(width);
  // From N(0, 1), maps start as noise of sharp peaks, farther from any matrix than a flat map, and on the way to that
  // the ReLU between the heads and the score dies for good.
  const spread = (inputs: number) => (reference ? 1 : 1 / Math.sqrt(inputs));
  const projection = () => ({ weight: xavier([width, width], width, width, 1), bias: constant([width], 0) });
  return {
    parameters: {
      unfold: unfold.parameters,
      layers: stack.map(({ parameters }) => parameters),
      cross: {
        norm: norm.parameters,
        query: projection(),
        key: projection(),
        merge: { weight: normal([heads, heads], spread(heads * size)), bias: constant([heads], 0) },
        score: { weight: normal([heads, 1], spread(heads)), bias: constant([1], 0) },
      },
    },
    statistics: unfold.statistics,
    map: (parameters, statistics, { source, target, sourceLengths, targetLengths }, context) => {
      const trained = parameters as { unfold: ArrayTree; layers: ArrayTree[]; cross: Crossing };
      const pairs = source.shape[0];
      const unfolded = unfold.apply(trained.unfold, statistics, np.concatenate([source, target], 0), context);
      const [s, t] = decoded(stack, trained.layers, unfolded.output, context, reference);

      const { query, key, merge, score } = trained.cross;
      const both = np.concatenate([t, s], 0);
      const [queries, keys] = np.split(norm.apply(trained.cross.norm, {}, both, context).output, 2, 0);
      const cut = (x: np.Array) =>
        reference
          ? x.reshape([pairs, heads, positions, size])
          : x.reshape([pairs, positions, heads, size]).transpose([0, 2, 1, 3]);
      const q = cut(linear(query, queries));
      const k = cut(linear(key, keys)).transpose([0, 1, 3, 2]);
      const cells = positions * positions;
      const scores = np.matmul(q, k).reshape([pairs, heads, cells]);
      // Heads along rows, so that merging them is a product that moves nothing.
      const merged = relu(
        np
          .matmul(merge.weight.transpose().reshape([1, heads, heads]), scores)
          .add(merge.bias.reshape([1, heads, 1])),
      );
      const logits = np
        .matmul(score.weight.reshape([1, 1, heads]), merged)
        .add(score.bias.reshape([1, 1, 1]))
        .reshape([pairs, positions, positions]);
      const columns = present(sourceLengths, positions).reshape([pairs, 1, positions]);
      const rows = present(targetLengths, positions).reshape([pairs, positions, 1]);
      const masked = logits.add(columns.mul(-FORBIDDEN).add(FORBIDDEN));
      return { map: softmax(masked).mul(rows), statistics: unfolded.statistics };
    },
  };
}

/** Vectors of the sources and of the targets after the decoder's layers, [pairs, positions, width] each. */
function decoded(
  stack: readonly Block[],
  parameters: readonly ArrayTree[],
  x: np.Array,
  context: Context,
  reference: boolean,
): np.Array[] {
  // Without batch normalisation, a layer's statistics are an empty tree.
  const through = (block: Block, arrays: ArrayTree, y: np.Array) =>
    block.apply(arrays, block.statistics as ArrayTree, y, context).output;
  if (!reference)
    return np.split(
      stack.reduce((y, block, i) => through(block, parameters[i], y), x),
      2,
      0,
    );
  const last = stack.length - 1;
  const shared = layerReferences(parameters[last], last + 1);
  let [source, target] = np.split(x, 2, 0);
  stack.forEach((block, i) => {
    source = through(block, i === last ? shared.own : parameters[i], source);
    target = through(stack[last], shared.others[i], target);
  });
  return [source, target];
}

/** A layer's arrays, and as many further references to them. */
function layerReferences(arrays: ArrayTree, count: number): { own: ArrayTree; others: ArrayTree[] } {
  return { own: arrays, others: Array.from({ length: count }, () => referenced(arrays)) };
}

function referenced(tree: ArrayTree): ArrayTree {
  if (Array.isArray(tree)) return tree.map(referenced);
  if (typeof (tree as { reshape?: unknown }).reshape === "function") return (tree as np.Array).ref;
  return Object.fromEntries(
    Object.entries(tree as Record<string, ArrayTree>).map(([name, child]) => [name, referenced(child)]),
  );
}

/**
 * Jensen–Shannon divergence of maps from targets [pairs, n + 1, n + 1], or their squared differences, summed over
 * cells and averaged over pairs (SPEC B5). Consumes both.
 */
export function mapDivergence(
  map: np.Array,
  targets: np.Array,
  divergence: NwaOptions["divergence"] = "jsd",
): np.Array {
  const pairs = map.shape[0];
  if (divergence === "mse")
    return np
      .square(map.sub(targets))
      .sum()
      .mul(1 / pairs);
  const p = map.add(TINY);
  const q = targets.add(TINY);
  const middle = np.log(p.ref.add(q.ref).mul(0.5));
  const sum = p.ref
    .mul(np.log(p).sub(middle.ref))
    .add(q.ref.mul(np.log(q).sub(middle)))
    .sum();
  return sum.mul(0.5 / pairs);
}
