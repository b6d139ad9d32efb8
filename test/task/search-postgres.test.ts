/**
 * @file The index in PostgreSQL: on PGlite with pgvector, which is PostgreSQL in this process, and on a real server
 * as far as that goes without the extension.
 */

import { PGlite } from "@electric-sql/pglite";
import { vector } from "@electric-sql/pglite-pgvector";
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Model } from "../../src/engine/model-file.ts";
import type { GeometryName } from "../../src/geometry/index.ts";
import { EditDistances } from "../../src/kernel/index.ts";
import { decode, type SequenceSet } from "../../src/sequence/index.ts";
import { postgresStore } from "../../src/task/search/postgres.ts";
import { sqlStore } from "../../src/task/search/sql-store.ts";
import type { SqlClient } from "../../src/task/search/sql-table.ts";
import { referencesInMemory } from "../../src/task/search/memory.ts";
import { RecallCheck } from "../../src/task/search/recall.ts";
import type { References } from "../../src/task/search/references.ts";
import { search, type QueryHits, type SearchOptions } from "../../src/task/search/search.ts";
import type { IndexStore } from "../../src/task/search/store.ts";
import { readsOf, untrainedFile } from "./models.ts";

async function* recordsOf({ ids, codes, alphabet }: SequenceSet, from = 0, to = ids.length) {
  for (let i = from; i < to; i++)
    yield await Promise.resolve({ id: ids[i], description: "", sequence: decode(codes[i], alphabet) });
}

/** PGlite behind the interface of a connection. */
function clientOf(db: PGlite): SqlClient {
  return {
    query: async (text, values) =>
      (await db.query<Record<string, unknown>>(text, values && [...values])).rows,
    copy: async (table, columns, rows) => {
      let text = "";
      for await (const row of rows) text += row;
      await db.query(`COPY ${table} (${columns}) FROM '/dev/blob'`, [], { blob: new Blob([text]) });
    },
    close: () => Promise.resolve(),
  };
}

let kernel: EditDistances;
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 1 });
});
afterAll(async () => {
  await kernel.close();
});

async function found(
  references: References,
  model: Model,
  queries: SequenceSet,
  options: SearchOptions,
): Promise<QueryHits[]> {
  const answers: QueryHits[] = [];
  const tools = { references, kernel, alphabet: model.alphabet, model };
  for await (const block of search(tools, recordsOf(queries), options)) answers.push(...block);
  return answers;
}

const targets = (answers: readonly QueryHits[]) =>
  answers.map(({ hits }) => hits.map(({ target, edits }) => [target, edits]));

