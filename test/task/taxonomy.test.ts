/** @file Lineages: how their table is read, and what the hits of a query agree on. */

import fc from "fast-check";
import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { FormatError } from "../../src/error.ts";
import { consensusOf, countWithoutLineage, readTaxonomy } from "../../src/task/search/taxonomy.ts";
import { bytesOf, chunked } from "../sequence/files.ts";

const read = async (content: string | Uint8Array, chunk?: number) => {
  const bytes = typeof content === "string" ? bytesOf(content) : content;
  return [...(await readTaxonomy(chunked(bytes, chunk), { file: "tax.tsv" }))];
};
const refusal = async (content: string | Uint8Array): Promise<string> => {
  const error: unknown = await read(content).catch((e: unknown) => e);
  expect(error).toBeInstanceOf(FormatError);
  return (error as Error).message;
};

describe("a table of lineages", () => {
  const pairs = [
    ["a", "d__Bacteria; p__Firmicutes"],
    ["b|7", "d__Archaea"],
  ];
  const text = pairs.map((pair) => `${pair.join("\t")}\n`).join("");

  test.each([
    ["plain", text],
    ["with QIIME's header", `Feature ID\tTaxon\n${text}`],
    ["with a header of three columns, and the columns", `FeatureID\tTaxon\tConfidence\n${text.replaceAll("\n", "\t0.9\n")}`],
    ["with the line ends of Windows", `feature id\tTaxon\r\n${text.replaceAll("\n", "\r\n")}`],
    ["with a byte-order mark", `\uFEFF${text}`],
    ["with comments and empty lines", `# made by hand\n\n${text.replaceAll("\n", "\n\n")}#end\n`],
    ["without its last line end", text.slice(0, -1)],
    ["with lines that come twice", text + text],
  ])("%s", async (_, content) => {
    expect(await read(content)).toEqual(pairs);
    expect(await read(content, 1)).toEqual(pairs);
    expect(await read(gzipSync(content))).toEqual(pairs);
  }); // prettier-ignore

  test("empty: nothing is known", async () => {
    expect(await read("")).toEqual([]);
    expect(await read("Feature ID\tTaxon\n")).toEqual([]);
  });

  test("only the first line is a header", async () => {
    expect(await read("a\tx\nFeature ID\tTaxon\n")).toEqual([["a", "x"], ["Feature ID", "Taxon"]]); // prettier-ignore
  });

  test.each([
    ["a line without a lineage", `${text}c\n`, "tax.tsv, line 3: taxonomy: a line must be an id, a tab and a lineage; add the lineage"],
    ["blanks instead of tabs", "a d__Bacteria\n", "tax.tsv, line 1: taxonomy: a line must be"],
    ["a line without an id", `# first\n\tx\n`, "tax.tsv, line 2: taxonomy: a line must be"],
    ["an id with two lineages", `${text}a\td__Archaea\n`, 'tax.tsv, line 3, record "a": taxonomy: an id must have one lineage'],
    ["another packing", Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0), "tax.tsv: file: must be plain text or gzip, got zip"],
    ["cut gzip", gzipSync(text).subarray(0, 20), "tax.tsv: gzip: must be"],
  ])("%s is refused, and named", async (_, content, message) => {
    expect((await refusal(content)).startsWith(message)).toBe(true);
  }); // prettier-ignore
});

describe("a consensus", () => {
  const known = "d__Bacteria; p__Firmicutes; c__Bacilli";
  test.each([
    ["of one is itself", [known], 0.51, known, 1],
    ["does not depend on blanks", ["a;b", "a; b", " a ;b "], 1, "a; b", 1],
    ["goes down as far as enough agree", ["a; b; c", "a; b; d", "a; e; f"], 0.6, "a; b", 2 / 3],
    ["goes no further", ["a; b; c", "a; b; d", "a; e; f"], 0.7, "a", 1],
    ["is of a share that is just reached", ["a", "a", "b"], 2 / 3, "a", 2 / 3],
    ["ends where names say nothing", ["d__B; g__X; s__", "d__B; g__X; s__"], 0.51, "d__B; g__X", 1],
    ["ends where a name is empty", ["a; b; ; c", "a; b;; c"], 0.51, "a; b", 1],
    ["counts what ends earlier as disagreeing", ["a; b", "a", "a; s__"], 0.51, "a", 1],
    ["counts the unknown as disagreeing", ["a; b", "a; b", ""], 0.6, "a; b", 2 / 3],
    ["of the unknown alone is unassigned", ["", "", ""], 0.51, "Unassigned", 0],
    ["of the unassigned is unassigned", ["Unassigned", "Unassigned"], 0.51, "Unassigned", 0],
    ["of too few is unassigned", ["a", "b", "c"], 0.51, "Unassigned", 0],
    ["of none is unassigned", [], 0.51, "Unassigned", 0],
    ["tells equal names of other parents apart", ["a; x", "a; x", "b; x", "c; x"], 0.75, "Unassigned", 0],
  ])("%s", (_, lineages, least, lineage, confidence) => {
    expect(consensusOf(lineages, least)).toEqual({ lineage, confidence, hits: lineages.length });
  }); // prettier-ignore

  test("needs more than half unless told otherwise", () => {
    expect(consensusOf(["a", "b"]).lineage).toBe("Unassigned");
    expect(consensusOf([...Array<string>(51).fill("a"), ...Array<string>(49).fill("b")])).toMatchObject({ lineage: "a", confidence: 0.51 }); // prettier-ignore
  });

  test("is the longest beginning that so many lineages have", () => {
    const lineage = fc
      .array(fc.constantFrom("a", "b", "s__", ""), { maxLength: 4 })
      .map((names) => names.join("; "));
    const least = fc.double({ min: 0.500001, max: 1, noNaN: true });
    fc.assert(
      fc.property(fc.array(lineage, { maxLength: 8 }), least, (lineages, least) => {
        const told = lineages.map((text) => {
          const names = text.split("; ");
          const end = names.findIndex((name) => name === "" || name === "s__");
          return end < 0 ? names : names.slice(0, end);
        });
        const share = (start: string[]) =>
          told.filter((names) => start.every((name, i) => names[i] === name)).length / told.length;
        const beginnings = told
          .flatMap((names) => names.map((_, i) => names.slice(0, i + 1)))
          .filter((start) => share(start) >= least)
          .sort((a, b) => b.length - a.length);
        const [best] = beginnings;
        expect(consensusOf(lineages, least)).toEqual(
          best === undefined
            ? { lineage: "Unassigned", confidence: 0, hits: lineages.length }
            : { lineage: best.join("; "), confidence: share(best), hits: lineages.length },
        );
      }),
      { numRuns: 500 },
    );
  });
});

describe("references without a lineage", () => {
  const count = (ids: string[], taxa: [string, string][]) =>
    countWithoutLineage(ids, new Map(taxa), { of: "refs.idx", file: "tax.tsv" });

  test("are counted", () => {
    expect(count(["a", "b", "c"], [["b", "d__Archaea"]])).toBe(2); // prettier-ignore
    expect(count(["b"], [["b", "d__Archaea"]])).toBe(0);
  });

  test("are refused where no other is there, with an id of each", () => {
    const rule = "tax.tsv: taxonomy: must have lineages of the references in refs.idx, got none: ";
    expect(() => count(["a", "b"], [["OTU_7", "d__Archaea"]])).toThrow(
      `${rule}the ids do not match, "OTU_7" here, "a" there`,
    );
    expect(() => count(["a"], [])).toThrow(`${rule}it is empty`);
  });
});
