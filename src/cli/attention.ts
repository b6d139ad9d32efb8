/** @file `embranch attention`: a learned attention map beside the Needleman-Wunsch matrix it should resemble. */

import { existsSync } from "node:fs";
import { isDeepStrictEqual } from "node:util";
import { Command } from "commander";
import { AttentionModel, attentionPath, readManifest } from "../engine/model-file.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { decode } from "../sequence/index.ts";
import { attentionMaps } from "../task/attention.ts";
import { loadSequences, readBytes } from "./load.ts";
import { namingOption, svgFile, withCommonOptions, withExamples, type CommonOptions } from "./options.ts";
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

/** Loads the attention file of a model; throws where there is none, or it is that of another model. */
async function loadAttention(path: string, threads: number | undefined): Promise<AttentionModel> {
  const { name, bytes } = await readBytes(path);
  const manifest = readManifest(bytes, name);
  const file = attentionPath(path);
  if (!existsSync(file)) {
    throw new EmbranchError(
      `${file}: there is no attention file beside the model; fit it with --regularizer nwa`,
    );
  }
  const model = await AttentionModel.load(file, { threads });
  if (isDeepStrictEqual(model.manifest, manifest)) return model;
  throw new EmbranchError(
    `${file}: must be of the run that made ${path}, got that of another; fit the model again with --regularizer nwa`,
  );
}

/** Places of the two sequences: those named, and for one that is not the first that is not the other. */
function choosePair(
  ids: readonly string[],
  { source, target }: AttentionCliOptions,
  file: string,
): [number, number] {
  const named = [source, target].map((id) => {
    const at = id === undefined ? undefined : ids.indexOf(id);
    if (at !== undefined && at < 0) throw new EmbranchError(`${file}: has no sequence named "${id}"`);
    return at;
  });
  const from = named[0] ?? (named[1] === 0 ? 1 : 0);
  return [from, named[1] ?? (from === 0 ? 1 : 0)];
}

export function attentionCommand(): Command {
  const command = new Command("attention")
    .summary("a learned attention map beside its alignment matrix")
    .description(
      "Draws the attention map of two sequences, as a model trained with --regularizer nwa has it, beside the softmax of each row of their Needleman-Wunsch matrix. Rows are positions of the target, columns of the source.",
    )
    .argument("<pair>", "file with the two sequences (of a longer one the first two, or those named)")
    .requiredOption("-m, --model <file>", "model file; its attention file stands beside it")
    .option("-o, --output <file>", "SVG file", svgFile("--output"), "attention.svg")
    .option("--source <id>", "name of the source (default: the first that is not the target)")
    .option("--target <id>", "name of the target (default: the first that is not the source)")
    .option("--zoom <from-to>", "draw these positions of both alone, with their letters", zoomRange);
  withCommonOptions(command);
  withExamples(command, [
    ["embranch attention pair.fasta -m nwa.onnx --zoom 39-81", "a model fitted with --regularizer nwa"],
  ]);
  return command.action(async (path: string, options: AttentionCliOptions) => {
    const { model: modelPath, output, zoom, threads, quiet, json } = options;
    const model = await loadAttention(modelPath, threads);
    const { length } = model.manifest;
    const { name } = model.alphabet;
    const set = await loadSequences(path, { alphabet: name, maxLength: length, minimum: 2, quiet });
    const chosen = choosePair(set.ids, options, path);
    const [source, target] = chosen.map((i) => set.codes[i]);
    const [sourceId, targetId] = chosen.map((i) => set.ids[i]);
    const maps = await attentionMaps(model, source, target);
    await model.close();
    const { attentionFigure } = await import("../task/attention-figure.ts");
    const letters = (codes: Uint8Array) => decode(codes, set.alphabet);
    const title = `${targetId} (rows) and ${sourceId} (columns), ${maps.editDistance} edits apart`;
    const pair = { ...maps, source: letters(source), target: letters(target) };
    const figure = namingOption("zoom", "--zoom", () => attentionFigure(pair, { zoom, title }));
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
