/**
 * @file Lowering of `reduce`: only stored axes are reduced; a repeated axis is a multiplication or a power.
 */

import type { OnnxGraph } from "./onnx.ts";
import { cast, elementwise, isReal, product, reshapeTensor, uniform, type Lazy } from "./value.ts";

/** Reductions of jax-js by name, and the ONNX operator of each. */
const OPERATORS: Record<string, string> = {
  Add: "ReduceSum",
  Mul: "ReduceProd",
  Min: "ReduceMin",
  Max: "ReduceMax",
};

/** The reduction of truth values (0, 1) that does what jax-js's does: a sum is "or", a product is "and". */
const OF_TRUTH: Record<string, string> = { Add: "Max", Mul: "Min", Min: "Min", Max: "Max" };

/**
 * Reduces the tensor's axes `gone`. Where innermost axes go together with others that are not next to them (a
 * sum over batch and length, say), they go first, on their own: ONNX Runtime is up to four times as fast at it.
 */
function reduceAxes(
  graph: OnnxGraph,
  operator: string,
  { tensor, base }: Lazy,
  gone: readonly number[],
): string {
  const inner = gone.filter((axis) => base.every((_, other) => other < axis || gone.includes(other)));
  const steps = inner.length < gone.length ? [inner, gone.slice(0, gone.length - inner.length)] : [gone];
  return steps
    .filter((axes) => axes.length > 0)
    .reduce((value, axes) => graph.node(operator, [value, graph.integers(axes)], { keepdims: 0 }), tensor);
}

/** Whether it is a sum over the innermost stored axis, of length 2, as pooling has it. */
function isPairSum({ base, type }: Lazy, op: string, gone: readonly number[]): boolean {
  const last = base.length - 1;
  return (
    op === "Add" &&
    type === "float32" &&
    last > 0 &&
    gone.length === 1 &&
    gone[0] === last &&
    base[last] === 2
  );
}

/** The most neighbours that one matrix sums pairwise; beyond that its zeros cost more than they save. */
const MOST_PAIRS = 40;

/**
 * Sums of neighbours, as products with a small matrix of zeros and ones: a sum over an innermost axis of
 * length 2 takes ONNX Runtime more than twice as long.
 */
function pairSums(graph: OnnxGraph, { tensor, base }: Lazy): string {
  const outer = base.slice(0, -2);
  const count = base[base.length - 2];
  const pairs = Array.from({ length: MOST_PAIRS }, (_, i) => MOST_PAIRS - i).find(
    (size) => count % size === 0,
  )!;
  const data = Float32Array.from({ length: 2 * pairs * pairs }, (_, at) =>
    Number(Math.floor(at / pairs / 2) === at % pairs),
  );
  const matrix = graph.constant({ type: "float32", shape: [2 * pairs, pairs], data });
  const rows = reshapeTensor(graph, tensor, base, [...outer, count / pairs, 2 * pairs]);
  const sums = graph.node("MatMul", [rows, matrix]);
  return reshapeTensor(graph, sums, [...outer, count / pairs, pairs], [...outer, count]);
}

/** Reduces the logical axes `axes` by jax-js's operation `op`. */
export function reduce(graph: OnnxGraph, value: Lazy, op: string, axes: readonly number[]): Lazy {
  if (value.type === "bool") {
    return cast(graph, reduce(graph, cast(graph, value, "int32"), OF_TRUTH[op], axes), "bool");
  }
  const operator = OPERATORS[op];
  if (operator === undefined) throw new Error(`lowering: reduction ${op} is not supported`);
  graph.requireClosed(
    axes.map((axis) => value.shape[axis]),
    "reduced",
  );
  const real = axes.filter((axis) => isReal(value, axis));
  const repeats = product(axes.filter((axis) => !isReal(value, axis)).map((axis) => value.shape[axis]));
  const kept = value.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
  const shape = kept.map((axis) => value.shape[axis]);
  let reduced: Lazy;
  if (real.length === 0) {
    reduced = { ...value, shape, axes: kept.map((axis) => value.axes[axis]) };
  } else {
    const gone = real.map((axis) => value.axes[axis]).sort((a, b) => a - b);
    const tensor = isPairSum(value, op, gone)
      ? pairSums(graph, value)
      : reduceAxes(graph, operator, value, gone);
    const base = value.base.filter((_, axis) => !gone.includes(axis));
    const moved = (axis: number) => axis - gone.filter((other) => other < axis).length;
    // An axis that is no longer stored (length 1) counts as repeated.
    const position = (axis: number) => (isReal(value, axis) ? moved(value.axes[axis]) : -1);
    reduced = { tensor, type: value.type, base, shape, axes: kept.map(position) };
  }
  if (repeats === 1 || op === "Min" || op === "Max") return reduced;
  return elementwise(graph, op === "Mul" ? "Pow" : "Mul", [reduced, uniform(graph, reduced.type, repeats)]);
}
