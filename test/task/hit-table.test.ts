/** @file Hits as text: every column, and records of `.uc` as VSEARCH writes them. */

import { describe, expect, test } from "vitest";
import { UsageError } from "../../src/error.ts";
import { editDistance } from "../../src/kernel/index.ts";
import { decode, DNA } from "../../src/sequence/index.ts";
import { reverseComplement } from "../../src/sequence/reverse-complement.ts";
import {
  COLUMNS,
  DEFAULT_COLUMNS,
  hitLines,
  lineValues,
  parseColumns,
  tableLine,
  ucRecords,
  type ColumnName,
} from "../../src/task/search/hit-table.ts";
import type { QueryHits, Strand } from "../../src/task/search/search.ts";
import { setOf } from "./indexes.ts";

/** The answer to a query whose hits are these, in this order. */
function answer(query: string, hits: [target: string, strand?: Strand][], distance?: number): QueryHits {
  const [codes, ...targets] = setOf([query, ...hits.map(([target]) => target)]).codes;
  return {
    query: "read_1",
    codes,
    hits: targets.map((target, i) => {
      const strand = hits[i][1] ?? "+";
      const edits = editDistance(strand === "+" ? codes : reverseComplement(codes), target);
      const identity = 1 - edits / Math.max(codes.length, target.length);
      return { key: 40 + i, target: `t${i}`, codes: target, strand, edits, identity, distance };
    }),
  };
}

const cells = (of: QueryHits, columns: readonly ColumnName[], i = 0) =>
  tableLine(hitLines(of, DNA)[i], columns).trimEnd().split("\t");
const column = (of: QueryHits, name: ColumnName, i = 0) => cells(of, [name], i)[0];

const READ = "CCCCCCAGTCCCCCTTTTTT";
/** Without A and G, with a T replaced: there is one best alignment. */
const SHORTER = "CCCCCCTCCCCCTTGTTT";
/** With three letters more. */
const LONGER = "CCCCCCAGTCCCCCTTTAGATTT";

describe("columns", () => {
  const of = answer(READ, [[READ], [SHORTER], [LONGER]], 1.23456);

  test("the default are BLAST's, but for two, and the rank", () => {
    expect(DEFAULT_COLUMNS.slice(0, 3)).toEqual(["query", "target", "identity"]);
    expect(cells(of, DEFAULT_COLUMNS, 1)).toEqual(
      ["read_1", "t1", "85.00", "20", "1", "1", "1", "20", "1", "18", "3", "1.23", "2"],
    ); // prettier-ignore
    expect(cells(of, DEFAULT_COLUMNS, 2)).toEqual(
      ["read_1", "t2", "86.96", "23", "0", "1", "1", "20", "1", "23", "3", "1.23", "3"],
    ); // prettier-ignore
  });

  test("the others", () => {
    const names = parseColumns("strand,matches,gaps,cigar,qlen,tlen,qseq,tseq,taxon,lineage,confidence");
    expect(cells(of, names, 1)).toEqual(
      ["+", "17", "2", "6=2I8=1X3=", "20", "18", READ, SHORTER, "*", "*", "*"],
    ); // prettier-ignore
    expect(column(of, "cigar")).toBe("20=");
    expect(column(of, "cigar", 1)).toBe("6=2I8=1X3=");
    expect(column(of, "cigar", 2)).toBe("17=3D3=");
  });

  test("an exact search knows no distance", () => {
    expect(column(answer(READ, [[READ]]), "distance")).toBe("*");
  });

  test("of the other strand: the target backwards, the alignment with what matched", () => {
    const [turned] = setOf([SHORTER]).codes.map((codes) => decode(reverseComplement(codes), DNA));
    const back = answer(READ, [[turned, "-"]]);
    expect(parseColumns("strand,qstart,qend,tstart,tend,edits,qseq,tseq").map((name) => column(back, name))).toEqual(
      ["-", "1", "20", "18", "1", "3", READ, turned],
    ); // prettier-ignore
    expect(column(back, "length")).toBe("20");
    expect(column(back, "mismatches")).toBe("1");
  });

  test("all are named in one place, and refused where they are none", () => {
    const all = Object.keys(COLUMNS) as ColumnName[];
    expect(parseColumns(all.join(","))).toEqual(all);
    for (const text of ["", "query,", "query, target", "evalue", "toString", "__proto__"])
      expect(() => parseColumns(text)).toThrow(UsageError);
    expect(() => parseColumns("query,bits")).toThrow(/^format: columns are query, target, .*, got "bits"$/);
  });

  test("as values: numbers where they are numbers, ids as text even so", () => {
    const numbered = answer(READ, [[SHORTER]], 2);
    numbered.query = "0017";
    numbered.hits[0].target = "1e3";
    const [line] = hitLines(numbered, DNA, { taxa: new Map([["1e3", "12"]]) });
    expect(lineValues(line, ["query", "target", "taxon", "edits", "identity", "distance", "strand", "confidence"])).toEqual(
      { query: "0017", target: "1e3", taxon: "12", edits: 3, identity: 85, distance: 2, strand: "+", confidence: null },
    ); // prettier-ignore
  });
});

test("values that are not known are null, in a table *", () => {
  const [line] = hitLines(answer(READ, [[READ]]), DNA);
  const names = ["distance", "taxon", "lineage", "confidence"] as const;
  expect(Object.values(lineValues(line, names))).toEqual([null, null, null, null]);
  expect(tableLine(line, names)).toBe("*\t*\t*\t*\n");
});

describe(".uc", () => {
  const records = (of: QueryHits) =>
    ucRecords(of, hitLines(of, DNA)).trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore

  test("a hit has ten fields, and an alignment unless it is the same", () => {
    const [same, shorter] = records(answer(READ, [[READ], [SHORTER]]));
    expect(same).toEqual(["H", "40", "20", "100.0", "+", "0", "0", "=", "read_1", "t0"]);
    expect([...shorter.slice(0, 7), ...shorter.slice(8)]).toEqual(["H", "41", "20", "85.0", "+", "0", "0", "read_1", "t1"]); // prettier-ignore
  });

  // VSEARCH 2.22 writes 59M3I58M for a query that lacks three letters of its target, and 60M3D60M for one that has
  // three more.
  test("letters of the query alone are D, those of the target alone I, as VSEARCH has them", () => {
    const [[shorter], [longer]] = [SHORTER, LONGER].map((target) => records(answer(READ, [[target]])));
    expect(shorter[7]).toBe("6M2D12M");
    expect(longer[7]).toBe("17M3I3M");
  });

  test("a single letter has no count", () => {
    const [[record]] = [records(answer("ACGT", [["ACGTA"]]))];
    expect(record[7]).toMatch(/^4M[ID]$/);
  });

  test("the strand is that which matched", () => {
    const turned = decode(reverseComplement(setOf([READ]).codes[0]), DNA);
    expect(records(answer(READ, [[turned, "-"]]))).toEqual([["H", "40", "20", "100.0", "-", "0", "0", "=", "read_1", "t0"]]); // prettier-ignore
  });

  test("a query without hits says so", () => {
    expect(records(answer(READ, []))).toEqual([["N", "*", "*", "*", ".", "*", "*", "*", "read_1", "*"]]);
  });
});
