/** @file `embranch tree`: hierarchical clustering and phylogenies; `tree compare` has a file of its own. */

import { Command, Option } from "commander";
import type { Model } from "../engine/model-file.ts";
import type { Device } from "../engine/run.ts";
import { UsageError } from "../error.ts";
import { formatNewick } from "../sequence/newick.ts";
import type { AlphabetName } from "../sequence/index.ts";
import { treeNodes } from "../task/tree/compact-tree.ts";
import { linkageNpy, linkageTsv } from "../task/tree/linkage-file.ts";
import {
  distanceTree,
  isLinkage,
  sequenceTree,
  TREE_METHODS,
  type BuiltTree,
  type TreeMethod,
  type TreeOptions,
} from "../task/tree/tree.ts";
import type { RelaxedClustering } from "../task/tree/relaxed.ts";
import { loadMatrix, loadSequences, loadTaxonomy, matrixEnding } from "./load.ts";
import {
  positiveInteger,
  positiveNumber,
  svgFile,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { writeChunks, writeOutputs } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";
import { treeCompareCommand } from "./tree-compare.ts";

interface TreeCliOptions extends CommonOptions {
  model?: string;
  exact?: boolean;
  method: TreeMethod | "relaxed";
  output?: string;
  linkage?: string;
  coarsen?: number;
  neighbors?: number;
  midpoint?: boolean;
  keepNegative?: boolean;
  encoder?: (typeof LEAF_MODELS)[number];
  rank?: number;
  triples?: number | "all";
  minutes?: number;
  steps?: number;
  recipe?: "default" | "paper";
  learningRate?: number;
  figure?: string;
  groups?: string;
  alphabet?: AlphabetName;
  seed: number;
  device: Device;
}

/** What the leaves of a relaxed clustering may be. */
const LEAF_MODELS = ["linear", "embeddings", "mlp", "cnn"] as const;

export function treeCommand(): Command {
  const command = new Command("tree")
    .summary("hierarchical clustering, phylogenies")
    .description(
      "Makes a tree of sequences: by agglomerative linkage (average linkage is UPGMA) or by neighbour joining, from a model's distances (-m), from exact edit distances (--exact) or from a matrix of distances that is there. Branch lengths are in the unit of the distances: edits. With linkage the path between two leaves is as long as the height at which they come together. The relaxed method trains a hyperbolic tree on Dasgupta's cost instead, from the exact distances of about as many pairs as there are sequences.",
    )
    .argument(
      "<input>",
      "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input), or distances (.phy, .npy or .tsv; plain or gzip)",
    )
    .option("-m, --model <file>", "distances by this model of `embranch fit`")
    .option("--exact", "exact edit distances")
    .addOption(new Option("--method <name>", "how").choices([...TREE_METHODS, "relaxed"]).default("average"))
    .option("-o, --output <file>", "the tree, in Newick (default: standard output)")
    .option("--linkage <file>", "the merges as SciPy has them, .npy or .tsv")
    .option("--midpoint", "with nj and bionj: root at the middle of the longest path")
    .option("--keep-negative", "with nj and bionj: keep branches of negative length (default: set to 0)")
    .option(
      "--coarsen <n>",
      "with -m, average and single: join nearest neighbours until n clusters are left, then link exactly (default: 10000 for more than 20000 sequences)",
      positiveInteger,
    )
    .option("--neighbors <k>", "with --coarsen: nearest neighbours looked at (default: 6)", positiveInteger)
    .addOption(
      new Option("--encoder <name>", "with relaxed: what places a leaf (default: linear)").choices(
        LEAF_MODELS,
      ),
    )
    .option(
      "--rank <n>",
      "with relaxed: coordinates of a leaf (default: 10, and 2 with --figure)",
      positiveInteger,
    )
    .option(
      "--triples <n>",
      "with relaxed: triples trained on, or all (default: as many as sequences, at least 2000)",
      (text) => (text === "all" ? text : positiveInteger(text)),
    )
    .option("--minutes <n>", "with relaxed: train for so long", positiveNumber)
    .option("--steps <n>", "with relaxed: train for so many steps", positiveInteger)
    .addOption(
      new Option("--recipe <name>", "with relaxed: ours, or the papers' procedure").choices([
        "default",
        "paper",
      ]),
    )
    .option("--learning-rate <x>", "with relaxed: in place of the recipe's", positiveNumber)
    .option("--figure <file>", "with relaxed: the tree in the Poincaré disk, SVG", svgFile("--figure"))
    .option("--groups <file>", "with --figure: groups of the sequences to be told apart: id, tab, name");
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    ["embranch tree reads.fasta -m model.onnx -o tree.nwk", "average linkage (UPGMA) of embedded distances"],
    ["embranch tree genes.fasta --exact --method nj --midpoint -o tree.nwk", "neighbour joining, rooted"],
    ["embranch tree distances.phy --method nj", "of a PHYLIP matrix"],
    [
      "embranch tree proteins.fasta --method relaxed --figure disk.svg -o tree.nwk",
      "learned from the distances of a few triples, drawn in the Poincaré disk",
    ],
    [
      "embranch tree reads.fasta -m model.onnx --linkage z.npy -o tree.nwk",
      "for scipy.cluster.hierarchy as well",
    ],
    ["embranch tree compare truth.nwk tree.nwk --sequences reads.fasta", "how alike two trees are"],
  ]);
  command.action(run);
  // Settings of the program, such as how it ends, are known when a subcommand is about to run.
  command.hook("preSubcommand", (tree, verb) => void verb.copyInheritedSettings(tree));
  return command.addCommand(treeCompareCommand());
}

