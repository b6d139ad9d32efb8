/** @file Search: what is found is held against comparing with everything, in every kind of space. */

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../src/error.ts";
import { EditDistances } from "../../src/kernel/index.ts";
import { subset, type SequenceRecord, type SequenceSet } from "../../src/sequence/index.ts";
import { reverseComplement } from "../../src/sequence/reverse-complement.ts";
import { folderStore } from "../../src/task/search/folder.ts";
import { referencesInMemory } from "../../src/task/search/memory.ts";
import type { References } from "../../src/task/search/references.ts";
import { search, type SearchTools } from "../../src/task/search/search.ts";
import type { ModelBytes, OpenIndex } from "../../src/task/search/store.ts";
import {
  answersOf,
  compareAll,
  editsOf,
  modelBytes,
  otherStrand,
  recordsOf,
  relatedReads,
  Scratch,
  setOf,
  targetsOf,
} from "./indexes.ts";

const scratch = new Scratch();
const LENGTH = 60;

let kernel: EditDistances;
let references: SequenceSet;
let queries: SequenceSet;
let hyperbolic: ModelBytes;
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 2 });
  ({ references, queries } = await relatedReads(140, { apart: 7 }));
  hyperbolic = await modelBytes({ length: LENGTH });
});
afterAll(async () => {
  await hyperbolic.model.close();
  await kernel.close();
});

/** Searches a set in memory, and closes it. */
async function searching<Result>(
  set: SequenceSet,
  { model }: ModelBytes,
  work: (tools: SearchTools) => Promise<Result>,
): Promise<Result> {
  const inMemory = await referencesInMemory(set, model, { threads: 1 });
  try {
    return await work({ references: inMemory, kernel, alphabet: set.alphabet, model });
  } finally {
    await inMemory.close();
  }
}

describe.each(["hyperbolic", "euclidean", "manhattan", "lorentz", "poincare"] as const)(
  "in %s space",
  (geometry) => {
    let placed: ModelBytes;
    let graph: OpenIndex;
    let scan: OpenIndex;
    const tools = ({ references, model }: OpenIndex): SearchTools => ({
      references,
      model,
      kernel,
      alphabet: model.alphabet,
    });

    beforeAll(async () => {
      placed = await modelBytes({ length: LENGTH, geometry, dim: 8 });
      const store = folderStore(scratch.at(geometry));
      await store.build(placed, recordsOf(references), { threads: 1, graph: { precision: "f32" } });
      graph = await store.open({ threads: 1 });
      scan = await store.open({ threads: 1, scan: true });
    });
    afterAll(async () => {
      await graph.close();
      await scan.close();
      await placed.model.close();
    });

    test("the method is the graph where there is one", () => {
      expect(scan.references.method).toMatch(/^scan of all points/);
      expect(graph.references.method).toBe(
        geometry === "manhattan"
          ? "scan of all points: manhattan distance has no index"
          : "graph of neighbours",
      );
    });

    test("re-ranking everything finds what comparing with everything finds", async () => {
      for (const opened of [graph, scan]) {
        const answers = await answersOf(tools(opened), queries, { top: 7, rerank: references.ids.length });
        expect(answers.map(({ query }) => query)).toEqual(queries.ids);
        answers.forEach(({ codes, hits }) => {
          expect(editsOf(hits)).toEqual(editsOf(compareAll(codes, references)).slice(0, 7));
        });
      }
    });

    test("edits and identities are exact however few are re-ranked, and the order is theirs", async () => {
      for (const [opened, rerank] of [[graph, 12], [scan, 3]] as const) {
        for (const { codes, hits } of await answersOf(tools(opened), queries, { top: 9, rerank })) {
          expect(hits).toHaveLength(9);
          expect(new Set(targetsOf(hits)).size).toBe(9);
          const truth = new Map(compareAll(codes, references).map((each) => [each.target, each]));
          for (const hit of hits) {
            expect(hit).toMatchObject({ ...truth.get(hit.target) });
            expect(hit.codes).toEqual(references.codes[references.ids.indexOf(hit.target)]);
          }
          expect(editsOf(hits)).toEqual(editsOf(hits).toSorted((a, b) => a - b));
        }
      }
    }); // prettier-ignore

    test("without re-ranking the order is that of the embedding", async () => {
      const { model } = placed;
      const { dim, space } = model.manifest;
      const points = await model.embed(references.codes);
      const probes = await model.embed(queries.codes);
      const answers = await answersOf(tools(scan), queries, { top: 8, rerank: 0 });
      const row = (data: Float32Array, i: number) => data.subarray(i * dim, (i + 1) * dim);
      answers.forEach(({ hits }, q) => {
        const all = references.ids.map(
          (_, i) => LENGTH * model.space.exactDistance(row(probes, q), row(points, i), space.parameters),
        );
        const nearest = all.toSorted((a, b) => a - b).slice(0, 8);
        hits.forEach(({ distance, target }, i) => {
          const own = all[references.ids.indexOf(target)];
          expect(Math.abs(distance! - own)).toBeLessThan(1e-3 * (1 + own));
          expect(Math.abs(distance! - nearest[i])).toBeLessThan(1e-3 * (1 + nearest[i]));
        });
      });
    });

    test("following the graph finds points as near as looking at all does", async () => {
      const [byGraph, byScan] = await Promise.all(
        [graph, scan].map((opened) => answersOf(tools(opened), queries, { top: 10, rerank: 0 })),
      );
      let same = 0;
      byScan.forEach(({ hits }, q) => {
        hits.forEach(({ distance }, i) => {
          const other = byGraph[q].hits[i].distance!;
          if (Math.abs(other - distance!) < 1e-3 * (1 + distance!)) same++;
        });
      });
      // Untrained points lie at the rim of the ball, where the graph's numbers have few digits left.
      expect(same / (10 * byScan.length)).toBeGreaterThan(geometry === "poincare" ? 0.85 : 0.98);
    });
  },
);

