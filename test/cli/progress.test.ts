import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import {
  formatCount,
  formatDuration,
  formatRate,
  Progress,
  type ProgressOptions,
} from "../../src/cli/progress.ts";
import { decimals, formatTable } from "../../src/cli/table.ts";

beforeEach(() => {
  vi.stubEnv("TERM", "xterm");
  vi.stubEnv("NO_COLOR", "1");
});
afterEach(() => vi.unstubAllEnvs());

/** A progress display with a clock that the test moves, and what it wrote. */
function display(options: ProgressOptions & { columns?: number; isTTY?: boolean } = {}) {
  const written: string[] = [];
  const clock = { seconds: 0 };
  const { columns = 80, isTTY = false, ...rest } = options;
  const progress = new Progress("fit", {
    unit: "steps",
    stream: { write: (text) => written.push(text), isTTY, columns },
    now: () => clock.seconds * 1000,
    ...rest,
  });
  return { progress, written, clock };
}

describe("progress in a log", () => {
  test("is a line every few seconds, with rate, time left and message", () => {
    const { progress, written, clock } = display({ total: 2000 });
    for (clock.seconds = 0; clock.seconds <= 12; clock.seconds++) {
      progress.update(clock.seconds * 50, { message: "loss 0.0123" });
    }
    progress.finish();
    expect(written).toEqual([
      "fit: 250 of 2,000 steps (12 %), 50/s, 35 s left, loss 0.0123\n",
      "fit: 500 of 2,000 steps (25 %), 50/s, 30 s left, loss 0.0123\n",
      "fit: 600 steps in 13 s (46.2/s), loss 0.0123\n",
    ]);
  });

  test("without a total tells the time gone", () => {
    const { progress, written, clock } = display();
    clock.seconds = 65;
    progress.update(1_234_567);
    expect(written).toEqual(["fit: 1,234,567 steps, 19 k/s, 1:05 so far\n"]);
  });

  test("follows the fraction where the clock bounds the work", () => {
    const { progress, written, clock } = display();
    clock.seconds = 60;
    progress.update(1000, { fraction: 0.1 });
    expect(written).toEqual(["fit: 1,000 steps (10 %), 16.7/s, 9:00 left\n"]);
  });

  test("is silent when quiet", () => {
    const { progress, written, clock } = display({ quiet: true, isTTY: true });
    clock.seconds = 60;
    progress.update(1);
    progress.note("note");
    progress.finish();
    expect(written).toEqual([]);
  });
});

describe("progress on a terminal", () => {
  test("is a bar that is redrawn in place and replaced by a summary", () => {
    const { progress, written, clock } = display({ isTTY: true, total: 100 });
    clock.seconds = 1;
    progress.update(25, { message: "loss 0.5" });
    clock.seconds = 1.05;
    progress.update(26);
    progress.note("a sequence has 3 ambiguous letters");
    progress.finish("%RMSE 1.05");
    const bar = "━".repeat(24);
    expect(written).toEqual([
      `\r\u001b[2Kfit ${bar}  25 %  25 of 100 steps  25/s  3.0 s left  loss 0.5`,
      "\r\u001b[2K",
      "a sequence has 3 ambiguous letters\n",
      `\r\u001b[2Kfit ${bar}  26 %  26 of 100 steps  25/s  3.0 s left  loss 0.5`,
      "\r\u001b[2K",
      "✓ fit: 26 steps in 1.1 s (24.8/s), %RMSE 1.05\n",
    ]);
  });

  test("notes after the end draw no bar", () => {
    const { progress, written, clock } = display({ isTTY: true, total: 100 });
    clock.seconds = 1;
    progress.update(100);
    progress.finish();
    progress.note("all of it in a.npy");
    expect(written.at(-1)).toBe("all of it in a.npy\n");
  });

  test.each([20, 40, 60, 80])("never wraps at %i columns", (columns) => {
    const { progress, written, clock } = display({ isTTY: true, total: 1e9, columns });
    clock.seconds = 1;
    progress.update(123_456_789, { message: "loss 0.0123456789, validation 1.2345" });
    expect(written[0].replace("\r\u001b[2K", "").length).toBeLessThan(columns);
  });

  test("a rate follows a change of speed", () => {
    const { progress, written, clock } = display({ isTTY: true, total: 10_000, columns: 200 });
    for (let step = 0, t = 0; t < 200; t++) {
      clock.seconds = t + 1;
      step += t < 100 ? 10 : 40;
      progress.update(step);
    }
    const rates = written.map((line) => Number(/([\d.]+)\/s/.exec(line)?.[1]));
    expect(rates[99]).toBeCloseTo(10, 1);
    expect(rates[199]).toBeGreaterThan(37);
  });
});

test("numbers read well", () => {
  expect([0.04, 9.9, 42, 187, 3723].map(formatDuration)).toEqual([
    "0.0 s",
    "9.9 s",
    "42 s",
    "3:07",
    "1:02:03",
  ]);
  expect([0.2512, 312.4, 1234, 23_456, 1_240_000, 3e9].map(formatRate)).toEqual([
    "0.251/s",
    "312/s",
    "1,234/s",
    "23.5 k/s",
    "1.24 M/s",
    "3 G/s",
  ]);
  expect(formatCount(1234567)).toBe("1,234,567");
});

test("what is not defined is a dash", () => {
  expect([decimals(1.0456, 2), decimals(1, 1, " %"), decimals(NaN, 3), decimals(null, 3, " %")]).toEqual([
    "1.05",
    "1.0 %",
    "–",
    "–",
  ]);
});

test("tables are aligned, numbers to the right", () => {
  const rows = [["measure", "value"], ["%RMSE", 1.05], ["pairs", "374,545"]]; // prettier-ignore
  expect(formatTable(rows)).toBe("measure    value\n%RMSE       1.05\npairs    374,545");
  expect(formatTable([["a", "b"], ["cc", "dd"]], { align: "rl", gap: " | " })).toBe(" a | b\ncc | dd"); // prettier-ignore
  expect(formatTable([])).toBe("");
});
