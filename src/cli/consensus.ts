/** @file `embranch consensus`: one string for each group of sequences. */

import { Command, Option } from "commander";
import type { DecoderModel } from "../engine/decoder-model.ts";
import type { Device } from "../engine/run.ts";
import { EmbranchError, UsageError } from "../error.ts";
import { formatFasta, Random, type AlphabetName } from "../sequence/index.ts";
import {
  CONSENSUS_METHODS,
  consensusStrings,
  type ConsensusMethod,
  type ConsensusString,
} from "../task/consensus/consensus.ts";
import { drawMembers, withLeastMembers } from "../task/consensus/groups.ts";
import { loadGroups } from "./load-groups.ts";
import {
  positiveInteger,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeOutputs, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

interface ConsensusCliOptions extends CommonOptions {
  output?: string;
  method: ConsensusMethod;
  model?: string;
  length?: number;
  refine?: boolean;
  table?: string;
  minSize: number;
  maxReads?: number;
  alphabet?: AlphabetName;
  seed: number;
  device: Device;
}

export function consensusCommand(): Command {
  const command = new Command("consensus")
    .summary("one string for each group of sequences")
    .description(
      "Makes one string for each group of sequences: the strand that noisy reads are copies of, or the middle of related sequences. The error told with each is the mean number of edits from its group's sequences to it. By majority, every read votes on every single edit of the string so far, until none makes the reads likelier; insertions, deletions and runs of equal letters are reckoned with as nanopore reads have them, and reads that are cut short, or of something else, cost little.",
    )
    .argument(
      "<groups>",
      "table with columns group (or cluster) and sequence (or read), such as `embranch cluster --reads` writes (CSV or TSV, plain or gzip; - is standard input)",
    )
    .option("-o, --output <file>", "strings, named by their groups (FASTA; default: standard output)")
    .addOption(
      new Option(
        "--method <name>",
        "majority: likeliest strand; centre: sequence with the least sum of edits to the others; greedy-1: grown letter by letter; greedy-2: letters of stretched sequences; steiner: middle of a model's points",
      )
        .choices(CONSENSUS_METHODS)
        .default("majority"),
    )
    .option("-m, --model <file>", "with steiner: model of `embranch fit --decoder`")
    .option(
      "--refine",
      "go on to a string that no single edit brings nearer to its group (default: with steiner)",
    )
    .option("--no-refine", "with steiner: the string as it is decoded")
    .option("--length <n>", "with majority: letters of every strand, where that is known", positiveInteger)
    .option("--table <file>", "group, reads, error in edits, and length in letters, one line a group (TSV)")
    .option("--min-size <n>", "leave out groups of fewer sequences", positiveInteger, 1)
    .option("--max-reads <n>", "use no more sequences of a group, drawn at random", positiveInteger);
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    ["embranch consensus groups.csv -o strands.fasta", "the strand behind each group of reads"],
    [
      "embranch cluster nanopore.csv --reads -o groups.csv && embranch consensus groups.csv --length 110 --min-size 5",
      "from reads to strands of 110 letters",
    ],
    ["embranch consensus groups.csv --method steiner -m model.onnx", "by way of the middle of the points"],
  ]);
  return command.action(run);
}

