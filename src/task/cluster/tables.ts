/**
 * @file Clusters as text: a table, reads by cluster, VSEARCH's `.uc`, CD-HIT's `.clstr`, representatives, and the
 * abundance of every cluster in every sample.
 *
 * Cluster 1 of the tables is cluster 0 of `.uc` and `.clstr`, which count from 0. Everything is in the order of the
 * clusters, but for the table of sequences, which is in the order of the input, and `.uc`, which as VSEARCH's is in the
 * order in which sequences were clustered.
 */

import { decode, formatFasta, type SequenceSet } from "../../sequence/index.ts";
import { hitLines, ucRecords } from "../search/hit-table.ts";
import { identityOf } from "../identity.ts";
import type { Strand } from "../search/search.ts";
import { otuName, sampleOf, withoutSize, withSize } from "./abundance.ts";
import type { Clustering } from "./cluster.ts";

/** A sequence and its cluster, as tables tell it. */
export interface Membership {
  id: string;
  /** From 1. */
  cluster: number;
  /** Id of the cluster's representative. */
  representative: string;
  edits: number;
  /** Percent. */
  identity: number;
  strand: Strand;
}

/** The membership of sequence i. */
export function membership({ ids, codes }: SequenceSet, clustering: Clustering, i: number): Membership {
  const cluster = clustering.clusters[i];
  const representative = clustering.representatives[cluster];
  return {
    id: ids[i],
    cluster: cluster + 1,
    representative: ids[representative],
    edits: clustering.edits[i],
    identity: 100 * identityOf(clustering.edits[i], codes[i], codes[representative]),
    strand: clustering.reversed[i] ? "-" : "+",
  };
}

/** A field of a table: ids of a CSV file may hold anything. */
const cell = (text: string): string => text.replace(/[\t\r\n]/g, " ");

/** One line a sequence, below the names of the columns; `strand` adds a column. */
export function* formatClusterTable(
  set: SequenceSet,
  clustering: Clustering,
  { strand = false }: { strand?: boolean } = {},
): Generator<string> {
  yield `id\tcluster\trepresentative\tedits\tidentity${strand ? "\tstrand" : ""}\n`;
  for (let i = 0; i < set.ids.length; i++) {
    const line = membership(set, clustering, i);
    const columns = [cell(line.id), line.cluster, cell(line.representative), line.edits];
    yield `${columns.join("\t")}\t${line.identity.toFixed(2)}${strand ? `\t${line.strand}` : ""}\n`;
  }
}

/** The members of every cluster, in the order in which they were clustered: the representative first. */
export function membersOf({ clusters, representatives, order }: Clustering): number[][] {
  const members = Array.from(representatives, (): number[] => []);
  for (const i of order) members[clusters[i]].push(i);
  return members;
}

/** Reads by cluster, as CSV with the columns `cluster` and `read`: letters alone, one cluster after the other. */
export function* formatReads({ codes, alphabet }: SequenceSet, clustering: Clustering): Generator<string> {
  yield "cluster,read\n";
  for (const [cluster, members] of membersOf(clustering).entries()) {
    for (const i of members) yield `${cluster + 1},${decode(codes[i], alphabet)}\n`;
  }
}

/** VSEARCH's `.uc`: a record a sequence (S or H), then one a cluster (C), its size in reads. */
export function* formatUc(set: SequenceSet, clustering: Clustering): Generator<string> {
  const { ids, codes, alphabet } = set;
  const { clusters, representatives, edits, abundances, order, reversed } = clustering;
  for (const i of order) {
    const key = clusters[i];
    const representative = representatives[key];
    if (i === representative) {
      yield `S\t${key}\t${codes[i].length}\t*\t*\t*\t*\t*\t${cell(ids[i])}\t*\n`;
      continue;
    }
    const answer = {
      query: cell(ids[i]),
      codes: codes[i],
      hits: [
        {
          key,
          target: cell(ids[representative]),
          codes: codes[representative],
          strand: reversed[i] ? ("-" as const) : ("+" as const),
          edits: edits[i],
          identity: identityOf(edits[i], codes[i], codes[representative]),
        },
      ],
    };
    yield ucRecords(answer, hitLines(answer, alphabet));
  }
  for (const [key, i] of representatives.entries()) {
    yield `C\t${key}\t${abundances[key]}\t*\t*\t*\t*\t*\t${cell(ids[i])}\t*\n`;
  }
}

/** CD-HIT's `.clstr`. */
export function* formatClstr(set: SequenceSet, clustering: Clustering): Generator<string> {
  const { ids, codes, alphabet } = set;
  const dna = alphabet.name === "dna";
  for (const [cluster, members] of membersOf(clustering).entries()) {
    yield `>Cluster ${cluster}\n`;
    for (const [place, i] of members.entries()) {
      const { identity, strand } = membership(set, clustering, i);
      const first = i === clustering.representatives[cluster];
      const relation = first ? "*" : `at ${dna ? `${strand}/` : ""}${identity.toFixed(2)}%`;
      yield `${place}\t${codes[i].length}${dna ? "nt" : "aa"}, >${cell(ids[i])}... ${relation}\n`;
    }
  }
}

/** The representatives as FASTA, with `sizes` the reads of their clusters as `;size=12`. */
export function* formatRepresentatives(
  { ids, codes, alphabet }: SequenceSet,
  { representatives, abundances }: Clustering,
  { sizes = false }: { sizes?: boolean } = {},
): Generator<string> {
  for (const [cluster, i] of representatives.entries()) {
    const name = ids[i].replace(/\s/g, "_");
    const id = sizes ? withSize(name, abundances[cluster]) : withoutSize(name);
    yield formatFasta({ id, description: "", sequence: decode(codes[i], alphabet) });
  }
}

/** The reads of every cluster in every sample, samples in alphabetical order, as QIIME and VSEARCH have it. */
export function* formatAbundances({ ids }: SequenceSet, clustering: Clustering): Generator<string> {
  const samples = [...new Set(ids.map(sampleOf))].sort();
  const column = new Map(samples.map((sample, i) => [sample, i]));
  yield `#OTU ID\t${samples.map(cell).join("\t")}\n`;
  for (const [cluster, members] of membersOf(clustering).entries()) {
    const counts = new Float64Array(samples.length);
    for (const i of members) counts[column.get(sampleOf(ids[i]))!] += clustering.sizes[i];
    yield `${cell(otuName(ids[clustering.representatives[cluster]]))}\t${counts.join("\t")}\n`;
  }
}
