/** @file `embranch index`: references made ready for `search`. */

import { Command, Option } from "commander";
import { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { FormatError, UsageError } from "../error.ts";
import { readSequences, textLines } from "../sequence/index.ts";
import { indexStore, type BuildOptions, type IndexStore, type IndexSummary } from "../task/search/store.ts";
import type { GraphOptions } from "../task/search/nearest-graph.ts";
import { openInput } from "./input.ts";
import { readBytes } from "./load.ts";
import {
  positiveInteger,
  withCommonOptions,
  withDevice,
  withExamples,
  type CommonOptions,
} from "./options.ts";
import { openOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";
import { formatTable } from "./table.ts";

interface IndexCliOptions extends CommonOptions {
  model?: string;
  output?: string;
  connectivity?: number;
  expansion?: number;
  precision?: GraphOptions["precision"];
  ids?: string;
  device: Device;
}

export function indexCommand(): Command {
  const command = new Command("index")
    .summary("make references ready to be searched")
    .description(
      "Embeds references and builds the index that `embranch search` searches: a folder with their points, sequences and ids, a graph of neighbours and the model. Whatever happens while it is changed, the folder stays the index that it was until the change is complete.",
    )
    .argument("<refs>", "references (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .option("-m, --model <file>", "model of `embranch fit` (required)")
    .option(
      "-o, --output <folder>",
      "folder of the index, or postgres://…; an index that is there is replaced (required)",
    )
    .option("--connectivity <n>", "neighbours of a reference in the graph (default: 16)", positiveInteger)
    .option(
      "--expansion <n>",
      "candidates looked at when one is added: more find more (default: 48)",
      positiveInteger,
    )
    .addOption(
      new Option(
        "--precision <type>",
        "numbers of a vector in the graph (default: f16; f32 where distances are not angles)",
      ).choices(["f32", "f16", "i8"]),
    );
  withCommonOptions(withDevice(command));
  withExamples(command, [
    ["embranch index refs.fasta -m model.onnx -o refs.idx", "build"],
    ["embranch index append refs.idx more.fasta", "add references"],
    ["embranch index delete refs.idx id1 id2", "delete references; embranch index compact frees their place"],
    [
      "embranch index refs.fasta -m model.onnx -o 'postgres://me@host/db?index=refs'",
      "in PostgreSQL with the extension pgvector",
    ],
    ["embranch index info refs.idx", "what is in it; embranch index verify reads it all"],
  ]);
  command.action(async (path: string, options: IndexCliOptions) => {
    const { connectivity, expansion, precision, output } = options;
    // Commander would ask the verbs below for what it is told to require here.
    if (options.model === undefined) throw new UsageError("index: needs -m <model>");
    if (output === undefined) throw new UsageError("index: needs -o <folder>");
    const graph = Object.fromEntries(
      Object.entries({ connectivity, expansion, precision }).filter(([, value]) => value !== undefined),
    );
    const model = await loadModel(options.model, options);
    try {
      await changed(output, options, path, (store, records, build) =>
        store.build(model, records, { ...build, graph }),
      );
    } finally {
      await model.model.close();
    }
  });
  // Settings of the program, such as how it ends, are known when a subcommand is about to run.
  command.hook("preSubcommand", (index, verb) => void verb.copyInheritedSettings(index));
  command.addCommand(appendCommand());
  command.addCommand(deleteCommand());
  for (const [name, summary, work] of SIMPLE) {
    const each = new Command(name)
      .summary(summary)
      .description(`${summary[0].toUpperCase()}${summary.slice(1)}.`);
    each.argument("<index>", "a folder, or postgres://…");
    withExamples(each, [[`embranch index ${name} refs.idx`, summary]]);
    command.addCommand(
      withDevice(withCommonOptions(each)).action(() => work(each.args[0], each.optsWithGlobals())),
    );
  }
  return command;
}

function appendCommand(): Command {
  const command = new Command("append")
    .summary("add references to an index")
    .description("Adds references to an index, which keeps those it has.")
    .argument("<index>", "a folder, or postgres://…")
    .argument("<refs>", "references (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .option("-m, --model <file>", "the model, to be checked: it must be the index's own");
  withExamples(command, [
    ["embranch index append refs.idx more.fasta.gz", "ids that are there already are refused"],
  ]);
  return withCommonOptions(withDevice(command)).action(async (index: string, path: string) => {
    const options: IndexCliOptions = command.optsWithGlobals();
    const model = options.model === undefined ? undefined : await loadModel(options.model, options);
    try {
      await changed(index, options, path, (store, records, build) =>
        store.append(records, { ...build, model }),
      );
    } finally {
      await model?.model.close();
    }
  });
}

function deleteCommand(): Command {
  const command = new Command("delete")
    .summary("delete references from an index")
    .description("Deletes references by id. All must be in the index, or none is deleted.")
    .argument("<index>", "a folder, or postgres://…")
    .argument("[ids...]", "ids")
    .option("--ids <file>", "file of ids, one a line; - is standard input");
  withExamples(command, [
    ["embranch index delete refs.idx 4356822 890962", "two references"],
    ["embranch index delete refs.idx --ids chimeras.txt", "those that a file names"],
  ]);
  return withCommonOptions(command).action(async (index: string, ids: string[]) => {
    const options: IndexCliOptions = command.optsWithGlobals();
    const all = [...ids];
    if (options.ids !== undefined) {
      const input = await openInput(options.ids);
      for await (const line of textLines(input.bytes, { file: input.name }))
        if (line.trim() !== "") all.push(line.trim());
      if (all.length === 0) throw new FormatError("ids: must be one a line, got none", { file: input.name });
    }
    if (all.length === 0) throw new UsageError("index delete: needs ids, or --ids <file>");
    const { summary, deleted } = await (await indexStore(index)).delete(all);
    await report(index, summary, options, `${formatCount(deleted)} references deleted; `);
  });
}

/** Changes and questions that need nothing but the folder. */
const SIMPLE: [string, string, (index: string, options: IndexCliOptions) => Promise<void>][] = [
  [
    "compact",
    "write an index anew as one part, without what was deleted",
    (index, options) => changed(index, options, undefined, (store, _, build) => store.compact(build)),
  ],
  [
    "verify",
    "read all of an index and compare it with its checksums",
    async (index, options) => {
      const progress = new Progress("reading", { unit: "bytes", quiet: options.quiet });
      const interrupt = interruption();
      try {
        const store = await indexStore(index);
        const summary = await store.verify({
          progress: (done, total) => progress.update(done, { fraction: done / total }),
          signal: interrupt.signal,
        });
        progress.finish();
        await report(index, summary, options, "nothing is damaged: ");
      } finally {
        progress.stop();
        interrupt.release();
      }
    },
  ],
  [
    "info",
    "what an index holds",
    async (index, options) => info(index, await (await indexStore(index)).info(), options),
  ],
];

async function loadModel(path: string, { threads, device }: IndexCliOptions) {
  const { bytes } = await readBytes(path);
  return { bytes, model: await Model.decode(bytes, path, { threads, device }) };
}

type Records = ReturnType<typeof readSequences>;

/** Makes a change, with its input, its progress and its report. */
async function changed(
  index: string,
  options: IndexCliOptions,
  path: string | undefined,
  change: (store: IndexStore, records: Records, build: BuildOptions) => Promise<IndexSummary>,
): Promise<void> {
  const { threads, device, quiet } = options;
  const input = path === undefined ? undefined : await openInput(path);
  const bars = {
    embedding: new Progress("embedding", { unit: "references", quiet }),
    linking: new Progress("linking", { unit: "references", quiet }),
  };
  const interrupt = interruption();
  const started = performance.now();
  try {
    const records = readSequences(input?.bytes ?? nothing(), { file: input?.name });
    const summary = await change(await indexStore(index), records, {
      threads,
      device,
      file: input?.name,
      signal: interrupt.signal,
      progress: (stage, done, total) => {
        const size = input?.size;
        const fraction = total === undefined ? size && input.bytesRead / size : done / total;
        bars[stage].update(done, { fraction });
      },
    });
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    for (const bar of Object.values(bars)) bar.stop();
    await report(index, summary, options, `in ${seconds} s: `);
  } catch (error) {
    if (interrupt.signal.aborted) throw interrupt.stopped(`stopped; ${index} is as it was`);
    throw error;
  } finally {
    for (const bar of Object.values(bars)) bar.stop();
    interrupt.release();
    await input?.close();
  }
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

async function report(index: string, summary: IndexSummary, { json, quiet }: IndexCliOptions, how: string) {
  const { references, deleted, parts, bytes } = summary;
  if (json) {
    const out = await openOutput(undefined);
    await out.write(`${JSON.stringify({ index, ...summary })}\n`);
  } else if (!quiet) {
    const waste = deleted === 0 ? "" : `, ${formatCount(deleted)} deleted`;
    const many = parts === 1 ? "" : ` in ${parts} parts`;
    process.stderr.write(
      `${how}${formatCount(references)} references${waste}${many}, ${megabytes(bytes)}, in ${index}\n`,
    );
  }
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toPrecision(3)} MB`;

/** Parts and a share of deleted references from which writing anew pays. */
const MANY_PARTS = 4;
const MANY_DELETED = 0.25;

async function info(index: string, summary: IndexSummary, { json }: IndexCliOptions): Promise<void> {
  const { references, deleted, parts, bytes, model, graph, embranch } = summary;
  const out = await openOutput(undefined);
  if (json) {
    await out.write(`${JSON.stringify({ index, ...summary })}\n`);
    return;
  }
  const wasteful = parts > MANY_PARTS || deleted > MANY_DELETED * references;
  const { geometry, dim, alphabet, length, digest } = model;
  const rows = [
    ["references", formatCount(references)],
    ["deleted", formatCount(deleted)],
    ["parts", `${parts}${wasteful ? " (embranch index compact makes search faster)" : ""}`],
    ["size", megabytes(bytes)],
    [
      "model",
      `${geometry}, ${dim} dimensions, ${alphabet} of up to ${length} letters, digest ${digest.slice(0, 12)}`,
    ],
    ["graph", graph],
    ["made by", `embranch ${embranch}`],
  ];
  await out.write(`${formatTable(rows, { align: "ll" })}\n`);
}
