/**
 * @file Other programs to be timed beside ours.
 *
 * A peer is a process that stays alive: it says its version, then answers every line it is sent with one line
 * of JSON. Start-up is therefore never timed, and peers can take turns with us.
 */

import { spawn, spawnSync, type ChildProcess } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

/** The file of a peer's source, beside the package. */
export function peerSource(name: string): string {
  return fileURLToPath(new URL(`../../bench/peers/${name}`, import.meta.url));
}

/** Pythons to try: Debian's packages belong to the system's, which need not come first on the path. */
const PYTHONS = ["/usr/bin/python3", "python3"];

/** A Python that can import `module`; undefined where there is none. */
export function pythonWith(module: string): string | undefined {
  return PYTHONS.find((python) => spawnSync(python, ["-c", `import ${module}`]).status === 0);
}

/** What a peer says first. */
interface Greeting {
  version: string;
  parameters?: number;
}

/** A running peer. */
export class Peer {
  readonly version: string;
  /** How many numbers it learns, if it says so. */
  readonly parameters?: number;
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string, undefined>;

  private constructor(
    child: ChildProcess,
    lines: AsyncIterator<string, undefined>,
    { version, parameters }: Greeting,
  ) {
    this.#child = child;
    this.#lines = lines;
    this.version = version;
    this.parameters = parameters;
  }

  /** Starts a peer; throws where it says nothing. */
  static async start(command: string, args: readonly string[]): Promise<Peer> {
    const child = spawn(command, args, { stdio: ["pipe", "pipe", "ignore"] });
    const reader: Interface = createInterface({ input: child.stdout });
    const lines = reader[Symbol.asyncIterator]();
    return new Peer(child, lines, await answer<Greeting>(lines, command));
  }

  /** Sends a line and waits for the answer. */
  async ask<T>(question: unknown): Promise<T> {
    this.#child.stdin?.write(`${JSON.stringify(question)}\n`);
    return answer<T>(this.#lines, this.version);
  }

  /** Greatest memory of the process so far, in bytes; undefined where there is no /proc to tell. */
  peakMemory(): number | undefined {
    const status = `/proc/${this.#child.pid}/status`;
    if (!existsSync(status)) return undefined;
    const [, kilobytes] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(status, "utf8")) ?? [];
    return kilobytes === undefined ? undefined : 1024 * Number(kilobytes);
  }

  stop(): void {
    this.#child.kill();
  }
}

async function answer<T>(lines: AsyncIterator<string, undefined>, name: string): Promise<T> {
  const line = await lines.next();
  if (line.value === undefined) throw new Error(`peer ${name}: ended without an answer`);
  return JSON.parse(line.value) as T;
}
