/** @file `embranch classify`: training, predicting and measuring classifiers, and what is refused. */

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { classifyCommand } from "../../src/cli/classify.ts";
import { embedCommand } from "../../src/cli/embed.ts";
import { decode } from "../../src/sequence/index.ts";
import { decodeNpy } from "../../src/sequence/npy.ts";
import type { LabelledSet } from "../../src/task/classify/dataset.ts";
import { planted } from "../task/classify/planted.ts";
import { ended, runHere, SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const NETWORK = "blocks=1,channels=4,kernel=7,hidden=8";
const QUICK = `--batch 32 --learning-rate 0.01 --threads 1`;

/** Rows of a table, by the parts of its split. */
function table({ set, labels, classes }: LabelledSet, parts?: readonly string[]): string {
  const rows = set.codes.map((codes, i) => {
    const part = parts ? [parts[i % parts.length]] : [];
    return [set.ids[i], decode(codes, set.alphabet), classes[labels[i]], ...part].join(",");
  });
  return [["id", "sequence", "label", ...(parts ? ["split"] : [])].join(","), ...rows, ""].join("\n");
}

const write = (name: string, text: string) =>
  writeFileSync(place.at(name), name.endsWith(".gz") ? gzipSync(text) : text);

/** Runs a verb in this process; words that name files of the place begin with @. */
const classify = (line: string) => {
  const words = line.split(" ").map((word) => (word.startsWith("@") ? place.at(word.slice(1)) : word));
  return runHere(classifyCommand(["classify", ...words]), words);
};
const ok = async (line: string) => {
  const { stdout, stderr, error } = await classify(line);
  expect(error, stderr).toBeUndefined();
  return { stdout, stderr };
};

/** What `--json` of fit and evaluate have in common. */
interface Scores {
  n: number;
  mcc: number;
  accuracy: number;
  macroF1: number;
  confusion: number[][];
  perClass: { name: string; support: number }[];
  intervals: { mcc: [number, number] } | null;
}

/** Train, dev and test in turn, so that every part has both classes. */
const PARTS = ["train", "train", "train", "train", "dev", "dev", "test", "test"];

beforeAll(async () => {
  write("data.csv.gz", table(planted(480), PARTS));
  write("plain.csv", table(planted(40)));
  const line = `fit @data.csv.gz --model cnn:${NETWORK} --steps 60 ${QUICK} -o @m.onnx --report @m.html`;
  const { stdout, stderr } = await ok(line);
  expect(stdout).toMatch(/^on 120 sequences of dev, by which the model was chosen:\n\nmeasure +value +95 % interval/);
  expect(stdout).toMatch(/\nclass \\ answer +plain +tata\nplain +\d+ +\d+\ntata +\d+ +\d+\n/);
  expect(stdout).toContain(`next    embranch classify evaluate ${place.at("data.csv.gz")} --split test -m ${place.at("m.onnx")}\n`);
  expect(stderr).toMatch(/^fitting cnn \([\d,]+ parameters\) to 240 sequences of up to 24 letters, 120 of dev, for 60 steps; model: /);
  expect(stderr).toContain("\n2 classes: plain (120), tata (120)\n");
  expect(stderr).toMatch(/training: 60 steps in .*, MCC on dev 0\.\d{4}\n$/);
}); // prettier-ignore

describe("evaluate", () => {
  test("prints the contract's numbers as one line of JSON", async () => {
    const { stdout } = await ok("evaluate @data.csv.gz --split test -m @m.onnx --json -q");
    expect(stdout).toMatch(/^\{.*\}\n$/);
    const found = JSON.parse(stdout) as Scores;
    expect(found).toMatchObject({
      split: "test",
      n: 120,
      copies: { sequences: 0, contradicting: 0, mccWithout: found.mcc },
      perClass: [{ name: "plain", support: 60 }, { name: "tata", support: 60 }],
      learned: null,
      resamples: 1000,
      rankResamples: 1000,
    }); // prettier-ignore
    expect(found.mcc).toBeGreaterThan(0.6);
    expect(found.accuracy).toBe((found.confusion[0][0] + found.confusion[1][1]) / 120);
    for (const name of ["macroF1", "balancedAccuracy", "auc", "ece", "logLoss", "brier"]) {
      expect(found).toHaveProperty(name, expect.any(Number));
    }
    expect(found.intervals!.mcc[0]).toBeLessThan(found.mcc);
    expect(Object.keys(found.intervals!).sort()).toEqual(["accuracy", "auc", "balancedAccuracy", "ece", "macroF1", "mcc"]); // prettier-ignore
  });

  test("is of test where there is one, else of all; other parts on demand", async () => {
    expect((await ok("evaluate @data.csv.gz -m @m.onnx -q --bootstrap 0")).stdout).toMatch(
      /^data, test: 120 sequences\n\nmeasure +value +95 % interval +meaning\nMCC +0\.\d{4} {2,}correlation/,
    );
    expect((await ok("evaluate @plain.csv -m @m.onnx -q")).stdout).toMatch(/^plain, all of it: 40 sequences\n/);
    const dev = JSON.parse((await ok("evaluate @data.csv.gz --split dev -m @m.onnx --json -q")).stdout) as Scores;
    expect(dev.n).toBe(120);
  }); // prettier-ignore

  test("says where these are the sequences that the model learned from", async () => {
    const learned = async (line: string) => {
      const { stdout, stderr } = await ok(`evaluate ${line} --bootstrap 0 --json`);
      return { ...(JSON.parse(stdout) as { learned: string | null; rankResamples: number }), stderr };
    };
    expect(await learned("@plain.csv -m @m.onnx")).toMatchObject({ learned: "possible", rankResamples: 0, stderr: "no split: these may be the sequences it learned from, and others harder\n" });
    expect(await learned("@data.csv.gz --split all -m @m.onnx")).toMatchObject({ learned: "yes", stderr: "among these are the sequences it learned from: others are likely to be harder\n" });
    expect(await learned("@data.csv.gz --split dev -m @m.onnx")).toMatchObject({ learned: "yes", stderr: expect.stringMatching(/^the model was chosen by these sequences/) as string });
    // A dev part that fit drew is drawn again.
    await ok(`fit @plain.csv --model cnn:${NETWORK} --steps 1 --seed 5 ${QUICK} -o @p.onnx --no-report -q`);
    expect(await learned("@plain.csv -m @p.onnx")).toMatchObject({ learned: "yes", stderr: "these are the sequences it learned from: others are likely to be harder\n" });
    await ok(`fit @plain.csv --model cnn:${NETWORK} --steps 1 --dev-share 0.3 --length 30 ${QUICK} -o @share.onnx --no-report -q`);
    expect(await learned("@plain.csv -m @share.onnx")).toMatchObject({ learned: "yes" });
    expect(await learned("@data.csv.gz --split train -m @p.onnx")).toMatchObject({ learned: "possible", stderr: expect.stringMatching(/^--split train: these may be/) as string });
    expect(await learned("@data.csv.gz --split dev -m @p.onnx")).toMatchObject({ learned: null, stderr: "" });
  }); // prettier-ignore

  test("writes every answer and a report, and tells of copies and of what is cut", async () => {
    const { set, ...rest } = planted(16);
    // Four that are copies as far as the model sees them, four that are none, eight that are.
    const longer = set.codes.map((codes, i) =>
      i < 8 ? Uint8Array.from([...(i < 4 ? codes : codes.toReversed()), 0]) : set.codes[i - 8],
    );
    write("copies.csv", table({ ...rest, set: { ...set, codes: longer } }, ["test"]) + table({ ...rest, set }, ["train"]).replace(/^.*\n/, "").replaceAll("\ns", "\nt").replace(/^s/, "t")); // prettier-ignore
    const { stderr } = await ok(
      "evaluate @copies.csv -m @m.onnx --predictions @p.tsv --report @e.html --bootstrap 20",
    );
    expect(stderr).toMatch(
      /8 sequences are longer than the model's 24 letters; the rest of them was not seen\n12 sequences of test are copies of training sequences; MCC without them -?[01]\.\d{4}\n/,
    );
    const rows = readFileSync(place.at("p.tsv"), "utf8").split("\n");
    expect(rows[0]).toBe("id\tpredicted\tprobability\tlabel\tp_plain\tp_tata");
    expect(rows).toHaveLength(18);
    expect(rows[1]).toMatch(/^s0\t(plain|tata)\t0\.\d+\tplain\t0\.\d+\t0\.\d+$/);
    const html = readFileSync(place.at("e.html"), "utf8");
    expect(html).toContain("sequences of the test part of copies.");
    expect(html).toContain("12 sequences of test are copies");
  });

  test.each([
    ["a class that the model does not know", "id,sequence,label\na,ACGT,plain\nb,ACGT,exon\n", "", /odd\.csv, line 3, record "b": label: must be one of the classes plain, tata, got "exon"/],
    ["a part that is not there", table(planted(8), ["train"]), "--split dev", /odd: must have a dev part, got train only; choose another with --split/],
    ["proteins", "sequence,label\nMEEPQSDPSVEPPLSQETF,plain\nPPLSQETFPSV,tata\n", "", /odd: sequences: must be DNA as the model's are, got 19 of 30 letters/],
    ["no such column", table(planted(8)), "--label-column kind", /must have the label column "kind"; its columns are "id", "sequence", "label"/],
    ["a table to standard output", table(planted(8)), "--predictions -", /must be files, got standard output/],
  ])("refuses %s", async (_, text, words, message) => {
    write("odd.csv", text);
    const { stdout, error } = await classify(`evaluate @odd.csv -m @m.onnx -q ${words}`.trim());
    expect((error as Error).message).toMatch(message);
    expect(stdout).toBe("");
  }); // prettier-ignore
});

describe("predict", () => {
  const FASTA = ">a one\nACGTNNNNNNNNNNNNNNNNNN\n>b\nttttataaattttttttttttttttttttttttt\n>c\nACGJ\n";

  test("tells classes of any sequences, as many at a time as asked for", async () => {
    write("x.fasta", FASTA);
    const { stdout, stderr } = await ok("predict @x.fasta -m @m.onnx");
    const rows = stdout.trim().split("\n").map((row) => row.split("\t")); // prettier-ignore
    expect(rows[0]).toEqual(["id", "predicted", "probability", "p_plain", "p_tata"]);
    expect(rows.slice(1).map(([id]) => id)).toEqual(["a", "b", "c"]);
    for (const [, predicted, probability, plain, tata] of rows.slice(1)) {
      expect(Number(plain) + Number(tata)).toBeCloseTo(1, 5);
      expect(probability).toBe(predicted === "plain" ? plain : tata);
      expect(Number(probability)).toBeGreaterThanOrEqual(0.5);
    }
    expect(stderr).toContain("1 letters that are none of DNA, in 1 sequences, are read as unknown\n");
    expect(stderr).toContain("1 sequences are longer than the model's 24 letters");
    expect((await ok("predict @x.fasta -m @m.onnx --batch 2 -q")).stdout).toBe(stdout);
  });

  test("reads tables, and writes features as vectors", async () => {
    write("t.csv", table(planted(30)).replace("sequence", "window"));
    const { stdout, stderr } = await ok(
      "predict @t.csv --sequence-column window -m @m.onnx -o @t.tsv --features @t.npy --json -q",
    );
    expect(stderr).toBe("");
    const { predicted, ...summary } = JSON.parse(stdout) as { predicted: Record<string, number> };
    expect(summary).toMatchObject({ sequences: 30, cut: 0, replaced: { records: 0, letters: 0 } });
    expect(predicted.plain + predicted.tata).toBe(30);
    expect(readFileSync(place.at("t.tsv"), "utf8").split("\n")).toHaveLength(32);
    expect(decodeNpy(readFileSync(place.at("t.npy"))).shape).toEqual([30, 8]);
  });

  test.each([
    ["letters that are none", ">a\nACG7\n", "", /odd\.fasta, line 1, record "a": sequence: must consist of DNA letters .*remove position numbers/],
    ["an empty file", "", "", /must hold at least one sequence/],
    ["features of a format that is none", FASTA, "--features f.csv", /--features: the file name must end in \.npy, \.parquet or \.tsv/],
    ["results and JSON in one stream", FASTA, "--json", /--json needs -o/],
  ])("refuses %s", async (_, text, words, message) => {
    write("odd.fasta", text);
    const { stdout, error } = await classify(`predict @odd.fasta -m @m.onnx -q ${words}`.trim());
    expect((error as Error).message).toMatch(message);
    expect(stdout === "" || stdout.split("\n").length === 2).toBe(true);
  }); // prettier-ignore
});

describe("fit", () => {
  test("says in JSON what it did, and dev's numbers are those of evaluate", async () => {
    const line = `fit @data.csv.gz --model hcnn:${NETWORK} --steps 8 ${QUICK} --reverse-complement 0.5 --shift 2 --mutation 0.01 --label-smoothing 0.1 --class-weights balanced -o @h.onnx --no-report --json -q`; // prettier-ignore
    const { stdout, stderr } = await ok(line);
    expect(stderr).toBe("");
    const summary = JSON.parse(stdout) as { validation: Scores; radiusSquared: number };
    expect(summary).toMatchObject({
      steps: 8,
      seed: 1,
      network: { name: "hcnn", blocks: 1, dropout: 0 },
      classes: ["plain", "tata"],
      training: { sequences: 240, sizes: [120, 120] },
      validation: { sequences: 120, drawn: false, n: 120 },
      copies: { dev: { sequences: 0 }, test: { sequences: 0 } },
    });
    expect(summary.radiusSquared).toBeGreaterThan(0);
    expect(existsSync(place.at("h.html"))).toBe(false);
    const evaluated = await ok("evaluate @data.csv.gz --split dev -m @h.onnx --json -q");
    expect(summary.validation).toMatchObject({ mcc: (JSON.parse(evaluated.stdout) as Scores).mcc });

    await ok("predict @plain.csv -m @h.onnx -o @h.tsv --features @h.npy -q");
    // A column for the time.
    expect(decodeNpy(readFileSync(place.at("h.npy"))).shape).toEqual([40, 8]);
  });

  test("draws a dev part where there is none, and reports beside the model", async () => {
    const { stderr, stdout } = await ok(
      `fit @plain.csv --model cnn:${NETWORK} --steps 2 --dev-share 0.2 ${QUICK} -o @d.onnx`,
    );
    expect(stderr).toContain("to 32 sequences of up to 24 letters, 8 drawn from them as dev, for 2 steps");
    expect(stdout).toContain(`report  ${place.at("d.html")}\nnext    embranch classify predict sequences.fasta -m`);
    expect(readFileSync(place.at("d.html"), "utf8")).toContain("Embranch training report");
  }); // prettier-ignore

  test("has told in its report how training went", () => {
    const html = readFileSync(place.at("m.html"), "utf8");
    expect(html).toContain("the best is MCC 0.");
    expect(html).toContain("embranch classify fit ");
    expect(html).toMatch(/on 120 sequences of dev, by which the model was chosen/);
  });

  test.each([
    ["one class only", "sequence,label\nACGT,a\nACGA,a\n", "", /labels: must be of at least two classes, got "a" only/],
    ["no labels", "id,sequence,notes\na,ACGT,\n", "", /must have a column "label"/],
    ["a sequence with bad letters", "sequence,label\nACGT,a\nAC-T,b\n", "", /line 3, record "2": sequence: must be without gaps/],
    ["a split that is none", "sequence,label,split\nACGT,a,train\nACTT,b,holdout\n", "", /split: must be train, dev .*got "holdout"/],
    ["an option of no network", table(planted(8)), "--model cnn:layers=2", /options of cnn are blocks, .*got "layers"/],
    ["a network there is not", table(planted(8)), "--model gnn", /--model: must be one of cnn, hcnn, hcnn-multi, got "gnn"/],
    ["--minutes with --steps", table(planted(8)), "--minutes 1", /--minutes and --steps cannot be combined/],
    ["all of it for dev", table(planted(8)), "--dev-share 1", /--dev-share must be above 0 and below 1, got 1/],
    ["a model to standard output", table(planted(8)), "-o -", /--output must be a file/],
    ["resuming nothing", table(planted(8)), "--resume", /there is no such checkpoint to resume/],
  ])("refuses %s", async (_, text, words, message) => {
    write("odd.csv", text);
    const { error } = await classify(`fit @odd.csv --steps 1 -o @no.onnx -q ${words}`.trim());
    expect((error as Error).message).toMatch(message);
    expect(existsSync(place.at("no.onnx"))).toBe(false);
  }); // prettier-ignore
});

test("models of distances and of classes are told apart", async () => {
  write("x.fasta", ">a\nACGTACGT\n>b\nACGTTCGT\n>c\nACTTTCGT\n>d\nACTTTCAA\n");
  await place.ok(`fit x.fasta --steps 1 -o distances.onnx ${SMALL} -q`);
  const other = await classify("predict @x.fasta -m @distances.onnx");
  expect((other.error as Error).message).toMatch(
    /distances\.onnx: must be a model of `embranch classify fit`, got one of `embranch fit`$/,
  );
  const { error } = await runHere(embedCommand(), [place.at("x.fasta"), "-m", place.at("m.onnx")]);
  expect((error as Error).message).toMatch(
    /m\.onnx: must be a model of `embranch fit`, got one of `embranch classify fit`$/,
  );
});

test("a run that is stopped saves itself, and makes the same model as one that never was", async () => {
  const fit = (name: string, more = "") =>
    `classify fit plain.csv --model cnn:blocks=1,channels=2,kernel=3,hidden=4,dropout=0.2 --steps 150 --batch 8 --threads 1 -o ${name}.onnx --no-report --checkpoint-seconds 0 -q${more}`;
  const child = place.start(fit("stopped"));
  while (!existsSync(place.at("stopped.onnx.checkpoint")) && child.exitCode === null) await setTimeout(10);
  child.kill("SIGINT");
  const [{ code, stderr }] = await Promise.all([ended(child), place.ok(fit("unbroken"))]);
  expect(code).toBe(130);
  expect(stderr).toMatch(
    /^embranch: stopped at step \d+, all of it saved; go on with: embranch classify fit /,
  );
  expect(stderr.endsWith(`${fit("stopped", " --resume")}\n`)).toBe(true);
  expect(existsSync(place.at("stopped.onnx"))).toBe(false);
  await place.ok(fit("stopped", " --resume"));
  const [resumed, unbroken] = ["stopped", "unbroken"].map((name) => readFileSync(place.at(`${name}.onnx`)));
  expect(resumed.equals(unbroken)).toBe(true);
  expect(existsSync(place.at("stopped.onnx.checkpoint"))).toBe(false);
});

test("classes of a stream that is stopped are not all written", async () => {
  const child = place.start("classify predict - -m m.onnx -o stopped.tsv -q");
  const end = ended(child);
  child.stdin.on("error", () => undefined);
  while (!readdirSync(place.path).some((name) => name.includes("stopped.tsv"))) await setTimeout(10);
  const feeding = setInterval(() => child.stdin.write(">a\nACGTACGT\n".repeat(600)), 5);
  child.kill("SIGINT");
  const { code, stderr } = await end;
  clearInterval(feeding);
  expect({ code, stderr }).toEqual({
    code: 130,
    stderr: "embranch: classify predict: stopped, nothing was written\n",
  });
  expect(existsSync(place.at("stopped.tsv"))).toBe(false);
});

test("the help of fit and of benchmark tells what the options of the networks mean", () => {
  const helps = classifyCommand()
    .commands.filter((command) => ["fit", "benchmark"].includes(command.name()))
    .map((command) => {
      let help = "";
      command.configureOutput({ writeOut: (text) => (help += text) }).outputHelp();
      return help;
    });
  expect(helps).toHaveLength(2);
  for (const help of helps)
    expect(help).toMatch(/\nTheir options:\n {2}blocks +blocks of two convolutions\n/);
});

test("the data may come from standard input", async () => {
  const csv = table(planted(40), PARTS);
  const stdout = await place.ok("classify evaluate - -m m.onnx --json -q", csv);
  expect(JSON.parse(stdout)).toMatchObject({ split: "test", n: 10 });
});
