/**
 * @file Substitution costs for weighted edit distances: checks, and the matrix file.
 *
 * The file is laid out as NCBI's scoring matrices are (sequence/letter-table.ts). The numbers must be costs (0 for
 * equal letters, symmetric, integers 0…255), not scores: a similarity such as PAM250 as published has to be turned
 * into a distance first.
 */
import { FormatError, UsageError } from "../error.ts";
import { parseLetterTable } from "../sequence/letter-table.ts";
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
  const { letters, values, lines } = parseLetterTable(text, {
    file,
    accept: (cost) => Number.isInteger(cost) && cost >= 0 && cost <= 255,
    rule: "must be a cost, an integer from 0 to 255",
  });
  const greatest = values.reduce((most, cost) => Math.max(most, cost), 0);
  const substitution = new Uint8Array(CODES * CODES).fill(unknown ?? greatest);
  for (let code = 0; code < CODES; code++) substitution[CODES * code + code] = 0;
  const codes = letters.map(codeOf);
  for (const [i, a] of codes.entries()) {
    for (const [j, b] of codes.entries()) {
      const cost = values[letters.length * i + j];
      if (i === j && cost !== 0) {
        throw new FormatError(`row ${letters[i]}: must cost 0 to keep, got ${cost}`, {
          file,
          line: lines[i],
        });
      }
      if (a !== undefined && b !== undefined) substitution[CODES * a + b] = cost;
    }
  }
  const costs = { substitution, gap };
  checkCosts(costs);
  return costs;
}
