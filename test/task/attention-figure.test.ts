import { parseHTML } from "linkedom";
import { describe, expect, test } from "vitest";
import { Random } from "../../src/sequence/random.ts";
import { attentionFigure, type AttentionMaps } from "../../src/task/attention-figure.ts";

const SOURCE = "GATTACAGATTA";
const TARGET = "GATACAGGATTA";

/** Maps of n = `length` in which every row gives `share` to its diagonal cell and the rest to the cell before it. */
function diagonal(length: number, share: number, source: string, target: string): AttentionMaps {
  const side = length + 1;
  const attention = new Float32Array(side * side);
  const alignment = new Float32Array(side * side);
  for (let i = 0; i <= target.length; i++) {
    const j = Math.min(i, source.length);
    alignment[side * i + j] = 1;
    attention[side * i + j] = j === 0 ? 1 : share;
    if (j > 0) attention[side * i + j - 1] = 1 - share;
  }
  return { attention, alignment, source, target };
}

/** The cells of each heat map, then of the legend: shade by `column,row`. */
function cellsOf(svg: string): Map<string, number>[] {
  const { document } = parseHTML(svg);
  return [...document.querySelectorAll("g[shape-rendering]")].map((group) => {
    const cells = new Map<string, number>();
    for (const path of group.querySelectorAll("path")) {
      for (const [, x, y, width] of (path.getAttribute("d") ?? "").matchAll(/M(\d+),(\d+)h(\d+)v1h-\3z/g)) {
        for (let j = 0; j < Number(width); j++) {
          cells.set(`${Number(x) + j},${y}`, Number(path.getAttribute("fill-opacity")));
        }
      }
    }
    return cells;
  });
}

const texts = (svg: string): string[] =>
  [...parseHTML(svg).document.querySelectorAll("text")].map(({ textContent }) => textContent);

describe("the attention figure", () => {
  test("of a small pair", async () => {
    const draw = (): string =>
      attentionFigure(diagonal(15, 0.75, SOURCE, TARGET), { title: "A pair", caption: "Edit distance 2." });
    expect(draw()).toBe(draw());
    expect(draw()).not.toMatch(/NaN|undefined| id="|url\(|href/);
    await expect(draw()).toMatchFileSnapshot("figures/attention.svg");
  });

  test("shows the cells of both sequences' prefixes, and no padding", () => {
    const [attention, alignment, legend] = cellsOf(
      attentionFigure(diagonal(15, 0.75, "GATT", TARGET.slice(0, 3))),
    );
    expect(Object.fromEntries(attention)).toEqual({
      ...{ "0,0": 1, "1,1": 0.75, "2,2": 0.75, "3,3": 0.75 },
      ...{ "0,1": 0.25, "1,2": 0.25, "2,3": 0.25 },
    });
    expect([...alignment.keys()]).toEqual(["0,0", "1,1", "2,2", "3,3"]);
    expect([legend.get("32,0"), legend.get("64,0")]).toEqual([0.5, 1]);
  });

  test("zoomed in, the letters stand along both axes", () => {
    const svg = attentionFigure(diagonal(12, 0.5, SOURCE, TARGET), { zoom: { from: 3, to: 6 } });
    expect([...cellsOf(svg)[1].keys()]).toEqual(["0,0", "1,1", "2,2", "3,3"]);
    const letters = texts(svg).filter((text) => text.length === 1);
    expect(letters.join("")).toMatch(/^TTAC36TACA36TTAC36TACA36/);
    expect(texts(svg).some((text) => text.includes("positions 3 to 6 of the source"))).toBe(true);
    const ends = cellsOf(attentionFigure(diagonal(9, 0.5, "GAT", "GATTACA"), { zoom: { from: 2, to: 9 } }));
    expect([...ends[1].keys()]).toEqual(["0,0", "1,1", "1,2", "1,3", "1,4", "1,5"]);
  });

  test("axes are of positions, whether letters fit or not, and P and Q are explained", () => {
    for (const length of [12, 400]) {
      const letters = "A".repeat(length);
      const svg = attentionFigure(diagonal(length, 0.5, letters, letters));
      const labels = texts(svg).filter(
        (text) => / of the (source|target)/.test(text) && !text.includes("P:"),
      );
      expect(new Set(labels.map((text) => text.replace(/[←→]/, "").trim()))).toEqual(
        new Set(["source", "target"].map((name) => `positions 0 to ${length} of the ${name}`)),
      );
      expect(svg).toMatch(/P: how each position .*Q: what training pulls P towards/s);
    }
  });

  test("a pixel of a large map shows the greatest of its cells", () => {
    const letters = "A".repeat(1000);
    const [, alignment] = cellsOf(attentionFigure(diagonal(1000, 0.5, letters, letters)));
    expect([...alignment]).toEqual(Array.from({ length: 334 }, (_, k) => [`${k},${k}`, 1]));
  });

  test("is of reasonable size, even for noise", () => {
    const random = new Random(1);
    const letters = "ACGT".repeat(38);
    const maps = diagonal(152, 0.7, letters, letters);
    expect(attentionFigure(maps).length).toBeLessThan(30_000);
    const noise = maps.attention.map(() => random.uniform());
    expect(attentionFigure({ ...maps, attention: noise, alignment: noise }).length).toBeLessThan(1_000_000);
  });

  test("title and caption are text, not markup", () => {
    const svg = attentionFigure(diagonal(3, 1, "", ""), { title: "a & <b>", caption: "c < d" });
    expect(svg).toContain("a &amp; &lt;b&gt;");
    expect(svg).toContain("c &lt; d");
    expect(svg).not.toMatch(/&(?!amp;|lt;|gt;|quot;)/);
  });

  test("names the fault of its input", () => {
    const maps = diagonal(12, 0.5, SOURCE, TARGET);
    const draw = (change: Partial<AttentionMaps>, zoom?: { from: number; to: number }) => (): string =>
      attentionFigure({ ...maps, ...change }, { zoom });
    expect(draw({ alignment: new Float32Array(4) })).toThrow(
      "alignment: must be a square of at least 169 cells, got 4",
    );
    expect(draw({ source: "A".repeat(13) })).toThrow("attention: must be a square of at least 196 cells, got 169"); // prettier-ignore
    expect(draw({}, { from: 5, to: 4 })).toThrow("zoom: must");
    expect(draw({}, { from: 13, to: 20 })).toThrow("zoom: must");
    expect(draw({}, { from: 0.5, to: 4 })).toThrow("zoom: must");
  });
});
