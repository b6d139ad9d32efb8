/**
 * @file Where results go: a file that appears whole or not at all, or standard output.
 *
 * A file is written under a hidden temporary name beside its target (`.z.npy.4242-1.part`: the same file system, so
 * that renaming is atomic), flushed to the disk and renamed when it is complete. Until then the target keeps
 * what it held. An error, Ctrl-C, SIGTERM, a closed terminal or `process.exit` remove the temporary file. When
 * something else listens for the signal too (training saves a checkpoint on Ctrl-C), it decides how the process
 * ends, and the file is removed when it does.
 *
 * A target that is no ordinary file (/dev/null, a named pipe) is written in place; a symbolic link is followed,
 * so that the link stays and its target is replaced.
 *
 * Standard output: when the reader has gone (`| head`), writing throws `BrokenPipe`, whose exit code is 0 and
 * which the command line does not print: the reader took what it wanted. A shell with `pipefail` then sees the
 * reader's own status and nothing else, as with grep or ripgrep but unlike a death by SIGPIPE.
 */
import { unlinkSync } from "node:fs";
import { access, constants, open, realpath, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { Writable } from "node:stream";
import { EmbranchError } from "../error.ts";
import type { ByteSink } from "../task/points.ts";
import { explain, systemCode } from "../system-error.ts";
import { SIGNALS } from "./signals.ts";

/** The reader of standard output has gone; nothing is wrong and nothing is to be said. */
export class BrokenPipe extends EmbranchError {
  override name = "BrokenPipe";
  override readonly exitCode = 0;
}

/** A place that results are written to, to be committed or discarded. */
export interface Output extends ByteSink {
  /** As the user gave it, or `stdout`. */
  name: string;
  /** Appends text as UTF-8, or bytes; the bytes may be used again once the promise has settled. */
  write(data: Uint8Array | string): Promise<void>;
  /** Completes the output: from here on the file is there. */
  commit(): Promise<void>;
  /** Drops what was written; does nothing after `commit`. */
  discard(): Promise<void>;
}

export interface OutputOptions {
  /** Where `-` and an absent target write to; default `process.stdout`. */
  stdout?: Writable;
}

/**
 * Opens a file, or standard output for `-` and undefined.
 * @throws {EmbranchError} when the directory does not exist or may not be written, or the target is a directory.
 */
export async function openOutput(
  target: string | undefined,
  { stdout = process.stdout }: OutputOptions = {},
): Promise<Output> {
  if (target === undefined || target === "-") return new StreamOutput(stdout);
  try {
    return await FileOutput.open(target);
  } catch (error) {
    throw explain(error, target, "written");
  }
}

/** Opens an output, as `openOutput` does. */
export type OpenOutput = (target: string | undefined) => Promise<Output>;

/**
 * Runs `write` with a function that opens outputs, and commits them all when it is done; discards them when it throws.
 * Open them before the work: a place that cannot be written is better found before it than after it.
 */
export async function writeOutputs<Result>(
  write: (open: OpenOutput) => Promise<Result>,
  options: OutputOptions = {},
): Promise<Result> {
  const outputs: Output[] = [];
  try {
    const result = await write(async (target) => {
      const output = await openOutput(target, options);
      outputs.push(output);
      return output;
    });
    for (const output of outputs) await output.commit();
    return result;
  } finally {
    for (const output of outputs) await output.discard();
  }
}

/** Opens an output, runs `write` with it, and commits; discards it when `write` throws. */
export async function writeOutput<Result>(
  target: string | undefined,
  write: (output: Output) => Promise<Result>,
  options: OutputOptions = {},
): Promise<Result> {
  return await writeOutputs(async (open) => write(await open(target)), options);
}

/** Writes chunks, as the encoders of the formats give them, to a file or standard output. */
export async function writeChunks(
  target: string | undefined,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
  options: OutputOptions = {},
): Promise<void> {
  await writeOutput(
    target,
    async (output) => {
      for await (const chunk of chunks) await output.write(chunk);
    },
    options,
  );
}

class StreamOutput implements Output {
  readonly name = "stdout";
  readonly #stream: Writable;

  constructor(stream: Writable) {
    this.#stream = stream;
    // A failed write is told to its callback; without a listener the same error would end the process as well.
    if (!stream.listeners("error").includes(ignore)) stream.on("error", ignore);
  }

  write(data: Uint8Array | string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#stream.write(data, (error) => {
        if (!error) return resolve();
        const code = systemCode(error);
        const gone = code === "EPIPE" || code === "ERR_STREAM_DESTROYED";
        reject(
          gone
            ? new BrokenPipe("stdout: the reader has gone", { cause: error })
            : (explain(error, this.name, "written") as Error),
        );
      });
    });
  }

  commit(): Promise<void> {
    return Promise.resolve();
  }

  discard(): Promise<void> {
    return Promise.resolve();
  }
}

function ignore(): void {}

