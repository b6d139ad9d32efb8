/**
 * @file Points as a NumPy array, float32 [rows, dims].
 *
 * The header of `.npy` comes first and holds the number of rows, which a stream knows last. A header of fixed
 * size is reserved and rewritten on closing; a pipe cannot be rewritten, so there the number must be known.
 */
import { FormatError, UsageError } from "../error.ts";
import {
  bytesOf,
  decodeNpyHeader,
  npyHeader,
  npyTypeBytes,
  npyValues,
  type NpyHeader,
} from "../sequence/npy.ts";
import type {
  ByteFile,
  ByteSink,
  Points,
  PointsReaderOptions,
  PointsWriter,
  PointsWriterOptions,
} from "./points.ts";

/** Room for any shape whose numbers are below 10¹⁵. */
const HEADER_BYTES = 128;

export class NpyPointsWriter implements PointsWriter {
  readonly #sink: ByteSink;
  readonly #dims: number;
  readonly #announced: number | undefined;
  #rows = 0;
  #started = false;

  constructor(sink: ByteSink, dims: number, { rows }: PointsWriterOptions) {
    if (rows === undefined && sink.patch === undefined) {
      throw new UsageError(
        "embeddings: .npy needs a file, because its first bytes hold the number of points, got a pipe; " +
          "give -o z.npy, or write .tsv or .parquet",
      );
    }
    this.#sink = sink;
    this.#dims = dims;
    this.#announced = rows;
  }

  async write(ids: readonly string[], data: Float32Array): Promise<void> {
    await this.#start();
    this.#rows += ids.length;
    await this.#sink.write(bytesOf(data));
  }

  async close(): Promise<void> {
    await this.#start();
    if (this.#rows === this.#announced) return;
    if (this.#sink.patch === undefined) {
      throw new RangeError(`points: ${this.#announced} rows were announced, got ${this.#rows}`);
    }
    await this.#sink.patch(0, this.#header(this.#rows));
  }

  async #start(): Promise<void> {
    if (this.#started) return;
    this.#started = true;
    await this.#sink.write(this.#header(this.#announced ?? 0));
  }

  #header(rows: number): Uint8Array {
    return npyHeader("f4", [rows, this.#dims], { minimumBytes: HEADER_BYTES });
  }
}

export async function* readNpyPoints(
  file: ByteFile,
  { name, blockSize = 8192 }: PointsReaderOptions,
): AsyncGenerator<Points, void, undefined> {
  const { type, shape, dataOffset } = await readHeader(file, name);
  const fail = (message: string): never => {
    throw new FormatError(message, { file: name });
  };
  if (shape.length !== 2 || shape[1] < 1) {
    fail(`points: the shape must be (points, coordinates), got (${shape.join(", ")})`);
  }
  const [rows, dims] = shape;
  const rowBytes = dims * npyTypeBytes(type);
  if (file.byteLength !== dataOffset + rows * rowBytes) {
    fail(
      `.npy: shape (${rows}, ${dims}) of ${type} takes ${dataOffset + rows * rowBytes} bytes, got ${file.byteLength}`,
    );
  }
  for (let start = 0; start < rows; start += blockSize) {
    const count = Math.min(blockSize, rows - start);
    const from = dataOffset + start * rowBytes;
    const values = npyValues(type, new Uint8Array(await file.slice(from, from + count * rowBytes)));
    yield {
      ids: Array.from({ length: count }, (_, row) => String(start + row)),
      dims,
      data: values instanceof Float32Array ? values : Float32Array.from(values),
    };
  }
}

async function readHeader(file: ByteFile, name: string | undefined): Promise<NpyHeader> {
  for (let length = HEADER_BYTES; ;) {
    const bytes = new Uint8Array(await file.slice(0, Math.min(length, file.byteLength)));
    const header = decodeNpyHeader(bytes, { file: name });
    if (typeof header !== "number") return header;
    if (header > file.byteLength) {
      throw new FormatError(`truncated .npy: the header needs ${header} bytes, got ${file.byteLength}`, {
        file: name,
      });
    }
    length = header;
  }
}
