/**
 * @file NeuroSEED's figure of relaxed clustering: cost against the number of triples (SPEC A12, A15).
 *
 * Costs are Dasgupta's by all exact distances, which training never sees, relative to average linkage of these. Every
 * tree is decoded from the learned points twice: by average linkage, and by single linkage as published.
 */

import { linkage } from "../kernel/index.ts";
import type { SequenceSet } from "../sequence/index.ts";
import { exactDistances } from "../task/distance.ts";
import { linkageTree } from "../task/tree/compact-tree.ts";
import { dasguptaCost } from "../task/tree/dasgupta.ts";
import { leafLinkage } from "../task/tree/leaf-linkage.ts";
import { relaxedDasgupta, type RelaxedOptions } from "../task/tree/relaxed.ts";
import { RELAXED_POWERS } from "./published.ts";

export interface RelaxedBenchOptions {
  models?: readonly ("linear" | "embeddings" | "mlp" | "cnn")[];
  ranks?: readonly number[];
  /** Triples, as powers of the number of sequences (default: the paper's five). */
  powers?: readonly number[];
  recipe?: RelaxedOptions["recipe"];
  seed?: number;
  threads?: number;
  signal?: AbortSignal;
  progress?: (message: string) => void;
}

/** What one clustering cost. */
export interface RelaxedResult {
  model: string;
  rank: number;
  power: number;
  triples: number;
  /** Exact distances that were computed, those to choose the tree by included. */
  distances: number;
  seconds: number;
  /** Percent above average linkage of exact distances, by average linkage of the points and by single. */
  average: number;
  single: number;
}

export interface RelaxedBench {
  sequences: number;
  /** The same of single and complete linkage of exact distances. */
  references: { single: number; complete: number };
  results: RelaxedResult[];
}

/** Clusters a set with every model, rank and number of triples. */
export async function benchRelaxed(
  set: SequenceSet,
  {
    models = ["linear", "embeddings"],
    ranks = [10, 2],
    powers = RELAXED_POWERS,
    recipe,
    seed = 1,
    threads,
    signal,
    progress,
  }: RelaxedBenchOptions = {},
): Promise<RelaxedBench> {
  const count = set.ids.length;
  const distances = await exactDistances(set, undefined, { threads, signal });
  const costOf = (merges: Parameters<typeof linkageTree>[0]) =>
    dasguptaCost(linkageTree(merges), distances, set.maxLength);
  const least = costOf(await linkage(distances, { signal }));
  const above = (merges: Parameters<typeof linkageTree>[0]) => 100 * (costOf(merges) / least - 1);
  const references = {
    single: above(await linkage(distances, { method: "single", signal })),
    complete: above(await linkage(distances, { method: "complete", signal })),
  };
  const results: RelaxedResult[] = [];
  for (const model of models) {
    for (const rank of ranks) {
      for (const power of powers) {
        const triples = Math.round(count ** power);
        progress?.(`${model}, rank ${rank}, ${triples} triples`);
        const made = await relaxedDasgupta(set, { model, rank, triples, recipe, seed, threads, signal });
        results.push({
          model,
          rank,
          power,
          triples,
          distances: made.distances,
          seconds: made.seconds,
          average: above(await leafLinkage(made, "average", { signal })),
          single: above(await leafLinkage(made, "single", { signal })),
        });
      }
    }
  }
  return { sequences: count, references, results };
}
