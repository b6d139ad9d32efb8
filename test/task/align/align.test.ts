import { describe, expect, test } from "vitest";
import { alignmentOfRows, alignedRow, type Alignment } from "../../../src/sequence/alignment.ts";
import {
  collect,
  decode,
  DNA,
  encode,
  PROTEIN,
  Random,
  type Alphabet,
  type SequenceSet,
} from "../../../src/sequence/index.ts";
import { addSequences } from "../../../src/task/align/add.ts";
import { alignSequences } from "../../../src/task/align/align.ts";
import { treeJoins, treeWeights } from "../../../src/task/align/joins.ts";
import { guideTree } from "../../../src/task/align/guide-tree.ts";
import { alignPairs } from "../../../src/task/align/pairwise.ts";
import { compareAlignments } from "../../../src/task/align/score.ts";
import { createScoring } from "../../../src/task/align/scoring.ts";
import { compactTree } from "../../../src/task/tree/compact-tree.ts";
import { parseNewick } from "../../../src/sequence/newick.ts";

function setOf(sequences: string[], alphabet: Alphabet = DNA): Promise<SequenceSet> {
  const records = sequences.map((sequence, i) => ({ id: `s${i}`, description: "", sequence }));
  return collect(records, { alphabet });
}

function rowsOf({ codes, alphabet }: SequenceSet, { columns, width }: Alignment): string[] {
  return codes.map((own, i) => alignedRow(decode(own, alphabet), columns[i], width));
}

describe("multiple alignment", () => {
  test("puts a gap where a letter is missing", async () => {
    const set = await setOf(["ACGTTACGGATTACAGTTC", "ACGTTACGATTACAGTTC", "ACGTTACGGATTACAGTTC"]);
    const { alignment } = await alignSequences(set);
    const rows = rowsOf(set, alignment);
    expect(rows[0]).toBe("ACGTTACGGATTACAGTTC");
    expect(rows[1].replace("-", "")).toBe("ACGTTACGATTACAGTTC");
    expect(rows[1]).toMatch(/^ACGTTAC(-G|G-)ATTACAGTTC$/);
  });

  test("one sequence, copies, and a letter beside a gene", async () => {
    const one = await setOf(["ACGT"]);
    expect(rowsOf(one, (await alignSequences(one)).alignment)).toEqual(["ACGT"]);
    const copies = await setOf(["ACGT", "ACGT", "ACGT"]);
    const { alignment, tree } = await alignSequences(copies);
    expect(rowsOf(copies, alignment)).toEqual(["ACGT", "ACGT", "ACGT"]);
    expect(tree.leaves).toBe(3);
    const gene = decode(
      Uint8Array.from({ length: 900 }, (_, i) => (i * i + (i >> 3)) % 4),
      DNA,
    );
    const uneven = await setOf(["G", gene, gene.slice(400, 460)]);
    const rows = rowsOf(uneven, (await alignSequences(uneven)).alignment);
    expect(rows.map((row) => row.replaceAll("-", ""))).toEqual(["G", gene, gene.slice(400, 460)]);
    expect(rows[2].replace(/^-+|-+$/g, "")).toBe(gene.slice(400, 460));
  });

  test("of proteins, with letters that no matrix knows", async () => {
    const set = await setOf(["MKVLAAGIUOXBZJW", "MKVLAGIUOXBZJW", "MKVLAAGIUOXW*"], PROTEIN);
    const { alignment } = await alignSequences(set);
    expect(rowsOf(set, alignment)[1]).toMatch(/^MKVL(-A|A-)GIUOXBZJW-*$/);
  });

  /** Copies of one sequence with substitutions and deletions, and their true rows. */
  function relatives(count: number, seed: number): { sequences: string[]; rows: string[] } {
    const random = new Random(seed);
    const root = Array.from({ length: 240 }, () => "ACGT"[random.integer(4)]);
    const rows = Array.from({ length: count }, () => {
      const row = root.map((letter) => (random.uniform() < 0.08 ? "ACGT"[random.integer(4)] : letter));
      for (let k = 0; k < 2; k++) {
        const at = 20 + random.integer(200);
        row.fill("-", at, at + 3 + random.integer(4));
      }
      return row.join("");
    });
    return { rows, sequences: rows.map((row) => row.replaceAll("-", "")) };
  }

  test("recovers substitutions and deletions, by exact distances, by a given tree, and refined", async () => {
    const { sequences, rows } = relatives(20, 1);
    const set = await setOf(sequences);
    const reference = { ids: set.ids, letters: sequences, alignment: alignmentOfRows(rows).alignment };
    const sp = ({ alignment }: { alignment: Alignment }): number =>
      compareAlignments({ ids: set.ids, letters: sequences, alignment }, reference).sp!;
    const byDistance = await alignSequences(set, { threads: 2 });
    expect(sp(byDistance)).toBeGreaterThan(0.96);
    const tree = compactTree(parseNewick(`(${set.ids.join(",")});`), set.ids);
    expect(sp(await alignSequences(set, { tree }))).toBeGreaterThan(0.95);
    expect(sp(await alignSequences(set, { refine: 2 }))).toBeGreaterThan(0.96);
    // Made again along its own distances, and again.
    const again3 = await alignSequences(set, { retree: 3 });
    expect(sp(again3)).toBeGreaterThan(0.96);
    await expect(alignSequences(set, { tree, retree: 2 })).rejects.toThrow(/retree: a tree that is given/);
    // The tree that comes back makes the same alignment.
    const again = await alignSequences(set, { tree: byDistance.tree });
    expect(again.alignment).toEqual(byDistance.alignment);
  });

  test("new sequences leave an alignment as it is, and are placed in their own order", async () => {
    const { sequences, rows } = relatives(20, 2);
    const old = alignmentOfRows(rows.slice(0, 14)).alignment;
    const set = await setOf(sequences.slice(14));
    const codes = sequences.slice(0, 14).map((sequence) => encode(sequence, DNA).codes);
    const { alignment } = await addSequences({ alignment: old, codes }, set, { threads: 1 });
    const ids = sequences.map((_, i) => `s${i}`);
    const reference = { ids, letters: sequences, alignment: alignmentOfRows(rows).alignment };
    const test = { ids, letters: sequences, alignment };
    expect(compareAlignments(test, reference).sp).toBeGreaterThan(0.98);
    const firstOnly = (each: typeof test) => ({
      ids: ids.slice(0, 14),
      letters: sequences.slice(0, 14),
      alignment: { width: each.alignment.width, columns: each.alignment.columns.slice(0, 14) },
    });
    expect(compareAlignments(firstOnly(test), firstOnly(reference))).toMatchObject({
      sp: 1,
      tc: 1,
      modeler: 1,
    });
  });
});

