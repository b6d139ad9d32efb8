import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/sequence/random.ts";
import { draw } from "../../src/task/draw.ts";
import {
  distanceHistogram,
  errorByDistance,
  medianDistance,
  shade,
  trueVersusPredicted,
} from "../../src/task/figures.ts";
import { renderReport, type TrainingReport } from "../../src/task/report.ts";
import { lossCurve, validationCurve, type TrainingPoint } from "../../src/task/training-curves.ts";

/** A run that looks like one: a falling loss, and predictions that scatter more the farther they go. */
function sample(pairs: number): TrainingReport {
  const random = new Random(1);
  const history: TrainingPoint[] = [];
  for (let step = 0; step <= 1000; step += 10) {
    const loss = 0.05 * Math.exp(-step / 150) + 0.001;
    const validation = step % 100 === 0 ? { validation: 60 * Math.sqrt(loss) + (step > 800 ? 0.2 : 0) } : {};
    history.push({ step, seconds: step / 10, loss: loss * (0.8 + 0.4 * random.uniform()), learningRate: 1e-3, ...validation }); // prettier-ignore
  }
  const truth = new Uint16Array(pairs);
  const predicted = new Float32Array(pairs);
  for (let k = 0; k < pairs; k++) {
    truth[k] = Math.floor(20 * (random.uniform() + random.uniform() + random.uniform()));
    predicted[k] = Math.max(0, truth[k] + (0.5 + truth[k] / 30) * (random.uniform() + random.uniform() - 1));
  }
  return {
    title: "v4.onnx",
    command: "embranch fit a.fasta --label '<x & y>'",
    manifest: { encoder: "cnn", dimension: 128, "learned radius": 0.931234567, "training sequences": 2500 },
    history,
    heldOut: { of: "40 sequences of b.fasta", length: 152, truth, predicted, rmsePercent: 1.052, maePercent: 0.8, pearson: 0.99412, spearman: 0.98 }, // prettier-ignore
    notes: ["3 sequences were left out."],
    next: [{ command: "embranch embed a.fasta -m v4.onnx -o z.parquet", purpose: "Embed:" }],
  };
}

const report = sample(780);
const heldOut = report.heldOut ?? { truth: [], predicted: [] };

