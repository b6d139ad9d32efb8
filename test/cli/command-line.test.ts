/** @file The command line itself: help, mistakes in it, what goes to which stream. */

import { beforeAll, describe, expect, test } from "vitest";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const VERBS = [
  "fit",
  "evaluate",
  "baseline",
  "embed",
  "distance",
  "index",
  "search",
  "tree",
  "align",
  "consensus",
  "attention",
  "hyperbolicity",
  "simulate",
  "split",
  "demo",
  "bench",
];

beforeAll(async () => {
  await place.ok("simulate 12 --length 30 -o a.fasta --seed 3 -q");
  await place.ok(`fit a.fasta --steps 2 -o m.onnx ${SMALL} -q`);
});

describe.concurrent("help", () => {
  test("lists every verb and where to start", async () => {
    const { code, stdout, stderr } = await place.run("--help");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const verb of VERBS) expect(stdout).toMatch(new RegExp(`^  ${verb} .+`, "m"));
    expect(stdout).toContain("$ embranch fit reads.fasta -o model.onnx");
  });

  test.each([
    ["fit", ["this many minutes", "seconds between", "in letters", "percent of the model's length"]],
    ["evaluate", ["percent of the model's", "edits apart"]],
    ["baseline", ["percent of the length", "edits apart"]],
    ["embed", ["sequences embedded at once"]],
    ["distance", ["in edits", "k edits"]],
    ["simulate", ["letters of the root", "substitutions a site", "in letters"]],
    ["align", ["share of both that gaps", "rounds of refinement"]],
    ["attention", ["Rows are positions", "positions of both"]],
    ["hyperbolicity", ["2δ / diameter", "n⁴ steps"]],
    ["classify", ["Matthews correlation on dev"]],
    [
      "classify fit",
      ["this many minutes", "chance that", "share of train", "positions that a convolution sees"],
    ],
    ["classify predict", ["sequences classified at once"]],
    ["classify evaluate", ["95 % bootstrap intervals", "resamples"]],
    ["cluster", ["edits / length of the longer", "in percent"]],
    ["consensus", ["mean number of edits", "letters of every strand"]],
    ["split", ["share of the sequences", "edits / length"]],
    ["demo", ["in minutes"]],
    ["bench", ["alternating runs"]],
  ])("of %s has an example and says what numbers mean", async (verb, units) => {
    const { code, stdout, stderr } = await place.run(`${verb} --help`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`Examples:\n  \\$ embranch ${verb} .+\n {6}\\S`));
    const text = stdout.replace(/\s+/g, " ");
    for (const unit of units) expect(text).toContain(unit);
  });

  test("of fit tells the limits, the words that options take, and what spaces are", async () => {
    const text = (await place.ok("fit --help")).replace(/\s+/g, " ");
    for (const words of [
      "10 validations, one every 500 steps, have brought no improvement, and after 20,000 steps",
      "sequences in a batch (default: 128; 256",
      "peak learning rate (default: 0.01)",
      "(default: 10; 50, one an epoch",
      "other options override it",
      "pooling: one of avg, max, none; ",
      "attention: global, causal or local<K>; positions: one of sinusoidal, learned; ",
      "square squared Euclidean distance",
    ]) {
      expect(text).toContain(words);
    }
  });

  test.each([
    ["split", ["-o, --output", "--by"]],
    ["baseline", ["--test"]],
    ["attention", ["-m, --model"]],
    ["embed", ["-m, --model"]],
  ])("of %s marks what is required, and that alone", async (verb, names) => {
    const options = (await place.ok(`${verb} --help`)).split(/\n {2}(?=-)/).slice(1);
    const required = options.filter((text) => text.replace(/\s+/g, " ").includes("(required)"));
    expect(required.map((text) => text.split(" <")[0])).toEqual(names);
  });

  test("of simulate has its own alphabet", async () => {
    expect(await place.ok("simulate --help")).toContain("(default: dna)");
  });

  test("whose reader has seen enough ends quietly", async () => {
    const { stdout, stderr } = await place.bash('embranch fit --help | head -n 1; echo "${PIPESTATUS[0]}"');
    expect({ stderr, status: stdout.split("\n")[1] }).toEqual({ stderr: "", status: "0" });
  });

  test("the version is that of the package", async () => {
    expect(await place.ok("--version")).toMatch(/^\d+\.\d+\.\d+\n$/);
  });
});

