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
import { mkdir, open, readdir, readFile, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { createReadStream } from "node:fs";
import { dirname, join } from "node:path";
import { z } from "zod";
import { Model } from "../../engine/model-file.ts";
import type { ProgramOptions } from "../../engine/run.ts";
import { EmbranchError, UsageError } from "../../error.ts";
import { takeLock } from "../../file-lock.ts";
import { GEOMETRY_NAMES } from "../../geometry/index.ts";
import { decodeNpy, decodeNpyHeader, encodeNpy, npyHeader } from "../../sequence/npy.ts";
import type { SequenceRecord } from "../../sequence/index.ts";
import { explain, systemCode } from "../../system-error.ts";
import { VERSION } from "../../version.ts";
import { graphDefaults, NearestGraph } from "./nearest-graph.ts";
import { placeRecords } from "./place.ts";
import { codesOf, NameList, pointsInFile, type Segment } from "./segment.ts";
import { SegmentedReferences } from "./segments.ts";
import type { BuildOptions, IndexStore, IndexSummary, ModelBytes, OpenIndex, OpenOptions } from "./store.ts";

const FORMAT = "embranch index";
const MANIFEST = "manifest.json";
const LOCK = ".lock";
/** What a folder is marked with before its first index is complete. */
const MARK = JSON.stringify({ format: FORMAT, building: true });
/** Bytes of a file whose checksum is compared on opening. */
const HEAD = 4096;

const fileSchema = z.object({
  bytes: z.int().nonnegative(),
  sha256: z.string(),
  /** Checksum of the first bytes, which is read whenever the file is opened. */
  head: z.string(),
});

const manifestSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(1),
  embranch: z.string(),
  model: z.object({
    file: z.string(),
    digest: z.string(),
    alphabet: z.enum(["dna", "protein"]),
    length: z.int().positive(),
    dim: z.int().positive(),
    geometry: z.enum(GEOMETRY_NAMES),
  }),
  /** How graphs were built; null where the space has no index. */
  graph: z
    .object({
      metric: z.enum(["l2", "cos"]),
      dims: z.int().positive(),
      connectivity: z.int().positive(),
      expansion: z.int().positive(),
      precision: z.enum(["f32", "f16", "i8"]),
    })
    .nullable(),
  segments: z.array(
    z.object({
      folder: z.string(),
      rows: z.int().nonnegative(),
      files: z.record(z.string(), fileSchema),
      /** Rows that were deleted, ascending. */
      deleted: z.array(z.int().nonnegative()),
    }),
  ),
});

/** What an index folder says of itself. */
export type IndexManifest = z.infer<typeof manifestSchema>;

