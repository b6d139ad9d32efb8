/**
 * @file A traced value on its way into ONNX, with broadcasts and transposes kept lazy.
 *
 * jax-js traces make every broadcast and transpose explicit, and materialising them was a third of a
 * training step's time. A `Lazy` value therefore separates its logical shape from the tensor that holds it:
 * logical axis `i` is axis `axes[i]` of the tensor, or, where `axes[i]` is −1, is repeated and not stored.
 * A broadcast, a transpose and most reshapes then cost nothing, elementwise operators broadcast for free,
 * and `dot` can be recognised as a matrix product by looking at which axes are stored (lower-dot.ts).
 */

import { dataTypeCode, typedData, type Attribute, type ElementType, type OnnxGraph } from "./onnx.ts";

export interface Lazy {
  /** Name of the ONNX tensor. */
  tensor: string;
  type: ElementType;
  /** Shape of the tensor. Axes that no logical axis refers to have length 1. */
  base: readonly number[];
  /** For each logical axis the tensor's axis, or −1 where the value is repeated along it. */
  axes: readonly number[];
  /** Logical shape. */
  shape: readonly number[];
}

export function product(sizes: readonly number[]): number {
  return sizes.reduce((total, size) => total * size, 1);
}

function same(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((value, i) => value === b[i]);
}

/** A value whose tensor is stored just as its shape says. */
export function stored(tensor: string, type: ElementType, shape: readonly number[]): Lazy {
  return { tensor, type, base: shape, axes: shape.map((_, i) => i), shape };
}

/** A constant that is `value` everywhere, stored once. */
export function uniform(
  graph: OnnxGraph,
  type: ElementType,
  value: number,
  shape: readonly number[] = [],
): Lazy {
  const tensor = graph.constant({ type, shape: [], data: typedData(type, [value]) });
  return { tensor, type, base: [], axes: shape.map(() => -1), shape };
}

/** The value with another element type. */
export function cast(graph: OnnxGraph, value: Lazy, type: ElementType): Lazy {
  if (value.type === type) return value;
  return { ...value, type, tensor: graph.node("Cast", [value.tensor], { to: dataTypeCode(type) }) };
}

/** Length that is stored for logical axis `axis`: 1 where it is repeated. */
export function storedSize(value: Lazy, axis: number): number {
  const index = value.axes[axis];
  return index < 0 ? 1 : value.base[index];
}

/** Whether logical axis `axis` is stored with more than one element. */
export function isReal(value: Lazy, axis: number): boolean {
  return storedSize(value, axis) > 1;
}

/** Number of stored elements. */
export function storedElements(value: Lazy): number {
  return product(value.base);
}

/** Emits a reshape of a stored tensor, unless it has that shape already. */
export function reshapeTensor(
  graph: OnnxGraph,
  tensor: string,
  from: readonly number[],
  to: readonly number[],
): string {
  if (same(from, to)) return tensor;
  return graph.node("Reshape", [tensor, graph.integers(graph.reshapeTarget(to))]);
}

/**
 * The tensor with its axes stored in the order of the logical axes `order`, repeated axes as length 1.
 *
 * Emits a transpose only when axes longer than 1 really change places.
 */
export function arrange(graph: OnnxGraph, value: Lazy, order: readonly number[]): string {
  const target = order.map((axis) => storedSize(value, axis));
  const moving = order.filter((axis) => isReal(value, axis)).map((axis) => value.axes[axis]);
  let { tensor } = value;
  let shape = value.base;
  if (moving.some((axis, i) => i > 0 && axis < moving[i - 1])) {
    const rest = value.base.map((_, axis) => axis).filter((axis) => !moving.includes(axis));
    const perm = [...moving, ...rest];
    tensor = graph.node("Transpose", [tensor], { perm });
    shape = perm.map((axis) => value.base[axis]);
  }
  return reshapeTensor(graph, tensor, shape, target);
}

/** The value with its logical axes stored in order (repeated axes still repeated). */
export function settle(graph: OnnxGraph, value: Lazy): Lazy {
  const order = value.shape.map((_, axis) => axis);
  const base = order.map((axis) => storedSize(value, axis));
  if (same(base, value.base) && value.axes.every((axis, i) => axis === i || base[i] === 1)) {
    return { ...value, axes: order };
  }
  return { ...value, tensor: arrange(graph, value, order), base, axes: order };
}

/** The value with logical axes `which` really stored, by concatenation for short repeats, else `Expand`. */
export function store(graph: OnnxGraph, value: Lazy, which?: readonly number[]): Lazy {
  const settled = settle(graph, value);
  const base = settled.base.map((size, axis) =>
    which === undefined || which.includes(axis) ? settled.shape[axis] : size,
  );
  const repeated = base.map((_, axis) => axis).filter((axis) => base[axis] !== settled.base[axis]);
  if (repeated.length === 0) return settled;
  let { tensor } = settled;
  if (repeated.length === 1 && base[repeated[0]] <= 4 && settled.type === "float32") {
    const copies = Array.from({ length: base[repeated[0]] }, () => tensor);
    tensor = graph.node("Concat", copies, { axis: repeated[0] });
  } else {
    const target = base.map((size, axis) => (repeated.includes(axis) ? size : 1));
    graph.requireClosed(target, "repeated");
    tensor = graph.node("Expand", [tensor, graph.integers(target)]);
  }
  return { ...settled, tensor, base };
}

