#!/usr/bin/env node
/**
 * @file The `embranch` command.
 *
 * Results go to files or standard output, progress and messages to standard error. Exit codes: 0 done, 1 the
 * data or the run is at fault, 2 the command line is, 130 stopped by Ctrl-C.
 */

import { Command, CommanderError, Help } from "commander";
import { EmbranchError } from "../error.ts";
import { VERSION } from "../version.ts";
import { BrokenPipe } from "./output.ts";

/** The verbs. Each is loaded when it is asked for: together they take longer to load than many of them to run. */
const VERBS: Record<string, () => Promise<Command>> = {
  fit: async () => (await import("./fit.ts")).fitCommand(),
  evaluate: async () => (await import("./evaluate.ts")).evaluateCommand(),
  baseline: async () => (await import("./baseline.ts")).baselineCommand(),
  embed: async () => (await import("./embed.ts")).embedCommand(),
  distance: async () => (await import("./distance.ts")).distanceCommand(),
  index: async () => (await import("./index-references.ts")).indexCommand(),
  search: async () => (await import("./search.ts")).searchCommand(),
  tree: async () => (await import("./tree.ts")).treeCommand(),
  cluster: async () => (await import("./cluster.ts")).clusterCommand(),
  align: async () => (await import("./align.ts")).alignCommand(),
  consensus: async () => (await import("./consensus.ts")).consensusCommand(),
  attention: async () => (await import("./attention.ts")).attentionCommand(),
  classify: async () => (await import("./classify.ts")).classifyCommand(),
  hyperbolicity: async () => (await import("./hyperbolicity.ts")).hyperbolicityCommand(),
  simulate: async () => (await import("./simulate.ts")).simulateCommand(),
  split: async () => (await import("./split.ts")).splitCommand(),
  demo: async () => (await import("./demo.ts")).demoCommand(),
  bench: async () => (await import("./bench.ts")).benchCommand(),
};

/** The whole command, or as much of it as the words need: one verb, or all of them for help and mistakes. */
async function program([verb]: readonly string[]): Promise<Command> {
  const command = new Command("embranch")
    .description(
      "Embeds biological sequences in a curved space where the distance between two points is the edit distance between two sequences.",
    )
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(add --help for the options and an example)")
    .addHelpText("after", "\nStart here:\n  $ embranch demo\n  $ embranch fit reads.fasta -o model.onnx");
  command.exitOverride().configureHelp({
    optionDescription: (option) =>
      Help.prototype.optionDescription(option) + (option.mandatory ? " (required)" : ""),
  });
  const asked = Object.hasOwn(VERBS, verb) ? [VERBS[verb]] : Object.values(VERBS);
  for (const load of asked) command.addCommand((await load()).copyInheritedSettings(command));
  return command;
}

async function main(): Promise<number> {
  try {
    const words = process.argv.slice(2);
    await (await program(words)).parseAsync(words, { from: "user" });
    return 0;
  } catch (error) {
    if (error instanceof BrokenPipe) return 0;
    // Commander has said what is wrong already; asking for help or the version is not an error.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (error instanceof EmbranchError) {
      process.stderr.write(`embranch: ${error.message}\n`);
      return error.exitCode;
    }
    const detail = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stderr.write(`embranch: internal error, please report it\n${detail}\n`);
    return 1;
  }
}

// Nobody reads messages on a closed standard error; results are no less wanted for that.
process.stderr.on("error", () => {});
// Nor is it an error when the reader of help has seen enough; results tell theirs when they are written.
process.stdout.on("error", () => {});
process.exitCode = await main();
