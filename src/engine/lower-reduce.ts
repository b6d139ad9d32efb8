/**
 * @file Lowering of `reduce`: only stored axes are reduced; a repeated axis is a multiplication or a power.
 */

import type { OnnxGraph } from "./onnx.ts";
import { cast, elementwise, isReal, product, uniform, type Lazy } from "./value.ts";

/** Reductions of jax-js by name, and the ONNX operator of each. */
const OPERATORS: Record<string, string> = {
  Add: "ReduceSum",
  Mul: "ReduceProd",
  Min: "ReduceMin",
  Max: "ReduceMax",
};

/** The reduction of truth values (0, 1) that does what jax-js's does: a sum is "or", a product is "and". */
const OF_TRUTH: Record<string, string> = { Add: "Max", Mul: "Min", Min: "Min", Max: "Max" };

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
    const tensor = graph.node(operator, [value.tensor, graph.integers(gone)], { keepdims: 0 });
    const base = value.base.filter((_, axis) => !gone.includes(axis));
    const moved = (axis: number) => axis - gone.filter((other) => other < axis).length;
    // An axis that is no longer stored (length 1) counts as repeated.
    const position = (axis: number) => (isReal(value, axis) ? moved(value.axes[axis]) : -1);
    reduced = { tensor, type: value.type, base, shape, axes: kept.map(position) };
  }
  if (repeats === 1 || op === "Min" || op === "Max") return reduced;
  return elementwise(graph, op === "Mul" ? "Pow" : "Mul", [reduced, uniform(graph, reduced.type, repeats)]);
}
