/** @file Clusters as text: the forms are those that VSEARCH 2.22 and CD-HIT 4.8 write for the same file. */

import { describe, expect, test } from "vitest";
import { collect, readSequences } from "../../../src/sequence/index.ts";
import { otuName, sampleOf, sizeOf, withoutSize, withSize } from "../../../src/task/cluster/abundance.ts";
import { cluster } from "../../../src/task/cluster/cluster.ts";
import { withLeastSize } from "../../../src/task/cluster/least-size.ts";
import {
  formatAbundances,
  formatClstr,
  formatClusterTable,
  formatReads,
  formatRepresentatives,
  formatUc,
} from "../../../src/task/cluster/tables.ts";
import { bytesOf } from "../../sequence/files.ts";
import { setOf } from "./families.ts";

const A = "ACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTACGTTTGACCAGTTGACA";
const B = "GGGTCATACGATACGGGATTTACAGGACCATTTACGGACCCATTAGGACCATTAGGACCTAAA";
const FASTA = `>S1.a_1;size=3;
${A}
>S1.a_2;size=3
${A}
>S2-x-1 description
${A}
>r9;sample=abc;size=2;
${B}
>b3;barcodelabel=bc1;
${B.slice(0, 17)}${B.slice(18, -1)}G
>rc;size=1
CTTAGGTCCTAATGGTCCTAATGGGTCCGTAAATGGTCCTGTAAATCCCGTATCGTATGACCC
`;
const set = await collect(readSequences([bytesOf(FASTA)]));
const made = await cluster(set, { identity: 0.9, bothStrands: true, threads: 1 });
const textOf = (lines: Iterable<string>) => [...lines].join("");

test("the table is in the order of the input", () => {
  expect(textOf(formatClusterTable(set, made, { strand: true }))).toBe(
    `id	cluster	representative	edits	identity	strand
S1.a_1;size=3;	1	S1.a_1;size=3;	0	100.00	+
S1.a_2;size=3	1	S1.a_1;size=3;	0	100.00	+
S2-x-1	1	S1.a_1;size=3;	0	100.00	+
r9;sample=abc;size=2;	2	r9;sample=abc;size=2;	0	100.00	+
b3;barcodelabel=bc1;	2	r9;sample=abc;size=2;	2	96.83	+
rc;size=1	2	r9;sample=abc;size=2;	1	98.41	-
`,
  );
  expect([...formatClusterTable(set, made)].every((line) => line.split("\t").length === 5)).toBe(true);
});

test(".uc, as vsearch --cluster_size --sizein --strand both --iddef 1 writes it", () => {
  expect(textOf(formatUc(set, made))).toBe(
    `S	0	62	*	*	*	*	*	S1.a_1;size=3;	*
H	0	62	100.0	+	0	0	=	S1.a_2;size=3	S1.a_1;size=3;
H	0	62	100.0	+	0	0	=	S2-x-1	S1.a_1;size=3;
S	1	63	*	*	*	*	*	r9;sample=abc;size=2;	*
H	1	62	96.8	+	0	0	17MI45M	b3;barcodelabel=bc1;	r9;sample=abc;size=2;
H	1	63	98.4	-	0	0	63M	rc;size=1	r9;sample=abc;size=2;
C	0	7	*	*	*	*	*	S1.a_1;size=3;	*
C	1	4	*	*	*	*	*	r9;sample=abc;size=2;	*
`,
  );
});

test(".uc holds all that the clustering does", () => {
  const records = textOf(formatUc(set, made)).trimEnd().split("\n").map((line) => line.split("\t")); // prettier-ignore
  const clusters = new Map(records.filter(([type]) => type !== "C").map((record) => [record[8], +record[1]]));
  expect(set.ids.map((id) => clusters.get(id))).toEqual([...made.clusters]);
  const sizes = records.filter(([type]) => type === "C").map(([, , size]) => Number(size));
  expect(sizes).toEqual([...made.abundances]);
});

