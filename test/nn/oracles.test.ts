/**
 * @file Encoders against loops over plain numbers, written from their papers (SPEC 0.2, A4, B3, B9).
 *
 * That an encoder agrees with itself on two executors, and its gradient with finite differences, says nothing
 * of a mask that is the wrong way round. These do.
 */

import { init } from "@jax-js/jax";
import { beforeAll, describe, expect, it } from "vitest";
import { Layout } from "../../src/engine/layout.ts";
import { createEncoder, type EncoderOptions } from "../../src/nn/encoder.ts";
import { kmerCounts } from "../../src/nn/kmer.ts";
import { Random } from "../../src/sequence/random.ts";
import { lowered } from "../engine/both.ts";
import { expectOracle, tokenInput, tokensOf, within, type Read } from "./drawn.ts";
import {
  batchNorm,
  dense,
  indicators,
  layerNorm,
  readout,
  relu,
  total,
  transformerLayer,
  vector,
  type Sees,
} from "./plain.ts";

beforeAll(async () => {
  await init("wasm");
});

describe("gru", () => {
  const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));

  /** The states of one layer, each from the one before; the first from zeros. */
  function states(inputs: readonly number[][], hidden: number, read: Read): number[][] {
    const out: number[][] = [];
    let h = vector(hidden, () => 0);
    for (const x of inputs) {
      const fromInput = dense(x, within(read, "input"));
      const fromState = dense(h, within(read, "state"));
      h = h.map((old, j) => {
        const [reset, update, candidate] = [j, hidden + j, 2 * hidden + j];
        const r = sigmoid(fromInput[reset] + fromState[reset]);
        const z = sigmoid(fromInput[update] + fromState[update]);
        const n = Math.tanh(fromInput[candidate] + r * fromState[candidate]);
        return (1 - z) * n + z * old;
      });
      out.push(h);
    }
    return out;
  }

  const hidden = 4;
  it.each([
    ["the gates r, z, n of one layer, and that padding is read like a letter", 1, 1],
    ["that the second layer reads all states of the first, and the readout the last state alone", 2, 1],
    ["that a readout of two dense layers is as wide inside as the state", 1, 2],
  ])("pins down %s", async (_, layers, readoutLayers) => {
    await expectOracle(
      { name: "gru", hidden, layers, readout: readoutLayers },
      (tokens, read) => {
        let x = indicators(tokens, 4);
        for (let layer = 1; layer <= layers; layer++) {
          x = states(x, hidden, within(read, `layer${layer}.cells`));
        }
        if (readoutLayers > 1) expect(read("readout.layer1.dense.bias")).toHaveLength(hidden);
        return readout(x[x.length - 1], within(read, "readout"), { layers: readoutLayers });
      },
      // More steps than one split cuts, and none that halves evenly.
      { length: 19 },
    );
  });
});

