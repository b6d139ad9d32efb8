/**
 * @file Lowering of `conv`: to `Conv`, or, for a weight gradient, to one matrix product a tap.
 *
 * The gradient of a convolution's weights arrives as a convolution whose kernel is as long as the sequence
 * and whose output is as long as the kernel was. `Conv` is at its worst there: it would unfold the input once
 * for each of k outputs. Each tap is instead a matrix product over one shifted view of the input.
 */

import type { OnnxGraph } from "./onnx.ts";
import { pad } from "./lower-cut.ts";
import { product, reshape, settle, store, stored, transpose, type Lazy } from "./value.ts";

/** jax-js's parameters of `conv`: operands are [*vmap, batch, channels, …] and [*vmap, out, channels, …]. */
export interface ConvParameters {
  vmapDims: number;
  strides: number[];
  padding: [number, number][];
  lhsDilation: number[];
  rhsDilation: number[];
}

export function lowerConv(graph: OnnxGraph, lhs: Lazy, rhs: Lazy, parameters: ConvParameters): Lazy {
  const { vmapDims, lhsDilation } = parameters;
  const groupShape = lhs.shape.slice(0, vmapDims).map((size, axis) => Math.max(size, rhs.shape[axis]));
  const groups = product(groupShape);
  // One group axis in front of both operands is ONNX's `group`; several are one.
  const grouped = (value: Lazy) => {
    const rest = value.shape.slice(vmapDims);
    return reshape(graph, { ...value, shape: [...groupShape, ...rest] }, [groups, ...rest]);
  };
  const spread = dilate(graph, grouped(lhs), 3, lhsDilation);
  const kernel = grouped(rhs);
  const { input, padding } = padded(graph, spread, parameters.padding);
  const [, batch, channels, ...lengths] = input.shape;
  const [, out, , ...taps] = kernel.shape;
  const sizes = lengths.map((length, i) => {
    const [before, after] = padding[i];
    const reach = (taps[i] - 1) * parameters.rhsDilation[i];
    return Math.floor((length + before + after - reach - 1) / parameters.strides[i]) + 1;
  });
  const shape = [...groupShape, batch, out, ...sizes];
  if (groups === 1 && sizes.length === 1 && taps[0] > sizes[0]) {
    const [x, w] = [input, kernel].map((value) => reshape(graph, value, value.shape.slice(1)));
    return reshape(graph, tapProducts(graph, x, w, { ...parameters, padding }, sizes[0]), shape);
  }
  const byBatch = transpose(input, [1, 0, ...input.shape.map((_, axis) => axis).slice(2)]);
  const x = store(graph, reshape(graph, byBatch, [batch, groups * channels, ...lengths]));
  const w = store(graph, reshape(graph, kernel, [groups * out, channels, ...taps]));
  const tensor = graph.node("Conv", [x.tensor, w.tensor], {
    strides: parameters.strides,
    dilations: parameters.rhsDilation,
    pads: [...padding.map(([before]) => before), ...padding.map(([, after]) => after)],
    group: groups,
  });
  const flat = stored(tensor, lhs.type, [batch, groups * out, ...sizes]);
  if (vmapDims === 0) return flat;
  const apart = reshape(graph, flat, [batch, groups, out, ...sizes]);
  const front = transpose(apart, [1, 0, ...apart.shape.map((_, axis) => axis).slice(2)]);
  return reshape(graph, front, shape);
}

/** Puts `dilation − 1` zeros between neighbours of the spatial axes (first spatial axis: `first`). */
function dilate(graph: OnnxGraph, x: Lazy, first: number, dilation: readonly number[]): Lazy {
  return dilation.reduce((value, step, i) => {
    if (step === 1) return value;
    const axis = first + i;
    const { shape } = value;
    const none = shape.map((): [number, number] => [0, 0]);
    const column = reshape(graph, value, shape.toSpliced(axis + 1, 0, 1));
    const apart = pad(graph, column, none.toSpliced(axis + 1, 0, [0, step - 1]));
    const long = reshape(graph, apart, shape.toSpliced(axis, 1, shape[axis] * step));
    return pad(graph, long, none.toSpliced(axis, 1, [0, 1 - step]));
  }, x);
}

/** The padding as `Conv` can have it, and the input, trimmed where the padding is negative. */
function padded(
  graph: OnnxGraph,
  x: Lazy,
  padding: readonly [number, number][],
): { input: Lazy; padding: [number, number][] } {
  const trimmed = padding.map(([before, after]): [number, number] => [
    Math.min(0, before),
    Math.min(0, after),
  ]);
  const rest = padding.map(([before, after]): [number, number] => [Math.max(0, before), Math.max(0, after)]);
  const first = x.shape.length - padding.length;
  const width = x.shape.map((_, axis): [number, number] => (axis < first ? [0, 0] : trimmed[axis - first]));
  return { input: pad(graph, x, width), padding: rest };
}

/** out[n, o, t] = Σ_c Σ_l x[n, c, l·dilation + t·stride − before] · w[o, c, l], one product for each t. */
function tapProducts(
  graph: OnnxGraph,
  x: Lazy,
  w: Lazy,
  { strides: [stride], padding: [around], rhsDilation: [dilation] }: ConvParameters,
  taps: number,
): Lazy {
  const [out, channels, length] = w.shape;
  const rows = x.shape[0];
  graph.requireClosed([channels, length], "summed over");
  // x and w come as transposes of [channels, rows, length]: pad and slice them as they are stored.
  const byChannel = [1, 0, 2];
  const source = store(graph, pad(graph, settle(graph, transpose(x, byChannel)), [[0, 0], [0, 0], around]));
  const other = settle(graph, transpose(store(graph, w), byChannel));
  const columns = graph.node("Transpose", [other.tensor], { perm: [0, 2, 1] });
  const products = Array.from({ length: taps }, (_, tap) => {
    const start = tap * stride;
    const bounds = [[start], [start + (length - 1) * dilation + 1], [2], [dilation]];
    const view = graph.node("Slice", [source.tensor, ...bounds.map((values) => graph.integers(values))]);
    const summed = graph.node("ReduceSum", [graph.node("MatMul", [view, columns]), graph.integers([0])], {
      keepdims: 0,
    });
    return graph.node("Unsqueeze", [summed, graph.integers([2])]);
  });
  return stored(graph.node("Concat", products, { axis: 2 }), x.type, [rows, out, taps]);
}
