/** @file The index folder: every way to come to the same references, and what is refused on the way. */

import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { EmbranchError, FormatError, UsageError } from "../../src/error.ts";
import { EditDistances } from "../../src/kernel/index.ts";
import { subset, type SequenceRecord, type SequenceSet } from "../../src/sequence/index.ts";
import { readIndexManifest } from "../../src/task/search/folder-manifest.ts";
import { folderStore } from "../../src/task/search/folder.ts";
import { NameList } from "../../src/task/search/segment.ts";
import type { ModelBytes, OpenIndex, OpenOptions } from "../../src/task/search/store.ts";
import { answersOf, modelBytes, recordsOf, relatedReads, Scratch, setOf } from "./indexes.ts";

const scratch = new Scratch();
const LENGTH = 60;
const one = { threads: 1 };

let kernel: EditDistances;
let all: SequenceSet;
let queries: SequenceSet;
let model: ModelBytes;
let other: ModelBytes;
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 1 });
  ({ references: all, queries } = await relatedReads(84, { apart: 8 }));
  model = await modelBytes({ length: LENGTH });
  other = await modelBytes({ length: LENGTH, seed: 2 });
});
afterAll(async () => {
  await model.model.close();
  await other.model.close();
  await kernel.close();
});

let count = 0;
/** A path where nothing is yet. */
const fresh = (): string => scratch.at(`${++count}.idx`);
const range = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
const part = (start: number, end = all.ids.length) => subset(all, range(start, end));

/** Everything that an open index answers; edits and ids alone do not depend on where the references lie. */
async function answers({ references, model }: OpenIndex) {
  const tools = { references, model, kernel, alphabet: model.alphabet };
  const exact = await answersOf(tools, queries, { exact: true, top: 5 });
  const near = await answersOf(tools, queries, { rerank: 1000, top: 5 });
  return {
    exact: exact.map(({ hits }) => hits.map(({ target, edits }) => [target, edits])),
    near: near.map(({ hits }) => hits.map(({ edits }) => edits)),
    distances: near.map(({ hits }) => hits.map(({ distance }) => distance!.toFixed(3))),
  };
}

/** The same of an index that is opened for it. */
async function answersAt(path: string, options: OpenOptions = one) {
  const opened = await folderStore(path).open(options);
  try {
    return await answers(opened);
  } finally {
    await opened.close();
  }
}

/** All files of a folder, and what is in them, in short. */
function contents(path: string): Map<string, string> {
  const names = readdirSync(path, { recursive: true, encoding: "utf8" }).sort();
  const told = (file: string) => {
    if (statSync(file).isDirectory()) return "folder";
    const bytes = readFileSync(file);
    return bytes.length < 50 ? bytes.toString() : createHash("sha256").update(bytes).digest("hex");
  };
  return new Map(names.map((name) => [name, told(join(path, name))]));
}

/** The message of an `EmbranchError` that a change must throw, leaving the folder as it is. */
async function refusal(path: string, change: () => Promise<unknown>): Promise<string> {
  const before = contents(path);
  const error: unknown = await change().then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(EmbranchError);
  expect(contents(path)).toEqual(before);
  return (error as Error).message;
}

/** An index of some references, and its store. */
async function built(set: SequenceSet, { with: placed = model, at: path = fresh() } = {}) {
  const store = folderStore(path);
  await store.build(placed, recordsOf(set), one);
  return { path, store };
}

