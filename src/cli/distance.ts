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
import { embeddedDistances, exactDistances } from "../task/distance.ts";
import { loadCosts, loadSequences } from "./load.ts";
import {
  positiveInteger,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { writeChunks, writeOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface DistanceCliOptions extends CommonOptions {
  model?: string;
  exact?: boolean;
  output?: string;
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
    .option("--square", "square .npy matrix instead of a condensed one")
    .option(
      "--threshold <k>",
      "with --exact: distances above k edits are reported as k+1, and cost less time",
      wholeNumber,
    )
    .option("--costs <file>", "with --exact: table of substitution costs, letters by letters")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger);
  withCommonOptions(withDevice(withAlphabet(command)));
  withExamples(command, [
    [
      "embranch distance reads.fasta --exact -o distances.npy",
      "unsigned integers, condensed, in the file's order",
    ],
    ["embranch distance queries.fasta references.fasta -m model.onnx -o d.tsv", "cross matrix from a model"],
  ]);
  return command.action(async (first: string, second: string | undefined, options: DistanceCliOptions) => {
    const { threads, device, quiet, output, exact } = options;
    const format = matrixFormat(output);
    checkOptions(options, format, second);
    const model =
      options.model === undefined ? undefined : await Model.load(options.model, { threads, device });
    const progress = new Progress("distances", { unit: model ? "rows" : "pairs", quiet });
    const report = (done: number, total: number) => progress.update(done, { fraction: done / total });
    try {
      // Opened first: a place that cannot be written is better found before the work than after it.
      const { rows, columns, distances } = await writeOutput(output, async (out) => {
        const minimum = second === undefined ? 2 : 1;
        const a = await loadSequences(first, { model, alphabet: options.alphabet, minimum, quiet });
        const b =
          second === undefined
            ? undefined
            : await loadSequences(second, { model, alphabet: a.alphabet, quiet });
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
        for (const chunk of encode(a, b, values, format, options.square === true)) await out.write(chunk);
        return { rows: a.ids.length, columns: (b ?? a).ids.length, distances: values.length };
      });
      if (options.json) {
        const summary = { output, rows, columns, exact: exact === true };
        await writeChunks(undefined, [`${JSON.stringify(summary)}\n`]);
      } else if (output !== undefined && output !== "-") {
        progress.note(`${formatCount(distances)} distances in ${output}`);
      }
    } finally {
      progress.stop();
      await model?.close();
    }
  });
}

/** Throws on options that do not go together, before anything is read. */
function checkOptions(
  { model, exact, json, output, square, threshold, costs, gap, alphabet }: DistanceCliOptions,
  format: MatrixFormat,
  second: string | undefined,
): void {
  const rules: [boolean, string][] = [
    [model === undefined && !exact, "needs --exact or -m <model>, got neither"],
    [model !== undefined && exact === true, "needs either --exact or -m <model>, got both"],
    [threshold !== undefined && !exact, "--threshold needs --exact"],
    [costs !== undefined && !exact, "--costs needs --exact"],
    [gap !== undefined && costs === undefined, "--gap needs --costs"],
    [alphabet !== undefined && model !== undefined, "--alphabet is the model's; leave it out with -m"],
    [format === "phy" && second !== undefined, "a cross matrix has no PHYLIP form; name a .tsv or .npy file"],
    [square === true && format !== "npy", "--square is for .npy; .phy and .tsv are square anyway"],
    [
      json === true && (output === undefined || output === "-"),
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
