import { init, grad, jit, lax, nn, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import { Random } from "../../src/sequence/random.ts";
import { expectSame, floats, integers, type ArrayFunction, type Input } from "./both.ts";

beforeAll(async () => {
  await init("wasm");
});

/** Names a case and says what it computes of which inputs. */
type Case = [name: string, fn: ArrayFunction, inputs: Input[]];

function agree(title: string, cases: Case[]): void {
  describe(title, () => {
    it.each(cases)("%s", async (_, fn, inputs) => {
      await expectSame(fn, inputs);
    });
  });
}

const a = floats([2, 3, 4], 1);
const b = floats([3, 1], 2);
const c = floats([4], 3);
const positive = floats([3, 5], 4, 0.1, 3);
const small = floats([3, 5], 5, -0.9, 0.9);
const ints = integers([3, 4], -9, 10);
const divisors = integers([4], 1, 5, 2);

agree("elementwise", [
  ["add, unequal ranks", (x, y) => x.add(y), [a, c]],
  ["add, both sides broadcast", (x, y) => x.add(y), [b, c]],
  ["add, scalar", (x, y) => x.add(y), [a, floats([])]],
  ["mul, unequal ranks", (x, y) => x.mul(y), [c, a]],
  ["sub", (x, y) => x.sub(y), [b, a]],
  ["div", (x, y) => x.div(y), [positive, positive]],
  ["min", (x, y) => np.minimum(x, y), [a, b]],
  ["max", (x, y) => np.maximum(x, y), [a, b]],
  ["max with a literal", (x) => np.maximum(x, 0), [a]],
  ["neg", (x) => x.neg(), [a]],
  ["reciprocal", (x) => np.reciprocal(x), [positive]],
  ["floor", (x) => np.floor(x), [a]],
  ["ceil", (x) => np.ceil(x), [a]],
  ["sin", (x) => np.sin(x), [a]],
  ["cos", (x) => np.cos(x), [a]],
  ["asin", (x) => np.asin(x), [small]],
  ["atan", (x) => np.atan(x), [a]],
  ["exp", (x) => np.exp(x), [a]],
  ["log", (x) => np.log(x), [positive]],
  ["sqrt", (x) => np.sqrt(x), [positive]],
  ["erf", (x) => lax.erf(x), [a]],
  ["erfc", (x) => lax.erfc(x), [a]],
  ["tanh", (x) => np.tanh(x), [a]],
  ["log1p", (x) => np.log1p(x), [positive]],
  ["stop_gradient", (x) => lax.stopGradient(x), [a]],
  ["sigmoid", (x) => nn.sigmoid(x), [a]],
  ["softmax", (x) => nn.softmax(x), [a]],
  ["a weak literal takes the type of integers", (x) => x.mul(3).add(1), [ints]],
  ["a weak fraction is cut off by integers", (x) => x.add(2.7), [ints]],
  ["integers become floats beside floats", (x, y) => x.add(y), [ints, c]],
  ["integers and floats in min, max", (x, y) => [np.minimum(x.ref, y.ref), np.maximum(x, y)], [ints, c]],
  ["idiv truncates towards zero", (x, y) => x.div(y), [ints, divisors]],
  ["idiv by negatives", (x, y) => x.div(y.neg()), [ints, divisors]],
  ["mod has the sign of the numerator", (x, y) => x.mod(y), [ints, divisors]],
  ["mod by negatives", (x, y) => x.mod(y.neg()), [ints, divisors]],
  ["mod by a literal", (x) => x.mod(4), [ints]],
  ["mod of floats", (x, y) => x.mod(y), [a, floats([4], 7, 0.3, 1)]],
  ["floor_divide of floats", (x, y) => np.floorDivide(x, y), [a, floats([4], 7, 0.3, 1)]],
  ["integers: neg, min, max", (x, y) => [np.minimum(x.ref.neg(), y.ref), np.maximum(x, y)], [ints, divisors]],
]);

const few = integers([3, 4], 0, 3);
const others = integers([4], 0, 3, 9);

agree("comparison and choice", [
  ["less", (x, y) => x.less(y), [few, others]],
  ["less_equal", (x, y) => x.lessEqual(y), [few, others]],
  ["greater", (x, y) => x.greater(y), [few, others]],
  ["greater_equal", (x, y) => x.greaterEqual(y), [few, others]],
  ["equal", (x, y) => x.equal(y), [few, others]],
  ["not_equal", (x, y) => x.notEqual(y), [few, others]],
  ["floats with a literal", (x) => x.less(0.5), [a]],
  ["integers with floats", (x, y) => x.less(y), [ints, c]],
  ["integers with a fraction", (x) => x.less(0.5), [ints]],
  ["NaN is no number", (x) => np.isnan(np.sqrt(x)), [a]],
  ["where", (x, y) => np.where(x.ref.less(y.ref), x, y), [a, b]],
  ["where, scalar branches", (x) => np.where(x.less(0), 1, 2), [a]],
  ["where, one branch a literal", (x) => np.where(x.ref.less(0), 0, x), [a]],
  ["where, integers", (x, y) => np.where(x.ref.less(y.ref), x, y), [few, others]],
  ["where, integers with floats", (x, y) => np.where(x.ref.less(1), x, y), [few, c]],
  ["where, truth values", (x) => np.where(x.ref.less(1), x.ref.equal(0), x.equal(2)), [few]],
  [
    "where, condition broadcast",
    (x, y, z) => np.where(x.less(0), y, z),
    [floats([3, 1]), c, floats([2, 1, 1])],
  ],
  [
    "and, or, xor of truth values",
    (x) => {
      const [p, q] = [x.ref.less(2), x.greater(0)];
      return [np.logicalAnd(p.ref, q.ref), np.logicalOr(p.ref, q.ref), np.logicalXor(p, q)];
    },
    [few],
  ],
  [
    "bitwise and, or, xor",
    (x, y) => [np.bitwiseAnd(x.ref, y.ref), np.bitwiseOr(x.ref, y.ref), np.bitwiseXor(x, y)],
    [ints, others],
  ],
  [
    "truth values: add, mul, min, max",
    (x) => {
      const [p, q] = [x.ref.less(2), x.greater(0)];
      return [p.ref.add(q.ref), p.ref.mul(q.ref), np.minimum(p.ref, q.ref), np.maximum(p, q)];
    },
    [few],
  ],
  ["all, any", (x) => [x.ref.less(2).all(1), x.equal(0).any(0)], [few]],
]);

agree("cast", [
  ["float to int cuts off", (x) => x.astype(np.int32), [a]],
  ["int to float", (x) => x.astype(np.float32), [ints]],
  ["float to bool", (x) => np.floor(x).astype(np.bool), [a]],
  ["int to bool", (x) => x.astype(np.bool), [few]],
  ["bool to float", (x) => x.less(0).astype(np.float32), [a]],
  ["bool to int", (x) => x.less(0).astype(np.int32), [a]],
  ["int to uint", (x) => x.astype(np.uint32), [few]],
  [
    "to double and back",
    (x) =>
      x
        .astype(np.float64)
        .mul(1 / 3)
        .astype(np.float32),
    [a],
  ],
]);

const reductions: [string, (x: np.Array, axis: number | number[] | null) => np.Array][] = [
  ["sum", (x, axis) => x.sum(axis)],
  ["prod", (x, axis) => x.prod(axis)],
  ["min", (x, axis) => x.min(axis)],
  ["max", (x, axis) => x.max(axis)],
];

describe.each(reductions)("reduce: %s", (name, reduce) => {
  it.each<[string, (x: np.Array) => np.Array, number | number[] | null]>([
    ["one axis", (x) => x, 1],
    ["several axes", (x) => x, [0, 2]],
    ["all axes", (x) => x, null],
    ["a repeated axis", (x) => np.broadcastTo(x.reshape([2, 3, 4, 1]), [2, 3, 4, 3]), 3],
    ["repeated and stored axes", (x) => np.broadcastTo(x.reshape([2, 1, 3, 4]), [2, 2, 3, 4]), [1, 3]],
    ["transposed axes", (x) => x.transpose([2, 0, 1]), [0, 1]],
    ["an axis of length 1", (x) => x.reshape([2, 1, 12]), 1],
  ])("over %s", async (_name, prepare, axis) => {
    await expectSame((x) => reduce(prepare(x), axis), [a]);
  });

  it("of integers", async () => {
    await expectSame(
      (x) => [reduce(x.ref, 0), reduce(np.broadcastTo(x, [2, 3, 4]), [0, 2])],
      [integers([3, 4], -3, 4)],
    );
  });

  // jax-js's own sum of truth values counts them, and calls the count a truth value.
  it.skipIf(name === "sum")("of truth values", async () => {
    await expectSame((x) => reduce(x.less(0), 1), [a]);
  });
});

agree("sums of neighbours", [
  ["a few", (x) => x.sum(-1), [floats([3, 4, 2])]],
  ["more than one matrix holds", (x) => x.sum(-1), [floats([3, 80, 2])]],
  ["a prime number", (x) => x.sum(-1), [floats([3, 41, 2])]],
  ["one pair", (x) => x.sum(-1), [floats([2])]],
  ["transposed", (x) => x.transpose([1, 2, 0]).sum(1), [floats([3, 4, 2])]],
  ["integers", (x) => x.sum(-1), [integers([3, 4, 2], 0, 9)]],
]);

agree("mean, variance, argmax, cumulative sum", [
  ["mean over a transposed axis", (x) => x.transpose([1, 0, 2]).mean([0, 2], { keepdims: true }), [a]],
  ["variance", (x) => np.var_(x, 1), [a]],
  ["argmax, argmin", (x) => [np.argmax(x.ref, 1), np.argmin(x, 2)], [a]],
  ["cumulative sum", (x) => np.cumsum(x, 1), [a]],
]);

const image = floats([2, 3, 9], 3);

agree("dot", [
  ["vector · vector", (x, y) => np.dot(x, y), [c, floats([4], 8)]],
  ["matrix · vector", (x, y) => np.dot(x, y), [a, c]],
  ["vector · matrix", (x, y) => np.matmul(x, y), [c, floats([4, 5])]],
  ["matrix · matrix", (x, y) => np.matmul(x, y), [floats([3, 4]), floats([4, 5])]],
  ["batch of matrices · matrix", (x, y) => np.matmul(x, y), [a, floats([4, 5])]],
  ["matrix · batch of matrices", (x, y) => np.matmul(x, y), [floats([5, 3]), a]],
  ["batch · batch", (x, y) => np.matmul(x, y), [a, floats([2, 4, 5])]],
  ["batches of unequal rank", (x, y) => np.matmul(x, y), [floats([3, 1, 2, 4]), floats([2, 4, 5])]],
  [
    "batch axes that are not stored together",
    (x, y) =>
      lax.dot(x, y, {
        lhsContractingDims: [1],
        rhsContractingDims: [1],
        lhsBatchDims: [0, 2],
        rhsBatchDims: [2, 0],
      }),
    [floats([2, 3, 4, 2]), floats([4, 3, 2, 5])],
  ],
  ["outer product", (x, y) => np.outer(x, y), [c, floats([5])]],
  ["transposed left", (x, y) => np.matmul(x.transpose(), y), [floats([4, 3]), floats([4, 5])]],
  ["transposed right", (x, y) => np.matmul(x, y.transpose()), [floats([3, 4]), floats([5, 4])]],
  ["both transposed", (x, y) => np.matmul(x.transpose(), y.transpose()), [floats([4, 3]), floats([5, 4])]],
  ["transposed batches", (x, y) => np.matmul(x.transpose([1, 0, 2]), y), [a, floats([3, 4, 2])]],
  [
    "contracted axis in the middle",
    (x, y) => lax.dot(x, y, { lhsContractingDims: [1], rhsContractingDims: [1] }),
    [image, floats([5, 3])],
  ],
  [
    "two contracted axes",
    (x, y) => lax.dot(x, y, { lhsContractingDims: [1, 2], rhsContractingDims: [1, 2] }),
    [image, floats([4, 3, 9])],
  ],
  [
    "a repeated operand on the contracted axis",
    (x, y) => np.matmul(np.broadcastTo(x, [3, 4]), y),
    [floats([3, 1]), floats([4, 5])],
  ],
  [
    "both repeated on the contracted axis",
    (x, y) => np.matmul(np.broadcastTo(x, [3, 4]), np.broadcastTo(y, [4, 5])),
    [floats([3, 1]), floats([1, 5])],
  ],
  ["repeated rows", (x, y) => np.matmul(np.broadcastTo(x, [3, 4]), y), [floats([1, 4]), floats([4, 5])]],
  ["contracted axis of length 1", (x, y) => np.matmul(x, y), [floats([3, 1]), floats([1, 5])]],
  ["integers", (x, y) => np.matmul(x, y), [ints, integers([4, 2], -3, 4)]],
  ["integers with floats", (x, y) => np.matmul(x, y), [ints, floats([4, 2])]],
]);

const kernel = floats([4, 3, 3], 6);
/** A convolution, and the gradients of a function of it with respect to both operands. */
const conv =
  (
    strides: number[],
    padding: [number, number][],
    options: Parameters<typeof lax.convGeneralDilated>[4] = {},
  ) =>
  (x: np.Array, w: np.Array) => {
    const apply = (p: np.Array, q: np.Array) => lax.convGeneralDilated(p, q, strides, padding, options);
    const loss = (p: np.Array, q: np.Array) => np.sin(apply(p, q)).sum();
    return [apply(x.ref, w.ref), ...(grad(loss, { argnums: [0, 1] })(x, w) as unknown as np.Array[])];
  };

agree("conv, with the gradients of input and weights", [
  ["valid", conv([1], [[0, 0]]), [image, kernel]],
  ["same", conv([1], [[1, 1]]), [image, kernel]],
  ["stride 2", conv([2], [[1, 1]]), [image, kernel]],
  ["stride 2 that leaves a rest", conv([2], [[0, 0]]), [floats([2, 3, 10]), kernel]],
  ["asymmetric padding", conv([1], [[2, 0]]), [image, kernel]],
  ["negative padding", conv([1], [[-1, 1]]), [image, kernel]],
  ["more padding than kernel", conv([1], [[4, 3]]), [image, kernel]],
  ["dilated kernel", conv([1], [[2, 2]], { rhsDilation: [2] }), [image, kernel]],
  ["dilated kernel, stride 2", conv([2], [[2, 2]], { rhsDilation: [2] }), [image, kernel]],
  ["dilated input", conv([1], [[1, 2]], { lhsDilation: [2] }), [image, kernel]],
  ["dilated input, stride 3", conv([3], [[1, 2]], { lhsDilation: [2] }), [image, kernel]],
  ["kernel as long as the input", conv([1], [[0, 0]]), [image, floats([4, 3, 9])]],
  ["kernel of width 1", conv([1], [[0, 0]]), [image, floats([4, 3, 1])]],
  ["one channel", conv([1], [[1, 1]]), [floats([2, 1, 9]), floats([1, 1, 3])]],
  ["groups", conv([1], [[1, 1]], { featureGroupCount: 2 }), [floats([2, 4, 9]), floats([6, 2, 3])]],
  ["groups, stride 2", conv([2], [[1, 1]], { featureGroupCount: 2 }), [floats([2, 4, 9]), floats([6, 2, 3])]],
  [
    "groups, negative padding",
    conv([1], [[-1, 2]], { featureGroupCount: 2 }),
    [floats([2, 4, 9]), floats([6, 2, 3])],
  ],
  ["as many groups as channels", conv([1], [[1, 1]], { featureGroupCount: 3 }), [image, floats([3, 1, 3])]],
  [
    "two dimensions",
    conv(
      [1, 2],
      [
        [1, 1],
        [0, 1],
      ],
    ),
    [floats([2, 3, 5, 6]), floats([4, 3, 3, 2])],
  ],
  [
    "transposed input",
    (x, w) => lax.convGeneralDilated(x.transpose([0, 2, 1]), w, [1], [[1, 1]]),
    [floats([2, 9, 3]), kernel],
  ],
]);

agree("cut and join", [
  [
    "pad",
    (x) =>
      np.pad(x, [
        [0, 0],
        [1, 2],
        [0, 3],
      ]),
    [a],
  ],
  [
    "pad, transposed",
    (x) =>
      np.pad(x.transpose([2, 0, 1]), [
        [1, 0],
        [0, 0],
        [0, 2],
      ]),
    [a],
  ],
  [
    "pad, repeated axis",
    (x) =>
      np.pad(np.broadcastTo(x, [3, 4]), [
        [1, 1],
        [1, 0],
      ]),
    [c],
  ],
  [
    "pad, integers and truth values",
    (x) => [
      np.pad(x.ref, [
        [1, 0],
        [0, 1],
      ]),
      np.pad(x.less(0), [
        [1, 0],
        [0, 1],
      ]),
    ],
    [ints],
  ],
  ["shrink", (x) => x.slice([], [1, 3], [0, 2]), [a]],
  ["shrink, transposed", (x) => x.transpose([2, 0, 1]).slice([1, 3], 1, [0, 2]), [a]],
  ["shrink, repeated axis", (x) => np.broadcastTo(x, [5, 4]).slice([1, 3], [1, 4]), [c]],
  ["split", (x) => np.split(x, [1, 3], 2), [a]],
  ["split, transposed", (x) => np.split(x.transpose([2, 0, 1]), [1, 3], 0), [a]],
  ["split, repeated axis", (x) => np.split(np.broadcastTo(x, [5, 4]), [2], 0), [c]],
  ["concatenate", (x, y) => np.concatenate([x, y], 1), [a, floats([2, 2, 4])]],
  [
    "concatenate, transposed and repeated",
    (x, y) => np.concatenate([x.transpose([1, 0, 2]), np.broadcastTo(y, [3, 2, 4])], 0),
    [a, c],
  ],
  ["concatenate, integers with floats", (x, y) => np.concatenate([x, y], 0), [ints, floats([2, 4])]],
  ["stack", (x, y) => np.stack([x, y], 1), [c, floats([4], 8)]],
  ["flip", (x) => np.flip(x, [0, 2]), [a]],
  ["flip, transposed", (x) => np.flip(x.transpose([2, 0, 1]), [0]), [a]],
  ["flip, repeated axis", (x) => np.flip(np.broadcastTo(x, [5, 4]), [0, 1]), [c]],
  ["roll, tile, repeat", (x) => [np.tile(x.ref, [2, 1]), np.repeat(x, 2, 0)], [floats([2, 3])]],
  [
    "triangles, diagonal, eye",
    (x) => [np.triu(x.ref), np.tril(x.ref, -1), x.ref.diagonal(), x.add(np.eye(4))],
    [floats([4, 4])],
  ],
]);

/** `take` along an axis, and the gradient with respect to the table: a scatter. */
const take = (axis: number) => (x: np.Array, i: np.Array) => {
  const loss = (table: np.Array, at: np.Array) => np.sin(np.take(table, at, axis)).sum();
  return [np.take(x.ref, i.ref, axis), grad(loss)(x, i)];
};

agree("gather and scatter", [
  ["axis 0, one index", take(0), [a, integers([], 0, 2)]],
  ["axis 0, vector of indices", take(0), [a, integers([5], 0, 2)]],
  ["axis 0, matrix of indices", take(0), [a, integers([3, 2], 0, 2)]],
  ["axis 1, vector of indices", take(1), [a, integers([5], 0, 3)]],
  ["axis 1, matrix of indices", take(1), [a, integers([3, 2], 0, 3)]],
  ["axis 2, one index", take(2), [a, integers([], 0, 4)]],
  ["axis 2, matrix of indices", take(2), [a, integers([2, 3], 0, 4)]],
  ["transposed table", (x, i) => take(1)(x.transpose([2, 0, 1]), i), [a, integers([5], 0, 2)]],
  ["repeated indices", (x, i) => np.take(x, np.broadcastTo(i, [2, 3]), 1), [a, integers([3], 0, 3)]],
  ["unsigned indices", (x, i) => np.take(x, i.astype(np.uint32), 1), [a, integers([3], 0, 3)]],
  ["integers", (x, i) => np.take(x, i, 0), [ints, integers([5], 0, 3)]],
  [
    "two index arrays side by side",
    (x, i, j) => x.slice([], i, j),
    [a, integers([5], 0, 3), integers([5], 0, 4)],
  ],
  [
    "two index arrays that broadcast",
    (x, i, j) => x.slice(i, j),
    [a, integers([2, 1], 0, 2), integers([3], 0, 3)],
  ],
  ["two index arrays apart", (x, i, j) => x.slice(i, [], j), [a, integers([5], 0, 2), integers([5], 0, 4)]],
  [
    "gradient of two index arrays",
    (x, i, j) => grad((t: np.Array, p: np.Array, q: np.Array) => np.sin(t.slice(p, [], q)).sum())(x, i, j),
    [a, integers([5], 0, 2), integers([5], 0, 4)],
  ],
  ["take along an axis", (x, i) => np.takeAlongAxis(x, i, 1), [floats([3, 4]), integers([3, 2], 0, 4)]],
  ["one-hot", (i) => nn.oneHot(i, 5), [few]],
]);

agree("sort and windows", [
  ["sort", (x) => np.sort(x), [a]],
  ["sort, another axis", (x) => np.sort(x, 0), [a]],
  ["argsort keeps the order of equals", (x) => np.argsort(x), [integers([3, 8], 0, 3)]],
  ["gradient of sort", (x) => grad((y: np.Array) => np.sort(y).mul(np.arange(4)).sum())(x), [a]],
  ["windows side by side", (x) => lax.reduceWindow(x, np.max, [3], [3]), [floats([2, 9])]],
  ["windows that overlap", (x) => lax.reduceWindow(x, np.max, [3], [2]), [floats([2, 9])]],
  ["windows in two dimensions", (x) => lax.reduceWindow(x, np.mean, [2, 3], [2, 1]), [floats([2, 4, 6])]],
  [
    "gradient of windows",
    (x) => grad((y: np.Array) => np.sin(lax.reduceWindow(y, np.sum, [2, 3], [2, 1])).sum())(x),
    [floats([4, 6])],
  ],
]);

agree("traces", [
  ["an input as it is", (x) => x, [a]],
  ["the same output twice", (x) => [x.ref.add(1), x.add(1)], [a]],
  ["an output that is a number", (x) => [x.sum(), np.array(3)], [a]],
  ["an output that is repeated", (x) => np.broadcastTo(x, [3, 4]), [c]],
  ["captured constants", (x) => x.add(np.array([[1, 2, 3, 4]])).mul(np.arange(3).reshape([3, 1])), [a]],
  ["captured constants, all equal", (x) => x.add(np.full([3, 4], 2)).mul(np.ones([2, 1, 1])), [a]],
  ["captured truth values", (x) => np.where(np.array([true, false, true, true]), x, 0), [a]],
  [
    "nested jit",
    (x, y) =>
      jit((p: np.Array, q: np.Array) => jit((r: np.Array) => r.mul(2).add(np.array([1, 2, 3, 4])))(p).add(q))(
        x,
        y,
      ),
    [a, c],
  ],
  [
    "jit with a literal and integers",
    (x) => jit((p: np.Array, q: np.Array) => p.mul(q))(np.array(1.5), x),
    [ints],
  ],
  [
    "gradient through jit",
    (x) => grad((y: np.Array) => jit((p: np.Array) => np.sin(p.ref).mul(p))(y).sum())(x),
    [a],
  ],
]);

agree("gradients that need care", [
  [
    "max over an axis shares among equals",
    (x) => grad((y: np.Array) => np.sin(y.max(1)).sum())(x),
    [floats([3, 4])],
  ],
  [
    "max over pairs, with equals",
    (x) => grad((y: np.Array) => y.max(-1).mul(np.arange(6)).sum())(x.astype(np.float32)),
    [integers([6, 2], 0, 2)],
  ],
  ["prod", (x) => grad((y: np.Array) => y.prod(0).sum())(x), [positive]],
  ["maximum with a number", (x) => grad((y: np.Array) => np.square(np.maximum(y, 0)).sum())(x), [a]],
  ["absolute value", (x) => grad((y: np.Array) => np.abs(y.ref).mul(y).sum())(x), [a]],
  [
    "matrix product",
    (x, y) => grad((p: np.Array, q: np.Array) => np.sin(np.matmul(p, q)).sum(), { argnums: [0, 1] })(x, y),
    [a, floats([2, 4, 3])],
  ],
  ["log-sum-exp", (x) => grad((y: np.Array) => nn.logsumexp(y, 1).sum())(x), [a]],
]);

describe("what has no rule", () => {
  const square = { shape: [3, 3], type: "float32" as const };

  it.each<[string, (x: np.Array) => unknown]>([
    ["cholesky", (x) => np.linalg.cholesky(x)],
    ["triangular_solve", (x) => lax.linalg.triangularSolve(x.ref, x, { leftSide: true })],
    ["lu", (x) => lax.linalg.lu(x)],
    ["bitcast", (x) => lax.bitcastConvertType(x, np.int32)],
    ["bit_shift", (x) => np.leftShift(x.ref.astype(np.int32), x.astype(np.int32))],
  ])("%s is named when it is traced", (name, fn) => {
    expect(() => lower(fn as (...args: never[]) => unknown, { x: square })).toThrow(
      `lowering: primitive "${name}" is not supported`,
    );
  });

  it("names an element type it lacks", () => {
    const half = (x: np.Array) => x.astype(np.float16).add(1);
    expect(() => lower(half as (...args: never[]) => unknown, { x: square })).toThrow(
      "lowering: element type float16 is not supported",
    );
  });
});

it("a scatter with many hits on one place loses none of them, on any number of threads", async () => {
  const [places, count, width] = [50, 9728, 32];
  const random = new Random(3);
  const codes = Int32Array.from({ length: count }, () => random.integer(places));
  const updates = Float32Array.from({ length: count * width }, () => random.integer(8));
  const expected = new Float32Array(places * width);
  codes.forEach((code, i) => {
    for (let k = 0; k < width; k++) expected[code * width + k] += updates[i * width + k];
  });
  const gradient = (table: np.Array, index: np.Array, weight: np.Array) =>
    grad((x: np.Array) => np.take(x, index, 0).mul(weight).sum())(table);
  const { bytes } = lower(gradient, {
    table: { shape: [places, width], type: "float32" },
    index: { shape: [count], type: "int32" },
    weight: { shape: [count, width], type: "float32" },
  });
  for (const threads of [1, 2, 4]) {
    const program = await Program.create(bytes, { threads });
    for (let run = 0; run < 20; run++) {
      const { output } = await program.run({
        table: new Tensor("float32", new Float32Array(places * width), [places, width]),
        index: new Tensor("int32", codes, [count]),
        weight: new Tensor("float32", updates, [count, width]),
      });
      expect(output.data).toEqual(expected);
    }
    await program.close();
  }
});
