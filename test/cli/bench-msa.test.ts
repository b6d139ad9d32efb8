/** @file `bench msa`: what it makes of references, of homologs and of sequences alone. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { benchMsaCommand } from "../../src/cli/bench-msa.ts";
import { runHere } from "./command.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "embranch-bench-msa-"));
  writeFileSync(
    join(folder, "kin.ref.fasta"),
    ">a\nMKVLAAGIVGLCAKWYEN\n>b\nMKVL-AGIVGLCAKWYEN\n>c\nMKVLAAGIVG-CAKWYEN\n",
  );
  writeFileSync(
    join(folder, "more.csv"),
    "family,id,sequence\nkin,a,MKVLAAGIVGLCAKWYEN\nkin,d,MKVLAAGIVGLCAKWYENMM\nother,e,MMM\n",
  );
});
afterAll(() => rmSync(folder, { recursive: true }));

test("of references and homologs tells scores and times, and writes a report", async () => {
  const report = join(folder, "msa.md");
  await runHere(benchMsaCommand(["bench", "msa", "kin.ref.fasta"]), [
    join(folder, "kin.ref.fasta"),
    ...["--homologs", join(folder, "more.csv"), "--with", "kalign", "--rounds", "1", "-o", report, "-q"],
  ]);
  const text = readFileSync(report, "utf8");
  expect(text).toContain("4 sequences of kin.ref.fasta");
  expect(text).toMatch(/\| embranch exact \| 100\.00 \| 100\.00 \| \d+\.\d\d \| 1\.00 \|/);
});

test("of sequences alone tells the cost; unknown programs and families are refused", async () => {
  const file = join(folder, "alone.fasta");
  writeFileSync(file, ">a\nACGTACGTTA\n>b\nACGTACGTTA\n>c\nACGACGTTA\n");
  const report = join(folder, "alone.md");
  const words = [file, "--unaligned", "--with", "kalign", "--rounds", "1", "-q"];
  await runHere(benchMsaCommand([]), [...words, "-o", report]);
  // Two of three pairs have a gap of one letter.
  expect(readFileSync(report, "utf8")).toMatch(/embranch exact \|.*\| 10 \| 1\.33 \|/);
  const refused = async (...given: string[]) => String((await runHere(benchMsaCommand([]), given)).error);
  expect(await refused(file, "--with", "muscle")).toMatch(/--with: must be of/);
  expect(await refused(join(folder, "kin.ref.fasta"), "--homologs", file)).toMatch(/a column family/);
});
