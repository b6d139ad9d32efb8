/**
 * @file Relaxed Dasgupta clustering: a hierarchical clustering learned from few distances.
 *
 * Leaves are points at one norm of the Poincaré ball, what two of them have in common is the depth of their lowest
 * common ancestor (geometry/lca.ts), and gradient descent lowers a relaxation of Dasgupta's cost over random triples
 * (nn/dasgupta-loss.ts). Linkage of the points by those depths makes the tree (leaf-linkage.ts). After Chami et al.,
 * "From trees to continuous embeddings and back", NeurIPS 2020, and Corso et al., NeurIPS 2021 (SPEC A12). With an
 * encoder in place of free points, what is learned of one sequence serves its relatives: N triples of N sequences
 * then do for a tree that average linkage needs all N(N − 1)/2 distances for.
 *
 * No more distances are computed than the triples have pairs. Trees are compared while training by their cost on
 * further triples, which estimates Dasgupta's without bias (labelled-triples.ts), and the best one is kept. A step
 * takes O(batch) time and a tree O(N²·rank), in O(N·rank) memory with `single` decoding and 6N² bytes with `average`.
 */

import { init } from "@jax-js/jax";
import { UsageError } from "../../error.ts";
import { epochSlice } from "../../engine/batches.ts";
import { leafModel } from "../../engine/dasgupta-step.ts";
import { KernelOracle, type DistanceOracle } from "../../engine/labels.ts";
import { LeafTrainer } from "../../engine/leaf-trainer.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import { scheduleFactor } from "../../engine/schedule.ts";
import { Interrupted } from "../../engine/training.ts";
import { EditDistances } from "../../kernel/index.ts";
import type { Linkage } from "../../kernel/linkage.ts";
import { findUniques, Random, type SequenceSet } from "../../sequence/index.ts";
import { linkageTree, type CompactTree } from "./compact-tree.ts";
import { drawTriples, labelTriples, sampledDasguptaCost, tripleCount } from "./labelled-triples.ts";
import { leafLinkage, type Decoding } from "./leaf-linkage.ts";
import {
  leafBlock,
  modelOf,
  relaxedRecipe,
  type RelaxedModel,
  type RelaxedRecipe,
} from "./relaxed-recipe.ts";

export interface RelaxedOptions extends ProgramOptions {
  /** Free points, or an encoder (default `linear`); `mlp` and `cnn` by name have the paper's sizes. */
  model?: RelaxedModel;
  /** Coordinates of a leaf, at least 2 (default 10). */
  rank?: number;
  /** Triples to train on (default: as many as there are sequences, at least 2,000), or all there are. */
  triples?: number | "all";
  /** Further triples, by whose cost the tree is chosen (default: as many, at least 100 and at most 20,000). */
  validation?: number;
  /** `default`, or the papers' procedure. */
  recipe?: "default" | "paper";
  /** What differs from the recipe. */
  settings?: Partial<RelaxedRecipe>;
  /**
   * How points become a tree: `average` or, as published, `single` linkage of their ancestors' depths (default
   * `average`, but `single` for the papers' recipe and beyond 20,000 sequences, where the matrix takes gigabytes).
   */
  decoding?: Decoding;
  /** Where distances come from (default: exact edit distances). */
  oracle?: DistanceOracle;
  /** Wall-clock bound, labels included; the schedule follows the clock. */
  minutes?: number;
  /** Exact number of steps; makes the run reproducible bit for bit. */
  steps?: number;
  /** Default 0. */
  seed?: number;
  signal?: AbortSignal;
  onProgress?: (progress: RelaxedProgress) => void;
}

export interface RelaxedProgress {
  step: number;
  /** Share of the run that is done, as far as it can be known. */
  done: number;
  seconds: number;
  /** Mean relaxed cost of the last batch's triples. */
  loss: number;
  /** Estimated Dasgupta cost of the best tree so far. */
  cost?: number;
}

/** One line of a training history. */
export interface RelaxedHistoryEntry {
  step: number;
  seconds: number;
  /** Mean relaxed cost of a triple since the line before. */
  loss: number;
  /** Estimated Dasgupta cost of the tree at this step. */
  cost: number;
}

