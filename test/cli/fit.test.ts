/** @file `embranch fit`: what it trains on, what it writes, and that the same run makes the same file. */

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../src/engine/model-file.ts";
import { condensedIndex } from "../../src/sequence/condensed.ts";
import { decodeNpy, npyDistances } from "../../src/sequence/npy.ts";
import { encodePhylip } from "../../src/sequence/phylip.ts";
import type { Evaluation } from "../../src/task/evaluate.ts";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const manifest = (name: string) => readManifest(readFileSync(place.at(name)), name);

interface Summary {
  model: string;
  report?: string;
  steps: number;
  seconds: number;
  seed: number;
  dim: number;
  length: number;
  geometry: string;
  validation: Evaluation & { sequences: number };
}
const fitted = async (line: string) =>
  JSON.parse(await place.ok(`fit ${line} ${SMALL} --json --quiet`)) as Summary;

beforeAll(async () => {
  await place.ok("simulate 40 --length 30 -o train.fasta --seed 3 -q");
  await place.ok("simulate 9 --length 30 -o val.fasta --seed 3 --prefix val -q");
});

describe("a run bounded by steps", () => {
  test("is told as one line of JSON, and its error is that of evaluate on the same file", async () => {
    const stdout = await place.ok(
      `fit train.fasta --val val.fasta --steps 3 -o first.onnx ${SMALL} --json --quiet`,
    );
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const summary = JSON.parse(stdout) as Summary;
    expect(summary).toMatchObject({ model: "first.onnx", steps: 3, seed: 1, dim: 8, geometry: "hyperbolic" });
    expect(summary.seconds).toBeGreaterThan(0);

    const evaluated = JSON.parse(await place.ok("evaluate val.fasta -m first.onnx --json -q")) as Evaluation;
    expect(summary.validation).toEqual({ sequences: 9, ...evaluated });
    expect(evaluated.pairs).toBe(36);
    expect(manifest("first.onnx").validation.percentRmse).toBeCloseTo(evaluated.rmsePercent, 4);
  });

  test("makes the same file byte for byte, and another one with another seed", async () => {
    await fitted("train.fasta --val val.fasta --steps 3 -o again.onnx");
    expect(readFileSync(place.at("again.onnx")).equals(readFileSync(place.at("first.onnx")))).toBe(true);
    await fitted("train.fasta --val val.fasta --steps 3 --seed 2 -o other.onnx");
    expect(readFileSync(place.at("other.onnx")).equals(readFileSync(place.at("first.onnx")))).toBe(false);
  });

  test("leaves a model and nothing else", () => {
    expect(readdirSync(place.path).filter((name) => name.startsWith("."))).toEqual([]);
    expect(readdirSync(place.path).filter((name) => name.includes("checkpoint"))).toEqual([]);
  });
});

test("a run bounded by the clock ends in time and says how many steps it came to", async () => {
  const { steps, seconds } = await fitted("train.fasta --val val.fasta --minutes 0.01 -o timed.onnx");
  expect(steps).toBeGreaterThan(0);
  expect(seconds).toBeGreaterThanOrEqual(0.6);
  expect(manifest("timed.onnx").training.steps).toBe(steps);
});

test("without a bound, training ends when patience does, and says so at the start", async () => {
  const { code, stderr, stdout } = await place.run(
    `fit train.fasta --recipe paper --encoder linear --geometry euclidean --dim 4 --batch 4 --patience 1 --learning-rate 0.3 --threads 1 --no-report -o patient.onnx`,
  );
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /until 1 validations bring no improvement, [\d,]+ steps at most; model: patient.onnx/,
  );
  expect(stdout).toMatch(/RMSE .*percent of the model's length\n/);
  expect(manifest("patient.onnx").training).toMatchObject({ recipe: "paper", seed: 1 });
});

test("a model that knows nothing is said to know nothing, on the screen and in the report", async () => {
  const line = `fit train.fasta --steps 1 --learning-rate 1e-9 --no-exponent ${SMALL.replace("--no-report", "")} -o none.onnx`;
  const { code, stderr } = await place.run(line);
  expect(code).toBe(0);
  expect(stderr).toMatch(
    /has learned nothing of the held-out sequences: it errs by [\d.]+ %, and one distance/,
  );
  expect(readFileSync(place.at("none.html"), "utf8")).toContain("has learned nothing of the held-out");
});

test("the report says once that the held-out sequences were never seen", async () => {
  const line = `fit train.fasta --steps 3 ${SMALL.replace("--no-report", "")} -o m.onnx`;
  const { code, stdout, stderr } = await place.run(line);
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining("3 steps") as string });
  expect(stdout).toContain("report  m.html");
  const html = readFileSync(place.at("m.html"), "utf8");
  expect(html.match(/never saw/g)).toHaveLength(1);
  expect(html).toContain(`embranch ${line.replace(/ +/g, " ")}`);
});

