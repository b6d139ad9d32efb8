/**
 * @file Bad input: one line on standard error that names the file, the record and what to do, exit code 1, and
 * nothing half-written left behind.
 */

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { beforeAll, describe, expect, test } from "vitest";
import { SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const write = (name: string, content: string | Uint8Array) => writeFileSync(place.at(name), content);

/** Deterministic bytes that are nothing. */
const noise = Uint8Array.from({ length: 5000 }, (_, i) => (i * 7919 + (i >> 3) * 104729) & 255);

beforeAll(async () => {
  await place.ok("simulate 12 --length 30 -o reads.fasta --seed 3 -q");
  await place.ok(`fit reads.fasta --length 40 --steps 2 -o dna.onnx ${SMALL} -q`);
  await place.ok("simulate 12 --alphabet protein --length 30 -o proteins.fasta -q");
  await place.ok(`fit proteins.fasta --length 40 --steps 2 -o protein.onnx ${SMALL} -q`);

  const reads = readFileSync(place.at("reads.fasta"));
  write("empty.fasta", "");
  write("text.fasta", "%PDF-1.4 this is no sequence\n");
  write("noise.fasta", noise);
  const packed = gzipSync(reads);
  write("cut.fasta.gz", packed.subarray(0, packed.length - 20));
  write("letters.fasta", ">a\nACGT\n>b\nAC1GT\n>c\nACCT\n>d\nACGG\n");
  write("hollow.fasta", ">a\nACGT\n>b\n>c\nACGA\n");
  write("twins.fasta", ">a\nACGT\n>a\nACGA\n>c\nACC\n>d\nACCA\n");
  write("one.fasta", ">a\nACGT\n");
  write("same.fasta", ">a\nACGT\n>b\nACGT\n>c\nACGT\n>d\nACGT\n");
  write("long.fasta", `>short\nACGT\n>long\n${"ACGT".repeat(20)}\n>c\nACC\n>d\nACCA\n`);
  write("costs.txt", "  A C G T\nA 0 1 2 1\nC 9 0 1 2\nG 2 1 0 1\nT 1 2 1 0\n");

  const model = readFileSync(place.at("dna.onnx"));
  write("noise.onnx", noise);
  write("cut.onnx", model.subarray(0, model.length / 2));
  write(
    "foreign.onnx",
    toBinary(ModelProtoSchema, { ...fromBinary(ModelProtoSchema, model), metadataProps: [] }),
  );
  mkdirSync(place.at("folder"));
});

/** Runs a command that must fail with exit code 1 and one line, and leave no file that was not there before. */
async function refusal(line: string): Promise<string> {
  const before = place.files();
  const { pid, code, stdout, stderr } = await place.run(line);
  expect({ code, stdout }, stderr).toEqual({ code: 1, stdout: "" });
  expect(stderr).toMatch(/^embranch: [^\n]+\n$/);
  expect(place.files(pid)).toEqual(before);
  return stderr.slice("embranch: ".length, -1);
}

const distance = (file: string) => `distance ${file} --exact -o out.npy -q`;
const embed = (file: string, model = "dna.onnx") => `embed ${file} -m ${model} -o out.npy -q`;
const evaluate = (file: string, model = "dna.onnx") => `evaluate ${file} -m ${model} -q`;
const fit = (file: string) => `fit ${file} --steps 2 ${SMALL} -o out.onnx -q`;

describe.concurrent("sequences", () => {
  test.each([
    ["an empty file", distance("empty.fasta"), /^empty\.fasta: file: must hold at least one sequence, got none: it is empty$/],
    ["an empty file, embedded", embed("empty.fasta"), /^empty\.fasta: .*it is empty$/],
    ["no FASTA", distance("text.fasta"), /^text\.fasta, line 1: file: not FASTA, FASTQ, CSV or one sequence per line, got "%PDF/],
    ["binary data", distance("noise.fasta"), /^noise\.fasta, line 1: file: not FASTA.* got binary data$/],
    ["truncated gzip", distance("cut.fasta.gz"), /^cut\.fasta\.gz: gzip: must be complete, got a truncated file: copy or download it again$/],
    ["truncated gzip, embedded", embed("cut.fasta.gz"), /^cut\.fasta\.gz: gzip: must be complete/],
    ["an illegal letter", distance("letters.fasta"), /^letters\.fasta, line 3, record "b": .*got "1" at position 3: remove position numbers/],
    ["an illegal letter, trained on", fit("letters.fasta"), /^letters\.fasta, line 3, record "b": .*got "1" at position 3/],
    ["an empty record", distance("hollow.fasta"), /^hollow\.fasta, line 3, record "b": .*must have a sequence, got a header alone: remove the record$/],
    ["an id that comes twice", distance("twins.fasta"), /^twins\.fasta, line 3, record "a": id: must be unique, .*: rename one of them$/],
    ["an id that comes twice, trained on", fit("twins.fasta"), /^twins\.fasta, line 3, record "a": id: must be unique/],
    ["one sequence", distance("one.fasta"), /^one\.fasta: file: must hold at least 2 sequences, got one sequence only$/],
    ["one sequence, measured", evaluate("one.fasta"), /^one\.fasta: .*at least 2 sequences/],
    ["one sequence, trained on", fit("one.fasta"), /^one\.fasta: .*at least 4 sequences/],
    ["copies of one sequence, trained on", fit("same.fasta"), /^sequences: must be at least 4 different ones .* got 1; add more$/],
    ["a sequence longer than the model", evaluate("long.fasta"), /^long\.fasta, line 3, record "long": sequence: must have at most the model's 40 letters, got 80; trim it, or fit a model with --length 80$/],
    ["a sequence longer than the model, embedded", embed("long.fasta"), /^long\.fasta, line 3, record "long": .*--length 80$/],
    ["a sequence longer than --length", `${fit("long.fasta")} --length 50`, /^long\.fasta, line 3, record "long": sequence: must have at most 50 letters, got 80/],
    ["a protein given to a model of DNA", evaluate("proteins.fasta"), /^proteins\.fasta, line 1, record "leaf1": sequence: must consist of DNA letters .* or a model of proteins$/],
    ["a protein given to a model of DNA, embedded", embed("proteins.fasta"), /^proteins\.fasta, line 1, record "leaf1": .*a model of proteins$/],
    ["DNA given to a model of proteins", evaluate("reads.fasta", "protein.onnx"), /^reads\.fasta: sequences: must be proteins .*; use a model fitted to DNA$/],
    ["DNA given to a model of proteins, embedded", embed("reads.fasta", "protein.onnx"), /^reads\.fasta: sequences: must be proteins/],
    ["no file", distance("none.fasta"), /^none\.fasta: cannot be read: there is no such file or directory; check the path \(ENOENT\)$/],
    ["a folder", distance("folder"), /^folder: cannot be read: it is a directory; name a file \(EISDIR\)$/],
    ["a table of costs that is lopsided", `${distance("reads.fasta")} --costs costs.txt`, /^costs\.txt, line 2: row A, column C: must equal its mirror image 9, got 1$/],
  ])("%s", async (_, line, message) => {
    expect(await refusal(line)).toMatch(message);
  }); // prettier-ignore
});

test("two files that are both standard input are refused", async () => {
  const { code, stdout, stderr } = await place.run("distance - - --exact", ">a\nACGT\n>b\nACGA\n");
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe("embranch: distance: the two files cannot both be standard input\n");
});

test("what may be a peptide or DNA is read by a model of proteins, with a word about it", async () => {
  write("peptides.fasta", ">a\nGATTACA\n>b\nNUCCA\n");
  const note = "peptides.fasta: all letters are A, C, G, T, U or N; they are read as amino acids, which is wrong if this is DNA\n"; // prettier-ignore
  for (const line of [
    "embed peptides.fasta -m protein.onnx -o z.npy",
    "search peptides.fasta --in proteins.fasta -m protein.onnx -o z.tsv",
    "search peptides.fasta --in proteins.fasta --exact -o z.tsv",
    "search proteins.fasta --in peptides.fasta -m protein.onnx -o z.tsv",
    "cluster peptides.fasta -m protein.onnx --edits 1 -o z.tsv",
  ]) {
    const { code, stderr } = await place.run(line);
    expect(code).toBe(0);
    expect(stderr.split(note), line).toHaveLength(2);
  }
  expect((await place.run("embed peptides.fasta -m protein.onnx -q")).stderr).toBe("");
  expect((await place.run("embed proteins.fasta -m protein.onnx -o z.npy")).stderr).not.toContain("letters");
});

describe.concurrent("models", () => {
  test.each([
    ["random bytes", "noise.onnx", /^noise\.onnx: must be a model of `embranch fit`, got a damaged or foreign file$/],
    ["half a model", "cut.onnx", /^cut\.onnx: must be a model of `embranch fit`, got a damaged or foreign file$/],
    ["ONNX without our manifest", "foreign.onnx", /^foreign\.onnx: must be .*, got an ONNX file without its manifest$/],
    ["no file", "none.onnx", /^none\.onnx: cannot be read: there is no such file/],
    ["a folder", "folder", /^folder: cannot be read: it is a directory/],
  ])("%s", async (_, model, message) => {
    expect(await refusal(embed("reads.fasta", model))).toMatch(message);
  }); // prettier-ignore
});

describe("outputs", () => {
  test.each([
    ["distance reads.fasta --exact -o none/d.npy", /^none\/d\.npy: cannot be written: there is no such file or directory; check the path \(ENOENT\)$/],
    ["embed reads.fasta -m dna.onnx -o none/z.npy", /^none\/z\.npy: cannot be written/],
    ["fit reads.fasta --steps 2 -q -o none/m.onnx", /^none\/m\.onnx: cannot be written/],
    ["fit reads.fasta --steps 2 -q -o m.onnx --report none/m.html", /^none\/m\.html: cannot be written/],
    ["simulate 3 -o none/s.fasta", /^none\/s\.fasta: cannot be written/],
    ["simulate 3 -o s.fasta --tree none/s.nwk", /^none\/s\.nwk: cannot be written/],
  ])("that cannot be written are found before the work: %s", async (line, message) => {
    expect(await refusal(line)).toMatch(message);
  }); // prettier-ignore

  test.skipIf(!existsSync("/dev/full"))("to a full disk", async () => {
    for (const name of ["full.npy", "full.parquet", "full.fasta"]) symlinkSync("/dev/full", place.at(name));
    const full = /: cannot be written: the disk is full; free some space or choose another place \(ENOSPC\)$/;
    expect(await refusal("distance reads.fasta --exact -o full.npy -q")).toMatch(full);
    expect(await refusal("embed reads.fasta -m dna.onnx -o full.parquet -q")).toMatch(full);
    expect(await refusal("simulate 3 -o full.fasta -q")).toMatch(full);
    const piped = await place.bash("embranch evaluate reads.fasta -m dna.onnx -q > /dev/full");
    expect(piped).toMatchObject({ code: 1, stdout: "" });
    expect(piped.stderr).toMatch(/^embranch: stdout: cannot be written: the disk is full; .*\n$/);
  });

  test(".npy into a pipe, whose first bytes cannot be written last, is refused", async () => {
    const { stdout, stderr } = await place.bash(
      "mkfifo pipe.npy; cat pipe.npy & embranch embed reads.fasta -m dna.onnx -o pipe.npy -q; echo $?; wait",
    );
    expect(stdout).toBe("2\n");
    expect(stderr).toMatch(/^embranch: embeddings: \.npy needs a file, .* got a pipe; .*\n$/);
  });
});