/** A clustering and how it came about. */
export interface RelaxedClustering {
  /** Binary; a leaf lies 2·artanh ρ below the origin (spanning-tree.ts). */
  tree: CompactTree;
  linkage: Linkage;
  /** [N, rank] Leaves, all at norm `radius` in the Poincaré ball. */
  points: Float32Array;
  rank: number;
  radius: number;
  /** Dasgupta's cost Σ s·|leaves below the lca|, s = 1 − d/n, estimated from the validation triples. */
  cost: number;
  /** n of the similarities: the longest sequence, or the longest distance where that is more. */
  length: number;
  /** Triples trained on. */
  triples: number;
  /** Distances that were computed, validation included. */
  distances: number;
  steps: number;
  /** The step that the tree is from. */
  bestStep: number;
  seconds: number;
  history: RelaxedHistoryEntry[];
}

/** Most sequences whose matrix is made unless it is asked for. */
const MOST_AVERAGED = 20_000;
/** Triples that a few sequences get unless others are asked for: their labels cost nothing. */
const FEWEST_TRIPLES = 2000;
/** Share of a timed run between trees. */
const EVALUATE_SHARE = 0.1;

/** The best tree so far. */
type Kept = Pick<RelaxedClustering, "tree" | "linkage" | "points" | "radius" | "cost" | "bestStep">;

/** Labelled triples of a run. */
interface Labelled {
  triples: Uint32Array;
  similarities: Float32Array;
}

/**
 * Clusters sequences from the distances of a few triples.
 *
 * Equal sequences share a leaf's place. Fewer than three sequences have one tree, and nothing is trained.
 *
 * @throws UsageError on options that make no model
 * @throws Diverged on a loss that is no number
 * @throws Interrupted when the signal is aborted
 */
export async function relaxedDasgupta(
  sequences: SequenceSet,
  options: RelaxedOptions = {},
): Promise<RelaxedClustering> {
  const started = performance.now();
  const elapsed = () => (performance.now() - started) / 1000;
  const { rank = 10, minutes, seed = 0, signal, onProgress } = options;
  const count = sequences.codes.length;
  if (count === 0) throw new UsageError("sequences: must be at least 1, got 0");
  if (!Number.isInteger(rank) || rank < 2) {
    throw new UsageError(`rank: must be a whole number of at least 2, got ${rank}`);
  }
  const random = new Random(seed);
  const { model, name } = modelOf(options.model ?? "linear");
  const wanted = options.triples ?? Math.min(tripleCount(count), Math.max(count, FEWEST_TRIPLES));
  const drawn = count < 3 ? 0 : wanted === "all" ? tripleCount(count) : wanted;
  const recipe = {
    ...relaxedRecipe(options.recipe ?? "default", { model: name, triples: Math.max(1, drawn) }),
    ...options.settings,
  };

  const decoding =
    options.decoding ?? (recipe.name === "paper" || count > MOST_AVERAGED ? "single" : "average");

  const labels = await withOracle(sequences, options, (oracle) =>
    labelsOf(sequences, drawn, { ...options, random }, oracle),
  );
  const { train, validation } = labels;
  await init("wasm");
  const { representatives, group } = findUniques(sequences.codes);
  const { block, items, item } = leafBlock(model, sequences, representatives, rank);
  const trainer = await LeafTrainer.create(
    leafModel(block),
    items,
    { triples: recipe.batch, item, optimizer: recipe.optimizer, random },
    options,
  );

  const history: RelaxedHistoryEntry[] = [];
  let step = 0;
  let sinceBest = 0;
  let best: Kept | undefined;
  let [lossSum, lossCount] = [0, 0];
  const limit = drawn === 0 ? 0 : (options.steps ?? (minutes === undefined ? recipe.maximumSteps : Infinity));
  const done = () => Math.min(1, minutes === undefined ? step / limit : elapsed() / (60 * minutes));

  const evaluate = async () => {
    const { directions, radius } = await trainer.places({ averaged: recipe.averageDecay > 0 });
    const points = new Float32Array(count * rank);
    group.forEach((unique, i) => {
      points.set(directions.subarray(unique * rank, (unique + 1) * rank), i * rank);
    });
    const linkage = await leafLinkage({ points, rank, radius }, decoding, { signal });
    const tree = linkageTree(linkage);
    const cost =
      count < 3
        ? 2 * labels.similarity
        : sampledDasguptaCost(tree, validation.triples, validation.similarities);
    history.push({ step, seconds: elapsed(), loss: lossCount === 0 ? 0 : lossSum / lossCount, cost });
    [lossSum, lossCount] = [0, 0];
    sinceBest++;
    if (best === undefined || cost < best.cost) {
      best = { tree, linkage, points: points.map((value) => value * radius), radius, cost, bestStep: step };
      sinceBest = 0;
    }
    return best;
  };

  try {
    const order = random.fork("order");
    let evaluated = 0;
    while (step < limit && (step === 0 || done() < 1)) {
      if (signal?.aborted) throw new Interrupted(step, undefined);
      const chosen = epochSlice(drawn, recipe.batch, step + 1, order);
      const [from, to] = recipe.temperature;
      const loss = await trainer.step({
        ...batchOf(train, chosen, group),
        temperature: from * (to / from) ** done(),
        learningRate: recipe.learningRate * scheduleFactor(done(), recipe),
        averageDecay: recipe.averageDecay,
      });
      step++;
      lossSum += loss;
      lossCount++;
      const turn = Math.floor(minutes === undefined ? step / recipe.evaluateEvery : done() / EVALUATE_SHARE);
      if (turn > evaluated) {
        evaluated = turn;
        await evaluate();
      }
      onProgress?.({ step, done: done(), seconds: elapsed(), loss, cost: best?.cost });
      if (options.steps === undefined && minutes === undefined && sinceBest >= recipe.patience) break;
    }
    const kept = history.at(-1)?.step === step ? best! : await evaluate();
    return {
      ...kept,
      rank,
      length: labels.length,
      triples: drawn,
      distances: labels.distances,
      steps: step,
      seconds: elapsed(),
      history,
    };
  } finally {
    await trainer.close();
  }
}

