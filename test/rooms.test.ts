/**
 * @file The plan of the house: imports run downwards only, and what the browser shares imports nothing of Node's.
 */

import { readdirSync, readFileSync } from "node:fs";
import { builtinModules } from "node:module";
import { dirname, join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const SOURCE = fileURLToPath(new URL("../src/", import.meta.url));

/** Floors from the bottom up; rooms of one floor do not import each other. */
const FLOORS = [
  ["sequence", "kernel"],
  ["geometry"],
  ["nn"],
  ["engine"],
  ["baseline"],
  ["task"],
  ["serve"],
  ["cli", "bench"],
];

/** Imports that stand on one floor, or run upwards, and why they may. */
const EXCEPTIONS = new Set([
  // The verb `bench` is the face of the benchmarks.
  "cli → bench",
  // The order of condensed distances is defined once, beside their file formats.
  "kernel → sequence",
]);

/** Rooms that the browser shares, and the half of the engine that it does. */
const ISOMORPHIC =
  /^(sequence|geometry|nn)\/|^engine\/(lower|value|onnx|layout|model\.|optimizer|schedule|recipe|train-step|augment|batches)/;
/** Packages that need Node. */
const NODE_PACKAGES = ["onnxruntime-node", "commander", "picocolors", "usearch", "pg", "pg-copy-streams"];

interface Import {
  file: string;
  target: string;
  /** Types alone are imported; nothing is left of it at run time. */
  typesOnly: boolean;
}

const files = readdirSync(SOURCE, { recursive: true, encoding: "utf8" })
  .map((path) => path.split(sep).join("/"))
  .filter((path) => path.endsWith(".ts") && !path.startsWith("kernel/assembly/"));

const STATEMENT = /\b(?:import|export)\s+(type\s)?[^;"]*?from\s+"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g;
const imports: Import[] = files.flatMap((file) =>
  [...readFileSync(join(SOURCE, file), "utf8").matchAll(STATEMENT)].map(([, type, from, bare]) => ({
    file,
    target: from ?? bare,
    typesOnly: type !== undefined,
  })),
);

/** The file, relative to src/, that an import leads to; a package's name stays as it is. */
const resolved = ({ file, target }: Import): string =>
  target.startsWith(".")
    ? relative(SOURCE, join(SOURCE, dirname(file), target))
        .split(sep)
        .join("/")
    : target;

/** The room of a file; none for those at the top of src/, which all may use. */
const roomOf = (path: string): string | undefined => (path.includes("/") ? path.split("/")[0] : undefined);
const floorOf = (room: string): number => FLOORS.findIndex((rooms) => rooms.includes(room));

test("every room stands on a floor", () => {
  const rooms = new Set(files.map(roomOf).filter((room) => room !== undefined));
  expect([...rooms].filter((room) => floorOf(room) < 0)).toEqual([]);
  expect(imports.length).toBeGreaterThan(200);
});

test("imports run downwards only", () => {
  const upwards = imports.flatMap((found) => {
    if (!found.target.startsWith(".")) return [];
    const [from, to] = [roomOf(found.file), roomOf(resolved(found))];
    if (from === undefined || to === undefined || from === to) return [];
    if (floorOf(to) < floorOf(from) || EXCEPTIONS.has(`${from} → ${to}`)) return [];
    return [`${found.file} → ${found.target}`];
  });
  expect(upwards).toEqual([]);
});

test("imports of our own files name them with their ending", () => {
  expect(imports.filter(({ target }) => target.startsWith(".") && !target.endsWith(".ts"))).toEqual([]);
});

describe("what the browser shares", () => {
  const node = new Set([...builtinModules, ...NODE_PACKAGES]);
  const shared = files.filter((file) => ISOMORPHIC.test(file));

  test("imports nothing of Node's, directly or through other files", () => {
    const reached = new Map(shared.map((file) => [file, file]));
    const found: string[] = [];
    for (const [file, path] of reached) {
      for (const one of imports.filter((candidate) => candidate.file === file && !candidate.typesOnly)) {
        const target = resolved(one);
        if (target.startsWith("node:") || node.has(target)) found.push(`${path} → ${target}`);
        else if (one.target.startsWith(".") && !reached.has(target))
          reached.set(target, `${path} → ${target}`);
      }
    }
    expect(found).toEqual([]);
  });

  test("uses no global of Node's", () => {
    const uses = shared.filter((file) =>
      /\b(Buffer|process|__dirname|require)\b[.(]/.test(readFileSync(join(SOURCE, file), "utf8")),
    );
    expect(uses).toEqual([]);
  });
});
