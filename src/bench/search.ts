/**
 * @file Search beside VSEARCH, MMseqs2, k-mers and exhaustive comparison: who finds the nearest reference, how fast.
 *
 * The measure is NeuroSEED's closest-string retrieval (SPEC A10): of the queries with one nearest reference by exact
 * edit distance, the share for which it is among the first 1, 5 and 10 hits. Programs are timed as whole processes,
 * start-up, reading and writing included, taking turns; all are given the same threads. MMseqs2 is so much slower
 * that it runs once. k-mer distances are ours, exhaustive and in this process.
 */

import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { countKmers } from "../baseline/profile.ts";
import { kmerDistances } from "../baseline/kmer.ts";
import { EditDistances, packCodes } from "../kernel/index.ts";
import type { SequenceSet } from "../sequence/index.ts";
import { Nearest } from "../task/search/nearest.ts";
import { Processes, writeFasta } from "./processes.ts";
import { clock, race, type Contestant, type Timing } from "./timing.ts";

export interface SearchBenchOptions {
  /** Model files; an index is built with each. */
  models: readonly string[];
  /** Points re-ranked, one contestant each (default 50). */
  rerank?: readonly number[];
  /** k of the k-mers (default 6; none leaves them out). */
  kmers?: readonly number[];
  /** Threads of every contestant (default 1). */
  threads?: number;
  /** Alternating runs of each (default 3). */
  rounds?: number;
  /** Words, of which the names of those who take part hold one (default: all take part). */
  only?: readonly string[];
  progress?: (message: string) => void;
}

/** What was measured of one way to search. */
export interface SearchResult {
  name: string;
  /** Share of the unique-nearest queries whose nearest reference is among the first 1, 5 and 10 hits. */
  top: [one: number, five: number, ten: number];
  /** Median seconds of a whole search; absent where it was not timed. */
  seconds?: number;
  runs?: number;
  queriesPerSecond?: number;
  /** Building the index: seconds of the whole process, references a second, bytes. */
  build?: { seconds: number; perSecond: number; bytes: number };
}

export interface SearchBench {
  references: number;
  queries: number;
  /** Queries with one nearest reference. */
  unique: number;
  results: SearchResult[];
}

/** The nearest reference of each query that has one only: its place, or −1. */
export async function uniqueNearest(
  queries: SequenceSet,
  references: SequenceSet,
  kernel: EditDistances,
): Promise<Int32Array> {
  const nearest = new Int32Array(queries.ids.length).fill(-1);
  const packed = packCodes(references.codes);
  const n = references.ids.length;
  const step = Math.max(1, Math.floor(2e7 / n));
  for (let start = 0; start < queries.ids.length; start += step) {
    const some = queries.codes.slice(start, start + step);
    const distances = await kernel.cross(packCodes(some), packed);
    some.forEach((_, q) => {
      const row = distances.subarray(q * n, (q + 1) * n);
      let least = Infinity;
      for (const distance of row) if (distance < least) least = distance;
      const first = row.indexOf(least);
      if (row.indexOf(least, first + 1) < 0) nearest[start + q] = first;
    });
  }
  return nearest;
}

/** The shares of queries whose nearest reference is among the first 1, 5 and 10 of their hits. */
export function retrieval(
  hits: ReadonlyMap<string, readonly string[]>,
  queries: SequenceSet,
  references: SequenceSet,
  nearest: Int32Array,
): SearchResult["top"] {
  const ranks: number[] = [];
  nearest.forEach((target, q) => {
    if (target >= 0) ranks.push((hits.get(queries.ids[q]) ?? []).indexOf(references.ids[target]));
  });
  const within = (k: number) =>
    ranks.filter((rank) => rank >= 0 && rank < k).length / Math.max(1, ranks.length);
  return [within(1), within(5), within(10)];
}

