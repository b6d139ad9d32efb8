/**
 * @file Substitution matrices: what it is worth that two letters stand together in an alignment.
 *
 * Scores are log odds, the greater the better, in the unit that each matrix is published in; they are given over
 * *codes* (alphabet.ts), so that every letter of an alphabet has some. A letter that a matrix lacks stands for others
 * and scores their mean: B for N and D, Z for Q and E, J for I and L, X for all amino acids, the ambiguity letters of
 * DNA for their nucleotides; selenocysteine (U) scores as C and pyrrolysine (O) as K, the nearest that they have. A
 * stop (`*`) scores the matrix's least with anything and 1 with another, as in NCBI's files.
 */

import { FormatError, UsageError } from "../error.ts";
import { DNA, type Alphabet } from "./alphabet.ts";
import { parseLetterTable } from "./letter-table.ts";
import * as tables from "./substitution-tables.ts";

/** The matrices there are by name; NUC (EDNAFULL) is for DNA, the others for proteins. */
export const MATRIX_NAMES = ["BLOSUM45", "BLOSUM62", "BLOSUM80", "PAM250", "GONNET", "NUC"] as const;

export type MatrixName = (typeof MATRIX_NAMES)[number];

/** Codes that there may be; the side of a matrix. */
const CODES = 32;

/** Letters that a letter stands for where a matrix has no row for it. */
const PROTEIN_SETS: Record<string, string> = {
  X: "ACDEFGHIKLMNPQRSTVWY",
  B: "ND",
  Z: "QE",
  J: "IL",
  U: "C",
  O: "K",
};

const DNA_SETS: Record<string, string> = {
  R: "AG",
  Y: "CT",
  S: "CG",
  W: "AT",
  K: "GT",
  M: "AC",
  B: "CGT",
  D: "AGT",
  H: "ACT",
  V: "ACG",
  N: "ACGT",
};

/** Letters and the scores of all pairs of them. */
interface Scores {
  letters: readonly string[];
  /** [k × k] */
  values: ArrayLike<number>;
}

/**
 * The scores of a named matrix, [32 × 32]: of codes a and b at 32 a + b; 0 for codes that are no letters.
 *
 * @throws UsageError for a matrix of the other alphabet
 */
export function matrixScores(name: MatrixName, alphabet: Alphabet): Float32Array {
  const { of, letters, triangle } = tables[name];
  if (of !== alphabet.name) {
    const known = MATRIX_NAMES.filter((other) => tables[other].of === alphabet.name);
    throw new UsageError(
      `matrix: ${name} is for ${of}, got ${alphabet.name} sequences; choose ${known.join(" or ")}, or a file`,
    );
  }
  const size = letters.length;
  const values = new Float64Array(size * size);
  const rows = triangle.trim().split("\n");
  rows.forEach((row, i) => {
    const numbers = row.trim().split(" ").map(Number);
    numbers.forEach((number, j) => {
      values[size * i + j] = number;
      values[size * j + i] = number;
    });
  });
  return overCodes({ letters: Array.from(letters), values }, alphabet);
}

export interface ParseMatrixOptions {
  /** File name for error messages. */
  file?: string;
  alphabet: Alphabet;
}

/**
 * Reads a file of scores, laid out as NCBI's are; letters that the alphabet lacks are passed over. In DNA, U is read
 * as T where there is no T.
 *
 * @throws FormatError with the line at fault, and for a plain letter of the alphabet without a row
 */
export function parseMatrix(text: string, { file, alphabet }: ParseMatrixOptions): Float32Array {
  const { letters, values } = parseLetterTable(text, { file, rule: "must be a score, a number" });
  if (alphabet === DNA && !letters.includes("T") && letters.includes("U")) {
    letters[letters.indexOf("U")] = "T";
  }
  for (const letter of alphabet.letters) {
    if (letters.includes(letter)) continue;
    throw new FormatError(
      `substitution matrix: must have a row for every ${alphabet.name} letter, got none for ${letter}`,
      { file },
    );
  }
  return overCodes({ letters, values }, alphabet);
}

/** Spreads scores over all codes of an alphabet. */
function overCodes({ letters, values }: Scores, alphabet: Alphabet): Float32Array {
  const size = letters.length;
  const places = new Map(letters.map((letter, place) => [letter, place]));
  const sets = alphabet === DNA ? DNA_SETS : PROTEIN_SETS;
  /** Rows whose mean is a code's; none for a stop that the matrix lacks. */
  const rows = Array.from(alphabet.letters + alphabet.ambiguous, (letter) =>
    Array.from(places.has(letter) ? letter : (sets[letter] ?? ""), (member) => places.get(member)!),
  );
  const least = Array.from(values).reduce((low, value) => Math.min(low, value), Infinity);
  const scores = new Float32Array(CODES * CODES);
  for (const [a, left] of rows.entries()) {
    for (const [b, right] of rows.entries()) {
      let sum = 0;
      for (const i of left) for (const j of right) sum += values[size * i + j];
      const pairs = left.length * right.length;
      scores[CODES * a + b] = pairs > 0 ? sum / pairs : a === b ? 1 : least;
    }
  }
  return scores;
}
