/**
 * @file The papers' tables with our numbers in them: Markdown for people, one JSON object for programs.
 *
 * A cell is the mean over its seeds and their standard deviation (of a sample, n − 1), the published number behind it
 * in brackets. The regulariser's gain is a difference of pairs that share their seed, whose deviation is much smaller
 * than that of either side.
 */

import { machinesText } from "../machine.ts";
import { regularizerWeights } from "../nn/regularizer.ts";
import type { Evaluation } from "../task/evaluate.ts";
import { markdownTable, meanText, summarize, type Summary } from "../task/summary.ts";
import { cellSettings, type Budget, type CellResult, type PaperSettings } from "./papers.ts";
import type { Cell, PaperTable } from "./paper-tables.ts";
import type { Published } from "./published.ts";

/** What is known of a cell. */
export interface CellSummary {
  row: string;
  column: string;
  /** %RMSE on the test sequences; absent where no model is left that did not diverge. */
  rmse?: Summary;
  /** The same over homologous pairs. */
  homologous?: Summary;
  /** Models that diverged. */
  diverged: number;
  published?: Published;
  publishedHomologous?: Published;
  results: CellResult[];
}

export interface PapersReport {
  table: PaperTable;
  settings: PaperSettings;
  /** Cells that have a result, row by row. */
  cells: CellSummary[];
  /** Cells of the table that have none. */
  missing: number;
  /** The command line that made it. */
  command: string;
}

export interface PapersReportOptions {
  settings: PaperSettings;
  command: string;
}

/** Gathers the results that were made with these settings, whatever their seeds. */
export function papersReport(
  table: PaperTable,
  results: Iterable<CellResult>,
  { settings, command }: PapersReportOptions,
): PapersReport {
  const bySettings = new Map<string, CellResult[]>();
  for (const result of results) {
    bySettings.set(result.settings, [...(bySettings.get(result.settings) ?? []), result]);
  }
  const cells = table.cells.map((cell) =>
    summarizeCell(cell, bySettings.get(cellSettings(table, cell, settings)) ?? []),
  );
  const known = cells.filter((cell) => cell.results.length > 0);
  return { table, settings, cells: known, missing: cells.length - known.length, command };
}

function summarizeCell(cell: Cell, found: readonly CellResult[]): CellSummary {
  const results = found.toSorted((a, b) => (a.seed ?? 0) - (b.seed ?? 0));
  const evaluations = results.flatMap(({ evaluation }) => (evaluation === undefined ? [] : [evaluation]));
  const near = evaluations.flatMap(({ homologous }) => homologous.rmsePercent ?? []);
  return {
    row: cell.row,
    column: cell.column,
    rmse: summarize(evaluations.map(({ rmsePercent }) => rmsePercent)),
    homologous: summarize(near),
    diverged: results.length - evaluations.length,
    published: cell.published,
    publishedHomologous: cell.publishedHomologous,
    results,
  };
}

/** The report as one JSON object. */
export function papersJson({ table, settings, cells, missing, command }: PapersReport): string {
  const { data, budget, recipe, exponent } = settings;
  const { train, validation, test } = data;
  const summary = {
    table: table.name,
    title: table.title,
    data: {
      source: data.source,
      sequences: { train: train.ids.length, validation: validation?.ids.length, test: test.ids.length },
      length: data.length,
      digest: data.digest,
    },
    budget,
    recipe,
    exponent,
    command,
    missing,
    cells,
  };
  return `${JSON.stringify(summary, undefined, 2)}\n`;
}

/** The report as Markdown. */
export function papersMarkdown(report: PapersReport): string {
  const { table } = report;
  const body =
    table.name === "nwa"
      ? [
          "## All pairs",
          "",
          gainTable(report, "all"),
          "",
          "## Homologous pairs",
          "",
          gainTable(report, "homologous"),
        ]
      : [errorTable(report)];
  return `${[`# ${table.title}`, "", legend(report), "", ...body, "", ...facts(report)].join("\n")}\n`;
}

function legend({ table, settings, cells }: PapersReport): string {
  const most = Math.max(0, ...cells.map(({ results }) => results.length));
  const spread = most > 1 ? `, mean ± standard deviation over up to ${most} seeds` : "";
  const notes = [`%RMSE on the test sequences${spread} (published in brackets).`];
  if (table.name === "nwa") {
    notes.push(
      `Homologous pairs are at most ${homologousBound(cells)} edits apart.`,
      "The gain is that of pairs of models with the same seed.",
    );
  }
  if (settings.data.family !== undefined) {
    notes.push("Models are trained and measured on pairs within a family.");
  }
  return notes.join(" ");
}

function homologousBound(cells: readonly CellSummary[]): number {
  const evaluations = cells.flatMap(({ results }) => results.map(({ evaluation }) => evaluation));
  return evaluations.find((evaluation) => evaluation !== undefined)?.homologous.k ?? 40;
}

