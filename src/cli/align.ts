/** @file `embranch align`: multiple alignment, pairs, guide trees; `align score` has a file of its own. */

import { Command, Option } from "commander";
import { UsageError } from "../error.ts";
import { ALIGNMENT_FORMATS, alignmentFormatOf, formatAlignment } from "../sequence/aligned.ts";
import { formatNewick } from "../sequence/index.ts";
import { encodeText } from "../sequence/text-chunks.ts";
import { EXTERNAL_ALIGNERS } from "../task/align/external.ts";
import { GUIDE_METHODS } from "../task/align/guide-tree.ts";
import { treeNodes } from "../task/tree/compact-tree.ts";
import { scoringGiven, withScoring } from "./align-input.ts";
import { PAIR_FORMATS, runPairs, type PairFormat } from "./align-pairs.ts";
import { alignScoreCommand } from "./align-score.ts";
import {
  addAll,
  alignAll,
  guideAll,
  outputFormat,
  type AlignCliOptions,
  type Job,
} from "./align-sequences.ts";
import {
  positiveInteger,
  wholeNumber,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
} from "./options.ts";
import { writeChunks, writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";

export function alignCommand(): Command {
  const command = new Command("align")
    .summary("multiple and pairwise alignment")
    .description(
      "Aligns sequences along a guide tree: of a model's distances (-m), of exact edit distances, or from a file. Names, their order and the letters come back as they were read. The guide tree can be given to another aligner (--aligner), or written alone (--guide-only). With --pairwise, pairs of sequences are aligned from end to end.",
    )
    .argument("<input>", "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input)")
    .argument(
      "[other]",
      "with --pairwise: second file; its records go with those of the first in their order",
    )
    .option(
      "-o, --output <file>",
      "the alignment: .fa .fasta .fna .faa .afa FASTA, .aln .clustal .clw Clustal, .sto .stk .stockholm Stockholm, .phy .phylip PHYLIP (default: FASTA on standard output)",
    )
    .addOption(
      new Option(
        "--format <name>",
        "in place of what the name of the output says; cigar is for --pairwise",
      ).choices([...ALIGNMENT_FORMATS, "cigar"]),
    )
    .option(
      "-m, --model <file>",
      "guide tree by this model of `embranch fit`; given more than once, by each, and the alignment that costs least is kept",
      (file: string, before: string[] = []) => [...before, file],
    )
    .addOption(
      new Option(
        "--guide-method <name>",
        "how the guide tree is made of distances (default: average)",
      ).choices(GUIDE_METHODS),
    )
    .option("--exact", "guide tree by exact edit distances (the default)")
    .option("--tree <file>", "guide tree in Newick, of the sequences' names")
    .option("--tree-out <file>", "write the guide tree too, in Newick")
    .option("--guide-only", "write the guide tree and do not align")
    .addOption(
      new Option("--guide-format <name>", "with --guide-only (default: newick)").choices(["newick", "mafft"]),
    )
    .addOption(
      new Option("--aligner <name>", "what aligns along the tree; others than ours must be installed")
        .choices(["builtin", ...EXTERNAL_ALIGNERS])
        .default("builtin"),
    )
    .option(
      "--retree <n>",
      "make the alignment n times, from the second on along a tree of the distances that the last one shows (default: 1)",
      positiveInteger,
    )
    .option("--refine <n>", "rounds of refinement after the first alignment", wholeNumber)
    .option("--add <file>", "add these sequences to <input>, which is an alignment and keeps its columns")
    .option(
      "--pairwise",
      "align record with record of two files, one record with all of the other file, or the two of one file; a table with CIGAR (= X I D, I in the first alone), or FASTA",
    );
  withCommonOptions(withDevice(withAlphabet(withScoring(command))));
  withExamples(command, [
    ["embranch align proteins.fa -o aligned.fa", "guide tree of exact edit distances"],
    ["embranch align 16s.fa -m model.onnx -o aligned.sto", "guide tree of embedded distances, Stockholm"],
    ["embranch align 16s.fa -m model.onnx --aligner clustalo -o aligned.fa", "by Clustal Omega"],
    ["embranch align 16s.fa --guide-only --guide-format mafft -o guide.txt", "for mafft --treein"],
    ["embranch align a.fa b.fa --pairwise", "score, identity and CIGAR of each pair"],
    ["embranch align aligned.fa --add new.fa -o more.fa", "new sequences into an alignment"],
    ["embranch align score aligned.fa reference.fa", "sum-of-pairs and total-column score"],
  ]);
  command.action(run);
  // Settings of the program, such as how it ends, are known when a subcommand is about to run.
  command.hook("preSubcommand", (align, verb) => void verb.copyInheritedSettings(align));
  return command.addCommand(alignScoreCommand());
}

async function run(path: string, other: string | undefined, options: AlignCliOptions): Promise<void> {
  checkOptions(path, other, options);
  const { output, format } = options;
  if (options.pairwise) {
    const named = output === undefined ? undefined : alignmentFormatOf(output);
    await runPairs(path, other, (format ?? (named === "fasta" ? "fasta" : "cigar")) as PairFormat, options);
    return;
  }
  const { quiet, json } = options;
  const progress = new Progress("align", { unit: "steps", quiet });
  const started = performance.now();
  const stop = interruption();
  const job: Job = { options, progress, stop };
  try {
    const summary = await writeOutputs(async (open) => {
      const out = await open(output);
      const tree = options.treeOut === undefined ? undefined : await open(options.treeOut);
      if (options.guideOnly) {
        const { text, sequences } = await guideAll(path, job);
        await out.write(text);
        return { sequences };
      }
      const { aligned, guide, alphabet } =
        options.add === undefined ? await alignAll(path, job) : await addAll(path, options.add, job);
      progress.stop();
      const text = formatAlignment(aligned, { format: outputFormat(options), alphabet });
      for (const chunk of encodeText(text)) await out.write(chunk);
      if (tree !== undefined && guide !== undefined) {
        await tree.write(`${formatNewick(treeNodes(guide, aligned.ids))}\n`);
      }
      return { sequences: aligned.ids.length, columns: aligned.alignment.width };
    });
    progress.stop();
    const seconds = (performance.now() - started) / 1000;
    if (json) {
      const { aligner, guideOnly, treeOut } = options;
      const by = { aligner: guideOnly ? null : aligner, format: guideOnly ? null : outputFormat(options) };
      const distances = options.add !== undefined ? null : guideSource(options);
      const all = { output, ...summary, ...by, guide: distances, treeOut, seconds };
      await writeChunks(undefined, [`${JSON.stringify(all)}\n`]);
    } else if (output !== undefined && output !== "-") {
      const { sequences, columns } = summary;
      const what = columns === undefined ? "guide tree" : `${formatCount(columns)} columns`;
      progress.note(`${formatCount(sequences)} sequences, ${what} in ${output}, in ${seconds.toFixed(1)} s`);
    }
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("align: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
  }
}

/** Whence the guide tree. */
const guideSource = ({ tree, model }: AlignCliOptions): "given" | "embedded" | "exact" =>
  tree !== undefined ? "given" : model !== undefined ? "embedded" : "exact";

/** Throws on options that do not go together, before anything is read. */
function checkOptions(path: string, other: string | undefined, options: AlignCliOptions): void {
  const { model, exact, tree, output, format, aligner, refine, treeOut, guideOnly, pairwise, add } = options;
  const guides = [model, exact, tree].filter((option) => option !== undefined).length;
  const piped = [path, other, tree, add].filter((name) => name === "-").length;
  const builtin = aligner === "builtin";
  const scored = scoringGiven(options);
  const rules: [boolean, string][] = [
    [piped > 1, "one file at most can be standard input"],
    [other !== undefined && !pairwise, "a second file needs --pairwise; join the files to align all of them"],
    [
      pairwise === true && (guides > 0 || treeOut !== undefined || refine !== undefined || !builtin),
      "--pairwise needs no guide tree: leave -m, --exact, --tree, --tree-out, --refine and --aligner out",
    ],
    [pairwise === true && (guideOnly === true || add !== undefined), "--pairwise needs to be alone"],
    [
      pairwise === true && format !== undefined && !PAIR_FORMATS.some((name) => name === format),
      `--format of --pairwise must be cigar or fasta, got ${format}`,
    ],
    [format === "cigar" && !pairwise, "--format cigar needs --pairwise"],
    [
      options.guideMethod !== undefined && (pairwise === true || add !== undefined || tree !== undefined),
      "--guide-method is for a guide tree that is made: leave --pairwise, --add and --tree out",
    ],
    [guideOnly === true && (model?.length ?? 0) > 1, "--guide-only takes one model"],
    [
      options.retree !== undefined &&
        (pairwise || add !== undefined || tree !== undefined || guideOnly || !builtin) === true,
      "--retree is for our own aligner and a guide tree that is made: leave --pairwise, --add, --tree, --guide-only and --aligner out",
    ],
    [guides > 1, "needs one of -m, --exact and --tree, got more"],
    [
      add !== undefined && (guides > 0 || treeOut !== undefined || refine !== undefined || !builtin),
      "--add needs no guide tree: leave -m, --exact, --tree, --tree-out, --refine and --aligner out",
    ],
    [
      guideOnly === true &&
        (add !== undefined || scored || refine !== undefined || treeOut !== undefined || !builtin),
      "--guide-only does not align: leave --add, --aligner, --matrix, gaps, --refine and --tree-out out",
    ],
    [guideOnly === true && format !== undefined, "--guide-only has --guide-format, leave --format out"],
    [options.guideFormat !== undefined && !guideOnly, "--guide-format needs --guide-only"],
    [
      !builtin && (scored || refine !== undefined),
      `--matrix, gaps and --refine are for our own aligner, got --aligner ${aligner}`,
    ],
    [
      options.alphabet !== undefined && model !== undefined,
      "--alphabet is the model's; leave it out with -m",
    ],
    [options.json === true && (output === undefined || output === "-"), "--json needs -o <file>"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`align: ${rule}`);
  if (!pairwise && !guideOnly) outputFormat(options);
}
