/**
 * @file Numbers as text, both ways, for the tab-separated and PHYLIP formats.
 *
 * A float32 is written with the fewest of 7, 8 or 9 significant digits that read back to the same float32
 * (9 always do: Steele and White, "How to print floating-point numbers accurately", PLDI 1990), because the
 * digits of its float64 image beyond those are noise that doubles the file. Reading is strict: what is not a
 * decimal number (an empty cell, `0x10`, `1_000`, `NaN`) is not a number.
 */
import type { NumberArray } from "./condensed.ts";

/** The shortest decimal text that reads back to the same float32. */
export function float32Text(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e7) return String(value);
  const exponent = Math.floor(Math.log10(Math.abs(value)));
  for (let digits = 7; digits < 9; digits++) {
    // Powers of ten up to 22 are exact, so the quotient is the float64 nearest to a short decimal.
    const places = digits - 1 - exponent;
    const rounded =
      places >= 0 && places <= 22
        ? Math.round(value * POWERS[places]) / POWERS[places]
        : Number(value.toPrecision(digits));
    if (Math.fround(rounded) === value) return String(rounded);
  }
  return String(Number(value.toPrecision(9)));
}

/** 10⁰ … 10²². */
const POWERS = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`));

/** How the values of an array are written: float32 shortened, everything else as JavaScript writes it. */
export function textOf(values: NumberArray): (value: number) => string {
  return values instanceof Float32Array ? float32Text : String;
}

/**
 * The number that `text` spells in decimal, or NaN. Square matrices hold 10⁸ of them, so `Number` does the work
 * and only what it accepts beyond decimals is looked for: blanks alone, `0x`, `0b`, `0o` and infinities.
 */
export function parseDecimal(text: string): number {
  const value = Number(text);
  if (value === 0 && text.trim() === "") return NaN;
  const prefix = text.charCodeAt(1) | 0x20;
  if (prefix === 0x78 || prefix === 0x62 || prefix === 0x6f) return NaN;
  return value - value === 0 ? value : NaN;
}
