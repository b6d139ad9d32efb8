/**
 * @file The index folder: references with their points on disk, opened without reading them all.
 *
 *     refs.idx/
 *       manifest.json        what the folder is, its model, its segments and their checksums
 *       model-<digest>.onnx  the model that placed the references, and will place the queries
 *       <n>/names.txt        ids, one a line
 *       <n>/codes.npy        uint8, all sequences end to end (codes of the model's alphabet)
 *       <n>/offsets.npy      uint32 [rows + 1], where each begins
 *       <n>/points.npy       float32 [rows, dim]
 *       <n>/graph.usearch    where the space has an index
 *
 * Files of a segment never change. Every change (building anew, appending, deleting, compacting) writes new files
 * beside the old ones, flushes them, and then renames a new manifest over the old: until that moment, and if the
 * process dies at any moment, the folder is the index that it was. What no manifest names is removed by the next
 * change. One process changes a folder at a time; any number may search it.
 */

import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, rename, rm, rmdir, stat } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import { Model } from "../../engine/model-file.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import { EmbranchError, UsageError } from "../../error.ts";
import { takeLock } from "../../file-lock.ts";
import type { SequenceRecord } from "../../sequence/index.ts";
import { explain, systemCode } from "../../system-error.ts";
import { VERSION } from "../../version.ts";
import {
  FORMAT,
  MANIFEST,
  MARK,
  parseManifest,
  readIndexManifest,
  type IndexManifest,
  type SegmentEntry,
} from "./folder-manifest.ts";
import { digestOf, requireNoneMissing, requireSameModel } from "./index-checks.ts";
import { graphDefaults } from "./nearest-graph.ts";
import { placeRecords } from "./place.ts";
import { codesOf, NameList, type Segment } from "./segment.ts";
import {
  checkSize,
  damaged,
  openSegment,
  SegmentWriter,
  syncFolder,
  type NewPlace,
} from "./segment-files.ts";
import { SegmentedReferences } from "./segments.ts";
import type { BuildOptions, IndexStore, IndexSummary, ModelBytes, OpenIndex, OpenOptions } from "./store.ts";

const LOCK = ".lock";

/**
 * Builds an index folder from references, in place of the one that is there, if any.
 *
 * @throws FormatError on bad records, and on ids that come twice; UsageError where `path` is something else
 */
export async function buildIndex(
  path: string,
  { model, bytes }: ModelBytes,
  records: AsyncIterable<SequenceRecord>,
  options: BuildOptions = {},
): Promise<IndexManifest> {
  const isNew = await prepareFolder(path);
  const built = changing(path, async (made) => {
    const { alphabet, length, dim, geometry } = model.manifest;
    const digest = digestOf(bytes);
    const file = `model-${digest.slice(0, 12)}.onnx`;
    const { indexMetric: metric } = model.space;
    const manifest: IndexManifest = {
      format: FORMAT,
      version: 1,
      embranch: VERSION,
      model: { file, digest, alphabet, length, dim, geometry },
      graph: metric === null ? null : { ...graphDefaults(metric), ...options.graph, metric, dims: 1 },
      segments: [],
    };
    if (!(await exists(join(path, file)))) made.push(file);
    await writeDurably(join(path, file), bytes);
    const place = { path, made };
    manifest.segments.push(await writeSegment(place, manifest, model, records, new Set(), options));
    return manifest;
  });
  try {
    return await built;
  } catch (error) {
    if (isNew) await removeEmpty(path);
    throw error;
  }
}

/** Adds references to an index folder, as a segment of its own. */
export async function appendToIndex(
  path: string,
  records: AsyncIterable<SequenceRecord>,
  { model: given, ...options }: BuildOptions & { model?: ModelBytes } = {},
): Promise<IndexManifest> {
  await readIndexManifest(path);
  return changing(path, async (made) => {
    const manifest = await readIndexManifest(path);
    if (given !== undefined) requireSameModel(path, manifest.model, given.bytes);
    const model = await loadIndexModel(path, manifest, options);
    try {
      const taken = new Set<string>();
      for (const segment of manifest.segments) {
        const deleted = new Set(segment.deleted);
        const names = new NameList(await readFile(join(path, segment.folder, "names.txt")));
        for (let row = 0; row < names.length; row++) if (!deleted.has(row)) taken.add(names.at(row));
      }
      const place = { path, made };
      manifest.segments.push(await writeSegment(place, manifest, model, records, taken, options));
      return manifest;
    } finally {
      await model.close();
    }
  });
}

