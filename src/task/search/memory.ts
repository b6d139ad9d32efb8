/**
 * @file References in memory, for searches of a file that is no index.
 */

import type { Model } from "../../engine/model-file.ts";
import type { SequenceSet } from "../../sequence/index.ts";
import { packCodes } from "../../kernel/index.ts";
import { embed } from "../embed.ts";
import { graphDefaults, NearestGraph } from "./nearest-graph.ts";
import { NameList, pointsInMemory, type Segment } from "./segment.ts";
import { SegmentedReferences, type SegmentsOptions } from "./segments.ts";

/** References up to which comparing with every point is faster than building a graph first. */
const WORTH_A_GRAPH = 20_000;

/** References of a set; without a model they can only be searched exactly. */
export async function referencesInMemory(
  set: SequenceSet,
  model?: Model,
  options: SegmentsOptions & { file?: string; signal?: AbortSignal } = {},
): Promise<SegmentedReferences> {
  const { codes, offsets } = packCodes(set.codes);
  const dim = model?.manifest.dim ?? 0;
  const data = model === undefined ? new Float32Array() : await embed(model, set, options);
  const segment: Segment = {
    names: NameList.of(set.ids),
    codes,
    offsets,
    points: pointsInMemory(data, dim),
    deleted: new Set(),
  };
  const metric = model?.space.indexMetric ?? null;
  if (model !== undefined && metric !== null && !options.scan && set.ids.length > WORTH_A_GRAPH) {
    const { vectors, dims } = model.space.indexVectors(data, dim, model.manifest.space.parameters);
    segment.graph = NearestGraph.create(metric, dims, graphDefaults(metric), { threads: options.threads });
    segment.graph.add(0, vectors, set.ids.length);
  }
  return new SegmentedReferences([segment], model, options);
}
