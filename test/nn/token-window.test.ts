import { grad, init, numpy as np } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { batchNorm, conv, oneHot, pool, relu, type Moments, type Pooling } from "../../src/nn/layers.ts";
import {
  hasWindowTable,
  tokenLayer,
  type TokenLayerArrays,
  type TokenLayerOptions,
} from "../../src/nn/token-window.ts";
import { expectSame, floats, integers, lowered, type ArrayFunction, type Input } from "../engine/both.ts";
import "../support/allclose.ts";

beforeAll(async () => {
  await init("wasm");
});

const LETTERS = 4;
const CHANNELS = 3;
const BATCH = 4;

/** The layer as it is defined: position by position. */
function plainLayer(
  { letter, conv: weights, norm }: TokenLayerArrays,
  running: Moments | undefined,
  tokens: np.Array,
  { letters, pooling, activation, training }: TokenLayerOptions,
): { output: np.Array; statistics: Moments | undefined } {
  const vectors = np.matmul(oneHot(tokens, letters), letter.weight).add(letter.bias).transpose([0, 2, 1]);
  let x = conv(weights, vectors);
  let statistics = running;
  if (norm !== undefined && running !== undefined) {
    const step = batchNorm(norm, running, x, { training });
    x = step.output;
    statistics = step.statistics;
  }
  if (activation) x = relu(x);
  return { output: pool(x, pooling), statistics };
}

type Layer = typeof tokenLayer;

interface Arrangement {
  length: number;
  pooling: Pooling;
  training: boolean;
  kernel?: number;
  normalised?: boolean;
  activation?: boolean;
  letters?: number;
}

/** Values of everything the layer reads: letter, conv, norm, statistics, tokens with padding, a cotangent. */
function inputsOf({ length, pooling, kernel = 3, letters = LETTERS }: Arrangement): Input[] {
  const tokens = integers([BATCH, length], 0, letters, 3);
  // The second sequence is shorter, the third has an ambiguous letter, the fourth is empty.
  tokens.data.fill(letters, length + Math.ceil(length / 2), 2 * length);
  tokens.data[2 * length + 1] = letters;
  tokens.data.fill(letters, 3 * length);
  const outputs = pooling === "none" ? length : Math.floor(length / 2);
  return [
    floats([letters, CHANNELS], 1),
    floats([CHANNELS], 2),
    floats([CHANNELS, CHANNELS, kernel], 3),
    floats([CHANNELS], 4),
    floats([CHANNELS], 5, 0.5, 1.5),
    floats([CHANNELS], 6),
    floats([CHANNELS], 7),
    floats([CHANNELS], 8, 0.5, 1.5),
    tokens,
    floats([BATCH, CHANNELS, outputs], 9),
  ];
}

/** Output, new statistics, and the gradient of everything trained, of the output weighted by the cotangent. */
function everything(layer: Layer, arrangement: Arrangement): ArrayFunction {
  const { pooling, training, normalised = true, activation = true, letters = LETTERS } = arrangement;
  const applied = (trained: np.Array[], old: np.Array[], symbols: np.Array) => {
    const arrays: TokenLayerArrays = {
      letter: { weight: trained[0], bias: trained[1] },
      conv: { weight: trained[2], bias: trained[3] },
      ...(normalised ? { norm: { gain: trained[4], bias: trained[5] } } : {}),
    };
    const running = normalised ? { mean: old[0], variance: old[1] } : undefined;
    return layer(arrays, running, symbols, { letters, pooling, activation, training });
  };
  return (lw, lb, cw, cb, gain, bias, mean, variance, tokens, cotangent) => {
    const trained = normalised ? [lw, lb, cw, cb, gain, bias] : [lw, lb, cw, cb];
    const again = (arrays: np.Array[]) => arrays.map((array) => array.ref);
    const { output, statistics } = applied(again(trained), again([mean, variance]), tokens.ref);
    const objective = (values: np.Array[], old: np.Array[], symbols: np.Array, weights: np.Array) =>
      applied(values, old, symbols).output.mul(weights).sum();
    const gradient = grad(objective)(trained, [mean, variance], tokens, cotangent);
    return [output, ...(statistics === undefined ? [] : [statistics.mean, statistics.variance]), gradient];
  };
}

async function expectEqualLayers(arrangement: Arrangement): Promise<void> {
  const inputs = inputsOf(arrangement);
  const [table, plain] = await Promise.all(
    [tokenLayer, plainLayer].map((layer) => lowered(everything(layer, arrangement), inputs)),
  );
  expect(table.map(({ shape }) => shape)).toEqual(plain.map(({ shape }) => shape));
  table.forEach(({ data }, i) => expect(data).toBeAllclose(plain[i].data, { rtol: 1e-4, atol: 2e-5 }));
}

describe("the window table is the plain layer: output, statistics and gradients", () => {
  describe.each<Pooling>(["avg", "max", "none"])("pooling %s", (pooling) => {
    describe.each([true, false])("training %s", (training) => {
      it.each([12, 13])("length %i", async (length) => {
        await expectEqualLayers({ length, pooling, training });
      });
    });

    it("without normalisation", async () => {
      await expectEqualLayers({ length: 12, pooling, training: true, normalised: false });
    });

    it("without activation", async () => {
      await expectEqualLayers({ length: 13, pooling, training: true, activation: false });
    });
  });

  it("of width 1", async () => {
    await expectEqualLayers({ length: 12, pooling: "avg", training: true, kernel: 1 });
  });

  it("of the longest window that is tabulated", async () => {
    await expectEqualLayers({ length: 13, pooling: "none", training: true, kernel: 3, letters: 10 });
  });

  it("of sequences shorter than the window", async () => {
    await expectEqualLayers({ length: 2, pooling: "avg", training: true });
  });

  it("on jax-js itself as well", async () => {
    const arrangement: Arrangement = { length: 9, pooling: "avg", training: true };
    await expectSame(everything(tokenLayer, arrangement), inputsOf(arrangement), { rtol: 1e-4, atol: 2e-5 });
  });
});

describe("hasWindowTable", () => {
  it("takes windows that are few", () => {
    expect(hasWindowTable(4, 3, "avg")).toBe(true);
    expect(hasWindowTable(4, 5, "none")).toBe(false);
    expect(hasWindowTable(20, 3, "avg")).toBe(false);
  });

  it("leaves even widths to the convolution", () => {
    expect(hasWindowTable(4, 2, "none")).toBe(false);
  });
});
