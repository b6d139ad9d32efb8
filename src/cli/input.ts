/**
 * @file Opening what the user named: a file, or `-` for standard input.
 *
 * `openInput` streams, and counts the bytes for progress bars; `openByteFile` gives random access for the formats
 * with a directory (.parquet, .npy). What cannot be opened is found when it is opened, not halfway through a run.
 */
import { open } from "node:fs/promises";
import type { ByteFile } from "../task/points.ts";
import { explain } from "../system-error.ts";

/** A stream of bytes with a name. */
export interface Input {
  /** As the user gave it; `stdin` for standard input. Messages use it. */
  name: string;
  /** Length in bytes, where it is known. */
  size?: number;
  /** Bytes handed out so far. */
  readonly bytesRead: number;
  /** The bytes, once; leaving the loop early closes the file. */
  bytes: AsyncIterable<Uint8Array>;
  /** Closes a file that was not read to its end. */
  close(): Promise<void>;
}

export interface InputOptions {
  /** Where `-` reads from; default `process.stdin`. */
  stdin?: AsyncIterable<Uint8Array>;
}

/**
 * Opens a file, or standard input for `-`.
 * @throws {EmbranchError} when there is no such file, or it is a directory or may not be read.
 */
export async function openInput(path: string, { stdin = process.stdin }: InputOptions = {}): Promise<Input> {
  if (path === "-") return counted("stdin", undefined, stdin, async () => {});
  try {
    const handle = await open(path);
    try {
      const info = await handle.stat();
      if (info.isDirectory()) throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
      const stream = handle.createReadStream({ highWaterMark: 1 << 18 });
      const close = async (): Promise<void> => {
        stream.destroy();
        await handle.close();
      };
      return counted(path, info.isFile() ? info.size : undefined, stream, close);
    } catch (error) {
      await handle.close();
      throw error;
    }
  } catch (error) {
    throw explain(error, path, "read");
  }
}

function counted(
  name: string,
  size: number | undefined,
  source: AsyncIterable<Uint8Array>,
  close: () => Promise<void>,
): Input {
  let bytesRead = 0;
  async function* count(): AsyncGenerator<Uint8Array, void, undefined> {
    try {
      for await (const chunk of source) {
        bytesRead += chunk.length;
        yield chunk;
      }
    } catch (error) {
      throw explain(error, name, "read");
    }
  }
  return {
    name,
    size,
    get bytesRead() {
      return bytesRead;
    },
    bytes: count(),
    close,
  };
}

/** A file that can be read at any place. */
export interface OpenByteFile extends ByteFile {
  name: string;
  close(): Promise<void>;
}

/**
 * Opens a file for random access; standard input (`-`) is read into memory first.
 * @throws {EmbranchError} as `openInput`.
 */
export async function openByteFile(path: string, options: InputOptions = {}): Promise<OpenByteFile> {
  const input = await openInput(path, options);
  if (input.size === undefined) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of input.bytes) chunks.push(chunk);
    const { buffer } = Uint8Array.from(Buffer.concat(chunks));
    return {
      name: input.name,
      byteLength: buffer.byteLength,
      slice: (start, end) => buffer.slice(start, end),
      close: () => input.close(),
    };
  }
  await input.close();
  const byteLength = input.size;
  const handle = await open(path);
  return {
    name: path,
    byteLength,
    async slice(start, end = byteLength) {
      const bytes = new Uint8Array(end - start);
      try {
        for (let at = 0; at < bytes.length;) {
          const { bytesRead } = await handle.read(bytes, at, bytes.length - at, start + at);
          if (bytesRead === 0) break;
          at += bytesRead;
        }
      } catch (error) {
        throw explain(error, path, "read");
      }
      return bytes.buffer;
    },
    close: () => handle.close(),
  };
}
