/** @file `embranch bench search`: who finds the nearest reference, on made-up reads. */

import { readFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { SearchBench } from "../../src/bench/search.ts";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const BENCH = "bench search refs.fasta reads.fasta -m m.onnx --rounds 1 -q";

beforeAll(async () => {
  await place.ok("simulate 60 --length 40 --held-out reads.fasta --held-out-share 0.3 -o refs.fasta --seed 6 -q");
  await place.ok(`fit refs.fasta --length 60 --steps 5 -o m.onnx ${SMALL} -q`);
}); // prettier-ignore

test("all that need no other program take part, and comparing with everything finds everything", async () => {
  const { results, unique, references, queries } = JSON.parse(
    await place.ok(`${BENCH} --rerank 5,1000 --only embranch,-mers --json -o table.md`),
  ) as SearchBench;
  expect(results.map(({ name }) => name)).toEqual([
    "embranch, embedding alone",
    "embranch, embedding, 5 re-ranked",
    "embranch, embedding, 1000 re-ranked",
    "embranch, exact (all references)",
    "6-mers, cosine, all references",
  ]);
  expect(references + queries).toBe(60);
  expect(unique).toBeGreaterThan(0);
  for (const { top } of results) {
    const ascending = [...top].sort((a, b) => a - b);
    expect(top).toEqual(ascending);
    for (const share of top) expect(share).toBeGreaterThanOrEqual(0);
  }
  expect(results[2].top).toEqual([1, 1, 1]);
  expect(results[3].top).toEqual([1, 1, 1]);
  expect(results[0].build?.bytes).toBeGreaterThan(1000);
  for (const { seconds } of results) expect(seconds).toBeGreaterThan(0);

  const table = readFileSync(place.at("table.md"), "utf8");
  expect(table).toContain("| embranch, exact (all references) | 100.0 | 100.0 | 100.0 |");
  expect(table).toContain("| cnn hyperbolic | 50.1 | 77.2 | 85.9 |");
  expect(table).toMatch(/Made with `embranch bench search refs\.fasta .*` on .+, Node v\d+/);
});

test("a model that is none ends it with one line", async () => {
  const { code, stderr } = await place.run("bench search refs.fasta reads.fasta -m refs.fasta --only embranch -q");
  expect(code).toBe(1);
  expect(stderr).toMatch(/^embranch: bench: .*refs\.fasta: must be a model of `embranch fit`.*\n$/);
}); // prettier-ignore
