/** @file `embranch bench consensus`: consensus strings by every method. */

import { Command, Option } from "commander";
import { benchGroups, benchReads, type ConsensusResult } from "../bench/consensus.ts";
import type { DecoderModel } from "../engine/decoder-model.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { STRING_METHODS, type StringMethod } from "../task/consensus/job.ts";
import { list, withReport, writeReport, type ReportOptions } from "./bench-report.ts";
import { loadGroups } from "./load-groups.ts";
import { loadSequences } from "./load.ts";
import { positiveInteger, withExamples, withSeed } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchConsensusOptions extends ReportOptions {
  sizes: number[];
  draws: number;
  methods: StringMethod[];
  model?: string;
  length?: number;
  of?: string;
  groups: number;
  groupSize: number;
  draw: "near" | "any";
  seed: number;
  threads?: number;
}

/** `line` is the command line as it was given, for the report. */
export function benchConsensusCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("consensus")
    .summary("consensus strings by every method")
    .description(
      "Makes strings of groups by every method. Of reads of known strands: how many strands come out without an error, by the number of reads drawn of each. Of related sequences (--of): consensus errors, the mean number of edits from the sequences of a group to its string, as NeuroSEED tells them of groups of 30.",
    )
    .argument("[reads]", "table of reads, with a column group or cluster")
    .argument("[strands]", "table of the strands that they are of, with the same column")
    .option(
      "--sizes <list>",
      "reads of each group; groups with fewer are left out",
      list(positiveInteger),
      [5, 10, 20],
    )
    .option("--draws <n>", "times that reads are drawn of each group", positiveInteger, 1)
    .option("--methods <names...>", `methods without a model: ${STRING_METHODS.join(", ")}`, [
      ...STRING_METHODS,
    ])
    .option("-m, --model <file>", "model with a decoder, for Steiner strings")
    .option("--length <n>", "letters of the strands: majority runs again, and is told", positiveInteger)
    .option("--of <seqs>", "or: sequences to draw groups from")
    .option("--groups <n>", "with --of: groups", positiveInteger, 100)
    .option("--group-size <n>", "with --of: sequences of a group", positiveInteger, 30)
    .addOption(
      new Option("--draw <which>", "with --of: a sequence and those nearest to it, or any")
        .choices(["near", "any"])
        .default("near"),
    )
    .option("--threads <n>", "with --of: threads that find neighbours (default: all cores)", positiveInteger);
  withReport(withSeed(command));
  withExamples(command, [
    ["embranch bench consensus reads.csv strands.csv --length 110 -o consensus.md", "strands found again"],
    ["embranch bench consensus --of 16s.fasta --groups 50 -m model.onnx", "consensus errors of groups of 30"],
  ]);
  return command.action(async (reads: string | undefined, strands: string | undefined) => {
    const options: BenchConsensusOptions = command.optsWithGlobals();
    const { sizes, draws, methods, of, groups, groupSize, draw, seed, length, threads, quiet } = options;
    const unknown = methods.find((method) => !STRING_METHODS.includes(method));
    if (unknown !== undefined) {
      throw new UsageError(`methods: must be of ${STRING_METHODS.join(", ")}, got ${unknown}`);
    }
    if ((of === undefined) === (reads === undefined) || (reads !== undefined && strands === undefined)) {
      throw new UsageError("bench consensus: needs reads and strands, or --of <seqs>");
    }
    const progress = new Progress("bench consensus", { unit: "steps", quiet });
    let model: DecoderModel | undefined;
    try {
      if (options.model !== undefined) {
        const { DecoderModel } = await import("../engine/decoder-model.ts");
        model = await DecoderModel.load(options.model, { threads });
      }
      const common = { methods, model, length, seed, progress: (message: string) => progress.note(message) };
      let results: ConsensusResult[];
      let about: string;
      if (of !== undefined) {
        const set = await loadSequences(of, { minimum: groupSize, alphabet: model?.encoder.alphabet, quiet });
        results = await benchGroups(set, { ...common, count: groups, size: groupSize, draw, threads });
        const drawn =
          draw === "near" ? "a sequence drawn at random and those nearest to it" : "drawn at random";
        about = `${results[0].groups} groups of ${groupSize} of ${set.ids.length} sequences, ${drawn}`;
      } else {
        const alphabet = model?.encoder.alphabet;
        const all = await loadGroups(reads!, { alphabet, quiet });
        const known = await loadGroups(strands!, { alphabet: all.alphabet, quiet });
        const strandOf = new Map(known.names.map((name, i) => [name, known.members[i][0]]));
        const found = all.names.filter((name) => strandOf.has(name)).length;
        if (found === 0) throw new EmbranchError("strands: must have groups of the reads, got none of them");
        results = await benchReads(all, strandOf, { ...common, sizes, draws });
        if (results.length === 0) {
          throw new EmbranchError(`--sizes: a group must have as many reads, got ${sizes.join(", ")}`);
        }
        about = `Reads of ${found} strands, drawn at random`;
      }
      progress.stop();
      await writeReport(
        {
          title: "Consensus strings",
          about: `${about}. The error is the mean edit distance of a group's sequences to its string; that of random is what a sequence drawn at random is expected to have, its distance to itself included. Times are of one thread. Seed ${seed}.`,
          tables: [{ rows: tableOf(results) }],
          summary: about,
          result: { seed, results },
        },
        options,
        line,
      );
    } finally {
      progress.stop();
      await model?.close();
    }
  });
}

function tableOf(results: readonly ConsensusResult[]): string[][] {
  const known = results[0].exact !== undefined;
  const percent = (share: number | undefined) => decimals(share === undefined ? null : 100 * share, 2);
  return [
    [
      "",
      "sequences",
      "groups",
      ...(known ? ["without an error, %", "edits from the strand"] : []),
      "consensus error",
      "ms a group",
    ],
    ...results.map(({ method, size, groups, exact, distance, error, milliseconds }) => [
      method,
      String(size),
      String(groups),
      ...(known ? [percent(exact), decimals(distance ?? null, 3)] : []),
      decimals(error, 3),
      decimals(milliseconds ?? null, 2),
    ]),
  ];
}
