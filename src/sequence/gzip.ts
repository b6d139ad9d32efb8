/**
 * @file Recognises packed input and unpacks gzip.
 *
 * The platform's own `DecompressionStream` does the work. On Node it reads concatenated members (bgzip writes
 * thousands) and reports truncation and checksum errors, which the tests verify. Browsers follow the
 * Compression Streams standard to the letter and refuse anything after the first member; there the error says
 * so.
 */

import { FormatError, type Location } from "../error.ts";
import type { ByteSource } from "./text.ts";

const SIGNATURES: { name: string; bytes: number[] }[] = [
  { name: "zip", bytes: [0x50, 0x4b, 0x03, 0x04] },
  { name: "bzip2", bytes: [0x42, 0x5a, 0x68, 0x39] },
  { name: "xz", bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { name: "zstd", bytes: [0x28, 0xb5, 0x2f, 0xfd] },
];

const startsWith = (head: Uint8Array, bytes: number[]): boolean => bytes.every((byte, i) => head[i] === byte);

/** Whether a file that begins with `head` is gzip. */
export function isGzip(head: Uint8Array): boolean {
  return startsWith(head, [0x1f, 0x8b]);
}

/** Throws for packed or encoded files that we do not read, naming what they are. */
export function refuseOtherPackings(head: Uint8Array, location: Location): void {
  for (const { name, bytes } of SIGNATURES) {
    if (startsWith(head, bytes)) {
      throw new FormatError(`file: must be plain text or gzip, got ${name}: unpack it first`, location);
    }
  }
  if (startsWith(head, [0xff, 0xfe]) || startsWith(head, [0xfe, 0xff])) {
    throw new FormatError("file: must be UTF-8 or ASCII text, got UTF-16: save it as UTF-8", location);
  }
}

/** Bytes that can be closed before they are read. */
export interface ClosableBytes extends AsyncIterableIterator<Uint8Array> {
  return(): Promise<IteratorResult<Uint8Array>>;
}

/**
 * Looks at the first `count` bytes without consuming them.
 *
 * The returned `bytes` yields the whole source; `return` closes the source, whether or not reading has begun.
 */
export async function peek(
  source: ByteSource,
  count: number,
): Promise<{ head: Uint8Array; bytes: ClosableBytes }> {
  const iterator =
    Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]();
  const seen: Uint8Array[] = [];
  let length = 0;
  let ended = false;
  while (length < count && !ended) {
    const next = await iterator.next();
    if (next.done) ended = true;
    else {
      seen.push(next.value);
      length += next.value.length;
    }
  }
  const head = new Uint8Array(Math.min(length, count));
  let filled = 0;
  for (const chunk of seen) {
    const part = chunk.subarray(0, head.length - filled);
    head.set(part, filled);
    filled += part.length;
  }
  const bytes: ClosableBytes = {
    [Symbol.asyncIterator]: () => bytes,
    next: async () => {
      const value = seen.shift();
      return value ? { done: false, value } : iterator.next();
    },
    return: async () => {
      await iterator.return?.();
      return { done: true, value: undefined };
    },
  };
  return { head, bytes };
}

/**
 * The bytes of a file that is plain or gzip.
 *
 * @throws FormatError for other packings, once it is read
 */
export async function* unpack(source: ByteSource, location: Location = {}): AsyncGenerator<Uint8Array> {
  const { head, bytes } = await peek(source, 6);
  try {
    refuseOtherPackings(head, location);
  } catch (error) {
    await bytes.return();
    throw error;
  }
  yield* isGzip(head) ? gunzip(bytes, location) : bytes;
}

/**
 * Unpacks gzip.
 *
 * @throws FormatError when the data is truncated or damaged; errors of `source` itself pass unchanged.
 */
export async function* gunzip(source: ByteSource, location: Location = {}): AsyncGenerator<Uint8Array> {
  const stream = new DecompressionStream("gzip");
  const writer = stream.writable.getWriter();
  const reader = stream.readable.getReader();
  let failure: { cause: unknown } | undefined;

  const feed = async (): Promise<void> => {
    try {
      for await (const chunk of guarded()) await writer.write(chunk as Uint8Array<ArrayBuffer>);
      await writer.close();
    } catch (error) {
      await writer.abort(error).catch(() => undefined);
    }
  };
  async function* guarded(): AsyncGenerator<Uint8Array> {
    try {
      yield* source;
    } catch (cause) {
      failure = { cause };
      throw cause;
    }
  }

  void feed();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      yield value;
    }
  } catch (error) {
    if (failure) throw failure.cause;
    throw damaged(error, location);
  } finally {
    // A reader that stops early cancels; the next write then fails, which ends `feed` and closes the source.
    await reader.cancel().catch(() => undefined);
  }
}

function damaged(error: unknown, location: Location): FormatError {
  const reason = error instanceof Error ? error.message : String(error);
  if (/unexpected end/i.test(reason)) {
    return new FormatError(
      "gzip: must be complete, got a truncated file: copy or download it again",
      location,
      {
        cause: error,
      },
    );
  }
  if (/junk|trailing|additional/i.test(reason)) {
    return new FormatError(
      `gzip: must be one member where this browser unpacks it, got more (${reason}): unpack the file first`,
      location,
      { cause: error },
    );
  }
  return new FormatError(
    `gzip: must be undamaged, got "${reason}": check it with gzip -t, copy or download it again`,
    location,
    { cause: error },
  );
}