/** Rows added to a graph at once: a step of the progress. */
const GRAPH_BLOCK = 4096;

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
  await prepareFolder(path);
  return changing(path, async (made) => {
    const { alphabet, length, dim, geometry } = model.manifest;
    const digest = sha256(bytes);
    const file = `model-${digest.slice(0, 12)}.onnx`;
    const { indexMetric: metric } = model.space;
    const manifest: IndexManifest = {
      format: "embranch index",
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
    if (given !== undefined) checkModel(path, manifest, given.bytes);
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
    const [missing] = wanted;
    if (missing !== undefined) {
      throw new EmbranchError(
        `${path}: there is no reference "${missing}"${wanted.size > 1 ? `, nor ${wanted.size - 1} others` : ""}; nothing was deleted`,
      );
    }
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
    if (options.model !== undefined) checkModel(path, manifest, options.model);
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

/** The manifest of an index folder; throws an `EmbranchError` that says what the path is instead. */
export async function readIndexManifest(path: string): Promise<IndexManifest> {
  let text: string;
  try {
    text = await readFile(join(path, MANIFEST), "utf8");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw explain(error, path, "read");
    const there = await stat(path).then(
      () => true,
      () => false,
    );
    throw new EmbranchError(
      there
        ? `${path}: must be an index of \`embranch index\`, got a folder without a manifest; build it (again)`
        : `${path}: there is no such index; build one with \`embranch index\``,
    );
  }
  if (text === MARK) {
    throw new EmbranchError(`${path}: the building of this index was interrupted; build it again`);
  }
  const parsed = parseManifest(text);
  if (parsed !== undefined) return parsed;
  throw new EmbranchError(
    `${join(path, MANIFEST)}: must be the manifest of an index that this program knows, got something else; build the index again`,
  );
}

function parseManifest(text: string): IndexManifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data;
  } catch {
    return undefined;
  }
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

const sha256 = (bytes: Uint8Array): string => createHash("sha256").update(bytes).digest("hex");

function damaged(file: string, how: string): never {
  throw new EmbranchError(`${file}: is damaged: ${how}; build the index again`);
}

async function checkSize(file: string, bytes: number): Promise<void> {
  try {
    const { size } = await stat(file);
    if (size !== bytes) damaged(file, `it must have ${bytes} bytes, got ${size}`);
  } catch (error) {
    throw explain(error, file, "read");
  }
}

/** Compares the size and the beginning: what is cut short or overwritten is not mapped into memory. */
async function checkHead(file: string, { bytes, head }: z.infer<typeof fileSchema>): Promise<void> {
  await checkSize(file, bytes);
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD), 0, HEAD, 0);
    if (head !== (bytesRead === 0 ? "" : sha256(buffer.subarray(0, bytesRead)))) {
      damaged(file, "its beginning differs from what was written");
    }
  } finally {
    await handle.close();
  }
}

function checkModel(path: string, { model }: IndexManifest, bytes: Uint8Array): void {
  const digest = sha256(bytes);
  if (digest === model.digest) return;
  throw new EmbranchError(
    `${path}: the index is of another model (${model.geometry}, length ${model.length}, digest ${model.digest.slice(0, 12)}), ` +
      `got one of digest ${digest.slice(0, 12)}; leave -m out, or build the index again`,
  );
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
  if (sha256(bytes) !== digest) damaged(place, "its checksum differs");
  return Model.decode(bytes, place, { threads, device });
}

async function openSegment(
  path: string,
  { graph, model: { dim } }: IndexManifest,
  segment: IndexManifest["segments"][number],
  { scan, threads, searchExpansion }: OpenOptions = {},
): Promise<Segment> {
  const place = (name: string) => join(path, segment.folder, name);
  for (const [name, file] of Object.entries(segment.files)) await checkHead(place(name), file);
  const names = new NameList(await readFile(place("names.txt")));
  const codes = decodeNpy(await readFile(place("codes.npy")), { file: place("codes.npy") })
    .data as Uint8Array;
  const offsets = decodeNpy(await readFile(place("offsets.npy")), { file: place("offsets.npy") })
    .data as Uint32Array;
  if (names.length !== segment.rows || offsets.length !== segment.rows + 1) {
    damaged(place("names.txt"), `it must name ${segment.rows} references, got ${names.length}`);
  }
  const deleted = new Set(segment.deleted);
  const opened: Segment = {
    names,
    codes,
    offsets,
    deleted,
    points: await openPoints(place("points.npy"), dim),
  };
  if (graph !== null && !scan && segment.rows > 0) {
    opened.graph = NearestGraph.create(graph.metric, graph.dims, graph, { threads, searchExpansion });
    try {
      opened.graph.view(place("graph.usearch"));
    } catch (cause) {
      throw new EmbranchError(`${place("graph.usearch")}: is damaged; build the index again`, { cause });
    }
    if (opened.graph.size !== segment.rows) {
      damaged(place("graph.usearch"), `it must hold ${segment.rows} points, got ${opened.graph.size}`);
    }
  }
  return opened;
}

