/**
 * @file Substitution costs for weighted edit distances: checks, and the matrix file.
 *
 * The file is laid out as NCBI's scoring matrices are: lines that begin with `#` are comments, the first other
 * line holds the column letters, and every further line a row letter and one number for each column. The
 * numbers must be costs (0 for equal letters, symmetric, integers 0…255), not scores: a similarity such as
 * PAM250 as published has to be turned into a distance first.
 */
import { FormatError, UsageError } from "../error.ts";
import type { Costs } from "./job.ts";
import { CODES } from "./packed.ts";

/** Throws UsageError unless `costs` is a symmetric [32 × 32] matrix and a gap cost of 1…65,535. */
export function checkCosts({ substitution, gap }: Costs): void {
  if (substitution.length !== CODES * CODES) {
    throw new UsageError(`costs: must be a ${CODES} × ${CODES} matrix, got ${substitution.length} numbers`);
  }
  if (!Number.isInteger(gap) || gap < 1 || gap > 0xffff) {
    throw new UsageError(`gap cost: must be an integer from 1 to 65535, got ${gap}`);
  }
  for (let a = 0; a < CODES; a++) {
    for (let b = 0; b < a; b++) {
      const there = substitution[CODES * a + b];
      const back = substitution[CODES * b + a];
      if (there !== back) {
        throw new UsageError(
          `costs: must be symmetric, got ${there} from code ${a} to ${b} and ${back} back`,
        );
      }
    }
  }
}

/** Options of {@link parseCosts}. */
export interface ParseCostsOptions {
  /** File name for error messages. */
  file?: string;
  /** Code (0…31) of an upper-case letter, undefined for letters that the alphabet lacks. */
  codeOf: (letter: string) => number | undefined;
  /** Cost of inserting or deleting one symbol. */
  gap: number;
  /** Cost of replacing a letter by one that the file does not name; default the file's greatest. */
  unknown?: number;
}

/** Reads a matrix file of costs; throws FormatError with the line at fault. */
export function parseCosts(text: string, { file, codeOf, gap, unknown }: ParseCostsOptions): Costs {
  let columns: string[] | undefined;
  const named = new Map<string, { line: number; costs: number[] }>();
  for (const [index, content] of text.split(/\r?\n/).entries()) {
    const line = index + 1;
    const fields = content.trim().split(/\s+/);
    if (fields[0] === "" || fields[0].startsWith("#")) continue;
    if (!columns) {
      columns = fields.map((letter) => letter.toUpperCase());
      const odd = columns.find((letter, i) => letter.length !== 1 || columns?.indexOf(letter) !== i);
      if (odd !== undefined)
        throw new FormatError(`header: must name each letter once, got ${odd}`, { file, line });
      continue;
    }
    const row = fields[0].toUpperCase();
    if (!columns.includes(row))
      throw new FormatError(`row: must be a letter of the header, got ${row}`, { file, line });
    if (named.has(row)) throw new FormatError(`row: must not come twice, got ${row}`, { file, line });
    if (fields.length - 1 !== columns.length) {
      const rule = `row ${row}: must hold ${columns.length} numbers`;
      throw new FormatError(`${rule}, got ${fields.length - 1}`, { file, line });
    }
    const costs = fields.slice(1).map(Number);
    const odd = costs.findIndex((cost) => !Number.isInteger(cost) || cost < 0 || cost > 255);
    if (odd >= 0) {
      const rule = `row ${row}, column ${columns[odd]}: must be a cost, an integer from 0 to 255`;
      throw new FormatError(`${rule}, got ${fields[odd + 1]}`, { file, line });
    }
    named.set(row, { line, costs });
  }
  if (!columns)
    throw new FormatError("substitution matrix: must have a header of letters, got an empty file", { file });
  return fill(columns, named, { file, codeOf, gap, unknown });
}

function fill(
  columns: string[],
  named: Map<string, { line: number; costs: number[] }>,
  { file, codeOf, gap, unknown }: ParseCostsOptions,
): Costs {
  let greatest = 0;
  for (const { costs } of named.values()) greatest = Math.max(greatest, ...costs);
  const substitution = new Uint8Array(CODES * CODES).fill(unknown ?? greatest);
  for (let code = 0; code < CODES; code++) substitution[CODES * code + code] = 0;
  for (const [i, letter] of columns.entries()) {
    const row = named.get(letter);
    if (!row)
      throw new FormatError(`substitution matrix: must have a row for every column, got none for ${letter}`, {
        file,
      });
    for (const [j, other] of columns.entries()) {
      const cost = row.costs[j];
      const back = named.get(other)?.costs[i];
      if (back !== undefined && back !== cost) {
        const rule = `row ${letter}, column ${other}: must equal its mirror image ${back}`;
        throw new FormatError(`${rule}, got ${cost}`, { file, line: row.line });
      }
      if (i === j && cost !== 0) {
        throw new FormatError(`row ${letter}: must cost 0 to keep, got ${cost}`, { file, line: row.line });
      }
      const a = codeOf(letter);
      const b = codeOf(other);
      if (a !== undefined && b !== undefined) substitution[CODES * a + b] = cost;
    }
  }
  const costs = { substitution, gap };
  checkCosts(costs);
  return costs;
}
