/**
 * @file Where an index is kept: one interface for a folder and for a database.
 */

import type { Model } from "../../engine/model-file.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import type { GeometryName } from "../../geometry/index.ts";
import type { AlphabetName, SequenceRecord } from "../../sequence/index.ts";
import type { GraphOptions } from "./nearest-graph.ts";
import type { References } from "./references.ts";

/** Whether `place` names a database. */
export function isPostgres(place: string): boolean {
  return /^postgres(ql)?:\/\//i.test(place);
}

/** The store that `place` names: a database by its address, or a folder. */
export async function indexStore(place: string): Promise<IndexStore> {
  return isPostgres(place)
    ? (await import("./postgres.ts")).postgresStore(place)
    : (await import("./folder.ts")).folderStore(place);
}

/** What an index holds. */
export interface IndexSummary {
  references: number;
  /** Deleted ones that still take place. */
  deleted: number;
  /** Parts that are searched one after another. */
  parts: number;
  bytes: number;
  model: { digest: string; alphabet: AlphabetName; length: number; dim: number; geometry: GeometryName };
  /** How neighbours are found, for people. */
  graph: string;
  /** Version of the program that made it. */
  embranch: string;
}

/** What goes into a change of an index. */
export interface BuildOptions {
  /** How the graph is built. */
  graph?: Partial<GraphOptions>;
  threads?: number;
  device?: ProgramOptions["device"];
  /** Name of the input, for errors. */
  file?: string;
  /** What is being done, the references done so far, and all where they are known. */
  progress?: (stage: "embedding" | "linking", done: number, total?: number) => void;
  signal?: AbortSignal;
}

/** A model and the bytes of its file. */
export interface ModelBytes {
  model: Model;
  bytes: Uint8Array;
}

export interface OpenOptions {
  /** Compare with every point, even where there is a graph. */
  scan?: boolean;
  threads?: number;
  device?: ProgramOptions["device"];
  /** Candidates that a graph looks at (ef). */
  searchExpansion?: number;
  /** Bytes of the model that the user named, to be checked against the index's. */
  model?: Uint8Array;
}

/** An index, opened for searching; the model places queries. */
export interface OpenIndex {
  model: Model;
  references: References;
  close(): Promise<void>;
}

/** A place for an index. Every change is complete or has not happened. */
export interface IndexStore {
  /** Builds an index, in place of the one that is there, if any. */
  build(
    model: ModelBytes,
    records: AsyncIterable<SequenceRecord>,
    options?: BuildOptions,
  ): Promise<IndexSummary>;
  /** Adds references; a model that is given must be the index's own. */
  append(
    records: AsyncIterable<SequenceRecord>,
    options?: BuildOptions & { model?: ModelBytes },
  ): Promise<IndexSummary>;
  /** Deletes references by id: all of them, or none where one is not there. */
  delete(ids: Iterable<string>): Promise<{ summary: IndexSummary; deleted: number }>;
  /** Frees the place of what was deleted. */
  compact(options?: BuildOptions): Promise<IndexSummary>;
  /** Reads everything and throws on the first damage. */
  verify(options?: {
    progress?: (done: number, total: number) => void;
    signal?: AbortSignal;
  }): Promise<IndexSummary>;
  info(): Promise<IndexSummary>;
  open(options?: OpenOptions): Promise<OpenIndex>;
}
