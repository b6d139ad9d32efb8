/** @file `embranch baseline`: errors of k-mer and FFP distances, to hold a model's against. */

import { Command, InvalidArgumentError } from "commander";
import { KMER_DISTANCES, type KmerDistance } from "../baseline/kmer.ts";
import { countKmers } from "../baseline/profile.ts";
import { UsageError } from "../error.ts";
import type { Alphabet, AlphabetName } from "../sequence/index.ts";
import { baseline, type BaselineReport } from "../task/baseline.ts";
import { loadCosts, loadSequences } from "./load.ts";
import {
  namingOption,
  positiveInteger,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface BaselineCliOptions extends CommonOptions {
  test: string;
  kmer?: number[];
  distance?: KmerDistance[];
  ffp?: number[];
  fitPairs: number;
  pairs?: number;
  homologous: number;
  seed: number;
  alphabet?: AlphabetName;
  costs?: string;
  gap?: number;
}

/** Parses lengths such as `4`, `2-6` or `2,4-6`. */
function lengths(text: string): number[] {
  const found = text.split(",").flatMap((part) => {
    const [, first, last = first] = /^([1-9]\d?)(?:-([1-9]\d?))?$/.exec(part) ?? [];
    const count = Number(last) - Number(first) + 1;
    if (count > 0) return Array.from({ length: count }, (_, i) => Number(first) + i);
    throw new InvalidArgumentError("It must be lengths of k-mers, such as 4, 2-6 or 2,4-6.");
  });
  return [...new Set(found)];
}

/** Throws on lengths of k-mers that the alphabet is too large for. */
function checkLengths(option: string, lengths: readonly number[] = [], alphabet: Alphabet): void {
  for (const k of lengths) namingOption("k", option, () => countKmers([], { k, alphabet }));
}

/** Parses names of distances, separated by commas. */
function distanceNames(text: string): KmerDistance[] {
  return [...new Set(text.split(","))].map((word) => {
    const name = KMER_DISTANCES.find((known) => known === word);
    if (name !== undefined) return name;
    throw new InvalidArgumentError(`Allowed choices are ${KMER_DISTANCES.join(", ")}, separated by commas.`);
  });
}

/** A report as a table for people, least error first. */
export function baselineTable({ length, fitPairs, results }: BaselineReport): string {
  const [{ evaluation: first }] = results;
  const rows = results.map(({ method, k, distance, scale, evaluation }) => [
    method,
    k,
    distance,
    ...[evaluation.rmsePercent, evaluation.maePercent, evaluation.homologous.rmsePercent].map((error) =>
      decimals(error, 3, " %"),
    ),
    decimals(evaluation.pearson, 4),
    decimals(evaluation.spearman, 4),
    scale.toPrecision(4),
  ]);
  const { k, pairs } = first.homologous;
  return [
    formatTable(
      [
        ["method", "k", "distance", "RMSE", "MAE", "RMSE, homologous", "Pearson", "Spearman", "factor"],
        ...rows,
      ],
      { align: "lrl" },
    ),
    "",
    `Errors over ${formatCount(first.pairs)} pairs in percent of ${length} letters, the longest sequence;`,
    `homologous are the ${formatCount(pairs)} pairs at most ${k} edits apart.`,
    `Distances times the factor are edits; fitted to ${formatCount(fitPairs)} training pairs.`,
  ].join("\n");
}

export function baselineCommand(): Command {
  const command = new Command("baseline")
    .summary("measure k-mer and FFP distances against exact ones")
    .description(
      "Measures distances that need neither alignment nor training: between k-mer counts (--kmer, --distance), and between feature frequency profiles (--ffp; Jensen-Shannon divergence of the frequencies of longer k-mers). One factor each is fitted to the training sequences; errors are those of the test sequences, in percent of the length of the longest sequence. A model should do better.",
    )
    .argument("<train>", "training sequences (FASTA, FASTQ, CSV or one a line; plain or gzip)")
    .requiredOption("--test <file>", "sequences to measure errors on")
    .option(
      "--kmer <k>",
      "lengths of counted k-mers, such as 4 or 2-6 (default: 2-6, none with --ffp)",
      lengths,
    )
    .option(
      "--distance <names>",
      "distances between counts, separated by commas (default: all five)",
      distanceNames,
    )
    .option("--ffp <k>", "lengths of k-mers of frequency profiles (default: 8-10, none with --kmer)", lengths)
    .option("--fit-pairs <n>", "fit factors to at most this many training pairs", positiveInteger, 1_000_000)
    .option("--pairs <n>", "measure a random sample of this many test pairs (default: all)", positiveInteger)
    .option("--homologous <k>", "pairs at most this many edits apart count as homologous", wholeNumber, 40)
    .option("--costs <file>", "table of edit costs for the exact distances")
    .option("--gap <n>", "with --costs: cost of an insertion or deletion (default: 1)", positiveInteger);
  withCommonOptions(withAlphabet(withSeed(command)));
  withExamples(command, [
    ["embranch baseline train.fasta --test test.fasta", "2- to 6-mers and FFP, least error first"],
    [
      "embranch baseline train.fasta --test test.fasta --kmer 4-6 --distance cosine,manhattan --json",
      "six of them, as JSON",
    ],
  ]);
  return command.action(async (path: string, options: BaselineCliOptions) => {
    const { alphabet, distance, gap, quiet } = options;
    if (gap !== undefined && options.costs === undefined) {
      throw new UsageError("baseline: --gap needs --costs");
    }
    if (distance && options.ffp && !options.kmer) {
      throw new UsageError("baseline: --distance is for k-mers, of which --ffp leaves none; add --kmer");
    }
    const train = await loadSequences(path, { alphabet, minimum: 2, quiet });
    checkLengths("--kmer", options.kmer, train.alphabet);
    checkLengths("--ffp", options.ffp, train.alphabet);
    const test = await loadSequences(options.test, { alphabet: train.alphabet, minimum: 2, quiet });
    const costs =
      options.costs === undefined ? undefined : await loadCosts(options.costs, train.alphabet, gap);
    const progress = new Progress("comparing", { unit: "pairs", quiet });
    try {
      const report = await baseline(train, test, {
        ...options,
        distances: distance,
        costs,
        progress: (done, total) => progress.update(done, { fraction: done / total }),
      });
      progress.stop();
      const out = await openOutput(undefined);
      await out.write(`${options.json ? JSON.stringify(report) : baselineTable(report)}\n`);
    } finally {
      progress.stop();
    }
  });
}
