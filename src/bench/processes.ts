/**
 * @file Programs that are run to their end: ours and the peers', in a folder of their own, start-up included.
 */

import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { EmbranchError } from "../error.ts";
import { decode, type SequenceSet } from "../sequence/index.ts";

/** Runs programs to their end, and says how long they took. */
export class Processes {
  readonly #folder: string;
  readonly #threads: string;

  /** `threads` is what our own processes get. */
  constructor(folder: string, threads: number) {
    this.#folder = folder;
    this.#threads = String(threads);
  }

  /** Seconds of our own command line. */
  embranch(...args: string[]): number {
    const main = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
    return this.peer(process.execPath, main, ...args, "--threads", this.#threads);
  }

  /**
   * Seconds of another program.
   * @throws EmbranchError where it fails
   */
  peer(program: string, ...args: string[]): number {
    return this.output(program, ...args).seconds;
  }

  /** The same, with what it printed. */
  output(program: string, ...args: string[]): { seconds: number; text: string } {
    const start = performance.now();
    const { status, stdout, stderr } = spawnSync(program, args, {
      cwd: this.#folder,
      encoding: "utf8",
      maxBuffer: 1 << 30,
    });
    if (status !== 0)
      throw new EmbranchError(`bench: ${program} failed: ${stderr.trim().split("\n").at(-1)}`);
    return { seconds: (performance.now() - start) / 1000, text: stdout };
  }

  /** Whether a program is installed. */
  has(program: string): boolean {
    return spawnSync(program, ["--help"]).error === undefined;
  }
}

/** Writes sequences, one a line. */
export async function writeFasta(file: string, { ids, codes, alphabet }: SequenceSet): Promise<void> {
  await writeFile(file, ids.map((id, i) => `>${id}\n${decode(codes[i], alphabet)}\n`).join(""));
}
