/**
 * @file An index in a database, behind a connection: built, changed, checked and opened in transactions.
 *
 * Tables and indexes are made in them too, so that a change is complete or has not happened, and searches go on
 * meanwhile. An index is built beside the one that is there, and takes its name at the end.
 */

import { Model } from "../../engine/model-file.ts";
import { EmbranchError, UsageError } from "../../error.ts";
import type { Space } from "../../geometry/index.ts";
import { VERSION } from "../../version.ts";
import { digestOf, requireNoneMissing, requireSameModel } from "./index-checks.ts";
import { graphDefaults } from "./nearest-graph.ts";
import { SqlReferences } from "./sql-references.ts";
import {
  load,
  manifestSchema,
  OPERATORS,
  REGISTRY,
  rows,
  type Manifest,
  type SqlClient,
} from "./sql-table.ts";
import type { BuildOptions, IndexStore, IndexSummary, OpenIndex } from "./store.ts";

/** Most numbers of a vector in an HNSW index. */
const MOST_DIMENSIONS = 2000;

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
