/**
 * @file Trees beside fastcluster, SciPy, quicktree and ClustalW: how long they take, and how good they are.
 *
 * Three comparisons:
 *
 * - linkage: one matrix, of embedded distances (exact ones have so many ties that no two programs agree), linked by
 *   our kernel and by the Python packages that are installed, in turns, the matrix being in memory;
 * - sequences to tree, whole processes: our routes, of which the exact average linkage is what the others are measured
 *   by. The measure is Dasgupta's cost (SPEC A11) by exact distances;
 * - neighbour joining: of one PHYLIP matrix by us and quicktree, and ClustalW of its own distances, whole processes;
 *   and, where a true tree is given, how
 *   many splits of it the trees of exact, embedded and k-mer distances miss.
 */

import { createWriteStream } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { countKmers } from "../baseline/profile.ts";
import { kmerDistances } from "../baseline/kmer.ts";
import { Model } from "../engine/model-file.ts";
import { linkage, LINKAGE_METHODS, type LinkageMethod } from "../kernel/linkage.ts";
import type { NumberArray } from "../sequence/condensed.ts";
import { decode, type SequenceSet } from "../sequence/index.ts";
import { parseNewick } from "../sequence/newick.ts";
import { decodeNpy, encodeNpy } from "../sequence/npy.ts";
import { encodePhylip } from "../sequence/phylip.ts";
import { embeddedDistances, exactDistances } from "../task/distance.ts";
import { compactTree, type CompactTree } from "../task/tree/compact-tree.ts";
import { dasguptaCost } from "../task/tree/dasgupta.ts";
import { compareSplits } from "../task/tree/splits.ts";
import { distanceTree } from "../task/tree/tree.ts";
import { Peer, peerSource, pythonWith } from "./peer.ts";
import { Processes, writeFasta } from "./processes.ts";
import { clock, race, type Contestant, type Timing } from "./timing.ts";

export interface TreeBenchOptions {
  /** Model files. */
  models: readonly string[];
  /** Clusters left to an exact linkage, one contestant each (default none). */
  coarsen?: readonly number[];
  /** k of the k-mers (default none). */
  kmers?: readonly number[];
  /** A tree of the same sequences to be found again. */
  truth?: CompactTree;
  threads?: number;
  /** Alternating runs of each (default 3). */
  rounds?: number;
  /** Which comparisons (default all). */
  parts?: readonly TreeBenchPart[];
  progress?: (message: string) => void;
}

export const TREE_BENCH_PARTS = ["linkage", "sequences", "joining"] as const;
export type TreeBenchPart = (typeof TREE_BENCH_PARTS)[number];

/** A program's linkage of the matrix. */
export interface LinkageResult extends Timing {
  method: LinkageMethod;
  /** Greatest relative difference of its heights from ours. */
  difference?: number;
}

/** A tree, and how long and how good it was. */
export interface TreeResult {
  name: string;
  seconds?: number;
  runs?: number;
  /** Dasgupta's cost above that of average linkage of exact distances, percent. */
  dasgupta?: number;
  /** Share of the splits of this tree and the true one that the other lacks. */
  truth?: number;
}

export interface TreeBench {
  sequences: number;
  linkage: LinkageResult[];
  trees: TreeResult[];
  joining: TreeResult[];
}

