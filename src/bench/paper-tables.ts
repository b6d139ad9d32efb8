/**
 * @file The tables of the papers as grids of cells: which models and baselines they compare (SPEC A15, B8).
 *
 * - `neuroseed-rmse`: k-mers, FFP and NeuroSEED's encoders in each geometry, and encoders of ours beside them.
 * - `synthetic`: k-mers and NeuroSEED's encoders on random sequences (SPEC A3), where k-mers win.
 * - `dimension`: one encoder in each geometry, from 4 dimensions to 128.
 * - `nwa`: the encoders of Needleman-Wunsch Attention without and with its regulariser, on the same seeds.
 */

import { KMER_DISTANCES, type KmerDistance } from "../baseline/kmer.ts";
import { UsageError } from "../error.ts";
import type { EncoderName } from "../nn/encoder.ts";
import { regularizerWeights, type RegularizerOptions } from "../nn/regularizer.ts";
import type { FitOptions } from "../task/fit.ts";
import {
  NEUROSEED_ENCODERS,
  neuroseedPreset,
  PAPER_GEOMETRIES,
  presetOptions,
  type NeuroseedEncoder,
  type PaperGeometry,
  type PresetOptions,
  type TunedSet,
} from "../task/presets.ts";
import {
  NEUROSEED_DIMENSION,
  NEUROSEED_RMSE,
  NWA_RMSE,
  type Published,
  type PublishedTable,
} from "./published.ts";

export const PAPER_TABLES = ["neuroseed-rmse", "nwa", "dimension", "synthetic"] as const;
export type PaperTableName = (typeof PAPER_TABLES)[number];

/** What a model is: options of `fit` that do not change from run to run. */
export type ModelOptions = Pick<FitOptions, keyof PresetOptions>;

/** What a cell is of. */
export type Subject =
  | { kind: "k-mer"; k: number; distance: KmerDistance }
  | { kind: "FFP"; k: number }
  | { kind: "model"; options: ModelOptions };

/** One cell of a table, and what was published in its place. */
export interface Cell {
  row: string;
  column: string;
  /** Rows of one kind, to choose them by. */
  group: string;
  subject: Subject;
  published?: Published;
  /** Published error of the homologous pairs alone. */
  publishedHomologous?: Published;
}

export interface PaperTable {
  name: PaperTableName;
  title: string;
  /** What the rows are. */
  rowsAre: string;
  /** Row by row. */
  cells: readonly Cell[];
}

export interface PaperTableOptions {
  /** The papers' data set whose tuning is used and whose numbers stand beside ours (default `qiita`). */
  set?: TunedSet;
  /** Dimension of the models, but for `dimension` (default 128). */
  dim?: number;
  /** The encoder of `dimension` (default `global-transformer`). */
  encoder?: DimensionEncoder;
  /** Of `nwa`: weights of the regulariser besides the paper's. */
  lambdas?: readonly number[];
  /** Of `nwa`: other options of the regulariser than its weight. */
  nwa?: Extract<RegularizerOptions, { name: "nwa" }>;
}

/** Encoders of ours that NeuroSEED had none of. */
const OTHER_ENCODERS = ["residual", "cnn-ed", "csm", "kmer"] as const satisfies readonly EncoderName[];

/** Encoders that `dimension` can be made of. */
export const DIMENSION_ENCODERS = [...NEUROSEED_ENCODERS, ...OTHER_ENCODERS];
export type DimensionEncoder = (typeof DIMENSION_ENCODERS)[number];

export const KMERS = [2, 3, 4, 5, 6] as const;
const FFP_KMERS = [8, 9, 10] as const;
const DIMENSIONS = [4, 8, 16, 32, 48, 80, 128] as const;

/** Weight of the regulariser beside the χ² loss (SPEC B5). */
const DSEE_LAMBDA = 1e-6;