async function run(path: string, options: TreeCliOptions): Promise<void> {
  const { threads, device, quiet, json, output, method } = options;
  checkOptions(path, options);
  const progress = new Progress("tree", { unit: "steps", quiet });
  const started = performance.now();
  const stop = interruption();
  const settings: TreeOptions = {
    method: method === "relaxed" ? undefined : method,
    coarsen: options.coarsen,
    neighbors: options.neighbors,
    midpoint: options.midpoint,
    negative: options.keepNegative ? "keep" : "zero",
    threads,
    device,
    signal: stop.signal,
    progress: (stage, done, total) => progress.update(done, { fraction: done / total, message: stage }),
  };
  let model: Model | undefined;
  const build = async (): Promise<BuiltTree & { ids: string[]; relaxed?: RelaxedClustering }> => {
    if (matrixEnding(path) !== undefined) {
      const { ids, values } = await loadMatrix(path);
      return { ids, ...(await distanceTree(values, settings)) };
    }
    if (options.model !== undefined) {
      // The executor is slow to load, and needed for nothing else.
      const { Model } = await import("../engine/model-file.ts");
      model = await Model.load(options.model, { threads, device });
    }
    const set = await loadSequences(path, { model, alphabet: options.alphabet, quiet });
    if (method !== "relaxed") return { ids: set.ids, ...(await sequenceTree(set, model, settings)) };
    const { relaxedDasgupta } = await import("../task/tree/relaxed.ts");
    const relaxed = await relaxedDasgupta(set, {
      ...options,
      model: options.encoder,
      settings: options.learningRate === undefined ? undefined : { learningRate: options.learningRate },
      rank: options.rank ?? (options.figure === undefined ? undefined : 2),
      signal: stop.signal,
      onProgress: ({ step, done, loss, cost }) => {
        const message = `loss ${loss.toPrecision(4)}${cost === undefined ? "" : `, cost ${cost.toPrecision(6)}`}`;
        progress.update(step, { fraction: done, message });
      },
    });
    return { ids: set.ids, tree: relaxed.tree, linkage: relaxed.linkage, relaxed };
  };
  try {
    const { ids, coarse, relaxed } = await writeOutputs(async (open) => {
      const out = await open(output);
      const merges = options.linkage === undefined ? undefined : await open(options.linkage);
      const figure = options.figure === undefined ? undefined : await open(options.figure);
      const groups = options.groups === undefined ? undefined : await loadTaxonomy(options.groups);
      const built = await build();
      const { ids, tree, linkage, relaxed } = built;
      progress.finish();
      await out.write(`${formatNewick(treeNodes(tree, ids))}\n`);
      if (merges !== undefined && linkage !== undefined) {
        const npy = /\.npy$/i.test(options.linkage!);
        for (const chunk of npy ? linkageNpy(linkage) : linkageTsv(linkage)) await merges.write(chunk);
      }
      if (figure !== undefined && relaxed !== undefined) {
        const { diskFigure } = await import("../task/tree/disk-figure.ts");
        const of = groups && ids.map((id) => groups.get(id) ?? "unknown");
        await figure.write(`${diskFigure(tree, relaxed.points, { names: ids, groups: of })}\n`);
      }
      return built;
    });
    const seconds = (performance.now() - started) / 1000;
    if (!quiet)
      for (const note of notes(options, ids.length, seconds, { coarse, relaxed })) progress.note(note);
    if (json) {
      const summary = {
        output,
        sequences: ids.length,
        method,
        distances: matrixEnding(path) ? "given" : model === undefined ? "exact" : "embedded",
        coarsened: coarse ?? null,
        ...(relaxed && {
          triples: relaxed.triples,
          distancesComputed: relaxed.distances,
          steps: relaxed.steps,
          estimatedCost: relaxed.cost,
        }),
        seconds,
      };
      await writeChunks(undefined, [`${JSON.stringify(summary)}\n`]);
    }
  } catch (error) {
    if (stop.signal.aborted) throw stop.stopped("tree: stopped, nothing was written");
    throw error;
  } finally {
    stop.release();
    progress.stop();
    await model?.close();
  }
}

