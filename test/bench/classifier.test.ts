/** @file The peer of the classifiers: the published networks, and the same functions as ours. */

import { init } from "@jax-js/jax";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ClassifierSteps, type StepsTaken } from "../../src/bench/classifier-steps.ts";
import { Peer, peerSource, pythonWith } from "../../src/bench/peer.ts";
import { lower } from "../../src/engine/lower.ts";
import { Program, Tensor } from "../../src/engine/run.ts";
import type { ClassifierName } from "../../src/nn/classifier.ts";

const LENGTH = 24;
const BATCH = 12;
const PADDING = 5;

const python = pythonWith("torch");
const torch = (length: number, network: ClassifierName) =>
  Peer.start(python!, [peerSource("torch_classifier.py"), ...[1, length, network, BATCH].map(String)]);

/** Half the difference of the two logits of each sequence, of our network by the running statistics. */
async function centredLogits({ model, state, tokens }: ClassifierSteps): Promise<number[]> {
  const infer = model.infer.bind(model);
  const { bytes, inputs, outputs } = lower(infer, {
    parameters: { shape: [model.parameters.size], type: "float32" },
    statistics: { shape: [model.statistics.size], type: "float32" },
    tokens: { shape: [BATCH, LENGTH], type: "int32" },
  });
  const program = await Program.create(bytes, { threads: 1 });
  const results = await program.run({
    [inputs[0]]: new Tensor("float32", state.parameters, [state.parameters.length]),
    [inputs[1]]: new Tensor("float32", state.statistics, [state.statistics.length]),
    [inputs[2]]: new Tensor("int32", tokens, [BATCH, LENGTH]),
  });
  await program.close();
  const probabilities = results[outputs[0]].data as Float32Array;
  return Array.from({ length: BATCH }, (_, row) => {
    const [first, second] = probabilities.subarray(2 * row);
    return Math.log(first / second) / 2;
  });
}

/** The greatest one of two lists of numbers. */
function difference(some: readonly number[], others: readonly number[]): number {
  expect(some).toHaveLength(others.length);
  return Math.max(...some.map((value, i) => Math.abs(value - others[i])));
}

describe.skipIf(python === undefined)("PyTorch's classifiers", () => {
  // SPEC C2 and G7; both hyperbolic networks learn as much, but for curvatures.
  test.each([
    ["hcnn", 70, 1_194_534],
    ["hcnn-multi", 1000, 16_416_774],
    ["cnn", 1000, 16_945_682],
  ] as const)("%s of %i letters learns as many numbers as published", async (network, length, count) => {
    const peer = await torch(length, network);
    peer.stop();
    expect(peer.parameters).toBe(count);
  });

  describe.each(["cnn", "hcnn", "hcnn-multi"] as const)("%s", (network) => {
    let steps: ClassifierSteps;
    let peer: Peer;
    beforeAll(async () => {
      await init("wasm");
      [steps, peer] = await Promise.all([
        ClassifierSteps.create({ network, length: LENGTH, batch: BATCH, threads: 1 }),
        torch(LENGTH, network),
      ]);
    });
    afterAll(async () => {
      peer.stop();
      await steps.close();
    });

    test("of our weights takes the same steps, and then gives the same logits", async () => {
      for (let row = 0; row < BATCH; row += 3) {
        steps.tokens.fill(PADDING, row * LENGTH + 15, (row + 1) * LENGTH);
        steps.tokens[row * LENGTH + 4] = 4;
      }
      const { parameters: layout } = steps.model;
      const parameters = steps.state.parameters.slice();
      // Away from the start: curvatures that differ, and centres that are not the origin.
      layout.entries
        .filter(({ path }) => path.startsWith("curvature."))
        .forEach(({ offset }, i) => (parameters[offset] = [0.2, -0.3, 0.5, 0.1][i]));
      for (const { offset, size } of layout.entries.filter(({ path }) => path === "centres")) {
        for (let start = offset; start < offset + size; start += 32) {
          const point = parameters.subarray(start, start + 32);
          point.forEach((_, i) => (point[i] = i === 0 ? 0 : 0.05 * Math.sin(start + i)));
          point[0] = Math.hypot(1, ...point);
        }
      }
      steps.state = { ...steps.state, parameters, average: parameters };
      await peer.ask({
        do: "load",
        parameters: Object.fromEntries(
          layout.entries.map(({ path }) => [path, Array.from(layout.view(parameters, path))]),
        ),
        tokens: Array.from({ length: BATCH }, (_, i) =>
          Array.from(steps.tokens.subarray(i * LENGTH, (i + 1) * LENGTH)),
        ),
        labels: Array.from(steps.labels),
      });
      const theirs = async () => {
        const { logits } = await peer.ask<{ logits: number[][] }>({ do: "forward" });
        return logits.map(([first, second]) => (first - second) / 2);
      };

      expect(difference(await theirs(), await centredLogits(steps))).toBeLessThan(2e-6);
      const { losses } = await peer.ask<StepsTaken>({ do: "train", steps: 3 });
      expect(difference(losses, (await steps.run(3)).losses)).toBeLessThan(2e-5);
      expect(difference(await theirs(), await centredLogits(steps))).toBeLessThan(1e-4);
    });
  });
});
