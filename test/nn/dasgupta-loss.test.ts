import { grad, init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, test } from "vitest";
import { exactLcaDepth } from "../../src/geometry/lca.ts";
import { direction, exactSquaredChord } from "../../src/geometry/vector.ts";
import { dasguptaLoss } from "../../src/nn/dasgupta-loss.ts";
import { embeddingTable } from "../../src/nn/embedding-table.ts";
import { expectSame, floats, integers, type Input } from "../engine/both.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const RANK = 3;
const TRIPLES = 4;
const RADIUS = 0.8;

/** The loss in doubles, of free vectors [3·triples, rank]. */
function plain(
  vectors: ArrayLike<number>,
  similarities: ArrayLike<number>,
  radius: number,
  tau: number,
): number {
  const row = (member: number, triple: number) =>
    Array.from(vectors).slice((member * TRIPLES + triple) * RANK, (member * TRIPLES + triple + 1) * RANK);
  let loss = 0;
  for (let triple = 0; triple < TRIPLES; triple++) {
    const pairs = [
      [0, 1],
      [0, 2],
      [1, 2],
    ];
    const depths = pairs.map(([a, b]) =>
      exactLcaDepth(exactSquaredChord(row(a, triple), row(b, triple)), radius),
    );
    const powers = depths.map((depth) => Math.exp((depth - Math.max(...depths)) / tau));
    const total = powers[0] + powers[1] + powers[2];
    powers.forEach((power, k) => (loss += (1 - power / total) * similarities[k * TRIPLES + triple]));
  }
  return loss / TRIPLES;
}

const vectors = floats([3 * TRIPLES, RANK], 3);
const similarities = floats([3, TRIPLES], 4, 0, 1);
const scalar = (value: number): Input => ({ shape: [], type: "float32", data: Float32Array.of(value) });

/** The loss of free vectors. */
const loss = (x: np.Array, s: np.Array, radius: np.Array, temperature: np.Array) =>
  dasguptaLoss({ directions: direction(x), similarities: s, radius, temperature });

const array = ({ data, shape }: Input) => np.array(data, { shape: [...shape] });

describe("the relaxed Dasgupta cost", () => {
  for (const tau of [1, 0.1, 0.01]) {
    test(`at τ = ${tau} is its definition, and its gradient that of finite differences`, () => {
      const fixed = [similarities, scalar(RADIUS), scalar(tau)];
      const value = loss(array(vectors), ...(fixed.map(array) as [np.Array, np.Array, np.Array]));
      expect(value).toBeAllclose(plain(vectors.data, similarities.data, RADIUS, tau), { rtol: 1e-5 });
      const gradient = grad((x: np.Array) =>
        loss(x, ...(fixed.map(array) as [np.Array, np.Array, np.Array])),
      )(array(vectors)).dataSync() as Float32Array;
      const h = 1e-6;
      const differences = Array.from(gradient, (_, i) => {
        const moved = (by: number) => Float64Array.from(vectors.data, (x, k) => x + (k === i ? by : 0));
        const at = (by: number) => plain(moved(by), similarities.data, RADIUS, tau);
        return (at(h) - at(-h)) / (2 * h);
      });
      expect(gradient).toBeAllclose(differences, { rtol: 2e-3, atol: 2e-5 });
    });
  }

  test("has the gradient of the norm as well", () => {
    const [tau, h] = [0.1, 1e-6];
    const slope = grad((radius: np.Array) =>
      loss(array(vectors), array(similarities), radius, array(scalar(tau))),
    )(array(scalar(RADIUS)));
    const at = (radius: number) => plain(vectors.data, similarities.data, radius, tau);
    expect(slope).toBeAllclose((at(RADIUS + h) - at(RADIUS - h)) / (2 * h), { rtol: 1e-3 });
  });

  test("spares the deepest pair when the softmax is hard", () => {
    const directions = np.array([
      [1, 0],
      [0.8, 0.6],
      [-1, 0],
    ]);
    const args = { directions, similarities: np.array([[0.9], [0.2], [0.3]]) };
    expect(dasguptaLoss({ ...args, radius: np.array(0.9), temperature: np.array(1e-3) })).toBeAllclose(0.5);
  });

  test("has finite gradients where leaves are one or opposite, and at zero vectors", () => {
    const rows = [
      [1, 0],
      [0, 0],
      [1, 0],
      [0, 0],
      [-1, 0],
      [0, 0],
    ];
    const gradient = grad(
      (x: np.Array) =>
      loss(x, np.array([[0.9, 0.5], [0.2, 0.5], [0.3, 0.5]]), np.array(0.999), np.array(0.01)), // prettier-ignore
    )(np.array(rows));
    expect(Array.from(gradient.dataSync() as Float32Array).every(Number.isFinite)).toBe(true);
  });

  test("is lowered with a table of points and its gradient", async () => {
    const block = embeddingTable(7, RANK);
    const value = (table: np.Array, numbers: np.Array, s: np.Array) => {
      const { output } = block.apply(table, {}, numbers, { training: true });
      return loss(output, s, np.array(RADIUS), np.array(0.1));
    };
    const inputs = [floats([7, RANK], 5), integers([3 * TRIPLES], 0, 7), similarities];
    await expectSame((table, numbers, s) => [value(table, numbers, s)], inputs);
    await expectSame((table, numbers, s) => [grad(value)(table, numbers, s)], inputs);
  });
});