test("fewer sequences than a batch train, down to four", async () => {
  writeFileSync(place.at("four.fasta"), ">a\nACGTAC\n>b\nACGTTC\n>c\nTCGTAC\n>d\nACGAACC\n");
  const { validation } = await fitted("four.fasta --steps 2 -o four.onnx");
  expect(validation).toMatchObject({ sequences: 2, pairs: 1 });
  expect(manifest("four.onnx").training.sequences).toBe(2);
});

describe("distances of the user's own", () => {
  const learn = (line: string) =>
    place.run(`fit train.fasta ${line} --steps 3 ${SMALL.replace("--augmented 4", "")} -q`);

  beforeAll(async () => {
    await place.ok("distance train.fasta --exact -o d.npy -q");
    await place.ok("distance val.fasta --exact -o few.npy -q");
    await place.ok("distance val.fasta --exact -o few.tsv -q");
  });

  test("are learned from .npy in the file's order, and from .phy by id", async () => {
    const values = npyDistances(decodeNpy(readFileSync(place.at("d.npy"))));
    const backwards: number[] = [];
    for (let i = 39; i >= 0; i--) {
      for (let j = i - 1; j >= 0; j--) backwards.push(values[condensedIndex(i, j, 40)]);
    }
    const ids = Array.from({ length: 40 }, (_, i) => `leaf${40 - i}`);
    const chunks = encodePhylip({ ids, values: Float32Array.from(backwards) });
    writeFileSync(place.at("d.phy"), Buffer.concat([...chunks]));
    expect((await learn("--distances d.npy -o npy.onnx")).code).toBe(0);
    expect((await learn("--distances d.phy -o phy.onnx")).code).toBe(0);
    expect(readFileSync(place.at("phy.onnx")).equals(readFileSync(place.at("npy.onnx")))).toBe(true);
  });

  test.each([
    ["a matrix of another size", "--distances few.npy", /few\.npy: matrix: must hold the 780 pairs of 40 sequences, got 36/],
    ["a matrix without one of the sequences", "--distances few.tsv", /few\.tsv, record "leaf1": matrix: must have a row for every sequence/],
    ["a file that is none", "--distances train.npy", /train\.npy: .*no such file/],
  ])("%s is refused", async (_, option, message) => {
    const { code, stderr } = await learn(`${option} -o no.onnx`);
    expect({ code, lines: stderr.split("\n").length }).toEqual({ code: 1, lines: 2 });
    expect(stderr).toMatch(message);
    expect(readdirSync(place.path)).not.toContain("no.onnx");
  }); // prettier-ignore
});

describe("proteins", () => {
  const letters = [..."ACDEFGHIKLMNPQRSTVWY"];

  beforeAll(async () => {
    await place.ok("simulate 30 --alphabet protein --length 25 -o proteins.fasta -q");
    const row = (a: string) => [a, ...letters.map((b) => (a === b ? 0 : 2))].join(" ");
    writeFileSync(place.at("costs.txt"), [` ${letters.join(" ")}`, ...letters.map(row)].join("\n"));
  });

  test("train, embed and measure end to end", async () => {
    await fitted("proteins.fasta --steps 3 -o protein.onnx");
    expect(manifest("protein.onnx")).toMatchObject({ alphabet: "protein", letters: letters.join("") });
    expect(await place.ok("embed proteins.fasta -m protein.onnx -q")).toMatch(/^id\tz1\t(.*\n){31}$/);
    expect(await place.ok("evaluate proteins.fasta -m protein.onnx --pairs 50 -q")).toContain("50");
  });

  test("train on a table of costs, and are measured by it", async () => {
    const { validation } = await fitted("proteins.fasta --costs costs.txt --gap 2 --steps 3 -o costs.onnx");
    expect(validation.pairs).toBe(3);
    const evaluated = (options: string) =>
      place
        .ok(`evaluate proteins.fasta -m costs.onnx --json -q ${options}`)
        .then(JSON.parse) as Promise<Evaluation>;
    const [weighted, unit] = [await evaluated("--costs costs.txt --gap 2"), await evaluated("")];
    expect(weighted.pearson).toBeCloseTo(unit.pearson, 10);
    expect(weighted.rmsePercent).not.toBeCloseTo(unit.rmsePercent, 1);
  });
});

