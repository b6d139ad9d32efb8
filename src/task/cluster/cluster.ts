/**
 * @file `cluster`: flat clusters of sequences at an identity or a number of edits.
 *
 * - `greedy` (the default): clusters about centroids (greedy.ts), as OTUs are made. Every sequence is within the limit
 *   of its centroid.
 * - `single`: all that links within the limit lead to (linked.ts).
 * - `average`, `complete`: a dendrogram cut at the limit (dendrogram.ts). With `complete`, all pairs of a cluster are
 *   within the limit; with `average`, the mean between the two parts of every merge is.
 *
 * Copies are put together first and count as many reads. Without a model the result is that of comparing everything
 * with everything. With one, candidates are the nearest points; how often that misses something is measured on some of
 * the sequences.
 */

import type { Model } from "../../engine/model-file.ts";
import { UsageError } from "../../error.ts";
import { EditDistances, packCodes, type RequestOptions } from "../../kernel/index.ts";
import { Random, type SequenceSet } from "../../sequence/index.ts";
import { reverseComplement } from "../../sequence/reverse-complement.ts";
import { checkLength, checkLetters, embedCodes } from "../embed.ts";
import type { RecallEstimate } from "../search/recall.ts";

import { sizeOf } from "./abundance.ts";
import { cutGroups } from "./dendrogram.ts";
import { EmbeddedNeighbours } from "./embedded-neighbours.ts";
import { greedyClusters, type Assignment } from "./greedy.ts";
import { createLimit, type Threshold } from "./limit.ts";
import { linkedSets, type DisjointSets } from "./linked.ts";
import { checkCentroids, checkGroups } from "./misses.ts";
import { ExactNeighbours, type Comparison, type Neighbours } from "./neighbours.ts";
import { processingOrder, type Sorting } from "./processing-order.ts";

export const CLUSTER_METHODS = ["greedy", "single", "average", "complete"] as const;
export type ClusterMethod = (typeof CLUSTER_METHODS)[number];

export interface ClusterOptions extends Threshold, RequestOptions {
  /** Default `greedy`. */
  method?: ClusterMethod;
  /** Finds candidates; without one, all that may be within the limit are. */
  model?: Model;
  /** Nearest points of a sequence that are compared (default 32). */
  candidates?: number;
  /** Order in which sequences are clustered (default `size`); the first of a cluster represents it. */
  sorting?: Sorting;
  /** Look for reverse complements too (default false); greedy clusters of DNA alone. */
  bothStrands?: boolean;
  /** How many reads each sequence stands for (default: what its id says, as `;size=12`, else 1). */
  sizes?: ArrayLike<number>;
  /** Sequences checked against exact clustering where there is a model (default 200). */
  check?: number;
  seed?: number;
  threads?: number;
  /** Name of the input, for errors. */
  file?: string;
  /** Called while sequences are embedded, which comes before anything is clustered. */
  embedProgress?: RequestOptions["progress"];
}

/** Flat clusters, numbered from 0 in the order of their representatives: mostly the most abundant first. */
export interface Clustering {
  /** [sequences] The number of each one's cluster. */
  clusters: Uint32Array;
  /** [sequences] Edits from the representative. */
  edits: Uint32Array;
  /** [sequences] 1 where the reverse complement matched the representative. */
  reversed: Uint8Array;
  /** [sequences] How many reads each stands for. */
  sizes: Float64Array;
  /** [sequences] The order in which they were clustered, copies beside each other. */
  order: Uint32Array;
  /** [clusters] */
  representatives: Uint32Array;
  /** [clusters] Reads. */
  abundances: Float64Array;
  /** Different sequences. */
  uniques: number;
  /** With a model: the share of checked sequences for which exact comparison has nothing to add. */
  recall?: RecallEstimate;
}

/**
 * Clusters a set of sequences at an identity or a number of edits.
 *
 * @throws UsageError for options out of range or that do not go together; FormatError for a size that is none
 */
