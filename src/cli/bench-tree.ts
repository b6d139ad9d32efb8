/** @file `embranch bench tree`: trees beside fastcluster, SciPy and quicktree. */

import { Command, Option } from "commander";
import {
  benchTree,
  TREE_BENCH_PARTS,
  type TreeBench,
  type TreeBenchPart,
  type TreeResult,
} from "../bench/tree.ts";
import { compactTree } from "../task/tree/compact-tree.ts";
import { list, timedHow, withRace, writeReport, type RaceOptions, type ReportTable } from "./bench-report.ts";
import { loadSequences, loadTree } from "./load.ts";
import { positiveInteger, withExamples } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchTreeOptions extends RaceOptions {
  model: string[];
  coarsen: number[];
  kmers: number[];
  truth?: string;
  parts: TreeBenchPart[];
}

/** `line` is the command line as it was given, for the report. */
export function benchTreeCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("tree")
    .summary("trees beside fastcluster, SciPy and quicktree")
    .description(
      "Times and judges trees: linkage of one matrix beside fastcluster and SciPy; trees of sequences by exact distances, by embedding and by its graph, their Dasgupta cost beside that of exact average linkage; neighbour joining beside quicktree, and how many splits of a true tree are missed. Peers take part where they are installed; programs are timed as whole processes that take turns.",
    )
    .argument("<seqs>", "sequences")
    .option("-m, --model <files...>", "models of `embranch fit`", [])
    .addOption(
      new Option("--coarsen <list>", "clusters that a graph of neighbours leaves")
        .argParser(list(positiveInteger))
        .default([], "none"),
    )
    .addOption(
      new Option("--kmers <list>", "k of the k-mers").argParser(list(positiveInteger)).default([], "none"),
    )
    .option("--truth <tree>", "the true tree of the sequences, in Newick")
    .addOption(
      new Option("--parts <parts...>", "which comparisons")
        .choices(TREE_BENCH_PARTS)
        .default([...TREE_BENCH_PARTS], "all"),
    );

  withRace(command);
  withExamples(command, [
    ["embranch bench tree reads.fasta -m model.onnx --coarsen 2000 -o tree.md", "everything"],
    ["embranch bench tree genes.fasta --truth genes.nwk --kmers 6 --parts joining", "neighbour joining"],
  ]);
  return command.action(async (path: string) => {
    const options: BenchTreeOptions = command.optsWithGlobals();
    const { model, coarsen, kmers, truth, parts, threads, rounds, quiet } = options;
    const set = await loadSequences(path, { minimum: 3, quiet });
    const tree = truth === undefined ? undefined : compactTree((await loadTree(truth)).root, set.ids);
    const progress = new Progress("bench tree", { unit: "steps", quiet });
    const bench = await benchTree(set, {
      models: model,
      coarsen,
      kmers,
      truth: tree,
      parts,
      threads,
      rounds,
      progress: (message) => progress.note(message),
    });
    progress.stop();
    await writeReport(
      {
        title: "Trees",
        about: `${timedHow(options)} Linkages, and what is said to run in this process, are timed without start-up. Costs are by exact distances, and relative to average linkage of those; heights relative to ours.`,
        tables: tablesOf(bench),
        result: { ...bench, threads },
      },
      options,
      line,
    );
  });
}

function tablesOf({ sequences, linkage, trees, joining }: TreeBench): ReportTable[] {
  const tables: ReportTable[] = [];
  if (linkage.length > 0) {
    const ours = new Map(
      linkage.filter(({ name }) => name === "embranch").map((each) => [each.method, each]),
    );
    tables.push({
      title: `Linkage of ${sequences} points from their distances`,
      rows: [
        ["", "method", "seconds", "time, ours = 1", "greatest difference of heights"],
        ...linkage.map(({ name, method, median, difference }) => [
          name,
          method,
          decimals(median, 3),
          decimals(median / ours.get(method)!.median, 2),
          difference === undefined ? "–" : difference.toExponential(1),
        ]),
      ],
    });
  }
  const of = (title: string, results: TreeResult[]) => {
    if (results.length === 0) return;
    const cost = results.some(({ dasgupta }) => dasgupta !== undefined);
    const truth = results.some((result) => result.truth !== undefined);
    tables.push({
      title,
      rows: [
        [
          "",
          "seconds",
          "time, first = 1",
          ...(cost ? ["Dasgupta cost, % more"] : []),
          ...(truth ? ["normalised RF to the true tree"] : []),
        ],
        ...results.map(({ name, seconds, dasgupta, truth: missed }) => [
          name,
          decimals(seconds ?? null, 2),
          decimals((seconds ?? NaN) / (results[0].seconds ?? NaN), 2),
          ...(cost ? [decimals(dasgupta ?? null, 4)] : []),
          ...(truth ? [decimals(missed ?? null, 3)] : []),
        ]),
      ],
    });
  };
  of(`From ${sequences} sequences to a tree`, trees);
  of(`Neighbour joining of ${sequences} sequences`, joining);
  return tables;
}