/** A table of the papers. */
export function paperTable(name: PaperTableName, options: PaperTableOptions = {}): PaperTable {
  const { set = "qiita", dim = 128, encoder = "global-transformer", lambdas = [], nwa } = options;
  switch (name) {
    case "neuroseed-rmse":
      return {
        name,
        title: "NeuroSEED: edit distances approximated by k-mers and encoders in each geometry",
        rowsAre: "model",
        cells: beside(NEUROSEED_RMSE[set], [
          ...kmerCells(),
          ...FFP_KMERS.map((k): Cell => ({ row: `ffp-${k}`, column: "jensen-shannon", group: "ffp", subject: { kind: "FFP", k } })), // prettier-ignore
          ...NEUROSEED_ENCODERS.flatMap((each) => encoderCells(each, set, dim)),
          ...OTHER_ENCODERS.flatMap((each) => encoderCells(each, set, dim)),
        ]),
      };
    case "synthetic":
      return {
        name,
        title: "NeuroSEED: random sequences, on which k-mers win",
        rowsAre: "model",
        cells: beside(NEUROSEED_RMSE.synthetic, [
          ...kmerCells(),
          ...NEUROSEED_ENCODERS.flatMap((each) => encoderCells(each, "synthetic", dim)),
        ]),
      };
    case "dimension": {
      const cells = PAPER_GEOMETRIES.flatMap((geometry) =>
        DIMENSIONS.map((m): Cell => ({
          row: geometry,
          column: String(m),
          group: "geometry",
          subject: { kind: "model", options: encoderOptions(encoder, geometry, { set, dim: m }) },
        })),
      );
      return {
        name,
        title: `NeuroSEED: error of the ${encoder} encoder against the dimension of the embedding`,
        rowsAre: "geometry",
        cells: encoder === "global-transformer" ? beside(NEUROSEED_DIMENSION, cells) : cells,
      };
    }
    case "nwa":
      return {
        name,
        title: "Needleman-Wunsch Attention: encoders without and with the regulariser",
        rowsAre: "model",
        cells: nwaCells(dim, lambdas, nwa),
      };
  }
}

function kmerCells(): Cell[] {
  return KMERS.flatMap((k) =>
    KMER_DISTANCES.map((distance): Cell => ({
      row: `${k}-mer`,
      column: distance,
      group: "k-mers",
      subject: { kind: "k-mer", k, distance },
    })),
  );
}

/** An encoder in each geometry. */
function encoderCells(encoder: DimensionEncoder, set: TunedSet, dim: number): Cell[] {
  return PAPER_GEOMETRIES.map((geometry) => ({
    row: encoder,
    column: geometry,
    group: isNeuroseed(encoder) ? "neuroseed" : "others",
    subject: { kind: "model", options: encoderOptions(encoder, geometry, { set, dim }) },
  }));
}

function encoderOptions(
  encoder: DimensionEncoder,
  geometry: PaperGeometry,
  { set, dim }: { set: TunedSet; dim: number },
): ModelOptions {
  if (!isNeuroseed(encoder)) return { encoder: { name: encoder }, geometry, dim };
  return { ...presetOptions(neuroseedPreset(encoder, set), geometry), dim };
}

function isNeuroseed(encoder: DimensionEncoder): encoder is NeuroseedEncoder {
  return (NEUROSEED_ENCODERS as readonly string[]).includes(encoder);
}

function nwaCells(dim: number, lambdas: readonly number[], nwa: PaperTableOptions["nwa"]): Cell[] {
  const published = NWA_RMSE[dim];
  return (["cnn", "transformer", "dsee"] as const).flatMap((row) => {
    const { regularizer, ...plain } = presetOptions(row === "dsee" ? "dsee" : `nwa-${row}`);
    const paperLambda = regularizer === undefined ? DSEE_LAMBDA : regularizerWeights(regularizer).lambda;
    const cell = (column: string, lambda?: number): Cell => ({
      row,
      column,
      group: "nwa",
      subject: {
        kind: "model",
        options: {
          ...plain,
          dim,
          ...(lambda !== undefined && { regularizer: { ...nwa, name: "nwa", lambda } }),
        },
      },
      published: published?.all[row][column],
      publishedHomologous: published?.homologous[row][column],
    });
    const others = lambdas.filter((lambda) => lambda !== paperLambda);
    return [
      cell("without"),
      cell("with", paperLambda),
      ...others.map((lambda) => cell(`λ=${lambda.toExponential()}`, lambda)),
    ];
  });
}

/** The cells with what was published in their places. */
function beside(published: PublishedTable, cells: readonly Cell[]): Cell[] {
  return cells.map((cell) => ({ ...cell, published: published[cell.row]?.[cell.column] }));
}

/**
 * The cells that words choose: those whose row (or kind of row) is named, if any is, and whose column is, if any is.
 *
 * @throws UsageError on a word that names neither
 */
export function chooseCells({ cells }: PaperTable, only: readonly string[] = []): readonly Cell[] {
  const rows = new Set(cells.flatMap(({ row, group }) => [row, group]));
  const columns = new Set(cells.map(({ column }) => column));
  for (const word of only) {
    if (rows.has(word) || columns.has(word)) continue;
    const known = [...new Set([...rows, ...columns])].join(", ");
    throw new UsageError(`--only: must be of ${known}, got "${word}"`);
  }
  const named = (known: Set<string>) => only.filter((word) => known.has(word));
  const [wantedRows, wantedColumns] = [named(rows), named(columns)];
  return cells.filter(
    ({ row, group, column }) =>
      (wantedRows.length === 0 || wantedRows.includes(row) || wantedRows.includes(group)) &&
      (wantedColumns.length === 0 || wantedColumns.includes(column)),
  );
}