describe.each(["hyperbolic", "euclidean", "manhattan", "lorentz"] as const)(
  "in %s space the same answers as of an index built at once",
  (geometry) => {
    let placed: ModelBytes;
    let whole: Awaited<ReturnType<typeof answersAt>>;
    beforeAll(async () => {
      placed = await modelBytes({ length: LENGTH, geometry });
      whole = await answersAt((await built(all, { with: placed })).path);
    });
    afterAll(() => placed.model.close());

    test("are given by one that grew", async () => {
      const { path, store } = await built(part(0, 30), { with: placed });
      await store.append(recordsOf(part(30, 31)), one);
      expect(await store.append(recordsOf(part(31)), one)).toMatchObject({ references: 73, parts: 3 });
      expect(await answersAt(path)).toEqual(whole);
      expect(await answersAt(path, { ...one, scan: true })).toEqual(whole);
      await store.verify();
      expect(await store.compact(one)).toMatchObject({ references: 73, parts: 1, deleted: 0 });
      expect(await answersAt(path)).toEqual(whole);
      await store.verify();
    });

    test("are given by one that held more, before and after it is compacted", async () => {
      // Strangers and copies, in all parts: near the queries, or nearer than what stays.
      const strays = { ...queries, ids: queries.ids.map((id) => `stray ${id}`.replace(" ", "-")) };
      const { path, store } = await built(subset(strays, [0, 1, 2]), { with: placed });
      await store.append(recordsOf(part(0, 40)), one);
      await store.append(recordsOf(subset(strays, range(3, strays.ids.length))), one);
      await store.append(recordsOf(part(40)), one);
      const { summary, deleted } = await store.delete(strays.ids);
      expect([deleted, summary.references, summary.deleted, summary.parts]).toEqual([11, 73, 11, 4]);
      expect(await answersAt(path)).toEqual(whole);
      await store.verify();
      const { bytes } = summary;
      const compacted = await store.compact(one);
      expect(compacted).toMatchObject({ references: 73, deleted: 0, parts: 1 });
      expect(compacted.bytes).toBeLessThan(bytes);
      expect(await answersAt(path)).toEqual(whole);
      await store.verify();
    });
  },
);

describe("what lies in the folder", () => {
  test("is the manifest, the model, and the parts", async () => {
    const { path, store } = await built(part(0, 5));
    const summary = await store.append(recordsOf(part(5, 7)), one);
    const { model: used, segments } = await readIndexManifest(path);
    expect(readdirSync(path).sort()).toEqual([segments[0].folder, segments[1].folder, "manifest.json", used.file].sort()); // prettier-ignore
    const files = ["codes.npy", "graph.usearch", "names.txt", "offsets.npy", "points.npy"];
    for (const { folder } of segments) expect(readdirSync(join(path, folder)).sort()).toEqual(files);
    const sizes = segments.flatMap(({ folder }) => files.map((name) => statSync(join(path, folder, name)).size)); // prettier-ignore
    expect(summary.bytes).toBe(sizes.reduce((a, b) => a + b));
    expect(readFileSync(join(path, used.file))).toEqual(Buffer.from(model.bytes));
    expect(await store.info()).toEqual(summary);
    expect(readFileSync(join(path, segments[1].folder, "names.txt"), "utf8")).toBe(
      part(5, 7).ids.map((id) => `${id}\n`).join(""),
    ); // prettier-ignore
  });

  test("without an index of the space there is no graph", async () => {
    const placed = await modelBytes({ length: LENGTH, geometry: "manhattan" });
    const { path, store } = await built(part(0, 5), { with: placed });
    expect(readdirSync(path, { recursive: true }).join()).not.toContain("graph");
    expect((await store.info()).graph).toBe("none: searched by comparing with all points");
    await placed.model.close();
  });

  test("how the graph was built is kept, for what is added later too", async () => {
    const path = fresh();
    const store = folderStore(path);
    const graph = { connectivity: 5, expansion: 40, precision: "f32" } as const;
    await store.build(model, recordsOf(part(0, 5)), { ...one, graph });
    await store.append(recordsOf(part(5, 7)), one);
    await store.compact(one);
    expect((await readIndexManifest(path)).graph).toMatchObject(graph);
  });
});

