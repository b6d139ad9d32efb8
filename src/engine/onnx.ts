/**
 * @file A builder of ONNX graphs: nodes in order, constants deduplicated, one serialisation.
 *
 * It knows tensors and operators but nothing of tracing; `lower.ts` decides which operators to emit.
 * Operator set 20 of the standard domain only, so that every ONNX runtime can load what we write.
 * Isomorphic: no Node API.
 */

import { create, toBinary } from "@bufbuild/protobuf";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  NodeProtoSchema,
  TensorProto_DataType,
  TensorProtoSchema,
  ValueInfoProtoSchema,
  type AttributeProto,
  type NodeProto,
  type TensorProto,
  type ValueInfoProto,
} from "onnx-buf";
import { withNamedOutputs, withSubtractions } from "./simplify.ts";

/** Element types the engine uses. */
export type ElementType = "float32" | "float64" | "int32" | "int64" | "uint32" | "uint8" | "bool";

const DATA_TYPE: Record<ElementType, TensorProto_DataType> = {
  float32: TensorProto_DataType.FLOAT,
  float64: TensorProto_DataType.DOUBLE,
  int32: TensorProto_DataType.INT32,
  int64: TensorProto_DataType.INT64,
  uint32: TensorProto_DataType.UINT32,
  uint8: TensorProto_DataType.UINT8,
  bool: TensorProto_DataType.BOOL,
};

/** The element type of this name. Throws where the engine has none. */
export function elementType(name: string): ElementType {
  if (!(name in DATA_TYPE)) throw new Error(`lowering: element type ${name} is not supported`);
  return name as ElementType;
}

/** The ONNX code of an element type, as `Cast` wants it. */
export function dataTypeCode(type: ElementType): number {
  return DATA_TYPE[type];
}

/** `values` (a number: so many zeros) as the array that holds elements of `type`. */
export function typedData(type: ElementType, values: readonly number[] | number): ArrayBufferView {
  const numbers = typeof values === "number" ? new Array<number>(values).fill(0) : values;
  switch (type) {
    case "float32":
      return Float32Array.from(numbers);
    case "float64":
      return Float64Array.from(numbers);
    case "int32":
      return Int32Array.from(numbers);
    case "int64":
      return BigInt64Array.from(numbers, (value) => BigInt(value));
    case "uint32":
      return Uint32Array.from(numbers);
    case "uint8":
    case "bool":
      return Uint8Array.from(numbers);
  }
}

/** An attribute of a node: integer, float (`{ float }`), string or list of integers. */
export type Attribute = number | string | readonly number[] | { float: number };

/** A tensor of constants. */
export interface Constant {
  type: ElementType;
  shape: readonly number[];
  data: ArrayBufferView;
}

/** A graph input or output; a dimension given as a string is symbolic. */
export interface ValueInfo {
  name: string;
  type: ElementType;
  shape: readonly (number | string)[];
}

/** Operators of two operands whose order does not matter. */
const COMMUTATIVE = new Set(["Add", "Mul"]);

const OPSET = 20;
const IR_VERSION = 9;

function bytesOf(data: ArrayBufferView): Uint8Array<ArrayBuffer> {
  return new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength).slice();
}

function tensorProto(name: string, constant: Constant): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: DATA_TYPE[constant.type],
    dims: constant.shape.map((size) => BigInt(size)),
    rawData: bytesOf(constant.data),
  });
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === "number") {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INT, i: BigInt(value) });
  }
  if (typeof value === "string") {
    const s = new TextEncoder().encode(value);
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.STRING, s });
  }
  if ("float" in value) {
    return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.FLOAT, f: value.float });
  }
  const ints = value.map((item) => BigInt(item));
  return create(AttributeProtoSchema, { name, type: AttributeProto_AttributeType.INTS, ints });
}

function valueInfoProto({ name, type, shape }: ValueInfo): ValueInfoProto {
  const dim = shape.map((size) =>
    typeof size === "string"
      ? { value: { case: "dimParam" as const, value: size } }
      : { value: { case: "dimValue" as const, value: BigInt(size) } },
  );
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: "tensorType", value: { elemType: DATA_TYPE[type], shape: { dim } } } },
  });
}

/** An ONNX graph under construction. */
export class OnnxGraph {
  readonly #nodes: NodeProto[] = [];
  readonly #initializers: TensorProto[] = [];
  readonly #constants = new Map<string, string>();
  readonly #scalars = new Map<string, number>();
  readonly #emitted = new Map<string, string[]>();
  readonly inputs: ValueInfo[] = [];
  readonly outputs: ValueInfo[] = [];
  #next = 0;
  readonly #batch: number | undefined;

  /**
   * `batch`: a recognisable batch size that the trace was made with, to be left open in the graph. Axes that
   * it divides become −1 in reshapes, so that one trace serves every batch size.
   */
  constructor({ batch }: { batch?: number } = {}) {
    this.#batch = batch;
  }

