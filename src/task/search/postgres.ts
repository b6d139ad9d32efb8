/**
 * @file An index in PostgreSQL with pgvector, for references that many machines search.
 *
 *     embranch_indexes (name, manifest jsonb, model bytea)         one row an index
 *     <name> (key, id, sequence, point bytea, embedding vector)    one row a reference, with an HNSW index
 *
 * `postgres://user@host/database?index=<name>` names an index; without a name it is `embranch`. Everything is done in
 * transactions, tables and indexes included, so that a change is complete or has not happened, and searches go on
 * meanwhile. References are loaded with COPY.
 *
 * pgvector compares by the cosine, by L2, and, unlike the folder's index, by L1, so that Manhattan spaces have a graph
 * here. Free hyperbolic points are refused: their vectors depend on the furthest of all, which a table that grows does
 * not know. A `vector` has at most 2,000 numbers in an HNSW index.
 *
 * Malkov and Yashunin 2020 (HNSW); pgvector was chosen because it is the extension that servers have.
 */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { z } from "zod";
import { Model } from "../../engine/model-file.ts";
import { EmbranchError, UsageError } from "../../error.ts";
import { GEOMETRY_NAMES, type Space } from "../../geometry/index.ts";
import { decode, encode, type Alphabet, type SequenceRecord } from "../../sequence/index.ts";
import { bytesOf } from "../../sequence/npy.ts";
import { systemCode } from "../../system-error.ts";
import { VERSION } from "../../version.ts";
import type { EmbeddedBlock } from "../embed.ts";
import { digestOf, requireNoneMissing, requireSameModel } from "./index-checks.ts";
import { graphDefaults } from "./nearest-graph.ts";
import { placeRecords } from "./place.ts";
import type { Candidates, ReferenceBlock, References } from "./references.ts";
import type { BuildOptions, IndexStore, IndexSummary, OpenIndex, OpenOptions } from "./store.ts";

