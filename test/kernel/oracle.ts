/** @file The dynamic-programming oracle that every fast kernel is held against, and sequences to feed it. */
import fc from "fast-check";

/** Edit distance by the textbook recurrence (Sellers 1974), with unit costs unless told otherwise. */
export function oracle(
  a: Uint8Array,
  b: Uint8Array,
  replace: (x: number, y: number) => number = (x, y) => (x === y ? 0 : 1),
  gap = 1,
): number {
  const row = Int32Array.from({ length: b.length + 1 }, (_, j) => j * gap);
  for (let i = 1; i <= a.length; i++) {
    let corner = row[0];
    row[0] = i * gap;
    for (let j = 1; j <= b.length; j++) {
      const above = row[j];
      row[j] = Math.min(corner + replace(a[i - 1], b[j - 1]), above + gap, row[j - 1] + gap);
      corner = above;
    }
  }
  return row[b.length];
}

/** Sequences of `symbols` codes, at lengths where words, blocks and vectors begin and end. */
export function sequence(symbols: number, longest = 200): fc.Arbitrary<Uint8Array> {
  const length = fc.oneof(
    fc.constantFrom(
      ...[0, 1, 2, 3, 4, 5, 15, 16, 17, 31, 32, 33, 63, 64, 65, 127, 128, 129].filter((n) => n <= longest),
    ),
    fc.integer({ min: 0, max: longest }),
  );
  return length.chain((n) => fc.uint8Array({ minLength: n, maxLength: n, max: symbols - 1 }));
}

/** A sequence and a copy with some edits. */
export function relatives(symbols: number, longest = 200): fc.Arbitrary<[Uint8Array, Uint8Array]> {
  const edit = fc.record({
    kind: fc.constantFrom("replace", "insert", "delete"),
    at: fc.nat(),
    code: fc.nat(symbols - 1),
  });
  return fc.tuple(sequence(symbols, longest), fc.array(edit, { maxLength: 20 })).map(([original, edits]) => {
    const copy = [...original];
    for (const { kind, at, code } of edits) {
      if (kind === "insert") copy.splice(at % (copy.length + 1), 0, code);
      else if (kind === "delete") copy.splice(at % (copy.length + 1), 1);
      else if (copy.length > 0) copy[at % copy.length] = code;
    }
    return [original, Uint8Array.from(copy)];
  });
}
