/** @file `embranch bench cluster`: flat clusters beside VSEARCH and CD-HIT. */

import { cpus } from "node:os";
import { Command } from "commander";
import { benchCluster, type ClusterResult } from "../bench/cluster.ts";
import { UsageError } from "../error.ts";
import { CLUSTER_METHODS, type ClusterMethod } from "../task/cluster/cluster.ts";
import { commandLine } from "./command-line.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, share, withExamples } from "./options.ts";
import { openOutput, writeOutput } from "./output.ts";
import { Progress } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface BenchClusterOptions {
  identity: number;
  methods: ClusterMethod[];
  model: string[];
  truth?: string;
  threads: number;
  rounds: number;
  output?: string;
  json?: boolean;
  quiet?: boolean;
}

/** `line` is the command line as it was given, for the report. */
export function benchClusterCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("cluster")
    .summary("flat clusters beside VSEARCH and CD-HIT")
    .description(
      "Clusters sequences by our methods, by VSEARCH and by CD-HIT-EST where they are installed, as whole processes that take turns, and tells time, clusters and the adjusted Rand index with our first; with true clusters, accuracies too.",
    )
    .argument("<seqs>", "sequences")
    .option("--identity <x>", "least identity", share, 0.97)
    .option("--methods <names...>", `our methods: ${CLUSTER_METHODS.join(", ")}`, ["greedy"])
    .option("-m, --model <files...>", "models that find candidates, a contestant each", [])
    .option("--truth <column>", "column of a CSV file that names the true clusters")
    .option("--threads <n>", "threads of every contestant", positiveInteger, 1)
    .option("--rounds <n>", "alternating runs of each", positiveInteger, 3)
    .option("-o, --output <file>", "the table as Markdown")
    .option("-q, --quiet", "no progress, only errors")
    .option("--json", "print one JSON object on standard output instead of text");
  withExamples(command, [
    ["embranch bench cluster reads.fasta --methods greedy single -o cluster.md", "OTUs"],
    ["embranch bench cluster reads.csv --identity 0.76 --truth cluster", "noisy copies of known strands"],
  ]);
  return command.action(async (path: string) => {
    const options: BenchClusterOptions = command.optsWithGlobals();
    const { identity, methods, model, truth, threads, rounds, quiet, json, output } = options;
    const unknown = methods.find((method) => !CLUSTER_METHODS.includes(method));
    if (unknown !== undefined) {
      throw new UsageError(`methods: must be of ${CLUSTER_METHODS.join(", ")}, got ${unknown}`);
    }
    const names: string[] = [];
    const set = await loadSequences(path, {
      quiet,
      onRecord: ({ fields }) => {
        const name = truth === undefined ? "" : fields?.[truth];
        if (name === undefined) throw new UsageError(`--truth: the file has no column ${truth}`);
        names.push(name);
      },
    });
    const progress = new Progress("bench cluster", { unit: "steps", quiet });
    const results = await benchCluster(set, {
      identity,
      methods,
      models: model,
      truth: truth === undefined ? undefined : names,
      threads,
      rounds,
      progress: (message) => progress.note(message),
    });
    progress.stop();
    const rows = tableOf(results);
    const of = `${set.ids.length} sequences at an identity of ${identity}`;
    if (output !== undefined) {
      const text = markdown(rows, { of, command: commandLine(line), threads });
      await writeOutput(output, (out) => out.write(text));
    }
    const out = await openOutput(undefined);
    if (json) {
      const machine = { cpu: cpus()[0].model, node: process.version };
      await out.write(
        `${JSON.stringify({ sequences: set.ids.length, identity, threads, results, ...machine })}\n`,
      );
    } else {
      await out.write(`${of}\n${formatTable(rows)}\n`);
    }
  });
}

function tableOf(results: readonly ClusterResult[]): string[][] {
  const known = results[0].truth !== undefined;
  const header = ["", "seconds", "time, first = 1", "clusters", "adjusted Rand index with the first"];
  const more = ["adjusted Rand index with the truth", "in their cluster, %", "strands found (A 0.9), %"];
  return [
    known ? [...header, ...more] : header,
    ...results.map(({ name, seconds, clusters, agreement, truth }) => [
      name,
      decimals(seconds, 2),
      decimals(seconds / results[0].seconds, 2),
      String(clusters),
      decimals(agreement, 4),
      ...(truth
        ? [
            decimals(truth.adjustedRand, 4),
            decimals(100 * truth.majority, 2),
            decimals(100 * truth.recovered, 1),
          ]
        : []),
    ]),
  ];
}

function markdown(
  [header, ...rows]: string[][],
  { of, command, threads }: { of: string; command: string; threads: number },
): string {
  const row = (texts: readonly string[]) => `| ${texts.join(" | ")} |\n`;
  return [
    "# Clusters\n\n",
    `${of}. Programs are timed as whole processes, start-up included, ${threads} thread${threads === 1 ? "" : "s"}, medians of alternating runs.\n\n`,
    row(header),
    `|---|${"---:|".repeat(header.length - 1)}\n`,
    ...rows.map(row),
    `\nMade with \`${command}\` on ${cpus()[0].model}, Node ${process.version}.\n`,
  ].join("");
}
