/** @file `embranch bench relaxed`: the cost of relaxed clusterings by the number of their triples. */

import { Command, Option } from "commander";
import { NEUROSEED_RELAXED, RELAXED_POWERS } from "../bench/published.ts";
import { benchRelaxed, type RelaxedBench, type RelaxedBenchOptions } from "../bench/relaxed.ts";
import { list, withReport, writeReport, type ReportOptions } from "./bench-report.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, positiveNumber, svgFile, withExamples, withSeed } from "./options.ts";
import { writeOutput } from "./output.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchRelaxedOptions extends ReportOptions {
  models: NonNullable<RelaxedBenchOptions["models"]>;
  ranks: number[];
  powers: number[];
  recipe: "default" | "paper";
  seed: number;
  threads?: number;
  figure?: string;
}

/** `line` is the command line as it was given, for the report. */
export function benchRelaxedCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("relaxed")
    .summary("relaxed Dasgupta clustering, by the number of triples")
    .description(
      "NeuroSEED's figure of relaxed clustering: trains clusterings on more and more triples, and tells Dasgupta's cost of each by all exact distances, in percent above average linkage of these.",
    )
    .argument("<seqs>", "sequences")
    .addOption(
      new Option("--models <names...>", "what places a leaf")
        .choices(["linear", "embeddings", "mlp", "cnn"])
        .default(["linear", "embeddings"], "linear embeddings"),
    )
    .addOption(
      new Option("--ranks <list>", "coordinates of a leaf")
        .argParser(list(positiveInteger))
        .default([10, 2], "10,2"),
    )
    .addOption(
      new Option("--powers <list>", "triples, as powers of the number of sequences")
        .argParser(list(positiveNumber))
        .default([...RELAXED_POWERS], RELAXED_POWERS.join(",")),
    )
    .addOption(
      new Option("--recipe <name>", "ours, or the papers' procedure")
        .choices(["default", "paper"])
        .default("default"),
    )
    .option("--figure <file>", "the figure, SVG", svgFile("--figure"))
    .option("--threads <n>", "threads to use (default: all cores)", positiveInteger);
  withReport(withSeed(command));
  withExamples(command, [
    [
      "embranch bench relaxed reads.fasta -o relaxed.md --figure relaxed.svg",
      "the whole figure, a quarter of an hour",
    ],
    ["embranch bench relaxed reads.fasta --models linear --ranks 10 --powers 1", "N triples alone"],
  ]);
  return command.action(async (path: string) => {
    const options: BenchRelaxedOptions = command.optsWithGlobals();
    const { models, ranks, powers, recipe, seed, threads, figure, quiet } = options;
    const set = await loadSequences(path, { minimum: 4, quiet });
    const progress = new Progress("bench relaxed", { unit: "steps", quiet });
    const bench = await benchRelaxed(set, {
      models,
      ranks,
      powers,
      recipe,
      seed,
      threads,
      progress: (message) => progress.note(message),
    });
    progress.stop();
    if (figure !== undefined) {
      const { relaxedFigure } = await import("../bench/relaxed-figure.ts");
      await writeOutput(figure, (out) => out.write(`${relaxedFigure(bench)}\n`));
    }
    await writeReport(
      {
        title: "Relaxed Dasgupta clustering",
        about: `${summary(bench)}. Costs are Dasgupta's by all exact distances, in percent above average linkage of these; training sees the distances of its triples alone, and chooses its tree by as many others (at least 100, at most 20,000). The tree is an average linkage of the learned points unless it says single, which is what was published, on Qiita's 10,000 reads. Recipe ${recipe}, seed ${seed}; time includes labels.`,
        tables: [{ rows: tableOf(bench) }],
        summary: summary(bench),
        result: { ...bench, recipe, seed },
      },
      options,
      line,
    );
  });
}

function tableOf({ results }: RelaxedBench): string[][] {
  return [
    [
      "",
      "triples",
      "distances computed",
      "seconds",
      "cost, % more",
      "single linkage of the points",
      "published",
    ],
    ...results.map(({ model, rank, power, triples, distances, seconds, average, single }) => {
      const name = `${model}, rank ${rank}`;
      return [
        name,
        `N^${power} = ${triples}`,
        String(distances),
        decimals(seconds, 1),
        decimals(average, 3),
        decimals(single, 3),
        decimals(NEUROSEED_RELAXED[name]?.[String(power)]?.mean ?? null, 2),
      ];
    }),
  ];
}

function summary({ sequences, references: { single, complete } }: RelaxedBench): string {
  return `${sequences} sequences; single linkage of exact distances costs ${single.toFixed(3)} % more than average linkage, complete ${complete.toFixed(3)} %`;
}
