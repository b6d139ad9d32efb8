import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { FormatError, UsageError } from "../../src/error.ts";
import {
  alphabetNamed,
  decode,
  DNA,
  encode,
  guessAlphabet,
  PROTEIN,
  tokenBatch,
  tokens,
} from "../../src/sequence/alphabet.ts";

describe("encode", () => {
  test("DNA: A0 C1 G2 T3, then the IUPAC ambiguity letters 4 … 14", () => {
    const { codes, ambiguous } = encode("ACGTRYSWKMBDHVN", DNA);
    expect(Array.from(codes)).toEqual(Array.from({ length: 15 }, (_, i) => i));
    expect(ambiguous).toBe(11);
  });

  test("protein: the 20 letters of SPEC A1, then X B Z J U O *", () => {
    const { codes, ambiguous } = encode("ACDEFGHIKLMNPQRSTVWYXBZJUO*", PROTEIN);
    expect(Array.from(codes)).toEqual(Array.from({ length: 27 }, (_, i) => i));
    expect(ambiguous).toBe(7);
  });

  test("U reads as T and lower case as upper case", () => {
    expect(encode("acguACGUn", DNA)).toEqual(encode("ACGTACGTN", DNA));
  });

  test("an aligned sequence is told to lose its gaps", () => {
    for (const gap of ["AC-GT", "AC.GT"]) {
      expect(() => encode(gap, DNA, { file: "a.fasta", line: 3, record: "x" })).toThrow(
        /^a\.fasta, line 3, record "x": sequence: must be without gaps, got "[-.]" at position 3: .*aligned.*remove/,
      );
    }
  });

  test("a protein in DNA clothes is named as such", () => {
    expect(() => encode("MKVLA", DNA)).toThrow(
      /got "L" at position 4: if this is a protein, choose the protein/,
    );
  });

  test("digits, blanks and letters beyond ASCII are refused with their place", () => {
    expect(() => encode("ACG1", DNA)).toThrow(/got "1" at position 4: remove position numbers/);
    expect(() => encode("AC GT", DNA)).toThrow(/got " " at position 3/);
    expect(() => encode("ACé", DNA)).toThrow(/got "é" at position 3/);
    expect(() => encode("A😀", PROTEIN)).toThrow(/got "😀" at position 2/);
  });

  test("any text encodes or fails with a FormatError; what encodes decodes to the same codes", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom(DNA, PROTEIN), (text, alphabet) => {
        let codes: Uint8Array;
        try {
          ({ codes } = encode(text, alphabet));
        } catch (error) {
          expect(error).toBeInstanceOf(FormatError);
          return;
        }
        expect(encode(decode(codes, alphabet), alphabet).codes).toEqual(codes);
      }),
    );
  });

  test("decode gives upper-case letters and refuses codes outside the alphabet", () => {
    expect(decode(encode("acgun", DNA).codes, DNA)).toBe("ACGTN");
    expect(() => decode(Uint8Array.of(15), DNA)).toThrow(RangeError);
  });
});

describe("tokens", () => {
  test("ambiguity and padding share the column after the last letter", () => {
    expect(Array.from(tokens(encode("ACGTN", DNA).codes, DNA, 7))).toEqual([0, 1, 2, 3, 4, 4, 4]);
    expect(Array.from(tokens(encode("AX*", PROTEIN).codes, PROTEIN))).toEqual([0, 20, 20]);
  });

  test("a batch is row-major, and refuses sequences that do not fit", () => {
    const batch = ["AC", "", "TTT"].map((s) => encode(s, DNA).codes);
    expect(Array.from(tokenBatch(batch, DNA, 3))).toEqual([0, 1, 4, 4, 4, 4, 3, 3, 3]);
    expect(() => tokenBatch(batch, DNA, 2)).toThrow("sequence: must have at most 2 letters, got 3");
  });
});

describe("guessAlphabet", () => {
  test.each([
    [["ACGUNNN", "acgt"], DNA],
    [["ACGTACGTAR"], DNA],
    [["ACGTACGTRR"], PROTEIN],
    [["MKVLAAGIVG"], PROTEIN],
    [["--AC.GT--"], DNA],
  ])("%j", (sequences, alphabet) => {
    expect(guessAlphabet(sequences)).toBe(alphabet);
  });
});

test("alphabets are found by name", () => {
  expect(alphabetNamed("dna")).toBe(DNA);
  expect(alphabetNamed("protein")).toBe(PROTEIN);
  expect(() => alphabetNamed("rna")).toThrow(UsageError);
});
