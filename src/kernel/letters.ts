/**
 * @file Letters: the codes that a set of sequences uses, numbered 0…K−1, so that profiles have a plane for each of them
 * and none for the rest of the 32.
 */
import { CODES, packCodes, type PackedCodes } from "./packed.ts";
import type { Scoring } from "./scoring.ts";

/** The letters in use, and their scores. */
export interface LetterScores {
  /** [32] Number of each code; 255 for those not in use. */
  letterOf: Uint8Array;
  /** [K × K] */
  scores: Float32Array;
  /** K */
  count: number;
}

/** The codes (0…31) that occur, ascending. */
export function usedCodes(sequences: readonly Uint8Array[]): number[] {
  const used = new Uint8Array(CODES);
  for (const sequence of sequences) for (const code of sequence) used[code] = 1;
  return [...used.keys()].filter((code) => used[code] === 1);
}

/** Numbers these codes in their order, and picks their scores. */
export function letterScores(codes: readonly number[], { substitution }: Scoring): LetterScores {
  const letterOf = new Uint8Array(CODES).fill(255);
  codes.forEach((code, letter) => (letterOf[code] = letter));
  const scores = Float32Array.from(codes.flatMap((a) => codes.map((b) => substitution[CODES * a + b])));
  return { letterOf, scores, count: codes.length };
}

/** The letters of a sequence of codes. */
export function toLetters(sequence: Uint8Array, { letterOf }: LetterScores): Uint8Array {
  return sequence.map((code) => letterOf[code]);
}

/** Sequences of codes, packed as letters. */
export function packLetters(sequences: readonly Uint8Array[], letters: LetterScores): PackedCodes {
  return packCodes(sequences.map((sequence) => toLetters(sequence, letters)));
}
