/**
 * @file Options that several verbs share, and the checks of their values.
 */

import { InvalidArgumentError, Option, type Command } from "commander";
import { UsageError } from "../error.ts";

function number(text: string, rule: string, accept: (value: number) => boolean): number {
  const value = Number(text);
  if (text.trim() === "" || !accept(value)) throw new InvalidArgumentError(`It must be ${rule}.`);
  return value;
}

/** Parses a positive integer. */
export function positiveInteger(text: string): number {
  return number(text, "a positive integer", (value) => Number.isSafeInteger(value) && value > 0);
}

/** Parses different positive integers, such as seeds: `1,2,3`. */
export function positiveIntegers(text: string): number[] {
  return [...new Set(text.split(",").map(positiveInteger))];
}

/** Parses an integer from 0. */
export function wholeNumber(text: string): number {
  return number(text, "an integer from 0", (value) => Number.isSafeInteger(value) && value >= 0);
}

/** Parses a positive number. */
export function positiveNumber(text: string): number {
  return number(text, "a positive number", (value) => value > 0 && Number.isFinite(value));
}

/** Parses a number from 0. */
export function notNegative(text: string): number {
  return number(text, "a number from 0", (value) => value >= 0 && Number.isFinite(value));
}

/** Parses a number from 0 to 1, such as an identity. */
export function share(text: string): number {
  const value = Number(text);
  const percent = value > 1 && value <= 100 ? `; for ${value} percent write ${value / 100}` : "";
  return number(text, `a number from 0 to 1, such as 0.97${percent}`, (x) => x >= 0 && x <= 1);
}

/** A parser of the name of a figure's file; `option` names it in errors. */
export function svgFile(option: string): (text: string) => string {
  return (text) => {
    if (/\.svg$/i.test(text)) return text;
    throw new UsageError(`${option}: must end in .svg, got ${text}`);
  };
}

/** Calls a function of the library; where it refuses its argument, the error names the option instead. */
export function namingOption<Result>(argument: string, option: string, call: () => Result): Result {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof UsageError && error.message.startsWith(`${argument}: `))) throw error;
    throw new UsageError(option + error.message.slice(argument.length), { cause: error });
  }
}

/** Options of every verb. */
export interface CommonOptions {
  threads?: number;
  quiet?: boolean;
  json?: boolean;
}

/** Adds `--threads`, `--quiet` and `--json`. */
export function withCommonOptions(command: Command): Command {
  return command
    .option("--threads <n>", "threads to use (default: all cores)", positiveInteger)
    .option("-q, --quiet", "no progress, only errors")
    .option("--json", "print one JSON object on standard output instead of text");
}

/** Adds `--device`. */
export function withDevice(command: Command): Command {
  const device = new Option("--device <name>", "where models run")
    .choices(["cpu", "webgpu", "cuda"])
    .default("cpu");
  return command.addOption(device);
}

/** Adds `--alphabet`; `fallback` says what it is where it is not given. */
export function withAlphabet(command: Command, fallback = "guessed"): Command {
  const alphabet = new Option("--alphabet <name>", `letters of the sequences (default: ${fallback})`);
  return command.addOption(alphabet.choices(["dna", "protein"]));
}

/** Adds `--seed`. */
export function withSeed(command: Command): Command {
  return command.option("--seed <n>", "seed of everything random", wholeNumber, 1);
}

/** The examples of a verb, below its options. */
export function withExamples(command: Command, examples: readonly (readonly [string, string])[]): Command {
  const text = examples.map(([line, meaning]) => `  $ ${line}\n      ${meaning}`).join("\n");
  return command.addHelpText("after", `\nExamples:\n${text}`);
}
