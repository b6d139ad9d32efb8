/**
 * @file Lowering of `dot` (Σ x·y over the last axis, all other axes batch) to a matrix product.
 *
 * jax-js has one contraction: it multiplies elementwise, with broadcasting, and sums the last axis. Which
 * matrix product that is follows from which axes each operand really stores: both, a batch axis; only x, a
 * row axis; only y, a column axis. No operand is ever expanded.
 */

import type { OnnxGraph } from "./onnx.ts";
import {
  arrange,
  broadcastShape,
  elementwise,
  isReal,
  product,
  reshapeTensor,
  storedSize,
  withRank,
  type Lazy,
} from "./value.ts";
import { reduce } from "./lower-reduce.ts";

/** Order of `axes` as the value stores them, so that no transpose is needed where it can be helped. */
function byStorage(value: Lazy, axes: readonly number[]): number[] {
  return axes.toSorted((a, b) => value.axes[a] - value.axes[b]);
}

/** Whether the stored order of the value's real axes is that of `order`. */
function isStoredAs(value: Lazy, order: readonly number[]): boolean {
  const positions = order.filter((axis) => isReal(value, axis)).map((axis) => value.axes[axis]);
  return positions.every((axis, i) => i === 0 || axis > positions[i - 1]);
}

/** Σ over the last axis of x·y, whose shapes broadcast. */
export function lowerDot(graph: OnnxGraph, left: Lazy, right: Lazy): Lazy {
  const shape = broadcastShape([left, right]);
  const [x, y] = [left, right].map((value) => withRank(value, shape.length));
  const last = shape.length - 1;
  graph.requireClosed([shape[last]], "summed over");
  const axes = shape.map((_, axis) => axis).slice(0, last);
  const batch = axes.filter((axis) => isReal(x, axis) && isReal(y, axis));
  const rows = axes.filter((axis) => isReal(x, axis) && !isReal(y, axis));
  const columns = axes.filter((axis) => !isReal(x, axis) && isReal(y, axis));
  if (!isReal(x, last) || !isReal(y, last)) {
    // At most one operand varies along the last axis: sum it first, then multiply.
    const summed = (value: Lazy) =>
      reduce(graph, { ...value, shape: [...value.shape.slice(0, last), shape[last]] }, "Add", [last]);
    const dropped = (value: Lazy) => ({
      ...value,
      shape: value.shape.slice(0, last),
      axes: value.axes.slice(0, last),
    });
    return elementwise(graph, "Mul", isReal(y, last) ? [dropped(x), summed(y)] : [summed(x), dropped(y)]);
  }
  if (rows.length === 0 && columns.length === 0) {
    return reduce(graph, elementwise(graph, "Mul", [x, y]), "Add", [last]);
  }

  const batchOrder = byStorage(x, batch);
  const rowOrder = byStorage(x, rows);
  const columnOrder = byStorage(y, columns);
  const order = [...batchOrder, ...rowOrder, ...columnOrder];
  const sizes = (value: Lazy, of: readonly number[]) => of.map((axis) => storedSize(value, axis));
  const batches = sizes(x, batchOrder);
  const m = product(sizes(x, rowOrder));
  const n = product(sizes(y, columnOrder));
  const k = shape[last];

  const matrix = (value: Lazy, axesInOrder: readonly number[], to: readonly number[]) =>
    reshapeTensor(graph, arrange(graph, value, axesInOrder), sizes(value, axesInOrder), to);

  let tensor: string;
  if (batch.length === 0 && x.type.startsWith("float")) {
    // Gemm transposes for free, so each operand is taken in whichever order it is stored.
    const transA = !isStoredAs(x, [...rowOrder, last]) && isStoredAs(x, [last, ...rowOrder]);
    const transB = isStoredAs(y, [...columnOrder, last]);
    const a = transA ? matrix(x, [last, ...rowOrder], [k, m]) : matrix(x, [...rowOrder, last], [m, k]);
    const b = transB ? matrix(y, [...columnOrder, last], [n, k]) : matrix(y, [last, ...columnOrder], [k, n]);
    tensor = graph.node("Gemm", [a, b], { transA: Number(transA), transB: Number(transB) });
  } else {
    const a = matrix(x, [...batchOrder, ...rowOrder, last], [...batches, m, k]);
    const b = matrix(y, [...batchOrder, last, ...columnOrder], [...batches, k, n]);
    tensor = graph.node("MatMul", [a, b]);
  }
  const base = [...batches, ...sizes(x, rowOrder), ...sizes(y, columnOrder)];
  tensor = reshapeTensor(graph, tensor, [...batches, m, n], base);
  return {
    tensor,
    type: x.type,
    base,
    axes: axes.map((axis) => order.indexOf(axis)),
    shape: shape.slice(0, last),
  };
}
