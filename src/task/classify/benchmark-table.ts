/**
 * @file What a benchmark found as a table: Markdown for people, one JSON object for programs.
 *
 * Correlations are × 100, as they are published.
 */

import { machinesText } from "../../machine.ts";
import { fixedText, markdownTable, meanText, type Summary } from "../summary.ts";
import type { BenchmarkBudget, BenchmarkResult, BenchmarkSettings, SetFacts } from "./benchmark.ts";
import type { BenchmarkReport, Contrast, ModelScores, Share } from "./benchmark-report.ts";
import { PUBLISHED_WINS } from "./published.ts";

/** How it came about. */
export interface BenchmarkHead {
  title: string;
  /** What is to be said of the data, a paragraph of its own. */
  about?: string;
  settings: BenchmarkSettings;
  results: readonly BenchmarkResult[];
  /** The command line that made it. */
  command: string;
}

/** The report as one JSON object. */
export function benchmarkJson(report: BenchmarkReport, { title, settings, command }: BenchmarkHead): string {
  return `${JSON.stringify({ title, command, settings, ...report }, undefined, 2)}\n`;
}

/** The report as Markdown. */
export function benchmarkMarkdown(report: BenchmarkReport, head: BenchmarkHead): string {
  const { sets, models, reference } = report;
  const others = models.filter((model) => model !== reference);
  const hasCopies = sets.some(({ facts }) => facts.copies > 0);
  const hasDelta = sets.some(({ relativeDelta }) => relativeDelta !== undefined);
  const hasPublished = sets.some(({ published }) => published !== undefined);
  const when = (isThere: boolean, ...cells: string[]) => (isThere ? cells : []);
  const rows = sets.map((set) => [
    set.set,
    count(set.facts.training),
    ...when(hasCopies, copiesText(set.facts)),
    ...models.map((model) => scoreText(set.models.find((each) => each.model === model))),
    ...others.map((model) => contrastText(set.contrasts.find((each) => each.model === model))),
    ...when(hasDelta, set.relativeDelta === undefined ? "–" : meanText(set.relativeDelta, 3)),
    ...when(
      hasPublished,
      ...([set.published?.dnabert2, set.published?.dnabert2Further, set.published?.others] as const).map(
        (value) => value?.toFixed(1) ?? "–",
      ),
    ),
  ]);
  const header = [
    "set",
    "training",
    ...when(hasCopies, "copies in test"),
    ...models,
    ...others.map((model) => `${model} − ${reference}`),
    ...when(hasDelta, "δ_rel"),
    ...when(hasPublished, "DNABERT-2", "DNABERT-2◆", "others' best"),
  ];
  const found = findings(report, { hasPublished });
  const about = head.about === undefined ? [] : [head.about, ""];
  return `${[
    `# ${head.title}`,
    "",
    legend(report, { hasCopies, hasDelta, hasPublished }),
    "",
    ...about,
    markdownTable([header, ...rows]),
    "",
    ...(found.length === 0 ? [] : [...found, ""]),
    ...circumstances(report, head),
  ].join("\n")}\n`;
}

function legend(
  { sets }: BenchmarkReport,
  { hasCopies, hasDelta, hasPublished }: Record<"hasCopies" | "hasDelta" | "hasPublished", boolean>,
): string {
  const hasDiverged = sets.some(({ models }) => models.some(({ diverged }) => diverged > 0));
  const seeds = Math.max(0, ...sets.flatMap(({ models }) => models.map(({ mcc }) => mcc?.count ?? 0)));
  const spread = seeds > 1 ? `, mean ± standard deviation over ${seeds} seeds` : "";
  return [
    `Matthews' correlation × 100 on test${spread}.`,
    "With a seed, all models have the same data, split and order of batches, and the same budget.",
    "Differences are of pairs with the same seed, in brackets their 95 % interval by Student's t over the seeds.",
    ...(hasDiverged
      ? ["A model has won no set on which it diverged with some seed; means are of its other seeds."]
      : []),
    ...(hasCopies
      ? ["Copies are test sequences that stand in train too, and of these those with another class there."]
      : []),
    ...(hasDelta ? ["δ_rel is of the edit distances of a sample of 100 sequences."] : []),
    ...(hasPublished
      ? [
          "DNABERT-2, DNABERT-2◆ (trained further on these sets) and the best of DNABERT and the Nucleotide Transformers are as DNABERT-2's authors published them.",
        ]
      : []),
  ].join(" ");
}

const count = (value: number): string => value.toLocaleString("en-US");

