/**
 * @file Files that a command line names: none is written in the place of another, or of what is read.
 *
 * A verb's arguments and options name files by their text alone; which of them are written is told here, for all verbs.
 */

import { realpathSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { Command } from "commander";
import { UsageError } from "../error.ts";

/** Options of files that are written, `<verb> --option` where others read a file of that name. */
export const WRITTEN_FILES: ReadonlySet<string> = new Set([
  "--output",
  "--checkpoint",
  "--report",
  "--figure",
  "--histogram",
  "--lineages",
  "--linkage",
  "--groups",
  "--representatives",
  "--uc",
  "--clstr",
  "--table",
  "--tree-out",
  "--predictions",
  "--features",
  "--held-out",
  "--leakage",
  "simulate --tree",
]);

/** Something that a command line names, as the user sees it. */
interface Named {
  name: string;
  path: string;
}

/**
 * Throws where a command would write a file that it reads, or one file twice.
 *
 * Devices and pipes may be written by many, and folders hold many files: they are not looked at.
 *
 * @throws UsageError with the names of both
 */
export function refuseSameFiles(command: Command): void {
  const verb = verbOf(command);
  const written: Named[] = [];
  const read: Named[] = command.registeredArguments.flatMap((argument, i) =>
    namedBy(`<${argument.name()}>`, command.processedArgs[i]),
  );
  for (const option of command.options) {
    if (option.negate) continue;
    const isWritten = [option.long, `${verb} ${option.long}`].some((name) => WRITTEN_FILES.has(name!));
    const value: unknown = command.getOptionValue(option.attributeName());
    // Others hold folders, or how names begin.
    if (isWritten && !option.flags.endsWith("<file>")) continue;
    (isWritten ? written : read).push(...namedBy(option.long!, value));
  }
  /** By the file: who names it, and what for. */
  const taken = new Map(read.map(({ name, path }) => [identity(path), `${name}, which is read`]));
  for (const { name, path } of written) {
    const file = identity(path);
    if (file === undefined) continue;
    const other = taken.get(file);
    if (other !== undefined) {
      throw new UsageError(`${verb}: ${name} must be another file than ${other}, got ${path} for both`);
    }
    taken.set(file, name);
  }
}

/** A verb with the verbs that it is one of, such as `classify fit`. */
export function verbOf(command: Command): string {
  const { parent } = command;
  return parent?.parent ? `${verbOf(parent)} ${command.name()}` : command.name();
}

function namedBy(name: string, value: unknown): Named[] {
  return [value].flat().flatMap((path) => (typeof path === "string" && path !== "-" ? [{ name, path }] : []));
}

/** Where a path leads to in the end; nothing for what is there and no ordinary file. */
function identity(path: string): string | undefined {
  const there = statSync(path, { throwIfNoEntry: false });
  if (there !== undefined) return there.isFile() ? realpathSync.native(path) : undefined;
  const folder = dirname(resolve(path));
  return statSync(folder, { throwIfNoEntry: false })
    ? join(realpathSync.native(folder), basename(path))
    : resolve(path);
}
