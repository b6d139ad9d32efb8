/** @file Decoders: their shapes, what each computes, and the loss they are trained on. */

import { init } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { Layout } from "../../src/engine/layout.ts";
import { likeliestSequence } from "../../src/engine/decoder-model.ts";
import { UsageError } from "../../src/error.ts";
import {
  completeDecoder,
  createDecoder,
  crossEntropy,
  spread,
  type DecoderOptions,
} from "../../src/nn/decoder.ts";
import { evaluated, expectSame, floats, integers, lowered } from "../engine/both.ts";
import { draw, idle, within, type Read } from "./drawn.ts";
import { batchNorm, dense, relu, total, vector } from "./plain.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const SHAPE = { coordinates: 5, length: 7, letters: 4 };
const CLASSES = SHAPE.letters + 1;

const DECODERS: DecoderOptions[] = [
  { name: "linear" },
  { name: "mlp", layers: 3, hidden: 6 },
  { name: "mlp", layers: 2, hidden: 6, batchNorm: false },
  { name: "cnn", layers: 2, channels: 3 },
  { name: "cnn", layers: 1, channels: 2, kernel: 5, hidden: 4, batchNorm: false },
  { name: "cnn", layers: 2, channels: 2, activation: false },
];

/** Dense layers, all but the last with ReLU and perhaps normalisation. */
function layersOf(x: number[], count: number, normalised: boolean, parameters: Read, statistics: Read) {
  for (let layer = 1; layer <= count; layer++) {
    const name = `layer${layer}`;
    x = dense(x, within(parameters, `${name}.dense`));
    if (layer === count) return x;
    x = relu(x);
    if (normalised)
      x = x.map((value, i) => batchNorm(value, i, both(`${name}.norm`, parameters, statistics)));
  }
  return x;
}

/** Parameters and statistics of a normalisation. */
const both =
  (prefix: string, parameters: Read, statistics: Read): Read =>
  (path) =>
    (path === "mean" || path === "variance" ? statistics : parameters)(`${prefix}.${path}`);

/** out[o, t] = b[o] + Σ_c Σ_k w[o, c, k]·x[c, t + k − ⌊K/2⌋]. */
function convolved(x: number[][], outputs: number, kernel: number, read: Read, bias: boolean): number[][] {
  const weight = read("weight");
  const half = Math.floor(kernel / 2);
  return vector(outputs, (i) => i).map((o) =>
    x[0].map(
      (_, t) =>
        (bias ? read("bias")[o] : 0) +
        total(x.length, (c) =>
          total(kernel, (k) => (x[c][t + k - half] ?? 0) * weight[(o * x.length + c) * kernel + k]),
        ),
    ),
  );
}

/** Scores [n · classes] of a point by loops over plain numbers. */
function oracle(options: DecoderOptions, point: number[], parameters: Read, statistics: Read): number[] {
  const normalised = point.map((value, i) => batchNorm(value, i, both("norm", parameters, statistics)));
  const [p, s] = [within(parameters, "network"), within(statistics, "network")];
  const complete = completeDecoder(options);
  const [pd, sd] = [within(p, "dense"), within(s, "dense")];
  if (complete.name === "linear") return layersOf(normalised, 1, false, pd, sd);
  if (complete.name === "mlp") return layersOf(normalised, complete.layers!, complete.batchNorm!, pd, sd);
  const { channels = 0, kernel = 0, layers = 0, batchNorm: norms = true, activation = true } = complete;
  const flat = layersOf(normalised, 2, norms, pd, sd);
  let x = vector(channels, (i) => i).map((c) => flat.slice(c * SHAPE.length, (c + 1) * SHAPE.length));
  for (let layer = 1; layer <= layers; layer++) {
    const name = `layer${layer}`;
    x = convolved(x, channels, kernel, within(p, `${name}.conv`), !norms);
    if (norms) x = x.map((row, c) => row.map((v) => batchNorm(v, c, both(`${name}.norm`, p, s))));
    if (activation) x = x.map(relu);
  }
  const columns = x[0].map((_, t) => x.map((row) => row[t]));
  return columns.flatMap((column) => dense(column, within(p, "letters")));
}

