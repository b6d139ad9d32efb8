/** @file The recall that a search reports: 1 where it is exact, what was spoilt where it is not. */

import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Model } from "../../src/engine/model-file.ts";
import { EditDistances } from "../../src/kernel/index.ts";
import { decode, type SequenceSet } from "../../src/sequence/index.ts";
import { referencesInMemory } from "../../src/task/search/memory.ts";
import { RecallCheck, recallOf, type RecallOptions } from "../../src/task/search/recall.ts";
import type { References } from "../../src/task/search/references.ts";
import type { QueryHits, SearchTools } from "../../src/task/search/search.ts";
import { answersOf, compareAll, otherStrand, relatedReads, setOf } from "./indexes.ts";
import { untrainedModel } from "./models.ts";

let kernel: EditDistances;
let model: Model;
let references: SequenceSet;
let queries: SequenceSet;
let stored: References;
let tools: SearchTools;
let exact: QueryHits[];
beforeAll(async () => {
  kernel = await EditDistances.create({ threads: 2 });
  model = await untrainedModel({ length: 60 });
  ({ references, queries } = await relatedReads(180));
  stored = await referencesInMemory(references, model, { threads: 1 });
  tools = { references: stored, kernel, alphabet: references.alphabet, model };
  exact = await answersOf(tools, queries, { exact: true });
});
afterAll(async () => {
  await stored.close();
  await model.close();
  await kernel.close();
});

/** The estimate of all answers, given in two parts. */
async function estimate(answers: QueryHits[], options: RecallOptions = {}, from: References = stored) {
  const check = new RecallCheck(options);
  check.add(answers.slice(0, 7));
  check.add(answers.slice(7));
  return check.estimate({ references: from, kernel });
}

/** An answer without its best hits: those of as few edits as the first. */
const spoilt = (answer: QueryHits): QueryHits => ({
  ...answer,
  hits: answer.hits.filter(({ edits }) => edits > answer.hits[0].edits),
});
const all = { queries: 1000 };

describe("recall", () => {
  test("is 1 where the search was exact, whichever of several equal references came first", async () => {
    const turned = exact.map((answer) => ({
      ...answer,
      hits: answer.hits.filter(({ edits }) => edits === answer.hits[0].edits).toReversed(),
    }));
    for (const answers of [exact, turned])
      expect(await estimate(answers, all)).toMatchObject({ queries: 30, found: 30, recall: 1 });
  });

  test("is the share of the answers that were not spoilt", async () => {
    const answers = exact.map((answer, i) => (i % 5 === 0 ? spoilt(answer) : answer));
    expect(await estimate(answers, all)).toMatchObject({ queries: 30, found: 24, recall: 24 / 30 });
    expect(await estimate(exact.map(spoilt), all)).toMatchObject({ found: 0, recall: 0 });
  });

  test("of a search by the embedding is what comparing with everything says", async () => {
    const answers = await answersOf(tools, queries, { rerank: 0 });
    const right = answers.filter(
      ({ codes, hits }) => hits[0].edits === compareAll(codes, references)[0].edits,
    );
    expect(right.length).toBeLessThan(30);
    expect((await estimate(answers, all))!.found).toBe(right.length);
  });

  test("counts no hits at all as missed, unless nothing is similar enough", async () => {
    const none = exact.map((answer) => ({ ...answer, hits: [] }));
    expect((await estimate(none, all))!.found).toBe(0);
    const best = exact.map(({ hits }) => hits[0].identity);
    const minIdentity = best.toSorted((a, b) => a - b)[12] + 1e-6;
    const dissimilar = best.filter((identity) => identity < minIdentity).length;
    expect(dissimilar).toBeGreaterThan(0);
    expect(dissimilar).toBeLessThan(30);
    expect((await estimate(none, { ...all, minIdentity }))!.found).toBe(dissimilar);
  });

  test("looks at the other strand where the search did", async () => {
    const turned = setOf(queries.codes.map((codes) => otherStrand(decode(codes, queries.alphabet))));
    const plus = await answersOf(tools, turned, { exact: true });
    const both = await answersOf(tools, turned, { exact: true, bothStrands: true });
    expect((await estimate(plus, all))!.recall).toBe(1);
    expect((await estimate(both, { ...all, bothStrands: true }))!.recall).toBe(1);
    const better = both.filter(({ hits }, q) => hits[0].edits < plus[q].hits[0].edits).length;
    expect(better).toBeGreaterThan(20);
    expect((await estimate(plus, { ...all, bothStrands: true }))!.found).toBe(30 - better);
  });

  test("does not exist without queries, nor without checking", async () => {
    expect(await estimate([])).toBeUndefined();
    expect(await estimate(exact, { queries: 0 })).toBeUndefined();
  });

  test("with no references is 1: there is nothing to miss", async () => {
    const empty = await referencesInMemory(setOf([]));
    const none = exact.map((answer) => ({ ...answer, hits: [] }));
    expect(await estimate(none, {}, empty)).toMatchObject({ recall: 1 });
    await empty.close();
  });
});

describe("the queries checked", () => {
  test.each([1, 5, 30])("are %i where so many are asked for, the same for the same seed", async (count) => {
    const answers = exact.map((answer, i) => (i % 2 === 0 ? spoilt(answer) : answer));
    const runs = await Promise.all(
      [1, 1, 2, 3, 4, 5].map((seed) => estimate(answers, { queries: count, seed })),
    );
    for (const run of runs) expect(run!.queries).toBe(count);
    expect(runs[0]).toEqual(runs[1]);
    if (count < 30) expect(new Set(runs.map((run) => run!.found)).size).toBeGreaterThan(1);
  });

  /** References of which there seem to be so many that ten queries must do. */
  const endless = (): References => ({
    size: 1e12,
    method: stored.method,
    nearest: (...args) => stored.nearest(...args),
    fetch: (keys) => stored.fetch(keys),
    points: (keys) => stored.points(keys),
    blocks: () => stored.blocks(),
    close: () => stored.close(),
  });

  test("are ten where the references are many", async () => {
    expect(await estimate(exact, {}, endless())).toMatchObject({ queries: 10, recall: 1 });
  });

  test("are drawn from all that passed, also where few can be checked", async () => {
    // The first third is answered, the rest is not: to check the first ten alone would tell 1.
    const answers = exact.map((answer, i) => (i < 10 ? answer : spoilt(answer)));
    let found = 0;
    for (let seed = 1; seed <= 40; seed++) found += (await estimate(answers, { seed }, endless()))!.found;
    // 400 draws with a chance of 1/3: six standard deviations about 133.
    expect(found).toBeGreaterThan(133 - 57);
    expect(found).toBeLessThan(133 + 57);
  });

  test("are a fair draw of a long stream", async () => {
    const many = Array.from({ length: 900 }, (_, i) => (i < 300 ? exact[i % 30] : spoilt(exact[i % 30])));
    let found = 0;
    for (let seed = 1; seed <= 6; seed++) found += (await estimate(many, { seed, queries: 60 }))!.found;
    expect(found).toBeGreaterThan(120 - 50);
    expect(found).toBeLessThan(120 + 50);
  });
});

describe("Wilson's interval", () => {
  test.each([
    [10, 10, 0.7225, 1],
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [81, 263, 0.2553, 0.3662],
    [15, 148, 0.0624, 0.1605],
  ])("of %i in %i is %f to %f", (found, queries, low, high) => {
    const { interval, ...rest } = recallOf(found, queries);
    expect(rest).toEqual({ found, queries, recall: found / queries });
    expect(interval[0]).toBeCloseTo(low, 4);
    expect(interval[1]).toBeCloseTo(high, 4);
  });
});
