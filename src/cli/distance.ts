/** @file `embranch distance`: exact or embedded distance matrices. */

import { Command } from "commander";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import type { AlphabetName, SequenceSet } from "../sequence/index.ts";
import type { NumberArray } from "../sequence/condensed.ts";
import { encodeCrossTsv, encodeMatrixTsv } from "../sequence/matrix-tsv.ts";
import { encodeNpy, encodeNpySquare } from "../sequence/npy.ts";
import { encodePhylip } from "../sequence/phylip.ts";
import { embeddedDistances, exactDistances, samplePairedSets } from "../task/distance.ts";
import { loadCosts, loadSequences } from "./load.ts";
import {
  positiveInteger,
  svgFile,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { writeChunks, writeOutput, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface DistanceCliOptions extends CommonOptions {
  model?: string;
  exact?: boolean;
  output?: string;
  histogram?: string;
  seed: number;
  square?: boolean;
  alphabet?: AlphabetName;
  threshold?: number;
  costs?: string;
  gap?: number;
  device: Device;
}

type MatrixFormat = "npy" | "phy" | "tsv";

function matrixFormat(path: string | undefined): MatrixFormat {
  if (path === undefined || path === "-") return "tsv";
  const ending = /\.(npy|phy|tsv)$/i.exec(path)?.[1];
  if (ending !== undefined) return ending.toLowerCase() as MatrixFormat;
  throw new UsageError(`distances: the file name must end in .npy, .phy or .tsv, got ${path}`);
}

export function distanceCommand(): Command {
  const command = new Command("distance")
    .summary("distance matrices, exact or from a model")
    .description(
      "Computes the distances of all pairs of sequences, or from every sequence of one file to every one of another: exact edit distances (--exact), or a model's approximation of them (-m), both in edits.",
    )
    .argument("<a>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .argument("[b]", "second file: the matrix then has a's sequences as rows and b's as columns")
    .option("-m, --model <file>", "model file of `embranch fit`")
    .option("--exact", "exact edit distances")
    .option(
      "-o, --output <file>",
      ".npy (condensed, SciPy's order), .phy (PHYLIP) or .tsv (default: TSV on standard output)",
    )
    .option(
      "--histogram <file>",
      "SVG figure of how many pairs are how far apart, with -o or instead of it; then of a random sample of the sequences where they make more than 20 million pairs",
      svgFile("--histogram"),
    )
    .option("--square", "square .npy matrix instead of a condensed one")
    .option(
      "--threshold <k>",
      "with --exact: distances above k edits are reported as k+1, and cost less time",
      wholeNumber,
    )
    .option("--costs <file>", "with --exact: table of substitution costs, letters by letters")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger);
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    [
      "embranch distance reads.fasta --exact -o distances.npy",
      "unsigned integers, condensed, in the file's order",
    ],
    ["embranch distance queries.fasta references.fasta -m model.onnx -o d.tsv", "cross matrix from a model"],
    ["embranch distance reads.fasta --exact --histogram distances.svg", "how far apart the sequences are"],
  ]);
  return command.action(async (first: string, second: string | undefined, options: DistanceCliOptions) => {
    const { threads, device, quiet, output, histogram, exact, seed } = options;
    const format = matrixFormat(output);
    checkOptions(options, format, [first, second]);
    const model =
      options.model === undefined ? undefined : await Model.load(options.model, { threads, device });
    const progress = new Progress("distances", { unit: model ? "rows" : "pairs", quiet });
    const report = (done: number, total: number) => progress.update(done, { fraction: done / total });
    const run = async (matrix?: Output, figure?: Output): Promise<Comparison> => {
      const minimum = second === undefined ? 2 : 1;
      let a = await loadSequences(first, { model, alphabet: options.alphabet, minimum, quiet });
      let b =
        second === undefined
          ? undefined
          : await loadSequences(second, { model, alphabet: a.alphabet, quiet });
      if (matrix === undefined) {
        const sample = samplePairedSets(a, b, { seed });
        if (sample[0] !== a || sample[1] !== b) {
          const drawn = sample.map((set) => formatCount(set?.ids.length ?? 0)).join(" and ");
          progress.note(
            `the histogram is of ${drawn} sequences, drawn by seed ${seed}: all make too many pairs`,
          );
        }
        [a, b] = sample;
      }
      let values: NumberArray;
      if (model !== undefined) {
        values = await embeddedDistances(model, a, b, { threads, device, progress: report });
      } else {
        const { threshold, gap } = options;
        const costs =
          options.costs === undefined ? undefined : await loadCosts(options.costs, a.alphabet, gap);
        values = await exactDistances(a, b, { threads, threshold, costs, progress: report });
      }
      progress.finish();
      if (matrix !== undefined) {
        for (const chunk of encode(a, b, values, format, options.square === true)) await matrix.write(chunk);
      }
      const [rows, columns] = [a.ids.length, (b ?? a).ids.length];
      const comparison = { rows, columns, distances: values.length };
      if (figure === undefined) return comparison;
      // Drawing figures takes long to load, and is for the end.
      const { distanceHistogram, medianDistance } = await import("../task/figures.ts");
      const of = `pairs of ${formatCount(rows)} ${b === undefined ? "" : `and ${formatCount(columns)} `}sequences`;
      const kind = exact ? "exact distance" : "embedded distance";
      await figure.write(`${distanceHistogram(values, { of, kind, standalone: true })}\n`);
      return { ...comparison, median: medianDistance(values) };
    };
    try {
      // Opened first: a place that cannot be written is better found before the work than after it.
      const withFigure = (matrix?: Output) => writeOutput(histogram, (figure) => run(matrix, figure));
      const { rows, columns, distances, median } =
        histogram === undefined
          ? await writeOutput(output, (matrix) => run(matrix))
          : await (output === undefined ? withFigure() : writeOutput(output, withFigure));
      if (options.json) {
        const summary = { output, rows, columns, exact: exact === true, histogram, median };
        await writeChunks(undefined, [`${JSON.stringify(summary)}\n`]);
        return;
      }
      if (output !== undefined && output !== "-") {
        progress.note(`${formatCount(distances)} distances in ${output}`);
      }
      if (median !== undefined) {
        progress.note(
          `histogram of ${formatCount(distances)} distances, their median ${Number(median.toFixed(1))} edits, in ${histogram}`,
        );
      }
    } finally {
      progress.stop();
      await model?.close();
    }
  });
}

