/** @file Training that is stopped: by Ctrl-C, by a scheduler, by kill -9, by numbers that run away, by a full disk. */

import { execFileSync, type ChildProcessWithoutNullStreams } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { setTimeout } from "node:timers/promises";
import { beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../src/engine/model-file.ts";
import { ended, SMALL, Workplace } from "./command.ts";

const place = new Workplace();
/** More steps than a test waits for. */
const ENDLESS = 10_000_000;

const fit = (output: string, options: string) =>
  `fit train.fasta --val val.fasta ${SMALL} -o ${output} ${options}`;

/** Waits until a file is there, for as long as the process that should write it lives. */
async function appears(name: string, child: ChildProcessWithoutNullStreams): Promise<void> {
  while (!existsSync(place.at(name)) && child.exitCode === null) await setTimeout(10);
}

const files = (prefix: string) => readdirSync(place.path).filter((name) => name.includes(prefix));
const step = (checkpoint: string): number => {
  const bytes = readFileSync(place.at(checkpoint));
  const header = bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE(0))).toString();
  const { __metadata__ } = JSON.parse(header) as { __metadata__: { data: string } };
  return (JSON.parse(__metadata__.data) as { step: number }).step;
};

beforeAll(async () => {
  await place.ok("simulate 40 --length 30 -o train.fasta --seed 3 -q");
  await place.ok("simulate 9 --length 30 -o val.fasta --seed 3 --prefix val -q");
});

describe("a run of so many steps, killed and resumed", () => {
  const steps = 400;
  let unbroken: Buffer;

  beforeAll(async () => {
    await place.ok(fit("unbroken.onnx", `--steps ${steps} -q`));
    unbroken = readFileSync(place.at("unbroken.onnx"));
  });

  test("by kill -9 makes the same model as one that never stopped", async () => {
    const line = fit("killed.onnx", `--steps ${steps} --checkpoint-seconds 0 -q`);
    const child = place.start(line);
    await appears("killed.onnx.checkpoint", child);
    child.kill("SIGKILL");
    expect((await ended(child)).signal).toBe("SIGKILL");
    const stoppedAt = step("killed.onnx.checkpoint");
    expect(stoppedAt).toBeGreaterThan(0);
    expect(stoppedAt).toBeLessThan(steps);
    expect(files("killed.onnx").filter((name) => !name.includes("checkpoint"))).toEqual([]);

    await place.ok(`${line} --resume`);
    expect(readFileSync(place.at("killed.onnx")).equals(unbroken)).toBe(true);
    expect(files("killed.onnx")).toEqual(["killed.onnx"]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
  ] as const)("by %s saves, says how to go on, and exits with %i", async (signal, code) => {
    const output = `${signal}.onnx`;
    // The first checkpoint shows that training has begun.
    const child = place.start(fit(output, `--steps ${ENDLESS} --checkpoint-seconds 0.01 -q`));
    await appears(`${output}.checkpoint`, child);
    child.kill(signal);
    const end = await ended(child);
    expect(end).toMatchObject({ code, stdout: "" });
    const saved = step(`${output}.checkpoint`);
    expect(end.stderr).toBe(
      `embranch: stopped at step ${saved}, all of it saved; go on with: ` +
        `embranch ${fit(output, `--steps ${ENDLESS} --checkpoint-seconds 0.01 -q --resume`)}\n`,
    );
    expect(files(output)).toEqual([`${output}.checkpoint`]);
  });

  test("after another recipe, seed or file is refused, with what differs", async () => {
    const resume = (options: string) => place.run(fit("SIGINT.onnx", `--steps 5 -q --resume ${options}`));
    const refusals = await Promise.all([
      resume("--seed 2"),
      resume("--geometry euclidean"),
      resume("--batch 8"),
    ]);
    expect(refusals.map(({ code }) => code)).toEqual([1, 1, 1]);
    expect(refusals[0].stderr).toMatch(
      /^embranch: resume: seed must be .*, got 2 instead of 1; start again.*\n$/,
    );
    expect(refusals[1].stderr).toContain(
      'geometry must be what the checkpoint was made with, got "euclidean"',
    );
    expect(refusals[2].stderr).toContain(
      "batch must be what the checkpoint was made with, got 8 instead of 16",
    );
    expect(files("SIGINT.onnx")).toEqual(["SIGINT.onnx.checkpoint"]);
  });
});

test("a second Ctrl-C ends the process at once", async () => {
  // Nobody reads this pipe, so that saving after the first one takes for ever.
  execFileSync("mkfifo", [place.at("twice.onnx.checkpoint.part")]);
  const child = place.start(fit("twice.onnx", `--steps ${ENDLESS}`));
  await once(child.stderr, "data");
  const end = ended(child);
  while (child.exitCode === null && child.signalCode === null) {
    child.kill("SIGINT");
    await setTimeout(200);
  }
  expect((await end).signal).toBe("SIGINT");
  expect(files("twice.onnx")).toEqual(["twice.onnx.checkpoint.part"]);
});

test("--resume without a checkpoint says so", async () => {
  const { code, stderr } = await place.run(fit("none.onnx", "--steps 3 --resume"));
  expect({ code, stderr }).toEqual({
    code: 1,
    stderr: "embranch: none.onnx.checkpoint: there is no such checkpoint to resume; start without --resume\n",
  });
});

test("a damaged checkpoint is refused, and stays", async () => {
  writeFileSync(place.at("damaged.onnx.checkpoint"), "not a checkpoint at all");
  const { code, stderr } = await place.run(fit("damaged.onnx", "--steps 3 --resume -q"));
  expect(code).toBe(1);
  expect(stderr).toMatch(/^embranch: damaged.onnx.checkpoint: is damaged or not a checkpoint; .*\n$/);
  expect(files("damaged.onnx")).toEqual(["damaged.onnx.checkpoint"]);
});

test("numbers that run away stop the run, with the step, the tensor and the checkpoint", async () => {
  const line = (rate: number) =>
    fit("nan.onnx", `--steps 8 --learning-rate ${rate} --checkpoint-seconds 0 -q`);
  const { code, stderr } = await place.run(line(1e30));
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^embranch: training: (loss|gradient norm|validation error) must be finite, got \S+ at step \d+ .*; lower --learning-rate; the last checkpoint is nan.onnx.checkpoint \(--resume\)\n$/,
  );
  expect(files("nan.onnx")).toEqual(["nan.onnx.checkpoint"]);
});

test.skipIf(!existsSync("/dev/full"))("a model that cannot be written is not lost", async () => {
  symlinkSync("/dev/full", place.at("full.onnx"));
  const line = fit("full.onnx", "--steps 3 --checkpoint-seconds 0 -q");
  const { code, stderr } = await place.run(line);
  expect(code).toBe(1);
  expect(stderr).toMatch(
    /^embranch: full.onnx: cannot be written: the disk is full; .*; then --resume goes on from full.onnx.checkpoint\n$/,
  );
  rmSync(place.at("full.onnx"));
  await place.ok(`${line} --resume`);
  expect(readManifest(readFileSync(place.at("full.onnx")), "full.onnx").training.steps).toBe(3);
});
