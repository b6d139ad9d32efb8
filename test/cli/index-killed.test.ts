/** @file `embranch index` killed at moments of chance: the index is what it was, and goes on being changed. */

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { beforeAll, expect, test } from "vitest";
import { readIndexManifest } from "../../src/task/search/folder-manifest.ts";
import { folderStore } from "../../src/task/search/folder.ts";
import { ended, SMALL, Workplace } from "./command.ts";

const place = new Workplace();
const ids = (name: string) =>
  [...readFileSync(place.at(name), "utf8").matchAll(/^>(\S+)/gm)].map(([, id]) => id);

let old: string[];
let more: string[];

beforeAll(async () => {
  await place.ok("simulate 300 --length 60 -o old.fasta --prefix old --seed 1 -q");
  await place.ok("simulate 4000 --length 60 -o more.fasta --prefix more --seed 2 -q");
  await place.ok(`fit old.fasta --length 100 --steps 2 -o m.onnx ${SMALL} -q`);
  await place.ok("index old.fasta -m m.onnx -o source.idx -q");
  old = ids("old.fasta");
  more = ids("more.fasta");
});

/** The ids in an index that opens, is searched and verified. */
async function idsAt(path: string): Promise<string[]> {
  const store = folderStore(path);
  await store.verify();
  const opened = await store.open({ threads: 1 });
  const { references, model } = opened;
  try {
    const found: string[] = [];
    for await (const { keys, ids, codes } of references.blocks()) {
      found.push(...ids);
      const some = codes.slice(0, 20);
      const { keys: nearest } = await references.nearest(await model.embed(some), some.length, 200);
      nearest.forEach((each, i) => expect(each).toContain(keys[i]));
    }
    return found;
  } finally {
    await opened.close();
  }
}

/** Starts a change, and waits until it holds the lock. */
async function begun(path: string, line: string) {
  const child = place.start(line);
  const end = ended(child);
  while (!existsSync(`${path}/.lock`) && child.exitCode === null) await setTimeout(1);
  return { child, end };
}

test.each([
  ["index append INDEX more.fasta --threads 1 -q", () => [...old, ...more]],
  ["index more.fasta -m m.onnx -o INDEX --threads 1 -q", () => more],
])("kill -9 during: %s", async (words, result) => {
  const copy = (name: string) => {
    cpSync(place.at("source.idx"), place.at(name), { recursive: true });
    return place.at(name);
  };
  const line = (name: string) => words.replace("INDEX", name);
  const whole = await begun(copy("whole.idx"), line("whole.idx"));
  const start = performance.now();
  expect((await whole.end).code).toBe(0);
  const milliseconds = performance.now() - start;
  expect(await idsAt(place.at("whole.idx"))).toEqual(result());

  const outcomes: boolean[] = [];
  for (let run = 0; run < 4; run++) {
    const name = `killed-${run}.idx`;
    const path = copy(name);
    const { child, end } = await begun(path, line(name));
    await setTimeout(milliseconds * ((run + Math.random()) / 4));
    child.kill("SIGKILL");
    await end;
    const left = await idsAt(path);
    expect([old, result()]).toContainEqual(left);
    outcomes.push(left.length === old.length);

    // The lock of the dead is taken over, and what it left is swept up.
    await folderStore(path).delete([left[0]]);
    expect(await idsAt(path)).toEqual(left.slice(1));
    const { segments, model } = await readIndexManifest(path);
    const named = [...segments.map(({ folder }) => folder), model.file, "manifest.json"];
    expect(readdirSync(path).sort()).toEqual(named.sort());
  }
  expect(outcomes).toContain(true);
});

test("a first building that was killed is begun again", async () => {
  const path = place.at("first.idx");
  const { child, end } = await begun(path, "index more.fasta -m m.onnx -o first.idx --threads 1 -q");
  await setTimeout(30);
  child.kill("SIGKILL");
  await end;
  await place.ok("index old.fasta -m m.onnx -o first.idx -q");
  expect(await idsAt(path)).toEqual(old);
});

const stopped = (path: string, code = 130) => ({
  code,
  stdout: "",
  stderr: `embranch: stopped; ${path} is as it was\n`,
});

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("%s stops a change, and says that nothing has changed", async (signal, code) => {
  const path = place.at(`${signal}.idx`);
  cpSync(place.at("source.idx"), path, { recursive: true });
  const before = readdirSync(path);
  const { child, end } = await begun(path, `index append ${signal}.idx more.fasta --threads 1 -q`);
  await setTimeout(20);
  child.kill(signal);
  expect(await end).toEqual({ ...stopped(`${signal}.idx`, code), pid: child.pid, signal: null });
  expect(readdirSync(path)).toEqual(before);
  expect(await idsAt(path)).toEqual(old);
});

test("Ctrl-C during a first building leaves nothing, and in an empty folder no more than was there", async () => {
  mkdirSync(place.at("empty.idx"));
  for (const name of ["new.idx", "empty.idx"]) {
    const path = place.at(name);
    const there = existsSync(path);
    const { child, end } = await begun(path, `index more.fasta -m m.onnx -o ${name} --threads 1 -q`);
    await setTimeout(20);
    child.kill("SIGINT");
    expect(await end).toEqual({ ...stopped(name), pid: child.pid, signal: null });
    expect(existsSync(path)).toBe(there);
    if (there) expect(readdirSync(path)).toEqual([]);
  }
});

test.each(["hyperbolic", "manhattan"])(
  "Ctrl-C ends a pipe early; half of its references are no index, in %s space",
  async (geometry) => {
    const name = `${geometry}-piped.idx`;
    await place.ok(
      `fit old.fasta --length 100 --steps 2 --geometry ${geometry} -o ${geometry}.onnx ${SMALL} -q`,
    );
    await place.ok(`index old.fasta -m ${geometry}.onnx -o ${name} -q`);
    const { child, end } = await begun(place.at(name), `index append ${name} - --threads 1 -q`);
    child.stdin.write("ACGTACGTAC\nACGTACGTAA\n");
    await setTimeout(400);
    // The shell sends the signal to all of a pipe, and the first to die ends the input of the next.
    child.kill("SIGINT");
    await setTimeout(50);
    child.stdin.end();
    expect(await end).toMatchObject(stopped(name));
    expect(await idsAt(place.at(name))).toEqual(old);
  },
);

test("a second process is told to wait, and a search is not", async () => {
  const path = place.at("busy.idx");
  cpSync(place.at("source.idx"), path, { recursive: true });
  const { child, end } = await begun(path, "index append busy.idx - --threads 1 -q");
  const [second, found] = await Promise.all([
    place.run(`index delete busy.idx ${old[0]} -q`),
    place.run("search old.fasta --in busy.idx --top 1 -q --check 0"),
  ]);
  expect(second).toMatchObject({
    code: 1,
    stderr: "embranch: busy.idx: another process is changing the index; wait for it to end\n",
  });
  expect(found.code).toBe(0);
  expect(found.stdout.split("\n")).toHaveLength(old.length + 1);
  child.stdin.end(">last\nACGTACGT\n");
  expect((await end).code).toBe(0);
  expect(await idsAt(path)).toEqual([...old, "last"]);
});