describe("against comparing with everything, in sets full of ties", () => {
  const letters = fc.string({ unit: fc.constantFrom(..."ACGTN"), minLength: 1, maxLength: 12 });
  const sets = fc.tuple(
    fc.array(letters, { minLength: 1, maxLength: 25 }),
    fc.array(letters, { minLength: 1, maxLength: 6 }),
  );
  const options = fc.record({
    top: fc.integer({ min: 1, max: 30 }),
    bothStrands: fc.boolean(),
    blockSize: fc.constantFrom(1, 2, 5, 1024),
  });

  test("re-ranking all and exact searches give the same edits", async () => {
    await fc.assert(
      fc.asyncProperty(sets, options, async ([targets, probes], { top, bothStrands, blockSize }) => {
        const set = setOf(targets);
        const asked = setOf(probes, { prefix: "q" });
        await searching(set, hyperbolic, async (tools) => {
          for (const how of [{ rerank: 1000 }, { exact: true }]) {
            const answers = await answersOf(tools, asked, { top, bothStrands, blockSize, ...how });
            expect(answers.map(({ query }) => query)).toEqual(asked.ids);
            answers.forEach(({ codes, hits }) => {
              const all = compareAll(codes, set, bothStrands);
              // A reference counts once, whichever its strand.
              const once = all.filter(
                ({ target }, i) => all.findIndex((other) => other.target === target) === i,
              );
              expect(editsOf(hits)).toEqual(editsOf(once).slice(0, top));
              for (const hit of hits) {
                const { target, strand } = hit;
                expect(all.find((each) => each.target === target && each.strand === strand)).toEqual({
                  target,
                  strand,
                  edits: hit.edits,
                  identity: hit.identity,
                });
              }
              expect(new Set(hits.map(({ key }) => key)).size).toBe(hits.length);
            });
          }
        });
      }),
      { numRuns: 20 },
    );
  });

  test("a least identity leaves out what is below it, and nothing else", async () => {
    await fc.assert(
      fc.asyncProperty(sets, fc.integer({ min: 0, max: 12 }), async ([targets, probes], twelfths) => {
        const set = setOf(targets);
        const minIdentity = twelfths / 12;
        await searching(set, hyperbolic, async (tools) => {
          for (const how of [{ rerank: 1000 }, { rerank: 0 }, { exact: true }]) {
            const asked = setOf(probes, { prefix: "q" });
            for (const { codes, hits } of await answersOf(tools, asked, { top: 50, minIdentity, ...how })) {
              const good = compareAll(codes, set).filter(({ identity }) => identity > minIdentity - 1e-9);
              expect(targetsOf(hits).toSorted()).toEqual(targetsOf(good).toSorted());
            }
          }
        });
      }),
      { numRuns: 15 },
    );
  });
});