test(".clstr, as cd-hit-est writes it", () => {
  expect(textOf(formatClstr(set, made))).toBe(
    `>Cluster 0
0	62nt, >S1.a_1;size=3;... *
1	62nt, >S1.a_2;size=3... at +/100.00%
2	62nt, >S2-x-1... at +/100.00%
>Cluster 1
0	63nt, >r9;sample=abc;size=2;... *
1	62nt, >b3;barcodelabel=bc1;... at +/96.83%
2	63nt, >rc;size=1... at -/98.41%
`,
  );
});

test(".clstr of proteins has no strands", async () => {
  const proteins = setOf([Uint8Array.of(1, 2, 3, 4), Uint8Array.of(1, 2, 3, 5)], "protein");
  const lines = [...formatClstr(proteins, await cluster(proteins, { edits: 1, threads: 1 }))];
  expect(lines.slice(1)).toEqual(["0\t4aa, >s0... *\n", "1\t4aa, >s1... at 75.00%\n"]);
});

test("abundances, as vsearch --otutabout --sizein has them", () => {
  expect(textOf(formatAbundances(set, made))).toBe(
    "#OTU ID\tS1\tS2\tabc\tbc1\trc\nS1.a_1\t6\t1\t0\t0\t0\nr9\t0\t0\t2\t1\t1\n",
  );
});

test("representatives, with and without their sizes", () => {
  expect(textOf(formatRepresentatives(set, made))).toBe(`>S1.a_1\n${A}\n>r9;sample=abc\n${B}\n`);
  expect(textOf(formatRepresentatives(set, made, { sizes: true }))).toBe(
    `>S1.a_1;size=7\n${A}\n>r9;sample=abc;size=4\n${B}\n`,
  );
});

test("reads by cluster can be read back", async () => {
  const text = textOf(formatReads(set, made));
  expect(text.split("\n").slice(0, 2)).toEqual(["cluster,read", `1,${A}`]);
  const back = await collect(readSequences([bytesOf(text)]));
  expect(back.fields!.map(({ cluster }) => cluster)).toEqual(["1", "1", "1", "2", "2", "2"]);
  expect(back.codes).toEqual(Array.from(made.order, (i) => set.codes[i]));
});

test("clusters of fewer reads are left out, and the others numbered anew", async () => {
  const few = withLeastSize(set, made, 5);
  expect(few.set.ids).toEqual(set.ids.slice(0, 3));
  expect([...few.clustering.clusters]).toEqual([0, 0, 0]);
  const tiny = await cluster(setOf([[0], [1, 1, 1], [1, 1, 1]].map((codes) => Uint8Array.from(codes))), {
    edits: 0,
    sorting: "none",
    threads: 1,
  });
  const kept = withLeastSize(setOf([[0], [1, 1, 1], [1, 1, 1]].map((c) => Uint8Array.from(c))), tiny, 2);
  expect(textOf(formatUc(kept.set, kept.clustering))).toBe(
    "S\t0\t3\t*\t*\t*\t*\t*\ts1\t*\nH\t0\t3\t100.0\t+\t0\t0\t=\ts2\ts1\nC\t0\t2\t*\t*\t*\t*\t*\ts1\t*\n",
  );
  const none = withLeastSize(set, made, 100);
  expect(textOf(formatUc(none.set, none.clustering))).toBe("");
});

describe("ids", () => {
  test.each([
    ["read7", 1, "read7", "read7", "read7"],
    ["read7;size=12", 12, "read7", "read7", "read7"],
    ["read7;size=12;", 12, "read7", "read7", "read7"],
    ["size=3;read7", 3, "read7", "size", "size=3"],
    ["a.1;sample=gut;size=2", 2, "a.1;sample=gut", "gut", "a.1"],
    ["a-1;barcodelabel=b.2;", 1, "a-1;barcodelabel=b.2", "b.2", "a-1"],
    ["L1S134.274174_119157", 1, "L1S134.274174_119157", "L1S134", "L1S134.274174_119157"],
    ["myresize=4", 1, "myresize=4", "myresize", "myresize=4"],
  ])("%s", (id, size, bare, sample, otu) => {
    expect([sizeOf(id), withoutSize(id), sampleOf(id), otuName(id)]).toEqual([size, bare, sample, otu]);
    expect(sizeOf(withSize(id, 7))).toBe(7);
  });
});