describe("guide trees", () => {
  test("have a leaf for every copy", async () => {
    const set = await setOf(["ACGT", "AAAA", "ACGT", "ACGA", "AAAA", "ACGT"]);
    const tree = await guideTree(set, undefined, {});
    expect(tree.leaves).toBe(6);
    expect(tree.parent).toHaveLength(6 + 4);
    expect(tree.parent[0]).toBe(tree.parent[2]);
    expect(tree.parent[0]).toBe(tree.parent[5]);
    expect(tree.parent[1]).toBe(tree.parent[4]);
    tree.parent.forEach((up, node) => {
      if (up >= 0) expect(up).toBeGreaterThan(node);
    });
    expect(tree.parent.indexOf(-1)).toBe(tree.parent.length - 1);
  });

  test("are joined two by two, the nearest of many first", () => {
    const tree = compactTree(parseNewick("(a:3,b:1,(c:1,d:1):2);"), ["a", "b", "c", "d"]);
    const { left, right } = treeJoins(tree);
    expect([...left].map((first, k) => [first, right[k]].sort((x, y) => x - y))).toEqual([
      [2, 3],
      [1, 4],
      [0, 5],
    ]);
  });

  test("weigh a sequence by how much of the tree is its own", () => {
    const tree = compactTree(parseNewick("((a:1,b:1):2,c:3);"), ["a", "b", "c"]);
    const weights = treeWeights(tree);
    // a and b share 2, of which each has 1.
    expect([...weights].map((weight) => weight.toFixed(4))).toEqual(["0.8571", "0.8571", "1.2857"]);
    expect([...treeWeights(compactTree(parseNewick("(a,b,c);"), ["a", "b", "c"]))]).toEqual([1, 1, 1]);
  });
});

describe("pairs", () => {
  test("have the score, the identity and the operations of their best alignment", async () => {
    const codes = (text: string) => encode(text, DNA).codes;
    const scoring = createScoring(DNA, {}, { pairwise: true });
    const [pair, empty] = await alignPairs(
      [codes("ACGTACGTAC"), codes("")],
      [codes("ACGTCGTTC"), codes("AC")],
      { scoring },
    );
    // Nine pairs of letters, one of which differs, and a gap of one: 8 × 5 − 4 − 10.
    expect(pair).toMatchObject({ score: 26, columns: 10, matches: 8, mismatches: 1, gapOpens: 1 });
    expect(empty).toMatchObject({ score: -10.5, runs: [{ operation: "D", count: 2 }] });
  });
});
