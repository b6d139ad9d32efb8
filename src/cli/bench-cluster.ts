/** @file `embranch bench cluster`: flat clusters beside VSEARCH and CD-HIT. */

import { Command } from "commander";
import { benchCluster, type ClusterResult } from "../bench/cluster.ts";
import { UsageError } from "../error.ts";
import { CLUSTER_METHODS, type ClusterMethod } from "../task/cluster/cluster.ts";
import { timedHow, withRace, writeReport, type RaceOptions } from "./bench-report.ts";
import { loadSequences } from "./load.ts";
import { share, withExamples } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchClusterOptions extends RaceOptions {
  identity: number;
  methods: ClusterMethod[];
  model: string[];
  truth?: string;
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
    .option("--truth <column>", "column of a CSV file that names the true clusters");
  withRace(command);
  withExamples(command, [
    ["embranch bench cluster reads.fasta --methods greedy single -o cluster.md", "OTUs"],
    ["embranch bench cluster reads.csv --identity 0.76 --truth cluster", "noisy copies of known strands"],
  ]);
  return command.action(async (path: string) => {
    const options: BenchClusterOptions = command.optsWithGlobals();
    const { identity, methods, model, truth, threads, rounds, quiet } = options;
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
    const of = `${set.ids.length} sequences at an identity of ${identity}`;
    await writeReport(
      {
        title: "Clusters",
        about: `${of}. ${timedHow(options)}`,
        tables: [{ rows: tableOf(results) }],
        summary: of,
        result: { sequences: set.ids.length, identity, threads, results },
      },
      options,
      line,
    );
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
