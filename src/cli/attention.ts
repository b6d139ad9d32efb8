/** @file `embranch attention`: a learned attention map beside the Needleman-Wunsch matrix it should resemble. */

import { existsSync } from "node:fs";
import { Command } from "commander";
import { AttentionModel, attentionPath } from "../engine/model-file.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { decode } from "../sequence/index.ts";
import { attentionMaps } from "../task/attention.ts";
import { loadSequences } from "./load.ts";
import { withCommonOptions, withExamples, type CommonOptions } from "./options.ts";
import { openOutput, writeChunks } from "./output.ts";
import { Progress } from "./progress.ts";

interface AttentionCliOptions extends CommonOptions {
  model: string;
  output: string;
  source?: string;
  target?: string;
  zoom?: { from: number; to: number };
}

/** Reads `39-81`. */
function zoomRange(text: string): { from: number; to: number } {
  const match = /^(\d+)-(\d+)$/.exec(text);
  if (match === null || Number(match[1]) >= Number(match[2])) {
    throw new UsageError(`--zoom: must be a range of positions such as 39-81, got "${text}"`);
  }
  return { from: Number(match[1]), to: Number(match[2]) };
}

export function attentionCommand(): Command {
  const command = new Command("attention")
    .summary("a learned attention map beside its alignment matrix")
    .description(
      "Draws the attention map of two sequences, as a model trained with --regularizer nwa has it, beside their Needleman-Wunsch matrix, each row scaled to sum to 1. Rows are positions of the target, columns of the source.",
    )
    .argument("<pair>", "file with the two sequences (of a longer one the first two, or those named)")
    .requiredOption("-m, --model <file>", "model file; its attention file stands beside it")
    .option("-o, --output <file>", "SVG file", "attention.svg")
    .option("--source <id>", "name of the source (default: the first)")
    .option("--target <id>", "name of the target (default: the second)")
    .option("--zoom <from-to>", "draw these positions of both alone, with their letters", zoomRange);
  withCommonOptions(command);
  withExamples(command, [
    ["embranch attention pair.fasta -m nwa.onnx --zoom 39-81", "a model fitted with --regularizer nwa"],
  ]);
  return command.action(async (path: string, options: AttentionCliOptions) => {
    const { model: modelPath, output, zoom, threads, quiet, json } = options;
    const file = attentionPath(modelPath);
    if (!existsSync(file)) {
      throw new EmbranchError(
        `${file}: there is no attention file beside the model; fit it with --regularizer nwa`,
      );
    }
    const model = await AttentionModel.load(file, { threads });
    const { length } = model.manifest;
    const { name } = model.alphabet;
    const set = await loadSequences(path, { alphabet: name, maxLength: length, minimum: 2, quiet });
    const chosen = [options.source, options.target].map((id, i) => {
      const at = id === undefined ? i : set.ids.indexOf(id);
      if (at < 0) throw new EmbranchError(`${path}: has no sequence named "${id}"`);
      return at;
    });
    const [source, target] = chosen.map((i) => set.codes[i]);
    const [sourceId, targetId] = chosen.map((i) => set.ids[i]);
    const maps = await attentionMaps(model, source, target);
    await model.close();
    const { attentionFigure } = await import("../task/attention-figure.ts");
    const letters = (codes: Uint8Array) => decode(codes, set.alphabet);
    const figure = attentionFigure(
      { ...maps, source: letters(source), target: letters(target) },
      { zoom, title: `${targetId} (rows) and ${sourceId} (columns), ${maps.editDistance} edits apart` },
    );
    await writeChunks(output, [figure]);
    if (json) {
      const summary = {
        output,
        source: sourceId,
        target: targetId,
        editDistance: maps.editDistance,
        divergence: maps.divergence,
      };
      const out = await openOutput(undefined);
      await out.write(`${JSON.stringify(summary)}\n`);
    } else {
      new Progress("attention", { unit: "maps", quiet }).note(`attention map in ${output}`);
    }
  });
}
