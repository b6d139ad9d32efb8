import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { EditDistances, packCodes } from "../../src/kernel/index.ts";
import { condensedIndex } from "../../src/sequence/condensed.ts";
import { Random } from "../../src/sequence/random.ts";

const PYTHON = "/usr/bin/python3";
const data = process.env.EMBRANCH_DATA ?? "../shared/data";
const reads = join(data, "16s-v4/study550_test.fasta.gz");
const genes = join(data, "16s-full/asmac_test.fasta.gz");
const edlib = existsSync(PYTHON) && spawnSync(PYTHON, ["-c", "import edlib"]).status === 0;
const missing = [reads, genes].filter((file) => !existsSync(file));
const reason = missing.length > 0 ? `${missing[0]} is absent` : edlib ? "" : "python's edlib is absent";

/** `count` sequences of a file, drawn at random. */
function sample(file: string, count: number): string[] {
  const lines = gunzipSync(readFileSync(file)).toString().split("\n");
  const sequences = lines.filter((line) => line !== "" && !line.startsWith(">"));
  return new Random(11).shuffle(sequences).slice(0, count);
}

/** All pairs by edlib, condensed. */
function edlibAllPairs(sequences: string[]): number[] {
  const program = `
import edlib, json, sys
s = json.load(sys.stdin)
json.dump([edlib.align(s[i], s[j])["editDistance"] for i in range(len(s)) for j in range(i + 1, len(s))], sys.stdout)`;
  const { stdout } = spawnSync(PYTHON, ["-c", program], { input: JSON.stringify(sequences), maxBuffer: 1e9 });
  return JSON.parse(stdout.toString()) as number[];
}

const encode = (sequence: string): Uint8Array => Uint8Array.from(sequence, (c) => c.charCodeAt(0) & 31);

describe.skipIf(reason !== "")(
  `agreement with edlib on real sequences${reason && ` (skipped: ${reason})`}`,
  () => {
    let distances: EditDistances;
    beforeAll(async () => {
      distances = await EditDistances.create({ threads: 2 });
    });
    afterAll(async () => {
      await distances.close();
    });

    test.each([
      ["V4 reads", reads, 330],
      ["full-length 16S", genes, 45],
    ])("%s: all pairs, a cross matrix and a list", async (_, file, count) => {
      const sequences = sample(file, count);
      const exact = edlibAllPairs(sequences);
      const set = packCodes(sequences.map(encode));
      expect(Array.from(await distances.allPairs(set))).toEqual(exact);

      const threshold = exact.toSorted((a, b) => a - b)[exact.length >> 2];
      const near = await distances.allPairs(set, { threshold });
      expect(Array.from(near)).toEqual(exact.map((d) => Math.min(d, threshold + 1)));

      const left: number[] = [];
      const right: number[] = [];
      for (let i = 0; i < count; i++) {
        for (let j = i + 1; j < count; j += 3) {
          left.push(j);
          right.push(i);
        }
      }
      const list = await distances.pairs(set, Uint32Array.from(left), Uint32Array.from(right));
      expect(Array.from(list)).toEqual(left.map((j, p) => exact[condensedIndex(right[p], j, count)]));

      const cross = await distances.cross(packCodes(sequences.slice(0, 20).map(encode)), set);
      for (let i = 0; i < 20; i++) {
        expect(cross[i * count + i]).toBe(0);
        for (let j = i + 1; j < count; j++)
          expect(cross[i * count + j]).toBe(exact[condensedIndex(i, j, count)]);
      }
    });
  },
);
