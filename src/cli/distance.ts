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
import { openOutput, writeChunks } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface DistanceCliOptions extends CommonOptions {
  model?: string;
  exact?: boolean;
  output?: string;
  square?: boolean;
  alphabet?: AlphabetName;
  threshold?: number;
  costs?: string;
  gap: number;
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
      "with --exact: distances above k are reported as k+1, and cost less time",
      wholeNumber,
    )
    .option("--costs <file>", "with --exact: table of substitution costs, letters by letters")
    .option("--gap <n>", "cost of an insertion or deletion, with --costs", positiveInteger, 1);
  withCommonOptions(withDevice(withAlphabet(command)));
  withExamples(command, [
    [
      "embranch distance reads.fasta --exact -o distances.npy",
      "unsigned integers, condensed, in the file's order",
    ],
    ["embranch distance queries.fasta references.fasta -m model.onnx -o d.tsv", "cross matrix from a model"],
  ]);
  return command.action(async (first: string, second: string | undefined, options: DistanceCliOptions) => {
    const { threads, device, quiet, output } = options;
    if ((options.model === undefined) === (options.exact !== true)) {
      throw new UsageError(
        "distance: needs either --exact or -m <model>, got " + (options.exact ? "both" : "neither"),
      );
    }
    if (options.json && (output === undefined || output === "-")) {
      throw new UsageError("--json: needs -o, since the matrix itself would go to standard output");
    }
    const format = matrixFormat(output);
    if (format === "phy" && second !== undefined) {
      throw new UsageError("distances: a cross matrix has no PHYLIP form; name a .tsv or .npy file");
    }
    const model =
      options.model === undefined ? undefined : await Model.load(options.model, { threads, device });
    const progress = new Progress("distances", { unit: model ? "rows" : "pairs", quiet });
    const report = (done: number, total: number) => progress.update(done, { fraction: done / total });
    try {
      const limits = {
        alphabet: model?.alphabet ?? options.alphabet,
        maxLength: model?.manifest.length,
        quiet,
      };
      const a = await loadSequences(first, { ...limits, minimum: second === undefined ? 2 : 1 });
      const b =
        second === undefined ? undefined : await loadSequences(second, { ...limits, alphabet: a.alphabet });
      let values: NumberArray;
      if (model !== undefined) {
        values = await embeddedDistances(model, a, b, { threads, device, progress: report });
      } else {
        const costs =
          options.costs === undefined ? undefined : await loadCosts(options.costs, a.alphabet, options.gap);
        values = await exactDistances(a, b, {
          threads,
          threshold: options.threshold,
          costs,
          progress: report,
        });
      }
      progress.finish();
      await writeChunks(output, encode(a, b, values, format, options.square === true));
      if (options.json) {
        const summary = {
          output,
          rows: a.ids.length,
          columns: (b ?? a).ids.length,
          exact: options.exact === true,
        };
        const out = await openOutput(undefined);
        await out.write(`${JSON.stringify(summary)}\n`);
      } else if (output !== undefined && output !== "-") {
        progress.note(`${formatCount(values.length)} distances in ${output}`);
      }
    } finally {
      progress.stop();
      await model?.close();
    }
  });
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