/** Runs all contestants; throws an `EmbranchError` where one of our own processes fails. */
export async function benchSearch(
  references: SequenceSet,
  queries: SequenceSet,
  { models, rerank = [50], kmers = [6], threads = 1, rounds = 3, only, progress }: SearchBenchOptions,
): Promise<SearchBench> {
  const takesPart = (name: string) =>
    only === undefined || only.some((word) => name.toLowerCase().includes(word.toLowerCase()));
  models = models.map((model) => resolve(model));
  const folder = await mkdtemp(join(tmpdir(), "embranch-search-"));
  const kernel = await EditDistances.create({ threads });
  try {
    progress?.("exact nearest references");
    const nearest = await uniqueNearest(queries, references, kernel);
    const place = (name: string) => join(folder, name);
    await writeFasta(place("refs.fa"), references);
    await writeFasta(place("queries.fa"), queries);
    const bench = new Processes(folder, threads);
    const results: SearchResult[] = [];
    const entries: {
      name: string;
      out: string;
      run: () => Promise<number>;
      build?: SearchResult["build"];
    }[] = [];

    const ours =
      (out: string, ...more: string[]) =>
      async () => {
        const paths = ["search", place("queries.fa"), "--top", "10", "--check", "0", "-q", "-o", place(out)];
        return bench.embranch(...paths, ...more);
      };
    for (const [m, model] of models.entries()) {
      const index = place(`${m}.idx`);
      progress?.(`index of ${model}`);
      const seconds = bench.embranch("index", place("refs.fa"), "-m", model, "-o", index, "-q");
      const build = { seconds, perSecond: references.ids.length / seconds, bytes: await folderBytes(index) };
      const label = models.length === 1 ? "" : ` (${basename(model)})`;
      for (const n of [0, ...rerank]) {
        const out = `ours-${m}-${n}.tsv`;
        const how = n === 0 ? "embedding alone" : `embedding, ${n} re-ranked`;
        entries.push({
          name: `embranch, ${how}${label}`,
          out,
          run: ours(out, "--in", index, "--rerank", String(n)),
          ...(n === 0 && { build }),
        });
      }
    }
    entries.push({
      name: "embranch, exact (all references)",
      out: "exact.tsv",
      run: ours("exact.tsv", "--in", place("refs.fa"), "--exact"),
    });
    if (bench.has("vsearch")) {
      for (const [accepts, rejects] of [
        [1, 32],
        [64, 256],
      ]) {
        const out = `vsearch-${accepts}.tsv`;
        entries.push({
          name: `VSEARCH --maxaccepts ${accepts} --maxrejects ${rejects}`,
          out,
          run: async () =>
            bench.peer("vsearch", "--usearch_global", place("queries.fa"), "--db", place("refs.fa"), "--id", "0.5",
              "--iddef", "1", "--maxaccepts", String(accepts), "--maxrejects", String(rejects), "--maxhits", "10",
              "--blast6out", place(out), "--threads", String(threads), "--quiet"),
        }); // prettier-ignore
      }
    }
    const racing = entries.filter(({ name }) => takesPart(name));
    const contestants = racing.map(({ name, run }): Contestant => ({
      name,
      run,
      units: queries.ids.length,
    }));
    const timings = await race(contestants, rounds, (round) => progress?.(`round ${round} of ${rounds}`));
    for (const [i, { name, out, build }] of racing.entries()) {
      results.push({
        ...timed(timings[i]),
        name,
        top: retrieval(await readHits(place(out)), queries, references, nearest),
        ...(build && { build }),
      });
    }
    const mmseqs = "MMseqs2 easy-search --max-seqs 300";
    if (takesPart(mmseqs) && bench.has("mmseqs")) {
      progress?.("MMseqs2");
      const seconds = bench.peer("mmseqs", "easy-search", place("queries.fa"), place("refs.fa"), place("mmseqs.tsv"),
        place("mmseqs"), "--search-type", "3", "--max-seqs", "300", "--threads", String(threads), "-v", "1"); // prettier-ignore
      const top = retrieval(await readHits(place("mmseqs.tsv")), queries, references, nearest);
      results.push({
        name: mmseqs,
        top,
        seconds,
        runs: 1,
        queriesPerSecond: queries.ids.length / seconds,
      });
    }
    for (const k of kmers) {
      const name = `${k}-mers, cosine, all references`;
      if (!takesPart(name)) continue;
      progress?.(`${k}-mers`);
      let hits = new Map<string, string[]>();
      const seconds = await clock(() => Promise.resolve((hits = kmerHits(k, queries, references))));
      const top = retrieval(hits, queries, references, nearest);
      results.push({
        name,
        top,
        seconds,
        runs: 1,
        queriesPerSecond: queries.ids.length / seconds,
      });
    }
    const unique = nearest.reduce((count, target) => count + Number(target >= 0), 0);
    return { references: references.ids.length, queries: queries.ids.length, unique, results };
  } finally {
    await kernel.close();
    await rm(folder, { recursive: true, force: true });
  }
}

function timed({ median, runs, rate }: Timing) {
  return { seconds: median, runs, queriesPerSecond: rate };
}

/** The nearest 10 references by the cosine of k-mer counts. */
function kmerHits(k: number, queries: SequenceSet, references: SequenceSet): Map<string, string[]> {
  const profiles = countKmers([...references.codes, ...queries.codes], { k, alphabet: references.alphabet });
  const n = references.ids.length;
  const right = Uint32Array.from({ length: n }, (_, j) => j);
  return new Map(
    queries.ids.map((id, q) => {
      const left = new Uint32Array(n).fill(n + q);
      const [distances] = kmerDistances(profiles, ["cosine"], { pairs: { left, right } });
      const nearest = new Nearest(10);
      for (let j = 0; j < n; j++) if (distances[j] < nearest.worst) nearest.add(j, distances[j]);
      return [id, nearest.keys().map((j) => references.ids[j])];
    }),
  );
}

/** Targets by query, in the order of a hit table. */
async function readHits(file: string): Promise<Map<string, string[]>> {
  const hits = new Map<string, string[]>();
  for (const line of (await readFile(file, "utf8")).split("\n")) {
    const [query, target] = line.split("\t");
    if (target === undefined) continue;
    const list = hits.get(query);
    if (list === undefined) hits.set(query, [target]);
    else list.push(target);
  }
  return hits;
}

async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true });
  const sizes = await Promise.all(names.map((name) => stat(join(folder, name))));
  return sizes.reduce((sum, info) => sum + (info.isFile() ? info.size : 0), 0);
}