describe("pgvector", () => {
  let db: PGlite;
  let store: IndexStore;
  const shown = "postgres://here/db";
  beforeAll(async () => {
    db = await PGlite.create({ extensions: { vector } });
    store = sqlStore(() => Promise.resolve(clientOf(db)), { name: "refs", shown });
  }, 60_000);
  afterAll(async () => {
    await db.close();
  });

  const modelOf = async (geometry: GeometryName, length = 60) => {
    const { bytes } = await untrainedFile({ length, geometry });
    return { bytes, model: await Model.decode(bytes, "m.onnx", { threads: 1 }) };
  };

  test.each(["hyperbolic", "euclidean", "square", "cosine", "manhattan"] as const)(
    "finds what an index in memory finds: %s",
    async (geometry) => {
      const references = await readsOf({ leaves: 150, length: 50, seed: 2 });
      const queries = await readsOf({ leaves: 20, length: 50, seed: 2 });
      const given = await modelOf(geometry);
      const summary = await store.build(given, recordsOf(references));
      expect(summary).toMatchObject({ references: 150, deleted: 0, model: { geometry } });
      const opened = await store.open();
      const here = await referencesInMemory(references, given.model, { scan: true, threads: 1 });
      for (const options of [
        { rerank: 150, top: 5 },
        { rerank: 0, top: 5 },
        { exact: true, top: 5 },
      ]) {
        const theirs = await found(opened.references, opened.model, queries, options);
        const ours = await found(here, given.model, queries, options);
        const distances = (answers: QueryHits[]) =>
          answers.map(({ hits }) =>
            hits.map(({ edits, distance }) => (options.rerank === 0 ? distance!.toFixed(3) : edits)),
          );
        expect(distances(theirs)).toEqual(distances(ours));
      }
      const check = new RecallCheck({ queries: 20 });
      check.add(await found(opened.references, opened.model, queries, { top: 1, rerank: 150 }));
      expect(await check.estimate({ references: opened.references, kernel })).toMatchObject({
        queries: 20,
        recall: 1,
      });
      await opened.close();
    },
  );

  test("ids of any characters come back, with their sequences", async () => {
    const [space, slash] = ["a b|c", "c\\d'e\"f;--"];
    async function* records() {
      yield await Promise.resolve({ id: space, description: "", sequence: "ACGTNRYACGT" });
      yield { id: slash, description: "", sequence: "ACGT" };
    }
    await store.build(await modelOf("hyperbolic"), records());
    const opened = await store.open();
    const blocks = [];
    for await (const block of opened.references.blocks()) blocks.push(block);
    expect(blocks.flatMap(({ ids }) => ids)).toEqual([space, slash]);
    expect(blocks.flatMap(({ codes }) => codes.map((each) => decode(each, opened.model.alphabet)))).toEqual([
      "ACGTNRYACGT",
      "ACGT",
    ]);
    await opened.close();
  });

  test("appends, deletes, refuses, and keeps what it has", async () => {
    const references = await readsOf({ leaves: 60, length: 50, seed: 3 });
    const given = await modelOf("hyperbolic");
    await store.build(given, recordsOf(references, 0, 40));
    expect(await store.append(recordsOf(references, 40), { model: given })).toMatchObject({ references: 60 });
    await expect(store.append(recordsOf(references, 10, 12))).rejects.toThrow(/id must be unique/);
    await expect(
      store.append(recordsOf(references, 0, 1), { model: await modelOf("cosine") }),
    ).rejects.toThrow(/of another model/);
    await expect(store.delete([references.ids[0], "nobody"])).rejects.toThrow(
      /no reference "nobody"; nothing was deleted/,
    );
    expect(await store.info()).toMatchObject({ references: 60 });
    expect(await store.delete([references.ids[0], references.ids[59]])).toMatchObject({
      deleted: 2,
      summary: { references: 58 },
    });
    expect(await store.verify()).toMatchObject({ references: 58 });
    const opened = await store.open();
    const answers = await found(opened.references, opened.model, references, { top: 1, rerank: 58 });
    expect(answers[1].hits[0].target).toBe(references.ids[1]);
    expect(targets(answers).flat(2)).not.toContain(references.ids[59]);
    await opened.close();
  });

  test("a build that fails leaves the index that was there", async () => {
    const references = await readsOf({ leaves: 30, length: 50, seed: 4 });
    const given = await modelOf("hyperbolic");
    await store.build(given, recordsOf(references));
    async function* broken() {
      yield* recordsOf(references, 0, 20);
      throw new Error("the disk is gone");
    }
    await expect(store.build(given, broken())).rejects.toThrow();
    await expect(store.build(given, recordsOf(await readsOf({ leaves: 5, length: 90 })))).rejects.toThrow(
      /at most/,
    );
    expect(await store.verify()).toMatchObject({ references: 30 });
    expect(await store.build(given, recordsOf(references, 0, 10))).toMatchObject({ references: 10 });
  });

  test("refuses free hyperbolic points, foreign tables and damaged registers", async () => {
    const references = await readsOf({ leaves: 5, length: 50 });
    await expect(store.build(await modelOf("lorentz"), recordsOf(references))).rejects.toThrow(
      /no index in PostgreSQL/,
    );
    await db.query("CREATE TABLE theirs (x int)");
    const theirs = sqlStore(() => Promise.resolve(clientOf(db)), { name: "theirs", shown });
    await expect(theirs.build(await modelOf("cosine"), recordsOf(references))).rejects.toThrow(/is no index/);
    await expect(theirs.open()).rejects.toThrow(/there is no index "theirs"/);
    await store.build(await modelOf("cosine"), recordsOf(references));
    await db.query("UPDATE embranch_indexes SET model = 'no model'");
    await expect(store.open()).rejects.toThrow(/model of index "refs" is damaged/);
  });
});

