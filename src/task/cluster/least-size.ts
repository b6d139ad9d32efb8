/** @file Clusters without the small ones. */

import { subset, type SequenceSet } from "../../sequence/index.ts";
import type { Clustering } from "./cluster.ts";

/**
 * The clusters of at least `least` reads, numbered anew, and the sequences in them. Sizes of clusters are sums of
 * `;size=`, so that a sequence seen twice is no singleton.
 */
export function withLeastSize(
  set: SequenceSet,
  clustering: Clustering,
  least: number,
): { set: SequenceSet; clustering: Clustering } {
  const { clusters, representatives, abundances } = clustering;
  const chosen = Array.from(abundances.keys()).filter((cluster) => abundances[cluster] >= least);
  if (chosen.length === abundances.length) return { set, clustering };
  const numberOf = new Map(chosen.map((cluster, number) => [cluster, number]));
  const kept = Uint32Array.from(clusters.keys()).filter((i) => numberOf.has(clusters[i]));
  const placeOf = new Map(Array.from(kept, (i, place) => [i, place]));
  const order = clustering.order.filter((i) => placeOf.has(i));
  return {
    set: subset(set, kept),
    clustering: {
      ...clustering,
      clusters: kept.map((i) => numberOf.get(clusters[i])!),
      edits: kept.map((i) => clustering.edits[i]),
      reversed: Uint8Array.from(kept, (i) => clustering.reversed[i]),
      sizes: Float64Array.from(kept, (i) => clustering.sizes[i]),
      order: order.map((i) => placeOf.get(i)!),
      representatives: Uint32Array.from(chosen, (cluster) => placeOf.get(representatives[cluster])!),
      abundances: Float64Array.from(chosen, (cluster) => abundances[cluster]),
    },
  };
}
