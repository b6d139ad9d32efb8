/**
 * @file The compiler: a jax-js trace becomes an ONNX graph.
 *
 * Every model, loss and optimiser is written once as pure functions on jax-js. `makeJaxpr` turns a whole
 * training step (forward, backward and update together) into a flat list of about forty kinds of primitive,
 * and this file turns each of those into ONNX operators, so that a native runtime executes it. Broadcasts,
 * transposes and most reshapes stay lazy (value.ts); contractions are recognised as matrix products
 * (lower-dot.ts) and weight gradients of convolutions as well (lower-conv.ts).
 *
 * A primitive without a rule is an error that names it, when the function is traced. Isomorphic.
 */

import { makeJaxpr, numpy as np, tree, type numpy } from "@jax-js/jax";
import { elementType, OnnxGraph, typedData, type ElementType } from "./onnx.ts";
import { RULES } from "./lower-rules.ts";
import { cast, store, stored, uniform, type Lazy } from "./value.ts";

/** Shape and element type of an array that a function is traced with. */
export interface Spec {
  shape: readonly number[];
  type: "float32" | "int32";
}

type Trace = ReturnType<ReturnType<typeof makeJaxpr>>["jaxpr"]["jaxpr"];
type Equation = Trace["eqns"][number];

/** What the walk needs to know of a variable or literal of the trace. */
interface Type {
  readonly dtype: string;
  readonly weakType: boolean;
}

/** Element types from the one that yields to all others to the one that yields to none. */
const ELEMENT_TYPES: readonly ElementType[] = ["bool", "uint32", "int32", "float32", "float64"];

/** The type that operands take when they meet: the higher one, where a weak one counts for no more than uint32. */
function promoted(types: readonly Type[]): ElementType {
  const strong = types.filter(({ weakType }) => !weakType);
  const ranks = (strong.length > 0 ? strong : types).map((type) =>
    ELEMENT_TYPES.indexOf(elementType(type.dtype)),
  );
  const least = strong.length > 0 && strong.length < types.length ? 1 : 0;
  return ELEMENT_TYPES[Math.max(least, ...ranks)];
}

/** Primitives whose operands all take the type of the result. */
const PROMOTING = new Set<string>([
  "add",
  "mul",
  "idiv",
  "mod",
  "min",
  "max",
  "bit_combine",
  "dot",
  "conv",
  "concatenate",
]);

/** The type that each operand of an equation has to have; undefined where it stays as it is. */
function operandTypes(equation: Equation): (ElementType | undefined)[] {
  const { inputs, outBinders } = equation;
  const primitive: string = equation.primitive;
  if (primitive === "compare") return inputs.map(() => promoted(inputs.map((atom) => atom.aval)));
  const result = elementType(outBinders[0].aval.dtype);
  if (primitive === "where") return [undefined, result, result];
  return inputs.map(() => (PROMOTING.has(primitive) ? result : undefined));
}

/** Bounds of the integer types. */
const RANGE: Partial<Record<ElementType, readonly [number, number]>> = {
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
};

/** A number of the trace as a constant; integers saturate, as a cast does. */
function literal(graph: OnnxGraph, value: number, type: ElementType): Lazy {
  if (type === "bool") return uniform(graph, type, Number(value !== 0));
  const [low, high] = RANGE[type] ?? [-Infinity, Infinity];
  return uniform(graph, type, Math.min(Math.max(value, low), high));
}

/** Lowers `trace`, whose inputs are `inputs`, and returns its outputs. Nested traces are inlined. */
export function lowerTrace(graph: OnnxGraph, trace: Trace, inputs: readonly Lazy[]): Lazy[] {
  const values = new Map<unknown, Lazy>();
  trace.inBinders.forEach((binder, i) => values.set(binder, inputs[i]));
  const read = (atom: Equation["inputs"][number], type?: ElementType) => {
    const known = values.get(atom);
    if (known !== undefined) return type === undefined ? known : cast(graph, known, type);
    if (!("value" in atom)) throw new Error("lowering: a variable is used before it is defined");
    return literal(graph, Number(atom.value), type ?? elementType(atom.aval.dtype));
  };
  for (const equation of trace.eqns) {
    const types = operandTypes(equation);
    const operands = equation.inputs.map((atom, i) => read(atom, types[i]));
    let results: Lazy[];
    if ((equation.primitive as string) === "jit") {
      results = lowerTrace(graph, equation.params.jaxpr as Trace, operands);
    } else {
      const rule = RULES[equation.primitive];
      if (rule === undefined) throw new Error(`lowering: primitive "${equation.primitive}" is not supported`);
      results = [rule(graph, operands, equation.params as Parameters<typeof rule>[2])].flat();
    }
    equation.outBinders.forEach((binder, i) => values.set(binder, results[i]));
  }
  return trace.outs.map((atom) => read(atom));
}