describe("ids", () => {
  test("of any letters but line breaks are kept in a list", () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: "grapheme", maxLength: 8 })), (drawn) => {
        const names = drawn.map((name) => name.replaceAll("\n", " "));
        const list = NameList.of(names);
        expect(list).toHaveLength(names.length);
        expect([...list]).toEqual(names);
        names.forEach((name, row) => expect(list.at(row)).toBe(name));
      }),
    );
  });

  // Tables of sequences may hold such ids, in quotes.
  test.each(["two words", "a\tb", "naïve 序列", "carriage\rreturn", "line\nbreak", "\n", ""])("%j: kept, or refused with the index as it was", async (id) => {
    const { path, store } = await built(part(0, 5));
    const before = contents(path);
    const error: unknown = await store.append(recordsOf({ ...part(10, 11), ids: [id] }), one).then(() => undefined, (e: unknown) => e);
    if (error !== undefined) {
      expect(error).toBeInstanceOf(FormatError);
      expect(contents(path)).toEqual(before);
      return;
    }
    const opened = await store.open(one);
    expect((await opened.references.fetch([5])).ids).toEqual([id]);
    await opened.close();
    expect(await store.delete([id])).toMatchObject({ deleted: 1 });
  }); // prettier-ignore
});

describe("changes that follow each other", () => {
  test("a deleted id may come again, with another sequence", async () => {
    const { path, store } = await built(part(0, 10));
    const [id] = all.ids;
    await store.delete([id]);
    await store.append(recordsOf({ ...part(20, 21), ids: [id] }), one);
    await store.verify();
    for (const compacted of [false, true]) {
      if (compacted) await store.compact(one);
      const opened = await store.open(one);
      const { references } = opened;
      expect(references.size).toBe(10);
      const found: Uint8Array[] = [];
      for await (const { ids, codes } of references.blocks()) if (ids.includes(id)) found.push(codes[ids.indexOf(id)]); // prettier-ignore
      expect(found).toEqual([all.codes[20]]);
      await opened.close();
    }
    await store.delete([id]);
    expect(await store.info()).toMatchObject({ references: 9, deleted: 1 });
    expect(path).toBeTruthy();
  });

  test("ids are those of what is left", async () => {
    const { store } = await built(part(0, 10));
    await store.append(recordsOf(part(10, 12)), one);
    await store.delete([all.ids[0], all.ids[11]]);
    const opened = await store.open(one);
    expect([...opened.references.ids!()]).toEqual(all.ids.slice(1, 11));
    await opened.close();
  });

  test("an id named twice is deleted once", async () => {
    const { store } = await built(part(0, 10));
    const { deleted, summary } = await store.delete([all.ids[3], all.ids[3]]);
    expect([deleted, summary.references]).toEqual([1, 9]);
  });

  test("building again replaces all, model too", async () => {
    const { path, store } = await built(part(0, 10));
    const before = (await store.info()).model;
    await store.append(recordsOf(part(10, 20)), one);
    expect(await store.build(other, recordsOf(part(30, 34)), one)).toMatchObject({ references: 4, parts: 1 });
    expect((await store.info()).model.digest).not.toBe(before.digest);
    expect(readdirSync(path).filter((name) => name.endsWith(".onnx"))).toHaveLength(1);
    expect(readdirSync(path).filter((name) => /^\d+$/.test(name))).toHaveLength(1);
    expect(await answersAt(path)).toEqual(await answersAt((await built(part(30, 34), { with: other })).path));
  });

  test("progress tells of every reference", async () => {
    const seen: [string, number, number?][] = [];
    await folderStore(fresh()).build(model, recordsOf(all), {
      ...one,
      progress: (...step) => seen.push(step),
    });
    expect(seen).toContainEqual(["embedding", 73]);
    expect(seen.at(-1)).toEqual(["linking", 73, 73]);
  });
});