describe("transformer", () => {
  const [hidden, segment] = [8, 3];

  const SEES: Record<string, Sees> = {
    global: () => true,
    local1: (from, to) => Math.abs(from - to) <= 1,
    local2: (from, to) => Math.abs(from - to) <= 2,
    causal: (from, to) => to <= from,
  };

  type Options = Extract<EncoderOptions, { name: "transformer" }>;
  const base: Options = { name: "transformer", hidden, segment };

  it.each<[string, number, Options]>([
    ["attention of all to all, sinusoids, segments that fill the length", 15, base],
    ["zeros where the last segment is not full", 13, base],
    ["that local1 sees one token to each side and itself", 13, { ...base, attention: "local1" }],
    ["that local2 sees two tokens to each side", 19, { ...base, attention: "local2", layers: 1 }],
    ["that causal sees what is before, and itself", 13, { ...base, attention: "causal" }],
    ["learned positions", 13, { ...base, positions: "learned" }],
    [
      "learned positions, local1, one head, and no normalisation at the end",
      14,
      { ...base, attention: "local1", positions: "learned", heads: 1, layerNorm: false },
    ],
    ["that nothing mixes before the readout, if so wished", 13, { ...base, mix: false }],
    ["NWA's way to end: ReLU and batch normalisation", 13, { ...base, output: "reference" }],
    ["the same after each dense layer of two", 13, { ...base, output: "reference", readout: 2 }],
    ["a hidden dense layer of the readout, with ReLU alone", 13, { ...base, readout: 2 }],
  ])("pins down %s", async (_, length, options) => {
    const { attention = "global", positions = "sinusoidal", layers = 2, heads = 2 } = options;
    const { layerNorm: normalised = true, mix = true, output, readout: readoutLayers } = options;
    await expectOracle(
      options,
      (tokens, read) => {
        const count = Math.ceil(length / segment);
        const oneHot = indicators(tokens, 4);
        let x = Array.from({ length: count }, (__, token) => {
          const letters = Array.from(
            { length: segment },
            (___, i) => oneHot[token * segment + i] ?? [0, 0, 0, 0],
          );
          const embedded = dense(letters.flat(), within(read, "embed"));
          const position = (i: number) => {
            if (positions === "learned") return read("positions.table")[token * hidden + i];
            // Coordinates 2j and 2j + 1 share a frequency.
            const angle = token / Math.pow(10000, (2 * Math.floor(i / 2)) / hidden);
            return i % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
          };
          return embedded.map((value, i) => value * Math.sqrt(hidden) + position(i));
        });
        for (let layer = 1; layer <= layers; layer++) {
          x = transformerLayer(x, heads, SEES[attention], within(read, `layer${layer}`));
        }
        if (normalised) x = x.map((row) => layerNorm(row, within(read, "norm"), 1e-6));
        if (mix) x = x.map((row) => dense(row, within(read, "mix")));
        return readout(x.flat(), within(read, "readout"), {
          layers: readoutLayers,
          reference: output === "reference",
        });
      },
      // Rows that still differ after a layer, and a readout of which ReLU leaves something.
      {
        length,
        ranges: {
          "norm1.bias": [-0.3, 0.3],
          "norm2.bias": [-0.3, 0.3],
          "readout.layer1.dense.bias": [0, 6],
        },
      },
    );
  });

  it("starts every matrix by Xavier's rule, if so wished: positions, and the packed one of attention", () => {
    const [width, tokens, dim] = [16, 10, 24];
    const options: EncoderOptions = { name: "transformer", weights: "xavier", positions: "learned" };
    const layout = new Layout(
      createEncoder({ ...options, output: "reference" }, { length: 40, letters: 4, dim }).parameters,
    );
    const start = layout.initialize(new Random(3));
    const sides = (path: string): [inputs: number, outputs: number] => {
      if (path === "positions.table") return [tokens, width];
      if (path.startsWith("readout")) return [tokens * width, dim];
      return [width, /query|key|value/.test(path) ? 3 * width : width];
    };
    const matrices = layout.entries.filter(({ spec }) => spec.shape.length > 1);
    expect(matrices).toHaveLength(4 + 2 * 6);
    for (const { path, offset, size } of matrices) {
      const [inputs, outputs] = sides(path);
      const bound = Math.sqrt(6 / (inputs + outputs));
      const values = [...start.subarray(offset, offset + size)];
      expect(Math.max(...values.map(Math.abs)), path).toBeLessThanOrEqual(bound);
      // A third of the bound's square, as of any uniform numbers.
      const square = values.reduce((sum, value) => sum + value ** 2, 0) / size;
      expect(square / bound ** 2, path).toBeAllclose(1 / 3, { rtol: 0.2 });
    }
  });
});

describe("cnn-ed", () => {
  /** [channels in][n] to [channels out][n], three taps, zeros outside. */
  function convolved(signals: readonly number[][], channels: number, weight: Float32Array): number[][] {
    const [inputs, length] = [signals.length, signals[0].length];
    return Array.from({ length: channels }, (_, out) =>
      vector(length, (at) =>
        total(inputs, (input) =>
          total(3, (tap) => (signals[input][at + tap - 1] ?? 0) * weight[(out * inputs + input) * 3 + tap]),
        ),
      ),
    );
  }

  it.each([
    ["each letter on its own, through the same layers, with ReLU; means of two while four are left", true],
    ["the same without ReLU", false],
  ])("pins down %s", async (_, activation) => {
    const [layers, channels, letters, length] = [4, 2, 4, 35];
    await expectOracle(
      { name: "cnn-ed", layers, channels, activation },
      (tokens, read) => {
        const features: number[] = [];
        for (let letter = 0; letter < letters; letter++) {
          let signals = [tokens.map((token) => (token === letter ? 1 : 0) as number)];
          for (let layer = 1; layer <= layers; layer++) {
            signals = convolved(signals, channels, read(`layer${layer}.conv.weight`));
            if (activation) signals = signals.map(relu);
            const half = Math.floor(signals[0].length / 2);
            if (half < 4) continue;
            signals = signals.map((signal) => vector(half, (i) => (signal[2 * i] + signal[2 * i + 1]) / 2));
          }
          // 35 → 17 → 8 → 4 → 4.
          expect(signals[0]).toHaveLength(4);
          features.push(...signals.flat());
        }
        return readout(features, within(read, "readout"));
      },
      { length, letters },
    );
  });
});