test("addresses are checked, and passwords not shown", async () => {
  expect(() => postgresStore("postgres://localhost/db?index=Robert'); DROP TABLE x")).toThrow(
    /small letters/,
  );
  await expect(postgresStore("postgres://me:secret@127.0.0.1:1/db").info()).rejects.toThrow(
    /postgres:\/\/me:\*\*\*@127\.0\.0\.1:1\/db: there is no connection/,
  );
});

/** Where PostgreSQL's programs are: on the path, or where Debian has them. */
function serverPrograms(): string | undefined {
  const debian = "/usr/lib/postgresql";
  const places = [
    ...(existsSync(debian) ? readdirSync(debian).map((version) => join(debian, version, "bin")) : []),
  ];
  return places.find((place) => existsSync(join(place, "initdb")));
}

const programs = serverPrograms();
describe.skipIf(programs === undefined)(
  "a real server without pgvector (skipped where none is installed)",
  () => {
    let folder: string;
    /** PostgreSQL refuses to run as root. */
    const run = (command: string) =>
      process.getuid?.() === 0
        ? spawnSync("runuser", ["-u", "postgres", "--", "sh", "-c", command], { encoding: "utf8" })
        : spawnSync("sh", ["-c", command], { encoding: "utf8" });
    const port = 20_000 + (process.pid % 10_000);
    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), "embranch-pg-"));
      spawnSync("chmod", ["777", folder]);
      const made = run(`${programs}/initdb -D ${folder}/data -A trust -U tester --no-sync`);
      expect(made.status, made.stderr).toBe(0);
      const started = run(
        `${programs}/pg_ctl -D ${folder}/data -w -l ${folder}/log -o "-p ${port} -k ${folder} -c fsync=off" start`,
      );
      expect(started.status, started.stdout).toBe(0);
    }, 60_000);
    afterAll(async () => {
      run(`${programs}/pg_ctl -D ${folder}/data -m immediate stop`);
      run(`rm -rf ${folder}/data ${folder}/log`);
      await rm(folder, { recursive: true, force: true });
    });

    test("is reached, and says that the extension is missing", async () => {
      const store = postgresStore(`postgres://tester@127.0.0.1:${port}/postgres?index=refs`);
      await expect(store.info()).rejects.toThrow(/there is no index "refs"/);
      const { bytes } = await untrainedFile({ length: 60 });
      const model = await Model.decode(bytes, "m.onnx", { threads: 1 });
      const references = await readsOf({ leaves: 5, length: 50 });
      const available = spawnSync(`${programs}/psql`, ["-h", "127.0.0.1", "-p", String(port), "-U", "tester", "-d", "postgres", "-Atc", "SELECT count(*) FROM pg_available_extensions WHERE name = 'vector'"], { encoding: "utf8" }); // prettier-ignore
      const building = store.build({ bytes, model }, recordsOf(references));
      if (available.stdout.trim() === "0")
        await expect(building).rejects.toThrow(/must have the extension pgvector/);
      else await expect(building).resolves.toMatchObject({ references: 5 });
    });

    test("rows go in by COPY as they come out", async () => {
      // The table without its vector column is all that a server without the extension can hold.
      const { default: pg } = await import("pg");
      const { from } = await import("pg-copy-streams");
      const client = new pg.Client({ host: "127.0.0.1", port, user: "tester", database: "postgres" });
      await client.connect();
      await client.query("CREATE TABLE copied (id text, point bytea)");
      const sink = client.query(from("COPY copied (id, point) FROM STDIN"));
      await new Promise<void>((resolve, reject) => {
        sink.on("finish", resolve).on("error", reject).end("a\\tb\t\\\\x0000803f\n");
      });
      const { rows } = await client.query<{ id: string; point: Buffer }>("SELECT * FROM copied");
      expect(rows[0].id).toBe("a\tb");
      expect(new Float32Array(Uint8Array.from(rows[0].point).buffer)).toEqual(Float32Array.of(1));
      await client.end();
    });
  },
);
