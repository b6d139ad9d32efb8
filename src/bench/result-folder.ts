/**
 * @file A folder that several processes fill with results, one JSON object a line.
 *
 * A result is appended as soon as it is there, in one write, so that stopping a run loses nothing but what is in
 * the making. Work is claimed by a lock (file-lock.ts). Should two processes do the same work after all, results are
 * told apart by their keys, so the second copy changes nothing.
 */

import { appendFile, mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { FormatError } from "../error.ts";
import { takeLock, type Release } from "../file-lock.ts";
import { explain, systemCode } from "../system-error.ts";

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

function parse<Result extends Keyed>(line: string): Result | undefined {
  try {
    const result = JSON.parse(line) as Result | null;
    return typeof result?.key === "string" ? result : undefined;
  } catch {
    return undefined;
  }
}
