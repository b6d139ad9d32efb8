/** @file The figures and reports of classification. */

import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import type { ClassifierManifest } from "../../../src/engine/classifier-file.ts";
import type { TrainResult } from "../../../src/engine/training.ts";
import { Random } from "../../../src/sequence/index.ts";
import { bootstrapIntervals } from "../../../src/task/classify/bootstrap.ts";
import { reliability } from "../../../src/task/classify/calibration.ts";
import type { Judgement } from "../../../src/task/classify/evaluate.ts";
import { confusionFigure, DEV_MCC, reliabilityFigure } from "../../../src/task/classify/figures.ts";
import { classificationScores } from "../../../src/task/classify/metrics.ts";
import { classifyReport } from "../../../src/task/classify/report.ts";
import { wilson } from "../../../src/task/wilson.ts";
import { validationCurve } from "../../../src/task/training-curves.ts";

/** Answers that are mostly right, of as many classes as there are names. */
function judged(names: readonly string[], n = 300): Judgement {
  const random = new Random(2);
  const classes = names.length;
  const labels = Uint16Array.from({ length: n }, () => random.integer(classes));
  const probabilities = new Float32Array(n * classes);
  labels.forEach((label, i) => {
    const row = Array.from({ length: classes }, (_, k) => random.uniform() + (k === label ? 0.3 : 0));
    const sum = row.reduce((total, value) => total + value, 0);
    row.forEach((value, k) => (probabilities[i * classes + k] = value / sum));
  });
  const predictions = { classes, labels, probabilities };
  const intervals = bootstrapIntervals(predictions, { resamples: 50 });
  return { predictions, scores: classificationScores(predictions, names), intervals };
}

const THREE = ["acceptor <AG>", "donor", "neither of the two kinds"];
const judgement = judged(THREE);
const history = [20, 40, 60, 80].map((step) => ({
  step,
  seconds: step / 10,
  loss: 1 / step,
  learningRate: 1e-3,
  validation: step === 20 ? -0.05 : 0.8 - (step - 60) ** 2 / 4000,
}));

