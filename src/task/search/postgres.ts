/**
 * @file An index in PostgreSQL with pgvector, for references that many machines search.
 *
 * `postgres://user@host/database?index=<name>` names an index; without a name it is `embranch`. Its tables are those of
 * sql-table.ts. Everything is done in transactions (sql-store.ts).
 *
 * pgvector compares by the cosine, by L2, and, unlike the folder's index, by L1, so that Manhattan spaces have a graph
 * here. Free hyperbolic points are refused: their vectors depend on the furthest of all, which a table that grows does
 * not know. A `vector` has at most 2,000 numbers in an HNSW index.
 *
 * Malkov and Yashunin 2020 (HNSW); pgvector was chosen because it is the extension that servers have.
 */

import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { EmbranchError, UsageError } from "../../error.ts";
import { systemCode } from "../../system-error.ts";
import { sqlStore } from "./sql-store.ts";
import { REGISTRY, type SqlClient } from "./sql-table.ts";
import type { IndexStore } from "./store.ts";

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
