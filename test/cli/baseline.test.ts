/** @file What `baseline` prints: the table for people, and the JSON that other programs build on. */

import { writeFileSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import type { BaselineReport } from "../../src/task/baseline.ts";
import { Workplace } from "./command.ts";

const place = new Workplace();

beforeAll(async () => {
  await place.ok("simulate 20 --length 60 -o train.fasta --seed 3 -q");
  await place.ok("simulate 12 --length 60 -o test.fasta --seed 4 -q");
});

const report = async (options: string) =>
  JSON.parse(await place.ok(`baseline train.fasta --test test.fasta --json -q ${options}`)) as BaselineReport;

test("a table, least error first, and what its numbers mean", async () => {
  const { stdout, stderr } = await place.run("baseline train.fasta --test test.fasta -q");
  expect(stderr).toBe("");
  const [header, ...lines] = stdout.split("\n");
  expect(header.split(/ {2,}/)).toEqual(
    ["method", "k", "distance", "RMSE", "MAE", "RMSE, homologous", "Pearson", "Spearman", "factor"]); // prettier-ignore
  const errors = lines.slice(0, 28).map((line) => Number(/([\d.]+) %/.exec(line)?.[1]));
  expect(errors).toEqual(errors.toSorted((a, b) => a - b));
  expect(lines.slice(28).join("\n")).toMatch(
    /^\nErrors over 66 pairs in percent of \d+ letters.*\n.* at most 40 edits apart\.\n.* fitted to 190 training pairs\.\n$/,
  );
});

test("what is not defined is a dash", async () => {
  // One pair has no correlation.
  writeFileSync(place.at("pair.fasta"), ">a\nACGTACGTTA\n>b\nACGTTCGTAA\n");
  const stdout = await place.ok("baseline train.fasta --test pair.fasta --kmer 3 --distance cosine -q");
  expect(stdout).toMatch(/^k-mer +3 +cosine .* % +– +– +[\d.]+$/m);
  expect(stdout).not.toContain("NaN");
});

test("--json has the fields of the contract", async () => {
  const { results, ...about } = await report("--kmer 3");
  expect(Object.keys(about)).toEqual(["length", "fitPairs"]);
  expect(about.fitPairs).toBe(190);
  expect(results).toHaveLength(5);
  expect(Object.keys(results[0])).toEqual(["method", "k", "distance", "scale", "evaluation"]);
  expect(results[0].evaluation).toMatchObject({ pairs: 66, homologous: { k: 40 } });
});

test("lengths are single ones, ranges and lists; distances are listed", async () => {
  const names = async (options: string) =>
    (await report(options)).results.map(({ k, method, distance }) => `${k} ${method} ${distance}`).sort();
  expect(await names("--kmer 2,4-5 --distance cosine,manhattan --ffp 8")).toEqual([
    "2 k-mer cosine",
    "2 k-mer manhattan",
    "4 k-mer cosine",
    "4 k-mer manhattan",
    "5 k-mer cosine",
    "5 k-mer manhattan",
    "8 FFP jensen-shannon",
  ]);
  expect(await names("--ffp 9-10")).toEqual(["10 FFP jensen-shannon", "9 FFP jensen-shannon"]);
});

test("--pairs and --fit-pairs sample, --homologous moves the bound", async () => {
  const { fitPairs, results } = await report("--ffp 8 --pairs 20 --fit-pairs 30 --homologous 7");
  expect(fitPairs).toBe(30);
  expect(results[0].evaluation).toMatchObject({ pairs: 20, homologous: { k: 7 } });
});

test.each([
  ["--kmer 6-2", /'6-2' is invalid. It must be lengths of k-mers, such as 4, 2-6 or 2,4-6./],
  ["--ffp many", /'many' is invalid. It must be lengths of k-mers/],
  ["--kmer 2,,3", /'2,,3' is invalid. It must be lengths of k-mers/],
  ["--distance cosine,flat", /Allowed choices are cosine, euclidean, square, manhattan, hyperbolic/],
  ["--ffp 8 --distance cosine", /--distance is for k-mers, of which --ffp leaves none; add --kmer/],
  ["--kmer 40", /embranch: --kmer: must be an integer from 1 to 26 for dna, got 40/],
  ["--ffp 40", /embranch: --ffp: must be an integer from 1 to 26 for dna, got 40/],
  ["--gap 2", /--gap needs --costs/],
])("%s is a mistake in the command line", async (options, message) => {
  const { code, stdout, stderr } = await place.run(`baseline train.fasta --test test.fasta ${options}`);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(message);
});
