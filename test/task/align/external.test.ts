/** @file Guide trees in the formats of other aligners, and what becomes of these programs. */

import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import fc from "fast-check";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { EmbranchError } from "../../../src/error.ts";
import { alignedRow } from "../../../src/sequence/alignment.ts";
import { DNA, PROTEIN, type Alphabet } from "../../../src/sequence/alphabet.ts";
import { leafNames, parseNewick } from "../../../src/sequence/newick.ts";
import { Random } from "../../../src/sequence/random.ts";
import { collect, type SequenceSet } from "../../../src/sequence/sequence-set.ts";
import { alignWith, EXTERNAL_ALIGNERS } from "../../../src/task/align/external.ts";
import { inShares, mafftGuide, newickGuide } from "../../../src/task/align/guide-formats.ts";
import { compactTree, type CompactTree } from "../../../src/task/tree/compact-tree.ts";

const names = (count: number) => Array.from({ length: count }, (_, i) => `S${i}`);
const treeOf = (newick: string, ids = leafNames(parseNewick(newick)).sort()): CompactTree =>
  compactTree(parseNewick(newick), ids);

const setOf = (sequences: readonly string[], alphabet?: Alphabet): Promise<SequenceSet> =>
  collect(
    sequences.map((sequence, i) => ({ id: `a sequence ${i}`, description: "", sequence })),
    { alphabet },
  );

describe("guide trees", () => {
  const star = treeOf("((S0:3,S1:1,S4:2):1,S2:5,S3:0.5);");

  test("of two branches everywhere, the shortest joined first", () => {
    expect(newickGuide(star, names(5))).toBe("(S2:5,(S3:0.5,(S0:3,(S1:1,S4:2):0):1):0);\n");
    const whole = treeOf("((S0:1,S1:1):1,S2:2);");
    expect(newickGuide(whole, names(3))).toBe("(S2:2,(S0:1,S1:1):1);\n");
    expect(newickGuide({ leaves: 1, parent: Int32Array.of(-1), length: Float64Array.of(0) }, ["a"])).toBe(
      "a;\n",
    );
  });

  test("as MAFFT's joins of numbered groups", () => {
    expect(mafftGuide(star)).toBe(
      [
        "    2     5    1.00000    2.00000",
        "    1     2    3.00000    0.00000",
        "    1     4    1.00000    0.50000",
        "    1     3    0.00000    5.00000",
        "",
      ].join("\n"),
    );
    expect(mafftGuide({ leaves: 1, parent: Int32Array.of(-1), length: Float64Array.of(0) })).toBe("");
  });

  test("in shares of letters, none below 0", () => {
    expect(inShares(treeOf("(S0:-1,S1:0.5);"), 100).length).toEqual(Float64Array.of(0, 0.5, 0));
    expect(inShares(treeOf("(S0:10,S1:5);"), 100).length).toEqual(Float64Array.of(0.1, 0.05, 0));
  });
});

/** A random set and a random tree of it, with nodes of several branches. */
const cases = (alphabet: Alphabet, least: number) => {
  const letters = fc.constantFrom(...(alphabet === DNA ? "ACGTACGTACGTN" : `${PROTEIN.letters}XUO*BZJ`));
  const root = fc.array(letters, { minLength: 12, maxLength: 40 });
  const member = fc.record({ from: fc.nat(6), to: fc.nat(6), changed: fc.nat(11), by: letters });
  const members = fc.array(member, { minLength: least, maxLength: 8 });
  const joins = fc.array(fc.tuple(fc.nat(), fc.nat(3), fc.double({ min: 0, max: 40, noNaN: true })), {
    minLength: 20,
    maxLength: 20,
  });
  return fc.tuple(root, members, joins).map(([text, list, draws]) => {
    const sequences = list.map(({ from, to, changed, by }) => {
      const copy = text.slice();
      copy[changed] = by;
      return `${alphabet === DNA ? "ACGT" : "MKVW"}${copy.slice(from % 3, copy.length - (to % 3)).join("")}`;
    });
    let groups = names(sequences.length);
    for (const [at, more, length] of draws) {
      if (groups.length < 2) break;
      const taken = groups.splice(at % groups.length, 2 + more);
      groups.push(`(${taken.map((each) => `${each}:${length}`).join(",")})`);
      if (taken.length === 1) groups = [...groups.slice(0, -1), taken[0]];
    }
    while (groups.length > 1) groups = [`(${groups.join(",")})`];
    return { sequences, tree: treeOf(`${groups[0]};`, names(sequences.length)) };
  });
};