/**
 * Deletes references by id.
 *
 * @returns the new manifest, and how many were deleted
 * @throws EmbranchError where an id is not in the index; nothing is deleted then
 */
export async function deleteFromIndex(
  path: string,
  ids: Iterable<string>,
): Promise<{ manifest: IndexManifest; deleted: number }> {
  await readIndexManifest(path);
  let count = 0;
  const manifest = await changing(path, async () => {
    const changed = await readIndexManifest(path);
    const wanted = new Set(ids);
    count = wanted.size;
    for (const segment of changed.segments) {
      const deleted = new Set(segment.deleted);
      const names = new NameList(await readFile(join(path, segment.folder, "names.txt")));
      for (let row = 0; row < names.length && wanted.size > 0; row++) {
        if (!deleted.has(row) && wanted.delete(names.at(row))) deleted.add(row);
      }
      segment.deleted = [...deleted].sort((a, b) => a - b);
    }
    requireNoneMissing(path, [...wanted]);
    return changed;
  });
  return { manifest, deleted: count };
}

/** Writes all segments as one, without what was deleted. */
export async function compactIndex(path: string, options: BuildOptions = {}): Promise<IndexManifest> {
  await readIndexManifest(path);
  return changing(path, async (made) => {
    const manifest = await readIndexManifest(path);
    const model = await loadIndexModel(path, manifest, options);
    const segments: Segment[] = [];
    let writer: SegmentWriter | undefined;
    try {
      for (const each of manifest.segments) segments.push(await openSegment(path, manifest, each));
      writer = await SegmentWriter.create({ path, made }, manifest);
      for (const segment of segments) {
        const block = 8192;
        for (let start = 0; start < segment.names.length; start += block) {
          const rows: number[] = [];
          const end = Math.min(start + block, segment.names.length);
          for (let row = start; row < end; row++) if (!segment.deleted.has(row)) rows.push(row);
          const points = segment.points.read(start, end);
          const { dim } = manifest.model;
          rows.forEach((row, i) => points.copyWithin(i * dim, (row - start) * dim, (row - start + 1) * dim));
          await writer.write(
            rows.map((row) => segment.names.at(row)),
            rows.map((row) => codesOf(segment, row)),
            points.subarray(0, rows.length * dim),
          );
        }
      }
      return { ...manifest, segments: [await writer.finish(model, options)] };
    } finally {
      await writer?.close();
      for (const { points } of segments) await points.close();
      await model.close();
    }
  });
}

/**
 * Opens an index folder.
 *
 * @throws EmbranchError where it is none, is damaged (by the sizes of its files), or is of another model
 */
export async function openIndex(
  path: string,
  options: OpenOptions = {},
): Promise<OpenIndex & { manifest: IndexManifest }> {
  for (;;) {
    const manifest = await readIndexManifest(path);
    if (options.model !== undefined) requireSameModel(path, manifest.model, options.model);
    try {
      return await openParts(path, manifest, options);
    } catch (error) {
      // Files that are missing may belong to an index that was replaced just now.
      const now = await readIndexManifest(path);
      if (JSON.stringify(now) === JSON.stringify(manifest)) throw error;
    }
  }
}

async function openParts(
  path: string,
  manifest: IndexManifest,
  options: OpenOptions,
): Promise<OpenIndex & { manifest: IndexManifest }> {
  const model = await loadIndexModel(path, manifest, options);
  const segments: Segment[] = [];
  try {
    for (const segment of manifest.segments) {
      segments.push(await openSegment(path, manifest, segment, options));
    }
  } catch (error) {
    for (const { points } of segments) await points.close();
    await model.close();
    throw error;
  }
  const references = new SegmentedReferences(segments, model, options);
  const close = async (): Promise<void> => {
    await references.close();
    await model.close();
  };
  return { manifest, model, references, close };
}

