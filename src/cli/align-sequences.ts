/** @file The work of `embranch align`: a guide tree, an alignment along it, sequences added to an alignment. */

import type { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { FormatError, UsageError } from "../error.ts";
import {
  alignmentFormatOf,
  checkAlignmentNames,
  encodeAligned,
  type AlignedSequences,
  type AlignmentFormat,
} from "../sequence/aligned.ts";
import type { Alphabet, AlphabetName } from "../sequence/index.ts";
import { addSequences } from "../task/align/add.ts";
import { alignSequences, type GuidedAlignment } from "../task/align/align.ts";
import { meanPairCost } from "../task/align/cost.ts";
import { alignWith, type ExternalAligner } from "../task/align/external.ts";
import { inShares, mafftGuide, newickGuide } from "../task/align/guide-formats.ts";
import { guideTree, type GuideMethod } from "../task/align/guide-tree.ts";
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
  model?: string[];
  guideMethod?: GuideMethod;
  exact?: boolean;
  tree?: string;
  output?: string;
  format?: AlignmentFormat | PairFormat;
  aligner: ExternalAligner | "builtin";
  refine?: number;
  retree?: number;
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
  /** Where there are several, a tree is made by each of them. */
  models: Model[];
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
  const models: Model[] = [];
  try {
    for (const file of options.model ?? []) {
      // The executor is slow to load, and needed for nothing else.
      const { Model } = await import("../engine/model-file.ts");
      models.push(await Model.load(file, { threads, device }));
    }
    const shortest = models.toSorted((a, b) => a.manifest.length - b.manifest.length)[0];
    const lettered = await loadLettered(path, { model: shortest, alphabet, quiet });
    const names = { names: lettered.set.ids, of: path };
    const given = tree === undefined ? undefined : treeOver(await loadTree(tree), names);
    return await use({ ...lettered, models, given });
  } finally {
    for (const model of models) await model.close();
  }
}

/** What our own parts take of a job. */
function settings({ options: { threads, device, guideMethod }, progress, stop }: Job) {
  return {
    method: guideMethod,
    threads,
    device,
    signal: stop.signal,
    progress: (stage: string, done: number, total: number) =>
      progress.update(done, { fraction: done / total, message: stage }),
  };
}

async function guideOf({ set, given }: Guided, model: Model | undefined, job: Job): Promise<CompactTree> {
  return given ?? (await guideTree(set, model, settings(job)));
}

/** The guide tree of a file as text, and of how many sequences it is. */
export async function guideAll(path: string, job: Job): Promise<{ text: string; sequences: number }> {
  return await withSequences(path, job, async (guided) => {
    const { ids, codes } = guided.set;
    const tree = await guideOf(guided, guided.models[0], job);
    if (job.options.guideFormat !== "mafft") return { text: newickGuide(tree, ids), sequences: ids.length };
    const letters = codes.reduce((sum, { length }) => sum + length, 0);
    return { text: mafftGuide(inShares(tree, letters / ids.length)), sequences: ids.length };
  });
}

/** The alignment of all sequences of a file; of several models, the one that costs least. */
export async function alignAll(path: string, job: Job): Promise<Aligned> {
  const { options, progress } = job;
  return await withSequences(path, job, async (guided) => {
    const { set, letters, descriptions, models } = guided;
    checkAlignmentNames(set.ids, outputFormat(options));
    const made: { guided: GuidedAlignment; cost: number }[] = [];
    for (const model of models.length === 0 ? [undefined] : models) {
      const one = await alignAlong(guided, model, job);
      made.push({ guided: one, cost: models.length > 1 ? meanPairCost(one.alignment, set.codes) : 0 });
    }
    const costs = made.map(({ cost }) => cost);
    const best = costs.indexOf(Math.min(...costs));
    if (models.length > 1 && !options.quiet) {
      const each = costs.map((cost, m) => `${options.model![m]} ${cost.toFixed(3)}`);
      progress.note(`cost of a pair by ${each.join(", ")}: the least is kept`);
    }
    const { alignment, tree } = made[best].guided;
    return {
      aligned: { ids: set.ids, letters, descriptions, alignment },
      alphabet: set.alphabet,
      guide: tree,
    };
  });
}

/** The alignment along the tree that is given, or that of a model. */
async function alignAlong(guided: Guided, model: Model | undefined, job: Job): Promise<GuidedAlignment> {
  const { aligner, refine, retree, threads } = job.options;
  const { set, given } = guided;
  if (aligner === "builtin") {
    const scoring = await loadScoring(job.options, set.alphabet);
    return await alignSequences(set, { ...settings(job), model, tree: given, scoring, retree, refine });
  }
  const tree = await guideOf(guided, model, job);
  const alignment = await alignWith(aligner, set, tree, {
    threads,
    signal: job.stop.signal,
    progress: (steps, total) => job.progress.update(steps, { fraction: steps / total, message: aligner }),
  });
  return { alignment, tree };
}

/** The alignment of a file, the sequences of another added. */
export async function addAll(path: string, more: string, job: Job): Promise<Aligned> {
  const { options, progress, stop } = job;
  const { threads, quiet } = options;
  const existing = await loadAlignment(path);
  const { name: file } = existing;
  const { alphabet, codes } = encodeAligned(existing, { alphabet: options.alphabet, file });
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
