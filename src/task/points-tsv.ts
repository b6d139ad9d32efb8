/**
 * @file Points as tab-separated text: a header `id z1 z2 …`, then a row for each point.
 *
 * Coordinates are written with as many digits as a float32 needs to read back to the same bits. A file without
 * a header is read too: its first row is a point when every cell after the first is a number.
 */
import { FormatError } from "../error.ts";
import { cell } from "../sequence/matrix-tsv.ts";
import { float32Text, parseDecimal } from "../sequence/number-text.ts";
import { encodeText } from "../sequence/text-chunks.ts";
import { lineBatches } from "../sequence/text.ts";
import type { ByteFile, ByteSink, Points, PointsReaderOptions, PointsWriter } from "./points.ts";

export class TsvPointsWriter implements PointsWriter {
  readonly #sink: ByteSink;
  readonly #dims: number;
  #started = false;

  constructor(sink: ByteSink, dims: number) {
    this.#sink = sink;
    this.#dims = dims;
  }

  async write(ids: readonly string[], data: Float32Array): Promise<void> {
    for (const chunk of encodeText(this.#rows(ids, data))) await this.#sink.write(chunk);
  }

  async close(): Promise<void> {
    for (const chunk of encodeText(this.#rows([], new Float32Array(0)))) await this.#sink.write(chunk);
  }

  *#rows(ids: readonly string[], data: Float32Array): Generator<string> {
    const dims = this.#dims;
    if (!this.#started) yield `id\t${Array.from({ length: dims }, (_, i) => `z${i + 1}`).join("\t")}\n`;
    this.#started = true;
    for (let row = 0; row < ids.length; row++) {
      const point = Array.from(data.subarray(row * dims, (row + 1) * dims), float32Text);
      yield `${cell(ids[row])}\t${point.join("\t")}\n`;
    }
  }
}

export async function* readTsvPoints(
  file: ByteFile,
  { name, blockSize = 8192 }: PointsReaderOptions,
): AsyncGenerator<Points, void, undefined> {
  let line = 0;
  let dims = 0;
  let ids: string[] = [];
  let data = new Float32Array(0);
  for await (const lines of lineBatches(slices(file), { file: name })) {
    for (const text of lines) {
      line++;
      if (text.trim() === "") continue;
      const [id, ...cells] = text.split("\t");
      if (dims === 0) {
        dims = cells.length;
        if (dims === 0) {
          throw new FormatError("points: a row must be an id and coordinates with tabs between, got no tab", {
            file: name,
            line,
          });
        }
        data = new Float32Array(blockSize * dims);
        if (cells.some((text) => Number.isNaN(parseDecimal(text)))) continue; // the header
      }
      if (cells.length !== dims) {
        throw new FormatError(
          `point: must have ${dims} coordinates like the first line, got ${cells.length}`,
          {
            file: name,
            line,
            record: id,
          },
        );
      }
      for (let i = 0; i < dims; i++) {
        const value = Math.fround(parseDecimal(cells[i]));
        if (!Number.isFinite(value)) {
          throw new FormatError(`point: coordinate ${i + 1} must be a finite number, got "${cells[i]}"`, {
            file: name,
            line,
            record: id,
          });
        }
        data[ids.length * dims + i] = value;
      }
      ids.push(id);
      if (ids.length === blockSize) {
        yield { ids, dims, data };
        ids = [];
        data = new Float32Array(blockSize * dims);
      }
    }
  }
  yield { ids, dims, data: data.subarray(0, ids.length * dims) };
}

/** The bytes of a file in order, a mebibyte at a time. */
async function* slices(file: ByteFile): AsyncGenerator<Uint8Array, void, undefined> {
  const step = 1 << 20;
  for (let at = 0; at < file.byteLength; at += step) {
    yield new Uint8Array(await file.slice(at, Math.min(at + step, file.byteLength)));
  }
}