describe("refused, and the index stays as it is", () => {
  let path: string;
  let store: ReturnType<typeof folderStore>;
  beforeAll(async () => {
    ({ path, store } = await built(part(0, 20)));
    await store.append(recordsOf(part(20, 30)), one);
  });
  const records = async function* (...all: Partial<SequenceRecord>[]): AsyncGenerator<SequenceRecord> {
    for (const record of all) yield { id: "new", description: "", sequence: "ACGT", ...record };
  };
  const append = (some: AsyncIterable<SequenceRecord>) => store.append(some, { ...one, file: "in.fa" });
  const rebuild = (some: AsyncIterable<SequenceRecord>) =>
    store.build(other, some, { ...one, file: "in.fa" });

  test("an id that is there, in whichever part", async () => {
    for (const id of [all.ids[0], all.ids[29]]) {
      expect(await refusal(path, () => append(records({}, { id, line: 3 })))).toBe(
        `in.fa, line 3, record "${id}": id: must be unique in the index, got it a second time; rename or remove one`,
      );
    }
  });

  test.each([
    ["an id that comes twice", [{ line: 1 }, { line: 5 }], /^in\.fa, line 5, record "new": id: must be unique/],
    ["a sequence longer than the model", [{ sequence: "A".repeat(LENGTH + 1) }], /must have at most the model's 60 letters/],
    ["letters that are none", [{}, { id: "p", sequence: "MQE" }], /^in\.fa, record "p": sequence: must consist of DNA/],
    ["nothing", [], /^in\.fa: .*at least (1|one) sequence/],
  ] as const)("%s", async (_, bad, message) => {
    expect(await refusal(path, () => append(records(...bad)))).toMatch(message);
    expect(await refusal(path, () => rebuild(records(...bad)))).toMatch(message);
  }); // prettier-ignore

  test("a source that fails", async () => {
    const broken = async function* (): AsyncGenerator<SequenceRecord> {
      yield* records({});
      throw new FormatError("gzip: must be complete");
    };
    expect(await refusal(path, () => append(broken()))).toBe("gzip: must be complete");
    expect(await refusal(path, () => rebuild(broken()))).toBe("gzip: must be complete");
  });

  test("deleting an id that is not there deletes none", async () => {
    const deleting = (...ids: string[]) => refusal(path, () => store.delete(ids));
    expect(await deleting(all.ids[1], "gone")).toBe(
      `${path}: there is no reference "gone"; nothing was deleted`,
    );
    expect(await deleting("a", all.ids[2], "b", "c")).toMatch(/there is no reference "a", nor 2 others;/);
    const first = all.ids[19];
    await store.delete([first]);
    expect(await deleting(first)).toContain(`"${first}"`);
  });

  test("another model", async () => {
    const message = /: the index is of another model \(hyperbolic, length 60, digest \w{12}\), got one of digest \w{12}; /; // prettier-ignore
    const given = { ...one, model: other };
    expect(await refusal(path, () => store.append(recordsOf(part(50)), given))).toMatch(message);
    expect(await refusal(path, () => store.open({ ...one, model: other.bytes }))).toMatch(message);
    await (await store.open({ ...one, model: model.bytes })).close();
    await store.append(recordsOf(part(50, 51)), { ...one, model });
  });

  test.each(["append", "build"] as const)("a signal, while it embeds or links: %s", async (verb) => {
    for (const when of ["embedding", "linking"]) {
      const stop = new AbortController();
      const before = contents(path);
      const options = {
        ...one,
        signal: stop.signal,
        progress: (stage: string) => stage === when && stop.abort(),
      };
      // A block is 512 sequences: the second begins after the first has been placed.
      const many = setOf(Array.from({ length: 600 }, () => "ACGTTGCA"), { prefix: "many" });
      const more = async function* () {
        yield* recordsOf(many);
      };
      const change =
        verb === "append" ? store.append(more(), options) : store.build(other, more(), options);
      if (when === "embedding") await expect(change).rejects.toThrow(/abort/);
      // All may be linked in one step, after which nothing is asked any more.
      else if (await change.then(() => true, () => false)) break;
      expect(contents(path)).toEqual(before);
    }
  }); // prettier-ignore
});

describe("damage", () => {
  let source: string;
  let path: string;
  beforeAll(async () => {
    const { path: made, store } = await built(part(0, 20));
    await store.append(recordsOf(part(20, 30)), one);
    source = made;
  });
  beforeEach(() => {
    path = fresh();
    cpSync(source, path, { recursive: true });
  });
  const files = ["names.txt", "codes.npy", "offsets.npy", "points.npy", "graph.usearch"];
  const message = (work: () => Promise<unknown>): Promise<string> =>
    work().then(
      () => "nothing",
      (error: unknown) => {
        expect(error).toBeInstanceOf(EmbranchError);
        return (error as Error).message;
      },
    );
  const open = async () => (await folderStore(path).open(one)).close();

  test.each(files)("%s that is cut, grown or gone is named when the index is opened, and verified", async (name) => {
    const file = join(path, "2", name);
    const whole = readFileSync(file);
    const damages: (() => void)[] = [
      () => truncateSync(file, whole.length - 1),
      () => truncateSync(file, 0),
      () => writeFileSync(file, Buffer.concat([whole, Buffer.of(0)])),
      () => rmSync(file),
    ];
    for (const damage of damages) {
      damage();
      for (const work of [open, () => folderStore(path).verify()]) {
        const said = await message(work);
        expect(said).toMatch(existsSync(file) ? /: is damaged: .*; build the index again$/ : /: cannot be read: /);
        expect(said.startsWith(`${file}: `)).toBe(true);
      }
      writeFileSync(file, whole);
    }
    expect(await message(open)).toBe("nothing");
    expect(await message(() => folderStore(path).verify())).toBe("nothing");
  }); // prettier-ignore

  test.each(files)("one bit of %s is found by verifying", async (name) => {
    for (const part of ["1", "2"]) {
      const file = join(path, part, name);
      const bytes = readFileSync(file);
      for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
        const garbled = Buffer.from(bytes);
        garbled[at] ^= 4;
        writeFileSync(file, garbled);
        expect(await message(() => folderStore(path).verify())).toBe(
          `${file}: is damaged: its checksum differs; build the index again`,
        );
      }
      writeFileSync(file, bytes);
    }
  });

  test("garbled headers are named when the index is opened", async () => {
    for (const name of ["codes.npy", "offsets.npy", "points.npy"]) {
      const file = join(path, "1", name);
      const bytes = readFileSync(file);
      writeFileSync(file, Buffer.concat([Buffer.from("not an array at all"), bytes.subarray(19)]));
      expect(await message(open)).toContain(file);
      writeFileSync(file, bytes);
    }
  });

  test("the model's", async () => {
    const file = join(path, (await readIndexManifest(path)).model.file);
    const whole = readFileSync(file);
    for (const bytes of [whole.subarray(0, 100), Buffer.from("x"), undefined]) {
      if (bytes === undefined) rmSync(file);
      else writeFileSync(file, bytes);
      const store = folderStore(path);
      for (const work of [open, () => store.verify(), () => store.append(recordsOf(part(40)), one)])
        expect((await message(work)).startsWith(`${file}: `)).toBe(true);
    }
  }); // prettier-ignore

  test.each([
    ["cut", (text: string) => text.slice(0, 200)],
    ["of something else", () => '{"name": "a web page", "icons": []}'],
    ["empty", () => ""],
    ["of a later version", (text: string) => text.replace('"version": 1', '"version": 2')],
  ])("a manifest that is %s is named by everything", async (_, change) => {
    const file = join(path, "manifest.json");
    writeFileSync(file, change(readFileSync(file, "utf8")));
    const store = folderStore(path);
    for (const work of [
      () => store.open(one),
      () => store.verify(),
      () => store.info(),
      () => store.append(recordsOf(part(40)), one),
      () => store.delete([all.ids[0]]),
      () => store.compact(one),
    ]) {
      expect(await refusal(path, work)).toMatch(
        /manifest\.json: must be the manifest of an index that this program knows, got something else; build the index again$/,
      );
    }
  });

  test("a first building that fails leaves nothing, and one that died before it stays so", async () => {
    const twins = { ...setOf(["ACGT", "ACGA"]), ids: ["a", "a"] };
    const nothing = fresh();
    const fails = (at: string) => folderStore(at).build(model, recordsOf(twins), one);
    await expect(fails(nothing)).rejects.toThrow(/unique/);
    expect(existsSync(nothing)).toBe(false);
    mkdirSync(nothing);
    await expect(fails(nothing)).rejects.toThrow(/unique/);
    expect(readdirSync(nothing)).toEqual([]);
    writeFileSync(join(nothing, "manifest.json"), '{"format":"embranch index","building":true}');
    await refusal(nothing, () => fails(nothing));
  });

  test("an index of a later version is not lost to a building that fails", async () => {
    const file = join(path, "manifest.json");
    writeFileSync(file, readFileSync(file, "utf8").replace('"version": 1', '"version": 2'));
    const twins = setOf(["ACGT", "ACGA"]);
    const store = folderStore(path);
    await refusal(path, () => store.build(model, recordsOf({ ...twins, ids: ["a", "a"] }), one));
  });

  test("is mended by building again, as the messages advise", async () => {
    const manifest = join(path, "manifest.json");
    writeFileSync(manifest, readFileSync(manifest, "utf8").slice(0, 200));
    await folderStore(path).build(model, recordsOf(part(0, 5)), one);
    await folderStore(path).verify();
    truncateSync(
      join(
        path,
        readdirSync(path).find((name) => /^\d+$/.test(name))!,
        "names.txt",
      ),
      3,
    );
    await folderStore(path).build(model, recordsOf(part(0, 5)), one);
    expect(await folderStore(path).verify()).toMatchObject({ references: 5, parts: 1 });
  });

  test("an id that two parts hold is found by verifying", async () => {
    const file = join(path, "manifest.json");
    const manifest = JSON.parse(readFileSync(file, "utf8")) as { segments: unknown[] };
    manifest.segments.push(manifest.segments[0]);
    writeFileSync(file, JSON.stringify(manifest));
    expect(await message(() => folderStore(path).verify())).toMatch(
      /names\.txt: is damaged: ".*" is there twice/,
    );
  });

  test("nothing at the path, an empty folder, a file: no index", async () => {
    const nothing = fresh();
    expect(await message(() => folderStore(nothing).open(one))).toBe(
      `${nothing}: there is no such index; build one with \`embranch index\``,
    );
    expect(existsSync(nothing)).toBe(false);
    mkdirSync(nothing);
    expect(await message(() => folderStore(nothing).info())).toMatch(/got a folder without a manifest; build it \(again\)$/);
    expect(await message(() => folderStore(nothing).append(recordsOf(all), one))).toMatch(/without a manifest/);
    expect(readdirSync(nothing)).toEqual([]);
    const file = fresh();
    writeFileSync(file, ">a\nACGT\n");
    const store = folderStore(file);
    for (const work of [() => store.open(one), () => store.build(model, recordsOf(all), one)])
      expect((await message(work)).startsWith(`${file}: `)).toBe(true);
    expect(readFileSync(file, "utf8")).toBe(">a\nACGT\n");
  }); // prettier-ignore
});