describe("csm", () => {
  const [letters, kernels] = [4, 3];

  /**
   * Σ exp(score) of all alignments of a pattern that end at a position, one after the other: each letter of the
   * pattern is matched or left out, and between two of them one letter of the sequence may be inserted.
   */
  function weightOfAlignments(
    width: number,
    end: number,
    matched: (letter: number, at: number) => number,
    cost: number,
  ): number {
    let sum = 0;
    // Backwards, from the last letter of the pattern and the position where the alignment ends.
    const from = (letter: number, at: number, score: number): void => {
      if (letter < 0) {
        sum += Math.exp(score);
        return;
      }
      const choices: [before: number, score: number][] = [[at, score - cost]];
      if (at >= 0) choices.push([at - 1, score + matched(letter, at)]);
      for (const [before, sofar] of choices) {
        from(letter - 1, before, sofar);
        if (letter > 0 && before >= 0) from(letter - 1, before - 1, sofar - cost);
      }
    };
    from(width - 1, end, 0);
    return sum;
  }

  it.each([
    ["scores of a pattern of three letters, and the highest of five positions", 3, 5, 15],
    ["patterns of four letters, and a last window that holds one position", 4, 5, 16],
    ["a window that is longer than the sequence", 2, 20, 13],
  ])("pins down %s", async (_, width, window, length) => {
    await expectOracle(
      { name: "csm", kernels, width, window },
      (tokens, read) => {
        const [patterns, gap] = [read("match.patterns"), read("match.gap")];
        const features: number[] = [];
        for (let kernel = 0; kernel < kernels; kernel++) {
          const cost = Math.log(1 + Math.exp(gap[kernel]));
          // [letter of the alphabet][letter of the pattern][kernel]; what is no letter scores 0.
          const matched = (letter: number, at: number) =>
            tokens[at] < letters ? patterns[(tokens[at] * width + letter) * kernels + kernel] : 0;
          const scores = tokens.map((__, end) => Math.log(weightOfAlignments(width, end, matched, cost)));
          for (let start = 0; start < length; start += window) {
            const highest = Math.max(...scores.slice(start, start + window));
            features.push(batchNorm(highest, kernel, within(read, "norm")));
          }
        }
        return readout(relu(features), within(read, "readout"));
      },
      // Scores below 0 too, which zeros beyond the end would exceed.
      { length, letters, ranges: { patterns: [-3, 1], gap: [0, 2], "norm.mean": [-2, 0] } },
    );
  });
});

describe("kmer", () => {
  /** How often each word occurs, the words in the order of the alphabet; words hold letters alone. */
  function counts(tokens: readonly number[], letters: number, k: number): number[] {
    const out = vector(letters ** k, () => 0);
    for (let start = 0; start + k <= tokens.length; start++) {
      const word = tokens.slice(start, start + k);
      if (word.every((token) => token < letters)) {
        out[word.reduce((code, token) => code * letters + token, 0)]++;
      }
    }
    return out;
  }

  it.each([
    [2, 4, 16],
    [3, 4, 16],
    [4, 4, 17],
    [2, 20, 30],
    [5, 2, 5],
  ])("counts the words of %i letters of %i, and none with an ambiguous one", async (k, letters, length) => {
    const tokens = tokensOf(length, letters);
    const [{ data, shape }] = await lowered((t) => kmerCounts(t, letters, k), [tokenInput(tokens)]);
    expect(shape).toEqual([tokens.length, letters ** k]);
    expect(data).toEqual(tokens.flatMap((sequence) => counts(sequence, letters, k)));
  });

  it.each([
    ["counts normalised with a floor of 0.01 to their variance, then dense, ReLU, normalisation, dense", 2],
    ["the same with one dense layer", 1],
  ])("pins down %s", async (_, layers) => {
    await expectOracle(
      { name: "kmer", k: 3, hidden: 5, readout: layers },
      (tokens, read) => {
        const normalised = counts(tokens, 4, 3).map((count, i) =>
          batchNorm(count, i, within(read, "norm"), 0.01),
        );
        return readout(normalised, within(read, "readout"), { layers, batchNorm: true });
      },
      { length: 18 },
    );
  });
});
