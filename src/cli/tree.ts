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
  type TreeStage,
} from "../task/tree/tree.ts";
import { loadMatrix, loadSequences, matrixEnding } from "./load.ts";
import {
  positiveInteger,
  withAlphabet,
  withCommonOptions,
  withDevice,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { writeChunks, writeOutput } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";
import { interruption } from "./signals.ts";
import { treeCompareCommand } from "./tree-compare.ts";

interface TreeCliOptions extends CommonOptions {
  model?: string;
  exact?: boolean;
  method: TreeMethod;
  output?: string;
  linkage?: string;
  coarsen?: number;
  neighbors?: number;
  midpoint?: boolean;
  keepNegative?: boolean;
  alphabet?: AlphabetName;
  seed: number;
  device: Device;
}

export function treeCommand(): Command {
  const command = new Command("tree")
    .summary("hierarchical clustering, phylogenies")
    .description(
      "Makes a tree of sequences: by agglomerative linkage (average linkage is UPGMA) or by neighbour joining, from a model's distances (-m), from exact edit distances (--exact) or from a matrix of distances that is there. Branch lengths are in the unit of the distances: edits. With linkage the path between two leaves is as long as the height at which they come together.",
    )
    .argument(
      "<input>",
      "sequences (FASTA, FASTQ, CSV or one a line; plain or gzip; - is standard input), or distances (.phy, .npy or .tsv)",
    )
    .option("-m, --model <file>", "distances by this model of `embranch fit`")
    .option("--exact", "exact edit distances")
    .addOption(new Option("--method <name>", "how").choices(TREE_METHODS).default("average"))
    .option("-o, --output <file>", "the tree, in Newick (default: standard output)")
    .option("--linkage <file>", "the merges as SciPy has them, .npy or .tsv")
    .option("--midpoint", "with nj and bionj: root at the middle of the longest path")
    .option("--keep-negative", "with nj and bionj: keep branches of negative length (default: set to 0)")
    .option(
      "--coarsen <n>",
      "with -m, average and single: join nearest neighbours until n clusters are left, then link exactly (default: 10000 for more than 20000 sequences)",
      positiveInteger,
    )
    .option("--neighbors <k>", "with --coarsen: nearest neighbours looked at (default: 10)", positiveInteger);
  withCommonOptions(withDevice(withAlphabet(withSeed(command))));
  withExamples(command, [
    ["embranch tree reads.fasta -m model.onnx -o tree.nwk", "average linkage (UPGMA) of embedded distances"],
    ["embranch tree genes.fasta --exact --method nj --midpoint -o tree.nwk", "neighbour joining, rooted"],
    ["embranch tree distances.phy --method nj", "of a PHYLIP matrix"],
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

const STAGES: Record<TreeStage, string> = {
  embedding: "embedding",
  distances: "distances",
  joining: "joining",
};

async function run(path: string, options: TreeCliOptions): Promise<void> {
  const { threads, device, quiet, json, output } = options;
  checkOptions(path, options);
  const progress = new Progress("tree", { unit: "steps", quiet });
  const started = performance.now();
  const stop = interruption();
  const settings: TreeOptions = {
    method: options.method,
    coarsen: options.coarsen,
    neighbors: options.neighbors,
    midpoint: options.midpoint,
    negative: options.keepNegative ? "keep" : "zero",
    threads,
    device,
    signal: stop.signal,
    progress: (stage, done, total) =>
      progress.update(done, { fraction: done / total, message: STAGES[stage] }),
  };
  let model: Model | undefined;
  const build = async (): Promise<BuiltTree & { ids: string[] }> => {
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
    return { ids: set.ids, ...(await sequenceTree(set, model, settings)) };
  };
  try {
    const { ids, coarse } = await writeOutput(output, (out) => {
      const write = async (merges?: Parameters<Parameters<typeof writeOutput>[1]>[0]) => {
        const built = await build();
        progress.finish();
        await out.write(`${formatNewick(treeNodes(built.tree, built.ids))}\n`);
        if (merges !== undefined && built.linkage !== undefined) {
          const npy = /\.npy$/i.test(options.linkage!);
          for (const chunk of npy ? linkageNpy(built.linkage) : linkageTsv(built.linkage)) {
            await merges.write(chunk);
          }
        }
        return built;
      };
      return options.linkage === undefined ? write() : writeOutput(options.linkage, write);
    });
    const seconds = (performance.now() - started) / 1000;
    if (coarse !== undefined && !quiet) {
      progress.note(
        `nearest neighbours were joined until ${formatCount(coarse)} clusters were left, and these linked by all their distances: an approximation`,
      );
    }
    if (output !== undefined && output !== "-") {
      progress.note(`${formatCount(ids.length)} leaves in ${output}, in ${seconds.toFixed(1)} s`);
    }
    if (json) {
      const distances = matrixEnding(path) ? "given" : options.exact ? "exact" : "embedded";
      const summary = {
        output,
        sequences: ids.length,
        method: options.method,
        distances,
        coarsened: coarse ?? null,
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

/** Throws on options that do not go together, before anything is read. */
function checkOptions(path: string, options: TreeCliOptions): void {
  const { model, exact, method, output, linkage, coarsen, neighbors, midpoint, keepNegative, json } = options;
  const matrix = matrixEnding(path) !== undefined;
  const agglomerative = isLinkage(method);
  const rules: [boolean, string][] = [
    [matrix && (model !== undefined || exact === true), "a matrix of distances needs neither -m nor --exact"],
    [!matrix && model === undefined && !exact, "needs --exact or -m <model>, got neither"],
    [model !== undefined && exact === true, "needs either --exact or -m <model>, got both"],
    [linkage !== undefined && !agglomerative, `--linkage is for linkages, got --method ${method}`],
    [linkage !== undefined && !/\.(npy|tsv)$/i.test(linkage), `--linkage must end in .npy or .tsv`],
    [
      agglomerative && (midpoint ?? keepNegative) === true,
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
