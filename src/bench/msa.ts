/**
 * @file Multiple alignment beside Clustal Omega, MAFFT and Kalign: how right, and how fast.
 *
 * All are whole processes that read one FASTA file and write another, and take turns with the same number of threads.
 * With a reference alignment they get its sequences without gaps, and homologs where there are any, and what they make
 * of those of the reference is compared with it: the sum-of-pairs score is the share of the reference's pairs of letters
 * that stand together again, the total-column score that of its columns. Without one, only the time and the alignment
 * cost are told (task/align/cost.ts).
 */

import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { encodeAligned, readAlignment, type AlignedSequences } from "../sequence/aligned.ts";
import { meanPairCost } from "../task/align/cost.ts";
import { compareAlignments } from "../task/align/score.ts";
import { Processes } from "./processes.ts";
import { race, type Contestant } from "./timing.ts";

/** Sequences to be aligned. */
export interface MsaTask {
  name: string;
  ids: readonly string[];
  letters: readonly string[];
  /** Of some of them, or none where it is not known. */
  reference?: AlignedSequences;
}

/** Programs that are run where they are installed. */
export const ALIGNERS = ["clustalo", "mafft", "mafft-retree1", "mafft-linsi", "kalign"] as const;

export type Aligner = (typeof ALIGNERS)[number];

export interface MsaBenchOptions {
  /** Model files that guide trees are made by, a contestant each. */
  models?: readonly string[];
  /** Others to run (default Clustal Omega, MAFFT, Kalign). */
  aligners?: readonly Aligner[];
  /** More of our own contestants, by the options that they add to `align`. */
  variants?: readonly string[];
  /** Whether the cost is wanted, which takes a while (default: of tasks without a reference). */
  cost?: boolean;
  threads?: number;
  /** Alternating runs of each (default 3). */
  rounds?: number;
  progress?: (message: string) => void;
}

/** What one contestant made of one task. */
export interface MsaResult {
  task: string;
  name: string;
  seconds: number;
  columns: number;
  sp: number | null;
  tc: number | null;
  /** Mean cost of a pair of sequences; null where it was not asked for. */
  cost: number | null;
}

interface Entry {
  name: string;
  run: (input: string, output: string) => number;
}

/** Runs all contestants on all tasks; throws an `EmbranchError` where a program fails. */
export async function benchMsa(
  tasks: readonly MsaTask[],
  {
    models = [],
    aligners = ["clustalo", "mafft", "kalign"],
    variants = [],
    cost,
    threads = 1,
    rounds = 3,
    progress,
  }: MsaBenchOptions = {},
): Promise<MsaResult[]> {
  const folder = await mkdtemp(join(tmpdir(), "embranch-msa-"));
  const bench = new Processes(folder, threads);
  const entries = [
    ...ourEntries(bench, models, variants),
    ...aligners
      .filter((aligner) => bench.has(PROGRAM[aligner]))
      .map((aligner) => peerEntry(bench, aligner, threads)),
  ];
  const results: MsaResult[] = [];
  try {
    for (const [t, task] of tasks.entries()) {
      const input = join(folder, "input.fa");
      const outputs = entries.map((_, k) => join(folder, `output-${k}.fa`));
      // Names that every program leaves as they are.
      await writeFile(input, task.letters.map((letters, i) => `>s${i}\n${letters}\n`).join(""));
      const contestants = entries.map(({ name, run }, k): Contestant => ({
        name,
        run: () => Promise.resolve(run(input, outputs[k])),
        units: task.ids.length,
      }));
      // Some run for minutes, and all start from nothing.
      const timings = await race(
        contestants,
        rounds,
        (round) => progress?.(`${task.name}, ${t + 1} of ${tasks.length}, round ${round} of ${rounds}`),
        { warmUp: false },
      );
      for (const [k, { name }] of entries.entries()) {
        const made = await readAlignment([await readFile(outputs[k])], { file: outputs[k] });
        const ids = made.ids.map((id) => task.ids[Number(id.slice(1))]);
        const wanted = cost ?? task.reference === undefined;
        const { sp, tc } =
          task.reference === undefined
            ? { sp: null, tc: null }
            : compareAlignments({ ...made, ids }, task.reference, { file: name });
        results.push({
          task: task.name,
          name,
          seconds: timings[k].median,
          columns: made.alignment.width,
          sp,
          tc,
          cost: wanted ? meanPairCost(made.alignment, encodeAligned(made).codes) : null,
        });
      }
    }
    return results;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function ourEntries(bench: Processes, models: readonly string[], variants: readonly string[]): Entry[] {
  const ours = (name: string, ...more: string[]): Entry => ({
    name: `embranch ${name}`,
    run: (input, output) => bench.embranch("align", input, "-o", output, "-q", ...more),
  });
  return [
    ours("exact", "--exact"),
    ...models.map((model) => ours(basename(model), "-m", resolve(model))),
    ...variants.map((variant) => ours(variant, ...variant.split(/\s+/).map(wholePath))),
  ];
}

/** Processes run in another folder. */
function wholePath(word: string): string {
  return existsSync(word) ? resolve(word) : word;
}

const PROGRAM: Record<Aligner, string> = {
  clustalo: "clustalo",
  mafft: "mafft",
  "mafft-retree1": "mafft",
  "mafft-linsi": "mafft",
  kalign: "kalign",
};

function peerEntry(bench: Processes, aligner: Aligner, threads: number): Entry {
  const count = String(threads);
  const mafft = (name: string, ...more: string[]): Entry => ({
    name,
    run: (input, output) =>
      bench.peer("sh", "-c", `mafft --quiet --thread ${count} ${more.join(" ")} '${input}' > '${output}'`),
  });
  switch (aligner) {
    case "clustalo":
      return {
        name: "Clustal Omega",
        run: (input, output) =>
          bench.peer("clustalo", `--threads=${count}`, "-i", input, "-o", output, "--force"),
      };
    case "kalign":
      return {
        name: "Kalign",
        run: (input, output) => bench.peer("kalign", "-i", input, "-o", output, "--nthreads", count),
      };
    case "mafft":
      return mafft("MAFFT");
    case "mafft-retree1":
      return mafft("MAFFT --retree 1", "--retree", "1");
    case "mafft-linsi":
      return mafft("MAFFT L-INS-i", "--localpair", "--maxiterate", "1000");
  }
}
