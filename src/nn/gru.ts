/**
 * @file The recurrent encoder of NeuroSEED (SPEC A4; cell: SPEC 0.2, Cho et al. 2014).
 *
 * Unrolled over the positions. What the letters contribute is one matrix product for all of them, cut into
 * positions by `split`: its gradient is a concatenation, where as many slices would each pad their own to full
 * length, at a cost quadratic in the length. Time comes first, so that a position is one piece of memory.
 */

import { nn, numpy as np } from "@jax-js/jax";
import { z } from "zod";
import { chain, fixed, learned, type Block } from "./block.ts";
import { dropout, letters as oneHotLetters } from "./blocks.ts";
import type { EncoderFactory } from "./encoder.ts";
import { uniform } from "./parameter.ts";
import { readout, readoutSettings } from "./readout.ts";

export const gruOptions = z.strictObject({
  hidden: z.int().positive().default(128).describe("width of the state"),
  layers: z.int().positive().default(1).describe("recurrent layers"),
  ...readoutSettings,
});

interface GruArrays {
  input: { weight: np.Array; bias: np.Array };
  state: { weight: np.Array; bias: np.Array };
}

/** Parts that a `split` of jax-js makes at a time; it makes more by copying what is left again and again. */
const PARTS = 8;

/** The `count` slices of axis 0, by halves of halves, so that each number is copied log(count) times. */
function slices(x: np.Array, count: number): np.Array[] {
  if (count === 1) return [x];
  const parts = Math.min(PARTS, count);
  const bounds = Array.from({ length: parts + 1 }, (_, i) => Math.floor((i * count) / parts));
  return np.split(x, bounds.slice(1, -1), 0).flatMap((part, i) => slices(part, bounds[i + 1] - bounds[i]));
}

/** The arrays along axis 0, by groups of groups. */
function joined(arrays: np.Array[]): np.Array {
  if (arrays.length <= PARTS) return np.concatenate(arrays, 0);
  const size = Math.ceil(arrays.length / PARTS);
  const groups = Array.from({ length: Math.ceil(arrays.length / size) }, (_, i) =>
    joined(arrays.slice(i * size, (i + 1) * size)),
  );
  return np.concatenate(groups, 0);
}

/**
 * Every so many states one is held until tracing is over. Letting go of a traced array lets go of what it came
 * from, and so on: without an end to that, a long sequence exhausts the stack.
 */
const HELD = 16;

/** One layer: [n, batch, inputs] → [n, batch, hidden], or the last state alone [batch, hidden]. */
function recurrence(inputs: number, hidden: number, length: number, last: boolean): Block {
  const weights = (shape: number[], decay: boolean) => uniform(shape, 1 / Math.sqrt(hidden), { decay });
  const gates = (rows: number) => ({
    weight: weights([rows, 3 * hidden], true),
    bias: weights([3 * hidden], false),
  });
  return learned<GruArrays>({ input: gates(inputs), state: gates(hidden) }, ({ input, state }, x) => {
    const batch = x.shape[1];
    const steps = slices(np.matmul(x, input.weight).add(input.bias), length);
    const states: np.Array[] = [];
    const held: np.Array[] = [];
    let h: np.Array | undefined;
    for (const [t, step] of steps.entries()) {
      const [xr, xz, xn] = np.split(step.reshape([batch, 3 * hidden]), 3, 1);
      const bias = state.bias.ref.reshape([1, 3 * hidden]);
      const recurrent =
        h === undefined
          ? np.zeros([batch, 3 * hidden]).add(bias)
          : np.matmul(h.ref, state.weight.ref).add(bias);
      const [hr, hz, hn] = np.split(recurrent, 3, 1);
      const reset = nn.sigmoid(xr.add(hr));
      const update = nn.sigmoid(xz.add(hz));
      const candidate = np.tanh(xn.add(reset.mul(hn)));
      // (1 − z)·candidate + z·h
      const change = h === undefined ? candidate.ref.mul(-1) : h.sub(candidate.ref);
      h = candidate.add(update.mul(change));
      if (!last) states.push(h.ref.reshape([1, batch, hidden]));
      if (t % HELD === 0) held.push(h.ref);
    }
    queueMicrotask(() => held.reverse().forEach((state) => state.dispose()));
    state.weight.dispose();
    state.bias.dispose();
    if (last) return h!;
    h!.dispose();
    return joined(states);
  });
}

/** Dropout of [n, batch, hidden]. */
function timeMajorDropout(rate: number, length: number, hidden: number): Block | undefined {
  if (rate === 0) return undefined;
  const swap = fixed((x) => x.transpose([1, 0, 2]));
  return chain({ batchMajor: swap, dropout: dropout(rate, [length, hidden]), timeMajor: swap });
}

/** A recurrent encoder: the last state of the top layer goes to the readout; padding is not masked. */
export const gruEncoder: EncoderFactory<typeof gruOptions> = (options, { length, letters, dim }) => {
  const { hidden, layers } = options;
  const stack = Array.from({ length: layers }, (_, i) => {
    const last = i === layers - 1;
    return chain({
      cells: recurrence(i === 0 ? letters : hidden, hidden, length, last),
      dropout: last ? undefined : timeMajorDropout(options.dropout, length, hidden),
    });
  });
  return chain({
    timeMajor: fixed((tokens) => tokens.transpose([1, 0])),
    letters: oneHotLetters(letters),
    ...Object.fromEntries(stack.map((layer, i) => [`layer${i + 1}`, layer])),
    readout: readout(hidden, dim, {
      layers: options.readout,
      hidden,
      weights: options.weights,
      dropout: options.dropout,
    }),
  });
};
