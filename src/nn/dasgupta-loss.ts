/**
 * @file The relaxed Dasgupta cost: a differentiable loss whose minimum is a good hierarchical clustering.
 *
 * Dasgupta's cost of a tree is Σ_{i<j} s_ij·|leaves below lca(i, j)|, and it is a sum over triples of leaves:
 * each pays the similarities of its three pairs but for the pair that comes together first (Wang and Wang 2018). The
 * relaxation chooses that pair by a softmax over the depths of the three lowest common ancestors instead (Chami et
 * al., NeurIPS 2020; SPEC A12): per triple s₁₂ + s₁₃ + s₂₃ − Σ w·s with w = softmax(depths/τ).
 */

import { nn, numpy as np } from "@jax-js/jax";
import { lcaDepth } from "../geometry/lca.ts";

/** What the loss is computed from. */
export interface LabelledTriples {
  /** [3·triples, m] Directions of the leaves: all first members, then all second, then all third ones. */
  directions: np.Array;
  /** [3, triples] Similarities of the first and second members, the first and third, the second and third. */
  similarities: np.Array;
  /** [] Norm of the leaves. */
  radius: np.Array;
  /** [] or [1] Temperature τ of the softmax. */
  temperature: np.Array;
}

/** Mean relaxed cost of triples, []. Consumes all. */
export function dasguptaLoss({ directions, similarities, radius, temperature }: LabelledTriples): np.Array {
  const [first, second, third] = np.split(directions, 3, 0);
  const left = np.concatenate([first.ref, first, second.ref], 0);
  const right = np.concatenate([second, third.ref, third], 0);
  const depths = lcaDepth(left, right, radius).reshape([3, -1]);
  radius.dispose();
  const weights = nn.softmax(depths.div(temperature), 0);
  return weights.neg().add(1).mul(similarities).sum(0).mean();
}
