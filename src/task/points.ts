/**
 * @file Embeddings in files: one named point a row, written and read in blocks.
 *
 * | format   | holds                                         | good for |
 * |----------|-----------------------------------------------|----------|
 * | .npy     | float32 [rows, dims], no ids                  | NumPy, memory-mapping |
 * | .parquet | `id` (string), `embedding` (list of float32)  | pandas, DuckDB, Polars, Atlas |
 * | .tsv     | header, then id and coordinates               | R, spreadsheets, a look |
 *
 * A writer takes blocks as the encoder makes them and a reader gives blocks as they lie in the file, so memory
 * stays at a block (a row group of parquet) while the file grows past it. A coordinate that is not a finite
 * number is an error on both ways, with the id of its point: a NaN that slips through here turns up much later as
 * a neighbour list full of nonsense.
 */
import type { AsyncBuffer } from "hyparquet";
import { EmbranchError, FormatError, UsageError } from "../error.ts";
import { NpyPointsWriter, readNpyPoints } from "./points-npy.ts";
import { ParquetPointsWriter, readParquetPoints } from "./points-parquet.ts";
import { readTsvPoints, TsvPointsWriter } from "./points-tsv.ts";

/** Named points: `data` [ids.length, dims], row-major. */
export interface Points {
  ids: string[];
  dims: number;
  data: Float32Array;
}

/** Where bytes go: a file, standard output, a buffer. */
export interface ByteSink {
  /** Appends; `bytes` may be used again once the promise has settled. */
  write(bytes: Uint8Array): Promise<void>;
  /** Overwrites bytes already written, where the place can be written twice. */
  patch?(position: number, bytes: Uint8Array): Promise<void>;
}

/** Where bytes come from: anything with a length and slices, as hyparquet takes it. */
export type ByteFile = AsyncBuffer;

export type PointsFormat = "npy" | "parquet" | "tsv";

/** Writes points block by block; `close` completes the file and leaves the sink open. */
export interface PointsWriter {
  /** Appends `ids.length` points; `data` [ids.length, dims] may be used again once the promise has settled. */
  write(ids: readonly string[], data: Float32Array): Promise<void>;
  close(): Promise<void>;
}

export interface PointsWriterOptions {
  /** Number of points, where it is known; lets `.npy` be written to a pipe. */
  rows?: number;
  /** Points per row group of `.parquet`; default: about 1.3 million coordinates, at most 50,000 points. */
  rowGroupSize?: number;
}

/**
 * The format that a file name asks for by its ending.
 * @throws {UsageError} on another ending.
 */
export function pointsFormat(path: string): PointsFormat {
  const ending = /\.(npy|parquet|tsv)$/i.exec(path)?.[1];
  if (ending !== undefined) return ending.toLowerCase() as PointsFormat;
  throw new UsageError(`embeddings: the file name must end in .npy, .parquet or .tsv, got ${path}`);
}

/** Starts a file of points with `dims` coordinates. */
export function writePoints(
  sink: ByteSink,
  format: PointsFormat,
  dims: number,
  options: PointsWriterOptions = {},
): PointsWriter {
  const writer = createWriter(sink, format, dims, options);
  return {
    async write(ids, data) {
      if (data.length !== ids.length * dims) {
        throw new RangeError(
          `points: ${ids.length} points of ${dims} coordinates, got ${data.length} values`,
        );
      }
      const at = firstNotFinite(data);
      if (at >= 0) {
        throw new EmbranchError(
          `embedding of "${ids[Math.floor(at / dims)]}": every coordinate must be a finite number, got ${data[at]}; ` +
            `the model is damaged or its training diverged`,
        );
      }
      await writer.write(ids, data);
    },
    close: () => writer.close(),
  };
}

function createWriter(
  sink: ByteSink,
  format: PointsFormat,
  dims: number,
  options: PointsWriterOptions,
): PointsWriter {
  switch (format) {
    case "npy":
      return new NpyPointsWriter(sink, dims, options);
    case "parquet":
      return new ParquetPointsWriter(sink, dims, options);
    case "tsv":
      return new TsvPointsWriter(sink, dims);
  }
}

export interface PointsReaderOptions {
  /** File name used in messages. */
  name?: string;
  /** Points per block of `.npy` and `.tsv`, default 8,192; `.parquet` comes in its row groups. */
  blockSize?: number;
}

/**
 * Reads points block by block; points of `.npy` are named by their row, from 0.
 * @throws {FormatError} on anything else than points of finite coordinates, all of one dimension.
 */
export async function* readPointBlocks(
  file: ByteFile,
  format: PointsFormat,
  { name, blockSize = 8192 }: PointsReaderOptions = {},
): AsyncGenerator<Points, void, undefined> {
  const read = { npy: readNpyPoints, parquet: readParquetPoints, tsv: readTsvPoints }[format];
  let rows = 0;
  for await (const block of read(file, { name, blockSize })) {
    const at = firstNotFinite(block.data);
    if (at >= 0) {
      const record = block.ids[Math.floor(at / block.dims)];
      throw new FormatError(
        `point: coordinate ${(at % block.dims) + 1} must be a finite number, got ${block.data[at]}; remove or re-embed it`,
        { file: name, record },
      );
    }
    rows += block.ids.length;
    if (block.ids.length > 0) yield block;
  }
  if (rows === 0) throw new FormatError("points: there must be at least one, got none", { file: name });
}

/** Reads all points of a file into memory. */
export async function readPoints(
  file: ByteFile,
  format: PointsFormat,
  options: PointsReaderOptions = {},
): Promise<Points> {
  const blocks: Points[] = [];
  let rows = 0;
  for await (const block of readPointBlocks(file, format, options)) {
    blocks.push(block);
    rows += block.ids.length;
  }
  const { dims } = blocks[0];
  const data = new Float32Array(rows * dims);
  let at = 0;
  for (const block of blocks) {
    data.set(block.data, at);
    at += block.data.length;
  }
  return { ids: blocks.flatMap((block) => block.ids), dims, data };
}

/** Position of the first NaN or infinity, or −1. */
function firstNotFinite(data: Float32Array): number {
  // The sum is NaN or infinite if any value is, and is far cheaper than a test for each.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i] * 0;
  return sum === 0 ? -1 : data.findIndex((value) => !Number.isFinite(value));
}
