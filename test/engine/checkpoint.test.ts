/** @file Checkpoints: what is written is what is read, whole or not at all, and nothing else is taken for one. */

import fc from "fast-check";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readCheckpoint, writeCheckpoint } from "../../src/engine/checkpoint.ts";
import { EmbranchError } from "../../src/error.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-checkpoint-"));
afterAll(() => rmSync(folder, { recursive: true }));
const at = (name: string) => join(folder, name);

test("every bit of the vectors comes back, whatever the length of the header", async () => {
  const vectors = fc.dictionary(
    fc.string({ minLength: 1 }).filter((name) => !name.startsWith("__")),
    fc.float32Array({ maxLength: 20 }),
    { maxKeys: 4 },
  );
  await fc.assert(
    fc.asyncProperty(vectors, fc.jsonValue(), async (vectors, value) => {
      const data = JSON.parse(JSON.stringify({ value })) as unknown;
      await writeCheckpoint(at("any"), { vectors, data });
      const read = await readCheckpoint(at("any"));
      expect(read.data).toEqual(data);
      expect(Object.keys(read.vectors).sort()).toEqual(Object.keys(vectors).sort());
      for (const [name, vector] of Object.entries(vectors)) {
        expect(new Uint32Array(read.vectors[name].buffer)).toEqual(
          new Uint32Array(Float32Array.from(vector).buffer),
        );
      }
    }),
    { numRuns: 50 },
  );
});

test("a view into a larger array is written as it is seen", async () => {
  await writeCheckpoint(at("view"), { vectors: { x: Float32Array.of(1, 2, 3, 4).subarray(1, 3) }, data: 0 });
  expect((await readCheckpoint(at("view"))).vectors.x).toEqual(Float32Array.of(2, 3));
});

test("the file is safetensors, and nothing lies beside it", async () => {
  await writeCheckpoint(at("tensors"), {
    vectors: { x: Float32Array.of(1.5), y: new Float32Array(2) },
    data: {},
  });
  const bytes = readFileSync(at("tensors"));
  const length = Number(bytes.readBigUInt64LE(0));
  const header = JSON.parse(bytes.subarray(8, 8 + length).toString()) as Record<string, unknown>;
  expect(header.x).toEqual({ dtype: "F32", shape: [1], data_offsets: [0, 4] });
  expect(header.y).toEqual({ dtype: "F32", shape: [2], data_offsets: [4, 12] });
  expect(bytes.length).toBe(8 + length + 12);
  expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]);
});

test("a checkpoint that cannot be written leaves the one before", async () => {
  await writeCheckpoint(at("kept"), { vectors: { x: Float32Array.of(1) }, data: 1 });
  mkdirSync(at("kept.part"));
  writeFileSync(at("kept.part/file"), "");
  const failing = writeCheckpoint(at("kept"), { vectors: { x: Float32Array.of(2) }, data: 2 });
  await expect(failing).rejects.toThrow(/kept/);
  expect((await readCheckpoint(at("kept"))).data).toBe(1);
});

test.skipIf(!existsSync("/proc/self"))("a place that cannot be written is an error of one line", async () => {
  const failing = writeCheckpoint("/proc/embranch", { vectors: {}, data: 0 });
  await expect(failing).rejects.toThrow(/^\/proc\/embranch: cannot be written: [^\n]+$/);
});

test("a file that is cut anywhere, or is something else, is refused", async () => {
  await writeCheckpoint(at("whole"), { vectors: { x: Float32Array.of(1, 2, 3) }, data: { step: 7 } });
  const whole = readFileSync(at("whole"));
  for (let length = 0; length < whole.length; length++) {
    writeFileSync(at("cut"), whole.subarray(0, length));
    const error: unknown = await readCheckpoint(at("cut")).catch((error: unknown) => error);
    expect(error, `${length} bytes`).toBeInstanceOf(EmbranchError);
    expect((error as Error).message).toMatch(/cut: is damaged or not a checkpoint; .* without --resume$/);
  }
  const foreign = Buffer.from('{"x":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}}');
  writeFileSync(at("foreign"), Buffer.concat([Buffer.from([foreign.length, 0, 0, 0, 0, 0, 0, 0]), foreign]));
  await expect(readCheckpoint(at("foreign"))).rejects.toThrow(/foreign: is damaged or not a checkpoint/);
  await expect(readCheckpoint(at("none"))).rejects.toThrow(/none: cannot be read: there is no such file/);
});

test("another version is refused", async () => {
  await writeCheckpoint(at("old"), { vectors: {}, data: 0 });
  const bytes = readFileSync(at("old"));
  writeFileSync(at("old"), bytes.toString("latin1").replace('"version":"1"', '"version":"0"'), "latin1");
  await expect(readCheckpoint(at("old"))).rejects.toThrow(/old: a checkpoint must have version 1, got 0/);
});
