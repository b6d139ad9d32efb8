/** @file `embranch embed`: sequences to points, streaming. */

import { Command } from "commander";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { readSequences } from "../sequence/index.ts";
import { embedRecords } from "../task/embed.ts";
import { pointsFormat, writePoints } from "../task/points.ts";
import { openInput } from "./input.ts";
import { LetterWatch } from "./load.ts";
import {
  positiveInteger,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface EmbedCliOptions extends CommonOptions {
  model: string;
  output?: string;
  device: Device;
  batch: number;
}

export function embedCommand(): Command {
  const command = new Command("embed")
    .summary("map sequences to points")
    .description(
      "Maps sequences to points whose distances approximate edit distances. Memory does not grow with the file.",
    )
    .argument("<seqs>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .requiredOption("-m, --model <file>", "model file of `embranch fit`")
    .option(
      "-o, --output <file>",
      ".npy, .parquet (columns id, embedding) or .tsv (default: TSV on standard output)",
    )
    .option("--batch <n>", "sequences embedded at once", positiveInteger, 512);
  withCommonOptions(withDevice(command));
  withExamples(command, [
    ["embranch embed reads.fasta.gz -m model.onnx -o points.parquet", "for pandas, DuckDB or Polars"],
    ["embranch embed - -m model.onnx < reads.fasta | head", "from standard input to standard output"],
  ]);
  return command.action(async (path: string, options: EmbedCliOptions) => {
    const { threads, device, quiet, output } = options;
    if (options.json && (output === undefined || output === "-")) {
      throw new UsageError("embed: --json needs -o, since the points themselves would go to standard output");
    }
    const format = output === undefined || output === "-" ? "tsv" : pointsFormat(output);
    const model = await Model.load(options.model, { threads, device });
    const input = await openInput(path);
    const progress = new Progress("embedding", { unit: "sequences", quiet });
    const letters = new LetterWatch(model.alphabet);
    let count = 0;
    try {
      const { dim } = model.manifest;
      await writeOutput(output, async (sink) => {
        const writer = writePoints(sink, format, dim);
        const records = letters.of(readSequences(input.bytes, { file: input.name }));
        for await (const { ids, data } of embedRecords(model, records, {
          blockSize: options.batch,
          file: input.name,
        })) {
          await writer.write(ids, data);
          count += ids.length;
          progress.update(count, { fraction: input.size ? input.bytesRead / input.size : undefined });
        }
        await writer.close();
      });
      progress.finish();
      letters.note(progress, input.name);
      if (options.json) {
        const out = await openOutput(undefined);
        await out.write(`${JSON.stringify({ output, sequences: count, dim })}\n`);
      } else if (output !== undefined && output !== "-" && !quiet) {
        progress.note(`${formatCount(count)} points of ${dim} dimensions in ${output}`);
      }
    } finally {
      progress.stop();
      await input.close();
      await model.close();
    }
  });
}