/** Runs the comparisons; throws an `EmbranchError` where a program fails. */
export async function benchTree(
  set: SequenceSet,
  {
    models,
    coarsen = [],
    kmers = [],
    truth,
    threads = 1,
    rounds = 3,
    parts = TREE_BENCH_PARTS,
    progress,
  }: TreeBenchOptions,
): Promise<TreeBench> {
  const folder = await mkdtemp(join(tmpdir(), "embranch-tree-"));
  const place = (name: string) => join(folder, name);
  const bench: TreeBench = { sequences: set.ids.length, linkage: [], trees: [], joining: [] };
  const processes = new Processes(folder, threads);
  models = models.map((model) => resolve(model));
  const told = (round: number) => progress?.(`round ${round} of ${rounds}`);
  try {
    progress?.("exact distances");
    const exact = await exactDistances(set, undefined, { threads });
    const embedded: NumberArray[] = [];
    for (const path of models) {
      const model = await Model.load(path, { threads });
      embedded.push(await embeddedDistances(model, set, undefined, { threads }));
      await model.close();
    }
    const length = set.codes.reduce((most, { length }) => Math.max(most, length), 0);
    const label = (model: string) => (models.length === 1 ? "" : ` (${basename(model)})`);
    const missed = (tree: CompactTree) =>
      truth === undefined ? undefined : compareSplits(truth, tree, {}).normalizedRF;

    if (parts.includes("linkage")) {
      await writeFile(place("matrix.npy"), Readable.from(encodeNpy(embedded[0] ?? exact, [exact.length])));
      bench.linkage = await raceLinkage(embedded[0] ?? exact, place("matrix.npy"), rounds, progress);
    }

    if (parts.includes("sequences")) {
      await writeFasta(place("seqs.fa"), set);
      const entries: { name: string; args: string[] }[] = [
        { name: "average, exact distances", args: ["--exact"] },
        ...models.flatMap((model) => [
          { name: `average, embedding${label(model)}`, args: ["-m", model] },
          ...coarsen.map((clusters) => ({
            name: `average, embedding, graph to ${clusters} clusters${label(model)}`,
            args: ["-m", model, "--coarsen", String(clusters)],
          })),
        ]),
        ...["single", "complete", "ward"].map((method) => ({
          name: `${method}, exact distances`,
          args: ["--exact", "--method", method],
        })),
      ];
      const contestants = entries.map(({ name, args }, i): Contestant => ({
        name,
        units: set.ids.length,
        run: async () => processes.embranch("tree", place("seqs.fa"), ...args, "-o", place(`${i}.nwk`), "-q"),
      }));
      const timings = await race(contestants, rounds, told);
      const trees = await Promise.all(entries.map((_, i) => readTree(place(`${i}.nwk`), set.ids)));
      const cost = (tree: CompactTree) => dasguptaCost(tree, exact, length);
      const least = cost(trees[0]);
      bench.trees = trees.map((tree, i) => ({
        name: entries[i].name,
        seconds: timings[i].median,
        runs: rounds,
        dasgupta: 100 * (cost(tree) / least - 1),
        truth: missed(tree),
      }));
    }

    if (parts.includes("joining")) {
      // Numbers for names: PHYLIP's readers take ten letters.
      const numbers = set.ids.map((_, i) => `${i}`);
      await pipeline(
        Readable.from(encodePhylip({ ids: numbers, values: exact })),
        createWriteStream(place("exact.phy")),
      );
      await writeFile(
        place("padded.fa"),
        set.codes.map((codes, i) => `>${i}\n${decode(codes, set.alphabet).padEnd(length, "-")}\n`).join(""),
      );
      bench.joining = await raceJoining(processes, place, numbers, { rounds, told, missed });
      const distances: [string, NumberArray][] = [
        ...models.map((model, m): [string, NumberArray] => [`embedding${label(model)}`, embedded[m]]),
        ...kmers.map((k): [string, NumberArray] => [
          `${k}-mers, cosine`,
          kmerDistances(countKmers(set.codes, { k, alphabet: set.alphabet }), ["cosine"])[0],
        ]),
      ];
      for (const [name, matrix] of distances) {
        progress?.(`neighbour joining, ${name}`);
        let tree!: CompactTree;
        const seconds = await clock(async () => ({ tree } = await distanceTree(matrix, { method: "nj" })));
        bench.joining.push({
          name: `embranch, ${name}, in this process`,
          seconds,
          runs: 1,
          truth: missed(tree),
        });
      }
    }
    return bench;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Most sequences that ClustalW is asked for: its time grows with their cube. */
const MOST_CLUSTALW = 1500;

const readTree = async (path: string, names: readonly string[]): Promise<CompactTree> =>
  compactTree(parseNewick(await readFile(path, "utf8"), { file: path }), names);

async function raceLinkage(
  distances: NumberArray,
  file: string,
  rounds: number,
  progress?: (message: string) => void,
): Promise<LinkageResult[]> {
  const peers: Peer[] = [];
  for (const name of ["fastcluster", "scipy"]) {
    const python = pythonWith(name);
    if (python !== undefined) peers.push(await Peer.start(python, [peerSource("linkage.py"), name, file]));
  }
  const shared = new Float32Array(new SharedArrayBuffer(4 * distances.length));
  shared.set(distances);
  const results: LinkageResult[] = [];
  try {
    for (const method of LINKAGE_METHODS) {
      progress?.(`${method} linkage`);
      let heights: Float64Array = new Float64Array();
      const differences = new Map<string, number>();
      const contestants: Contestant[] = [
        {
          name: "embranch",
          units: distances.length,
          run: () => clock(async () => ({ heights } = await linkage(shared, { method }))),
        },
        ...peers.map((peer): Contestant => ({
          name: peer.version,
          units: distances.length,
          run: async () => {
            const answer = await peer.ask<{ seconds: number; heights: string }>({ method });
            const theirs = decodeNpy(await readFile(answer.heights)).data;
            differences.set(
              peer.version,
              heights.reduce(
                (most, h, k) => Math.max(most, Math.abs(h - theirs[k]) / Math.max(h, Number.MIN_VALUE)),
                0,
              ),
            );
            return answer.seconds;
          },
        })),
      ];
      for (const timing of await race(contestants, rounds)) {
        results.push({ ...timing, method, difference: differences.get(timing.name) });
      }
    }
  } finally {
    for (const peer of peers) peer.stop();
  }
  return results;
}

async function raceJoining(
  processes: Processes,
  place: (name: string) => string,
  names: readonly string[],
  {
    rounds,
    told,
    missed,
  }: {
    rounds: number;
    told: (round: number) => void;
    missed: (tree: CompactTree) => number | undefined;
  },
): Promise<TreeResult[]> {
  const matrix = place("exact.phy");
  const entries: { name: string; run: () => Promise<number>; tree?: () => Promise<CompactTree> }[] = [
    {
      name: "embranch, exact distances",
      run: async () => processes.embranch("tree", matrix, "--method", "nj", "-o", place("nj.nwk"), "-q"),
      tree: () => readTree(place("nj.nwk"), names),
    },
    {
      name: "embranch, exact distances, BIONJ",
      run: async () =>
        processes.embranch("tree", matrix, "--method", "bionj", "-o", place("bionj.nwk"), "-q"),
      tree: () => readTree(place("bionj.nwk"), names),
    },
  ];
  if (processes.has("quicktree")) {
    let text = "";
    entries.push({
      name: "quicktree, exact distances",
      run: async () => {
        const printed = processes.output("quicktree", "-in", "m", matrix);
        ({ text } = printed);
        return printed.seconds;
      },
      tree: () => Promise.resolve(compactTree(parseNewick(text), names)),
    });
  }
  if (names.length <= MOST_CLUSTALW && processes.has("clustalw")) {
    // It takes no matrix: sequences as they stand, gaps behind the short ones, give it one of its own.
    entries.push({
      name: "ClustalW -tree, its own distances",
      run: async () => processes.peer("clustalw", "-infile=padded.fa", "-tree", "-outputtree=phylip"),
    });
  }
  const contestants = entries.map(({ name, run }): Contestant => ({ name, run, units: names.length }));
  const timings = await race(contestants, rounds, told);
  return Promise.all(
    entries.map(async ({ name, tree }, i) => ({
      name,
      seconds: timings[i].median,
      runs: rounds,
      truth: tree && missed(await tree()),
    })),
  );
}
