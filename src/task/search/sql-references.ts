/**
 * @file Searching an index in a database: nearest neighbours by pgvector's operators, references by their keys.
 */

import type { Model } from "../../engine/model-file.ts";
import { EmbranchError } from "../../error.ts";
import { encode } from "../../sequence/index.ts";
import type { Candidates, ReferenceBlock, References } from "./references.ts";
import { OPERATORS, pointOf, rows, type Manifest, type SqlClient } from "./sql-table.ts";
import type { OpenOptions } from "./store.ts";

/** Greatest ef of pgvector. */
const MOST_EXPANSION = 1000;

/** Searches a table. */
export class SqlReferences implements References {
  readonly size: number;
  readonly method: string;
  readonly #client: SqlClient;
  readonly #name: string;
  readonly #manifest: Manifest;
  readonly #model: Model;
  readonly #options: OpenOptions;

  constructor(
    client: SqlClient,
    { name, size, manifest, model }: { name: string; size: number; manifest: Manifest; model: Model },
    options: OpenOptions,
  ) {
    this.#client = client;
    this.#name = name;
    this.size = size;
    this.#manifest = manifest;
    this.#model = model;
    this.#options = options;
    this.method = options.scan ? "scan of all points in PostgreSQL" : "graph of neighbours in PostgreSQL";
  }

  async nearest(points: Float32Array, count: number, k: number): Promise<Candidates> {
    const { dim, metric } = this.#manifest;
    const { space, manifest } = this.#model;
    const { vectors } =
      space.indexMetric === null
        ? { vectors: points }
        : space.queryVectors(points, dim, manifest.space.parameters);
    const texts = Array.from(
      { length: count },
      (_, i) => `[${vectors.subarray(i * dim, (i + 1) * dim).join(",")}]`,
    );
    const expansion = Math.min(MOST_EXPANSION, Math.max(k, this.#options.searchExpansion ?? 128));
    const keys: number[][] = Array.from({ length: count }, () => []);
    await this.#client.query("BEGIN");
    try {
      await this.#client.query(
        this.#options.scan ? "SET LOCAL enable_indexscan = off" : `SET LOCAL hnsw.ef_search = ${expansion}`,
      );
      // Left to itself the planner prefers to scan and sort small tables, which is right, and exact.
      const found = await this.#client.query(
        `SELECT q.n::int AS n, r.key::float8 AS key FROM unnest($1::text[]) WITH ORDINALITY AS q (v, n), ` +
          `LATERAL (SELECT key, embedding ${OPERATORS[metric].operator} q.v::vector AS d FROM ${this.#name} ORDER BY d LIMIT ${k}) r ` +
          `ORDER BY q.n, r.d, r.key`,
        [texts],
      );
      for (const { n, key } of found) keys[Number(n) - 1].push(Number(key));
    } finally {
      await this.#client.query("COMMIT");
    }
    return { keys };
  }

  async fetch(keys: readonly number[]): Promise<ReferenceBlock> {
    const found = await this.#byKey(keys, "id, sequence");
    const { alphabet } = this.#model;
    return {
      keys: [...keys],
      ids: keys.map((key) => String(found.get(key)!.id)),
      codes: keys.map((key) => encode(String(found.get(key)!.sequence), alphabet).codes),
    };
  }

  async points(keys: readonly number[]): Promise<Float32Array> {
    const { dim } = this.#manifest;
    const found = await this.#byKey(keys, "point");
    const points = new Float32Array(keys.length * dim);
    keys.forEach((key, i) => points.set(pointOf(found.get(key)!.point), i * dim));
    return points;
  }

  async #byKey(keys: readonly number[], columns: string): Promise<Map<number, Record<string, unknown>>> {
    const found = await this.#client.query(
      `SELECT key::float8 AS key, ${columns} FROM ${this.#name} WHERE key = ANY($1::bigint[])`,
      [[...new Set(keys)]],
    );
    const rows = new Map(found.map((row) => [Number(row.key), row]));
    if (keys.some((key) => !rows.has(key))) {
      throw new EmbranchError("index: it was changed while it was searched; search again");
    }
    return rows;
  }

  blocks(): AsyncIterable<ReferenceBlock> {
    return rows(this.#client, this.#name, this.#model.alphabet);
  }

  close(): Promise<void> {
    return this.#client.close();
  }
}
