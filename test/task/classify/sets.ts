/** @file What the tests of classification share: folders of files, and sets made of text. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll } from "vitest";
import { decode } from "../../../src/sequence/index.ts";
import type { LabelledSet, SplitName } from "../../../src/task/classify/dataset.ts";
import { setOf } from "../indexes.ts";

/** A temporary folder with these files, gzip where their names say so; gone when the tests of the file are done. */
export function folderOf(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), "embranch-classify-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, name.endsWith(".gz") ? gzipSync(text) : text);
  }
  return folder;
}

/** Rows of a set as text: part, class, letters. */
export function rowsOf({ set, classes, labels, splits }: LabelledSet): string[] {
  return set.codes.map((codes, i) => {
    const part = splits ? [splits[i] ?? "-"] : [];
    return [...part, classes[labels[i]], decode(codes, set.alphabet)].join(" ");
  });
}

/** A set of `sequences` with class numbers. */
export function labelledOf(
  sequences: readonly string[],
  labels: readonly number[],
  splits?: readonly (SplitName | undefined)[],
): LabelledSet {
  return {
    name: "set",
    classes: Array.from({ length: Math.max(...labels) + 1 }, (_, k) => `class ${k}`),
    set: setOf([...sequences]),
    labels: Uint16Array.from(labels),
    splits,
    replaced: { records: 0, letters: 0 },
  };
}