async function run(path: string, options: ConsensusCliOptions): Promise<void> {
  checkOptions(options);
  const { output, method, length, minSize, maxReads, seed, threads, device, quiet } = options;
  const started = performance.now();
  const progress = new Progress("consensus", { unit: "groups", quiet });
  const stop = interruption();
  let model: DecoderModel | undefined;
  try {
    await writeOutputs(async (open) => {
      const table = options.table === undefined ? undefined : await open(options.table);
      const main = await open(output);
      if (options.model !== undefined) {
        // The executor is slow to load, and needed for nothing else.
        const { DecoderModel } = await import("../engine/decoder-model.ts");
        model = await DecoderModel.load(options.model, { threads, device });
      }
      const all = await loadGroups(path, { alphabet: model?.encoder.alphabet ?? options.alphabet, quiet });
      let groups = withLeastMembers(all, minSize);
      const leftOut = all.names.length - groups.names.length;
      if (groups.names.length === 0) {
        const largest = all.members.reduce((most, group) => Math.max(most, group.length), 0);
        throw new EmbranchError(
          `--min-size: must leave a group, got ${minSize} where the largest group has ${largest}`,
        );
      }
      if (maxReads !== undefined) {
        const random = new Random(seed).fork("consensus");
        groups = drawMembers(groups, maxReads, (name, count) =>
          random.fork(name).sample(count, Math.min(count, maxReads)),
        );
      }
      const strings = await consensusStrings(groups, {
        method,
        refine: options.refine,
        model,
        length,
        threads,
        signal: stop.signal,
        progress: (done, total) => progress.update(done, { fraction: done / total }),
      });
      progress.stop();
      if (table !== undefined) await writeAll(table, tableOf(strings));
      const summary = { output, method, groups: strings.length, leftOut, ...summarise(strings) };
      if (options.json) {
        if (output !== undefined) await writeAll(main, fastaOf(strings));
        const out = output === undefined ? main : await openOutput(undefined);
        await out.write(`${JSON.stringify(output === undefined ? { ...summary, strings } : summary)}\n`);
      } else await writeAll(main, fastaOf(strings));
      if (quiet) return;
      const seconds = ((performance.now() - started) / 1000).toFixed(1);
      const where = output === undefined ? "" : `, in ${output}`;
      progress.note(
        `${formatCount(strings.length)} strings of ${formatCount(summary.reads)} sequences in ${seconds} s, ${summary.error.toFixed(2)} edits from a sequence to its string on average${where}`,
      );
      if (leftOut > 0) {
        progress.note(
          `${formatCount(leftOut)} of ${formatCount(all.names.length)} groups are smaller and were left out`,
        );
      }
    });
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("consensus: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
    await model?.close();
  }
}

function checkOptions(options: ConsensusCliOptions): void {
  const { output, table, method, model, length, json } = options;
  const strings = output === undefined || output === "-";
  const rules: [boolean, string][] = [
    [
      method === "steiner" && model === undefined,
      "--method steiner needs a model with a decoder: -m <model>",
    ],
    [method !== "steiner" && model !== undefined, `-m is for --method steiner, got --method ${method}`],
    [method !== "majority" && length !== undefined, `--length is for --method majority, got ${method}`],
    [strings && table === "-", "the strings go to standard output; name a file for --table"],
    [json === true && output === "-", "--json without -o prints the strings as JSON; leave -o - out"],
    [json === true && table === "-", "--json prints on standard output; name a file for --table"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`consensus: ${rule}`);
}

function* fastaOf(strings: readonly ConsensusString[]): Generator<string> {
  for (const { group, sequence, reads, error } of strings) {
    const id = group.replace(/\s+/g, "_");
    yield formatFasta({ id, description: `reads=${reads} error=${rounded(error)}`, sequence });
  }
}

function* tableOf(strings: readonly ConsensusString[]): Generator<string> {
  yield "group\treads\terror\tlength\n";
  for (const { group, sequence, reads, error } of strings) {
    yield `${group.replace(/[\t\r\n]/g, " ")}\t${reads}\t${rounded(error)}\t${sequence.length}\n`;
  }
}

/** With no more decimals than two, and no zeros behind. */
const rounded = (error: number): string => String(Math.round(100 * error) / 100);

function summarise(strings: readonly ConsensusString[]): { reads: number; error: number } {
  const reads = strings.reduce((sum, each) => sum + each.reads, 0);
  const edits = strings.reduce((sum, each) => sum + each.reads * each.error, 0);
  return { reads, error: edits / reads };
}

async function writeAll(out: Output, records: Iterable<string>): Promise<void> {
  for (const record of records) await out.write(record);
}
