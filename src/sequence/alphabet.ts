/**
 * @file The letters of DNA and protein, and their numbers.
 *
 * A sequence is encoded once, as *codes*: the plain letters come first (0 … size − 1, in the order every model
 * uses), the IUPAC ambiguity letters after them. Kernels compare codes, so N equals N and nothing else. Models
 * see *tokens*, `min(code, size)`: every ambiguity letter and the padding share the all-zero column `size`.
 *
 * Encoding normalises (lower case to upper case, U to T in DNA) and is strict about everything else: gaps,
 * digits and letters of another alphabet are errors that say which letter, where, and what to do.
 * One table look-up per letter.
 *
 * Letters: Cornish-Bowden, "Nomenclature for incompletely specified bases", Nucleic Acids Research 1985;
 * IUPAC-IUB, "Nomenclature and symbolism for amino acids and peptides", 1984.
 */

import { FormatError, UsageError, type Location } from "../error.ts";

/** Marks a character that is no letter of the alphabet. */
const ILLEGAL = 255;

export type AlphabetName = "dna" | "protein";

/** A set of letters, each with its code. */
export interface Alphabet {
  readonly name: AlphabetName;
  /** The plain letters; the code of a letter is its place. */
  readonly letters: string;
  /** The ambiguity letters; their codes follow those of `letters`. */
  readonly ambiguous: string;
  /** How many plain letters there are: 4 or 20. Also the token of ambiguity and of padding. */
  readonly size: number;
  /** Code of each ASCII character [128], 255 where it is no letter. */
  readonly codeOf: Uint8Array;
}

function defineAlphabet(
  name: AlphabetName,
  letters: string,
  ambiguous: string,
  aliases: Record<string, string>,
): Alphabet {
  const codeOf = new Uint8Array(128).fill(ILLEGAL);
  const define = (letter: string, code: number): void => {
    codeOf[letter.charCodeAt(0)] = code;
    codeOf[letter.toLowerCase().charCodeAt(0)] = code;
  };
  const all = letters + ambiguous;
  for (let code = 0; code < all.length; code++) define(all[code], code);
  for (const [alias, letter] of Object.entries(aliases)) define(alias, all.indexOf(letter));
  return Object.freeze({ name, letters, ambiguous, size: letters.length, codeOf });
}

/** DNA and RNA: A C G T (U reads as T), then R Y S W K M B D H V N. */
export const DNA: Alphabet = defineAlphabet("dna", "ACGT", "RYSWKMBDHVN", { U: "T" });

/** Protein: the 20 amino acids in alphabetical order, then X B Z J U O and the stop `*`. */
export const PROTEIN: Alphabet = defineAlphabet("protein", "ACDEFGHIKLMNPQRSTVWY", "XBZJUO*", {});

/** The alphabet called `name`; throws `UsageError` for any other name. */
export function alphabetNamed(name: string): Alphabet {
  if (name === DNA.name) return DNA;
  if (name === PROTEIN.name) return PROTEIN;
  throw new UsageError(`unknown alphabet: "${name}"; choose dna (which reads RNA too) or protein`);
}

/** An encoded sequence. */
export interface Encoded {
  /** Codes, one a letter. */
  codes: Uint8Array;
  /** How many of them are ambiguity letters. */
  ambiguous: number;
}

/**
 * Turns letters into codes.
 *
 * @throws FormatError for a character outside the alphabet; `location` says whose sequence it is.
 */
export function encode(sequence: string, alphabet: Alphabet, location: Location = {}): Encoded {
  const { codeOf, size } = alphabet;
  const codes = new Uint8Array(sequence.length);
  let ambiguous = 0;
  for (let i = 0; i < codes.length; i++) {
    const character = sequence.charCodeAt(i);
    const code = character < 128 ? codeOf[character] : ILLEGAL;
    if (code >= size) {
      if (code === ILLEGAL) throw illegalLetter(sequence, i, alphabet, location);
      ambiguous++;
    }
    codes[i] = code;
  }
  return { codes, ambiguous };
}

function illegalLetter(sequence: string, index: number, alphabet: Alphabet, location: Location): FormatError {
  const letter = String.fromCodePoint(sequence.codePointAt(index) ?? 0);
  const where = `got ${JSON.stringify(letter)} at position ${index + 1}`;
  if (letter === "-" || letter === ".") {
    return new FormatError(
      `sequence: must be without gaps, ${where}: the sequences look aligned; remove the gap characters "-" and "."`,
      location,
    );
  }
  const kind = alphabet === DNA ? "DNA" : "protein";
  const rule = `sequence: must consist of ${kind} letters (${alphabet.letters}, ambiguity ${alphabet.ambiguous}), ${where}`;
  const character = letter.charCodeAt(0);
  let advice = "correct the letter or remove the record";
  if (/\d/.test(letter)) {
    advice = "remove position numbers from the sequence";
  } else if (alphabet === DNA && character < 128 && PROTEIN.codeOf[character] !== ILLEGAL) {
    advice = "if this is a protein, choose the protein alphabet, or a model of proteins";
  }
  return new FormatError(`${rule}: ${advice}`, location);
}

/** Turns codes back into upper-case letters (T, never U, for DNA). */
export function decode(codes: Uint8Array, alphabet: Alphabet): string {
  const all = alphabet.letters + alphabet.ambiguous;
  const bytes = new Uint8Array(codes.length);
  for (let i = 0; i < codes.length; i++) {
    if (codes[i] >= all.length) {
      throw new RangeError(`code: must be below ${all.length} in ${alphabet.name}, got ${codes[i]} at ${i}`);
    }
    bytes[i] = all.charCodeAt(codes[i]);
  }
  return new TextDecoder().decode(bytes);
}

/**
 * What a model sees of one sequence: `min(code, size)`, padded on the right with `size` up to `length`.
 *
 * @throws RangeError when the sequence is longer than `length`.
 */
export function tokens(codes: Uint8Array, alphabet: Alphabet, length = codes.length): Uint8Array {
  return tokenBatch([codes], alphabet, length);
}

/**
 * Tokens of a batch, row-major `[batch, length]`; beyond the end of a sequence stands `padding`, by default `size`.
 *
 * @throws RangeError when a sequence is longer than `length`.
 */
export function tokenBatch(
  sequences: readonly Uint8Array[],
  { size }: Alphabet,
  length: number,
  padding = size,
): Uint8Array {
  const out = new Uint8Array(sequences.length * length).fill(padding);
  sequences.forEach((codes, row) => {
    if (codes.length > length) {
      throw new RangeError(`sequence: must have at most ${length} letters, got ${codes.length}`);
    }
    const start = row * length;
    for (let i = 0; i < codes.length; i++) out[start + i] = Math.min(codes[i], size);
  });
  return out;
}

/** What each ASCII character counts as when guessing: 2 A C G T U N, 1 any other letter, 0 no letter. */
const EVIDENCE = Uint8Array.from({ length: 128 }, (_, character) => {
  const letter = String.fromCharCode(character);
  return Number(/[A-Z]/i.test(letter)) + Number(/[ACGTUN]/i.test(letter));
});

/** Guesses the alphabet: DNA when at least 90 % of all letters are A C G T U or N, else protein. */
export function guessAlphabet(sequences: Iterable<string>): Alphabet {
  const seen = [0, 0, 0];
  for (const sequence of sequences) {
    for (let i = 0; i < sequence.length; i++) {
      const character = sequence.charCodeAt(i);
      if (character < 128) seen[EVIDENCE[character]]++;
    }
  }
  const [, others, nucleotides] = seen;
  return nucleotides >= 0.9 * (nucleotides + others) ? DNA : PROTEIN;
}
