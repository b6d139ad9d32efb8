/**
 * @file Aligners that people trust, given our guide tree: Clustal Omega, ClustalW, MAFFT.
 *
 * Each runs in a temporary folder of its own, which is removed whatever happens; an abort kills it with all that it
 * started. The sequences go in as S0, S1, …, because ids of all kinds would not survive (ClustalW cuts names, blanks
 * end them), and only the columns of the letters come back: what the programs do to case, to U or to the order of
 * the sequences is lost on the way. Letters that not all of them know are replaced: U by C, O by K, J and `*` by X.
 *
 * Measured with Debian's packages (clustalo 1.2.4, clustalw 2.1, mafft 7.505): ClustalW takes a tree only where it is
 * *not* told to align (`-align` makes it compute its own, and overwrite the file with it); Clustal Omega refuses a root
 * of three branches, and fails on sequences of nothing but N; MAFFT takes one tree for one progressive alignment
 * (`--retree 1`), and branches of any length from 0.
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream, rmSync } from "node:fs";
import { mkdtemp, open, rm, writeFile, type FileHandle } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbranchError } from "../../error.ts";
import { readAlignment } from "../../sequence/aligned.ts";
import type { Alignment } from "../../sequence/alignment.ts";
import { decode, PROTEIN } from "../../sequence/alphabet.ts";
import type { SequenceSet } from "../../sequence/sequence-set.ts";
import { explain, systemCode } from "../../system-error.ts";
import type { CompactTree } from "../tree/compact-tree.ts";
import { inShares, mafftGuide, newickGuide } from "./guide-formats.ts";

/** Programs that `alignWith` runs. */
export const EXTERNAL_ALIGNERS = ["clustalo", "clustalw", "mafft"] as const;

export type ExternalAligner = (typeof EXTERNAL_ALIGNERS)[number];

/** How a program is told what to do. */
interface Program {
  /** The words of its command; it reads in.fa and guide, and writes out.fa unless that is its standard output. */
  words: (of: { protein: boolean; threads?: number }) => string[];
  /** The guide tree in its format. */
  guide: (tree: CompactTree, names: readonly string[]) => string;
  /** Whether the alignment comes on standard output. */
  printed: boolean;
  /** The number of joins done, in what it says. */
  step: RegExp;
}

const PROGRAMS: Record<ExternalAligner, Program> = {
  clustalo: {
    words: ({ protein, threads }) => [
      "--infile=in.fa",
      "--guidetree-in=guide",
      "--outfile=out.fa",
      "--outfmt=fasta",
      "--force",
      "--verbose",
      `--seqtype=${protein ? "Protein" : "DNA"}`,
      ...(threads === undefined ? [] : [`--threads=${threads}`]),
    ],
    guide: newickGuide,
    printed: false,
    step: /\((\d+) out of \d+\)/g,
  },
  clustalw: {
    words: ({ protein }) => [
      "-infile=in.fa",
      "-usetree=guide",
      "-outfile=out.fa",
      "-output=fasta",
      "-outorder=input",
      `-type=${protein ? "protein" : "dna"}`,
    ],
    guide: newickGuide,
    printed: false,
    step: /Group (\d+):/g,
  },
  mafft: {
    words: ({ protein, threads }) => [
      protein ? "--amino" : "--nuc",
      "--retree",
      "1",
      "--maxiterate",
      "0",
      "--thread",
      String(threads ?? -1),
      "--treein",
      "guide",
      "in.fa",
    ],
    guide: mafftGuide,
    printed: true,
    step: /STEP\s+(\d+) \//g,
  },
};

export interface AlignWithOptions {
  /** Threads of the program, where it has several; default its own choice. */
  threads?: number;
  /** Told how many of the tree's joins are done. */
  progress?: (done: number, total: number) => void;
  /** Kills the program. */
  signal?: AbortSignal;
}

/** What a program said last is kept up to this many characters. */
const KEPT = 4000;
/** Milliseconds between looks at what it says. */
const POLL = 200;

/**
 * Aligns a set by another program along a tree, whose leaves are numbered as the set's sequences.
 *
 * @throws EmbranchError where the program is not installed, fails, or gives other letters back; the reason of `signal`
 *   where that aborts
 */
export async function alignWith(
  program: ExternalAligner,
  set: SequenceSet,
  tree: CompactTree,
  { threads, progress, signal }: AlignWithOptions = {},
): Promise<Alignment> {
  const count = set.ids.length;
  if (tree.leaves !== count) {
    throw new RangeError(`align: the tree must have ${count} leaves, got ${tree.leaves}`);
  }
  signal?.throwIfAborted();
  // None of them aligns a sequence alone.
  if (count < 2) {
    return {
      width: set.maxLength,
      columns: set.codes.map(({ length }) => Uint32Array.from({ length }, (_, k) => k)),
    };
  }
  const folder = await mkdtemp(join(tmpdir(), `embranch-${program}-`));
  const removeAtExit = () => rmSync(folder, { recursive: true, force: true });
  process.on("exit", removeAtExit);
  try {
    const names = set.ids.map((_, i) => `S${i}`);
    const letters = set.codes.reduce((sum, codes) => sum + codes.length, 0);
    const { guide } = PROGRAMS[program];
    await writeFile(join(folder, "in.fa"), knownLetters(set, names).join(""));
    await writeFile(join(folder, "guide"), guide(inShares(tree, letters / count), names));
    const said = await runProgram(program, folder, {
      protein: set.alphabet === PROTEIN,
      threads,
      signal,
      progress: progress && ((done) => progress(done, count - 1)),
    });
    return await readBack(program, set, { folder, said });
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(error, folder, "written");
  } finally {
    process.off("exit", removeAtExit);
    await rm(folder, { recursive: true, force: true });
  }
}