/** Rows × columns, as far as there are results. */
function errorTable({ table, cells }: PapersReport): string {
  const named = (pick: (cell: Pick<Cell, "row" | "column">) => string) => {
    const found = new Set(cells.map(pick));
    return [...new Set(table.cells.map(pick))].filter((name) => found.has(name));
  };
  const rows = named(({ row }) => row);
  const columns = named(({ column }) => column);
  return markdownTable([
    [table.rowsAre, ...columns],
    ...rows.map((row) => [
      row,
      ...columns.map((column) => {
        const cell = cells.find((each) => each.row === row && each.column === column);
        return cell === undefined ? "" : cellText(cell, cell.rmse, cell.published);
      }),
    ]),
  ]);
}

/** Without the regulariser, with it, and the difference, for each of its weights. */
function gainTable({ table, cells }: PapersReport, pairs: "all" | "homologous"): string {
  const error = (evaluation: Evaluation) =>
    pairs === "all" ? evaluation.rmsePercent : evaluation.homologous.rmsePercent;
  const text = (cell: CellSummary | undefined) => {
    if (cell === undefined) return "";
    return pairs === "all"
      ? cellText(cell, cell.rmse, cell.published, 3)
      : cellText(cell, cell.homologous, cell.publishedHomologous, 3);
  };
  const rows = [...new Set(cells.map(({ row }) => row))].flatMap((row) => {
    const inRow = cells.filter((cell) => cell.row === row);
    const without = inRow.find(({ column }) => column === "without");
    const regularized = inRow.filter((cell) => cell !== without);
    if (regularized.length === 0) return [[row, "", text(without), "", ""]];
    return regularized.map((cell) => {
      const differences = (without?.results ?? []).flatMap(({ seed, evaluation }) => {
        const other = cell.results.find((result) => result.seed === seed)?.evaluation;
        if (evaluation === undefined || other === undefined) return [];
        const [before, after] = [error(evaluation), error(other)];
        return before === null || after === null ? [] : [before - after];
      });
      const gain = summarize(differences);
      return [row, weightOf(cell), text(without), text(cell), gain === undefined ? "" : meanText(gain, 3)];
    });
  });
  return markdownTable([[table.rowsAre, "λ", "without", "with", "gain"], ...rows]);
}

/** The weight of a cell's regulariser. */
function weightOf({ results }: CellSummary): string {
  const subject = results[0]?.subject;
  if (subject?.kind !== "model" || subject.options.regularizer === undefined) return "";
  return regularizerWeights(subject.options.regularizer).lambda.toExponential();
}

/** `1.13 ± 0.02 (1.56 ± 0.01)`, and how many models diverged. */
function cellText(
  { diverged, results }: CellSummary,
  ours: Summary | undefined,
  published: Published | undefined,
  digits = 2,
): string {
  const failed = diverged === 0 ? [] : [`${diverged} of ${results.length} diverged`];
  const text = [...(ours === undefined ? [] : [meanText(ours, digits)]), ...failed].join(", ") || "–";
  return published === undefined ? text : `${text} (${meanText(published, 2)})`;
}

/** What the numbers were made with. */
function facts({ settings, cells, missing, command }: PapersReport): string[] {
  const { data, budget, recipe, exponent } = settings;
  const hasExponent = exponent ?? recipe === "default";
  const { train, validation, test } = data;
  const held = validation === undefined ? "" : `${count(validation.ids.length)} validation, `;
  const results = cells.flatMap((cell) => cell.results);
  const { machines, versions } = machinesText(results.map(({ machine }) => machine));
  const steps = results.flatMap((result) => result.steps ?? []);
  return [
    `- Data: ${data.source}; ${count(train.ids.length)} training, ${held}${count(test.ids.length)} test sequences of up to ${data.length} letters (SHA-256 ${data.digest.slice(0, 12)}…)`,
    `- Training: ${budgetText(budget, steps)} a model, ${recipe} recipe, ${hasExponent ? "with" : "without"} learned exponents`,
    `- Machine: ${machines}`,
    `- Version: embranch ${versions}`,
    `- Command: \`${command}\``,
    ...(missing === 0 ? [] : [`- ${missing} cells of the table have no result yet`]),
  ];
}

/** The budget, and how many steps it was good for. */
function budgetText(budget: Budget, steps: readonly number[]): string {
  if ("steps" in budget) return `${count(budget.steps)} ${budget.steps === 1 ? "step" : "steps"}`;
  const minutes = `${budget.minutes} ${budget.minutes === 1 ? "minute" : "minutes"}`;
  return steps.length === 0
    ? minutes
    : `${minutes} (${count(Math.min(...steps))} to ${count(Math.max(...steps))} steps)`;
}

const count = (value: number): string => value.toLocaleString("en-US");
