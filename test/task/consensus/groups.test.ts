/** @file Tables of groups: what is read, and what is refused. */

import { describe, expect, test } from "vitest";
import { decode, DNA, PROTEIN } from "../../../src/sequence/index.ts";
import { formatReads } from "../../../src/task/cluster/tables.ts";
import type { Clustering } from "../../../src/task/cluster/cluster.ts";
import {
  drawMembers,
  readGroups,
  withLeastMembers,
  type Groups,
} from "../../../src/task/consensus/groups.ts";
import { setOf } from "../indexes.ts";

const read = (text: string, options = {}) =>
  readGroups([new TextEncoder().encode(text)], { file: "g.csv", ...options });
const told = ({ names, members, alphabet }: Groups) =>
  Object.fromEntries(names.map((name, i) => [name, members[i].map((codes) => decode(codes, alphabet))]));

describe("tables of groups", () => {
  test.each([
    ["CSV", "group,sequence\nb,ACGT\na,AC\nb,GG\n"],
    ["TSV", "sequence\tgroup\nACGT\tb\nAC\ta\nGG\tb\n"],
    ["clusters of reads", "cluster,read\nb,ACGT\na,AC\nb,GG\n"],
    [
      "other columns, capitals, RNA, Windows",
      '\uFEFFid,Seq,note,Group\r\n1,acgu,"x,y",b\r\n1,ac,,a\r\n2,gg,,b\r\n',
    ],
  ])("%s", async (_, text) => {
    const groups = await read(text);
    expect(groups.names).toEqual(["b", "a"]);
    expect(groups.alphabet).toBe(DNA);
    expect(told(groups)).toEqual({ b: ["ACGT", "GG"], a: ["AC"] });
  });

  test("as our own clusters of reads are written", async () => {
    const set = setOf(["ACGT", "GGGG", "ACGA"]);
    const clustering = {
      clusters: Uint32Array.of(1, 0, 1),
      representatives: Uint32Array.of(1, 0),
      order: Uint32Array.of(1, 0, 2),
    } as unknown as Clustering;
    const groups = await read([...formatReads(set, clustering)].join(""));
    expect(told(groups)).toEqual({ 1: ["GGGG"], 2: ["ACGT", "ACGA"] });
  });

  test("count letters that stand for several, and may be of proteins", async () => {
    expect((await read("group,sequence\na,ACNN\na,ACGT\n")).ambiguous).toEqual({ records: 1, letters: 2 });
    expect((await read("group,sequence\na,MKVLW\n")).alphabet).toBe(PROTEIN);
    expect((await read("group,sequence\na,ACG\n", { alphabet: PROTEIN })).alphabet).toBe(PROTEIN);
  });

  test.each([
    ["an empty sequence", "group,sequence\na,AC\na,\n", /g.csv, line 3, .*must have a sequence, got an empty field/],
    ["an empty name", "group,sequence\n,AC\n", /g.csv, line 2: group: must not be empty/],
    ["a header alone", "group,sequence\n", /g.csv: file: must hold at least one sequence, got a header alone/],
    ["nothing", "", /g.csv: file: must hold at least one sequence, got nothing/],
    ["no group", "id,sequence\na,AC\n", /must name a column "group" or "cluster" beside that of sequences, got none/],
    ["no sequence", "group,letters\na,AC\n", /must name a column "sequence", "seq" or "read"/],
    ["gaps", "group,sequence\na,A-C\n", /g.csv, line 2.*must be without gaps/],
    ["FASTA", ">a\nACGT\n", /CSV header: must name a column/],
  ])("refused: %s", async (_, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
  }); // prettier-ignore
});

test("small groups are left out, and members of large ones drawn, in their order", async () => {
  const groups = await read("group,sequence\na,A\na,AA\nb,C\na,AAA\n");
  expect(told(withLeastMembers(groups, 2))).toEqual({ a: ["A", "AA", "AAA"] });
  expect(withLeastMembers(groups, 4).names).toEqual([]);
  const drawn = drawMembers(groups, 2, () => Uint32Array.of(2, 0));
  expect(told(drawn)).toEqual({ a: ["A", "AAA"], b: ["C"] });
});
