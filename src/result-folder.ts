/**
 * @file A folder that several processes fill with results, one JSON object a line.
 *
 * A result is appended as soon as it is there, in one write, so that stopping a run loses nothing but what is in
 * the making. Work is claimed by a lock (file-lock.ts). Should two processes do the same work after all, results are
 * told apart by their keys, so the second copy changes nothing. `fillFolder` does a list of works so that the same list,
 * given again or to several processes at a time, is done once.
 */

import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "./error.ts";
import { takeLock, type Release } from "./file-lock.ts";
import { explain, systemCode } from "./system-error.ts";

/** A result; `key` says what it is of. */
export interface Keyed {
  key: string;
}

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
  claim(key: string): Promise<Release | undefined> {
    return takeLock(join(this.path, `${this.#name}-${key}.lock`));
  }
}

/** How filling a folder ended. */
export interface Filling {
  /** Results that were made now, and those that were there already. */
  made: number;
  found: number;
  /** Works that other processes are doing. */
  busy: number;
  /** Whether the signal ended it. */
  stopped: boolean;
}

export interface FillOptions<Result> {
  signal?: AbortSignal;
  /** Told of each work before it is looked for. */
  onWork?: (at: number) => void;
  /** Told of each result that is made. */
  onResult?: (result: Result) => void;
}

/**
 * Does the works whose results are not in the folder yet, one after another, and appends each result as it comes.
 * `make` is given the number of the work and the results known by then; its result has the work's key.
 */
export async function fillFolder<Result extends Keyed, Work extends Keyed>(
  folder: ResultFolder<Result>,
  works: readonly Work[],
  make: (work: Work, at: number, known: ReadonlyMap<string, Result>) => Promise<Result>,
  { signal, onWork, onResult }: FillOptions<Result> = {},
): Promise<Filling> {
  const filling: Filling = { made: 0, found: 0, busy: 0, stopped: false };
  for (const [at, work] of works.entries()) {
    if (signal?.aborted) return { ...filling, stopped: true };
    onWork?.(at);
    if ((await folder.read()).has(work.key)) {
      filling.found++;
      continue;
    }
    const release = await folder.claim(work.key);
    if (release === undefined) {
      filling.busy++;
      continue;
    }
    try {
      const known = await folder.read();
      // It may have been made between the look and the claim.
      if (known.has(work.key)) {
        filling.found++;
        continue;
      }
      const result = await make(work, at, known);
      await folder.append(result);
      filling.made++;
      onResult?.(result);
    } catch (error) {
      if (signal?.aborted) return { ...filling, stopped: true };
      throw error;
    } finally {
      await release();
    }
  }
  return filling;
}

function parse<Result extends Keyed>(line: string): Result | undefined {
  try {
    const result = JSON.parse(line) as Result | null;
    return typeof result?.key === "string" ? result : undefined;
  } catch {
    return undefined;
  }
}
