#!/usr/bin/env node
/**
 * @file The `embranch` command.
 *
 * Results go to files or standard output, progress and messages to standard error. Exit codes: 0 done, 1 the
 * data or the run is at fault, 2 the command line is, 130 stopped by Ctrl-C.
 */

import { Command, CommanderError } from "commander";
import { EmbranchError } from "../error.ts";
import { VERSION } from "../task/fit.ts";
import { benchCommand } from "./bench.ts";
import { demoCommand } from "./demo.ts";
import { distanceCommand } from "./distance.ts";
import { embedCommand } from "./embed.ts";
import { evaluateCommand } from "./evaluate.ts";
import { fitCommand } from "./fit.ts";
import { BrokenPipe } from "./output.ts";
import { simulateCommand } from "./simulate.ts";

function program(): Command {
  const command = new Command("embranch")
    .description(
      "Embeds biological sequences in a curved space where the distance between two points is the edit distance between two sequences.",
    )
    .version(VERSION, "-V, --version")
    .showHelpAfterError("(add --help for the options and an example)")
    .addHelpText("after", "\nStart here:\n  $ embranch demo\n  $ embranch fit reads.fasta -o model.onnx");
  const verbs = [
    fitCommand(),
    evaluateCommand(),
    embedCommand(),
    distanceCommand(),
    simulateCommand(),
    demoCommand(),
    benchCommand(),
  ];
  for (const verb of verbs) {
    verb.exitOverride().copyInheritedSettings(command);
    command.addCommand(verb);
  }
  return command.exitOverride();
}

async function main(): Promise<number> {
  try {
    await program().parseAsync();
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

process.exitCode = await main();
