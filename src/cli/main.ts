#!/usr/bin/env node
/**
 * @file The `embranch` command.
 *
 * Results go to files or standard output, progress and messages to standard error. Exit codes: 0 done, 1 the
 * data or the run is at fault, 2 the command line is, 130 stopped by Ctrl-C.
 */

import { CommanderError } from "commander";
import { EmbranchError } from "../error.ts";
import { BrokenPipe } from "./output.ts";
import { program } from "./program.ts";

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
