/** @file The model file: it holds all there is to a model, and nothing else is taken for one. */

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { ModelProtoSchema } from "onnx-buf";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Model, readManifest, type Manifest } from "../../src/engine/model-file.ts";
import { EmbranchError } from "../../src/error.ts";
import { DNA, encode, tokenBatch } from "../../src/sequence/index.ts";
import { untrainedFile } from "../task/models.ts";

const folder = mkdtempSync(join(tmpdir(), "embranch-model-"));
afterAll(() => rmSync(folder, { recursive: true }));

let bytes: Uint8Array;
let manifest: Manifest;
beforeAll(async () => {
  ({ bytes, manifest } = await untrainedFile({ length: 16, dim: 6 }));
});

const codes = ["ACGT", "ACGTACGTACGTACGT", "TTN"].map((text) => encode(text, DNA).codes);

/** What a reader of other metadata gets. */
function withMetadata(value: string | undefined): Uint8Array {
  const model = fromBinary(ModelProtoSchema, bytes);
  model.metadataProps = model.metadataProps.filter(({ key }) => key !== "embranch");
  if (value !== undefined) {
    model.metadataProps.push({ $typeName: "onnx.StringStringEntryProto", key: "embranch", value });
  }
  return toBinary(ModelProtoSchema, model);
}

describe("a model file", () => {
  test("holds its manifest", () => {
    expect(readManifest(bytes, "m.onnx")).toEqual(manifest);
  });

  test("embeds any number of sequences, each by itself", async () => {
    const model = await Model.decode(bytes, "m.onnx", { threads: 1 });
    try {
      const together = await model.embed(codes);
      expect(together).toHaveLength(18);
      for (const [i, sequence] of codes.entries()) {
        const alone = await model.embed([sequence]);
        alone.forEach((value, j) => expect(Math.abs(value - together[6 * i + j])).toBeLessThan(1e-6));
      }
      expect(together.subarray(0, 6)).not.toEqual(together.subarray(6, 12));
    } finally {
      await model.close();
    }
  });

  test("runs in any ONNX runtime: tokens in, embedding out", async () => {
    const session = await InferenceSession.create(bytes);
    expect([session.inputNames, session.outputNames]).toEqual([["tokens"], ["embedding"]]);
    const tokens = Int32Array.from(tokenBatch(codes, DNA, 16));
    const { embedding } = await session.run({ tokens: new Tensor("int32", tokens, [3, 16]) });
    expect(embedding.dims).toEqual([3, 6]);
    const model = await Model.decode(bytes, "m.onnx");
    expect(embedding.data).toEqual(await model.embed(codes));
    await model.close();
    await session.release();
  });

  test("is made again byte for byte", async () => {
    expect(Buffer.from((await untrainedFile({ length: 16, dim: 6 })).bytes).equals(Buffer.from(bytes))).toBe(
      true,
    );
  });

  test("is loaded from a path", async () => {
    writeFileSync(join(folder, "m.onnx"), bytes);
    const model = await Model.load(join(folder, "m.onnx"), { threads: 1 });
    expect(model.manifest).toEqual(manifest);
    expect(model.space.name).toBe("hyperbolic");
    await model.close();
  });
});

describe("what is refused, in one line that names the file", () => {
  const refusal = async (content: Uint8Array): Promise<string> => {
    const error: unknown = await Model.decode(content, "m.onnx", { threads: 1 }).then(
      (model) => model.close(),
      (error: unknown) => error,
    );
    expect(error).toBeInstanceOf(EmbranchError);
    const { message } = error as EmbranchError;
    expect(message).toMatch(/^m\.onnx: [^\n]+$/);
    return message;
  };

  test("a file that is not there, or a folder", async () => {
    await expect(Model.load(join(folder, "none"))).rejects.toThrow(
      /none: cannot be read: there is no such file/,
    );
    await expect(Model.load(folder)).rejects.toThrow(/cannot be read: it is a directory/);
  });

  test("an empty file and random bytes", async () => {
    expect(await refusal(new Uint8Array(0))).toContain("damaged or foreign file");
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => void (await refusal(noise))),
    );
  });

  test("a file cut short anywhere", async () => {
    for (let share = 0.02; share < 1; share += 0.02) {
      await refusal(bytes.subarray(0, Math.floor(share * bytes.length)));
    }
    await refusal(bytes.subarray(0, bytes.length - 1));
  });

  test("ONNX of another program", async () => {
    expect(await refusal(withMetadata(undefined))).toContain("got an ONNX file without its manifest");
  });

  test("a manifest that is no JSON, of another version, or with a field that makes no sense", async () => {
    expect(await refusal(withMetadata("{"))).toContain("manifest must be of a version this program knows");
    expect(await refusal(withMetadata(JSON.stringify({ ...manifest, version: 2 })))).toContain(
      "got version: ",
    );
    expect(await refusal(withMetadata(JSON.stringify({ ...manifest, length: -1 })))).toContain(
      "got length: ",
    );
    expect(await refusal(withMetadata(JSON.stringify({ ...manifest, geometry: "flat" })))).toContain(
      "got geometry: ",
    );
  });
});
