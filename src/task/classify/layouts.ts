/**
 * @file The layouts in which labelled sequences are published, and finding sets of them in a folder.
 *
 * - a table with a column of labels, and perhaps one of splits: `mouse_2.csv.gz`;
 * - GUE: a folder with `train.csv`, `dev.csv`, `test.csv`;
 * - TEB: `train_<name>.csv`, `valid_<name>.csv`, `test_<name>.csv` in one folder, addressed as `folder/<name>`;
 * - Genomic Benchmarks: `<set>/train/<class>/` with a text file for each sequence, or FASTA files; or one FASTA file
 *   for each class, `<set>/train/<class>.fasta`; both also without the folders of the split.
 *
 * Tables may be CSV or TSV, all files gzip, and the words of the split any that `splitNamed` knows. Files that start
 * with a dot and others that do not belong to a layout are passed over.
 *
 * Source: SPEC C1; Zhou et al., "DNABERT-2", ICLR 2024 (GUE); Grešová et al., "Genomic benchmarks", BMC Genomic Data
 * 2023.
 */

import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { EmbranchError, FormatError } from "../../error.ts";
import { readSequences, type ByteSource } from "../../sequence/index.ts";
import { explain, systemCode } from "../../system-error.ts";
import { labelledColumns, splitNamed, type ColumnNames, type SplitName } from "./columns.ts";

/** Gives the bytes of a file. */
export type OpenFile = (path: string) => ByteSource;

/** Files of a set that are read in one way: a table, a FASTA file, or text files with a sequence each. */
export interface Part {
  kind: "table" | "fasta" | "texts";
  paths: string[];
  /** What errors call it: the file, or the folder of text files. */
  file: string;
  /** The part of the split that all its sequences belong to. */
  split?: SplitName;
  /** The label that all its sequences have. */
  label?: string;
  /** What its ids begin with, so that those of different parts differ. */
  prefix: string;
}

/** A data set by what it is called and where it is. */
export interface FoundSet {
  name: string;
  path: string;
}

interface Entry {
  name: string;
  path: string;
  isFolder: boolean;
}

const TABLE = /\.(csv|tsv)(\.gz)?$/i;
const FASTA = /\.(fasta|fas|fa|fna|ffn|faa)(\.gz)?$/i;
const TEXT = /\.txt(\.gz)?$/i;
const ENDING = new RegExp([TABLE, FASTA, TEXT].map((each) => each.source).join("|"), "i");
const TRIPLE = /^([a-z]+)_(.+)\.(csv|tsv)(\.gz)?$/i;
/** How deep folders are searched for sets; GUE has `tf/0/train.csv`. */
const DEPTH = 4;

const naturally = new Intl.Collator("en", { numeric: true }).compare;
const stem = (name: string): string => basename(name).replace(ENDING, "");

/** Streams a file; what the system says against it becomes an error that names it. */
export async function* openFile(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) yield chunk as Uint8Array;
  } catch (error) {
    throw explain(error, path, "read");
  }
}

/** The name of the set at `path`: that of its file or folder. */
export function setName(path: string): string {
  return path === "-" ? "stdin" : stem(resolve(path));
}

/**
 * The parts of the data set at `path`; `-` is a table that `open` knows.
 *
 * @throws EmbranchError when there is none, or several to choose from
 */
export async function layoutOf(path: string): Promise<Part[]> {
  if (path === "-") return [tablePart(path, { file: "stdin" })];
  let isFolder: boolean;
  try {
    isFolder = (await stat(path)).isDirectory();
  } catch (error) {
    const triple = systemCode(error) === "ENOENT" ? await tripleParts(path) : [];
    if (triple.length > 0) return triple;
    throw explain(error, path, "read");
  }
  if (!isFolder) return [tablePart(path)];
  const entries = await list(path);
  const parts = splitTables(entries) ?? (await splitFolders(entries)) ?? (await classParts(entries));
  if (parts) return parts;
  const inside = await findLabelled(path);
  if (inside.length > 0) {
    const names = inside.map(({ name }) => name).slice(0, 8);
    throw new EmbranchError(
      `${path}: must be one data set, got ${inside.length} (${names.join(", ")}${inside.length > names.length ? ", …" : ""}): name one of them`,
    );
  }
  throw new EmbranchError(
    `${path}: must be a data set: train.csv, dev.csv and test.csv, or a folder or FASTA file for each class ` +
      `(in train and test, where there is a split), got ${described(entries)}`,
  );
}

