/** @file `embranch bench msa`: multiple alignments beside Clustal Omega, MAFFT and Kalign. */

import { basename } from "node:path";
import { Command } from "commander";
import { ALIGNERS, benchMsa, type Aligner, type MsaResult, type MsaTask } from "../bench/msa.ts";
import { UsageError } from "../error.ts";
import { readSequences } from "../sequence/index.ts";
import { loadAlignment, loadLettered } from "./align-input.ts";
import { timedHow, withRace, writeReport, type RaceOptions } from "./bench-report.ts";
import { openInput } from "./input.ts";
import { withExamples } from "./options.ts";
import { Progress } from "./progress.ts";
import { decimals } from "./table.ts";

interface BenchMsaOptions extends RaceOptions {
  model: string[];
  with: Aligner[];
  variant: string[];
  homologs?: string;
  unaligned?: boolean;
  cost?: boolean;
}

/** `line` is the command line as it was given, for the report. */
export function benchMsaCommand(line: readonly string[] = process.argv.slice(2)): Command {
  const command = new Command("msa")
    .summary("multiple alignments beside Clustal Omega, MAFFT and Kalign")
    .description(
      "Aligns the sequences of reference alignments, their gaps taken out, by our aligner and by others where they are installed, as whole processes that take turns, and tells the share of the references' pairs of letters (SP) and of their columns (TC) that come back, and the time. Of sequences without a reference it tells time and alignment cost.",
    )
    .argument("<references...>", "reference alignments: FASTA, Clustal, Stockholm or PHYLIP")
    .option("-m, --model <files...>", "models that guide trees are made by, a contestant each", [])
    .option("--with <names...>", `others: ${ALIGNERS.join(", ")}, or none`, ["clustalo", "mafft", "kalign"])
    .option(
      "--variant <options>",
      "one more of ours: what is added to `align`, in quotes; may be given again",
      (words: string, before: string[]) => [...before, words],
      [] as string[],
    )
    .option(
      "--homologs <file>",
      "CSV of family, id, sequence: more sequences for the reference family.… of each family",
    )
    .option("--unaligned", "the files are sequences that no alignment is known of")
    .option("--cost", "the alignment cost as well");
  withRace(command);
  withExamples(command, [
    [
      "embranch bench msa refs/*.fasta --homologs seqs.csv.gz -m proteins.onnx -o msa.md",
      "protein families, with more sequences than the references have",
    ],
    ["embranch bench msa genes.fasta --unaligned --with kalign mafft --threads 2", "time and cost"],
  ]);
  return command.action(async (paths: string[]) => {
    const options: BenchMsaOptions = command.optsWithGlobals();
    const { model, variant, threads, rounds, quiet, cost } = options;
    const aligners = options.with.filter((name) => (name as string) !== "none");
    const unknown = aligners.find((name) => !ALIGNERS.includes(name));
    if (unknown !== undefined) {
      throw new UsageError(`--with: must be of ${ALIGNERS.join(", ")}, got ${unknown}`);
    }
    const homologs = options.homologs === undefined ? undefined : await loadFamilies(options.homologs);
    const tasks: MsaTask[] = [];
    for (const path of paths) {
      const task = options.unaligned ? await loadUnaligned(path, quiet) : await loadReference(path);
      if (homologs === undefined) tasks.push(task);
      else {
        const more = homologs.get(task.name.split(".")[0]);
        if (more !== undefined) tasks.push(withHomologs(task, more));
      }
    }
    if (tasks.length === 0) throw new UsageError("--homologs: must be of the references' families, got none");
    const progress = new Progress("bench msa", { unit: "tasks", quiet });
    const results = await benchMsa(tasks, {
      models: model,
      aligners,
      variants: variant,
      cost,
      threads,
      rounds,
      progress: (message) => progress.note(message),
    });
    progress.stop();
    const sequences = tasks.reduce((sum, { ids }) => sum + ids.length, 0);
    const of =
      tasks.length === 1
        ? `${sequences} sequences of ${tasks[0].name}`
        : `${tasks.length} alignments, ${sequences} sequences in all`;
    await writeReport(
      {
        title: "Multiple alignment",
        about: `${of}. ${timedHow(options)} SP and TC are means over the alignments, in percent; seconds are their sum; cost is the mean of a pair of sequences: a mismatch 1, a gap 1 and 1 a letter.`,
        tables: [
          { rows: summaryOf(results) },
          ...(tasks.length > 1 ? [{ title: "SP of each", rows: eachOf(results), appendix: true }] : []),
        ],
        summary: of,
        result: { threads, results },
      },
      options,
      line,
    );
  });
}

