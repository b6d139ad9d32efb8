import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../src/error.ts";
import { checkScoring } from "../../src/kernel/scoring.ts";
import { DNA, encode, PROTEIN, type Alphabet } from "../../src/sequence/alphabet.ts";
import {
  MATRIX_NAMES,
  matrixScores,
  parseMatrix,
  type MatrixName,
} from "../../src/sequence/substitution-matrix.ts";

const alphabetOf = (name: MatrixName): Alphabet => (name === "NUC" ? DNA : PROTEIN);

/** The score of two letters. */
function score(scores: Float32Array, a: string, b: string, alphabet: Alphabet = PROTEIN): number {
  const [i, j] = encode(a + b, alphabet).codes;
  return scores[32 * i + j];
}

describe.each(MATRIX_NAMES)("%s", (name) => {
  const alphabet = alphabetOf(name);
  const scores = matrixScores(name, alphabet);

  test("is a scoring matrix in which no letter has a better partner than itself", () => {
    checkScoring({ substitution: scores, gapOpen: 1, gapExtend: 1, endGaps: 1 });
    for (let a = 0; a < alphabet.size; a++) {
      for (let b = 0; b < alphabet.size; b++) {
        if (a !== b) expect(scores[32 * a + b]).toBeLessThanOrEqual(scores[33 * a]);
      }
    }
  });

  test("is refused for the other alphabet", () => {
    expect(() => matrixScores(name, alphabet === DNA ? PROTEIN : DNA)).toThrow(UsageError);
  });
});

describe("published scores", () => {
  test.each([
    ["BLOSUM45", "WW", 15],
    ["BLOSUM62", "WW", 11],
    ["BLOSUM62", "AR", -1],
    ["BLOSUM62", "IV", 3],
    ["BLOSUM62", "BD", 4],
    ["BLOSUM62", "XX", -1],
    ["BLOSUM62", "*A", -4],
    ["BLOSUM62", "**", 1],
    ["BLOSUM80", "CC", 13],
    ["PAM250", "WW", 17],
    ["PAM250", "CS", 0],
    ["GONNET", "WW", 14.2],
    ["GONNET", "CC", 11.5],
    ["GONNET", "YF", 5.1],
  ] as const)("%s: %s is %d", (name, [a, b], value) => {
    expect(score(matrixScores(name, PROTEIN), a, b)).toBeCloseTo(value, 5);
  });

  test.each([
    ["AA", 5],
    ["AC", -4],
    ["AR", 1],
    ["NN", -1],
    ["AN", -2],
    ["UT", 5],
  ])("NUC: %s is %d", ([a, b], value) => {
    expect(score(matrixScores("NUC", DNA), a, b, DNA)).toBe(value);
  });
});

describe("letters that a matrix lacks", () => {
  const blosum = matrixScores("BLOSUM62", PROTEIN);
  const gonnet = matrixScores("GONNET", PROTEIN);

  test("selenocysteine is a cysteine, pyrrolysine a lysine", () => {
    for (const letter of "ACDEFGHIKLMNPQRSTVWYXBZ*") {
      expect(score(blosum, "U", letter)).toBe(score(blosum, "C", letter));
      expect(score(blosum, "O", letter)).toBe(score(blosum, "K", letter));
    }
    expect(score(blosum, "U", "U")).toBe(9);
  });

  test("J is the mean of I and L, of itself the mean of all four", () => {
    expect(score(blosum, "J", "V")).toBe((3 + 1) / 2);
    expect(score(blosum, "J", "J")).toBe((4 + 4 + 2 + 2) / 4);
  });

  test("of Gonnet: B, Z, X are means, a stop the least", () => {
    expect(score(gonnet, "B", "A")).toBeCloseTo((-0.3 - 0.3) / 2, 6);
    expect(score(gonnet, "Z", "Z")).toBeCloseTo((2.7 + 3.6 + 2 * 1.7) / 4, 6);
    expect(score(gonnet, "X", "W")).toBeLessThan(0);
    expect(score(gonnet, "*", "A")).toBeCloseTo(-5.2, 6);
    expect(score(gonnet, "*", "*")).toBe(1);
  });
});

describe("a file of scores", () => {
  const ours =
    "# ours\n   a  G  C  U  *\nA  0 -1 -1 -1 9\nG -1 0 -1 -1 9\nC -1 -1 0 -1.5 9\nU -1 -1 -1.5 0 9\n* 9 9 9 9 9\n";
  const parse = (text: string, alphabet = DNA) => parseMatrix(text, { file: "m.txt", alphabet });

  test("is read with U for T, and ambiguity letters as means", () => {
    const scores = parse(ours);
    expect(score(scores, "C", "T", DNA)).toBe(-1.5);
    expect(score(scores, "R", "A", DNA)).toBe(-0.5);
    expect(score(scores, "N", "T", DNA)).toBeCloseTo(-3.5 / 4, 6);
  });

  test.each([
    ["", "m.txt: substitution matrix: must have a header"],
    ["A C\nA 0 x\nC 1 0", "m.txt, line 2: row A, column C: must be a score, a number, got x"],
    ["A C\nA 0 0x10\nC 1 0", "must be a score, a number, got 0x10"],
    ["A C\nA 0 1\nC 1 0", "m.txt: substitution matrix: must have a row for every dna letter, got none for G"],
    ["\x7fELF\x02", "m.txt, line 1: header: must name each letter once"],
  ])("%j is refused", (text, message) => {
    expect(() => parse(text)).toThrow(FormatError);
    expect(() => parse(text)).toThrow(message);
  });

  // Where Debian's python3-biopython is installed, the tables are compared with its files.
  const folder = "/usr/lib/python3/dist-packages/Bio/Align/substitution_matrices/data";
  test.skipIf(!existsSync(folder))("as others distribute it gives the same scores as the table", () => {
    const files: Partial<Record<string, MatrixName>> = { GONNET1992: "GONNET", "NUC.4.4": "NUC" };
    let compared = 0;
    for (const file of readdirSync(folder)) {
      const name = files[file] ?? MATRIX_NAMES.find((known) => known === file);
      if (name === undefined) continue;
      const alphabet = alphabetOf(name);
      const read = parseMatrix(readFileSync(join(folder, file), "utf8"), { file, alphabet });
      expect(read, name).toEqual(matrixScores(name, alphabet));
      compared++;
    }
    expect(compared).toBe(MATRIX_NAMES.length);
  });
});
