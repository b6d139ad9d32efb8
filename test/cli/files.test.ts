/** @file Which options name files that are written, and that none is written in the place of another. */

import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";
import { refuseSameFiles, verbOf, WRITTEN_FILES } from "../../src/cli/files.ts";
import { program } from "../../src/cli/program.ts";
import { Workplace } from "./command.ts";

/** Options of files that are read. */
const READ = ["--costs", "--distances", "--homologs", "--ids", "--model", "--sequences", "--taxonomy", "--test", "--train", "--tree", "--val", "--add"]; // prettier-ignore

describe("every option of a file", () => {
  test("is known as one that is written or read", async () => {
    const written = new Set<string>();
    const unknown: string[] = [];
    const look = (command: Command) => {
      command.commands.forEach(look);
      for (const { flags, long } of command.options) {
        if (!/<files?(\.\.\.)?>$/.test(flags)) continue;
        const names = [long!, `${verbOf(command)} ${long}`];
        const found = names.filter((name) => WRITTEN_FILES.has(name));
        found.forEach((name) => written.add(name));
        if (found.length === 0 && !READ.includes(long!)) unknown.push(names[1]);
      }
    };
    look(await program([]));
    expect(unknown).toEqual([]);
    expect([...WRITTEN_FILES].filter((name) => !written.has(name))).toEqual([]);
  });
});

describe("a verb", () => {
  const place = new Workplace();
  beforeAll(() => {
    for (const name of ["a", "b"]) writeFileSync(place.at(`${name}.fasta`), ">a\nACGT\n");
    symlinkSync(place.at("a.fasta"), place.at("link.fasta"));
    mkdirSync(place.at("sub"));
  });

  /** Runs a verb with these words; `@` is the folder. */
  const ran = (words: string) => {
    const whole = new Command("embranch").exitOverride();
    const command = new Command("verb")
      .argument("<seqs...>")
      .option("-o, --output <file>", "", "out.fasta")
      .option("-m, --model <file>")
      .option("--report <file>")
      .option("--no-report")
      .option("--tree <file>")
      .action(() => undefined);
    whole.hook("preAction", (_, action) => refuseSameFiles(action)).addCommand(command);
    return () => whole.parse(`verb ${words.replaceAll("@", place.path)}`.split(" "), { from: "user" });
  };

  test.each([
    ["what it reads", "@/a.fasta -o @/a.fasta", "--output must be another file than <seqs>, which is read"],
    ["the second that it reads", "@/a.fasta @/b.fasta -o @/b.fasta", "--output must be another file than <seqs>"],
    ["its model", "@/a.fasta -m @/b.fasta -o @/b.fasta", "--output must be another file than --model"],
    ["what a link leads to", "@/link.fasta -o @/a.fasta", "--output must be another file than <seqs>"],
    ["by another path", "@/a.fasta -o @/sub/../a.fasta", "--output must be another file than <seqs>"],
    ["one file twice", "@/a.fasta -o @/new --report @/sub/../new", "--report must be another file than --output, got"],
  ])("does not write in the place of %s", (_, words, message) => {
    expect(ran(words)).toThrow(`verb: ${message}`);
  }); // prettier-ignore

  test.each([
    ["files that differ", "@/a.fasta -o @/b.fasta --report @/c"],
    ["what is read twice", "@/a.fasta @/a.fasta --tree @/a.fasta -o @/c"],
    ["a device twice", "@/a.fasta -o /dev/null --report /dev/null"],
    ["standard input and output", "- -o -"],
    ["a folder", "@/sub -o @/sub"],
    ["no report", "@/a.fasta -o @/c --no-report"],
    ["folders that are not there", "@/none/a -o @/none/b"],
  ])("takes %s", (_, words) => {
    expect(ran(words)).not.toThrow();
  });
});
