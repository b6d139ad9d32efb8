/** @file `embranch bench search`: who finds the nearest reference, and how fast. */

import { Command, Option } from "commander";
import { NEUROSEED_RETRIEVAL } from "../bench/published.ts";
import { benchSearch, type SearchBench, type SearchResult } from "../bench/search.ts";
import { DNA } from "../sequence/index.ts";
import { list, timedHow, withRace, writeReport, type BenchReport, type RaceOptions } from "./bench-report.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, withExamples } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchSearchOptions extends RaceOptions {
  model: string[];
  rerank: number[];
  kmers: number[];
  only?: string[];
}

/** `line` is the command line as it was given, for the report. */
export function benchSearchCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("search")
    .summary("closest-string retrieval beside VSEARCH, MMseqs2 and k-mers")
    .description(
      "Compares ways to find the nearest reference: by a model's embedding, with and without re-ranking, by exact edit distance, by VSEARCH and MMseqs2 where they are installed, and by k-mers. Programs are timed as whole processes that take turns. Told are the shares of queries with one nearest reference for which it is among the first 1, 5 and 10 hits.",
    )
    .argument("<refs>", "references")
    .argument("<queries>", "queries")
    .requiredOption("-m, --model <files...>", "models of `embranch fit`")
    .addOption(
      new Option("--rerank <list>", "points re-ranked").argParser(list(positiveInteger)).default([50], "50"),
    )
    .addOption(
      new Option("--kmers <list>", "k of the k-mers").argParser(list(positiveInteger)).default([6], "6"),
    )
    .option("--only <words>", "who takes part, such as embranch,vsearch", (text) => text.split(","));
  withRace(command);
  withExamples(command, [
    ["embranch bench search refs.fasta queries.fasta -m model.onnx -o search.md", "one model"],
    ["embranch bench search refs.fasta queries.fasta -m mse.onnx triplet.onnx", "two, side by side"],
  ]);
  return command.action(async (refs: string, queries: string) => {
    const options: BenchSearchOptions = command.optsWithGlobals();
    const { model, rerank, kmers, threads, rounds, only, quiet } = options;
    const references = await loadSequences(refs, { alphabet: DNA, minimum: 10, quiet });
    const asked = await loadSequences(queries, { alphabet: DNA, quiet });
    const progress = new Progress("bench search", { unit: "steps", quiet });
    const bench = await benchSearch(references, asked, {
      models: model,
      rerank,
      kmers,
      threads,
      rounds,
      only,
      progress: (message) => progress.note(message),
    });
    progress.stop();
    await writeReport(reportOf(bench, options), options, line);
  });
}

const HEADER = ["", "top-1 %", "top-5 %", "top-10 %", "seconds", "queries/s", "index, refs/s", "index, MB"];

function cells({ name, top, seconds, queriesPerSecond, build }: SearchResult): string[] {
  return [
    name,
    ...top.map((share) => (100 * share).toFixed(1)),
    decimals(seconds ?? null, 2),
    decimals(queriesPerSecond ?? null, 0),
    decimals(build?.perSecond ?? null, 0),
    decimals(build === undefined ? null : build.bytes / 1e6, 1),
  ];
}

function summary({ references, queries, unique }: SearchBench): string {
  return `${references} references, ${queries} queries, of which ${unique} have one nearest reference`;
}

function reportOf(bench: SearchBench, options: RaceOptions): BenchReport {
  const published = Object.entries(NEUROSEED_RETRIEVAL).map(([name, columns]) => [
    name,
    ...["top-1", "top-5", "top-10"].map((column) => columns[column].mean.toFixed(1)),
  ]);
  return {
    title: "Closest-string retrieval",
    about: `${summary(bench)}. Shares are of these, percent. ${timedHow(options)} MMseqs2 and k-mers (in this process) ran once. An index is built in one process, its model included.`,
    tables: [
      { rows: [HEADER, ...bench.results.map(cells)] },
      {
        title: "Published",
        about: "NeuroSEED's figures, 1,000 references and 1,000 queries of Qiita, by the embedding alone:",
        rows: [["", "top-1 %", "top-5 %", "top-10 %"], ...published],
        appendix: true,
      },
    ],
    summary: summary(bench),
    result: { ...bench, threads: options.threads },
  };
}