describe("a least identity and few hits", () => {
  // A longer reference bears more edits: of these, the first has fewer, and the second the higher identity.
  const query = "ACGT".repeat(10);
  const first = `TTTT${query.slice(4)}`;
  const second = `${query}GGGG`;

  test("identities are of the longer sequence", async () => {
    await searching(setOf([first, second]), hyperbolic, async (tools) => {
      const [{ hits }] = await answersOf(tools, setOf([query]), { exact: true });
      expect(hits.map(({ edits, identity }) => [edits, identity])).toEqual([[3, 1 - 3 / 40], [4, 1 - 4 / 44]]);
    });
  }); // prettier-ignore

  test.each([
    ["exact", { exact: true }],
    ["re-ranked", {}],
  ])("a hit that is good enough is not lost to a nearer one that is not, %s", async (_, how) => {
    const near = `${"N".repeat(8)}${query.slice(8)}`;
    const far = `${query}${"G".repeat(9)}`;
    await searching(setOf([near, far]), hyperbolic, async (tools) => {
      const all = compareAll(setOf([query]).codes[0], setOf([near, far]));
      expect(all.map(({ target }) => target)).toEqual(["r0", "r1"]);
      const minIdentity = Math.max(...all.map(({ identity }) => identity)) - 1e-6;
      const [{ hits }] = await answersOf(tools, setOf([query]), { top: 1, minIdentity, ...how });
      const good = all.filter(({ identity }) => identity >= minIdentity);
      expect(targetsOf(hits)).toEqual(targetsOf(good).slice(0, 1));
    });
  });
});

describe("strands", () => {
  const read = "ACGTTGCAACGGTTACCAGTRYKMBDHVNSWA";

  test("the other strand is that of the IUPAC's letters", () => {
    const [codes, other] = setOf([read, otherStrand(read)]).codes;
    expect(reverseComplement(codes)).toEqual(other);
    expect(reverseComplement(other)).toEqual(codes);
    expect(reverseComplement(new Uint8Array())).toEqual(new Uint8Array());
  });

  test.each([
    ["exact", { exact: true }],
    ["re-ranked", {}],
    ["by the embedding", { rerank: 0 }],
  ])("a read of the other strand is found where both are looked for, %s", async (_, how) => {
    const turned = setOf(["ACGTTGCAACGGTTACCAGT", otherStrand("ACGTTGCAACGGTTACCAGT")].slice(1), {
      prefix: "turned",
    });
    await searching(setOf(["ACGTTGCAACGGTTACCAGT", "TTTTTTTTTTGGGGGGGGGG"]), hyperbolic, async (tools) => {
      const [both] = await answersOf(tools, turned, { bothStrands: true, top: 1, ...how });
      expect(both.hits).toMatchObject([{ target: "r0", strand: "-", edits: 0, identity: 1 }]);
      expect(both.codes).toEqual(turned.codes[0]);
      const [plus] = await answersOf(tools, turned, { top: 1, ...how });
      expect(plus.hits[0].strand).toBe("+");
      expect(plus.hits[0].edits).toBeGreaterThan(0);
    });
  });

  test("both strands' hits stand in one order", async () => {
    const both = { bothStrands: true, top: 12 };
    await searching(references, hyperbolic, async (tools) => {
      for (const { hits } of await answersOf(tools, queries, { ...both, rerank: 0 })) {
        const distances = hits.map(({ distance }) => distance!);
        expect(distances).toEqual(distances.toSorted((a, b) => a - b));
      }
      for (const { codes, hits } of await answersOf(tools, queries, { ...both, rerank: 500 }))
        expect(editsOf(hits)).toEqual(editsOf(compareAll(codes, references, true)).slice(0, 12));
    });
  });

  test("proteins have one", async () => {
    const protein = await modelBytes({ length: 20, alphabet: "protein" });
    const set = setOf(["MKVLE", "MKVWE"], { alphabet: "protein" });
    try {
      await searching(set, protein, async (tools) => {
        await expect(answersOf(tools, set, { bothStrands: true })).rejects.toThrow(UsageError);
        const [{ hits }] = await answersOf(tools, set);
        expect(editsOf(hits)).toEqual([0, 1]);
      });
    } finally {
      await protein.model.close();
    }
  });
});

describe("ties", () => {
  const copies = setOf(["ACGTACGT", "ACGTACGA", "ACGTACGT", "ACGTACGT", "ACGTACGC"]);

  test("of copies all are found, the first ones where there is no room for all", async () => {
    await searching(copies, hyperbolic, async (tools) => {
      for (const how of [{ exact: true }, {}, { rerank: 0 }]) {
        const [{ hits }] = await answersOf(tools, subset(copies, [0]), { top: 3, ...how });
        expect(targetsOf(hits)).toEqual(["r0", "r2", "r3"]);
        const [{ hits: two }] = await answersOf(tools, subset(copies, [0]), { top: 2, ...how });
        expect(targetsOf(two)).toEqual(["r0", "r2"]);
      }
    });
  });

  test("among equally many edits the nearer point comes first; exact searches keep the references' order", async () => {
    await searching(references, hyperbolic, async (tools) => {
      for (const { hits } of await answersOf(tools, queries, { top: 20, rerank: 500 })) {
        hits.slice(1).forEach((hit, i) => {
          if (hit.edits === hits[i].edits) expect(hit.distance!).toBeGreaterThanOrEqual(hits[i].distance!);
        });
      }
      for (const { codes, hits } of await answersOf(tools, queries, { top: 20, exact: true }))
        expect(targetsOf(hits)).toEqual(targetsOf(compareAll(codes, references)).slice(0, 20));
    });
  });
});

