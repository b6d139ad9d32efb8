/** @file Exact edit distances beside edlib, python-Levenshtein and fastest-levenshtein. */

import { spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmbranchError } from "../error.ts";
import { EditDistances, packCodes } from "../kernel/index.ts";
import { decode, type SequenceSet } from "../sequence/index.ts";
import { condensedLength } from "../sequence/condensed.ts";
import { Peer, peerSource, pythonWith } from "./peer.ts";
import { clock, race, type Contestant, type Timing } from "./timing.ts";

export interface EditDistanceBenchOptions {
  /** Sequences of which all pairs are computed. */
  sequences: number;
  rounds: number;
  onRound?: (round: number) => void;
}

/** A slow peer gets this many sequences, so that a round stays short. */
const FEW = 150;

interface Library {
  distance: (a: string, b: string) => number;
}

/** All pairs of the first sequences of `set`; throws an `EmbranchError` where a peer disagrees. */
export async function benchEditDistance(
  set: SequenceSet,
  { sequences, rounds, onRound }: EditDistanceBenchOptions,
): Promise<Timing[]> {
  const codes = set.codes.slice(0, sequences);
  const texts = codes.map((sequence) => decode(sequence, set.alphabet));
  const packed = packCodes(codes);
  const pairs = condensedLength(codes.length);
  const one = await EditDistances.create({ threads: 1 });
  const two = await EditDistances.create({ threads: 2 });
  const folder = await mkdtemp(join(tmpdir(), "embranch-bench-"));
  const peers: Peer[] = [];
  try {
    const total = sum(await one.allPairs(packed));
    const few = codes.slice(0, FEW);
    const fewPairs = condensedLength(few.length);
    const fewTotal = sum(await one.allPairs(packCodes(few)));
    const contestants: Contestant[] = [
      { name: "embranch, 1 thread", units: pairs, run: () => clock(() => one.allPairs(packed)) },
      { name: "embranch, 2 threads", units: pairs, run: () => clock(() => two.allPairs(packed)) },
    ];
    const file = join(folder, "sequences.txt");
    await writeFile(file, `${texts.join("\n")}\n`);

    const program = join(folder, "edlib");
    const compiled = spawnSync("g++", [
      "-O3",
      "-march=native",
      "-o",
      program,
      peerSource("edlib.cpp"),
      "-ledlib",
    ]);
    if (compiled.status === 0) {
      contestants.push({
        name: "edlib (C++), 1 thread",
        units: pairs,
        run: async () => {
          const { stdout } = spawnSync(program, [file, "all", String(codes.length)], { encoding: "utf8" });
          const numbers = stdout.match(/[\d.]+/g)?.map(Number) ?? [];
          check("edlib", numbers[numbers.length - 1], total);
          return numbers[1];
        },
      });
    }
    for (const [module, name, count] of [
      ["edlib", "edlib (Python)", FEW],
      ["Levenshtein", "python-Levenshtein", FEW],
    ] as const) {
      const python = pythonWith(module);
      if (python === undefined) continue;
      const peer = await Peer.start(python, [peerSource("levenshtein.py"), module, file, String(count)]);
      peers.push(peer);
      contestants.push({
        name,
        units: fewPairs,
        run: async () => {
          const { seconds, sum: found } = await peer.ask<{ seconds: number; sum: number }>({});
          check(name, found, fewTotal);
          return seconds;
        },
      });
    }
    const library = optionalLibrary("fastest-levenshtein");
    if (library !== undefined) {
      contestants.push({
        name: "fastest-levenshtein (npm)",
        units: fewPairs,
        run: () =>
          clock(async () => {
            let found = 0;
            for (let i = 0; i < few.length; i++) {
              for (let j = i + 1; j < few.length; j++) found += library.distance(texts[i], texts[j]);
            }
            check("fastest-levenshtein", found, fewTotal);
          }),
      });
    }
    return await race(contestants, rounds, onRound);
  } finally {
    for (const peer of peers) peer.stop();
    await one.close();
    await two.close();
    await rm(folder, { recursive: true });
  }
}

function sum(values: ArrayLike<number>): number {
  let total = 0;
  for (let i = 0; i < values.length; i++) total += values[i];
  return total;
}

function check(name: string, found: number, expected: number): void {
  if (found === expected) return;
  throw new EmbranchError(
    `bench: ${name} must agree with us, got a sum of distances of ${found} instead of ${expected}`,
  );
}

/** A package that is not a dependency, where it is installed all the same. */
function optionalLibrary(name: string): Library | undefined {
  try {
    return createRequire(import.meta.url)(name) as Library;
  } catch {
    return undefined;
  }
}
