/** @file Scores against a reference: by hand, by listing all pairs, and on the largest sizes that are promised. */

import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../../src/error.ts";
import { alignRows, type AlignedSequences } from "../../../src/sequence/aligned-rows.ts";
import { compareAlignments } from "../../../src/task/align/score.ts";

const of = (rows: Record<string, string>): AlignedSequences =>
  alignRows(Object.entries(rows).map(([id, row]) => ({ id, row })));

describe("by hand", () => {
  const reference = of({ a: "ACGT-", b: "AC-TT", c: "A-GTT" });

  test("an alignment has all of itself", () => {
    expect(compareAlignments(reference, reference)).toEqual({
      sequences: 3,
      pairs: 3 + 1 + 1 + 3 + 1,
      testPairs: 9,
      sharedPairs: 9,
      columns: 5,
      sharedColumns: 5,
      sp: 1,
      modeler: 1,
      tc: 1,
    });
  });

  test("the order of sequences and columns of gaps do not matter, nor more sequences, U for T, or case", () => {
    const other = of({ x: "GGGGGG", c: "a-g-uu", b: "ac--uu", a: "acg-u-" });
    expect(compareAlignments(other, reference)).toMatchObject({ sequences: 3, sp: 1, modeler: 1, tc: 1 });
  });

  test("a letter that is shifted loses its pairs and its columns", () => {
    // The third letter of a stands with c's G no more, but beside b's first T.
    const shifted = of({ a: "AC-GT-", b: "AC-T-T", c: "A-G-TT" });
    expect(compareAlignments(shifted, reference)).toEqual({
      sequences: 3,
      pairs: 9,
      testPairs: 3 + 1 + 1 + 1 + 1,
      sharedPairs: 3 + 1 + 1 + 1,
      columns: 5,
      sharedColumns: 3,
      sp: 6 / 9,
      modeler: 6 / 7,
      tc: 3 / 5,
    });
  });

  test("only upper case counts with core", () => {
    const marked = of({ a: "ACgt-", b: "AC-tt", c: "A-gtt" });
    const wrong = of({ a: "ACGT---", b: "AC---TT", c: "A-GTT--" });
    expect(compareAlignments(wrong, marked, { core: true })).toMatchObject({
      pairs: 4,
      sp: 1,
      modeler: 1,
      tc: 1,
    });
    expect(compareAlignments(wrong, marked)).toMatchObject({ pairs: 9, sp: 6 / 9, tc: 3 / 5 });
  });

  test("where nothing can be shared there is no share", () => {
    const alone = of({ a: "ACGT" });
    expect(compareAlignments(alone, alone)).toMatchObject({ pairs: 0, sp: null, modeler: null, tc: null });
  });

  test.each([
    [{ a: "ACGT-", b: "AC-TT" }, 'x.fa, record "c": alignment: must hold every sequence of the reference'],
    [{ a: "ACGT-", b: "AC-TT", c: "A-GT-" }, 'x.fa, record "c": alignment: must have the letters of the reference, 4 of them, got 3'],
    [{ a: "ACGT-", b: "AC-TT", c: "A-GAT" }, 'x.fa, record "c": alignment: must have the letters of the reference, T at position 3, got A'],
  ])("%j is refused", (rows, message) => {
    expect(() => compareAlignments(of(rows as Record<string, string>), reference, { file: "x.fa" })).toThrow(FormatError);
    expect(() => compareAlignments(of(rows as Record<string, string>), reference, { file: "x.fa" })).toThrow(message);
  }); // prettier-ignore

  test("U is no T in proteins", () => {
    const protein = of({ a: "MKWTLE", b: "MKWTLE" });
    expect(() => compareAlignments(of({ a: "MKWULE", b: "MKWTLE" }), protein)).toThrow(
      "T at position 4, got U",
    );
  });
});

/** Pairs of an alignment, each as text. */
function pairs({ ids, letters, alignment }: AlignedSequences, core?: AlignedSequences): Set<string> {
  const at = new Map<number, string[]>();
  ids.forEach((id, i) =>
    alignment.columns[i].forEach((column, k) => {
      const kept = core?.letters[core.ids.indexOf(id)] ?? letters[i].toUpperCase();
      if (kept[k] === kept[k].toUpperCase()) at.set(column, [...(at.get(column) ?? []), `${id}${k}`]);
    }),
  );
  const found = [...at.values()].flatMap((column) =>
    column.flatMap((x) => column.filter((y) => x < y).map((y) => `${x} ${y}`)),
  );
  return new Set(found);
}

test("the scores are those of the sets of pairs", () => {
  const letters = fc.array(fc.array(fc.constantFrom(..."ACGTacgt"), { minLength: 1, maxLength: 6 }), {
    minLength: 2,
    maxLength: 5,
  });
  const spread = letters.chain((texts) => {
    const rows = texts.map((text) =>
      fc
        .uniqueArray(fc.nat(8), { minLength: text.length, maxLength: text.length })
        .map((columns) => Uint32Array.from(columns.sort((a, b) => a - b))),
    );
    const alignment = fc.tuple(...rows).map((columns): AlignedSequences => ({
      ids: texts.map((_, i) => `s${i}.`),
      letters: texts.map((text) => text.join("")),
      alignment: { width: 9, columns },
    }));
    return fc.tuple(alignment, alignment, fc.boolean());
  });
  fc.assert(
    fc.property(spread, ([test, reference, core]) => {
      const [ours, theirs] = [test, reference].map((each) => pairs(each, core ? reference : undefined));
      const shared = [...theirs].filter((pair) => ours.has(pair)).length;
      expect(compareAlignments(test, reference, { core })).toMatchObject({
        pairs: theirs.size,
        testPairs: ours.size,
        sharedPairs: shared,
        sp: theirs.size === 0 ? null : shared / theirs.size,
      });
    }),
  );
});

test("2,000 sequences of 1,500 columns take a moment", () => {
  const columns = Uint32Array.from({ length: 1500 }, (_, k) => k);
  const count = 2000;
  const alignment = { width: 1500, columns: Array.from({ length: count }, () => columns) };
  const letters = Array.from({ length: count }, () => "ACGT".repeat(375));
  const large: AlignedSequences = { ids: letters.map((_, i) => `s${i}`), letters, alignment };
  const start = performance.now();
  const found = compareAlignments(large, large);
  expect(found).toMatchObject({ sp: 1, tc: 1, pairs: (1500 * count * (count - 1)) / 2 });
  expect(performance.now() - start).toBeLessThan(5000);
});