describe.each(DECODERS)("%j", (options) => {
  test("scores are those of loops over plain numbers, by way of ONNX too", async () => {
    const block = createDecoder(options, SHAPE);
    const drawn = draw({ parameters: block.parameters }, { statistics: block.statistics });
    const points = floats([4, SHAPE.coordinates], 3);
    const [parameters, statistics] = [new Layout(block.parameters), new Layout(block.statistics)];
    const [output] = await lowered(
      (p, s, x) => block.apply(parameters.unpack(p), statistics.unpack(s), x, { training: false }).output,
      [drawn.parameters, drawn.statistics, points],
    );
    const rows = Array.from({ length: 4 }, (_, i) =>
      Array.from(points.data.subarray(i * SHAPE.coordinates, (i + 1) * SHAPE.coordinates)),
    );
    const scores = () =>
      rows.flatMap((row) =>
        oracle(options, row, within(drawn.read, "parameters"), within(drawn.read, "statistics")),
      );
    expect(output.shape).toEqual([4, SHAPE.length, CLASSES]);
    expect(output.data).toBeAllclose(scores(), { rtol: 1e-4, atol: 1e-4 });
    expect(idle(drawn, scores)).toEqual([]);
  });
});

describe("options", () => {
  test.each<[DecoderOptions, RegExp]>([
    [{ name: "gru" as "mlp" }, /^decoder: must be one of linear, mlp, cnn, got gru$/],
    [{ name: "mlp", layers: 1 }, /^decoder mlp: layers: must be at least 2, got 1$/],
    [{ name: "cnn", kernel: 4 }, /^decoder cnn: kernel: must be odd, got 4$/],
    [{ name: "linear", hidden: 3 } as DecoderOptions, /^decoder linear: .*hidden/],
  ])("%j is refused", (options, message) => {
    expect(() => createDecoder(options, SHAPE)).toThrow(UsageError);
    expect(() => createDecoder(options, SHAPE)).toThrow(message);
  });
});

describe("the loss", () => {
  test("is the mean negative logarithm of the right classes' probabilities", async () => {
    const scores = floats([3, 4, CLASSES], 5);
    const tokens = integers([3, 4], 0, CLASSES, 2);
    const expected = Array.from(tokens.data, (token, i) => {
      const row = Array.from(scores.data.subarray(i * CLASSES, (i + 1) * CLASSES));
      return Math.log(row.reduce((sum, value) => sum + Math.exp(value), 0)) - row[token];
    });
    const mean = expected.reduce((a, b) => a + b) / expected.length;
    const [{ data }] = evaluated(crossEntropy, [scores, tokens]);
    expect(data).toBeAllclose([mean], { rtol: 1e-5 });
    await expectSame(crossEntropy, [scores, tokens]);
  });

  test("spread is the root of the mean variance, and 0 with a finite gradient where there is none", () => {
    const points = { shape: [2, 2], type: "float32", data: Float32Array.of(1, 5, 3, 9) } as const;
    expect(evaluated(spread, [points])[0].data).toBeAllclose([Math.sqrt(2.5)], { rtol: 1e-6 });
    expect(() => lower(spread, { x: { shape: [2, 2], type: "float32" } })).not.toThrow();
  });
});

describe("reading scores", () => {
  const scoresOf = (...rows: number[][]) => Float32Array.from(rows.flat());
  const [A, C, G, none] = [[9, 0, 0, 0, 0], [0, 9, 0, 0, 0], [0, 0, 9, 0, 0], [0, 0, 0, 0, 9]]; // prettier-ignore

  test.each<[string, number[][], number[]]>([
    ["best letters, without what trails", [A, C, G, none, none], [0, 1, 2]],
    ["padding alone is the empty string", [none, none, none], []],
    ["no position, no letter", [], []],
    ["letters to the last position", [C, C], [1, 1]],
    ["a doubtful gap between letters is the best letter there", [A, [0, 0, 2, 1, 3], C], [0, 2, 1]],
    ["a doubtful letter far behind the end is none", [A, none, none, [1, 0, 0, 0, 0.9], none], [0]],
  ])("%s", (_, rows, expected) => {
    expect([...likeliestSequence(scoresOf(...rows), CLASSES)]).toEqual(expected);
  });
});