/** Reads all files of an index and compares them with their checksums; throws on the first that differs. */
export async function verifyIndex(
  path: string,
  {
    progress,
    signal,
  }: Pick<BuildOptions, "signal"> & { progress?: (done: number, total: number) => void } = {},
): Promise<IndexManifest> {
  const manifest = await readIndexManifest(path);
  const files = manifest.segments.flatMap(({ folder, files }) =>
    Object.entries(files).map(([name, { bytes, sha256 }]) => ({
      path: join(path, folder, name),
      bytes,
      sha256,
    })),
  );
  const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
  let done = 0;
  for (const file of files) {
    await checkSize(file.path, file.bytes);
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file.path) as AsyncIterable<Uint8Array>) {
      signal?.throwIfAborted();
      hash.update(chunk);
      progress?.((done += chunk.length), total);
    }
    if (hash.digest("hex") !== file.sha256) damaged(file.path, "its checksum differs");
  }
  const model = await loadIndexModel(path, manifest, {});
  await model.close();
  const seen = new Set<string>();
  for (const segment of manifest.segments) {
    const opened = await openSegment(path, manifest, segment);
    await opened.points.close();
    for (let row = 0; row < opened.names.length; row++) {
      if (opened.deleted.has(row)) continue;
      const id = opened.names.at(row);
      if (seen.has(id)) damaged(join(path, segment.folder, "names.txt"), `"${id}" is there twice`);
      seen.add(id);
    }
  }
  return manifest;
}

/** The folder as a store. */
export function folderStore(path: string): IndexStore {
  return {
    build: async (model, records, options) => summarise(await buildIndex(path, model, records, options)),
    append: async (records, options) => summarise(await appendToIndex(path, records, options)),
    delete: async (ids) => {
      const { manifest, deleted } = await deleteFromIndex(path, ids);
      return { summary: summarise(manifest), deleted };
    },
    compact: async (options) => summarise(await compactIndex(path, options)),
    verify: async (options) => summarise(await verifyIndex(path, options)),
    info: async () => summarise(await readIndexManifest(path)),
    open: (options) => openIndex(path, options),
  };
}

function summarise({ embranch, model, graph, segments }: IndexManifest): IndexSummary {
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const deleted = segments.reduce((sum, segment) => sum + segment.deleted.length, 0);
  const { digest, alphabet, length, dim, geometry } = model;
  return {
    references: rows - deleted,
    deleted,
    parts: segments.length,
    bytes: segments.flatMap(({ files }) => Object.values(files)).reduce((sum, file) => sum + file.bytes, 0),
    model: { digest, alphabet, length, dim, geometry },
    graph:
      graph === null
        ? "none: searched by comparing with all points"
        : `${graph.metric}, connectivity ${graph.connectivity}, expansion ${graph.expansion}, ${graph.precision}`,
    embranch,
  };
}

async function loadIndexModel(
  path: string,
  { model: { file, digest } }: IndexManifest,
  { threads, device }: ProgramOptions,
): Promise<Model> {
  const place = join(path, file);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(place);
  } catch (error) {
    throw explain(error, place, "read");
  }
  if (digestOf(bytes) !== digest) damaged(place, "its checksum differs");
  return Model.decode(bytes, place, { threads, device });
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    // Any other failure says nothing of what is there.
    if (systemCode(error) === "ENOENT") return false;
    throw explain(error, path, "read");
  }
}

/**
 * Makes the folder, or checks that what is there may be replaced: an index, of whatever version, or nothing at all.
 *
 * @returns whether it was made
 */