  #dependsOnBatch(size: number): boolean {
    return this.#batch !== undefined && size > 0 && size % this.#batch === 0;
  }

  /** `shape` as a reshape's target. Throws where two axes depend on an open batch. */
  reshapeTarget(shape: readonly number[]): readonly number[] {
    const open = shape.findIndex((size) => this.#dependsOnBatch(size));
    this.requireClosed(shape.slice(open + 1), "paired with itself");
    return shape.map((size, axis) => (axis === open ? -1 : size));
  }

  /** Throws where one of `sizes` is the open batch axis, to which `done` would tie the graph. */
  requireClosed(sizes: readonly number[], done: string): void {
    if (!sizes.some((size) => this.#dependsOnBatch(size))) return;
    throw new Error(`lowering: the open batch axis must not be ${done}, got sizes [${sizes.join(", ")}]`);
  }

  /** `shape` as a graph input or output shows it. */
  openShape(shape: readonly number[]): (number | string)[] {
    return shape.map((size) => (this.#dependsOnBatch(size) ? "batch" : size));
  }

  /** Number of nodes so far. */
  get size(): number {
    return this.#nodes.length;
  }

  #fresh(prefix: string): string {
    return `${prefix}_${this.#next++}`;
  }

  /** Declares a graph input. */
  input(info: ValueInfo): string {
    this.inputs.push(info);
    return info.name;
  }

  /** Declares `tensor` as the graph output `info.name`. */
  output(tensor: string, info: ValueInfo): void {
    this.#nodes.push(
      create(NodeProtoSchema, {
        opType: "Identity",
        name: `output_${info.name}`,
        input: [tensor],
        output: [info.name],
      }),
    );
    this.outputs.push(info);
  }

  /** A constant tensor; equal constants share one initializer. */
  constant(constant: Constant): string {
    const bytes = bytesOf(constant.data);
    // Only small constants are worth comparing: shapes, axes, scalars.
    const key =
      bytes.length <= 256 ? `${constant.type}|${constant.shape.join(",")}|${bytes.join(",")}` : undefined;
    const known = key === undefined ? undefined : this.#constants.get(key);
    if (known !== undefined) return known;
    const name = this.#fresh("constant");
    if (constant.shape.length === 0 && constant.data instanceof Float32Array) {
      this.#scalars.set(name, constant.data[0]);
    }
    this.#initializers.push(tensorProto(name, constant));
    if (key !== undefined) this.#constants.set(key, name);
    return name;
  }

  /** The number that the constant `tensor` is; undefined for all else. */
  scalar(tensor: string): number | undefined {
    return this.#scalars.get(tensor);
  }

  /** A named initializer, such as a trained parameter. */
  initializer(name: string, constant: Constant): string {
    this.#initializers.push(tensorProto(name, constant));
    return name;
  }

  /** A 1-D int64 constant: axes, shapes, repeats. */
  integers(values: readonly number[]): string {
    return this.constant({ type: "int64", shape: [values.length], data: typedData("int64", values) });
  }

  /** Emits a node with `outputs` results and returns their names; an identical node is emitted once. */
  nodes(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute>,
    outputs: number,
  ): string[] {
    const operands = COMMUTATIVE.has(opType) ? inputs.toSorted() : inputs;
    const key = `${opType}|${operands.join(",")}|${JSON.stringify(attributes)}|${outputs}`;
    const known = this.#emitted.get(key);
    if (known !== undefined) return known;
    const output = Array.from({ length: outputs }, () => this.#fresh(opType));
    const attribute = Object.entries(attributes).map(([name, value]) => attributeProto(name, value));
    this.#nodes.push(
      create(NodeProtoSchema, { opType, name: output[0], input: [...inputs], output, attribute }),
    );
    this.#emitted.set(key, output);
    return output;
  }

  /** Emits a node with one result and returns its name. */
  node(opType: string, inputs: readonly string[], attributes: Record<string, Attribute> = {}): string {
    return this.nodes(opType, inputs, attributes, 1)[0];
  }

  /** The model as ONNX bytes, with `metadata` as its properties. */
  serialize(metadata: Record<string, string> = {}): Uint8Array {
    const live = this.#liveNodes(withNamedOutputs(withSubtractions(this.#nodes)));
    const used = new Set(live.flatMap((node) => node.input));
    const model = create(ModelProtoSchema, {
      irVersion: BigInt(IR_VERSION),
      producerName: "embranch",
      opsetImport: [{ domain: "", version: BigInt(OPSET) }],
      metadataProps: Object.entries(metadata).map(([key, value]) => ({ key, value })),
      graph: {
        name: "embranch",
        node: live,
        initializer: this.#initializers.filter((tensor) => used.has(tensor.name)),
        input: this.inputs.map(valueInfoProto),
        output: this.outputs.map(valueInfoProto),
      },
    });
    return toBinary(ModelProtoSchema, model);
  }

  /** The nodes that some output depends on, in order. */
  #liveNodes(nodes: readonly NodeProto[]): NodeProto[] {
    const needed = new Set(this.outputs.map((info) => info.name));
    const live: NodeProto[] = [];
    for (const node of nodes.toReversed()) {
      if (!node.output.some((name) => needed.has(name))) continue;
      live.push(node);
      for (const name of node.input) needed.add(name);
    }
    return live.reverse();
  }
}