describe("figures", () => {
  test.each([
    ["confusion", () => confusionFigure(judgement.scores.confusion, THREE)],
    ["reliability", () => reliabilityFigure(reliability(judgement.predictions), 3)],
    ["dev-mcc", () => validationCurve(history, DEV_MCC)],
  ])("%s", async (name, draw) => {
    const svg = draw();
    expect(draw()).toBe(svg);
    expect(svg).not.toMatch(/NaN|undefined| id="|url\(/);
    await expect(svg).toMatchFileSnapshot(`figures/${name}.svg`);
  });

  test("the best MCC is the greatest, the first of equal ones, and may be below 0", () => {
    const label = (values: number[]) => {
      const points = values.map((validation, i) => ({ ...history[i], validation }));
      return parseHTML(validationCurve(points, DEV_MCC)).document.querySelector("svg")?.getAttribute("aria-label");
    }; // prettier-ignore
    expect(label([0.1, 0.7, 0.7, 0.2])).toBe("Matthews' correlation on dev over steps; the best is MCC 0.70 at step 40.");
    expect(label([-0.2, -0.1])).toContain("MCC -0.10 at step 40");
  }); // prettier-ignore

  test("a single measurement has round numbers at its axis", () => {
    const once = history.slice(2, 3).map((point) => ({ ...point, validation: 0.73123 }));
    const numbers = [...validationCurve(once, DEV_MCC).matchAll(/<text[^>]*>([\d.]+)<\/text>/g)];
    expect(numbers.map((match) => match[1]).slice(0, 3)).toEqual(["0.68", "0.70", "0.72"]);
  });

  test("every cell tells its count and its share of the class; those of many classes have no text", () => {
    const titles = (svg: string) => [...svg.matchAll(/<title>(.*?)<\/title>/g)].map((match) => match[1]);
    const svg = confusionFigure([[9, 1], [0, 0]], ["a", "b"]); // prettier-ignore
    expect(titles(svg)).toEqual([
      "a answered as a: 9 (90.0 %)",
      "a answered as b: 1 (10.0 %)",
      "b answered as a: 0 (0.0 %)",
      "b answered as b: 0 (0.0 %)",
    ]);
    expect(svg).toContain("Confusion matrix of 2 classes; 90.0 % of the answers are right.");
    const names = Array.from({ length: 30 }, (_, k) => `family ${k}`);
    const many = confusionFigure(judged(names).scores.confusion, names);
    expect(titles(many)).toHaveLength(900);
    expect(many).not.toMatch(/NaN|undefined/);
  });

  test.each([
    [0.5, 10, 0.2366, 0.7634],
    [1, 10, 0.7225, 1],
    [0, 1, 0, 0.7935],
  ])("Wilson's interval of %f of %i", (share, count, low, high) => {
    const [from, to] = wilson(share, count);
    expect(from).toBeCloseTo(low, 4);
    expect(to).toBeCloseTo(high, 4);
  });

  test("bins without answers are not drawn", () => {
    const predictions = { classes: 2, labels: [0], probabilities: Float32Array.of(0.9, 0.1) };
    expect(reliabilityFigure(reliability(predictions), 2).match(/<circle/g)).toHaveLength(1);
  });
});

describe("the report", () => {
  const manifest: ClassifierManifest = {
    version: 1,
    embranch: "0.1.0",
    alphabet: "dna",
    letters: "ACGT",
    length: 60,
    classes: THREE,
    network: { name: "hcnn", blocks: 3, dropout: 0 },
    radiusSquared: 2,
    training: {
      sequences: 2500,
      digest: "0123456789abcdef0123",
      seed: 1,
      recipe: { name: "default" },
      steps: 80,
    },
    validation: { sequences: 300, mcc: judgement.scores.mcc },
  };
  const training = { history, seconds: 8, bestStep: 60, steps: 80, validation: 0.8 } as TrainResult;
  const input = {
    title: "splice.onnx",
    command: "embranch classify fit 'a & b.csv'",
    of: "of dev",
    manifest,
    judgement,
    training,
    notes: ["3 sequences of dev are copies of training sequences"],
    next: [{ command: "embranch classify evaluate a.csv", purpose: "measure" }],
  };
  const html = classifyReport(input);
  const { document } = parseHTML(html);
  const text = (selector: string) =>
    document.querySelector(selector)?.textContent?.replace(/\s+/g, " ").trim();

  test("tells the numbers and what they mean", () => {
    const { scores, intervals } = judgement;
    const [low, high] = intervals!.mcc.map((value) => value.toFixed(2));
    expect(text(".figure-of-merit")).toBe(`${scores.mcc.toFixed(3)} MCC`);
    expect(text(".headline")).toContain(
      `Matthews’ correlation of answers and classes (95 % interval ${low} to ${high}), on 300 sequences of dev.`,
    );
    expect(text(".numbers")).toContain(`${(100 * scores.accuracy).toFixed(1)} %`);
    expect(document.querySelectorAll("svg[role=img][aria-label]")).toHaveLength(4);
    expect(document.querySelectorAll(".scores tbody tr")).toHaveLength(3);
    expect(text(".scores tbody tr")).toContain("acceptor <AG>");
    expect(text(".manifest")).toContain("curvature −1/k-0.5");
    expect(text(".note")).toBe(input.notes[0]);
    expect(text(".step code")).toBe("embranch classify evaluate a.csv");
  });

  test("stands alone, text escaped, the same for the same run", () => {
    expect(html).not.toMatch(/<script|<link|<img|@import|src=|href=|<AG>|NaN|undefined/);
    expect(html).toContain("'a &amp; b.csv'");
    expect(classifyReport(input)).toBe(html);
  });

  test("of an evaluation has no training; without intervals and next steps it says none", () => {
    const plain = classifyReport({
      ...input,
      training: undefined,
      next: undefined,
      judgement: { ...judgement, intervals: null },
    });
    const page = parseHTML(plain).document;
    expect(page.querySelectorAll("svg[role=img]")).toHaveLength(2);
    expect(plain).toContain("Embranch classification report");
    expect(plain).not.toMatch(/interval \d|What to do next|kept step/);
  });

  test("of very many classes has no confusion matrix", () => {
    const names = Array.from({ length: 60 }, (_, k) => `f${k}`);
    const page = classifyReport({ ...input, training: undefined, judgement: judged(names) });
    expect(parseHTML(page).document.querySelectorAll("svg[role=img]")).toHaveLength(1);
    expect(page).not.toContain("Confusion matrix");
  });
});
