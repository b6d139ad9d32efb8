/** @file `embranch bench classifier`: who takes part, and what is told of them. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { ClassifierTiming } from "../../src/bench/classifier.ts";
import { pythonWith } from "../../src/bench/peer.ts";
import { Workplace } from "./command.ts";

const place = new Workplace();

test("a network of either side is timed, and its memory told", async () => {
  const { threads, rounds, results } = JSON.parse(
    await place.ok(
      "bench classifier --lengths 12 --networks hcnn --threads 1 --rounds 1 -q --json -o steps.md",
    ),
  ) as { threads: number; rounds: number; results: ClassifierTiming[] };
  expect({ threads, rounds }).toEqual({ threads: 1, rounds: 1 });
  const sides = pythonWith("torch") === undefined ? ["ours"] : ["ours", "peer"];
  expect(results.map(({ network, side }) => [network, side])).toEqual(sides.map((side) => ["hcnn", side]));
  for (const { length, median, least, greatest, parameters, memory } of results) {
    expect(length).toBe(12);
    expect(least).toBeGreaterThan(0);
    expect(median).toBeGreaterThanOrEqual(least);
    expect(greatest).toBeGreaterThanOrEqual(median);
    expect(parameters).toBeGreaterThan(200_000);
    if (process.platform === "linux") expect(memory).toBeGreaterThan(50e6);
  }
  const report = readFileSync(place.at("steps.md"), "utf8");
  expect(report).toMatch(/^\| hcnn \| 12 \| [\d.]+ \|/m);
  expect(report).toMatch(/Made with `embranch bench classifier .*` on .+, Node v\d+/);
});

test.each([
  ["bench classifier --networks rnn", "Allowed choices are cnn, hcnn, hcnn-multi"],
  ["bench classifier --lengths 0", "It must be a positive integer"],
])("%s", async (line, message) => {
  const { code, stdout, stderr } = await place.run(line);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
});
