import { beforeAll, describe, expect, test } from "vitest";
import { createSpace, GEOMETRY_NAMES, refineClose } from "../../src/geometry/index.ts";
import { Random } from "../../src/sequence/random.ts";
import "../support/allclose.ts";
import { matrix, normals, read, refs, scalars, useReferenceBackend } from "./points.ts";

beforeAll(useReferenceBackend);

const DIMS = 6;

const SPACES = GEOMETRY_NAMES.flatMap((name) => [
  { name, exponent: false },
  { name, exponent: true },
]);

describe.each(SPACES)("$name, learned exponent: $exponent", ({ name, exponent }) => {
  const space = createSpace(name, { scale: true, exponent, initial: { scale: 0.4, exponent: 1.7 } });
  const values = space.initialParameters();
  const p = scalars(values);
  const random = new Random(1);
  // Pairs of copies, near copies, and strangers; away from the origin, where the subtraction hurts.
  const far = normals(random, 5, DIMS, 0.2);
  const near = far.map((z, i) => z.map((value) => value * (1 + 10 ** -(i + 3) * random.normal())));
  const z = [...far, ...far, ...near];

  test("identical and nearly identical pairs come out exact, others are left alone", () => {
    const points = space.project(matrix(z), refs(p));
    const x = Float32Array.from(read(points.ref));
    const all = Float32Array.from(read(space.distances(points.ref, points, p)));
    const before = all.slice();
    const refined = refineClose(all, x, x, DIMS, space, values);
    const exact = z.flatMap((_, i) =>
      z.map((_, j) =>
        space.exactDistance(
          x.subarray(i * DIMS, (i + 1) * DIMS),
          x.subarray(j * DIMS, (j + 1) * DIMS),
          values,
        ),
      ),
    );
    expect(all).toBeAllclose(exact, { rtol: 2e-3, atol: name === "manhattan" ? 1e-6 : 1e-12 });
    for (let i = 0; i < 5; i++) expect(all[i * z.length + i + 5]).toBe(0);
    if (name === "manhattan") {
      expect(refined).toBe(0);
    } else {
      expect(refined).toBeGreaterThanOrEqual(z.length + 10);
      expect(refined).toBeLessThanOrEqual(z.length + 30);
      expect(all[1]).toBe(before[1]);
      const changed = all.filter((d, i) => d !== before[i]).length;
      expect(changed).toBeLessThanOrEqual(refined);
    }
  });
});

test("sizes that do not fit are refused", () => {
  const space = createSpace("euclidean");
  const x = new Float32Array(6);
  expect(() => refineClose(new Float32Array(3), x, x, 3, space, {})).toThrow(
    "distances: must hold 2 × 2 numbers, got 3",
  );
  expect(() => refineClose(new Float32Array(4), x, x, 4, space, {})).toThrow(
    "x: length must be a multiple of 4 dimensions, got 6",
  );
});
