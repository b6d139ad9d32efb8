/**
 * @file The papers' tables, made with our code: every cell trained and measured, one after another.
 *
 * A cell is a model (with a seed) or a baseline; its result is a line of `<folder>/<table>.jsonl` as soon as it is
 * there. What a result depends on, all but the seed, is its settings: a run goes on where another stopped, and
 * takes no result that was made with other data, another budget or another network. Several processes can fill one
 * folder (result-folder.ts). A model that diverges is a result too.
 */

import { createHash } from "node:crypto";
import { Diverged } from "../engine/diverged.ts";
import { Model } from "../engine/model-file.ts";
import { thisMachine, type Machine } from "../machine.ts";
import { fillFolder, type Filling, type Keyed, type ResultFolder } from "../result-folder.ts";
import type { BaselineResult } from "../task/baseline.ts";
import type { Evaluation } from "../task/evaluate.ts";
import { fit } from "../task/fit.ts";
import { measureBaselines, measureModel, type MeasureOptions, type PaperData } from "./paper-data.ts";
import type { Cell, ModelOptions, PaperTable, Subject } from "./paper-tables.ts";

/** How long each model is trained. */
export type Budget = { minutes: number } | { steps: number };

/** A line of the results. */
export interface CellResult extends Keyed {
  table: string;
  row: string;
  column: string;
  /** None for baselines, which are the same for every seed. */
  seed?: number;
  /** Identifies all that the result depends on but the seed. */
  settings: string;
  /** These settings, to be read. */
  subject: Subject;
  recipe?: string;
  exponent?: boolean;
  budget?: Budget;
  data: string;
  /** Errors on the test sequences; absent where training diverged. */
  evaluation?: Evaluation;
  /** Why there are none. */
  diverged?: string;
  /** Validation %RMSE. */
  validation?: number;
  parameters?: number;
  steps?: number;
  /** Seconds of training. */
  seconds?: number;
  machine: Machine;
  /** When it was done, ISO 8601. */
  finished: string;
}

/** What results are made with. */
export interface PaperSettings {
  data: PaperData;
  budget: Budget;
  recipe: "default" | "paper";
  /** False: predictions are the space's distances as they are, as in the papers; else the recipe decides. */
  exponent?: boolean;
}

export interface PaperRunOptions extends Omit<MeasureOptions, "progress"> {
  /** Told of each cell's progress: which it is, and the share of it that is done. */
  onProgress?: (cell: number, share: number, label: string) => void;
  /** Told of each result. */
  onResult?: (result: CellResult) => void;
}

/** A cell with its seed, and what its result will be known by. */
interface Work {
  cell: Cell;
  seed?: number;
  key: string;
  settings: string;
}

const hash = (value: unknown): string =>
  createHash("sha256").update(JSON.stringify(value)).digest("hex").slice(0, 16);

/** Identifies what the result of a cell depends on, but for the seed. */
export function cellSettings(
  table: PaperTable,
  { row, column, subject }: Cell,
  { data, budget, recipe, exponent }: PaperSettings,
): string {
  const training = subject.kind === "model" ? { budget, recipe, exponent, length: data.length } : {};
  return hash([table.name, row, column, subject, data.digest, data.family, training]);
}

/** Trains and measures the cells that have no result yet, baselines first as they come. */
export async function runPapers(
  folder: ResultFolder<CellResult>,
  table: PaperTable,
  cells: readonly Cell[],
  seeds: readonly number[],
  settings: PaperSettings,
  { onProgress, onResult, ...options }: PaperRunOptions = {},
): Promise<Filling> {
  const works = worksOf(table, cells, seeds, settings);
  const baselines = new Baselines(settings.data, options);
  const onShare = (at: number) => (share: number) => onProgress?.(at, share, labelOf(works[at]));
  return fillFolder(
    folder,
    works,
    async (work, at, known) => {
      const left = works.filter(({ key }) => !known.has(key)).map(({ cell }) => cell.subject);
      const { subject } = work.cell;
      const outcome =
        subject.kind === "model"
          ? await trained(subject.options, work.seed!, settings, { ...options, onShare: onShare(at) })
          : { evaluation: (await baselines.of(subject, left, onShare(at))).evaluation };
      return resultOf(table, work, settings, outcome);
    },
    { signal: options.signal, onWork: (at) => onShare(at)(0), onResult },
  );
}

