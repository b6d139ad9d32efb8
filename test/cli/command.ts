/**
 * @file The command line as a child process, as a user runs it; `npm run build` makes what it runs.
 */

import { spawn, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { Command } from "commander";
import { afterAll, expect, vi } from "vitest";

export const MAIN = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
if (!existsSync(MAIN)) throw new Error("these tests run the built program: npm run build");

/** Options that make `fit` a matter of a moment. */
export const SMALL = "--encoder mlp:hidden=8 --dim 8 --batch 16 --augmented 4 --threads 1 --no-report";

/** How a process ended. */
export interface Ended {
  pid: number;
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A folder for the files of a suite, and commands that run in it. */
export class Workplace {
  readonly path = mkdtempSync(join(tmpdir(), "embranch-cli-"));

  constructor() {
    afterAll(() => rmSync(this.path, { recursive: true }));
  }

  /** The path of a file of the folder. */
  at(name: string): string {
    return join(this.path, name);
  }

  /** Files of the folder, but for the temporary ones of processes other than `pid`. */
  files(pid?: number): string[] {
    const other = (name: string) => name.endsWith(".part") && !name.includes(`.${pid}-`);
    return readdirSync(this.path)
      .filter((name) => !other(name))
      .sort();
  }

  /** Starts `embranch <words>`; words of a line are separated by spaces. */
  start(line: string): ChildProcessWithoutNullStreams {
    return spawn(process.execPath, [MAIN, ...line.split(" ").filter(Boolean)], { cwd: this.path });
  }

  /** Runs `embranch <words>` to its end, with `input` as standard input. */
  async run(line: string, input: string | Uint8Array = ""): Promise<Ended> {
    const child = this.start(line);
    child.stdin.on("error", () => undefined);
    child.stdin.end(input);
    return ended(child);
  }

  /** Runs a command that must succeed, and gives its standard output. */
  async ok(line: string, input?: string | Uint8Array): Promise<string> {
    const { code, stdout, stderr } = await this.run(line, input);
    expect({ code, stderr }, line).toEqual({ code: 0, stderr: expect.any(String) as string });
    return stdout;
  }

  /** Runs a script of bash in which `embranch` is the command. */
  async bash(script: string): Promise<Ended> {
    const embranch = `embranch() { '${process.execPath}' '${MAIN}' "$@"; }; `;
    return ended(spawn("bash", ["-c", embranch + script], { cwd: this.path }));
  }
}

/** Waits until a process has ended. */
export async function ended(child: ChildProcessWithoutNullStreams): Promise<Ended> {
  const [stdout, stderr, [code, signal]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "exit") as Promise<[number | null, NodeJS.Signals | null]>,
  ]);
  return { pid: child.pid!, code, signal, stdout, stderr };
}

/** What a verb that runs in this process prints, and the error that it ends with. */
export interface Told {
  stdout: string;
  stderr: string;
  error: unknown;
}

/** Runs a verb in this process. */
export async function runHere(command: Command, words: readonly string[]): Promise<Told> {
  const told: Told = { stdout: "", stderr: "", error: undefined };
  const spies = (["stdout", "stderr"] as const).map((name) => {
    const write = (chunk: string | Uint8Array, ...rest: unknown[]) => {
      told[name] += Buffer.from(chunk as string).toString();
      const done = rest.at(-1);
      if (typeof done === "function") (done as () => void)();
      return true;
    };
    return vi.spyOn(process[name], "write").mockImplementation(write);
  });
  const overridden = (each: Command): void => {
    each.exitOverride();
    each.commands.forEach(overridden);
  };
  overridden(command);
  try {
    await command.parseAsync(words, { from: "user" });
  } catch (error) {
    told.error = error;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return told;
}