export async function cluster(set: SequenceSet, options: ClusterOptions): Promise<Clustering> {
  const { method = "greedy", model, sorting, bothStrands = false, threads, signal, file } = options;
  const limit = createLimit(options);
  if (bothStrands && set.alphabet.name !== "dna") throw new UsageError("strand: proteins have one strand");
  if (bothStrands && method !== "greedy") throw new UsageError("strand: both is for greedy clusters");
  const sizes = Float64Array.from(options.sizes ?? set.ids.map((id) => sizeOf(id, { file })));
  const order = processingOrder(set, sizes, sorting);
  const uniques = order.copies.map((copies) => set.codes[copies[0]]);
  const count = uniques.length;
  if (model !== undefined) {
    checkLetters(model, uniques, { file });
    order.copies.forEach(([first]) => {
      checkLength(model, set.codes[first].length, { file, record: set.ids[first] });
    });
  }
  const kernel = await EditDistances.create({ threads });
  try {
    const codes = bothStrands ? [...uniques, ...uniques.map(reverseComplement)] : uniques;
    const comparison: Comparison = { kernel, set: packCodes(codes), limit, signal };
    const points = model && (await embedAll(model, codes, options));
    const whole = (): Neighbours =>
      model ? new EmbeddedNeighbours(comparison, model, points!, options) : new ExactNeighbours(comparison);
    const sample = model
      ? new Random(options.seed ?? 1).fork("cluster").sample(count, Math.min(count, options.check ?? 200))
      : [];
    let assigned: Assignment;
    let recall: RecallEstimate | undefined;
    if (method === "greedy") {
      const reverse = bothStrands ? count : undefined;
      assigned = await greedyClusters(comparison, {
        count,
        neighbours: { ofAll: whole(), ofBlock: () => new ExactNeighbours(comparison) },
        reverse,
        progress: options.progress,
      });
      recall = await checkCentroids(comparison, assigned, { sample, reverse });
    } else {
      const groups = await linkedSets(comparison, whole(), options);
      recall = await checkGroups(comparison, groups, { sample });
      assigned = await linkedClusters(comparison, groups, { method, sizes: order.sizes });
    }
    return { ...clusteringOf(assigned, order.copies, sizes), uniques: count, recall };
  } finally {
    await kernel.close();
  }
}

/** Points embedded between two reports. */
const EMBEDDED = 4096;

async function embedAll(
  model: Model,
  codes: readonly Uint8Array[],
  { embedProgress, signal }: Pick<ClusterOptions, "embedProgress" | "signal">,
): Promise<Float32Array> {
  const { dim } = model.manifest;
  const points = new Float32Array(codes.length * dim);
  for (let start = 0; start < codes.length; start += EMBEDDED) {
    const block = codes.slice(start, start + EMBEDDED);
    points.set(await embedCodes(model, block, { signal }), start * dim);
    embedProgress?.(start + block.length, codes.length);
  }
  return points;
}

/** Clusters of linkage, each represented by its first sequence. */
async function linkedClusters(
  comparison: Comparison,
  groups: DisjointSets,
  { method, sizes }: { method: Exclude<ClusterMethod, "greedy">; sizes: Float64Array },
): Promise<Assignment> {
  const { kernel, set } = comparison;
  const all = Uint32Array.from({ length: set.length }, (_, i) => i);
  const centroid =
    method === "single"
      ? all.map((i) => groups.find(i))
      : await cutGroups(comparison, groups, { method, sizes });
  const edits = Uint32Array.from(await kernel.pairs(set, all, centroid));
  return { centroid, edits, reversed: new Uint8Array(set.length) };
}

/** What holds for the different sequences, in order, told of all their copies. */
function clusteringOf(
  { centroid, edits, reversed }: Assignment,
  copies: readonly Uint32Array[],
  sizes: Float64Array,
): Omit<Clustering, "uniques" | "recall"> {
  const centroids = Array.from(centroid.keys()).filter((unique) => centroid[unique] === unique);
  const numberOf = new Map(centroids.map((unique, number) => [unique, number]));
  const clustering = {
    clusters: new Uint32Array(sizes.length),
    edits: new Uint32Array(sizes.length),
    reversed: new Uint8Array(sizes.length),
    sizes,
    order: new Uint32Array(sizes.length),
    representatives: Uint32Array.from(centroids, (unique) => copies[unique][0]),
    abundances: new Float64Array(centroids.length),
  };
  let at = 0;
  copies.forEach((records, unique) => {
    const number = numberOf.get(centroid[unique])!;
    for (const record of records) {
      clustering.clusters[record] = number;
      clustering.edits[record] = edits[unique];
      clustering.reversed[record] = reversed[unique];
      clustering.order[at++] = record;
      clustering.abundances[number] += sizes[record];
    }
  });
  return clustering;
}