/** What a run knows of distances. */
interface Labels {
  train: Labelled;
  validation: Labelled;
  /** Similarity of two sequences where there are no more; 0 of one. */
  similarity: number;
  /** n of the similarities. */
  length: number;
  /** How many distances were computed. */
  distances: number;
}

/** Draws and labels the triples to train on and those to choose by. */
async function labelsOf(
  { codes, maxLength }: SequenceSet,
  drawn: number,
  { triples, validation, random }: RelaxedOptions & { random: Random },
  oracle: DistanceOracle,
): Promise<Labels> {
  const count = codes.length;
  const scale = (distances: Float32Array) => {
    const length = distances.reduce((most, distance) => Math.max(most, distance), Math.max(1, maxLength));
    return { length, similarities: distances.map((distance) => 1 - distance / length) };
  };
  if (count < 3) {
    const pairs = count - 1;
    const distances = await oracle.pairs(new Uint32Array(pairs), new Uint32Array(pairs).fill(1));
    const { length, similarities } = scale(Float32Array.from(distances));
    const none = { triples: new Uint32Array(0), similarities: new Float32Array(0) };
    return { train: none, validation: none, similarity: similarities[0] ?? 0, length, distances: pairs };
  }
  const wanted = validation ?? Math.min(20_000, Math.max(100, drawn));
  if (!(wanted >= 1)) throw new UsageError(`validation: must be a positive number of triples, got ${wanted}`);
  const toTrain = drawTriples(count, triples === "all" ? "all" : drawn, random.fork("triples"));
  const toChoose = drawTriples(
    count,
    wanted >= tripleCount(count) ? "all" : wanted,
    random.fork("validation"),
  );
  const both = new Uint32Array(toTrain.length + toChoose.length);
  both.set(toTrain);
  both.set(toChoose, toTrain.length);
  const { distances, pairs } = await labelTriples(both, count, oracle);
  const { length, similarities } = scale(distances);
  return {
    train: { triples: toTrain, similarities: similarities.subarray(0, toTrain.length) },
    validation: { triples: toChoose, similarities: similarities.subarray(toTrain.length) },
    similarity: 0,
    length,
    distances: pairs,
  };
}

/** Exact edit distances while `use` needs them, unless there is an oracle already. */
async function withOracle<T>(
  { codes }: SequenceSet,
  { oracle, threads }: RelaxedOptions,
  use: (oracle: DistanceOracle) => Promise<T>,
): Promise<T> {
  if (oracle !== undefined) return use(oracle);
  const kernel = await EditDistances.create({ threads });
  try {
    return await use(new KernelOracle(kernel, codes));
  } finally {
    await kernel.close();
  }
}

/** A batch's members by their places, and their similarities, both by rows. */
function batchOf({ triples, similarities }: Labelled, chosen: Uint32Array, places: Uint32Array) {
  const size = chosen.length;
  const members = new Uint32Array(3 * size);
  const values = new Float32Array(3 * size);
  for (let row = 0; row < 3; row++) {
    for (let i = 0; i < size; i++) {
      members[row * size + i] = places[triples[3 * chosen[i] + row]];
      values[row * size + i] = similarities[3 * chosen[i] + row];
    }
  }
  return { members, similarities: values };
}