/**
 * The labelled data sets in a folder and the folders in it, in natural order of their names.
 *
 * Counted are tables with columns named for the sequence and the label, and the layouts that have a split.
 */
export async function findLabelled(
  folder: string,
  columns: ColumnNames & { open?: OpenFile } = {},
): Promise<FoundSet[]> {
  const found = await setsIn(folder, "", columns, DEPTH);
  const count = new Map<string, number>();
  for (const { name } of found) count.set(name, (count.get(name) ?? 0) + 1);
  return found
    .map((set) => {
      if (count.get(set.name) === 1) return set;
      return { ...set, name: join(dirname(set.name), basename(set.path)) };
    })
    .sort((a, b) => naturally(a.name, b.name));
}

async function setsIn(
  folder: string,
  prefix: string,
  columns: ColumnNames & { open?: OpenFile },
  depth: number,
): Promise<FoundSet[]> {
  const entries = await list(folder);
  if (splitTables(entries) ?? (await splitFolders(entries, { lenient: true }))) {
    return [{ name: prefix === "" ? setName(folder) : prefix.slice(0, -1), path: folder }];
  }
  const triples = new Set<string>();
  for (const { name, isFolder } of entries) {
    const triple = isFolder ? undefined : tripleName(name);
    if (triple?.split === "train") triples.add(triple.name);
  }
  const found = Array.from(triples, (name) => ({ name: prefix + name, path: join(folder, name) }));
  for (const { name, path, isFolder } of entries) {
    if (isFolder) {
      if (depth > 0) found.push(...(await setsIn(path, `${prefix}${name}/`, columns, depth - 1)));
    } else if (TABLE.test(name) && !triples.has(tripleName(name)?.name ?? "")) {
      if (await isLabelled(path, columns)) found.push({ name: prefix + stem(name), path });
    }
  }
  return found;
}

/** Whether a table names columns of sequences and of labels. */
async function isLabelled(
  path: string,
  { open = openFile, ...wanted }: ColumnNames & { open?: OpenFile },
): Promise<boolean> {
  let named = false;
  const columns = (header: readonly string[]) => {
    const found = labelledColumns(header, wanted, {});
    ({ named } = found);
    return found;
  };
  try {
    const records = readSequences(open(path), { format: "csv", columns });
    await records.next();
    await records.return();
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
  }
  return named;
}

/** What a folder holds, in natural order; links are followed. */
async function list(folder: string): Promise<Entry[]> {
  try {
    const entries = (await readdir(folder, { withFileTypes: true })).filter(
      ({ name }) => !name.startsWith("."),
    );
    const listed = await Promise.all(
      entries.map(async (entry) => {
        const path = join(folder, entry.name);
        // A link that leads nowhere is no folder.
        const isFolder = entry.isSymbolicLink()
          ? await stat(path).then(
              (info) => info.isDirectory(),
              () => false,
            )
          : entry.isDirectory();
        return { name: entry.name, path, isFolder };
      }),
    );
    return listed.sort((a, b) => naturally(a.name, b.name));
  } catch (error) {
    throw explain(error, folder, "read");
  }
}

function described(entries: readonly Entry[]): string {
  if (entries.length === 0) return "an empty folder";
  const names = entries.slice(0, 6).map(({ name, isFolder }) => (isFolder ? `${name}/` : name));
  return names.join(", ") + (entries.length > names.length ? ", …" : "");
}

function tablePart(path: string, more: Partial<Part> = {}): Part {
  return { kind: "table", paths: [path], file: path, prefix: "", ...more };
}

/** A file or folder of one part of a split. */
interface SplitEntry {
  split: SplitName;
  path: string;
}

const SPLIT_ORDER: readonly SplitName[] = ["train", "dev", "test"];

