/**
 * @file The files of a segment: written block by block, linked into a graph, checked, and opened.
 */

import { createHash } from "node:crypto";
import { mkdir, open, readdir, readFile, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import type { Model } from "../../engine/model-file.ts";
import { EmbranchError } from "../../error.ts";
import { bytesOf, decodeNpy, decodeNpyHeader, encodeNpy, npyHeader } from "../../sequence/npy.ts";
import { explain } from "../../system-error.ts";
import type { FileEntry, IndexManifest, SegmentEntry } from "./folder-manifest.ts";
import { digestOf } from "./index-checks.ts";
import { NearestGraph } from "./nearest-graph.ts";
import { NameList, pointsInFile, type Segment } from "./segment.ts";
import type { BuildOptions, OpenOptions } from "./store.ts";

/** Bytes of a file whose checksum is compared on opening. */
const HEAD = 4096;

/** Rows added to a graph at once: a step of the progress. */
const GRAPH_BLOCK = 4096;

/** Throws the error of a file that is not as it was written. */
export function damaged(file: string, how: string): never {
  throw new EmbranchError(`${file}: is damaged: ${how}; build the index again`);
}

/** Throws unless a file has as many bytes as were written. */
export async function checkSize(file: string, bytes: number): Promise<void> {
  try {
    const { size } = await stat(file);
    if (size !== bytes) damaged(file, `it must have ${bytes} bytes, got ${size}`);
  } catch (error) {
    throw explain(error, file, "read");
  }
}

/** Compares the size and the beginning: what is cut short or overwritten is not mapped into memory. */
async function checkHead(file: string, { bytes, head }: FileEntry): Promise<void> {
  await checkSize(file, bytes);
  const handle = await open(file);
  try {
    const { buffer, bytesRead } = await handle.read(new Uint8Array(HEAD), 0, HEAD, 0);
    if (head !== (bytesRead === 0 ? "" : digestOf(buffer.subarray(0, bytesRead)))) {
      damaged(file, "its beginning differs from what was written");
    }
  } finally {
    await handle.close();
  }
}

/**
 * Opens a segment for reading.
 *
 * @throws EmbranchError where a file is missing, or differs in size or at its beginning from what was written
 */
export async function openSegment(
  path: string,
  { graph, model: { dim } }: IndexManifest,
  segment: SegmentEntry,
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

/** Makes the names in a folder durable, where the system can. */
export async function syncFolder(path: string): Promise<void> {
  try {
    const handle = await open(path, "r");
    await handle.sync().finally(() => handle.close());
  } catch {
    // Windows opens no folders; and what was renamed is in its place whether or not this succeeds.
  }
}

/** Where something is made: a folder, and the names of what is new in it. */
export interface NewPlace {
  path: string;
  made: string[];
}

/** Writes the files of a segment, block by block. */
export class SegmentWriter {
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
      const bytes = bytesOf(points);
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
  async finish(model: Model, options: BuildOptions): Promise<SegmentEntry> {
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
      const files: SegmentEntry["files"] = {};
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
async function checksum(file: string): Promise<FileEntry> {
  const handle = await open(file, "r+");
  try {
    await handle.sync();
    const hash = createHash("sha256");
    let bytes = 0;
    let head = "";
    for await (const chunk of handle.createReadStream({ autoClose: false, highWaterMark: 1 << 20 })) {
      const read = chunk as Uint8Array;
      if (bytes === 0) head = digestOf(read.subarray(0, HEAD));
      hash.update(read);
      bytes += read.length;
    }
    return { bytes, sha256: hash.digest("hex"), head };
  } finally {
    await handle.close();
  }
}
