/**
 * @file The index folder on a machine that dies or fails at any moment.
 *
 * Every call that a change makes to the file system is a moment: from there on nothing is written any more, as after
 * kill -9, or that one call fails, as on a full disk or with too many open files.
 */

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import type * as FileSystem from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { Model } from "../../src/engine/model-file.ts";
import { folderStore } from "../../src/task/search/folder.ts";
import { subset, type SequenceSet } from "../../src/sequence/index.ts";
import type { IndexStore, ModelBytes } from "../../src/task/search/store.ts";
import { modelBytes, recordsOf, relatedReads, Scratch } from "./indexes.ts";

/** What is to happen to the calls: told of each, it may throw. */
const calls = vi.hoisted(() => ({
  watch: undefined as ((name: string, writes: boolean, path: unknown) => void | Promise<void>) | undefined,
}));

vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof FileSystem>();
  type Call = (...args: unknown[]) => Promise<unknown>;
  const watched =
    (name: string, call: Call, writes: (...args: unknown[]) => boolean): Call =>
    async (...args) => {
      await calls.watch?.(name, writes(...args), args[0]);
      return call(...args);
    };
  const patched: Record<string, unknown> = { ...real };
  for (const name of ["readFile", "readdir", "stat"] as const)
    patched[name] = watched(name, real[name] as Call, () => false);
  for (const name of ["mkdir", "rename", "rm", "rmdir"] as const)
    patched[name] = watched(name, real[name] as unknown as Call, () => true);
  const open = watched("open", real.open as unknown as Call, (_, flags) => /^(w|a)/.test(String(flags)));
  patched.open = async (...args: unknown[]) => {
    const handle = (await open(...args)) as FileSystem.FileHandle;
    for (const name of ["write", "writeFile"] as const) {
      const call = handle[name].bind(handle) as Call;
      Object.assign(handle, { [name]: watched(name, call, () => true) });
    }
    // No power is lost here; flushing takes time.
    handle.sync = () => Promise.resolve();
    return handle;
  };
  return patched;
});

const scratch = new Scratch();
const one = { threads: 1 };
let all: SequenceSet;
let placed: ModelBytes;
let source: string;
beforeAll(async () => {
  ({ references: all } = await relatedReads(40, { apart: 100 }));
  placed = await modelBytes({ length: 60 });
  // The model is the same every time; starting a runtime for it takes most of the time.
  vi.spyOn(Model, "decode").mockResolvedValue(placed.model);
  vi.spyOn(placed.model, "close").mockResolvedValue();
  source = scratch.at("source.idx");
  const store = folderStore(source);
  await store.build(placed, recordsOf(part(0, 8)), one);
  await store.append(recordsOf(part(8, 12)), one);
  await store.delete([all.ids[1]]);
});
afterAll(async () => {
  vi.restoreAllMocks();
  await placed.model.close();
});
afterEach(() => {
  calls.watch = undefined;
});
const part = (start: number, end: number) =>
  subset(
    all,
    Array.from({ length: end - start }, (_, i) => start + i),
  );

/** The ids in an index that opens, and whose every point is where it should be. */
async function idsAt(path: string): Promise<string[]> {
  const opened = await folderStore(path).open(one);
  const { references, model } = opened;
  try {
    const found: string[] = [];
    for await (const { keys, ids, codes } of references.blocks()) {
      found.push(...ids);
      if (ids.length === 0) continue;
      const points = await references.points(keys);
      const { keys: nearest } = await references.nearest(await model.embed(codes), ids.length, 1000);
      expect(points).toHaveLength(ids.length * model.manifest.dim);
      ids.forEach((id, i) => {
        expect(codes[i]).toEqual(all.codes[all.ids.indexOf(id)]);
        expect(nearest[i]).toContain(keys[i]);
      });
    }
    return found;
  } finally {
    await opened.close();
  }
}

const CHANGES: [string, (store: IndexStore) => Promise<unknown>][] = [
  ["append", (store) => store.append(recordsOf(part(12, 20)), one)],
  ["delete", (store) => store.delete([all.ids[2], all.ids[9]])],
  ["compact", (store) => store.compact(one)],
  ["build", (store) => store.build(placed, recordsOf(part(20, 30)), one)],
];

let runs = 0;
/** A copy of the index. */
function copy(): string {
  const path = scratch.at(`${++runs}.idx`);
  cpSync(source, path, { recursive: true });
  return path;
}

const DEAD = Object.assign(new Error("the process is dead"), { code: "EIO" });

/** What changes the folder to be seen: half a new file is as good as an empty one. */
const isMoment = ({ name, writes }: { name: string; writes: boolean }) => writes && name !== "write";

/** Names of the calls that a change makes, and what there is before and after it. */
async function recorded(change: (store: IndexStore) => Promise<unknown>) {
  const path = copy();
  const before = await idsAt(path);
  const made: { name: string; writes: boolean }[] = [];
  calls.watch = (name, writes) => void made.push({ name, writes });
  await change(folderStore(path));
  calls.watch = undefined;
  return { before, after: await idsAt(path), made };
}

/** A process that has ended. */
const dead = spawnSync(process.execPath, ["--version"]).pid;

