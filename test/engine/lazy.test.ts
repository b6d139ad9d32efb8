import { init, numpy as np } from "@jax-js/jax";
import fc from "fast-check";
import { beforeAll, describe, it } from "vitest";
import { expectSame, floats } from "./both.ts";

beforeAll(async () => {
  await init("wasm");
});

/** One link of a chain: which operation, and two numbers that it draws its particulars from. */
interface Link {
  operation: string;
  p: number;
  q: number;
}

const OPERATIONS = [
  "transpose",
  "merge",
  "split",
  "repeat",
  "sum",
  "max",
  "add",
  "mul",
  "flip",
  "cut",
  "grow",
  "product",
];

const MOST_ELEMENTS = 600;

/** A permutation of `count` axes, numbered by `which`. */
function permutation(count: number, which: number): number[] {
  const left = Array.from({ length: count }, (_, axis) => axis);
  let rest = which;
  return Array.from({ length: count }, () => {
    const [axis] = left.splice(rest % left.length, 1);
    rest = Math.floor(rest / (left.length + 1));
    return axis;
  });
}

/** Applies a link where the array's shape allows it; `other` is a second operand, a vector of 64 numbers. */
function apply(x: np.Array, other: np.Array, { operation, p, q }: Link): np.Array {
  const { shape, ndim, size } = x;
  const axis = ndim === 0 ? 0 : p % ndim;
  switch (operation) {
    case "transpose":
      return x.transpose(permutation(ndim, p));
    case "merge":
      if (axis + 1 >= ndim) return x;
      return x.reshape([...shape.slice(0, axis), shape[axis] * shape[axis + 1], ...shape.slice(axis + 2)]);
    case "split": {
      const divisors = [1, 2, 3, 4].filter((divisor) => ndim > 0 && shape[axis] % divisor === 0);
      if (divisors.length === 0 || ndim >= 6) return x;
      const divisor = divisors[q % divisors.length];
      return x.reshape([...shape.slice(0, axis), divisor, shape[axis] / divisor, ...shape.slice(axis + 1)]);
    }
    case "repeat": {
      const times = 2 + (q % 3);
      if (size * times > MOST_ELEMENTS || ndim >= 6) return x;
      const at = p % (ndim + 1);
      return np.broadcastTo(x.reshape(shape.toSpliced(at, 0, 1)), shape.toSpliced(at, 0, times));
    }
    case "sum":
      return ndim === 0 ? x : x.sum(axis, { keepdims: q % 2 === 0 }).mul(0.5);
    case "max":
      return ndim === 0 ? x : x.max(axis, { keepdims: q % 2 === 0 });
    case "add":
    case "mul": {
      // An operand that has some of the axes, the others of length 1.
      const own = shape.map((length, i) => ((q >> i) & 1 ? length : 1));
      const count = own.reduce((total, length) => total * length, 1);
      if (count > 64) return x;
      const operand = other.ref.slice([0, count]).reshape(own);
      return operation === "add" ? operand.add(x) : x.mul(operand);
    }
    case "flip":
      return ndim === 0 ? x : np.flip(x, axis);
    case "cut": {
      if (ndim === 0 || shape[axis] < 2) return x;
      return x.slice(
        ...shape.map((length, i): [number, number] =>
          i === axis ? [q % 2, length - 1 + (q % 2)] : [0, length],
        ),
      );
    }
    case "grow":
      if (ndim === 0 || size * 2 > MOST_ELEMENTS) return x;
      return np.pad(
        x,
        shape.map((_, i): [number, number] => (i === axis ? [q % 2, 1] : [0, 0])),
      );
    case "product": {
      // The last axis against a matrix whose columns vary along it.
      if (ndim === 0 || shape[ndim - 1] * 2 > 64) return x;
      const inner = shape[ndim - 1];
      return np
        .matmul(x.reshape([size / inner, inner]), other.ref.slice([0, inner * 2]).reshape([inner, 2]))
        .reshape([...shape.slice(0, -1), 2]);
    }
    default:
      throw new Error(operation);
  }
}

const link = fc.record({ operation: fc.constantFrom(...OPERATIONS), p: fc.nat(719), q: fc.nat(63) });

describe("lazy broadcasts, transposes and reshapes", () => {
  it("agree with jax-js in chains of any order", async () => {
    const input = floats([2, 3, 4], 1, -1, 1);
    const other = floats([64], 2, -1, 1);
    await fc.assert(
      fc.asyncProperty(fc.array(link, { minLength: 3, maxLength: 9 }), async (links) => {
        const chain = (x: np.Array, y: np.Array) => {
          const result = links.reduce((value, next) => apply(value, y, next), x);
          y.dispose();
          return result;
        };
        await expectSame(chain, [input, other], { rtol: 1e-4, atol: 1e-5 });
      }),
      { numRuns: 120, seed: 7 },
    );
  });

  it("agree with jax-js where two chains meet", async () => {
    const input = floats([2, 3, 4], 1, -1, 1);
    const other = floats([64], 2, -1, 1);
    await fc.assert(
      fc.asyncProperty(
        fc.array(link, { maxLength: 5 }),
        fc.array(link, { maxLength: 5 }),
        async (left, right) => {
          const both = (x: np.Array, y: np.Array) => {
            const [p, q] = [left, right].map((links) =>
              links.reduce((value, next) => apply(value, y, next), x.ref),
            );
            x.dispose();
            y.dispose();
            const outer = np.matmul(p.ref.reshape([p.size, 1]), q.ref.reshape([1, q.size]));
            const joined = np.concatenate([p.reshape([-1]), q.reshape([-1])]);
            return [outer.ref.sum(0), outer.transpose(), joined];
          };
          const whole = (x: np.Array, y: np.Array) => {
            const [first, second, third] = both(x, y);
            return [first, second.ref, third, second.max(1)];
          };
          await expectSame(whole, [input, other], { rtol: 1e-4, atol: 1e-5 });
        },
      ),
      { numRuns: 60, seed: 11 },
    );
  });
});
