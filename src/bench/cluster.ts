/**
 * @file Flat clusters beside VSEARCH and CD-HIT: how many, how alike, how fast.
 *
 * All are whole processes that take turns with the same threads. VSEARCH runs with `--iddef 1`, which counts letters
 * missing at an end as we do, and with its default, which does not; CD-HIT-EST has only a definition of its own. With
 * true clusters (of DNA storage, say) each contestant's accuracy is told; without, how far it agrees with our greedy
 * clusters.
 */

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import type { SequenceSet } from "../sequence/index.ts";
import { adjustedRand, majorityAccuracy, recoveredClusters } from "../task/cluster/agreement.ts";
import { Processes, writeFasta } from "./processes.ts";
import { race, type Contestant } from "./timing.ts";

export interface ClusterBenchOptions {
  /** Least identity (default 0.97). */
  identity?: number;
  /** Model files that find candidates, a contestant each. */
  models?: readonly string[];
  /** Our methods (default greedy). */
  methods?: readonly string[];
  /** [sequences] Names of the true clusters. */
  truth?: readonly string[];
  threads?: number;
  /** Alternating runs of each (default 3). */
  rounds?: number;
  progress?: (message: string) => void;
}

/** What was measured of one contestant. */
export interface ClusterResult {
  name: string;
  seconds: number;
  clusters: number;
  /** Adjusted Rand index with the first contestant. */
  agreement: number;
  /** With true clusters: adjusted Rand index, share of sequences in the cluster of their kind, A at 0.9. */
  truth?: { adjustedRand: number; majority: number; recovered: number };
}

/** Runs all contestants; throws an `EmbranchError` where a program fails. */
export async function benchCluster(
  set: SequenceSet,
  {
    identity = 0.97,
    models = [],
    methods = ["greedy"],
    truth,
    threads = 1,
    rounds = 3,
    progress,
  }: ClusterBenchOptions = {},
): Promise<ClusterResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "embranch-cluster-"));
  const place = (name: string) => join(folder, name);
  const bench = new Processes(folder, threads);
  try {
    // Names without blanks or separators, which every program leaves as they are.
    const ids = set.ids.map((_, i) => `s${i}`);
    await writeFasta(place("seqs.fa"), { ...set, ids });
    const number = (id: string) => Number(id.slice(1));
    const entries: { name: string; run: () => Promise<number>; labels: () => Promise<Uint32Array> }[] = [];
    const ours = (name: string, file: string, ...more: string[]) =>
      entries.push({
        name: `embranch ${name}`,
        run: async () =>
          bench.embranch("cluster", place("seqs.fa"), "--identity", String(identity), "--uc", place(file), "-o", place(`${file}.tsv`), "-q", ...more),
        labels: () => readUc(place(file), ids.length, number),
      }); // prettier-ignore
    methods.forEach((method) => ours(method, `${method}.uc`, "--method", method));
    models.forEach((model, m) =>
      ours(`greedy, candidates of ${basename(model)}`, `model-${m}.uc`, "-m", resolve(model)),
    );
    if (bench.has("vsearch")) {
      for (const definition of ["1", "2"]) {
        const file = place(`vsearch-${definition}.uc`);
        entries.push({
          name: definition === "1" ? "VSEARCH --cluster_size --iddef 1" : "VSEARCH --cluster_size",
          run: async () =>
            bench.peer("vsearch", "--cluster_size", place("seqs.fa"), "--id", String(identity), "--iddef", definition, "--threads", String(threads), "--uc", file, "--minseqlength", "1", "--quiet"),
          labels: () => readUc(file, ids.length, number),
        }); // prettier-ignore
      }
    }
    // Below 0.8 it refuses.
    if (identity >= 0.8 && bench.has("cd-hit-est")) {
      const word = identity >= 0.95 ? "10" : identity >= 0.9 ? "8" : identity >= 0.88 ? "7" : "5";
      entries.push({
        name: "CD-HIT-EST",
        run: async () =>
          bench.peer("cd-hit-est", "-i", place("seqs.fa"), "-o", place("cd-hit"), "-c", String(identity), "-n", word, "-T", String(threads), "-M", "0", "-d", "0"),
        labels: () => readClstr(place("cd-hit.clstr"), ids.length, number),
      }); // prettier-ignore
    }
    const contestants = entries.map(({ name, run }): Contestant => ({ name, run, units: ids.length }));
    const timings = await race(contestants, rounds, (round) => progress?.(`round ${round} of ${rounds}`));
    const labels = await Promise.all(entries.map((entry) => entry.labels()));
    return entries.map(({ name }, i) => ({
      name,
      seconds: timings[i].median,
      clusters: new Set(labels[i]).size,
      agreement: adjustedRand(labels[0], labels[i]),
      ...(truth && {
        truth: {
          adjustedRand: adjustedRand(truth, labels[i]),
          majority: majorityAccuracy(truth, labels[i]),
          recovered: recoveredClusters(truth, labels[i], 0.9),
        },
      }),
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Cluster of each sequence in a .uc file; one of its own where it is in none. */
async function readUc(file: string, count: number, number: (id: string) => number): Promise<Uint32Array> {
  const labels = alone(count);
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    const [type, cluster, , , , , , , query] = line.split("\t");
    if (type === "S" || type === "H") labels[number(query)] = Number(cluster);
  }
  return labels;
}

/** The same in a .clstr file. */
async function readClstr(file: string, count: number, number: (id: string) => number): Promise<Uint32Array> {
  const labels = alone(count);
  let cluster = -1;
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    if (line.startsWith(">")) cluster++;
    const id = /, >(.+?)\.\.\./.exec(line)?.[1];
    if (id !== undefined) labels[number(id)] = cluster;
  }
  return labels;
}

const alone = (count: number) => Uint32Array.from({ length: count }, (_, i) => count + i);
