/** @file `embranch bench search`: who finds the nearest reference, and how fast. */

import { cpus } from "node:os";
import { Command, Option } from "commander";
import { NEUROSEED_RETRIEVAL } from "../bench/published.ts";
import { benchSearch, type SearchBench, type SearchResult } from "../bench/search.ts";
import { DNA } from "../sequence/index.ts";
import { commandLine } from "./command-line.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, withExamples } from "./options.ts";
import { openOutput, writeOutput } from "./output.ts";
import { Progress } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface BenchSearchOptions {
  model: string[];
  rerank: number[];
  kmers: number[];
  threads: number;
  rounds: number;
  only?: string[];
  output?: string;
  json?: boolean;
  quiet?: boolean;
}

const integers = (text: string): number[] => text.split(",").map((each) => positiveInteger(each));

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
    .addOption(new Option("--rerank <list>", "points re-ranked").argParser(integers).default([50], "50"))
    .addOption(new Option("--kmers <list>", "k of the k-mers").argParser(integers).default([6], "6"))
    .option("--only <words>", "who takes part, such as embranch,vsearch", (text) => text.split(","))
    .option("--threads <n>", "threads of every contestant", positiveInteger, 1)
    .option("--rounds <n>", "alternating runs of each", positiveInteger, 3)
    .option("-o, --output <file>", "the table as Markdown")
    .option("-q, --quiet", "no progress, only errors")
    .option("--json", "print one JSON object on standard output instead of text");
  withExamples(command, [
    ["embranch bench search refs.fasta queries.fasta -m model.onnx -o search.md", "one model"],
    ["embranch bench search refs.fasta queries.fasta -m mse.onnx triplet.onnx", "two, side by side"],
  ]);
  return command.action(async (refs: string, queries: string) => {
    const options: BenchSearchOptions = command.optsWithGlobals();
    const { model, rerank, kmers, threads, rounds, only, quiet, json, output } = options;
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
    if (output !== undefined) {
      const text = markdown(bench, { command: commandLine(line), threads });
      await writeOutput(output, (out) => out.write(text));
    }
    const out = await openOutput(undefined);
    if (json) {
      await out.write(
        `${JSON.stringify({ ...bench, threads, cpu: cpus()[0].model, node: process.version })}\n`,
      );
    } else {
      await out.write(`${formatTable([HEADER, ...bench.results.map(cells)])}\n${summary(bench)}\n`);
    }
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

function markdown(bench: SearchBench, { command, threads }: { command: string; threads: number }): string {
  const row = (texts: readonly string[]) => `| ${texts.join(" | ")} |\n`;
  const rule = `|---|${"---:|".repeat(HEADER.length - 1)}\n`;
  const published = Object.entries(NEUROSEED_RETRIEVAL).map(([name, columns]) =>
    row([name, ...["top-1", "top-5", "top-10"].map((column) => columns[column].mean.toFixed(1))]),
  );
  return [
    "# Closest-string retrieval\n\n",
    `${summary(bench)}. Shares are of these, percent. Programs are timed as whole processes, start-up included, ${threads} thread${threads === 1 ? "" : "s"}, medians of alternating runs; MMseqs2 and k-mers (in this process) ran once. An index is built in one process, its model included.\n\n`,
    row(HEADER), rule,
    ...bench.results.map((result) => row(cells(result))),
    `\nMade with \`${command}\` on ${cpus()[0].model}, Node ${process.version}.\n\n`,
    "## Published\n\nNeuroSEED's figures, 1,000 references and 1,000 queries of Qiita, by the embedding alone:\n\n",
    row(["", "top-1 %", "top-5 %", "top-10 %"]), "|---|---:|---:|---:|\n",
    ...published,
  ].join(""); // prettier-ignore
}
