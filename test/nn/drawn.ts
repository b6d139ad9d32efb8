/**
 * @file Random parameters, and what an encoder makes of them: the material that oracles are compared on.
 *
 * Everything is drawn, biases, gains and running statistics too, so that no gate, mask or normalisation is
 * hidden by a start at 0 or 1.
 */

import { expect } from "vitest";
import { Layout } from "../../src/engine/layout.ts";
import { DistanceModel } from "../../src/engine/model.ts";
import type { EncoderOptions } from "../../src/nn/encoder.ts";
import type { ParameterTree } from "../../src/nn/parameter.ts";
import { Random } from "../../src/sequence/random.ts";
import { lowered, type Input } from "../engine/both.ts";
import "../support/allclose.ts";

/** A parameter's values, row-major, by its path. */
export type Read = (path: string) => Float32Array;

/** Values of all parameters and statistics, as the two vectors of a model and by path. */
export interface Drawn {
  parameters: Input;
  statistics: Input;
  paths: readonly string[];
  read: Read;
}

/** Bounds of the numbers drawn for parameters whose path ends so; the others are from [−1, 1). */
export type Ranges = Readonly<Record<string, readonly [low: number, high: number]>>;

const POSITIVE: Ranges = { gain: [0.5, 1.5], variance: [0.5, 1.5] };

/** Draws the values of two trees. */
export function draw(parameters: ParameterTree, statistics: ParameterTree, ranges: Ranges = {}): Drawn {
  const values = new Map<string, Float32Array>();
  const random = new Random(11);
  const bounds = Object.entries({ ...POSITIVE, ...ranges });
  const vectorOf = (tree: ParameterTree): Input => {
    const layout = new Layout(tree);
    const data = new Float32Array(layout.size);
    for (const { path, offset, size } of layout.entries) {
      const [, [low, high]] = bounds.find(([end]) => path.endsWith(end)) ?? ["", [-1, 1]];
      const stream = random.fork(path);
      for (let i = offset; i < offset + size; i++) data[i] = low + (high - low) * stream.uniform();
      values.set(path, data.subarray(offset, offset + size));
    }
    return { shape: [data.length], type: "float32", data };
  };
  const vectors = { parameters: vectorOf(parameters), statistics: vectorOf(statistics) };
  const paths = [...values.keys()];
  const read = (path: string) => {
    const found = values.get(path);
    if (found === undefined) throw new Error(`read: no "${path}" among ${paths.join(", ")}`);
    return found;
  };
  return { ...vectors, paths, read };
}

/** What a change of a parameter must move the outcome by, for a comparison to see it: a hundred tolerances. */
const VISIBLE = 1e-3;

/** Parameters that can be changed and `outcome` stays as it is: no comparison of it pins them down. */
export function idle({ paths, read }: Drawn, outcome: () => number[]): string[] {
  const before = outcome();
  return paths.filter((path) => {
    const values = read(path);
    const kept = values.slice();
    for (let i = 0; i < values.length; i++) values[i] += 0.1 * (1 + (i % 3));
    const after = outcome();
    values.set(kept);
    return after.every((value, i) => Math.abs(value - before[i]) < VISIBLE);
  });
}

/** Parameters below a path. */
export function within(read: Read, prefix: string): Read {
  return (path) => read(`${prefix}.${path}`);
}

/** Sequences of tokens: two full ones, one with ambiguous letters, a short one, one of padding alone. */
export function tokensOf(length: number, letters: number): number[][] {
  const random = new Random(length);
  const full = () => Array.from({ length }, () => random.integer(letters));
  const ambiguous = full().map((token, i) => (i % 5 === 3 ? letters : token));
  const short = full().map((token, i) => (i < Math.floor((2 * length) / 3) ? token : letters));
  return [full(), full(), ambiguous, short, Array.from({ length }, () => letters)];
}

/** Tokens [batch, n] as an input. */
export function tokenInput(tokens: readonly number[][]): Input {
  return {
    shape: [tokens.length, tokens[0].length],
    type: "int32",
    data: Int32Array.from(tokens.flat()),
  };
}

export interface OracleOptions {
  length: number;
  letters?: number;
  dim?: number;
  ranges?: Ranges;
}

/** What an oracle is given: one sequence's tokens, and the encoder's parameters. */
export type Oracle = (tokens: readonly number[], read: Read) => number[];

/** Expects the embeddings of an encoder with drawn parameters to be an oracle's, which all of them move. */
export async function expectOracle(
  encoder: EncoderOptions,
  oracle: Oracle,
  { length, letters = 4, dim = 3, ranges }: OracleOptions,
): Promise<void> {
  const model = new DistanceModel({ encoder, shape: { length, letters, dim }, geometry: "euclidean" });
  const { parameters, statistics } = model.encoder;
  const drawn = draw({ encoder: parameters }, { encoder: statistics }, ranges);
  const tokens = tokensOf(length, letters);
  const [output] = await lowered(
    (p, s, t) => model.infer(p, s, t),
    [drawn.parameters, drawn.statistics, tokenInput(tokens)],
  );
  const read = within(drawn.read, "encoder");
  const embeddings = () => tokens.flatMap((sequence) => oracle(sequence, read));
  expect(output.shape).toEqual([tokens.length, dim]);
  expect(output.data).toBeAllclose(embeddings(), { rtol: 1e-5, atol: 1e-5 });
  // A softmax does not see what is added to all keys.
  expect(idle(drawn, embeddings).filter((path) => !path.endsWith("key.bias"))).toEqual([]);
}