describe.each(EXTERNAL_ALIGNERS)("%s", (program) => {
  const installed = spawnSync(program, ["--version"]).error === undefined;
  const name = installed ? "aligns" : `is not installed here, so that it is not tried: aligns`;

  test.skipIf(!installed).each([
    ["nucleotides", DNA],
    ["proteins", PROTEIN],
  ] as const)(
    `${name} %s of any ids, along any tree, in their order`,
    async (_, alphabet) => {
      for (const { sequences, tree } of fc.sample(cases(alphabet, 2), { numRuns: 6, seed: 11 })) {
        const set = await setOf(sequences, alphabet);
        const steps: number[] = [];
        const found = await alignWith(program, set, tree, {
          threads: 1,
          progress: (done, total) => {
            expect(total).toBe(sequences.length - 1);
            steps.push(done);
          },
        });
        const rows = sequences.map((each, i) => alignedRow(each, found.columns[i], found.width));
        expect(rows.map((row) => row.replaceAll("-", ""))).toEqual(sequences);
        for (const row of rows) expect(row).toHaveLength(found.width);
        expect(steps.at(-1)).toBe(sequences.length - 1);
      }
    },
    60_000,
  );

  test.skipIf(!installed)(`${name} by the tree that it is given`, async () => {
    const random = new Random(5);
    const draw = () => "ACGT"[random.integer(4)];
    const root = Array.from({ length: 80 }, draw);
    const sequences = Array.from({ length: 8 }, () =>
      root
        .flatMap((letter) => (random.uniform() < 0.3 ? [draw(), draw()].slice(random.integer(3)) : letter))
        .join(""),
    );
    const set = await setOf(sequences, DNA);
    const caterpillar = (order: readonly number[]) =>
      treeOf(`${order.slice(1).reduce((inner, i) => `(${inner}:0.1,S${i}:0.1)`, `S${order[0]}`)};`);
    const forwards = caterpillar([0, 1, 2, 3, 4, 5, 6, 7]);
    const backwards = caterpillar([7, 6, 5, 4, 3, 2, 1, 0]);
    const options = { threads: 1 };
    const first = await alignWith(program, set, forwards, options);
    expect(await alignWith(program, set, forwards, options)).toEqual(first);
    expect(await alignWith(program, set, backwards, options)).not.toEqual(first);
  });

  test("leaves one sequence as it is", async () => {
    const set = await setOf(["ACGT"]);
    const tree = { leaves: 1, parent: Int32Array.of(-1), length: Float64Array.of(0) };
    expect(await alignWith(program, set, tree)).toEqual({ width: 4, columns: [Uint32Array.of(0, 1, 2, 3)] });
    await expect(alignWith(program, set, treeOf("(S0,S1);"))).rejects.toThrow("must have 1 leaves, got 2");
  });
});

describe("a program that fails", () => {
  const folder = mkdtempSync(join(tmpdir(), "embranch-fake-"));
  const { PATH: path, TMPDIR: temporary } = process.env;
  beforeEach(() => {
    process.env.TMPDIR = folder;
  });
  afterEach(() => {
    process.env.PATH = path;
    if (temporary === undefined) delete process.env.TMPDIR;
    else process.env.TMPDIR = temporary;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  /** Puts a script in the place of mafft. */
  const fake = (script: string): void => {
    writeFileSync(join(folder, "mafft"), `#!/bin/sh\n${script}\n`);
    chmodSync(join(folder, "mafft"), 0o755);
    process.env.PATH = `${folder}${delimiter}${path}`;
  };
  const run = async (signal?: AbortSignal): Promise<unknown> => {
    const set = await setOf(["ACGT", "ACGA"]);
    const error: unknown = await alignWith("mafft", set, treeOf("(S0,S1);"), { signal }).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("embranch-"))).toEqual([]);
    return error;
  };

  test.each([
    ["with a status", "echo one >&2; echo ' two ' >&2; echo ---- >&2; exit 3", "mafft: failed (exit status 3): one; two"],
    ["killed", "kill -9 $$", "mafft: failed (SIGKILL)"],
    ["without an alignment", "echo nothing to do >&2", "mafft: failed, and wrote no alignment: nothing to do"],
    ["with letters missing", "printf '>S0\\nACGT\\n>S1\\nACG-\\n'", "mafft: must give back the 4 letters of sequence 2, got 3"],
    ["with a sequence missing", "printf '>S0\\nACGT\\n'", "mafft: must give back the 4 letters of sequence 2, got none"],
  ])("%s", async (_, script, message) => {
    fake(script);
    const error = await run();
    expect(error).toBeInstanceOf(EmbranchError);
    expect((error as Error).message).toBe(message);
  }); // prettier-ignore

  test("because it is not there", async () => {
    process.env.PATH = join(folder, "nowhere");
    const error = await run();
    expect(error).toBeInstanceOf(EmbranchError);
    expect((error as Error).message).toMatch(/^mafft: is not installed; install the package mafft of Debian/);
  });

  test("because it is stopped, ends with all that it started", async () => {
    fake(`sleep 60 & echo $! > ${join(folder, "pid")}; wait`);
    const controller = new AbortController();
    const started = performance.now();
    const ended = run(controller.signal);
    let pid = "";
    while (pid.trim() === "") {
      await new Promise((resolve) => setTimeout(resolve, 20));
      pid = existsSync(join(folder, "pid")) ? readFileSync(join(folder, "pid"), "utf8") : "";
    }
    controller.abort(new Error("enough"));
    expect(((await ended) as Error).message).toBe("enough");
    expect(performance.now() - started).toBeLessThan(20_000);
    // A process that has ended may wait a moment for whoever started it.
    const state = spawnSync("ps", ["-o", "stat=", "-p", pid.trim()], { encoding: "utf8" }).stdout.trim();
    expect(state === "" || state.startsWith("Z")).toBe(true);
  });
});