/** A connection to a database. */
export interface SqlClient {
  query(text: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
  /** Runs `COPY … FROM STDIN` with the text of the rows. */
  copy(table: string, columns: string, rows: AsyncIterable<string>): Promise<void>;
  close(): Promise<void>;
}

const manifestSchema = z.object({
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

type Manifest = z.infer<typeof manifestSchema>;

/** pgvector's operator and operator class of a metric. */
const OPERATORS = {
  cos: { operator: "<=>", operatorClass: "vector_cosine_ops" },
  l2: { operator: "<->", operatorClass: "vector_l2_ops" },
  l1: { operator: "<+>", operatorClass: "vector_l1_ops" },
} as const;

/** Most numbers of a vector in an HNSW index. */
const MOST_DIMENSIONS = 2000;
/** Greatest ef of pgvector. */
const MOST_EXPANSION = 1000;
const REGISTRY = "embranch_indexes";
/** References of a block that is read. */
const BLOCK = 4096;

/** An index in the database that `url` names. */
export function postgresStore(url: string): IndexStore {
  const { server, name, shown } = parseUrl(url);
  return sqlStore(() => connect(server, shown), { name, shown });
}

function parseUrl(text: string): { server: string; name: string; shown: string } {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new UsageError(`index: must be like postgres://user@host/database?index=name, got ${text}`);
  }
  const name = url.searchParams.get("index") ?? "embranch";
  if (!/^[a-z_][a-z0-9_]{0,48}$/.test(name) || name === REGISTRY) {
    throw new UsageError(
      `index: its name in the database must be of small letters, digits and underscores, 49 at most, got "${name}"`,
    );
  }
  url.searchParams.delete("index");
  const shown = new URL(text);
  if (shown.password !== "") shown.password = "***";
  return { server: url.href, name, shown: shown.href };
}

async function connect(server: string, shown: string): Promise<SqlClient> {
  const [{ default: pg }, { from: copyFrom }] = await Promise.all([import("pg"), import("pg-copy-streams")]);
  const client = new pg.Client({ connectionString: server, application_name: "embranch" });
  // A connection that breaks rejects the query under way; without a listener it would end the process too.
  client.on("error", () => undefined);
  try {
    await client.connect();
  } catch (cause) {
    const reason = systemCode(cause) ?? (cause instanceof Error ? cause.message : String(cause));
    throw new EmbranchError(
      `${shown}: there is no connection to the database (${reason}); check the address`,
      { cause },
    );
  }
  return {
    query: async (text, values) =>
      (await client.query<Record<string, unknown>>(text, values && [...values])).rows,
    copy: async (table, columns, rows) => {
      const sink = client.query(copyFrom(`COPY ${table} (${columns}) FROM STDIN`));
      await pipeline(Readable.from(rows), sink);
    },
    close: () => client.end(),
  };
}

/** An index called `name` in a database; `shown` names the database in messages. */
export function sqlStore(
  connecting: () => Promise<SqlClient>,
  { name, shown }: { name: string; shown: string },
): IndexStore {
  const withClient = async <T>(work: (client: SqlClient) => Promise<T>): Promise<T> => {
    const client = await connecting();
    try {
      return await work(client);
    } finally {
      await client.close();
    }
  };
  /** Runs `work` so that all of it happens or none. */
  const transaction = <T>(work: (client: SqlClient) => Promise<T>): Promise<T> =>
    withClient(async (client) => {
      await client.query("BEGIN");
      try {
        const result = await work(client);
        await client.query("COMMIT");
        return result;
      } catch (error) {
        // Where the connection has gone, the server has rolled back itself.
        await client.query("ROLLBACK").catch(() => undefined);
        throw error;
      }
    });

  return {
    build: ({ model, bytes }, records, options = {}) =>
      transaction(async (client) => {
        const manifest = newManifest(model, bytes, options);
        await requirePgvector(client, shown);
        await client.query(
          `CREATE TABLE IF NOT EXISTS ${REGISTRY} (name text PRIMARY KEY, manifest jsonb NOT NULL, model bytea NOT NULL)`,
        );
        // Two that build the same index wait for each other.
        await client.query(`SELECT pg_advisory_xact_lock(hashtext($1))`, [name]);
        const [{ there }] = await client.query("SELECT to_regclass($1) AS there", [name]);
        if (there !== null && (await readRegistry(client, name)) === undefined) {
          throw new UsageError(
            `${shown}: there is a table "${name}" that is no index; choose another ?index=`,
          );
        }
        const { metric, connectivity, expansion } = manifest;
        const fresh = `${name}_building`;
        await client.query(
          `CREATE TABLE ${fresh} (key bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id text NOT NULL UNIQUE, ` +
            `sequence text NOT NULL, point bytea NOT NULL, embedding vector(${vectorDims(model.space, manifest)}) NOT NULL)`,
        );
        const count = await load(client, fresh, model, records, options);
        options.progress?.("linking", 0, count);
        await client.query(
          `CREATE INDEX ${fresh}_hnsw ON ${fresh} USING hnsw (embedding ${OPERATORS[metric].operatorClass}) ` +
            `WITH (m = ${connectivity}, ef_construction = ${Math.max(expansion, 2 * connectivity)})`,
        );
        options.progress?.("linking", count, count);
        await client.query(`DROP TABLE IF EXISTS ${name}`);
        await client.query(`ALTER TABLE ${fresh} RENAME TO ${name}`);
        await client.query(`ALTER INDEX ${fresh}_hnsw RENAME TO ${name}_hnsw`);
        await client.query(`ALTER INDEX ${fresh}_pkey RENAME TO ${name}_pkey`);
        await client.query(`ALTER INDEX ${fresh}_id_key RENAME TO ${name}_id_key`);
        await client.query(
          `INSERT INTO ${REGISTRY} VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET manifest = $2, model = $3`,
          [name, JSON.stringify(manifest), Buffer.from(bytes)],
        );
        return summarise(client, name, manifest);
      }),

    append: (records, options = {}) =>
      transaction(async (client) => {
        const { manifest, bytes } = await requireIndex(client, name, shown);
        if (options.model !== undefined) requireSameModel(shown, manifest, options.model.bytes);
        const model = await Model.decode(bytes, shown, options);
        try {
          await load(client, name, model, records, options);
        } finally {
          await model.close();
        }
        return summarise(client, name, manifest);
      }),

    delete: (ids) =>
      transaction(async (client) => {
        const { manifest } = await requireIndex(client, name, shown);
        const wanted = [...new Set(ids)];
        const gone = await client.query(`DELETE FROM ${name} WHERE id = ANY($1::text[]) RETURNING id`, [
          wanted,
        ]);
        const there = new Set(gone.map(({ id }) => id));
        requireNoneMissing(
          shown,
          wanted.filter((id) => !there.has(id)),
        );
        return { summary: await summarise(client, name, manifest), deleted: wanted.length };
      }),

    compact: () =>
      withClient(async (client) => {
        const { manifest } = await requireIndex(client, name, shown);
        await client.query(`VACUUM ${name}`);
        return summarise(client, name, manifest);
      }),

    verify: ({ progress, signal } = {}) =>
      withClient(async (client) => {
        const { manifest, bytes } = await requireIndex(client, name, shown);
        const model = await Model.decode(bytes, shown);
        const { references } = await summarise(client, name, manifest);
        let done = 0;
        try {
          for await (const { ids, points } of rows(client, name, model.alphabet)) {
            signal?.throwIfAborted();
            const broken = points.findIndex(
              (point) => point.length !== manifest.dim || point.some(Number.isNaN),
            );
            if (broken >= 0) {
              throw new EmbranchError(
                `${shown}: the point of "${ids[broken]}" is damaged; build the index again`,
              );
            }
            progress?.((done += ids.length), references);
          }
        } finally {
          await model.close();
        }
        return summarise(client, name, manifest);
      }),

    info: () =>
      withClient(async (client) => {
        const { manifest } = await requireIndex(client, name, shown);
        return summarise(client, name, manifest);
      }),

    open: async (options = {}) => {
      const client = await connecting();
      try {
        const { manifest, bytes } = await requireIndex(client, name, shown);
        if (options.model !== undefined) requireSameModel(shown, manifest, options.model);
        const model = await Model.decode(bytes, shown, options);
        const { references: size } = await summarise(client, name, manifest);
        const references = new SqlReferences(client, { name, size, manifest, model }, options);
        const close = async (): Promise<void> => {
          await references.close();
          await model.close();
        };
        return { model, references, close } satisfies OpenIndex;
      } catch (error) {
        await client.close();
        throw error;
      }
    },
  };
}

function newManifest(model: Model, bytes: Uint8Array, { graph }: BuildOptions): Manifest {
  const { alphabet, length, dim, geometry } = model.manifest;
  if (model.space.indexesTogether) {
    throw new UsageError(
      `index: ${geometry} points have no index in PostgreSQL, got a model of them; use an index folder`,
    );
  }
  const { connectivity, expansion } = { ...graphDefaults("l2"), ...graph };
  return {
    version: 1,
    embranch: VERSION,
    digest: digestOf(bytes),
    alphabet,
    length,
    dim,
    geometry,
    metric: model.space.indexMetric ?? "l1",
    connectivity,
    expansion,
  };
}

function vectorDims({ name }: Space, { dim }: Manifest): number {
  if (dim <= MOST_DIMENSIONS) return dim;
  throw new UsageError(
    `index: PostgreSQL indexes ${MOST_DIMENSIONS} dimensions at most, got ${dim} of ${name}`,
  );
}

/** Makes sure that the extension is there. */
async function requirePgvector(client: SqlClient, shown: string): Promise<void> {
  const there = await client.query("SELECT 1 FROM pg_available_extensions WHERE name = 'vector'");
  if (there.length === 0) {
    throw new EmbranchError(
      `${shown}: the server must have the extension pgvector, got none; install it there (its package is named like postgresql-15-pgvector), or use an index folder`,
    );
  }
  await client.query("CREATE EXTENSION IF NOT EXISTS vector");
}

async function readRegistry(client: SqlClient, name: string) {
  const [{ there }] = await client.query("SELECT to_regclass($1) AS there", [REGISTRY]);
  if (there === null) return undefined;
  const [row] = await client.query(`SELECT manifest, model FROM ${REGISTRY} WHERE name = $1`, [name]);
  return row as { manifest: unknown; model: Uint8Array } | undefined;
}

async function requireIndex(
  client: SqlClient,
  name: string,
  shown: string,
): Promise<{ manifest: Manifest; bytes: Uint8Array }> {
  const row = await readRegistry(client, name);
  if (row === undefined) {
    throw new EmbranchError(`${shown}: there is no index "${name}"; build one with \`embranch index\``);
  }
  const parsed = manifestSchema.safeParse(row.manifest);
  if (!parsed.success) {
    throw new EmbranchError(
      `${shown}: index "${name}" must be of a kind that this program knows, got another; build it again`,
    );
  }
  const bytes = Uint8Array.from(row.model);
  if (digestOf(bytes) !== parsed.data.digest) {
    throw new EmbranchError(`${shown}: the model of index "${name}" is damaged; build it again`);
  }
  return { manifest: parsed.data, bytes };
}

async function summarise(client: SqlClient, name: string, manifest: Manifest): Promise<IndexSummary> {
  const [{ count, bytes }] = await client.query(
    `SELECT count(*)::int AS count, pg_total_relation_size('${name}')::float8 AS bytes FROM ${name}`,
  );
  const { digest, alphabet, length, dim, geometry, metric, connectivity, expansion, embranch } = manifest;
  return {
    references: Number(count),
    deleted: 0,
    parts: 1,
    bytes: Number(bytes),
    model: { digest, alphabet, length, dim, geometry },
    graph: `${metric}, connectivity ${connectivity}, expansion ${expansion}, in PostgreSQL`,
    embranch,
  };
}

/** Embeds records and copies them into the table; how many there were. */
async function load(
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
function pointOf(bytes: unknown): Float32Array {
  return new Float32Array(Uint8Array.from(bytes as Uint8Array).buffer);
}

/** All rows, in the order of their keys. */
async function* rows(
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

/** Searches a table. */
class SqlReferences implements References {
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