describe("how much is asked for", () => {
  test("more hits than references are all of them", async () => {
    await searching(subset(references, [0, 1, 2]), hyperbolic, async (tools) => {
      for (const how of [{ exact: true }, {}, { rerank: 0 }, { rerank: 1 }]) {
        for (const { hits } of await answersOf(tools, queries, { top: 1000, ...how }))
          expect(targetsOf(hits).toSorted()).toEqual(references.ids.slice(0, 3).toSorted());
      }
    });
  });

  test("re-ranking fewer than the hits asked for re-ranks as many as these", async () => {
    await searching(references, hyperbolic, async (tools) => {
      const few = await answersOf(tools, queries, { top: 10, rerank: 1 });
      expect(few).toEqual(await answersOf(tools, queries, { top: 10, rerank: 10 }));
    });
  });

  test("ten hits, fifty re-ranked, are the default", async () => {
    await searching(references, hyperbolic, async (tools) => {
      const told = await answersOf(tools, queries, { top: 10, rerank: 50 });
      expect(await answersOf(tools, queries)).toEqual(told);
    });
  });

  test.each([1, 3, 1024])("blocks of %i queries make no difference", async (blockSize) => {
    await searching(references, hyperbolic, async (tools) => {
      const [some, whole] = [
        await answersOf(tools, queries, { blockSize, rerank: 500 }),
        await answersOf(tools, queries, { blockSize: 30, rerank: 500 }),
      ];
      expect(some.map(({ hits }) => editsOf(hits))).toEqual(whole.map(({ hits }) => editsOf(hits)));
    });
  });
});

describe("queries are a stream", () => {
  /** Records that tell how many were taken, and whether their source was closed. */
  function counted(set: SequenceSet) {
    const seen = { taken: 0, closed: false };
    async function* records(): AsyncGenerator<SequenceRecord> {
      try {
        for await (const record of recordsOf(set)) {
          seen.taken++;
          yield record;
        }
      } finally {
        seen.closed = true;
      }
    }
    return { seen, records: records() };
  }

  test("two blocks are read ahead at most", async () => {
    await searching(references, hyperbolic, async (tools) => {
      const { seen, records } = counted(queries);
      for await (const answers of search(tools, records, { blockSize: 2 })) {
        expect(answers).toHaveLength(2);
        const done = queries.ids.indexOf(answers[1].query) + 1;
        expect(seen.taken).toBeLessThanOrEqual(done + 4);
      }
      expect(seen).toEqual({ taken: queries.ids.length, closed: true });
    });
  });

  test("leaving the loop early closes it", async () => {
    await searching(references, hyperbolic, async (tools) => {
      const { seen, records } = counted(queries);
      for await (const answers of search(tools, records, { blockSize: 2 })) if (answers.length > 0) break;
      // What was being read meanwhile may come to its end first.
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(seen.closed).toBe(true);
    });
  });

  test("a bad record is told after the answers to those before its block", async () => {
    async function* records(): AsyncGenerator<SequenceRecord> {
      yield* recordsOf(subset(queries, [0, 1, 2, 3]));
      yield { id: "long", description: "", sequence: "A".repeat(LENGTH + 1), line: 9 };
    }
    await searching(references, hyperbolic, async (tools) => {
      const blocks = search(tools, records(), { blockSize: 2, file: "q.fasta" });
      expect((await blocks.next()).value).toHaveLength(2);
      expect((await blocks.next()).value).toHaveLength(2);
      await expect(blocks.next()).rejects.toThrow(
        `q.fasta, line 9, record "long": sequence: must have at most the model's ${LENGTH} letters, got ${LENGTH + 1}`,
      );
    });
  });

  test("an exact search takes queries of any length", async () => {
    const long = setOf(["ACGT".repeat(LENGTH)]);
    await searching(references, hyperbolic, async (tools) => {
      const [{ codes, hits }] = await answersOf(tools, long, { exact: true, top: 3 });
      expect(editsOf(hits)).toEqual(editsOf(compareAll(codes, references)).slice(0, 3));
    });
  });

  test("letters that are none, no model, a signal: refused", async () => {
    const bad = async function* (): AsyncGenerator<SequenceRecord> {
      yield { id: "p", description: "", sequence: "MKVLE" };
    };
    await searching(references, hyperbolic, async (tools) => {
      await expect(search(tools, bad()).next()).rejects.toThrow(FormatError);
      await expect(search(tools, bad(), { exact: true }).next()).rejects.toThrow(FormatError);
      const bare = { ...tools, model: undefined };
      await expect(answersOf(bare, queries)).rejects.toThrow(UsageError);
      expect(await answersOf(bare, queries, { exact: true })).toHaveLength(queries.ids.length);
      const stop = new AbortController();
      const blocks = search(tools, recordsOf(queries), { blockSize: 1, signal: stop.signal });
      await blocks.next();
      stop.abort();
      const rest = async () => {
        for await (const answers of blocks) expect(answers).toHaveLength(1);
      };
      await expect(rest()).rejects.toThrow(/abort/);
    });
  });

  test("no queries, no answers", async () => {
    await searching(references, hyperbolic, async (tools) => {
      expect(await answersOf(tools, subset(queries, []))).toEqual([]);
    });
  });
});