describe.concurrent(
  "a mistake in the command line is told on standard error, exits with 2, and writes nothing",
  () => {
    test.each([
    ["a verb that is none", "fitt a.fasta", /unknown command 'fitt'\n\(Did you mean fit\?\)/],
    ["an option that is none", "fit a.fasta --stepz 3", /unknown option '--stepz'\n\(Did you mean --steps\?\)/],
    ["a file left out", "embed -m m.onnx", /missing required argument 'seqs'/],
    ["one file too many", "embed a.fasta b.fasta -m m.onnx", /too many arguments/],
    ["a model left out", "evaluate a.fasta", /required option '-m, --model <file>' not specified/],
    ["a number that is none", "fit a.fasta --dim many", /argument 'many' is invalid. It must be a positive integer./],
    ["a name that is none", "fit a.fasta --geometry flat", /argument 'flat' is invalid. Allowed choices are square, /],
    ["--minutes with --steps", "fit a.fasta --minutes 1 --steps 2", /--minutes and --steps cannot be combined/],
    ["--patience with --steps", "fit a.fasta --patience 1 --steps 2", /--patience is for runs without/],
    ["--gap without --costs", "fit a.fasta --gap 2 --steps 2", /--gap needs --costs/],
    ["a model to standard output", "fit a.fasta -o - --steps 2", /--output must be a file/],
    ["an option of another encoder", "fit a.fasta --encoder mlp:kernel=2", /mlp: options of mlp are layers, .*got "kernel"/],
    ["an encoder there is not", "fit a.fasta --encoder cmm", /--encoder: must be one of linear, .*got "cmm"/],
    ["an option out of range", "fit a.fasta --encoder cnn:kernel=4", /cnn: kernel: must be odd, got 4\n/],
    ["a fraction of a layer", "fit a.fasta --encoder mlp:layers=2.5", /mlp: layers: must be an integer, got 2\.5\n/],
    ["a word for a number", "fit a.fasta --encoder mlp:layers=two", /mlp: layers: must be a number, got "two"\n/],
    ["a word for a truth", "fit a.fasta --encoder mlp:batchNorm=on", /batchNorm: must be true or false, got "on"\n/],
    ["a share of all", "fit a.fasta --encoder mlp:dropout=1", /mlp: dropout: must be below 1, got 1\n/],
    ["too long a word", "fit a.fasta --encoder kmer:k=9", /kmer: k: must be at most 8, got 9\n/],
    ["a pooling there is not", "fit a.fasta --encoder cnn:pooling=sum", /pooling: must be one of avg, max, none, got "sum"\n/],
    ["an attention there is not", "fit a.fasta --encoder transformer:attention=far", /attention: must be global, causal or local<K>, got "far"\n/],
    ["no margin", "fit a.fasta --loss triplet:margin=0", /--loss triplet: margin: must be above 0, got 0\n/],
    ["a weight below nothing", "fit a.fasta --regularizer nwa:lambda=-1", /nwa: lambda: must be above 0, got -1\n/],
    ["a preset there is not", "fit none.fasta --preset neuroseed-gnu", /^embranch: --preset: .*the nearest is neuroseed-gru, got "neuroseed-gnu"\n$/],
    ["a rate of nothing", "fit a.fasta --steps 1 --rate nothing=2", /rates: must name .*got nothing/],
    ["neither --exact nor a model", "distance a.fasta", /needs --exact or -m <model>, got neither/],
    ["both", "distance a.fasta --exact -m m.onnx", /got both/],
    ["--threshold of a model", "distance a.fasta -m m.onnx --threshold 3", /--threshold needs --exact/],
    ["a cross matrix as PHYLIP", "distance a.fasta a.fasta --exact -o x.phy", /has no PHYLIP form/],
    ["a format that is none", "distance a.fasta --exact -o x.txt", /must end in .npy, .phy or .tsv, got x.txt/],
    ["points of a format that is none", "embed a.fasta -m m.onnx -o x.csv", /must end in .npy, .parquet or .tsv/],
    ["results and JSON in one stream", "embed a.fasta -m m.onnx --json", /--json needs -o/],
    ["sequences and JSON in one stream", "simulate 3 --json", /--json needs -o/],
    ["a tree that dies out", "simulate 3 --birth 1 --death 2", /death: must be/],
  ])("%s", async (_, line, message) => {
    const { pid, code, stdout, stderr } = await place.run(line);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toMatch(message);
    expect(stderr.split("\n").length).toBeLessThanOrEqual(4);
    expect(place.files(pid)).toEqual(["a.fasta", "m.onnx"]);
  }); // prettier-ignore
  },
);

describe("streams", () => {
  test("progress and messages go to standard error, and --quiet silences them", async () => {
    const loud = await place.run("distance a.fasta --exact");
    expect(loud.stderr).toMatch(/^distances: 66 pairs in /);
    const quiet = await place.run("distance a.fasta --exact --quiet");
    expect(quiet).toMatchObject({ code: 0, stdout: loud.stdout, stderr: "" });
  });

  test("fit --quiet says nothing at all", async () => {
    const { code, stdout, stderr } = await place.run(`fit a.fasta --steps 2 -o m.onnx ${SMALL} --quiet`);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: "", stderr: "" });
  });

  test("a reader that has seen enough ends the program quietly", async () => {
    for (const command of ["simulate 20000", "distance a.fasta --exact", "embed a.fasta -m m.onnx"]) {
      const { stdout, stderr } = await place.bash(
        `embranch ${command} -q | head -n 1; echo "\${PIPESTATUS[0]}"`,
      );
      expect([command, stderr, stdout.split("\n").slice(1)]).toEqual([command, "", ["0", ""]]);
    }
  });

  test("messages that nobody reads cost no result", async () => {
    const { stdout } = await place.bash(
      "embranch distance a.fasta --exact -o d.npy 2> >(exec true); echo $?",
    );
    expect(stdout).toBe("0\n");
    expect(place.files()).toContain("d.npy");
  });
});