function copiesText({ copies, contradicting }: SetFacts): string {
  return contradicting === 0 ? count(copies) : `${count(copies)} (${count(contradicting)})`;
}

function scoreText(scores: ModelScores | undefined): string {
  if (scores === undefined) return "–";
  const { mcc, diverged, runs } = scores;
  return [
    ...(mcc === undefined ? [] : [meanText(percent(mcc), 1)]),
    ...(diverged === 0 ? [] : [`${diverged} of ${diverged + runs.length} diverged`]),
  ].join(", ");
}

const percent = ({ mean, deviation }: Summary) => ({
  mean: 100 * mean,
  deviation: deviation && 100 * deviation,
});

function contrastText({ difference, interval }: Partial<Contrast> = {}): string {
  if (difference === undefined) return "–";
  const text = fixedText(100 * difference.mean, 1);
  const signed = difference.mean > 0 ? `+${text}` : text;
  if (interval === undefined) return signed;
  return `${signed} [${interval.map((end) => fixedText(100 * end, 1)).join(", ")}]`;
}

function shareText({ won, sets }: Share): string {
  return `${won} of ${sets} sets (${Math.round((100 * won) / sets)} %)`;
}

/** What holds over all sets. */
function findings(
  { reference, overall, anyHyperbolic, above }: BenchmarkReport,
  { hasPublished }: { hasPublished: boolean },
): string[] {
  const { won, sets } = PUBLISHED_WINS;
  const published = hasPublished ? ` (a hyperbolic one was published to be on ${won} of ${sets})` : "";
  return [
    ...overall.map((each) => {
      const { wins, diverged, difference } = each;
      const over =
        wins.sets > 1 && difference !== undefined
          ? `, and by ${contrastText(each)} in the mean over ${difference.count === wins.sets ? "the" : difference.count} sets`
          : "";
      const lost = diverged === 0 ? "" : `; it diverged on ${diverged}`;
      return `- ${each.model} is above ${reference} on ${shareText(wins)}${over}${lost}`;
    }),
    ...(anyHyperbolic === undefined
      ? []
      : [
          `- The better hyperbolic model, chosen by test, is above ${reference} on ${shareText(anyHyperbolic)}${published}`,
        ]),
    ...above.map(
      ({ model, dnabert2, dnabert2Further, others }) =>
        `- ${model} is above DNABERT-2 on ${dnabert2.won}, above DNABERT-2◆ on ${dnabert2Further.won} and above the others' best on ${others.won} of ${others.sets} sets`,
    ),
  ];
}

/** What the numbers were made with. */
function circumstances({ models, sets, missing, skipped }: BenchmarkReport, head: BenchmarkHead): string[] {
  const { settings, results, command } = head;
  const { machines, versions } = machinesText(results.map(({ machine }) => machine));
  const given = { ...settings.settings, ...(settings.length !== undefined && { length: settings.length }) };
  const own = Object.keys(given).length === 0 ? "" : `, with ${JSON.stringify(given)}`;
  const taken = models.map((model) => {
    const scores = sets.flatMap((set) => set.models.filter((each) => each.model === model));
    return `${model} ${rangeText(scores.map(({ steps }) => steps))} steps in ${rangeText(scores.map(({ seconds }) => seconds))} s, ${rangeText(scores.map(({ parameters }) => parameters))} parameters`;
  });
  const drawn = sets.filter(({ facts }) => facts.drawn !== "nothing").map(({ set }) => set);
  return [
    `- Training: ${budgetText(settings.budget)} a model, ${settings.recipe} recipe${own}`,
    `- Taken: ${taken.join("; ")}`,
    ...(drawn.length === 0 ? [] : [`- Split at random, wholly or the dev part: ${drawn.join(", ")}`]),
    `- Machine: ${machines}`,
    `- Version: embranch ${versions}`,
    `- Command: \`${command}\``,
    ...skipped.map(({ name, reason }) => `- Left out: ${name}, which ${reason}`),
    ...(missing === 0 ? [] : [`- ${missing} runs have no result yet`]),
  ];
}

function budgetText(budget: BenchmarkBudget): string {
  const [[unit, value]] = Object.entries<number>(budget);
  return `${count(value)} ${value === 1 ? unit.slice(0, -1) : unit}`;
}

/** `1,200`, or `300 to 1,200`. */
function rangeText(values: readonly (number | undefined)[]): string {
  const known = values.filter((value) => value !== undefined).map(Math.round);
  if (known.length === 0) return "–";
  const [least, most] = [Math.min(...known), Math.max(...known)];
  return least === most ? count(least) : `${count(least)} to ${count(most)}`;
}