describe("when every reference has been deleted", () => {
  test.each(["hyperbolic", "manhattan"] as const)("%s: nothing is found, and nothing breaks", async (geometry) => {
    const placed = await modelBytes({ length: LENGTH, geometry });
    const store = folderStore(scratch.at(`${geometry}-emptied`));
    await store.build(placed, recordsOf(subset(references, [0, 1, 2])), { threads: 1 });
    await store.delete(references.ids.slice(0, 3));
    for (const compacted of [false, true]) {
      if (compacted) await store.compact({ threads: 1 });
      const opened = await store.open({ threads: 1 });
      expect(opened.references.size).toBe(0);
      const tools: SearchTools = { ...opened, kernel, alphabet: opened.model.alphabet };
      for (const how of [{}, { rerank: 0 }, { exact: true }, { bothStrands: true }]) {
        const answers = await answersOf(tools, queries, how);
        expect(answers.map(({ query, hits }) => [query, hits])).toEqual(queries.ids.map((id) => [id, []]));
      }
      await opened.close();
    }
    await store.append(recordsOf(subset(references, [0])), { threads: 1 });
    const opened = await store.open({ threads: 1 });
    const [{ hits }] = await answersOf(
      { ...opened, kernel, alphabet: opened.model.alphabet },
      subset(references, [0]),
    );
    expect(hits).toMatchObject([{ target: references.ids[0], edits: 0 }]);
    await opened.close();
    await placed.model.close();
  }); // prettier-ignore
});

describe("references in memory", () => {
  test("many get a graph, unless a scan is wanted", async () => {
    const letters = (i: number) => Array.from({ length: 10 }, (_, k) => "ACGT"[(i >> (2 * k)) & 3]).join("");
    const set = setOf(Array.from({ length: 20_001 }, (_, i) => letters(i * 37)));
    const small = await modelBytes({ length: 12, dim: 4 });
    const open = (options: { scan?: boolean }) => referencesInMemory(set, small.model, { threads: 2, ...options }); // prettier-ignore
    const found: string[][] = [];
    for (const scan of [false, true]) {
      const inMemory: References = await open({ scan });
      expect(inMemory.method).toBe(scan ? "scan of all points" : "graph of neighbours");
      const tools = { references: inMemory, kernel, alphabet: set.alphabet, model: small.model };
      const answers = await answersOf(tools, subset(set, [0, 7, 20_000]), { top: 1 });
      found.push(answers.flatMap(({ hits }) => targetsOf(hits)));
      await inMemory.close();
    }
    expect(found).toEqual([["r0", "r7", "r20000"], ["r0", "r7", "r20000"]]);
    await small.model.close();
  }); // prettier-ignore

  test("keys name references: what is fetched is what was put in", async () => {
    await searching(references, hyperbolic, async ({ references: stored }) => {
      const keys = [5, 0, references.ids.length - 1, 5];
      expect(await stored.fetch(keys)).toEqual({
        keys,
        ids: keys.map((key) => references.ids[key]),
        codes: keys.map((key) => references.codes[key]),
      });
      const { dim } = hyperbolic.model.manifest;
      const points = await hyperbolic.model.embed(references.codes);
      const fetched = await stored.points(keys);
      keys.forEach((key, i) => {
        const own = [...points.subarray(key * dim, (key + 1) * dim)];
        [...fetched.subarray(i * dim, (i + 1) * dim)].forEach((x, d) => expect(x).toBeCloseTo(own[d], 5));
      });
    });
  });
});