describe("a folder of other things is not touched", () => {
  test.each([
    ["a file", { "notes.txt": "mine" }],
    ["a file among numbered folders", { "1/x.txt": "a", "2/x.txt": "b", "notes.txt": "mine" }],
    ["numbered folders alone", { "2023/photo.jpg": "a", "2024/photo.jpg": "b" }],
    ["models alone", { "model-best.onnx": "a", "model-last.onnx": "b" }],
    ["downloads", { "film.part": "a" }],
    ["a web page", { "manifest.json": '{"name": "page"}', "1/index.html": "a", "page.part": "b" }],
    ["a manifest that is no JSON", { "manifest.json": "hello", "1/index.html": "a" }],
  ])("%s", async (_, files) => {
    const path = fresh();
    for (const [name, text] of Object.entries(files)) {
      mkdirSync(join(path, name, ".."), { recursive: true });
      writeFileSync(join(path, name), text);
    }
    const before = contents(path);
    const work = folderStore(path).build(model, recordsOf(part(0, 5)), one);
    const error: unknown = await work.then(() => undefined, (e: unknown) => e); // prettier-ignore
    expect(contents(path)).toEqual(before);
    expect(error).toBeInstanceOf(UsageError);
  });

  test("one's own files may lie in an index, whatever becomes of it", async () => {
    const { path, store } = await built(part(0, 10));
    writeFileSync(join(path, "README.txt"), "made from SILVA");
    mkdirSync(join(path, "scripts"));
    await store.append(recordsOf(part(10, 20)), one);
    await store.compact(one);
    await store.build(other, recordsOf(part(0, 10)), one);
    expect(readFileSync(join(path, "README.txt"), "utf8")).toBe("made from SILVA");
    expect(existsSync(join(path, "scripts"))).toBe(true);
  });

  test("a folder that is empty, or is to be made, becomes an index", async () => {
    const empty = fresh();
    mkdirSync(empty);
    await built(part(0, 5), { at: empty });
    await folderStore(empty).verify();
    await built(part(0, 5), { at: join(fresh(), "deep", "er") });
  });
});