describe("what is trained and how", () => {
  const QUICK = "fit train.fasta --val val.fasta --steps 2 --threads 1 --no-report --json -q";

  test("a preset sets what options leave open", async () => {
    const line = `${QUICK} --preset neuroseed-mlp --dim 6 --batch 16 -o preset.onnx`;
    const summary = JSON.parse(await place.ok(line)) as Summary;
    expect(summary).toMatchObject({ dim: 6, geometry: "hyperbolic" });
    const { encoder, geometry, training } = manifest("preset.onnx");
    expect(encoder).toMatchObject({ name: "mlp", hidden: 256, layers: 3 });
    expect([geometry, training.loss]).toEqual(["hyperbolic", "mse"]);
    await place.ok(`${line} --geometry euclidean`);
    expect(manifest("preset.onnx").encoder).toMatchObject({ name: "mlp", hidden: 128, layers: 2 });
  });

  test.each([
    ["--encoder gru:hidden=4 --loss mae", { encoder: { name: "gru", hidden: 4 } }],
    ["--encoder mlp:dropout=0.2 --loss poisson --geometry square", { geometry: "square" }],
    ["--encoder linear --loss triplet:margin=0.1 --batch 15 --augmented 0", { encoder: { name: "linear" } }],
    ["--preset cnn-ed --batch 15", { encoder: { name: "cnn-ed" }, geometry: "euclidean" }],
    ["--encoder kmer:k=2 --rate space=0 --split order", { encoder: { name: "kmer", k: 2 } }],
  ])("%s", async (options, expected) => {
    const words = options.includes("--split") ? QUICK.replace("--val val.fasta ", "") : QUICK;
    await place.ok(`${words} ${options}${options.includes("--batch") ? "" : " --batch 16"} -o other.onnx`);
    expect(manifest("other.onnx")).toMatchObject(expected);
  });

  test("dropout draws the same with the same seed", async () => {
    const line = `${QUICK} --encoder mlp:hidden=8,dropout=0.5 --batch 16`;
    for (const name of ["drop1.onnx", "drop2.onnx"]) await place.ok(`${line} -o ${name}`);
    expect(readFileSync(place.at("drop1.onnx")).equals(readFileSync(place.at("drop2.onnx")))).toBe(true);
  });
});

describe("a decoder", () => {
  const fit = (line: string) =>
    place.ok(`fit train.fasta --val val.fasta --steps 3 ${SMALL} --decoder mlp:hidden=8 ${line} -q`);

  test("stands in a file beside the model, the same every time, and the manifest tells of it", async () => {
    await fit("--latent-noise 0.5 -o read.onnx");
    await fit("--latent-noise 0.5 -o twice.onnx");
    const [one, two] = ["read", "twice"].map((name) => readFileSync(place.at(`${name}.decoder.onnx`)));
    expect(two.equals(one)).toBe(true);
    expect(manifest("read.decoder.onnx")).toEqual(manifest("read.onnx"));
    const expected = { name: "mlp", layers: 3, hidden: 8, reconstructionWeight: 0.01, latentNoise: 0.5 };
    expect(manifest("read.onnx").decoder).toMatchObject(expected);
    const summary = JSON.parse(
      await place.ok(
        `fit train.fasta --val val.fasta --steps 1 ${SMALL} --decoder linear -o json.onnx --json -q`,
      ),
    ) as { decoder: string; reconstruction: { meanEdits: number; exact: number } };
    expect(summary.decoder).toBe("json.decoder.onnx");
    expect(summary.reconstruction.meanEdits).toBeGreaterThan(1);
    expect(summary.reconstruction.exact).toBe(0);
  });

  test("is announced, and taken away by a model without one", async () => {
    const line = `fit train.fasta --val val.fasta --steps 1 ${SMALL} -o read.onnx`;
    const withOne = await place.run(`${line} --decoder linear`);
    expect(withOne.stdout).toMatch(
      /^decoder read\.decoder\.onnx \(reads held-out sequences with \d+\.\d\d edits each\)$/m,
    );
    expect(withOne.stderr).toMatch(/parameters and [\d,]+ of the decoder\)/);
    const without = await place.run(line);
    expect(without.stderr).toMatch(
      /^read\.decoder\.onnx: read the points of the model that was here before/m,
    );
    expect(readdirSync(place.path)).not.toContain("read.decoder.onnx");
    expect(manifest("read.onnx").decoder).toBeUndefined();
  });

  test("goes with the paper's pairs, and with a preset", async () => {
    await place.ok("fit train.fasta --val val.fasta --steps 2 --encoder mlp:hidden=8 --dim 8 --threads 1 --no-report --recipe paper --decoder linear -o paper.onnx -q"); // prettier-ignore
    expect(manifest("paper.onnx").decoder).toMatchObject({ name: "linear" });
    await place.ok("fit train.fasta --val val.fasta --steps 2 --batch 16 --threads 1 --no-report --preset steiner-cnn -o preset.onnx -q"); // prettier-ignore
    expect(manifest("preset.onnx")).toMatchObject({ dim: 64, decoder: { name: "cnn", latentNoise: 1 } });
  });

  test.each([
    ["--decoder gru", /--decoder: must be one of linear, mlp, cnn, got "gru"/],
    ["--decoder cnn:kernel=2", /--decoder cnn: kernel: must be odd, got 2/],
    ["--reconstruction-weight 0.1", /need a decoder; choose one with --decoder/],
    ["--latent-noise 1", /need a decoder/],
    ["--decoder mlp --reconstruction-weight 1", /--reconstruction-weight must be below 1, got 1/],
  ])("%s is refused", async (words, message) => {
    const { code, stderr } = await place.run(`fit train.fasta --steps 1 ${SMALL} ${words} -o no.onnx`);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) as string });
  });
});