/** An array that the trace captured, as a constant; one value everywhere is stored once. */
function captured(graph: OnnxGraph, array: numpy.Array): Lazy {
  const { shape } = array;
  const type = elementType(array.dtype);
  const data = array.dataSync() as Float32Array | Int32Array;
  if (data.length > 0 && (data as Float32Array).every((value) => value === data[0]))
    return uniform(graph, type, data[0], shape);
  graph.requireClosed(shape, "part of a constant");
  const bytes = type === "bool" ? typedData(type, Array.from(data)) : data;
  return stored(graph.constant({ type, shape, data: bytes }), type, shape);
}

/** Leaf of an argument that becomes a constant of the graph: a trained parameter, say. */
export interface Frozen extends Spec {
  data: Float32Array | Int32Array;
}

/** A function lowered to ONNX. */
export interface LoweredFunction {
  /** The serialised model. */
  bytes: Uint8Array;
  /** Names of the graph's inputs, in the order of the arguments' leaves (frozen ones left out). */
  inputs: string[];
  /** Names of the graph's outputs, in the order of the result's leaves. */
  outputs: string[];
  /** Rebuilds the result from its leaves. */
  unflatten: <T>(leaves: T[]) => unknown;
  /** Number of operators emitted. */
  nodes: number;
}

export interface LowerOptions {
  /** A batch size, found nowhere else in the shapes, that the graph leaves open. */
  batch?: number;
  /** Properties of the model. */
  metadata?: Record<string, string>;
  /** Names of the outputs; by default `output`, or `output.0` and so on. */
  outputs?: readonly string[];
}

/** An argument: a tree whose leaves are specs, or frozen values. */
export type SpecTree = Spec | Frozen | SpecTree[] | { [key: string]: SpecTree };

function isSpec(node: SpecTree): node is Spec {
  return (
    !Array.isArray(node) && Array.isArray((node as Spec).shape) && typeof (node as Spec).type === "string"
  );
}

/** The tree's leaves in jax-js's order, each with a dotted path. */
export function leavesOf(node: SpecTree, path: string): { path: string; spec: Spec | Frozen }[] {
  if (isSpec(node)) return [{ path, spec: node }];
  return Object.entries(node).flatMap(([key, child]) =>
    leavesOf(child, path === "" ? key : `${path}.${key}`),
  );
}

/** The tree with every leaf replaced. */
function mapSpecs(node: SpecTree, leaf: (spec: Spec) => numpy.Array): unknown {
  if (isSpec(node)) return leaf(node);
  if (Array.isArray(node)) return node.map((child) => mapSpecs(child, leaf));
  return Object.fromEntries(Object.entries(node).map(([key, child]) => [key, mapSpecs(child, leaf)]));
}

/**
 * Traces `fn` on arguments of the shapes `args` and lowers it to an ONNX model.
 *
 * @param args one tree a parameter of `fn`; its name prefixes the names of the graph's inputs
 * @param fn a pure function on jax-js arrays; its result is a tree of arrays
 * @throws Error that names the primitive, where one has no rule
 */
export function lower(
  fn: (...args: never[]) => unknown,
  args: Record<string, SpecTree>,
  { batch, metadata = {}, outputs: names }: LowerOptions = {},
): LoweredFunction {
  const placeholders = Object.values(args).map((arg) =>
    mapSpecs(arg, ({ shape, type }) =>
      np.zeros([...shape], { dtype: type === "int32" ? np.int32 : np.float32 }),
    ),
  );
  const { jaxpr: closed, treedef } = makeJaxpr(fn as (...args: unknown[]) => never)(...placeholders);
  const graph = new OnnxGraph({ batch });
  const constants = closed.consts.map((value) => captured(graph, value as numpy.Array));
  const inputs: string[] = [];
  const values = Object.entries(args).flatMap(([name, arg]) =>
    leavesOf(arg, name).map(({ path, spec }) => {
      const { shape, type } = spec;
      if ("data" in spec)
        return stored(graph.initializer(path, { type, shape, data: spec.data }), type, shape);
      inputs.push(path);
      return stored(graph.input({ name: path, type, shape: graph.openShape(shape) }), type, shape);
    }),
  );
  const results = lowerTrace(graph, closed.jaxpr, [...constants, ...values]);
  const outputs = results.map((result, i) => {
    const { tensor, type, shape } = store(graph, result);
    const name = names?.[i] ?? (results.length === 1 ? "output" : `output.${i}`);
    graph.output(tensor, { name, type, shape: graph.openShape(shape) });
    return name;
  });
  return {
    bytes: graph.serialize(metadata),
    inputs,
    outputs,
    unflatten: (leaves) => tree.unflatten(treedef, leaves),
    nodes: graph.size,
  };
}
