/** @file `embranch cluster`: flat clusters of sequences at an identity or a number of edits. */

import { Command, Option } from "commander";
import type { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { EmbranchError, UsageError } from "../error.ts";
import type { AlphabetName, SequenceSet } from "../sequence/index.ts";
import { hasSize, sampleOf } from "../task/cluster/abundance.ts";
import { cluster, CLUSTER_METHODS, type Clustering, type ClusterMethod } from "../task/cluster/cluster.ts";
import { withLeastSize } from "../task/cluster/least-size.ts";
import { SORTINGS, type Sorting } from "../task/cluster/processing-order.ts";
import {
  formatAbundances,
  formatClstr,
  formatClusterTable,
  formatReads,
  formatRepresentatives,
  formatUc,
  membership,
} from "../task/cluster/tables.ts";
import { loadSequences, readBytes } from "./load.ts";
import {
  positiveInteger,
  share,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeOutputs, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface ClusterCliOptions extends CommonOptions {
  identity?: number;
  edits?: number;
  model?: string;
  exact?: boolean;
  candidates: number;
  check: number;
  method: ClusterMethod;
  strand: "plus" | "both";
  sort: Sorting;
  reads?: boolean;
  minsize: number;
  output?: string;
  representatives?: string;
  sizeout?: boolean;
  uc?: string;
  clstr?: string;
  table?: string;
  alphabet?: AlphabetName;
  seed: number;
  device: Device;
}

/**
 * Identity of noisy copies of a strand, as DNA storage has them. Two copies with 6 % of errors each differ by 12 % on
 * average and rarely by a quarter, unrelated strands by a half. Strands meant to be told apart may be closer: of
 * 998 of one experiment the nearest were 25 % apart, hence no lower.
 */
const READ_IDENTITY = 0.76;

/** Samples up to which a table of all clusters by all samples makes sense. */
const MOST_SAMPLES = 10_000;

export function clusterCommand(): Command {
  const command = new Command("cluster")
    .summary("flat clusters at an identity or a number of edits")
    .description(
      "Clusters sequences: OTUs of amplicons, noisy copies of DNA-storage strands, redundant proteins. Identity is 1 - edits / length of the longer, compared from end to end: letters missing at an end are edits, as by --iddef 1 of VSEARCH and unlike its default and CD-HIT's, so trim reads to one length first. Copies are put together before anything else, sizes in ids (;size=12) are honoured. Without a model the result is exactly that of comparing all with all. With one, candidates are the nearest points: every membership is still verified by exact edit distance, and what is missed is measured and reported.",
    )
    .argument("<seqs>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .option("--identity <x>", "least identity, 0 to 1, as 0.97", share)
    .option("--edits <n>", "or: most edits", wholeNumber)
    .option("-m, --model <file>", "model of `embranch fit` that finds the candidates")
    .option("--exact", "find candidates without a model; what happens anyway where there is none")
    .addOption(
      new Option(
        "--method <name>",
        "greedy: about centroids, the nearest within the limit; single: all that links within the limit lead to; average, complete: dendrogram cut at the limit",
      )
        .choices(CLUSTER_METHODS)
        .default("greedy"),
    )
    .addOption(new Option("--strand <which>", "strands to look at").choices(["plus", "both"]).default("plus"))
    .addOption(
      new Option(
        "--sort <by>",
        "what is clustered first, and becomes a centroid: the most abundant, the longest, or as the file has it; ties by id",
      )
        .choices(SORTINGS)
        .default("size"),
    )
    .option(
      "--reads",
      `noisy copies of strands, as DNA storage has them: greedy clusters at an identity of ${READ_IDENTITY}, unless told otherwise`,
    )
    .option("--minsize <n>", "leave out clusters of fewer reads", positiveInteger, 1)
    .option(
      "-o, --output <file>",
      "table: id, cluster (from 1), representative, edits, identity in percent; or reads by cluster (cluster,read) where the name ends in .csv (default: the table, on standard output)",
    )
    .option("--centroids, --representatives <file>", "representatives of the clusters (FASTA)")
    .option("--sizeout", "write their clusters' reads as ;size=12 even where the input has no sizes")
    .option("--uc <file>", "clusters as VSEARCH and USEARCH write them")
    .option("--clstr <file>", "clusters as CD-HIT writes them")
    .option(
      "--table <file>",
      "reads of every cluster in every sample (TSV); samples by ;sample=name, or by the letters, digits and _ that ids begin with",
    )
    .option("--candidates <n>", "with a model: nearest points that are compared", positiveInteger, 32)
    .option(
      "--check <n>",
      "with a model: sequences compared exactly to measure what it misses; 0: none",
      wholeNumber,
      200,
    );
  withCommonOptions(withDevice(withAlphabet(withSeed(command), "the model's, or guessed")));
  withExamples(command, [
    [
      "embranch cluster reads.fasta --identity 0.97 -o clusters.tsv --centroids otus.fasta --table otus.tsv",
      "OTUs, their sequences, and their reads in every sample",
    ],
    ["embranch cluster nanopore.csv --reads -o groups.csv", "noisy copies of DNA-storage strands"],
    [
      "embranch cluster reads.fasta --edits 5 --method complete --uc clusters.uc",
      "clusters no two members of which are more than 5 edits apart",
    ],
  ]);
  return command.action(run);
}

async function run(path: string, options: ClusterCliOptions): Promise<void> {
  const { quiet, output, method, reads, edits, threads, device } = options;
  const identity = options.identity ?? (reads && edits === undefined ? READ_IDENTITY : undefined);
  checkOptions(options, identity);
  const started = performance.now();
  const showing = (label: string) => new Progress(label, { unit: "different sequences", quiet });
  let progress = showing(options.model === undefined ? "clustering" : "embedding");
  let model: Model | undefined;
  try {
    const [summary, all] = await writeOutputs(async (open) => {
      const files = (["representatives", "uc", "clstr", "table"] as const).filter((name) => options[name]);
      const places = new Map<string, Output>();
      for (const name of files) places.set(name, await open(options[name]));
      const main = await open(output);
      if (options.model !== undefined) {
        // The executor is slow to load, and needed for nothing else.
        const { Model } = await import("../engine/model-file.ts");
        const { name, bytes } = await readBytes(options.model);
        model = await Model.decode(bytes, name, { threads, device });
      }
      const all = await loadSequences(path, { model, alphabet: model?.alphabet ?? options.alphabet, quiet });
      if (options.table !== undefined) checkSamples(all.ids);
      const made = await cluster(all, {
        ...options,
        identity,
        model,
        sorting: options.sort,
        bothStrands: options.strand === "both",
        file: path,
        embedProgress: (done, total) => {
          progress.update(done, { fraction: done / total });
          if (done < total) return;
          progress.stop();
          progress = showing("clustering");
        },
        progress: (done, total) => progress.update(done, { fraction: done / total }),
      });
      progress.stop();
      const { set, clustering } = withLeastSize(all, made, options.minsize);
      const sizes = options.sizeout ?? all.ids.some(hasSize);
      const texts: Record<string, () => Iterable<string>> = {
        representatives: () => formatRepresentatives(set, clustering, { sizes }),
        uc: () => formatUc(set, clustering),
        clstr: () => formatClstr(set, clustering),
        table: () => formatAbundances(set, clustering),
      };
      for (const [name, out] of places) await writeAll(out, texts[name]());
      const summary = { output, ...summarise(all, made, clustering), method, identity, edits };
      if (options.json) {
        if (output !== undefined) await writeAll(main, mainTable(set, clustering, options));
        const text = JSON.stringify(
          output === undefined
            ? { ...summary, members: set.ids.map((_, i) => membership(set, clustering, i)) }
            : summary,
        );
        const out = output === undefined ? main : await openOutput(undefined);
        await out.write(`${text}\n`);
      } else await writeAll(main, mainTable(set, clustering, options));
      return [summary, all] as const;
    });
    if (!quiet) for (const note of notes(summary, all, started)) progress.note(note);
  } finally {
    progress.stop();
    await model?.close();
  }
}

function mainTable(
  set: SequenceSet,
  clustering: Clustering,
  { output, strand }: ClusterCliOptions,
): Iterable<string> {
  if (output !== undefined && /\.csv$/i.test(output)) return formatReads(set, clustering);
  return formatClusterTable(set, clustering, { strand: strand === "both" });
}

async function writeAll(out: Output, lines: Iterable<string>): Promise<void> {
  let text = "";
  for (const line of lines) {
    text += line;
    if (text.length < 1 << 16) continue;
    await out.write(text);
    text = "";
  }
  await out.write(text);
}

function checkOptions(options: ClusterCliOptions, identity: number | undefined): void {
  const { edits, model, exact, method, strand, output, json } = options;
  const { representatives, uc, clstr, table } = options;
  const others = [representatives, uc, clstr, table].filter((file) => file !== undefined);
  const written = [...others, ...(output === undefined ? [] : [output])];
  const onStandardOutput = written.filter((file) => file === "-").length + (output === undefined ? 1 : 0);
  const rules: [boolean, string][] = [
    [
      identity === undefined && edits === undefined,
      "needs a limit: --identity 0.97, --edits 5, or --reads for noisy copies of strands",
    ],
    [identity !== undefined && edits !== undefined, "--identity and --edits are two limits; choose one"],
    [exact === true && model !== undefined, "--exact needs no model; leave -m out"],
    [method !== "greedy" && strand === "both", "--strand both is for --method greedy"],
    [
      onStandardOutput > 1,
      "one output at most can be standard output, where the table goes without -o; name a file for each other",
    ],
    [json === true && output === "-", "--json without -o prints the clusters as JSON; leave -o - out"],
    [json === true && others.includes("-"), "--json prints on standard output; name files for the outputs"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`cluster: ${rule}`);
}

/** A table of so many columns is a mistake: every id passes for a sample. */
function checkSamples(ids: readonly string[]): void {
  const samples = new Set(ids.map(sampleOf)).size;
  if (samples <= MOST_SAMPLES) return;
  throw new EmbranchError(
    `--table: must have at most ${MOST_SAMPLES} samples, got ${samples}; name samples in ids, as in read7;sample=gut1`,
  );
}

function summarise(
  all: SequenceSet,
  { uniques, recall, sizes }: Clustering,
  { abundances, clusters }: Clustering,
) {
  return {
    sequences: all.ids.length,
    reads: sizes.reduce((sum, size) => sum + size, 0),
    uniques,
    clusters: abundances.length,
    singletons: abundances.reduce((count, size) => count + (size === 1 ? 1 : 0), 0),
    largest: abundances.reduce((most, size) => Math.max(most, size), 0),
    leftOut: all.ids.length - clusters.length,
    recall: recall?.recall ?? null,
    recallInterval: recall?.interval ?? null,
    recallSequences: recall?.queries ?? 0,
  };
}

function* notes(
  summary: ReturnType<typeof summarise> & { output?: string },
  { codes, maxLength }: SequenceSet,
  started: number,
): Generator<string> {
  const { sequences, uniques, clusters, singletons, largest, leftOut, output } = summary;
  const seconds = (performance.now() - started) / 1000;
  const what = `${formatCount(sequences)} sequences (${formatCount(uniques)} different)`;
  const where = output === undefined ? "" : `, in ${output}`;
  yield `${formatCount(clusters)} clusters of ${what} in ${seconds.toFixed(1)} s, ${formatCount(singletons)} of one read, the largest of ${formatCount(largest)}${where}`;
  if (leftOut > 0) yield `${formatCount(leftOut)} sequences are in smaller clusters and were left out`;
  const shortest = codes.reduce((least, { length }) => Math.min(least, length), maxLength);
  if (shortest < 0.9 * maxLength) {
    yield `sequences have ${shortest} to ${maxLength} letters: letters missing at an end count as edits, so a read cut short is far from the whole one; trim reads to one length first`;
  }
  if (summary.recall === null) return;
  const percent = (x: number) => `${(100 * x).toFixed(1)} %`;
  const [low, high] = summary.recallInterval!;
  yield `the model missed nothing for ${percent(summary.recall)} of ${summary.recallSequences} sequences checked exactly (95 % interval ${percent(low)} to ${percent(high)})`;
}
