/**
 * @file Checkpoints: everything a run needs to go on as if it had never stopped.
 *
 * The file is in the safetensors format (an 8-byte length, a JSON header, raw little-endian arrays), written
 * beside its target, flushed to the disk and renamed, so that it is whole whenever it is there. The temporary
 * name is always the same: what a killed process leaves behind, the next one replaces.
 */

import { readFile, rename, rm, writeFile } from "node:fs/promises";
import { EmbranchError } from "../error.ts";
import { explain } from "../system-error.ts";

/** Version of the checkpoint's contents; another one is refused. */
const VERSION = 1;

/** Vectors by name, and a JSON value. */
export interface Checkpoint<T> {
  vectors: Record<string, Float32Array>;
  data: T;
}

interface Header {
  __metadata__?: { format?: string; version?: string; data?: string };
  [name: string]: unknown;
}

/** Writes a checkpoint atomically. Throws an `EmbranchError` where it cannot; the one before it stays. */
export async function writeCheckpoint<T>(path: string, { vectors, data }: Checkpoint<T>): Promise<void> {
  let offset = 0;
  const header: Header = {
    __metadata__: { format: "embranch-checkpoint", version: String(VERSION), data: JSON.stringify(data) },
  };
  for (const [name, { length }] of Object.entries(vectors)) {
    header[name] = { dtype: "F32", shape: [length], data_offsets: [offset, offset + 4 * length] };
    offset += 4 * length;
  }
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + json.length + offset);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(json.length), true);
  bytes.set(json, 8);
  let at = 8 + json.length;
  for (const vector of Object.values(vectors)) {
    bytes.set(new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength), at);
    at += vector.byteLength;
  }
  const temporary = temporaryOf(path);
  try {
    await writeFile(temporary, bytes, { flush: true });
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw explain(error, path, "written");
  }
}

/** Removes a checkpoint that nobody needs any more, and what a killed process may have left of the next one. */
export async function removeCheckpoint(path: string): Promise<void> {
  for (const file of [path, temporaryOf(path)]) await rm(file, { force: true });
}

const temporaryOf = (path: string): string => `${path}.part`;

/** Reads a checkpoint. Throws an `EmbranchError` on anything else. */
export async function readCheckpoint<T>(path: string): Promise<Checkpoint<T>> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    throw explain(error, path, "read");
  }
  try {
    return parse<T>(bytes, path);
  } catch (cause) {
    if (cause instanceof EmbranchError) throw cause;
    throw new EmbranchError(
      `${path}: is damaged or not a checkpoint; remove it and start again without --resume`,
      { cause },
    );
  }
}

function parse<T>(bytes: Uint8Array, path: string): Checkpoint<T> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const start = 8 + length;
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, start))) as Header;
  const { format, version, data } = header.__metadata__ ?? {};
  if (format !== "embranch-checkpoint" || data === undefined) throw new Error("not a checkpoint");
  if (version !== String(VERSION)) {
    throw new EmbranchError(
      `${path}: a checkpoint must have version ${VERSION}, got ${version}; start again without --resume`,
    );
  }
  const vectors: Record<string, Float32Array> = {};
  for (const [name, entry] of Object.entries(header)) {
    if (name === "__metadata__") continue;
    const [from, to] = (entry as { data_offsets: [number, number] }).data_offsets;
    if (start + to > bytes.length) throw new Error("truncated");
    // A copy: the file's bytes lie anywhere in a larger buffer, and floats must be aligned.
    vectors[name] = new Float32Array(Uint8Array.from(bytes.subarray(start + from, start + to)).buffer);
  }
  return { vectors, data: JSON.parse(data) as T };
}