function worksOf(
  table: PaperTable,
  cells: readonly Cell[],
  seeds: readonly number[],
  settings: PaperSettings,
): Work[] {
  return cells.flatMap((cell) => {
    const id = cellSettings(table, cell, settings);
    if (cell.subject.kind !== "model") return [{ cell, key: id, settings: id }];
    return seeds.map((seed) => ({ cell, seed, key: hash([id, seed]), settings: id }));
  });
}

/** A cell in words. */
function labelOf({ cell, seed }: Work): string {
  return `${cell.row} ${cell.column}${seed === undefined ? "" : ` seed ${seed}`}`;
}

type Outcome = Pick<
  CellResult,
  "evaluation" | "diverged" | "validation" | "parameters" | "steps" | "seconds"
>;

function resultOf(
  { name }: PaperTable,
  { cell, seed, key, settings }: Work,
  { data, budget, recipe, exponent }: PaperSettings,
  outcome: Outcome,
): CellResult {
  const isModel = cell.subject.kind === "model";
  return {
    key,
    table: name,
    row: cell.row,
    column: cell.column,
    seed,
    settings,
    subject: cell.subject,
    ...(isModel && { recipe, exponent, budget }),
    data: data.digest,
    ...outcome,
    machine: thisMachine(),
    finished: new Date().toISOString(),
  };
}

/** Trains a model and measures it. */
async function trained(
  options: ModelOptions,
  seed: number,
  { data, budget, recipe, exponent }: PaperSettings,
  { onShare, ...measuring }: MeasureOptions & { onShare: (share: number) => void },
): Promise<Outcome> {
  let parameters = 0;
  try {
    const { model: bytes, training } = await fit(data.train, {
      ...options,
      ...budget,
      ...measuring,
      validation: data.validation,
      family: data.family,
      length: data.length,
      recipe,
      exponent,
      seed,
      onStart: (plan) => (parameters = plan.parameters),
      onProgress: ({ done }) => onShare(done),
    });
    const { validation, steps, seconds } = training;
    const counts = { parameters, steps, seconds, validation };
    const model = await Model.decode(bytes, "model", measuring);
    try {
      const evaluation = await measureModel(data, model, measuring);
      if (Number.isFinite(evaluation.rmsePercent)) return { ...counts, evaluation };
      return { ...counts, diverged: `test error is ${evaluation.rmsePercent}` };
    } finally {
      await model.close();
    }
  } catch (error) {
    // Such a model is a result, not a failure of the run.
    if (!(error instanceof Diverged)) throw error;
    return { parameters, diverged: error.message };
  }
}

type BaselineSubject = Exclude<Subject, { kind: "model" }>;

/** Baselines are measured together: exact distances are most of the work, and one pass serves them all. */
class Baselines {
  readonly #data: PaperData;
  readonly #options: MeasureOptions;
  #results: BaselineResult[] = [];

  constructor(data: PaperData, options: MeasureOptions) {
    this.#data = data;
    this.#options = options;
  }

  /** The result of one; where it is not known yet, all that are `left` are measured with it. */
  async of(
    subject: BaselineSubject,
    left: readonly Subject[],
    onShare: (share: number) => void,
  ): Promise<BaselineResult> {
    const known = this.#find(subject);
    if (known !== undefined) return known;
    const wanted = (kind: Subject["kind"]) => left.filter((each) => each.kind === kind) as BaselineSubject[];
    const kmers = wanted("k-mer");
    this.#results = await measureBaselines(
      this.#data,
      {
        kmer: [...new Set(kmers.map(({ k }) => k))],
        distances: [...new Set(kmers.flatMap((each) => (each.kind === "k-mer" ? [each.distance] : [])))],
        ffp: [...new Set(wanted("FFP").map(({ k }) => k))],
      },
      { ...this.#options, progress: (done, total) => onShare(done / total) },
    );
    return this.#find(subject)!;
  }

  #find(subject: BaselineSubject): BaselineResult | undefined {
    const distance = subject.kind === "k-mer" ? subject.distance : "jensen-shannon";
    return this.#results.find((result) => result.k === subject.k && result.distance === distance);
  }
}
