/** @file `embranch align score`: what an alignment has of a reference, and what it costs. */

import { Command } from "commander";
import { UsageError } from "../error.ts";
import { encodeAligned, type AlignedSequences } from "../sequence/aligned.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { alignmentCost, clustalwScore } from "../task/align/cost.ts";
import { compareAlignments, type AlignmentComparison } from "../task/align/score.ts";
import { loadAlignment } from "./align-input.ts";
import { withAlphabet, withCommonOptions, withExamples, type CommonOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { formatCount } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface ScoreCliOptions extends CommonOptions {
  core?: boolean;
  cost?: boolean;
  alphabet?: AlphabetName;
}

/** What an alignment costs without a reference. */
interface Costs {
  /** Sum over all pairs: mismatch 1, a gap of k letters 1 + k. */
  cost: number;
  /** What ClustalW 2.1 would print, with a gap opening penalty of 1. */
  clustalwScore: number;
}

export function alignScoreCommand(): Command {
  const command = new Command("score")
    .summary("measure how good an alignment is")
    .description(
      "Compares an alignment with a reference of the same sequences, matched by their names: the share of the reference's pairs of letters that it has (sum-of-pairs) and of its whole columns (total-column). With --cost, what it costs by itself.",
    )
    .argument("<test>", "alignment to be judged (FASTA, Clustal, Stockholm or PHYLIP; plain or gzip)")
    .argument("[reference]", "alignment that it should be; of its sequences alone, if it has fewer")
    .option("--core", "only letters that the reference has in upper case, as BAliBASE marks its core")
    .option("--cost", "sum-of-pairs cost (mismatch 1, gap of k letters 1 + k), and ClustalW's score");
  withCommonOptions(withAlphabet(command));
  withExamples(command, [
    ["embranch align score ours.fa reference.fa", "sum-of-pairs and total-column score"],
    ["embranch align score ours.aln core.fa --core --json", "of the core columns, as JSON"],
    ["embranch align score ours.fa --cost", "without a reference"],
  ]);
  return command.action(async (test: string, reference: string | undefined) => {
    // The verb above has options of these names too, and takes them first.
    const options: ScoreCliOptions = command.optsWithGlobals();
    checkOptions(test, reference, options);
    const ours = await loadAlignment(test);
    const comparison =
      reference === undefined
        ? undefined
        : compareAlignments(ours, await loadAlignment(reference), { core: options.core, file: ours.name });
    const costs = options.cost ? costsOf(ours, { alphabet: options.alphabet, file: ours.name }) : undefined;
    const out = await openOutput(undefined);
    const text = options.json
      ? JSON.stringify({ test, reference, ...comparison, ...costs })
      : scoreTable(comparison, costs);
    await out.write(`${text}\n`);
  });
}

function checkOptions(
  test: string,
  reference: string | undefined,
  { core, cost, alphabet }: ScoreCliOptions,
): void {
  const rules: [boolean, string][] = [
    [reference === undefined && !cost, "needs a reference, or --cost"],
    [reference === "-" && test === "-", "one file at most can be standard input"],
    [core === true && reference === undefined, "--core needs a reference"],
    [alphabet !== undefined && !cost, "--alphabet needs --cost"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`align score: ${rule}`);
}

function costsOf(aligned: AlignedSequences, options: { alphabet?: AlphabetName; file: string }): Costs {
  const { alignment } = aligned;
  const { alphabet, codes } = encodeAligned(aligned, options);
  return {
    cost: alignmentCost(alignment, codes),
    clustalwScore: clustalwScore(alignment, codes, { alphabet }),
  };
}

function scoreTable(comparison?: AlignmentComparison, costs?: Costs): string {
  const rows: string[][] = [["measure", "value", "meaning"]];
  const percent = (share: number | null) => decimals(share === null ? null : 100 * share, 2, " %");
  if (comparison !== undefined) {
    const { pairs, testPairs, columns } = comparison;
    rows.push(
      ["sequences", formatCount(comparison.sequences), "compared"],
      ["sum-of-pairs", percent(comparison.sp), `of the reference's ${formatCount(pairs)} pairs of letters`],
      [
        "total-column",
        percent(comparison.tc),
        `of its ${formatCount(columns)} columns of two or more, whole`,
      ],
      ["modeler", percent(comparison.modeler), `of the alignment's ${formatCount(testPairs)} pairs`],
    );
  }
  if (costs !== undefined) {
    rows.push(
      ["cost", formatCount(costs.cost), "mismatch 1, gap of k letters 1 + k, over all pairs"],
      ["ClustalW's score", formatCount(costs.clustalwScore), "BLOSUM45 of the letters, gap opening 1"],
    );
  }
  return formatTable(rows, { align: "lrl" });
}
