/** @file The other strand of DNA. */

/** Complements of DNA's codes: A C G T, then R Y S W K M B D H V N. */
const COMPLEMENT = Uint8Array.of(3, 2, 1, 0, 5, 4, 6, 7, 9, 8, 13, 12, 11, 10, 14);

/** The other strand of a DNA sequence of codes. */
export function reverseComplement(codes: Uint8Array): Uint8Array {
  return Uint8Array.from(codes, (_, i) => COMPLEMENT[codes[codes.length - 1 - i]]);
}
