/** @file `embranch tree compare`: how near one tree is to another, and what each is worth. */

import { Command } from "commander";
import { FormatError, UsageError } from "../error.ts";
import type { NumberArray } from "../sequence/condensed.ts";
import { leafNames, type AlphabetName, type TreeNode } from "../sequence/index.ts";
import { exactDistances } from "../task/distance.ts";
import { compactTree, type CompactTree } from "../task/tree/compact-tree.ts";
import { compareTrees, type TreeComparison } from "../task/tree/compare.ts";
import { loadDistances, loadMatrix, loadSequences, loadTree, matrixEnding } from "./load.ts";
import {
  positiveNumber,
  withAlphabet,
  withCommonOptions,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { decimals, formatTable } from "./table.ts";

interface CompareCliOptions extends CommonOptions {
  sequences?: string;
  distances?: string;
  length?: number;
  rooted?: boolean;
  alphabet?: AlphabetName;
  seed: number;
}

export function treeCompareCommand(): Command {
  const command = new Command("compare")
    .summary("measure how near two trees are")
    .description(
      "Compares two trees of the same leaves: splits (Robinson-Foulds, branch score), triplets, lengths of paths (cophenetic correlation) and, with sequences or their distances, Dasgupta's cost and the correlation of each tree with the distances.",
    )
    .argument("<reference>", "tree compared with (Newick, plain or gzip; - is standard input)")
    .argument("<other>", "tree to be judged")
    .option(
      "--sequences <file>",
      "sequences of the leaves, by id: their exact edit distances and greatest length tell what the trees are worth",
    )
    .option(
      "--distances <file>",
      "their distances: .phy or .tsv, by id, or .npy, in the order of --sequences, plain or gzip (default: exact)",
    )
    .option(
      "--length <n>",
      "with distances: two sequences n apart have similarity 0 in Dasgupta's cost (default: length of the longest)",
      positiveNumber,
    )
    .option("--rooted", "compare clades; without it, splits of the trees without their roots");
  withCommonOptions(withAlphabet(withSeed(command)));
  withExamples(command, [
    ["embranch tree compare average.nwk ours.nwk --sequences reads.fasta", "what ours costs more"],
    ["embranch tree compare true.nwk ours.nwk --rooted --json", "the trees alone, clade by clade, as JSON"],
    ["embranch tree compare a.nwk b.nwk --distances d.phy --length 250", "by distances computed before"],
  ]);
  return command.action(async (reference: string, other: string) => {
    const options: CompareCliOptions = command.optsWithGlobals();
    const { seed, rooted, json, quiet } = options;
    checkOptions(reference, other, options);
    const files = { reference: await loadTree(reference), other: await loadTree(other) };
    const oracle = await loadOracle(options, files.reference);
    const [a, b] = Object.values(files).map((file) => treeOver(file, oracle));
    const distances = await oracle.distances?.();
    const progress = new Progress("comparing", { unit: "leaves", quiet });
    const report = (done: number, total: number) => progress.update(done, { fraction: done / total });
    const comparison = compareTrees(a, b, {
      rooted,
      distances,
      length: oracle.length,
      seed,
      progress: report,
    });
    progress.stop();
    for (const note of notes(comparison, files, seed)) progress.note(note);
    const out = await openOutput(undefined);
    const text = json ? JSON.stringify({ reference, other, ...comparison }) : comparisonTable(comparison);
    await out.write(`${text}\n`);
  });
}

/** Throws on options that do not go together, before anything is read. */
function checkOptions(
  reference: string,
  other: string,
  { sequences, distances, length, alphabet }: CompareCliOptions,
): void {
  const piped = [reference, other, sequences, distances].filter((path) => path === "-").length;
  const ending = distances === undefined ? undefined : matrixEnding(distances);
  const rules: [boolean, string][] = [
    [piped > 1, "one file at most can be standard input"],
    [
      distances !== undefined && ending === undefined,
      `--distances: the file name must end in .npy, .phy or .tsv, got ${distances}`,
    ],
    [
      ending === "npy" && sequences === undefined,
      "a .npy matrix has no names; add --sequences, whose order it is in",
    ],
    [
      length !== undefined && sequences === undefined && distances === undefined,
      "--length needs --sequences or --distances",
    ],
    [alphabet !== undefined && sequences === undefined, "--alphabet needs --sequences"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`tree compare: ${rule}`);
}

/** A tree and the name of its file. */
interface TreeFile {
  name: string;
  root: TreeNode;
}

/** The leaves' names in their order, and the distances that trees are judged by. */
interface Oracle {
  names: string[];
  /** The file that the names are from. */
  of: string;
  /** Computes or reads them; asked for once the trees are known to have these leaves. */
  distances?: () => Promise<NumberArray>;
  length?: number;
}

async function loadOracle(
  { sequences, distances, length, alphabet, threads, quiet }: CompareCliOptions,
  reference: TreeFile,
): Promise<Oracle> {
  if (sequences !== undefined) {
    const set = await loadSequences(sequences, { alphabet, quiet });
    return {
      names: set.ids,
      of: sequences,
      distances: () =>
        distances === undefined ? exactWithProgress(set, { threads, quiet }) : loadDistances(distances, set),
      length: length ?? set.maxLength,
    };
  }
  if (distances !== undefined) {
    const { ids, values } = await loadMatrix(distances);
    return { names: ids, of: distances, distances: () => Promise.resolve(values), length };
  }
  return { names: leafNames(reference.root), of: reference.name };
}

async function exactWithProgress(
  set: Parameters<typeof exactDistances>[0],
  { threads, quiet }: CommonOptions,
): Promise<NumberArray> {
  const progress = new Progress("exact distances", { unit: "pairs", quiet });
  try {
    return await exactDistances(set, undefined, {
      threads,
      progress: (done, total) => progress.update(done, { fraction: done / total }),
    });
  } finally {
    progress.stop();
  }
}

/** The tree in arrays; throws where its leaves are not the names, once each. */
export function treeOver(
  { root, name: file }: TreeFile,
  { names, of }: Pick<Oracle, "names" | "of">,
): CompactTree {
  const leaves = leafNames(root);
  const seen = new Set<string>();
  for (const name of leaves) {
    if (name === "") throw new FormatError("tree: every leaf must have a name, got one without", { file });
    if (seen.has(name)) {
      throw new FormatError(`tree: must have every leaf once, got "${name}" twice`, { file });
    }
    seen.add(name);
  }
  const known = new Set(names);
  const lacking = names.filter((name) => !seen.has(name));
  const besides = leaves.filter((name) => !known.has(name));
  const differences = [...named("lacks", lacking), ...named("has besides", besides)];
  if (differences.length > 0) {
    throw new FormatError(`tree: must have the leaves of ${of}, but ${differences.join(" and ")}`, { file });
  }
  return compactTree(root, names);
}

/** What a tree does with some leaves, the first of which is named: `lacks "b" and 2 more`. */
function named(verb: string, leaves: readonly string[]): string[] {
  if (leaves.length === 0) return [];
  const more = leaves.length > 1 ? ` and ${formatCount(leaves.length - 1)} more` : "";
  return [`${verb} "${leaves[0]}"${more}`];
}

function* notes(
  { withoutLengths, triplesSampled }: TreeComparison,
  files: Record<"reference" | "other", TreeFile>,
  seed: number,
) {
  for (const which of withoutLengths) {
    yield `${files[which].name}: has no branch lengths; its paths are counted in branches`;
  }
  if (triplesSampled !== null) {
    yield `the triplet distance is of ${formatCount(triplesSampled)} triples, drawn by seed ${seed}`;
  }
}

/** A comparison as a table for people. */
function comparisonTable(comparison: TreeComparison): string {
  const { rooted, splitsReference, splitsOther, robinsonFoulds, normalizedRF, branchScore } = comparison;
  const { tripletDistance, tripletInterval, dasguptaReference, dasguptaOther } = comparison;
  const { copheneticCorrelation, copheneticReference, copheneticOther } = comparison;
  const splits = rooted ? "clades" : "splits";
  const cost = (value: number | null) =>
    value !== null && value >= 1e6 ? formatCount(value) : decimals(value, 3);
  const percent = (share: number) => decimals(100 * share, 3, " %");
  const interval = tripletInterval?.map((each) => percent(each)).join(" to ");
  const rows = [
    ["measure", "value", "meaning"],
    ["leaves", formatCount(comparison.leaves), "in both trees"],
    ["Robinson-Foulds", formatCount(robinsonFoulds), `${splits} in one of the trees alone`],
    [
      "the same, normalized",
      decimals(normalizedRF, 5),
      `share of their ${formatCount(splitsReference)} and ${formatCount(splitsOther)} ${splits}`,
    ],
    ["branch score", decimals(branchScore, 5), `Euclidean distance of the lengths of ${splits}`],
    [
      "triplet distance",
      percent(tripletDistance),
      `triples resolved differently${interval === undefined ? "" : `, 95 % interval ${interval}`}`,
    ],
    ["cophenetic correlation", decimals(copheneticCorrelation, 5), "of the paths through both trees"],
  ];
  if (dasguptaReference !== null || copheneticReference !== null || copheneticOther !== null) {
    rows.push(
      [
        "cophenetic, reference",
        decimals(copheneticReference, 5),
        "of the reference's paths and the distances",
      ],
      ["cophenetic, other", decimals(copheneticOther, 5), "of the other's paths and the distances"],
      ["Dasgupta, reference", cost(dasguptaReference), "each pair counted once; the lower the better"],
      ["Dasgupta, other", cost(dasguptaOther), "the same of the other"],
      [
        "Dasgupta, increase",
        decimals(comparison.dasguptaIncreasePercent, 4, " %"),
        "what the other costs more than the reference",
      ],
    );
  }
  return formatTable(rows, { align: "lrl" });
}