async function loadReference(path: string): Promise<MsaTask> {
  const reference = await loadAlignment(path);
  return { name: basename(path), ids: reference.ids, letters: reference.letters, reference };
}

async function loadUnaligned(path: string, quiet?: boolean): Promise<MsaTask> {
  const { set, letters } = await loadLettered(path, { quiet });
  return { name: basename(path), ids: set.ids, letters };
}

/** Sequences of each family, by their ids. */
async function loadFamilies(path: string): Promise<Map<string, Map<string, string>>> {
  const input = await openInput(path);
  const families = new Map<string, Map<string, string>>();
  try {
    for await (const { id, sequence, fields } of readSequences(input.bytes, { file: input.name })) {
      const family = fields?.family;
      if (family === undefined) {
        throw new UsageError(`--homologs: must have a column family, got ${input.name}`);
      }
      const members = families.get(family) ?? new Map<string, string>();
      families.set(family, members.set(id, sequence));
    }
    return families;
  } finally {
    await input.close();
  }
}

/** The reference's sequences and all others of its family. */
function withHomologs({ ids, letters, ...task }: MsaTask, homologs: Map<string, string>): MsaTask {
  const known = new Set(ids);
  const others = [...homologs].filter(([id]) => !known.has(id));
  return {
    ...task,
    ids: [...ids, ...others.map(([id]) => id)],
    letters: [...letters, ...others.map(([, sequence]) => sequence)],
  };
}

function namesOf(results: readonly MsaResult[]): string[] {
  return [...new Set(results.map(({ name }) => name))];
}

const percent = (share: number | null) => (share === null ? "" : decimals(100 * share, 2));

function summaryOf(results: readonly MsaResult[]): string[][] {
  const mean = (values: (number | null)[]): number | null =>
    values.some((value) => value === null)
      ? null
      : values.reduce<number>((sum, value) => sum + value!, 0) / values.length;
  const totals = namesOf(results).map((name) => {
    const own = results.filter((result) => result.name === name);
    return {
      name,
      seconds: own.reduce((sum, { seconds }) => sum + seconds, 0),
      sp: mean(own.map(({ sp }) => sp)),
      tc: mean(own.map(({ tc }) => tc)),
      cost: mean(own.map(({ cost }) => cost)),
      columns: mean(own.map(({ columns }) => columns))!,
    };
  });
  return [
    [
      "",
      "SP, %",
      "TC, %",
      "seconds",
      "time, first = 1",
      "mean columns",
      "cost of a pair",
      "above the first, %",
    ],
    ...totals.map(({ name, seconds, sp, tc, cost, columns }) => [
      name,
      percent(sp),
      percent(tc),
      decimals(seconds, 2),
      decimals(seconds / totals[0].seconds, 2),
      decimals(columns, 0),
      cost === null ? "" : decimals(cost, 2),
      cost === null ? "" : decimals(100 * (cost / totals[0].cost! - 1), 2),
    ]),
  ];
}

function eachOf(results: readonly MsaResult[]): string[][] {
  const names = namesOf(results);
  const tasks = [...new Set(results.map(({ task }) => task))];
  return [
    ["", ...names],
    ...tasks.map((task) => [
      task,
      ...names.map((name) => percent(results.find((r) => r.task === task && r.name === name)?.sp ?? null)),
    ]),
  ];
}
