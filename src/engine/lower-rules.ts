/**
 * @file The rules of the compiler: what each primitive of jax-js is in ONNX.
 *
 * Operands come with the element type that the primitive promotes them to (lower.ts), and with their
 * broadcasts and transposes still lazy (value.ts). Semantics are jax-js's: integer division and remainder
 * truncate towards zero, as in C; a sum of truth values is "or", a product "and".
 */

import { lowerConv, type ConvParameters } from "./lower-conv.ts";
import { concatenate, flip, pad, shrink, split } from "./lower-cut.ts";
import { lowerDot } from "./lower-dot.ts";
import { gather, poolWindows, scatter, sort, sumWindows, type ScatterParameters } from "./lower-index.ts";
import { reduce } from "./lower-reduce.ts";
import { elementType, type OnnxGraph } from "./onnx.ts";
import { broadcast, cast, elementwise, reshape, transpose, uniform, type Lazy } from "./value.ts";

/** A primitive's parameters, as the trace has them. */
type Parameters = Record<string, never>;

/** Emits the operators of one equation. */
export type Rule = (graph: OnnxGraph, inputs: Lazy[], parameters: Parameters) => Lazy | Lazy[];

/** A rule for an operator that ONNX has under the name `opType`; `truth` is what it is on truth values. */
function direct(opType: string, truth = opType): Rule {
  return (graph, inputs) => elementwise(graph, inputs[0].type === "bool" ? truth : opType, inputs);
}

const COMPARE: Record<string, string> = { less: "Less", equal: "Equal", less_equal: "LessOrEqual" };

/** Bitwise operators, on integers and on truth values. */
const BITWISE: Record<string, [string, string]> = {
  and: ["BitwiseAnd", "And"],
  or: ["BitwiseOr", "Or"],
  xor: ["BitwiseXor", "Xor"],
};

export const RULES: Record<string, Rule> = {
  add: direct("Add", "Or"),
  mul: direct("Mul", "And"),
  min: direct("Min", "And"),
  max: (graph, [a, b]) => {
    // As Relu, a runtime can take it into the convolution before it.
    const isRelu = graph.scalar(b.tensor) === 0 && b.shape.length === 0;
    return isRelu ? elementwise(graph, "Relu", [a]) : direct("Max", "Or")(graph, [a, b], {});
  },
  idiv: (graph, operands) => {
    const quotient = elementwise(graph, "Div", operands);
    if (!quotient.type.startsWith("float")) return quotient;
    // Truncation: ONNX has none for floats.
    const magnitude = elementwise(graph, "Floor", [elementwise(graph, "Abs", [quotient])]);
    return elementwise(graph, "Mul", [elementwise(graph, "Sign", [quotient]), magnitude]);
  },
  mod: (graph, operands) => elementwise(graph, "Mod", operands, { attributes: { fmod: 1 } }),
  neg: direct("Neg"),
  reciprocal: direct("Reciprocal"),
  floor: direct("Floor"),
  ceil: direct("Ceil"),
  sin: direct("Sin"),
  cos: direct("Cos"),
  asin: direct("Asin"),
  atan: direct("Atan"),
  exp: direct("Exp"),
  log: direct("Log"),
  sqrt: direct("Sqrt"),
  erf: direct("Erf"),
  // Exact to 6e-8 of 1: its far tail, below that, is not resolved.
  erfc: (graph, [x]) =>
    elementwise(graph, "Sub", [uniform(graph, x.type, 1), elementwise(graph, "Erf", [x])]),
  stop_gradient: (_, [x]) => x,
  cast: (graph, [x], { dtype }) => cast(graph, x, elementType(dtype)),
  compare: (graph, operands, { op }) => {
    if (op === "not_equal") {
      return elementwise(graph, "Not", [elementwise(graph, "Equal", operands, { type: "bool" })]);
    }
    return elementwise(graph, COMPARE[op], operands, { type: "bool" });
  },
  where: (graph, [condition, a, b]) => {
    if (a.type !== "bool") return elementwise(graph, "Where", [condition, a, b], { type: a.type });
    const [x, y] = [a, b].map((value) => cast(graph, value, "uint8"));
    return cast(graph, elementwise(graph, "Where", [condition, x, y], { type: "uint8" }), "bool");
  },
  bit_combine: (graph, operands, { op }) => {
    const [integer, truth] = BITWISE[op];
    return elementwise(graph, operands[0].type === "bool" ? truth : integer, operands);
  },
  reduce: (graph, [x], { op, axis }) => reduce(graph, x, op, axis),
  dot: (graph, [x, y]) => lowerDot(graph, x, y),
  conv: (graph, [x, w], parameters) => lowerConv(graph, x, w, parameters as unknown as ConvParameters),
  transpose: (_, [x], { perm }) => transpose(x, perm),
  broadcast: (_, [x], { shape, axis }) => broadcast(x, shape, axis),
  reshape: (graph, [x], { shape }) => reshape(graph, x, shape),
  concatenate: (graph, inputs, { axis }) => concatenate(graph, inputs, axis),
  split: (graph, [x], { axis, sizes }) => split(graph, x, axis, sizes),
  shrink: (graph, [x], { slice }) => shrink(graph, x, slice),
  pad: (graph, [x], { width }) => pad(graph, x, width),
  flip: (graph, [x], { axis }) => flip(graph, x, axis),
  gather: (graph, [x, ...indices], { axis, outDim }) => gather(graph, x, indices, { axis, outDim }),
  scatter: (graph, [updates, ...indices], parameters) =>
    scatter(graph, updates, indices, parameters as unknown as ScatterParameters),
  sort: (graph, [x]) => sort(graph, x)[0],
  argsort: (graph, [x]) => sort(graph, x),
  pool: (graph, [x], { window, strides }) => poolWindows(graph, x, { window, strides }),
  pool_transpose: (graph, [x], { inShape, window, strides }) =>
    sumWindows(graph, x, { inShape, window, strides }),
};
