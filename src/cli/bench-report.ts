/**
 * @file What the verbs of `embranch bench` that judge have in common: options, and a report as tables on the terminal,
 * as Markdown with the command and the machine it was made by, or as JSON.
 */

import { cpus } from "node:os";
import type { Command } from "commander";
import { commandLine } from "./command-line.ts";
import { positiveInteger } from "./options.ts";
import { openOutput, writeOutput } from "./output.ts";
import { formatTable } from "./table.ts";

/** Options of all of them. */
export interface ReportOptions {
  output?: string;
  json?: boolean;
  quiet?: boolean;
}

/** Options of those that time programs. */
export interface RaceOptions extends ReportOptions {
  threads: number;
  rounds: number;
}

/** Adds `--output`, `--quiet` and `--json`. */
export function withReport(command: Command): Command {
  return command
    .option("-o, --output <file>", "the tables as Markdown")
    .option("-q, --quiet", "no progress, only errors")
    .option("--json", "print one JSON object on standard output instead of text");
}

/** Adds `--threads` and `--rounds` with their defaults, and the options of a report. */
export function withRace(command: Command, { threads = 1, rounds = 3 } = {}): Command {
  command
    .option("--threads <n>", "threads of every contestant", positiveInteger, threads)
    .option("--rounds <n>", "alternating runs of each", positiveInteger, rounds);
  return withReport(command);
}

/** Parses numbers separated by commas. */
export function list(parse: (text: string) => number): (text: string) => number[] {
  return (text) => text.split(",").map(parse);
}

/** How programs were timed, in words. */
export function timedHow({ threads }: RaceOptions): string {
  return `Programs are timed as whole processes, start-up included, ${threads} thread${threads === 1 ? "" : "s"}, medians of alternating runs.`;
}

/** A table: its first row is the header, its first column names. */
export interface ReportTable {
  title?: string;
  /** What is to be said below the title, in Markdown alone. */
  about?: string;
  rows: string[][];
  /** In Markdown alone (default false). */
  appendix?: boolean;
}

export interface BenchReport {
  title: string;
  /** What the numbers are, in Markdown. */
  about: string;
  tables: readonly ReportTable[];
  /** A line below the tables of a terminal. */
  summary?: string;
  /** For JSON. */
  result: object;
}

/** Writes the report; `line` is the command line as it was given. */
export async function writeReport(
  report: BenchReport,
  { output, json }: ReportOptions,
  line: readonly string[],
): Promise<void> {
  const [{ model }] = cpus();
  if (output !== undefined) {
    const made = `\nMade with \`${commandLine(line)}\` on ${model}, Node ${process.version}.\n`;
    await writeOutput(output, (out) => out.write(markdown(report) + made));
  }
  const out = await openOutput(undefined);
  if (json) {
    await out.write(`${JSON.stringify({ ...report.result, cpu: model, node: process.version })}\n`);
    return;
  }
  const tables = report.tables
    .filter(({ appendix }) => !appendix)
    .map(({ title, rows }) => `${title === undefined ? "" : `${title}\n`}${formatTable(rows)}\n`);
  await out.write(tables.join("\n") + (report.summary === undefined ? "" : `${report.summary}\n`));
}

function markdown({ title, about, tables }: BenchReport): string {
  const row = (texts: readonly string[]) => `| ${texts.join(" | ")} |\n`;
  return [
    `# ${title}\n\n${about}\n`,
    ...tables.map(({ title, about, rows: [header, ...rows] }) =>
      [
        "\n",
        title === undefined ? "" : `## ${title}\n\n`,
        about === undefined ? "" : `${about}\n\n`,
        row(header),
        `|---|${"---:|".repeat(header.length - 1)}\n`,
        ...rows.map(row),
      ].join(""),
    ),
  ].join("");
}
