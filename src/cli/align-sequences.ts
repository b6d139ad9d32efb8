/** @file The work of `embranch align`: a guide tree, an alignment along it, sequences added to an alignment. */

import type { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { FormatError, UsageError } from "../error.ts";
import {
  alignmentFormatOf,
  checkAlignmentNames,
  type AlignedSequences,
  type AlignmentFormat,
} from "../sequence/aligned.ts";
import { alphabetNamed, encode, guessAlphabet, type Alphabet, type AlphabetName } from "../sequence/index.ts";
import { addSequences } from "../task/align/add.ts";
import { alignSequences } from "../task/align/align.ts";
import { alignWith, type ExternalAligner } from "../task/align/external.ts";
import { inShares, mafftGuide, newickGuide } from "../task/align/guide-formats.ts";
import { guideTree } from "../task/align/guide-tree.ts";
import type { CompactTree } from "../task/tree/compact-tree.ts";
import {
  loadAlignment,
  loadLettered,
  loadScoring,
  type LetteredSet,
  type ScoringCliOptions,
} from "./align-input.ts";
import type { PairFormat } from "./align-pairs.ts";
import { loadTree } from "./load.ts";
import type { CommonOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { Interruption } from "./signals.ts";
import { treeOver } from "./tree-compare.ts";

export interface AlignCliOptions extends CommonOptions, ScoringCliOptions {
  model?: string;
  exact?: boolean;
  tree?: string;
  output?: string;
  format?: AlignmentFormat | PairFormat;
  aligner: ExternalAligner | "builtin";
  refine?: number;
  treeOut?: string;
  guideOnly?: boolean;
  guideFormat?: "newick" | "mafft";
  pairwise?: boolean;
  add?: string;
  alphabet?: AlphabetName;
  device: Device;
}

/** What the parts of a run share. */
export interface Job {
  options: AlignCliOptions;
  progress: Progress;
  stop: Interruption;
}

/** An alignment that is done. */
export interface Aligned {
  aligned: AlignedSequences;
  alphabet: Alphabet;
  /** The tree that it was made along; none where sequences were added. */
  guide?: CompactTree;
}

/** The format of an alignment that is written; throws where the name of the output tells none. */
export function outputFormat({ output, format }: AlignCliOptions): AlignmentFormat {
  if (format !== undefined) return format as AlignmentFormat;
  if (output === undefined || output === "-") return "fasta";
  const named = alignmentFormatOf(output);
  if (named !== undefined) return named;
  throw new UsageError(
    `align: the file name must end in .fa, .aln, .sto or .phy, or --format be given, got ${output}`,
  );
}

/** Sequences, and whence their guide tree. */
interface Guided extends LetteredSet {
  model?: Model;
  /** The tree of `--tree`. */
  given?: CompactTree;
}

/** Reads the sequences, with the model and the tree that the options name, for as long as `use` takes. */
async function withSequences<Result>(
  path: string,
  { options }: Job,
  use: (guided: Guided) => Promise<Result>,
): Promise<Result> {
  const { threads, device, quiet, alphabet, tree } = options;
  let model: Model | undefined;
  if (options.model !== undefined) {
    // The executor is slow to load, and needed for nothing else.
    const { Model } = await import("../engine/model-file.ts");
    model = await Model.load(options.model, { threads, device });
  }
  try {
    const lettered = await loadLettered(path, { model, alphabet, quiet });
    const names = { names: lettered.set.ids, of: path };
    const given = tree === undefined ? undefined : treeOver(await loadTree(tree), names);
    return await use({ ...lettered, model, given });
  } finally {
    await model?.close();
  }
}

/** What our own parts take of a job. */
function settings({ options: { threads, device }, progress, stop }: Job) {
  return {
    threads,
    device,
    signal: stop.signal,
    progress: (stage: string, done: number, total: number) =>
      progress.update(done, { fraction: done / total, message: stage }),
  };
}

async function guideOf({ set, model, given }: Guided, job: Job): Promise<CompactTree> {
  return given ?? (await guideTree(set, model, settings(job)));
}

/** The guide tree of a file as text, and of how many sequences it is. */
export async function guideAll(path: string, job: Job): Promise<{ text: string; sequences: number }> {
  return await withSequences(path, job, async (guided) => {
    const { ids, codes } = guided.set;
    const tree = await guideOf(guided, job);
    if (job.options.guideFormat !== "mafft") return { text: newickGuide(tree, ids), sequences: ids.length };
    const letters = codes.reduce((sum, { length }) => sum + length, 0);
    return { text: mafftGuide(inShares(tree, letters / ids.length)), sequences: ids.length };
  });
}

/** The alignment of all sequences of a file. */
export async function alignAll(path: string, job: Job): Promise<Aligned> {
  const { options, progress } = job;
  const { aligner, refine, threads } = options;
  return await withSequences(path, job, async (guided) => {
    const { set, letters, descriptions, model, given } = guided;
    checkAlignmentNames(set.ids, outputFormat(options));
    const done = ({ alignment, tree }: Awaited<ReturnType<typeof alignSequences>>): Aligned => ({
      aligned: { ids: set.ids, letters, descriptions, alignment },
      alphabet: set.alphabet,
      guide: tree,
    });
    if (aligner === "builtin") {
      const scoring = await loadScoring(options, set.alphabet);
      return done(await alignSequences(set, { ...settings(job), model, tree: given, scoring, refine }));
    }
    const tree = await guideOf(guided, job);
    const alignment = await alignWith(aligner, set, tree, {
      threads,
      signal: job.stop.signal,
      progress: (steps, total) => progress.update(steps, { fraction: steps / total, message: aligner }),
    });
    return done({ alignment, tree });
  });
}

/** The alignment of a file, the sequences of another added. */
export async function addAll(path: string, more: string, job: Job): Promise<Aligned> {
  const { options, progress, stop } = job;
  const { threads, quiet } = options;
  const existing = await loadAlignment(path);
  const { name: file } = existing;
  const alphabet =
    options.alphabet === undefined ? guessAlphabet(existing.letters) : alphabetNamed(options.alphabet);
  const codes = existing.letters.map(
    (each, i) => encode(each, alphabet, { file, record: existing.ids[i] }).codes,
  );
  const { set, letters, descriptions } = await loadLettered(more, { alphabet, quiet });
  const there = new Set(existing.ids);
  const twice = set.ids.find((id) => there.has(id));
  if (twice !== undefined) {
    throw new FormatError(`id: must not be in the alignment of ${file} already: rename or remove it`, {
      file: more,
      record: twice,
    });
  }
  const ids = [...existing.ids, ...set.ids];
  checkAlignmentNames(ids, outputFormat(options));
  const { alignment } = await addSequences({ alignment: existing.alignment, codes }, set, {
    scoring: await loadScoring(options, alphabet),
    threads,
    signal: stop.signal,
    progress: (done: number, total: number) => progress.update(done, { fraction: done / total }),
  });
  const before = existing.descriptions ?? existing.ids.map(() => "");
  return {
    alphabet,
    aligned: {
      ids,
      descriptions: [...before, ...descriptions],
      letters: [...existing.letters, ...letters],
      alignment,
    },
  };
}
