/** @file What `embranch hyperbolicity` prints: a table for people, one JSON object for programs. */

import type { Estimate } from "../task/hyperbolicity/compare.ts";
import type { Gromov } from "../task/hyperbolicity/gromov.ts";
import type { Hyperbolicity, ReferenceDelta, SampledDelta } from "../task/hyperbolicity/hyperbolicity.ts";
import type { LoadedMetric } from "./hyperbolicity-input.ts";
import { formatCount } from "./progress.ts";
import { formatTable } from "./table.ts";

/** References that a table has at most, beside those that it always has. */
const NEAREST = 5;
/** References that everybody knows. */
const KNOWN = ["random tree", "hyperbolic, K = −1, d = 2", "plane", "sphere, K = 1, d = 2"];
/** Share of the diameter from which a broken triangle inequality is worth a word. */
const WORTH_SAYING = 1e-3;

const number = (value: number | null): string => (value === null ? "–" : value.toFixed(3));

const intervalText = ({ low, high }: Pick<Estimate, "low" | "high">): string =>
  low === null ? "–" : `${number(low)} to ${number(high)}`;

const cells = (estimate: Estimate): string[] => [number(estimate.mean), intervalText(estimate)];

/** The findings as text, ended by a line break. */
export function hyperbolicityText(
  { what, distances }: Pick<LoadedMetric, "what" | "distances">,
  found: Hyperbolicity,
  all?: Gromov,
): string {
  const { count, size, samples, relative, mean, quantiles } = found;
  const violation = Math.max(found.violation, all?.violation ?? 0);
  const parts: string[] = [];
  parts.push(
    `${formatCount(count)} ${what}, ${distances}; ` +
      (size === count ? "all at once" : `${samples.length} samples of ${formatCount(size)}`),
  );
  const extremes = (of: (sample: Hyperbolicity["samples"][number]) => number) => [
    number(Math.min(...samples.map(of))),
    number(Math.max(...samples.map(of))),
  ];
  parts.push(
    formatTable([
      ["", "mean", "95 % interval", "least", "greatest"],
      ["δ_rel = 2δ / diameter", ...cells(relative), ...extremes((sample) => sample.relative)],
      ["mean 2δ_p(x,y) / diameter", ...cells(mean), ...extremes((sample) => sample.mean)],
    ]) +
      `\nof all 2δ_p(x,y) / diameter, ${quantiles
        .map(({ share, value }) => `${Number((100 * share).toFixed(1))} % are at most ${number(value)}`)
        .join(", ")}`,
  );
  if (all !== undefined) parts.push(wholeText(all, what));
  if (found.references.length > 0) parts.push(referenceText(found, found.references));
  if (violation > WORTH_SAYING) {
    parts.push(
      `The triangle inequality is broken by up to ${number(violation)} of the diameter: this is no metric, and δ_rel may exceed 1.`,
    );
  }
  return `${parts.join("\n\n")}\n`;
}

function wholeText({ count, diameter, delta, relative, perBase, mean }: Gromov, what: string): string {
  const exact = delta.lower === delta.upper;
  const range = ({ lower, upper }: { lower: number; upper: number }) =>
    exact ? number(lower) : `${number(lower)} to ${number(upper)}`;
  return formatTable([
    [`all ${formatCount(count)} ${what}${exact ? "" : `, from ${perBase.bases} base points`}`, ""],
    ["δ_rel", range(relative)],
    ["δ", range(delta)],
    ["diameter", number(diameter)],
    ["δ_p of one base point, least to greatest", `${number(perBase.least)} to ${number(perBase.greatest)}`],
    ["mean 2δ_p(x,y) / diameter", number(mean)],
  ]);
}

function referenceText({ size, control }: Hyperbolicity, references: readonly ReferenceDelta[]): string {
  const shown = references.filter(
    ({ reference }, place) => place < NEAREST || KNOWN.includes(reference.name),
  );
  const rows = shown.map((each) => [
    each.reference.name,
    number(each.relative.mean),
    number(each.mean.mean),
    number(each.distance),
    intervalText(each),
    each.nearest ? `${(100 * each.nearest).toFixed(0)} %` : "–",
  ]);
  const shuffled =
    control === undefined
      ? []
      : [
          [
            "these, letters shuffled",
            number(control.relative.mean),
            number(control.mean.mean),
            number(control.distance),
            "",
            "",
          ],
        ];
  const header = [`of ${formatCount(size)} things`, "δ_rel", "mean", "distance", "95 % interval", "nearest"];
  const table = formatTable([header, ...rows, ...shuffled]);
  return `${table}\ndistance: between the distributions of 2δ_p(x,y) / diameter (Wasserstein); nearest: in how many of 1,000 bootstrap resamples`;
}

/** The findings as one object. */
export function hyperbolicityJson(
  input: string,
  { what, distances }: Pick<LoadedMetric, "what" | "distances">,
  found: Hyperbolicity,
  { all, seed, seconds }: { all?: Gromov; seed: number; seconds: number },
): object {
  const { control, references, histogram, ...own } = found;
  // Of 41 references and a control the distributions would be most of the text.
  const plain = (kind: SampledDelta) => ({ ...kind, histogram: undefined });
  return {
    input,
    things: what,
    distances,
    seed,
    ...own,
    histogram: histogram.map(significant),
    control: control && plain(control),
    references: references.map(plain),
    all: all && { ...all, exact: all.delta.lower === all.delta.upper },
    seconds,
  };
}

/** A share with as many digits as it has meaning. */
const significant = (value: number): number => Number(value.toPrecision(6));
