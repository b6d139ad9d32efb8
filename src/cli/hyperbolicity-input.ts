/** @file What `embranch hyperbolicity` measures: sequences, a matrix of distances, points or a tree. */

import { EmbranchError } from "../error.ts";
import type { Device } from "../engine/run.ts";
import type { GeometryName } from "../geometry/index.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { leafNames } from "../sequence/newick.ts";
import {
  differentSequences,
  matrixMetric,
  sequenceMetric,
  type Metric,
} from "../task/hyperbolicity/metric.ts";
import { pointsFormat, readPoints } from "../task/points.ts";
import { openByteFile } from "./input.ts";
import { loadMatrix, loadSequences, loadTree, matrixEnding } from "./load.ts";
import { formatCount } from "./progress.ts";

/** Options that say what the input is. */
export interface MetricInputOptions {
  matrix?: boolean;
  space?: GeometryName;
  model?: string;
  alphabet?: AlphabetName;
  threads?: number;
  device: Device;
  quiet?: boolean;
}

/** What was read. */
export interface LoadedMetric {
  metric: Metric & { close?: () => Promise<void> };
  /** What the things are, in the plural. */
  what: string;
  /** What their distances are. */
  distances: string;
  /** What there is to say about reading them. */
  note?: string;
}

const isTree = (path: string): boolean => /\.(nwk|newick|tree)(\.gz)?$/i.test(path);
const isPhylip = (path: string): boolean => matrixEnding(path) === "phy";

/** The rules about the input that options may break, and whether they do. */
export function inputRules(path: string, options: MetricInputOptions): [boolean, string][] {
  const { matrix, space, model, alphabet } = options;
  const given = isTree(path) || isPhylip(path) || matrix === true;
  /** Of files that hold no sequences; with a model a table can be nothing else. */
  const ending = (model === undefined ? /\.(npy|tsv|parquet)(\.gz)?$/i : /\.(npy|parquet)(\.gz)?$/i)
    .exec(path)?.[1]
    .toLowerCase();
  return [
    [matrix === true && space !== undefined, "needs --matrix or --space, got both"],
    [
      matrix === true && matrixEnding(path) === undefined,
      `--matrix needs a file that ends in .npy, .phy or .tsv, got ${path}`,
    ],
    [
      (isTree(path) || isPhylip(path)) && space !== undefined,
      `--space is for points (.npy, .parquet or .tsv), got ${path}`,
    ],
    [
      model !== undefined && (given || space !== undefined || ending !== undefined),
      "-m is for sequences; for points that are there name their --space",
    ],
    [
      ending !== undefined && matrix !== true && space === undefined,
      ending === "parquet"
        ? `${path} holds points: name their --space`
        : `${path} may hold distances or points: add --matrix or --space <name>`,
    ],
    [space !== undefined && /\.gz$/i.test(path), `points must not be packed, got ${path}; unpack it first`],
    [alphabet !== undefined && (given || space !== undefined), "--alphabet is for sequences"],
    [alphabet !== undefined && model !== undefined, "--alphabet is the model's; leave it out with -m"],
  ];
}

/** Reads the input; names of sequences do not matter, and may come twice. */
export async function loadMetric(path: string, options: MetricInputOptions): Promise<LoadedMetric> {
  const { matrix, space, model, alphabet, threads, quiet } = options;
  if (isTree(path)) return await treePaths(path);
  if (matrix === true || isPhylip(path)) {
    const { values } = await loadMatrix(path);
    return { metric: matrixMetric(values), what: "things", distances: "distances as given" };
  }
  if (space !== undefined) return await pointsOf(path, space);
  if (model !== undefined) return await embeddedSequences(path, model, options);
  const set = await loadSequences(path, { alphabet, quiet, onDuplicate: "rename" });
  const metric = await sequenceMetric(set, { threads });
  return {
    metric,
    what: "sequences",
    distances: "exact edit distances",
    note: copiesNote(set.ids.length - metric.count),
  };
}

const copiesNote = (copies: number): string | undefined =>
  copies > 0 ? `copies of other sequences, left out: ${formatCount(copies)}` : undefined;

/** The leaves of a tree, by the lengths of the paths between them. */
async function treePaths(path: string): Promise<LoadedMetric> {
  const { compactTree } = await import("../task/tree/compact-tree.ts");
  const { PathMetric } = await import("../task/hyperbolicity/tree-metric.ts");
  const { root } = await loadTree(path);
  const names = leafNames(root);
  const paths = new PathMetric(compactTree(root, names));
  return {
    metric: { count: names.length, distances: (leaves) => paths.distances(leaves) },
    what: "leaves",
    distances: "paths through the tree",
  };
}

/** Points by the distances of a space. */
async function pointsOf(path: string, space: GeometryName): Promise<LoadedMetric> {
  // The geometry is slow to load, and needed for nothing else.
  const { spaceMetric } = await import("../task/hyperbolicity/point-metric.ts");
  const file = await openByteFile(path);
  try {
    const points = await readPoints(file, pointsFormat(path), { name: path });
    return { metric: spaceMetric(points, space), what: "points", distances: `${space} distances` };
  } catch (error) {
    if (!(error instanceof EmbranchError) || !error.message.startsWith("points: ")) throw error;
    throw new EmbranchError(`${path}: ${error.message}`, { cause: error });
  } finally {
    await file.close();
  }
}

/** Sequences by the distances that a model predicts. */
async function embeddedSequences(
  path: string,
  modelPath: string,
  { threads, device, quiet }: MetricInputOptions,
): Promise<LoadedMetric> {
  // The executor is slow to load, and needed for nothing else.
  const { Model } = await import("../engine/model-file.ts");
  const { embed } = await import("../task/embed.ts");
  const { pointMetric } = await import("../task/hyperbolicity/point-metric.ts");
  const model = await Model.load(modelPath, { threads, device });
  try {
    const all = await loadSequences(path, { model, quiet, onDuplicate: "rename" });
    const set = differentSequences(all);
    const data = await embed(model, set, { file: path });
    const { dim, space } = model.manifest;
    return {
      metric: pointMetric({ dims: dim, data }, (x, y) => model.space.exactDistance(x, y, space.parameters)),
      what: "sequences",
      distances: `distances predicted by ${modelPath} (${model.space.name})`,
      note: copiesNote(all.ids.length - set.ids.length),
    };
  } finally {
    await model.close();
  }
}