describe("leavings of a change that died", () => {
  const litter = (path: string): string[] => {
    const left = ["7", "manifest.json.part", "model-0123456789ab.onnx.part", "model-ba9876543210.onnx"];
    mkdirSync(join(path, "7"));
    writeFileSync(join(path, "7", "names.txt"), "half\nof th");
    writeFileSync(join(path, "7", "points.npy"), "");
    for (const name of left.slice(1)) writeFileSync(join(path, name), "half");
    return left;
  };
  const lying = (path: string, left: string[]) => left.filter((name) => existsSync(join(path, name)));

  test("do not matter to a search, and verifying does not mind them", async () => {
    const { path, store } = await built(part(0, 20));
    const before = await answersAt(path);
    const left = litter(path);
    expect(await answersAt(path)).toEqual(before);
    await store.verify();
    expect(lying(path, left)).toEqual(left);
  });

  test.each(["append", "delete", "compact", "build"] as const)("are swept up by the next change: %s", async (verb) => {
    const { path, store } = await built(part(0, 20));
    const left = litter(path);
    if (verb === "append") await store.append(recordsOf(part(20, 25)), one);
    else if (verb === "delete") await store.delete([all.ids[0]]);
    else if (verb === "compact") await store.compact(one);
    else await store.build(model, recordsOf(part(0, 20)), one);
    expect(lying(path, left)).toEqual([]);
    await store.verify();
  }); // prettier-ignore

  test("are swept up also by a change that is refused", async () => {
    const { path, store } = await built(part(0, 20));
    const left = litter(path);
    await expect(store.append(recordsOf(part(0, 5)), one)).rejects.toThrow(/unique/);
    expect(lying(path, left)).toEqual([]);
  });

  test("of a first building that died do not stand in the way of the next", async () => {
    const path = fresh();
    mkdirSync(path);
    litter(path);
    // What a building writes first.
    writeFileSync(join(path, "manifest.json"), '{"format":"embranch index","building":true}');
    writeFileSync(join(path, ".lock"), JSON.stringify({ pid: deadProcess(), host: hostname() }));
    await built(part(0, 5), { at: path });
    expect(readdirSync(path)).toHaveLength(3);
  });
});