async function openPoints(file: string, dim: number) {
  const handle = await open(file);
  const head = new Uint8Array(128);
  await handle.read(head, 0, head.length, 0);
  const header = decodeNpyHeader(head, { file });
  if (typeof header === "number") damaged(file, "its header is too long");
  return pointsInFile(handle, header.dataOffset, dim);
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

/** Makes the folder, or checks that what is there may be replaced: an index, of whatever version, or nothing at all. */
async function prepareFolder(path: string): Promise<void> {
  let entries: string[];
  let text: string | undefined;
  try {
    await mkdir(path, { recursive: true });
    entries = await readdir(path);
    text = entries.includes(MANIFEST) ? await readFile(join(path, MANIFEST), "utf8") : undefined;
  } catch (error) {
    if (systemCode(error) === "EEXIST")
      throw new UsageError(`${path}: must be a folder, got a file; choose another`);
    throw explain(error, path, "written");
  }
  // The mark is the first thing that is written; before it there can only be it in the making, and the lock.
  const begun = entries.every((name) => name === LOCK || name === `${MANIFEST}.part`);
  if (begun || text?.includes(FORMAT)) return;
  throw new UsageError(`-o: must be a new folder or an index, got ${path}, which holds other files`);
}

/**
 * Makes a change: locks the folder, commits the manifest that `change` gives, and sweeps up. `change` adds to `made`
 * what it creates, which is removed where it fails.
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
  try {
    if (!(await exists(join(path, MANIFEST)))) await writeDurably(join(path, MANIFEST), Buffer.from(MARK));
    await sweep(path);
    const manifest = await change(made);
    await writeDurably(join(path, MANIFEST), Buffer.from(`${JSON.stringify(manifest, null, 1)}\n`));
    made.length = 0;
    await sweep(path);
    return manifest;
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

/** Makes the names in a folder durable, where the system can. */
async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders; and what was renamed is in its place whether or not this succeeds.
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
): Promise<IndexManifest["segments"][number]> {
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

/** Where something is made: a folder, and the names of what is new in it. */
interface NewPlace {
  path: string;
  made: string[];
}

/** Writes the files of a segment, block by block. */
class SegmentWriter {
  readonly #folder: string;
  readonly #place: string;
  readonly #manifest: IndexManifest;
  readonly #names: FileHandle;
  readonly #points: FileHandle;
  readonly #codes: Uint8Array[] = [];
  readonly #offsets: number[] = [0];

  private constructor(folder: string, place: string, manifest: IndexManifest, files: FileHandle[]) {
    this.#folder = folder;
    this.#place = place;
    this.#manifest = manifest;
    [this.#names, this.#points] = files;
  }

  static async create({ path, made }: NewPlace, manifest: IndexManifest): Promise<SegmentWriter> {
    const files: FileHandle[] = [];
    try {
      const numbers = (await readdir(path)).map(Number).filter(Number.isInteger);
      const folder = String(1 + Math.max(0, ...numbers));
      const place = join(path, folder);
      made.push(folder);
      await mkdir(place);
      for (const name of ["names.txt", "points.npy"]) files.push(await open(join(place, name), "w"));
      // The number of rows is known last; any shape fits this header.
      await files[1].write(npyHeader("f4", [0, manifest.model.dim], { minimumBytes: 128 }), 0, 128, 0);
      return new SegmentWriter(folder, place, manifest, files);
    } catch (error) {
      for (const file of files) await file.close();
      throw explain(error, path, "written");
    }
  }

  /** Closes the files that are open; closing twice does no harm. */
  async close(): Promise<void> {
    await this.#names.close();
    await this.#points.close();
  }

  get rows(): number {
    return this.#offsets.length - 1;
  }

  async write(ids: readonly string[], codes: readonly Uint8Array[], points: Float32Array): Promise<void> {
    try {
      const { dim } = this.#manifest.model;
      const bytes = new Uint8Array(points.buffer, points.byteOffset, points.byteLength);
      await this.#points.write(bytes, 0, bytes.length, 128 + 4 * dim * this.rows);
      await this.#names.write(ids.map((id) => `${id}\n`).join(""));
    } catch (error) {
      throw explain(error, this.#place, "written");
    }
    for (const each of codes) {
      this.#codes.push(each);
      this.#offsets.push(this.#offsets.at(-1)! + each.length);
    }
    if (this.#offsets.at(-1)! >= 2 ** 32) {
      throw new EmbranchError(
        "index: one part holds 4 Gbp at most; split the references and append the rest",
      );
    }
  }

  /** Builds the graph, and says what the segment consists of. */
  async finish(model: Model, options: BuildOptions): Promise<IndexManifest["segments"][number]> {
    const { rows } = this;
    const place = (name: string) => join(this.#place, name);
    // Ctrl-C may have ended the pipe that the references came from: these are not all.
    options.signal?.throwIfAborted();
    try {
      const header = npyHeader("f4", [rows, this.#manifest.model.dim], { minimumBytes: 128 });
      await this.#points.write(header, 0, header.length, 0);
      await this.#names.close();
      const codes = new Uint8Array(this.#offsets.at(-1)!);
      this.#codes.forEach((each, row) => codes.set(each, this.#offsets[row]));
      await writeArray(place("codes.npy"), codes);
      await writeArray(place("offsets.npy"), Uint32Array.from(this.#offsets));
      await this.#points.close();
      if (this.#manifest.graph !== null) await this.#link(model, options);
      const files: IndexManifest["segments"][number]["files"] = {};
      for (const name of (await readdir(this.#place)).sort()) files[name] = await checksum(place(name));
      await syncFolder(this.#place);
      return { folder: this.#folder, rows, files, deleted: [] };
    } catch (error) {
      throw explain(error, this.#place, "written");
    }
  }

  async #link(model: Model, { threads, progress, signal }: BuildOptions): Promise<void> {
    const { space, manifest } = model;
    const settings = this.#manifest.graph!;
    const file = join(this.#place, "points.npy");
    const points = await openPoints(file, manifest.dim);
    try {
      const step = space.indexesTogether ? this.rows : GRAPH_BLOCK;
      let graph: NearestGraph | undefined;
      for (let start = 0; start < this.rows; start += step) {
        const end = Math.min(start + step, this.rows);
        const data = points.read(start, end);
        const { vectors, dims } = space.indexVectors(data, manifest.dim, manifest.space.parameters);
        settings.dims = dims;
        graph ??= NearestGraph.create(settings.metric, dims, settings, { threads });
        for (let at = 0; at < end - start; at += GRAPH_BLOCK) {
          signal?.throwIfAborted();
          const count = Math.min(GRAPH_BLOCK, end - start - at);
          graph.add(start + at, vectors.subarray(at * dims, (at + count) * dims), count);
          progress?.("linking", start + at + count, this.rows);
          // Adding holds the thread; signals and messages come through here.
          await new Promise(setImmediate);
        }
      }
      graph?.save(join(this.#place, "graph.usearch"));
    } finally {
      await points.close();
    }
  }
}

async function writeArray(file: string, data: Uint8Array | Uint32Array): Promise<void> {
  const handle = await open(file, "w");
  try {
    for (const chunk of encodeNpy(data)) await handle.write(chunk);
  } finally {
    await handle.close();
  }
}

/** Flushes a file to the disk; its length and checksum. */
async function checksum(file: string): Promise<z.infer<typeof fileSchema>> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
    const hash = createHash("sha256");
    let bytes = 0;
    let head = "";
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      const read = chunk as Uint8Array;
      if (bytes === 0) head = sha256(read.subarray(0, HEAD));
      hash.update(read);
      bytes += read.length;
    }
    return { bytes, sha256: hash.digest("hex"), head };
  } finally {
    await handle.close();
  }
}
