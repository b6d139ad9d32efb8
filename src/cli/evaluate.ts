/** @file `embranch evaluate`: errors of a model against exact distances. */

import { Command } from "commander";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { evaluate, type Evaluation } from "../task/evaluate.ts";
import { loadCosts, loadSequences } from "./load.ts";
import {
  positiveInteger,
  wholeNumber,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface EvaluateCliOptions extends CommonOptions {
  model: string;
  pairs?: number;
  homologous: number;
  seed: number;
  device: Device;
  costs?: string;
  gap?: number;
}

/** An evaluation as a table for people. */
export function evaluationTable({
  pairs,
  rmsePercent,
  maePercent,
  mapePercent,
  pearson,
  spearman,
  homologous,
}: Evaluation): string {
  return formatTable(
    [
      ["measure", "value", "meaning"],
      ["pairs", formatCount(pairs), "unordered pairs measured"],
      ["RMSE", decimals(rmsePercent, 3, " %"), "root mean square error, percent of the model's length"],
      ["MAE", decimals(maePercent, 3, " %"), "mean absolute error, percent of the model's length"],
      [
        "MAPE",
        decimals(mapePercent, 3, " %"),
        "mean absolute error, percent of the exact distance, of pairs that differ",
      ],
      [
        "RMSE, homologous",
        decimals(homologous.rmsePercent, 3, " %"),
        `the same over the ${formatCount(homologous.pairs)} pairs at most ${homologous.k} edits apart`,
      ],
      ["Pearson", decimals(pearson, 5), "correlation of exact and predicted distances"],
      ["Spearman", decimals(spearman, 5), "correlation of their ranks"],
    ],
    { align: "lrl" },
  );
}

export function evaluateCommand(): Command {
  const command = new Command("evaluate")
    .summary("measure a model against exact distances")
    .description(
      "Measures how far a model's distances are from exact edit distances, in percent of the model's length, over all pairs of the sequences or a sample of them.",
    )
    .argument("<seqs>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .requiredOption("-m, --model <file>", "model file of `embranch fit`")
    .option("--pairs <n>", "measure a random sample of this many pairs (default: all)", positiveInteger)
    .option("--homologous <k>", "pairs at most this many edits apart count as homologous", wholeNumber, 40)
    .option("--costs <file>", "table of edit costs the model was fitted with")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger);
  withCommonOptions(withDevice(withSeed(command)));
  withExamples(command, [
    ["embranch evaluate test.fasta -m model.onnx", "a table of errors and correlations"],
    [
      "embranch evaluate big.fasta.gz -m model.onnx --pairs 1000000 --json",
      "a million sampled pairs, as JSON",
    ],
  ]);
  return command.action(async (path: string, options: EvaluateCliOptions) => {
    const { threads, device, quiet } = options;
    if (options.gap !== undefined && options.costs === undefined) {
      throw new UsageError("evaluate: --gap needs --costs");
    }
    const model = await Model.load(options.model, { threads, device });
    try {
      const set = await loadSequences(path, { model, minimum: 2, quiet });
      const costs =
        options.costs === undefined ? undefined : await loadCosts(options.costs, set.alphabet, options.gap);
      const progress = new Progress("exact distances", { unit: "pairs", quiet });
      const { evaluation } = await evaluate(model, set, {
        ...options,
        costs,
        progress: (done, total) => progress.update(done, { fraction: done / total }),
      });
      progress.stop();
      const out = await openOutput(undefined);
      await out.write(`${options.json ? JSON.stringify(evaluation) : evaluationTable(evaluation)}\n`);
    } finally {
      await model.close();
    }
  });
}
