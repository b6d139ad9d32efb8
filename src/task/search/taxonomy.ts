/**
 * @file Lineages of queries from those of their hits.
 *
 * The consensus goes down rank by rank as long as one name has at least a given share of the hits, as QIIME 2's
 * `classify-consensus-vsearch` does (Bokulich et al., Microbiome 2018). A lineage is names separated by `;`, from
 * the domain down; names that say nothing (`s__`) end it. A hit whose lineage ends earlier counts as disagreeing.
 */

import { FormatError } from "../../error.ts";
import { textLines, type ByteSource } from "../../sequence/index.ts";

/** What the hits of a query agree on. */
export interface Consensus {
  /** Names joined by `; `, or `Unassigned`. */
  lineage: string;
  /** Share of the hits that have this lineage; 0 where it is unassigned. */
  confidence: number;
  /** Hits with a lineage. */
  hits: number;
}

/** What a lineage is called that is not known. */
export const UNASSIGNED = "Unassigned";

/**
 * Reads a table of ids and lineages, separated by tabs, plain or gzip; a header (`Feature ID`) and further columns are passed over.
 *
 * @throws FormatError on a line without a lineage, and on an id that comes twice with another lineage
 */
export async function readTaxonomy(
  source: ByteSource,
  { file }: { file?: string } = {},
): Promise<Map<string, string>> {
  const taxa = new Map<string, string>();
  let number = 0;
  for await (const line of textLines(source, { file })) {
    number++;
    if (line === "" || line.startsWith("#") || (number === 1 && /^feature.?id\t/i.test(line))) continue;
    const [id, lineage] = line.split("\t");
    if (lineage === undefined || id === "") {
      throw new FormatError("taxonomy: a line must be an id, a tab and a lineage; add the lineage", {
        file,
        line: number,
      });
    }
    const earlier = taxa.get(id);
    if (earlier !== undefined && earlier !== lineage) {
      throw new FormatError("taxonomy: an id must have one lineage, got another one; remove one of them", {
        file,
        line: number,
        record: id,
      });
    }
    taxa.set(id, lineage);
  }
  return taxa;
}

/**
 * Counts the references that have no lineage.
 *
 * @param of - name of the references, for the error
 * @throws FormatError where none has one: the two were not made for each other
 */
export function countWithoutLineage(
  ids: Iterable<string>,
  taxa: ReadonlyMap<string, string>,
  { of, file }: { of: string; file?: string },
): number {
  let [count, all] = [0, 0];
  let example = "";
  for (const id of ids) {
    all++;
    if (taxa.has(id)) continue;
    if (count++ === 0) example = id;
  }
  if (count < all || all === 0) return count;
  const [known] = taxa.keys();
  const why =
    known === undefined ? "it is empty" : `the ids do not match, "${known}" here, "${example}" there`;
  throw new FormatError(`taxonomy: must have lineages of the references in ${of}, got none: ${why}`, {
    file,
  });
}

/** The names of a lineage that say something. */
function namesOf(lineage: string): string[] {
  const names = lineage.split(";").map((name) => name.trim());
  const end = names.findIndex((name) => name === "" || /^[a-z]__$/i.test(name) || name === UNASSIGNED);
  return end < 0 ? names : names.slice(0, end);
}

/**
 * What lineages agree on.
 *
 * @param least - share of them that must have a name (above 0.5, so that there is one answer)
 */
export function consensusOf(lineages: readonly string[], least = 0.51): Consensus {
  let agreeing = lineages.map(namesOf);
  const total = agreeing.length;
  const names: string[] = [];
  let confidence = 0;
  for (let rank = 0; total > 0; rank++) {
    const counts = new Map<string, number>();
    for (const { [rank]: name } of agreeing) {
      if (name !== undefined) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const [name, count] = [...counts].reduce((best, entry) => (entry[1] > best[1] ? entry : best), ["", 0]);
    if (count === 0 || count / total < least) break;
    names.push(name);
    confidence = count / total;
    agreeing = agreeing.filter((each) => each[rank] === name);
  }
  return { lineage: names.length === 0 ? UNASSIGNED : names.join("; "), confidence, hits: total };
}
