import { init } from "@jax-js/jax";
import { fromBinary } from "@bufbuild/protobuf";
import { ModelProtoSchema } from "onnx-buf";
import { beforeAll, describe, expect, it } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { expectSame, floats, type ArrayFunction } from "./both.ts";

beforeAll(async () => {
  await init("wasm");
});

/** The operators of a lowered function of two vectors. */
function operators(fn: ArrayFunction): string[] {
  const vector = { shape: [3], type: "float32" as const };
  const { bytes } = lower(fn, { x: vector, y: vector });
  return fromBinary(ModelProtoSchema, bytes).graph!.node.map(({ opType }) => opType);
}

describe("a finished graph", () => {
  it.each<[string, ArrayFunction, string[]]>([
    ["subtracts", (x, y) => x.sub(y), ["Sub"]],
    ["subtracts from what is negated", (x, y) => x.neg().add(y), ["Sub"]],
    [
      "keeps a negation that is read elsewhere",
      (x, y) => [x.ref.sub(y.ref), y.neg().mul(x)],
      ["Neg", "Sub", "Mul"],
    ],
    ["negates twice", (x, y) => x.neg().sub(y), ["Neg", "Sub"]],
    ["names outputs where they are made", (x, y) => [x.ref.add(y.ref), x.mul(y)], ["Add", "Mul"]],
    [
      "reads an output on",
      (x, y) => {
        const sum = x.add(y.ref);
        return [sum.ref, sum.mul(y)];
      },
      ["Add", "Mul"],
    ],
    [
      "copies an output that is given twice",
      (x, y) => {
        const sum = x.add(y);
        return [sum.ref, sum];
      },
      ["Add", "Identity"],
    ],
    ["copies inputs", (x, y) => [x, y], ["Identity", "Identity"]],
  ])("%s", async (_, fn, expected) => {
    expect(operators(fn)).toEqual(expected);
    await expectSame(fn, [floats([3], 1), floats([3], 2)]);
  });
});