/** The sequences in FASTA, in letters that all programs know. */
function knownLetters({ codes, alphabet }: SequenceSet, names: readonly string[]): string[] {
  const known: Record<string, string> = { U: "C", O: "K", J: "X", "*": "X" };
  return codes.map((each, i) => {
    const letters = decode(each, alphabet);
    const plain = alphabet === PROTEIN ? letters.replace(/[UOJ*]/g, (letter) => known[letter]) : letters;
    return `>${names[i]}\n${plain}\n`;
  });
}

/** Runs a program to its end and gives what it said last. */
async function runProgram(
  program: ExternalAligner,
  folder: string,
  options: {
    protein: boolean;
    threads?: number;
    progress?: (done: number) => void;
    signal?: AbortSignal;
  },
): Promise<string> {
  const { words, printed } = PROGRAMS[program];
  const { progress, signal } = options;
  // Files, since MAFFT opens its standard error by name, which no pipe of Node's allows.
  const log = await open(join(folder, "log"), "a+");
  const out = printed ? await open(join(folder, "out.fa"), "w") : log;
  const said = new Said(log, PROGRAMS[program].step);
  const timer = setInterval(() => void said.read().then((step) => step > 0 && progress?.(step)), POLL);
  try {
    const child = spawn(program, words(options), {
      cwd: folder,
      env: { ...process.env, TMPDIR: folder },
      stdio: ["ignore", out.fd, log.fd],
      // A group of its own: MAFFT is a script, and what it starts must end with it.
      detached: true,
    });
    const kill = () => killGroup(child.pid);
    signal?.addEventListener("abort", kill);
    process.on("exit", kill);
    try {
      const [code, by] = (await once(child, "close")) as [number | null, NodeJS.Signals | null];
      signal?.throwIfAborted();
      const step = await said.read();
      if (step > 0) progress?.(step);
      if (code === 0) return said.last;
      throw new EmbranchError(`${program}: failed (${by ?? `exit status ${code}`})${lastLines(said.last)}`);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      throw new EmbranchError(
        `${program}: is not installed; install the package ${program} of Debian or of bioconda (conda), or choose another aligner`,
        { cause: error },
      );
    } finally {
      signal?.removeEventListener("abort", kill);
      process.off("exit", kill);
    }
  } finally {
    clearInterval(timer);
    await said.idle;
    await log.close();
    if (out !== log) await out.close();
  }
}

/** What a program has said, as its log grows. */
class Said {
  /** The end of it. */
  last = "";
  /** Settles when no reading is under way. */
  idle: Promise<unknown> = Promise.resolve();
  readonly #log: FileHandle;
  readonly #step: RegExp;
  readonly #buffer = new Uint8Array(1 << 16);
  #position = 0;
  #done = 0;

  constructor(log: FileHandle, step: RegExp) {
    this.#log = log;
    this.#step = step;
  }

  /** Reads what is new, and gives the number of joins done. */
  read(): Promise<number> {
    const reading = this.idle.then(() => this.#read());
    this.idle = reading;
    return reading;
  }

  async #read(): Promise<number> {
    for (;;) {
      const { bytesRead } = await this.#log.read(this.#buffer, 0, this.#buffer.length, this.#position);
      if (bytesRead === 0) return this.#done;
      this.#position += bytesRead;
      this.last = (this.last + Buffer.from(this.#buffer.subarray(0, bytesRead)).toString()).slice(-KEPT);
      for (const [, step] of this.last.matchAll(this.#step)) this.#done = Math.max(this.#done, Number(step));
    }
  }
}

/** Ends a process and all that it started; one that has ended is no matter. */
function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    if (systemCode(error) !== "ESRCH") throw error;
  }
}

/** Of what a program said, the last lines with words, as the end of a message. */
function lastLines(said: string): string {
  const lines = said
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter((line) => /[a-z]/i.test(line));
  return lines.length === 0 ? "" : `: ${lines.slice(-3).join("; ")}`;
}

/** The columns of the letters, in the order of the set. */
async function readBack(
  program: ExternalAligner,
  { codes }: SequenceSet,
  { folder, said }: { folder: string; said: string },
): Promise<Alignment> {
  const { ids, alignment } = await readAlignment(createReadStream(join(folder, "out.fa")), {
    file: program,
    format: "fasta",
  }).catch((error: unknown) => {
    throw new EmbranchError(`${program}: failed, and wrote no alignment${lastLines(said)}`, { cause: error });
  });
  const places = new Map(ids.map((id, place) => [id, place]));
  const columns = codes.map((each, i) => {
    const found = alignment.columns[places.get(`S${i}`) ?? -1];
    if (found?.length === each.length) return found;
    throw new EmbranchError(
      `${program}: must give back the ${each.length} letters of sequence ${i + 1}, got ${found?.length ?? "none"}`,
    );
  });
  return { width: alignment.width, columns };
}
