/**
 * @file Lowering of what looks up by index: gather, scatter, sort and pooling windows.
 *
 * One index array is ONNX's `Gather`. Several, as in `x[i, j]`, are one index into the indexed axes merged.
 * A scatter (the gradient of a gather) adds elements into zeros with `ScatterElements`. Pooling windows are a gather
 * by constant positions, so that their gradient is a scatter.
 */

import { typedData, type ElementType, type OnnxGraph } from "./onnx.ts";
import {
  cast,
  elementwise,
  product,
  reshape,
  reshapeTensor,
  store,
  stored,
  transpose,
  uniform,
  type Lazy,
} from "./value.ts";

function without(count: number, axes: readonly number[]): number[] {
  return Array.from({ length: count }, (_, axis) => axis).filter((axis) => !axes.includes(axis));
}

/** Index arrays of axes of these lengths as one index into the axes merged. */
function mergedIndex(graph: OnnxGraph, indices: readonly Lazy[], lengths: readonly number[]): Lazy {
  // ONNX takes 32-bit or 64-bit signed indices.
  if (indices.length === 1 && indices[0].type === "int32") return indices[0];
  return indices
    .map((index) => cast(graph, index, "int64"))
    .reduce((merged, index, i) => {
      const scaled = elementwise(graph, "Mul", [merged, uniform(graph, "int64", lengths[i])]);
      return elementwise(graph, "Add", [scaled, index]);
    });
}

/** x at `indices` along `axes`; the indices' axes stand at `at` among the axes left over. */
export function gather(
  graph: OnnxGraph,
  x: Lazy,
  indices: readonly Lazy[],
  { axis: axes, outDim: at }: { axis: readonly number[]; outDim: number },
): Lazy {
  const lengths = axes.map((axis) => x.shape[axis]);
  graph.requireClosed(lengths, "indexed");
  const rest = without(x.shape.length, axes);
  let source = x;
  let along = axes[0];
  if (axes.length > 1) {
    const front = transpose(x, [...axes, ...rest]);
    source = reshape(graph, front, [product(lengths), ...rest.map((axis) => x.shape[axis])]);
    along = 0;
  }
  const index = store(graph, mergedIndex(graph, indices, lengths));
  const others = source.shape.toSpliced(along, 1);
  const shape = [...others.slice(0, along), ...index.shape, ...others.slice(along)];
  const tensor = graph.node("Gather", [store(graph, source).tensor, index.tensor], { axis: along });
  // ONNX leaves the index axes where the gathered axis was; they are wanted at `at`.
  const order = others.map((_, i) => (i < along ? i : i + index.shape.length));
  const middle = index.shape.map((_, i) => along + i);
  return transpose(stored(tensor, x.type, shape), [...order.slice(0, at), ...middle, ...order.slice(at)]);
}

export interface ScatterParameters {
  op: "add" | "update";
  shape: readonly number[];
  axis: readonly number[];
  outDim: number;
}

/** Zeros of `shape` into which `updates` are written, or added, at `indices` along `axes`. */
export function scatter(
  graph: OnnxGraph,
  updates: Lazy,
  indices: readonly Lazy[],
  { op, shape, axis: axes, outDim: at }: ScatterParameters,
): Lazy {
  graph.requireClosed(shape, "scattered into");
  const rest = without(shape.length, axes);
  const lengths = axes.map((axis) => shape[axis]);
  const index = store(graph, mergedIndex(graph, indices, lengths));
  // As matrices: a row for each element of a slice, a column for each place that is indexed. `ScatterND` would
  // take whole slices, but its threads add into one place at once and lose updates (ONNX Runtime 1.30).
  const middle = index.shape.map((_, i) => at + i);
  const last = store(graph, transpose(updates, [...without(updates.shape.length, middle), ...middle]));
  const rows = product(rest.map((axis) => shape[axis]));
  const count = product(index.shape);
  const places = product(lengths);
  const zeros = typedData(last.type, rows * places);
  const target = graph.constant({ type: last.type, shape: [rows, places], data: zeros });
  const matrix = reshapeTensor(graph, last.tensor, last.shape, [rows, count]);
  const columns = graph.node("Expand", [
    reshapeTensor(graph, index.tensor, index.shape, [1, count]),
    graph.integers([rows, 1]),
  ]);
  const tensor = graph.node("ScatterElements", [target, columns, matrix], {
    axis: 1,
    reduction: op === "add" ? "add" : "none",
  });
  const order = [...rest, ...axes];
  const full = reshape(
    graph,
    stored(tensor, last.type, [rows, places]),
    order.map((axis) => shape[axis]),
  );
  return transpose(
    full,
    shape.map((_, axis) => order.indexOf(axis)),
  );
}

/** Values in ascending order along the last axis, and their positions (int32). */
export function sort(graph: OnnxGraph, x: Lazy): [Lazy, Lazy] {
  const last = x.shape.length - 1;
  graph.requireClosed([x.shape[last]], "sorted");
  const { tensor, shape, type } = store(graph, x);
  const attributes = { axis: last, largest: 0, sorted: 1 };
  const [values, places] = graph.nodes("TopK", [tensor, graph.integers([shape[last]])], attributes, 2);
  return [stored(values, type, shape), cast(graph, stored(places, "int64", shape), "int32")];
}

interface PoolParameters {
  window: readonly number[];
  strides: readonly number[];
}

/** For each pooled axis (the last ones), positions [outputs, window] along it. */
function windowPositions(
  graph: OnnxGraph,
  sizes: readonly number[],
  { window, strides }: PoolParameters,
): { axis: number; positions: Lazy }[] {
  return window.map((width, i) => {
    const axis = sizes.length - window.length + i;
    const count = Math.floor((sizes[axis] - width) / strides[i]) + 1;
    const data = BigInt64Array.from({ length: count * width }, (_, at) =>
      BigInt(Math.floor(at / width) * strides[i] + (at % width)),
    );
    const type: ElementType = "int64";
    const shape = [count, width];
    return { axis, positions: stored(graph.constant({ type, shape, data }), type, shape) };
  });
}

/** Windows over the last axes: [..., sizes] to [..., counts, windows]. */
export function poolWindows(graph: OnnxGraph, x: Lazy, parameters: PoolParameters): Lazy {
  const count = parameters.window.length;
  const first = x.shape.length - count;
  // From the last axis to the first, so that the axes still to come stay where they are.
  const windowed = windowPositions(graph, x.shape, parameters)
    .toReversed()
    .reduce(
      (value, { axis, positions }) => gather(graph, value, [positions], { axis: [axis], outDim: axis }),
      x,
    );
  return transpose(windowed, [
    ...Array.from({ length: first }, (_, axis) => axis),
    ...Array.from({ length: count }, (_, i) => first + 2 * i),
    ...Array.from({ length: count }, (_, i) => first + 2 * i + 1),
  ]);
}

/** Sum of windows at the places they were taken from: the transpose of `poolWindows`. */
export function sumWindows(
  graph: OnnxGraph,
  x: Lazy,
  parameters: PoolParameters & { inShape: number[] },
): Lazy {
  const { inShape, window } = parameters;
  const first = inShape.length - window.length;
  const pairs = window.flatMap((_, i) => [first + i, inShape.length + i]);
  const value = transpose(x, [...Array.from({ length: first }, (_, axis) => axis), ...pairs]);
  return windowPositions(graph, inShape, parameters).reduce((summed, { axis, positions }) => {
    const shape = summed.shape.toSpliced(axis, 2, inShape[axis]);
    return scatter(graph, summed, [positions], { op: "add", shape, axis: [axis], outDim: axis });
  }, value);
}
