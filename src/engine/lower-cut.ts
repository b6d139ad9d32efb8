/**
 * @file Lowering of what cuts and joins: shrink, split, pad, flip, concatenate.
 *
 * A cut is made where an axis is stored, in whatever order the axes are stored, and costs nothing along a
 * repeated axis: a part of a repetition is a shorter repetition. An open batch axis cannot be cut or padded at
 * a fixed place.
 */

import type { OnnxGraph } from "./onnx.ts";
import { isReal, store, stored, type Lazy } from "./value.ts";

/** The value with its stored axes resized to what `shape` says, and `tensor` in place of its own. */
function resized(value: Lazy, tensor: string, shape: readonly number[], which: readonly number[]): Lazy {
  const base = value.base.map((size, axis) => {
    const logical = which.find((candidate) => value.axes[candidate] === axis);
    return logical === undefined ? size : shape[logical];
  });
  return { ...value, tensor, base, shape };
}

/** The parts `ranges` (start, end for each axis) of a value. */
export function shrink(graph: OnnxGraph, x: Lazy, ranges: readonly (readonly [number, number])[]): Lazy {
  const shape = ranges.map(([start, end]) => end - start);
  const cut = shape.map((_, axis) => axis).filter((axis) => shape[axis] !== x.shape[axis]);
  graph.requireClosed(
    cut.map((axis) => x.shape[axis]),
    "cut",
  );
  const real = cut.filter((axis) => isReal(x, axis));
  if (real.length === 0) return { ...x, shape };
  const [starts, ends] = [0, 1].map((side) => graph.integers(real.map((axis) => ranges[axis][side])));
  const along = graph.integers(real.map((axis) => x.axes[axis]));
  return resized(x, graph.node("Slice", [x.tensor, starts, ends, along]), shape, real);
}

/** Consecutive parts of `sizes` along `axis`. */
export function split(graph: OnnxGraph, x: Lazy, axis: number, sizes: readonly number[]): Lazy[] {
  graph.requireClosed([x.shape[axis]], "split");
  const shapes = sizes.map((size) => x.shape.toSpliced(axis, 1, size));
  if (!isReal(x, axis)) return shapes.map((shape) => ({ ...x, shape }));
  const tensors = graph.nodes(
    "Split",
    [x.tensor, graph.integers(sizes)],
    { axis: x.axes[axis] },
    sizes.length,
  );
  return tensors.map((tensor, i) => resized(x, tensor, shapes[i], [axis]));
}

/** Zeros around the value, `width` (before, after) for each axis; a negative width trims. */
export function pad(graph: OnnxGraph, x: Lazy, width: readonly (readonly [number, number])[]): Lazy {
  const grown = width.map((_, axis) => axis).filter((axis) => width[axis].some((count) => count !== 0));
  if (grown.length === 0) return x;
  graph.requireClosed(
    grown.map((axis) => x.shape[axis]),
    "padded",
  );
  const shape = x.shape.map((size, axis) => size + width[axis][0] + width[axis][1]);
  // An axis of length 1 may be stored or not; a repeated one has to be stored before zeros can follow it.
  const bare = grown.some((axis) => !isReal(x, axis));
  const value = bare ? store(graph, x, grown) : x;
  const sides = [0, 1].flatMap((side) =>
    value.base.map((_, at) => {
      const axis = grown.find((candidate) => value.axes[candidate] === at);
      return axis === undefined ? 0 : width[axis][side];
    }),
  );
  return resized(value, graph.node("Pad", [value.tensor, graph.integers(sides)]), shape, grown);
}

/** The value reversed along `axes`. */
export function flip(graph: OnnxGraph, x: Lazy, axes: readonly number[]): Lazy {
  graph.requireClosed(
    axes.map((axis) => x.shape[axis]),
    "reversed",
  );
  const real = axes.filter((axis) => isReal(x, axis));
  if (real.length === 0) return x;
  const [starts, ends, steps] = [-1, -(2 ** 31), -1].map((value) => graph.integers(real.map(() => value)));
  const along = graph.integers(real.map((axis) => x.axes[axis]));
  return { ...x, tensor: graph.node("Slice", [x.tensor, starts, ends, along, steps]) };
}

/** Values one after another along `axis`. */
export function concatenate(graph: OnnxGraph, inputs: readonly Lazy[], axis: number): Lazy {
  graph.requireClosed(
    inputs.map((input) => input.shape[axis]),
    "joined",
  );
  const parts = inputs.map((input) => store(graph, input).tensor);
  const size = inputs.reduce((total, input) => total + input.shape[axis], 0);
  const shape = inputs[0].shape.toSpliced(axis, 1, size);
  return stored(graph.node("Concat", parts, { axis }), inputs[0].type, shape);
}
