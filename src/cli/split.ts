/** @file `embranch split`: training, validation and test files without copies or relatives across, and their leakage. */

import { stat } from "node:fs/promises";
import { basename, extname, resolve } from "node:path";
import { Command } from "commander";
import { UsageError } from "../error.ts";
import { decode, formatFasta, subset, type AlphabetName, type SequenceSet } from "../sequence/index.ts";
import {
  formatLeakageTsv,
  nearestTraining,
  summariseLeakage,
  type Leakage,
  type Nearest,
} from "../task/leakage.ts";
import {
  formatSplit,
  parseSplit,
  splitSequences,
  type PartName,
  type SplitParts,
  type Splitting,
} from "../task/split.ts";
import { copyRecords } from "./copy-records.ts";
import { loadSequences } from "./load.ts";
import {
  notNegative,
  withAlphabet,
  withCommonOptions,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeChunks, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { formatTable } from "./table.ts";

interface SplitCliOptions extends CommonOptions {
  output: string;
  by: Splitting;
  test: number;
  val: number;
  seed: number;
  leakage?: string;
  alphabet?: AlphabetName;
}

export function splitCommand(): Command {
  const command = new Command("split")
    .summary("training, validation and test files")
    .description(
      "Splits sequences into training, validation and test files, and reports how near test sequences are to their nearest training sequences. Records are written as they stand in the input. Copies of one sequence stay together; with cluster:<identity> so do the groups of single linkage at this identity, that is all sequences that links of it lead to, so that none has a relative as near in another file. Sequences are compared from end to end: letters that are missing at an end count as edits, so a read cut short is far from the whole one. Trim reads to one length first.",
    )
    .argument("<seqs>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .requiredOption(
      "-o, --output <prefix>",
      "writes <prefix>.train, <prefix>.val and <prefix>.test, with the ending of the input, but never compressed; from standard input or a pipe, names and letters alone, as .fasta",
    )
    .requiredOption(
      "--by <how>",
      "random, order (of the file) or cluster:<identity>, as cluster:0.97; identity is 1 - edits / length of the longer, missing ends being edits",
      parseSplit,
    )
    .option("--test <share>", "share of the sequences for testing; 0 for no such file", notNegative, 0.15)
    .option("--val <share>", "share of the sequences for validation; 0 for no such file", notNegative, 0.07)
    .option(
      "--leakage <file>",
      "table of the nearest training sequence of every test sequence, named as in the input (TSV)",
    );
  withCommonOptions(withAlphabet(withSeed(command)));
  withExamples(command, [
    ["embranch split reads.fasta -o reads --by cluster:0.97", "no relatives at 97 % identity across files"],
    ["embranch split reads.fasta -o reads --by random --leakage leak.tsv", "at random, and what that leaks"],
  ]);
  return command.action(run);
}

async function run(path: string, options: SplitCliOptions): Promise<void> {
  const { by, output, seed, threads, quiet } = options;
  const again = await canReadAgain(path);
  const files = partFiles(options, again ? extname(basename(path).replace(/\.gz$/i, "")) : ".fasta");
  checkFiles(path, files, options);
  const outputs: Output[] = [];
  // All outputs are opened before the work, and none is committed before all of them are written.
  const opened = async (file: string): Promise<Output> => {
    const out = await openOutput(file);
    outputs.push(out);
    return out;
  };
  const grouping = new Progress("comparing", { unit: "pairs", quiet });
  const nearing = new Progress("leakage", { unit: "test sequences", quiet });
  try {
    const places = new Map<PartName, Output>();
    for (const [part, file] of files) places.set(part, await opened(file));
    const table = options.leakage === undefined ? undefined : await opened(options.leakage);
    const firstLines: number[] = [];
    const set = await loadSequences(path, {
      alphabet: options.alphabet,
      minimum: 2,
      onRecord: ({ line }) => firstLines.push(line!),
      quiet,
    });
    const parts = await splitSequences(set, by, {
      validation: options.val,
      test: options.test,
      seed,
      threads,
      progress: (done, total) => grouping.update(done, { fraction: done / total }),
    });
    grouping.stop();
    if (again) {
      const placeOf = new Array<Output>(set.ids.length);
      for (const [part, out] of places) for (const i of parts[part]) placeOf[i] = out;
      await copyRecords(path, firstLines, placeOf);
    } else {
      for (const [part, out] of places) await writeFasta(out, subset(set, parts[part]));
    }
    let leakage: Leakage | undefined;
    if (parts.test.length > 0) {
      const [test, training] = [subset(set, parts.test), subset(set, parts.training)];
      const nearest = await nearestTraining(test, training, {
        threads,
        progress: (done, total) => nearing.update(done, { fraction: done / total }),
      });
      nearing.stop();
      leakage = summariseLeakage(nearest, training.ids.length);
      if (table !== undefined) await writeNearest(table, { test, training, nearest });
    }
    for (const out of outputs) await out.commit();
    const text = options.json
      ? JSON.stringify(summary(parts, files, { by: formatSplit(by), seed, output, leakage }))
      : report(parts, files, { by, leakage, lengths: lengthRange(set) });
    await writeChunks(undefined, [`${text}\n`]);
  } finally {
    grouping.stop();
    nearing.stop();
    for (const out of outputs) await out.discard();
  }
}

/** Whether the input can be read a second time, as standard input and pipes cannot. */
async function canReadAgain(path: string): Promise<boolean> {
  if (path === "-") return false;
  // What is not there is told when it is read.
  return (await stat(path).catch(() => undefined))?.isFile() === true;
}

/** The file of each part that has a share. */
function partFiles({ output, val, test }: SplitCliOptions, ending: string): Map<PartName, string> {
  const files = new Map<PartName, string>([["training", `${output}.train${ending}`]]);
  if (val > 0) files.set("validation", `${output}.val${ending}`);
  if (test > 0) files.set("test", `${output}.test${ending}`);
  return files;
}

/** Letters of the shortest and of the longest sequence. */
function lengthRange({ codes, maxLength }: SequenceSet): [number, number] {
  return [codes.reduce((least, { length }) => Math.min(least, length), maxLength), maxLength];
}

/** Throws on options that do not go together, before anything is read or written. */
function checkFiles(
  input: string,
  files: ReadonlyMap<PartName, string>,
  { output, val, test, leakage }: SplitCliOptions,
): void {
  const taken = (path: string) => [...files.values()].some((file) => resolve(file) === resolve(path));
  const rules: [boolean, string][] = [
    [/(^|[/\\])$/.test(output) || output === "-", `--output must be how file names begin, got ${output}`],
    [val + test >= 1, `--val and --test must be below 1 together, got ${val} and ${test}`],
    [val + test === 0, "--val and --test are both 0, which leaves nothing to split off"],
    [leakage !== undefined && test === 0, "--leakage needs test sequences; --test is 0"],
    [leakage === "-", "--leakage must be a file, got standard output"],
    [leakage !== undefined && taken(leakage), `--leakage must be a file of its own, got ${leakage}`],
    [taken(input), `${input} would be overwritten; name another --output`],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`split: ${rule}`);
}

async function writeFasta(out: Output, { ids, codes, alphabet }: SequenceSet): Promise<void> {
  for (const [i, id] of ids.entries()) {
    await out.write(formatFasta({ id, description: "", sequence: decode(codes[i], alphabet) }));
  }
}

async function writeNearest(
  out: Output,
  { test, training, nearest }: { test: SequenceSet; training: SequenceSet; nearest: Nearest },
): Promise<void> {
  for (const line of formatLeakageTsv(test, training, nearest)) await out.write(line);
}

function summary(
  parts: SplitParts,
  files: ReadonlyMap<PartName, string>,
  { leakage, ...settings }: { by: string; seed: number; output: string; leakage?: Leakage },
): object {
  const written = [...files].map(([part, file]) => [part, { sequences: parts[part].length, output: file }]);
  return { ...settings, groups: parts.groups, parts: Object.fromEntries(written) as object, leakage };
}

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;

/** Counts and leakage as tables for people. */
function report(
  parts: SplitParts,
  files: ReadonlyMap<PartName, string>,
  { by, leakage, lengths }: { by: Splitting; leakage?: Leakage; lengths: [number, number] },
): string {
  const total = parts.training.length + parts.validation.length + parts.test.length;
  const rows = [...files].map(([part, file]) => {
    const count = parts[part].length;
    return [part, formatCount(count), percent(count / total), file];
  });
  const { count, largest } = parts.groups;
  const groups =
    by.by === "cluster" ? `groups linked at an identity of ${by.identity}` : "different sequences";
  const kept = `${formatCount(count)} ${groups}, the largest with ${formatCount(largest)} of ${formatCount(total)} sequences`;
  const tables = [formatTable([["part", "sequences", "share", "file"], ...rows], { align: "lrrl" }), kept];
  if (leakage !== undefined) tables.push(leakageTables(leakage));
  if (leakage !== undefined || by.by === "cluster") tables.push(identityNote(lengths));
  return tables.join("\n\n");
}

/** What identity means, and what it means of sequences of several lengths. */
function identityNote([shortest, longest]: [number, number]): string {
  const meaning = "Identity is 1 − edits / length of the longer sequence, compared from end to end.";
  if (shortest === longest) return meaning;
  return (
    `${meaning}\nSequences have ${shortest} to ${longest} letters: letters missing at an end count as edits, ` +
    "so a read cut short is\nfar from the whole one, and the two may be in different files. Trim reads to one length first."
  );
}

const QUANTILE_NAMES: Record<number, string> = { 0: "nearest", 0.5: "median", 1: "farthest" };

/** A leakage report as tables for people. */
function leakageTables({ test, training, copies, quantiles, within }: Leakage): string {
  const title = `From each of ${formatCount(test)} test sequences to the nearest of ${formatCount(training)} training sequences:`;
  const shares: [string, number][] = [
    ["copy", copies],
    ...within.map(({ percent, sequences }): [string, number] => [`within ${percent} %`, sequences]),
  ];
  return [
    title,
    formatTable([
      ["quantile", "edits", "identity"],
      ...quantiles.map(({ share, edits, identity }) => [
        QUANTILE_NAMES[share] ?? `${100 * share} %`,
        edits,
        percent(identity),
      ]),
    ]),
    formatTable([
      ["training sequence", "tests", "share"],
      ...shares.map(([name, count]) => [name, formatCount(count), percent(count / test)]),
    ]),
  ].join("\n\n");
}
