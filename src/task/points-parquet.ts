/**
 * @file Points as Apache Parquet: columns `id` (string) and `embedding` (list of float32).
 *
 * Rows are gathered into row groups of about 1.3 million coordinates (10,000 points at 128 dimensions) and each
 * group is encoded and written before the next one fills, so that a file of any size passes through constant
 * memory; only the directory of groups, some hundred bytes each, stays until the footer. Coordinates are stored
 * plain and uncompressed: the bits of float32 embeddings do not compress, and trying takes longer than embedding.
 */
import { parquetMetadataAsync, parquetReadObjects, type FileMetaData, type SchemaElement } from "hyparquet";
import { ByteWriter, ParquetWriter } from "hyparquet-writer";
import { FormatError } from "../error.ts";
import type {
  ByteFile,
  ByteSink,
  Points,
  PointsReaderOptions,
  PointsWriter,
  PointsWriterOptions,
} from "./points.ts";

const SCHEMA: SchemaElement[] = [
  { name: "root", num_children: 2 },
  { name: "id", type: "BYTE_ARRAY", converted_type: "UTF8", repetition_type: "REQUIRED" },
  { name: "embedding", converted_type: "LIST", repetition_type: "REQUIRED", num_children: 1 },
  { name: "list", repetition_type: "REPEATED", num_children: 1 },
  { name: "element", type: "FLOAT", repetition_type: "REQUIRED" },
];

/** Hands what the encoder has gathered to a sink; ParquetWriter flushes it after each row group. */
class SinkWriter extends ByteWriter {
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    super(1 << 20);
    this.#sink = sink;
  }

  async flush(): Promise<void> {
    const bytes = this.getBytes();
    await this.#sink.write(bytes);
    this.index = 0;
  }
}

export class ParquetPointsWriter implements PointsWriter {
  readonly #writer: ParquetWriter;
  readonly #bytes: SinkWriter;
  readonly #dims: number;
  readonly #groupSize: number;
  #ids: string[] = [];
  readonly #data: Float32Array;

  constructor(sink: ByteSink, dims: number, { rowGroupSize }: PointsWriterOptions) {
    this.#bytes = new SinkWriter(sink);
    this.#writer = new ParquetWriter({ writer: this.#bytes, schema: SCHEMA, createdBy: "embranch" });
    this.#dims = dims;
    this.#groupSize = rowGroupSize ?? Math.max(1, Math.min(50_000, Math.floor(1_300_000 / dims)));
    this.#data = new Float32Array(this.#groupSize * dims);
  }

  async write(ids: readonly string[], data: Float32Array): Promise<void> {
    const dims = this.#dims;
    for (let at = 0; at < ids.length;) {
      const count = Math.min(ids.length - at, this.#groupSize - this.#ids.length);
      this.#data.set(data.subarray(at * dims, (at + count) * dims), this.#ids.length * dims);
      for (let i = at; i < at + count; i++) this.#ids.push(ids[i]);
      at += count;
      if (this.#ids.length === this.#groupSize) await this.#writeGroup();
    }
  }

  async close(): Promise<void> {
    if (this.#ids.length > 0) await this.#writeGroup();
    await this.#writer.finish();
    await this.#bytes.flush();
  }

  async #writeGroup(): Promise<void> {
    const dims = this.#dims;
    const rows = this.#ids.map((_, row) => Array.from(this.#data.subarray(row * dims, (row + 1) * dims)));
    await this.#writer.write({
      columnData: [
        { name: "id", data: this.#ids },
        { name: "embedding", data: rows, encoding: "PLAIN", codec: "UNCOMPRESSED", statistics: false },
      ],
      rowGroupSize: rows.length,
    });
    this.#ids = [];
  }
}

export async function* readParquetPoints(
  file: ByteFile,
  { name }: PointsReaderOptions,
): AsyncGenerator<Points, void, undefined> {
  const metadata = await readable(name, () => parquetMetadataAsync(file));
  checkColumns(metadata, name);
  let dims = 0;
  let rowStart = 0;
  for (const group of metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    const rows = await readable(name, () =>
      parquetReadObjects({ file, metadata, columns: ["id", "embedding"], rowStart, rowEnd }),
    );
    rowStart = rowEnd;
    const ids = rows.map((row) => idText(row.id));
    for (let row = 0; row < rows.length; row++) {
      const point: unknown = rows[row].embedding;
      if (dims === 0 && isPoint(point)) dims = point.length;
      if (!isPoint(point) || point.length !== dims) {
        throw new FormatError(
          `point: embedding must be a list of ${dims || "some"} numbers, got ${isPoint(point) ? point.length : "none"}`,
          { file: name, record: ids[row] },
        );
      }
    }
    const data = new Float32Array(rows.length * dims);
    // A null inside a list becomes NaN here, and the reader of all formats refuses that with the id.
    rows.forEach((row, i) => {
      const point = row.embedding as ArrayLike<number | null>;
      for (let j = 0; j < dims; j++) data[i * dims + j] = point[j] ?? NaN;
    });
    yield { ids, dims, data };
  }
}

function isPoint(value: unknown): value is ArrayLike<unknown> {
  return (
    (Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array) &&
    value.length > 0
  );
}

/** Ids that other programs wrote may be numbers. */
function idText(id: unknown): string {
  return typeof id === "string" || typeof id === "number" || typeof id === "bigint" ? `${id}` : "";
}

function checkColumns(metadata: FileMetaData, name: string | undefined): void {
  const columns = new Set(
    metadata.row_groups.flatMap((group) => group.columns.map((c) => c.meta_data?.path_in_schema[0])),
  );
  if (metadata.row_groups.length > 0 && !(columns.has("id") && columns.has("embedding"))) {
    throw new FormatError(
      `points: the columns must include "id" and "embedding", got ${[...columns].map((c) => `"${c}"`).join(", ")}`,
      { file: name },
    );
  }
}

/** Runs a reader of hyparquet, whose errors are plain, and names the file in what it throws. */
async function readable<Result>(name: string | undefined, read: () => Promise<Result>): Promise<Result> {
  try {
    return await read();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.replace(/\s+/g, " ") : String(cause);
    const advice = /codec/i.test(reason) ? "; save it with snappy compression or none" : "";
    throw new FormatError(`.parquet cannot be read: ${reason}${advice}`, { file: name }, { cause });
  }
}