async function prepareFolder(path: string): Promise<boolean> {
  let isNew: boolean;
  let entries: string[];
  let text: string | undefined;
  try {
    isNew = (await mkdir(path, { recursive: true })) !== undefined;
    entries = await readdir(path);
    text = entries.includes(MANIFEST) ? await readFile(join(path, MANIFEST), "utf8") : undefined;
  } catch (error) {
    if (systemCode(error) === "EEXIST")
      throw new UsageError(`${path}: must be a folder, got a file; choose another`);
    throw explain(error, path, "written");
  }
  // The mark is the first thing that is written; before it there can only be it in the making, and the lock.
  const begun = entries.every((name) => name === LOCK || name === `${MANIFEST}.part`);
  if (begun || text?.includes(FORMAT)) return isNew;
  throw new UsageError(`-o: must be a new folder or an index, got ${path}, which holds other files`);
}

/** Removes a folder, unless another process has put something into it. */
async function removeEmpty(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch (error) {
    if (!["ENOTEMPTY", "ENOENT"].includes(systemCode(error) ?? "")) throw explain(error, path, "written");
  }
}

/**
 * Makes a change: locks the folder, commits the manifest that `change` gives, and sweeps up. `change` adds to `made`
 * what it creates, which is removed where it fails, as is the mark of a first building.
 */
async function changing(
  path: string,
  change: (made: string[]) => Promise<IndexManifest>,
): Promise<IndexManifest> {
  const release = await takeLock(join(path, LOCK));
  if (release === undefined) {
    throw new EmbranchError(`${path}: another process is changing the index; wait for it to end`);
  }
  const made: string[] = [];
  let isFirst = false;
  try {
    isFirst = !(await exists(join(path, MANIFEST)));
    if (isFirst) await writeDurably(join(path, MANIFEST), Buffer.from(MARK));
    await sweep(path);
    const manifest = await change(made);
    await writeDurably(join(path, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
    made.length = 0;
    isFirst = false;
    await sweep(path);
    return manifest;
  } catch (error) {
    if (isFirst) {
      // The mark goes last: without it, what is left would pass for somebody's files.
      await sweep(path);
      await rm(join(path, MANIFEST), { force: true });
    }
    throw error;
  } finally {
    for (const name of made) await rm(join(path, name), { recursive: true, force: true });
    await release();
  }
}

/**
 * Removes what the manifest does not name: leavings of a change that was interrupted, or replaced. Where it cannot be
 * read, or is of another version, nothing is known to be a leaving.
 */
async function sweep(path: string): Promise<void> {
  const text = await readFile(join(path, MANIFEST), "utf8").catch(() => "");
  const manifest = text === MARK ? undefined : parseManifest(text);
  if (text !== MARK && manifest === undefined) return;
  const named = new Set([manifest?.model.file, ...(manifest?.segments ?? []).map((each) => each.folder)]);
  for (const name of await readdir(path)) {
    if (!named.has(name) && /^(\d+|model-[0-9a-f]{12}\.onnx(\.part)?|manifest\.json\.part)$/.test(name)) {
      await rm(join(path, name), { recursive: true, force: true });
    }
  }
}

/** Writes a file so that it is there whole or not at all, and survives a loss of power. */
async function writeDurably(file: string, bytes: Uint8Array): Promise<void> {
  const part = `${file}.part`;
  try {
    const handle = await open(part, "w");
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(part, file);
    await syncFolder(dirname(file));
  } catch (error) {
    throw explain(error, file, "written");
  }
}

/** Embeds records and writes them as a segment; `taken` holds the ids that are there already. */
async function writeSegment(
  place: NewPlace,
  manifest: IndexManifest,
  model: Model,
  records: AsyncIterable<SequenceRecord>,
  taken: Set<string>,
  options: BuildOptions,
): Promise<SegmentEntry> {
  const { file, progress, signal } = options;
  const writer = await SegmentWriter.create(place, manifest);
  try {
    for await (const { ids, codes, data } of placeRecords(model, records, { taken, file, signal })) {
      await writer.write(ids, codes, data);
      progress?.("embedding", writer.rows);
    }
    return await writer.finish(model, options);
  } finally {
    await writer.close();
  }
}