describe("figures", () => {
  test.each([
    ["loss-curve", () => lossCurve(report.history)],
    ["validation-curve", () => validationCurve(report.history)],
    ["true-versus-predicted", () => trueVersusPredicted(heldOut).svg],
    ["error-by-distance", () => errorByDistance(heldOut)],
    ["distance-histogram", () => distanceHistogram(heldOut.truth)],
  ])("%s", async (name, draw) => {
    const svg = draw();
    expect(draw()).toBe(svg); // no generated ids
    expect(svg).not.toMatch(/NaN|undefined| id="|url\(/);
    await expect(svg).toMatchFileSnapshot(`figures/${name}.svg`);
  });

  test("are XML whatever their names hold", () => {
    const svg = draw({ description: 'a <b> & "c"', standalone: true });
    expect(svg).toContain('aria-label="a &lt;b&gt; &amp; &quot;c&quot;"');
  });

  test("are named for those who do not see them", () => {
    expect(validationCurve(report.history)).toContain(
      'aria-label="Validation error over steps; the best is 2.11 %RMSE at step 800." role="img"',
    );
    expect(trueVersusPredicted(heldOut).svg).toMatch(
      /aria-label="Predicted against true distance of 780 held-out/,
    );
  });

  test("every pair falls into one cell, also predictions outside the axes", () => {
    const { svg, mostPairs } = trueVersusPredicted({ truth: [0, 5, 5, 5], predicted: [-3, 99, 99, 2.5] });
    expect(mostPairs).toBe(2);
    expect(svg.match(/<rect /g)).toHaveLength(3);
  });

  test("a cell is the stronger the more it holds", () => {
    expect([1, 10, 100].map((count) => shade(count, 100))).toEqual([0.1, 0.55, 1]);
    expect(shade(1, 1)).toBe(1);
  });

  test("bias and error are those of the pairs at each distance", () => {
    const truth = new Uint16Array(60).map((_, k) => (k < 20 ? 3 : k < 59 ? 7 : 9));
    const predicted = Float32Array.from(truth, (d, k) => d + (d === 3 ? (k % 2 ? 1 : -1) : 2));
    const titles = [...errorByDistance({ truth, predicted }).matchAll(/<title>(.*?)<\/title>/g)].map(
      (m) => m[1],
    );
    expect(new Set(titles)).toEqual(
      new Set(["3 edits: 20 pairs, bias +0.00, RMSE 1.00", "7 edits: 39 pairs, bias +2.00, RMSE 2.00"]),
    );
  });

  test.each([
    ["one edit", [0, 1, 1, 3], ["0 edits: 1 pairs", "1 edits: 2 pairs", "3 edits: 1 pairs"]],
    ["several edits", [0, 1, 2, 100], ["0 to 1 edits: 2 pairs", "2 to 3 edits: 1 pairs", "100 to 101 edits: 1 pairs"]],
    ["fractions", [0, 0.5, 2.5], ["0 to below 1 edits: 2 pairs", "2 to below 3 edits: 1 pairs"]],
  ])("a bar of a histogram names its distances: %s", (_, distances, titles) => {
    const found = [...distanceHistogram(distances).matchAll(/<title>(.*?)<\/title>/g)].map((m) => m[1]);
    expect(found).toEqual(titles);
  }); // prettier-ignore

  test("a bar of one edit stands around its tick", () => {
    const { document } = parseHTML(distanceHistogram([0, 1, 1, 4]));
    const bars = [...document.querySelectorAll("rect")].map((bar) => {
      const [x, width] = ["x", "width"].map((name) => Number(bar.getAttribute(name)));
      return x + width / 2;
    });
    const ticks = [...document.querySelectorAll("[aria-label='x-axis tick label'] text")].map((tick) => [
      Number(tick.textContent),
      Number(/translate\(([\d.]+)/.exec(tick.getAttribute("transform") ?? "")?.[1]),
    ]);
    const place = new Map(ticks as [number, number][]);
    [0, 1, 4].forEach((edits, i) => expect(bars[i]).toBeCloseTo(place.get(edits)!, 1));
  });

  test("a histogram that stands alone has a title and a font; one on a page has neither", () => {
    const texts = (svg: string) =>
      [...parseHTML(svg).document.querySelectorAll("text")].map(({ textContent }) => textContent);
    const options = { of: "pairs of 3 sequences", kind: "exact distance" };
    const alone = distanceHistogram([1, 2, 2], { ...options, standalone: true });
    expect(texts(alone)).toContain("Exact distance of 3 pairs of 3 sequences");
    expect(alone).toContain("font-family:system-ui, sans-serif");
    const inside = distanceHistogram([1, 2, 2], options);
    expect(texts(inside)).not.toContain("Exact distance of 3 pairs of 3 sequences");
    expect(inside).toContain("font-family:inherit");
  });

  test.each([
    ["an odd number", [3, 1, 2], 2],
    ["an even number: the lower one", [4, 1, 3, 2], 2],
    ["many copies", [9, 5, 5, 5, 0], 5],
    ["fractions of one bin", Float32Array.of(0.75, 0.25, 0.5), 0.5],
    ["bins of many edits", Float32Array.from({ length: 1001 }, (_, i) => (i * 8) % 1001), 500],
    ["one", [0], 0],
    ["none", [], NaN],
  ])("the median of %s", (_, distances, median) => {
    expect(medianDistance(distances)).toBe(median);
    const svg = distanceHistogram(distances, { of: "pairs of a < b", kind: "embedded distance" });
    if (distances.length > 0) expect(svg).toContain(`>median ${median}</text>`);
    expect(svg).toMatch(/aria-label="Histogram of the embedded distance of [\d,]+ pairs of a (&lt;|<) b/);
    expect(svg).not.toMatch(/NaN|undefined/);
  });

  test.each([
    ["no step", []],
    ["one step", [{ step: 1, seconds: 1, loss: 0.5, learningRate: 1, validation: 3 }]],
    ["a loss that is not a number", [{ step: 1, seconds: 1, loss: NaN, learningRate: 1 }]],
    ["a loss of zero", [{ step: 1, seconds: 1, loss: 0, learningRate: 1, validation: 0 }]],
  ])("%s can be drawn", (_, history: TrainingPoint[]) => {
    for (const svg of [lossCurve(history), validationCurve(history)]) {
      expect(svg).toMatch(/^<svg.*<\/svg>$/s);
      expect(svg).not.toMatch(/NaN|Infinity/);
    }
  });

  test("a million pairs take bins, not marks", () => {
    const { truth, predicted } = sample(1_000_000).heldOut ?? heldOut;
    const { svg } = trueVersusPredicted({ truth, predicted });
    expect(svg.length).toBeLessThan(200_000);
  });
});

describe("the report", () => {
  const html = renderReport(report);
  const { document } = parseHTML(html);

  test("tells the numbers and what they mean", () => {
    expect(document.querySelector("h1")?.textContent).toBe("v4.onnx");
    expect(document.querySelector(".headline")?.textContent?.replace(/\s+/g, " ").trim()).toBe(
      "1.05 %RMSE On pairs of 40 sequences of b.fasta, which training never saw, the predicted distance is off by " +
        "1.6 edits (root mean square), 1.05 % of the model’s length of 152 letters.",
    );
    const pairs = [...document.querySelectorAll(".manifest div, .numbers div")].map((row) => [
      row.querySelector("dt")?.textContent,
      row.querySelector("dd")?.textContent,
    ]);
    expect(Object.fromEntries(pairs)).toEqual({
      "mean absolute error": "0.80 %",
      "Pearson correlation": "0.9941",
      "Spearman correlation": "0.9800",
      "held-out pairs": "780",
      encoder: "cnn",
      dimension: "128",
      "learned radius": "0.931235",
      "training sequences": "2,500",
    });
    expect(document.querySelectorAll("svg[role=img][aria-label]")).toHaveLength(5);
    expect(document.querySelector(".note")?.textContent).toBe("3 sequences were left out.");
    expect(document.querySelector(".step code")?.textContent).toBe(
      "embranch embed a.fasta -m v4.onnx -o z.parquet",
    );
  });

  test("stands alone: no script, nothing from the network, text escaped", () => {
    expect(html).not.toMatch(/<script|<link|<img|@import|src=|href=/);
    expect(html.match(/https?:\/\/[^"]*/g)?.every((url) => url === "http://www.w3.org/2000/svg")).toBe(true);
    expect(html).toContain("--label '&lt;x &amp; y&gt;'");
  });

  test("is the same for the same run", () => {
    expect(renderReport(sample(780))).toBe(html);
  });

  test("without held-out pairs shows the training alone", () => {
    const history = report.history.map(({ step, seconds, loss, learningRate }) => ({
      step,
      seconds,
      loss,
      learningRate,
    }));
    const { document } = parseHTML(
      renderReport({ ...report, history, heldOut: undefined, notes: undefined }),
    );
    expect(document.querySelectorAll("svg")).toHaveLength(1);
    expect(document.querySelector(".headline")).toBeNull();
  });
});
