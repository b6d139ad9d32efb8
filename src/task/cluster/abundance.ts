/**
 * @file What ids say of a sequence beside its name, as USEARCH and VSEARCH write it: how many reads it stands for
 * (`;size=12`), and the sample they are from (`;sample=gut1`).
 */

import { FormatError } from "../../error.ts";

const SIZE = /(?:^|;)size=([^;]*)/;
const SIZES = /(^|;)size=[^;]*/g;
const SAMPLE = /(?:^|;)(?:sample|barcodelabel)=([^;]*)/;

/** Whether the id says how many reads the sequence stands for. */
export function hasSize(id: string): boolean {
  return SIZE.test(id);
}

/**
 * How many reads the sequence of an id stands for: 1, unless the id says.
 *
 * @throws FormatError where what it says is no positive integer
 */
export function sizeOf(id: string, { file }: { file?: string } = {}): number {
  const text = SIZE.exec(id)?.[1];
  if (text === undefined) return 1;
  const size = Number(text);
  if (/^\d+$/.test(text) && size > 0 && Number.isSafeInteger(size)) return size;
  throw new FormatError(
    `size: must be a positive integer, as in ;size=12, got "${text}"; correct or remove it`,
    { file, record: id },
  );
}

/** The id without its size. */
export function withoutSize(id: string): string {
  return id.replace(SIZES, "").replace(/^;|;$/g, "");
}

/** The id with another size. */
export function withSize(id: string, size: number): string {
  return `${withoutSize(id)};size=${size}`;
}

/**
 * The sample of an id, by VSEARCH's rule: what follows `;sample=` or `;barcodelabel=`, else the letters, digits and
 * underscores that the id begins with.
 */
export function sampleOf(id: string): string {
  return SAMPLE.exec(id)?.[1] ?? /^\w+/.exec(id)?.[0] ?? withoutSize(id);
}

/** The name of the cluster of a representative: its id up to the first semicolon. */
export function otuName(id: string): string {
  return id.split(";", 1)[0];
}