/** The id of a process that has ended. */
function deadProcess(): number {
  return spawnSync(process.execPath, ["--version"]).pid;
}

describe("one process changes a folder at a time", () => {
  let path: string;
  let store: ReturnType<typeof folderStore>;
  beforeEach(async () => {
    ({ path, store } = await built(part(0, 10)));
  });
  const lock = (owner: unknown) => {
    writeFileSync(join(path, ".lock"), typeof owner === "string" ? owner : JSON.stringify(owner));
  };
  const changes = () => [
    () => store.append(recordsOf(part(10, 20)), one),
    () => store.delete([all.ids[0]]),
    () => store.compact(one),
    () => store.build(model, recordsOf(part(0, 5)), one),
  ];

  test("a lock of a living process refuses every change, and no search", async () => {
    const child = spawn(process.execPath, ["-e", "setTimeout(() => {}, 60000)"]);
    lock({ pid: child.pid, host: hostname() });
    for (const change of changes()) {
      expect(await refusal(path, change)).toBe(
        `${path}: another process is changing the index; wait for it to end`,
      );
    }
    await answersAt(path);
    await store.verify();
    child.kill("SIGKILL");
    await once(child, "exit");
    await store.append(recordsOf(part(10, 20)), one);
    expect(existsSync(join(path, ".lock"))).toBe(false);
  });

  test("a lock of another machine refuses", async () => {
    lock({ pid: 1, host: `not-${hostname()}` });
    for (const change of changes()) await refusal(path, change);
  });

  test.each([0, 1, 2, 3])("a lock of a dead process is taken over: change %i", async (which) => {
    lock({ pid: deadProcess(), host: hostname() });
    await changes()[which]();
    expect(existsSync(join(path, ".lock"))).toBe(false);
    await store.verify();
  });

  test("a lock without an owner is another's for ten seconds", async () => {
    lock("");
    await refusal(path, changes()[0]);
    utimesSync(join(path, ".lock"), new Date(), new Date(Date.now() - 11_000));
    await changes()[0]();
  });

  test.each(['{"pid": 12', "not JSON", "null", '{"host": 3}', "\0\0\0\0"])("a lock that is damaged (%j) is no defect of ours", async (text) => {
    lock(text);
    const error: unknown = await changes()[0]().then(() => undefined, (e: unknown) => e);
    if (error !== undefined) expect(error).toBeInstanceOf(EmbranchError);
  }); // prettier-ignore

  test("of changes at one moment one is made, and the others are refused", async () => {
    const tries = await Promise.allSettled([1, 2, 3].map((i) => store.append(recordsOf(part(10 * i, 10 * i + 10)), one))); // prettier-ignore
    const refused = tries.filter((each) => each.status === "rejected");
    expect(refused).toHaveLength(2);
    for (const { reason } of refused) expect(reason).toBeInstanceOf(EmbranchError);
    expect(await store.verify()).toMatchObject({ references: 20, parts: 2 });
    expect(existsSync(join(path, ".lock"))).toBe(false);
  });
});

