/** @file Arrays of numbers that grow. */

type Words = Uint8Array | Uint16Array | Uint32Array | Int32Array;

/** The array, or a copy of it at least twice as long, so that `length` numbers fit. */
export function grown<Array extends Words>(array: Array, length: number): Array {
  if (length <= array.length) return array;
  const copy = new (array.constructor as new (length: number) => Array)(Math.max(length, 2 * array.length));
  copy.set(array);
  return copy;
}
