/**
 * @file A folder that several processes fill with results, one JSON object a line.
 *
 * A result is appended as soon as it is there, in one write, so that stopping a run loses nothing but what is in
 * the making. Work is claimed by creating a lock file that must not exist before; it names its process, and a lock
 * whose process has died is taken over. Locks of other machines are left alone: whether their processes live
 * cannot be known from here. Should two processes take over the same dead lock at the same moment, both do the
 * work; results are told apart by their keys, so the second copy changes nothing.
 */

import { appendFile, mkdir, open, readFile, rm, stat } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { FormatError } from "../error.ts";
import { explain, systemCode } from "../system-error.ts";

/** A result; `key` says what it is of. */
export interface Keyed {
  key: string;
}

/** Releases a claim. */
export type Release = () => Promise<void>;

interface LockOwner {
  pid: number;
  host: string;
}

/** Seconds after which a lock without an owner counts as left behind: its process died while writing it. */
const UNSIGNED_SECONDS = 10;

/** Results of one kind in a folder. */
export class ResultFolder<Result extends Keyed> {
  readonly path: string;
  readonly #name: string;

  private constructor(path: string, name: string) {
    this.path = path;
    this.#name = name;
  }

  /** Makes the folder where there is none; results are in `<path>/<name>.jsonl`. */
  static async open<Result extends Keyed>(path: string, name: string): Promise<ResultFolder<Result>> {
    try {
      await mkdir(path, { recursive: true });
    } catch (error) {
      throw explain(error, path, "written");
    }
    return new ResultFolder(path, name);
  }

  /** The file of results. */
  get file(): string {
    return join(this.path, `${this.#name}.jsonl`);
  }

  /** All results by key, the first of each; throws a `FormatError` on a line that is none. */
  async read(): Promise<Map<string, Result>> {
    let text = "";
    try {
      text = await readFile(this.file, "utf8");
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw explain(error, this.file, "read");
    }
    const results = new Map<string, Result>();
    text.split("\n").forEach((line, i) => {
      if (line === "") return;
      const result = parse<Result>(line);
      if (result === undefined) {
        throw new FormatError("result: must be a JSON object with a key; remove the line", {
          file: this.file,
          line: i + 1,
        });
      }
      if (!results.has(result.key)) results.set(result.key, result);
    });
    return results;
  }

  /** Adds a result. */
  async append(result: Result): Promise<void> {
    try {
      await appendFile(this.file, `${JSON.stringify(result)}\n`);
    } catch (error) {
      throw explain(error, this.file, "written");
    }
  }

  /** Claims the work on `key`; undefined while another process has it. */
  async claim(key: string): Promise<Release | undefined> {
    const file = join(this.path, `${this.#name}-${key}.lock`);
    if (!(await create(file))) {
      if (!(await isStale(file))) return undefined;
      await rm(file, { force: true });
      if (!(await create(file))) return undefined;
    }
    return () => rm(file, { force: true });
  }
}

function parse<Result extends Keyed>(line: string): Result | undefined {
  try {
    const result = JSON.parse(line) as Result | null;
    return typeof result?.key === "string" ? result : undefined;
  } catch {
    return undefined;
  }
}

/** Creates a lock of this process; false where there is one already. */
async function create(file: string): Promise<boolean> {
  try {
    const handle = await open(file, "wx");
    const owner: LockOwner = { pid: process.pid, host: hostname() };
    await handle.writeFile(JSON.stringify(owner));
    await handle.close();
    return true;
  } catch (error) {
    if (systemCode(error) === "EEXIST") return false;
    throw explain(error, file, "written");
  }
}

/** Whether the process that made the lock has died; a lock that has just gone counts as such. */
async function isStale(file: string): Promise<boolean> {
  let text: string;
  let modified: number;
  try {
    text = await readFile(file, "utf8");
    modified = (await stat(file)).mtimeMs;
  } catch (error) {
    if (systemCode(error) === "ENOENT") return true;
    throw explain(error, file, "read");
  }
  if (text === "") return Date.now() - modified > 1000 * UNSIGNED_SECONDS;
  const { pid, host } = JSON.parse(text) as LockOwner;
  return host === hostname() && !isAlive(pid);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // A process of another user lives, though it may not be signalled.
    return systemCode(error) === "EPERM";
  }
}
