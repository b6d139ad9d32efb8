/**
 * @file Drawing: a plot to SVG text, and the colours that all figures share.
 *
 * Observable Plot draws on linkedom's document, so that no browser is needed. The text is a pure function of the plot:
 * no generated ids, coordinates rounded to two decimals, the same on every machine. Colours are CSS variables with a
 * fallback (`var(--figure-blue, #0072b2)`), so that the page decides on light and dark and a figure stands alone too;
 * the two hues are Okabe and Ito's blue and vermilion, told apart by every common form of colour blindness.
 */

import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { escapeMarkup } from "./markup.ts";

export const INK = "var(--figure-ink, #1f2328)";
export const MUTED = "var(--figure-muted, #6b7280)";
export const BLUE = "var(--figure-blue, #0072b2)";
export const VERMILION = "var(--figure-vermilion, #d55e00)";

export const PAPER = "var(--figure-paper, #fff)";

export const WIDTH = 480;
/** Pixels left of a figure's frame, and above it. */
export const LEFT = 52;
export const TOP = 26;
export interface Draw extends Plot.PlotOptions {
  /** What the figure shows, for those who do not see it. */
  description: string;
  /** Whether it has a font of its own, and not that of a page around it (default false). */
  standalone?: boolean;
}

/** Draws a plot and gives it back as SVG text. */
export function draw({ description, standalone = false, ...options }: Draw): string {
  const { document } = parseHTML("<!doctype html><html><body></body></html>");
  const figure = Plot.plot({
    document: document,
    width: WIDTH,
    marginLeft: LEFT,
    marginRight: 16,
    marginTop: TOP,
    marginBottom: 38,
    className: "plot",
    style: {
      fontFamily: standalone ? "system-ui, sans-serif" : "inherit",
      fontSize: "12px",
      color: INK,
      overflow: "visible",
    },
    ...options,
  });
  figure.setAttribute("role", "img");
  // The document is HTML, whose attributes may hold `<`; a file of its own may not.
  figure.setAttribute("aria-label", escapeMarkup(description));
  figure.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  // Coordinates finer than a hundredth of a pixel are noise that doubles the file.
  return figure.outerHTML.replace(/<[^>]+>/g, (tag) =>
    tag.replace(/-?\d+\.\d{3,}/g, (number) => String(Number(Number(number).toFixed(2)))),
  );
}

/** A whole number with its thousands separated. */
export function formatInteger(value: number): string {
  return Math.round(value).toLocaleString("en-US");
}