/** Small writes are gathered up to this many bytes. */
const BUFFER_BYTES = 1 << 16;

class FileOutput implements Output {
  readonly name: string;
  readonly #handle: FileHandle;
  /** Where the bytes go, and the path they are renamed to; the same for a target that is written in place. */
  readonly #temporary: string;
  readonly #path: string;
  readonly #buffer = new Uint8Array(BUFFER_BYTES);
  /** Absent for a device or a pipe. */
  readonly patch?: (position: number, bytes: Uint8Array) => Promise<void>;
  #buffered = 0;
  #position = 0;
  #open = true;

  private constructor(name: string, handle: FileHandle, temporary: string, path: string) {
    this.name = name;
    this.#handle = handle;
    this.#temporary = temporary;
    this.#path = path;
    if (temporary === path) return;
    this.patch = async (position, bytes) => {
      await this.#flush();
      await this.#writeAt(bytes, position);
    };
  }

  static async open(target: string): Promise<FileOutput> {
    const existing = await stat(target).catch((error: unknown) => {
      if (systemCode(error) === "ENOENT") return undefined;
      throw error;
    });
    if (existing?.isDirectory() || /[/\\]$/.test(target)) {
      throw Object.assign(new Error("is a directory"), { code: "EISDIR" });
    }
    if (existing !== undefined && !existing.isFile()) {
      return new FileOutput(target, await open(target, "w"), target, target);
    }
    const path = existing === undefined ? target : await realpath(target);
    if (existing !== undefined) await access(path, constants.W_OK);
    for (let attempt = 1; ; attempt++) {
      const temporary = join(dirname(path), `.${basename(path)}.${process.pid}-${attempt}.part`);
      try {
        const handle = await open(temporary, "wx", existing === undefined ? 0o666 : existing.mode & 0o777);
        temporaries.add(temporary);
        return new FileOutput(target, handle, temporary, path);
      } catch (error) {
        if (systemCode(error) !== "EEXIST") throw error;
      }
    }
  }

  async write(data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data) : data;
    if (this.#buffered + bytes.length > BUFFER_BYTES) await this.#flush();
    if (bytes.length >= BUFFER_BYTES) {
      await this.#writeAt(bytes, this.#position);
      this.#position += bytes.length;
    } else {
      this.#buffer.set(bytes, this.#buffered);
      this.#buffered += bytes.length;
    }
  }

  async commit(): Promise<void> {
    try {
      await this.#flush();
      if (this.#temporary !== this.#path) await this.#handle.datasync();
      await this.#close();
      if (this.#temporary !== this.#path) await rename(this.#temporary, this.#path);
      temporaries.delete(this.#temporary);
    } catch (error) {
      throw explain(error, this.name, "written");
    }
  }

  async discard(): Promise<void> {
    await this.#close();
    if (!temporaries.delete(this.#temporary)) return;
    await rm(this.#temporary, { force: true });
  }

  async #flush(): Promise<void> {
    const bytes = this.#buffer.subarray(0, this.#buffered);
    this.#buffered = 0;
    await this.#writeAt(bytes, this.#position);
    this.#position += bytes.length;
  }

  async #writeAt(bytes: Uint8Array, position: number): Promise<void> {
    // A pipe has no positions.
    const seekable = this.#temporary !== this.#path;
    try {
      for (let at = 0; at < bytes.length;) {
        const left = bytes.length - at;
        at += (await this.#handle.write(bytes, at, left, seekable ? position + at : null)).bytesWritten;
      }
    } catch (error) {
      throw explain(error, this.name, "written");
    }
  }

  async #close(): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#handle.close();
  }
}

/**
 * The temporary files of this process. Signals and the end of a process belong to the whole of it, so this is
 * the one thing here that cannot be passed in; listeners exist only while there are files.
 */
const temporaries = new (class {
  readonly #paths = new Set<string>();

  add(path: string): void {
    if (this.#paths.size === 0) {
      process.on("exit", this.#removeAll);
      for (const signal of SIGNALS) process.on(signal, this.#onSignal);
    }
    this.#paths.add(path);
  }

  delete(path: string): boolean {
    if (!this.#paths.delete(path)) return false;
    if (this.#paths.size === 0) this.#stopListening();
    return true;
  }

  #stopListening(): void {
    process.off("exit", this.#removeAll);
    for (const signal of SIGNALS) process.off(signal, this.#onSignal);
  }

  readonly #removeAll = (): void => {
    for (const path of this.#paths) {
      try {
        unlinkSync(path);
      } catch (error) {
        // It may have been renamed just now; anything else is no reason to hide why the process ends.
        if (systemCode(error) !== "ENOENT") process.exitCode ||= 1;
      }
    }
    this.#paths.clear();
  };

  readonly #onSignal = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) > 1) return;
    this.#removeAll();
    this.#stopListening();
    process.kill(process.pid, signal);
  };
})();
