/**
 * @file The hyperbolic convolutional network of "Hyperbolic genome embeddings" (SPEC C2).
 *
 * The Euclidean network layer by layer on a hyperboloid: letters are space coordinates, and padding is the origin. The
 * channels that options count include the time, which is not stored (lorentz-layers.ts). The residual adds space
 * coordinates. The radius² k of the hyperboloid is learned, as its logarithm. With many curvatures each block and the
 * dense layer have one of their own, and points go from one hyperboloid to the next by the tangent space at the origin.
 *
 * Beside the published network the rows of the weights whose output it discards are missing: 47 + 281 (2·blocks − 1) +
 * 31 n + 2 parameters of the default options.
 */

import { numpy as np } from "@jax-js/jax";
import { clampThrough } from "../geometry/elementary.ts";
import { dropout } from "./blocks.ts";
import type { Classifier, ClassifierShape, NetworkOptions } from "./classifier.ts";
import { averagePool, oneHot, relu } from "./layers.ts";
import {
  changeCurvature,
  lorentzClassifier,
  lorentzClassifierParameters,
  lorentzConv,
  lorentzConvParameters,
  lorentzFlatten,
  lorentzLinear,
  lorentzLinearParameters,
  lorentzNorm,
  lorentzNormStatistics,
  type LorentzClassifierArrays,
  type LorentzLinearArrays,
  type LorentzMoments,
} from "./lorentz-layers.ts";
import { constant, hyperboloidPoints } from "./parameter.ts";

/** Bounds of log k: beyond, float32 has no digits left for points near the origin, or far from it. */
const CURVATURE_LIMIT = Math.log(1000);

interface BlockArrays {
  conv1: LorentzLinearArrays;
  conv2: LorentzLinearArrays;
  /** [] Gains of the normalisations. */
  gain1: np.Array;
  gain2: np.Array;
}

interface NetworkArrays {
  curvature: np.Array[];
  blocks: BlockArrays[];
  /** [2·blocks, channels] Where the normalisations put their means, on the unit hyperboloid. */
  centres: np.Array;
  hidden: LorentzLinearArrays;
  classes: LorentzClassifierArrays;
}

type BlockMoments = Record<"norm1" | "norm2", LorentzMoments>;

/** k of its learned logarithm, which is consumed. */
function radiusSquared(logarithm: np.Array): np.Array {
  return np.exp(clampThrough(logarithm, -CURVATURE_LIMIT, CURVATURE_LIMIT));
}

/** The value of k that a learned number stands for. */
export function radiusSquaredOf(logarithm: number): number {
  return Math.exp(Math.min(Math.max(logarithm, -CURVATURE_LIMIT), CURVATURE_LIMIT));
}

/** The network with one curvature, or one for each block and the dense layer. */
export function lorentzNetwork({ curvatures }: { curvatures: "one" | "many" }) {
  return (
    { blocks, channels, kernel, hidden, pooling, dropout: rate }: NetworkOptions,
    { length, letters, classes }: ClassifierShape,
  ): Classifier => {
    const space = channels - 1;
    const width = hidden - 1;
    const positions = Math.floor(length / pooling);
    const drop = dropout(rate, [width]);
    const count = curvatures === "one" ? 1 : blocks + 1;
    const moments = { norm1: lorentzNormStatistics(space), norm2: lorentzNormStatistics(space) };
    return {
      parameters: {
        curvature: Array.from({ length: count }, () => constant([], 0)),
        blocks: Array.from({ length: blocks }, (_, i) => ({
          conv1: lorentzConvParameters(i === 0 ? letters + 1 : space, space, kernel),
          conv2: lorentzConvParameters(space, space, kernel),
          gain1: constant([], 1),
          gain2: constant([], 1),
        })),
        // In one piece, so that the optimiser moves all of them at once.
        centres: hyperboloidPoints([2 * blocks, channels], 0),
        hidden: lorentzLinearParameters(space * positions, width),
        classes: lorentzClassifierParameters(width, classes),
      },
      statistics: { blocks: Array.from({ length: blocks }, () => moments) },
      noise: drop?.noise ?? 0,
      curvature: `curvature.${count - 1}`,
      apply: (parameters, statistics, tokens, context) => {
        const { training, formulation } = context;
        const trained = parameters as unknown as NetworkArrays;
        const running = (statistics as unknown as { blocks: BlockMoments[] }).blocks;
        const radii = trained.curvature.map(radiusSquared);
        const radiusOf = (stage: number) => radii[Math.min(stage, count - 1)];
        const updated: BlockMoments[] = [];
        let x = oneHot(tokens, letters + 1).transpose([0, 2, 1]);
        const centres = np.split(trained.centres, 2 * blocks, 0).map((row) => row.reshape([channels]));
        trained.blocks.forEach(({ conv1, gain1, conv2, gain2 }, i) => {
          const k = radiusOf(i);
          const norm1 = { centre: centres[2 * i], gain: gain1 };
          const norm2 = { centre: centres[2 * i + 1], gain: gain2 };
          const mode = { training, formulation };
          const skip = i === 0 ? undefined : x.ref;
          const first = lorentzNorm(norm1, running[i].norm1, lorentzConv(conv1, x, k, mode), k, mode);
          const inner = lorentzConv(conv2, relu(first.output), k, mode);
          const second = lorentzNorm(norm2, running[i].norm2, inner, k, mode);
          updated.push({ norm1: first.statistics, norm2: second.statistics });
          x = relu(skip === undefined ? second.output : second.output.add(skip));
          if (count > 1) x = changeCurvature(x, k, radiusOf(i + 1));
        });
        if (pooling > 1) x = averagePool(x, pooling);
        const k = radiusOf(blocks);
        const dense = relu(lorentzLinear(trained.hidden, lorentzFlatten(x), k));
        const features =
          drop === undefined ? dense : drop.apply({}, {}, dense, { ...context, noise: context.noise }).output;
        const logits = lorentzClassifier(trained.classes, features.ref, k);
        for (const radius of radii) radius.dispose();
        return { features, logits, statistics: { blocks: updated } };
      },
    };
  };
}
