/**
 * @file The tables of an index in a database: what the registry says of it, and its references, row by row.
 *
 *     embranch_indexes (name, manifest jsonb, model bytea)         one row an index
 *     <name> (key, id, sequence, point bytea, embedding vector)    one row a reference, with an HNSW index
 *
 * `point` is what the model says, to the bit; `embedding` is the vector that pgvector compares. References are loaded
 * with COPY, and read in the order of their keys, block by block.
 */

import { z } from "zod";
import type { Model } from "../../engine/model-file.ts";
import { EmbranchError } from "../../error.ts";
import { GEOMETRY_NAMES } from "../../geometry/index.ts";
import { decode, encode, type Alphabet, type SequenceRecord } from "../../sequence/index.ts";
import { bytesOf } from "../../sequence/npy.ts";
import type { EmbeddedBlock } from "../embed.ts";
import { placeRecords } from "./place.ts";
import type { ReferenceBlock } from "./references.ts";
import type { BuildOptions } from "./store.ts";

/** A connection to a database. */
export interface SqlClient {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs `COPY … FROM STDIN` with the text of the rows. */
  copy(table: string, columns: string, rows: AsyncIterable<string>): Promise<void>;
  close(): Promise<void>;
}

/** The table of all indexes. */
export const REGISTRY = "embranch_indexes";

/** What the registry says of an index. */
export const manifestSchema = z.object({
  version: z.literal(1),
  embranch: z.string(),
  digest: z.string(),
  alphabet: z.enum(["dna", "protein"]),
  length: z.int(),
  dim: z.int(),
  geometry: z.enum(GEOMETRY_NAMES),
  /** How vectors are compared. */
  metric: z.enum(["cos", "l2", "l1"]),
  connectivity: z.int(),
  expansion: z.int(),
});

/** What an index is made of, and by. */
export type Manifest = z.infer<typeof manifestSchema>;

/** pgvector's operator and operator class of a metric. */
export const OPERATORS = {
  cos: { operator: "<=>", operatorClass: "vector_cosine_ops" },
  l2: { operator: "<->", operatorClass: "vector_l2_ops" },
  l1: { operator: "<+>", operatorClass: "vector_l1_ops" },
} as const;

/** References of a block that is read. */
const BLOCK = 4096;

/** Embeds records and copies them into the table; how many there were. */
export async function load(
  client: SqlClient,
  table: string,
  model: Model,
  records: AsyncIterable<SequenceRecord>,
  { file, signal, progress }: BuildOptions,
): Promise<number> {
  let count = 0;
  async function* lines(): AsyncGenerator<string> {
    for await (const block of placeRecords(model, records, { file, signal })) {
      yield copyRows(block, model);
      count += block.ids.length;
      progress?.("embedding", count);
    }
    // Ctrl-C may have ended the pipe that the references came from: these are not all.
    signal?.throwIfAborted();
  }
  try {
    await client.copy(table, "id, sequence, point, embedding", lines());
  } catch (error) {
    const detail = (error as { detail?: string }).detail ?? "";
    const twice = /\(id\)=\((.*)\) already exists/.exec(detail)?.[1];
    if (twice === undefined) throw error;
    throw new EmbranchError(
      `"${twice}": an id must be unique in the index, got it a second time; rename or remove one`,
      {
        cause: error,
      },
    );
  }
  return count;
}

/** Rows of COPY's text format. */
function copyRows({ ids, codes, data: points }: EmbeddedBlock, { space, alphabet, manifest }: Model): string {
  const { dim, space: learned } = manifest;
  const { vectors } =
    space.indexMetric === null ? { vectors: points } : space.indexVectors(points, dim, learned.parameters);
  return ids
    .map((id, row) => {
      const name = id.replaceAll("\\", "\\\\");
      const point = points.subarray(row * dim, (row + 1) * dim);
      const bytes = Buffer.from(bytesOf(point)).toString("hex");
      const vector = vectors.subarray(row * dim, (row + 1) * dim).join(",");
      return `${name}\t${decode(codes[row], alphabet)}\t\\\\x${bytes}\t[${vector}]\n`;
    })
    .join("");
}

/** Points of bytea values. */
export function pointOf(bytes: unknown): Float32Array {
  return new Float32Array(Uint8Array.from(bytes as Uint8Array).buffer);
}

/** All rows, in the order of their keys. */
export async function* rows(
  client: SqlClient,
  table: string,
  alphabet: Alphabet,
): AsyncGenerator<ReferenceBlock & { points: Float32Array[] }> {
  for (let last = -1; ;) {
    const found = await client.query(
      `SELECT key::float8 AS key, id, sequence, point FROM ${table} WHERE key > $1 ORDER BY key LIMIT ${BLOCK}`,
      [last],
    );
    if (found.length === 0) return;
    last = Number(found[found.length - 1].key);
    yield {
      keys: found.map(({ key }) => Number(key)),
      ids: found.map(({ id }) => String(id)),
      codes: found.map(({ sequence }) => encode(String(sequence), alphabet).codes),
      points: found.map(({ point }) => pointOf(point)),
    };
  }
}