/** What was compared. */
interface Comparison {
  rows: number;
  columns: number;
  distances: number;
  /** Median distance, where a histogram was drawn. */
  median?: number;
}

/** Throws on options that do not go together, before anything is read. */
function checkOptions(
  { model, exact, json, output, histogram, square, threshold, costs, gap, alphabet }: DistanceCliOptions,
  format: MatrixFormat,
  [first, second]: [string, string | undefined],
): void {
  const rules: [boolean, string][] = [
    [first === "-" && second === "-", "the two files cannot both be standard input"],
    [model === undefined && !exact, "needs --exact or -m <model>, got neither"],
    [model !== undefined && exact === true, "needs either --exact or -m <model>, got both"],
    [threshold !== undefined && !exact, "--threshold needs --exact"],
    [costs !== undefined && !exact, "--costs needs --exact"],
    [gap !== undefined && costs === undefined, "--gap needs --costs"],
    [alphabet !== undefined && model !== undefined, "--alphabet is the model's; leave it out with -m"],
    [format === "phy" && second !== undefined, "a cross matrix has no PHYLIP form; name a .tsv or .npy file"],
    [square === true && format !== "npy", "--square is for .npy; .phy and .tsv are square anyway"],
    [
      histogram !== undefined && threshold !== undefined,
      "--histogram needs whole distances; leave --threshold out",
    ],
    [
      json === true && (output === "-" || (output === undefined && histogram === undefined)),
      "--json needs -o, since the matrix itself would go to standard output",
    ],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`distance: ${rule}`);
}

function encode(
  a: SequenceSet,
  b: SequenceSet | undefined,
  values: NumberArray,
  format: MatrixFormat,
  square: boolean,
): Iterable<Uint8Array> {
  if (b !== undefined) {
    if (format === "npy") return encodeNpy(values, [a.ids.length, b.ids.length]);
    return encodeCrossTsv({ rows: a.ids, columns: b.ids, values });
  }
  const matrix = { ids: a.ids, values };
  if (format === "phy") return encodePhylip(matrix);
  if (format === "tsv") return encodeMatrixTsv(matrix);
  return square ? encodeNpySquare(values) : encodeNpy(values, [values.length]);
}
