/** @file `embranch bench classifier`: a training step of the classifiers, ours and PyTorch's. */

import { Command, Option } from "commander";
import { benchClassifier, type ClassifierTiming } from "../bench/classifier.ts";
import { CLASSIFIER_NAMES, type ClassifierName } from "../nn/classifier.ts";
import { list, withRace, writeReport, type RaceOptions } from "./bench-report.ts";
import { positiveInteger, withExamples } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchClassifierOptions extends RaceOptions {
  lengths: number[];
  networks: ClassifierName[];
}

/** `line` is the command line as it was given, for the report. */
export function benchClassifierCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("classifier")
    .summary("a training step of the classifiers beside PyTorch")
    .description(
      "Times a training step of the classifiers, 100 sequences each, beside PyTorch where it is installed, and tells the greatest memory of the processes. Every network of either side is a process of its own; those of one length take turns.",
    )
    .addOption(
      new Option("--lengths <list>", "letters of the sequences")
        .argParser(list(positiveInteger))
        .default([101, 200, 1000], "101,200,1000"),
    )
    .addOption(
      new Option("--networks <names...>", "which networks")
        .choices(CLASSIFIER_NAMES)
        .default([...CLASSIFIER_NAMES], "all"),
    );
  withRace(command, { threads: 2, rounds: 7 });
  withExamples(command, [
    ["embranch bench classifier -o steps.md", "all networks, three lengths"],
    ["embranch bench classifier --lengths 200 --networks cnn hcnn", "what curvature costs"],
  ]);
  return command.action(async () => {
    const options: BenchClassifierOptions = command.optsWithGlobals();
    const { lengths, networks, threads, rounds, quiet } = options;
    const total = lengths.length * (rounds + 1);
    const progress = new Progress("bench classifier", { total, unit: "rounds", quiet });
    const timings = await benchClassifier({
      lengths,
      networks,
      threads,
      rounds,
      onRound: (length, round) => progress.update(lengths.indexOf(length) * (rounds + 1) + round),
    });
    progress.stop();
    const peer = timings.find(({ side }) => side === "peer");
    const plural = threads === 1 ? "" : "s";
    await writeReport(
      {
        title: "A training step of the classifiers",
        about: `Forward, backward and update, 100 sequences, ${threads} thread${plural}; medians of ${rounds} alternating runs, and the greatest memory of the process. ${peer === undefined ? "PyTorch is not installed here." : `The peer is ${peer.name}.`}`,
        tables: [{ rows: [HEADER, ...rowsOf(timings)] }],
        summary: peer && `beside ${peer.name}; medians of ${rounds} alternating runs`,
        result: { threads, rounds, results: timings },
      },
      options,
      line,
    );
  });
}

const HEADER = [
  "",
  "n",
  "ours, ms",
  "PyTorch, ms",
  "ours / PyTorch",
  "ours / our cnn",
  "PyTorch / its cnn",
  "ours, MB",
  "PyTorch, MB",
];

/** One row a network and length. */
function rowsOf(timings: readonly ClassifierTiming[]): string[][] {
  const milliseconds = (timing?: ClassifierTiming) =>
    timing === undefined ? "–" : (1000 * timing.median).toPrecision(3);
  const ratio = (one?: ClassifierTiming, other?: ClassifierTiming) =>
    one === undefined || other === undefined ? "–" : (one.median / other.median).toFixed(2);
  const megabytes = (timing?: ClassifierTiming) =>
    decimals(timing?.memory === undefined ? null : timing.memory / 1e6, 0);
  return timings
    .filter(({ side }) => side === "ours")
    .map((ours) => {
      const at = timings.filter(({ length }) => length === ours.length);
      const of = (side: string, network: ClassifierName) =>
        at.find((timing) => timing.side === side && timing.network === network);
      const theirs = of("peer", ours.network);
      return [
        ours.network,
        String(ours.length),
        milliseconds(ours),
        milliseconds(theirs),
        ratio(ours, theirs),
        ratio(ours, of("ours", "cnn")),
        ratio(theirs, of("peer", "cnn")),
        megabytes(ours),
        megabytes(theirs),
      ];
    });
}
