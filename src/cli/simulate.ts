/** @file `embranch simulate`: sequences and the tree they evolved on. */

import { Command } from "commander";
import { UsageError } from "../error.ts";
import { alphabetNamed, formatFasta, Random, simulate, type AlphabetName } from "../sequence/index.ts";
import {
  notNegative,
  positiveInteger,
  positiveNumber,
  withAlphabet,
  withCommonOptions,
  withExamples,
  withSeed,
  type CommonOptions,
} from "./options.ts";
import { openOutput, writeChunks, writeOutput, type Output } from "./output.ts";
import { formatCount, Progress } from "./progress.ts";

interface SimulateCliOptions extends CommonOptions {
  output?: string;
  tree?: string;
  heldOut?: string;
  heldOutShare: number;
  length: number;
  height: number;
  birth: number;
  death: number;
  clock: number;
  gamma: number;
  conserved: number;
  kappa: number;
  indels: number;
  indelLength: number;
  prefix: string;
  seed: number;
  alphabet?: AlphabetName;
}

export function simulateCommand(): Command {
  const command = new Command("simulate")
    .summary("simulate the evolution of sequences")
    .description(
      "Simulates a birth–death tree and sequences that evolved on it, with conserved and variable regions and indels. The defaults resemble 16S V4 reads. Any number of sequences is streamed in little memory.",
    )
    .argument("<n>", "number of sequences", positiveInteger)
    .option("-o, --output <file>", "FASTA file (default: standard output)")
    .option("--tree <file>", "Newick file for the true tree")
    .option("--held-out <file>", "FASTA file for sequences kept out of the other, to test a model on")
    .option("--held-out-share <x>", "chance of each sequence to be held out", positiveNumber, 0.1)
    .option("--length <n>", "letters of the root sequence", positiveInteger, 150)
    .option("--height <x>", "expected substitutions a site from root to leaf", notNegative, 0.33)
    .option("--birth <rate>", "speciation rate", positiveNumber, 1)
    .option(
      "--death <rate>",
      "extinction rate; near the speciation rate, more close relatives",
      notNegative,
      0.7,
    )
    .option("--clock <sd>", "spread of rates over lineages; 0 is a strict clock", notNegative, 0.4)
    .option("--gamma <shape>", "shape of the gamma distribution of rates over sites", positiveNumber, 1)
    .option("--conserved <share>", "share of the sequence in conserved regions", notNegative, 0.4)
    .option("--kappa <ratio>", "transition/transversion rate (DNA)", positiveNumber, 2)
    .option("--indels <rate>", "insertions, and as many deletions, a substitution", notNegative, 0.02)
    .option("--indel-length <n>", "mean length of an indel, in letters", positiveNumber, 2)
    .option("--prefix <text>", "what the names begin with", "leaf");
  withCommonOptions(withAlphabet(withSeed(command), "dna"));
  withExamples(command, [
    ["embranch simulate 5000 -o reads.fasta --tree true.nwk --seed 7", "reads and their true tree"],
    ["embranch simulate 1000000 | gzip > million.fasta.gz", "a million sequences, streamed"],
  ]);
  return command.action(async (leaves: number, options: SimulateCliOptions) => {
    const { alphabet = "dna", output, quiet, json } = options;
    if (json && (output === undefined || output === "-")) {
      throw new UsageError("simulate: --json needs -o, since the sequences would go to standard output");
    }
    if (options.heldOutShare >= 1) {
      throw new UsageError(`--held-out-share: must be below 1, got ${options.heldOutShare}`);
    }
    const simulation = simulate({ ...options, leaves, alphabet: alphabetNamed(alphabet) });
    const progress = new Progress("simulating", { total: leaves, unit: "sequences", quiet });
    const choice = new Random(options.seed).fork("held-out");
    let count = 0;
    let held = 0;
    const writeRecords = async (kept: Output, heldOut?: Output): Promise<void> => {
      if (options.tree !== undefined) await writeChunks(options.tree, withLineEnd(simulation.newick()));
      for (const record of simulation.records()) {
        const isHeld = heldOut !== undefined && choice.uniform() < options.heldOutShare;
        if (isHeld) held++;
        await (isHeld ? heldOut : kept).write(formatFasta(record));
        if (++count % 1000 === 0) progress.update(count);
      }
    };
    await writeOutput(output, (kept) =>
      options.heldOut === undefined
        ? writeRecords(kept)
        : writeOutput(options.heldOut, (heldOut) => writeRecords(kept, heldOut)),
    );
    progress.update(leaves);
    progress.finish();
    if (json) {
      const summary = {
        sequences: leaves - held,
        output,
        heldOut: options.heldOut === undefined ? undefined : { sequences: held, output: options.heldOut },
        tree: options.tree,
        seed: options.seed,
      };
      const out = await openOutput(undefined);
      await out.write(`${JSON.stringify(summary)}\n`);
    } else if (output !== undefined && output !== "-") {
      const tree = options.tree === undefined ? "" : `, their tree in ${options.tree}`;
      const test = options.heldOut === undefined ? "" : `, ${formatCount(held)} in ${options.heldOut}`;
      progress.note(`${formatCount(leaves - held)} sequences in ${output}${test}${tree}`);
    }
  });
}

function* withLineEnd(pieces: Iterable<string>): Generator<string> {
  yield* pieces;
  yield "\n";
}
