/** @file `embranch bench`: our speed beside that of the peers that are installed; those of `papers`, `classifier`, `search`, `tree`, `cluster`, `consensus` and `relaxed` have files of their own. */

import { cpus } from "node:os";
import { Argument, Command } from "commander";
import { benchEditDistance } from "../bench/edit-distance.ts";
import { benchGromov } from "../bench/gromov.ts";
import { benchEmbed, benchTrainStep } from "../bench/network.ts";
import type { Timing } from "../bench/timing.ts";
import { collect, DNA, simulate } from "../sequence/index.ts";
import { benchClassifierCommand } from "./bench-classifier.ts";
import { benchClusterCommand } from "./bench-cluster.ts";
import { benchConsensusCommand } from "./bench-consensus.ts";
import { benchMsaCommand } from "./bench-msa.ts";
import { papersCommand } from "./bench-papers.ts";
import { benchRelaxedCommand } from "./bench-relaxed.ts";
import { benchSearchCommand } from "./bench-search.ts";
import { benchTreeCommand } from "./bench-tree.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, withExamples } from "./options.ts";
import { openOutput } from "./output.ts";
import { Progress } from "./progress.ts";
import { formatTable } from "./table.ts";

const SUBJECTS = ["edit-distance", "train-step", "embed", "hyperbolicity"] as const;
type Subject = (typeof SUBJECTS)[number];

const UNITS: Record<Subject, string> = {
  "edit-distance": "pairs/s",
  "train-step": "steps/s",
  embed: "sequences/s",
  hyperbolicity: "base points/s",
};

interface BenchOptions {
  rounds: number;
  sequences: number;
  json?: boolean;
  quiet?: boolean;
}

export function benchCommand(): Command {
  const command = new Command("bench")
    .summary("our speed beside that of installed peers")
    .description(
      "Times our code and the peers that are installed in alternating runs, and prints medians and ratios: edlib, python-Levenshtein and fastest-levenshtein (edit-distance); PyTorch (train-step, embed); NumPy and PyTorch (hyperbolicity).",
    )
    .addArgument(new Argument("<subject>", "what to time").choices(SUBJECTS))
    .argument("[seqs]", "with edit-distance: sequences (default: simulated 16S V4 reads)")
    .option("--rounds <n>", "alternating runs of each", positiveInteger, 7)
    .option(
      "--sequences <n>",
      "with edit-distance: all pairs of this many sequences; with hyperbolicity: points",
      positiveInteger,
      1000,
    )
    .option("-q, --quiet", "no progress, only errors")
    .option("--json", "print one JSON object on standard output instead of text");
  // Settings of the program, such as how it ends, are known when a subcommand is about to run.
  command
    .addCommand(papersCommand())
    .addCommand(benchClassifierCommand())
    .addCommand(benchSearchCommand())
    .addCommand(benchTreeCommand())
    .addCommand(benchClusterCommand())
    .addCommand(benchMsaCommand())
    .addCommand(benchConsensusCommand())
    .addCommand(benchRelaxedCommand())
    .hook("preSubcommand", (bench, subject) => void subject.copyInheritedSettings(bench));
  withExamples(command, [
    ["embranch bench edit-distance reads.fasta", "pairs a second, ours and edlib's"],
    ["embranch bench train-step --json", "a training step of the papers' network, ours and PyTorch's"],
  ]);
  return command.action(async (subject: Subject, path: string | undefined, options: BenchOptions) => {
    const { rounds, sequences, quiet } = options;
    const progress = new Progress(`bench ${subject}`, { total: rounds + 1, unit: "rounds", quiet });
    const onRound = (round: number) => progress.update(round);
    let timings: Timing[];
    if (subject === "edit-distance") {
      const set =
        path === undefined
          ? await collect(simulate({ leaves: sequences }).records(), { alphabet: DNA })
          : await loadSequences(path, { minimum: 2, quiet });
      timings = await benchEditDistance(set, { sequences, rounds, onRound });
    } else if (subject === "hyperbolicity") {
      timings = await benchGromov({ points: sequences, rounds, onRound });
    } else {
      timings = await (subject === "train-step" ? benchTrainStep : benchEmbed)({ rounds, onRound });
    }
    progress.stop();
    const [{ model }] = cpus();
    const [ours] = timings;
    const out = await openOutput(undefined);
    if (options.json) {
      const results = timings.map((timing) => ({ ...timing, ratio: timing.rate / ours.rate }));
      const summary = {
        subject,
        unit: UNITS[subject],
        cpu: model,
        cores: cpus().length,
        node: process.version,
        results,
      };
      await out.write(`${JSON.stringify(summary)}\n`);
      return;
    }
    const rows = timings.map(({ name, rate, median, least }) => [
      name,
      rate.toPrecision(4),
      `${(1000 * median).toPrecision(4)} ms`,
      `${(1000 * least).toPrecision(4)} ms`,
      `${(rate / ours.rate).toFixed(2)} ×`,
    ]);
    const header = ["", UNITS[subject], "median run", "fastest run", "rate, ours = 1"];
    await out.write(`${formatTable([header, ...rows])}\n${model}, ${rounds} alternating runs of each\n`);
  });
}