/** Adds leading repeated axes until the value has `rank` of them (NumPy's rule). */
export function withRank(value: Lazy, rank: number): Lazy {
  const missing = rank - value.shape.length;
  if (missing <= 0) return value;
  const ones = Array.from({ length: missing }, () => 1);
  return { ...value, shape: [...ones, ...value.shape], axes: [...ones.map(() => -1), ...value.axes] };
}

/** The shape that NumPy's rule gives operands of these shapes. */
export function broadcastShape(values: readonly Lazy[]): number[] {
  const rank = Math.max(...values.map((value) => value.shape.length));
  return Array.from({ length: rank }, (_, axis) =>
    values.reduce((size, value) => {
      const own = axis - (rank - value.shape.length);
      return own < 0 || value.shape[own] === 1 ? size : value.shape[own];
    }, 1),
  );
}

/** Emits an elementwise operator; operands follow the axis order of the largest one, so it stays lazy. */
export function elementwise(
  graph: OnnxGraph,
  opType: string,
  operands: readonly Lazy[],
  {
    type = operands[0].type,
    attributes,
  }: { type?: ElementType; attributes?: Record<string, Attribute> } = {},
): Lazy {
  const shape = broadcastShape(operands);
  const values = operands.map((operand) => withRank(operand, shape.length));
  const leader = values.reduce((best, value) =>
    storedElements(value) > storedElements(best) ? value : best,
  );
  // Axes that any operand stores, in the leader's storage order, then those that only others store.
  const real = shape.map((_, axis) => axis).filter((axis) => values.some((value) => isReal(value, axis)));
  const key = (axis: number) => (isReal(leader, axis) ? leader.axes[axis] : leader.base.length + axis);
  const onlyLeader = real.every((axis) => isReal(leader, axis));
  const order = onlyLeader ? real.toSorted((a, b) => key(a) - key(b)) : real;
  const tensors = values.map((value) => arrange(graph, value, trimmed(value, order)));
  const base = order.map((axis) => Math.max(...values.map((value) => storedSize(value, axis))));
  const tensor = graph.node(opType, tensors, attributes);
  return { tensor, type, base, axes: shape.map((_, axis) => order.indexOf(axis)), shape };
}

/** `order` without the leading axes that the value does not store: ONNX adds those itself. */
function trimmed(value: Lazy, order: readonly number[]): readonly number[] {
  const first = order.findIndex((axis) => isReal(value, axis));
  return first < 0 ? [] : order.slice(first);
}

/** Logical transpose: free. */
export function transpose(value: Lazy, perm: readonly number[]): Lazy {
  return {
    ...value,
    shape: perm.map((axis) => value.shape[axis]),
    axes: perm.map((axis) => value.axes[axis]),
  };
}

/** Inserts repeated axes at the positions `inserted` of `shape`: free. */
export function broadcast(value: Lazy, shape: readonly number[], inserted: readonly number[]): Lazy {
  let next = 0;
  const axes = shape.map((_, axis) => (inserted.includes(axis) ? -1 : value.axes[next++]));
  return { ...value, shape, axes };
}

/** Runs of axes of two shapes of equal size that must be merged or split together; length 1 is left out. */
function alignedGroups(from: readonly number[], to: readonly number[]): { from: number[]; to: number[] }[] {
  const long = (shape: readonly number[]) => shape.map((_, axis) => axis).filter((axis) => shape[axis] !== 1);
  const left = long(from);
  const right = long(to);
  const groups: { from: number[]; to: number[] }[] = [];
  while (left.length > 0) {
    const group = { from: [left.shift()!], to: [right.shift()!] };
    let merged = from[group.from[0]];
    let split = to[group.to[0]];
    while (merged !== split) {
      const side = merged < split ? group.from : group.to;
      const axis = merged < split ? left.shift()! : right.shift()!;
      side.push(axis);
      if (side === group.from) merged *= from[axis];
      else split *= to[axis];
    }
    groups.push(group);
  }
  return groups;
}

/** Reshape: free where each group of merged or split axes is wholly repeated or wholly stored in order. */
export function reshape(graph: OnnxGraph, value: Lazy, shape: readonly number[]): Lazy {
  if (same(value.shape, shape)) return value;
  const groups = alignedGroups(value.shape, shape);
  const mixed = groups.filter(({ from }) => {
    const real = from.filter((axis) => isReal(value, axis)).length;
    return real > 0 && real < from.length;
  });
  if (mixed.length > 0) {
    const which = mixed.flatMap((group) => group.from);
    return reshape(graph, store(graph, value, which), shape);
  }
  const real = groups.filter(({ from }) => isReal(value, from[0]));
  const inOrder = real.toSorted((a, b) => value.axes[a.from[0]] - value.axes[b.from[0]]);
  const flat = inOrder.flatMap(({ from }) => from.map((axis) => value.axes[axis]));
  if (flat.some((axis, i) => i > 0 && axis < flat[i - 1])) return reshape(graph, settle(graph, value), shape);
  const order = inOrder.flatMap((group) => group.to);
  const base = order.map((axis) => shape[axis]);
  const tensor = reshapeTensor(graph, value.tensor, value.base, base);
  return { ...value, tensor, base, shape, axes: shape.map((_, axis) => order.indexOf(axis)) };
}
