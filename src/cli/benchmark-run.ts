/** @file Running a benchmark of classifiers at the terminal: progress, Ctrl-C, the table at the end. */

import { join } from "node:path";
import { ResultFolder } from "../result-folder.ts";
import type { Device } from "../engine/run.ts";
import {
  missingRuns,
  modelLabel,
  runBenchmark,
  runCosts,
  runLabel,
  type BenchmarkPlan,
  type BenchmarkResult,
} from "../task/classify/benchmark.ts";
import type { SkippedSet } from "../task/classify/benchmark-files.ts";
import { benchmarkReport } from "../task/classify/benchmark-report.ts";
import { benchmarkJson, benchmarkMarkdown, type BenchmarkHead } from "../task/classify/benchmark-table.ts";
import type { CommonOptions } from "./options.ts";
import { openOutput, writeChunks } from "./output.ts";
import { formatDuration, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

export interface BenchmarkRunOptions extends CommonOptions, Pick<BenchmarkHead, "title" | "about"> {
  /** Folder of the results and the table. */
  output: string;
  /** What progress is of. */
  label: string;
  /** Names of the file of results and of the table, without endings. */
  results: string;
  table: string;
  device: Device;
  skipped?: readonly SkippedSet[];
  /** The command line as it was given. */
  line: string;
}

/**
 * Makes what is missing of a benchmark, and writes the table of all that is there.
 *
 * @throws Stopped when a signal ended it; the table is written nevertheless
 */
export async function benchmarkRun(plan: BenchmarkPlan, options: BenchmarkRunOptions): Promise<void> {
  const { output, title, about, line, skipped, quiet, json, threads, device } = options;
  const folder = await ResultFolder.open<BenchmarkResult>(output, options.results);
  const costs = runCosts(plan);
  const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);
  const before = costs.map((_, i) => sum(costs.slice(0, i)));
  const interrupt = interruption();
  const progress = new Progress(options.label, { total: costs.length, unit: "runs", quiet });
  const { budget } = plan.settings;
  if ("minutes" in budget) {
    const all = formatDuration(60 * budget.minutes * costs.length);
    progress.note(`${costs.length} runs of ${formatDuration(60 * budget.minutes)} each, ${all} in all`);
  }
  let filled: Awaited<ReturnType<typeof runBenchmark>>;
  try {
    filled = await runBenchmark(folder, plan, {
      threads,
      device,
      signal: interrupt.signal,
      onProgress: (run, share, message) =>
        progress.update(run, { message, fraction: (before[run] + share * costs[run]) / sum(costs) }),
      onResult: (result) => progress.note(resultText(result)),
    });
  } finally {
    progress.stop();
    interrupt.release();
  }

  const known = await folder.read();
  const results = [...known.values()];
  const head: BenchmarkHead = { title, about, settings: plan.settings, results, command: line };
  const report = benchmarkReport(results, {
    sets: plan.sets.map(({ name }) => name),
    models: plan.models.map(modelLabel),
    missing: missingRuns(known, plan),
    skipped,
  });
  const [markdown, object] = [benchmarkMarkdown(report, head), benchmarkJson(report, head)];
  const place = (ending: string) => join(output, `${options.table}.${ending}`);
  await writeChunks(place("md"), [markdown]);
  await writeChunks(place("json"), [object]);
  if (filled.stopped) {
    throw interrupt.stopped(
      `stopped after ${filled.made} runs, which are in ${output}; the same command goes on`,
    );
  }
  if (filled.busy > 0) {
    progress.note(
      `${filled.busy} of the ${costs.length} runs are being made by other processes; the last to end writes them too`,
    );
  }
  const out = await openOutput(undefined);
  if (json) await out.write(object);
  else if (!quiet) await out.write(`${markdown}\ntable   ${place("md")}\n`);
}

function resultText(result: BenchmarkResult): string {
  const { test, diverged } = result;
  return `${runLabel(result)}: ${test === undefined ? diverged : `MCC ${test.mcc.toFixed(3)}`}`;
}
