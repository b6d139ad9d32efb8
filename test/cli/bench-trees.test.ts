/** @file `embranch bench tree`, `bench cluster` and `bench relaxed`, on made-up sequences. */

import { readFileSync, writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { ClusterResult } from "../../src/bench/cluster.ts";
import type { RelaxedBench } from "../../src/bench/relaxed.ts";
import type { TreeBench } from "../../src/bench/tree.ts";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const text = (name: string) => readFileSync(place.at(name), "utf8");

beforeAll(async () => {
  await place.ok("simulate 30 --length 40 -o a.fasta --tree truth.nwk --seed 3 -q");
  await place.ok(`fit a.fasta --length 60 --steps 5 -o m.onnx ${SMALL} -q`);
});

test("trees: every route, by cost and by the true tree", async () => {
  const line =
    "bench tree a.fasta -m m.onnx --coarsen 5 --kmers 3 --truth truth.nwk --rounds 1 --json -o tree.md -q";
  const { sequences, linkage, trees, joining } = JSON.parse(await place.ok(line)) as TreeBench;
  expect(sequences).toBe(30);
  const methods = ["single", "complete", "average", "weighted", "ward"];
  expect(linkage.filter(({ name }) => name === "embranch").map(({ method }) => method)).toEqual(methods);
  // Peers take part where they are installed, and agree.
  for (const { difference } of linkage) expect(difference ?? 0).toBeLessThan(1e-5);
  expect(trees.map(({ name }) => name)).toEqual([
    "average, exact distances",
    "average, embedding",
    "average, embedding, graph to 5 clusters",
    "single, exact distances",
    "complete, exact distances",
    "ward, exact distances",
  ]);
  expect(trees[0].dasgupta).toBe(0);
  for (const { dasgupta, seconds, truth } of trees) {
    expect(Math.abs(dasgupta!)).toBeLessThan(50);
    expect(seconds).toBeGreaterThan(0);
    expect(truth).toBeGreaterThanOrEqual(0);
    expect(truth).toBeLessThanOrEqual(1);
  }
  const names = joining.map(({ name }) => name);
  expect(names).toContain("embranch, exact distances");
  expect(names).toContain("embranch, 3-mers, cosine, in this process");
  expect(text("tree.md")).toContain("| average, exact distances |");
});

test("clusters: ours agree with themselves, and with the truth where they are it", async () => {
  const records = text("a.fasta").split(">").slice(1);
  const rows = records.map((record, i) => `${record.split("\n").slice(1).join("")},${i}\n`);
  writeFileSync(place.at("a.csv"), `sequence,kind\n${rows.join("")}`);
  const line =
    "bench cluster a.csv --identity 1 --methods greedy complete --truth kind --rounds 1 --json -o c.md -q";
  const { results } = JSON.parse(await place.ok(line)) as { results: ClusterResult[] };
  expect(results.slice(0, 2).map(({ name }) => name)).toEqual(["embranch greedy", "embranch complete"]);
  expect(results[0]).toMatchObject({ agreement: 1, clusters: results[1].clusters });
  expect(results[0].truth!.majority).toBeGreaterThan(0.5);
  expect(text("c.md")).toContain("| embranch complete |");
});

test("relaxed clusterings: a row for each number of triples, and their figure", async () => {
  const line =
    "bench relaxed a.fasta --models linear --ranks 2 --powers 0.5,1 --figure r.svg --json -o r.md -q";
  const { results, references } = JSON.parse(await place.ok(line)) as RelaxedBench;
  expect(results.map(({ triples }) => triples)).toEqual([5, 30]);
  for (const { average, single } of results) expect([average, single].every(Number.isFinite)).toBe(true);
  expect(Number.isFinite(references.complete)).toBe(true);
  expect(text("r.md")).toMatch(/\| linear, rank 2 \| N\^1 = 30 \|.*\| 0\.38 \|/);
  expect(text("r.svg")).toMatch(/^<svg/);
});

test("unknown methods and columns are refused", async () => {
  for (const [line, message] of [
    ["bench cluster a.fasta --methods fast", /methods: must be of greedy, .*, got fast/],
    ["bench cluster a.csv --truth nothing", /--truth: the file has no column nothing/],
  ] as const) {
    const { code, stderr } = await place.run(`${line} -q`);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
  }
});
