/** @file The whole command, verb by verb. */

import { Command, Help } from "commander";
import { VERSION } from "../version.ts";
import { refuseSameFiles } from "./files.ts";

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
export async function program([verb]: readonly string[]): Promise<Command> {
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
  command.hook("preAction", (_, action) => refuseSameFiles(action));
  const asked = Object.hasOwn(VERBS, verb) ? [VERBS[verb]] : Object.values(VERBS);
  for (const load of asked) command.addCommand((await load()).copyInheritedSettings(command));
  return command;
}
