/**
 * @file The attention map of Needleman-Wunsch Attention against loops over plain numbers (SPEC B4).
 */

import { init } from "@jax-js/jax";
import { beforeAll, expect, it } from "vitest";
import { Layout } from "../../src/engine/layout.ts";
import { mapDivergence, nwaOptions, nwaRegularizer } from "../../src/nn/nwa.ts";
import { floats, lowered, type Input } from "../engine/both.ts";
import { draw, idle, within, type Read } from "./drawn.ts";
import { batchNorm, dense, layerNorm, relu, softmax, total, transformerLayer, vector } from "./plain.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const [LENGTH, DIM, WIDTH, HEADS, PAIRS] = [6, 3, 12, 3, 4];
const POSITIONS = LENGTH + 1;
const SIZE = WIDTH / HEADS;
/** Sources and targets of every kind: longer, shorter, equally long, empty. */
const LENGTHS = { source: [6, 3, 5, 0], target: [4, 6, 5, 2] };

type Rows = number[][];

/** A point's vectors before the transformer layers: dense, ReLU, batch normalisation, cut into positions. */
function unfolded(point: readonly number[], read: Read): Rows {
  const flat = relu(dense(point, within(read, "unfold.dense"))).map((value, i) =>
    batchNorm(value, i, within(read, "unfold.norm")),
  );
  return Array.from({ length: POSITIONS }, (_, at) => flat.slice(at * WIDTH, (at + 1) * WIDTH));
}

/** Vectors after the layers of these indices. */
function decoded(x: Rows, through: readonly number[], read: Read): Rows {
  return through.reduce(
    (y, layer) => transformerLayer(y, HEADS, () => true, within(read, `layers.${layer}`)),
    x,
  );
}

/** Vectors of one head: coordinates of each position, or, by the slip, a piece of the flat array cut into rows. */
function headOf(x: Rows, head: number, reference: boolean): Rows {
  if (!reference) return x.map((row) => row.slice(head * SIZE, (head + 1) * SIZE));
  const flat = x.flat();
  const start = head * POSITIONS * SIZE;
  return x.map((_, at) => flat.slice(start + at * SIZE, start + (at + 1) * SIZE));
}

/** The map of one pair, row by row of the target. */
function attentionMap(
  source: Rows,
  target: Rows,
  lengths: [number, number],
  reference: boolean,
  read: Read,
): Rows {
  const normalised = (x: Rows) => x.map((row) => layerNorm(row, within(read, "norm")));
  const queries = normalised(target).map((row) => dense(row, within(read, "query")));
  const keys = normalised(source).map((row) => dense(row, within(read, "key")));
  const heads = vector(HEADS, (head) => head).map((head) => ({
    q: headOf(queries, head, reference),
    k: headOf(keys, head, reference),
  }));
  const [sourceLength, targetLength] = lengths;
  return target.map((_, row) => {
    if (row > targetLength) return vector(POSITIONS, () => 0);
    const scores = vector(sourceLength + 1, (column) => {
      // Not over √size.
      const each = heads.map(({ q, k }) => total(SIZE, (i) => q[row][i] * k[column][i]));
      return dense(relu(dense(each, within(read, "merge"))), within(read, "score"))[0];
    });
    const shares = softmax(scores);
    return vector(POSITIONS, (column) => shares[column] ?? 0);
  });
}

const lengthInput = (lengths: readonly number[]): Input => ({
  shape: [PAIRS],
  type: "float32",
  data: Float32Array.from(lengths),
});

it.each([
  ["rows of the target, a softmax over the source up to its end, heads of coordinates", false],
  ["the published slips: the target twice through the last layer, heads cut out of memory", true],
])("the attention map pins down %s", async (_, reference) => {
  const options = nwaOptions.parse({ width: WIDTH, heads: HEADS, inner: 5, reference });
  const regularizer = nwaRegularizer(options, { length: LENGTH, dim: DIM });
  const [parameters, statistics] = [new Layout(regularizer.parameters), new Layout(regularizer.statistics)];
  const drawn = draw(
    regularizer.parameters,
    { unfold: regularizer.statistics },
    // Merged scores that ReLU does not all cut off, and positions that still differ after a layer.
    { "merge.bias": [0, 2], "norm1.bias": [-0.3, 0.3], "norm2.bias": [-0.3, 0.3] },
  );
  const [sources, targets] = [floats([PAIRS, DIM], 1), floats([PAIRS, DIM], 2)];
  const [{ data, shape }] = await lowered(
    (p, s, source, target, sourceLengths, targetLengths) => {
      const made = regularizer.map(
        parameters.unpack(p),
        statistics.unpack(s),
        { source, target, sourceLengths, targetLengths },
        { training: false },
      );
      statistics.pack(made.statistics).dispose();
      return made.map;
    },
    [
      drawn.parameters,
      drawn.statistics,
      sources,
      targets,
      lengthInput(LENGTHS.source),
      lengthInput(LENGTHS.target),
    ],
  );
  const pointOf = (points: Input, pair: number) =>
    Array.from(points.data.subarray(pair * DIM, (pair + 1) * DIM));
  const maps = () =>
    vector(PAIRS, (pair) => pair).flatMap((pair) => {
      const source = decoded(unfolded(pointOf(sources, pair), drawn.read), [0, 1], drawn.read);
      const target = decoded(
        unfolded(pointOf(targets, pair), drawn.read),
        reference ? [1, 1] : [0, 1],
        drawn.read,
      );
      const lengths: [number, number] = [LENGTHS.source[pair], LENGTHS.target[pair]];
      return attentionMap(source, target, lengths, reference, within(drawn.read, "cross")).flat();
    });
  expect(shape).toEqual([PAIRS, POSITIONS, POSITIONS]);
  expect(data).toBeAllclose(maps(), { rtol: 1e-5, atol: 1e-5 });
  // A softmax does not see what is added to all keys, nor to all scores.
  expect(idle(drawn, maps).filter((path) => !/attention.key.bias|score.bias/.test(path))).toEqual([]);
});

it.each(["jsd", "mse"] as const)(
  "the divergence of a map is the sum over cells, the mean over pairs: %s",
  async (kind) => {
    const [map, targets] = [floats([PAIRS, 3, 3], 1, 0, 1), floats([PAIRS, 3, 3], 2, 0, 1)];
    // Beyond an end there is nothing in either.
    map.data[4] = targets.data[4] = 0;
    const cell = (p: number, q: number) => {
      if (kind === "mse") return (p - q) ** 2;
      const half = (x: number, y: number) => 0.5 * (x + 1e-7) * Math.log((2 * (x + 1e-7)) / (x + y + 2e-7));
      return half(p, q) + half(q, p);
    };
    let sum = 0;
    map.data.forEach((p, i) => (sum += cell(p, targets.data[i])));
    const [{ data }] = await lowered((p, q) => mapDivergence(p, q, kind), [map, targets]);
    expect(data).toBeAllclose([sum / PAIRS], { rtol: 1e-5 });
  },
);
