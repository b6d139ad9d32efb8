/**
 * @file What identifies labelled sequences: a model's file says what it learned from, a result of a benchmark what it is
 * of.
 */

import { createHash } from "node:crypto";
import { digestOf } from "../fit.ts";
import type { LabelledSet } from "./dataset.ts";

/** SHA-256 of parts of a set, one after another: names, letters and classes. */
export function labelledDigest(...parts: readonly Pick<LabelledSet, "set" | "labels">[]): string {
  const hash = createHash("sha256").update(digestOf(parts.map(({ set }) => set)));
  for (const { labels } of parts) hash.update(labels);
  return hash.digest("hex");
}

/** SHA-256 of sequences, classes and split, of which names of sequences are no part. */
export function dataDigest({ set, classes, labels, splits = [] }: LabelledSet): string {
  const hash = createHash("sha256").update(set.alphabet.name);
  for (const sequence of set.codes) hash.update(`\n${sequence.length}\n`).update(sequence);
  hash.update(JSON.stringify(classes)).update(labels).update(splits.join());
  return hash.digest("hex");
}
