/** @file `embranch classify predict`: classes of sequences, streaming. */

import { Command } from "commander";
import { ClassifierFile } from "../engine/classifier-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { readSequences } from "../sequence/index.ts";
import { findColumn, ID_COLUMNS, type ChooseColumns } from "../sequence/csv.ts";
import { namedColumn } from "../task/classify/columns.ts";
import { formatPredictions, formatPredictionsHeader } from "../task/classify/predictions-tsv.ts";
import { classifyRecords, featurePoints } from "../task/classify/predict.ts";
import { answers } from "../task/classify/predictions.ts";
import { pointsFormat, writePoints, type PointsWriter } from "../task/points.ts";
import { replacedNote } from "./classify-data.ts";
import { openInput } from "./input.ts";
import {
  namingOption,
  positiveInteger,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

interface PredictCliOptions extends CommonOptions {
  model: string;
  output?: string;
  features?: string;
  sequenceColumn?: string;
  device: Device;
  batch: number;
}

export function classifyPredictCommand(): Command {
  const command = new Command("predict")
    .summary("classes of sequences")
    .description(
      "Tells the classes of sequences, with a probability for each. Memory does not grow with the file. Letters that are none of the model's alphabet count as unknown, and of a sequence longer than the model the beginning is seen; both are counted.",
    )
    .argument("<seqs>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .requiredOption("-m, --model <file>", "model file of `embranch classify fit`")
    .option(
      "-o, --output <file>",
      "table of id, predicted class, its probability, and a column for each class (default: standard output)",
    )
    .option(
      "--features <file>",
      "also what the classes are told by, .npy, .parquet or .tsv: points of the hyperboloid of a hyperbolic model (--space lorentz of `embranch hyperbolicity`), plain vectors of the others",
    )
    .option("--sequence-column <name>", "of a table: the column of sequences (default: recognised)")
    .option("--batch <n>", "sequences classified at once", positiveInteger, 512);
  withCommonOptions(withDevice(command));
  withExamples(command, [
    ["embranch classify predict reads.fasta.gz -m model.onnx -o classes.tsv", "one line a sequence"],
    [
      "embranch classify predict genes.csv -m model.onnx -o classes.tsv --features points.npy",
      "and the points, to look at or to measure",
    ],
  ]);
  return command.action(run);
}

async function run(path: string, options: PredictCliOptions): Promise<void> {
  const { threads, device, quiet, output, features, sequenceColumn } = options;
  const toStdout = output === undefined || output === "-";
  if (options.json && toStdout) {
    throw new UsageError(
      "classify predict: --json needs -o, since the table itself would go to standard output",
    );
  }
  const format =
    features === undefined
      ? undefined
      : namingOption("embeddings", "--features", () => pointsFormat(features));
  const model = await ClassifierFile.load(options.model, { threads, device });
  const { manifest } = model;
  const { classes } = manifest;
  const input = await openInput(path);
  const progress = new Progress("classifying", { unit: "sequences", quiet });
  const stop = interruption();
  const counts = new Uint32Array(classes.length);
  const replaced = { records: 0, letters: 0 };
  let count = 0;
  let cut = 0;
  try {
    await writeOutputs(async (open) => {
      const out = await open(output);
      const points = features === undefined ? undefined : await open(features);
      let writer: PointsWriter | undefined;
      await out.write(formatPredictionsHeader(classes));
      const records = readSequences(input.bytes, {
        file: input.name,
        ...(sequenceColumn !== undefined && { format: "csv", columns: columnsOf(sequenceColumn) }),
      });
      const blocks = classifyRecords(model, records, {
        blockSize: options.batch,
        file: input.name,
        signal: stop.signal,
      });
      for await (const block of blocks) {
        const { ids, probabilities } = block;
        await out.write([...formatPredictions({ ids, probabilities }, classes)].join(""));
        for (const answer of answers({ classes: classes.length, probabilities })) counts[answer]++;
        if (points !== undefined && format !== undefined) {
          const { dims, data } = featurePoints(manifest, block.features, ids.length);
          writer ??= writePoints(points, format, dims);
          await writer.write(ids, data);
        }
        count += ids.length;
        cut += block.cut;
        replaced.records += block.replaced.records;
        replaced.letters += block.replaced.letters;
        progress.update(count, { fraction: input.size ? input.bytesRead / input.size : undefined });
      }
      await writer?.close();
    });
    progress.finish();
    if (replaced.letters > 0) progress.note(replacedNote(replaced, manifest.alphabet));
    if (cut > 0) {
      progress.note(
        `${formatCount(cut)} sequences are longer than the model's ${manifest.length} letters; the rest of them was not seen`,
      );
    }
    if (options.json) {
      const summary = {
        output,
        features,
        sequences: count,
        predicted: Object.fromEntries(classes.map((name, k) => [name, counts[k]])),
        cut,
        replaced,
      };
      await (await openOutput(undefined)).write(`${JSON.stringify(summary)}\n`);
    } else if (!toStdout) {
      const found = classes.slice(0, 10).map((name, k) => `${formatCount(counts[k])} ${name}`);
      const more = classes.length > found.length ? ", …" : "";
      progress.note(`${formatCount(count)} sequences in ${output}: ${found.join(", ")}${more}`);
    }
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    throw stop.stopped(`classify predict: stopped, ${toStdout ? "not all" : "nothing"} was written`);
  } finally {
    stop.release();
    progress.stop();
    await input.close();
    await model.close();
  }
}

/** Chooses the column that the user named. */
function columnsOf(name: string): ChooseColumns {
  return (columns, location) => {
    const sequence = namedColumn(columns, name, "sequence", location) ?? -1;
    const id = findColumn(columns, ID_COLUMNS);
    return { sequence, id: id === sequence ? -1 : id };
  };
}
