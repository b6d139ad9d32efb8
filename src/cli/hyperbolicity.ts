/** @file `embranch hyperbolicity`: how tree-like sequences, distances, points or a tree are. */

import { Command, Option } from "commander";
import { UsageError } from "../error.ts";
import { checkCount, gromov, type Gromov } from "../task/hyperbolicity/gromov.ts";
import { hyperbolicity } from "../task/hyperbolicity/hyperbolicity.ts";
import { inputRules, loadMetric, type LoadedMetric, type MetricInputOptions } from "./hyperbolicity-input.ts";
import { hyperbolicityJson, hyperbolicityText } from "./hyperbolicity-report.ts";
import {
  positiveInteger,
  svgFile,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

/** Spaces that points may be of. */
const SPACES = ["euclidean", "manhattan", "cosine", "square", "poincare", "hyperbolic", "lorentz"] as const;

interface HyperbolicityCliOptions extends CommonOptions, MetricInputOptions {
  threads?: number;
  quiet?: boolean;
  size: number;
  samples: number;
  exact?: boolean;
  bases?: number;
  bank: boolean;
  figure?: string;
  seed: number;
}

export function hyperbolicityCommand(): Command {
  const command = new Command("hyperbolicity")
    .summary("how tree-like the data are")
    .description(
      "Measures Gromov's δ: how far distances are from distances along a tree. δ_rel = 2δ / diameter is 0 for a tree and at most 1. It depends on the number of things, so that it is measured on samples of one size, beside random trees and spaces of constant curvature of the same size. Sequences are compared by exact edit distances, copies counted once.",
    )
    .argument(
      "<input>",
      "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input), distances (.phy; .npy or .tsv with --matrix), points (.npy, .parquet or .tsv with --space), or a tree (.nwk)",
    )
    .option("--matrix", "the input is a matrix of distances (.phy, .npy or .tsv)")
    .addOption(
      new Option(
        "--space <name>",
        "the input are points (.npy, .parquet or .tsv) of this space; of lorentz the curvature is read off the points",
      ).choices(SPACES),
    )
    .option(
      "-m, --model <file>",
      "sequences as this model of `embranch fit` embeds them, by the distances that it predicts",
    )
    .option("--size <n>", "things in a sample", positiveInteger, 100)
    .option("--samples <n>", "samples, drawn without replacement", positiveInteger, 50)
    .option("--exact", "also δ of all things at once, in n⁴ steps (300: half a second, 1000: a minute)")
    .option(
      "--bases <k>",
      "also bounds of δ of all things at once, from k base points drawn at random, in n³ steps each",
      positiveInteger,
    )
    .option("--no-bank", "without references and control")
    .option("--figure <file>", "δ_rel among the references, and the distribution, SVG", svgFile("--figure"));
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    [
      "embranch hyperbolicity reads.fasta.gz --figure delta.svg",
      "50 samples of 100 reads, exact edit distances",
    ],
    ["embranch hyperbolicity distances.phy --exact", "of a matrix, and of all of it at once"],
    ["embranch hyperbolicity points.npy --space lorentz", "of points of the hyperboloid"],
    ["embranch hyperbolicity reads.fasta -m model.onnx --json", "of an embedding of sequences"],
  ]);
  return command.action(run);
}

async function run(path: string, options: HyperbolicityCliOptions): Promise<void> {
  const { size, samples, seed, threads, quiet, json, bank, figure } = options;
  checkOptions(path, options);
  const progress = new Progress("hyperbolicity", { unit: "samples", quiet });
  const stop = interruption();
  const started = performance.now();
  let loaded: LoadedMetric | undefined;
  try {
    await writeOutputs(async (open) => {
      const out = await open(undefined);
      const drawing = figure === undefined ? undefined : await open(figure);
      loaded = await loadMetric(path, options);
      const { metric, note } = loaded;
      if (note !== undefined) progress.note(note);
      checkCount(metric.count, loaded.what);
      const { signal } = stop;
      const found = await hyperbolicity(metric, {
        size,
        samples,
        seed,
        references: bank ? undefined : [],
        threads,
        signal,
        progress: (message, done, total) =>
          progress.update(Math.floor(done), { fraction: done / total, message }),
      });
      let all: Gromov | undefined;
      if (options.exact || options.bases !== undefined) {
        const distances = await metric.distances(Uint32Array.from({ length: metric.count }, (_, i) => i));
        all = await gromov(distances, {
          bases: options.exact ? undefined : options.bases,
          triangle: metric.triangle,
          seed,
          threads,
          signal,
          progress: (done, total) =>
            progress.update(done, { fraction: done / total, message: "all at once, base points" }),
        });
      }
      progress.stop();
      if (drawing !== undefined) {
        // Drawing figures takes long to load, and is for the end.
        const { hyperbolicityFigure } = await import("../task/hyperbolicity/figure.ts");
        const of = `${formatCount(found.count)} ${loaded.what}`;
        await drawing.write(`${hyperbolicityFigure(found, { of })}\n`);
      }
      const seconds = (performance.now() - started) / 1000;
      await out.write(
        json
          ? `${JSON.stringify(hyperbolicityJson(path, loaded, found, { all, seed, seconds }))}\n`
          : hyperbolicityText(loaded, found, all),
      );
    });
    if (figure !== undefined) progress.note(`figure in ${figure}`);
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("hyperbolicity: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
    await loaded?.metric.close?.();
  }
}

/** Throws on options that do not go together, before anything is read. */
function checkOptions(path: string, options: HyperbolicityCliOptions): void {
  const { size, exact, bases, bank, figure } = options;
  const rules: [boolean, string][] = [
    ...inputRules(path, options),
    [size < 4, `--size must be at least 4, got ${size}`],
    [exact === true && bases !== undefined, "needs --exact or --bases, got both"],
    [figure !== undefined && !bank, "--figure shows the references; leave --no-bank out"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`hyperbolicity: ${rule}`);
}
