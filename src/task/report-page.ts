/**
 * @file The page of a report: one HTML file that holds everything it needs.
 *
 * Style and figures are inline, there are no scripts and nothing comes from the network. It follows the reader's light
 * or dark setting, and prints. All text is escaped here, so that a report is a pure function of its input and the same
 * run gives the same bytes.
 */
import { escapeMarkup } from "./markup.ts";
import { REPORT_STYLE } from "./report-style.ts";
import { lossCurve, validationCurve, type TrainingPoint, type ValidationMeasure } from "./training-curves.ts";

/** A command to go on with, and what it is for. */
export interface NextStep {
  command: string;
  purpose: string;
}

export interface ReportPage {
  /** What kind of report it is: `training report`. */
  kind: string;
  /** Headline, such as the name of the model. */
  title: string;
  /** The command line that made it. */
  command: string;
  /** HTML of the sections; empty ones are left out. */
  sections: readonly string[];
}

/** Renders a complete HTML document. */
export function renderPage({ kind, title, command, sections }: ReportPage): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escapeMarkup(title)}: ${kind}</title>
<style>${REPORT_STYLE}</style>
</head>
<body>
<main>
<header>
<p class="kicker">Embranch ${kind}</p>
<h1>${escapeMarkup(title)}</h1>
<pre class="command"><code>${escapeMarkup(command)}</code></pre>
</header>
${sections.filter((text) => text !== "").join("\n")}
</main>
</body>
</html>
`;
}

/** A section with a headline; `id` names it for those who do not see it. */
export function section(id: string, title: string, body: string): string {
  return `<section aria-labelledby="${id}">
<h2 id="${id}">${title}</h2>
${body}
</section>`;
}

/** Two things side by side, one below the other where there is no room. */
export function pair(...parts: readonly string[]): string {
  return `<div class="pair">\n${parts.filter((part) => part !== "").join("\n")}\n</div>`;
}

export function figure(svg: string, title: string, caption: string): string {
  return `<figure>
<h3>${title}</h3>
${svg}
<figcaption>${caption}</figcaption>
</figure>`;
}

export interface Summary {
  /** The number that counts most, and its unit. */
  value: string;
  unit: string;
  /** What it means, in a sentence. */
  meaning: string;
  /** Others beside it, by name. */
  numbers: readonly (readonly [name: string, value: string])[];
}

/** The headline number with its meaning in one sentence, and the others beside it. */
export function summarySection({ value, unit, meaning, numbers }: Summary): string {
  return `<section class="summary" aria-label="Accuracy in numbers">
<div class="headline">
<p class="figure-of-merit">${escapeMarkup(value)}<span> ${escapeMarkup(unit)}</span></p>
<p>${escapeMarkup(meaning)}</p>
</div>
<dl class="numbers">
${numbers.map(([name, text]) => `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(text)}</dd></div>`).join("\n")}
</dl>
</section>`;
}

/** What the reader should know, each a paragraph. */
export function notesText(notes: readonly string[]): string {
  return notes.map((note) => `<p class="note">${escapeMarkup(note)}</p>`).join("\n");
}

export interface TrainingFigures {
  measure: ValidationMeasure;
  /** Headline and caption of the curve of the validations. */
  title: string;
  caption: string;
}

/** The curves of a run; that of the validations, where there are any. */
export function trainingSection(
  history: readonly TrainingPoint[],
  { measure, title, caption }: TrainingFigures,
): string {
  const validated = history.some(({ validation }) => validation !== undefined);
  const loss = figure(
    lossCurve(history),
    "Loss",
    "The mean of neighbouring steps, within the range they span. It should fall and level off; if it is still falling at the end, train longer.",
  );
  const curve = validated ? figure(validationCurve(history, measure), title, caption) : "";
  return section("training", "Training", pair(loss, curve));
}

/** What there is to know of a model, in the order in which it is shown. */
export function modelSection(manifest: Record<string, string | number>): string {
  const rows = Object.entries(manifest).map(
    ([name, value]) =>
      `<div><dt>${escapeMarkup(name)}</dt><dd>${escapeMarkup(formatValue(value))}</dd></div>`,
  );
  return section("model", "Model", `<dl class="manifest">\n${rows.join("\n")}\n</dl>`);
}

/** Commands to go on with. */
export function nextSection(next: readonly NextStep[]): string {
  const steps = next.map(
    ({ command, purpose }) => `<div class="step"><p>${escapeMarkup(purpose)}</p>
<pre class="command"><code>${escapeMarkup(command)}</code></pre></div>`,
  );
  return section("next", "What to do next", steps.join("\n"));
}

/** Numbers with thousands separated and at most six significant digits; text as it is. */
export function formatValue(value: string | number): string {
  if (typeof value === "string") return value;
  if (Number.isInteger(value)) return value.toLocaleString("en-US");
  return String(Number(value.toPrecision(6)));
}
