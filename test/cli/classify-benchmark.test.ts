/** @file `classify benchmark`: two small sets end to end, gone on with, stopped, refused; simulated ones too. */

import { once } from "node:events";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { benchCommand } from "../../src/cli/bench.ts";
import { classifyCommand } from "../../src/cli/classify.ts";
import { UsageError } from "../../src/error.ts";
import { Random } from "../../src/sequence/index.ts";
import { ended, runHere, Workplace } from "./command.ts";

const place = new Workplace();

/** A table of two classes that differ in composition, with a split where `parts` says. */
function table(seed: number, parts?: readonly string[]): string {
  const random = new Random(seed);
  const lines = Array.from({ length: 60 }, (_, i) => {
    const letters = i % 2 === 0 ? "AACGT" : "ACGGT";
    const sequence = Array.from({ length: 12 }, () => letters[random.integer(5)]).join("");
    return [sequence, i % 2, ...(parts ? [parts[i % parts.length]] : [])].join(",");
  });
  return `sequence,label${parts ? ",split" : ""}\n${lines.join("\n")}\n`;
}
mkdirSync(place.at("sets/GUE"), { recursive: true });
writeFileSync(place.at("sets/GUE/tf_0.csv"), table(1, ["train", "train", "dev", "dev", "test", "test"]));
writeFileSync(place.at("sets/plain.csv"), table(2));
writeFileSync(place.at("sets/untrained.csv"), table(3, ["dev", "dev", "test", "test"]));

const options = "blocks=1,channels=3,kernel=3,hidden=3";
const MODELS = `cnn:${options},hcnn:${options}`;
const lines = (folder: string, name = "benchmark") =>
  readFileSync(place.at(`${folder}/${name}.jsonl`), "utf8")
    .trim()
    .split("\n");

describe("a folder of sets", () => {
  const line = `classify benchmark sets -o results --models ${MODELS} --batch 8 --threads 1`;

  test("is made, summarised, gone on with, and refused with other settings", async () => {
    const { code, stdout, stderr } = await place.run(`${line} --steps 2 --seeds 1`);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stderr).toContain("untrained: has no train sequences, and is left out\n");
    expect(stderr).toMatch(new RegExp(`^GUE/tf_0 cnn:${options} seed 1: MCC -?[\\d.]+$`, "m"));
    const markdown = readFileSync(place.at("results/summary.md"), "utf8");
    expect(stdout).toBe(`${markdown}\ntable   results/summary.md\n`);
    expect(markdown).toMatch(/^\| GUE\/tf_0 \| 20 \| .* \| 72\.0 \| 69\.1 \| 68\.0 \|$/m);
    expect(markdown).toMatch(/^\| plain \| 48 \| .* \| – \| – \| – \|$/m);
    expect(markdown).toContain("- Left out: untrained, which has no train sequences\n");
    expect(markdown).toContain(`- Command: \`embranch `);
    expect(lines("results")).toHaveLength(4);

    // The second set alone gets a second seed.
    const json = await place.ok(`${line.replace("sets", "sets/plain.csv")} --steps 2 --seeds 1,2 --json -q`);
    expect(lines("results")).toHaveLength(6);
    expect(json).toBe(readFileSync(place.at("results/summary.json"), "utf8"));
    expect(JSON.parse(json)).toMatchObject({
      reference: `cnn:${options}`,
      settings: { budget: { steps: 2 }, recipe: "default", settings: { batch: 8 } },
      sets: [
        { set: "plain", facts: { drawn: "all" }, models: [{ mcc: { count: 2 } }, { mcc: { count: 2 } }] },
        { set: "GUE/tf_0", facts: { drawn: "nothing" }, published: { dnabert2: 71.99 } },
      ],
      overall: [{ model: `hcnn:${options}`, wins: { sets: 2 } }],
      missing: 0,
    });

    const refused = await place.run(`${line} --steps 3 --seeds 1`);
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain(
      'results/benchmark.jsonl: budget must be that of its results, {"steps":2}, got {"steps":3}; use another folder',
    );
    expect(lines("results")).toHaveLength(6);
  });

  test("that is stopped keeps what it has", async () => {
    const child = place.start(`${line.replace("results", "stopped")} --steps 400 --seeds 1`);
    const end = ended(child);
    let text = "";
    while (!text.includes("seed 1: MCC")) text += String((await once(child.stderr, "data"))[0]);
    child.kill("SIGINT");
    const { code, stderr } = await end;
    expect({ code, stderr }).toMatchObject({ code: 130 });
    expect(stderr).toMatch(
      /embranch: stopped after \d runs?, which are in stopped; the same command goes on\n$/,
    );
    expect(existsSync(place.at("stopped/summary.md"))).toBe(true);
    expect(lines("stopped").length).toBeLessThan(4);
  });
});

test("simulated conditions are a table of the papers", async () => {
  const json = await place.ok(
    "bench papers --table hge-conditions --only motif,s=0.2,cnn --budget 1steps --seeds 1 --threads 1 -q --json -o conditions",
  );
  const report = JSON.parse(json) as { sets: { set: string; relativeDelta: { mean: number } }[] };
  expect(report.sets.map(({ set }) => set)).toEqual(["motif, s 0.2, JC69, 200 letters, 2 × 800"]);
  for (const { relativeDelta } of report.sets) expect(relativeDelta.mean).toBeGreaterThan(0);
  expect(readFileSync(place.at("conditions/hge-conditions.md"), "utf8")).toContain("| δ_rel |\n");
});

test.each([
  ["classify benchmark sets", "required option '-o, --output <folder>'"],
  [
    "classify benchmark sets -o x --steps 2 --minutes 1",
    "--minutes and --steps cannot be combined; choose one",
  ],
  [
    "classify benchmark sets -o x --models cnn,mlp",
    '--models: must be one of cnn, hcnn, hcnn-multi, got "mlp"',
  ],
  ["classify benchmark sets -o x --label-smoothing 1", "--label-smoothing: must be below 1, got 1"],
  [
    "bench papers --table hge-conditions --only trees -o x",
    '--only: must be of inter-tree, intra-tree, tree-star, motif, s=0.05, s=0.2, s=1, cnn, hcnn, hcnn-multi, got "trees"',
  ],
])("%s", async (line, message) => {
  const [verb, ...words] = line.split(" ");
  const { stdout, stderr, error } = await runHere(
    verb === "bench" ? benchCommand() : classifyCommand(),
    words,
  );
  expect(stdout).toBe("");
  const isOurs = error instanceof UsageError;
  expect(isOurs ? error.message : stderr).toContain(message);
});