/** What there is to say about a tree that is done. */
function* notes(
  { output, figure, method }: TreeCliOptions,
  leaves: number,
  seconds: number,
  { coarse, relaxed }: { coarse?: number; relaxed?: RelaxedClustering },
): Generator<string> {
  if (coarse !== undefined) {
    yield method === "single"
      ? "the tree is the least spanning tree of a graph of nearest neighbours, its parts joined by their mean distances: an approximation"
      : `nearest neighbours were joined until ${formatCount(coarse)} clusters were left, and these linked by all their distances: an approximation`;
  }
  if (relaxed !== undefined) {
    yield `${formatCount(relaxed.steps)} steps on ${formatCount(relaxed.triples)} triples, ${formatCount(relaxed.distances)} exact distances; Dasgupta's cost is about ${relaxed.cost.toPrecision(6)}`;
  }
  if (output !== undefined && output !== "-") {
    yield `${formatCount(leaves)} leaves in ${output}, in ${seconds.toFixed(1)} s`;
  }
  if (figure !== undefined) yield `figure in ${figure}`;
}

const RELAXED_ONLY =
  "--encoder, --rank, --triples, --minutes, --steps, --recipe, --learning-rate and --figure are for --method relaxed";

/** Throws on options that do not go together, before anything is read. */
function checkOptions(path: string, options: TreeCliOptions): void {
  const { model, exact, method, output, linkage, coarsen, neighbors, midpoint, keepNegative, json } = options;
  const matrix = matrixEnding(path) !== undefined;
  const relaxed = method === "relaxed";
  const agglomerative = !relaxed && isLinkage(method);
  const { encoder, rank, triples, minutes, steps, recipe, learningRate, figure, groups } = options;
  const training = [encoder, rank, triples, minutes, steps, recipe, learningRate, figure];
  const rules: [boolean, string][] = [
    [matrix && (model !== undefined || exact === true), "a matrix of distances needs neither -m nor --exact"],
    [relaxed && matrix, "the relaxed method needs sequences, got a matrix"],
    [relaxed && model !== undefined, "the relaxed method takes exact distances; leave -m out"],
    [!relaxed && training.some((option) => option !== undefined), RELAXED_ONLY],
    [minutes !== undefined && steps !== undefined, "needs --minutes or --steps, got both"],
    [figure !== undefined && rank !== undefined && rank !== 2, "--figure needs --rank 2"],
    [groups !== undefined && figure === undefined, "--groups needs --figure"],
    [!relaxed && !matrix && model === undefined && !exact, "needs --exact or -m <model>, got neither"],
    [model !== undefined && exact === true, "needs either --exact or -m <model>, got both"],
    [
      linkage !== undefined && !agglomerative && !relaxed,
      `--linkage is for linkages, got --method ${method}`,
    ],
    [linkage !== undefined && !/\.(npy|tsv)$/i.test(linkage), `--linkage must end in .npy or .tsv`],
    [
      (agglomerative || relaxed) && (midpoint ?? keepNegative) === true,
      "--midpoint and --keep-negative are for nj, bionj",
    ],
    [coarsen !== undefined && model === undefined, "--coarsen needs -m"],
    [
      coarsen !== undefined && method !== "average" && method !== "single",
      "--coarsen is for average and single linkage",
    ],
    [neighbors !== undefined && coarsen === undefined, "--neighbors needs --coarsen"],
    [
      options.alphabet !== undefined && model !== undefined,
      "--alphabet is the model's; leave it out with -m",
    ],
    [json === true && (output === undefined || output === "-"), "--json needs -o <file> for the tree"],
  ];
  for (const [broken, rule] of rules) if (broken) throw new UsageError(`tree: ${rule}`);
}