describe("an index that is open while it is changed", () => {
  test.each(["append", "delete", "compact", "build"] as const)("stays what it was: %s", async (verb) => {
    const { path, store } = await built(part(0, 30));
    await store.append(recordsOf(part(30, 40)), one);
    const opened = [await store.open(one), await store.open({ ...one, scan: true })];
    const before = await Promise.all(opened.map(answers));
    if (verb === "append") await store.append(recordsOf(part(40)), one);
    else if (verb === "delete") await store.delete(all.ids.slice(0, 25));
    else if (verb === "compact") await store.compact(one);
    else await store.build(other, recordsOf(part(50)), one);
    expect(await Promise.all(opened.map(answers))).toEqual(before);
    const keys = [0, 39];
    expect((await opened[0].references.fetch(keys)).ids).toEqual([all.ids[0], all.ids[39]]);
    expect(await opened[0].references.points(keys)).toHaveLength(2 * model.model.manifest.dim);
    for (const each of opened) await each.close();
    const after = await answersAt(path);
    if (verb === "compact") expect(after).toEqual(before[0]);
    else expect(after).not.toEqual(before[0]);
  }); // prettier-ignore
});

describe.skipIf(!existsSync("/proc/self/fd"))("files that are open", () => {
  // usearch lets go of a graph when it is collected as garbage, and no sooner.
  const opened = (path: string) =>
    readdirSync("/proc/self/fd").flatMap((fd) => {
      try {
        const file = readlinkSync(`/proc/self/fd/${fd}`);
        return file.startsWith(path) && !file.includes("graph") ? [file.slice(path.length)] : [];
      } catch {
        return [];
      }
    });

  test("are closed with the index, and after every change", async () => {
    const { path, store } = await built(part(0, 10));
    await store.append(recordsOf(part(10, 20)), one);
    await store.compact(one);
    await store.verify();
    expect(opened(path)).toEqual([]);
    const index = await store.open(one);
    expect(opened(path)).not.toEqual([]);
    await index.close();
    expect(opened(path)).toEqual([]);
  });

  test("are closed by a change that is refused", async () => {
    const { path, store } = await built(part(0, 10));
    await expect(store.append(recordsOf(part(0, 5)), one)).rejects.toThrow();
    expect(opened(path)).toEqual([]);
  });

  test("are closed by an index that does not open", async () => {
    const { path, store } = await built(part(0, 10));
    await store.append(recordsOf(part(10, 20)), one);
    truncateSync(join(path, "2", "graph.usearch"), 10);
    await expect(store.open(one)).rejects.toThrow();
    expect(opened(path)).toEqual([]);
  });
});
