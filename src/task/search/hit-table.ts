/**
 * @file Hits as text: a table of chosen columns, or USEARCH's `.uc`.
 *
 * The default columns are BLAST's twelve, but for its last two, which mean nothing here: in the place of the E-value
 * stand the edits, in the place of the bit score the distance in the embedding; the rank follows. Alignments are
 * global, from end to end. They are only made for the columns that need them.
 */

import { UsageError } from "../../error.ts";
import { cigar, editScript, type EditScript } from "../../kernel/index.ts";
import { decode, type Alphabet } from "../../sequence/index.ts";
import { reverseComplement } from "../../sequence/reverse-complement.ts";
import type { Hit, QueryHits } from "./search.ts";
import type { Consensus } from "./taxonomy.ts";

/** A hit with all that a line may tell of it. */
export interface HitLine {
  answer: QueryHits;
  hit: Hit;
  /** From 1. */
  rank: number;
  /** The alignment of the query (or its other strand) with the target. */
  script: () => EditScript;
  alphabet: Alphabet;
  /** The target's lineage, and what the hits of the query agree on. */
  taxon?: string;
  consensus?: Consensus;
}

/** Columns by name: what they hold, and how it is written; undefined where there is nothing to write. */
export const COLUMNS = {
  query: ["id of the query", ({ answer }) => answer.query],
  target: ["id of the reference", ({ hit }) => hit.target],
  identity: [
    "percent: 100 · (1 − edits / length of the longer sequence)",
    ({ hit }) => (100 * hit.identity).toFixed(2),
  ],
  length: ["columns of the alignment", ({ script }) => script().columns],
  mismatches: ["letters replaced", ({ script }) => script().mismatches],
  gapopens: ["runs of inserted or deleted letters", ({ script }) => script().gapOpens],
  qstart: ["first letter of the query in the alignment: 1", () => 1],
  qend: ["last letter of the query: its length", ({ answer }) => answer.codes.length],
  tstart: [
    "first letter of the target; of the other strand, its last",
    ({ hit }) => (hit.strand === "+" ? 1 : hit.codes.length),
  ],
  tend: [
    "last letter of the target; of the other strand, 1",
    ({ hit }) => (hit.strand === "+" ? hit.codes.length : 1),
  ],
  edits: ["exact edit distance", ({ hit }) => hit.edits],
  distance: [
    "distance in the embedding, in edits; * in an exact search",
    ({ hit }) => hit.distance?.toFixed(2),
  ],
  rank: ["1 for the best hit of a query", ({ rank }) => rank],
  strand: ["+, or - where the query's reverse complement matched", ({ hit }) => hit.strand],
  matches: ["equal letters", ({ script }) => script().matches],
  gaps: [
    "inserted and deleted letters",
    ({ script }) => script().columns - script().matches - script().mismatches,
  ],
  cigar: ["alignment, as SAM's extended CIGAR (= X I D)", ({ script }) => cigar(script())],
  qlen: ["letters of the query", ({ answer }) => answer.codes.length],
  tlen: ["letters of the target", ({ hit }) => hit.codes.length],
  qseq: ["the query's letters", ({ answer, alphabet }) => decode(answer.codes, alphabet)],
  tseq: ["the target's letters", ({ hit, alphabet }) => decode(hit.codes, alphabet)],
  taxon: ["with --taxonomy: the target's lineage", ({ taxon }) => taxon],
  lineage: ["with --taxonomy: what the query's hits agree on", ({ consensus }) => consensus?.lineage],
  confidence: [
    "with --taxonomy: the share of the hits that agree",
    ({ consensus }) => consensus?.confidence.toFixed(3),
  ],
} as const satisfies Record<string, readonly [string, (line: HitLine) => string | number | undefined]>;

export type ColumnName = keyof typeof COLUMNS;

export const DEFAULT_COLUMNS: readonly ColumnName[] = [
  "query", "target", "identity", "length", "mismatches", "gapopens", "qstart", "qend", "tstart", "tend", "edits", "distance", "rank",
]; // prettier-ignore

/** Columns that `--taxonomy` adds to the default. */
export const TAXONOMY_COLUMNS: readonly ColumnName[] = ["taxon", "lineage", "confidence"];

/** Reads `query,target,edits`; throws UsageError on a name that is none. */
export function parseColumns(text: string): ColumnName[] {
  return text.split(",").map((name) => {
    if (Object.hasOwn(COLUMNS, name)) return name as ColumnName;
    throw new UsageError(`format: columns are ${Object.keys(COLUMNS).join(", ")}, got "${name}"`);
  });
}

/** The lines of a query's hits, for any form of output. */
export function hitLines(
  answer: QueryHits,
  alphabet: Alphabet,
  { taxa, consensus }: { taxa?: ReadonlyMap<string, string>; consensus?: Consensus } = {},
): HitLine[] {
  return answer.hits.map((hit, i) => {
    let made: EditScript | undefined;
    const codes = () => (hit.strand === "+" ? answer.codes : reverseComplement(answer.codes));
    return {
      answer,
      hit,
      rank: i + 1,
      script: () => (made ??= editScript(codes(), hit.codes, hit.edits)),
      alphabet,
      taxon: taxa?.get(hit.target),
      consensus,
    };
  });
}

/** One line of a table, with its line break. */
export function tableLine(line: HitLine, columns: readonly ColumnName[]): string {
  // Ids of a CSV file may hold anything.
  const cell = (name: ColumnName) => String(COLUMNS[name][1](line) ?? "*").replace(/[\t\r\n]/g, " ");
  return `${columns.map(cell).join("\t")}\n`;
}

/** The values of a line by column; null where a table has `*`. */
export function lineValues(
  line: HitLine,
  columns: readonly ColumnName[],
): Record<string, string | number | null> {
  return Object.fromEntries(
    columns.map((name) => {
      const value: string | number | undefined = COLUMNS[name][1](line);
      return [name, value === undefined ? null : TEXT_COLUMNS.has(name) ? value : Number(value)];
    }),
  );
}

const TEXT_COLUMNS = new Set<ColumnName>([
  "query",
  "target",
  "cigar",
  "strand",
  "qseq",
  "tseq",
  "taxon",
  "lineage",
]);

/** The records of `.uc` for a query: one a hit (H), or one that says there was none (N). */
export function ucRecords(answer: QueryHits, lines: readonly HitLine[]): string {
  const { query, codes } = answer;
  if (lines.length === 0) return `N\t*\t*\t*\t.\t*\t*\t*\t${query}\t*\n`;
  return lines
    .map(({ hit, script }) => {
      const { key, identity, strand, target, edits } = hit;
      const alignment = edits === 0 ? "=" : compressed(script());
      return `H\t${key}\t${codes.length}\t${(100 * identity).toFixed(1)}\t${strand}\t0\t0\t${alignment}\t${query}\t${target}\n`;
    })
    .join("");
}

/** USEARCH's alignments: M for a pair of letters, I and D for letters of one alone, a count of 1 left out. */
function compressed({ runs }: EditScript): string {
  const merged: { letter: string; count: number }[] = [];
  for (const { operation, count } of runs) {
    // As VSEARCH writes it, and contrary to SAM: I is a letter that only the target has.
    const letter = { "=": "M", X: "M", I: "D", D: "I" }[operation];
    const last = merged.at(-1);
    if (last?.letter === letter) last.count += count;
    else merged.push({ letter, count });
  }
  return merged.map(({ letter, count }) => `${count === 1 ? "" : count}${letter}`).join("");
}
