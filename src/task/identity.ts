/**
 * @file Identity: 1 − edits / length of the longer of two sequences, compared from end to end.
 */

/** Keeps (1 − 0.9) · 10 from being 0.9999999999999998. */
export const ROUNDING = 1e-9;

/** 1 − edits / length of the longer; 1 for two empty sequences. */
export function identityOf(edits: number, { length: m }: Uint8Array, { length: n }: Uint8Array): number {
  return 1 - edits / Math.max(1, m, n);
}

/** The most edits at which two sequences, the longer of `length` letters, have the identity. */
export function mostEdits(identity: number, length: number): number {
  return Math.floor((1 - identity) * length + ROUNDING);
}