/** The parts of a split in their order; throws when two claim the same part. */
function inOrder(parts: readonly SplitEntry[]): SplitEntry[] {
  return SPLIT_ORDER.flatMap((split) => {
    const [first, second] = parts.filter((part) => part.split === split);
    if (second !== undefined) {
      throw new EmbranchError(
        `${second.path}: must be the only ${split} part, got ${basename(first.path)} too: remove one of them`,
      );
    }
    return first === undefined ? [] : [first];
  });
}

/** `train.csv`, `dev.csv`, `test.csv`, as far as they are there; undefined where none is. */
function splitTables(entries: readonly Entry[]): Part[] | undefined {
  const tables = entries.flatMap(({ name, path, isFolder }) => {
    const split = !isFolder && TABLE.test(name) ? splitNamed(stem(name)) : undefined;
    return split ? [{ split, path }] : [];
  });
  if (tables.length === 0) return undefined;
  return inOrder(tables).map(({ split, path }) => tablePart(path, { split, prefix: `${split}/` }));
}

function tripleName(file: string): { split: SplitName; name: string } | undefined {
  const [, word, name] = TRIPLE.exec(file) ?? [];
  const split = word === undefined ? undefined : splitNamed(word);
  return split && { split, name };
}

/** `train_<name>.csv` and its companions, for a path that is `folder/<name>`. */
async function tripleParts(path: string): Promise<Part[]> {
  const folder = dirname(path);
  const entries = await list(folder).catch(() => []);
  const tables = entries.flatMap(({ name, path: file, isFolder }) => {
    const triple = isFolder ? undefined : tripleName(name);
    return triple?.name === basename(path) ? [{ split: triple.split, path: file }] : [];
  });
  return inOrder(tables).map(({ split, path }) => tablePart(path, { split, prefix: `${split}/` }));
}

/** The classes in folders `train`, `dev` and `test`; undefined where there are no such folders. */
async function splitFolders(
  entries: readonly Entry[],
  { lenient = false }: { lenient?: boolean } = {},
): Promise<Part[] | undefined> {
  const folders = entries.flatMap(({ name, path, isFolder }) => {
    const split = isFolder ? splitNamed(name) : undefined;
    return split ? [{ split, path }] : [];
  });
  if (folders.length === 0) return undefined;
  const parts: Part[] = [];
  for (const { split, path } of inOrder(folders)) {
    const inside = await list(path);
    const found = await classParts(inside, { split, prefix: `${split}/` });
    if (found) parts.push(...found);
    else if (lenient) return undefined;
    else {
      throw new EmbranchError(
        `${path}: must hold a folder of .txt or FASTA files, or a FASTA file, for each class, got ${described(inside)}`,
      );
    }
  }
  return parts;
}

/** The classes of a folder: a folder or a FASTA file each; undefined where it is not of classes alone. */
async function classParts(
  entries: readonly Entry[],
  { split, prefix = "" }: { split?: SplitName; prefix?: string } = {},
): Promise<Part[] | undefined> {
  const parts: Part[] = [];
  for (const { name, path, isFolder } of entries) {
    if (!isFolder) {
      if (!FASTA.test(name)) continue;
      const label = stem(name);
      parts.push({ kind: "fasta", paths: [path], file: path, split, label, prefix: `${prefix}${label}/` });
      continue;
    }
    const files = (await list(path)).filter((file) => !file.isFolder);
    const texts = files.filter((file) => TEXT.test(file.name)).map((file) => file.path);
    const fastas = files.filter((file) => FASTA.test(file.name)).map((file) => file.path);
    if (texts.length + fastas.length === 0) return undefined;
    const common = { split, label: name, prefix: `${prefix}${name}/` };
    if (texts.length > 0) parts.push({ kind: "texts", paths: texts, file: path, ...common });
    for (const fasta of fastas) {
      const several = fastas.length > 1 || texts.length > 0;
      const own = several ? `${common.prefix}${stem(fasta)}/` : common.prefix;
      parts.push({ kind: "fasta", paths: [fasta], file: fasta, ...common, prefix: own });
    }
  }
  return parts.length === 0 ? undefined : parts;
}