/** Makes a lock that is left over one of a process that has died, for this one lives on. */
function orphanLock(path: string): void {
  const lock = join(path, ".lock");
  if (!existsSync(lock)) return;
  if (readFileSync(lock).length > 0) writeFileSync(lock, JSON.stringify({ pid: dead, host: hostname() }));
  else utimesSync(lock, new Date(), new Date(Date.now() - 60_000));
}

/** Nothing lies about but what the manifest names. */
function isTidy(path: string): void {
  const names = readdirSync(path);
  const { model: used, segments } = JSON.parse(readFileSync(join(path, "manifest.json"), "utf8")) as {
    model: { file: string };
    segments: { folder: string }[];
  };
  expect(names.sort()).toEqual([...segments.map(({ folder }) => folder), "manifest.json", used.file].sort());
}

describe.each(CHANGES)("%s", (_, change) => {
  test("dead before any of its writes: the index is what it was, or what it was to be", async () => {
    const { before, after, made } = await recorded(change);
    const writes = made.filter(isMoment).length;
    expect(writes).toBeGreaterThan(5);
    const outcomes: string[][] = [];
    for (let last = 0; last < writes; last++) {
      const path = copy();
      let at = 0;
      calls.watch = (name, writes) => {
        if (isMoment({ name, writes }) && at++ >= last) throw DEAD;
      };
      await change(folderStore(path)).catch(() => undefined);
      calls.watch = undefined;
      orphanLock(path);
      const left = await idsAt(path);
      outcomes.push(left);
      expect([before, after], `dead before write ${last} of ${writes}`).toContainEqual(left);
      // The next change sweeps up, and goes through.
      await folderStore(path).delete([left[0]]);
      isTidy(path);
      expect(await folderStore(path).verify()).toMatchObject({ references: left.length - 1 });
      rmSync(path, { recursive: true });
    }
    expect(outcomes[0]).toEqual(before);
    expect(outcomes.at(-1)).toEqual(after);
  }); // prettier-ignore

  test("one call that fails, the rest going through: the same", async () => {
    const { before, after, made } = await recorded(change);
    for (const [which, { name, writes }] of made.entries()) {
      const path = copy();
      const code = writes ? "ENOSPC" : "EMFILE";
      let at = 0;
      calls.watch = () => {
        if (at++ === which) throw Object.assign(new Error(`${code}: a fault`), { code });
      };
      await change(folderStore(path)).catch(() => undefined);
      calls.watch = undefined;
      const left = await idsAt(path).catch((error: unknown) => String(error));
      expect([before, after], `${code} in call ${which} of ${made.length}, ${name}`).toContainEqual(left);
      rmSync(path, { recursive: true });
    }
  });
});

const build = (path: string) => folderStore(path).build(placed, recordsOf(part(0, 5)), one);

/** Builds an index, which what is watched ends at `moment`, and again, which must succeed. */
async function buildsAgain(path: string, moment: string): Promise<void> {
  await build(path).catch(() => undefined);
  calls.watch = undefined;
  orphanLock(path);
  const left = existsSync(path) ? readdirSync(path).join(" ") : "nothing";
  const again = await build(path).then(
    () => "built",
    (error: unknown) => String(error),
  );
  expect(again, `${moment}, which left ${left}`).toBe("built");
  expect(await idsAt(path)).toEqual(all.ids.slice(0, 5));
}

test("a first building that dies before any of its writes can be begun again", async () => {
  let writes = 0;
  calls.watch = (name, isWrite) => void (writes += Number(isMoment({ name, writes: isWrite })));
  await build(scratch.at("counted.idx"));
  for (let last = 0; last < writes; last++) {
    const path = scratch.at(`first-${last}.idx`);
    let at = 0;
    calls.watch = (name, writes) => {
      if (isMoment({ name, writes }) && at++ >= last) throw DEAD;
    };
    await buildsAgain(path, `write ${last} of ${writes}`);
    isTidy(path);
  }
});

test("a first building of which one call fails can be begun again", async () => {
  const made: string[] = [];
  calls.watch = (name) => void made.push(name);
  await build(scratch.at("whole.idx"));
  for (const [which, name] of made.entries()) {
    const path = scratch.at(`fault-${which}.idx`);
    let at = 0;
    calls.watch = () => {
      if (at++ === which) throw Object.assign(new Error("ENOSPC: a fault"), { code: "ENOSPC" });
    };
    await buildsAgain(path, `call ${which} of ${made.length}, ${name}`);
  }
});

describe.each(CHANGES)("an index that is opened while it is changed: %s", (_, change) => {
  test("opens as it was, or as it was to be, whichever file is read when", async () => {
    const { before, after } = await recorded(change);
    const path = copy();
    let reads = 0;
    calls.watch = () => void reads++;
    await (await folderStore(path).open(one)).close();
    for (let which = 0; which < reads; which++) {
      const place = copy();
      let at = 0;
      calls.watch = async () => {
        if (at++ !== which) return;
        calls.watch = undefined;
        await change(folderStore(place));
      };
      const left = await idsAt(place).catch((error: unknown) => String(error));
      expect([before, after], `changed before read ${which} of ${reads}`).toContainEqual(left);
      rmSync(place, { recursive: true });
    }
  });
});
